/* slices_test.c - gradients that remember the rows they are sums of. */
#include "ops/slices.h"
#include "support/check_op.h"

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

/* --- where TensorFlow 2.21 gives IndexedSlices, and where not
 * ------------------------------------------------------------------ */
typedef struct {
    tn_variable *table;
    tn_function *gathers; /* what it is called with; NULL: at once */
} lookup;

static tn_tensor *gather_nd_body(void *self, tn_list inputs)
{
    return tn_gather_nd(((lookup *)self)->table, tn_at(inputs, 0));
}

static tn_tensor *gradient_body(void *self, tn_list inputs)
{
    const lookup *l = self;
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *y =
        l->gathers ? tn_call(l->gathers, tn_at(inputs, 0)) : gather_nd_body(self, inputs);
    return tn_gradient_of(tape, tn_reduce_sum(tn_square(y)), l->table);
}

static void check_rows(tn_tensor *gradient)
{
    assert_non_null(gradient);
    CHECK_VALUES(gradient, 0, 2, 4, 0, 0, 20, 24);
    assert_non_null(gradient->slices);
    CHECK_VALUES(gradient->slices->of.tuple.item[0], 0, 10, 12, 2, 4, 10, 12);
    CHECK_VALUES(gradient->slices->of.tuple.item[1], 0, 2, 0, 2);
}

static void a_gradient_remembers_its_rows_through_functions_and_out_of_them(void **state)
{
    (void)state;
    TN_SCOPE;
    lookup l = { tn_variable(VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6)), NULL };
    tn_tensor *places = VALUES(TN_INT32, TN_SHAPE(3, 1), 2, 0, 2);
    check_rows(gradient_body(&l, TN_LIST(places)));
    tn_function *gradient = tn_function(gradient_body, &l);
    check_rows(tn_call(gradient, places));
    check_rows(tn_call(gradient, places));
    l.gathers = tn_function(gather_nd_body, &l);
    check_rows(gradient_body(&l, TN_LIST(places)));
    check_rows(tn_call(tn_function(gradient_body, &l), places));
}

static void places_that_are_no_list_of_rows_are_added_up(void **state)
{
    (void)state;
    TN_SCOPE;
    lookup l = { tn_variable(VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6)), NULL };
    tn_tensor *elements = gradient_body(&l, TN_LIST(VALUES(TN_INT32, TN_SHAPE(2, 2), 0, 1, 2, 0)));
    CHECK_VALUES(elements, 0, 0, 4, 0, 0, 10, 0);
    assert_null(elements->slices);
    tn_tensor *rows = gradient_body(&l, TN_LIST(VALUES(TN_INT32, TN_SHAPE(2, 1, 1), 0, 1)));
    CHECK_VALUES(rows, 0, 2, 4, 6, 8, 0, 0);
    assert_null(rows->slices);
}

static bool differentiate_in_a_function(void *self)
{
    TN_SCOPE;
    tn_function *gradient = tn_function(gradient_body, self);
    return tn_call(gradient, VALUES(TN_INT32, TN_SHAPE(3, 1), 2, 0, 2)) != NULL;
}

static void a_refused_allocation_loses_no_rows(void **state)
{
    (void)state;
    TN_SCOPE;
    lookup l = { tn_variable(VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6)), NULL };
    check_allocation_failures(differentiate_in_a_function, &l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gradient_remembers_its_rows_through_functions_and_out_of_them),
        cmocka_unit_test(places_that_are_no_list_of_rows_are_added_up),
        cmocka_unit_test(a_refused_allocation_loses_no_rows),
        cmocka_unit_test(the_square_of_a_gradient_is_of_each_row_that_was_gathered),
        cmocka_unit_test(rows_of_two_calls_are_all_remembered),
        cmocka_unit_test(a_gradient_that_is_partly_dense_is_only_the_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
