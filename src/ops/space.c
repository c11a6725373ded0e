/* space.c - pixels that move between the rows and columns of images, their channels and their
 * batch: DepthToSpace, SpaceToDepth, SpaceToBatchND, BatchToSpaceND. */
#include "ops/array.h"
#include <string.h>

/* --- DepthToSpace, SpaceToDepth --------------------------------------------------------------- */
/* A square of block_size by block_size pixels on one side is one pixel with as many times the
 * channels on the other: channel (row * block_size + column) * channels + channel. */
typedef struct {
    int64_t block_size;
    const char *data_format;
} depth_attrs;
static const tn_field depth_fields[] = {
    TN__ROW(TN_FIELD_INT, depth_attrs, block_size, NULL, ">=2"),
    TN__ROW(TN_FIELD_STRING, depth_attrs, data_format, "NHWC", "NHWC|NCHW"),
    TN__END_OF_FIELDS,
};

/* Where the format has rows, columns and channels. */
typedef struct {
    int rows, columns, channels;
} places;

static places places_of(const depth_attrs *attrs)
{
    return strcmp(attrs->data_format, "NCHW") == 0 ? (places){ 2, 3, 1 } : (places){ 1, 2, 3 };
}

static tn_status check_depth(const tn__infer *infer, tn_shape *shape)
{
    const depth_attrs *attrs = infer->attrs;
    *shape = infer->input[0]->shape;
    if (attrs->block_size < 2 || attrs->block_size > INT32_MAX)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Value for attr 'block_size' of %lld must be at least minimum 2\n%s",
                        (long long)attrs->block_size, infer->op->name);
    if (shape->known && shape->rank != 4)
        return tn__fail(TN_INVALID_ARGUMENT, "Input rank should be: 4 instead of: %d\n%s: got %s",
                        shape->rank, infer->op->name, TN__BRACKETS(*shape));
    if (!shape->known)
        *shape = tn__shape_of_rank(4);
    return TN_OK;
}

/* Too large a size is refused when the tensor is made. */
static int64_t times(int64_t dim, int64_t size)
{
    int64_t product;
    return dim < 0 ? TN_NONE : __builtin_mul_overflow(dim, size, &product) ? INT64_MAX : product;
}

static tn_status depth_to_space_infer(tn__infer *infer)
{
    int64_t size = ((const depth_attrs *)infer->attrs)->block_size;
    places at = places_of(infer->attrs);
    tn_shape shape;
    TN_TRY(check_depth(infer, &shape));
    int64_t depth = shape.dims[at.channels];
    if (depth >= 0 && depth % (size * size) != 0)
        return tn__fail(
            TN_INVALID_ARGUMENT,
            "Input depth dimension %lld should be divisible by: %lld\nDepthToSpace: the "
            "input is %s",
            (long long)depth, (long long)(size * size), TN__BRACKETS(shape));
    shape.dims[at.channels] = depth < 0 ? TN_NONE : depth / (size * size);
    shape.dims[at.rows] = times(shape.dims[at.rows], size);
    shape.dims[at.columns] = times(shape.dims[at.columns], size);
    infer->output[0].shape = shape;
    return TN_OK;
}

static tn_status space_to_depth_infer(tn__infer *infer)
{
    int64_t size = ((const depth_attrs *)infer->attrs)->block_size;
    places at = places_of(infer->attrs);
    tn_shape shape;
    TN_TRY(check_depth(infer, &shape));
    int64_t *rows = &shape.dims[at.rows], *columns = &shape.dims[at.columns];
    if ((*rows >= 0 && *rows % size != 0) || (*columns >= 0 && *columns % size != 0))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Image width %lld and height %lld should be divisible by block_size: %lld",
                        (long long)*columns, (long long)*rows, (long long)size);
    *rows = *rows < 0 ? TN_NONE : *rows / size;
    *columns = *columns < 0 ? TN_NONE : *columns / size;
    shape.dims[at.channels] = times(shape.dims[at.channels], size * size);
    infer->output[0].shape = shape;
    return TN_OK;
}

/* Both ways: `to` says which of the two is written. */
static void move_depth(const depth_attrs *attrs, const tn_tensor *space, const tn_tensor *depth,
                       tn_tensor *to)
{
    int64_t size = attrs->block_size, s[TN_MAX_RANK], d[TN_MAX_RANK];
    places at = places_of(attrs);
    tn__strides(&space->shape, s);
    tn__strides(&depth->shape, d);
    const int64_t *dim = depth->shape.dims, channels = space->shape.dims[at.channels];
    const int64_t axis[][3] = {
        /* how many, the step in space, the step in depth */
        { dim[0], s[0], d[0] },
        { dim[at.rows], size * s[at.rows], d[at.rows] },
        { size, s[at.rows], size * channels * d[at.channels] },
        { dim[at.columns], size * s[at.columns], d[at.columns] },
        { size, s[at.columns], channels * d[at.channels] },
        { channels, s[at.channels], d[at.channels] },
    };
    tn__block block = { 0 };
    for (int i = 0; i < 6; i++)
        tn__block_add(&block, axis[i][0], axis[i][to == space ? 1 : 2],
                      axis[i][to == space ? 2 : 1]);
    tn__block_copy(&block, tn__dtype_size((tn_dtype)to->dtype), to->data,
                   (to == space ? depth : space)->data);
}

static tn_status depth_to_space_compute(tn__kernel *kernel)
{
    move_depth(kernel->attrs, kernel->output[0], kernel->input[0], kernel->output[0]);
    return TN_OK;
}

static tn_status space_to_depth_compute(tn__kernel *kernel)
{
    move_depth(kernel->attrs, kernel->input[0], kernel->output[0], kernel->output[0]);
    return TN_OK;
}

/* each is the other's inverse, and its gradient */
static void depth_to_space_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_SpaceToDepth, g->attrs, g->dout[0]);
}

static void space_to_depth_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_DepthToSpace, g->attrs, g->dout[0]);
}

#define DEPTH(name_, what)                 \
    const tn__op tn__op_##name_ = {        \
        .name = #name_,                    \
        .inputs = "input: T",              \
        .outputs = "output: T",            \
        .types = "T: any",                 \
        .attrs = depth_fields,             \
        .attrs_size = sizeof(depth_attrs), \
        .infer = what##_infer,             \
        .compute = what##_compute,         \
        .gradient = what##_gradient,       \
        .flags = TN__HALF,                 \
    };
DEPTH(DepthToSpace, depth_to_space)
DEPTH(SpaceToDepth, space_to_depth)

static tn_tensor *depth_call(const tn__op *op, tn_tensor *x, int64_t size, const char *format)
{
    const depth_attrs attrs = { size, format ? format : "NHWC" };
    TN__ENTER(context, NULL);
    (void)context;
    if (tn__fields_check(depth_fields, &attrs, op->name) != TN_OK)
        return NULL;
    return TN__APPLY(*op, &attrs, x);
}

tn_tensor *tn_nn_depth_to_space(tn_tensor *input, int64_t block_size, const char *data_format)
{
    return depth_call(&tn__op_DepthToSpace, input, block_size, data_format);
}

tn_tensor *tn_nn_space_to_depth(tn_tensor *input, int64_t block_size, const char *data_format)
{
    return depth_call(&tn__op_SpaceToDepth, input, block_size, data_format);
}

/* --- SpaceToBatchND, BatchToSpaceND ----------------------------------------------------------- */
/* Along each of the first dimensions behind the batch, of which there are `rank`, every block-th
 * pixel goes into an image of its own: image (offset, batch), where offset counts the places in a
 * block, row-major. around: zeros that are put around the space before, or cut off it after. */
enum { BEFORE, AFTER };
typedef struct {
    int rank;
    int64_t size[TN_MAX_RANK], around[TN_MAX_RANK][2], product;
} blocks;

static bool goes_to_batch(const tn__op *op)
{
    return op == &tn__op_SpaceToBatchND;
}

/* Products of sizes that fit 32 bits. */
static tn_status check_size(const tn__op *op, int64_t size)
{
    if (size <= INT32_MAX)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "%s: a size of %lld is too large", op->name,
                    (long long)size);
}

/* What is known of both inputs; `rank` TN_NONE: nothing. */
static tn_status read_blocks(const tn__op *op, tn_tensor *const *input, const char *what, blocks *b)
{
    int64_t sizes[TN__MOST_KNOWN], around[TN__MOST_KNOWN];
    size_t count, pairs;
    *b = (blocks){ .rank = TN_NONE };
    if (!tn__known_exactly(input[1], sizes, &count) || !tn__known_exactly(input[2], around, &pairs))
        return TN_OK;
    if (input[1]->shape.rank != 1 || count > TN_MAX_RANK - 1)
        return tn__fail(TN_INVALID_ARGUMENT, "block_shape rank should be 1 instead of %d\n%s",
                        input[1]->shape.rank, op->name);
    const tn_shape wanted = TN_SHAPE((int64_t)count, 2);
    if (!tn__shape_equal(&input[2]->shape, &wanted))
        return tn__fail(TN_INVALID_ARGUMENT, "%s should have shape [%zu, 2] instead of %s", what,
                        count, TN__BRACKETS(input[2]->shape));
    b->rank = (int)count;
    b->product = 1;
    for (size_t i = 0; i < count; i++) {
        if (sizes[i] < 1)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "All values in block_shape must be positive, got value, %lld at index "
                            "%zu.",
                            (long long)sizes[i], i);
        TN_TRY(check_size(op, sizes[i]));
        b->size[i] = sizes[i];
        b->product *= sizes[i];
        TN_TRY(check_size(op, b->product));
        for (int side = BEFORE; side <= AFTER; side++) {
            b->around[i][side] = around[2 * i + (size_t)side];
            if (b->around[i][side] < 0 || b->around[i][side] > INT32_MAX)
                return tn__fail(TN_INVALID_ARGUMENT,
                                "%s must be non-negative\n%s: number %zu is %lld",
                                goes_to_batch(op) ? "Paddings" : "Crops", op->name,
                                2 * i + (size_t)side, (long long)b->around[i][side]);
        }
    }
    return TN_OK;
}

static tn_status check_rank(const tn__op *op, const tn_shape *x, const blocks *b)
{
    if (!x->known || x->rank > b->rank)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "input rank should be >= %d instead of %d\n%s",
                    b->rank + 1, x->rank, op->name);
}

static tn_status to_batch_shape(const tn__op *op, const blocks *b, tn_shape *shape)
{
    TN_TRY(check_rank(op, shape, b));
    for (int i = 0; i < b->rank; i++) {
        int64_t *dim = &shape->dims[i + 1];
        TN_TRY(check_size(op, *dim));
        int64_t padded = *dim + b->around[i][BEFORE] + b->around[i][AFTER];
        if (*dim >= 0 && padded % b->size[i] != 0)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "padded_shape[%d]=%lld is not divisible by block_shape[%d]=%lld", i,
                            (long long)padded, i, (long long)b->size[i]);
        *dim = *dim < 0 ? TN_NONE : padded / b->size[i];
    }
    TN_TRY(check_size(op, shape->dims[0]));
    shape->dims[0] = times(shape->dims[0], b->product);
    return TN_OK;
}

static tn_status to_space_shape(const tn__op *op, const blocks *b, tn_shape *shape)
{
    TN_TRY(check_rank(op, shape, b));
    if (shape->dims[0] >= 0 && shape->dims[0] % b->product != 0)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Input batch dimension (%lld) is not divisible by product of block sizes "
                        "(%lld)",
                        (long long)shape->dims[0], (long long)b->product);
    for (int i = 0; i < b->rank; i++) {
        int64_t *dim = &shape->dims[i + 1];
        TN_TRY(check_size(op, *dim));
        int64_t cropped = *dim * b->size[i] - b->around[i][BEFORE] - b->around[i][AFTER];
        if (*dim >= 0 && cropped < 0)
            return tn__fail(TN_INVALID_ARGUMENT, "cropped_shape[%d]=%lld must be non-negative", i,
                            (long long)cropped);
        *dim = *dim < 0 ? TN_NONE : cropped;
    }
    shape->dims[0] = shape->dims[0] < 0 ? TN_NONE : shape->dims[0] / b->product;
    return TN_OK;
}

static tn_status blocks_shape(const tn__op *op, tn_tensor *const *input, blocks *b, tn_shape *shape)
{
    *shape = input[0]->shape;
    TN_TRY(read_blocks(op, input, goes_to_batch(op) ? "paddings" : "crops", b));
    if (b->rank < 0 || !shape->known) {
        *shape = shape->known ? tn__shape_of_rank(shape->rank) : *shape;
        return TN_OK;
    }
    return goes_to_batch(op) ? to_batch_shape(op, b, shape) : to_space_shape(op, b, shape);
}

static tn_status blocks_infer(tn__infer *infer)
{
    blocks b;
    return blocks_shape(infer->op, infer->input, &b, &infer->output[0].shape);
}

/* Along one axis: block place `offset` of the space has pixels x = s * size + offset - before;
 * those s for which x is inside, from *first, as many as the result. */
static int64_t inside(int64_t offset, int64_t before, int64_t size, int64_t space, int64_t count,
                      int64_t *first)
{
    int64_t shift = before - offset; /* s * size must be in [shift, shift + space) */
    *first = shift <= 0 ? 0 : (shift + size - 1) / size;
    int64_t end = shift + space <= 0 ? 0 : (shift + space - 1) / size + 1;
    return (end < count ? end : count) - *first;
}

typedef struct {
    const blocks *b;
    const tn_tensor *space, *batch;
    int64_t s[TN_MAX_RANK], t[TN_MAX_RANK]; /* strides of the two */
} moving;

/* The pixels that are place number `place` of their block, of all images. */
static void move_place(const moving *m, int64_t place, bool to_batch, tn_tensor *to)
{
    const blocks *b = m->b;
    const tn_shape *space = &m->space->shape;
    int64_t at_space = 0, at_batch = place * space->dims[0] * m->t[0], rest = place;
    tn__block block = { 0 };
    int64_t dim[TN_MAX_RANK], s[TN_MAX_RANK], t[TN_MAX_RANK];
    for (int i = b->rank - 1; i >= 0; i--) {
        int64_t offset = rest % b->size[i], first;
        rest /= b->size[i];
        dim[i] = inside(offset, b->around[i][BEFORE], b->size[i], space->dims[i + 1],
                        m->batch->shape.dims[i + 1], &first);
        if (dim[i] <= 0)
            return;
        at_space += (first * b->size[i] + offset - b->around[i][BEFORE]) * m->s[i + 1];
        at_batch += first * m->t[i + 1];
        s[i] = b->size[i] * m->s[i + 1];
        t[i] = m->t[i + 1];
    }
    tn__block_add(&block, space->dims[0], to_batch ? m->t[0] : m->s[0],
                  to_batch ? m->s[0] : m->t[0]);
    for (int i = 0; i < b->rank; i++)
        tn__block_add(&block, dim[i], to_batch ? t[i] : s[i], to_batch ? s[i] : t[i]);
    tn__block_add(&block, tn__count_of(space, b->rank + 1, space->rank), 1, 1);
    size_t size = tn__dtype_size((tn_dtype)to->dtype);
    const char *from = to_batch ? m->space->data : m->batch->data;
    tn__block_copy(&block, size,
                   (char *)to->data + (to_batch ? at_batch : at_space) * (int64_t)size,
                   from + (to_batch ? at_space : at_batch) * (int64_t)size);
}

static tn_status blocks_compute(tn__kernel *kernel)
{
    bool to_batch = goes_to_batch(kernel->op);
    tn_tensor *x = kernel->input[0];
    blocks b;
    tn_shape shape;
    TN_TRY(blocks_shape(kernel->op, kernel->input, &b, &shape));
    if (b.rank < 0)
        return tn__fail(TN_INVALID_ARGUMENT, "%s: block_shape has more than %d elements",
                        kernel->op->name, TN_MAX_RANK - 1);
    TN_TRY(tn__ensure_output(kernel, 0, (tn_dtype)x->dtype, &shape));
    tn_tensor *y = kernel->output[0];
    moving m = { .b = &b, .space = to_batch ? x : y, .batch = to_batch ? y : x };
    tn__strides(&m.space->shape, m.s);
    tn__strides(&m.batch->shape, m.t);
    if (tn__byte_count(y))
        memset(y->data, 0, tn__byte_count(y));
    for (int64_t place = 0; place < b.product && tn__count(y) > 0; place++)
        move_place(&m, place, to_batch, y);
    return TN_OK;
}

/* what was put around is cut off again, and the other way round */
static void to_batch_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_BatchToSpaceND, NULL, g->dout[0], g->in[1], g->in[2]);
}

static void to_space_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_SpaceToBatchND, NULL, g->dout[0], g->in[1], g->in[2]);
}

#define BLOCKS(name_, around, gradient_)                                          \
    const tn__op tn__op_##name_ = {                                               \
        .name = #name_,                                                           \
        .inputs = "input: T, block_shape: Tblock_shape, " around ": T" around,    \
        .outputs = "output: T",                                                   \
        .types = "T: any; Tblock_shape: int32, int64; T" around ": int32, int64", \
        .infer = blocks_infer,                                                    \
        .compute = blocks_compute,                                                \
        .gradient = gradient_,                                                    \
        .flags = TN__HALF,                                                        \
    };
BLOCKS(SpaceToBatchND, "paddings", to_batch_gradient)
BLOCKS(BatchToSpaceND, "crops", to_space_gradient)

static tn_tensor *blocks_call(const tn__op *op, tn_tensor *input, const tn_shape *block_shape,
                              const int64_t (*around)[2])
{
    TN__ENTER(context, NULL);
    (void)context;
    int64_t rank = block_shape->known ? block_shape->rank : 0;
    tn_tensor *sizes = tn__ints(block_shape->dims, (size_t)rank),
              *pairs = tn__ints(&around[0][0], 2 * (size_t)rank);
    return TN__APPLY(*op, NULL, input, sizes, tn_reshape(pairs, TN_SHAPE(rank, 2)));
}

tn_tensor *tn_space_to_batch_with(const tn_space_to_batch_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    return blocks_call(&tn__op_SpaceToBatchND, o->input, &o->block_shape, o->paddings);
}

tn_tensor *tn_batch_to_space_with(const tn_batch_to_space_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    return blocks_call(&tn__op_BatchToSpaceND, o->input, &o->block_shape, o->crops);
}
