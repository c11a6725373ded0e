/* loss.h - losses: a class descriptor with one function, and one reduction for all. */
#ifndef TN_TRAIN_LOSS_H
#define TN_TRAIN_LOSS_H
#include "nn/object.h"
#include "tenon/training.h"

/* The instance begins with the public options struct, whose fields are the class's table: reduction and name among them. */
typedef struct {
    /* Values per sample, before weights and reduction: (batch, …). y_true and y_pred are float tensors. Owned by the innermost scope. */
    tn_tensor *(*call)(const void *self, tn_tensor *y_true, tn_tensor *y_pred);
} tn__loss_methods;

struct tn_loss {
    tn__object object;
    tn__thing thing;
    const char *reduction; /* in the thing: "sum_over_batch_size", "sum", "mean_with_sample_weight", "none" */
};
TN__HANDLE_SIZE(struct tn_loss);
extern const tn__type tn__type_loss;

/* From "mse", "categorical_crossentropy(from_logits=true)" …; the caller owns the count. */
tn_status tn__loss_parse(const char *text, tn_loss **loss);
tn_status tn__loss_from_thing(tn__thing *taken, tn_loss **loss); /* takes the thing over, also when it fails */
tn_loss *tn__loss_from_options(const tn__object_class *of, const void *options); /* owned by the innermost scope */
/* The number that training makes small: values, weighted, reduced, as Keras's Loss.__call__. sample_weight may be NULL. Owned by the
 * innermost scope; NULL and an error. */
tn_tensor *tn__loss_value(tn_loss *loss, tn_tensor *y_true, tn_tensor *y_pred, tn_tensor *sample_weight);
/* Keras's squeeze_or_expand_to_same_rank. */
void tn__same_rank(tn_tensor **a, tn_tensor **b, bool expand_rank_1);

#endif
