/* data.h - rows into batches. */
#ifndef TN_TRAIN_DATA_H
#define TN_TRAIN_DATA_H
#include "function/frame.h"
#include "tenon/training.h"

/* Arrays whose first dimension counts samples, or a run of their rows. Structures, retained. */
typedef struct {
    tn_tensor *x, *y, *weight; /* y and weight may be NULL */
    int64_t rows, first;       /* rows first, first + 1 … of the arrays */
} tn__data;
/* Values of x, y and weight, float64 as float32; the counts of rows must agree (Keras's text). */
tn_status tn__data_new(tn_tensor *x, tn_tensor *y, tn_tensor *weight, tn__data *data);
void tn__data_free(tn__data *data);
/* The last part of the rows goes to `tail`, the rest stays; they share the arrays. */
tn_status tn__data_split(tn__data *data, double part, tn__data *tail);
/* Weights by class joined into data->weight. */
tn_status tn__data_class_weight(tn__data *data, tn_tensor *class_weight);
/* Rows order[begin .. begin + count) (NULL: begin, begin + 1, …) as a batch of its own. */
tn_status tn__data_batch(const tn__data *data, const int64_t *order, int64_t begin, int64_t count,
                         tn__data *batch);

#endif
