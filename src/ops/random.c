/* random.c - random numbers: stateful ops, whose numbers go on from call to call, and stateless
 * ones, whose numbers are a function of a key and a counter. */
#include "ops/random.h"
#include "core/cells.h"
#include "ops/array.h"
#include <string.h>

/* --- drawing ---------------------------------------------------------------------------------- */
typedef struct {
    void (*float32)(tn__philox philox, float *out, size_t count);
    void (*float64)(tn__philox philox, double *out, size_t count);
    void (*float16)(tn__philox philox, uint16_t *out, size_t count);
    void (*bfloat16)(tn__philox philox, uint16_t *out, size_t count);
} distribution;
#define DISTRIBUTION(name)                                                                       \
    static const distribution name = { tn__random_##name##_float32, tn__random_##name##_float64, \
                                       tn__random_##name##_float16,                              \
                                       tn__random_##name##_bfloat16 };
DISTRIBUTION(uniform)
DISTRIBUTION(normal)
DISTRIBUTION(truncated_normal)

static void draw(const distribution *from, tn__philox philox, tn_tensor *out)
{
    size_t count = (size_t)tn__count(out);
    switch (out->dtype) {
    case TN_FLOAT64:
        from->float64(philox, out->data, count);
        break;
    case TN_FLOAT16:
        from->float16(philox, out->data, count);
        break;
    case TN_BFLOAT16:
        from->bfloat16(philox, out->data, count);
        break;
    default:
        from->float32(philox, out->data, count);
    }
}

static tn_status draw_whole(tn__philox philox, const tn_tensor *minval, const tn_tensor *maxval,
                            tn_tensor *out)
{
    int64_t low = tn__int_at(minval, 0), high = tn__int_at(maxval, 0);
    if (tn__count(out) == 0)
        return TN_OK;
    if (low >= high)
        return tn__fail(TN_INVALID_ARGUMENT, "Need minval < maxval, got %lld >= %lld",
                        (long long)low, (long long)high);
    if (out->dtype == TN_INT64)
        tn__random_uniform_int64(philox, low, high, out->data, (size_t)tn__count(out));
    else
        tn__random_uniform_int32(philox, (int32_t)low, (int32_t)high, out->data,
                                 (size_t)tn__count(out));
    return TN_OK;
}

/* Every op here but the shuffle: the first input is the output's shape. */
static tn_status shape_infer(tn__infer *infer)
{
    TN_TRY(tn__infer_rank(infer, 0, 1, 1));
    infer->output[0].shape = tn__known_shape(infer->input[0]);
    return TN_OK;
}

static tn_status make_shape(tn__kernel *kernel, tn_dtype dtype)
{
    tn_shape shape;
    TN_TRY(tn__shape_said(kernel, 0, &shape));
    return tn__ensure_output(kernel, 0, dtype, &shape);
}

/* --- stateful ops ----------------------------------------------------------------------------- */
static const tn_field random_fields[] = {
    TN__ROW(TN_FIELD_INT, tn__random_attrs, seed, "0", NULL),
    TN__ROW(TN_FIELD_INT, tn__random_attrs, seed2, "0", NULL),
    TN__ROW(TN_FIELD_DTYPE, tn__random_attrs, dtype, NULL, NULL),
    TN__END_OF_FIELDS,
};
/* Without the dtype, for ops that read it off an input. */
const tn_field tn__seed_fields[] = {
    TN__ROW(TN_FIELD_INT, tn__random_attrs, seed, "0", NULL),
    TN__ROW(TN_FIELD_INT, tn__random_attrs, seed2, "0", NULL),
    TN__END_OF_FIELDS,
};

/* The blocks that this run of a node may use: how many were used before. Runs may go on in several
 * threads. */
static uint64_t move_on(tn__random_progress *p, uint64_t blocks)
{
    static const char moving_in;
    const void *home = atomic_load(&p->home);
    while (home != p) {
        if (home != &moving_in && atomic_compare_exchange_strong(&p->home, &home, &moving_in)) {
            atomic_store(&p->drawn, 0);
            atomic_store(&p->home, p);
        }
        home = atomic_load(&p->home);
    }
    return atomic_fetch_add(&p->drawn, blocks);
}

/* Every session begins the node's stream anew. */
static tn_status reserve(const tn_context *context, tn__random_progress *p, uint64_t blocks,
                         uint64_t *drawn)
{
    if (context->cells)
        return tn__cells_draw(context->cells, p, blocks, drawn);
    *drawn = move_on(p, blocks);
    return TN_OK;
}

/* A number that stands for the op and its types: what shares a stream in eager mode. */
static uint64_t kernel_number(const tn__kernel *kernel)
{
    tn_dtype dtype =
        (tn_dtype)(kernel->output[0] ? kernel->output[0]->dtype : kernel->input[0]->dtype);
    return (uint64_t)(uintptr_t)kernel->op * 32 + (uint64_t)dtype;
}

tn_status tn__random_take(tn__kernel *kernel, uint64_t blocks, tn__philox *philox)
{
    /* A node's attributes are its own; only the progress among them changes. */
    tn__random_attrs *attrs = (tn__random_attrs *)kernel->attrs;
    if (attrs->eager)
        return tn__random_state_take(&kernel->context->random, kernel_number(kernel), attrs->seed,
                                     attrs->seed2, blocks, philox);
    uint64_t drawn;
    TN_TRY(reserve(kernel->context, &attrs->at, blocks, &drawn));
    *philox = tn__philox_stateful(attrs->seed, attrs->seed2);
    tn__philox_skip(philox, drawn);
    return TN_OK;
}

static tn_status stateful_compute(tn__kernel *kernel)
{
    tn__philox philox;
    TN_TRY(make_shape(kernel, ((const tn__random_attrs *)kernel->attrs)->dtype));
    TN_TRY(tn__random_take(kernel, tn__philox_blocks((uint64_t)tn__count(kernel->output[0])),
                           &philox));
    draw(kernel->op->family, philox, kernel->output[0]);
    return TN_OK;
}

#define STATEFUL(name_, distribution_)               \
    const tn__op tn__op_##name_ = {                  \
        .name = #name_,                              \
        .inputs = "shape: T",                        \
        .outputs = "output: dtype",                  \
        .types = "dtype: floating; T: int32, int64", \
        .attrs = random_fields,                      \
        .attrs_size = sizeof(tn__random_attrs),      \
        .infer = shape_infer,                        \
        .compute = stateful_compute,                 \
        .no_gradient = "none: random",               \
        .flags = TN__STATEFUL | TN__HALF,            \
        .family = &distribution_,                    \
    };
STATEFUL(RandomUniform, uniform)
STATEFUL(RandomStandardNormal, normal)
STATEFUL(TruncatedNormal, truncated_normal)

static tn_status whole_infer(tn__infer *infer)
{
    for (size_t i = infer->input_count - 2; i < infer->input_count; i++)
        TN_TRY(tn__infer_rank(infer, i, 0, 0));
    return shape_infer(infer);
}

static tn_status uniform_int_compute(tn__kernel *kernel)
{
    tn__philox philox;
    TN_TRY(make_shape(kernel, (tn_dtype)kernel->input[1]->dtype));
    TN_TRY(tn__random_take(kernel, tn__philox_blocks((uint64_t)tn__count(kernel->output[0])),
                           &philox));
    return draw_whole(philox, kernel->input[1], kernel->input[2], kernel->output[0]);
}

const tn__op tn__op_RandomUniformInt = {
    .name = "RandomUniformInt",
    .inputs = "shape: T, minval: Tout, maxval: Tout",
    .outputs = "output: Tout",
    .types = "Tout: int32, int64; T: int32, int64",
    .attrs = tn__seed_fields,
    .attrs_size = sizeof(tn__random_attrs),
    .infer = whole_infer,
    .compute = uniform_int_compute,
    .no_gradient = "none: random",
    .flags = TN__STATEFUL,
};

/* Row i of y is row order[i] of x. */
static void reorder_rows(const tn_tensor *x, const int64_t *order, int64_t rows, tn_tensor *y)
{
    size_t bytes = rows ? tn__byte_count(x) / (size_t)rows : 0;
    for (int64_t i = 0; i < rows && bytes; i++)
        memcpy((char *)y->data + (size_t)i * bytes,
               (const char *)x->data + (size_t)order[i] * bytes, bytes);
}

/* In the order that `philox` says. */
static tn_status shuffle_rows(const tn_tensor *x, tn__philox philox, tn_tensor *y)
{
    size_t rows = (size_t)x->shape.dims[0];
    int64_t *order = tn__alloc(rows * sizeof *order);
    if (!order)
        return TN_RESOURCE_EXHAUSTED;
    tn__random_shuffle_order(philox, order, rows);
    reorder_rows(x, order, (int64_t)rows, y);
    tn__free(order);
    return TN_OK;
}

static bool stays_as_it_is(const tn_tensor *x, tn_tensor *y)
{
    if (x->shape.rank > 0 && x->shape.dims[0] > 1)
        return false;
    if (tn__byte_count(x))
        memcpy(y->data, x->data, tn__byte_count(x));
    return true;
}

static tn_status shuffle_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    tn__philox philox;
    if (stays_as_it_is(x, kernel->output[0]))
        return TN_OK;
    TN_TRY(tn__random_take(kernel, tn__philox_shuffle_blocks((uint64_t)x->shape.dims[0]), &philox));
    return shuffle_rows(x, philox, kernel->output[0]);
}

const tn__op tn__op_RandomShuffle = {
    .name = "RandomShuffle",
    .inputs = "value: T",
    .outputs = "output: T",
    .types = "T: any",
    .attrs = tn__seed_fields,
    .attrs_size = sizeof(tn__random_attrs),
    .infer = tn__infer_same,
    .compute = shuffle_compute,
    .no_gradient = "not differentiable: as in TensorFlow",
    .flags = TN__STATEFUL | TN__HALF,
};

/* --- stateless ops ---------------------------------------------------------------------------- */
static tn_status key_counter_infer(tn__infer *infer)
{
    const tn_shape *seed = &infer->input[0]->shape;
    if (seed->known && (seed->rank != 1 || (seed->dims[0] >= 0 && seed->dims[0] != 2)))
        return tn__fail(TN_INVALID_ARGUMENT, "seed must have shape [2], not %s",
                        TN__BRACKETS(*seed));
    infer->output[0].shape = tn__shape_vector(1);
    infer->output[1].shape = tn__shape_vector(2);
    return TN_OK;
}

static tn_status key_counter_compute(tn__kernel *kernel)
{
    const tn_tensor *seed = kernel->input[0];
    if (tn__count(seed) != 2)
        return tn__fail(TN_INVALID_ARGUMENT, "seed must have shape [2], not %s",
                        TN__BRACKETS(seed->shape));
    tn__philox philox = tn__philox_stateless(tn__int_at(seed, 0), tn__int_at(seed, 1));
    uint64_t *counter = kernel->output[1]->data;
    *(uint64_t *)kernel->output[0]->data = philox.key;
    counter[0] = philox.counter[0];
    counter[1] = philox.counter[1];
    return TN_OK;
}

const tn__op tn__op_StatelessRandomGetKeyCounter = {
    .name = "StatelessRandomGetKeyCounter",
    .inputs = "seed: Tseed",
    .outputs = "key: uint64, counter: uint64",
    .types = "Tseed: int32, int64",
    .infer = key_counter_infer,
    .compute = key_counter_compute,
    .no_gradient = "none: integers",
};

static tn_status get_alg_compute(tn__kernel *kernel)
{
    *(int32_t *)kernel->output[0]->data = TN__PHILOX;
    return TN_OK;
}

const tn__op tn__op_StatelessRandomGetAlg = {
    .name = "StatelessRandomGetAlg",
    .outputs = "alg: int32",
    .infer = tn__infer_scalar,
    .compute = get_alg_compute,
    .no_gradient = "none: integers",
};

typedef struct {
    tn_dtype dtype;
} dtype_attrs;
static const tn_field dtype_fields[] = {
    TN__ROW(TN_FIELD_DTYPE, dtype_attrs, dtype, "float32", NULL),
    TN__END_OF_FIELDS,
};
static const tn_field whole_dtype_fields[] = {
    TN__ROW(TN_FIELD_DTYPE, dtype_attrs, dtype, NULL, NULL),
    TN__END_OF_FIELDS,
};

/* From inputs 1 to 3: key, counter, alg. */
tn_status tn__random_philox(const tn__kernel *kernel, tn__philox *philox)
{
    const tn_tensor *key = kernel->input[1], *counter = kernel->input[2];
    int64_t alg = tn__int_at(kernel->input[3], 0);
    if (alg != TN__PHILOX && alg != TN__AUTO_SELECT)
        return tn__fail(TN_UNIMPLEMENTED,
                        "Unsupported algorithm id: %lld\n%s: 1 (Philox) and 3 (chosen "
                        "by the device, which is Philox) are there",
                        (long long)alg, kernel->op->name);
    if (tn__count(key) != 1)
        return tn__fail(TN_INVALID_ARGUMENT, "key must have shape [1], not %s",
                        TN__BRACKETS(key->shape));
    if (counter->shape.rank != 1 || tn__count(counter) < 2)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "counter must be a vector with length at least 2, not %s",
                        TN__BRACKETS(counter->shape));
    *philox =
        (tn__philox){ (uint64_t)tn__int_at(key, 0),
                      { (uint64_t)tn__int_at(counter, 0), (uint64_t)tn__int_at(counter, 1) } };
    return TN_OK;
}

static tn_status stateless_infer(tn__infer *infer)
{
    TN_TRY(tn__infer_rank(infer, 3, 0, 0));
    return shape_infer(infer);
}

static tn_status stateless_compute(tn__kernel *kernel)
{
    tn__philox philox;
    TN_TRY(tn__random_philox(kernel, &philox));
    TN_TRY(make_shape(kernel, ((const dtype_attrs *)kernel->attrs)->dtype));
    draw(kernel->op->family, philox, kernel->output[0]);
    return TN_OK;
}

#define STATELESS_INPUTS "shape: Tshape, key: uint64, counter: uint64, alg: int32"
#define STATELESS(name_, distribution_)                   \
    const tn__op tn__op_##name_ = {                       \
        .name = #name_,                                   \
        .inputs = STATELESS_INPUTS,                       \
        .outputs = "output: dtype",                       \
        .types = "dtype: floating; Tshape: int32, int64", \
        .attrs = dtype_fields,                            \
        .attrs_size = sizeof(dtype_attrs),                \
        .infer = stateless_infer,                         \
        .compute = stateless_compute,                     \
        .no_gradient = "none: random",                    \
        .flags = TN__HALF,                                \
        .family = &distribution_,                         \
    };
STATELESS(StatelessRandomUniformV2, uniform)
STATELESS(StatelessRandomNormalV2, normal)
STATELESS(StatelessTruncatedNormalV2, truncated_normal)

static tn_status stateless_int_compute(tn__kernel *kernel)
{
    tn__philox philox;
    TN_TRY(tn__random_philox(kernel, &philox));
    TN_TRY(make_shape(kernel, (tn_dtype)kernel->input[4]->dtype));
    return draw_whole(philox, kernel->input[4], kernel->input[5], kernel->output[0]);
}

static tn_status stateless_int_infer(tn__infer *infer)
{
    TN_TRY(tn__infer_rank(infer, 3, 0, 0));
    return whole_infer(infer);
}

const tn__op tn__op_StatelessRandomUniformIntV2 = {
    .name = "StatelessRandomUniformIntV2",
    .inputs = STATELESS_INPUTS ", minval: dtype, maxval: dtype",
    .outputs = "output: dtype",
    .types = "dtype: int32, int64; Tshape: int32, int64",
    .infer = stateless_int_infer,
    .compute = stateless_int_compute,
    .no_gradient = "none: random",
    .flags = TN__HALF,
};

static tn_status stateless_full_int_compute(tn__kernel *kernel)
{
    tn__philox philox;
    tn_dtype dtype = ((const dtype_attrs *)kernel->attrs)->dtype;
    TN_TRY(tn__random_philox(kernel, &philox));
    TN_TRY(make_shape(kernel, dtype));
    size_t count = (size_t)tn__count(kernel->output[0]);
    if (tn__dtype_size(dtype) == 8)
        tn__random_bits64(philox, kernel->output[0]->data, count);
    else
        tn__random_bits32(philox, kernel->output[0]->data, count);
    return TN_OK;
}

const tn__op tn__op_StatelessRandomUniformFullIntV2 = {
    .name = "StatelessRandomUniformFullIntV2",
    .inputs = STATELESS_INPUTS,
    .outputs = "output: dtype",
    .types = "dtype: int32, int64, uint32, uint64; Tshape: int32, int64",
    .attrs = whole_dtype_fields,
    .attrs_size = sizeof(dtype_attrs),
    .infer = stateless_infer,
    .compute = stateless_full_int_compute,
    .no_gradient = "none: random",
    .flags = TN__HALF,
};

static tn_status stateless_shuffle_compute(tn__kernel *kernel)
{
    tn__philox philox;
    TN_TRY(tn__random_philox(kernel, &philox));
    if (stays_as_it_is(kernel->input[0], kernel->output[0]))
        return TN_OK;
    return shuffle_rows(kernel->input[0], philox, kernel->output[0]);
}

const tn__op tn__op_StatelessShuffle = {
    .name = "StatelessShuffle",
    .inputs = "value: T, key: uint64, counter: uint64, alg: int32",
    .outputs = "output: T",
    .types = "T: any",
    .infer = tn__infer_same,
    .compute = stateless_shuffle_compute,
    .no_gradient = "not differentiable: as in TensorFlow",
    .flags = TN__HALF,
};
