/* view.c */
#include "show/view.h"
#include <stdlib.h>

static uint64_t key_of(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

static tn_status add_item(tn__view *view, tn_layer *layer, const tn__node *op, size_t place, size_t behind)
{
    tn__view_item item = { .layer = layer, .first = SIZE_MAX, .last = SIZE_MAX, .place = place, .behind = behind };
    TN_TRY(TN__PUSH(&view->item, item));
    return tn__ids_set(&view->index, key_of(layer ? (const void *)layer : op), view->item.count - 1);
}

static size_t item_of(const tn__view *view, const tn__node *node)
{
    const tn_layer *layer = tn__node_layer(node, NULL);
    size_t at;
    return tn__ids_get(&view->index, key_of(layer ? (const void *)layer : node), &at) ? at : SIZE_MAX;
}

/* --- ops ---------------------------------------------------------------------------------------------------------------- */
/* "AddV2", and "AddV2_1" for the next. */
static tn_status name_op(tn__view *view, const tn__node *node, tn__map *names)
{
    tn__view_item *item = &view->item.item[view->item.count - 1];
    size_t before = (size_t)(uintptr_t)tn__map_get(names, node->op->name);
    item->name = before ? tn__print("%s_%zu", node->op->name, before) : tn__strdup(node->op->name);
    return item->name ? tn__map_set(names, node->op->name, (void *)(uintptr_t)(before + 1)) : TN_RESOURCE_EXHAUSTED;
}

/* An op stands behind the last item that it uses. */
static tn_status add_op(tn__view *view, const tn__node *node, size_t number, tn__map *names)
{
    size_t place = 0;
    for (size_t i = 0; i < node->input_count; i++) {
        const tn_tensor *x = node->input[i];
        size_t at = x->form == TN__SYMBOLIC ? item_of(view, x->of.output.node) : SIZE_MAX;
        if (at != SIZE_MAX && view->item.item[at].place > place)
            place = view->item.item[at].place;
    }
    TN_TRY(add_item(view, NULL, node, place, number));
    return name_op(view, node, names);
}

static int by_place(const void *a, const void *b)
{
    const tn__view_item *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return (x->behind > y->behind) - (x->behind < y->behind);
}

static tn_status add_ops(tn__view *view, const tn__functional *f)
{
    tn__map names = { 0 };
    tn_status status = TN_OK;
    size_t layers = view->item.count;
    for (size_t i = 0; i < f->node_count && status == TN_OK; i++)
        if (!tn__node_layer(f->node[i], NULL))
            status = add_op(view, f->node[i], i + 1, &names);
    tn__map_free(&names);
    if (status != TN_OK || view->item.count == layers)
        return status;
    qsort(view->item.item, view->item.count, sizeof *view->item.item, by_place);
    for (size_t i = 0; i < view->item.count; i++) {
        const tn__view_item *item = &view->item.item[i];
        const void *key = item->layer ? (const void *)item->layer : f->node[item->behind - 1];
        TN_TRY(tn__ids_set(&view->index, key_of(key), i));
    }
    return TN_OK;
}

/* --- calls -------------------------------------------------------------------------------------------------------------- */
/* Into the item's list of calls, which is in the order of their numbers; mostly they come so. */
static void link_call(tn__view *view, size_t at)
{
    tn__view_call *calls = view->call.item;
    tn__view_item *item = &view->item.item[calls[at].item];
    size_t *before = &item->first;
    if (item->last != SIZE_MAX && calls[item->last].index <= calls[at].index)
        before = &calls[item->last].next;
    while (*before != SIZE_MAX && calls[*before].index <= calls[at].index)
        before = &calls[*before].next;
    calls[at].next = *before;
    *before = at;
    if (calls[at].next == SIZE_MAX)
        item->last = at;
}

static tn_status add_call(tn__view *view, const tn__node *node)
{
    int index = 0;
    (void)tn__node_layer(node, &index);
    tn__view_call call = { .node = node, .item = item_of(view, node), .next = SIZE_MAX, .index = index };
    TN_TRY(TN__PUSH(&view->call, call));
    return tn__ids_set(&view->calls, key_of(node), view->call.count - 1);
}

static tn_status add_functional(tn__view *view)
{
    const tn__functional *f = view->model->self;
    size_t ignored;
    TN_TRY(add_ops(view, f));
    for (size_t i = 0; i < f->input_count; i++)
        if (!tn__ids_get(&view->calls, key_of(f->input[i]->of.output.node), &ignored))
            TN_TRY(add_call(view, f->input[i]->of.output.node));
    for (size_t i = 0; i < f->node_count; i++)
        TN_TRY(add_call(view, f->node[i]));
    return TN_OK;
}

/* From the output back to the input, and turned round. */
static tn_status add_sequential(tn__view *view)
{
    const tn__sequential *s = view->model->self;
    const tn__node *node = s->output ? s->output->of.output.node : NULL;
    size_t count = 0;
    for (const tn__node *at = node; at; at = at->input_count ? at->input[0]->of.output.node : NULL)
        count++;
    TN_TRY(TN__RESERVE(&view->call, count));
    for (const tn__node *at = node; at; at = at->input_count ? at->input[0]->of.output.node : NULL) {
        tn__view_call call = { .node = at, .item = item_of(view, at), .next = SIZE_MAX };
        (void)tn__node_layer(at, &call.index);
        view->call.item[count - ++view->call.count] = call;
    }
    for (size_t i = 0; i < view->call.count; i++)
        TN_TRY(tn__ids_set(&view->calls, key_of(view->call.item[i].node), i));
    return TN_OK;
}

/* A Sequential that knows its input has its symbolic ends made now; one whose layers refuse them is shown without. */
static void make_ends(tn_context *context, tn_layer *model)
{
    tn_shape shape;
    tn_tensor *input, *output;
    if (model->of == &tn__class_Sequential && tn__sequential_input_shape(model, &shape) &&
        model->of->more->input_output(context, model, &input, &output) != TN_OK)
        tn__fail_clear();
}

tn_status tn__view_open(tn_context *context, tn_layer *model, tn__view *view)
{
    tn_layer *const *layers;
    size_t count = tn__model_layers(model, &layers);
    *view = (tn__view){ .model = model };
    make_ends(context, model);
    for (size_t i = 0; i < count; i++)
        TN_TRY(add_item(view, layers[i], NULL, i, 0));
    if (model->of == &tn__class_Functional)
        TN_TRY(add_functional(view));
    else if (model->of == &tn__class_Sequential)
        TN_TRY(add_sequential(view));
    for (size_t i = 0; i < view->call.count; i++)
        if (view->call.item[i].item != SIZE_MAX)
            link_call(view, i);
    return TN_OK;
}

void tn__view_close(tn__view *view)
{
    for (size_t i = 0; i < view->item.count; i++)
        tn__free(view->item.item[i].name);
    tn__free(view->item.item);
    tn__free(view->call.item);
    tn__ids_free(&view->index);
    tn__ids_free(&view->calls);
}

/* --- asking ------------------------------------------------------------------------------------------------------------- */
const char *tn__view_name(const tn__view_item *item)
{
    return item->layer ? item->layer->name : item->name;
}

const char *tn__view_class(const tn__view *view, const tn__view_item *item)
{
    return item->layer ? item->layer->of->name : view->call.item[item->first].node->op->name;
}

const tn__view_call *tn__view_source(const tn__view *view, const tn_tensor *input)
{
    size_t at;
    if (input->form != TN__SYMBOLIC || !tn__ids_get(&view->calls, key_of(input->of.output.node), &at))
        return NULL;
    return &view->call.item[at];
}

bool tn__view_is_chain(const tn__view *view)
{
    if (view->model->of != &tn__class_Functional)
        return true;
    bool chain = view->call.count == view->item.count;
    for (size_t i = 1; i < view->call.count && chain; i++) {
        const tn__node *node = view->call.item[i].node;
        chain = node->input_count == 1 && tn__view_source(view, node->input[0]) == &view->call.item[i - 1];
    }
    return chain;
}
