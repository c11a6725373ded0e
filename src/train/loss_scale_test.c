/* loss_scale_test.c - LossScaleOptimizer step by step against real Keras's numbers, what compile
 * puts it round, and what it refuses. */
#include "support/check_op.h"
#include "core/variable.h"
#include "tenon/gradient.h"
#include "train/optimizer.h"
#include "train/testdata/loss_scale_values.h"
#include <math.h>

/* --- steps ------------------------------------------------------------------------------------ */
static const float gradients[][2] = { { 8, -4 },  { INFINITY, 1 }, { 8, 2 }, { 4, 4 },
                                      { NAN, 1 }, { 1, 2 },        { 2, -1 } };
enum { STEPS = sizeof gradients / sizeof *gradients };

typedef struct {
    const char *text;
    int traces; /* two where the first makes slots */
    size_t width;
    const double *rows, *final;
} recorded;
#define CASE(text, traces, name)                                                       \
    {                                                                                  \
        text, traces, sizeof *name##_rows / sizeof(double), *name##_rows, name##_final \
    }
static const recorded cases[] = {
    CASE("loss_scale_optimizer(sgd(0.1, momentum=0.9), 8, 2)", 2, momentum),
    CASE("loss_scale_optimizer(adam(0.1, weight_decay=0.1, clipnorm=1, use_ema=true, "
         "ema_momentum=0.5, ema_overwrite_frequency=2), initial_scale=4)",
         2, decayed),
    CASE("loss_scale_optimizer(sgd(0.1, gradient_accumulation_steps=2), 4, 1)", 2, gathered),
    CASE("loss_scale_optimizer(sgd(exponential_decay(0.1, 2, 0.5), loss_scale_factor=64), 16, 3)",
         1, scheduled),
};

typedef struct {
    tn_optimizer *optimizer;
    tn_variable *weight;
} fixture;

static tn_tensor *apply_body(void *self, tn_list inputs)
{
    const fixture *f = self;
    return tn_apply_gradients(f->optimizer, inputs, TN_LIST(f->weight)) == TN_OK ? tn_scalar(0)
                                                                                 : NULL;
}

static void check_row(const recorded *c, int step, const fixture *f)
{
    tn_list all = tn_list_concat(TN_LIST(f->weight), tn_optimizer_variables(f->optimizer));
    size_t at = 0;
    for (size_t i = 0; i < all.count; i++) {
        tn_tensor *value = tn_read_value(all.item[i]);
        for (int64_t k = 0; k < tn__count(value); k++, at++) {
            double got = tn__double_at(value, k), want = c->rows[(size_t)step * c->width + at];
            if (!(fabs(got - want) <= 2e-6 + 2e-6 * fabs(want)))
                fail_msg("%s, step %d: number %zu is %.9g, want %.9g", c->text, step + 1, at, got,
                         want);
        }
    }
    assert_int_equal(at, c->width);
}

static void replay(const recorded *c, bool eager)
{
    TN_SCOPE;
    fixture f = { tn_optimizer_of(c->text), tn_variable(VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2)) };
    tn_function *step = tn_function(apply_body, &f, .eager = eager);
    for (int i = 0; i < STEPS; i++) {
        tn_call(step, tn_constant(TN_FLOAT32, TN_SHAPE(2), gradients[i]));
        CHECK_NO_ERROR();
        check_row(c, i, &f);
    }
    CHECK_OK(tn__optimizer_finalize(tn__context(), f.optimizer, TN_LIST(f.weight)));
    CHECK_VALUES(f.weight, 2e-6, c->final[0], c->final[1]);
    if (!eager)
        assert_int_equal(tn_trace_count(step), c->traces);
}

static void steps_are_left_out_and_scales_change_as_in_keras(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++)
        replay(&cases[i / 2], i % 2);
}

static void rate_and_count_are_the_inner_optimizers(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_optimizer *inner = tn_sgd(0.25), *outer = tn_loss_scale_optimizer(inner);
    tn_variable *w = tn_variable(VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2));
    assert_ptr_equal(tn_inner_optimizer(outer), inner);
    assert_int_equal(tn_optimizer_variables(outer).count, 4);
    CHECK_OK(
        tn_apply_gradients(outer, TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2), 1, NAN)), TN_LIST(w)));
    assert_int_equal(tn_optimizer_variables(outer).count, 6);
    assert_int_equal(tn_to_int(tn_iterations(outer)), 0);
    CHECK_OK(tn_apply_gradients(outer, TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 1)), TN_LIST(w)));
    assert_int_equal(tn_to_int(tn_iterations(outer)), 1);
    CHECK_VALUES(tn_learning_rate(outer), 0, 0.25);
    tn_assign(tn_learning_rate(outer), tn_scalar(0.5));
    CHECK_VALUES(tn_learning_rate(inner), 0, 0.5);
}

/* --- scaling ---------------------------------------------------------------------------------- */
static void a_loss_is_scaled_in_float32_at_least(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_optimizer *o = tn_loss_scale_optimizer(tn_sgd(), .initial_scale = 0x1p17);
    tn_tensor *half = tn_scale_loss(o, VALUES(TN_FLOAT16, TN_SCALAR, 2)),
              *wide = tn_scale_loss(o, VALUES(TN_FLOAT64, TN_SCALAR, 2));
    assert_int_equal(tn_dtype_of(half), TN_FLOAT32);
    assert_int_equal(tn_dtype_of(wide), TN_FLOAT64);
    CHECK_VALUES(half, 0, 0x1p18);
    CHECK_VALUES(wide, 0, 0x1p18);
    CHECK_VALUES(tn_scale_loss(tn_sgd(.loss_scale_factor = 3), VALUES(TN_FLOAT32, TN_SCALAR, 2)), 0,
                 6);
    CHECK_VALUES(tn_scale_loss(tn_sgd(), VALUES(TN_FLOAT32, TN_SCALAR, 2)), 0, 2);
}

/* What underflows in float16 arrives when the loss is scaled. */
static void small_gradients_are_not_lost(void **state)
{
    (void)state;
    for (int scaled = 0; scaled < 2; scaled++) {
        TN_SCOPE;
        tn_layer *layer =
            tn_dense(1, .use_bias = false, .kernel_initializer = "zeros", .dtype = "mixed_float16");
        tn_tensor *x = tn_ones(TN_SHAPE(1, 1), TN_FLOAT32);
        tn_optimizer *o = scaled ? tn_loss_scale_optimizer(tn_sgd(1)) : tn_sgd(1);
        tn_call(layer, x);
        tn_tape *tape = tn_gradient_tape();
        tn_tensor *y = tn_cast(tn_call(layer, x), TN_FLOAT32);
        tn_tensor *loss = tn_scale_loss(o, tn_reduce_sum(tn_multiply(y, tn_scalar(0x1p-26))));
        CHECK_OK(tn_apply_gradients(o, tn_gradient(tape, loss, tn_trainable_variables(layer)),
                                    tn_trainable_variables(layer)));
        CHECK_VALUES(tn_variables(layer).item[0], 0, scaled ? -0x1p-26 : 0);
        CHECK_VALUES(tn_iterations(o), 0, 1);
    }
}

/* --- compile ---------------------------------------------------------------------------------- */
static tn_model *model_of(const char *policy)
{
    CHECK_OK(tn_set_dtype_policy(policy));
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(1, .input_shape = TN_SHAPE(2))));
    CHECK_OK(tn_set_dtype_policy("float32"));
    return model;
}

static void compile_scales_mixed_float16_models(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_optimizer *sgd = tn_sgd();
    tn_model *model = model_of("mixed_float16");
    CHECK_OK(tn_compile(model, sgd, "mse"));
    assert_ptr_equal(tn_inner_optimizer(tn_model_optimizer(model)), sgd);
    tn_optimizer *own = tn_loss_scale_optimizer(tn_sgd(), .initial_scale = 4);
    CHECK_OK(tn_compile(model, own, "mse"));
    assert_ptr_equal(tn_model_optimizer(model), own);
    CHECK_OK(tn_compile(model, sgd, "mse", .auto_scale_loss = false));
    assert_ptr_equal(tn_model_optimizer(model), sgd);
    model = model_of("mixed_bfloat16");
    CHECK_OK(tn_compile(model, sgd, "mse"));
    assert_ptr_equal(tn_model_optimizer(model), sgd);
    CHECK_NO_ERROR();
}

/* The first scales are too high; those steps leave no trace, and training goes on. */
static void fit_comes_down_to_a_scale_that_fits(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = model_of("mixed_float16");
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(4, 2), 1, 2, 3, 4, 4, 3, 2, 1);
    tn_tensor *y = VALUES(TN_FLOAT32, TN_SHAPE(4, 1), 1, 2, 3, 4);
    tn_optimizer *o = tn_loss_scale_optimizer(tn_sgd(1e-3), .initial_scale = 0x1p20);
    CHECK_OK(tn_compile(model, o, "mse"));
    tn_history *history =
        tn_fit(model, x, y, .epochs = 30, .batch_size = 4, .shuffle = false, .verbose = 0);
    CHECK_NO_ERROR();
    double first = tn_history_value(history, "loss", 0),
           last = tn_history_value(history, "loss", 29);
    assert_true(last < first && isfinite(last));
    double scale = tn_to_double(tn_optimizer_variables(o).item[3]);
    assert_true(scale < 0x1p20 && scale >= 1);
    /* halved once for each step that was left out */
    assert_int_equal(tn_to_int(tn_iterations(o)), 30 - (int)log2(0x1p20 / scale));
}

/* --- what is refused -------------------------------------------------------------------------- */
static void wrong_ones_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_loss_scale_optimizer());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "missing 1 required positional argument: 'inner_optimizer'");
    assert_null(tn_optimizer_of("loss_scale_optimizer"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "missing 1 required positional argument: 'inner_optimizer'");
    assert_null(tn_optimizer_of("loss_scale_optimizer(adma)"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "adma");
    assert_null(tn_loss_scale_optimizer(tn_loss_scale_optimizer(tn_sgd())));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "inner_optimizer is a LossScaleOptimizer itself");
    assert_null(tn_inner_optimizer(tn_sgd()));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "'SGD' object has no attribute 'inner_optimizer'");
    tn_optimizer *o = tn_loss_scale_optimizer(tn_sgd());
    tn_variable *w = tn_variable(VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2)), *none = NULL;
    tn_list nothing = { 1, &none };
    assert_int_equal(tn_apply_gradients(o, nothing, TN_LIST(w)), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "No gradients provided for any variable.");
}

static bool make_and_step(void *self)
{
    (void)self;
    TN_SCOPE;
    fixture f = { tn_loss_scale_optimizer(tn_sgd(0.1, .momentum = 0.9)),
                  tn_variable(VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2)) };
    return tn_apply_gradients(f.optimizer, TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 1)),
                              TN_LIST(f.weight)) == TN_OK;
}

static void refused_allocations_are_errors(void **state)
{
    (void)state;
    check_allocation_failures(make_and_step, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_left_out_and_scales_change_as_in_keras),
        cmocka_unit_test(rate_and_count_are_the_inner_optimizers),
        cmocka_unit_test(a_loss_is_scaled_in_float32_at_least),
        cmocka_unit_test(small_gradients_are_not_lost),
        cmocka_unit_test(compile_scales_mixed_float16_models),
        cmocka_unit_test(fit_comes_down_to_a_scale_that_fits),
        cmocka_unit_test(wrong_ones_are_refused),
        cmocka_unit_test(refused_allocations_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
