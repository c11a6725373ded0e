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

/* Numbers: Keras 3.15's. */
static void what_a_mask_leaves_out_is_not_in_the_statistics(void **state)
{
    (void)state;
    TN_SCOPE;
    const float steps[] = { 1, 2, 0, 0, 3, 0, 0, 0, 4, 5, 0, 0 };
    const float numbers[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
    tn_tensor *x = tn_constant(TN_FLOAT32, TN_SHAPE(2, 3, 2), steps);
    tn_tensor *factor = tn_constant(TN_FLOAT32, TN_SHAPE(2, 3, 2), numbers);
    tn_layer *layer = tn_batch_normalization();
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *y = tn_call_with(layer, TN_LIST(tn_with_mask(x, tn_mask(tn_call(tn_masking(0), x)))),
                                .training = true);
    tn_tensor *loss = tn_reduce_sum(tn_multiply(tn_square(y), factor));
    CHECK_VALUES(tn_gradient_of(tape, loss, x), 1e-4, 80.8447189, 8.24536133, -6.85273743,
                 -3.31500387, 4.04663181, 18.2531967, -20.5582123, -7.73500919, -23.2167130,
                 -3.29352999, -34.2636871, -12.1550150);
    tn_list weights = tn_get_weights(layer);
    CHECK_VALUES(tn_at(weights, 2), 1e-6, 0.02666666731, 0.02333333157);
    CHECK_VALUES(tn_at(weights, 3), 1e-6, 1.00555551, 1.03222227);
    CHECK_NO_ERROR();
    assert_null(tn_call_with(layer, TN_LIST(x), .training = true,
                             .mask = tn_ones(TN_SHAPE(2, 3, 2), TN_BOOL)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "The mask provided should be one dimension less than the inputs. Received: "
                "mask.shape=(2, 3, 2), inputs.shape=(2, 3, 2)");
}

/* Channels last are one op in training; channels elsewhere are many, and give the same. */
static void check_places(tn_shape last, bool weights)
{
    TN_SCOPE;
    check_channels_first(tn_batch_normalization(.scale = weights, .center = weights),
                         tn_batch_normalization(.axis = 1, .scale = weights, .center = weights), last);
}

static void channels_last_are_normalized_as_those_elsewhere(void **state)
{
    (void)state;
    check_places(TN_SHAPE(5, 3), true);
    check_places(TN_SHAPE(5, 6, 3), true);
    check_places(TN_SHAPE(3, 4, 2, 5), true);
    check_places(TN_SHAPE(3, 4, 2, 5), false);
    check_places(TN_SHAPE(2, 2, 3, 2, 4), true);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_computes_what_keras_does),
        cmocka_unit_test(it_renormalizes),
        cmocka_unit_test(moving_statistics_move),
        cmocka_unit_test(channels_last_are_normalized_as_those_elsewhere),
        cmocka_unit_test(what_a_mask_leaves_out_is_not_in_the_statistics),
        cmocka_unit_test(one_that_is_not_trainable_uses_the_moving_ones),
        cmocka_unit_test(files_of_all_ages_are_read_and_older_keras_reads_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
