/* span_test.c - views, growing buffers, and a reader that never leaves its bytes. */
#include "support/check.h"
#include "base/span.h"

static void a_part_is_given_only_when_all_of_it_is_inside(void **state)
{
    (void)state;
    const uint8_t bytes[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    tn__span whole = { bytes, 8 }, part;
    assert_true(tn__span_part(whole, 2, 3, &part));
    assert_ptr_equal(part.data, bytes + 2);
    assert_int_equal(part.size, 3);
    assert_true(tn__span_part(whole, 8, 0, &part));
    assert_true(tn__span_part(whole, 0, 8, &part));
    assert_false(tn__span_part(whole, 0, 9, &part));
    assert_false(tn__span_part(whole, 9, 0, &part));
    assert_false(tn__span_part(whole, 4, UINT64_MAX, &part));
    assert_false(tn__span_part(whole, UINT64_MAX, 2, &part));
    tn__span nothing = { NULL, 0 };
    assert_true(tn__span_part(nothing, 0, 0, &part));
    assert_false(tn__span_part(nothing, 0, 1, &part));
}

static void bytes_grow_and_keep_what_they_hold(void **state)
{
    (void)state;
    tn__bytes bytes = { 0 };
    for (int i = 0; i < 1000; i++) {
        uint8_t one = (uint8_t)i;
        CHECK_OK(tn__bytes_append(&bytes, &one, 1));
    }
    CHECK_OK(tn__bytes_append(&bytes, NULL, 3));
    CHECK_OK(tn__bytes_append(&bytes, NULL, 0));
    CHECK_OK(tn__bytes_append_uint(&bytes, 0x11223344AABBCCDDu, 8));
    CHECK_OK(tn__bytes_append_uint(&bytes, 0x1FF, 1));
    assert_int_equal(bytes.size, 1012);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(bytes.data[i], (uint8_t)i);
    const uint8_t end[] = { 0, 0, 0, 0xDD, 0xCC, 0xBB, 0xAA, 0x44, 0x33, 0x22, 0x11, 0xFF };
    assert_memory_equal(bytes.data + 1000, end, sizeof end);
    CHECK_OK(tn__bytes_resize(&bytes, 2));
    CHECK_OK(tn__bytes_resize(&bytes, 5));
    const uint8_t zeroed[] = { 0, 1, 0, 0, 0 };
    assert_memory_equal(bytes.data, zeroed, sizeof zeroed);
    tn__bytes_free(&bytes);
    tn__bytes_free(&bytes);
    assert_int_equal(bytes.capacity, 0);
}

static void sizes_that_cannot_be_are_out_of_memory(void **state)
{
    (void)state;
    tn__bytes bytes = { 0 };
    CHECK_OK(tn__bytes_append(&bytes, "x", 1));
    assert_int_equal(tn__bytes_append(&bytes, NULL, SIZE_MAX), TN_RESOURCE_EXHAUSTED);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "out of memory");
    assert_int_equal(bytes.size, 1);
    tn__bytes_free(&bytes);
}

static void numbers_are_read_in_little_endian(void **state)
{
    (void)state;
    const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xFF, 0xEE };
    tn__reader reader = { { bytes, sizeof bytes }, 0, false };
    assert_int_equal(tn__read_u8(&reader), 1);
    assert_int_equal(tn__read_u16(&reader), 0x0302);
    assert_int_equal(tn__read_u32(&reader), 0x07060504);
    assert_true(tn__read_u64(&reader) == 0x0F0E0D0C0B0A0908u);
    tn__read_skip(&reader, 1);
    tn__span rest = tn__read_span(&reader, 1);
    assert_int_equal(rest.data[0], 0xEE);
    assert_false(reader.failed);
    assert_int_equal(tn__read_span(&reader, 0).size, 0);
    assert_false(reader.failed);
}

static void a_reader_that_ran_out_stays_failed(void **state)
{
    (void)state;
    const uint8_t bytes[] = { 1, 2, 3 };
    tn__reader reader = { { bytes, sizeof bytes }, 0, false };
    assert_int_equal(tn__read_u32(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(tn__read_u8(&reader), 0);
    assert_null(tn__read_span(&reader, 1).data);
    assert_true(reader.failed);
    reader = (tn__reader){ { bytes, sizeof bytes }, 0, false };
    tn__read_skip(&reader, UINT64_MAX);
    assert_true(reader.failed);
}

static bool fill(void *self)
{
    tn__bytes bytes = { 0 };
    bool done = true;
    for (int i = 0; done && i < 200; i++)
        done = tn__bytes_append_uint(&bytes, (uint64_t)i, 4) == TN_OK;
    *(size_t *)self = bytes.size;
    tn__bytes_free(&bytes);
    return done;
}

static void growing_survives_refused_allocations(void **state)
{
    (void)state;
    size_t size;
    check_allocation_failures(fill, &size);
    size_t before = live_allocations();
    check_allocation_failures(fill, &size);
    assert_int_equal(live_allocations(), before);
    assert_int_equal(size, 800);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_given_only_when_all_of_it_is_inside),
        cmocka_unit_test(bytes_grow_and_keep_what_they_hold),
        cmocka_unit_test(sizes_that_cannot_be_are_out_of_memory),
        cmocka_unit_test(numbers_are_read_in_little_endian),
        cmocka_unit_test(a_reader_that_ran_out_stays_failed),
        cmocka_unit_test(growing_survives_refused_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
