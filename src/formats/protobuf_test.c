/* protobuf_test.c - every kind of field there and back, what others may write, what is no message.
 * TensorFlow's own messages are in graphdef_test.c and saved_model_test.c. */
#include "support/check.h"
#include "formats/protobuf.h"
#include <math.h>
#include <stdlib.h>

typedef struct sample sample;
struct sample {
    bool flag;
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    uint64_t u64;
    int64_t s64;
    uint32_t f32;
    float real;
    double wide;
    const char *text;
    tn__span bytes, raw;
    sample *sub;
    TN__LIST_OF(int32_t) i32s;
    TN__LIST_OF(double) wides;
    TN__LIST_OF(bool) flags;
    TN__LIST_OF(const char *) texts;
    TN__LIST_OF(sample) subs;
    int which;
    union {
        int64_t number;
        const char *word;
        sample *inner;
    };
};
static const tn__pb_message sample_message;
static const tn__pb_field sample_fields[] = {
    TN__PB_FIELD(sample, 1, flag, BOOL, 0),
    TN__PB_FIELD(sample, 2, i32, INT32, 0),
    TN__PB_FIELD(sample, 3, u32, UINT32, 0),
    TN__PB_FIELD(sample, 4, i64, INT64, 0),
    TN__PB_FIELD(sample, 5, u64, UINT64, 0),
    TN__PB_FIELD(sample, 6, s64, SINT64, 0),
    TN__PB_FIELD(sample, 7, f32, FIXED32, 0),
    TN__PB_FIELD(sample, 8, real, FLOAT, 0),
    TN__PB_FIELD(sample, 9, wide, DOUBLE, 0),
    TN__PB_FIELD(sample, 10, text, TEXT, 0),
    TN__PB_FIELD(sample, 11, bytes, BYTES, 0),
    TN__PB_FIELD(sample, 12, raw, RAW, 0),
    TN__PB_SUB(sample, 13, sub, MESSAGE, 0, &sample_message),
    TN__PB_FIELD(sample, 14, i32s, INT32, TN__PB_REPEATED),
    TN__PB_FIELD(sample, 15, wides, DOUBLE, TN__PB_REPEATED),
    TN__PB_FIELD(sample, 16, flags, BOOL, TN__PB_REPEATED),
    TN__PB_FIELD(sample, 17, texts, TEXT, TN__PB_REPEATED),
    TN__PB_SUB(sample, 18, subs, MESSAGE, TN__PB_REPEATED, &sample_message),
    TN__PB_FIELD(sample, 19, number, INT64, TN__PB_ONEOF),
    TN__PB_FIELD(sample, 20, word, TEXT, TN__PB_ONEOF),
    TN__PB_SUB(sample, 21, inner, MESSAGE, TN__PB_ONEOF, &sample_message),
};
static const tn__pb_message sample_message =
    TN__PB_ONEOF_OF("Sample", sample, sample_fields, which);

#define SPAN(text) ((tn__span){ (const uint8_t *)(text), sizeof(text) - 1 })

static void check_encoded(const sample *from, tn__span expected)
{
    tn__bytes bytes = { 0 };
    CHECK_OK(tn__pb_write(&sample_message, from, &bytes));
    assert_int_equal(bytes.size, expected.size);
    if (bytes.size)
        assert_memory_equal(bytes.data, expected.data, expected.size);
    tn__bytes_free(&bytes);
}

/* --- writing ---------------------------------------------------------------------------------- */
static void nothing_is_written_of_what_is_zero(void **state)
{
    (void)state;
    check_encoded(&(sample){ .text = "" }, SPAN(""));
}

/* By the rules of the format, worked out by hand. */
static void each_kind_is_written_as_the_format_says(void **state)
{
    (void)state;
    check_encoded(&(sample){ .flag = true }, SPAN("\x08\x01"));
    check_encoded(&(sample){ .i32 = 300 }, SPAN("\x10\xac\x02"));
    check_encoded(&(sample){ .i32 = -1 }, SPAN("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    check_encoded(&(sample){ .u32 = UINT32_MAX }, SPAN("\x18\xff\xff\xff\xff\x0f"));
    check_encoded(&(sample){ .i64 = 1 }, SPAN("\x20\x01"));
    check_encoded(&(sample){ .s64 = -3 }, SPAN("\x30\x05"));
    check_encoded(&(sample){ .s64 = 3 }, SPAN("\x30\x06"));
    check_encoded(&(sample){ .f32 = 0x01020304 }, SPAN("\x3d\x04\x03\x02\x01"));
    check_encoded(&(sample){ .real = 1 }, SPAN("\x45\0\0\x80\x3f"));
    check_encoded(&(sample){ .real = -0.0f }, SPAN("\x45\0\0\0\x80"));
    check_encoded(&(sample){ .wide = 1 }, SPAN("\x49\0\0\0\0\0\0\xf0\x3f"));
    check_encoded(&(sample){ .text = "ab" }, SPAN("\x52\x02"
                                                  "ab"));
    check_encoded(&(sample){ .bytes = SPAN("\0") }, SPAN("\x5a\x01\0"));
    check_encoded(&(sample){ .raw = SPAN("") }, SPAN("\x62\0"));
    check_encoded(&(sample){ .sub = &(sample){ 0 } }, SPAN("\x6a\0"));
    check_encoded(&(sample){ .i32s = { (int32_t[]){ 1, 300 }, 2, 2 } },
                  SPAN("\x72\x03\x01\xac\x02"));
    check_encoded(&(sample){ .flags = { (bool[]){ true, false }, 2, 2 } },
                  SPAN("\x82\x01\x02\x01\0"));
    check_encoded(&(sample){ .texts = { (const char *[]){ "", "x" }, 2, 2 } },
                  SPAN("\x8a\x01\0\x8a\x01\x01x"));
    check_encoded(&(sample){ .which = 19 }, SPAN("\x98\x01\0"));
    check_encoded(&(sample){ .which = 20 }, SPAN("\xa2\x01\0"));
    check_encoded(&(sample){ .which = 21 }, SPAN("\xaa\x01\0"));
}

static void lengths_of_several_bytes_move_what_they_stand_before(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 124, 125, 126, 127, 128, 16380, 16384, 2097152 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *data = malloc(sizes[i] + 1);
        memset(data, 7, sizes[i]);
        tn__bytes bytes = { 0 };
        tn__arena arena = { 0 };
        sample read = { 0 }, within = { .bytes = { data, sizes[i] } };
        CHECK_OK(tn__pb_write(&sample_message, &(sample){ .sub = &within, .which = 19 }, &bytes));
        CHECK_OK(tn__pb_read(&sample_message, tn__bytes_span(&bytes), &arena, &read));
        assert_int_equal(read.sub->bytes.size, sizes[i]);
        if (sizes[i])
            assert_memory_equal(read.sub->bytes.data, data, sizes[i]);
        assert_int_equal(read.which, 19);
        tn__arena_free(&arena);
        tn__bytes_free(&bytes);
        free(data);
    }
}

/* --- reading ---------------------------------------------------------------------------------- */
static sample read_of(tn__span bytes, tn__arena *arena)
{
    sample read = { 0 };
    CHECK_OK(tn__pb_read(&sample_message, bytes, arena, &read));
    return read;
}

static void numbers_come_back_at_their_ends(void **state)
{
    (void)state;
    static const int64_t values[] = {
        0, 1, -1, 63, -64, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        int64_t v = values[i];
        tn__bytes bytes = { 0 };
        tn__arena arena = { 0 };
        sample from = { .i32 = (int32_t)v, .u32 = (uint32_t)v, .i64 = v, .u64 = (uint64_t)v };
        from.s64 = v, from.f32 = (uint32_t)v, from.real = (float)v, from.wide = (double)v;
        CHECK_OK(tn__pb_write(&sample_message, &from, &bytes));
        sample read = read_of(tn__bytes_span(&bytes), &arena);
        assert_true(read.i32 == from.i32 && read.u32 == from.u32 && read.i64 == v);
        assert_true(read.u64 == from.u64 && read.s64 == v && read.f32 == from.f32);
        assert_true(read.real == from.real && read.wide == from.wide);
        tn__arena_free(&arena);
        tn__bytes_free(&bytes);
    }
}

static void numbers_may_be_packed_or_not(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    sample read = read_of(SPAN("\x72\x02\x01\x02\x70\x03\x72\0\x72\x01\x04"), &arena);
    assert_int_equal(read.i32s.count, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(read.i32s.item[i], i + 1);
    read = read_of(SPAN("\x79\0\0\0\0\0\0\xf0\x3f\x7a\x08\0\0\0\0\0\0\0\x40"), &arena);
    assert_true(read.wides.count == 2 && read.wides.item[0] == 1 && read.wides.item[1] == 2);
    tn__arena_free(&arena);
}

static void unknown_fields_groups_and_other_wire_types_are_skipped(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    sample read = read_of(SPAN("\xf8\x07\x05"                             /* field 127: a varint */
                               "\xf9\x07\0\0\0\0\0\0\0\0"                 /* 8 bytes */
                               "\xfa\x07\x02zz"                           /* a span */
                               "\xfd\x07\0\0\0\0"                         /* 4 bytes */
                               "\xfb\x07\x08\x01\x0b\x10\x07\x0c\xfc\x07" /* a group in a group */
                               "\x15\0\0\0\0"                             /* field 2 as 4 bytes */
                               "\x50\x01"                                 /* field 10 as a varint */
                               "\x10\x09"),
                          &arena);
    assert_int_equal(read.i32, 9);
    assert_false(read.flag);
    assert_null(read.text);
    tn__arena_free(&arena);
}

static void of_one_of_several_the_last_counts_and_messages_merge(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    sample read = read_of(SPAN("\x98\x01\x05\xa2\x01\x01w"), &arena);
    assert_int_equal(read.which, 20);
    assert_string_equal(read.word, "w");
    read = read_of(SPAN("\xa2\x01\x01w\xaa\x01\x02\x10\x01\xaa\x01\x02\x18\x02"), &arena);
    assert_int_equal(read.which, 21);
    assert_int_equal(read.inner->i32, 1);
    assert_int_equal(read.inner->u32, 2);
    read = read_of(SPAN("\x6a\x02\x10\x01\x10\x03\x10\x04\x6a\x02\x18\x02"), &arena);
    assert_int_equal(read.i32, 4);
    assert_int_equal(read.sub->i32, 1);
    assert_int_equal(read.sub->u32, 2);
    tn__arena_free(&arena);
}

static void what_is_no_message_is_refused(void **state)
{
    (void)state;
    static const tn__span bad[] = {
        SPAN("\x08"),                                             /* no value */
        SPAN("\x08\x80"),                                         /* a varint that is cut off */
        SPAN("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), /* one that is too long */
        SPAN("\0\x01"),                                           /* field 0 */
        SPAN("\x0e\x01"),                                         /* wire type 6 */
        SPAN("\x0c"),                                             /* the end of no group */
        SPAN("\xfb\x07"),                                         /* a group without an end */
        SPAN("\xfb\x07\x0c"),                                     /* with another one's */
        SPAN("\x52\x03"
             "ab"),                                           /* a length beyond the end */
        SPAN("\x52\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* far beyond */
        SPAN("\x52\x02"
             "a\0"),              /* a NUL in a text */
        SPAN("\x6a\x02\x10\x80"), /* damage in a message within */
        SPAN("\x72\x02\x01\x80"), /* in packed numbers */
        SPAN("\x7a\x07\0\0\0\0\0\0\0"),
        SPAN("\x80\x80\x80\x80\x80\x01\x01"), /* a tag beyond 32 bits */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tn__arena arena = { 0 };
        sample read = { 0 };
        if (tn__pb_read(&sample_message, bad[i], &arena, &read) != TN_DATA_LOSS)
            fail_msg("case %zu", i);
        CHECK_ERROR(TN_DATA_LOSS, "protobuf: ");
        tn__arena_free(&arena);
    }
}

/* So many messages within each other, read from bytes. */
static tn_status read_nested(int depth)
{
    tn__bytes bytes = { 0 };
    tn__arena arena = { 0 };
    sample read = { 0 };
    for (int i = 0; i < depth; i++) {
        tn__bytes outer = { 0 };
        CHECK_OK(tn__pb_put_span(&outer, 13, tn__bytes_span(&bytes)));
        tn__bytes_free(&bytes);
        bytes = outer;
    }
    tn_status status = tn__pb_read(&sample_message, tn__bytes_span(&bytes), &arena, &read);
    tn__arena_free(&arena);
    tn__bytes_free(&bytes);
    return status;
}

static void messages_within_each_other_are_bounded(void **state)
{
    (void)state;
    CHECK_OK(read_nested(TN__PB_DEPTH - 1));
    assert_int_equal(read_nested(TN__PB_DEPTH), TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, "more than 100 messages within each other");
    sample round = { 0 };
    round.sub = &round;
    tn__bytes bytes = { 0 };
    assert_int_equal(tn__pb_write(&sample_message, &round, &bytes), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "more than 100 messages within each other");
    tn__bytes_free(&bytes);
    char groups[402];
    for (int i = 0; i < 200; i++) {
        memcpy(groups + 2 * i, "\xfb\x07", 2);
    }
    tn__arena arena = { 0 };
    tn__span span = { (const uint8_t *)groups, 400 };
    assert_int_equal(tn__pb_read(&sample_message, span, &arena, &round), TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, "damaged");
}

static void what_bytes_decode_to_is_limited(void **state)
{
    (void)state;
    uint8_t empty[3 * 1000];
    for (int i = 0; i < 1000; i++)
        memcpy(empty + 3 * i, "\x92\x01", 3); /* field 18: an empty message */
    tn__arena arena = { .limit = 10000 };
    sample read = { 0 };
    tn__span span = { empty, sizeof empty };
    assert_int_equal(tn__pb_read(&sample_message, span, &arena, &read), TN_RESOURCE_EXHAUSTED);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "the limit of 10000 bytes");
    tn__arena_free(&arena);
    arena.limit = 0;
    read = read_of(span, &arena);
    assert_int_equal(read.subs.count, 1000);
    tn__arena_free(&arena);
}

static bool there_and_back(void *self)
{
    (void)self;
    sample within = { .text = "within", .wide = NAN };
    sample from = { .sub = &within, .subs = { (sample[2]){ { .i32 = 1 } }, 2, 2 } };
    tn__bytes bytes = { 0 };
    tn__arena arena = { 0 };
    sample read = { 0 };
    bool done = tn__pb_write(&sample_message, &from, &bytes) == TN_OK &&
                tn__pb_read(&sample_message, tn__bytes_span(&bytes), &arena, &read) == TN_OK;
    tn__arena_free(&arena);
    tn__bytes_free(&bytes);
    return done;
}

static void refused_allocations_are_survived(void **state)
{
    (void)state;
    size_t before = live_allocations();
    check_allocation_failures(there_and_back, NULL);
    assert_int_equal(live_allocations(), before);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_written_of_what_is_zero),
        cmocka_unit_test(each_kind_is_written_as_the_format_says),
        cmocka_unit_test(lengths_of_several_bytes_move_what_they_stand_before),
        cmocka_unit_test(numbers_come_back_at_their_ends),
        cmocka_unit_test(numbers_may_be_packed_or_not),
        cmocka_unit_test(unknown_fields_groups_and_other_wire_types_are_skipped),
        cmocka_unit_test(of_one_of_several_the_last_counts_and_messages_merge),
        cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(messages_within_each_other_are_bounded),
        cmocka_unit_test(what_bytes_decode_to_is_limited),
        cmocka_unit_test(refused_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
