/* frame_test.c - running bodies, and structures of tensors taken apart and put together. */
#include "function/frame.h"
#include "core/context.h"
#include "support/check_op.h"

/* --- structures ------------------------------------------------------------------------------- */
static void leaves_come_in_order_and_go_back_into_their_structure(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = tn_ones(TN_SHAPE(1), TN_FLOAT32), *b = tn_ones(TN_SHAPE(2), TN_FLOAT32),
              *c = tn_ones(TN_SHAPE(3), TN_FLOAT32), *leaves[3];
    tn_tensor *nested = tn_tuple(a, tn_tuple(b, tn_tuple(c)));
    assert_int_equal(tn__flat_count(a), 1);
    assert_int_equal(tn__flat_count(nested), 3);
    assert_ptr_equal(tn__flatten(nested, leaves), leaves + 3);
    assert_ptr_equal(leaves[0], a);
    assert_ptr_equal(leaves[1], b);
    assert_ptr_equal(leaves[2], c);
    tn_tensor *other[] = { c, a, b }, *const *at = other;
    tn_tensor *rebuilt = tn__own(tn__rebuild(nested, &at));
    assert_ptr_equal(at, other + 3);
    assert_ptr_equal(tn_item(rebuilt, 0), c);
    assert_ptr_equal(tn_item(tn_item(rebuilt, 1), 0), a);
    assert_ptr_equal(tn_item(tn_item(tn_item(rebuilt, 1), 1), 0), b);
    CHECK_NO_ERROR();
}

static bool rebuild(void *self)
{
    TN_SCOPE;
    tn_tensor *leaves[3], *const *at = leaves;
    tn__flatten(self, leaves);
    return tn__own(tn__rebuild(self, &at)) != NULL;
}

static void no_memory_for_a_structure_is_an_error(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_ones(TN_SHAPE(1), TN_FLOAT32);
    check_allocation_failures(rebuild, tn_tuple(x, tn_tuple(x, x)));
}

/* --- bodies ----------------------------------------------------------------------------------- */
static tn_tensor *note_training(void *self, tn_list inputs)
{
    *(bool *)self = tn_training();
    return tn_multiply(tn_at(inputs, 0), tn_scalar(2.0));
}

static tn_tensor *nothing(void *self, tn_list inputs)
{
    (void)self, (void)inputs;
    return NULL;
}

static tn_tensor *its_own_error(void *self, tn_list inputs)
{
    (void)self, (void)inputs;
    return tn_fail(TN_NOT_FOUND, "no such row");
}

static tn_tensor *a_result_and_an_error(void *self, tn_list inputs)
{
    (void)self;
    (void)tn_fail(TN_NOT_FOUND, "no such row");
    return tn_at(inputs, 0);
}

static tn_tensor *itself(void *self, tn_list inputs)
{
    ++*(int *)self;
    tn_tensor *y;
    return tn__run_body(tn__context(), itself, self, inputs, -1, "itself", &y) == TN_OK ? tn__own(y)
                                                                                        : NULL;
}

static void a_result_outlives_its_body_and_training_is_as_before(void **state)
{
    (void)state;
    TN_SCOPE;
    bool training = false;
    tn_tensor *y, *x = tn_ones(TN_SHAPE(2), TN_FLOAT32);
    const int given[] = { 1, -1, 0 };
    for (int i = 0; i < 3; i++) {
        CHECK_OK(
            tn__run_body(tn__context(), note_training, &training, TN_LIST(x), given[i], "f", &y));
        CHECK_VALUES(tn__own(y), 0, 2, 2);
        assert_int_equal(training, given[i] == 1);
        assert_false(tn_training());
    }
}

static void a_body_that_fails_gives_no_result(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_context *context = tn__context();
    tn_tensor *y, *x = tn_ones(TN_SHAPE(2), TN_FLOAT32);
    assert_int_equal(tn__run_body(context, nothing, NULL, TN_LIST(x), -1, "f", &y),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "f returned NULL");
    assert_int_equal(tn__run_body(context, its_own_error, NULL, TN_LIST(x), -1, "f", &y),
                     TN_NOT_FOUND);
    CHECK_ERROR(TN_NOT_FOUND, "no such row");
    assert_int_equal(tn__run_body(context, a_result_and_an_error, NULL, TN_LIST(x), -1, "f", &y),
                     TN_NOT_FOUND);
    assert_null(y);
    CHECK_ERROR(TN_NOT_FOUND, "no such row");
}

static void a_body_that_calls_itself_without_end_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    int calls = 0;
    for (int again = 1; again < 3; again++) {
        assert_null(itself(&calls, TN_LIST(tn_ones(TN_SHAPE(1), TN_FLOAT32))));
        CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "maximum recursion depth exceeded");
        assert_int_equal(calls, again * 257); /* 256 through tn__run_body */
    }
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_come_in_order_and_go_back_into_their_structure),
        cmocka_unit_test(no_memory_for_a_structure_is_an_error),
        cmocka_unit_test(a_result_outlives_its_body_and_training_is_as_before),
        cmocka_unit_test(a_body_that_fails_gives_no_result),
        cmocka_unit_test(a_body_that_calls_itself_without_end_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
