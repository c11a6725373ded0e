/* optimizer_test.c - optimizers step by step against real Keras's numbers, and what they refuse. */
#include "support/check.h"
#include "core/variable.h"
#include "tenon/gradient.h"
#include "train/optimizer.h"
#include <math.h>
#include <stdlib.h>
#include "train/testdata/optimizer_cases.h"
#include "train/testdata/sliced_cases.h"

/* Numbers that the script that recorded the cases computes too. */
static tn_tensor *rows(int64_t count, int64_t width, int step, int shift, float scale)
{
    float values[16];
    for (int64_t i = 0; i < count * width; i++)
        values[i] = (float)((i / width * step + i % width * shift) % 11 - 5) / 8 * scale;
    return tn_constant(TN_FLOAT32, TN_SHAPE(count, width), values);
}

static tn_tensor *row(int64_t width, int shift)
{
    return tn_reshape(rows(1, width, 1, shift, 1), TN_SHAPE(width));
}

typedef struct {
    tn_optimizer *optimizer;
    tn_list variables;
} fixture;

static void make(fixture *f, const char *text)
{
    f->optimizer = tn_optimizer_of(text);
    f->variables = TN_LIST(tn_variable(rows(2, 3, 7, 3, 1), .name = "kernel"),
                           tn_variable(row(3, 2), .name = "bias", .constraint = "non_neg"));
    CHECK_NO_ERROR();
}

static tn_tensor *apply_body(void *self, tn_list gradients)
{
    const fixture *f = self;
    return tn_apply_gradients(f->optimizer, gradients, f->variables) == TN_OK ? tn_scalar(0) : NULL;
}

static void check_numbers(const char *text, int step, tn_list list, const float **want)
{
    for (size_t i = 0; i < list.count; i++) {
        tn_tensor *value = tn_read_value(list.item[i]);
        for (int64_t k = 0; k < tn__count(value); k++, ++*want)
            if (!(fabs(tn__double_at(value, k) - (double)**want) <=
                  2e-6 + 2e-6 * fabs((double)**want)))
                fail_msg("%s, step %d: %s[%lld] is %.9g, want %.9g", text, step + 1,
                         tn_name(list.item[i]), (long long)k, tn__double_at(value, k),
                         (double)**want);
    }
}

static void check_names(const char *want, tn_list variables)
{
    char names[512] = "";
    for (size_t i = 0; i < variables.count; i++) {
        strcat(names, i ? " " : "");
        strcat(names, variables.item[i]->of.variable->name);
    }
    assert_string_equal(names, want);
}

static void follows_keras(bool eager)
{
    for (size_t i = 0; i < sizeof optimizer_cases / sizeof *optimizer_cases; i++) {
        TN_SCOPE;
        fixture f;
        tn_clear_session(); /* a number of an optimizer's own is called variable, variable_1 … */
        make(&f, optimizer_cases[i].text);
        tn_function *apply = tn_function(apply_body, &f, .eager = eager);
        for (int step = 0; step < 4; step++) {
            tn_call(apply, rows(2, 3, 3 + step, 5, (float)(1 + step)), row(3, 4 + step));
            CHECK_NO_ERROR();
            const float *want = optimizer_cases[i].after[step];
            check_numbers(optimizer_cases[i].text, step, f.variables, &want);
            check_numbers(optimizer_cases[i].text, step, tn_optimizer_variables(f.optimizer),
                          &want);
            assert_int_equal(want - optimizer_cases[i].after[step], optimizer_cases[i].count);
        }
        check_names(optimizer_cases[i].names, tn_optimizer_variables(f.optimizer));
    }
    CHECK_NO_ERROR();
}

static void every_optimizer_steps_as_keras_does(void **state)
{
    (void)state;
    follows_keras(true);
}

static void every_optimizer_steps_as_keras_does_in_a_trace(void **state)
{
    (void)state;
    follows_keras(false);
}

/* Rows of a table, some of them twice, some by a second call. */
static tn_tensor *sliced_body(void *self, tn_list inputs)
{
    const fixture *f = self;
    const int32_t words[] = { 1, 3, 1, 1, 4, 0 }, others[] = { 3, 3 };
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *a = tn_gather(tn_at(f->variables, 0), tn_constant(TN_INT32, TN_SHAPE(2, 3), words),
                             0),
              *b = tn_gather(tn_at(f->variables, 0), tn_constant(TN_INT32, TN_SHAPE(2), others), 0);
    tn_tensor *loss = tn_add(tn_reduce_sum(tn_multiply(a, tn_at(inputs, 0))),
                             tn_reduce_sum(tn_multiply(b, tn_at(inputs, 1))));
    loss = tn_scale_loss(f->optimizer, loss);
    return apply_body(self, tn_gradient(tape, loss, f->variables));
}

static void slices_follow_keras(bool eager)
{
    for (size_t i = 0; i < sizeof sliced_cases / sizeof *sliced_cases; i++) {
        TN_SCOPE;
        fixture f = { tn_optimizer_of(sliced_cases[i].text),
                      TN_LIST(tn_variable(rows(5, 2, 7, 3, 1), .name = "table")) };
        if (sliced_cases[i].scaled)
            f.optimizer = tn_loss_scale_optimizer(f.optimizer, .initial_scale = 8);
        tn_function *step = tn_function(sliced_body, &f, .eager = eager);
        for (int k = 0; k < 4; k++) {
            const float *want = sliced_cases[i].after[k];
            tn_call(step, tn_reshape(rows(6, 2, 3 + k, 5, 1), TN_SHAPE(2, 3, 2)),
                    rows(2, 2, 5, 4 + k, 1));
            CHECK_NO_ERROR();
            check_numbers(sliced_cases[i].text, k, f.variables, &want);
        }
    }
}

static void rows_that_come_twice_are_squared_and_clipped_singly_as_keras_does(void **state)
{
    (void)state;
    slices_follow_keras(true);
    slices_follow_keras(false);
}

static void a_traced_step_sees_a_learning_rate_that_changes(void **state)
{
    (void)state;
    fixture f;
    make(&f, "sgd(0.5)");
    tn_function *apply = tn_function(apply_body, &f);
    tn_assign(tn_at(f.variables, 1), tn_ones(TN_SHAPE(3), TN_FLOAT32));
    for (int i = 0; i < 2; i++) {
        tn_call(apply, tn_zeros(TN_SHAPE(2, 3), TN_FLOAT32), tn_ones(TN_SHAPE(3), TN_FLOAT32));
        tn_assign(tn_learning_rate(f.optimizer), tn_scalar(0.25));
    }
    assert_float_equal(tn_to_double(tn_reduce_sum(tn_at(f.variables, 1))), 0.75, 1e-6);
    assert_int_equal(tn_to_int(tn_iterations(f.optimizer)), 2);
    assert_int_equal(tn_trace_count(apply), 1);
    CHECK_NO_ERROR();
}

static void the_averages_take_the_place_of_the_weights_in_the_end(void **state)
{
    (void)state;
    fixture f;
    make(&f, "sgd(0.5, use_ema=true, ema_momentum=0.5)");
    tn_variable *kernel = tn_at(f.variables, 0);
    tn_assign(kernel, tn_zeros(TN_SHAPE(2, 3), TN_FLOAT32));
    for (int i = 0; i < 2; i++)
        CHECK_OK(tn_apply_gradients(
            f.optimizer, TN_LIST(tn_ones(TN_SHAPE(2, 3), TN_FLOAT32), row(3, 2)), f.variables));
    CHECK_OK(tn__optimizer_finalize(tn__context(), f.optimizer, f.variables));
    /* -0.5 first, then the mean of that and -1. */
    assert_float_equal(tn_to_double(tn_reduce_mean(kernel)), -0.75, 1e-6);
}

static void a_missing_gradient_is_skipped(void **state)
{
    (void)state;
    fixture f;
    make(&f, "sgd(1.0)");
    tn_assign(tn_at(f.variables, 1), tn_ones(TN_SHAPE(3), TN_FLOAT32));
    double before = tn_to_double(tn_reduce_sum(tn_at(f.variables, 0)));
    tn_tape *tape = tn_gradient_tape();
    tn_list gradients = tn_gradient(tape, tn_reduce_sum(tn_at(f.variables, 1)), f.variables);
    assert_null(gradients.item[0]);
    CHECK_OK(tn_apply_gradients(f.optimizer, gradients, f.variables));
    assert_float_equal(tn_to_double(tn_reduce_sum(tn_at(f.variables, 0))), before, 0);
    assert_float_equal(tn_to_double(tn_reduce_sum(tn_at(f.variables, 1))), 0, 1e-6);
}

static void wrong_gradients_are_refused_before_anything_changes(void **state)
{
    (void)state;
    fixture f;
    make(&f, "adam");
    tn_list none = { 0, NULL };
    tn_tensor *kernel = rows(2, 3, 3, 5, 1), *bias = row(3, 4);
    double before = tn_to_double(tn_reduce_sum(tn_at(f.variables, 0)));
    assert_int_equal(tn_apply_gradients(f.optimizer, TN_LIST(kernel), f.variables),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "1 gradients for 2 variables");
    tn_tape *tape = tn_gradient_tape();
    tn_list unconnected = tn_gradient(tape, tn_reduce_sum(tn_square(kernel)), f.variables);
    assert_int_equal(tn_apply_gradients(f.optimizer, unconnected, f.variables),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "No gradients provided for any variable.");
    assert_int_equal(tn_apply_gradients(f.optimizer, TN_LIST(kernel, kernel), f.variables),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "must have the shape of its variable 'bias', (3,), got float32 (2, 3)");
    assert_int_equal(tn_apply_gradients(f.optimizer, none, none), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "there are no gradients");
    assert_float_equal(tn_to_double(tn_reduce_sum(tn_at(f.variables, 0))), before, 0);
    assert_int_equal(tn_to_int(tn_iterations(f.optimizer)), 0);
    CHECK_OK(tn_apply_gradients(f.optimizer, TN_LIST(kernel, bias), f.variables));
    tn_variable *stranger = tn_variable(tn_ones(TN_SHAPE(3), TN_FLOAT32), .name = "stranger");
    assert_int_equal(tn_apply_gradients(f.optimizer, TN_LIST(bias), TN_LIST(stranger)),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Unknown variable: stranger. This optimizer can only be called for the variables it was");
    assert_int_equal(tn_apply_gradients(f.optimizer, TN_LIST(bias), TN_LIST(bias)),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "variable 0 is not a variable (float32 (3,))");
}

static void arguments_that_exclude_each_other_are_refused(void **state)
{
    (void)state;
    assert_null(tn_adam(.clipnorm = 1, .clipvalue = 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set.");
    assert_null(tn_adamw(.weight_decay = TN_NOT_GIVEN));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Argument `weight_decay` must be a float. Received: weight_decay=None");
    assert_null(tn_sgd(.momentum = 1.5));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "momentum");
    assert_null(tn_sgd(.gradient_accumulation_steps = 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "gradient_accumulation_steps");
    assert_null(tn_optimizer_of("sdg"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Unknown optimizer: 'sdg'");
    assert_null(tn_optimizer_of(NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "text is NULL");
}

static void text_and_macros_say_the_same(void **state)
{
    (void)state;
    tn_optimizer *by_text = tn_optimizer_of("adam(0.01, beta_1=0.8, amsgrad=true)");
    tn_optimizer *by_macro = tn_adam(0.01, .beta_1 = 0.8, .amsgrad = true);
    assert_true(
        tn__fields_equal(by_text->thing.of->fields, by_text->thing.self, by_macro->thing.self));
    assert_float_equal(tn_to_double(tn_learning_rate(by_text)), 0.01, 1e-9);
    CHECK_NO_ERROR();
}

static bool make_and_apply(void *self)
{
    (void)self;
    TN_SCOPE;
    tn_optimizer *optimizer =
        tn_adam(.use_ema = true, .gradient_accumulation_steps = 2, .clipnorm = 1);
    tn_tensor *gradient = rows(2, 3, 7, 3, 1);
    tn_variable *kernel = tn_variable(gradient);
    return tn_apply_gradients(optimizer, TN_LIST(gradient), TN_LIST(kernel)) == TN_OK;
}

static void running_out_of_memory_in_a_step_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(make_and_apply, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_optimizer_steps_as_keras_does),
        cmocka_unit_test(every_optimizer_steps_as_keras_does_in_a_trace),
        cmocka_unit_test(rows_that_come_twice_are_squared_and_clipped_singly_as_keras_does),
        cmocka_unit_test(a_traced_step_sees_a_learning_rate_that_changes),
        cmocka_unit_test(the_averages_take_the_place_of_the_weights_in_the_end),
        cmocka_unit_test(a_missing_gradient_is_skipped),
        cmocka_unit_test(wrong_gradients_are_refused_before_anything_changes),
        cmocka_unit_test(arguments_that_exclude_each_other_are_refused),
        cmocka_unit_test(text_and_macros_say_the_same),
        cmocka_unit_test(running_out_of_memory_in_a_step_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
