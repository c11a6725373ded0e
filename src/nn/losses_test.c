/* losses_test.c - losses that calls add. Numbers: Keras 3.15's. */
#include "support/check.h"
#include <math.h>

static double value_at(tn_tensor *x, int64_t i)
{
    return tn_to_double(tn_gather(tn_reshape(x, TN_SHAPE(-1)), tn_scalar(i), 0));
}

static tn_tensor *ones(int64_t rows)
{
    return tn_ones(TN_SHAPE(rows, 3), TN_FLOAT32);
}

static void check_losses(tn_layer *layer, size_t count, const double *values)
{
    tn_list losses = tn_losses(layer);
    assert_int_equal(losses.count, count);
    for (size_t i = 0; i < count; i++)
        assert_true(fabs(value_at(losses.item[i], 0) - values[i]) < 1e-6);
    CHECK_NO_ERROR();
}

static tn_layer *penalized(void)
{
    return tn_dense(2, .kernel_initializer = "ones", .activity_regularizer = "l2(0.5)", .kernel_regularizer = "l1");
}

static void outputs_are_penalized_by_the_batch(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer = penalized();
    check_losses(layer, 0, NULL);
    tn_call(layer, ones(4));
    check_losses(layer, 2, (double[]){ 9, 0.06 });
    tn_call(layer, ones(1));
    check_losses(layer, 2, (double[]){ 9, 0.06 }); /* of the latest call, not of both */
}

static void a_model_gathers_what_its_parts_added(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer = penalized();
    tn_model *model = tn_sequential(TN_LAYERS(layer, tn_activity_regularization(0.1)));
    tn_call(model, ones(4));
    check_losses(model, 3, (double[]){ 9, 0.6, 0.06 });
    tn_tensor *input = tn_input(TN_SHAPE(3));
    tn_model *twice = tn_model(input, tn_add(tn_call(model, input), tn_call(model, tn_multiply(input, tn_scalar(0)))));
    check_losses(twice, 3, (double[]){ 9, 0.6, 0.06 }); /* making a model adds nothing */
    tn_call(twice, ones(4));
    check_losses(twice, 5, (double[]){ 9, 0, 0.6, 0, 0.06 });
}

static void training_adds_them_to_the_loss(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(TN_LAYERS(penalized(), tn_activity_regularization(0.1), tn_dense(1, .kernel_initializer = "ones")));
    tn_must(tn_compile(model, tn_sgd(0.01), "mse"));
    tn_history *history =
        tn_fit(model, ones(4), tn_zeros(TN_SHAPE(4, 1), TN_FLOAT32), .epochs = 2, .batch_size = 3, .shuffle = false, .verbose = 0);
    assert_true(fabs(tn_history_value(history, "loss", 0) - 37.98282241821289) < 1e-4);
    assert_true(fabs(tn_history_value(history, "loss", 1) - 8.281661987304688) < 1e-4);
    assert_true(fabs(value_at(tn_get_weights(model).item[0], 0) - 0.7113684415817261) < 1e-5);
    CHECK_NO_ERROR();
}

static tn_tensor *adding(void *self, tn_list inputs)
{
    (void)self;
    tn_status status = tn_add_loss(tn_reduce_sum(tn_at(inputs, 0)));
    return status == TN_OK ? tn_at(inputs, 0) : NULL;
}
static const tn_class Adding = { .name = "Adding", .size = 1, .call = adding };

static tn_tensor *tuple_adding(void *self, tn_list inputs)
{
    (void)self;
    tn_status status = tn_add_loss(tn_tuple(tn_at(inputs, 0), tn_at(inputs, 0)));
    return status == TN_OK ? tn_at(inputs, 0) : NULL;
}
static const tn_class TupleAdding = { .name = "TupleAdding", .size = 1, .call = tuple_adding };

static void a_class_of_ones_own_adds_losses(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer = tn_new(&Adding, { 0 });
    tn_call(layer, ones(2));
    check_losses(layer, 1, (double[]){ 6 });
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *x = ones(2);
    tn_watch(tape, x);
    tn_call(layer, x);
    assert_true(value_at(tn_gradient_of(tape, tn_losses(layer).item[0], x), 3) == 1);
    CHECK_NO_ERROR();
}

static void losses_come_from_calls_only(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_int_equal(tn_add_loss(tn_scalar(1)), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`add_loss()` can only be called from inside `build()` or `call()`, on a tensor input.");
    assert_null(tn_call(tn_new(&TupleAdding, { 0 }), ones(1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Received invalid value: a tuple");
    assert_int_equal(tn_losses(NULL).count, 0);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_losses: layer");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_penalized_by_the_batch),
        cmocka_unit_test(a_model_gathers_what_its_parts_added),
        cmocka_unit_test(training_adds_them_to_the_loss),
        cmocka_unit_test(a_class_of_ones_own_adds_losses),
        cmocka_unit_test(losses_come_from_calls_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
