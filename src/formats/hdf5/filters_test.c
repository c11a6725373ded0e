/* filters_test.c - filters and checksums alone, where files of h5py do not reach. */
#include "support/check.h"
#include "formats/hdf5/internal.h"
#include <zlib.h>

enum { DEFLATE = 1, SHUFFLE = 2, FLETCHER32 = 3, LZF = 32000 };

static tn__span span_of(const void *data, size_t size)
{
    return (tn__span){ data, size };
}

static tn__h5_pipeline pipeline_of(int count, const int *ids, uint32_t element)
{
    tn__h5_pipeline pipeline = { .count = count };
    for (int i = 0; i < count; i++) {
        pipeline.item[i].id = (uint16_t)ids[i];
        pipeline.item[i].element = element;
    }
    return pipeline;
}

static void check_unfilter(const tn__h5_pipeline *pipeline, uint32_t mask, tn__span in,
                           tn__span expected)
{
    tn__h5_scratch scratch = { 0 };
    tn__span out;
    CHECK_OK(tn__h5_unfilter(pipeline, mask, in, expected.size, &scratch, &out));
    assert_int_equal(out.size, expected.size);
    assert_memory_equal(out.data, expected.data, expected.size);
    tn__bytes_free(&scratch.buffer[0]);
    tn__bytes_free(&scratch.buffer[1]);
}

static void check_damaged(const tn__h5_pipeline *pipeline, tn__span in, size_t expected,
                          const char *text)
{
    tn__h5_scratch scratch = { 0 };
    tn__span out;
    assert_int_equal(tn__h5_unfilter(pipeline, 0, in, expected, &scratch, &out), TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, text);
    tn__bytes_free(&scratch.buffer[0]);
    tn__bytes_free(&scratch.buffer[1]);
}

/* The algorithm's author gives this value for this text. */
static void lookup3_gives_its_authors_value(void **state)
{
    (void)state;
    const char *text = "Four score and seven years ago";
    assert_int_equal(tn__h5_lookup3(span_of(text, strlen(text))), 0x17770551);
    assert_int_equal(tn__h5_lookup3(span_of("", 0)), 0xdeadbeef);
}

static void shuffle_keeps_what_is_less_than_an_element(void **state)
{
    (void)state;
    tn__h5_pipeline pipeline = pipeline_of(1, (const int[]){ SHUFFLE }, 3);
    check_unfilter(&pipeline, 0, span_of("adbecfgh", 8), span_of("abcdefgh", 8));
    pipeline = pipeline_of(1, (const int[]){ SHUFFLE }, 100);
    check_unfilter(&pipeline, 0, span_of("abc", 3), span_of("abc", 3));
    pipeline = pipeline_of(1, (const int[]){ SHUFFLE }, 0);
    check_unfilter(&pipeline, 0, span_of("abc", 3), span_of("abc", 3));
}

static void lzf_copies_may_overlap_themselves(void **state)
{
    (void)state;
    tn__h5_pipeline pipeline = pipeline_of(1, (const int[]){ LZF }, 0);
    /* one plain byte; 9 bytes from 1 back (long form); 3 bytes from 2 back (short form) */
    check_unfilter(&pipeline, 0, span_of("\x00x\xe0\x00\x00\x20\x01", 7),
                   span_of("xxxxxxxxxxxxx", 13));
}

static void lzf_that_reaches_outside_is_damage(void **state)
{
    (void)state;
    tn__h5_pipeline pipeline = pipeline_of(1, (const int[]){ LZF }, 0);
    check_damaged(&pipeline, span_of("\x00x\x20\x01", 4), 4, "lzf"); /* before the start */
    check_damaged(&pipeline, span_of("\x05x", 2), 6, "lzf");         /* plain bytes missing */
    check_damaged(&pipeline, span_of("\x00x\xe0", 3), 9, "lzf");     /* length missing */
    check_damaged(&pipeline, span_of("\x00x\x20", 3), 4, "lzf");     /* distance missing */
    check_damaged(&pipeline, span_of("\x00x", 2), 3, "decodes to 1 bytes, expected 3");
}

static void deflate_that_ends_early_or_late_is_damage(void **state)
{
    (void)state;
    static uint8_t zeros[100000], packed[2000];
    uLongf size = sizeof packed;
    assert_int_equal(compress(packed, &size, zeros, sizeof zeros), Z_OK);
    tn__h5_pipeline pipeline = pipeline_of(1, (const int[]){ DEFLATE }, 0);
    check_unfilter(&pipeline, 0, span_of(packed, size), span_of(zeros, sizeof zeros));
    check_damaged(&pipeline, span_of(packed, size - 10), sizeof zeros, "deflate");
    check_damaged(&pipeline, span_of(packed, size), 1000, "longer than the chunk");
    check_damaged(&pipeline, span_of(packed, size), 99999, "expected 99999");
    check_damaged(&pipeline, span_of("not deflated", 12), 10, "deflate");
    check_damaged(&pipeline, span_of("", 0), 10, "deflate");
}

/* The checksum of "ab", as written by today's library and by HDF5 before 1.6.3. */
static void fletcher32_is_verified_in_both_byte_orders(void **state)
{
    (void)state;
    tn__h5_pipeline pipeline = pipeline_of(1, (const int[]){ FLETCHER32 }, 0);
    check_unfilter(&pipeline, 0, span_of("ab\x62\x61\x62\x61", 6), span_of("ab", 2));
    check_unfilter(&pipeline, 0, span_of("ab\x61\x62\x61\x62", 6), span_of("ab", 2));
    check_damaged(&pipeline, span_of("ac\x62\x61\x62\x61", 6), 2, "the checksum is wrong");
    check_damaged(&pipeline, span_of("abc", 3), 2, "too short");
}

static void filters_that_a_chunk_left_out_are_not_undone(void **state)
{
    (void)state;
    static const int ids[] = { SHUFFLE, LZF, FLETCHER32 };
    tn__h5_pipeline pipeline = pipeline_of(3, ids, 2);
    check_unfilter(&pipeline, 7, span_of("acbd", 4), span_of("acbd", 4));
    check_unfilter(&pipeline, 6, span_of("acbd", 4), span_of("abcd", 4));
    check_unfilter(&pipeline, 4,
                   span_of("\x03"
                           "acbd",
                           5),
                   span_of("abcd", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookup3_gives_its_authors_value),
        cmocka_unit_test(shuffle_keeps_what_is_less_than_an_element),
        cmocka_unit_test(lzf_copies_may_overlap_themselves),
        cmocka_unit_test(lzf_that_reaches_outside_is_damage),
        cmocka_unit_test(deflate_that_ends_early_or_late_is_damage),
        cmocka_unit_test(fletcher32_is_verified_in_both_byte_orders),
        cmocka_unit_test(filters_that_a_chunk_left_out_are_not_undone),
    };
    tests_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
