/* shape.h - shapes by value: sizes that cannot overflow, broadcasting, text, the merging of what is partly known. */
#ifndef TN_CORE_SHAPE_H
#define TN_CORE_SHAPE_H
#include "base/text.h"
#include "core/dtype.h"

#define TN__UNKNOWN_SHAPE ((tn_shape){ 0, 0, { 0 } })
tn_shape tn__shape_make(int rank, const int64_t *dims);
static inline tn_shape tn__shape_vector(int64_t n) { return (tn_shape){ 1, 1, { n } }; }
/* A shape that a program filled in by hand may say anything. */
static inline bool tn__rank_valid(const tn_shape *shape) { return shape->rank >= 0 && shape->rank <= TN_MAX_RANK; }
tn_status tn__check_rank(const tn_shape *shape);
/* Is it said that nothing is known of it (TN_ANY_SHAPE), rather than nothing said? */
static inline bool tn__shape_any(const tn_shape *shape) { return !shape->known && shape->rank == TN_NONE; }
/* Every dimension is known. */
static inline bool tn__shape_full(const tn_shape *shape)
{
    bool full = shape->known && tn__rank_valid(shape);
    for (int i = 0; full && i < shape->rank; i++)
        full = shape->dims[i] >= 0;
    return full;
}
bool tn__shape_equal(const tn_shape *a, const tn_shape *b);      /* the same, unknowns included */
bool tn__shape_fits(const tn_shape *a, const tn_shape *b);       /* may be the same: unknown fits everything */
/* What both say; false when they contradict. */
bool tn__shape_merge(const tn_shape *a, const tn_shape *b, tn_shape *merged);
/* The most special shape that both fit: a dimension that differs is not known. */
tn_shape tn__shape_either(const tn_shape *a, const tn_shape *b);
/* Elements of a full shape (checked when the tensor was made, so it cannot overflow); 1 for a scalar. */
static inline int64_t tn__shape_count(const tn_shape *shape)
{
    int64_t count = 1;
    for (int i = 0; i < shape->rank; i++)
        count *= shape->dims[i];
    return count;
}
/* Elements times the dtype's size: fails on negative or unknown dimensions and on more than limit bytes. */
tn_status tn__shape_bytes(const tn_shape *shape, tn_dtype dtype, uint64_t limit, size_t *bytes);
/* TensorFlow's broadcasting; false when the shapes do not go together. Unknown dimensions: the other when that is above 1. */
bool tn__shape_broadcast(const tn_shape *a, const tn_shape *b, tn_shape *result);
/* axis or axis + rank into [0, rank); false when it is outside. */
bool tn__axis(int64_t axis, int rank, int *result);
/* Axes of an options struct, where a bare number may stand: TN_AXES of it, or none. Refuses arguments that it took for its own. */
tn_status tn__axes_settle(tn_axes *axes, const char *owner);
/* "(2, 3)", "(None, 10)", "(10,)", "()", "<unknown>": Python's tuple. */
void tn__shape_add(tn__text *text, const tn_shape *shape);
enum { TN__SHAPE_TEXT = 192 };
const char *tn__shape_print(const tn_shape *shape, char text[TN__SHAPE_TEXT]);
/* For one message: tn__fail(…, "%s", TN__SHAPE(shape)). */
#define TN__SHAPE(shape) tn__shape_print(&(shape), (char[TN__SHAPE_TEXT]){ 0 })

#endif
