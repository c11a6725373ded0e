/* functional_test.c - models from symbolic inputs to outputs: shared layers, cuts, nesting, names, size. */
#include "support/check.h"

static tn_tensor *rows(int64_t n)
{
    return tn_ones(TN_SHAPE(n, 4), TN_FLOAT32);
}

static void a_shared_layer_is_one_layer_with_one_set_of_weights(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *shared = tn_dense(4);
    tn_tensor *a = tn_input(TN_SHAPE(4)), *b = tn_input(TN_SHAPE(4));
    tn_model *model = tn_model(tn_tuple(a, b), tn_add(tn_call(shared, a), tn_call(shared, tn_call(shared, b))));
    assert_int_equal(tn_variables(model).count, 2);
    tn_tensor *y = tn_call(model, rows(2), rows(2));
    tn_tensor *z = tn_add(tn_call(shared, rows(2)), tn_call(shared, tn_call(shared, rows(2))));
    CHECK_NO_ERROR();
    assert_memory_equal(tn_data_float32(y), tn_data_float32(z), 8 * sizeof(float));
}

/* Keras runs the call first whose depth it knew first: of the rescaled input. Numbers: Keras 3.15's. */
static void calls_of_a_shared_layer_run_in_kerass_order(void **state)
{
    (void)state;
    TN_SCOPE;
    const float values[] = { 1, 2, 3, 6 };
    tn_layer *shared = tn_batch_normalization(.momentum = 0.5);
    tn_tensor *x = tn_input(TN_SHAPE(2)), *twice = tn_call(tn_rescaling(2), x);
    tn_tensor *a = tn_call(tn_relu(), tn_call(shared, x)), *b = tn_call(tn_relu(), tn_call(tn_relu(), tn_call(shared, twice)));
    tn_model *model = tn_model(x, tn_call(tn_concatenate(), a, b));
    assert_non_null(tn_call_with(model, TN_LIST(tn_constant(TN_FLOAT32, TN_SHAPE(2, 2), values)), .training = true));
    tn_list weights = tn_get_weights(shared);
    assert_string_equal(tn_text(tn_at(weights, 2)), "[2. 4.]");
    assert_string_equal(tn_text(tn_at(weights, 3)), "[1.75 6.25]");
    CHECK_NO_ERROR();
}

static void a_layer_may_be_in_two_models(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *shared = tn_dense(4, .name = "shared");
    tn_tensor *a = tn_input(TN_SHAPE(4)), *b = tn_input(TN_SHAPE(4));
    tn_model *one = tn_model(a, tn_call(shared, a)), *two = tn_model(b, tn_call(shared, b));
    assert_ptr_equal(tn_variables(one).item[0], tn_variables(two).item[0]);
    tn_free(one);
    assert_string_equal(tn_name(tn_variables(two).item[0]), "shared/kernel");
    assert_non_null(tn_call(two, rows(1)));
    CHECK_NO_ERROR();
}

static void explicit_names_must_differ_and_automatic_ones_give_way(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_input(TN_SHAPE(4));
    assert_null(tn_model(x, tn_call(tn_dense(1, .name = "d"), tn_call(tn_dense(2, .name = "d"), x))));
    CHECK_ERROR(TN_ALREADY_EXISTS, "The name \"d\" is used 2 times in the model. All operation names should be unique.");
    tn_clear_session();
    tn_layer *first = tn_dense(2);
    tn_clear_session();
    tn_layer *second = tn_dense(2), *third = tn_dense(2, .name = "dense_1");
    tn_model *model = tn_model(x, tn_call(third, tn_call(second, tn_call(first, x))));
    CHECK_NO_ERROR();
    assert_string_equal(tn_layer_name(first), "dense");
    assert_string_equal(tn_layer_name(second), "dense_2");
    assert_string_equal(tn_name(tn_variables(model).item[2]), "dense_2/kernel");
}

static void a_cut_model_ends_and_begins_where_it_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *a = tn_dense(4, "relu"), *b = tn_dense(4, "relu"), *c = tn_dense(1);
    tn_tensor *x = tn_input(TN_SHAPE(4));
    tn_model *whole = tn_model(x, tn_call(c, tn_call(b, tn_call(a, x))));
    tn_model *head = tn_model(tn_model_input(whole), tn_layer_output(whole, a));
    tn_model *tail = tn_model(tn_layer_output(whole, a), tn_model_output(whole));
    tn_tensor *y = tn_call(whole, rows(3)), *z = tn_call(tail, tn_call(head, rows(3)));
    CHECK_NO_ERROR();
    assert_memory_equal(tn_data_float32(y), tn_data_float32(z), 3 * sizeof(float));
    assert_int_equal(tn_variables(tail).count, 4);
    assert_null(tn_layer_output(whole, tn_dense(1)));
    CHECK_ERROR(TN_NOT_FOUND, "does not call");
}

static void outputs_that_need_another_input_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = tn_input(TN_SHAPE(4)), *b = tn_input(TN_SHAPE(4));
    assert_null(tn_model(a, tn_add(a, b)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`inputs` not connected to `outputs`");
    assert_null(tn_model(rows(1), b));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "All `inputs` values must be KerasTensors.");
    assert_null(tn_model(NULL, b));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_model: inputs is NULL");
}

static void a_number_is_no_shape(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_input({ 4 })); /* what tn_input(4) is where the compiler keeps silent */
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Cannot convert '4' to a shape.\na shape is written TN_SHAPE(4)");
}

static void an_input_may_be_the_output(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_input(TN_SHAPE(4));
    tn_model *model = tn_model(x, tn_tuple(x, tn_tuple(tn_square(x), x)));
    tn_tensor *y = tn_call(model, rows(2));
    CHECK_NO_ERROR();
    assert_int_equal(tn_items(y).count, 2);
    assert_int_equal(tn_items(tn_item(y, 1)).count, 2);
}

static void a_variable_beside_a_symbolic_tensor_is_read_at_each_call(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(tn_ones(TN_SHAPE(4), TN_FLOAT32));
    tn_tensor *x = tn_input(TN_SHAPE(4));
    tn_model *model = tn_model(x, tn_multiply(x, v));
    tn_assign(v, tn_multiply(v, tn_scalar(3.0)));
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *y = tn_call(model, rows(2));
    assert_float_equal(tn_data_float32(y)[0], 3, 0);
    assert_float_equal(tn_data_float32(tn_gradient_of(tape, y, v))[0], 2, 0);
    CHECK_NO_ERROR();
}

/* x², and its slope from a tape of the call's own. */
static tn_tensor *slope_body(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *x = tn_at(inputs, 0);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    return tn_gradient_of(tape, tn_square(x), x);
}

static const tn_class Slope = { .name = "Slope", .call = slope_body };

static void a_calls_own_tape_records_while_shapes_are_found(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_input(TN_SHAPE(4));
    tn_model *model = tn_model(x, tn_call(tn_new(&Slope), x));
    CHECK_NO_ERROR();
    assert_float_equal(tn_data_float32(tn_call(model, rows(2)))[7], 2, 0);
    CHECK_NO_ERROR();
}

static void many_layers_take_neither_stack_nor_square_time(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_input(TN_SHAPE(2)), *y = x;
    tn_layer *shared = tn_activation("relu");
    for (int i = 0; i < 5000; i++)
        y = tn_call(i % 2 ? shared : tn_activation("relu"), y);
    tn_model *model = tn_model(x, y);
    CHECK_NO_ERROR();
    assert_int_equal(tn_layers(model).count, 2502);
    assert_float_equal(tn_to_double(tn_reduce_sum(tn_call(model, tn_ones(TN_SHAPE(1, 2), TN_FLOAT32)))), 2, 0);
    assert_non_null(tn_layer_output(model, shared));
    CHECK_NO_ERROR();
}

static bool cut_and_nest(void *unused)
{
    (void)unused;
    tn_tensor *x = tn_input(TN_SHAPE(4)), *b = tn_input(TN_SHAPE(4));
    tn_layer *shared = tn_dense(4);
    tn_tensor *h = tn_call(shared, x), *k = tn_call(shared, b);
    tn_model *inner = tn_model(tn_tuple(x, b), tn_tuple(tn_square(h), k));
    tn_model *tail = tn_model(tn_tuple(h, b), tn_tuple(tn_add(h, k), h));
    tn_tensor *both = inner ? tn_call(inner, x, b) : NULL;
    tn_model *outer = tn_model(tn_tuple(x, b), tn_add(tn_item(both, 0), tn_item(both, 1)));
    return tail && tn_call(tail, rows(2), rows(2)) && tn_call(outer, rows(2), rows(2));
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(cut_and_nest, NULL);
}

static void calls_in_a_loop_keep_memory_constant(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_input(TN_SHAPE(4));
    tn_model *model = tn_model(x, tn_call(tn_dense(3), tn_call(tn_dense(30), x)));
    size_t handles = 0, allocations = 0;
    for (int i = 0; i < 20; i++) {
        TN_SCOPE;
        tn_call(model, rows(2));
        if (i == 5) {
            handles = tn_live_handles();
            allocations = live_allocations();
        }
        assert_true(i < 5 || (tn_live_handles() == handles && live_allocations() == allocations));
    }
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shared_layer_is_one_layer_with_one_set_of_weights),
        cmocka_unit_test(calls_of_a_shared_layer_run_in_kerass_order),
        cmocka_unit_test(a_layer_may_be_in_two_models),
        cmocka_unit_test(explicit_names_must_differ_and_automatic_ones_give_way),
        cmocka_unit_test(a_cut_model_ends_and_begins_where_it_is_told),
        cmocka_unit_test(outputs_that_need_another_input_are_refused),
        cmocka_unit_test(a_number_is_no_shape),
        cmocka_unit_test(an_input_may_be_the_output),
        cmocka_unit_test(a_variable_beside_a_symbolic_tensor_is_read_at_each_call),
        cmocka_unit_test(a_calls_own_tape_records_while_shapes_are_found),
        cmocka_unit_test(many_layers_take_neither_stack_nor_square_time),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
        cmocka_unit_test(calls_in_a_loop_keep_memory_constant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
