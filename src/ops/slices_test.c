/* slices_test.c - gradients that remember the rows they are sums of. */
#include "ops/slices.h"
#include "support/check.h"

static tn_tensor *rows_of(tn_tensor *table, int64_t count, const int32_t *words)
{
    return tn_gather(table, tn_constant(TN_INT32, TN_SHAPE(count), words), 0);
}

static tn_variable *table(void)
{
    return tn_variable(tn_ones(TN_SHAPE(3, 2), TN_FLOAT32));
}

/* The first column of it. */
static void check_column(tn_tensor *gradient, double a, double b, double c)
{
    const double want[] = { a, b, c };
    CHECK_NO_ERROR();
    for (int i = 0; i < 3; i++)
        assert_float_equal(tn__double_at(gradient, 2 * (int64_t)i), want[i], 1e-6);
}

static void the_square_of_a_gradient_is_of_each_row_that_was_gathered(void **state)
{
    (void)state;
    tn_variable *t = table();
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *y = rows_of(t, 3, (const int32_t[]){ 2, 0, 2 });
    tn_tensor *g = tn_at(tn_gradient(tape, tn_multiply(y, tn_scalar(-3)), TN_LIST(t)), 0);
    check_column(g, -3, 0, -6);
    check_column(tn__gradient_square(g), 9, 0, 18);
    check_column(tn__gradient_abs(g), 3, 0, 6);
    check_column(tn__gradient_square(tn__gradient_cast(g, TN_FLOAT64)), 9, 0, 18);
}

static void rows_of_two_calls_are_all_remembered(void **state)
{
    (void)state;
    tn_variable *t = table();
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *a = tn_reduce_sum(rows_of(t, 2, (const int32_t[]){ 1, 1 })),
              *b = tn_reduce_sum(tn_expand_dims(rows_of(t, 1, (const int32_t[]){ 1 }), 0));
    tn_tensor *g = tn_at(tn_gradient(tape, tn_add(a, b), TN_LIST(t)), 0);
    check_column(g, 0, 3, 0);
    check_column(tn__gradient_square(g), 0, 3, 0);
}

static void a_gradient_that_is_partly_dense_is_only_the_sum(void **state)
{
    (void)state;
    tn_variable *t = table();
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *a = tn_reduce_sum(rows_of(t, 2, (const int32_t[]){ 1, 1 })), *b = tn_reduce_sum(t);
    tn_tensor *g = tn_at(tn_gradient(tape, tn_add(a, b), TN_LIST(t)), 0);
    check_column(g, 1, 3, 1);
    check_column(tn__gradient_square(g), 1, 9, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_square_of_a_gradient_is_of_each_row_that_was_gathered),
        cmocka_unit_test(rows_of_two_calls_are_all_remembered),
        cmocka_unit_test(a_gradient_that_is_partly_dense_is_only_the_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
