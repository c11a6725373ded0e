/* data_test.c - arrays cut into batches and parts, and weights of classes. */
#include "support/check.h"
#include "train/data.h"
#include <math.h>

static tn_tensor *count_up(int64_t rows, int64_t width)
{
    float values[64];
    for (int64_t i = 0; i < rows * width; i++)
        values[i] = (float)i;
    return tn_constant(TN_FLOAT32, TN_SHAPE(rows, width), values);
}

static void check_row(tn_tensor *x, int64_t row, double first)
{
    int64_t width = tn__count(x) / x->shape.dims[0];
    for (int64_t i = 0; i < width; i++)
        assert_float_equal(tn__double_at(x, row * width + i), first + (double)i, 0);
}

static void float64_becomes_float32_and_integers_stay(void **state)
{
    (void)state;
    tn__data data;
    tn_tensor *x = tn_cast(count_up(3, 2), TN_FLOAT64), *y = tn_cast(count_up(3, 1), TN_INT64);
    CHECK_OK(tn__data_new(tn_tuple(x, y), y, NULL, &data));
    assert_int_equal(data.rows, 3);
    assert_int_equal(data.x->of.tuple.item[0]->dtype, TN_FLOAT32);
    assert_int_equal(data.x->of.tuple.item[1]->dtype, TN_INT64);
    assert_int_equal(data.y->dtype, TN_INT64);
    tn__data_free(&data);
    tn__data_free(&data);
}

static void rows_that_do_not_agree_are_told_in_keras_s_words(void **state)
{
    (void)state;
    tn__data data;
    assert_int_equal(tn__data_new(tn_tuple(count_up(3, 2), count_up(4, 2)), count_up(3, 1),
                                  count_up(5, 1), &data),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples."
        "'x' sizes: 3, 4\n'y' sizes: 3\n'sample_weight' sizes: 5");
    assert_int_equal(tn__data_new(tn_scalar(1), NULL, NULL, &data), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "must have samples as its first dimension");
}

static void a_batch_has_the_rows_of_the_order(void **state)
{
    (void)state;
    tn__data data, batch;
    const int64_t order[] = { 4, 0, 2, 1, 3 };
    CHECK_OK(tn__data_new(tn_tuple(count_up(5, 3), count_up(5, 1)), count_up(5, 2), count_up(5, 1),
                          &data));
    CHECK_OK(tn__data_batch(&data, order, 1, 3, &batch));
    assert_int_equal(batch.rows, 3);
    for (int64_t i = 0; i < 3; i++) {
        check_row(batch.x->of.tuple.item[0], i, (double)order[1 + i] * 3);
        check_row(batch.y, i, (double)order[1 + i] * 2);
        check_row(batch.weight, i, (double)order[1 + i]);
    }
    tn__data_free(&batch);
    CHECK_OK(tn__data_batch(&data, NULL, 2, 3, &batch));
    check_row(batch.y, 0, 4);
    check_row(batch.y, 2, 8);
    tn__data_free(&batch);
    tn__data_free(&data);
}

static void rows_of_no_elements_can_be_batched(void **state)
{
    (void)state;
    tn__data data, batch;
    CHECK_OK(tn__data_new(tn_zeros(TN_SHAPE(4, 0, 3), TN_FLOAT32), NULL, NULL, &data));
    CHECK_OK(tn__data_batch(&data, NULL, 1, 2, &batch));
    assert_int_equal(batch.x->shape.dims[0], 2);
    tn__data_free(&batch);
    tn__data_free(&data);
}

static void a_split_takes_the_last_rows(void **state)
{
    (void)state;
    tn__data data, tail, batch;
    CHECK_OK(tn__data_new(count_up(10, 2), count_up(10, 1), count_up(10, 1), &data));
    CHECK_OK(tn__data_split(&data, 0.25, &tail)); /* floor(10 · 0.75) = 7 */
    assert_int_equal(data.rows, 7);
    assert_int_equal(tail.rows, 3);
    assert_ptr_equal(data.x, tail.x);
    CHECK_OK(tn__data_batch(&tail, NULL, 0, 3, &batch));
    check_row(batch.x, 0, 14);
    check_row(batch.weight, 2, 9);
    tn__data_free(&batch);
    CHECK_OK(tn__data_batch(&tail, (const int64_t[]){ 2, 0 }, 0, 2, &batch));
    check_row(batch.y, 0, 9);
    check_row(batch.y, 1, 7);
    tn__data_free(&batch);
    tn__data_free(&tail);
    assert_int_equal(tn__data_split(&data, 1.5, &tail), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`validation_split`");
    assert_int_equal(tn__data_split(&data, 0.999, &tail), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Training data contains 7 samples, which is not sufficient to split it");
    tn__data_free(&data);
}

static void check_weights(tn_tensor *y, const float *want)
{
    tn__data data;
    CHECK_OK(tn__data_new(count_up(4, 1), y, NULL, &data));
    CHECK_OK(tn__data_class_weight(
        &data, tn_constant(TN_FLOAT64, TN_SHAPE(2), ((const double[]){ 0.5, 3 }))));
    assert_int_equal(data.weight->shape.rank, 1);
    for (int64_t i = 0; i < 4; i++)
        assert_float_equal(tn__double_at(data.weight, i), want[i], 0);
    tn__data_free(&data);
}

static void weights_of_classes_follow_the_labels(void **state)
{
    (void)state;
    const float want[] = { 0.5f, 3, 1, 3 }; /* a class beyond the end has 1 */
    check_weights(tn_constant(TN_INT32, TN_SHAPE(4), ((const int32_t[]){ 0, 1, 2, 1 })), want);
    check_weights(tn_constant(TN_FLOAT32, TN_SHAPE(4, 1), ((const float[]){ 0, 1, 2, 1 })), want);
    check_weights(tn_constant(TN_FLOAT32, TN_SHAPE(4, 3),
                              ((const float[]){ 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0 })),
                  want);
}

static bool cut_up(void *self)
{
    (void)self;
    TN_SCOPE;
    tn__data data, tail = { 0 };
    if (tn__data_new(tn_tuple(count_up(6, 2), count_up(6, 1)), count_up(6, 1), NULL, &data) !=
        TN_OK)
        return false;
    bool done = tn__data_split(&data, 0.5, &tail) == TN_OK &&
                tn__data_class_weight(&data, count_up(2, 1)) == TN_OK;
    tn__data_free(&tail);
    tn__data_free(&data);
    return done;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(cut_up, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(float64_becomes_float32_and_integers_stay),
        cmocka_unit_test(rows_that_do_not_agree_are_told_in_keras_s_words),
        cmocka_unit_test(a_batch_has_the_rows_of_the_order),
        cmocka_unit_test(rows_of_no_elements_can_be_batched),
        cmocka_unit_test(a_split_takes_the_last_rows),
        cmocka_unit_test(weights_of_classes_follow_the_labels),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
