/* batch_normalization_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/values.h"

#define RENORM \
    .momentum = 0.9, .renorm = true, .renorm_rmax = 3, .renorm_rmin = 0.3, .renorm_dmax = 5

static void it_computes_what_keras_does(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_list flat = TN_LIST(layer_input(TN_SHAPE(4, 3), 0));
    CHECK_LAYER(.layer = tn_batch_normalization(.momentum = 0.9),
                .text = "batch_normalization(momentum=0.9)", .inputs = flat,
                .weights = "gamma|beta|moving_mean|moving_variance", .trainable = 2,
                .expected = VALUES_OF(bn_moving), .trained = VALUES_OF(bn_batch));
    CHECK_LAYER(.layer = tn_batch_normalization(.axis = 1, .momentum = 0.9, .scale = false),
                .text = "batch_normalization(1, 0.9, scale=false)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 3, 4), 0)),
                .weights = "beta|moving_mean|moving_variance", .trainable = 1,
                .trained = VALUES_OF(bn_axis));
}

static void it_renormalizes(void **state)
{
    (void)state;
    TN_SCOPE;
    /* r and d count as constants, so differences say nothing of the gradient */
    CHECK_LAYER(.layer = tn_batch_normalization(RENORM),
                .text = "batch_normalization(momentum=0.9, renorm=true, renorm_rmax=3, "
                        "renorm_rmin=0.3, renorm_dmax=5)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(4, 3), 0)),
                .weights = "gamma|beta|moving_mean|moving_variance|moving_stddev|renorm_mean|"
                           "renorm_stddev",
                .trainable = 2, .expected = VALUES_OF(bn_moving), .trained = VALUES_OF(bn_renorm),
                .skip = SKIP_GRADIENT | SKIP_KERAS_2);
}

/* What a training call leaves behind. */
static void check_stats(tn_layer *layer, layer_values want)
{
    tn_tensor *x = layer_input(TN_SHAPE(4, 3), 0);
    layer_prepare(layer, TN_LIST(x));
    assert_non_null(tn_call_with(layer, TN_LIST(x), .training = true));
    CHECK_NO_ERROR();
    tn_list weights = tn_get_weights(layer);
    size_t at = 0;
    for (size_t i = 2; i < weights.count; i++)
        for (int64_t k = 0; k < tn__count(weights.item[i]); k++, at++)
            assert_float_equal(tn__double_at(weights.item[i], k), want.value[at], 1e-5);
    assert_int_equal(at, want.count);
}

static void moving_statistics_move(void **state)
{
    (void)state;
    TN_SCOPE;
    check_stats(tn_batch_normalization(.momentum = 0.9), VALUES_OF(bn_stats));
    check_stats(tn_batch_normalization(RENORM), VALUES_OF(bn_renorm_stats));
}

static void one_that_is_not_trainable_uses_the_moving_ones(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = layer_input(TN_SHAPE(4, 3), 0);
    tn_layer *layer = tn_batch_normalization(.momentum = 0.9);
    layer_prepare(layer, TN_LIST(x));
    tn_set_trainable(layer, false);
    tn_tensor *y = tn_call_with(layer, TN_LIST(x), .training = true);
    check_values(y, bn_moving, 12, 1e-5, __FILE__, __LINE__);
    assert_int_equal(tn_trainable_variables(layer).count, 0);
}

static void files_of_all_ages_are_read_and_older_keras_reads_ours(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *json = json_pack("{s:s, s:{s:s, s:[i], s:f, s:i, s:s}}", "class_name",
                             "BatchNormalizationV1", "config", "name", "b", "axis", 3, "epsilon",
                             1e-5, "mode", 0, "gamma_init", "one");
    tn_layer *layer;
    CHECK_OK(tn__layer_from_json(tn__context(), json, &layer));
    json_decref(json);
    tn__own(layer);
    json = tn__layer_to_json(layer, TN__KERAS_3);
    json_t *config = json_object_get(json, "config");
    assert_string_equal(tn__json_text(json, "class_name"), "BatchNormalization");
    assert_int_equal(json_integer_value(json_object_get(config, "axis")), 3);
    assert_null(json_object_get(config, "renorm"));
    assert_null(json_object_get(config, "synchronized"));
    json_decref(json);
    assert_null(tn_batch_normalization(.synchronized = true));
    CHECK_ERROR(TN_UNIMPLEMENTED, "synchronized=True");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_computes_what_keras_does),
        cmocka_unit_test(it_renormalizes),
        cmocka_unit_test(moving_statistics_move),
        cmocka_unit_test(one_that_is_not_trainable_uses_the_moving_ones),
        cmocka_unit_test(files_of_all_ages_are_read_and_older_keras_reads_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
