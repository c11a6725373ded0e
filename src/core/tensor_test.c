/* tensor_test.c - elements that tensors share, borrow, or have alone. */
#include "core/tensor.h"
#include "support/check_op.h"

static tn_tensor *made(int64_t rows, int64_t columns)
{
    tn_tensor *x;
    tn_shape shape = TN_SHAPE(rows, columns);
    CHECK_OK(tn__tensor_new(TN_FLOAT32, &shape, &x));
    for (int64_t i = 0; i < rows * columns; i++)
        ((float *)x->data)[i] = (float)i;
    return tn__own(x);
}

static void elements_are_aligned_and_small_ones_stand_in_the_header(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *small = made(4, 4), *large = made(5, 4), *empty = made(0, 4);
    assert_null(small->buffer); /* 64 bytes */
    assert_non_null(large->buffer);
    assert_int_equal((uintptr_t)small->data % 16, 0);
    assert_int_equal((uintptr_t)large->data % 64, 0);
    assert_int_equal(tn__byte_count(empty), 0);
    assert_non_null(empty->data);
}

static void a_view_has_the_same_elements_in_another_shape(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *large = made(6, 10), *small = made(2, 3), *of_large, *of_small;
    assert_true(tn__tensor_unique(large));
    CHECK_OK(tn__tensor_view(large, &TN_SHAPE(60), &of_large));
    CHECK_OK(tn__tensor_view(small, &TN_SHAPE(3, 2), &of_small));
    assert_ptr_equal(of_large->data, large->data);
    assert_ptr_not_equal(of_small->data, small->data); /* a copy: it stands in the header */
    assert_false(tn__tensor_unique(large));
    assert_true(tn__tensor_unique(of_small));
    assert_int_not_equal(of_large->id, large->id);
    tn_free(large);
    assert_float_equal(tn__double_at(of_large, 59), 59, 0);
    assert_true(tn__tensor_unique(of_large));
    CHECK_VALUES(tn__own(of_small), 0, 0, 1, 2, 3, 4, 5);
    tn__own(of_large);
}

static void a_tensor_that_is_held_twice_is_not_unique(void **state)
{
    (void)state;
    tn_tensor *x = tn__tensor_int32(3);
    assert_true(tn__tensor_unique(x));
    tn__retain(x);
    assert_false(tn__tensor_unique(x));
    tn__release(x);
    assert_true(tn__tensor_unique(x));
    tn__release(x);
}

static void give_back(void *owner, void *data)
{
    *(void **)owner = data;
}

static void borrowed_memory_is_given_back_with_the_last_tensor(void **state)
{
    (void)state;
    float elements[4] = { 1, 2, 3, 4 };
    void *back = NULL;
    tn_tensor *x, *view;
    CHECK_OK(tn__tensor_borrow(TN_FLOAT32, &TN_SHAPE(4), elements, give_back, &back, &x));
    CHECK_OK(tn__tensor_view(x, &TN_SHAPE(2, 2), &view));
    tn__release(x);
    assert_null(back);
    assert_float_equal(tn__double_at(view, 3), 4, 0);
    tn__release(view);
    assert_ptr_equal(back, elements);
}

static bool borrow(void *unused)
{
    (void)unused;
    float elements[1] = { 1 };
    void *back = NULL;
    tn_tensor *x;
    bool done =
        tn__tensor_borrow(TN_FLOAT32, &TN_SHAPE(1), elements, give_back, &back, &x) == TN_OK;
    tn__release(x);
    assert_ptr_equal(back, elements); /* also when there was no memory */
    return done;
}

static void numbers_fill_any_type(void **state)
{
    (void)state;
    TN_SCOPE;
    const tn_dtype all[] = { TN_FLOAT32, TN_FLOAT64, TN_INT32,    TN_UINT8,
                             TN_INT64,   TN_BOOL,    TN_BFLOAT16, TN_FLOAT16 };
    for (int i = 0; i < 8; i++) {
        tn_tensor *ones = tn__own(tn__tensor_fill(all[i], &TN_SHAPE(3), 1)),
                  *ints = tn__own(tn__tensor_ints(all[i], 2, (int64_t[]){ 0, 1 }));
        CHECK_VALUES(ones, 0, 1, 1, 1);
        CHECK_VALUES(ints, 0, 0, 1);
    }
    assert_string_equal(TN__TENSOR(made(2, 3)), "float32 (2, 3)");
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(borrow, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_aligned_and_small_ones_stand_in_the_header),
        cmocka_unit_test(a_view_has_the_same_elements_in_another_shape),
        cmocka_unit_test(a_tensor_that_is_held_twice_is_not_unique),
        cmocka_unit_test(borrowed_memory_is_given_back_with_the_last_tensor),
        cmocka_unit_test(numbers_fill_any_type),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
