/* dtype_test.c - names and sizes of element types, half precision bit by bit, conversions at the
 * ends of ranges. */
#include "core/dtype.h"
#include "support/check.h"
#include <math.h>

static const tn_dtype all[] = { TN_FLOAT32, TN_FLOAT64, TN_INT32,    TN_UINT8,
                                TN_INT64,   TN_BOOL,    TN_BFLOAT16, TN_FLOAT16 };
enum { ALL = sizeof all / sizeof *all };

static void every_type_has_a_name_in_both_spellings(void **state)
{
    (void)state;
    for (int i = 0; i < ALL; i++) {
        assert_int_equal(tn__dtype_of_name(tn__dtype_name(all[i])), all[i]);
        assert_int_equal(tn__dtype_of_name(tn__dtype_op_name(all[i])), all[i]);
        assert_true(tn__dtype_size(all[i]) > 0);
        assert_int_equal(tn__in(TN__FLOATS, all[i]) + tn__in(TN__INTS, all[i]), all[i] != TN_BOOL);
    }
    assert_string_equal(tn__dtype_op_name(TN_FLOAT16), "half");
    assert_string_equal(tn__dtype_name((tn_dtype)99), "invalid");
    assert_int_equal(tn__dtype_size((tn_dtype)99), 0);
    assert_int_equal(tn__dtype_size(TN_TUPLE), 0);
    assert_int_equal(tn__dtype_of_name("float8"), 0);
    assert_int_equal(tn__dtype_of_name(""), 0);
    assert_false(tn__in(TN__NUMBERS, (tn_dtype)-1));
    assert_false(tn__in(TN__NUMBERS, (tn_dtype)33));
}

/* Of a 16-bit format: every finite value comes back, and what lies between two neighbours goes to
 * the nearer one, from the middle to the even one. */
static void check_rounding(float (*widen)(uint16_t), uint16_t (*narrow)(float), uint16_t infinity)
{
    for (unsigned sign = 0; sign < 2; sign++)
        for (uint16_t bits = 0; bits < infinity; bits++) {
            uint16_t here = (uint16_t)(sign << 15 | bits), up = (uint16_t)(here + 1);
            float low = widen(here), end = sign ? -INFINITY : INFINITY;
            double high =
                bits + 1 == infinity ? 2.0 * low - widen((uint16_t)(here - 1)) : widen(up);
            float middle = (float)((low + high) / 2);
            if (narrow(low) != here || narrow(nextafterf(middle, low)) != here ||
                narrow(nextafterf(middle, end)) != up || narrow(middle) != (here & 1 ? up : here))
                fail_msg("bits %04x (%g) are rounded wrongly", here, (double)low);
        }
    assert_int_equal(narrow(INFINITY), infinity);
    assert_int_equal(narrow(-INFINITY), infinity | 0x8000);
    assert_true(isinf(widen(infinity)) && isinf(widen(infinity | 0x8000)));
    assert_true(isnan(widen(narrow(NAN))) && isnan(widen(narrow(-NAN))));
    assert_true(isnan(widen(infinity + 1)));
}

static void float16_rounds_to_the_nearest_even(void **state)
{
    (void)state;
    check_rounding(tn__half_to_float, tn__float_to_half, 0x7c00);
    assert_int_equal(tn__float_to_half(65504), 0x7bff);
    assert_int_equal(tn__float_to_half(1e30f), 0x7c00);
    assert_int_equal(tn__float_to_half(0x1p-24f), 1);
    assert_int_equal(tn__float_to_half(-0x1p-26f), 0x8000);
}

static void bfloat16_rounds_to_the_nearest_even(void **state)
{
    (void)state;
    check_rounding(tn__bfloat16_to_float, tn__float_to_bfloat16, 0x7f80);
    assert_int_equal(tn__float_to_bfloat16(1), 0x3f80);
}

static double through(tn_dtype dtype, double value)
{
    _Alignas(8) char element[8];
    tn__element_from_double(dtype, value, element);
    return tn__element_to_double(dtype, element);
}

static void numbers_out_of_range_wrap_and_nothing_is_undefined(void **state)
{
    (void)state;
    _Alignas(8) char element[8];
    for (int i = 0; i < ALL; i++) {
        assert_true(through(all[i], 1) == 1);
        assert_true(through(all[i], 0) == 0);
    }
    assert_true(through(TN_UINT8, 257) == 1);
    assert_true(through(TN_UINT8, -1) == 255);
    assert_true(through(TN_INT32, -2.9) == -2);
    assert_true(through(TN_BOOL, 0.5) == 1);
    assert_true(through(TN_BOOL, NAN) == 1);
    assert_true(through(TN_INT32, 4294967297.0) == INT32_MIN);
    assert_true(through(TN_INT32, -2147483648.9) == INT32_MIN);
    assert_true(through(TN_INT32, 2147483647.9) == INT32_MAX);
    assert_true(through(TN_UINT32, 4294967297.0) == 1);
    assert_true(through(TN_INT16, 65537) == 1);
    assert_true(through(TN_UINT8, 4294967297.0) == 0);
    assert_true(through(TN_UINT64, 1e19) == 1e19);
    assert_true(through(TN_UINT64, 0x1p64) == 0x1p63);
    assert_true(through(TN_INT64, 1e300) == -0x1p63);
    assert_true(through(TN_INT64, -INFINITY) == -0x1p63);
    assert_true(through(TN_INT64, NAN) == -0x1p63);
    tn__element_from_int(TN_INT64, INT64_MIN, element);
    assert_true(tn__element_to_int(TN_INT64, element) == INT64_MIN);
    tn__element_from_int(TN_UINT8, 300, element);
    assert_int_equal(tn__element_to_int(TN_UINT8, element), 44);
    tn__element_from_int(TN_BOOL, -7, element);
    assert_int_equal(tn__element_to_int(TN_BOOL, element), 1);
    tn__element_from_int(TN_FLOAT16, 70000, element);
    assert_true(isinf(tn__element_to_double(TN_FLOAT16, element)));
    tn__element_from_double(TN_FLOAT32, 3.9, element);
    assert_int_equal(tn__element_to_int(TN_FLOAT32, element), 3);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_a_name_in_both_spellings),
        cmocka_unit_test(float16_rounds_to_the_nearest_even),
        cmocka_unit_test(bfloat16_rounds_to_the_nearest_even),
        cmocka_unit_test(numbers_out_of_range_wrap_and_nothing_is_undefined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
