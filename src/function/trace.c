/* trace.c - running a body on symbolic tensors, and which variables it may make there. */
#include "function/function.h"
#include "ops/ops.h"
#include <string.h>

void tn__concrete_free(tn__concrete *c)
{
    if (!c)
        return;
    tn__key_free(&c->key);
    for (size_t i = 0; c->output && i < c->outputs + 3 * c->sliced; i++)
        tn__release(c->output[i]);
    tn__free(c->output);
    tn__release(c->structure);
    tn__release(c->graph);
    tn__touched_free(&c->touched);
    tn__free(c);
}

/* --- variables that a trace makes
 * ------------------------------------------------------------------------------------------ */
/* A trace on its way. */
typedef struct {
    tn__call_frame frame;
    bool may_make;  /* it is the function's first, or what the library makes itself */
    size_t made;    /* variables so far */
    bool made_late; /* one of them by a layer's call, which may make another at its next one */
} tracing;

/* The variable of the first trace that has this name. */
static const tn_tensor *namesake(const tn_function *f, const char *name)
{
    for (size_t i = 0; i < f->first.count; i++)
        if (strcmp(tn__variable_full_name(f->first.item[i]), name) == 0)
            return f->first.item[i];
    return NULL;
}

static tn_status refuse(const tn_function *f, const tn_tensor *variable)
{
    const char *name = tn__variable_full_name(variable);
    const tn_tensor *first = namesake(f, name);
    const char *before = first ? tn__scope_print("\nthe first trace made '%s' at %s", name,
                                                 tn__line(first->of.variable->here))
                               : "";
    return tn__fail(
        TN_VARIABLE_CREATION,
        "%s\nvariable '%s', made at %s, in trace %zu of %s%s\n"
        "make it outside of the function, or in its first call whatever the inputs are, and keep "
        "it in a place of its own: if (!self->v) self->v = tn_variable(...)",
        f->first.count
            ? "tf.function only supports singleton tf.Variables created on the first call. Make "
              "sure the tf.Variable is "
              "only created once or created outside tf.function. See "
              "https://www.tensorflow.org/guide/function#creating_tfvariables for more information."
            : "Creating variables on a non-first call to a function decorated with tf.function.",
        name, tn__line(variable->of.variable->here), f->traces + 1, f->name, before ? before : "");
}

static bool in_layers_call(const tn_context *context)
{
    const tn__call_frame *frame = context->frame;
    while (!frame->layer && !frame->admit)
        frame = frame->outer;
    return frame->layer && frame->phase == TN__IN_CALL;
}

static tn_status admit(tn__call_frame *frame, tn_tensor *variable)
{
    tracing *t = (tracing *)frame;
    tn_function *f = frame->function;
    if (!t->may_make)
        return refuse(f, variable);
    t->made++;
    t->made_late |= in_layers_call(tn__context());
    TN_TRY(TN__PUSH(&f->first, variable));
    tn__retain(variable);
    return TN_OK;
}

static tn_status adopt_into_function(tn__call_frame *frame, void *made)
{
    TN_TRY(TN__PUSH(&frame->function->made, made));
    tn__retain(made);
    return TN_OK;
}

/* --- the body
 * --------------------------------------------------------------------------------------------------------------
 */
/* Numbers given as tn_scalar, and variables, go in as they are; for every other leaf a placeholder.
 */
static tn_status make_placeholders(tn_context *context, tn__concrete *c, tn_tensor *const *leaves,
                                   tn_tensor **stands)
{
    for (size_t i = 0; i < c->key.count; i++) {
        if (c->key.spec[i].is_static || c->key.spec[i].form == TN__VARIABLE)
            stands[i] = tn__retain(leaves[i]);
        else
            TN_TRY(tn__graph_input(context, c->graph, c->key.spec[i].dtype, &c->key.spec[i].shape,
                                   NULL, &stands[i]));
    }
    return TN_OK;
}

static tn_status run_traced_body(tn_context *context, struct tn_function *f, tn__concrete *c,
                                 tn_list inputs, tn_tensor *const *stands, tn_tensor **result)
{
    size_t depth = tn__scope_begin(context->here);
    tn_tensor **items = tn__scope_alloc((inputs.count + 1) * sizeof *items);
    tn_status status = items ? TN_OK : TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < inputs.count && status == TN_OK; i++) {
        items[i] = tn__own(tn__rebuild(inputs.item[i], &stands));
        status = context->error.status;
    }
    if (status == TN_OK)
        status = tn__run_body(context, f->body, f->self, (tn_list){ inputs.count, items },
                              c->key.training, f->name, result);
    tn__scope_end(depth);
    return status;
}

static tn_status take_output(tn_context *context, tn_graph *graph, tn_tensor *x, tn_tensor **output)
{
    tn_tensor *plain;
    TN_TRY(tn__plain(context, x, &plain));
    tn_status status = tn__graph_capture(context, graph, plain, output);
    tn__release(plain);
    return status;
}

tn_status tn__trace_outputs(tn_context *context, tn_graph *graph, tn_tensor *result,
                            tn_tensor ***output, size_t *outputs)
{
    *outputs = tn__flat_count(result);
    *output = tn__alloc_zeroed(*outputs + 1, sizeof **output);
    tn_tensor **leaves = tn__alloc((*outputs + 1) * sizeof *leaves);
    tn_status status = *output && leaves ? TN_OK : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK)
        tn__flatten(result, leaves);
    for (size_t i = 0; i < *outputs && status == TN_OK; i++)
        status = take_output(context, graph, leaves[i], &(*output)[i]);
    tn__free(leaves);
    return status;
}

/* The slices that gradients among the outputs remember go out behind them. */
static tn_status add_slices(tn_context *context, tn__concrete *c)
{
    size_t sliced = 0, next = c->outputs;
    for (size_t i = 0; i < c->outputs; i++)
        sliced += c->output[i]->slices != NULL;
    if (sliced == 0)
        return TN_OK;
    tn_tensor **all = tn__alloc_zeroed(c->outputs + 3 * sliced, sizeof *all);
    if (!all)
        return TN_RESOURCE_EXHAUSTED;
    memcpy(all, c->output, c->outputs * sizeof *all);
    tn__free(c->output);
    c->output = all;
    c->sliced = sliced;
    for (size_t i = 0; i < c->outputs; i++)
        for (size_t k = 0; c->output[i]->slices && k < 3; k++)
            TN_TRY(take_output(context, c->graph, c->output[i]->slices->of.tuple.item[k], &all[next++]));
    return TN_OK;
}

static tn_status trace_into(tn_context *context, struct tn_function *f, tn__concrete *c,
                            tn_list inputs, tn_tensor *const *leaves, tn_tensor **stands)
{
    TN_TRY(make_placeholders(context, c, leaves, stands));
    TN_TRY(run_traced_body(context, f, c, inputs, stands, &c->structure));
    TN_TRY(tn__trace_outputs(context, c->graph, c->structure, &c->output, &c->outputs));
    return add_slices(context, c);
}

/* The graph is open, and variables belong to the function, while its body runs. */
static tn_status run(tn_context *context, tracing *t, tn__concrete *c, tn_list inputs,
                     tn_tensor *const *leaves)
{
    tn_tensor **stands = tn__alloc_zeroed(c->key.count + 1, sizeof *stands);
    if (!stands)
        return TN_RESOURCE_EXHAUSTED;
    tn_graph *outer = context->graph;
    tn__touched *round = context->touched;
    c->graph->outer = outer;
    context->graph = c->graph;
    context->touched = &c->touched;
    t->frame.given.stand = stands;
    t->frame.given.leaf = leaves;
    t->frame.given.count = c->key.count;
    tn__frame_push(context, &t->frame);
    tn_status status = trace_into(context, t->frame.function, c, inputs, leaves, stands);
    tn__frame_pop(context, &t->frame);
    context->touched = round;
    context->graph = outer;
    c->graph->outer = NULL;
    for (size_t i = 0; i < c->key.count; i++)
        tn__release(stands[i]);
    tn__free(stands);
    return status;
}

/* --- traces
 * ----------------------------------------------------------------------------------------------------------------
 */
void tn__function_used(tn_function *f, tn__concrete *concrete, tn__touched *touched)
{
    tn__touched old = { NULL };
    if (!touched && atomic_load_explicit(&f->state->used, memory_order_relaxed) == concrete)
        return;
    pthread_mutex_lock(&f->state->lock);
    if (touched) {
        old = f->state->latest;
        f->state->latest = *touched;
        *touched = (tn__touched){ NULL };
    }
    f->state->used = concrete;
    pthread_mutex_unlock(&f->state->lock);
    tn__touched_free(&old);
}

/* A failed call has used what it came to. */
static void keep_failed(tn_context *context, tn_function *f, tn__concrete *c)
{
    if (context->touched)
        (void)!tn__touched_merge(context->touched, &c->touched);
    if (!tn__function_runs(context, f))
        tn__function_used(f, NULL, &c->touched);
}

static tn_status copy_key(const tn__key *key, tn__key *copy)
{
    *copy = (tn__key){ .count = key->count, .training = key->training };
    copy->spec = tn__memdup(key->spec, key->count * sizeof *key->spec);
    if (key->nesting)
        copy->nesting = tn__strdup(key->nesting);
    return copy->spec && !copy->nesting == !key->nesting ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status trace(tn_context *context, tracing *t, const tn__key *key, tn_list inputs,
                       tn_tensor *const *leaves, tn__concrete **out)
{
    tn_function *f = t->frame.function;
    tn__concrete *c = tn__alloc_zeroed(1, sizeof *c);
    if (!c)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = copy_key(key, &c->key);
    if (status == TN_OK && !(c->graph = tn__graph_new()))
        status = TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK)
        status = run(context, t, c, inputs, leaves);
    if (status == TN_OK) {
        f->traces++;
        *out = c;
        return TN_OK;
    }
    tn__fail_note("while tracing %s", f->name);
    keep_failed(context, f, c);
    tn__concrete_free(c);
    return status;
}

static tracing trace_of(tn_function *f, bool may_make)
{
    return (tracing){ .frame = { .function = f, .adopt = adopt_into_function, .admit = admit },
                      .may_make = may_make };
}

static void forget_first(tn_function *f)
{
    while (f->first.count)
        tn__release(f->first.item[--f->first.count]);
}

/* The first trace may make variables. Made once, they are not made again: a second trace, which is
 * kept instead, must do without. A first one that failed leaves what it made with the function,
 * whose self may point to it, and may be tried again. */
static tn_status trace_first(tn_context *context, tn_function *f, const tn__key *key,
                             tn_list inputs, tn_tensor *const *leaves, tn__concrete **out)
{
    tracing t = trace_of(f, true), again = trace_of(f, false);
    forget_first(f);
    TN_TRY(trace(context, &t, key, inputs, leaves, out));
    if (t.made && (!f->library || t.made_late)) {
        tn__concrete_free(*out);
        *out = NULL;
        tn_status status = trace(context, &again, key, inputs, leaves, out);
        if (status != TN_OK) {
            f->traces--;
            return status;
        }
    }
    f->began = true;
    return TN_OK;
}

static tn_status make_concrete(tn_context *context, tn_function *f, tn__key *key, tn_list inputs,
                               tn_tensor *const *leaves, tn__concrete **out)
{
    tracing later = trace_of(f, f->library);
    if (f->reduce_retracing)
        tn__key_generalise(f, key);
    TN_TRY(f->began ? trace(context, &later, key, inputs, leaves, out)
                    : trace_first(context, f, key, inputs, leaves, out));
    pthread_mutex_lock(&f->state->lock);
    tn_status status = TN__PUSH(&f->concrete, *out);
    pthread_mutex_unlock(&f->state->lock);
    if (status != TN_OK) {
        tn__concrete_free(*out);
        *out = NULL;
    }
    return status;
}

tn_status tn__concrete_for(tn_context *context, tn_function *f, tn__key *key, tn_list inputs,
                           tn_tensor *const *leaves, tn__concrete **out)
{
    tn_status status = TN_OK;
    *out = tn__concrete_find(f, key);
    if (*out)
        return TN_OK;
    tn__making_begin(context);
    if (!(*out = tn__concrete_find(f, key))) /* another thread may have been tracing it */
        status = make_concrete(context, f, key, inputs, leaves, out);
    tn__making_end(context);
    return status;
}
