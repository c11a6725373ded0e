/* array_test.c */
#include "support/check_op.h"
#include "plan/program.h"

#define INTS(...) VALUES(TN_INT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)

static void transpose_moves_axes(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    CHECK_OP(.op = &tn__op_Transpose, .inputs = TN_LIST(x, INTS(1, 0)), .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 1, 4, 2, 5, 3, 6)));
    CHECK_OP(.op = &tn__op_Transpose,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 3, 4, 2), -1, 1, 1), INTS(2, 0, 3, -3)),
             .constant = 2);
    CHECK_VALUES(tn_transpose(x, (tn_axes){ 0 }), 0, 1, 4, 2, 5, 3, 6);
    assert_null(tn_transpose(x, TN_AXES(0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "transpose expects a vector of size 2. But input(1) is a vector of size 1");
    assert_null(tn_transpose(x, TN_AXES(0, 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "1 is missing from [0,0].");
    assert_null(tn_transpose(x, TN_AXES(0, 5)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "5 is out of range [0 .. 2)");
}

static void a_large_transpose_goes_by_squares(void **state)
{
    (void)state;
    TN_SCOPE;
    static const int sizes[][2] = { { 33, 70 }, { 32, 32 }, { 100, 1 }, { 1, 65 } };
    for (size_t k = 0; k < 4; k++) {
        int rows = sizes[k][0], columns = sizes[k][1];
        tn_tensor *x = check_numbers(TN_SHAPE(2, rows, columns), 0, 1, 1),
                  *y = tn_transpose(x, TN_AXES(0, 2, 1));
        for (int i = 0; i < 2 * rows * columns; i++) {
            int row = i / columns % rows, column = i % columns, batch = i / (rows * columns);
            double moved = ((const double *)y->data)[(batch * columns + column) * rows + row];
            assert_float_equal(((const double *)x->data)[i], moved, 0);
        }
    }
}

static tn_tensor *reversed(void *self, tn_list inputs)
{
    (void)self;
    return tn_transpose(tn_at(inputs, 0), (tn_axes){ 0 });
}

static void the_default_permutation_needs_no_known_rank(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_context *context = tn__context();
    tn_graph *graph = tn__own(tn__graph_new());
    tn_tensor *in, *out, *x = VALUES(TN_FLOAT32, TN_SHAPE(1, 2, 2), 1, 2, 3, 4);
    CHECK_OK(tn__graph_input(context, graph, TN_FLOAT32, &TN__UNKNOWN_SHAPE, NULL, &in));
    tn__own(in);
    context->graph = graph;
    tn_tensor *y = reversed(NULL, TN_LIST(in));
    context->graph = NULL;
    CHECK_NO_ERROR();
    CHECK_OK(tn__graph_run(context, graph, &in, &x, 1, &y, 1, true, &out));
    CHECK_TENSOR(tn__own(out), VALUES(TN_FLOAT32, TN_SHAPE(2, 2, 1), 1, 3, 2, 4), 0, 0);
}

static void invert_permutation_checks_its_input(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.op = &tn__op_InvertPermutation, .inputs = TN_LIST(INTS(2, 0, 3, 1)),
             .expected = TN_LIST(INTS(1, 3, 0, 2)), .skip = SKIP_DTYPES);
    assert_null(tn_invert_permutation(INTS(0, 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "0 is duplicated in the input.");
    assert_null(tn_invert_permutation(INTS(0, 7)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "7 is not between 0 and 2");
}

static void roll_moves_elements_round(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    CHECK_VALUES(tn_roll(x, tn_scalar(1), tn_scalar(1)), 0, 3, 1, 2, 6, 4, 5);
    CHECK_VALUES(tn_roll(x, INTS(1, -1), INTS(0, 1)), 0, 5, 6, 4, 2, 3, 1);
    CHECK_VALUES(tn_roll(x, INTS(1, 4), INTS(1, -1)), 0, 2, 3, 1, 5, 6, 4);
    assert_null(tn_roll(tn_scalar(1.0), tn_scalar(1), tn_scalar(0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "input must be 1-D or higher");
    assert_null(tn_roll(x, tn_scalar(1), tn_scalar(3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "axis 3 is out of range");
    assert_null(tn_roll(x, INTS(1, 2), INTS(0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "shift and axis must have the same size");
}

static void reverse_turns_axes_round(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    CHECK_OP(.op = &tn__op_ReverseV2, .inputs = TN_LIST(x, INTS(-1)), .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 3, 2, 1, 6, 5, 4)));
    CHECK_OP(.op = &tn__op_ReverseV2, .inputs = TN_LIST(x, INTS(0, 1)), .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 6, 5, 4, 3, 2, 1)));
    assert_null(tn_reverse(x, TN_AXES(0, 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "axis 0 specified more than once.");
    assert_null(tn_reverse(x, TN_AXES(4)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "'axis'[0] = 4 is out of valid range [0, 1");
}

static void tile_repeats_along_each_axis(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 2, 3, 4);
    CHECK_OP(.op = &tn__op_Tile, .inputs = TN_LIST(x, INTS(2, 3)), .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(4, 6), 1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3,
                                        4, 1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4)));
    CHECK_OP(.op = &tn__op_Tile, .inputs = TN_LIST(x, INTS(1, 0)), .constant = 2);
    CHECK_OP(.op = &tn__op_Tile,
             .inputs =
                 TN_LIST(check_numbers(TN_SHAPE(2, 1, 3, 1, 2), 0, 1, 1), INTS(2, 1, 2, 3, 2)),
             .constant = 2);
    assert_null(tn_tile(x, TN_SHAPE(1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Expected multiples argument to be a vector of length 2 but got length 1");
    assert_null(tn_tile(x, TN_SHAPE(1, -1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected multiples[1] >= 0, but got -1");
    assert_null(tn_tile(x, TN_SHAPE(INT64_MIN, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected multiples[0] >= 0");
    assert_null(tn_tile(x, TN_SHAPE(INT64_MAX, 1)));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "is too much");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transpose_moves_axes),
        cmocka_unit_test(a_large_transpose_goes_by_squares),
        cmocka_unit_test(the_default_permutation_needs_no_known_rank),
        cmocka_unit_test(invert_permutation_checks_its_input),
        cmocka_unit_test(roll_moves_elements_round),
        cmocka_unit_test(reverse_turns_axes_round),
        cmocka_unit_test(tile_repeats_along_each_axis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
