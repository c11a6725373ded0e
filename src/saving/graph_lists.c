/* graph_lists.c */
#include "saving/graph_lists.h"
#include "ops/ops.h"
#include <string.h>

enum { MOST_LISTS = 4096 };

static bool is(const tn__node_def *node, const char *op)
{
    return strcmp(node->op, op) == 0;
}

/* The op's name and how many inputs it takes. */
static const struct {
    const char *name;
    size_t inputs;
} ops[] = {
    { "TensorListReserve", 2 },  { "EmptyTensorList", 2 },      { "TensorListSetItem", 3 },
    { "TensorListPushBack", 2 }, { "TensorListFromTensor", 2 }, { "TensorListGetItem", 3 },
    { "TensorListStack", 2 },    { "TensorListLength", 1 },
};

static size_t inputs_of(const char *op)
{
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strcmp(ops[i].name, op) == 0)
            return ops[i].inputs;
    return 0;
}

bool tn__graph_list_op(const char *op)
{
    return inputs_of(op) > 0;
}

const tn__graph_list *tn__graph_list_of(const tn__graph_lists *lists, const tn_tensor *x)
{
    for (size_t i = 0; i < lists->list.count; i++)
        if (lists->list.item[i].handle == x)
            return &lists->list.item[i];
    return NULL;
}

/* --- writing ---------------------------------------------------------------------------------- */
static tn_status add(tn__graph_lists *lists, tn__graph_list list, tn_tensor **handle)
{
    if (lists->list.count >= MOST_LISTS)
        return tn__fail(TN_RESOURCE_EXHAUSTED, "the functions have more than %d TensorLists",
                        MOST_LISTS);
    list.handle = tn_zeros(TN_SHAPE(0), TN_INT32);
    if (!list.handle)
        return tn__errors()->status;
    *handle = list.handle;
    return TN__PUSH(&lists->list, list);
}

static tn_status fail_use(const tn__node_def *node, const char *why)
{
    return tn__fail(TN_UNIMPLEMENTED,
                    "%s in node '%s': %s\nthe TensorLists that are known here are read from a "
                    "tensor, or written once in each round of a loop",
                    node->op, node->name, why);
}

static tn_status write(tn__graph_lists *lists, const tn__node_def *node, tn_tensor *const *x,
                       tn_tensor **output)
{
    const tn__graph_list *list = tn__graph_list_of(lists, x[0]);
    bool sets = is(node, "TensorListSetItem");
    if (!list || list->empty || sets != (list->size != NULL))
        return fail_use(node, "the list has elements already");
    tn__graph_list written = {
        .size = list->size, .empty = x[0], .at = sets ? x[1] : NULL, .value = sets ? x[2] : x[1]
    };
    return add(lists, written, output);
}

/* --- reading ---------------------------------------------------------------------------------- */
static tn_status read(tn__graph_lists *lists, const tn__node_def *node, tn_tensor *const *x,
                      tn_tensor **output)
{
    if (tn__graph_list_of(lists, x[0]))
        return fail_use(node, "the list is written at the same place");
    if (is(node, "TensorListGetItem"))
        *output = tn_gather(x[0], x[1], 0);
    else
        *output = is(node, "TensorListLength") ? tn__rows(x[0], TN_INT32) : x[0];
    return *output ? TN_OK : tn__errors()->status;
}

tn_status tn__graph_list_make(tn__graph_lists *lists, const tn__node_def *node,
                              tn_tensor *const *inputs, size_t count, tn_tensor **output)
{
    if (count != inputs_of(node->op))
        return tn__fail(TN_DATA_LOSS, "node '%s': op %s does not take %zu inputs", node->name,
                        node->op, count);
    if (is(node, "TensorListReserve"))
        return add(lists, (tn__graph_list){ .size = inputs[1] }, output);
    if (is(node, "EmptyTensorList"))
        return add(lists, (tn__graph_list){ 0 }, output);
    if (is(node, "TensorListSetItem") || is(node, "TensorListPushBack"))
        return write(lists, node, inputs, output);
    return read(lists, node, inputs, output);
}

/* --- a round of a loop ------------------------------------------------------------------------ */
/* An integer whose value is known. */
static bool is_int(const tn_tensor *x, int64_t value)
{
    if (x->form == TN__SYMBOLIC && x->of.output.node->op == &tn__op_Const)
        x = *(tn_tensor *const *)x->of.output.node->attrs;
    if (x->form != TN__VALUE || x->shape.rank != 0 ||
        (x->dtype != TN_INT32 && x->dtype != TN_INT64))
        return false;
    return value == (x->dtype == TN_INT32 ? *(const int32_t *)x->data : *(const int64_t *)x->data);
}

/* An input that begins with 0 and has 1 added in every round. */
static bool is_counter(const tn__graph_round *r, const tn_tensor *at)
{
    size_t i = 0;
    while (i < r->count && r->args[i] != at)
        i++;
    if (i == r->count || !is_int(r->inputs[i], 0) || r->results[i]->form != TN__SYMBOLIC)
        return false;
    const tn__node *node = r->results[i]->of.output.node;
    return strncmp(node->op->name, "Add", 3) == 0 && node->input_count == 2 &&
           ((node->input[0] == at && is_int(node->input[1], 1)) ||
            (node->input[1] == at && is_int(node->input[0], 1)));
}

static tn__list_way way_of(const tn__graph_round *r, const tn__graph_list *list)
{
    if (!list->at)
        return TN__LIST_PUSHED;
    if (is_counter(r, list->at))
        return TN__LIST_COUNTED;
    return is_int(list->at, 0) && is_int(list->size, 1) ? TN__LIST_LAST : TN__LIST_LEFT;
}

/* What the round wrote to the list that input i is; *value is NULL when it left it. */
static tn_status written(const tn__graph_round *r, size_t i, tn_tensor **value)
{
    const tn__graph_list *list = tn__graph_list_of(r->lists, r->results[i]);
    *value = NULL;
    r->way[i] = TN__LIST_LEFT;
    if (r->results[i] == r->inputs[i])
        return TN_OK;
    if (list && list->empty == r->inputs[i])
        r->way[i] = way_of(r, list);
    if (r->way[i] == TN__LIST_LEFT)
        return tn__fail(TN_UNIMPLEMENTED,
                        "the loop of function '%s' does not write its TensorList once in each "
                        "round, in their order",
                        r->function);
    *value = list->value;
    return TN_OK;
}

bool tn__graph_stays(const tn__graph_lists *lists, const tn_tensor *x)
{
    return tn__is_variable(x) || tn__graph_list_of(lists, x);
}

tn_status tn__graph_round_sort(const tn__graph_round *r, size_t given, tn_tensor **sorted,
                               size_t *count)
{
    *count = 0;
    if (given != r->count)
        return tn__fail(TN_DATA_LOSS, "function '%s' does not give what it takes", r->function);
    for (size_t i = 0; i < r->count; i++)
        if (!tn__graph_stays(r->lists, r->inputs[i]))
            sorted[(*count)++] = r->results[i];
    for (size_t i = 0; i < r->count; i++) {
        tn_tensor *value = NULL;
        if (tn__graph_list_of(r->lists, r->inputs[i]))
            TN_TRY(written(r, i, &value));
        if (value)
            sorted[(*count)++] = value;
    }
    return TN_OK;
}

/* --- the end of a loop ------------------------------------------------------------------------ */
/* Elements that no round came to are zeros; fewer than rows is TensorFlow's error, here Fill's. */
static tn_tensor *filled(tn_tensor *size, tn_tensor *rows)
{
    tn_tensor *missing = tn_expand_dims(tn_subtract(size, tn__rows(rows, size->dtype)), 0);
    tn_tensor *shape = tn_shape_tensor(rows);
    tn_tensor *inner = tn_slice(shape, TN_SHAPE(1), TN_SHAPE(TN_NONE));
    tn_tensor *zero = tn_cast(tn__int(0), rows->dtype);
    tn_tensor *dims = tn_concat(TN_LIST(missing, inner), 0);
    tn_tensor *rest = dims && zero ? TN__APPLY(tn__op_Fill, NULL, dims, zero) : NULL;
    return rest ? tn_concat(TN_LIST(rows, rest), 0) : NULL;
}

tn_tensor *tn__graph_list_end(const tn__graph_list *empty, tn__list_way way, tn_tensor *rows)
{
    if (way == TN__LIST_LAST)
        return tn_gather(rows, tn_expand_dims(tn_subtract(tn__rows(rows, TN_INT32), tn__int(1)), 0),
                         0);
    return way == TN__LIST_COUNTED ? filled(empty->size, rows) : rows;
}
