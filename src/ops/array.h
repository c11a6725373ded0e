/* array.h - what ops that move elements share: copying blocks between places of different strides,
 * axes and sizes read off inputs, shapes in TensorFlow's messages. */
#ifndef TN_OPS_ARRAY_H
#define TN_OPS_ARRAY_H
#include "ops/ops.h"

/* --- blocks ----------------------------------------------------------------------------------- */
/* A block of elements that stands in two places. Transposing, slicing, reversing, padding, joining,
 * tiling and broadcasting are one copy each, or one for each input. Strides are in elements and may
 * be negative, or 0 to repeat; 0 in `dim` is an empty block. */
enum { TN__MAX_LOOPS = 2 * TN_MAX_RANK };
typedef struct {
    int rank;
    int64_t dim[TN__MAX_LOOPS], to[TN__MAX_LOOPS], from[TN__MAX_LOOPS];
} tn__block;
static inline void tn__block_add(tn__block *block, int64_t dim, int64_t to, int64_t from)
{
    block->dim[block->rank] = dim;
    block->to[block->rank] = to;
    block->from[block->rank++] = from;
}
/* size: bytes an element, 1, 2, 4 or 8. */
void tn__block_copy(const tn__block *block, size_t size, void *to, const void *from);
/* to += from; numbers of the dtype (not the half types), as many as both places have in common. */
void tn__block_accumulate(const tn__block *block, tn_dtype dtype, void *to, const void *from);
/* Row-major: the elements between neighbours along each axis. */
void tn__strides(const tn_shape *shape, int64_t stride[TN_MAX_RANK]);
/* Elements of the dimensions [begin, end). */
int64_t tn__count_of(const tn_shape *shape, int begin, int end);
/* Which matrix of x (its last two dimensions) goes with matrix `index` of an output that x is broadcast to. */
int64_t tn__batch_of(const tn_shape *x, const tn_shape *out, int64_t index);
/* count copies of one element. */
void tn__fill_elements(void *to, int64_t count, size_t size, const void *element);

/* --- inputs and outputs ----------------------------------------------------------------------- */
/* The one integer of a scalar (or of a tensor of one element, as TensorFlow takes them); false: not
 * known yet. */
bool tn__known_int(const tn_tensor *x, int64_t *value);
/* axis of an input, counted from 0; -1 when axis or rank are not known yet. The message when it is
 * outside is TensorFlow's for most ops: "Expected dimension in the range [-2, 2), but got 4";
 * `what` stands before "in the range". */
tn_status tn__known_axis(const tn_tensor *axis, const tn_shape *shape, const char *what,
                         int *result);
/* Output `index` in this shape: as allocated by inference, or made now because the shape depended
 * on values. */
tn_status tn__ensure_output(tn__kernel *kernel, size_t index, tn_dtype dtype,
                            const tn_shape *shape);
/* The shape that an input of a kernel says; an error when there is a negative size, or too many. */
tn_status tn__shape_said(const tn__kernel *kernel, size_t input, tn_shape *shape);
/* A shape of this rank with every dimension open. */
tn_shape tn__shape_of_rank(int rank);
/* A shape as a constant of the innermost scope: int32, or int64 where that is too small. */
tn_tensor *tn__dims(const tn_shape *shape);

/* "[2,3]", as TensorFlow's kernels write shapes. For one message, like TN__SHAPE. */
const char *tn__shape_brackets(const tn_shape *shape, char text[TN__SHAPE_TEXT]);
#define TN__BRACKETS(shape) tn__shape_brackets(&(shape), (char[TN__SHAPE_TEXT]){ 0 })

/* Q and R of matrices, the last two dimensions: a = Q R, reduced (q: rows x the lesser). */
tn_list tn__qr(tn_tensor *a);
/* What the variable is after the assignment that was made last. */
tn_tensor *tn__read_after(tn_context *context, tn_tensor *variable);

/* --- pieces of gradients ---------------------------------------------------------------------- */
/* Zeros of x's dtype and shape, also when that is known only in the run. */
tn_tensor *tn__zeros_like(tn_tensor *x);
/* Elements [begin, end) of a vector such as a shape; end TN_NONE: to the last. */
tn_tensor *tn__vector_part(tn_tensor *vector, int64_t begin, int64_t end);
/* Vectors one behind the other. */
tn_tensor *tn__vector_join(size_t count, tn_tensor *const *parts);

#endif
