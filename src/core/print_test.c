/* print_test.c - tensors as text, held against what the real numpy prints (testdata). */
#include "support/check.h"
#include "runtime/graph.h"
#include <jansson.h>
#include <locale.h>
#include <stdlib.h>
#include <zlib.h>

static const char *cases_path = "src/core/testdata/print_cases.json";

/* --- numpy's cases ------------------------------------------------------------------------- */
static tn_shape shape_of_case(const json_t *dims)
{
    tn_shape shape = { 1, (int)json_array_size(dims), { 0 } };
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = json_integer_value(json_array_get(dims, (size_t)i));
    return shape;
}

/* The elements from their hexadecimal bytes, again from the first when there are too few. */
static void *elements_of_case(const char *hex, size_t size)
{
    size_t given = strlen(hex) / 2;
    unsigned char *data = malloc(size + 1);
    assert_non_null(data);
    for (size_t i = 0; i < size; i++) {
        char byte[3] = { hex[i % given * 2], hex[i % given * 2 + 1], 0 };
        data[i] = (unsigned char)strtoul(byte, NULL, 16);
    }
    return data;
}

static void check_case(const json_t *one)
{
    TN_SCOPE;
    const char *dtype_name = json_string_value(json_object_get(one, "dtype"));
    const char *expected = json_string_value(json_object_get(one, "text"));
    const char *hex = json_string_value(json_object_get(one, "data"));
    tn_dtype dtype = tn__dtype_of_name(dtype_name);
    tn_shape shape = shape_of_case(json_object_get(one, "shape"));
    void *data = elements_of_case(hex, (size_t)tn__shape_count(&shape) * tn__dtype_size(dtype));
    tn_tensor *x = tn_constant(dtype, shape, data);
    free(data);
    const char *text = tn_text(x);
    CHECK_NO_ERROR();
    if (strcmp(text, expected) != 0)
        fail_msg("%s %s of %s\nnumpy:\n%s\ntenon:\n%s", dtype_name, tn_shape_text(x), hex, expected,
                 text);
}

static json_t *read_cases(void)
{
    json_error_t error;
    json_t *root = json_load_file(cases_path, 0, &error);
    if (!root)
        fail_msg("%s: %s", cases_path, error.text);
    return root;
}

static void check_all_cases(void)
{
    json_t *root = read_cases(), *cases = json_object_get(root, "cases");
    assert_true(json_array_size(cases) > 100);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_case(json_array_get(cases, i));
    json_decref(root);
}

static void arrays_print_as_numpy_prints_them(void **state)
{
    (void)state;
    check_all_cases();
}

static void a_locale_with_a_decimal_comma_changes_nothing(void **state)
{
    (void)state;
    const char *names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR" };
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names && !found; i++)
        found = setlocale(LC_ALL, names[i]) != NULL;
    if (!found)
        skip();
    check_all_cases();
    setlocale(LC_ALL, "C");
}

static void every_float16_prints_as_numpy_prints_it(void **state)
{
    (void)state;
    json_t *root = read_cases();
    uLong sum = crc32(0, NULL, 0);
    for (int bits = 0; bits <= UINT16_MAX; bits++) {
        TN_SCOPE;
        uint16_t half = (uint16_t)bits;
        const char *text = tn_text(tn_constant(TN_FLOAT16, TN_SCALAR, &half));
        sum = crc32(sum, (const Bytef *)text, (uInt)strlen(text));
        sum = crc32(sum, (const Bytef *)"\n", 1);
    }
    CHECK_NO_ERROR();
    assert_int_equal(sum, json_integer_value(json_object_get(root, "all_float16")));
    json_decref(root);
}

/* --- what is no plain array ---------------------------------------------------------------- */
static tn_tensor *vector(void)
{
    return tn_constant(TN_FLOAT32, TN_SHAPE(2), (float[]){ 1, 2.5f });
}

static void a_variable_prints_its_value(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *w = tn_variable(vector(), .name = "w");
    assert_string_equal(tn_text(w), "[1.  2.5]");
    tn_assign(w, tn_multiply(w, tn_scalar(2)));
    assert_string_equal(tn_text(w), "[2. 5.]");
    CHECK_NO_ERROR();
}

static void tuples_and_lists_print_like_pythons(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = vector(), *one = tn_scalar(1);
    assert_string_equal(tn_text(tn_tuple(x, tn_tuple(one))), "([1.  2.5], (1,))");
    assert_string_equal(tn_shape_text(tn_tuple(x, tn_tuple(one))), "((2,), ((),))");
    assert_string_equal(tn_list_text(TN_LIST(x, one)), "[[1.  2.5], 1]");
    tn_list gradients = { 2, (tn_tensor *[]){ one, NULL } };
    assert_string_equal(tn_list_text(gradients), "[1, None]");
    assert_string_equal(tn_list_text((tn_list){ 0, gradients.item }), "[]");
    CHECK_NO_ERROR();
}

static void tuples_print_however_deep_they_may_be(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_scalar(1);
    for (int i = 0; i < 100; i++)
        x = tn_tuple(x);
    const char *text = tn_text(x);
    CHECK_NO_ERROR();
    assert_int_equal(strspn(text, "("), 100);
    assert_null(tn_tuple(x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a tuple holds at most 100 levels of tuples");
}

static void a_symbolic_tensor_prints_its_type_and_shape(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x;
    CHECK_OK(tn__graph_input(tn__context(), NULL, TN_FLOAT32, &TN_SHAPE(TN_NONE, 10), "x", &x));
    assert_string_equal(tn_text(x), "<tenon symbolic float32 (None, 10)>");
    assert_string_equal(tn_shape_text(x), "(None, 10)");
    assert_string_equal(
        tn_text(tn_tuple(x, x)),
        "(<tenon symbolic float32 (None, 10)>, <tenon symbolic float32 (None, 10)>)");
    tn__release(x);
    CHECK_NO_ERROR();
}

static void shapes_print_like_pythons(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_string_equal(tn_shape_text(tn_zeros(TN_SHAPE(1, 10), TN_FLOAT32)), "(1, 10)");
    assert_string_equal(tn_shape_text(tn_zeros(TN_SHAPE(3), TN_FLOAT32)), "(3,)");
    assert_string_equal(tn_shape_text(tn_scalar(3)), "()");
    assert_string_equal(tn_shape_text(tn_zeros(TN_SHAPE(0, 3), TN_FLOAT32)), "(0, 3)");
    CHECK_NO_ERROR();
}

static void formatted_text_is_as_long_as_it_must_be(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_string_equal(tn_format("epoch %d: %s", 3, tn_text(vector())), "epoch 3: [1.  2.5]");
    assert_int_equal(strlen(tn_format("%5000d", 1)), 5000);
    assert_string_equal(tn_format("%s", ""), "");
    CHECK_NO_ERROR();
}

/* --- failures ------------------------------------------------------------------------------ */
static void a_failure_reads_as_its_cause_and_stays_kept(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = vector();
    tn_tensor *y = tn_add(x, tn_zeros(TN_SHAPE(3), TN_FLOAT32));
    assert_string_equal(tn_text(y), "<failed: Incompatible shapes: [2] vs. [3]>");
    assert_string_equal(tn_shape_text(y), "<failed: Incompatible shapes: [2] vs. [3]>");
    assert_string_equal(tn_list_text((tn_list){ 0, NULL }),
                        "<failed: Incompatible shapes: [2] vs. [3]>");
    assert_string_equal(tn_text(x), "[1.  2.5]");
    assert_string_equal(tn_format("%d", 5), "5");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Incompatible shapes");
}

static void null_is_an_error_of_its_own(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_string_equal(tn_text(NULL),
                        "<failed: a tensor to be printed is NULL (an unconnected gradient?)>");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "NULL");
    assert_non_null(strstr(tn_list_text((tn_list){ 0, NULL }), "<failed: "));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "the list is NULL");
    tn_tensor *x;
    {
        TN_SCOPE;
        x = vector();
    }
    assert_non_null(strstr(tn_text(x), "has been freed"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "has been freed");
}

static bool make_texts(void *self)
{
    (void)self;
    tn_tensor *x = tn_ones(TN_SHAPE(40, 40), TN_FLOAT32);
    tn_list both = TN_LIST(x, x);
    const char *text = tn_text(x), *list = tn_list_text(both), *shape = tn_shape_text(x),
               *format = tn_format("%300d", 1);
    return text && list && shape && format && tn_pending() == TN_OK;
}

static void running_out_of_memory_still_gives_a_text(void **state)
{
    (void)state;
    check_allocation_failures(make_texts, NULL);
}

/* --- tn_print ------------------------------------------------------------------------------ */
typedef struct {
    char text[256];
    size_t size;
    int writes;
} page;

static void write_page(void *self, tn_sink_kind kind, const char *text, size_t size)
{
    page *p = self;
    assert_int_equal(kind, TN_SINK_OUTPUT);
    assert_true(p->size + size < sizeof p->text);
    memcpy(p->text + p->size, text, size);
    p->size += size;
    p->writes++;
}

static void printing_writes_whole_lines_to_the_sink(void **state)
{
    (void)state;
    TN_SCOPE;
    page p = { .size = 0 };
    tn_set_sink((tn_sink){ .write = write_page, .self = &p });
    tn_print(vector());
    tn_print(tn_scalar(0.1));
    tn_print(NULL);
    tn_set_sink((tn_sink){ .write = NULL });
    assert_int_equal(p.writes, 3);
    assert_string_equal(
        p.text,
        "[1.  2.5]\n0.1\n<failed: a tensor to be printed is NULL (an unconnected gradient?)>\n");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "NULL");
}

int main(int argc, char **argv)
{
    tests_begin();
    if (argc > 1) /* a longer comparison, see testdata/make_print_cases.py */
        cases_path = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_print_as_numpy_prints_them),
        cmocka_unit_test(a_locale_with_a_decimal_comma_changes_nothing),
        cmocka_unit_test(every_float16_prints_as_numpy_prints_it),
        cmocka_unit_test(a_variable_prints_its_value),
        cmocka_unit_test(tuples_and_lists_print_like_pythons),
        cmocka_unit_test(tuples_print_however_deep_they_may_be),
        cmocka_unit_test(a_symbolic_tensor_prints_its_type_and_shape),
        cmocka_unit_test(shapes_print_like_pythons),
        cmocka_unit_test(formatted_text_is_as_long_as_it_must_be),
        cmocka_unit_test(a_failure_reads_as_its_cause_and_stays_kept),
        cmocka_unit_test(null_is_an_error_of_its_own),
        cmocka_unit_test(running_out_of_memory_still_gives_a_text),
        cmocka_unit_test(printing_writes_whole_lines_to_the_sink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
