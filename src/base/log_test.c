/* log_test.c - warnings: whole when they are long, and no failures themselves. */
#include "support/check.h"
#include "base/log.h"

typedef struct {
    char text[8000];
    size_t size;
} heard_text;

static void hear(void *self, tn_sink_kind kind, const char *text, size_t size)
{
    heard_text *heard = self;
    assert_int_equal(kind, TN_SINK_WARNING);
    assert_true(heard->size + size < sizeof heard->text);
    memcpy(heard->text + heard->size, text, size);
    heard->size += size;
}

static void a_warning_is_one_line_however_long(void **state)
{
    (void)state;
    char word[6000] = { 0 };
    for (size_t length = 0; length < sizeof word; length += length < 990 || length > 1050 ? 90 : 1) {
        heard_text heard = { 0 };
        memset(word, 'w', length);
        word[length] = 0;
        tn_set_sink((tn_sink){ hear, &heard, false });
        tn__warn("%s", word);
        tn_set_sink((tn_sink){ 0 });
        assert_int_equal(heard.size, 9 + length + 1);
        assert_memory_equal(heard.text, "WARNING: ", 9);
        assert_memory_equal(heard.text + 9, word, length);
        assert_int_equal(heard.text[9 + length], '\n');
    }
    CHECK_NO_ERROR();
}

static bool warn_once(void *self)
{
    heard_text *heard = self;
    heard->size = 0;
    tn__warn("no room for %s", "anything");
    return heard->size == 30 && memcmp(heard->text, "WARNING: no room for anything\n", 30) == 0;
}

static void a_warning_needs_no_memory_of_the_librarys(void **state)
{
    (void)state;
    heard_text heard = { 0 };
    tn_set_sink((tn_sink){ hear, &heard, false });
    check_allocation_failures(warn_once, &heard);
    tn_set_sink((tn_sink){ 0 });
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_warning_is_one_line_however_long),
        cmocka_unit_test(a_warning_needs_no_memory_of_the_librarys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
