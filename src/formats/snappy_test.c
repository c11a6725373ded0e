/* snappy_test.c - every kind of piece is decoded; what does not fit is refused. Whole files that
 * another library compressed are read in bundle_test.c. */
#include "support/check.h"
#include "formats/snappy.h"
#include <stdlib.h>

static tn_status decode(tn__span bytes, char *out, size_t room)
{
    size_t size;
    TN_TRY(tn__snappy_size(bytes, &size));
    assert_true(size <= room);
    return tn__snappy_read(bytes, (uint8_t *)out, size);
}
#define SPAN(text) ((tn__span){ (const uint8_t *)(text), sizeof(text) - 1 })

static void every_kind_of_piece_is_decoded(void **state)
{
    (void)state;
    static const struct {
        tn__span bytes;
        const char *text;
    } cases[] = {
        { SPAN("\0"), "" },
        { SPAN("\3\10abc"), "abc" },
        { SPAN("\3\360\2abc"), "abc" },            /* a length of one byte */
        { SPAN("\3\364\2\0abc"), "abc" },          /* of two */
        { SPAN("\3\370\2\0\0abc"), "abc" },        /* of three */
        { SPAN("\3\374\2\0\0\0abc"), "abc" },      /* of four */
        { SPAN("\7\10abc\1\3"), "abcabca" },       /* a copy of 4 from 3 back, over itself */
        { SPAN("\6\10abc\12\3\0"), "abcabc" },     /* with an offset of two bytes */
        { SPAN("\6\10abc\13\3\0\0\0"), "abcabc" }, /* of four */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[64] = { 0 };
        CHECK_OK(decode(cases[i].bytes, out, sizeof out));
        assert_string_equal(out, cases[i].text);
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const tn__span bad[] = {
        SPAN(""),
        SPAN("\200"),
        SPAN("\200\200\200\200\200\200\200\200\200\200\1"),
        SPAN("\377\377\3\0a"),           /* more than so few bytes can give */
        SPAN("\3\10ab"),                 /* cut off */
        SPAN("\3\4ab"),                  /* too little */
        SPAN("\1\4ab"),                  /* too much */
        SPAN("\5\1\1"),                  /* a copy of nothing */
        SPAN("\7\10abc\1\4"),            /* from before the start */
        SPAN("\7\10abc\1\0"),            /* from its own place */
        SPAN("\6\10abc\1\3"),            /* behind the end */
        SPAN("\6\10abc\12\3"),           /* a copy that is cut off */
        SPAN("\3\374\377\377\377\377a"), /* a length beyond everything */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char out[256];
        if (decode(bad[i], out, sizeof out) != TN_DATA_LOSS)
            fail_msg("case %zu", i);
        CHECK_ERROR(TN_DATA_LOSS, "snappy: ");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_piece_is_decoded),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
