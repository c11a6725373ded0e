/* run.c - a program's runs, each in a workspace that no other run uses meanwhile. */
#include "plan/compile.h"
#include "ops/chain.h"
#include "ops/conv.h"
#include "ops/matmul.h"
#include "ops/ops.h"
#include "ops/pool.h"
#include "runtime/dispatch.h"
#include "base/clock.h"
#include "base/subnormal.h"
#include <string.h>

/* Handles of what is placed are made once and stay; the workspace has one count, `value` another. */
struct tn__workspace {
    tn__workspace *next;
    char *arena;
    tn_tensor **own;   /* by slot: over the arena; NULL: not placed */
    tn_tensor **value; /* by slot; between runs: own and constants only */
    tn_tensor **input; /* as many as any step takes, for the length of it */
};

/* --- workspaces --------------------------------------------------------------------------------------------------------- */
static void workspace_free(tn__workspace *w, size_t slots)
{
    for (size_t i = 0; i < slots; i++) {
        tn__release(w->value ? w->value[i] : NULL);
        tn__release(w->own ? w->own[i] : NULL);
    }
    tn__free(w->value);
    tn__free(w->own);
    tn__free(w->input);
    tn__free_aligned(w->arena);
    tn__free(w);
}

void tn__workspaces_free(tn__program *p)
{
    while (p->idle) {
        tn__workspace *next = p->idle->next;
        workspace_free(p->idle, p->slots);
        p->idle = next;
    }
}

static size_t most_inputs(const tn__program *p)
{
    size_t most = 1;
    for (size_t i = 0; i < p->step.count; i++)
        if (tn__step_inputs(&p->step.item[i]) > most)
            most = tn__step_inputs(&p->step.item[i]);
    return most;
}

static tn_status fill(tn__workspace *w, const tn__program *p)
{
    w->own = tn__alloc_zeroed(p->slots, sizeof *w->own);
    w->value = tn__alloc_zeroed(p->slots, sizeof *w->value);
    w->arena = p->arena ? tn__alloc_aligned(p->arena) : NULL;
    w->input = tn__alloc(most_inputs(p) * sizeof *w->input);
    if (!w->own || !w->value || !w->input || (p->arena && !w->arena))
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < p->slots; i++) {
        const tn__place *place = &p->place[i];
        if (place->placed) {
            TN_TRY(tn__tensor_placed(place->dtype, &place->shape, w->arena + place->offset, &w->own[i]));
            w->value[i] = tn__retain(w->own[i]);
        } else {
            w->value[i] = tn__retain(p->constant[i]);
        }
    }
    return TN_OK;
}

static tn_status workspace_take(tn__program *p, tn__workspace **out)
{
    pthread_mutex_lock(&p->lock);
    tn__workspace *w = *out = p->idle;
    if (w)
        p->idle = w->next;
    pthread_mutex_unlock(&p->lock);
    if (w)
        return TN_OK;
    w = tn__alloc_zeroed(1, sizeof *w);
    tn_status status = w ? fill(w, p) : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK)
        *out = w;
    else if (w)
        workspace_free(w, p->slots);
    return status;
}

/* Without what the run has left: feeds, which were the caller's, fetches, and where it failed. */
static void workspace_give_back(tn__program *p, tn__workspace *w)
{
    for (size_t i = 0; i < p->feeds; i++)
        w->value[i] = NULL;
    for (size_t i = p->feeds; i < p->slots; i++)
        if (!p->constant[i] && w->value[i] != w->own[i]) {
            tn__release(w->value[i]);
            w->value[i] = tn__retain(w->own[i]);
        }
    pthread_mutex_lock(&p->lock);
    w->next = p->idle;
    p->idle = w;
    pthread_mutex_unlock(&p->lock);
}

/* --- steps -------------------------------------------------------------------------------------------------------------- */
/* Later steps were compiled for these shapes. */
static tn_status check_outputs(const tn__infer *expected, tn_tensor *const *outputs)
{
    for (size_t i = 0; i < expected->output_count; i++)
        if (outputs[i] &&
            (!tn__shape_fits(&outputs[i]->shape, &expected->output[i].shape) || outputs[i]->dtype != expected->output[i].dtype))
            return tn__fail(TN_INVALID_ARGUMENT, "%s: output %zu is %s, but the graph says that it is %s %s", expected->op->name, i,
                            TN__TENSOR(outputs[i]), tn__dtype_name(expected->output[i].dtype), TN__SHAPE(expected->output[i].shape));
    return TN_OK;
}

static tn_status run_general(tn_context *context, const tn__step *s, tn__infer *infer, tn_tensor **outputs)
{
    tn_status status = s->settled || s->lean
                           ? tn__compute_known(context, infer, outputs)
                           : tn__compute(context, infer->op, infer->attrs, infer->input, infer->input_count, outputs, infer->output_count);
    return status == TN_OK ? check_outputs(infer, outputs) : status;
}

/* A kernel that made an output anew, though there was one: its elements belong where the place is. */
static void put_in_place(tn_tensor *own, tn_tensor **output)
{
    if (tn__byte_count(own))
        memcpy(own->data, (*output)->data, tn__byte_count(own));
    tn__assign_object(output, own);
}

static tn_status run_direct(tn_context *context, const tn__infer *infer, tn_tensor *const *own, tn_tensor **outputs)
{
    for (size_t i = 0; i < infer->output_count; i++)
        if (!own[i] && tn__dtype_size(infer->output[i].dtype))
            TN_TRY(tn__tensor_new(infer->output[i].dtype, &infer->output[i].shape, &outputs[i]));
    tn__kernel kernel = { context, infer->op, infer->attrs, infer->input, infer->input_count, infer->output_count, outputs, false };
    tn_status status = infer->op->compute(&kernel);
    if (status == TN_OK)
        status = check_outputs(infer, outputs);
    for (size_t i = 0; i < infer->output_count && status == TN_OK; i++)
        if (own[i] && outputs[i] != own[i])
            put_in_place(own[i], &outputs[i]);
    return status;
}

/* What a fused step writes to: its place, or a tensor of this run's own. */
static tn_status output_of(const tn__program *p, const tn__fused *fused, size_t i, tn__workspace *w, tn_tensor **output)
{
    size_t slot = fused->output[i];
    if (!p->place[slot].placed)
        TN_TRY(tn__tensor_new(TN_FLOAT32, tn__fused_shape(fused, i), &w->value[slot]));
    *output = w->value[slot];
    return TN_OK;
}

static tn_status run_chain(tn_context *context, const tn__program *p, const tn__step *s, tn__workspace *w)
{
    const tn__fused *fused = s->fused;
    tn__chain chain = fused->chain;
    for (int i = 0; i < chain.inputs; i++)
        chain.in[i].data = w->value[p->operand.item[s->first_input + (size_t)i]]->data;
    tn_tensor *output = NULL;
    for (size_t i = 0; i < fused->outputs; i++) {
        TN_TRY(output_of(p, fused, i, w, &output));
        if (!tn__gives_sums(fused, i))
            chain.step[fused->giver[i]].out = output->data;
    }
    if (fused->sum.kind != TN__SUM_NOTHING)
        return tn__chain_run_and_sum(context, &chain, &fused->sum, output->data);
    return tn__chain_run(context, &chain, tn__shape_count(&fused->shape));
}

/* Room for what a gradient of images sums besides, or NULL. */
static double *sums_of(const tn__chain_sum *sum, double room[TN__SUM_COLUMNS_MOST])
{
    if (sum->kind == TN__SUM_NOTHING)
        return NULL;
    memset(room, 0, (size_t)sum->columns * sizeof *room);
    return room;
}

static tn_status store_sums(const tn__program *p, const tn__fused *fused, const double *sums, tn__workspace *w)
{
    tn_tensor *output;
    TN_TRY(output_of(p, fused, 1, w, &output));
    for (int64_t i = 0; i < fused->sum.columns; i++)
        ((float *)output->data)[i] = tn__chain_sum_value(&fused->sum, sums[i]);
    return TN_OK;
}

static tn_status run_product(tn_context *context, const tn__program *p, const tn__step *s, tn__workspace *w)
{
    const tn__node *node = s->node;
    const tn__after *after = &s->fused->after;
    const tn_tensor *input[TN__EPILOGUE_INPUTS];
    for (size_t i = 0; i < tn__step_inputs(s); i++)
        input[i] = w->value[p->operand.item[s->first_input + i]];
    tn__epilogue epilogue = { after->bias ? input[after->bias]->data : NULL, after->beside ? input[after->beside]->data : NULL,
                              after->relu, after->mask ? input[after->mask]->data : NULL };
    tn_tensor *output;
    TN_TRY(output_of(p, s->fused, 0, w, &output));
    if (node->op == &tn__op_MatMul)
        return tn__matmul_with_epilogue(context, node->attrs, input[0], input[1], output, epilogue);
    double room[TN__SUM_COLUMNS_MOST], *sums = sums_of(&s->fused->sum, room);
    TN_TRY(node->op == &tn__op_MaxPoolGrad
               ? tn__pool_masked(node->op, node->attrs, input, output, sums)
               : tn__conv_with_epilogue(context, node->op, node->attrs, input, output, epilogue, sums));
    return sums ? store_sums(p, s->fused, sums, w) : TN_OK;
}

/* Its shape is full, so it has that at any time. A tape knows tensors by their ids: for one, the op makes a tensor of each reading. */
static tn_status run_read(const tn__program *p, const tn__step *s, tn__workspace *w)
{
    return tn__variable_read(w->value[p->operand.item[s->first_input]], &w->value[s->first_output]);
}

static tn_status run_step(tn_context *context, const tn__program *p, const tn__step *s, tn__workspace *w)
{
    const tn__node *node = s->node;
    tn_tensor **inputs = w->input;
    if (s->fused)
        return (s->way == TN__PRODUCT ? run_product : run_chain)(context, p, s, w);
    if (s->way == TN__READ && !context->tapes)
        return run_read(p, s, w);
    for (size_t i = 0; i < node->input_count; i++)
        inputs[i] = w->value[p->operand.item[s->first_input + i]];
    tn__infer infer = { node->op, node->attrs, inputs, node->input_count, node->output_count, s->output, s->lean };
    tn_status status = s->way == TN__DIRECT ? run_direct(context, &infer, &w->own[s->first_output], &w->value[s->first_output])
                                            : run_general(context, s, &infer, &w->value[s->first_output]);
    if (status != TN_OK && node->here)
        tn__fail_note("%s was made at %s", node->op->name, node->here);
    return status;
}

static tn_status run_timed(tn_context *context, tn__program *p, size_t number, tn__workspace *w)
{
    double begin = tn__seconds();
    tn_status status = run_step(context, p, &p->step.item[number], w);
    double taken = tn__seconds() - begin;
    pthread_mutex_lock(&p->lock);
    p->seconds[number] += taken;
    p->runs += number + 1 == p->step.count;
    pthread_mutex_unlock(&p->lock);
    return status;
}

static tn_status run(tn_context *context, tn__program *p, tn_tensor *const *feeds, tn__workspace *w, tn_tensor **results)
{
    for (size_t i = 0; i < p->feeds; i++)
        w->value[i] = feeds[i];
    for (size_t i = 0; i < p->step.count; i++) {
        const tn__step *s = &p->step.item[i];
        if (s->way == TN__NOTHING)
            continue;
        TN_TRY(p->seconds ? run_timed(context, p, i, w) : run_step(context, p, s, w));
        for (size_t d = 0; d < s->deaths; d++) {
            tn_tensor **dead = &w->value[p->death.item[s->dies + d]];
            tn__release(*dead);
            *dead = NULL;
        }
    }
    for (size_t i = 0; i < p->fetches; i++)
        results[i] = p->fetch_slot[i] == SIZE_MAX ? NULL : tn__retain(w->value[p->fetch_slot[i]]);
    return TN_OK;
}

tn_status tn__program_run(tn_context *context, tn__program *p, tn_tensor *const *feeds, tn_tensor **results)
{
    tn__workspace *w;
    TN_TRY(workspace_take(p, &w));
    tn__float_mode before = tn__flush_subnormals();
    tn_status status = run(context, p, feeds, w, results);
    tn__restore_float_mode(before);
    workspace_give_back(p, w);
    return status;
}
