/* known.c - what can be told of an integer tensor before anything runs: shapes, mostly. */
#include "ops/ops.h"
#include <string.h>

enum { MOST = TN_MAX_RANK * 4, DEPTH = 32 };

typedef struct {
    int64_t value[MOST];
    size_t count;
} ints;

static bool known(const tn_tensor *x, ints *out, int depth);

static bool value_ints(const tn_tensor *x, ints *out)
{
    if (x->shape.rank > 1 || tn__count(x) > MOST || tn__in(TN__FLOATS, (tn_dtype)x->dtype))
        return false;
    out->count = (size_t)tn__count(x);
    for (size_t i = 0; i < out->count; i++)
        out->value[i] = tn__int_at(x, (int64_t)i);
    return true;
}

static bool shape_ints(const tn_tensor *x, ints *out)
{
    if (!x->shape.known)
        return false;
    out->count = (size_t)x->shape.rank;
    memcpy(out->value, x->shape.dims, out->count * sizeof(int64_t));
    return true;
}

/* Pack and ConcatV2: the elements one after the other; the last `tail` inputs are not elements. */
static bool joined_ints(const tn__node *node, size_t tail, ints *out, int depth)
{
    out->count = 0;
    for (size_t i = 0; i + tail < node->input_count; i++) {
        ints part;
        if (!known(node->input[i], &part, depth) || out->count + part.count > MOST)
            return false;
        memcpy(out->value + out->count, part.value, part.count * sizeof(int64_t));
        out->count += part.count;
    }
    return true;
}

/* TN_NONE stands for an unknown element, so arithmetic on it stays unknown. */
static bool arithmetic(const tn__node *node, ints *out, int depth)
{
    ints a, b;
    if (!known(node->input[0], &a, depth) || !known(node->input[1], &b, depth) ||
        (a.count != b.count && a.count != 1 && b.count != 1))
        return false;
    out->count = a.count > b.count ? a.count : b.count;
    for (size_t i = 0; i < out->count; i++) {
        int64_t x = a.value[a.count == 1 ? 0 : i], y = b.value[b.count == 1 ? 0 : i];
        bool add = node->op == &tn__op_AddV2, multiply = node->op == &tn__op_Mul;
        out->value[i] = x == TN_NONE || y == TN_NONE ? TN_NONE : add ? x + y : multiply ? x * y : x - y;
    }
    return true;
}

static bool node_ints(const tn_tensor *x, ints *out, int depth)
{
    const tn__node *node = x->of.output.node;
    const char *op = node->op->name;
    if (node->op == &tn__op_Const)
        return value_ints(*(tn_tensor **)node->attrs, out);
    if (node->op == &tn__op_Shape)
        return shape_ints(node->input[0], out);
    if (node->op == &tn__op_Cast || node->op == &tn__op_Identity)
        return known(node->input[0], out, depth);
    if (strcmp(op, "Pack") == 0 && x->shape.known && x->shape.rank == 1)
        return joined_ints(node, 0, out, depth);
    if (strcmp(op, "ConcatV2") == 0)
        return joined_ints(node, 1, out, depth);
    if (node->op == &tn__op_AddV2 || node->op == &tn__op_Sub || node->op == &tn__op_Mul)
        return arithmetic(node, out, depth);
    if (strcmp(op, "Slice") == 0) {
        ints all, begin, size;
        if (!known(node->input[0], &all, depth) || !known(node->input[1], &begin, depth) || !known(node->input[2], &size, depth) ||
            begin.count != 1 || size.count != 1 || begin.value[0] < 0 || begin.value[0] > (int64_t)all.count)
            return false;
        int64_t length = size.value[0] < 0 ? (int64_t)all.count - begin.value[0] : size.value[0];
        if (length > (int64_t)all.count - begin.value[0])
            return false;
        out->count = (size_t)length;
        memcpy(out->value, all.value + begin.value[0], out->count * sizeof(int64_t));
        return true;
    }
    return false;
}

static bool known(const tn_tensor *x, ints *out, int depth)
{
    if (x->form == TN__VALUE)
        return value_ints(x, out);
    return x->form == TN__SYMBOLIC && x->of.output.node && depth < DEPTH && node_ints(x, out, depth + 1);
}

bool tn__known_ints(const tn_tensor *x, int64_t *values, size_t *count)
{
    ints found;
    if (!known(x, &found, 0))
        return false;
    memcpy(values, found.value, found.count * sizeof(int64_t));
    *count = found.count;
    return true;
}

tn_shape tn__known_shape(const tn_tensor *x)
{
    int64_t values[MOST];
    size_t count;
    if (tn__known_ints(x, values, &count) && count <= TN_MAX_RANK)
        return tn__shape_make((int)count, values);
    /* At least the rank, when the length is known. */
    if (x->shape.known && x->shape.rank == 1 && x->shape.dims[0] >= 0 && x->shape.dims[0] <= TN_MAX_RANK) {
        for (int i = 0; i < TN_MAX_RANK; i++)
            values[i] = TN_NONE;
        return tn__shape_make((int)x->shape.dims[0], values);
    }
    return TN__UNKNOWN_SHAPE;
}
