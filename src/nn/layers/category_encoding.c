/* category_encoding.c - whole numbers as ones among zeros: of each, of all in a row, or counted */
#include "nn/config.h"
#include "nn/layers/layers.h"
#include <string.h>

typedef struct {
    tn_category_encoding_options o;
} category_encoding;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_INT, category_encoding, num_tokens, "none", ">= 1"),
    TN__OPTION(TN_FIELD_STRING, category_encoding, output_mode, "multi_hot",
               "multi_hot|one_hot|count"),
    TN__END_OF_FIELDS,
};

static void init(void *me)
{
    if (((const category_encoding *)me)->o.num_tokens == INT64_MIN)
        tn__fail(TN_INVALID_ARGUMENT,
                 "num_tokens must be set to use this layer. If the number of tokens is not known "
                 "beforehand, use the IntegerLookup layer instead.");
}

/* (…, 1) becomes (…, num_tokens), any other shape gets a dimension more. */
static tn_tensor *shrink(tn_tensor *x)
{
    int rank = x->shape.rank;
    return rank > 1 && x->shape.dims[rank - 1] == 1 ? tn_squeeze(x, TN_AXES(rank - 1)) : x;
}

static tn_tensor *call(void *me, tn_list inputs)
{
    const tn_category_encoding_options *o = &((const category_encoding *)me)->o;
    tn_dtype dtype = tn__layer_dtype(tn__this_layer());
    tn_tensor *x = tn_at(inputs, 0);
    if (!tn__check_known(x))
        return NULL;
    bool each = strcmp(o->output_mode, "one_hot") == 0,
         count = strcmp(o->output_mode, "count") == 0;
    x = tn_cast(x->shape.rank == 0 ? tn_expand_dims(x, 0) : x, TN_INT64);
    if (!x)
        return NULL;
    tn_tensor *ones = tn_one_hot(each ? shrink(x) : x, o->num_tokens, .dtype = dtype);
    tn_axes axis = TN_AXES(x->shape.rank > 1 ? 1 : 0);
    return each    ? ones
           : count ? tn_reduce_sum(ones, .axis = axis)
                   : tn_reduce_max(ones, .axis = axis);
}

/* "binary" is an older word for multi_hot; `sparse` is about a kind of tensor that there is not. */
static tn_status upgrade(void *config)
{
    const char *mode = tn__json_text(config, "output_mode");
    if (mode && strcmp(mode, "binary") == 0)
        TN_TRY(tn__json_set(config, "output_mode", json_string("multi_hot")));
    if (json_is_false(json_object_get(config, "sparse")))
        json_object_del(config, "sparse");
    return TN_OK;
}

static const tn_class_more more = { .upgrade_config = upgrade };
TN__LAYER_CLASS(CategoryEncoding, tn_category_encoding_new, category_encoding,
                tn_category_encoding_options, .fields = fields, .inputs = 1, .init = init,
                .call = call, .more = &more)
