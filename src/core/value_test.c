/* value_test.c - making and reading tensors: hostile shapes, empty ones, tuples, what works while an error is kept. */
#include "support/check.h"
#include "core/context.h"
#include <math.h>

static void hostile_shapes_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    const tn_shape hostile[] = { { 1, 9, { 1 } }, { 1, -1, { 0 } }, { 1, 1 << 30, { 2 } } };
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        assert_null(tn_zeros(hostile[i], TN_FLOAT32));
        CHECK_ERROR(TN_INVALID_ARGUMENT, "a shape has 0 to 8 dimensions");
        assert_null(tn_constant(TN_FLOAT32, hostile[i], NULL));
        tn_catch(TN_ANY_ERROR);
    }
    assert_null(tn_zeros(TN_SHAPE(INT64_MAX, INT64_MAX, 0), TN_FLOAT32));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "is too large");
    assert_null(tn_zeros(TN_SHAPE(1LL << 32, 1LL << 32), TN_FLOAT32));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "is too large");
    assert_null(tn_zeros(TN_SHAPE(2, -1), TN_FLOAT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "needs a full shape, got (2, None)");
    assert_null(tn_zeros(TN_SHAPE(2), (tn_dtype)99));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "99 is not a dtype");
    assert_null(tn_cast(tn_zeros(TN_SHAPE(2), TN_FLOAT32), (tn_dtype)99));
    assert_int_not_equal(tn_pending(), TN_OK);
    tn_catch(TN_ANY_ERROR);
    assert_int_equal(tn_dim(TN_SHAPE(2, 3), -1), 3);
    assert_int_equal(tn_dim(TN_SHAPE(2, 3), 2), TN_NONE);
    CHECK_ERROR(TN_OUT_OF_RANGE, "(2, 3) has no axis 2");
}

static void an_empty_tensor_is_a_tensor(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_constant(TN_FLOAT32, TN_SHAPE(0, 3), NULL);
    assert_string_equal(tn_shape_text(tn_add(tn_square(x), tn_scalar(1))), "(0, 3)");
    assert_float_equal(tn_to_double(tn_reduce_sum(x)), 0, 0);
    CHECK_NO_ERROR();
    tn_to_double(x);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "only a tensor of one element is a number");
    assert_null(tn_constant(TN_FLOAT32, TN_SHAPE(1), NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "data is NULL");
}

static void reading_works_while_an_error_is_kept_and_nothing_else_does(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(tn_ones(TN_SHAPE(1), TN_FLOAT32), .name = "v");
    tn_layer *layer = tn_dense(2, .name = "d");
    tn_fail(TN_CANCELLED, "first");
    tn_fail(TN_INTERNAL, "second");
    assert_float_equal(tn_to_double(v), 1, 0);
    assert_float_equal(tn_data_float32(v)[0], 1, 0);
    assert_int_equal(tn_shape_of(v).rank, 1);
    assert_int_equal(tn_dtype_of(v), TN_FLOAT32);
    assert_string_equal(tn_name(v), "v");
    assert_string_equal(tn_layer_name(layer), "d");
    assert_null(tn_data_float32(NULL));
    assert_null(tn_assign(v, v));
    assert_null(tn_scalar(1));
    assert_null(tn_keep(v));
    assert_null(tn_dense(1));
    assert_null(tn_tuple_of((tn_list){ 0, NULL }));
    assert_null(tn_gradient_tape());
    assert_int_equal(tn_sequential_add(layer, layer), TN_CANCELLED);
    CHECK_ERROR(TN_CANCELLED, "first");
    assert_float_equal(tn_to_double(v), 1, 0);
}

static void tuples_nest_but_not_without_end(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_scalar(1);
    assert_int_equal(tn_items(x).count, 1);
    assert_ptr_equal(tn_item(x, 0), x);
    int depth = 0;
    for (tn_tensor *next = x; (next = tn_tuple(x)); depth++)
        x = next;
    CHECK_ERROR(TN_INVALID_ARGUMENT, "levels of tuples");
    assert_int_equal(depth, 100);
    assert_null(tn_square(x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is a tuple of 1 tensors, one tensor is expected");
    assert_null(tn_item(x, 1));
    CHECK_ERROR(TN_OUT_OF_RANGE, "item 1 of 1");
}

static void lists_refuse_null_and_may_be_empty(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(TN_LIST(tn_scalar(1), NULL).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "an item of a list is NULL");
    tn_list none = tn_list_of(0, NULL);
    assert_non_null(none.item);
    assert_non_null(tn_layer_list_of(0, NULL).item);
    assert_int_equal(tn_list_concat(none, TN_LIST(tn_scalar(1))).count, 1);
    assert_null(tn_at(none, 0));
    CHECK_ERROR(TN_OUT_OF_RANGE, "item 0 of a list of 0");
}

static void numbers_take_the_type_beside_them(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_ones(TN_SHAPE(2), TN_FLOAT64);
    assert_int_equal(tn_dtype_of(tn_add(x, tn_scalar(0.1))), TN_FLOAT64);
    assert_true(((const double *)tn_data(tn_add(x, tn_scalar(0.1)), TN_FLOAT64))[0] == 1.1);
    assert_int_equal(tn_dtype_of(tn_scalar(1LL << 40)), TN_INT64);
    assert_null(tn_add(tn_ones(TN_SHAPE(2), TN_INT32), tn_scalar(0.5)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "was expected to be a");
}

static void numbers_of_nodes_with_many_outputs_never_meet_others(void **state)
{
    (void)state;
    tn_context *context = tn__context(), *other = tn_context_new();
    for (int i = 0; i < 70000; i++) {
        uint64_t a = tn__next_ids(context, 3), b = tn__next_ids(other, 5);
        assert_true(a + 3 <= b || b + 5 <= a);
    }
    uint64_t many = tn__next_ids(context, 200000), after = tn__next_id(other), mine = tn__next_id(context);
    assert_true(after < many || after >= many + 200000);
    assert_true(mine < many || mine >= many + 200000);
    tn_context_free(other);
}

static void a_context_freed_while_it_is_current_leaves_the_threads_own(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_ones(TN_SHAPE(2), TN_FLOAT32);
    tn_context *other = tn_context_new();
    tn_context_swap(other);
    tn_zeros(TN_SHAPE(3), TN_FLOAT32);
    tn_context_free(other);
    assert_float_equal(tn_data_float32(tn_square(x))[1], 1, 0);
    CHECK_NO_ERROR();
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_shapes_are_refused),
        cmocka_unit_test(an_empty_tensor_is_a_tensor),
        cmocka_unit_test(reading_works_while_an_error_is_kept_and_nothing_else_does),
        cmocka_unit_test(tuples_nest_but_not_without_end),
        cmocka_unit_test(lists_refuse_null_and_may_be_empty),
        cmocka_unit_test(numbers_take_the_type_beside_them),
        cmocka_unit_test(numbers_of_nodes_with_many_outputs_never_meet_others),
        cmocka_unit_test(a_context_freed_while_it_is_current_leaves_the_threads_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
