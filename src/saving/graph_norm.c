/* graph_norm.c - normalizations of rows and groups, and their gradients, in TensorFlow's ops, which has none for the whole. */
#include "saving/graph_write.h"
#include "ops/ops.h"
#include <string.h>

/* Nodes that are made for one of ours. */
typedef struct {
    tn__arena *arena;
    tn__node_list *nodes;
    const tn__node *node;
} norm_parts;

/* A node of the number type with one or two inputs, each the name of an output: the name of its own, NULL where there is no memory or an
 * input is NULL. The node of no name has ours. */
static const char *part(const norm_parts *w, const char *op, const char *name, const char *a, const char *b)
{
    const char *made = tn__arena_print(w->arena, "%s_%zu%s%s", w->node->op->name, w->node->index, *name ? "_" : "", name);
    bool reduces = strcmp(op, "Mean") == 0 || strcmp(op, "Sum") == 0;
    tn__node_def *def = made && a && b ? tn__node_add(w->arena, w->nodes, op, "%s", made) : NULL;
    if (!def || tn__node_input(w->arena, def, "%s", a) != TN_OK || (*b && tn__node_input(w->arena, def, "%s", b) != TN_OK) ||
        tn__attr_type(w->arena, &def->attr, "T", w->node->output[0].dtype) != TN_OK)
        return NULL;
    if (reduces && tn__attr_type(w->arena, &def->attr, "Tidx", TN__TF_INT32) != TN_OK)
        return NULL;
    return tn__arena_print(w->arena, "%s:%s:0", made, reduces ? "output" : *b ? "z" : "y");
}

/* The mean of each row, which stays as 1. */
static const char *mean(const norm_parts *w, const char *name, const char *x, const char *axes)
{
    const char *made = part(w, "Mean", name, x, axes);
    tn__node_def *def = made ? &w->nodes->item[w->nodes->count - 1] : NULL;
    return def && tn__attr_put(w->arena, &def->attr, "keep_dims", (tn__attr_value){ .which = TN__ATTR_B, .b = true }) == TN_OK ? made
                                                                                                                               : NULL;
}

static const char *epsilon(const norm_parts *w)
{
    int dtype = w->node->output[0].dtype;
    void *value = tn__arena_alloc(w->arena, sizeof(double));
    const char *name = tn__arena_print(w->arena, "%s_%zu_epsilon", w->node->op->name, w->node->index);
    tn__node_def *def = value && name ? tn__node_add(w->arena, w->nodes, "Const", "%s", name) : NULL;
    if (!def)
        return NULL;
    tn__element_from_double((tn_dtype)dtype, tn__layer_norm_epsilon(w->node->attrs), value);
    if (tn__attr_type(w->arena, &def->attr, "dtype", dtype) != TN_OK ||
        tn__attr_tensor(w->arena, &def->attr, "value", dtype, &TN_SCALAR, value) != TN_OK)
        return NULL;
    return tn__arena_print(w->arena, "%s:output:0", name);
}

static const char *constant_axes(const norm_parts *w, const char *name, const tn_axes *axes)
{
    tn_shape list = { 1, axes->count, { 0 } };
    const char *made = tn__arena_print(w->arena, "%s_%zu_%s", w->node->op->name, w->node->index, name);
    for (int i = 0; i < axes->count; i++)
        list.dims[i] = axes->axis[i];
    return made && tn__shape_const_add(w->arena, w->nodes, made, &list) == TN_OK ? tn__arena_print(w->arena, "%s:output:0", made) : NULL;
}

static bool of_rows(const tn__node *node)
{
    return node->op == &tn__op_LayerNorm || node->op == &tn__op_LayerNormGrad;
}

/* What both begin with: the axes of a row or of a group, the mean unless it stays in, and 1 / sqrt(variance + epsilon). */
typedef struct {
    const char *axes, *mean, *root;
} measures;

static measures measure(const norm_parts *w, const char *x, bool rms)
{
    int rank = w->node->output[0].shape.rank;
    tn_axes over = of_rows(w->node) ? TN_AXES(-1) : tn__axes_in_group(rank, rank - 2);
    measures m = { .axes = constant_axes(w, "axes", &over) };
    if (!rms)
        m.mean = mean(w, "mean", x, m.axes);
    const char *square = rms ? part(w, "Mul", "square", x, x) : part(w, "SquaredDifference", "square", x, m.mean);
    m.root = part(w, "Rsqrt", "root", part(w, "AddV2", "sum", mean(w, "variance", square, m.axes), epsilon(w)), "");
    return m;
}

/* x f + (beta - mean f), f = gamma / sqrt(variance + epsilon), as Keras's own graph has it; of rows, or of groups. Of rows whose mean
 * stays in: x f + beta, f = gamma / sqrt(mean of x² + epsilon). */
tn_status tn__norm_write(tn__arena *arena, tn__node_list *nodes, const tn__node *node, const char *const names[3])
{
    const norm_parts parts = { arena, nodes, node }, *w = &parts;
    const char *x = names[0], *gamma = names[1], *beta = names[2];
    bool rms = tn__layer_norm_rms(node->attrs);
    measures m = measure(w, x, rms);
    const char *factor = part(w, "Mul", "factor", m.root, gamma), *scaled = part(w, "Mul", "scaled", x, factor);
    const char *offset = rms ? beta : part(w, "Sub", "offset", beta, part(w, "Mul", "shift", m.mean, factor));
    return part(w, "AddV2", "", scaled, offset) ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static const char *const gradients[] = { "dx", "dgamma", "dbeta" };

const char *tn__norm_gradient_name(tn__arena *arena, const tn__node *node, size_t output)
{
    return tn__arena_print(arena, "%s_%zu_%s:%s:0", node->op->name, node->index, gradients[output], output == 0 ? "z" : "output");
}

/* h = (x - mean) r, r = 1 / sqrt(variance + epsilon), d = dy gamma: dx = r (d - mean of d - h mean of d h), and the sums of dy h and dy
 * over all that gamma has no axis of. */
tn_status tn__norm_gradient_write(tn__arena *arena, tn__node_list *nodes, const tn__node *node, const char *const names[3])
{
    const norm_parts parts = { arena, nodes, node }, *w = &parts;
    const char *dy = names[0], *x = names[1], *gamma = names[2];
    bool rms = tn__layer_norm_rms(node->attrs);
    tn_axes outer = { .count = node->output[0].shape.rank - (of_rows(node) ? 1 : 2) };
    for (int i = 0; i < outer.count; i++)
        outer.axis[i] = i;
    measures m = measure(w, x, rms);
    const char *h = part(w, "Mul", "h", rms ? x : part(w, "Sub", "centred", x, m.mean), m.root), *d = part(w, "Mul", "d", dy, gamma);
    const char *along = part(w, "Mul", "along", h, mean(w, "slope", part(w, "Mul", "dh", d, h), m.axes));
    const char *rest = part(w, "Sub", "rest", rms ? d : part(w, "Sub", "level", d, mean(w, "offset", d, m.axes)), along);
    const char *over = constant_axes(w, "outer", &outer);
    bool made = part(w, "Mul", gradients[0], rest, m.root) && part(w, "Sum", gradients[1], part(w, "Mul", "dyh", dy, h), over) &&
                part(w, "Sum", gradients[2], dy, over);
    return made ? TN_OK : TN_RESOURCE_EXHAUSTED;
}
