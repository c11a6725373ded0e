/* named.h - a set of named arrays, in whatever file or model they are. The one place that knows
 * which files hold arrays, and under which names. */
#ifndef TN_SAVING_NAMED_H
#define TN_SAVING_NAMED_H
#include "saving/archive.h"

typedef struct {
    char *name;
    tn_shape shape;
    tn_dtype dtype;         /* 0: its elements are no numbers */
    tn_tensor *tensor;      /* where it is: of a model or among arrays, retained; or … */
    tn__h5_object *dataset; /* … in an HDF5 file */
} tn__named_array;

typedef struct {
    tn__named_array *item;
    size_t count, capacity;
    tn__map names;     /* to index + 1 */
    tn__source source; /* of what is in a file */
    tn__archive archive;
    tn__h5 *file;
} tn__named;

/* Close it whatever opening gives. From a file: every array by its path there,
 * "layers/dense/vars/0" or, in .h5, "dense/dense/kernel:0"; data, limit: as for tn__source_open().
 */
tn_status tn__named_open(const char *path, tn__span data, uint64_t limit, tn__named *set);
/* A model's variables by their full names, and those of its optimizer as "optimizer/…". A name that
 * comes again is "name (2)". */
tn_status tn__named_of_model(tn_layer *model, tn__named *set);
/* NULL: there is none. */
const tn__named_array *tn__named_find(const tn__named *set, const char *name);
/* The numbers of one; the caller owns the count. */
tn_status tn__named_value(const tn__named *set, const tn__named_array *array, tn_tensor **value);
void tn__named_close(tn__named *set);

#endif
