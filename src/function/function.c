/* function.c - function objects: a body traced once a signature to a graph, or run at every call. */
#include "function/function.h"
#include "base/text.h"
#include "core/hooks.h"
#include "plan/program.h"
#include <pthread.h>
#include <string.h>

static void concrete_free(tn__concrete *c)
{
    if (!c)
        return;
    tn__free(c->spec);
    tn__free(c->nesting);
    for (size_t i = 0; c->output && i < c->outputs; i++)
        tn__release(c->output[i]);
    tn__free(c->output);
    tn__release(c->structure);
    tn__release(c->graph);
    tn__free(c);
}

static void function_destroy(void *object)
{
    struct tn_function *f = object;
    for (size_t i = 0; i < f->concrete.count; i++)
        concrete_free(f->concrete.item[i]);
    tn__free(f->concrete.item);
    for (size_t i = 0; i < f->variable.count; i++)
        tn__release(f->variable.item[i]);
    tn__free(f->variable.item);
    tn__free(f->name);
    tn__free(f->signature);
    if (f->lock)
        pthread_mutex_destroy(f->lock);
    tn__free(f->lock);
}

const tn__type tn__type_function = { .name = "function", .kind = 3, .destroy = function_destroy };

/* --- making ------------------------------------------------------------------------------------------------------------- */
static tn_status make_lock(struct tn_function *f)
{
    f->lock = tn__alloc(sizeof *f->lock);
    if (!f->lock)
        return TN_RESOURCE_EXHAUSTED;
    pthread_mutex_init(f->lock, NULL);
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
    if (!f->name || make_lock(f) != TN_OK) {
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

static tn_status take_signature(struct tn_function *f, tn_list signature)
{
    f->signature = tn__alloc_zeroed(signature.count + 1, sizeof *f->signature);
    if (!f->signature)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < signature.count; i++) {
        const tn_tensor *x = signature.item[i];
        if (!tn__check_tensor(x, "tn_function: input_signature"))
            return TN_INVALID_ARGUMENT;
        f->signature[i] = (tn__spec){ .form = TN__VALUE, .dtype = (tn_dtype)x->dtype, .shape = x->shape };
    }
    f->signature_count = signature.count;
    return TN_OK;
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
        f->any_batch = options->reduce_retracing;
        if (options->input_signature.item && take_signature(f, options->input_signature) != TN_OK) {
            tn__release(f);
            f = NULL;
        }
    }
    tn__free(name);
    return tn__own(f);
}

int tn_trace_count(tn_function *function)
{
    return tn__check(function, &tn__type_function, "tn_trace_count: function") ? (int)function->traces : 0;
}

/* --- signatures --------------------------------------------------------------------------------------------------------- */
static tn__spec spec_of(const tn_tensor *x)
{
    tn__spec spec = { .form = x->form == TN__VARIABLE ? TN__VARIABLE : TN__VALUE, .dtype = (tn_dtype)x->dtype, .shape = x->shape };
    if (x->form == TN__VARIABLE)
        spec.id = x->id;
    if (x->form == TN__VALUE && x->weak) {
        spec.is_static = true;
        memcpy(spec.number, x->data, tn__dtype_size((tn_dtype)x->dtype));
        if (tn__in(TN__FLOATS, (tn_dtype)x->dtype))
            memcpy(spec.number, x->small + 16, sizeof spec.number); /* tn__weak_number: all its digits */
    }
    return spec;
}

static bool spec_equal(const tn__spec *a, const tn__spec *b)
{
    return a->form == b->form && a->dtype == b->dtype && a->id == b->id && a->is_static == b->is_static &&
           memcmp(a->number, b->number, sizeof a->number) == 0 && tn__shape_equal(&a->shape, &b->shape);
}

/* What a call is looked up by. */
typedef struct {
    tn__spec *spec;
    size_t count;
    char *nesting;
    int training;
} key;

static bool key_equal(const tn__concrete *c, const key *k)
{
    if (c->inputs != k->count || c->training != k->training || !c->nesting != !k->nesting ||
        (c->nesting && strcmp(c->nesting, k->nesting) != 0))
        return false;
    for (size_t i = 0; i < k->count; i++)
        if (!spec_equal(&c->spec[i], &k->spec[i]))
            return false;
    return true;
}

static tn__concrete *find_concrete(struct tn_function *f, const key *k)
{
    tn__concrete *found = NULL;
    pthread_mutex_lock(f->lock);
    for (size_t i = 0; i < f->concrete.count && !found; i++)
        if (key_equal(f->concrete.item[i], k))
            found = f->concrete.item[i];
    pthread_mutex_unlock(f->lock);
    return found;
}

static void add_nesting(tn__text *text, const tn_tensor *x)
{
    if (x->form != TN__TUPLE) {
        tn__text_add(text, ".");
        return;
    }
    tn__text_add(text, "(");
    for (size_t i = 0; i < x->of.tuple.count; i++)
        add_nesting(text, x->of.tuple.item[i]);
    tn__text_add(text, ")");
}

/* "(..)." for a tuple of two and a tensor; NULL when no input is a tuple. */
static tn_status nesting_of(tn_list inputs, char **nesting)
{
    bool any = false;
    *nesting = NULL;
    for (size_t i = 0; i < inputs.count; i++)
        any |= inputs.item[i]->form == TN__TUPLE;
    if (!any)
        return TN_OK;
    tn__text text = { 0 };
    for (size_t i = 0; i < inputs.count; i++)
        add_nesting(&text, inputs.item[i]);
    *nesting = tn__text_take(&text);
    return *nesting ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status apply_signature(const struct tn_function *f, key *k, tn_tensor *const *leaves)
{
    if (k->count != f->signature_count)
        return tn__fail(TN_INVALID_ARGUMENT, "%s: the input_signature has %zu inputs, the call has %zu", f->name, f->signature_count, k->count);
    for (size_t i = 0; i < k->count; i++) {
        const tn__spec *wanted = &f->signature[i];
        if (wanted->dtype != k->spec[i].dtype || !tn__shape_fits(&wanted->shape, &k->spec[i].shape))
            return tn__fail(TN_INVALID_ARGUMENT, "Python inputs incompatible with input_signature: input %zu of %s is %s, %s %s is expected", i,
                            f->name, TN__TENSOR(leaves[i]), tn__dtype_name(wanted->dtype), TN__SHAPE(wanted->shape));
        k->spec[i] = *wanted;
    }
    return TN_OK;
}

/* The same for all batch sizes, where the function is traced for all. */
static void open_batches(key *k)
{
    for (size_t i = 0; i < k->count; i++)
        if (!k->spec[i].is_static && k->spec[i].shape.known && k->spec[i].shape.rank > 0)
            k->spec[i].shape.dims[0] = TN_NONE;
}

static tn_status make_key(const struct tn_function *f, tn_list inputs, tn_tensor *const *leaves, size_t count, int training, key *k)
{
    *k = (key){ .count = count, .training = training };
    k->spec = tn__alloc_zeroed(count + 1, sizeof *k->spec);
    if (!k->spec)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(nesting_of(inputs, &k->nesting));
    for (size_t i = 0; i < count; i++)
        k->spec[i] = spec_of(leaves[i]);
    if (f->signature)
        return apply_signature(f, k, leaves);
    if (f->any_batch)
        open_batches(k);
    return TN_OK;
}

/* --- tracing ------------------------------------------------------------------------------------------------------------ */
static tn_status refuse_variable(const struct tn_function *f, const tn_tensor *variable)
{
    const char *made = variable->of.variable->here;
    bool first_made_some = f->variable.count > 0;
    return tn__fail(TN_VARIABLE_CREATION,
                    "%s\nvariable '%s', made at %s, in trace %zu of %s\nmake it outside, or keep it in a place of its own and make it only when "
                    "that is still NULL",
                    first_made_some ? "tf.function only supports singleton tf.Variables created on the first call. Make sure the tf.Variable is "
                                      "only created once or created outside tf.function. See "
                                      "https://www.tensorflow.org/guide/function#creating_tfvariables for more information."
                                    : "Creating variables on a non-first call to a function decorated with tf.function.",
                    variable->of.variable->name, made ? made : "an unknown line", f->concrete.count + 1, f->name);
}

static tn_status adopt_into_function(tn__call_frame *frame, tn_tensor *variable)
{
    if (frame->function->concrete.count > 0)
        return refuse_variable(frame->function, variable);
    TN_TRY(TN__PUSH(&frame->function->variable, variable));
    tn__retain(variable);
    return TN_OK;
}

/* Numbers given as tn_scalar, and variables, go in as they are; for every other leaf a placeholder. */
static tn_status make_placeholders(tn_context *context, tn__concrete *c, tn_tensor *const *leaves, tn_tensor **stands)
{
    for (size_t i = 0; i < c->inputs; i++) {
        if (c->spec[i].is_static || c->spec[i].form == TN__VARIABLE)
            stands[i] = tn__retain(leaves[i]);
        else
            TN_TRY(tn__graph_input(context, c->graph, c->spec[i].dtype, &c->spec[i].shape, NULL, &stands[i]));
    }
    return TN_OK;
}

static tn_status run_traced_body(tn_context *context, struct tn_function *f, tn__concrete *c, tn_list inputs, tn_tensor *const *stands,
                                 tn_tensor **result)
{
    size_t depth = tn__scope_begin(context->here);
    tn_tensor **items = tn__scope_alloc((inputs.count + 1) * sizeof *items);
    tn_status status = items ? TN_OK : TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < inputs.count && status == TN_OK; i++) {
        items[i] = tn__own(tn__rebuild(inputs.item[i], &stands));
        status = context->error.status;
    }
    if (status == TN_OK)
        status = tn__run_body(context, f->body, f->self, (tn_list){ inputs.count, items }, c->training, f->name, result);
    tn__scope_end(depth);
    return status;
}

static tn_tensor *strong_copy(const tn_tensor *x)
{
    tn_tensor *copy;
    return tn__tensor_copy((tn_dtype)x->dtype, &x->shape, x->data, &copy) == TN_OK ? copy : NULL;
}

static tn_status replace(tn_tensor **x, tn_tensor *with)
{
    tn__release(*x);
    *x = with;
    return with ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

tn_status tn__trace_output(tn_context *context, tn_graph *graph, tn_tensor *x, tn_tensor **output)
{
    tn_tensor *given = x, *read = NULL;
    tn_status status = TN_OK;
    x = tn__retain(x);
    if (x->form == TN__VARIABLE) {
        status = tn__dispatch(context, &tn__op_ReadVariableOp, NULL, &given, 1, &read, 1);
        tn__release(x);
        x = read;
    }
    if (status == TN_OK && x->weak)
        status = replace(&x, strong_copy(x));
    if (status == TN_OK)
        status = tn__graph_capture(context, graph, x, output);
    tn__release(x);
    return status;
}

static tn_status take_outputs(tn_context *context, tn__concrete *c, tn_tensor *result)
{
    c->structure = tn__retain(result);
    c->outputs = tn__flat_count(result);
    c->output = tn__alloc_zeroed(c->outputs, sizeof *c->output);
    tn_tensor **leaves = tn__alloc((c->outputs + 1) * sizeof *leaves);
    tn_status status = c->output && leaves ? TN_OK : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK)
        tn__flatten(result, leaves);
    for (size_t i = 0; i < c->outputs && status == TN_OK; i++)
        status = tn__trace_output(context, c->graph, leaves[i], &c->output[i]);
    tn__free(leaves);
    return status;
}

static tn_status trace_into(tn_context *context, struct tn_function *f, tn__concrete *c, tn_list inputs, tn_tensor *const *leaves,
                            tn_tensor **stands)
{
    tn_tensor *result = NULL;
    TN_TRY(make_placeholders(context, c, leaves, stands));
    tn_status status = run_traced_body(context, f, c, inputs, stands, &result);
    if (status == TN_OK)
        status = take_outputs(context, c, result);
    tn__release(result);
    return status;
}

/* The graph is open, and variables belong to the function, while its body runs. */
static tn_status trace(tn_context *context, struct tn_function *f, tn__concrete *c, tn_list inputs, tn_tensor *const *leaves)
{
    tn_tensor **stands = tn__alloc_zeroed(c->inputs + 1, sizeof *stands);
    if (!stands)
        return TN_RESOURCE_EXHAUSTED;
    tn__call_frame frame = { .function = f, .adopt = adopt_into_function };
    tn_graph *outer = context->graph;
    c->graph->outer = outer;
    context->graph = c->graph;
    tn__frame_push(context, &frame);
    tn_status status = trace_into(context, f, c, inputs, leaves, stands);
    tn__frame_pop(context, &frame);
    context->graph = outer;
    c->graph->outer = NULL;
    for (size_t i = 0; i < c->inputs; i++)
        tn__release(stands[i]);
    tn__free(stands);
    return status;
}

/* The key's parts go to the trace. */
static tn_status make_concrete(tn_context *context, struct tn_function *f, key *k, tn_list inputs, tn_tensor *const *leaves,
                               tn__concrete **out)
{
    tn__concrete *c = tn__alloc_zeroed(1, sizeof *c);
    if (!c)
        return TN_RESOURCE_EXHAUSTED;
    *c = (tn__concrete){ .spec = k->spec, .inputs = k->count, .training = k->training, .nesting = k->nesting };
    k->spec = NULL;
    k->nesting = NULL;
    c->graph = tn__graph_new();
    tn_status status = c->graph ? trace(context, f, c, inputs, leaves) : TN_RESOURCE_EXHAUSTED;
    pthread_mutex_lock(f->lock);
    if (status == TN_OK)
        status = TN__PUSH(&f->concrete, c);
    pthread_mutex_unlock(f->lock);
    if (status != TN_OK) {
        concrete_free(c);
        tn__fail_note("while tracing %s", f->name);
        return status;
    }
    f->traces++;
    *out = c;
    return TN_OK;
}

static tn_status concrete_for(tn_context *context, struct tn_function *f, tn_list inputs, tn_tensor *const *leaves, size_t count,
                              int training, tn__concrete **out)
{
    key k;
    tn_status status = make_key(f, inputs, leaves, count, training, &k);
    *out = status == TN_OK ? find_concrete(f, &k) : NULL;
    if (status == TN_OK && !*out) {
        tn__making_begin(context);
        if (!(*out = find_concrete(f, &k))) /* another thread may have been tracing it */
            status = make_concrete(context, f, &k, inputs, leaves, out);
        tn__making_end(context);
    }
    tn__free(k.spec);
    tn__free(k.nesting);
    return status;
}

/* --- calling ------------------------------------------------------------------------------------------------------------ */
/* Under a tape that sees something of this call, inside another trace or a functional model, the nodes run again one by one, so that tape and outer
 * graph have them; else the compiled graph runs. */
static bool must_replay(const tn_context *context, const tn__concrete *c, tn_tensor *const *leaves)
{
    if (context->graph)
        return true;
    for (size_t i = 0; i < c->inputs; i++)
        if (leaves[i]->form == TN__SYMBOLIC) /* of a functional model: its nodes become that model's */
            return true;
    if (!context->tapes || context->tape_pause)
        return false;
    for (size_t i = 0; i < c->inputs; i++)
        if (tn__hooks.watched(context, leaves[i]))
            return true;
    for (size_t i = 0; i < c->graph->node.count; i++) {
        const tn__node *node = c->graph->node.item[i];
        bool capture = node->op == &tn__op_VarHandleOp || node->op == &tn__op_Const;
        if (capture && tn__hooks.watched(context, *(tn_tensor **)node->attrs))
            return true;
    }
    return false;
}

static tn_status run_concrete(tn_context *context, tn__concrete *c, tn_tensor *const *leaves, tn_tensor **results)
{
    size_t fed = 0;
    tn_tensor **feeds = tn__alloc((c->inputs + 1) * sizeof *feeds);
    if (!feeds)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < c->inputs; i++)
        if (!c->spec[i].is_static && c->spec[i].form != TN__VARIABLE)
            feeds[fed++] = leaves[i];
    tn_status status;
    if (must_replay(context, c, leaves))
        status = tn__graph_replay(context, c->graph->node.item, c->graph->node.count, c->graph->input.item, feeds, fed, true, c->output,
                                  results, c->outputs);
    else
        status = tn__graph_run(context, c->graph, c->graph->input.item, feeds, fed, c->output, c->outputs, true, results);
    tn__free(feeds);
    return status;
}

static tn_status call_concrete(tn_context *context, tn__concrete *c, tn_tensor *const *leaves, tn_tensor **result)
{
    tn_tensor **results = tn__alloc_zeroed(c->outputs + 1, sizeof *results);
    if (!results)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = run_concrete(context, c, leaves, results);
    tn_tensor *const *at = results;
    if (status == TN_OK && !(*result = tn__rebuild(c->structure, &at)))
        status = TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < c->outputs; i++)
        tn__release(results[i]);
    tn__free(results);
    return status;
}

static tn_status call_traced(tn_context *context, struct tn_function *f, tn_list inputs, int training, tn_tensor **result)
{
    size_t count = 0;
    for (size_t i = 0; i < inputs.count; i++)
        count += tn__flat_count(inputs.item[i]);
    tn_tensor **leaves = tn__alloc((count + 1) * sizeof *leaves), **at = leaves;
    if (!leaves)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < inputs.count; i++)
        at = tn__flatten(inputs.item[i], at);
    tn__concrete *c;
    tn_status status = concrete_for(context, f, inputs, leaves, count, training, &c);
    if (status == TN_OK)
        status = call_concrete(context, c, leaves, result);
    tn__free(leaves);
    return status;
}

tn_status tn__function_call(tn_context *context, tn_function *f, tn_list inputs, int training, tn_tensor **result)
{
    *result = NULL;
    if (training < 0)
        training = context->training;
    if (!f->eager)
        return call_traced(context, f, inputs, training, result);
    tn__call_frame frame = { .function = f };
    tn__frame_push(context, &frame);
    tn_status status = tn__run_body(context, f->body, f->self, inputs, training, f->name, result);
    tn__frame_pop(context, &frame);
    return status;
}

tn_tensor *tn_function_call(tn_function *f, tn_list inputs, const tn_call_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    if (!tn__check(f, &tn__type_function, "tn_call: function"))
        return NULL;
    for (size_t i = 0; i < inputs.count; i++)
        if (!tn__check_tensor(inputs.item[i], "tn_call: an input"))
            return NULL;
    tn_tensor *result;
    if (tn__function_call(context, f, inputs, options->training, &result) != TN_OK)
        return NULL;
    return tn__own(result);
}

bool tn_training(void)
{
    return tn__context()->training == 1;
}
