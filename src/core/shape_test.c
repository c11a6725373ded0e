/* shape_test.c - shapes that are known in part or not at all, that overflow, that broadcast. */
#include "core/shape.h"
#include "support/check.h"

static const tn_shape unknown = { 0, 0, { 0 } }, scalar = { 1, 0, { 0 } };

static void a_shape_is_printed_as_pythons_tuple(void **state)
{
    (void)state;
    const tn_shape longest = TN_SHAPE(INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX,
                                      INT64_MAX, INT64_MAX, INT64_MAX);
    const tn_shape wrong = { 1, 9, { 0 } }, negative = { 1, -3, { 0 } };
    char text[TN__SHAPE_TEXT];
    assert_string_equal(tn__shape_print(&scalar, text), "()");
    assert_string_equal(tn__shape_print(&unknown, text), "<unknown>");
    assert_string_equal(tn__shape_print(&TN_SHAPE(10), text), "(10,)");
    assert_string_equal(tn__shape_print(&TN_SHAPE(TN_NONE), text), "(None,)");
    assert_string_equal(tn__shape_print(&TN_SHAPE(TN_NONE, 0, 3), text), "(None, 0, 3)");
    assert_int_equal(strlen(tn__shape_print(&longest, text)), 8 * 19 + 7 * 2 + 2);
    assert_string_equal(tn__shape_print(&wrong, text), "<rank 9>");
    assert_string_equal(tn__shape_print(&negative, text), "<rank -3>");
}

static void only_a_shape_without_unknowns_is_full(void **state)
{
    (void)state;
    const tn_shape wrong = { 1, 9, { 0 } };
    assert_true(tn__shape_full(&scalar));
    assert_true(tn__shape_full(&TN_SHAPE(0, 3)));
    assert_false(tn__shape_full(&TN_SHAPE(3, TN_NONE)));
    assert_false(tn__shape_full(&unknown));
    assert_false(tn__shape_full(&wrong));
    assert_int_equal(tn__shape_count(&scalar), 1);
    assert_int_equal(tn__shape_count(&TN_SHAPE(0, 3)), 0);
    assert_int_equal(tn__shape_count(&TN_SHAPE(2, 3)), 6);
}

static void what_is_not_known_fits_everything(void **state)
{
    (void)state;
    const tn_shape a = TN_SHAPE(2, TN_NONE), b = TN_SHAPE(TN_NONE, 3), c = TN_SHAPE(3, 3);
    tn_shape merged;
    assert_true(tn__shape_merge(&a, &b, &merged));
    assert_true(tn__shape_equal(&merged, &TN_SHAPE(2, 3)));
    assert_true(tn__shape_merge(&unknown, &a, &merged) && tn__shape_equal(&merged, &a));
    assert_true(tn__shape_merge(&a, &unknown, &merged) && tn__shape_equal(&merged, &a));
    assert_true(tn__shape_merge(&unknown, &unknown, &merged) && !merged.known);
    assert_false(tn__shape_merge(&a, &c, &merged));
    merged = tn__shape_either(&b, &c);
    assert_true(tn__shape_equal(&merged, &b));
    merged = tn__shape_either(&a, &b);
    assert_true(tn__shape_equal(&merged, &TN_SHAPE(TN_NONE, TN_NONE)));
    assert_false(tn__shape_either(&a, &unknown).known || tn__shape_either(&unknown, &a).known);
    assert_false(tn__shape_either(&a, &TN_SHAPE(1, 2, 3, 4, 5)).known);
    assert_false(tn__shape_fits(&a, &scalar));
    assert_true(tn__shape_fits(&b, &c));
    assert_false(tn__shape_equal(&a, &b)); /* equal means the same unknowns too */
    assert_true(tn__shape_equal(&a, &TN_SHAPE(2, TN_NONE)));
    assert_true(tn__shape_equal(&unknown, &unknown));
    assert_false(tn__shape_equal(&unknown, &scalar));
}

static void broadcasts(tn_shape a, tn_shape b, tn_shape expected)
{
    tn_shape result;
    assert_true(tn__shape_broadcast(&a, &b, &result));
    assert_true(tn__shape_equal(&result, &expected));
    assert_true(tn__shape_broadcast(&b, &a, &result));
    assert_true(tn__shape_equal(&result, &expected));
}

static void shapes_broadcast_from_their_ends(void **state)
{
    (void)state;
    tn_shape result;
    broadcasts(scalar, TN_SHAPE(2, 3), TN_SHAPE(2, 3));
    broadcasts(TN_SHAPE(3), TN_SHAPE(2, 3), TN_SHAPE(2, 3));
    broadcasts(TN_SHAPE(2, 1), TN_SHAPE(1, 3), TN_SHAPE(2, 3));
    broadcasts(TN_SHAPE(1, 1), TN_SHAPE(0, 1), TN_SHAPE(0, 1));
    broadcasts(TN_SHAPE(TN_NONE), TN_SHAPE(5), TN_SHAPE(5));
    broadcasts(TN_SHAPE(TN_NONE), TN_SHAPE(1), TN_SHAPE(TN_NONE)); /* 1 says nothing of the other */
    broadcasts(TN_SHAPE(TN_NONE), TN_SHAPE(0), TN_SHAPE(0));
    broadcasts(TN_SHAPE(TN_NONE, 2), TN_SHAPE(TN_NONE, 2), TN_SHAPE(TN_NONE, 2));
    broadcasts(unknown, TN_SHAPE(2), unknown);
    assert_false(tn__shape_broadcast(&TN_SHAPE(2), &TN_SHAPE(3), &result));
    assert_false(tn__shape_broadcast(&TN_SHAPE(0), &TN_SHAPE(2), &result));
    assert_false(tn__shape_broadcast(&TN_SHAPE(2, 3), &TN_SHAPE(2, 4), &result));
}

static void sizes_cannot_overflow(void **state)
{
    (void)state;
    size_t bytes;
    CHECK_OK(tn__shape_bytes(&TN_SHAPE(2, 3), TN_FLOAT64, 48, &bytes));
    assert_int_equal(bytes, 48);
    CHECK_OK(tn__shape_bytes(&TN_SHAPE(0, 1000000), TN_FLOAT64, 0, &bytes));
    assert_int_equal(bytes, 0);
    CHECK_OK(tn__shape_bytes(&scalar, TN_BOOL, 1, &bytes));
    assert_int_equal(bytes, 1);
    tn__shape_bytes(&TN_SHAPE(2, 3), TN_FLOAT64, 47, &bytes);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED,
                "shape (2, 3) and type float64 takes 48 bytes, the limit is 47");
    tn__shape_bytes(&TN_SHAPE(1LL << 61, 4), TN_UINT8, UINT64_MAX, &bytes);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "is too large");
    tn__shape_bytes(&TN_SHAPE(INT64_MAX), TN_FLOAT32, UINT64_MAX, &bytes);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "is too large");
    tn__shape_bytes(&TN_SHAPE(0, 1LL << 32, 1LL << 32), TN_UINT8, UINT64_MAX,
                    &bytes); /* empty, but nothing could count its rows */
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "is too large");
    tn__shape_bytes(&TN_SHAPE(1LL << 32, 1LL << 32, 0), TN_UINT8, UINT64_MAX, &bytes);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "is too large");
    tn__shape_bytes(&TN_SHAPE(TN_NONE), TN_FLOAT32, UINT64_MAX, &bytes);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a tensor needs a full shape, got (None,)");
    tn__shape_bytes(&(tn_shape){ 1, 9, { 0 } }, TN_FLOAT32, UINT64_MAX, &bytes);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a shape has 0 to 8 dimensions, got 9");
}

static void an_axis_counts_from_either_end(void **state)
{
    (void)state;
    int axis;
    assert_true(tn__axis(0, 3, &axis) && axis == 0);
    assert_true(tn__axis(-1, 3, &axis) && axis == 2);
    assert_true(tn__axis(-3, 3, &axis) && axis == 0);
    assert_false(tn__axis(3, 3, &axis));
    assert_false(tn__axis(-4, 3, &axis));
    assert_false(tn__axis(0, 0, &axis));
    assert_false(tn__axis(INT64_MIN, 3, &axis));
    assert_false(tn__axis((1LL << 32) + 1, 3, &axis));
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shape_is_printed_as_pythons_tuple),
        cmocka_unit_test(only_a_shape_without_unknowns_is_full),
        cmocka_unit_test(what_is_not_known_fits_everything),
        cmocka_unit_test(shapes_broadcast_from_their_ends),
        cmocka_unit_test(sizes_cannot_overflow),
        cmocka_unit_test(an_axis_counts_from_either_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
