/* checkpoint_write.c - values, and models, into checkpoints. */
#include "saving/checkpoint.h"
#include "saving/trackable.h"
#include <stdlib.h>
#include <string.h>

tn_status tn__checkpoint_add(tn__checkpoint *checkpoint, const char *key, tn_tensor *variable)
{
    tn__checkpoint_value *added = TN__ARENA_ADD(&checkpoint->arena, &checkpoint->value);
    if (!added)
        return TN_RESOURCE_EXHAUSTED;
    added->key = tn__arena_text(&checkpoint->arena, key);
    return added->key ? tn__variable_read(variable, &added->value) : TN_RESOURCE_EXHAUSTED;
}

void tn__checkpoint_free(tn__checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->value.count; i++)
        tn__release(checkpoint->value.item[i].value);
    tn__arena_free(&checkpoint->arena);
    *checkpoint = (tn__checkpoint){ 0 };
}

static int by_key(const void *left, const void *right)
{
    const tn__checkpoint_value *a = left, *b = right;
    return strcmp(a->key, b->key);
}

static tn_status put_values(const tn__checkpoint *checkpoint, tn__span graph,
                            tn__bundle_writer *writer)
{
    if (graph.data)
        TN_TRY(tn__bundle_add_texts(writer, TN__OBJECT_GRAPH_KEY, 0, NULL, &graph));
    for (size_t i = 0; i < checkpoint->value.count; i++) {
        const tn__checkpoint_value *v = &checkpoint->value.item[i];
        TN_TRY(tn__bundle_add(writer, v->key, v->value->dtype, v->value->shape.rank,
                              v->value->shape.dims, v->value->data));
    }
    return TN_OK;
}

tn_status tn__checkpoint_write(tn__checkpoint *checkpoint, const char *prefix, tn__span graph)
{
    tn__bundle_writer *writer;
    if (checkpoint->value.count)
        qsort(checkpoint->value.item, checkpoint->value.count, sizeof(tn__checkpoint_value),
              by_key);
    TN_TRY(tn__bundle_writer_open(prefix, &writer));
    if (put_values(checkpoint, graph, writer) == TN_OK)
        return tn__bundle_finish(writer);
    tn__bundle_writer_abort(writer);
    return tn__errors()->status;
}

/* --- models ----------------------------------------------------------------------------------- */
static tn_status take_values(tn__tracker *tracker, tn__checkpoint *checkpoint)
{
    for (size_t i = 0; i < tracker->node.count; i++) {
        if (!tracker->node.item[i].variable)
            continue;
        const char *key = tn__tracker_key(tracker, i);
        TN_TRY(key ? tn__checkpoint_add(checkpoint, key, tracker->node.item[i].variable)
                   : TN_RESOURCE_EXHAUSTED);
    }
    return TN_OK;
}

/* All of it is there in memory before the disk is touched. */
static tn_status save(tn__tracker *tracker, tn__checkpoint *checkpoint, const char *prefix)
{
    tn__object_graph graph;
    tn__bytes text = { 0 };
    TN_TRY(tn__tracker_graph(tracker, &graph));
    TN_TRY(take_values(tracker, checkpoint));
    tn_status status = tn__object_graph_write(&graph, &text);
    if (status == TN_OK)
        status = tn__checkpoint_write(checkpoint, prefix, tn__bytes_span(&text));
    tn__bytes_free(&text);
    return status;
}

tn_status tn__tracker_save(tn__tracker *tracker, const char *prefix)
{
    tn__checkpoint checkpoint = { 0 };
    tn_status status = save(tracker, &checkpoint, prefix);
    tn__checkpoint_free(&checkpoint);
    return status;
}

tn_status tn__checkpoint_save(tn_layer *model, const char *prefix, bool optimizer, tn__era era)
{
    tn__tracker tracker;
    tn_status status = tn__tracker_model(model, optimizer && era == TN__KERAS_2, &tracker);
    if (status == TN_OK)
        status = tn__checkpoint_add_keras_3(&tracker);
    if (status == TN_OK && optimizer && era == TN__KERAS_3)
        status = tn__checkpoint_add_optimizer_3(&tracker, model);
    if (status == TN_OK)
        status = tn__checkpoint_add_aliases(&tracker, model);
    if (status == TN_OK)
        status = tn__tracker_save(&tracker, prefix);
    tn__tracker_free(&tracker);
    return status == TN_OK ? tn__checkpoint_note(prefix, &prefix, 1) : status;
}
