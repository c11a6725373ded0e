/* summary_test.c - tables as the real Keras prints them (testdata/summaries.py). */
#include "support/check.h"
#include "base/file.h"
#include "base/text.h"
#include <jansson.h>
#include <stdlib.h>

#define TESTDATA "src/show/testdata/"

static tn__text printed;
static void keep(void *self, tn_sink_kind kind, const char *text, size_t size)
{
    (void)self;
    if (kind == TN_SINK_OUTPUT)
        tn__text_add_bytes(&printed, text, size);
}

static const char *summary_of(const tn_summary_options *options)
{
    tn__text_free(&printed);
    tn_set_sink((tn_sink){ .write = keep });
    tn_summary_with(options);
    tn_set_sink((tn_sink){ 0 });
    return tn__text_get(&printed);
}

static void check_text(const char *name, tn_model *model, const json_t *wanted)
{
    tn_summary_options options = {
        .size_ = sizeof options,
        .model = model,
        .line_length = (int)json_integer_value(json_object_get(wanted, "line_length")),
        .expand_nested = json_is_true(json_object_get(wanted, "expand_nested")),
        .show_trainable = json_is_true(json_object_get(wanted, "show_trainable")),
    };
    const char *text = summary_of(&options), *expected = json_string_value(json_object_get(wanted, "text"));
    CHECK_NO_ERROR();
    if (strcmp(text, expected) != 0)
        fail_msg("%s at line_length %d: Keras prints\n%s\ntenon prints\n%s", name, options.line_length, expected, text);
}

static void tables_equal_keras(void **state)
{
    (void)state;
    setenv("COLUMNS", "300", 1);
    json_t *cases = json_load_file(TESTDATA "summaries.json", 0, NULL), *one, *text;
    size_t i, k;
    assert_true(json_array_size(cases) > 5);
    json_array_foreach(cases, i, one)
    {
        TN_SCOPE;
        tn_model *model = tn_model_from_json(json_string_value(json_object_get(one, "model")));
        CHECK_NO_ERROR();
        json_array_foreach(json_object_get(one, "texts"), k, text) check_text(json_string_value(json_object_get(one, "name")), model, text);
    }
    json_decref(cases);
    unsetenv("COLUMNS");
}

static const char *plain_summary(tn_model *model)
{
    return summary_of(&(tn_summary_options){ .size_ = sizeof(tn_summary_options), .model = model, .line_length = 88 });
}

static void an_optimizer_s_state_counts_once_it_is_there(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(4, .input_shape = TN_SHAPE(4))));
    CHECK_OK(tn_compile(model, tn_adam(0.001), "mse"));
    assert_non_null(
        strstr(plain_summary(model), " Total params: 20 (80.00 B)\n Trainable params: 20 (80.00 B)\n Non-trainable params: 0 (0.00 B)\n"));
    tn_tensor *x = tn_ones(TN_SHAPE(2, 4), TN_FLOAT32);
    assert_non_null(tn_fit(model, x, x, .verbose = 0));
    assert_non_null(strstr(plain_summary(model), " Total params: 62 (252.00 B)\n"));
    assert_non_null(strstr(plain_summary(model), " Optimizer params: 42 (172.00 B)\n"));
}

typedef struct {
    tn_layer *first, *second, *relu, *unused;
} own;
static void own_init(void *self)
{
    own *s = self;
    s->first = tn_dense(3, .name = "a");
    s->second = tn_dense(2, .name = "b");
    s->relu = tn_relu(.name = "r");
    s->unused = tn_dense(4, .name = "u");
}
static tn_tensor *own_call(void *self, tn_list inputs)
{
    own *s = self;
    return tn_call(s->second, tn_call(s->relu, tn_call(s->first, tn_at(inputs, 0))));
}
static const tn_class own_class = { .name = "Own", .size = sizeof(own), .init = own_init, .call = own_call, .model = true };

/* As Keras prints a subclassed model: shapes of what was built by a call. The batch of that call, which Keras shows, is None here. */
static void a_model_of_the_program_s_own_class_lists_its_layers(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_new(&own_class, .name = "m");
    assert_non_null(
        strstr(plain_summary(model), "│ a (Dense)                            │ ?                           │     0 (unbuilt) │"));
    assert_non_null(tn_call(model, tn_ones(TN_SHAPE(5, 7), TN_FLOAT32)));
    const char *text = plain_summary(model);
    assert_non_null(strstr(text, "│ a (Dense)                            │ (None, 3)                   │              24 │"));
    assert_non_null(strstr(text, "│ b (Dense)                            │ (None, 2)                   │               8 │"));
    assert_non_null(strstr(text, "│ r (ReLU)                             │ ?                           │               0 │"));
    assert_non_null(strstr(text, "│ u (Dense)                            │ ?                           │     0 (unbuilt) │"));
}

static void a_sequential_that_was_called_knows_its_shapes(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(3, .name = "x"), tn_batch_normalization(.name = "n")), "s");
    assert_non_null(tn_call(model, tn_ones(TN_SHAPE(5, 7), TN_FLOAT32)));
    assert_non_null(
        strstr(plain_summary(model), "│ n (BatchNormalization)               │ (None, 3)                   │              12 │"));
}

static void ops_stand_among_the_layers(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_input(TN_SHAPE(4), .name = "in"), *y = tn_nn_relu(tn_add(x, tn_scalar(1.0f)));
    tn_model *model = tn_model(x, tn_add(tn_call(tn_dense(4, .name = "q"), y), y));
    tn_summary_options o = { .size_ = sizeof o, .model = model, .line_length = 108 };
    const char *text = summary_of(&o), *add = strstr(text, "AddV2 (AddV2)"), *relu = strstr(text, "Relu (Relu)");
    const char *dense = strstr(text, "q (Dense)"), *last = strstr(text, "AddV2_1 (AddV2)");
    assert_true(add && relu && dense && last && add < relu && relu < last && dense < last);
    assert_non_null(strstr(text, "q[0][0], Relu[0][0]"));
}

static void a_very_deep_model_has_a_summary(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(TN_LAYERS(tn_relu(.input_shape = TN_SHAPE(2))));
    tn_tensor *x = tn_input(TN_SHAPE(2)), *h = x;
    for (int i = 0; i < 6000; i++) {
        TN_SCOPE;
        CHECK_OK(tn_sequential_add(model, tn_relu(.name = tn_format("r%d", i))));
        h = tn_keep(tn_call(tn_relu(.name = tn_format("f%d", i)), h));
    }
    assert_non_null(strstr(plain_summary(model), "│ r5999 (ReLU)                         │ (None, 2)  "));
    assert_non_null(strstr(plain_summary(tn_model(x, h)), "│ f5999 (ReLU)                         │ (None, 2)  "));
}

static void a_line_that_is_too_short_is_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(4, .input_shape = TN_SHAPE(4))));
    tn_summary_options o = { .size_ = sizeof o, .model = model, .line_length = 15 };
    assert_string_equal(summary_of(&o), "");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Insufficient console width to print summary.");
    o.line_length = -1;
    assert_string_equal(summary_of(&o), "");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "line_length must not be negative, got -1");
}

static void a_name_cannot_move_the_cursor(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(4, .input_shape = TN_SHAPE(4), .name = "a\x1b[2Jb\r")));
    assert_non_null(strstr(plain_summary(model), "│ a?[2Jb? (Dense) "));
}

static bool summarize(void *model)
{
    tn_summary_options o = { .size_ = sizeof o, .model = model, .line_length = 88, .expand_nested = true, .show_trainable = true };
    summary_of(&o);
    bool whole = !printed.failed && printed.bytes.size > 0;
    tn__text_free(&printed);
    return tn_pending() == TN_OK && whole;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *inner = tn_sequential(TN_LAYERS(tn_dense(5, .name = "a", .input_shape = TN_SHAPE(6)), tn_dense(6, .name = "b")), "inner");
    tn_tensor *x = tn_input(TN_SHAPE(6), .name = "x");
    tn_model *model = tn_model(x, tn_add(tn_call(inner, x), x));
    tn__text_free(&printed);
    check_allocation_failures(summarize, model);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_equal_keras),
        cmocka_unit_test(an_optimizer_s_state_counts_once_it_is_there),
        cmocka_unit_test(a_model_of_the_program_s_own_class_lists_its_layers),
        cmocka_unit_test(a_sequential_that_was_called_knows_its_shapes),
        cmocka_unit_test(ops_stand_among_the_layers),
        cmocka_unit_test(a_very_deep_model_has_a_summary),
        cmocka_unit_test(a_line_that_is_too_short_is_refused),
        cmocka_unit_test(a_name_cannot_move_the_cursor),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tn__text_free(&printed);
    return failed;
}
