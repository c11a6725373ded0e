/* field_test.c - tables: defaults, texts in and out, ranges, what is refused, and who owns what. */
#include "core/field.h"
#include "core/tensor.h"
#include "support/check.h"
#include <math.h>

typedef struct {
    int64_t units, size[2];
    double rate;
    bool on;
    tn_flag flag;
    int axis;
    const char *padding, *title;
    tn_shape shape;
    tn_axes axes;
    tn_dtype dtype;
    tn_tensor *scales;
    void *hidden;
} thing;

static const tn_field fields[] = {
    TN__ROW(TN_FIELD_INT, thing, units, "4", "> 0"),
    TN__ROW(TN_FIELD_INTS, thing, size, "none", "> 0"),
    TN__ROW(TN_FIELD_FLOAT, thing, rate, "0.5", "0..1"),
    TN__ROW(TN_FIELD_BOOL, thing, on, "true", NULL),
    TN__ROW(TN_FIELD_FLAG, thing, flag, "false", NULL),
    TN__ROW(TN_FIELD_AXIS, thing, axis, "-1", ">= -8"),
    TN__ROW(TN_FIELD_STRING, thing, padding, "valid", "valid|same"),
    TN__ROW(TN_FIELD_STRING, thing, title, "none", NULL),
    TN__ROW(TN_FIELD_SHAPE, thing, shape, "none", NULL),
    TN__ROW(TN_FIELD_AXES, thing, axes, "none", NULL),
    TN__ROW(TN_FIELD_DTYPE, thing, dtype, "float32", NULL),
    TN__ROW(TN_FIELD_TENSOR, thing, scales, "none", NULL),
    TN__ROW(TN_FIELD_POINTER, thing, hidden, NULL, NULL),
    TN__END_OF_FIELDS,
};

static const tn_field *field(const char *name)
{
    const tn_field *found = tn__field_find(fields, name);
    assert_non_null(found);
    return found;
}

static thing made(void)
{
    thing t = { 0 };
    CHECK_OK(tn__fields_default(fields, &t));
    return t;
}

static void check_text(const thing *t, const char *name, const char *expected)
{
    tn__text text = { 0 };
    tn__field_print(field(name), t, &text);
    assert_string_equal(tn__text_get(&text), expected);
    tn__text_free(&text);
}

/* What a text makes of a field, printed. */
static void reads(const char *name, const char *text, const char *expected)
{
    thing t = made();
    CHECK_OK(tn__field_parse(field(name), &t, text, "Thing"));
    check_text(&t, name, expected);
    tn__fields_release(fields, &t);
}

static void refuses(const char *name, const char *text)
{
    thing t = made();
    char message[160];
    assert_int_equal(tn__field_parse(field(name), &t, text, "Thing 't'"), TN_INVALID_ARGUMENT);
    snprintf(message, sizeof message, "Received: %s=%s", name, text);
    CHECK_ERROR(TN_INVALID_ARGUMENT, message);
    tn__fields_release(fields, &t);
}

static void defaults_are_written_and_print_as_python_has_them(void **state)
{
    (void)state;
    static const char *const expected[] = { "4",         "None",    "0.5",  "True", "False",
                                            "-1",        "'valid'", "None", "None", "None",
                                            "'float32'", "None",    "None" };
    thing t = made();
    size_t i = 0;
    TN__EACH_FIELD(f, fields)
    check_text(&t, f->name, expected[i++]);
    CHECK_OK(tn__fields_check(fields, &t, "Thing"));
    assert_null(tn__field_find(fields, "unit"));
    assert_null(tn__field_find(fields, ""));
    tn__fields_release(fields, &t);
}

static void texts_are_read_in_every_spelling(void **state)
{
    (void)state;
    reads("units", "128", "128");
    reads("units", "None", "None");
    reads("units", "-9223372036854775807", "-9223372036854775807");
    reads("rate", "1e-3", "0.001");
    reads("rate", "none", "None");
    reads("rate", "inf", "inf");
    reads("on", "False", "False");
    reads("on", "1", "True");
    reads("flag", "TRUE", "True");
    reads("axis", "2", "2");
    reads("padding", "'same'", "'same'");
    reads("padding", "\"same\"", "'same'");
    reads("title", "null", "None");
    reads("title", "'none'", "'none'"); /* a text, between quotes */
    reads("title", "", "''");
    reads("title", "'", "'''");
    reads("size", "3", "(3, 3)");
    reads("size", "3x5", "(3, 5)");
    reads("size", "(3, 5)", "(3, 5)");
    reads("size", "[3, 5]", "(3, 5)");
    reads("shape", "(None, 28, 28)", "(None, 28, 28)");
    reads("shape", "10", "(10,)");
    reads("shape", "()", "()");
    reads("axes", "(1, -1)", "(1, -1)");
    reads("axes", "2", "(2,)");
    reads("dtype", "half", "'float16'");
    reads("dtype", "none", "None");
    reads("scales", "[0.1, -2,3]", "[0.1, -2.0, 3.0]");
    reads("scales", "[]", "[]");
    reads("scales", "[ 1 ]", "[1.0]");
    reads("hidden", "none", "None");
}

static void texts_that_say_something_else_are_refused(void **state)
{
    (void)state;
    refuses("units", "");
    refuses("units", "ten");
    refuses("units", "3.5");
    refuses("units", "3 ");
    refuses("units", "9223372036854775808");
    refuses("units", "-9223372036854775808"); /* stands for None inside */
    refuses("rate", "nan");
    refuses("rate", "0,5");
    refuses("rate", "0x10");
    refuses("on", "yes");
    refuses("flag", "2");
    refuses("axis", "4294967297");
    refuses("axis", "none");
    refuses("size", "3, 4, 5");
    refuses("size", "()");
    refuses("size", "3y5");
    refuses("size", "3x");
    refuses("shape", "x");
    refuses("size", "99999999999999999999");
    refuses("shape", "1, 2, 3, 4, 5, 6, 7, 8, 9");
    refuses("shape", "(-, 2)");
    refuses("axes", "4294967297");
    refuses("dtype", "float8");
    refuses("scales", "0.1");
    refuses("scales", "[0.1");
    refuses("scales", "[0.1] 2");
    refuses("scales", "[nan]");
    refuses("hidden", "0x1234");
}

static void a_value_outside_its_range_is_named(void **state)
{
    (void)state;
    thing t = made();
    t.units = 0;
    tn__fields_check(fields, &t, "Thing 't'");
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Thing 't': invalid value received for argument `units`. Expected > 0. Received: units=0");
    t.units = INT64_MIN; /* None passes: a field that must be given is the owner's to check */
    t.rate = 1.5;
    tn__fields_check(fields, &t, "Thing 't'");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`rate`. Expected 0..1. Received: rate=1.5");
    t.rate = 1;
    t.axis = -9;
    tn__fields_check(fields, &t, "Thing 't'");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`axis`. Expected >= -8. Received: axis=-9");
    t.axis = -8;
    CHECK_OK(tn__field_parse(field("padding"), &t, "sam", "Thing"));
    tn__fields_check(fields, &t, "Thing 't'");
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "`padding`. Expected one of valid|same. Received: padding='sam'");
    CHECK_OK(tn__field_parse(field("padding"), &t, "same", "Thing"));
    t.size[0] = 3;
    t.size[1] = -1;
    tn__fields_check(fields, &t, "Thing 't'");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`size`. Expected > 0. Received: size=(3, -1)");
    t.size[1] = 0;
    CHECK_OK(tn__fields_check(fields, &t, "Thing 't'"));
    tn__fields_release(fields, &t);
}

static void shapes_and_axes_filled_in_by_hand_may_say_anything(void **state)
{
    (void)state;
    thing t = made();
    t.axes.count = 1 << 20;
    tn__fields_check(fields, &t, "Thing 't'");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Thing 't': invalid value received for argument `axes`. "
                                     "Expected 0 to 8 axes. Received: 1048576");
    t.axes.count = -1;
    tn__fields_check(fields, &t, "Thing 't'");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Received: -1");
    t.axes.count = 0;
    t.shape = (tn_shape){ 1, 9, { 0 } };
    tn__fields_check(fields, &t, "Thing 't'");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a shape has 0 to 8 dimensions, got 9");
    tn__fields_release(fields, &t);
}

static void a_copy_owns_its_texts_and_keeps_its_tensors(void **state)
{
    (void)state;
    size_t handles = tn_live_handles(), allocations = live_allocations();
    char padding[] = "same";
    thing t = { .padding = padding, .scales = tn__tensor_int32(3) };
    tn_tensor *scales = t.scales;
    CHECK_OK(tn__fields_own(fields, &t));
    tn__release(scales);
    padding[0] = 'X';
    assert_string_equal(t.padding, "same");
    assert_float_equal(tn__double_at(t.scales, 0), 3, 0);
    CHECK_OK(tn__field_parse(field("padding"), &t, "valid", "Thing")); /* gives the old text back */
    CHECK_OK(tn__field_parse(field("scales"), &t, "[1]", "Thing"));
    tn__fields_release(fields, &t);
    tn__fields_release(fields, &t); /* nothing is left */
    assert_int_equal(tn_live_handles(), handles);
    assert_int_equal(live_allocations(), allocations);
}

static void equal_means_every_field_with_texts_by_content(void **state)
{
    (void)state;
    char one[] = "same", other[] = "same";
    thing a = made(), b = made();
    tn__fields_release(fields, &a);
    tn__fields_release(fields, &b);
    a.padding = one;
    b.padding = other;
    assert_true(tn__fields_equal(fields, &a, &b));
    b.padding = NULL;
    assert_false(tn__fields_equal(fields, &a, &b));
    b.padding = other;
    a.rate = b.rate = NAN;
    assert_true(tn__fields_equal(fields, &a, &b)); /* None is None */
    b.units++;
    assert_false(tn__fields_equal(fields, &a, &b));
}

static bool parse_and_own(void *unused)
{
    (void)unused;
    thing t = { 0 }, copy;
    bool done = tn__fields_default(fields, &t) == TN_OK &&
                tn__field_parse(field("scales"), &t, "[1, 2]", "Thing") == TN_OK &&
                tn__field_parse(field("title"), &t, "a title", "Thing") == TN_OK;
    copy = t;
    if (done) {
        done = tn__fields_own(fields, &copy) == TN_OK;
        tn__fields_release(fields, &copy);
    }
    tn__fields_release(fields, &t);
    return done;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(parse_and_own, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_written_and_print_as_python_has_them),
        cmocka_unit_test(texts_are_read_in_every_spelling),
        cmocka_unit_test(texts_that_say_something_else_are_refused),
        cmocka_unit_test(a_value_outside_its_range_is_named),
        cmocka_unit_test(shapes_and_axes_filled_in_by_hand_may_say_anything),
        cmocka_unit_test(a_copy_owns_its_texts_and_keeps_its_tensors),
        cmocka_unit_test(equal_means_every_field_with_texts_by_content),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
