/* loss.c - what all losses have in common: weights, masks, the reduction; losses of the program's
 * own. */
#include "train/loss.h"
#include "function/frame.h"
#include "ops/ops.h"
#include <string.h>
#include <strings.h>

static void loss_destroy(void *object)
{
    tn_loss *loss = object;
    tn__thing_free(&loss->thing);
}

const tn__type tn__type_loss = { .name = "loss", .kind = 4, .destroy = loss_destroy };

/* --- making ----------------------------------------------------------------------------------- */
static tn_status set_text(const char **place, const char *text)
{
    char *copy = tn__strdup(text);
    if (!copy)
        return TN_RESOURCE_EXHAUSTED;
    tn__free((char *)(uintptr_t)*place);
    *place = copy;
    return TN_OK;
}

/* Not given means Keras's own name, "auto" Keras 3's word for it. */
static tn_status fill_loss(tn_loss *loss)
{
    const char **name = tn__thing_field(&loss->thing, "name"),
               **reduction = tn__thing_field(&loss->thing, "reduction");
    if (!*name)
        TN_TRY(set_text(name, tn__field_find(loss->thing.of->fields, "name")->fallback));
    if (*reduction && strcmp(*reduction, "auto") == 0)
        TN_TRY(set_text(reduction, "sum_over_batch_size"));
    loss->reduction = *reduction;
    loss->dtype = *(tn_dtype *)tn__thing_field(&loss->thing, "dtype");
    if (!loss->dtype)
        loss->dtype = TN_FLOAT32;
    if (tn__in(TN__FLOATS, loss->dtype))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "%s: a loss is computed in a float dtype, got .dtype = %s",
                    loss->thing.of->name, tn__dtype_name(loss->dtype));
}

tn_status tn__loss_from_thing(tn__thing *taken, tn_loss **loss)
{
    *loss = tn__object_new(&tn__type_loss);
    if (!*loss) {
        tn__thing_free(taken);
        return TN_RESOURCE_EXHAUSTED;
    }
    (*loss)->thing = *taken;
    *taken = (tn__thing){ NULL, NULL };
    tn_status status = fill_loss(*loss);
    if (status != TN_OK) {
        tn__release(*loss);
        *loss = NULL;
    }
    return status;
}

tn_status tn__loss_parse(const char *text, tn_loss **loss)
{
    tn__thing thing;
    *loss = NULL;
    TN_TRY(tn__thing_parse(TN__LOSS, text, &thing));
    return tn__loss_from_thing(&thing, loss);
}

tn_loss *tn__loss_from_options(const tn__object_class *of, const void *options)
{
    const struct {
        TN_OPTIONS_HEAD(none);
    } *head = options;
    TN__ENTER_OPTIONS(context, head, NULL);
    tn__thing thing;
    tn_loss *loss;
    if (tn__thing_from_options(of, options, &thing) != TN_OK ||
        tn__loss_from_thing(&thing, &loss) != TN_OK)
        return NULL;
    return tn__own_made(context, loss);
}

tn_loss *tn_loss_from_text(const char *text)
{
    TN__ENTER(context, NULL);
    tn_loss *loss = NULL;
    if (!text)
        tn__fail(TN_INVALID_ARGUMENT, "tn_loss_from_text: text is NULL");
    else
        (void)!tn__loss_parse(text, &loss);
    return tn__own_made(context, loss);
}

/* --- shapes ----------------------------------------------------------------------------------- */
tn_tensor *tn__to_dtype(tn_tensor *x, tn_dtype dtype)
{
    return !x || x->dtype == dtype ? x : tn_cast(x, dtype);
}

void tn__same_rank(tn_tensor **a, tn_tensor **b, bool expand_rank_1)
{
    if (!*a || !*b || !(*a)->shape.known || !(*b)->shape.known)
        return;
    tn_tensor **longer = (*a)->shape.rank > (*b)->shape.rank ? a : b,
              **shorter = longer == a ? b : a;
    const tn_shape *shape = &(*longer)->shape;
    if (shape->rank != (*shorter)->shape.rank + 1 || shape->dims[shape->rank - 1] != 1)
        return;
    if ((*shorter)->shape.rank == 1 && expand_rank_1)
        *shorter = tn_expand_dims(*shorter, -1);
    else
        *longer = tn_squeeze(*longer, TN_AXES(-1));
}

void tn__floats(tn_tensor **y_true, tn_tensor **y_pred)
{
    if (!tn__check_tensor(*y_true, "y_true") || !tn__check_tensor(*y_pred, "y_pred")) {
        *y_true = *y_pred = NULL;
        return;
    }
    if (!tn__in(TN__FLOATS, (tn_dtype)(*y_pred)->dtype))
        *y_pred = tn_cast(*y_pred, TN_FLOAT32);
    if (*y_pred)
        *y_true = tn__to_dtype(*y_true, (tn_dtype)(*y_pred)->dtype);
}

void tn__pair(tn_tensor **y_true, tn_tensor **y_pred)
{
    tn__floats(y_true, y_pred);
    tn__same_rank(y_true, y_pred, true);
}

static int64_t last_dim(const tn_shape *shape)
{
    return shape->known && shape->rank > 0 ? shape->dims[shape->rank - 1] : TN_NONE;
}

tn__labels tn__labels_of(const tn_shape *y_true, const tn_shape *y_pred)
{
    int64_t label = last_dim(y_true), output = last_dim(y_pred);
    if (output == 1)
        return TN__BINARY;
    return y_true->rank < y_pred->rank || (label == 1 && output > 1) ? TN__SPARSE : TN__ONE_HOT;
}

bool tn__is_word(const char *text, const char *word, const char *short_word)
{
    return strcasecmp(text, word) == 0 || strcasecmp(text, short_word) == 0;
}

/* --- weights and the reduction ---------------------------------------------------------------- */
/* The number of elements, a constant where it is known. */
static tn_tensor *count_of(tn_tensor *x, tn_dtype dtype)
{
    if (!x)
        return NULL;
    if (!tn__shape_full(&x->shape))
        return tn_cast(tn_size(x), dtype);
    return tn__own(tn__tensor_fill(dtype, &TN_SCALAR, (double)tn__count(x)));
}

tn_tensor *tn__masked_weight(tn_tensor *sample_weight, tn_tensor *mask, tn_dtype dtype, bool spread)
{
    if (!mask)
        return sample_weight;
    tn_tensor *weight = tn__to_dtype(mask, dtype);
    if (spread && weight) {
        tn_tensor *counting = tn_divide_no_nan(count_of(mask, dtype), tn_reduce_sum(weight));
        weight = counting ? tn_where(tn__to_dtype(weight, TN_BOOL), counting, tn__like(counting, 0))
                          : NULL;
    }
    if (!sample_weight)
        return weight;
    sample_weight = tn__to_dtype(sample_weight, dtype);
    tn__same_rank(&weight, &sample_weight, true);
    return tn_multiply(sample_weight, weight);
}

static bool is_reduction(const char *reduction, const char *word)
{
    return reduction && strcmp(reduction, word) == 0;
}

/* A number, or nothing at all, stays as it is. */
static tn_tensor *reduce(tn_tensor *values, tn_tensor *weight, const char *reduction)
{
    if (!values || !reduction || is_reduction(reduction, "none"))
        return values;
    const tn_shape *shape = &values->shape;
    if (shape->known && (shape->rank == 0 || (shape->rank == 1 && shape->dims[0] == 0)))
        return values;
    tn_tensor *sum = tn_reduce_sum(values);
    if (!sum || is_reduction(reduction, "sum"))
        return sum;
    bool by_weight = weight && is_reduction(reduction, "mean_with_sample_weight");
    return tn_divide_no_nan(sum, by_weight ? tn_reduce_sum(weight)
                                           : count_of(values, (tn_dtype)sum->dtype));
}

static tn_tensor *both_masks(tn_tensor *a, tn_tensor *b)
{
    return a && b ? tn_logical_and(tn__to_dtype(a, TN_BOOL), tn__to_dtype(b, TN_BOOL)) : a ? a : b;
}

tn_tensor *tn__loss_value(tn_loss *loss, tn_tensor *y_true, tn_tensor *y_pred,
                          tn_tensor *sample_weight)
{
    const tn__loss_methods *methods = loss->thing.of->methods;
    tn_tensor *own_mask = NULL;
    if (!tn__check_tensor(y_true, "a loss's y_true") ||
        !tn__check_tensor(y_pred, "a loss's y_pred"))
        return NULL;
    tn_tensor *mask = y_pred->mask;
    y_true = tn__to_dtype(y_true, loss->dtype);
    y_pred = tn__to_dtype(y_pred, loss->dtype);
    if (!methods->as_given)
        tn__same_rank(&y_true, &y_pred, true);
    tn_tensor *values =
        y_true && y_pred ? methods->call(loss->thing.self, y_true, y_pred, &own_mask) : NULL;
    if (!values) {
        if (y_true && y_pred)
            tn__fail_note("in loss %s of y_true %s and y_pred %s%s", loss->thing.of->name,
                          TN__SHAPE(y_true->shape), TN__SHAPE(y_pred->shape),
                          y_true->shape.known && y_true->shape.rank < y_pred->shape.rank
                              ? "; class numbers want sparse_categorical_crossentropy"
                              : "");
        return NULL;
    }
    values = tn__to_dtype(values, loss->dtype);
    bool spread = is_reduction(loss->reduction, "mean") ||
                  is_reduction(loss->reduction, "sum_over_batch_size");
    tn_tensor *weight =
        tn__masked_weight(sample_weight, both_masks(mask, own_mask), loss->dtype, spread);
    if (weight) {
        weight = tn__to_dtype(weight, loss->dtype);
        tn__same_rank(&values, &weight, true);
        values = tn_multiply(values, weight);
    }
    return tn__failed(tn__context()) ? NULL : reduce(values, weight, loss->reduction);
}

tn_tensor *tn_loss_call(tn_loss *f, tn_list inputs, const tn_call_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    if (!tn__check(f, &tn__type_loss, "tn_call: loss"))
        return NULL;
    if (inputs.count < 2 || inputs.count > 3) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "tn_call: loss %s takes y_true, y_pred and maybe sample_weight, got %zu inputs",
                 f->thing.of->name, inputs.count);
        return NULL;
    }
    if (!tn__check_tensors(inputs, "tn_call: an input"))
        return NULL;
    tn_tensor *y_pred =
        options->mask ? tn_with_mask(inputs.item[1], options->mask) : inputs.item[1];
    return y_pred
               ? tn__loss_value(f, inputs.item[0], y_pred, inputs.count > 2 ? inputs.item[2] : NULL)
               : NULL;
}

/* --- a loss of the program's own -------------------------------------------------------------- */
typedef struct {
    tn_loss_of_options o;
    const char *fn;
} own_loss;

static tn_tensor *call_own(const void *self, tn_tensor *y_true, tn_tensor *y_pred, tn_tensor **mask)
{
    (void)mask;
    const own_loss *own = self;
    tn_tensor *values = own->o.function(own->o.self, y_true, y_pred);
    if (!values && !tn__failed(tn__context()))
        tn__fail(TN_INVALID_ARGUMENT,
                 "loss %s returned NULL\na loss returns one number for each sample; tn_fail() says "
                 "why there is none",
                 own->o.name);
    return values && tn__check_tensor(values, "a loss's values") ? values : NULL;
}

static const tn_field own_fields[] = {
    TN__LOSS_ROWS(own_loss, "loss_function_wrapper"),
    TN__END_OF_FIELDS,
};
static const tn__loss_methods own_methods = { .call = call_own };
/* Not in objects.def: no text and no file can name it. */
static const tn__object_class own_class = {
    .kind = TN__LOSS,
    .name = "LossFunctionWrapper",
    .fields = own_fields,
    .size = sizeof(own_loss),
    .options_size = sizeof(tn_loss_of_options),
    .methods = &own_methods,
    .newer_fields = TN__LOSS_NEWER_FIELDS,
};

tn_loss *tn_loss_of_new(const tn_loss_of_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    if (options->size_ == sizeof *options && !options->function) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_loss_of: function is NULL");
        return NULL;
    }
    return tn__loss_from_options(&own_class, options);
}
