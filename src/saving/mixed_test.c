/* mixed_test.c - files of models whose dtype policies are mixed, and of LossScaleOptimizers. */
#include "saving/testdata.h"
#include "core/variable.h"
#include "saving/trainer_state.h"
#include "train/optimizer.h"

static tn_tensor *recorded(const char *name)
{
    return tn_load_array(TESTDATA "mixed.npz", name);
}

static double next_loss(tn_model *model)
{
    tn_tensor *values = tn_train_on_batch(model, recorded("x"), recorded("y"));
    return values ? (double)tn_data_float32(values)[0] : NAN;
}

/* 0: there is none. */
static double scale_of(tn_model *model)
{
    tn_optimizer *o = tn_model_optimizer(model);
    return o && o->dynamic_scale ? tn_to_double(o->dynamic_scale) : 0;
}

static int64_t counter_of(tn_model *model)
{
    return tn_to_int(tn_model_optimizer(model)->step_counter);
}

static void check_goes_on(const char *file, const char *era, int64_t counter)
{
    TN_SCOPE;
    tn_model *model = tn_load_model(file);
    CHECK_NO_ERROR();
    assert_string_equal(tn_layer_dtype_policy(tn_get_layer(model, "hidden")), "mixed_float16");
    assert_string_equal(tn_layer_dtype_policy(tn_get_layer(model, "out")), "float32");
    assert_true(
        difference(tn_predict(model, recorded("x")), recorded(tn_format("output_%s", era))) < 1e-3);
    assert_true(scale_of(model) == 32768);
    assert_int_equal(counter_of(model), counter);
    assert_int_equal(tn_to_int(tn_iterations(tn_model_optimizer(model))), 3);
    const float *next = tn_data_float32(recorded(tn_format("losses_%s", era)));
    for (int i = 0; i < 3; i++) {
        double loss = next_loss(model);
        CHECK_NO_ERROR();
        if (!(fabs(loss - (double)next[i]) < 1e-3))
            fail_msg("%s: loss %d is %g, Keras had %g", file, i, loss, (double)next[i]);
    }
}

/* Keras's own .keras files name the inner optimizer only, and Keras 2's hold nothing of the scale.
 */
static void training_goes_on_where_keras_stopped(void **state)
{
    (void)state;
    TN_SCOPE;
    int64_t counter = tn_to_int(recorded("counter"));
    check_goes_on(TESTDATA "mixed_k3.keras", "k3", counter);
    check_goes_on(TESTDATA "mixed_k3.h5", "k3", counter);
    check_goes_on(TESTDATA "mixed_k2.keras", "k2", 0);
    check_goes_on(TESTDATA "mixed_k2.h5", "k2", 0);
}

/* --- our own ---------------------------------------------------------------------------------- */
static const struct {
    const char *name;
    int keras;
} files[] = { { "m.keras", 0 }, { "m.h5", 0 }, { "m.h5", 2 }, { "m.h5", 3 } };

static tn_model *compiled(tn_optimizer *optimizer)
{
    tn_model *model = tn_sequential(TN_LAYERS(
        tn_dense(3, "relu", .name = "hidden", .dtype = "mixed_float16", .input_shape = TN_SHAPE(4)),
        tn_dense(2, .dtype = "float32", .name = "out")));
    CHECK_OK(tn_compile(spread(model), optimizer, "mean_squared_error"));
    return model;
}

static void training_goes_on_after_a_save_of_our_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (int steps = 0; steps < 6; steps += 5) {
            TN_SCOPE;
            tn_model *model = compiled(tn_loss_scale_optimizer(
                tn_adam(0.02), .initial_scale = 0x1p24, .dynamic_growth_steps = 3, .name = "mine"));
            for (int k = 0; k < steps; k++)
                next_loss(model);
            CHECK_OK(tn_save(model, temporary_path(files[i].name), .keras = files[i].keras));
            sink_text *heard = listen_to_sink();
            tn_model *again = tn_load_model(temporary_path(files[i].name));
            stop_listening();
            CHECK_NO_ERROR();
            assert_string_equal(heard->text, "");
            assert_true(scale_of(model) > 0 && (steps == 0 || scale_of(model) < 0x1p24));
            assert_true(scale_of(again) == scale_of(model));
            assert_int_equal(counter_of(again), counter_of(model));
            assert_string_equal(tn_model_optimizer(again)->name, "mine");
            for (int k = 0; k < 4; k++) {
                assert_true(next_loss(again) == next_loss(model));
                assert_true(scale_of(again) == scale_of(model));
            }
            CHECK_NO_ERROR();
        }
}

static void inner_rate_and_arguments_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        TN_SCOPE;
        tn_model *model =
            compiled(tn_loss_scale_optimizer(tn_sgd(0.5, .momentum = 0.25, .clipnorm = 2)));
        tn_assign(tn_learning_rate(tn_model_optimizer(model)), tn_scalar(0.125));
        CHECK_OK(tn_save(model, temporary_path(files[i].name), .keras = files[i].keras));
        tn_model *again = tn_load_model(temporary_path(files[i].name));
        CHECK_NO_ERROR();
        tn_optimizer *inner = tn_inner_optimizer(tn_model_optimizer(again));
        assert_true(tn_to_double(tn_learning_rate(inner)) == 0.125);
        char *text = tn__thing_text(&inner->thing);
        assert_non_null(strstr(text, "momentum=0.25"));
        assert_non_null(strstr(text, "clipnorm=2"));
        tn__free(text);
    }
}

static void an_optimizer_saved_without_a_scale_has_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        TN_SCOPE;
        tn_model *model = compiled(tn_adam(0.02));
        CHECK_OK(tn_save(model, temporary_path(files[i].name), .keras = files[i].keras));
        assert_true(scale_of(tn_load_model(temporary_path(files[i].name))) == 0);
        CHECK_NO_ERROR();
    }
}

/* --- configs of other times ------------------------------------------------------------------- */
static tn_model *compiled_as(const char *optimizer)
{
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(1, .input_shape = TN_SHAPE(2))));
    char *text = tn__print("{\"loss\": \"mse\", \"optimizer\": %s}", optimizer);
    json_t *json = json_loads(text, 0, NULL);
    tn__free(text);
    assert_non_null(json);
    CHECK_OK(tn__trainer_compile(tn__context(), model, json));
    json_decref(json);
    return model;
}

#define SGD                                                                                   \
    "{\"class_name\": \"Custom>SGD\", \"config\": {\"learning_rate\": 0.5, \"jit_compile\": " \
    "true}}"

static void loss_scales_of_other_times_are_read(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = compiled_as(
        "{\"class_name\": \"LossScaleOptimizerV3\", \"config\": {\"inner_optimizer\": " SGD
        ", \"dynamic\": true, \"initial_scale\": 8.0, \"dynamic_growth_steps\": 3}}");
    assert_true(scale_of(model) == 8);
    assert_true(tn_to_double(tn_learning_rate(tn_model_optimizer(model))) == 0.5);
    /* early Keras 3 */
    model = compiled_as(
        "{\"class_name\": \"LossScaleOptimizer\", \"config\": {\"inner_optimizer\": " SGD
        ", \"initial_scale\": 8.0, \"use_ema\": false, \"ema_momentum\": 0.99, \"clipnorm\": "
        "null}}");
    assert_true(scale_of(model) == 8);
    /* a scale that does not change */
    model = compiled_as(
        "{\"class_name\": \"LossScaleOptimizer\", \"config\": {\"inner_optimizer\": " SGD
        ", \"dynamic\": false, \"initial_scale\": 8.0}}");
    assert_true(scale_of(model) == 0);
    assert_true(tn_to_double(tn_scale_loss(tn_model_optimizer(model), tn_scalar(1.0))) == 8);
    CHECK_NO_ERROR();
    sink_text *heard = listen_to_sink();
    model = compiled_as(
        "{\"class_name\": \"LossScaleOptimizer\", \"config\": {\"inner_optimizer\": "
        "{\"class_name\": \"LossScaleOptimizer\", \"config\": {\"inner_optimizer\": \"sgd\"}}}}");
    stop_listening();
    assert_false(tn_is_compiled(model));
    assert_non_null(strstr(heard->text, "inner_optimizer is a LossScaleOptimizer itself"));
}

/* --- bfloat16 --------------------------------------------------------------------------------- */
static void bfloat16_weights_are_read_as_keras_stores_them(void **state)
{
    (void)state;
    static const char *const names[] = { TESTDATA "bfloat16_k3.keras", TESTDATA "bfloat16_k3.h5" };
    for (size_t i = 0; i < 2; i++) {
        TN_SCOPE;
        tn_model *model = tn_load_model(names[i]);
        CHECK_NO_ERROR();
        tn_tensor *kernel = tn_variables(model).item[0];
        assert_int_equal(tn_dtype_of(kernel), TN_BFLOAT16);
        assert_true(difference(tn_cast(kernel, TN_FLOAT32), recorded("bfloat16_kernel")) == 0);
    }
}

/* .keras as Keras has it; an .h5 in float32, since Keras opens no other. */
static void bfloat16_weights_are_written_so_that_keras_opens_them(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_load_model(TESTDATA "bfloat16_k3.keras");
    CHECK_OK(tn_save(model, temporary_path("b.keras")));
    CHECK_OK(tn_save(model, temporary_path("b.h5")));
    CHECK_OK(tn_save_weights(model, temporary_path("b.weights.h5")));
    CHECK_OK(tn_save_weights(model, temporary_path("bw.h5")));
    assert_non_null(strstr(tn_inspect(temporary_path("b.weights.h5")), "bfloat16 (4, 2)"));
    assert_non_null(strstr(tn_inspect(temporary_path("b.h5")), "float32 (4, 2)"));
    static const char *const names[] = { "b.keras", "b.h5" };
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(tn_text(tn_variables(tn_load_model(temporary_path(names[i]))).item[0]),
                            tn_text(tn_variables(model).item[0]));
    CHECK_OK(tn_load_weights(model, temporary_path("bw.h5")));
    CHECK_NO_ERROR();
}

/* --- memory ----------------------------------------------------------------------------------- */
static bool load(void *path)
{
    return tn_load_model(path) != NULL;
}

static bool save(void *path)
{
    tn_model *model = tn_load_model(TESTDATA "mixed_k3.keras");
    return model && tn_save(model, path) == TN_OK;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    char path[300];
    check_allocation_failures(load, TESTDATA "mixed_k3.keras");
    check_allocation_failures(load, TESTDATA "mixed_k2.h5");
    snprintf(path, sizeof path, "%s", temporary_path("f.h5"));
    check_allocation_failures(save, path);
    check_allocation_failures(load, path);
}

int main(void)
{
    tests_begin();
    tests_count_json();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_goes_on_where_keras_stopped),
        cmocka_unit_test(training_goes_on_after_a_save_of_our_own),
        cmocka_unit_test(inner_rate_and_arguments_come_back),
        cmocka_unit_test(an_optimizer_saved_without_a_scale_has_none),
        cmocka_unit_test(loss_scales_of_other_times_are_read),
        cmocka_unit_test(bfloat16_weights_are_read_as_keras_stores_them),
        cmocka_unit_test(bfloat16_weights_are_written_so_that_keras_opens_them),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
