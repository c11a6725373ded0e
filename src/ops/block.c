/* block.c - copying blocks of elements, and the small things of array.h. */
#include "ops/array.h"
#include <stdio.h>
#include <string.h>

/* --- blocks ----------------------------------------------------------------------------------- */
#define STRIDED_RUN(T)                         \
    {                                          \
        T *restrict a = to;                    \
        const T *restrict b = from;            \
        for (int64_t i = 0; i < n; i++)        \
            a[i * step_to] = b[i * step_from]; \
        return;                                \
    }

static void copy_run(void *to, int64_t step_to, const void *from, int64_t step_from, int64_t n,
                     size_t size)
{
    if (step_to == 1 && step_from == 1) {
        memcpy(to, from, (size_t)n * size);
        return;
    }
    switch (size) {
    case 1:
        STRIDED_RUN(uint8_t)
    case 2:
        STRIDED_RUN(uint16_t)
    case 4:
        STRIDED_RUN(uint32_t)
    default:
        STRIDED_RUN(uint64_t)
    }
}

/* Without dimensions of 1, neighbours merged where both places go on alike. */
static tn__block simplified(const tn__block *block)
{
    tn__block out = { 0 };
    for (int i = 0; i < block->rank; i++) {
        int last = out.rank - 1;
        if (block->dim[i] == 1)
            continue;
        if (last >= 0 && out.to[last] == block->to[i] * block->dim[i] &&
            out.from[last] == block->from[i] * block->dim[i]) {
            out.dim[last] *= block->dim[i];
            out.to[last] = block->to[i];
            out.from[last] = block->from[i];
        } else {
            tn__block_add(&out, block->dim[i], block->to[i], block->from[i]);
        }
    }
    if (out.rank == 0)
        tn__block_add(&out, 1, 1, 1);
    return out;
}

/* Two dimensions crosswise, as in a transpose: in squares that fit the cache, so that neither place
 * is walked in long steps. */
static void copy_crosswise(const tn__block *b, int level, size_t size, char *to, const char *from)
{
    enum { SIDE = 32 };
    int64_t rows = b->dim[level], columns = b->dim[level + 1], bytes = (int64_t)size;
    for (int64_t row = 0; row < rows; row += SIDE)
        for (int64_t column = 0; column < columns; column += SIDE) {
            int64_t height = rows - row < SIDE ? rows - row : SIDE,
                    width = columns - column < SIDE ? columns - column : SIDE;
            for (int64_t i = row; i < row + height; i++)
                copy_run(to + (i * b->to[level] + column * b->to[level + 1]) * bytes,
                         b->to[level + 1],
                         from + (i * b->from[level] + column * b->from[level + 1]) * bytes,
                         b->from[level + 1], width, size);
        }
}

/* Goes as deep as the block has dimensions. */
static void copy_level(const tn__block *b, int level, size_t size, char *to, const char *from)
{
    int left = b->rank - level;
    if (left == 1) {
        copy_run(to, b->to[level], from, b->from[level], b->dim[level], size);
        return;
    }
    if (left == 2 && b->from[level] == 1 && b->from[level + 1] != 1) {
        copy_crosswise(b, level, size, to, from);
        return;
    }
    for (int64_t i = 0; i < b->dim[level]; i++)
        copy_level(b, level + 1, size, to + i * b->to[level] * (int64_t)size,
                   from + i * b->from[level] * (int64_t)size);
}

static bool is_empty(const tn__block *block)
{
    for (int i = 0; i < block->rank; i++)
        if (block->dim[i] == 0)
            return true;
    return false;
}

void tn__block_copy(const tn__block *block, size_t size, void *to, const void *from)
{
    if (is_empty(block))
        return;
    tn__block b = simplified(block);
    copy_level(&b, 0, size, to, from);
}

#define ADD_RUN(T, sum)                                               \
    {                                                                 \
        T *restrict a = to;                                           \
        const T *restrict b = from;                                   \
        for (int64_t i = 0; i < n; i++, a += step_to, b += step_from) \
            *a = (T)(sum);                                            \
        return;                                                       \
    }

static void add_run(void *to, int64_t step_to, const void *from, int64_t step_from, int64_t n,
                    tn_dtype dtype)
{
    switch (dtype) {
    case TN_FLOAT32:
        ADD_RUN(float, *a + *b)
    case TN_FLOAT64:
        ADD_RUN(double, *a + *b)
    case TN_INT32:
        ADD_RUN(int32_t, (uint32_t)*a + (uint32_t)*b)
    case TN_INT64:
        ADD_RUN(int64_t, (uint64_t)*a + (uint64_t)*b)
    default:
        ADD_RUN(uint8_t, *a + *b)
    }
}

static void add_level(const tn__block *b, int level, tn_dtype dtype, char *to, const char *from)
{
    if (level == b->rank - 1) {
        add_run(to, b->to[level], from, b->from[level], b->dim[level], dtype);
        return;
    }
    int64_t size = (int64_t)tn__dtype_size(dtype);
    for (int64_t i = 0; i < b->dim[level]; i++)
        add_level(b, level + 1, dtype, to + i * b->to[level] * size,
                  from + i * b->from[level] * size);
}

void tn__block_accumulate(const tn__block *block, tn_dtype dtype, void *to, const void *from)
{
    if (is_empty(block))
        return;
    tn__block b = simplified(block);
    add_level(&b, 0, dtype, to, from);
}

void tn__strides(const tn_shape *shape, int64_t stride[TN_MAX_RANK])
{
    int64_t step = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= shape->dims[i];
    }
}

int64_t tn__count_of(const tn_shape *shape, int begin, int end)
{
    int64_t count = 1;
    for (int i = begin; i < end; i++)
        count *= shape->dims[i];
    return count;
}

void tn__fill_elements(void *to, int64_t count, size_t size, const void *element)
{
    copy_run(to, 1, element, 0, count, size);
}

/* --- inputs and outputs ----------------------------------------------------------------------- */
bool tn__known_int(const tn_tensor *x, int64_t *value)
{
    int64_t values[TN__MOST_KNOWN];
    size_t count;
    if (!tn__known_exactly(x, values, &count) || count != 1)
        return false;
    *value = values[0];
    return true;
}

tn_status tn__known_axis(const tn_tensor *axis, const tn_shape *shape, const char *what,
                         int *result)
{
    int64_t value;
    *result = -1;
    if (axis->shape.known && tn__shape_full(&axis->shape) && tn__shape_count(&axis->shape) != 1)
        return tn__fail(TN_INVALID_ARGUMENT, "axis must be a scalar, got %s", TN__TENSOR(axis));
    if (!shape->known || !tn__known_int(axis, &value) || tn__axis(value, shape->rank, result))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "%s in the range [%d, %d), but got %lld\nthe input has shape %s", what,
                    -shape->rank, shape->rank, (long long)value, TN__SHAPE(*shape));
}

tn_status tn__ensure_output(tn__kernel *kernel, size_t index, tn_dtype dtype, const tn_shape *shape)
{
    const tn_tensor *out = kernel->output[index];
    return out && tn__shape_equal(&out->shape, shape)
               ? TN_OK
               : tn__kernel_output(kernel, index, dtype, shape);
}

tn_status tn__shape_said(const tn__kernel *kernel, size_t input, tn_shape *shape)
{
    const tn_tensor *x = kernel->input[input];
    *shape = tn__known_shape(x);
    if (!shape->known)
        return tn__fail(TN_INVALID_ARGUMENT, "%s: %s is not a shape of at most %d dimensions",
                        kernel->op->name, TN__TENSOR(x), TN_MAX_RANK);
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 0)
            return tn__fail(TN_INVALID_ARGUMENT, "Dimension %lld must be >= 0\n%s: the shape is %s",
                            (long long)shape->dims[i], kernel->op->name, TN__BRACKETS(*shape));
    return TN_OK;
}

tn_shape tn__shape_of_rank(int rank)
{
    tn_shape shape = { 1, rank, { 0 } };
    for (int i = 0; i < rank; i++)
        shape.dims[i] = TN_NONE;
    return shape;
}

tn_tensor *tn__dims(const tn_shape *shape)
{
    tn_dtype dtype = TN_INT32;
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] > INT32_MAX || shape->dims[i] < INT32_MIN)
            dtype = TN_INT64;
    return tn__own(tn__tensor_ints(dtype, shape->rank, shape->dims));
}

const char *tn__shape_brackets(const tn_shape *shape, char text[TN__SHAPE_TEXT])
{
    int n = snprintf(text, TN__SHAPE_TEXT, "[");
    for (int i = 0; i < shape->rank; i++)
        n += snprintf(text + n, TN__SHAPE_TEXT - (size_t)n, shape->dims[i] < 0 ? "%s?" : "%s%lld",
                      i ? "," : "", (long long)shape->dims[i]);
    snprintf(text + n, TN__SHAPE_TEXT - (size_t)n, "]");
    return text;
}

/* --- pieces of gradients ---------------------------------------------------------------------- */
tn_tensor *tn__zeros_like(tn_tensor *x)
{
    return TN__APPLY(tn__op_Fill, NULL, tn__shape_tensor(x), tn__like(x, 0));
}

tn_tensor *tn__vector_part(tn_tensor *vector, int64_t begin, int64_t end)
{
    int64_t size = end == TN_NONE ? TN_NONE : end - begin;
    return TN__APPLY(tn__op_Slice, NULL, vector, tn__ints(&begin, 1), tn__ints(&size, 1));
}

tn_tensor *tn__vector_join(size_t count, tn_tensor *const *parts)
{
    tn_tensor *inputs[16];
    for (size_t i = 0; i < count; i++)
        inputs[i] = parts[i];
    inputs[count] = tn__int(0);
    return tn__apply(&tn__op_ConcatV2, NULL, inputs, count + 1);
}
