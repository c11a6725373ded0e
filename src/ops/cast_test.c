/* cast_test.c */
#include "support/check_op.h"
#include <math.h>

static const tn_dtype all[] = { TN_FLOAT32, TN_FLOAT64, TN_INT32,    TN_INT64, TN_UINT8,
                                TN_BOOL,    TN_FLOAT16, TN_BFLOAT16, TN_INT8,  TN_INT16,
                                TN_UINT16,  TN_UINT32,  TN_UINT64 };
enum { ALL = sizeof all / sizeof *all };

typedef struct {
    tn_dtype DstT;
    int Truncate;
} cast_attrs;

static void every_pair_of_dtypes_passes_the_checker(void **state)
{
    (void)state;
    for (int from = 0; from < ALL; from++)
        for (int to = 0; to < ALL; to++) {
            TN_SCOPE;
            bool truth = all[from] == TN_BOOL || all[to] == TN_BOOL;
            bool rounds = tn__in(TN__FLOATS, all[to]) &&
                          all[to] != TN_FLOAT64; /* a difference of 1e-5 is lost */
            const double small[] = { 0, 1, 2, 100, 7, 3 }, bits[] = { 0, 1, 1, 1, 1, 1 };
            CHECK_OP(.op = &tn__op_Cast, .attrs = &(cast_attrs){ all[to], false },
                     .inputs = TN_LIST(check_tensor_of(all[from], TN_SHAPE(3, 2), small, 6)),
                     .expected =
                         TN_LIST(check_tensor_of(all[to], TN_SHAPE(3, 2), truth ? bits : small, 6)),
                     .skip = SKIP_DTYPES | (rounds ? SKIP_GRADIENT : 0));
        }
}

/* tf.cast(x, dtype) of [257, -1] to uint8, [nan, inf, -0., .3] to bool, [300., -1.5, 255.9] to
 * uint8, int64 [2**53 + 1, 2**24 + 1] to float32, [257, 259] to bfloat16, float64 2049 and
 * 2049.0000001 to float16 */
static void values_out_of_range_wrap_and_halves_round_to_even(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(tn_cast(VALUES(TN_INT32, TN_SHAPE(2), 257, -1), TN_UINT8), 0, 1, 255);
    CHECK_VALUES(tn_cast(VALUES(TN_FLOAT32, TN_SHAPE(4), NAN, INFINITY, -0.0, 0.3), TN_BOOL), 0, 1,
                 1, 0, 1);
    CHECK_VALUES(tn_cast(VALUES(TN_FLOAT32, TN_SHAPE(3), 300, -1.5, 255.9), TN_UINT8), 0, 44, 255,
                 255);
    CHECK_VALUES(
        tn_cast(tn_constant(TN_INT64, TN_SHAPE(2), (int64_t[]){ 9007199254740993, 16777217 }),
                TN_FLOAT32),
        0, 9007199254740992, 16777216);
    CHECK_VALUES(tn_cast(VALUES(TN_INT64, TN_SHAPE(2), 257, 259), TN_BFLOAT16), 0, 256, 260);
    CHECK_VALUES(tn_cast(VALUES(TN_FLOAT64, TN_SHAPE(2), 2049, 2049.0000001), TN_FLOAT16), 0, 2048,
                 2048);
    CHECK_VALUES(tn_cast(VALUES(TN_FLOAT32, TN_SHAPE(4), 65519, 65520, 1e-8, -1.9), TN_FLOAT16), 0,
                 65504, INFINITY, 0, -1.900390625);
    CHECK_VALUES(tn_cast(VALUES(TN_FLOAT32, TN_SHAPE(2), 1.9, -1.9), TN_INT32), 0, 1, -1);
    CHECK_VALUES(tn_cast(VALUES(TN_INT32, TN_SHAPE(2), -1, 40000), TN_INT16), 0, -1, -25536);
    CHECK_VALUES(tn_cast(tn_cast(VALUES(TN_INT32, TN_SHAPE(1), -1), TN_UINT64), TN_FLOAT64), 0,
                 18446744073709551616.0);
}

/* As in TensorFlow: back in the dtype it came from, and none at all by way of whole numbers. */
static void the_gradient_is_cast_back(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT64, TN_SHAPE(2), 1, 2);
    tn_tape *tape = tn_gradient_tape(.persistent = true);
    tn_watch(tape, x);
    tn_tensor *y = tn_square(tn_cast(x, TN_BFLOAT16)),
              *whole = tn_cast(tn_cast(x, TN_INT32), TN_FLOAT64);
    CHECK_TENSOR(tn_gradient_of(tape, y, x), VALUES(TN_FLOAT64, TN_SHAPE(2), 2, 4), 0, 0);
    assert_null(tn_gradient_of(tape, whole, x));
    CHECK_NO_ERROR();
}

/* tf.cast of one number at a time (of a long tensor TensorFlow's vector code takes other ends for
 * the narrow types): [nan, inf, -inf, 3e9, -3e9, 1e19, -1e19, 2e19, 300, -129, 70000, 2**63] */
static void a_float_that_no_integer_has_room_for_becomes_the_least(void **state)
{
    (void)state;
    TN_SCOPE;
    const double least = -9223372036854775808.0;
    const tn_dtype from[] = { TN_FLOAT64, TN_FLOAT32, TN_BFLOAT16 };
    for (int i = 0; i < 3; i++) {
        tn_tensor *x = tn_cast(VALUES(TN_FLOAT64, TN_SHAPE(12), NAN, INFINITY, -INFINITY, 3e9, -3e9,
                                      1e19, -1e19, 2e19, 300, -129, 70000, 0x1p63),
                               from[i]);
        double seventy = i < 2 ? 70000 : 70144, three = i < 2 ? 3e9 : 3003121664;
        CHECK_VALUES(tn_cast(x, TN_INT8), 0, 0, 0, 0, 0, 0, 0, 0, 0, 44, 127, i < 2 ? 112 : 0, 0);
        CHECK_VALUES(tn_cast(x, TN_UINT8), 0, 0, 0, 0, 0, 0, 0, 0, 0, 44, 127, i < 2 ? 112 : 0, 0);
        CHECK_VALUES(tn_cast(x, TN_INT16), 0, 0, 0, 0, 0, 0, 0, 0, 0, 300, -129, seventy - 65536,
                     0);
        CHECK_VALUES(tn_cast(x, TN_UINT16), 0, 0, 0, 0, 0, 0, 0, 0, 0, 300, 65407, seventy - 65536,
                     0);
        CHECK_VALUES(tn_cast(x, TN_INT32), 0, INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN,
                     INT32_MIN, INT32_MIN, INT32_MIN, 300, -129, seventy, INT32_MIN);
        CHECK_VALUES(tn_cast(x, TN_UINT32), 0, 0, 0, 0, three, 4294967296.0 - three, 0, 0, 0, 300,
                     4294967167.0, seventy, 0);
        CHECK_VALUES(tn_cast(x, TN_INT64), 0, least, least, least, three, -three, least, least,
                     least, 300, -129, seventy, least);
    }
    tn_tensor *x = VALUES(TN_FLOAT64, TN_SHAPE(6), NAN, -INFINITY, -3e9, 1e19, 2e19, -1e19);
    const uint64_t want[] = { 9223372036854775808u,  9223372036854775808u, 18446744070709551616u,
                              10000000000000000000u, 9223372036854775808u, 9223372036854775808u };
    assert_memory_equal(tn_data(tn_cast(x, TN_UINT64), TN_UINT64), want, sizeof want);
    CHECK_NO_ERROR();
}

static tn_tensor *truncated(tn_tensor *x, tn_dtype dtype)
{
    return TN__APPLY(tn__op_Cast, (&(cast_attrs){ dtype, true }), x);
}

/* tf.raw_ops.Cast(x=x, DstT=dtype, Truncate=True) */
static void truncation_drops_digits(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(
        truncated(VALUES(TN_FLOAT32, TN_SHAPE(4), 1.0009, 65519, 1e-7, INFINITY), TN_FLOAT16), 0, 1,
        65504, 0x1p-23, INFINITY);
    CHECK_VALUES(truncated(VALUES(TN_FLOAT32, TN_SHAPE(2), 1.0059, 3.4e38), TN_BFLOAT16), 0, 1,
                 0x1.fep127);
    CHECK_VALUES(truncated(VALUES(TN_FLOAT64, TN_SHAPE(2), 0.1, -0.1), TN_FLOAT32), 0,
                 0x1.999998p-4, -0x1.999998p-4);
    CHECK_VALUES(truncated(VALUES(TN_FLOAT64, TN_SHAPE(1), 1.0059), TN_BFLOAT16), 0, 1.0078125);
    CHECK_VALUES(truncated(VALUES(TN_FLOAT32, TN_SHAPE(2), 1.9, -1.9), TN_INT32), 0, 1, -1);
}

static void a_number_is_no_longer_one_after_a_cast(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(1), 1);
    assert_ptr_equal(tn_cast(x, TN_FLOAT32), x);
    assert_null(tn_add(tn_cast(tn_scalar(1.0), TN_FLOAT32), VALUES(TN_FLOAT64, TN_SHAPE(1), 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "cannot compute AddV2");
    assert_null(tn_cast(x, (tn_dtype)7));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_cast: 7 is not a dtype");
}

static void bits_are_read_as_another_dtype(void **state)
{
    (void)state;
    TN_SCOPE;
    const tn_dtype byte = TN_UINT8, word = TN_INT32, single = TN_FLOAT32;
    CHECK_OP(.op = &tn__op_Bitcast, .attrs = &byte,
             .inputs = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2)),
             .expected = TN_LIST(VALUES(TN_UINT8, TN_SHAPE(2, 4), 0, 0, 128, 63, 0, 0, 0, 64)),
             .skip = SKIP_DTYPES);
    CHECK_OP(.op = &tn__op_Bitcast, .attrs = &word,
             .inputs = TN_LIST(VALUES(TN_UINT8, TN_SHAPE(2, 4), 1, 2, 3, 4, 5, 0, 0, 0)),
             .expected = TN_LIST(VALUES(TN_INT32, TN_SHAPE(2), 67305985, 5)), .skip = SKIP_DTYPES);
    CHECK_OP(.op = &tn__op_Bitcast, .attrs = &single,
             .inputs = TN_LIST(VALUES(TN_INT32, TN_SHAPE(1), 0x3f800000)),
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(1), 1)), .skip = SKIP_DTYPES);
    assert_null(tn_bitcast(VALUES(TN_UINT8, TN_SHAPE(3), 1, 2, 3), TN_INT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Cannot bitcast from 4 to 3");
    assert_null(tn_bitcast(VALUES(TN_BOOL, TN_SHAPE(1), 1), TN_UINT8));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Value for attr 'T' of bool is not in the list of allowed values");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_dtypes_passes_the_checker),
        cmocka_unit_test(values_out_of_range_wrap_and_halves_round_to_even),
        cmocka_unit_test(a_float_that_no_integer_has_room_for_becomes_the_least),
        cmocka_unit_test(the_gradient_is_cast_back),
        cmocka_unit_test(truncation_drops_digits),
        cmocka_unit_test(a_number_is_no_longer_one_after_a_cast),
        cmocka_unit_test(bits_are_read_as_another_dtype),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
