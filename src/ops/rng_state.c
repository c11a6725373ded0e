/* rng_state.c - the state of a tf.random.Generator: a variable that holds where in its stream it
 * is, counter and key of Philox as three int64; each drawing moves it on. */
#include "ops/random.h"
#include "ops/array.h"
#include <string.h>

/* --- RngReadAndSkip, RngSkip ------------------------------------------------------------------ */
tn_status tn__check_rng_state(const tn_tensor *state)
{
    if (state->dtype != TN_INT64)
        return tn__fail(TN_INVALID_ARGUMENT, "dtype of RNG state variable must be int64, not %s",
                        tn__dtype_name((tn_dtype)state->dtype));
    if (state->shape.known && state->shape.rank != 1)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "RNG state must have one and only one dimension, not %d",
                        state->shape.rank);
    if (tn__shape_full(&state->shape) && state->shape.dims[0] < TN__RNG_STATE)
        return tn__fail(TN_INVALID_ARGUMENT, "The size of the state must be at least %d; got %lld",
                        TN__RNG_STATE, (long long)state->shape.dims[0]);
    return TN_OK;
}

typedef struct {
    uint64_t blocks;
    int64_t before[TN__RNG_STATE];
} skip;

static tn_status skip_blocks(void *self, tn_tensor *old, tn_tensor *value)
{
    skip *s = self;
    TN_TRY(tn__check_rng_state(old));
    int64_t *state = value->data;
    if (value != old)
        memcpy(state, old->data, tn__byte_count(old));
    memcpy(s->before, state, sizeof s->before);
    tn__philox philox = { 0, { (uint64_t)state[0], (uint64_t)state[1] } };
    tn__philox_skip(&philox, s->blocks);
    state[0] = (int64_t)philox.counter[0];
    state[1] = (int64_t)philox.counter[1];
    return TN_OK;
}

static tn_status check_algorithm(const tn_tensor *alg)
{
    int64_t number = tn__int_at(alg, 0);
    if (number == TN__PHILOX)
        return TN_OK;
    return tn__fail(TN_UNIMPLEMENTED, "Unsupported algorithm id: %lld\n1, Philox, is there",
                    (long long)number);
}

/* As many blocks as `delta` values of a random op reserve. */
static tn_status move(tn__kernel *kernel, skip *s)
{
    TN_TRY(check_algorithm(kernel->input[1]));
    s->blocks = tn__philox_blocks((uint64_t)tn__int_at(kernel->input[2], 0));
    return tn__variable_change(kernel->input[0], skip_blocks, s);
}

static tn_status read_and_skip_compute(tn__kernel *kernel)
{
    skip s;
    TN_TRY(move(kernel, &s));
    memcpy(kernel->output[0]->data, s.before, sizeof s.before);
    return TN_OK;
}

static tn_status read_and_skip_infer(tn__infer *infer)
{
    TN_TRY(tn__infer_rank(infer, 1, 0, 0));
    TN_TRY(tn__infer_rank(infer, 2, 0, 0));
    infer->output[0].shape = tn__shape_vector(TN__RNG_STATE);
    return TN_OK;
}

const tn__op tn__op_RngReadAndSkip = {
    .name = "RngReadAndSkip",
    .inputs = "resource: resource, alg: int32, delta: uint64",
    .outputs = "value: int64",
    .infer = read_and_skip_infer,
    .compute = read_and_skip_compute,
    .no_gradient = "none: random",
    .flags = TN__STATEFUL | TN__HALF,
};

static tn_status rng_skip_compute(tn__kernel *kernel)
{
    skip s;
    return move(kernel, &s);
}

const tn__op tn__op_RngSkip = {
    .name = "RngSkip",
    .inputs = "resource: resource, algorithm: int64, delta: int64",
    .outputs = "",
    .compute = rng_skip_compute,
    .no_gradient = "none: it has no outputs",
    .flags = TN__STATEFUL,
};
