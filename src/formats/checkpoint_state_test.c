/* checkpoint_state_test.c - TensorFlow's state files are read, and written line for line. */
#include "support/check.h"
#include "support/damage.h"
#include "base/file.h"
#include "formats/checkpoint_state.h"
#include <stdlib.h>

#define SPAN(text) ((tn__span){ (const uint8_t *)(text), sizeof(text) - 1 })
#define STRANGE "\xc3\xa9 \"q'\\\t\n\x01-2"

static void tensorflows_files_come_back_line_for_line(void **state)
{
    (void)state;
    static const char *const names[] = { "ckpt-1", STRANGE };
    for (int i = 0; i < 2; i++) {
        char path[128];
        snprintf(path, sizeof path, "src/formats/testdata/checkpoint_state_%d.txt", i + 1);
        tn__file file;
        CHECK_OK(tn__file_read(path, 10000, &file));
        tn__arena arena = { 0 };
        tn__checkpoint_state s;
        CHECK_OK(tn__checkpoint_state_read(file.span, &arena, &s));
        assert_string_equal(s.model_checkpoint_path, names[i]);
        assert_int_equal(s.all_model_checkpoint_paths.count, 2);
        assert_string_equal(s.all_model_checkpoint_paths.item[0], "/abs/ckpt-0");
        assert_string_equal(s.all_model_checkpoint_paths.item[1], names[i]);
        assert_int_equal(s.all_model_checkpoint_timestamps.count, 2);
        assert_true(s.all_model_checkpoint_timestamps.item[0] == 1764423000.123456);
        assert_true(s.last_preserved_timestamp == (i ? 1e-7 : 0));
        tn__bytes text = { 0 };
        CHECK_OK(tn__checkpoint_state_write(&s, &text));
        assert_int_equal(text.size, file.span.size);
        assert_memory_equal(text.data, file.span.data, text.size);
        tn__bytes_free(&text);
        tn__arena_free(&arena);
        tn__file_close(&file);
    }
}

static void everything_the_text_form_allows_is_read(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    tn__checkpoint_state s;
    CHECK_OK(tn__checkpoint_state_read(
        SPAN("# a comment\n"
             "unknown: -1.5e3 other: \"text\" 'more' word: true;\n"
             "message { a: 1, b: \"}\" c < d: [1, 2] > }\n"
             "message: { } list: [ \"x\", { y: 1 } ]\n"
             "model_checkpoint_path: 'a' \"b\"\n  # another\n 'c\\x41\\101\\'\\?',\n"
             "all_model_checkpoint_timestamps: 1 all_model_checkpoint_timestamps: .5"),
        &arena, &s));
    assert_string_equal(s.model_checkpoint_path, "abcAA'?");
    assert_int_equal(s.all_model_checkpoint_timestamps.count, 2);
    assert_true(s.all_model_checkpoint_timestamps.item[1] == 0.5);
    CHECK_OK(tn__checkpoint_state_read(SPAN(""), &arena, &s));
    assert_null(s.model_checkpoint_path);
    tn__arena_free(&arena);
}

static void what_is_not_in_that_form_is_refused(void **state)
{
    (void)state;
    static const tn__span bad[] = {
        SPAN(":"),
        SPAN("model_checkpoint_path"),
        SPAN("model_checkpoint_path:"),
        SPAN("model_checkpoint_path \"x\""),
        SPAN("model_checkpoint_path: x"),
        SPAN("model_checkpoint_path: \"x"),
        SPAN("model_checkpoint_path: \"x'"),
        SPAN("model_checkpoint_path: \"x\ny\""),
        SPAN("model_checkpoint_path: \"\\q\""),
        SPAN("model_checkpoint_path: \"\\x\""),
        SPAN("model_checkpoint_path: \"\\0\""),
        SPAN("model_checkpoint_path: \"\\"),
        SPAN("model_checkpoint_path: \"a\0b\""),
        SPAN("last_preserved_timestamp: one"),
        SPAN("last_preserved_timestamp: "),
        SPAN("unknown: }"),
        SPAN("unknown {"),
        SPAN("unknown: [1, 2"),
        SPAN("\0"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tn__arena arena = { 0 };
        tn__checkpoint_state s;
        if (tn__checkpoint_state_read(bad[i], &arena, &s) != TN_DATA_LOSS)
            fail_msg("case %zu", i);
        CHECK_ERROR(TN_DATA_LOSS, "checkpoint state: expected ");
        tn__arena_free(&arena);
    }
}

static void brackets_within_each_other_are_bounded(void **state)
{
    (void)state;
    char text[300] = "unknown ";
    tn__arena arena = { 0 };
    tn__checkpoint_state s;
    memset(text + 8, '{', 200);
    assert_int_equal(
        tn__checkpoint_state_read((tn__span){ (const uint8_t *)text, 208 }, &arena, &s),
        TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, "fewer brackets within each other");
}

static void every_cut_and_change_is_survived(void **state)
{
    (void)state;
    static const char text[] =
        "model_checkpoint_path: \"a\\101\\n\"\nall_model_checkpoint_paths: 'x'\n"
        "all_model_checkpoint_timestamps: 1.5\nunknown { a: [1] }";
    for (size_t i = 0; i < sizeof text; i++)
        for (int change = -1; change < 256; change++) {
            tn__arena arena = { 0 };
            tn__checkpoint_state s;
            size_t size = change < 0 ? i : sizeof text - 1;
            uint8_t *copy = copy_of(SPAN(text), size);
            if (change >= 0 && i < size)
                copy[i] = (uint8_t)change;
            if (tn__checkpoint_state_read((tn__span){ copy, size }, &arena, &s) != TN_OK)
                CHECK_ERROR(TN_DATA_LOSS, "checkpoint state: expected ");
            tn__arena_free(&arena);
            free(copy);
        }
}

static bool there_and_back(void *self)
{
    (void)self;
    tn__arena arena = { 0 };
    tn__checkpoint_state s = { .model_checkpoint_path = "x", .last_preserved_timestamp = 2 };
    tn__bytes text = { 0 };
    const char **path = TN__ARENA_ADD(&arena, &s.all_model_checkpoint_paths);
    if (path)
        *path = "x";
    bool done = path && tn__checkpoint_state_write(&s, &text) == TN_OK &&
                tn__checkpoint_state_read(tn__bytes_span(&text), &arena, &s) == TN_OK;
    tn__bytes_free(&text);
    tn__arena_free(&arena);
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
        cmocka_unit_test(tensorflows_files_come_back_line_for_line),
        cmocka_unit_test(everything_the_text_form_allows_is_read),
        cmocka_unit_test(what_is_not_in_that_form_is_refused),
        cmocka_unit_test(brackets_within_each_other_are_bounded),
        cmocka_unit_test(every_cut_and_change_is_survived),
        cmocka_unit_test(refused_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
