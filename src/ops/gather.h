/* gather.h - indices of several dimensions, as GatherNd and the scatter ops read them. */
#ifndef TN_OPS_GATHER_H
#define TN_OPS_GATHER_H
#include "ops/array.h"

/* indices (outer…, depth): `count` places in the first `depth` dimensions of a tensor, each the
 * begin of a slice. */
typedef struct {
    const tn_tensor *indices;
    tn_shape shape, outer;
    int depth;
    int64_t count, slice; /* slice: elements of one */
    const char *what;     /* of a message: "shape" */
} tn__places;
tn__places tn__places_of(const tn_tensor *indices, const tn_shape *shape, const char *what);
/* Where slice i begins, in elements; an error when it is outside. */
tn_status tn__read_place(const tn__places *places, int64_t i, int64_t *offset);
/* indices must have a rank, and a last dimension that the tensor's rank has room for. depth: -1
 * when not known. */
tn_status tn__known_depth(const tn_tensor *indices, const tn_shape *shape, int *depth);

/* "[0,1]": element number `at` of this shape; "" for a scalar. */
const char *tn__place_text(const tn_shape *shape, int64_t at, char text[TN__SHAPE_TEXT]);

#endif
