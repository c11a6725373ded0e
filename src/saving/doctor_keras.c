/* doctor_keras.c - what today's Keras refuses to open, as far as is known here: found by opening
 * files of Keras 1 and 2 with Keras 3.15. */
#include "saving/doctor.h"
#include "nn/config.h"
#include <string.h>

enum { DEEPEST = 64 };

/* --- keys that are not known any more --------------------------------------------------------- */
#define RECURRENT "LSTM|GRU|SimpleRNN|RNN|ConvLSTM1D|ConvLSTM2D|ConvLSTM3D"
#define TRANSPOSED                                                            \
    "Conv1DTranspose|Conv2DTranspose|Conv3DTranspose|Convolution1DTranspose|" \
    "Convolution2DTranspose"
#define SEPARABLE "SeparableConv1D|SeparableConv2D|SeparableConvolution1D|SeparableConvolution2D"
#define RANDOM                                                                                \
    "RandomBrightness|RandomContrast|RandomCrop|RandomFlip|RandomRotation|RandomTranslation|" \
    "RandomZoom"

/* classes NULL: any. */
static const struct {
    const char *classes, *keys;
} refused_keys[] = {
    { RECURRENT, "time_major" },
    { "SimpleRNN|ConvLSTM1D|ConvLSTM2D|ConvLSTM3D", "implementation" },
    { TRANSPOSED "|DepthwiseConv1D|DepthwiseConv2D|" SEPARABLE, "groups" },
    { SEPARABLE, "kernel_initializer|kernel_regularizer|kernel_constraint" },
    { "SpatialDropout1D|SpatialDropout2D|SpatialDropout3D", "trainable|noise_shape" },
    { "Discretization", "trainable" },
    { "MultiHeadAttention", "query_shape|key_shape|value_shape|softmax_robust_masking" },
    { RANDOM, "rng_type" },
    { "BatchNormalization", "fused|virtual_batch_size|mode" },
    { "Dropout|GaussianDropout|AlphaDropout", "p" },
    { "Dense|LSTM|GRU|SimpleRNN", "output_dim|consume_less|inner_init|inner_activation" },
    { NULL,
      "nb_filter|nb_row|nb_col|border_mode|subsample|dim_ordering|init|W_regularizer|b_regularizer|"
      "W_constraint|b_constraint|beta_init|gamma_init" },
};

static const char GONE[] =
    "LocallyConnected1D|LocallyConnected2D|ThresholdedReLU|RandomHeight|RandomWidth|CuDNNLSTM|"
    "CuDNNGRU|"
    "SyncBatchNormalization|BatchNormalizationV1|BatchNormalizationV2|DenseFeatures|TFOpLambda|"
    "SlicingOpLambda|Merge|MaxoutDense|Highway|TimeDistributedDense|AtrousConvolution1D|"
    "AtrousConvolution2D";

/* Modules that Keras 3 cannot import. */
static const char *const gone_modules[] = { "keras.src.engine.", "keras.engine.", "tf_keras.",
                                            "keras.layers.experimental.", "tensorflow." };

typedef struct {
    tn__examination *e;
    tn__text reasons; /* of one layer, ", " between */
    size_t count;
} search;

static void add_reason(search *s, const char *format, ...) TN_PRINTF(2, 3);
static void add_reason(search *s, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tn__text_add(&s->reasons, s->count++ ? ", " : "");
    tn__text_add_v(&s->reasons, format, arguments);
    va_end(arguments);
}

static void find_keys(search *s, const char *class, const json_t *config)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)config, key, value)
    {
        for (size_t i = 0; i < sizeof refused_keys / sizeof *refused_keys; i++) {
            const char *classes = refused_keys[i].classes;
            if (tn__among(refused_keys[i].keys, key) && (!classes || tn__among(classes, class)))
                add_reason(s, "the key '%s'", key);
        }
    }
}

/* --- values that are not understood any more -------------------------------------------------- */
static void find_values(search *s, const char *class, const json_t *config)
{
    bool archive = s->e->parts.archive;
    const json_t *dtype = json_object_get(config, "dtype");
    const char *policy = tn__json_text(dtype, "class_name");
    const char *mode = tn__json_text(config, "score_mode");
    if (archive && json_object_get(config, "batch_input_shape") && strcmp(class, "InputLayer") != 0)
        add_reason(s, "the key 'batch_input_shape'");
    if (archive && strcmp(class, "BatchNormalization") == 0 &&
        json_is_array(json_object_get(config, "axis")))
        add_reason(s, "'axis' as a list");
    if (strcmp(class, "ReLU") == 0 && json_is_array(json_object_get(config, "negative_slope")))
        add_reason(s, "'negative_slope' as a list");
    if (policy && tn__among("Policy|PolicyV1", policy))
        add_reason(s, "'dtype' as an object of the class '%s'", policy);
    if (!archive && strcmp(class, "Attention") == 0 && mode && strcmp(mode, "dot") == 0)
        add_reason(s,
                   "'score_mode' in an .h5, where Keras takes \"dot\" for a function of its own");
}

static void find_module(search *s, const json_t *layer, const char *class)
{
    const char *module = tn__json_text(layer, "module");
    for (size_t i = 0; module && i < sizeof gone_modules / sizeof *gone_modules; i++)
        if (tn__starts_with(module, gone_modules[i]))
            add_reason(s, "the module '%s'", module);
    if (tn__among(GONE, class))
        add_reason(s, "the class '%s'", class);
    if (strcmp(class, "Sequential") == 0 && json_is_array(json_object_get(layer, "config")))
        add_reason(s, "a config that is a list");
}

/* --- calls in .h5 ----------------------------------------------------------------------------- */
/* Each layer's name to its calls + 1; the first layer of a name counts. */
static tn_status count_calls(const json_t *layers, tn__map *calls)
{
    size_t i;
    json_t *layer;
    json_array_foreach(layers, i, layer)
    {
        const char *name = tn__json_text(layer, "name");
        size_t count = json_array_size(json_object_get(layer, "inbound_nodes"));
        if (name && !tn__map_get(calls, name))
            TN_TRY(tn__map_set(calls, name, (void *)(uintptr_t)(count + 1)));
    }
    return TN_OK;
}

/* ["base", 1, 0, {}] where "base" was called once: Keras 2 counted the calls of a model from 1. */
static bool counts_from_one(const tn__map *calls, const json_t *call, int depth)
{
    size_t i;
    json_t *item;
    const char *name = json_string_value(json_array_get(call, 0));
    const json_t *number = json_array_get(call, 1);
    if (name && json_is_integer(number)) {
        size_t counted = (size_t)(uintptr_t)tn__map_get(calls, name);
        return counted > 1 && json_integer_value(number) >= (json_int_t)(counted - 1);
    }
    bool found = false;
    if (depth < 4)
        json_array_foreach(call, i, item) found |= counts_from_one(calls, item, depth + 1);
    return found;
}

static tn_status find_calls(const json_t *model, bool *from_one)
{
    size_t i;
    json_t *layer;
    tn__map calls = { 0 };
    const json_t *layers = tn__layers_of(model);
    tn_status status = count_calls(layers, &calls);
    json_array_foreach(layers, i, layer)
    {
        const json_t *nodes = json_object_get(layer, "inbound_nodes");
        *from_one |= json_is_array(nodes) && counts_from_one(&calls, nodes, 0);
    }
    tn__map_free(&calls);
    return status;
}

/* --- layers ----------------------------------------------------------------------------------- */
static tn_status tell(search *s, const char *class, const json_t *config)
{
    const char *name = tn__json_text(config, "name");
    tn_status status = TN_OK;
    if (s->count > 0)
        status = tn__doctor_find(s->e, TN__REFUSED_BY_KERAS, true, name ? name : class,
                                 "Keras 3 does not open %s '%s': %s", class, name ? name : "",
                                 tn__text_get(&s->reasons));
    tn__text_free(&s->reasons);
    return status;
}

static tn_status search_value(tn__examination *e, const json_t *value, int depth);

/* An activation that is another function today; of a model, its layers tell. */
static tn_status find_meaning(tn__examination *e, const json_t *layer, const char *class)
{
    bool ambiguous = false;
    const char *version = e->parts.version ? e->parts.version : "3";
    const char *name = tn__json_text(json_object_get(layer, "config"), "name");
    if ((*version != '1' && *version != '2') || tn__layers_of(layer))
        return TN_OK;
    TN_TRY(tn__is_ambiguous(layer, &ambiguous));
    if (!ambiguous)
        return TN_OK;
    return tn__doctor_find(
        e, TN__MISREAD_BY_KERAS, true, name ? name : class,
        "Keras 3 opens %s '%s', but hard_sigmoid, or a default, is another one there: it gives "
        "other numbers",
        class, name ? name : "");
}

/* Layers, and what is in them: wrapped layers, cells. */
static tn_status search_layer(tn__examination *e, const json_t *layer, int depth)
{
    search s = { .e = e };
    const char *key, *class = tn__json_text(layer, "class_name");
    json_t *value;
    const json_t *config = json_object_get(layer, "config");
    bool from_one = false;
    if (class && config) {
        if (!e->parts.archive)
            TN_TRY(find_calls(layer, &from_one));
        find_keys(&s, class, config);
        find_values(&s, class, config);
        find_module(&s, layer, class);
        if (from_one)
            add_reason(&s, "calls of a model within it that are counted from 1");
        TN_TRY(tell(&s, class, config));
        TN_TRY(find_meaning(e, layer, class));
    }
    if (json_is_array(config))
        TN_TRY(search_value(e, config, depth + 1));
    json_object_foreach((json_t *)(uintptr_t)config, key, value)
        TN_TRY(search_value(e, value, depth + 1));
    return TN_OK;
}

static tn_status search_value(tn__examination *e, const json_t *value, int depth)
{
    size_t i;
    json_t *item;
    if (depth > DEEPEST)
        return TN_OK;
    if (json_is_object(value))
        return search_layer(e, value, depth);
    json_array_foreach(value, i, item) TN_TRY(search_value(e, item, depth + 1));
    return TN_OK;
}

/* --- weights ---------------------------------------------------------------------------------- */
static tn_status search_weights(tn__examination *e)
{
    size_t i;
    json_t *variable;
    json_array_foreach(json_object_get(e->inspection, "variables"), i, variable)
    {
        const char *path = tn__json_text(variable, "path"),
                   *dtype = tn__json_text(variable, "dtype");
        if (!e->parts.archive && tn__among("bfloat16|raw16", dtype))
            return tn__doctor_find(
                e, TN__REFUSED_BY_KERAS, true, path,
                "Keras 3 does not read '%s' and other weights in bfloat16 out of an .h5", path);
    }
    return TN_OK;
}

tn_status tn__doctor_keras(tn__examination *e)
{
    TN_TRY(search_layer(e, e->config, 0));
    return search_weights(e);
}
