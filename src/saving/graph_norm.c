/* graph_norm.c - normalizations of rows and groups in TensorFlow's ops, which has none for the whole. */
#include "saving/graph_write.h"
#include "ops/ops.h"

/* Nodes that are made for one of ours. */
typedef struct {
    tn__arena *arena;
    tn__node_list *nodes;
    const tn__node *node;
} norm_parts;

/* A node of some number type with one or two inputs, by the names of their outputs. */
static tn_status add_part(const norm_parts *w, const char *op, const char *name, const char *a, const char *b)
{
    tn__node_def *def = a && b ? tn__node_add(w->arena, w->nodes, op, "%s_%zu%s", w->node->op->name, w->node->index, name) : NULL;
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__node_input(w->arena, def, "%s", a));
    if (*b)
        TN_TRY(tn__node_input(w->arena, def, "%s", b));
    return tn__attr_type(w->arena, &def->attr, "T", w->node->output[0].dtype);
}

/* The mean of each row, which stays as 1. */
static tn_status add_mean(const norm_parts *w, const char *name, const char *x, const char *axes)
{
    TN_TRY(add_part(w, "Mean", name, x, axes));
    tn__node_def *def = &w->nodes->item[w->nodes->count - 1];
    TN_TRY(tn__attr_type(w->arena, &def->attr, "Tidx", TN__TF_INT32));
    return tn__attr_put(w->arena, &def->attr, "keep_dims", (tn__attr_value){ .which = TN__ATTR_B, .b = true });
}

static tn_status add_epsilon(const norm_parts *w)
{
    int dtype = w->node->output[0].dtype;
    void *value = tn__arena_alloc(w->arena, sizeof(double));
    tn__node_def *def = value ? tn__node_add(w->arena, w->nodes, "Const", "%s_%zu_epsilon", w->node->op->name, w->node->index) : NULL;
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    tn__element_from_double((tn_dtype)dtype, tn__layer_norm_epsilon(w->node->attrs), value);
    TN_TRY(tn__attr_type(w->arena, &def->attr, "dtype", dtype));
    return tn__attr_tensor(w->arena, &def->attr, "value", dtype, &TN_SCALAR, value);
}

/* The last axis, or those of a group. */
static tn_shape axes_of_norm(const tn__node *node)
{
    int rank = node->input[0]->shape.rank;
    tn_axes group = tn__axes_in_group(rank, rank - 2);
    tn_shape axes = TN_SHAPE(TN_NONE);
    if (node->op == &tn__op_LayerNorm)
        return axes;
    axes.rank = group.count;
    for (int i = 0; i < group.count; i++)
        axes.dims[i] = group.axis[i];
    return axes;
}

/* x f + (beta - mean f), f = gamma / sqrt(variance + epsilon), as Keras's own graph has it; of rows, or of groups. Of rows whose mean
 * stays in: x f + beta, f = gamma / sqrt(mean of x² + epsilon). */
tn_status tn__norm_write(tn__arena *arena, tn__node_list *nodes, const tn__node *node, const char *const names[3])
{
    const norm_parts parts = { arena, nodes, node }, *w = &parts;
    const char *x = names[0], *gamma = names[1], *beta = names[2];
    const char *part[] = { "axes:output", "epsilon:output", "mean:output", "square:z", "variance:output", "sum:z", "root:y", "factor:z",
                           "scaled:z", "shift:z", "offset:z" };
    enum { AXES, EPSILON, MEAN, SQUARE, VARIANCE, SUM, ROOT, FACTOR, SCALED, SHIFT, OFFSET, PARTS };
    const tn_shape over = axes_of_norm(node);
    bool rms = tn__layer_norm_rms(node->attrs);
    const char *axes = tn__arena_print(arena, "%s_%zu_axes", node->op->name, node->index);
    for (int i = 0; i < PARTS; i++)
        part[i] = tn__arena_print(arena, "%s_%zu_%s:0", node->op->name, node->index, part[i]);
    if (!axes)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__shape_const_add(arena, nodes, axes, &over));
    TN_TRY(add_epsilon(w));
    if (!rms)
        TN_TRY(add_mean(w, "_mean", x, part[AXES]));
    TN_TRY(add_part(w, rms ? "Mul" : "SquaredDifference", "_square", x, rms ? x : part[MEAN]));
    TN_TRY(add_mean(w, "_variance", part[SQUARE], part[AXES]));
    TN_TRY(add_part(w, "AddV2", "_sum", part[VARIANCE], part[EPSILON]));
    TN_TRY(add_part(w, "Rsqrt", "_root", part[SUM], ""));
    TN_TRY(add_part(w, "Mul", "_factor", part[ROOT], gamma));
    TN_TRY(add_part(w, "Mul", "_scaled", x, part[FACTOR]));
    if (rms)
        return add_part(w, "AddV2", "", part[SCALED], beta);
    TN_TRY(add_part(w, "Mul", "_shift", part[MEAN], part[FACTOR]));
    TN_TRY(add_part(w, "Sub", "_offset", beta, part[SHIFT]));
    return add_part(w, "AddV2", "", part[SCALED], part[OFFSET]);
}
