/* text_test.c - text, names and numbers, held against what Python gives. */
#include "support/check.h"
#include "base/text.h"
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void built_text_is_terminated_and_grows(void **state)
{
    (void)state;
    tn__text text = { 0 };
    assert_string_equal(tn__text_get(&text), "");
    for (int i = 0; i < 100; i++)
        tn__text_add(&text, "%d,", i % 10);
    tn__text_add_bytes(&text, "abcdef", 3);
    assert_int_equal(strlen(tn__text_get(&text)), 203);
    assert_string_equal(tn__text_get(&text) + 196, "8,9,abc");
    char *taken = tn__text_take(&text);
    assert_int_equal(strlen(taken), 203);
    assert_int_equal(text.bytes.size, 0);
    tn__free(taken);
    tn__text_free(&text);
    CHECK_NO_ERROR();
}

static bool build_text(void *self)
{
    (void)self;
    char *printed = tn__print("%s-%d", "layer", 3);
    tn__text text = { 0 };
    for (int i = 0; i < 50; i++)
        tn__text_add(&text, "%s %d\n", "dense", i);
    tn__text_add_bytes(&text, "end", 3);
    char *taken = tn__text_take(&text);
    bool done = printed && taken;
    tn__free(printed);
    tn__free(taken);
    return done;
}

static void building_text_survives_refused_allocations(void **state)
{
    (void)state;
    check_allocation_failures(build_text, NULL);
    size_t before = live_allocations();
    check_allocation_failures(build_text, NULL);
    assert_int_equal(live_allocations(), before);
}

/* Made with Keras 3's own keras.src.utils.naming.to_snake_case. */
static void names_become_snake_case_as_in_keras(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "Dense", "dense" },
        { "Conv2D", "conv2d" },
        { "Conv2DTranspose", "conv2d_transpose" },
        { "DepthwiseConv2D", "depthwise_conv2d" },
        { "GlobalAveragePooling2D", "global_average_pooling2d" },
        { "ConvLSTM2D", "conv_lstm2d" },
        { "LSTM", "lstm" },
        { "LSTMCell", "lstm_cell" },
        { "ReLU", "re_lu" },
        { "PReLU", "p_re_lu" },
        { "ELU", "elu" },
        { "LeakyReLU", "leaky_re_lu" },
        { "TFSMLayer", "tfsm_layer" },
        { "RMSNormalization", "rms_normalization" },
        { "UpSampling3D", "up_sampling3d" },
        { "AlphaDropout", "alpha_dropout" },
        { "MyDense2", "my_dense2" },
        { "My2Dense", "my2_dense" },
        { "My_Dense", "my__dense" },
        { "_Private", "__private" },
        { "My-Dense Layer", "my_dense_layer" },
        { "dense", "dense" },
        { "aBCd", "a_b_cd" },
        { "A1B", "a1b" },
        { "A", "a" },
        { "", "" },
        { "---", "" },
        { "\xc3\xa9taBase", "\xc3\xa9ta_base" },
        { "X\xc3\xa9Y", "x\xc3\xa9y" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char snake[64];
        tn__snake_case(pairs[i][0], snake, sizeof snake);
        assert_string_equal(snake, pairs[i][1]);
    }
}

static void snake_case_stays_in_its_room(void **state)
{
    (void)state;
    for (size_t size = 0; size < 12; size++) {
        char snake[16];
        memset(snake, '#', sizeof snake);
        tn__snake_case("AbCdEfGh", snake, size);
        assert_int_equal(snake[size], '#');
        assert_true(size == 0 || strlen(snake) < size);
    }
}

static void numbers_in_paths_are_compared_as_numbers(void **state)
{
    (void)state;
    static const char *const sorted[] = {
        "",         "dense",     "dense/b", "dense/vars/0", "dense/vars/2", "dense/vars/10",
        "dense_1",  "dense_1/a", "dense_2", "dense_10",     "x01",          "x1",
        "x1y",      "x2",        "x99999999999999999999998", "x99999999999999999999999"
    };
    size_t count = sizeof sorted / sizeof *sorted;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++) {
            int order = tn__compare_paths(sorted[i], sorted[k]);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
}

static void starts_and_ends_are_recognised(void **state)
{
    (void)state;
    assert_true(tn__starts_with("model.keras", "model"));
    assert_false(tn__starts_with("mod", "model"));
    assert_true(tn__starts_with("x", ""));
    assert_true(tn__ends_with("model.keras", ".keras"));
    assert_false(tn__ends_with("keras", ".keras"));
    assert_true(tn__ends_with("x", ""));
}

static double from_bits(char kind, const char *hex)
{
    uint64_t bits = strtoull(hex, NULL, 16);
    double wide;
    float narrow;
    uint32_t narrow_bits = (uint32_t)bits;
    memcpy(&wide, &bits, sizeof wide);
    memcpy(&narrow, &narrow_bits, sizeof narrow);
    return kind == 'f' ? (double)narrow : wide;
}

static void check_number(char kind, const char *hex, const char *expected)
{
    double value = from_bits(kind, hex), back;
    char text[TN__NUMBER_TEXT];
    tn__number_text(value, kind == 'f', text, sizeof text);
    if (strcmp(text, expected) != 0)
        fail_msg("%c %s: expected %s, got %s", kind, hex, expected, text);
    if (!tn__number_parse(text, strlen(text), &back))
        fail_msg("%s was not read", text);
    back = kind == 'f' ? (double)(float)back : back;
    if (isnan(value) ? !isnan(back) : memcmp(&back, &value, sizeof back) != 0)
        fail_msg("%s was read as %a, expected %a", text, back, value);
}

static void check_numbers(void)
{
    FILE *file = fopen("src/base/testdata/numbers.txt", "r");
    assert_non_null(file);
    char kind, hex[20], expected[40];
    int lines = 0;
    for (; fscanf(file, " %c %19s %39s", &kind, hex, expected) == 3; lines++)
        check_number(kind, hex, expected);
    fclose(file);
    assert_true(lines > 800);
}

static void numbers_are_written_as_python_writes_them_and_read_back(void **state)
{
    (void)state;
    check_numbers();
}

static void numbers_do_not_depend_on_the_locale(void **state)
{
    (void)state;
    static const char *const commas[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "nl_NL.UTF-8", "de_DE" };
    const char *set = NULL;
    for (size_t i = 0; !set && i < sizeof commas / sizeof *commas; i++)
        set = setlocale(LC_ALL, commas[i]);
    if (!set)
        skip();
    check_numbers();
    char snake[16];
    tn__snake_case("LeakyReLU", snake, sizeof snake);
    assert_string_equal(snake, "leaky_re_lu");
    setlocale(LC_ALL, "C");
}

static bool parses(const char *text, double *value)
{
    return tn__number_parse(text, strlen(text), value);
}

static void numbers_are_read_as_python_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {
        { "0", 0 },
        { " 1.5\t\r", 1.5 },
        { "+.5", .5 },
        { "5.", 5 },
        { "-0", -0.0 },
        { "1E3", 1000 },
        { "1e+03", 1000 },
        { "000012.5000", 12.5 },
        { "0.00000000000000000000000000001", 1e-29 },
        { "1e400", (double)INFINITY },
        { "-1e99999999999999999999", -(double)INFINITY },
        { "1e-400", 0 },
        { "0e99999999999999999999", 0 },
        { "4.9e-324", 5e-324 },
        { "2.4703282292062327208e-324", 0 },        /* just below half of the smallest */
        { "2.4703282292062327209e-324", 5e-324 },   /* just above it */
        { "9007199254740993", 9007199254740992.0 }, /* half way: to even */
        { "9007199254740993.0000000000000000000000000000001", 9007199254740994.0 },
        { "179769313486231580793728971405303415e273", 1.7976931348623157e308 },
        { "inf", (double)INFINITY },
        { "-Infinity", -(double)INFINITY },
        { "100000000000000000000000e-22", 10 },
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double value;
        if (!parses(good[i].text, &value) || memcmp(&value, &good[i].value, sizeof value) != 0)
            fail_msg("%s: expected %a, got %a", good[i].text, good[i].value, value);
    }
    double nan = 0;
    assert_true(parses("NaN", &nan) && isnan(nan));
}

static void what_is_no_number_is_not_read(void **state)
{
    (void)state;
    static const char *const bad[] = { "",      " ",    ".",   "e5",   "1e",       "1e+",  "--1",
                                       "+-1",   "1 2",  "1,5", "0x10", "nan(1)",   "infi", "1_000",
                                       "1.2.3", "1e5.", "one", "- 1",  "1\xc2\xa0" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double value;
        if (parses(bad[i], &value))
            fail_msg("'%s' was read as %g", bad[i], value);
    }
    double value;
    assert_false(tn__number_parse("1\0", 2, &value));
}

/* A digit far behind the 800th still decides which side of a half-way point a number is on. */
static void very_long_numbers_are_rounded_by_their_last_digit(void **state)
{
    (void)state;
    char text[3000];
    int length = snprintf(text, sizeof text, "9007199254740993.");
    memset(text + length, '0', 2000);
    text[length + 2000] = 0;
    double value;
    assert_true(parses(text, &value));
    assert_true(value == 9007199254740992.0);
    text[length + 1999] = '1';
    assert_true(parses(text, &value));
    assert_true(value == 9007199254740994.0);
    memset(text, '1', 2999);
    text[2999] = 0;
    assert_true(parses(text, &value) && isinf(value));
}

static void written_numbers_are_the_shortest(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        double value, back;
        memcpy(&value, &random, sizeof value);
        if (!isfinite(value))
            continue;
        char text[TN__NUMBER_TEXT];
        tn__number_text(value, false, text, sizeof text);
        assert_true(parses(text, &back) && back == value);
        back = strtod(text, NULL);
        assert_true(back == value);
    }
}

static void the_nearest_word_is_found_if_one_is_near(void **state)
{
    (void)state;
    static const struct {
        const char *wanted, *best;
    } cases[] = { { "rleu", "relu" }, { "sotfmax", "softmax" },
                  { "tan", "tanh" },  { "relu6x", "relu" },
                  { "x", "" },        { "mean", "" },
                  { "", "" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn__nearest nearest = { .wanted = cases[i].wanted };
        static const char *const words[] = { "softmax", "relu", "tanh", "sigmoid" };
        for (size_t k = 0; k < 4; k++)
            tn__nearest_try(&nearest, words[k]);
        assert_string_equal(nearest.best, cases[i].best);
    }
    char text[96], longest[200];
    tn__nearest nearest = { .wanted = "adm" };
    assert_string_equal(tn__nearest_text(&nearest, text), "");
    tn__nearest_try(&nearest, "adam");
    assert_string_equal(tn__nearest_text(&nearest, text), "did you mean 'adam'? ");
    memset(longest, 'a', sizeof longest);
    longest[199] = 0;
    tn__nearest_try(&nearest, longest);
    assert_string_equal(nearest.best, "adam");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_word_is_found_if_one_is_near),
        cmocka_unit_test(built_text_is_terminated_and_grows),
        cmocka_unit_test(building_text_survives_refused_allocations),
        cmocka_unit_test(names_become_snake_case_as_in_keras),
        cmocka_unit_test(snake_case_stays_in_its_room),
        cmocka_unit_test(numbers_in_paths_are_compared_as_numbers),
        cmocka_unit_test(starts_and_ends_are_recognised),
        cmocka_unit_test(numbers_are_written_as_python_writes_them_and_read_back),
        cmocka_unit_test(numbers_do_not_depend_on_the_locale),
        cmocka_unit_test(numbers_are_read_as_python_reads_them),
        cmocka_unit_test(what_is_no_number_is_not_read),
        cmocka_unit_test(very_long_numbers_are_rounded_by_their_last_digit),
        cmocka_unit_test(written_numbers_are_the_shortest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
