/* place.h - where a value stands in a file: a dataset of HDF5, or an entry of a checkpoint. */
#ifndef TN_SAVING_PLACE_H
#define TN_SAVING_PLACE_H
#include "formats/bundle.h"
#include "saving/dataset.h"

typedef struct {
    tn__h5_object *dataset;
    tn__bundle *bundle; /* when there is no dataset; both NULL: nowhere */
    size_t entry;
} tn__place;
#define TN__AT_DATASET(object) ((tn__place){ .dataset = (object) })

static inline bool tn__place_is(tn__place place)
{
    return place.dataset || place.bundle;
}
const char *tn__place_name(tn__place place); /* as long as the file is open */
tn_status tn__place_shape(tn__place place, tn_shape *shape);
/* The value as a tensor of this type. The caller owns the count. source: of datasets. */
tn_status tn__place_tensor(const tn__source *source, tn__place place, tn_dtype dtype,
                           tn_tensor **tensor);
/* Each of a list, for tn__free. */
tn_status tn__place_list(tn__h5_object *const *datasets, size_t count, tn__place **places);

#endif
