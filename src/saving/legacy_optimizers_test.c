/* Training goes on where optimizers of Keras up to 2.10 stopped. Of make_legacy_optimizers.py. */
#include "saving/testdata.h"

static tn_tensor *waves(tn_shape shape, float step)
{
    float values[12];
    for (int i = 0; i < 12; i++)
        values[i] = cosf((float)i * step);
    return tn_constant(TN_FLOAT32, shape, values);
}

static void check_next_losses(tn_model *model, const char *name)
{
    tn_tensor *wanted_losses = tn_load_array(TESTDATA "legacy_optimizers.npz", name);
    tn_tensor *x = waves(TN_SHAPE(4, 3), 0.3f), *y = waves(TN_SHAPE(4, 1), 0.5f);
    for (int i = 0; i < 2; i++) {
        tn_tensor *logs = tn_train_on_batch(model, x, y);
        CHECK_NO_ERROR();
        double got = tn_data_float32(logs)[0], want = tn_data_float32(wanted_losses)[i];
        if (fabs(got - want) > 2e-6 * fabs(want))
            fail_msg("%s: the loss %d is %.9g and not %.9g", name, i, got, want);
    }
}

static tn_model *compiled(tn_optimizer *optimizer)
{
    tn_model *model =
        tn_sequential(TN_LAYERS(tn_dense(2, .input_shape = TN_SHAPE(3)), tn_dense(1)));
    CHECK_OK(tn_compile(model, optimizer, "mse"));
    return model;
}

/* The rate comes out of the checkpoint. */
static void a_checkpoint_brings_its_slots(void **state)
{
    (void)state;
    static const struct {
        const char *name, *optimizer;
    } cases[] = { { "sgd", "sgd(0.5, momentum=0.9)" },
                  { "adam", "adam(0.5, amsgrad=true)" },
                  { "rmsprop", "rmsprop(0.1, momentum=0.5, centered=true)" },
                  { "adagrad", "adagrad(0.5)" },
                  { "adadelta", "adadelta(0.1)" },
                  { "adamax", "adamax(0.5)" },
                  { "ftrl", "ftrl(0.5)" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TN_SCOPE;
        tn_model *model = compiled(tn_optimizer_of(cases[i].optimizer));
        CHECK_OK(tn_load_weights(model, tn_format(TESTDATA "legacy_%s", cases[i].name)));
        check_next_losses(model, cases[i].name);
    }
}

static void what_is_an_option_here_and_differs_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    sink_text *said = listen_to_sink();
    tn_model *model = compiled(tn_optimizer_of("sgd(0.5, momentum=0.8)"));
    CHECK_OK(tn_load_weights(model, TESTDATA "legacy_sgd"));
    assert_non_null(strstr(said->text, "The checkpoint's optimizer has momentum=0.9"));
    assert_non_null(strstr(said->text, "keeps momentum=0.8"));
    said = listen_to_sink();
    model = compiled(tn_optimizer_of("nadam"));
    CHECK_OK(tn_load_weights(model, TESTDATA "legacy_nadam"));
    assert_non_null(strstr(said->text, "lets its momentum grow more slowly"));
    stop_listening();
}

/* The weights are there, the optimizer is as it was. */
static void slots_of_another_optimizer_are_left_alone(void **state)
{
    (void)state;
    static const char *const others[] = { "adam(0.5)", "rmsprop(0.5)", "adamax(0.5)", "lion(0.5)" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        TN_SCOPE;
        sink_text *said = listen_to_sink();
        tn_model *model = compiled(tn_optimizer_of(others[i]));
        CHECK_OK(tn_load_weights(model, TESTDATA "legacy_adam"));
        stop_listening();
        assert_non_null(strstr(said->text, "Skipping variable loading for optimizer"));
        tn_tensor *weight = tn_at(tn_variables(model), 0);
        tn_model *plain =
            tn_sequential(TN_LAYERS(tn_dense(2, .input_shape = TN_SHAPE(3)), tn_dense(1)));
        CHECK_OK(tn_load_weights(plain, TESTDATA "legacy_adam"));
        assert_true(
            difference(tn_read_value(weight), tn_read_value(tn_at(tn_variables(plain), 0))) == 0);
    }
}

static bool load_adam(void *self)
{
    TN_SCOPE;
    return tn_load_weights(self, TESTDATA "legacy_adam") == TN_OK;
}

static void refused_allocations_are_errors_and_leak_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = compiled(tn_optimizer_of("adam(0.5, amsgrad=true)"));
    assert_true(load_adam(model)); /* which makes the slots */
    check_allocation_failures(load_adam, model);
}

/* In .h5 they are a list: one slot of every variable, then the next slot. */
static void an_h5_brings_its_slots_in_the_order_of_that_time(void **state)
{
    (void)state;
    static const char *const names[] = { "sgd",      "adam",   "rmsprop", "adagrad",
                                         "adadelta", "adamax", "ftrl" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        TN_SCOPE;
        tn_model *model = tn_load_model(tn_format(TESTDATA "legacy_%s.h5", names[i]));
        CHECK_NO_ERROR();
        check_next_losses(model, names[i]);
    }
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checkpoint_brings_its_slots),
        cmocka_unit_test(what_is_an_option_here_and_differs_is_told),
        cmocka_unit_test(slots_of_another_optimizer_are_left_alone),
        cmocka_unit_test(refused_allocations_are_errors_and_leak_nothing),
        cmocka_unit_test(an_h5_brings_its_slots_in_the_order_of_that_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
