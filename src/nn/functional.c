/* functional.c - functional models: from symbolic outputs back to inputs, in Keras's order. */
#include "nn/model.h"
#include "base/map.h"
#include "tenon/ops.h"
#include <stdlib.h>
#include <string.h>

/* --- the map of the graph (Keras: map_graph in ops/function.py) --------------------------------------------------------- */
/* One node met on the way from the outputs. */
typedef struct {
    tn__node *node;
    int depth;     /* operations between it and an output; -1: not known yet */
    size_t order;  /* which in the row of depths it was whose depth became known */
    size_t next;   /* which of its inputs to visit next */
    bool is_input;
} met;

typedef struct {
    tn_context *context;
    tn__functional *f;
    struct {
        met *item;
        size_t count, capacity;
    } met;
    tn__ids index;             /* first id of a node to its place in `met` */
    struct {
        size_t *item;          /* places in `met`, in the order in which they were finished: inputs before users */
        size_t count, capacity;
    } finished, stack;
} map;

static size_t input_index(const tn__functional *f, const tn_tensor *x)
{
    for (size_t i = 0; i < f->input_count; i++)
        if (f->input[i]->id == x->id)
            return i;
    return SIZE_MAX;
}

static tn_status meet(map *m, const tn_tensor *x)
{
    tn__node *node = x->of.output.node;
    size_t ignored;
    if (tn__ids_get(&m->index, node->first_id, &ignored))
        return TN_OK;
    met entry = { node, -1, 0, 0, input_index(m->f, x) != SIZE_MAX };
    TN_TRY(TN__PUSH(&m->met, entry));
    TN_TRY(tn__ids_set(&m->index, node->first_id, m->met.count - 1));
    return TN__PUSH(&m->stack, m->met.count - 1);
}

static tn_status fail_disconnected(const tn__node *node)
{
    const tn_layer *layer = tn__node_layer(node, NULL);
    return tn__fail(TN_INVALID_ARGUMENT,
                    "`inputs` not connected to `outputs`\nthe outputs also depend on input layer '%s', which is not among the model's inputs",
                    layer ? layer->name : node->op->name);
}

/* Depth first without recursion: a node is finished once all of its inputs are. */
static tn_status visit(map *m, const tn_tensor *output)
{
    TN_TRY(meet(m, output));
    while (m->stack.count > 0) {
        size_t at = m->stack.item[m->stack.count - 1];
        met *entry = &m->met.item[at];
        const tn__node *node = entry->node;
        if (!entry->is_input && node->input_count == 0)
            return fail_disconnected(node);
        if (entry->is_input || entry->next == node->input_count) {
            m->stack.count--;
            TN_TRY(TN__PUSH(&m->finished, at));
            continue;
        }
        const tn_tensor *input = node->input[entry->next++];
        if (input->form == TN__SYMBOLIC)
            TN_TRY(meet(m, input));
    }
    return TN_OK;
}

/* A shared layer is as deep as the deepest of its calls that was come to so far. */
static tn_status settle_layer(tn__ids *deepest, met *entry)
{
    const tn_layer *layer = tn__node_layer(entry->node, NULL);
    size_t depth;
    if (!layer)
        return TN_OK;
    if (tn__ids_get(deepest, (uint64_t)(uintptr_t)layer, &depth) && (int)depth > entry->depth)
        entry->depth = (int)depth;
    return tn__ids_set(deepest, (uint64_t)(uintptr_t)layer, (size_t)entry->depth);
}

static void deepen(met *entry, int depth, size_t *known)
{
    if (entry->depth < 0)
        entry->order = (*known)++;
    if (entry->depth < depth)
        entry->depth = depth;
}

/* From the outputs back: a node is deeper than everything that uses it. */
static tn_status settle_depths(map *m, tn__ids *deepest)
{
    size_t known = 0;
    for (size_t i = m->finished.count; i-- > 0;) {
        met *entry = &m->met.item[m->finished.item[i]];
        deepen(entry, 0, &known);
        TN_TRY(settle_layer(deepest, entry));
        for (size_t k = 0; !entry->is_input && k < entry->node->input_count; k++) {
            size_t at;
            const tn_tensor *input = entry->node->input[k];
            if (input->form == TN__SYMBOLIC && tn__ids_get(&m->index, input->of.output.node->first_id, &at))
                deepen(&m->met.item[at], entry->depth + 1, &known);
        }
    }
    return TN_OK;
}

static int deeper_first(const void *a, const void *b)
{
    const met *x = *(const met *const *)a, *y = *(const met *const *)b;
    return x->depth != y->depth ? (x->depth < y->depth) - (x->depth > y->depth) : (x > y) - (x < y);
}

/* Layers from the deepest to the outputs; of one depth in the order in which they were met. */
static tn_status add_layers(map *m, tn_layer *model)
{
    const met **order = tn__alloc((m->met.count + 1) * sizeof *order);
    if (!order)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < m->met.count; i++)
        order[i] = &m->met.item[i];
    qsort(order, m->met.count, sizeof *order, deeper_first);
    tn_status status = TN_OK;
    for (size_t i = 0; i < m->met.count && status == TN_OK; i++) {
        tn_layer *layer = tn__node_layer(order[i]->node, NULL);
        status = layer ? tn__layer_add_child(model, layer) : TN_OK;
    }
    tn__free(order);
    return status;
}

/* An input that no output needs is a layer of the model all the same. */
static tn_status add_unused_inputs(tn__functional *f, tn_layer *model)
{
    for (size_t i = 0; i < f->input_count; i++)
        TN_TRY(tn__layer_add_child(model, tn__node_layer(f->input[i]->of.output.node, NULL)));
    return TN_OK;
}

static int runs_first(const void *a, const void *b)
{
    const met *x = a, *y = b;
    return x->depth != y->depth ? (x->depth < y->depth) - (x->depth > y->depth) : (x->order > y->order) - (x->order < y->order);
}

/* The order in which Keras runs them, which the numbers of a shared layer with a state depend on. It ends the map: places change. */
static tn_status take_nodes(map *m)
{
    m->f->node = tn__alloc((m->met.count + 1) * sizeof *m->f->node);
    if (!m->f->node)
        return TN_RESOURCE_EXHAUSTED;
    qsort(m->met.item, m->met.count, sizeof *m->met.item, runs_first);
    for (size_t i = 0; i < m->met.count; i++)
        if (!m->met.item[i].is_input)
            m->f->node[m->f->node_count++] = tn__retain(m->met.item[i].node);
    return TN_OK;
}

static tn_status map_graph(tn_context *context, tn__functional *f, tn_layer *model)
{
    map m = { .context = context, .f = f };
    tn_status status = TN_OK;
    for (size_t i = 0; i < f->output_count && status == TN_OK; i++)
        status = visit(&m, f->output[i]);
    tn__ids deepest = { 0 };
    if (status == TN_OK)
        status = settle_depths(&m, &deepest);
    tn__ids_free(&deepest);
    if (status == TN_OK)
        status = add_layers(&m, model);
    if (status == TN_OK)
        status = add_unused_inputs(f, model);
    if (status == TN_OK)
        status = take_nodes(&m);
    tn__free(m.met.item);
    tn__free(m.finished.item);
    tn__free(m.stack.item);
    tn__ids_free(&m.index);
    return status;
}

/* --- the class ---------------------------------------------------------------------------------------------------------- */
static void functional_destroy(void *self)
{
    tn__functional *f = self;
    for (size_t i = 0; i < f->node_count; i++)
        tn__release(f->node[i]);
    tn__free(f->node);
    tn__free(f->input);
    tn__free(f->output);
    tn__release(f->inputs);
    tn__release(f->outputs);
}

static tn_status fit_inputs(const tn__functional *f, tn_list inputs, tn_tensor **fitted)
{
    if (inputs.count != f->input_count)
        return tn__fail(TN_INVALID_ARGUMENT, "the model expects %zu input(s), but it received %zu input tensors.", f->input_count, inputs.count);
    for (size_t i = 0; i < inputs.count; i++) {
        const tn_tensor *wanted = f->input[i];
        fitted[i] = tn__fit_input(inputs.item[i], (tn_dtype)wanted->dtype, &wanted->shape);
        if (!fitted[i])
            return tn__errors()->status;
        if (!tn__shape_fits(&fitted[i]->shape, &wanted->shape))
            return tn__fail(TN_INVALID_ARGUMENT, "Input %zu is incompatible with the model: expected shape=%s, found shape=%s", i,
                            TN__SHAPE(wanted->shape), TN__SHAPE(fitted[i]->shape));
    }
    return TN_OK;
}

static tn_tensor *functional_call(void *self, tn_list inputs)
{
    tn__functional *f = self;
    tn_context *context = tn__context();
    tn_tensor **fitted = tn__scope_alloc((f->input_count + 1) * sizeof *fitted);
    tn_tensor **results = tn__scope_alloc((f->output_count + 1) * sizeof *results);
    if (!fitted || !results || fit_inputs(f, inputs, fitted) != TN_OK ||
        tn__graph_replay(context, f->node, f->node_count, f->input, fitted, f->input_count, true, f->output, results, f->output_count) != TN_OK)
        return NULL;
    tn_tensor *const *at = results;
    tn_tensor *y = tn__rebuild(f->outputs, &at);
    for (size_t i = 0; i < f->output_count; i++)
        tn__release(results[i]);
    return tn__own(y);
}

static tn_status functional_input_output(tn_context *context, tn_layer *layer, tn_tensor **input, tn_tensor **output)
{
    (void)context;
    tn__functional *f = layer->self;
    *input = f->inputs;
    *output = f->outputs;
    return TN_OK;
}

tn_status tn__functional_write_config(tn_layer *layer, void *json);
tn_status tn__functional_read_config(tn_context *context, const void *json, tn_layer **layer);
static const tn_class_more functional_more = {
    .destroy = functional_destroy,
    .write_config = tn__functional_write_config,
    .read_config = tn__functional_read_config,
    .input_output = functional_input_output,
};
const tn_class tn__class_Functional = {
    .name = "Functional",
    .module = "keras.src.models.functional",
    .size = sizeof(tn__functional),
    .call = functional_call,
    .model = true,
    .more = &functional_more,
};

/* --- making ------------------------------------------------------------------------------------------------------------- */
static tn_status check_leaves(tn_tensor *const *leaves, size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++)
        if (!tn__is_functional(leaves[i]))
            return tn__fail(TN_INVALID_ARGUMENT,
                            "All `%s` values must be KerasTensors. Received: %s\n%s comes from tn_input() and from layers called on what does", what,
                            TN__TENSOR(leaves[i]), what);
    return TN_OK;
}

static tn_status take_ends(tn__functional *f, tn_tensor *inputs, tn_tensor *outputs)
{
    f->inputs = tn__retain(inputs);
    f->outputs = tn__retain(outputs);
    f->input_count = tn__flat_count(inputs);
    f->output_count = tn__flat_count(outputs);
    f->input = tn__alloc((f->input_count + 1) * sizeof *f->input);
    f->output = tn__alloc((f->output_count + 1) * sizeof *f->output);
    if (!f->input || !f->output)
        return TN_RESOURCE_EXHAUSTED;
    tn__flatten(inputs, f->input);
    tn__flatten(outputs, f->output);
    TN_TRY(check_leaves(f->input, f->input_count, "inputs"));
    return check_leaves(f->output, f->output_count, "outputs");
}

static bool is_input_layer(const tn_tensor *x)
{
    const tn_layer *layer = tn__node_layer(x->of.output.node, NULL);
    return layer && layer->of == &tn__class_InputLayer;
}

/* Explicit names must differ; Keras's text. */
static tn_status fail_repeated(const tn_layer *model, const char *name)
{
    int uses = 0;
    tn__text sites = { 0 };
    for (size_t i = 0; i < model->child.count; i++) {
        const tn_layer *layer = model->child.item[i];
        if (strcmp(layer->name, name) == 0)
            tn__text_add(&sites, "%s%s", uses++ ? " and at " : "", tn__line(layer->here));
    }
    tn_status status = tn__fail(TN_ALREADY_EXISTS,
                                "The name \"%s\" is used %d times in the model. All operation names should be unique.\nmade at %s\n"
                                "give one another .name, or leave it out: automatic names give way",
                                name, uses, tn__text_get(&sites));
    tn__text_free(&sites);
    return status;
}

static tn_status check_names(tn_layer *model)
{
    tn__map names = { 0 };
    tn_status status = TN_OK;
    for (size_t i = 0; i < model->child.count && status == TN_OK; i++) {
        tn_layer *layer = model->child.item[i];
        status = tn__map_get(&names, layer->name) ? fail_repeated(model, layer->name) : tn__map_set(&names, layer->name, layer);
    }
    tn__map_free(&names);
    return status;
}

static tn_status fill_model(tn_context *context, tn_layer *model, tn_tensor *inputs, tn_tensor *outputs)
{
    tn__functional *f = model->self;
    TN_TRY(take_ends(f, inputs, outputs));
    TN_TRY(map_graph(context, f, model));
    TN_TRY(tn__settle_names(model->child.item, model->child.count));
    TN_TRY(check_names(model));
    model->built = true;
    return TN_OK;
}

static tn_status model_of(tn_context *context, tn_tensor *inputs, tn_tensor *outputs, const char *name, tn_layer **out)
{
    tn__layer_common common = { .name = name, .trainable = true };
    tn_layer *model;
    TN_TRY(tn__layer_new(context, &tn__class_Functional, NULL, &common, &model));
    tn_status status = fill_model(context, model, inputs, outputs);
    if (status != TN_OK) {
        tn__release(model);
        return status;
    }
    *out = model;
    return TN_OK;
}

/* The map of what lies between inner inputs and the outputs; the layers are not taken by anybody. */
static tn_status map_cut(tn_context *context, tn__functional *cut, tn_tensor *inputs, tn_tensor *outputs)
{
    tn_layer holder = { .of = &tn__class_Functional };
    TN_TRY(take_ends(cut, inputs, outputs));
    tn_status status = map_graph(context, cut, &holder);
    for (size_t i = 0; i < holder.child.count; i++) {
        if (holder.child.item[i]->owner == &holder)
            holder.child.item[i]->owner = NULL;
        tn__release(holder.child.item[i]);
    }
    tn__free(holder.child.item);
    return status;
}

static tn_status fresh_inputs(tn_context *context, const tn__functional *cut, tn_tensor **fresh)
{
    for (size_t i = 0; i < cut->input_count; i++) {
        if (is_input_layer(cut->input[i]))
            fresh[i] = tn__retain(cut->input[i]);
        else
            TN_TRY(tn__input_new(context, NULL, (tn_dtype)cut->input[i]->dtype, &cut->input[i]->shape, &fresh[i]));
    }
    return TN_OK;
}

static tn_status make_from(tn_context *context, tn__functional *cut, tn_tensor **fresh, const char *name, tn_layer **out)
{
    tn_tensor **made = fresh + cut->input_count, *const *at = fresh;
    TN_TRY(fresh_inputs(context, cut, fresh));
    TN_TRY(tn__graph_replay(context, cut->node, cut->node_count, cut->input, fresh, cut->input_count, true, cut->output, made, cut->output_count));
    tn_tensor *inputs = tn__rebuild(cut->inputs, &at), *outputs = inputs ? tn__rebuild(cut->outputs, &at) : NULL;
    tn_status status = outputs ? model_of(context, inputs, outputs, name, out) : TN_RESOURCE_EXHAUSTED;
    tn__release(inputs);
    tn__release(outputs);
    return status;
}

/* A model that begins at an inner tensor: new InputLayers stand for such inputs, and the layers are called again from there. */
static tn_status cut_and_make(tn_context *context, tn_tensor *inputs, tn_tensor *outputs, const char *name, tn_layer **out)
{
    tn__functional cut = { 0 };
    tn_status status = map_cut(context, &cut, inputs, outputs);
    size_t ends = cut.input_count + cut.output_count;
    tn_tensor **fresh = status == TN_OK ? tn__alloc_zeroed(ends + 1, sizeof *fresh) : NULL;
    if (fresh)
        status = make_from(context, &cut, fresh, name, out);
    for (size_t i = 0; fresh && i < ends; i++)
        tn__release(fresh[i]);
    tn__free(fresh);
    functional_destroy(&cut);
    return tn__failed(context) ? context->error.status : status;
}

tn_status tn__functional_new(tn_context *context, tn_tensor *inputs, tn_tensor *outputs, const char *name, tn_layer **out)
{
    *out = NULL;
    size_t count = tn__flat_count(inputs);
    tn_tensor **leaves = tn__alloc((count + 1) * sizeof *leaves);
    if (!leaves)
        return TN_RESOURCE_EXHAUSTED;
    tn__flatten(inputs, leaves);
    bool all_inputs = true;
    tn_status status = check_leaves(leaves, count, "inputs");
    for (size_t i = 0; i < count && status == TN_OK; i++)
        all_inputs &= is_input_layer(leaves[i]);
    tn__free(leaves);
    TN_TRY(status);
    return all_inputs ? model_of(context, inputs, outputs, name, out) : cut_and_make(context, inputs, outputs, name, out);
}

tn_model *tn_model_new(const tn_model_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    tn_layer *model = NULL;
    if (tn__check_tensor(options->inputs, "tn_model: inputs") && tn__check_tensor(options->outputs, "tn_model: outputs"))
        (void)!tn__functional_new(context, options->inputs, options->outputs, options->name, &model);
    return tn__own(model);
}
