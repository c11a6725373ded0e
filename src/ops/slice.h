/* slice.h - StridedSlice's rules: Python's x[a:b:c, ..., None, i]. */
#ifndef TN_OPS_SLICE_H
#define TN_OPS_SLICE_H
#include "ops/array.h"

/* Bit i of a mask speaks of entry i of the specification. */
typedef struct {
    int64_t begin_mask, end_mask; /* the entry is not given: from the first, to the last */
    int64_t ellipsis_mask; /* the entry stands for as many whole dimensions as are missing; once */
    int64_t new_axis_mask; /* a dimension of 1 that x does not have */
    int64_t shrink_axis_mask; /* one place, whose dimension goes away */
} tn__slice_masks;
typedef struct {
    const tn__slice_masks *masks;
    const int64_t *begin, *end, *stride; /* TN__UNSURE: not known yet */
    size_t count;
} tn__slice_spec;

/* What a specification means for x of a known rank. */
typedef struct {
    int rank;
    int64_t begin[TN_MAX_RANK],
        stride[TN_MAX_RANK];    /* of x's dimensions; only where all is known */
    int64_t count[TN_MAX_RANK]; /* places taken; TN_NONE: not known yet */
    tn_shape out;
} tn__slicing;
tn_status tn__slicing_of(const tn__slice_spec *spec, const tn_shape *x, tn__slicing *slicing);

#endif
