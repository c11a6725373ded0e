/* generator_test.c - literal numbers are TensorFlow's. */
#include "support/check_op.h"

static tn_tensor *draw(void *self, tn_list inputs)
{
    (void)inputs;
    return tn_generator_normal(self, TN_SHAPE(2));
}

static void a_generator_goes_on_in_calls_and_in_traces(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *g = tn_random_generator(7);
    tn_function *traced = tn_function(draw, g);
    const tn_list none = { 0, (tn_tensor *[]){ NULL } };
    CHECK_VALUES(tn_call_list(traced, none), 2e-6, -1.3240396, 0.28785667);
    CHECK_VALUES(tn_call_list(traced, none), 2e-6, 0.43116674, -1.4442065);
    CHECK_VALUES(g, 0, 1031, 0, 0);
    tn_list parts = tn_generator_split(g, 2);
    assert_int_equal(parts.count, 2);
    const int64_t *first = tn_data(tn_at(parts, 0), TN_INT64);
    assert_true(first[0] == 0 && first[1] == 0 && first[2] == -1082882399468172090);
    CHECK_VALUES(tn_generator_skip(g, 3), 0, 1543, 0, 0);
    CHECK_VALUES(g, 0, 2311, 0, 0);
    CHECK_VALUES(tn_generator_uniform(g, TN_SHAPE(3), .minval = -2, .maxval = 4), 1e-6, -0.5135298,
                 1.9311535, 3.2881699);
    CHECK_VALUES(tn_generator_uniform(g, TN_SHAPE(3), .minval = -2, .maxval = 4, .dtype = TN_INT64),
                 0, -2, -2, 0);
    CHECK_VALUES(tn_generator_uniform_full_int(g, TN_SHAPE(2), .dtype = TN_INT32), 0, -1947462383,
                 -2104986068);
}

static void what_is_no_generator_is_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_generator_normal(tn_ones(TN_SHAPE(3), TN_INT64), TN_SHAPE(2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_generator: int64 (3,) is not a generator");
    assert_null(tn_generator_normal(tn_variable(tn_ones(TN_SHAPE(3), TN_FLOAT32)), TN_SHAPE(2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "dtype of RNG state variable must be int64, not float32");
    assert_null(tn_generator_normal(tn_variable(tn_ones(TN_SHAPE(2), TN_INT64)), TN_SHAPE(2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "The size of the state must be at least 3; got 2");
    assert_null(tn_generator_normal(tn_variable(tn_ones(TN_SCALAR, TN_INT64)), TN_SHAPE(2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "RNG state must have one and only one dimension, not 0");
    assert_null(tn_generator_uniform(tn_random_generator(1), TN_SHAPE(2), .dtype = TN_INT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Must specify maxval for integer dtype tf.int32");
    assert_null(tn_generator_normal(tn_random_generator(1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_generator_normal: shape must be given");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_generator_goes_on_in_calls_and_in_traces),
        cmocka_unit_test(what_is_no_generator_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
