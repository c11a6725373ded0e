/* data.c - arrays cut into batches, and weights of classes as weights of rows. */
#include "train/data.h"
#include "runtime/op.h"
#include "tenon/ops.h"
#include <math.h>
#include <string.h>

/* Applies f to every leaf: a structure of its results, for the caller to own. */
static tn_status map(tn_tensor *structure,
                     tn_status (*f)(void *self, tn_tensor *leaf, tn_tensor **result), void *self,
                     tn_tensor **out)
{
    *out = NULL;
    if (!structure)
        return TN_OK;
    if (structure->form != TN__TUPLE)
        return f(self, structure, out);
    size_t count = tn__flat_count(structure);
    tn_tensor **leaves = tn__alloc(2 * (count + 1) * sizeof *leaves),
              **results = leaves + count + 1;
    if (!leaves)
        return TN_RESOURCE_EXHAUSTED;
    tn__flatten(structure, leaves);
    tn_status status = TN_OK;
    size_t made = 0;
    while (made < count && (status = f(self, leaves[made], &results[made])) == TN_OK)
        made++;
    tn_tensor *const *at = results;
    if (status == TN_OK && !(*out = tn__rebuild(structure, &at)))
        status = TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < made; i++)
        tn__release(results[i]);
    tn__free(leaves);
    return status;
}

/* --- taking arrays ---------------------------------------------------------------------------- */
static tn_status take_leaf(void *self, tn_tensor *leaf, tn_tensor **result)
{
    (void)self;
    tn_tensor *value;
    *result = NULL;
    TN_TRY(tn__value_of(leaf, "data", &value));
    if (value->shape.rank == 0) {
        tn__release(value);
        return tn__fail(TN_INVALID_ARGUMENT,
                        "data must have samples as its first dimension, got a single number");
    }
    tn_status status = TN_OK;
    if (value->dtype == TN_FLOAT64)
        status = tn__cast_value(value, TN_FLOAT32, result);
    else
        *result = tn__retain(value);
    tn__release(value);
    return status;
}

typedef struct {
    int64_t rows;
    bool differ;
} count_rows;

static tn_status count_leaf(void *self, tn_tensor *leaf, tn_tensor **result)
{
    count_rows *c = self;
    c->differ |= c->rows >= 0 && c->rows != leaf->shape.dims[0];
    c->rows = leaf->shape.dims[0];
    *result = tn__retain(leaf);
    return TN_OK;
}

static void add_sizes(tn__text *text, const char *name, tn_tensor *structure)
{
    tn_tensor *leaves[64];
    if (!structure || tn__flat_count(structure) > 64)
        return;
    tn_tensor **end = tn__flatten(structure, leaves);
    tn__text_add(text, "'%s' sizes: ", name);
    for (tn_tensor **at = leaves; at < end; at++)
        tn__text_add(text, "%s%lld", at > leaves ? ", " : "", (long long)(*at)->shape.dims[0]);
    tn__text_add(text, "\n");
}

static tn_status check_rows(tn__data *data)
{
    count_rows c = { -1, false };
    tn_tensor *parts[] = { data->x, data->y, data->weight }, *ignored;
    for (int i = 0; i < 3; i++) {
        TN_TRY(map(parts[i], count_leaf, &c, &ignored));
        tn__release(ignored);
    }
    data->rows = c.rows;
    if (!c.differ)
        return TN_OK;
    tn__text sizes = { 0 };
    add_sizes(&sizes, "x", data->x);
    add_sizes(&sizes, "y", data->y);
    add_sizes(&sizes, "sample_weight", data->weight);
    tn_status status = tn__fail(
        TN_INVALID_ARGUMENT,
        "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples.%s",
        tn__text_get(&sizes));
    tn__text_free(&sizes);
    return status;
}

tn_status tn__data_new(tn_tensor *x, tn_tensor *y, tn_tensor *weight, tn__data *data)
{
    *data = (tn__data){ 0 };
    tn_status status = map(x, take_leaf, NULL, &data->x);
    if (status == TN_OK)
        status = map(y, take_leaf, NULL, &data->y);
    if (status == TN_OK)
        status = map(weight, take_leaf, NULL, &data->weight);
    if (status == TN_OK)
        status = check_rows(data);
    if (status != TN_OK)
        tn__data_free(data);
    return status;
}

void tn__data_free(tn__data *data)
{
    tn__release(data->x);
    tn__release(data->y);
    tn__release(data->weight);
    *data = (tn__data){ 0 };
}

/* --- rows ------------------------------------------------------------------------------------- */
typedef struct {
    const int64_t *order;
    int64_t first, begin, count; /* begin: in the order; without one, in the arrays */
} rows;

static tn_status copy_rows(void *self, tn_tensor *leaf, tn_tensor **result)
{
    const rows *r = self;
    tn_shape shape = leaf->shape;
    int64_t all = shape.dims[0];
    if (!r->order && r->count == all) {
        *result = tn__retain(leaf);
        return TN_OK;
    }
    shape.dims[0] = r->count;
    TN_TRY(tn__tensor_new((tn_dtype)leaf->dtype, &shape, result));
    size_t size = all ? tn__byte_count(leaf) / (size_t)all : 0;
    const char *from = leaf->data;
    char *to = (*result)->data;
    if (!r->order && size)
        memcpy(to, from + (size_t)r->begin * size, (size_t)r->count * size);
    for (int64_t i = 0; r->order && i < r->count; i++)
        memcpy(to + (size_t)i * size, from + (size_t)(r->first + r->order[r->begin + i]) * size,
               size);
    return TN_OK;
}

tn_status tn__data_batch(const tn__data *data, const int64_t *order, int64_t begin, int64_t count,
                         tn__data *batch)
{
    rows r = { order, data->first, order ? begin : data->first + begin, count };
    *batch = (tn__data){ .rows = count };
    tn_status status = map(data->x, copy_rows, &r, &batch->x);
    if (status == TN_OK)
        status = map(data->y, copy_rows, &r, &batch->y);
    if (status == TN_OK)
        status = map(data->weight, copy_rows, &r, &batch->weight);
    if (status != TN_OK)
        tn__data_free(batch);
    return status;
}

tn_status tn__data_split(tn__data *data, double part, tn__data *tail)
{
    if (!(part > 0 && part < 1))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "`validation_split` must be a float between 0 and 1, got %g", part);
    int64_t split = (int64_t)floor((double)data->rows * (1 - part));
    if (split == 0 || split == data->rows)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Training data contains %lld samples, which is not sufficient to split it "
                        "into a validation and training set as specified by "
                        "`validation_split=%g`. Either provide more data, or a different value for "
                        "the `validation_split` argument.",
                        (long long)data->rows, part);
    *tail = (tn__data){ tn__retain(data->x), tn__retain(data->y), tn__retain(data->weight),
                        data->rows - split, data->first + split };
    data->rows = split;
    return TN_OK;
}

/* --- weights ---------------------------------------------------------------------------------- */
/* The class of a row of labels: the number itself, or the place of the largest of several. */
static int64_t class_of(const tn_tensor *y, int64_t row)
{
    int64_t width = y->shape.dims[0] ? tn__count(y) / y->shape.dims[0] : 1, best = 0;
    if (width == 1)
        return llround(tn__double_at(y, row));
    for (int64_t i = 1; i < width; i++)
        if (tn__double_at(y, row * width + i) > tn__double_at(y, row * width + best))
            best = i;
    return best;
}

tn_status tn__data_class_weight(tn__data *data, tn_tensor *class_weight)
{
    tn_tensor *weights, *rows_weight;
    if (data->weight)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "You cannot `class_weight` and `sample_weight` at the same time.");
    if (!data->y || data->y->form == TN__TUPLE)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "`class_weight` is only supported for Models with a single output.");
    TN_TRY(tn__value_of(class_weight, "class_weight", &weights));
    int64_t end = data->first + data->rows; /* of the arrays, as all that is in data */
    tn_shape shape = tn__shape_vector(end);
    tn_status status = tn__tensor_new(TN_FLOAT32, &shape, &rows_weight);
    for (int64_t i = 0; status == TN_OK && i < end; i++) {
        int64_t at = class_of(data->y, i);
        ((float *)rows_weight->data)[i] =
            at >= 0 && at < tn__count(weights) ? (float)tn__double_at(weights, at) : 1;
    }
    tn__release(weights);
    if (status == TN_OK)
        data->weight = rows_weight;
    return status;
}
