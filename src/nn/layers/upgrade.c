/* upgrade.c - configs of older Keras, brought to today's words before the field tables read them.
 */
#include "nn/config.h"
#include "nn/layers/layers.h"
#include <string.h>

void tn__rename_keys(void *config, const tn__renamed *table)
{
    for (; table->old; table++) {
        json_t *value = json_incref(json_object_get(config, table->old));
        if (value && table->now && !json_object_get(config, table->now))
            tn__json_set(config, table->now, json_incref(value));
        json_object_del(config, table->old);
        json_decref(value);
    }
}

void tn__drop_none(void *config, const char *keys)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe((json_t *)config, next, key,
                             value) if (json_is_null(value) && tn__among(keys, key))
        json_object_del(config, key);
}

tn_status tn__write_axes(void *json, const char *key, const tn_axes *axes)
{
    json_t *list = axes->count ? json_array() : json_null();
    for (int i = 0; i < axes->count; i++)
        json_array_append_new(list, json_integer(axes->axis[i]));
    return tn__json_set(json, key, list);
}

tn_status tn__upgrade_numbers(void *config, const char *keys)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe((json_t *)config, next, key, value)
    {
        const json_t *inner = json_object_get(value, "config");
        json_t *number = json_object_get(inner ? inner : value, "value");
        if (tn__among(keys, key) && json_is_number(number))
            TN_TRY(tn__json_set(config, key, json_incref(number)));
    }
    return TN_OK;
}

/* Theano's images have their channels first, TensorFlow's last; kernels are turned when weights are
 * read. */
static tn_status upgrade_ordering(json_t *config)
{
    const char *ordering = tn__json_text(config, "dim_ordering");
    bool first = ordering && strcmp(ordering, "th") == 0;
    if (ordering && strcmp(ordering, "default") != 0)
        TN_TRY(tn__json_set(config, "data_format",
                            json_string(first ? "channels_first" : "channels_last")));
    json_object_del(config, "dim_ordering");
    return TN_OK;
}

void tn__upgrade_words(void *config)
{
    static const tn__renamed old[] = {
        { "init", "kernel_initializer" },
        { "bias", "use_bias" },
        { "W_regularizer", "kernel_regularizer" },
        { "b_regularizer", "bias_regularizer" },
        { "W_constraint", "kernel_constraint" },
        { "b_constraint", "bias_constraint" },
        { NULL, NULL },
    };
    tn__rename_keys(config, old);
}

tn_status tn__upgrade_image_config(void *config)
{
    static const tn__renamed old[] = {
        { "nb_filter", "filters" },
        { "subsample", "strides" },
        { "atrous_rate", "dilation_rate" },
        { "border_mode", "padding" },
        { NULL, NULL },
    };
    const json_t *rows = json_object_get(config, "nb_row"),
                 *columns = json_object_get(config, "nb_col");
    if (json_is_integer(rows) && json_is_integer(columns))
        TN_TRY(tn__json_set(
            config, "kernel_size",
            json_pack("[I, I]", json_integer_value(rows), json_integer_value(columns))));
    json_object_del(config, "nb_row");
    json_object_del(config, "nb_col");
    tn__upgrade_words(config);
    tn__rename_keys(config, old);
    tn__drop_none(config, "data_format|strides|dilation_rate");
    return upgrade_ordering(config);
}
