/* graph_ops.c */
#include "saving/graph_ops.h"
#include "ops/ops.h"
#include <string.h>

const tn__op *tn__graph_op(const char *name)
{
    static const char *const newer[][2] = {
        { "BatchMatMul", "BatchMatMulV2" },
        { "FusedBatchNorm", "FusedBatchNormV3" },
        { "FusedBatchNormV2", "FusedBatchNormV3" },
        { "BiasAddV1", "BiasAdd" },
    };
    for (size_t i = 0; i < sizeof newer / sizeof *newer; i++)
        if (strcmp(newer[i][0], name) == 0)
            return tn__op_find(newer[i][1]);
    return tn__op_find(name);
}

/* --- made of others --------------------------------------------------------------------------- */
static tn_tensor *assign(const tn__node_def *node, tn_tensor *const *x)
{
    (void)node;
    return tn_assign(x[0], x[1]);
}

static tn_tensor *assign_add(const tn__node_def *node, tn_tensor *const *x)
{
    (void)node;
    return tn_assign_add(x[0], x[1]);
}

static tn_tensor *assign_sub(const tn__node_def *node, tn_tensor *const *x)
{
    (void)node;
    return tn_assign_sub(x[0], x[1]);
}

/* Every variable here has a value. */
static tn_tensor *is_initialized(const tn__node_def *node, tn_tensor *const *x)
{
    (void)node, (void)x;
    return tn_constant(TN_BOOL, TN_SCALAR, (bool[]){ true });
}

/* Rows of a variable, or of a tensor. */
static tn_tensor *gather(const tn__node_def *node, tn_tensor *const *x)
{
    const tn__attr_value *batch = tn__attr_find(&node->attr, "batch_dims");
    int dims = batch && batch->which == TN__ATTR_I ? (int)batch->i : 0;
    return dims ? tn_gather_batched(x[0], x[1], dims, dims) : tn_gather(x[0], x[1], 0);
}

static const struct made {
    const char *name;
    size_t inputs;
    bool variable; /* the first is one */
    tn_tensor *(*make)(const tn__node_def *node, tn_tensor *const *inputs);
} made[] = {
    { "Assign", 2, true, assign },        { "AssignAdd", 2, true, assign_add },
    { "AssignSub", 2, true, assign_sub }, { "IsVariableInitialized", 1, true, is_initialized },
    { "Gather", 2, false, gather },       { "ResourceGather", 2, true, gather },
};

static const struct made *find_made(const char *name)
{
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        if (strcmp(made[i].name, name) == 0)
            return &made[i];
    return NULL;
}

bool tn__graph_op_is_made(const char *name)
{
    return find_made(name) != NULL;
}

tn_status tn__graph_op_make(const tn__node_def *node, tn_tensor *const *inputs, size_t count,
                            tn_tensor **output)
{
    const struct made *found = find_made(node->op);
    if (!found || count != found->inputs || (found->variable && !tn__is_variable(inputs[0])))
        return tn__fail(TN_DATA_LOSS, "node '%s': %s is not as TensorFlow makes it", node->name,
                        node->op);
    *output = found->make(node, inputs);
    return *output ? TN_OK : tn__errors()->status;
}
