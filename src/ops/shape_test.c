/* shape_test.c */
#include "support/check_op.h"

#define INTS(...) VALUES(TN_INT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)
#define INT(value) VALUES(TN_INT32, TN_SCALAR, value)

static const tn_dtype int32_out = TN_INT32, int64_out = TN_INT64;

static void shape_rank_and_size_look_at_no_elements(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = check_numbers(TN_SHAPE(4, 3, 2), 0, 1, 1);
    CHECK_OP(.op = &tn__op_Shape, .attrs = &int32_out, .inputs = TN_LIST(x),
             .expected = TN_LIST(INTS(4, 3, 2)));
    CHECK_OP(.op = &tn__op_Shape, .attrs = &int64_out, .inputs = TN_LIST(x));
    CHECK_OP(.op = &tn__op_Rank, .inputs = TN_LIST(x), .expected = TN_LIST(INT(3)));
    CHECK_OP(.op = &tn__op_Size, .attrs = &int32_out, .inputs = TN_LIST(x),
             .expected = TN_LIST(INT(24)));
    assert_int_equal(tn_to_int(tn_rank(tn_scalar(1.0))), 0);
}

static void reshape_fills_one_open_size(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    CHECK_OP(.op = &tn__op_Reshape, .inputs = TN_LIST(x, INTS(-1, 2)), .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6)));
    CHECK_OP(.op = &tn__op_Reshape, .inputs = TN_LIST(x, INTS(1, -1, 3, 1)), .constant = 2);
    assert_true(
        tn__shape_equal(&tn_reshape(tn_zeros(TN_SHAPE(0, 3), TN_FLOAT32), TN_SHAPE(0, -1))->shape,
                        &TN_SHAPE(0, 0)));
    assert_null(tn_reshape(x, TN_SHAPE(4, 2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Input to reshape is a tensor with 6 values, but the requested shape has 8");
    assert_null(tn_reshape(x, TN_SHAPE(4, -1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Input to reshape is a tensor with 6 values, but the "
                                     "requested shape requires a multiple of 4");
    assert_null(tn_reshape(x, TN_SHAPE(-1, -1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Only one input size may be -1, not both 0 and 1");
    assert_null(tn_reshape(x, TN_SHAPE(-2, 3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Size 0 must be non-negative, not -2");
    assert_null(tn_reshape(x, TN_SHAPE(INT64_MAX, INT64_MAX)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "more than 2**63 - 1 elements");
    assert_null(TN__APPLY(tn__op_Reshape, NULL, x, VALUES(TN_INT32, TN_SHAPE(1, 2), 2, 3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "sizes input must be 1-D, not [1,2]");
}

/* Two sizes that only the run knows: nothing may be concluded from the one that is -1 while
 * tracing. */
static tn_tensor *shaped_like(void *self, tn_list inputs)
{
    (void)self;
    return TN__APPLY(tn__op_Reshape, NULL, tn_at(inputs, 0), tn_shape_tensor(tn_at(inputs, 1)));
}

static void reshape_takes_a_shape_that_is_known_in_the_run(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.body = shaped_like,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(3, 4), 0, 1, 1),
                               check_numbers(TN_SHAPE(6, 2), 0, 1, 2)),
             .batched = 2, .skip = SKIP_EMPTY);
}

static void expand_dims_and_squeeze_undo_each_other(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6),
              *y = VALUES(TN_FLOAT32, TN_SHAPE(2, 1, 2, 1), 1, 2, 3, 4);
    CHECK_OP(.op = &tn__op_ExpandDims, .inputs = TN_LIST(x, INT(1)), .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 1, 3), 1, 2, 3, 4, 5, 6)));
    CHECK_OP(.op = &tn__op_ExpandDims, .inputs = TN_LIST(x, INT(-1)), .constant = 2);
    CHECK_OP(.op = &tn__op_Squeeze, .attrs = &TN_AXES(-1), .inputs = TN_LIST(y),
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 1, 2), 1, 2, 3, 4)));
    CHECK_OP(.op = &tn__op_Squeeze, .attrs = &(tn_axes){ 0 }, .inputs = TN_LIST(y),
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 2, 3, 4)));
    assert_null(tn_expand_dims(x, 5));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Tried to expand dim index 5 for tensor with 2 dimensions.");
    assert_null(tn_squeeze(x, TN_AXES(0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Can not squeeze dim[0], expected a dimension of 1, got 2");
    assert_null(tn_squeeze(x, TN_AXES(5)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Tried to squeeze dim index 5 for tensor with 2 dimensions.");
    assert_null(tn_expand_dims(tn_zeros(TN_SHAPE(1, 1, 1, 1, 1, 1, 1, 1), TN_FLOAT32), 0));
    CHECK_ERROR(TN_UNIMPLEMENTED, "more than 8 dimensions");
}

static void broadcasting_repeats_and_its_gradient_sums(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 1), 1, 2);
    CHECK_OP(.op = &tn__op_BroadcastTo, .inputs = TN_LIST(x, INTS(2, 2, 3)), .constant = 2,
             .skip = SKIP_EMPTY | SKIP_ANY_BATCH,
             .expected = TN_LIST(
                 VALUES(TN_FLOAT32, TN_SHAPE(2, 2, 3), 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2)));
    CHECK_OP(.op = &tn__op_BroadcastTo, .inputs = TN_LIST(INT(3), INTS(0, 2)), .constant = 2);
    assert_null(tn_broadcast_to(x, TN_SHAPE(3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Rank of input (2) must be no greater than rank of output shape (1).");
    assert_null(tn_broadcast_to(x, TN_SHAPE(3, 3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Incompatible shapes: [2,1] vs. [3,3]");
}

static void fill_repeats_one_element(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.op = &tn__op_Fill, .inputs = TN_LIST(INTS(2, 3), VALUES(TN_FLOAT32, TN_SCALAR, 4)),
             .constant = 1,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 4, 4, 4, 4, 4, 4)));
    assert_null(tn_fill(TN_SHAPE(-1), tn_scalar(1.0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Dimension -1 must be >= 0");
}

/* --- known.c ---------------------------------------------------------------------------------- */
/* Reshapes x to a shape made of x's own dimensions by every op that is understood before the run.
 */
static tn_tensor *by_arithmetic(void *self, tn_list inputs)
{
    tn_tensor *x = tn_at(inputs, 0), *shape = tn_shape_tensor(x);
    tn_tensor *last = tn_strided_slice(shape, TN_SHAPE(-1), TN_SHAPE(0), .shrink_axis_mask = 1);
    tn_tensor *middle = tn_gather(shape, tn_constant(TN_INT32, TN_SCALAR, &(int32_t){ 1 }), 0);
    tn_tensor *doubled = tn_floordiv(tn_multiply(tn_add(last, last), tn_scalar(3)), tn_scalar(3));
    tn_tensor *head = tn_reduce_prod(tn_rows(shape, 0, 1));
    tn_tensor *half =
        tn_floordiv(middle, tn_size(tn_range(tn_scalar(0), tn_scalar(2), tn_scalar(1))));
    tn_tensor *parts = tn_stack(
        TN_LIST(tn_maximum(head, tn_scalar(0)), half, tn_minimum(doubled, tn_scalar(100))), 0);
    tn_tensor *all =
        tn_concat(TN_LIST(parts, tn_fill(TN_SHAPE(1), tn_subtract(tn_rank(x), tn_scalar(2)))), 0);
    tn_tensor *y = TN__APPLY(tn__op_Reshape, NULL, x,
                             tn_cast(tn_slice(all, TN_SHAPE(0), TN_SHAPE(-1)), TN_INT64));
    *(tn_shape *)self = y ? y->shape : TN__UNKNOWN_SHAPE;
    return y;
}

static void shapes_made_of_shapes_are_known_while_tracing(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_shape shape;
    tn_function *f = tn_function(by_arithmetic, &shape);
    tn_tensor *y = tn_call(f, tn_zeros(TN_SHAPE(5, 4, 3), TN_FLOAT32));
    CHECK_NO_ERROR();
    assert_true(tn__shape_equal(&shape, &TN_SHAPE(5, 2, 6, 1)));
    assert_true(tn__shape_equal(&y->shape, &TN_SHAPE(5, 2, 6, 1)));
    CHECK_OP(.body = by_arithmetic, .self = &shape,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(5, 4, 3), 0, 1, 1)));
}

static void a_shape_is_ensured(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_ones(TN_SHAPE(2, 3), TN_FLOAT32);
    assert_string_equal(tn_shape_text(tn_ensure_shape(x, TN_SHAPE(TN_NONE, 3))), "(2, 3)");
    assert_null(tn_ensure_shape(x, TN_SHAPE(2, TN_NONE, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Shape of tensor input [2,3] is not compatible with expected shape [2,?,1].");
    assert_null(tn_ensure_shape(x, TN_SHAPE(2, 4)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Shape of tensor input [2,3] is not compatible with expected shape [2,4].");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_rank_and_size_look_at_no_elements),
        cmocka_unit_test(reshape_fills_one_open_size),
        cmocka_unit_test(reshape_takes_a_shape_that_is_known_in_the_run),
        cmocka_unit_test(expand_dims_and_squeeze_undo_each_other),
        cmocka_unit_test(broadcasting_repeats_and_its_gradient_sums),
        cmocka_unit_test(fill_repeats_one_element),
        cmocka_unit_test(a_shape_is_ensured),
        cmocka_unit_test(shapes_made_of_shapes_are_known_while_tracing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
