/* schedules_test.c - schedules as texts, in options and in files; their values are held against
 * Keras's by the recorded cases. */
#include "support/check.h"
#include "nn/config.h"
#include "tenon/gradient.h"
#include "train/optimizer.h"
#include "train/schedules.h"
#include <string.h>

static double rate_of(const char *text, int64_t step)
{
    TN_SCOPE;
    tn__thing schedule;
    CHECK_OK(tn__schedule_parse(text, &schedule));
    tn_tensor *rate = tn__schedule_rate(&schedule, tn_constant(TN_INT64, TN_SCALAR, &step));
    double value = tn_to_double(rate);
    tn__thing_free(&schedule);
    CHECK_NO_ERROR();
    return value;
}

static void each_schedule_is_a_text(void **state)
{
    (void)state;
    assert_float_equal(rate_of("exponential_decay(0.1, 4, 0.25)", 2), 0.05, 1e-8);
    assert_float_equal(rate_of("ExponentialDecay(0.1, 4, 0.25, staircase=true)", 7), 0.025, 1e-8);
    assert_float_equal(rate_of("inverse_time_decay(0.1, 2, 0.5)", 4), 0.05, 1e-8);
    assert_float_equal(rate_of("polynomial_decay(0.1, 10, 0.02, power=2)", 5), 0.04, 1e-8);
    assert_float_equal(rate_of("polynomial_decay(0.1, 10, 0.02)", 99), 0.02, 1e-8);
    assert_float_equal(rate_of("polynomial_decay(0.1, 10, 0.02, cycle=true)", 15), 0.04, 1e-8);
    assert_float_equal(rate_of("cosine_decay(0.1, 10, alpha=0.2)", 5), 0.06, 1e-8);
    assert_float_equal(rate_of("cosine_decay(0, 10, warmup_target=0.1, warmup_steps=4)", 1), 0.025,
                       1e-8);
    assert_float_equal(rate_of("cosine_decay_restarts(0.1, 4, m_mul=0.5)", 4), 0.05, 1e-8);
    assert_float_equal(rate_of("cosine_decay_restarts(0.1, 4, t_mul=1)", 6), 0.05, 1e-8);
}

static void a_piece_ends_with_its_boundary(void **state)
{
    (void)state;
    const char *text = "piecewise_constant_decay(boundaries=[2, 5], values=[1.0, 0.5, 0.25])";
    static const double want[] = { 1, 1, 1, 0.5, 0.5, 0.5, 0.25 };
    for (int step = 0; step < 7; step++)
        assert_float_equal(rate_of(text, step), want[step], 0);
}

static void what_no_schedule_can_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "exponential_decay(0.1, 0, 0.5)",
          "Argument `decay_steps` must be > 0. Received: decay_steps=0" },
        { "cosine_decay_restarts(0.1, -1)", "Argument `first_decay_steps` must be > 0." },
        { "exponential_decay(0.1, 10)",
          "ExponentialDecay.__init__() missing 1 required positional argument: 'decay_rate'" },
        { "piecewise_constant_decay([1, 2], [0.1, 0.2])",
          "The length of boundaries should be 1 less than the length of values." },
        { "piecewise_constant_decay([1, x], [0.1, 0.2])", "a list of numbers" },
        { "decay(0.1)", "Unknown learning-rate schedule: 'decay'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = tn__print("sgd(%s)", cases[i].text);
        assert_null(tn_optimizer_of(text));
        CHECK_ERROR(TN_INVALID_ARGUMENT, cases[i].message);
        tn__free(text);
        assert_null(tn_sgd(.schedule = cases[i].text));
        CHECK_ERROR(TN_INVALID_ARGUMENT, cases[i].message);
    }
}

typedef struct {
    tn_optimizer *optimizer;
    tn_variable *w;
} fixture;

static tn_tensor *apply_body(void *self, tn_list gradients)
{
    const fixture *f = self;
    return tn_apply_gradients(f->optimizer, gradients, TN_LIST(f->w)) == TN_OK ? tn_scalar(0)
                                                                               : NULL;
}

/* 1 - 0.5 - 0.25 - 0.125 */
static void step_along(tn_optimizer *optimizer, bool eager)
{
    fixture f = { optimizer, tn_variable(tn_scalar(1.0)) };
    tn_function *apply = tn_function(apply_body, &f, .eager = eager);
    for (int i = 0; i < 3; i++)
        tn_call(apply, tn_ones(TN_SCALAR, TN_FLOAT32));
    assert_float_equal(tn_to_double(f.w), 0.125, 1e-7);
    assert_float_equal(tn_to_double(tn_learning_rate(optimizer)), 0.0625, 1e-8);
    assert_int_equal(tn_to_int(tn_iterations(optimizer)), 3);
    assert_int_equal(tn_optimizer_variables(optimizer).count, 1);
    assert_true(eager || tn_trace_count(apply) == 1);
    CHECK_NO_ERROR();
}

static void every_step_has_the_rate_of_the_steps_before(void **state)
{
    (void)state;
    step_along(tn_optimizer_of("sgd(exponential_decay(0.5, 1, 0.5))"), true);
    step_along(tn_sgd(.schedule = "exponential_decay(0.5, 1, 0.5)"), false);
}

static void a_file_has_the_schedule_in_place_of_the_rate(void **state)
{
    (void)state;
    for (int era = TN__KERAS_2; era <= TN__KERAS_3; era++) {
        tn_optimizer *made =
            tn_adam(.schedule = "piecewise_constant_decay([2, 5], [1.0, 0.5, 0.25])");
        json_t *json = tn__thing_to_json(&made->thing, (tn__era)era);
        const json_t *config = json_object_get(json, "config"),
                     *rate = json_object_get(config, "learning_rate");
        assert_string_equal(tn__json_text(rate, "class_name"), "PiecewiseConstantDecay");
        assert_string_equal(tn__json_text(rate, "module"), "keras.optimizers.schedules");
        assert_null(json_object_get(config, "schedule"));
        tn__thing thing;
        tn_optimizer *read;
        CHECK_OK(tn__thing_from_json(TN__OPTIMIZER, json, &thing));
        CHECK_OK(tn__optimizer_from_thing(&thing, &read));
        tn__own(read);
        assert_null(read->learning_rate);
        int64_t step = 5;
        assert_float_equal(tn_to_double(tn__schedule_rate(&read->schedule,
                                                          tn_constant(TN_INT64, TN_SCALAR, &step))),
                           0.5, 0);
        json_decref(json);
    }
}

static bool make_and_apply(void *self)
{
    (void)self;
    TN_SCOPE;
    tn_optimizer *optimizer = tn_optimizer_of("nadam(cosine_decay(0.5, 10))");
    tn_variable *w = tn_variable(tn_scalar(1.0));
    return tn_apply_gradients(optimizer, TN_LIST(tn_scalar(1.0)), TN_LIST(w)) == TN_OK;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(make_and_apply, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_schedule_is_a_text),
        cmocka_unit_test(a_piece_ends_with_its_boundary),
        cmocka_unit_test(what_no_schedule_can_be_is_refused),
        cmocka_unit_test(every_step_has_the_rate_of_the_steps_before),
        cmocka_unit_test(a_file_has_the_schedule_in_place_of_the_rate),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
