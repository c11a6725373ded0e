/* graph_read.c - a node's attributes go into its op's field table, its inputs through dispatch. */
#include "saving/graph_read.h"
#include "formats/tensor_proto.h"
#include "function/control.h"
#include "ops/ops.h"
#include "saving/graph_lists.h"
#include "saving/graph_ops.h"
#include <stdlib.h>
#include <string.h>

enum { DEEPEST_CALL = 64, MOST_NODES = 1 << 20, MOST_REPEATED = 1 << 28 };

/* All functions of one import. */
typedef struct {
    tn_context *context;
    tn__map functions; /* the library's, by their names */
    tn__graph_lists lists;
    size_t nodes; /* that were run so far */
    int depth;
} import;

/* One function on its way. */
typedef struct {
    import *all;
    const tn__function_def *def;
    tn_tensor *const *args;
    tn__map argument, place; /* the name of an argument, of a node, to its index + 1 */
    struct made {
        tn_tensor **item; /* of the innermost scope */
        size_t count;
        char state; /* 0: not yet, 1: its inputs are being made, 2: done */
    } * made;
} frame;

/* --- looking up ------------------------------------------------------------------------------- */
const tn__function_def *tn__function_find(const tn__function_library *library, const char *name)
{
    for (size_t i = 0; library && name && i < library->function.count; i++) {
        const tn__function_def *f = &library->function.item[i];
        if (f->signature && f->signature->name && strcmp(f->signature->name, name) == 0)
            return f;
    }
    return NULL;
}

tn_status tn__functions_list(const tn__function_library *library, tn__map *functions)
{
    for (size_t i = 0; library && i < library->function.count; i++) {
        tn__function_def *f = &library->function.item[i];
        if (f->signature && f->signature->name && !tn__map_get(functions, f->signature->name))
            TN_TRY(tn__map_set(functions, f->signature->name, f));
    }
    return TN_OK;
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; name && *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

static const char *const calls[] = { "PartitionedCall", "StatefulPartitionedCall", NULL };
static const char *const passes[] = { "Identity",
                                      "IdentityN",
                                      "EnsureShape",
                                      "CheckNumerics",
                                      "Snapshot",
                                      "PreventGradient",
                                      "PlaceholderWithDefault",
                                      NULL };
static const char *const nothings[] = { "NoOp", "Assert", NULL };
static const char *const branches[] = { "If", "StatelessIf", NULL };
static const char *const loops[] = { "While", "StatelessWhile", NULL };
static const char *const choices[] = { "Case", "StatelessCase", NULL };
static const char *const refused[] = { "KerasLayer", "VarHandleOp", "Placeholder", NULL };

bool tn__graph_knows(const char *op)
{
    return is_one_of(op, calls) || is_one_of(op, passes) || is_one_of(op, nothings) ||
           (op && (tn__graph_list_op(op) || tn__graph_op_is_made(op) ||
                   (tn__graph_op(op) && !is_one_of(op, refused))));
}

/* --- shapes and values ------------------------------------------------------------------------ */
bool tn__shape_of_def(const tn__shape_def *def, tn_shape *shape)
{
    *shape = TN__UNKNOWN_SHAPE;
    if (!def || def->unknown_rank)
        return true;
    if (def->dim.count > TN_MAX_RANK)
        return false;
    shape->known = 1;
    shape->rank = (int)def->dim.count;
    for (size_t i = 0; i < def->dim.count; i++) {
        shape->dims[i] = def->dim.item[i].size < 0 ? TN_NONE : def->dim.item[i].size;
        if (shape->dims[i] > INT32_MAX)
            return false;
    }
    return true;
}

/* One number may stand for any number of elements. */
static bool is_moderate(const tn__tensor_def *proto, uint64_t size)
{
    bool moderate = proto->content.size > 0 || size <= MOST_REPEATED;
    if (!moderate)
        tn__fail(TN_RESOURCE_EXHAUSTED, "a constant of one number takes %llu bytes",
                 (unsigned long long)size);
    return moderate;
}

tn_tensor *tn__tensor_of_proto(const tn__tensor_def *proto)
{
    uint64_t count, size;
    tn_shape shape;
    tn_tensor *tensor;
    if (!proto || tn__dtype_size((tn_dtype)proto->dtype) == 0 ||
        !tn__shape_of_def(proto->shape, &shape) || tn__tf_dtype_size(proto->dtype) == 0) {
        tn__fail(TN_UNIMPLEMENTED, "a constant of dtype %s or of its shape cannot be held here",
                 proto ? tn__tf_dtype_name(proto->dtype) : "unknown");
        return NULL;
    }
    shape = proto->shape ? shape : TN_SCALAR;
    if (tn__tensor_proto_measure(proto, &count, &size) != TN_OK || !is_moderate(proto, size) ||
        tn__tensor_new((tn_dtype)proto->dtype, &shape, &tensor) != TN_OK)
        return NULL;
    tn__tensor_proto_copy(proto, tensor->data);
    return tn__own(tensor);
}

/* --- attributes ------------------------------------------------------------------------------- */
static tn_status fail_attr(const tn__node_def *node, const char *key)
{
    return tn__fail(TN_DATA_LOSS, "node '%s': attribute '%s' of op %s is not what the op takes",
                    node->name, key, node->op);
}

/* Instead of the default, which is the instance's own as well. */
static tn_status take_text(tn__span text, char **into)
{
    tn__free(*into);
    *into = tn__strndup(text.size ? (const char *)text.data : "", text.size);
    return *into ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status take_ints(const tn__node_def *node, const tn_field *f, const tn__attr_value *v,
                           int64_t *into)
{
    if (v->which != TN__ATTR_LIST || (v->list->i.count != f->count && v->list->i.count != 0))
        return fail_attr(node, f->name);
    for (size_t i = 0; i < v->list->i.count; i++)
        into[i] = v->list->i.item[i];
    return TN_OK;
}

static tn_status take_axes(const tn__node_def *node, const tn_field *f, const tn__attr_value *v,
                           tn_axes *axes)
{
    if (v->which != TN__ATTR_LIST || v->list->i.count > TN_MAX_RANK)
        return fail_attr(node, f->name);
    axes->count = (int)v->list->i.count;
    for (size_t i = 0; i < v->list->i.count; i++) {
        int64_t axis = v->list->i.item[i];
        if (axis < -TN_MAX_RANK || axis > TN_MAX_RANK)
            return fail_attr(node, f->name);
        axes->axis[i] = (int)axis;
    }
    return TN_OK;
}

/* The attribute's kind must be the field's. */
static tn_status take_field(const tn__node_def *node, const tn_field *f, const tn__attr_value *v,
                            void *attrs)
{
    static const int kinds[] = {
        [TN_FIELD_INT] = TN__ATTR_I,         [TN_FIELD_FLOAT] = TN__ATTR_F,
        [TN_FIELD_BOOL] = TN__ATTR_B,        [TN_FIELD_STRING] = TN__ATTR_S,
        [TN_FIELD_SHAPE] = TN__ATTR_SHAPE,   [TN_FIELD_FLAG] = TN__ATTR_B,
        [TN_FIELD_AXIS] = TN__ATTR_I,        [TN_FIELD_DTYPE] = TN__ATTR_TYPE,
        [TN_FIELD_INTS] = TN__ATTR_LIST,     [TN_FIELD_AXES] = TN__ATTR_LIST,
        [TN_FIELD_TENSOR] = TN__ATTR_TENSOR,
    };
    void *at = (char *)attrs + f->offset;
    if ((size_t)f->kind >= sizeof kinds / sizeof *kinds || kinds[f->kind] != v->which)
        return fail_attr(node, f->name);
    switch (f->kind) {
    case TN_FIELD_INT:
        *(int64_t *)at = v->i;
        return TN_OK;
    case TN_FIELD_AXIS:
        *(int *)at = (int)v->i;
        return v->i == (int)v->i ? TN_OK : fail_attr(node, f->name);
    case TN_FIELD_FLOAT:
        *(double *)at = (double)v->f;
        return TN_OK;
    case TN_FIELD_BOOL:
        *(bool *)at = v->b;
        return TN_OK;
    case TN_FIELD_FLAG:
        *(tn_flag *)at = v->b;
        return TN_OK;
    case TN_FIELD_STRING:
        return take_text(v->s, at);
    case TN_FIELD_DTYPE:
        *(tn_dtype *)at = (tn_dtype)v->type;
        return tn__dtype_size((tn_dtype)v->type) ? TN_OK : fail_attr(node, f->name);
    case TN_FIELD_SHAPE:
        return tn__shape_of_def(v->shape, at) ? TN_OK : fail_attr(node, f->name);
    case TN_FIELD_INTS:
        return take_ints(node, f, v, at);
    case TN_FIELD_AXES:
        return take_axes(node, f, v, at);
    default:
        *(tn_tensor **)at = tn__retain(tn__tensor_of_proto(v->tensor));
        return *(tn_tensor **)at ? TN_OK : tn__errors()->status;
    }
}

/* What the node does not say is the op's default; what has none must be said. */
static tn_status take_attrs(const tn__node_def *node, const tn__op *op, void *attrs)
{
    if (!op->attrs)
        return TN_OK;
    TN_TRY(tn__fields_default(op->attrs, attrs));
    TN__EACH_FIELD(field, op->attrs)
    {
        const tn__attr_value *value = tn__attr_find(&node->attr, field->name);
        if (value)
            TN_TRY(take_field(node, field, value, attrs));
        else if (!field->fallback)
            return fail_attr(node, field->name);
    }
    return tn__fields_check(op->attrs, attrs, op->name);
}

/* --- what an input's name means --------------------------------------------------------------- */
static tn_status fail_input(const frame *f, const char *name)
{
    return tn__fail(TN_DATA_LOSS, "function '%s': nothing is called '%s'", f->def->signature->name,
                    name ? name : "");
}

/* "node:output:0" into its three parts; an argument has one, or ":0" behind it, and so have the
 * values of a graph that is no function. */
typedef struct {
    char node[512], output[64];
    size_t index;
    int parts;
} reference;

static bool parse_reference(const char *text, reference *r)
{
    *r = (reference){ .parts = 1 };
    const char *first = text ? strchr(text, ':') : NULL;
    size_t length = text ? (first ? (size_t)(first - text) : strlen(text)) : 0;
    if (length == 0 || length >= sizeof r->node)
        return false;
    memcpy(r->node, text, length);
    if (!first)
        return true;
    const char *second = strchr(first + 1, ':'), *number = second ? second + 1 : first + 1;
    r->parts = second ? 3 : 2;
    if (second) {
        size_t name = (size_t)(second - first - 1);
        if (name >= sizeof r->output)
            return false;
        memcpy(r->output, first + 1, name);
    }
    char *end;
    r->index = strtoul(number, &end, 10);
    return *number >= '0' && *number <= '9' && *end == 0 && r->index < MOST_NODES;
}

/* The place among all outputs: behind the name of a list, or of one output among several. */
static bool output_place(const tn__node_def *node, const reference *r, size_t *place)
{
    const tn__op *op = tn__graph_op(node->op);
    *place = r->index;
    if (r->parts < 3)
        return true;
    if (!op || (op->flags & TN__ANY_INPUTS) || is_one_of(node->op, passes))
        return true;
    const tn__signature *s = tn__op_signature(op);
    if (!s || s->outputs == 0 || s->output[0].list || s->outputs == 1)
        return s != NULL;
    for (size_t i = 0; i < s->outputs; i++)
        if (strcmp(s->output[i].name, r->output) == 0) {
            *place = i + r->index;
            return true;
        }
    return false;
}

static bool find(const tn__map *places, const char *name, size_t *at)
{
    uintptr_t found = (uintptr_t)tn__map_get(places, name);
    *at = found - 1;
    return found != 0;
}

static tn_status value_of(const frame *f, const char *text, tn_tensor **value)
{
    reference r;
    size_t at, place;
    if (!parse_reference(text, &r))
        return fail_input(f, text);
    if (find(&f->argument, r.node, &at)) {
        *value = f->args[at];
        return TN_OK;
    }
    if (!find(&f->place, r.node, &at) || !output_place(&f->def->node_def.item[at], &r, &place) ||
        place >= f->made[at].count || !f->made[at].item[place])
        return fail_input(f, text);
    *value = f->made[at].item[place];
    return TN_OK;
}

/* --- control flow ----------------------------------------------------------------------------- */
static tn_status run_function(import *all, const char *name, tn_tensor *const *args, size_t count,
                              tn_tensor ***results, size_t *result_count);

/* A function as the body of a branch or loop. Variables do not travel through graphs: they stand in
 * the calls themselves. */
typedef struct {
    import *all;
    const char *function;
    tn_tensor *const *inputs; /* of the node: variables are taken from there */
    size_t count;
    bool
        loop; /* gives what it takes: without what stays outside, but with what lists are written */
    tn__list_way *way; /* of a loop: how each input is written, where that is an empty list */
} body;

static tn_tensor *call_body(void *self, tn_list given)
{
    body *b = self;
    tn_tensor **args = tn__scope_alloc((b->count + 1) * sizeof *args), **results;
    size_t count, at = 0, kept = 0, lists = b->all->lists.list.count;
    for (size_t i = 0; args && i < b->count; i++)
        args[i] = tn__graph_stays(&b->all->lists, b->inputs[i]) ? b->inputs[i]
                  : at < given.count                            ? given.item[at++]
                                                                : b->inputs[i];
    if (!args || run_function(b->all, b->function, args, b->count, &results, &count) != TN_OK)
        return NULL;
    if (!b->loop) {
        b->all->lists.list.count = lists; /* those made in here are gone with their tensors */
        return count == 1 ? results[0] : tn_tuple_of(tn_list_of(count, results));
    }
    const tn__graph_round round = { &b->all->lists, b->function, b->inputs, args,
                                    results,        b->count,    b->way };
    tn_tensor **sorted = tn__scope_alloc((b->count + 1) * sizeof *sorted);
    if (!sorted || tn__graph_round_sort(&round, count, sorted, &kept) != TN_OK)
        return NULL;
    b->all->lists.list.count = lists;
    return kept == 1 ? sorted[0] : tn_tuple_of(tn_list_of(kept, sorted));
}

static const char *function_attr(const tn__node_def *node, const char *key)
{
    const tn__attr_value *v = tn__attr_find(&node->attr, key);
    return v && v->which == TN__ATTR_FUNC && v->func->name ? v->func->name : NULL;
}

static tn_status fail_control(const tn__node_def *node)
{
    return tn__fail(TN_DATA_LOSS, "node '%s': %s is not as TensorFlow makes it", node->name,
                    node->op);
}

static tn_status take_result(tn_tensor *result, struct made *made)
{
    if (!result)
        return tn__errors()->status;
    made->count = tn__flat_count(result);
    made->item = tn__scope_alloc((made->count + 1) * sizeof *made->item);
    if (!made->item)
        return TN_RESOURCE_EXHAUSTED;
    tn__flatten(result, made->item);
    return TN_OK;
}

/* Selects among functions: the switch of two, too. */
static tn_status choose(import *all, const tn__node_def *node, tn_tensor *index,
                        const char *const *names, size_t count, tn_tensor *const *inputs,
                        size_t input_count, struct made *made)
{
    tn_body *bodies = tn__scope_alloc(count * sizeof *bodies);
    body *selves = tn__scope_alloc(count * sizeof *selves);
    void **pointers = tn__scope_alloc(count * sizeof *pointers);
    if (!bodies || !selves || !pointers)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count; i++) {
        if (!names[i])
            return fail_control(node);
        selves[i] = (body){ all, names[i], inputs, input_count, false, NULL };
        bodies[i] = call_body;
        pointers[i] = &selves[i];
    }
    return take_result(
        tn__switch_case(all->context, index, count, bodies, pointers, (tn_list){ 0, NULL }), made);
}

static tn_status run_if(import *all, const tn__node_def *node, tn_tensor *const *inputs,
                        size_t count, struct made *made)
{
    const char *names[] = { function_attr(node, "else_branch"),
                            function_attr(node, "then_branch") };
    if (count == 0 || inputs[0]->dtype != TN_BOOL)
        return fail_control(node);
    tn_tensor *index = tn_cast(inputs[0], TN_INT32);
    if (!index)
        return tn__errors()->status;
    return choose(all, node, index, names, 2, inputs + 1, count - 1, made);
}

static tn_status run_case(import *all, const tn__node_def *node, tn_tensor *const *inputs,
                          size_t count, struct made *made)
{
    const tn__attr_value *v = tn__attr_find(&node->attr, "branches");
    if (count == 0 || !v || v->which != TN__ATTR_LIST || v->list->func.count == 0)
        return fail_control(node);
    const char **names = tn__scope_alloc(v->list->func.count * sizeof *names);
    if (!names)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < v->list->func.count; i++)
        names[i] = v->list->func.item[i].name;
    return choose(all, node, inputs[0], names, v->list->func.count, inputs + 1, count - 1, made);
}

typedef struct {
    body condition, round;
} loop;

static tn_tensor *loop_condition(void *self, tn_list given)
{
    return call_body(&((loop *)self)->condition, given);
}

static tn_tensor *loop_round(void *self, tn_list given)
{
    return call_body(&((loop *)self)->round, given);
}

/* What came out of the loop, in the places of what went in. */
static tn_status take_loop(const import *all, const body *round, const struct made *inner,
                           size_t values, struct made *made)
{
    size_t at = 0;
    for (size_t i = 0; i < round->count; i++) {
        tn_tensor *given = round->inputs[i];
        const tn__graph_list *list = tn__graph_list_of(&all->lists, given);
        bool collected = list && round->way[i] != TN__LIST_LEFT;
        size_t from = collected ? values++ : tn__graph_stays(&all->lists, given) ? SIZE_MAX : at++;
        made->item[i] = from == SIZE_MAX ? given : from < inner->count ? inner->item[from] : NULL;
        if (collected && made->item[i])
            made->item[i] = tn__graph_list_end(list, round->way[i], made->item[i]);
        if (!made->item[i])
            return tn__errors()->status ? tn__errors()->status
                                        : tn__fail(TN_DATA_LOSS, "a loop gives too little");
    }
    return TN_OK;
}

static tn_status run_while(import *all, const tn__node_def *node, tn_tensor *const *inputs,
                           size_t count, struct made *made)
{
    struct made inner = { 0 };
    size_t values = 0;
    bool lists = false;
    tn__list_way *way = tn__scope_alloc((count + 1) * sizeof *way);
    loop l = { { all, function_attr(node, "cond"), inputs, count, false, NULL },
               { all, function_attr(node, "body"), inputs, count, true, way } };
    tn_tensor **variables = tn__scope_alloc((count + 1) * sizeof *variables);
    made->count = count;
    made->item = tn__scope_alloc((count + 1) * sizeof *made->item);
    if (!way || !variables || !made->item)
        return TN_RESOURCE_EXHAUSTED;
    memset(way, 0, count * sizeof *way);
    for (size_t i = 0; i < count; i++) {
        lists |= tn__graph_list_of(&all->lists, inputs[i]) != NULL;
        if (!tn__graph_stays(&all->lists, inputs[i]))
            variables[values++] = inputs[i];
    }
    if (!l.condition.function || !l.round.function || values == 0)
        return fail_control(node);
    tn_list list = { values, variables };
    TN_TRY(take_result(
        lists ? tn__while_collecting(all->context, loop_condition, loop_round, &l, list, true)
              : tn_while_loop(loop_condition, loop_round, &l, list),
        &inner));
    return take_loop(all, &l.round, &inner, values, made);
}

/* --- a node ----------------------------------------------------------------------------------- */
/* A constant is a value; every other op runs. */
static tn_status dispatch(import *all, const tn__node_def *node, const tn__op *op,
                          const void *attrs, tn_tensor *const *inputs, size_t count,
                          struct made *made)
{
    const tn__signature *s = tn__op_signature(op);
    if (!s || (!(op->flags & TN__ANY_INPUTS) && !tn__signature_takes(s, count)))
        return tn__fail(TN_DATA_LOSS, "node '%s': op %s does not take %zu inputs", node->name,
                        node->op, count);
    made->count = tn__op_outputs(op, attrs, count);
    if (made->count > MOST_NODES)
        return tn__fail(TN_DATA_LOSS, "node '%s' has %zu outputs", node->name, made->count);
    made->item = tn__scope_alloc((made->count + 1) * sizeof *made->item);
    if (!made->item)
        return TN_RESOURCE_EXHAUSTED;
    memset(made->item, 0, (made->count + 1) * sizeof *made->item);
    if (op == &tn__op_Const)
        made->item[0] = tn__retain(*(tn_tensor *const *)attrs);
    else
        TN_TRY(tn__dispatch(all->context, op, attrs, inputs, count, made->item, made->count));
    for (size_t i = 0; i < made->count; i++)
        tn__own(made->item[i]);
    return all->context->error.status;
}

static tn_status run_op(import *all, const tn__node_def *node, tn_tensor *const *inputs,
                        size_t count, struct made *made)
{
    const tn__op *op = tn__graph_op(node->op);
    if (!op || is_one_of(node->op, refused))
        return tn__fail(TN_UNIMPLEMENTED, "Op type not registered '%s'", node->op);
    void *attrs = tn__alloc_zeroed(1, op->attrs_size + 1);
    if (!attrs)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = take_attrs(node, op, attrs);
    if (status == TN_OK)
        status = dispatch(all, node, op, attrs, inputs, count, made);
    if (op->attrs)
        tn__fields_release(op->attrs, attrs);
    tn__free(attrs);
    return status;
}

static tn_status make_op(import *all, const tn__node_def *node, tn_tensor *const *inputs,
                         size_t count, struct made *made)
{
    made->count = 1;
    made->item = tn__scope_alloc(sizeof *made->item);
    if (!made->item)
        return TN_RESOURCE_EXHAUSTED;
    if (tn__graph_list_op(node->op))
        return tn__graph_list_make(&all->lists, node, inputs, count, made->item);
    return tn__graph_op_make(node, inputs, count, made->item);
}

/* TensorFlow 1 reads its variables so; of a resource it is another handle of the same. */
static tn_status read_variables(const tn__node_def *node, struct made *made)
{
    const tn__attr_value *type = tn__attr_find(&node->attr, "T");
    if (!type || type->which != TN__ATTR_TYPE || type->type == TN__TF_RESOURCE)
        return TN_OK;
    for (size_t i = 0; i < made->count; i++)
        if (tn__is_variable(made->item[i]) && !(made->item[i] = tn_read_value(made->item[i])))
            return tn__errors()->status;
    return TN_OK;
}

static tn_status pass(tn_tensor *const *inputs, size_t count, struct made *made)
{
    made->count = count;
    made->item = tn__scope_alloc((count + 1) * sizeof *made->item);
    if (!made->item)
        return TN_RESOURCE_EXHAUSTED;
    memcpy(made->item, inputs, count * sizeof *inputs);
    return TN_OK;
}

static tn_status run_node(import *all, const tn__node_def *node, tn_tensor *const *inputs,
                          size_t count, struct made *made)
{
    if (++all->nodes > MOST_NODES)
        return tn__fail(TN_RESOURCE_EXHAUSTED, "the functions come to more than %d nodes",
                        MOST_NODES);
    if (is_one_of(node->op, nothings))
        return TN_OK;
    if (is_one_of(node->op, passes)) {
        TN_TRY(pass(inputs, count, made));
        return read_variables(node, made);
    }
    if (tn__graph_list_op(node->op) || tn__graph_op_is_made(node->op))
        return make_op(all, node, inputs, count, made);
    if (is_one_of(node->op, calls))
        return run_function(all, function_attr(node, "f"), inputs, count, &made->item,
                            &made->count);
    if (is_one_of(node->op, branches))
        return run_if(all, node, inputs, count, made);
    if (is_one_of(node->op, choices))
        return run_case(all, node, inputs, count, made);
    if (is_one_of(node->op, loops))
        return run_while(all, node, inputs, count, made);
    return run_op(all, node, inputs, count, made);
}

static tn_status make_node(frame *f, size_t index)
{
    const tn__node_def *node = &f->def->node_def.item[index];
    tn_tensor **inputs = tn__scope_alloc((node->input.count + 1) * sizeof *inputs);
    size_t count = 0;
    if (!inputs)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < node->input.count; i++)
        if (node->input.item[i] && node->input.item[i][0] != '^')
            TN_TRY(value_of(f, node->input.item[i], &inputs[count++]));
    tn_status status = run_node(f->all, node, inputs, count, &f->made[index]);
    if (status != TN_OK)
        tn__fail_note("in node '%s' of function '%s'", node->name, f->def->signature->name);
    return status;
}

/* --- a function ------------------------------------------------------------------------------- */
/* The node that an input waits for; false: none of this function. */
static bool awaited(const frame *f, const char *input, size_t *at)
{
    reference r;
    size_t ignored;
    if (!input || !parse_reference(input + (*input == '^'), &r))
        return false;
    return !find(&f->argument, r.node, &ignored) && find(&f->place, r.node, at);
}

/* Nodes stand in no order: each is made behind all that it waits for. */
typedef struct {
    size_t node, next;
} step;

static tn_status make_with_inputs(frame *f, size_t wanted, step *steps)
{
    size_t depth = 0, at;
    if (f->made[wanted].state)
        return TN_OK;
    steps[depth++] = (step){ wanted, 0 };
    f->made[wanted].state = 1;
    while (depth > 0) {
        step *top = &steps[depth - 1];
        const tn__node_def *node = &f->def->node_def.item[top->node];
        if (top->next == node->input.count) {
            TN_TRY(make_node(f, top->node));
            f->made[top->node].state = 2;
            depth--;
        } else if (awaited(f, node->input.item[top->next++], &at)) {
            if (f->made[at].state == 1)
                return tn__fail(TN_DATA_LOSS, "function '%s': node '%s' waits for itself",
                                f->def->signature->name, f->def->node_def.item[at].name);
            if (f->made[at].state == 0) {
                f->made[at].state = 1;
                steps[depth++] = (step){ at, 0 };
            }
        }
    }
    return TN_OK;
}

static tn_status make_awaited(frame *f, const char *name, step *steps)
{
    size_t at;
    return awaited(f, name, &at) ? make_with_inputs(f, at, steps) : TN_OK;
}

/* What outputs need, and what happens besides. */
static tn_status make_needed(frame *f)
{
    step *steps = tn__scope_alloc((f->def->node_def.count + 1) * sizeof *steps);
    if (!steps)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < f->def->control_ret.count; i++)
        TN_TRY(make_awaited(f, f->def->control_ret.item[i].value, steps));
    for (size_t i = 0; i < f->def->ret.count; i++)
        TN_TRY(make_awaited(f, f->def->ret.item[i].value, steps));
    return TN_OK;
}

static tn_status take_returns(frame *f, tn_tensor ***results, size_t *count)
{
    const tn__op_def *signature = f->def->signature;
    *count = signature->output_arg.count;
    *results = tn__scope_alloc((*count + 1) * sizeof **results);
    if (!*results)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < *count; i++) {
        const char *name = signature->output_arg.item[i].name;
        const char *value = name ? tn__text_map_find(&f->def->ret, name) : NULL;
        TN_TRY(value_of(f, value, &(*results)[i]));
    }
    return TN_OK;
}

static tn_status list_arguments(frame *f)
{
    const tn__op_def *signature = f->def->signature;
    for (size_t i = 0; i < signature->input_arg.count; i++) {
        const char *name = signature->input_arg.item[i].name;
        if (name && !tn__map_get(&f->argument, name))
            TN_TRY(tn__map_set(&f->argument, name, (void *)(uintptr_t)(i + 1)));
    }
    return TN_OK;
}

static tn_status begin(frame *f)
{
    size_t count = f->def->node_def.count;
    f->made = tn__scope_alloc((count + 1) * sizeof *f->made);
    if (!f->made)
        return TN_RESOURCE_EXHAUSTED;
    memset(f->made, 0, (count + 1) * sizeof *f->made);
    for (size_t i = 0; i < count; i++) {
        const tn__node_def *node = &f->def->node_def.item[i];
        if (!node->name || !node->op || tn__map_get(&f->place, node->name))
            return tn__fail(TN_DATA_LOSS, "function '%s': node %zu has no name of its own",
                            f->def->signature->name, i);
        TN_TRY(tn__map_set(&f->place, node->name, (void *)(uintptr_t)(i + 1)));
    }
    return list_arguments(f);
}

static tn_status check_call(const import *all, const tn__function_def *def, const char *name,
                            size_t count)
{
    if (!def)
        return tn__fail(TN_DATA_LOSS, "there is no function '%s'", name ? name : "");
    if (def->signature->input_arg.count != count)
        return tn__fail(TN_DATA_LOSS, "function '%s' takes %zu arguments, its call has %zu", name,
                        def->signature->input_arg.count, count);
    if (all->depth >= DEEPEST_CALL)
        return tn__fail(TN_DATA_LOSS, "function '%s' is called within %d others, or by itself",
                        name, DEEPEST_CALL);
    return TN_OK;
}

static tn_status run_function(import *all, const char *name, tn_tensor *const *args, size_t count,
                              tn_tensor ***results, size_t *result_count)
{
    frame f = { .all = all, .args = args };
    f.def = name ? tn__map_get(&all->functions, name) : NULL;
    TN_TRY(check_call(all, f.def, name, count));
    all->depth++;
    tn_status status = begin(&f);
    if (status == TN_OK)
        status = make_needed(&f);
    if (status == TN_OK)
        status = take_returns(&f, results, result_count);
    tn__map_free(&f.argument);
    tn__map_free(&f.place);
    all->depth--;
    return status;
}

tn_status tn__function_import(tn_context *context, const tn__function_library *library,
                              const char *name, tn_tensor *const *args, size_t count,
                              tn_tensor **results, size_t result_count)
{
import all = {.context = context };
    tn_tensor **made;
    size_t made_count;
    tn_status status = tn__functions_list(library, &all.functions);
    if (status == TN_OK)
        status = run_function(&all, name, args, count, &made, &made_count);
    tn__map_free(&all.functions);
    tn__free(all.lists.list.item);
    TN_TRY(status);
    if (made_count != result_count)
        return tn__fail(TN_DATA_LOSS, "function '%s' gives %zu results, not %zu", name, made_count,
                        result_count);
    memcpy(results, made, made_count * sizeof *results);
    return TN_OK;
}
