/* named.h - a set of named arrays, in whatever file or model they are. The one place that knows
 * which files hold arrays, and under which names. */
#ifndef TN_SAVING_NAMED_H
#define TN_SAVING_NAMED_H
#include "saving/archive.h"
#include "saving/place.h"
#include "saving/saved_folder.h"

typedef struct {
    char *name;
    tn_shape shape;
    tn_dtype dtype;    /* 0: its elements are no numbers */
    char *full;        /* another name: of a model's variable its path, of one in a file its
                        * full name, where that is told; else NULL */
    tn_tensor *tensor; /* where it is: of a model or among arrays, retained; or … */
    tn__place place;   /* … in an HDF5 file or a checkpoint */
} tn__named_array;

typedef struct {
    tn__named_array *item;
    size_t count, capacity;
    bool in_order;     /* that of the file counts; else they are sorted by their names */
    tn__map names;     /* to index + 1 */
    tn__source source; /* of what is in a file */
    tn__archive archive;
    tn__h5 *file;
    tn__bundle *bundle;
    tn__saved_folder folder;
} tn__named;

/* Close it whatever opening gives. From a file: every array by its path there,
 * "layers/dense/vars/0" or, in .h5, "dense/dense/kernel:0"; of a checkpoint or a SavedModel by its
 * key, "layer-0/kernel" (what every key ends with is left out); a checkpoint may be named by its
 * folder. data, limit: as for tn__source_open(). */
tn_status tn__named_open(const char *path, tn__span data, uint64_t limit, tn__named *set);
/* A model's variables by their full names, and those of its optimizer as "optimizer/…". A name that
 * comes again is "name (2)". */
tn_status tn__named_of_model(tn_layer *model, tn__named *set);
static inline const char *tn__named_name(const tn__named_array *array, bool full)
{
    return full && array->full ? array->full : array->name;
}
/* The same arrays by their other names, where they have one. */
tn_status tn__named_by_full_names(tn__named *set);
/* NULL: there is none. */
const tn__named_array *tn__named_find(const tn__named *set, const char *name);
/* The numbers of one; the caller owns the count. */
tn_status tn__named_value(const tn__named *set, const tn__named_array *array, tn_tensor **value);
void tn__named_close(tn__named *set);

#endif
