/* store.c */
#include "function/store.h"
#include "base/text.h"
#include "core/hooks.h"
#include "function/frame.h"
#include "function/variable_scope.h"
#include "tenon/variable.h"
#include <regex.h>
#include <string.h>

struct tn__collection {
    tn_tensor **item; /* retained */
    size_t count, capacity;
};

static void collection_free(struct tn__collection *c)
{
    for (size_t i = 0; i < c->count; i++)
        tn__release(c->item[i]);
    tn__free(c->item);
    tn__free(c);
}

static void store_destroy(void *object)
{
    tn_store *store = object;
    for (size_t i = 0; i < store->variable.count; i++)
        tn__release(store->variable.item[i].value);
    for (size_t i = 0; i < store->collection.count; i++)
        collection_free(store->collection.item[i].value);
    tn__map_free(&store->variable);
    tn__map_free(&store->collection);
    tn__map_free(&store->opened);
    tn__release(store->root);
}

const tn__type tn__type_store = { .name = "variable store", .kind = 14, .destroy = store_destroy };

static tn_store *store_at(tn_store **place)
{
    if (!*place)
        *place = tn__object_new(&tn__type_store);
    return *place;
}

tn_store *tn__store_of_graph(tn_graph *graph)
{
    return store_at(&graph->v1->store);
}

tn_store *tn__store_now(tn_context *context)
{
    return store_at(tn__open_v1(context) ? &context->graph->v1->store : &context->store);
}

tn_store *tn_store_new(void)
{
    TN__ENTER(context, NULL);
    (void)context;
    return tn__own(tn__object_new(&tn__type_store));
}

/* --- variables ---------------------------------------------------------------------------------------------------------- */
tn_tensor *tn__store_find(const tn_store *store, const char *key)
{
    return tn__map_get(&store->variable, key);
}

tn_status tn__store_put(tn_store *store, const char *key, tn_tensor *variable)
{
    TN_TRY(tn__map_set(&store->variable, key, variable));
    tn__retain(variable);
    return TN_OK;
}

tn_list tn_store_variables(tn_store *store)
{
    const tn_list none = { 0, NULL };
    TN__ENTER(context, none);
    (void)context;
    if (!tn__check(store, &tn__type_store, "tn_store_variables: store"))
        return none;
    tn_tensor **item = tn__scope_alloc((store->variable.count + 1) * sizeof *item);
    for (size_t i = 0; item && i < store->variable.count; i++)
        if (!(item[i] = tn__own_shared(store->variable.item[i].value)))
            return none;
    return (tn_list){ item ? store->variable.count : 0, item };
}

/* --- collections -------------------------------------------------------------------------------------------------------- */
static tn_status collection_of(tn_store *store, const char *name, struct tn__collection **c)
{
    if ((*c = tn__map_get(&store->collection, name)))
        return TN_OK;
    if (!(*c = tn__alloc_zeroed(1, sizeof **c)))
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = tn__map_set(&store->collection, name, *c);
    if (status != TN_OK)
        tn__free(*c);
    return status;
}

static tn_status add(tn_store *store, const char *name, tn_tensor *x)
{
    struct tn__collection *c;
    TN_TRY(collection_of(store, name, &c));
    TN_TRY(TN__PUSH(c, x));
    tn__retain(x);
    return TN_OK;
}

tn_status tn__collect(tn_store *store, const char *names, tn_tensor *x)
{
    char *copy = tn__strdup(names), *rest;
    tn_status status = copy ? TN_OK : TN_RESOURCE_EXHAUSTED;
    for (char *name = copy ? strtok_r(copy, ", ", &rest) : NULL; name && status == TN_OK; name = strtok_r(NULL, ", ", &rest))
        status = add(store, name, x);
    tn__free(copy);
    return status;
}

tn_status tn__collect_variable(tn_store *store, const char *names, tn_tensor *variable)
{
    TN_TRY(tn__collect(store, names ? names : "global_variables", variable));
    return variable->of.variable->trainable ? tn__collect(store, "trainable_variables", variable) : TN_OK;
}

static tn_store *store_in_use(tn_context *context)
{
    tn_store *own = !tn__open_v1(context) && context->variable_scope ? context->variable_scope->store : NULL;
    return own ? own : tn__store_now(context);
}

/* Eager penalties are worked out when they are asked for: the variable stands for its own. */
static tn_tensor *item_of(const char *collection, tn_tensor *x)
{
    const char *regularizer = x->form == TN__VARIABLE ? x->of.variable->regularizer : NULL;
    if (regularizer && !x->of.variable->of_graph && strcmp(collection, "regularization_losses") == 0)
        return tn__hooks.penalize(regularizer, x);
    return tn__own_shared(x);
}

static tn_list all_of(const char *name, const struct tn__collection *c, const regex_t *pattern)
{
    const tn_list none = { 0, NULL };
    size_t found = 0;
    tn_tensor **item = tn__scope_alloc((c->count + 1) * sizeof *item);
    for (size_t i = 0; item && i < c->count; i++) {
        const char *text = pattern ? tn__scope_print("%s:0", tn_name(c->item[i])) : NULL;
        if (pattern && (!text || strcmp(text, ":0") == 0 || regexec(pattern, text, 0, NULL, 0) != 0))
            continue;
        if (!(item[found++] = item_of(name, c->item[i])))
            return none;
    }
    return item ? (tn_list){ found, item } : none;
}

/* Python's re.match: from the beginning. */
static tn_status compile(const char *scope, regex_t *pattern)
{
    char *anchored = tn__print("^(%s)", scope);
    if (!anchored)
        return TN_RESOURCE_EXHAUSTED;
    int failed = regcomp(pattern, anchored, REG_EXTENDED | REG_NOSUB);
    tn__free(anchored);
    return failed ? tn__fail(TN_INVALID_ARGUMENT, "tn_get_collection: scope '%s' is not a regular expression (POSIX extended)", scope) : TN_OK;
}

static tn_list matching(const char *name, const struct tn__collection *c, const char *scope)
{
    regex_t pattern;
    if (!scope)
        return all_of(name, c, NULL);
    if (compile(scope, &pattern) != TN_OK)
        return (tn_list){ 0, NULL };
    tn_list list = all_of(name, c, &pattern);
    regfree(&pattern);
    return list;
}

tn_list tn_get_collection(const char *name, const char *scope)
{
    const tn_list none = { 0, NULL };
    static const struct tn__collection empty;
    TN__ENTER(context, none);
    tn_store *store = store_in_use(context);
    if (!name)
        tn__fail(TN_INVALID_ARGUMENT, "tn_get_collection: name is NULL");
    if (!store || !name)
        return none;
    tn__making_begin(context); /* a graph's store is shared by threads */
    const struct tn__collection *c = tn__map_get(&store->collection, name);
    tn_list list = matching(name, c ? c : &empty, scope);
    tn__making_end(context);
    return list;
}

tn_status tn_add_to_collection(const char *name, tn_tensor *x)
{
    TN__ENTER(context, context->error.status);
    if (!name)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_add_to_collection: name is NULL");
    if (!tn__check_tensor(x, "tn_add_to_collection: x"))
        return TN_INVALID_ARGUMENT;
    tn_store *store = store_in_use(context);
    tn__making_begin(context);
    tn_status status = store ? add(store, name, x) : TN_RESOURCE_EXHAUSTED;
    tn__making_end(context);
    return status;
}

tn_list tn_global_variables(const char *scope)
{
    return tn_get_collection("global_variables", scope);
}

tn_list tn_local_variables(const char *scope)
{
    return tn_get_collection("local_variables", scope);
}

tn_list tn_graph_trainable_variables(const char *scope)
{
    return tn_get_collection("trainable_variables", scope);
}

/* --- how often variable scopes were opened ------------------------------------------------------------------------------ */
size_t tn__times_opened(const tn_store *store, const char *path)
{
    return (size_t)(uintptr_t)tn__map_get(&store->opened, path);
}

tn_status tn__count_opened(tn_store *store, const char *path)
{
    return tn__map_set(&store->opened, path, (void *)(uintptr_t)(tn__times_opened(store, path) + 1));
}

void tn__forget_opened(tn_store *store, const char *path)
{
    size_t length = strlen(path);
    for (size_t i = 0; i < store->opened.count; i++)
        if (strncmp(store->opened.item[i].key, path, length) == 0 && store->opened.item[i].key[length] == '/')
            store->opened.item[i].value = NULL;
}

tn_status tn__save_opened(const tn_store *store, size_t **counts)
{
    if (!(*counts = tn__alloc((store->opened.count + 1) * sizeof **counts)))
        return TN_RESOURCE_EXHAUSTED;
    (*counts)[0] = store->opened.count;
    for (size_t i = 0; i < store->opened.count; i++)
        (*counts)[i + 1] = (size_t)(uintptr_t)store->opened.item[i].value;
    return TN_OK;
}

void tn__restore_opened(tn_store *store, const size_t *counts)
{
    for (size_t i = 0; i < store->opened.count; i++)
        store->opened.item[i].value = (void *)(uintptr_t)(i < counts[0] ? counts[i + 1] : 0);
}
