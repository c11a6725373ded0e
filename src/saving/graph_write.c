/* graph_write.c - tenon's nodes are TensorFlow's raw ops: a node's attributes are read off its
 * field table, its types off its signature. */
#include "saving/graph_write.h"
#include "function/control.h"
#include "ops/ops.h"
#include "ops/update.h"
#include <string.h>

/* One function on its way. */
typedef struct {
    tn__arena *arena;
    tn__function_library *library;
    const tn__function_source *source;
    size_t function; /* its place in the library, whose items move */
    tn__node_list nodes;
    bool *needed;          /* of the graph's nodes */
    const char *effect;    /* the last node that changes something, or NULL */
    tn__text_list readers; /* nodes that have read a variable since */
} writing;

/* --- variables -------------------------------------------------------------------------------- */
static tn_tensor *variable_of(const tn__node *node)
{
    return node->op == &tn__op_VarHandleOp ? *(tn_tensor **)node->attrs : NULL;
}

static bool find_variable(tn_tensor *const *items, size_t count, const tn_tensor *x, size_t *at)
{
    for (*at = 0; *at < count; ++*at)
        if (items[*at]->id == x->id)
            return true;
    return false;
}

tn_status tn__graph_variables(tn__arena *arena, const tn_graph *graph, tn__variables *variables)
{
    size_t at;
    for (size_t i = 0; i < graph->node.count; i++) {
        tn_tensor *x = variable_of(graph->node.item[i]);
        if (!x || find_variable(variables->item, variables->count, x, &at))
            continue;
        tn_tensor **item = TN__ARENA_ADD(arena, variables);
        if (!item)
            return TN_RESOURCE_EXHAUSTED;
        *item = x;
    }
    return TN_OK;
}

/* --- which nodes are needed, and which wait for which ----------------------------------------- */
typedef enum { PURE, READS, CHANGES } effect;

static bool is_loop(const tn__op *op)
{
    return op == &tn__op_While || op == &tn__op_StatelessWhile;
}

static bool is_control(const tn__op *op)
{
    return is_loop(op) || op == &tn__op_If || op == &tn__op_StatelessIf || op == &tn__op_Case ||
           op == &tn__op_StatelessCase;
}

static bool takes_variable(const tn__node *node)
{
    for (size_t i = 0; i < node->input_count; i++)
        if (node->input[i]->dtype == TN__RESOURCE)
            return true;
    return false;
}

static bool is_leaf(const tn__op *op)
{
    return op == &tn__op_Placeholder || op == &tn__op_Const || op == &tn__op_VarHandleOp;
}

static effect effect_of(const tn__node *node)
{
    const tn__op *op = node->op;
    if (is_leaf(op) || !(op->flags & TN__STATEFUL))
        return takes_variable(node) ? READS : PURE;
    return op == &tn__op_ReadVariableOp || op == &tn__op_VarIsInitializedOp ? READS : CHANGES;
}

static void need(writing *w, const tn_tensor *x)
{
    const tn__node *node = x->of.output.node;
    if (x->form == TN__SYMBOLIC && node->graph == w->source->graph)
        w->needed[node->index] = true;
}

static tn_status mark_needed(writing *w)
{
    const tn_graph *graph = w->source->graph;
    w->needed = tn__arena_alloc(w->arena, graph->node.count + 1);
    if (!w->needed)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < w->source->output_count; i++)
        need(w, w->source->output[i]);
    for (size_t i = graph->node.count; i-- > 0;) {
        const tn__node *node = graph->node.item[i];
        if (!w->needed[i] && effect_of(node) != CHANGES)
            continue;
        w->needed[i] = true;
        for (size_t k = 0; k < node->input_count; k++)
            need(w, node->input[k]);
    }
    return TN_OK;
}

static bool takes_from(tn_tensor *const *items, size_t count, const tn__node *node, size_t first)
{
    for (size_t i = 0; i < count; i++)
        if (items[i]->form == TN__SYMBOLIC && items[i]->of.output.node == node &&
            (size_t)items[i]->of.output.index >= first)
            return true;
    return false;
}

/* How many of a node's outputs are for gradients alone, and nobody here takes them: they are not
 * written. */
static size_t unwanted(const writing *w, const tn__node *node)
{
    const tn_graph *graph = w->source->graph;
    size_t kept = node->op->count_kept ? node->op->count_kept(node->attrs) : 0;
    size_t first = node->output_count - kept;
    bool wanted = takes_from(w->source->output, w->source->output_count, node, first);
    for (size_t i = node->index + 1; i < graph->node.count && kept && !wanted; i++)
        wanted = w->needed[i] && takes_from(graph->node.item[i]->input,
                                            graph->node.item[i]->input_count, node, first);
    return wanted ? 0 : kept;
}

static tn_status wait_for(writing *w, tn__node_def *def, const char *name)
{
    return name ? tn__node_input(w->arena, def, "^%s", name) : TN_OK;
}

/* The program's order, as far as it can be seen: changes wait for all before them, readers for the
 * last change. */
static tn_status order(writing *w, const tn__node *node, tn__node_def *def)
{
    effect e = effect_of(node);
    if (e == PURE)
        return TN_OK;
    TN_TRY(wait_for(w, def, w->effect));
    if (e == READS) {
        const char **reader = TN__ARENA_ADD(w->arena, &w->readers);
        if (!reader)
            return TN_RESOURCE_EXHAUSTED;
        *reader = def->name;
        return TN_OK;
    }
    for (size_t i = 0; i < w->readers.count; i++)
        TN_TRY(wait_for(w, def, w->readers.item[i]));
    w->readers.count = 0;
    w->effect = def->name;
    return TN_OK;
}

/* --- what stands for a tensor ----------------------------------------------------------------- */
static bool find_input(const writing *w, const tn_tensor *x, size_t *at)
{
    return find_variable(w->source->input, w->source->input_count, x, at);
}

/* The name that TensorFlow's declaration gives to output `index`, and its place behind that name.
 */
static const char *output_name(const tn__node *node, size_t index, size_t *place)
{
    const tn__signature *s = tn__op_signature(node->op);
    *place = index;
    if (!s)
        return NULL;
    if (is_control(node->op) || s->outputs == 0 || strcmp(node->op->name, "RandomGammaGrad") == 0)
        return "output";
    if (s->output[0].list)
        return s->output[0].name;
    *place = 0;
    return index < s->outputs ? s->output[index].name : "output";
}

/* Behind a loop, what it collected comes out of a node of its own. */
static bool is_collected(const tn__node *node, size_t index, size_t *at)
{
    if (!is_loop(node->op))
        return false;
    size_t variables = tn__while_variables(node->attrs);
    *at = index - variables;
    return index >= variables;
}

static const char *name_of(const writing *w, const tn_tensor *x)
{
    size_t at, place;
    const tn__node *node = x->of.output.node;
    const tn_tensor *variable = variable_of(node);
    if (variable && find_variable(w->source->variable, w->source->variable_count, variable, &at))
        return tn__arena_print(w->arena, "arg_%zu", w->source->input_count + at);
    if (find_input(w, x, &at))
        return tn__arena_print(w->arena, "arg_%zu", at);
    size_t index = (size_t)x->of.output.index;
    if (is_collected(node, index, &at))
        return tn__arena_print(w->arena, "collected_%zu_%zu:tensor:0", node->index, at);
    if (node->op == &tn__op_LayerNormGrad || node->op == &tn__op_GroupNormGrad)
        return tn__norm_gradient_name(w->arena, node, index);
    const char *output = output_name(node, index, &place);
    return output ? tn__arena_print(w->arena, "%s_%zu:%s:%zu", node->op->name, node->index, output,
                                    place)
                  : NULL;
}

static tn_status add_input(writing *w, tn__node_def *def, const tn_tensor *x)
{
    const char *name = name_of(w, x);
    return name ? tn__node_input(w->arena, def, "%s", name) : tn__errors()->status;
}

static tn_status add_inputs(writing *w, tn__node_def *def, const tn__node *node)
{
    for (size_t i = 0; i < node->input_count; i++)
        TN_TRY(add_input(w, def, node->input[i]));
    return TN_OK;
}

/* --- attributes of a plain op ----------------------------------------------------------------- */
static bool is_zero(const int64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (values[i])
            return false;
    return true;
}

static tn_status add_ints(writing *w, tn__node_def *def, const char *key, const int64_t *values,
                          size_t count)
{
    tn__attr_list *list;
    TN_TRY(tn__attr_types(w->arena, &def->attr, key, &list));
    for (size_t i = 0; i < count; i++) {
        int64_t *item = TN__ARENA_ADD(w->arena, &list->i);
        if (!item)
            return TN_RESOURCE_EXHAUSTED;
        *item = values[i];
    }
    return TN_OK;
}

static tn_status add_axes(writing *w, tn__node_def *def, const char *key, const tn_axes *axes)
{
    int64_t values[TN_MAX_RANK] = { 0 };
    size_t count = 0;
    for (; count < TN_MAX_RANK && count < (size_t)axes->count; count++)
        values[count] = axes->axis[count];
    return add_ints(w, def, key, values, count);
}

static tn_status add_value(writing *w, tn__attrs *attrs, const char *key, tn_tensor *value)
{
    return tn__attr_tensor(w->arena, attrs, key, value->dtype, &value->shape, value->data);
}

/* Explicit paddings stand there only where the padding says so. */
static size_t count_ints(const tn_field *field, const void *attrs)
{
    const int64_t *values = (const int64_t *)(const void *)((const char *)attrs + field->offset);
    return is_zero(values, field->count) ? 0 : field->count;
}

static tn_status add_field(writing *w, tn__node_def *def, const tn_field *f, const void *attrs)
{
    const void *at = (const char *)attrs + f->offset;
    tn__arena *arena = w->arena;
    switch (f->kind) {
    case TN_FIELD_INT:
        return tn__attr_int(arena, &def->attr, f->name, *(const int64_t *)at);
    case TN_FIELD_AXIS:
        return tn__attr_int(arena, &def->attr, f->name, *(const int *)at);
    case TN_FIELD_FLOAT:
        return tn__attr_put(
            arena, &def->attr, f->name,
            (tn__attr_value){ .which = TN__ATTR_F, .f = (float)*(const double *)at });
    case TN_FIELD_BOOL:
        return tn__attr_put(arena, &def->attr, f->name,
                            (tn__attr_value){ .which = TN__ATTR_B, .b = *(const bool *)at });
    case TN_FIELD_FLAG:
        return tn__attr_put(
            arena, &def->attr, f->name,
            (tn__attr_value){ .which = TN__ATTR_B, .b = *(const tn_flag *)at != 0 });
    case TN_FIELD_STRING:
        return *(const char *const *)at
                   ? tn__attr_text(arena, &def->attr, f->name, *(const char *const *)at)
                   : TN_OK;
    case TN_FIELD_DTYPE:
        return tn__attr_type(arena, &def->attr, f->name, *(const tn_dtype *)at);
    case TN_FIELD_SHAPE:
        return tn__attr_shape(arena, &def->attr, f->name, at);
    case TN_FIELD_INTS:
        return add_ints(w, def, f->name, at, count_ints(f, attrs));
    case TN_FIELD_AXES:
        return add_axes(w, def, f->name, at);
    case TN_FIELD_TENSOR:
        return add_value(w, &def->attr, f->name, *(tn_tensor *const *)at);
    default:
        return tn__fail(TN_INTERNAL, "%s: attribute %s has no form in a GraphDef", def->op,
                        f->name);
    }
}

/* Attributes that TensorFlow's op has not. */
static bool is_own(const tn__op *op, const char *attr)
{
    static const struct {
        const char *op, *attr;
    } own[] = { { "ResizeArea", "half_pixel_centers" },
                { "MaxPoolGradGrad", "explicit_paddings" } };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(op->name, own[i].op) == 0 && strcmp(attr, own[i].attr) == 0)
            return true;
    return false;
}

/* The dtype of the first input or output that the type is of. */
static bool find_type(const tn__signature *s, const tn__node *node, size_t type, int *dtype)
{
    for (size_t i = 0; i < node->input_count; i++)
        if (s->input[tn__signature_arg(s, node->input_count, i)].type == (int8_t)type) {
            *dtype = node->input[i]->dtype;
            return true;
        }
    for (size_t i = 0; i < s->outputs && i < node->output_count; i++)
        if (s->output[i].type == (int8_t)type) {
            *dtype = node->output[i].dtype;
            return true;
        }
    return false;
}

static tn_status add_types(writing *w, tn__node_def *def, const tn__node *node,
                           const tn__signature *s)
{
    for (size_t i = 0; i < s->types; i++) {
        int dtype;
        const char *key = s->type[i].name;
        if (strncmp(def->op, "ResourceScatterNd", 17) == 0 && strcmp(key, "dtype") == 0)
            key = "T";
        if (!s->type[i].attr && find_type(s, node, i, &dtype))
            TN_TRY(tn__attr_type(w->arena, &def->attr, key, dtype));
    }
    return TN_OK;
}

static tn_status add_attrs(writing *w, tn__node_def *def, const tn__node *node)
{
    const tn__signature *s = tn__op_signature(node->op);
    if (!s)
        return TN_INTERNAL;
    TN__EACH_FIELD(field, node->op->attrs)
    if (!is_own(node->op, field->name))
        TN_TRY(add_field(w, def, field, node->attrs));
    TN_TRY(add_types(w, def, node, s));
    if (s->lists)
        TN_TRY(tn__attr_int(w->arena, &def->attr, "N",
                            (int64_t)((node->input_count - (s->inputs - s->lists)) / s->lists)));
    if (node->op == &tn__op_ReadVariableOp || node->op == &tn__op_Const)
        return tn__attr_type(w->arena, &def->attr, "dtype", node->output[0].dtype);
    return TN_OK;
}

/* --- control flow ----------------------------------------------------------------------------- */
static tn_status types_of(writing *w, tn__node_def *def, const char *key, const tn__node *node,
                          size_t from)
{
    tn__attr_list *list;
    TN_TRY(tn__attr_types(w->arena, &def->attr, key, &list));
    for (size_t i = from; i < node->input_count; i++)
        TN_TRY(tn__types_add(w->arena, list, node->input[i]->dtype));
    return TN_OK;
}

static tn_status output_types(writing *w, tn__node_def *def, const tn__node *node)
{
    tn__attr_list *list;
    TN_TRY(tn__attr_types(w->arena, &def->attr, "Tout", &list));
    for (size_t i = 0; i < node->output_count - unwanted(w, node); i++)
        TN_TRY(tn__types_add(w->arena, list, node->output[i].dtype));
    return TN_OK;
}

/* The program's variables that the closures take: the node's last inputs. */
static tn_status node_variables(writing *w, const tn__node *node, size_t from, tn__variables *list)
{
    for (size_t i = from; i < node->input_count; i++) {
        tn_tensor **item = TN__ARENA_ADD(w->arena, list);
        if (!item)
            return TN_RESOURCE_EXHAUSTED;
        *item = variable_of(node->input[i]->of.output.node);
        if (!*item)
            return tn__fail(TN_INTERNAL, "%s: input %zu is no variable", node->op->name, i);
    }
    return TN_OK;
}

static const char *closure_name(writing *w, const tn__node *node, const char *part)
{
    return tn__arena_print(w->arena, "%s_%s_%zu_%s", w->source->name, node->op->name, node->index,
                           part);
}

static tn_status write_closure(writing *w, const tn__closure *c, const tn__variables *variables,
                               size_t outputs, const char *name)
{
    if (!name)
        return TN_RESOURCE_EXHAUSTED;
    tn__function_source source = { name,
                                   (tn_graph *)(void *)c->graph,
                                   c->inputs->of.tuple.item,
                                   c->outputs->of.tuple.item,
                                   variables->item,
                                   tn__closure_inputs(c),
                                   outputs,
                                   variables->count };
    return tn__function_write(w->arena, w->library, &source);
}

static tn_status write_branch(writing *w, tn__node_def *def, const tn__node *node,
                              const tn__closure *c, const char *key)
{
    tn__variables variables = { 0 };
    const char *name = closure_name(w, node, key);
    TN_TRY(node_variables(w, node, 1 + tn__closure_inputs(c), &variables));
    TN_TRY(write_closure(w, c, &variables, node->output_count - unwanted(w, node), name));
    return tn__attr_func(w->arena, &def->attr, key, name);
}

static tn_status write_if(writing *w, tn__node_def *def, const tn__node *node)
{
    const tn__if_attrs *a = node->attrs;
    TN_TRY(tn__attr_type(w->arena, &def->attr, "Tcond", node->input[0]->dtype));
    TN_TRY(types_of(w, def, "Tin", node, 1));
    TN_TRY(output_types(w, def, node));
    TN_TRY(write_branch(w, def, node, &a->then, "then_branch"));
    return write_branch(w, def, node, &a->otherwise, "else_branch");
}

static tn_status write_case(writing *w, tn__node_def *def, const tn__node *node)
{
    const tn__closures *branches = (const void *)((const tn__case_attrs *)node->attrs)->branches;
    tn__attr_list *list;
    TN_TRY(types_of(w, def, "Tin", node, 1));
    TN_TRY(output_types(w, def, node));
    TN_TRY(tn__attr_types(w->arena, &def->attr, "branches", &list));
    for (size_t i = 0; i < branches->count; i++) {
        tn__variables variables = { 0 };
        const tn__closure *c = &branches->item[i];
        const char *part = tn__arena_print(w->arena, "branch_%zu", i);
        const char *name = part ? closure_name(w, node, part) : NULL;
        TN_TRY(node_variables(w, node, 1 + tn__closure_inputs(c), &variables));
        TN_TRY(write_closure(w, c, &variables, node->output_count - unwanted(w, node), name));
        tn__func_def *branch = TN__ARENA_ADD(w->arena, &list->func);
        if (!branch)
            return TN_RESOURCE_EXHAUSTED;
        branch->name = name;
    }
    return TN_OK;
}

/* --- functions -------------------------------------------------------------------------------- */
static tn__function_def *function_of(writing *w)
{
    return &w->library->function.item[w->function];
}

static tn_status add_argument(writing *w, const char *name, int dtype, bool output)
{
    tn__op_def *signature = function_of(w)->signature;
    tn__arg_def *arg = output ? TN__ARENA_ADD(w->arena, &signature->output_arg)
                              : TN__ARENA_ADD(w->arena, &signature->input_arg);
    if (!arg || !name)
        return TN_RESOURCE_EXHAUSTED;
    arg->name = name;
    arg->type = dtype;
    return TN_OK;
}

static tn_status add_return(writing *w, size_t index, int dtype, const char *value)
{
    const char *name = tn__arena_print(w->arena, "output_%zu", index);
    TN_TRY(add_argument(w, name, dtype, true));
    tn__text_pair *pair = TN__ARENA_ADD(w->arena, &function_of(w)->ret);
    if (!pair || !value)
        return TN_RESOURCE_EXHAUSTED;
    *pair = (tn__text_pair){ name, value };
    return TN_OK;
}

/* Shapes are no part of an OpDef; TensorFlow keeps those of arguments beside it. */
static tn_status add_input_shape(writing *w, size_t index, const tn_shape *shape)
{
    tn__attr_list *list;
    tn__arg_attrs *attrs = TN__ARENA_ADD(w->arena, &function_of(w)->arg_attr);
    if (!attrs)
        return TN_RESOURCE_EXHAUSTED;
    attrs->key = (uint32_t)index;
    TN_TRY(tn__attr_types(w->arena, &attrs->value.attr, "_output_shapes", &list));
    tn__shape_def *item = TN__ARENA_ADD(w->arena, &list->shape);
    tn__shape_def *def = item ? tn__shape_def_of(w->arena, shape) : NULL;
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    *item = *def;
    return TN_OK;
}

static tn_status add_arguments(writing *w)
{
    const tn__function_source *s = w->source;
    for (size_t i = 0; i < s->input_count + s->variable_count; i++) {
        bool variable = i >= s->input_count;
        TN_TRY(add_argument(w, tn__arena_print(w->arena, "arg_%zu", i),
                            variable ? TN__TF_RESOURCE : s->input[i]->dtype, false));
        TN_TRY(add_input_shape(w, i, variable ? &TN_SCALAR : &s->input[i]->shape));
    }
    return TN_OK;
}

/* Each through an Identity, so that an argument may be given back. */
static tn_status add_returns(writing *w)
{
    for (size_t i = 0; i < w->source->output_count; i++) {
        const tn_tensor *x = w->source->output[i];
        tn__node_def *def = tn__node_add(w->arena, &w->nodes, "Identity", "Return_%zu", i);
        if (!def)
            return TN_RESOURCE_EXHAUSTED;
        TN_TRY(add_input(w, def, x));
        TN_TRY(tn__attr_type(w->arena, &def->attr, "T", x->dtype));
        TN_TRY(add_return(w, i, x->dtype, tn__arena_print(w->arena, "%s:output:0", def->name)));
    }
    return TN_OK;
}

/* What happens although no output needs it. */
static tn_status add_effect(writing *w)
{
    if (!w->effect)
        return TN_OK;
    tn__function_def *f = function_of(w);
    tn__text_pair *pair = TN__ARENA_ADD(w->arena, &f->control_ret);
    const char **name = pair ? TN__ARENA_ADD(w->arena, &f->signature->control_output) : NULL;
    if (!name)
        return TN_RESOURCE_EXHAUSTED;
    *pair = (tn__text_pair){ w->effect, w->effect };
    *name = w->effect;
    f->signature->is_stateful = true;
    return TN_OK;
}

static tn_status begin(writing *w)
{
    tn__function_def *f = TN__ARENA_ADD(w->arena, &w->library->function);
    if (!f || !(f->signature = tn__arena_alloc(w->arena, sizeof *f->signature)))
        return TN_RESOURCE_EXHAUSTED;
    w->function = w->library->function.count - 1;
    f->signature->name = w->source->name;
    f->signature->is_stateful = w->source->variable_count > 0;
    return add_arguments(w);
}

/* --- loops ------------------------------------------------------------------------------------ */
/* What a body gives for every round beside the loop's variables is pushed to lists, which are
 * variables of the loop in TensorFlow. */
static tn_status push_collected(writing *w, const tn__node *loop, size_t inputs)
{
    const tn__while_attrs *a = loop->attrs;
    size_t variables = tn__while_variables(a);
    for (size_t i = 0; i < (size_t)a->collected; i++) {
        const tn_tensor *x = w->source->output[variables + i];
        TN_TRY(add_argument(w, tn__arena_print(w->arena, "arg_%zu", inputs + i), TN__TF_VARIANT,
                            false));
        tn__node_def *def = tn__node_add(w->arena, &w->nodes, "TensorListPushBack", "Push_%zu", i);
        if (!def)
            return TN_RESOURCE_EXHAUSTED;
        TN_TRY(tn__node_input(w->arena, def, "arg_%zu", inputs + i));
        TN_TRY(add_input(w, def, x));
        TN_TRY(tn__attr_type(w->arena, &def->attr, "element_dtype", x->dtype));
        TN_TRY(add_return(w, inputs + i, TN__TF_VARIANT,
                          tn__arena_print(w->arena, "%s:output_handle:0", def->name)));
    }
    return TN_OK;
}

static tn_status write_nodes(writing *w);

/* What a loop's closure takes and gives besides: the node's inputs that are not its variables go
 * through a body unchanged. */
static tn_status pass_through(writing *w, const tn__node *loop, bool body)
{
    const tn__while_attrs *a = loop->attrs;
    size_t inputs = loop->input_count;
    if (body) {
        for (size_t i = tn__while_variables(a); i < inputs; i++)
            TN_TRY(
                add_return(w, i, loop->input[i]->dtype, tn__arena_print(w->arena, "arg_%zu", i)));
        return push_collected(w, loop, inputs);
    }
    for (size_t i = 0; i < (size_t)a->collected; i++)
        TN_TRY(add_argument(w, tn__arena_print(w->arena, "arg_%zu", inputs + i), TN__TF_VARIANT,
                            false));
    return TN_OK;
}

static tn_status finish(writing *w)
{
    TN_TRY(add_effect(w));
    function_of(w)->node_def.item = w->nodes.item;
    function_of(w)->node_def.count = w->nodes.count;
    return TN_OK;
}

static tn_status write_round(writing *w, const tn__node *loop, const tn__closure *c, bool body,
                             const char *key, tn__node_def *def)
{
    const tn__while_attrs *a = loop->attrs;
    tn__variables variables = { 0 };
    size_t outputs = body ? tn__while_variables(a) + (size_t)a->collected : 1;
    TN_TRY(node_variables(w, loop, tn__closure_inputs(c), &variables));
    tn__function_source source = { closure_name(w, loop, key),
                                   (tn_graph *)(void *)c->graph,
                                   c->inputs->of.tuple.item,
                                   c->outputs->of.tuple.item,
                                   variables.item,
                                   tn__closure_inputs(c),
                                   outputs,
                                   variables.count };
    writing inner = { .arena = w->arena, .library = w->library, .source = &source };
    if (!source.name)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__attr_func(w->arena, &def->attr, key, source.name));
    TN_TRY(begin(&inner));
    TN_TRY(mark_needed(&inner));
    TN_TRY(write_nodes(&inner));
    source.output_count = body ? tn__while_variables(a) : outputs;
    TN_TRY(add_returns(&inner));
    TN_TRY(pass_through(&inner, loop, body));
    return finish(&inner);
}

/* The list that the loop begins with. */
static tn_status begin_list(writing *w, const tn__node *loop, size_t i, const tn_tensor *element)
{
    const char *shape = tn__arena_print(w->arena, "shape_%zu_%zu", loop->index, i);
    const char *most = tn__arena_print(w->arena, "most_%zu_%zu", loop->index, i);
    if (!shape || !most)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__shape_const_add(w->arena, &w->nodes, shape, &element->shape));
    TN_TRY(tn__shape_const_add(w->arena, &w->nodes, most, &TN__UNKNOWN_SHAPE));
    tn__node_def *def =
        tn__node_add(w->arena, &w->nodes, "EmptyTensorList", "list_%zu_%zu", loop->index, i);
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__node_input(w->arena, def, "%s:output:0", shape));
    TN_TRY(tn__node_input(w->arena, def, "%s:output:0", most));
    TN_TRY(tn__attr_type(w->arena, &def->attr, "element_dtype", element->dtype));
    return tn__attr_type(w->arena, &def->attr, "shape_type", TN__TF_INT32);
}

static tn_status end_list(writing *w, const tn__node *loop, size_t i, const tn_tensor *element)
{
    tn__node_def *def =
        tn__node_add(w->arena, &w->nodes, "TensorListStack", "collected_%zu_%zu", loop->index, i);
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__node_input(w->arena, def, "%s_%zu:output:%zu", loop->op->name, loop->index,
                          loop->input_count + i));
    TN_TRY(tn__node_input(w->arena, def, "shape_%zu_%zu:output:0", loop->index, i));
    TN_TRY(tn__attr_type(w->arena, &def->attr, "element_dtype", element->dtype));
    return tn__attr_int(w->arena, &def->attr, "num_elements", -1);
}

static tn_status fill_while(writing *w, tn__node_def *def, const tn__node *node)
{
    const tn__while_attrs *a = node->attrs;
    tn__attr_list *types;
    TN_TRY(tn__attr_types(w->arena, &def->attr, "T", &types));
    for (size_t i = 0; i < node->input_count; i++)
        TN_TRY(tn__types_add(w->arena, types, node->input[i]->dtype));
    for (size_t i = 0; i < (size_t)a->collected; i++) {
        TN_TRY(tn__types_add(w->arena, types, TN__TF_VARIANT));
        TN_TRY(tn__node_input(w->arena, def, "list_%zu_%zu:handle:0", node->index, i));
    }
    TN_TRY(write_round(w, node, &a->condition, false, "cond", def));
    TN_TRY(write_round(w, node, &a->body, true, "body", def));
    return tn__attr_int(w->arena, &def->attr, "parallel_iterations", 1);
}

/* --- nodes ------------------------------------------------------------------------------------ */
static tn_status add_node(writing *w, const tn__node *node, tn__node_def *def)
{
    const tn__op *op = node->op;
    TN_TRY(add_inputs(w, def, node));
    if (is_loop(op))
        TN_TRY(fill_while(w, def, node));
    else if (op == &tn__op_If || op == &tn__op_StatelessIf)
        TN_TRY(write_if(w, def, node));
    else if (op == &tn__op_Case || op == &tn__op_StatelessCase)
        TN_TRY(write_case(w, def, node));
    else if (strcmp(op->name, "IdentityN") == 0)
        TN_TRY(types_of(w, def, "T", node, 0));
    else
        TN_TRY(add_attrs(w, def, node));
    return order(w, node, def);
}

/* The node is made first on the side: the list that it goes to may grow meanwhile. */
static tn_status write_plain(writing *w, const tn__node *node)
{
    tn__node_list side = { 0 };
    tn__node_def *def =
        tn__node_add(w->arena, &side, node->op->name, "%s_%zu", node->op->name, node->index);
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(add_node(w, node, def));
    tn__node_def *place = TN__ARENA_ADD(w->arena, &w->nodes);
    if (!place)
        return TN_RESOURCE_EXHAUSTED;
    *place = *def;
    return TN_OK;
}

static tn_status write_loop(writing *w, const tn__node *node)
{
    const tn__while_attrs *a = node->attrs;
    tn_tensor *const *collected = a->body.outputs->of.tuple.item + tn__while_variables(a);
    if (a->history && !unwanted(w, node))
        return tn__fail(TN_UNIMPLEMENTED,
                        "the model's call takes the gradient of a loop, which a SavedModel of "
                        "tenon does not hold");
    for (size_t i = 0; i < (size_t)a->collected; i++)
        TN_TRY(begin_list(w, node, i, collected[i]));
    TN_TRY(write_plain(w, node));
    for (size_t i = 0; i < (size_t)a->collected; i++)
        TN_TRY(end_list(w, node, i, collected[i]));
    return TN_OK;
}

typedef tn_status norm_writer(tn__arena *arena, tn__node_list *nodes, const tn__node *node, const char *const names[3]);
static tn_status write_norm(writing *w, const tn__node *node, norm_writer *write)
{
    const char *const names[3] = { name_of(w, node->input[0]), name_of(w, node->input[1]), name_of(w, node->input[2]) };
    return write(w->arena, &w->nodes, node, names);
}

static tn_status write_node(writing *w, const tn__node *node)
{
    const tn__op *op = node->op;
    if (op == &tn__op_Placeholder || op == &tn__op_VarHandleOp)
        return TN_OK;
    if (is_loop(op))
        return write_loop(w, node);
    if (op == &tn__op_LayerNorm || op == &tn__op_GroupNorm)
        return write_norm(w, node, tn__norm_write);
    if (op == &tn__op_LayerNormGrad || op == &tn__op_GroupNormGrad)
        return write_norm(w, node, tn__norm_gradient_write);
    if (op == &tn__op_FusedUpdate)
        return tn__fail(TN_UNIMPLEMENTED, "the model's call calls a function, traced before, that makes a step of an optimizer, which a "
                                          "SavedModel of tenon does not hold");
    return write_plain(w, node);
}

static tn_status write_nodes(writing *w)
{
    const tn_graph *graph = w->source->graph;
    for (size_t i = 0; i < graph->node.count; i++)
        if (w->needed[i])
            TN_TRY(write_node(w, graph->node.item[i]));
    return TN_OK;
}

tn_status tn__function_write(tn__arena *arena, tn__function_library *library,
                             const tn__function_source *source)
{
    writing w = { .arena = arena, .library = library, .source = source };
    TN_TRY(begin(&w));
    TN_TRY(mark_needed(&w));
    TN_TRY(write_nodes(&w));
    TN_TRY(add_returns(&w));
    return finish(&w);
}
