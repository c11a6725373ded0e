/* dataset.h - HDF5's datasets as tensors, and tensors as datasets. */
#ifndef TN_SAVING_DATASET_H
#define TN_SAVING_DATASET_H
#include "formats/hdf5/hdf5.h"
#include "saving/source.h"

/* The shape, when a tensor can have it. */
tn_status tn__dataset_shape(tn__h5_object *dataset, tn_shape *shape);
/* The type that has the elements as they are. */
tn_status tn__dataset_dtype(tn__h5_object *dataset, tn_dtype *dtype);
/* Keras stores bfloat16 as two bytes that mean nothing to HDF5, and says so in an attribute. */
bool tn__dataset_is_bfloat16(tn__h5_object *dataset, const tn__h5_type *type);
/* A tensor of this type: read straight into its place, or lying in the mapped source, or converted.
 * The caller owns the count. */
tn_status tn__dataset_tensor(const tn__source *source, tn__h5_object *dataset, tn_dtype dtype,
                             tn_tensor **tensor);

/* Adds a value as a dataset. Its elements stay where they are until the tree is written or freed.
 */
tn_status tn__dataset_add(tn__h5_node *group, const char *path, const tn_tensor *value);

/* Datasets called "0", "1", … "10" by their numbers; a list of the caller's (tn__free). Others are
 * behind them, as they came. */
tn_status tn__dataset_numbered(tn__h5_object *group, tn__h5_object ***list, size_t *count);

#endif
