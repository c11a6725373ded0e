/* function.c - function objects: a body traced once a signature to a graph, or run at every call. */
#include "function/function.h"
#include "core/hooks.h"
#include "ops/ops.h"
#include "plan/program.h"
#include <string.h>

static void release_all(tn_tensor **item, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tn__release(item[i]);
    tn__free(item);
}

static void state_free(tn__function_state *state)
{
    if (!state)
        return;
    pthread_mutex_destroy(&state->lock);
    tn__touched_free(&state->latest);
    tn__free(state);
}

static void function_destroy(void *object)
{
    struct tn_function *f = object;
    for (size_t i = 0; i < f->concrete.count; i++)
        tn__concrete_free(f->concrete.item[i]);
    tn__free(f->concrete.item);
    for (size_t i = 0; i < f->made.count; i++)
        tn__release(f->made.item[i]);
    tn__free(f->made.item);
    release_all(f->first.item, f->first.count);
    state_free(f->state);
    tn__release(f->parent);
    tn__free(f->name);
    tn__free(f->signature);
    tn__free(f->signature_nesting);
}

const tn__type tn__type_function = { .name = "function", .kind = 3, .destroy = function_destroy };

/* --- making ------------------------------------------------------------------------------------------------------------- */
static tn_status make_state(struct tn_function *f)
{
    f->state = tn__alloc_zeroed(1, sizeof *f->state);
    if (!f->state)
        return TN_RESOURCE_EXHAUSTED;
    pthread_mutex_init(&f->state->lock, NULL);
    return TN_OK;
}

tn_status tn__function_new(tn_body body, void *self, bool eager, const char *name, tn_function **out)
{
    *out = NULL;
    struct tn_function *f = tn__object_new(&tn__type_function);
    if (!f)
        return TN_RESOURCE_EXHAUSTED;
    f->body = body;
    f->self = self;
    f->eager = eager;
    f->name = tn__strdup(name);
    if (!f->name || make_state(f) != TN_OK) {
        tn__release(f);
        return TN_RESOURCE_EXHAUSTED;
    }
    *out = f;
    return TN_OK;
}

/* The first word of the macro's argument text: the body's name. */
static char *name_from(const char *text)
{
    size_t length = text ? strcspn(text, " ,") : 0;
    return length ? tn__strndup(text, length) : tn__strdup("function");
}

tn_function *tn_function_new(const tn_function_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    if (!options->body) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_function: body is NULL");
        return NULL;
    }
    char *name = options->name ? tn__strdup(options->name) : name_from(options->body_text_);
    tn_function *f = NULL;
    if (name && tn__function_new(options->body, options->self, options->eager, name, &f) == TN_OK) {
        f->reduce_retracing = options->reduce_retracing;
        if (options->input_signature.item && tn__signature_take(f, options->input_signature) != TN_OK) {
            tn__release(f);
            f = NULL;
        }
    }
    tn__free(name);
    return tn__own_made(context, f);
}

int tn_trace_count(tn_function *function)
{
    return tn__check(function, &tn__type_function, "tn_trace_count: function") ? (int)function->traces : 0;
}

/* --- calling a trace ------------------------------------------------------------------------------------------------------ */
/* Under a tape that sees something of this call, inside another trace or a functional model, the nodes run again one by one, so that tape and outer
 * graph have them; else the compiled graph runs. */
static bool must_replay(const tn_context *context, const tn__concrete *c, tn_tensor *const *leaves)
{
    if (context->graph)
        return true;
    for (size_t i = 0; i < c->key.count; i++)
        if (leaves[i]->form == TN__SYMBOLIC) /* of a functional model: its nodes become that model's */
            return true;
    if (!context->tapes || context->tape_pause)
        return false;
    for (size_t i = 0; i < c->key.count; i++)
        if (tn__hooks.watched(context, leaves[i]))
            return true;
    for (size_t i = 0; i < c->graph->node.count; i++) {
        const tn_tensor *captured = tn__node_capture(c->graph->node.item[i]);
        if (captured && tn__hooks.watched(context, captured))
            return true;
    }
    return false;
}

tn_status tn__plain(tn_context *context, tn_tensor *x, tn_tensor **plain)
{
    if (x->form == TN__VARIABLE)
        return tn__dispatch(context, &tn__op_ReadVariableOp, NULL, &x, 1, plain, 1);
    if (x->weak)
        return tn__tensor_copy((tn_dtype)x->dtype, &x->shape, x->data, plain);
    *plain = tn__retain(x);
    return TN_OK;
}

/* Room for so many tensors on the stack, or where they are more than a few on the heap; to be left again. */
enum { FEW = 8 };
static tn_tensor **room(tn_tensor **few, size_t count)
{
    return count <= FEW ? few : tn__alloc(count * sizeof *few);
}

static void leave(tn_tensor **few, tn_tensor **taken)
{
    if (taken != few)
        tn__free(taken);
}

/* What the input_signature takes as a tensor goes in as one. */
static tn_status take_feeds(tn_context *context, const tn__concrete *c, tn_tensor *const *leaves, tn_tensor **feeds, size_t *fed)
{
    for (size_t i = 0; i < c->key.count; i++)
        if (!c->key.spec[i].is_static && c->key.spec[i].form != TN__VARIABLE) {
            TN_TRY(tn__plain(context, leaves[i], &feeds[*fed]));
            ++*fed;
        }
    return TN_OK;
}

static tn_status run_concrete(tn_context *context, tn__concrete *c, tn_tensor *const *leaves, tn_tensor **results)
{
    size_t fed = 0;
    tn_tensor *few[FEW], **feeds = room(few, c->key.count);
    if (!feeds)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = take_feeds(context, c, leaves, feeds, &fed);
    if (status == TN_OK && must_replay(context, c, leaves))
        status = tn__graph_replay(context, c->graph->node.item, c->graph->node.count, c->graph->input.item, feeds, fed, true, c->output,
                                  results, c->outputs + 3 * c->sliced);
    else if (status == TN_OK)
        status = tn__graph_run(context, c->graph, c->graph->input.item, feeds, fed, c->output, c->outputs + 3 * c->sliced, true, results);
    for (size_t i = 0; i < fed; i++)
        tn__release(feeds[i]);
    leave(few, feeds);
    return status;
}

/* Gradients among the results, in handles of their own, remember their slices again. */
static tn_status attach_slices(const tn__concrete *c, tn_tensor **results)
{
    tn_tensor **slices = results + c->outputs;
    for (size_t i = 0; i < c->outputs && c->sliced; i++) {
        tn_tensor *alias;
        if (!c->output[i]->slices)
            continue;
        TN_TRY(tn__tensor_alias(results[i], &alias));
        tn__release(results[i]);
        results[i] = alias;
        if (!(alias->slices = tn__tuple_new(3, slices)))
            return TN_RESOURCE_EXHAUSTED;
        slices += 3;
    }
    return TN_OK;
}

static tn_status call_concrete(tn_context *context, tn__concrete *c, tn_tensor *const *leaves, tn_tensor **result)
{
    size_t count = c->outputs + 3 * c->sliced;
    tn_tensor *few[FEW], **results = room(few, count);
    if (!results)
        return TN_RESOURCE_EXHAUSTED;
    memset(results, 0, count * sizeof *results);
    tn_status status = run_concrete(context, c, leaves, results);
    if (status == TN_OK)
        status = attach_slices(c, results);
    tn_tensor *const *at = results;
    if (status == TN_OK && !(*result = tn__rebuild(c->structure, &at)))
        status = TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count; i++)
        tn__release(results[i]);
    leave(few, results);
    return status;
}

/* The inputs' tensors, flat: few, or allocated. */
static tn_status flatten(tn_list inputs, tn_tensor **few, tn_tensor ***leaves, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < inputs.count; i++)
        *count += tn__flat_count(inputs.item[i]);
    tn_tensor **at = *leaves = room(few, *count);
    for (size_t i = 0; at && i < inputs.count; i++)
        at = tn__flatten(inputs.item[i], at);
    return *leaves ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

/* The trace that serves these inputs: the only one of a concrete function. */
static tn_status choose(tn_context *context, tn_function *f, tn_list inputs, tn_tensor *const *leaves, size_t count, int training,
                        tn__concrete **c)
{
    tn__key key;
    size_t traces = f->traces;
    tn_status status = tn__key_make(f, inputs, leaves, count, training, &key);
    if (status == TN_OK && f->exact)
        status = tn__concrete_check(f, *c = f->exact, &key);
    if (status != TN_OK && !tn__function_runs(context, f))
        tn__function_used(f, NULL, &(tn__touched){ NULL });
    if (status == TN_OK && !f->exact) {
        status = tn__concrete_for(context, f, &key, inputs, leaves, c);
        tn__retracing_note(f, f->traces != traces);
    }
    tn__key_free(&key);
    return status;
}

static tn_status note_used(tn_context *context, tn_function *f, tn__concrete *c)
{
    if (c && !tn__function_runs(context, f))
        tn__function_used(f, c, NULL);
    return c && context->touched ? tn__touched_merge(context->touched, &c->touched) : TN_OK;
}

static tn_status call_traced(tn_context *context, tn_function *f, tn_list inputs, int training, tn_tensor **result)
{
    size_t count;
    tn_tensor *few[FEW], **leaves;
    tn__concrete *c = NULL;
    TN_TRY(flatten(inputs, few, &leaves, &count));
    tn_status status = choose(context, f, inputs, leaves, count, training, &c);
    if (status == TN_OK)
        status = note_used(context, f, c);
    if (status == TN_OK)
        status = call_concrete(context, c, leaves, result);
    leave(few, leaves);
    return status;
}

/* --- calling a body --------------------------------------------------------------------------------------------------------- */
/* An eager call on its way. */
typedef struct {
    tn__call_frame frame;
    struct {
        void **item; /* variables and layers that were made, retained */
        size_t count, capacity;
    } made;
} eager_call;

static tn_status adopt_into_call(tn__call_frame *frame, void *made)
{
    eager_call *call = (eager_call *)frame;
    TN_TRY(TN__PUSH(&call->made, made));
    tn__retain(made);
    return TN_OK;
}

/* What the body made goes to the memory scope round the call: it may be kept in self. */
static tn_status hand_out(tn_context *context, eager_call *call)
{
    for (size_t i = 0; i < call->made.count; i++)
        tn__own(call->made.item[i]);
    tn__free(call->made.item);
    return context->error.status;
}

static tn_status call_eager(tn_context *context, tn_function *f, tn_list inputs, int training, tn_tensor **result)
{
    eager_call call = { .frame = { .function = f, .adopt = adopt_into_call } };
    tn__touched touched = { NULL };
    bool outermost = !tn__function_runs(context, f);
    if (outermost)
        tn__touched_begin(context, &touched);
    tn__frame_push(context, &call.frame);
    tn_status status = tn__run_body(context, f->body, f->self, inputs, training, f->name, result);
    tn__frame_pop(context, &call.frame);
    if (outermost) {
        tn_status merged = tn__touched_end(context, &touched);
        tn__function_used(f, NULL, &touched);
        status = status == TN_OK ? merged : status;
    }
    tn_status kept = hand_out(context, &call);
    return status == TN_OK ? kept : status;
}

tn_status tn__function_call(tn_context *context, tn_function *f, tn_list inputs, int training, tn_tensor **result)
{
    *result = NULL;
    if (training < 0)
        training = context->training;
    return f->eager ? call_eager(context, f, inputs, training, result) : call_traced(context, f, inputs, training, result);
}

tn_tensor *tn_function_call(tn_function *f, tn_list inputs, const tn_call_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    if (!tn__check(f, &tn__type_function, "tn_call: function") || !tn__check_tensors(inputs, "tn_call: an input"))
        return NULL;
    tn_tensor *result;
    return tn__function_call(context, f, inputs, options->training, &result) == TN_OK ? tn__own(result) : NULL;
}

bool tn_training(void)
{
    return tn__context()->training == 1;
}

/* --- concrete functions ----------------------------------------------------------------------------------------------------- */
static tn_status concrete_of(tn_context *context, tn_function *f, tn_list inputs, tn_function **out)
{
    size_t count;
    tn_tensor *few[FEW] = { NULL }, **leaves;
    tn__concrete *c = f->exact;
    TN_TRY(flatten(inputs, few, &leaves, &count));
    tn__key key;
    tn_status status = tn__key_make(f, inputs, leaves, count, context->training, &key);
    if (status == TN_OK)
        status = tn__concrete_for(context, f, &key, inputs, leaves, &c);
    tn__key_free(&key);
    leave(few, leaves);
    TN_TRY(status);
    TN_TRY(tn__function_new(f->body, f->self, false, f->name, out));
    (*out)->parent = tn__retain(f);
    (*out)->exact = c;
    (*out)->traces = 1;
    (*out)->state->used = c;
    return TN_OK;
}

tn_function *tn_get_concrete_function(tn_function *function, tn_list inputs)
{
    TN__ENTER(context, NULL);
    if (!tn__check(function, &tn__type_function, "tn_get_concrete_function: function") ||
        !tn__check_tensors(inputs, "tn_get_concrete_function: an input"))
        return NULL;
    if (function->eager || function->exact) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_get_concrete_function: %s is %s", function->name,
                 function->eager ? "eager: it is not traced" : "one trace already");
        return NULL;
    }
    tn_function *concrete;
    return concrete_of(context, function, inputs, &concrete) == TN_OK ? tn__own(concrete) : NULL;
}

/* --- the variables of a function -------------------------------------------------------------------------------------------- */
/* Retained copies. */
static tn_status copy_used(tn_function *f, tn__touched *copy)
{
    pthread_mutex_lock(&f->state->lock);
    tn_status status = tn__touched_merge(copy, f->state->used ? &f->state->used->touched : &f->state->latest);
    pthread_mutex_unlock(&f->state->lock);
    return status;
}

static tn_status refuse_namesakes(const tn_function *f, const tn_tensor *a, const tn_tensor *b, const char *name)
{
    return tn__fail(TN_ALREADY_EXISTS, "Variable %s already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?\n"
                                       "%s uses two different variables with the name '%s', made at %s and at %s\n"
                                       "give each a name of its own, make them in name scopes of their own, TN_WITH(tn_name_scope(\"layer_1\")), or "
                                       "make one once and keep it",
                    name, f->name, name, tn__line(a->of.variable->here), tn__line(b->of.variable->here));
}

/* Explicit names must be of one variable each. */
static tn_status check_names(const tn_function *f, const tn__touched *list)
{
    tn__map names = { 0 };
    tn_status status = TN_OK;
    size_t depth = tn__scope_begin(NULL);
    for (size_t i = 0; i < list->count && status == TN_OK; i++) {
        const tn_tensor *variable = list->item[i], *other;
        if (!variable->of.variable->explicit_name)
            continue;
        const char *name = tn__variable_full_name(variable);
        if ((other = tn__map_get(&names, name)))
            status = refuse_namesakes(f, other, variable, name);
        else
            status = tn__map_set(&names, name, list->item[i]);
    }
    tn__scope_end(depth);
    tn__map_free(&names);
    return status;
}

static tn_list variables_of(tn_function *f, bool trainable_only, const char *what)
{
    tn_list result = { 0, NULL };
    TN__ENTER(context, result);
    (void)context;
    tn__touched list = { NULL };
    if (!tn__check(f, &tn__type_function, what) || copy_used(f, &list) != TN_OK || check_names(f, &list) != TN_OK) {
        tn__touched_free(&list);
        return result;
    }
    tn_tensor **item = tn__scope_alloc((list.count + 1) * sizeof *item);
    for (size_t i = 0; item && i < list.count; i++)
        if (!trainable_only || list.item[i]->of.variable->trainable)
            item[result.count++] = list.item[i];
    result = item ? tn_list_of(result.count, item) : result;
    tn__touched_free(&list);
    return result;
}

tn_list tn_function_variables(tn_function *function)
{
    return variables_of(function, false, "tn_variables: function");
}

tn_list tn_function_trainable_variables(tn_function *function)
{
    return variables_of(function, true, "tn_trainable_variables: function");
}
