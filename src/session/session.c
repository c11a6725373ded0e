/* session.c - running parts of a graph. */
#include "session/session.h"
#include "function/frame.h"
#include "plan/program.h"
#include "ops/array.h"
#include <string.h>

static void session_destroy(void *object)
{
    tn_session *session = object;
    tn__cells_free(session->cells);
    tn__release(session->graph);
}

const tn__type tn__type_session = { .name = "session", .kind = 12, .destroy = session_destroy };

tn_session *tn_session_new(const tn_session_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    if (options->graph && !tn__check_v1(options->graph, "tn_session: graph"))
        return NULL;
    tn_session *session = tn__object_new(&tn__type_session);
    if (!session)
        return NULL;
    session->graph = tn__retain(options->graph ? options->graph : tn__open_v1(context));
    if (!(session->cells = tn__cells_new())) {
        tn__release(session);
        return NULL;
    }
    return tn__own(session);
}

/* --- what is fetched ---------------------------------------------------------------------------------------------------- */
/* One run: what is asked of the graph, and what is there already. */
typedef struct {
    tn_tensor **leaf, **fetch, **result; /* by leaf: as given, as the graph has it (NULL: not of the graph), its value (retained) */
    size_t count;
    tn_tensor *key[16], *feed[16];       /* feeds retained */
    size_t feeds;
} request;

static tn_status not_of_graph(const tn_tensor *x, const char *text)
{
    const char *name = x->form == TN__SYMBOLIC ? x->of.output.node->name : tn__variable_full_name(x);
    const char *here = x->form == TN__SYMBOLIC ? x->of.output.node->here : x->of.variable->here;
    return tn__fail(TN_INVALID_ARGUMENT, "%s %s is not an element of this graph.\nmade at %s\na session runs the graph that was the default one when it "
                                         "was made, or its .graph", text, name ? name : TN__TENSOR(x), here ? here : "an unknown line");
}

static tn_status take_fetch(const tn_session *session, tn_tensor *x, tn_tensor **fetch, tn_tensor **result)
{
    bool graph_variable = x->form == TN__VARIABLE && x->of.variable->of_graph;
    if (x->form != TN__SYMBOLIC && !graph_variable)
        return tn__value_of(x, "tn_run: fetch", result);
    if (x->form == TN__SYMBOLIC && x->of.output.node->op == &tn__op_NoOp && !x->of.output.node->graph)
        return TN_OK; /* done in eager mode */
    tn_graph *graph = graph_variable ? x->of.variable->graph : x->of.output.node->graph;
    if (!session->graph || graph != session->graph)
        return not_of_graph(x, "Fetch argument cannot be interpreted as a Tensor. Tensor");
    *fetch = graph_variable ? tn__graph_variable_of(x)->read : x;
    return TN_OK;
}

/* --- what is fed -------------------------------------------------------------------------------------------------------- */
static tn_status fit_feed(const tn_tensor *key, tn_tensor *value, tn_tensor **feed)
{
    tn_tensor *plain;
    TN_TRY(tn__value_of(value, "tn_run: the value of a feed", &plain));
    const char *name = key->of.output.node->name ? key->of.output.node->name : key->of.output.node->op->name;
    if (!tn__shape_fits(&key->shape, &plain->shape)) {
        tn_status status = tn__fail(TN_INVALID_ARGUMENT, "Cannot feed value of shape %s for Tensor %s:%d, which has shape %s",
                                    TN__SHAPE(plain->shape), name, key->of.output.index, TN__SHAPE(key->shape));
        tn__release(plain);
        return status;
    }
    tn_status status = TN_OK;
    if (plain->dtype == key->dtype)
        *feed = tn__retain(plain);
    else if (plain->weak)
        status = tn__cast_value(plain, (tn_dtype)key->dtype, feed);
    else
        status = tn__fail(TN_INVALID_ARGUMENT, "Tensor %s:%d is %s, but the value that is fed is %s\ntn_cast(x, dtype) converts, outside of the graph",
                          name, key->of.output.index, tn__dtype_name((tn_dtype)key->dtype), TN__TENSOR(plain));
    tn__release(plain);
    return status;
}

static tn_status take_feed(const tn_session *session, const tn_feed *given, request *r)
{
    if (!tn__check_tensor(given->key, "tn_run: the key of a feed") || !tn__check_tensor(given->value, "tn_run: the value of a feed"))
        return TN_INVALID_ARGUMENT;
    tn_tensor *key = given->key;
    if (key->form == TN__VARIABLE && tn__graph_variable_of(key))
        key = tn__graph_variable_of(key)->read; /* what a fetch of it gives */
    if (key->form != TN__SYMBOLIC)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_run: %s cannot be fed: it is no tensor of a graph\nplaceholders are, and what ops give in a graph",
                        TN__TENSOR(key));
    if (!session->graph || key->of.output.node->graph != session->graph)
        return not_of_graph(key, "Cannot interpret feed_dict key as Tensor: Tensor");
    if (key->of.output.node->output_count != 1)
        return tn__fail(TN_UNIMPLEMENTED, "tn_run: %s cannot be fed: its operation has several outputs", key->of.output.node->name);
    r->key[r->feeds] = key;
    TN_TRY(fit_feed(key, given->value, &r->feed[r->feeds]));
    r->feeds++;
    return TN_OK;
}

static tn_status take_feeds(const tn_session *session, const tn_feed *given, request *r)
{
    size_t count = 16;
    while (count > 0 && !given[count - 1].key && !given[count - 1].value)
        count--;
    for (size_t i = 0; i < count; i++)
        TN_TRY(take_feed(session, &given[i], r));
    return TN_OK;
}

/* --- running ------------------------------------------------------------------------------------------------------------ */
/* Kernels find the session's values through the context; what they run is computed at once. */
tn_status tn__session_run(tn_context *context, tn_session *session, tn_tensor *const *keys, tn_tensor *const *feeds, size_t feed_count,
                          tn_tensor *const *fetches, size_t fetch_count, tn_tensor **results)
{
    struct tn__cells *outer_cells = context->cells;
    tn_graph *outer = context->graph;
    context->cells = session->cells;
    context->graph = NULL;
    context->tape_pause++;
    tn_status status = tn__graph_run(context, session->graph, keys, feeds, feed_count, fetches, fetch_count, false, results);
    context->tape_pause--;
    context->graph = outer;
    context->cells = outer_cells;
    return status;
}

/* The leaves that are of the graph, computed together. */
static tn_status run_fetches(tn_context *context, tn_session *session, request *r)
{
    size_t count = 0;
    tn_tensor **fetch = tn__alloc((r->count + 1) * sizeof *fetch), **result = tn__alloc_zeroed(r->count + 1, sizeof *result);
    tn_status status = fetch && result ? TN_OK : TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < r->count && status == TN_OK; i++)
        if (r->fetch[i])
            fetch[count++] = r->fetch[i];
    if (status == TN_OK && count)
        status = tn__session_run(context, session, r->key, r->feed, r->feeds, fetch, count, result);
    for (size_t i = r->count; i-- > 0 && status == TN_OK;)
        if (r->fetch[i])
            r->result[i] = result[--count];
    tn__free(fetch);
    tn__free(result);
    return status;
}

static tn_status fill_request(const tn_session *session, tn_tensor *fetch, const tn_feed *feed, request *r)
{
    r->count = tn__flat_count(fetch);
    r->leaf = tn__alloc_zeroed(3 * r->count + 1, sizeof *r->leaf);
    if (!r->leaf)
        return TN_RESOURCE_EXHAUSTED;
    r->fetch = r->leaf + r->count;
    r->result = r->fetch + r->count;
    tn__flatten(fetch, r->leaf);
    for (size_t i = 0; i < r->count; i++)
        TN_TRY(take_fetch(session, r->leaf[i], &r->fetch[i], &r->result[i]));
    return take_feeds(session, feed, r);
}

static void request_free(request *r)
{
    for (size_t i = 0; r->result && i < r->count; i++)
        tn__release(r->result[i]);
    for (size_t i = 0; i < r->feeds; i++)
        tn__release(r->feed[i]);
    tn__free(r->leaf);
}

/* The values in the structure of the fetch; what an operation gives is empty. */
static tn_tensor *results_of(const tn_tensor *fetch, request *r)
{
    tn_shape none = { 1, 1, { 0 } };
    for (size_t i = 0; i < r->count; i++)
        if (!r->result[i] && tn__tensor_new(TN_FLOAT32, &none, &r->result[i]) != TN_OK)
            return NULL;
    tn_tensor *const *at = r->result;
    return tn__rebuild(fetch, &at);
}

static tn_status run(tn_context *context, tn_session *session, tn_tensor *fetch, const tn_feed *feed, tn_tensor **result)
{
    request r = { .count = 0 };
    tn_status status = fill_request(session, fetch, feed, &r);
    if (status == TN_OK)
        status = run_fetches(context, session, &r);
    if (status == TN_OK && result && !(*result = results_of(fetch, &r)))
        status = TN_RESOURCE_EXHAUSTED;
    request_free(&r);
    return status;
}

tn_tensor *tn_run_with(const tn_run_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    tn_tensor *result = NULL;
    if (tn__check(options->session, &tn__type_session, "tn_run: session") && tn__check_tensor(options->fetch, "tn_run: fetch"))
        (void)!run(context, options->session, options->fetch, options->feed, &result);
    return tn__own(result);
}

tn_status tn_run_operation_with(const tn_run_operation_options *options)
{
    TN__ENTER_OPTIONS(context, options, context->error.status);
    if (!tn__check(options->session, &tn__type_session, "tn_run_operation: session") ||
        !tn__check(options->operation, &tn__type_node, "tn_run_operation: operation"))
        return TN_INVALID_ARGUMENT;
    tn_tensor *target = tn__node_target((tn__node *)options->operation);
    tn_status status = target ? run(context, options->session, target, options->feed, NULL) : TN_RESOURCE_EXHAUSTED;
    tn__release(target);
    return status;
}

/* --- what has no value -------------------------------------------------------------------------------------------------- */
static tn_status add_uninitialized(const tn_graph *graph, tn_list variables, tn_tensor **item, size_t *count)
{
    for (size_t i = 0; i < variables.count; i++) {
        bool initialized = true;
        if (variables.item[i]->form == TN__VARIABLE && variables.item[i]->of.variable->graph == graph)
            TN_TRY(tn__variable_initialized(variables.item[i], &initialized));
        if (!initialized)
            item[(*count)++] = variables.item[i];
    }
    return TN_OK;
}

static tn_list uninitialized(tn_session *session)
{
    tn_list all = tn_global_variables(NULL), local = tn_local_variables(NULL);
    tn_tensor **item = all.item && local.item ? tn__scope_alloc((all.count + local.count + 1) * sizeof *item) : NULL;
    size_t count = 0;
    if (!item || add_uninitialized(session->graph, all, item, &count) != TN_OK ||
        add_uninitialized(session->graph, local, item, &count) != TN_OK)
        return (tn_list){ 0, NULL };
    return (tn_list){ count, item };
}

tn_list tn_report_uninitialized_variables(tn_session *session)
{
    TN__ENTER(context, ((tn_list){ 0, NULL }));
    if (!tn__check(session, &tn__type_session, "tn_report_uninitialized_variables: session"))
        return (tn_list){ 0, NULL };
    struct tn__cells *outer_cells = context->cells;
    tn_graph *outer = context->graph;
    context->cells = session->cells;
    context->graph = session->graph;
    tn_list list = session->graph ? uninitialized(session) : tn_list_of(0, NULL);
    context->graph = outer;
    context->cells = outer_cells;
    return list;
}
