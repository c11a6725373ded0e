/* known.c - what can be told of an integer tensor before anything runs: shapes, mostly. */
#include "ops/slice.h"
#include <string.h>

enum { DEPTH = 32 };

typedef struct {
    int64_t value[TN__MOST_KNOWN]; /* TN__UNSURE: not known */
    size_t count;
} ints;

static bool known(const tn_tensor *x, ints *out, int depth);

static bool value_ints(const tn_tensor *x, ints *out)
{
    if (x->shape.rank > 2 || tn__count(x) > TN__MOST_KNOWN ||
        tn__in(TN__FLOATS, (tn_dtype)x->dtype))
        return false;
    out->count = (size_t)tn__count(x);
    for (size_t i = 0; i < out->count; i++)
        out->value[i] = tn__int_at(x, (int64_t)i);
    for (size_t i = 0; i < out->count; i++) /* known, and as far out of any range as before */
        out->value[i] += out->value[i] == TN__UNSURE;
    return true;
}

static bool one(ints *out, int64_t value)
{
    out->count = 1;
    out->value[0] = value;
    return true;
}

static bool sure(const ints *x)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->value[i] == TN__UNSURE)
            return false;
    return true;
}

/* --- rules, one for each op ------------------------------------------------------------------- */
typedef bool (*rule)(const tn__node *node, ints *out, int depth);

static bool const_rule(const tn__node *node, ints *out, int depth)
{
    (void)depth;
    return value_ints(*(tn_tensor **)node->attrs, out);
}

static bool shape_rule(const tn__node *node, ints *out, int depth)
{
    (void)depth;
    const tn_shape *shape = &node->input[0]->shape;
    if (!shape->known)
        return false;
    out->count = (size_t)shape->rank;
    for (int i = 0; i < shape->rank; i++)
        out->value[i] = shape->dims[i] < 0 ? TN__UNSURE : shape->dims[i];
    return true;
}

static bool rank_rule(const tn__node *node, ints *out, int depth)
{
    (void)depth;
    return node->input[0]->shape.known && one(out, node->input[0]->shape.rank);
}

static bool size_rule(const tn__node *node, ints *out, int depth)
{
    (void)depth;
    const tn_shape *shape = &node->input[0]->shape;
    return one(out, tn__shape_full(shape) ? tn__shape_count(shape) : TN__UNSURE);
}

/* Cast, Identity, Reshape …: the elements of the first input. */
static bool same_rule(const tn__node *node, ints *out, int depth)
{
    return known(node->input[0], out, depth);
}

/* The elements one after the other, which is what joining along the first axis does; the last
 * `tail` inputs are not elements. */
static bool joined(const tn__node *node, size_t tail, ints *out, int depth)
{
    out->count = 0;
    for (size_t i = 0; i + tail < node->input_count; i++) {
        ints part;
        if (!known(node->input[i], &part, depth) || out->count + part.count > TN__MOST_KNOWN)
            return false;
        memcpy(out->value + out->count, part.value, part.count * sizeof(int64_t));
        out->count += part.count;
    }
    return true;
}

static bool pack_rule(const tn__node *node, ints *out, int depth)
{
    const tn_shape *shape = &node->output[0].shape;
    return shape->known && shape->rank == 1 && joined(node, 0, out, depth);
}

static bool concat_rule(const tn__node *node, ints *out, int depth)
{
    const tn_shape *shape = &node->output[0].shape;
    return shape->known && shape->rank == 1 && joined(node, 1, out, depth);
}

static int64_t floor_div(int64_t x, int64_t y)
{
    return x / y - ((x % y != 0) && (x < 0) != (y < 0));
}

/* TN__UNSURE where the result is not a number that fits. */
static int64_t calculated(const char *op, int64_t x, int64_t y)
{
    int64_t result;
    if (x == TN__UNSURE || y == TN__UNSURE)
        return TN__UNSURE;
    if (strcmp(op, "AddV2") == 0)
        return __builtin_add_overflow(x, y, &result) ? TN__UNSURE : result;
    if (strcmp(op, "Sub") == 0)
        return __builtin_sub_overflow(x, y, &result) ? TN__UNSURE : result;
    if (strcmp(op, "Mul") == 0)
        return __builtin_mul_overflow(x, y, &result) ? TN__UNSURE : result;
    if (strcmp(op, "Maximum") == 0)
        return x > y ? x : y;
    if (strcmp(op, "Minimum") == 0)
        return x < y ? x : y;
    if (y == 0 || y == -1)
        return TN__UNSURE;
    return strcmp(op, "FloorDiv") == 0 ? floor_div(x, y) : x - y * floor_div(x, y);
}

static bool arithmetic_rule(const tn__node *node, ints *out, int depth)
{
    ints a, b;
    if (!known(node->input[0], &a, depth) || !known(node->input[1], &b, depth) ||
        (a.count != b.count && a.count != 1 && b.count != 1))
        return false;
    out->count = a.count == 1 ? b.count : a.count;
    for (size_t i = 0; i < out->count; i++)
        out->value[i] = calculated(node->op->name, a.value[a.count == 1 ? 0 : i],
                                   b.value[b.count == 1 ? 0 : i]);
    return true;
}

/* Of a vector over its one axis. */
static bool prod_rule(const tn__node *node, ints *out, int depth)
{
    ints all;
    const tn_shape *in = &node->input[0]->shape, *result = &node->output[0].shape;
    if (!in->known || in->rank != 1 || !result->known || result->rank != 0 ||
        !known(node->input[0], &all, depth))
        return false;
    int64_t product = 1;
    for (size_t i = 0; i < all.count; i++)
        product = calculated("Mul", product, all.value[i]);
    return one(out, product);
}

static bool slice_rule(const tn__node *node, ints *out, int depth)
{
    ints all, begin, size;
    if (!known(node->input[0], &all, depth) || !known(node->input[1], &begin, depth) ||
        !known(node->input[2], &size, depth) || begin.count != 1 || size.count != 1 ||
        !sure(&begin) || !sure(&size) || begin.value[0] < 0 || begin.value[0] > (int64_t)all.count)
        return false;
    int64_t rest = (int64_t)all.count - begin.value[0],
            length = size.value[0] < 0 ? rest : size.value[0];
    if (length > rest)
        return false;
    out->count = (size_t)length;
    memcpy(out->value, all.value + begin.value[0], out->count * sizeof(int64_t));
    return true;
}

static bool strided_slice_rule(const tn__node *node, ints *out, int depth)
{
    ints all, begin, end, stride;
    tn__slicing slicing;
    if (!known(node->input[0], &all, depth) || !known(node->input[1], &begin, depth) ||
        !known(node->input[2], &end, depth) || !known(node->input[3], &stride, depth) ||
        begin.count != end.count || begin.count != stride.count || !sure(&begin) || !sure(&end) ||
        !sure(&stride) || node->input[0]->shape.rank != 1)
        return false;
    tn_shape shape = tn__shape_vector((int64_t)all.count);
    const tn__slice_spec spec = { node->attrs, begin.value, end.value, stride.value, begin.count };
    if (tn__slicing_of(&spec, &shape, &slicing) != TN_OK || slicing.count[0] == TN_NONE)
        return false;
    out->count = (size_t)slicing.count[0];
    for (size_t i = 0; i < out->count; i++)
        out->value[i] = all.value[slicing.begin[0] + (int64_t)i * slicing.stride[0]];
    return true;
}

/* From a vector. */
static bool gather_rule(const tn__node *node, ints *out, int depth)
{
    ints all, at;
    if (node->input[0]->shape.rank != 1 || !known(node->input[0], &all, depth) ||
        !known(node->input[1], &at, depth))
        return false;
    out->count = at.count;
    for (size_t i = 0; i < at.count; i++)
        out->value[i] = at.value[i] < 0 || at.value[i] >= (int64_t)all.count
                            ? TN__UNSURE
                            : all.value[at.value[i]];
    return true;
}

static bool range_rule(const tn__node *node, ints *out, int depth)
{
    ints start, limit, delta;
    if (!known(node->input[0], &start, depth) || !known(node->input[1], &limit, depth) ||
        !known(node->input[2], &delta, depth) || !sure(&start) || !sure(&limit) || !sure(&delta) ||
        start.count * limit.count * delta.count != 1 || delta.value[0] == 0)
        return false;
    out->count = 0;
    int64_t at = start.value[0];
    for (; delta.value[0] > 0 ? at < limit.value[0] : at > limit.value[0]; at += delta.value[0]) {
        if (out->count == TN__MOST_KNOWN)
            return false;
        out->value[out->count++] = at;
    }
    return true;
}

static bool fill_rule(const tn__node *node, ints *out, int depth)
{
    ints dims, value;
    if (!known(node->input[0], &dims, depth) || !known(node->input[1], &value, depth) ||
        dims.count > 1 || !sure(&dims) || value.count != 1)
        return false;
    out->count = dims.count ? (size_t)dims.value[0] : 1;
    if (out->count > TN__MOST_KNOWN)
        return false;
    for (size_t i = 0; i < out->count; i++)
        out->value[i] = value.value[0];
    return true;
}

static const struct {
    const char *op;
    rule tell;
} rules[] = {
    { "Const", const_rule },         { "Shape", shape_rule },
    { "Rank", rank_rule },           { "Size", size_rule },
    { "Cast", same_rule },           { "Identity", same_rule },
    { "StopGradient", same_rule },   { "Reshape", same_rule },
    { "ExpandDims", same_rule },     { "Squeeze", same_rule },
    { "Pack", pack_rule },           { "ConcatV2", concat_rule },
    { "AddV2", arithmetic_rule },    { "Sub", arithmetic_rule },
    { "Mul", arithmetic_rule },      { "FloorDiv", arithmetic_rule },
    { "FloorMod", arithmetic_rule }, { "Maximum", arithmetic_rule },
    { "Minimum", arithmetic_rule },  { "Prod", prod_rule },
    { "Slice", slice_rule },         { "StridedSlice", strided_slice_rule },
    { "GatherV2", gather_rule },     { "Range", range_rule },
    { "Fill", fill_rule },
};

/* --- asking ----------------------------------------------------------------------------------- */
static bool known(const tn_tensor *x, ints *out, int depth)
{
    if (x->form == TN__VALUE)
        return value_ints(x, out);
    out->count = 0;
    if (x->shape.known && x->shape.rank == 1 && x->shape.dims[0] == 0)
        return true; /* nothing that could be unknown */
    if (x->form != TN__SYMBOLIC || !x->of.output.node || depth == DEPTH ||
        tn__in(TN__FLOATS, (tn_dtype)x->dtype))
        return false;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].op, x->of.output.node->op->name) == 0)
            return rules[i].tell(x->of.output.node, out, depth + 1);
    return false;
}

bool tn__known_each(const tn_tensor *x, int64_t *values, size_t *count)
{
    ints found;
    if (!known(x, &found, 0))
        return false;
    memcpy(values, found.value, found.count * sizeof(int64_t));
    *count = found.count;
    return true;
}

bool tn__known_exactly(const tn_tensor *x, int64_t *values, size_t *count)
{
    ints found;
    if (!known(x, &found, 0) || !sure(&found))
        return false;
    memcpy(values, found.value, found.count * sizeof(int64_t));
    *count = found.count;
    return true;
}

bool tn__known_ints(const tn_tensor *x, int64_t *values, size_t *count)
{
    if (!tn__known_each(x, values, count))
        return false;
    for (size_t i = 0; i < *count; i++)
        if (values[i] == TN__UNSURE)
            values[i] = TN_NONE;
    return true;
}

tn_shape tn__known_shape(const tn_tensor *x)
{
    int64_t values[TN__MOST_KNOWN];
    size_t count;
    if (x->shape.known && x->shape.rank > 1)
        return TN__UNKNOWN_SHAPE;
    if (tn__known_ints(x, values, &count) && count <= TN_MAX_RANK)
        return tn__shape_make((int)count, values);
    /* At least the rank, when the length is known. */
    if (x->shape.known && x->shape.rank == 1 && x->shape.dims[0] >= 0 &&
        x->shape.dims[0] <= TN_MAX_RANK) {
        for (int i = 0; i < TN_MAX_RANK; i++)
            values[i] = TN_NONE;
        return tn__shape_make((int)x->shape.dims[0], values);
    }
    return TN__UNKNOWN_SHAPE;
}
