/* checkpoint_read.c - a model's weights out of a checkpoint. */
#include "saving/checkpoint_read.h"
#include "saving/scopes.h"

bool tn__checkpoint_taken(const tn__checkpoint_reading *r, size_t entry)
{
    size_t ignored;
    return tn__ids_get(&r->taken, entry + 1, &ignored);
}

tn_status tn__checkpoint_take(tn__checkpoint_reading *r, tn_tensor *variable, size_t entry)
{
    bool fits;
    tn_shape shape;
    tn__place place = tn__checkpoint_place(r, entry);
    TN_TRY(tn__ids_set(&r->taken, entry + 1, r->weight.count));
    TN_TRY(TN__PUSH(&r->weight, variable));
    TN_TRY(tn__loading_match(r->loading, variable, place, TN__AS_IT_IS, &fits));
    if (fits || r->first.bytes.size)
        return TN_OK;
    TN_TRY(tn__place_shape(place, &shape));
    size_t depth = tn__scope_begin("message");
    tn__text_add(&r->first,
                 "Received incompatible tensor with shape %s when attempting to restore variable "
                 "with shape %s and name %s.",
                 TN__SHAPE(shape), TN__SHAPE(variable->shape), tn__variable_full_name(variable));
    tn__scope_end(depth);
    return TN_OK;
}

tn_status tn__checkpoint_missing(tn__checkpoint_reading *r, tn_tensor *variable, const char *source)
{
    r->missing++;
    return tn__loading_missing(r->loading, variable, source);
}

tn_status tn__checkpoint_unexpected(tn__checkpoint_reading *r, size_t entry, const char *text)
{
    if (r->unexpected++ == 0 && !r->missing && !r->first.bytes.size)
        tn__text_add(&r->first, "%s", text);
    return tn__loading_unexpected(r->loading, tn__checkpoint_place(r, entry));
}

/* --- the file --------------------------------------------------------------------------------- */
tn_status tn__checkpoint_open(const tn__source *source, tn__bundle **bundle)
{
    const tn__bundle_limits limits = { .decoded = source->decoded };
    if (!tn__ends_with(source->name, ".index"))
        return tn__bundle_open_bytes(source->bytes, NULL, 0, &limits, bundle);
    char *prefix = tn__strndup(source->name, strlen(source->name) - strlen(".index"));
    tn_status status = prefix ? tn__bundle_open(prefix, &limits, bundle) : TN_RESOURCE_EXHAUSTED;
    tn__free(prefix);
    return status;
}

/* --- the object graph ------------------------------------------------------------------------- */
tn_status tn__checkpoint_graph(tn__bundle *bundle, tn__arena *arena, tn__object_graph *graph)
{
    size_t entry;
    tn__bundle_texts texts = { 0 };
    if (!tn__bundle_find(bundle, TN__OBJECT_GRAPH_KEY, &entry))
        return TN_OK;
    TN_TRY(tn__bundle_read_texts(bundle, entry, &texts));
    tn_status status = texts.count == 1
                           ? tn__object_graph_read(texts.item[0], arena, graph)
                           : tn__fail(TN_DATA_LOSS, "'%s' is no single text", TN__OBJECT_GRAPH_KEY);
    tn__bundle_texts_free(&texts);
    if (status == TN_OK && graph->nodes.count == 0)
        status = tn__fail(TN_DATA_LOSS, "the object graph is empty");
    return status;
}

bool tn__checkpoint_value_of(const tn__bundle *bundle, const tn__trackable *node, size_t *entry)
{
    for (size_t i = 0; i < node->attributes.count; i++)
        if (node->attributes.item[i].checkpoint_key &&
            tn__bundle_find(bundle, node->attributes.item[i].checkpoint_key, entry))
            return true;
    return false;
}

/* --- all of it -------------------------------------------------------------------------------- */
/* TensorFlow's words: for a shape, for what is not there, for what is too much. */
static char *first_line(tn__checkpoint_reading *r)
{
    if (r->first.bytes.size && !r->first.failed)
        return tn__strdup(tn__text_get(&r->first));
    return tn__print("Found %zu Python objects that were not bound to checkpointed values, likely "
                     "due to changes in the Python program.",
                     r->missing);
}

static tn_status match(tn__checkpoint_reading *r, const tn__checkpoint_names *names)
{
    bool by_name = r->loading->by_name || names->prefix || names->rename;
    TN_TRY(tn__checkpoint_graph(r->bundle, &r->arena, &r->graph));
    TN_TRY(by_name || r->graph.nodes.count == 0 ? tn__checkpoint_match_names(r, names)
                                                : tn__checkpoint_match_objects(r));
    return r->loading->problem_count ? tn__loading_fail(r->loading, first_line(r)) : TN_OK;
}

/* A file is refused whose values are more than the limit allows. */
static tn_status check_limit(const tn__loading *loading, const tn__bundle *bundle)
{
    uint64_t sum = 0, limit = loading->source->decoded;
    for (size_t i = 0; limit && i < tn__bundle_count(bundle); i++) {
        uint64_t size = tn__bundle_at(bundle, i)->size;
        sum = size > UINT64_MAX - sum ? UINT64_MAX : sum + size;
    }
    if (sum <= limit)
        return TN_OK;
    return tn__fail(TN_RESOURCE_EXHAUSTED, "'%s' holds more than the limit of %llu bytes",
                    loading->source->name, (unsigned long long)limit);
}

/* The full names that the graph says of what was taken; the first of an entry counts. */
static void take_names(const tn__checkpoint_reading *r, const char **names)
{
    size_t entry, at;
    for (size_t i = 0; i < r->graph.nodes.count; i++) {
        const tn__trackable *node = &r->graph.nodes.item[i];
        for (size_t k = 0; k < node->attributes.count; k++) {
            const tn__serialized_tensor *value = &node->attributes.item[k];
            if (value->checkpoint_key && value->full_name &&
                tn__bundle_find(r->bundle, value->checkpoint_key, &entry) &&
                tn__ids_get(&r->taken, entry + 1, &at) && !names[at])
                names[at] = value->full_name;
        }
    }
}

/* The layers of a model that comes out of the same file were made in the scopes that its names show. */
static tn_status take_scopes(tn__checkpoint_reading *r)
{
    const char **names = tn__alloc_zeroed(r->weight.count + 1, sizeof *names);
    if (!names)
        return TN_RESOURCE_EXHAUSTED;
    size_t depth = tn__scope_begin("names");
    take_names(r, names);
    for (size_t i = 0; i < r->weight.count; i++)
        if (!names[i])
            names[i] = tn__variable_full_name(r->weight.item[i]);
    tn_status status = tn__scopes_from_names(r->context, r->weight.item, r->weight.count, names);
    tn__scope_end(depth);
    tn__free(names);
    return status;
}

void tn__checkpoint_reading_free(tn__checkpoint_reading *r)
{
    tn__arena_free(&r->arena);
    tn__ids_free(&r->taken);
    tn__free(r->weight.item);
    tn__text_free(&r->first);
}

tn_status tn__checkpoint_load(tn_context *context, tn__loading *loading, tn__bundle *bundle,
                              const tn__checkpoint_names *names, tn_layer *model, bool scopes)
{
    tn__checkpoint_reading r = {
        .context = context, .loading = loading, .bundle = bundle, .model = model, .node = -1
    };
    tn_status status = check_limit(loading, bundle);
    if (status == TN_OK)
        status = match(&r, names);
    if (status == TN_OK)
        status = tn__loading_finish(loading);
    if (status == TN_OK)
        status = tn__checkpoint_read_optimizer(&r, NULL);
    if (status == TN_OK && scopes)
        status = take_scopes(&r);
    tn__checkpoint_reading_free(&r);
    return status;
}

/* Which entry is which weight's is found as for loading; the weights stay as they are. */
static tn_status find_optimizer(tn__checkpoint_reading *r, tn__state_report *report)
{
    TN_TRY(tn__checkpoint_graph(r->bundle, &r->arena, &r->graph));
    if (r->graph.nodes.count == 0)
        return TN_OK;
    TN_TRY(tn__checkpoint_match_objects(r));
    return tn__checkpoint_read_optimizer(r, report);
}

tn_status tn__checkpoint_load_optimizer(tn_context *context, tn__loading *loading,
                                        tn__bundle *bundle, tn_layer *model,
                                        tn__state_report *report)
{
    tn__checkpoint_reading r = {
        .context = context, .loading = loading, .bundle = bundle, .model = model, .node = -1
    };
    tn_status status = find_optimizer(&r, report);
    tn__checkpoint_reading_free(&r);
    return status;
}
