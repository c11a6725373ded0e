/* custom_gradient_test.c */
#include "support/check_op.h"

/* y = a b and a + b, with gradients that no rule would give. */
static tn_tensor *product_and_sum(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *a = tn_at(inputs, 0), *b = tn_at(inputs, 1);
    return tn_tuple(tn_multiply(a, b), tn_add(a, b));
}

/* reads inputs, results and gradients of the results in this order */
static tn_tensor *made_up(void *self, tn_list all)
{
    (void)self;
    tn_tensor *a = tn_at(all, 0), *product = tn_at(all, 2), *d_product = tn_at(all, 4),
              *d_sum = tn_at(all, 5);
    return tn_tuple(tn_multiply(tn_scalar(10), d_product), tn_add(tn_multiply(product, d_sum), a));
}

static tn_tensor *both(void *self, tn_list inputs)
{
    return tn_custom_gradient(product_and_sum, made_up, self, inputs);
}

static void the_second_body_gives_the_gradient(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = VALUES(TN_FLOAT32, TN_SHAPE(2), 2, 3),
              *b = VALUES(TN_FLOAT32, TN_SHAPE(2), 5, 7);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, a);
    tn_watch(tape, b);
    tn_tensor *y = both(NULL, TN_LIST(a, b));
    CHECK_VALUES(tn_item(y, 0), 0, 10, 21);
    tn_list found = tn_gradient(tape, y, TN_LIST(a, b));
    CHECK_VALUES(found.item[0], 0, 10, 10);
    CHECK_VALUES(found.item[1], 0, 12, 24);
}

/* The same eagerly, traced, and where the trace runs under a tape from outside. */
static void a_trace_has_the_same_gradient(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = VALUES(TN_FLOAT32, TN_SHAPE(2), 2, 3),
              *b = VALUES(TN_FLOAT32, TN_SHAPE(2), 5, 7);
    tn_function *f = tn_function(both, NULL);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, a);
    tn_tensor *y = tn_call(f, a, b);
    CHECK_VALUES(tn_gradient_of(tape, tn_item(y, 0), a), 0, 10, 10);
}

/* A cube that says its own slope, which has one itself. */
static tn_tensor *cube(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *x = tn_at(inputs, 0);
    return tn_multiply(x, tn_square(x));
}

static tn_tensor *cubes_slope(void *self, tn_list all)
{
    (void)self;
    tn_tensor *x = tn_at(all, 0);
    return tn_multiply(tn_at(all, 2), tn_multiply(tn_scalar(3), tn_square(x)));
}

static tn_tensor *custom_cube(void *self, tn_list inputs)
{
    return tn_custom_gradient(cube, cubes_slope, self, inputs);
}

static void a_custom_gradient_has_gradients_too(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.body = custom_cube, .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 3), -1, 1, 1)),
             .differentiable = true);
}

/* A tape of the forward body's own records, though those outside do not see it. */
static tn_tensor *slope_by_tape(void *self, tn_list inputs)
{
    tn_tensor *x = tn_at(inputs, 0);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    return tn_gradient_of(tape, cube(self, inputs), x);
}

static void the_forward_body_may_open_a_tape(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(1), 2);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *y = tn_custom_gradient(slope_by_tape, cubes_slope, NULL, TN_LIST(x));
    CHECK_VALUES(y, 0, 12);
    CHECK_VALUES(tn_gradient_of(tape, y, x), 0, 12);
}

static tn_tensor *too_few(void *self, tn_list all)
{
    (void)self;
    return tn_at(all, 4);
}

static tn_tensor *too_long(void *self, tn_list all)
{
    (void)self, (void)all;
    return tn_zeros(TN_SHAPE(3), TN_FLOAT32);
}

static tn_tensor *fails(void *self, tn_list inputs)
{
    (void)self, (void)inputs;
    return tn_fail(TN_INVALID_ARGUMENT, "not today");
}

static void bodies_that_fail_are_named(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2), 2, 3);
    tn_tape *tape = tn_gradient_tape(.persistent = true);
    tn_watch(tape, x);
    tn_tensor *y = tn_custom_gradient(product_and_sum, too_few, NULL, TN_LIST(x, x));
    assert_null(tn_gradient_of(tape, tn_item(y, 0), x));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "custom_gradient function expected to return 2 gradients, but returned 1 instead.");
    y = tn_custom_gradient(cube, too_long, NULL, TN_LIST(x));
    assert_null(tn_gradient_of(tape, y, x));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "custom_gradient function expected to return a gradient of shape (2,) for input 0");
    assert_null(tn_custom_gradient(fails, cubes_slope, NULL, TN_LIST(x)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "not today");
    assert_null(tn_custom_gradient(NULL, cubes_slope, NULL, TN_LIST(x)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_custom_gradient: forward is NULL");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_body_gives_the_gradient),
        cmocka_unit_test(a_trace_has_the_same_gradient),
        cmocka_unit_test(a_custom_gradient_has_gradients_too),
        cmocka_unit_test(the_forward_body_may_open_a_tape),
        cmocka_unit_test(bodies_that_fail_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
