/* plot_test.c - models as drawings. */
#include "show/check_svg.h"

static tn_model *branches(void)
{
    tn_tensor *x = tn_input(TN_SHAPE(8), .name = "x"), *z = tn_input(TN_SHAPE(3), .name = "z");
    tn_tensor *left = tn_call(tn_dense(4, "relu", .name = "left"), x), *right = tn_call(tn_dense(4, .name = "right"), x);
    tn_tensor *both = tn_call(tn_concatenate(.name = "both"), left, right, z);
    return tn_model(tn_tuple(x, z), tn_tuple(tn_call(tn_dense(2, .name = "out"), both), left), "branches");
}

static tn_model *nested(void)
{
    tn_model *inner = tn_sequential(TN_LAYERS(tn_dense(5, .name = "a", .input_shape = TN_SHAPE(6)), tn_dense(4, .name = "b")), "inner");
    tn_tensor *x = tn_input(TN_SHAPE(6), .name = "x");
    tn_model *middle = tn_model(x, tn_call(tn_dense(3, .name = "c"), tn_call(inner, x)), "middle");
    tn_tensor *y = tn_input(TN_SHAPE(6), .name = "y");
    return tn_model(y, tn_call(tn_add_layer(.name = "sum"), tn_call(middle, y), tn_call(tn_dense(3, .name = "side"), y)), "outer");
}

static void every_layer_is_a_box_and_every_link_an_arrow(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("branches.svg");
    CHECK_OK(tn_plot_model(branches(), path, .show_shapes = true, .show_layer_names = true, .show_dtype = true,
                           .show_layer_activations = true, .show_trainable = true));
    const char *svg = check_svg(path);
    assert_int_equal(count_of(svg, "<polygon"), 6);
    assert_int_equal(count_of(svg, "fill=\"#222\" stroke=\"#222\""), 6);
    assert_int_equal(count_of(svg, ">left</tspan> (Dense)<"), 1);
    assert_int_equal(count_of(svg, "Activation: relu"), 1);
    assert_int_equal(count_of(svg, "Activation: linear"), 2);
    assert_int_equal(count_of(svg, "Input shape: [(None, 4), (None, 4), (None, 3)]"), 1);
    assert_int_equal(count_of(svg, "Output dtype: float32"), 6);
    assert_int_equal(count_of(svg, ">Trainable<"), 3);
}

static void what_is_not_asked_for_is_not_there(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("bare.svg");
    CHECK_OK(tn_plot_model(branches(), path));
    const char *svg = check_svg(path);
    assert_int_equal(count_of(svg, ">Dense</tspan><"), 3);
    assert_null(strstr(svg, "shape"));
    assert_null(strstr(svg, "left"));
}

static void a_sequential_is_drawn_without_its_input(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(5, .input_shape = TN_SHAPE(6)), tn_relu(), tn_dense(4)));
    const char *path = temporary_path("sequential.svg");
    CHECK_OK(tn_plot_model(model, path, .rankdir = "LR"));
    const char *svg = check_svg(path);
    assert_int_equal(count_of(svg, "<tspan"), 3);
    assert_int_equal(count_of(svg, "<polygon"), 2);
}

static void nested_models_are_boxes_or_frames(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = nested();
    const char *path = temporary_path("nested.svg");
    CHECK_OK(tn_plot_model(model, path, .show_layer_names = true));
    const char *svg = check_svg(path);
    assert_int_equal(count_of(svg, "<tspan"), 4);
    assert_null(strstr(svg, "stroke-dasharray"));
    for (int sideways = 0; sideways < 2; sideways++) {
        CHECK_OK(tn_plot_model(model, path, .show_layer_names = true, .expand_nested = true, .rankdir = sideways ? "LR" : "TB"));
        svg = check_svg(path);
        assert_int_equal(count_of(svg, "stroke-dasharray"), 2);
        assert_int_equal(count_of(svg, "<tspan"), 3 + 2 + 4); /* boxes of the outer model, frames, boxes in them */
        assert_int_equal(count_of(svg, "<polygon"), 7);       /* lines end at boxes, not at frames */
    }
}

static void a_shared_layer_stands_there_once(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_input(TN_SHAPE(5));
    tn_layer *twin = tn_dense(5, .name = "twin");
    tn_tensor *once = tn_call(twin, x), *twice = tn_call(twin, tn_call(tn_relu(), once));
    const char *path = temporary_path("shared.svg");
    CHECK_OK(tn_plot_model(tn_model(x, tn_call(twin, twice)), path, .show_layer_names = true));
    const char *svg = check_svg(path);
    assert_int_equal(count_of(svg, ">twin<"), 1);
    assert_int_equal(count_of(svg, "<polygon"), 4); /* into it, to the other and back, and round itself */
}

static void ops_in_a_model_are_boxes_too(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_input(TN_SHAPE(5));
    const char *path = temporary_path("ops.svg");
    CHECK_OK(tn_plot_model(tn_model(x, tn_add(tn_call(tn_dense(5), x), x)), path, .show_layer_names = true));
    assert_int_equal(count_of(check_svg(path), "<polygon"), 3);
}

static void names_are_escaped_and_long_ones_cut(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(TN_LAYERS(
        tn_dense(5, .input_shape = TN_SHAPE(6), .name = "a<b>&\"c\"\x01\xff"),
        tn_dense(5, .name = "a_name_that_goes_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_until_nobody_wants_to_read_it")));
    const char *path = temporary_path("names.svg");
    CHECK_OK(tn_plot_model(model, path, .show_layer_names = true));
    const char *svg = check_svg(path);
    assert_int_equal(count_of(svg, "a&lt;b&gt;&amp;&quot;c&quot;\xef\xbf\xbd\xef\xbf\xbd<"), 1);
    assert_int_equal(count_of(svg, "<g><title>a_name_that_goes_on"), 1);
    assert_int_equal(count_of(svg, "…</tspan>"), 1);
}

static void a_very_deep_model_is_drawn(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_input(TN_SHAPE(4)), *h = x;
    for (int i = 0; i < 6000; i++) {
        TN_SCOPE;
        h = tn_keep(i % 5 ? tn_call(tn_relu(), h) : tn_call(tn_add_layer(), h, x));
    }
    const char *path = temporary_path("deep.svg");
    tn_model *model = tn_model(x, h);
    CHECK_OK(tn_plot_model(model, path));
    assert_int_equal(count_of(check_svg(path), "<polygon"), 6000 + 1200 - 1); /* the first Add has the input twice: one line */
}

static void what_cannot_be_drawn_is_said(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *unbuilt = tn_sequential(TN_LAYERS(tn_dense(3)));
    assert_int_not_equal(tn_plot_model(unbuilt, temporary_path("x.svg")), TN_OK);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "This model has not yet been built.");
    tn_model *model = branches();
    assert_int_not_equal(tn_plot_model(model, temporary_path("x.svg"), .rankdir = "UP"), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "rankdir must be \"TB\" or \"LR\", got \"UP\"");
    assert_int_not_equal(tn_plot_model(model, ""), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "to_file must be a path");
    assert_int_not_equal(tn_plot_model(model, temporary_path("no/folder.svg")), TN_OK);
    CHECK_ERROR(TN_NOT_FOUND, "folder.svg");
    assert_int_not_equal(tn_plot_model(NULL, temporary_path("x.svg")), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "model");
}

static bool plot(void *model)
{
    TN_SCOPE;
    return tn_plot_model(model, temporary_path("memory.svg"), .show_shapes = true, .show_layer_names = true, .expand_nested = true,
                         .show_layer_activations = true, .show_trainable = true, .show_dtype = true) == TN_OK;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    check_allocation_failures(plot, nested());
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_is_a_box_and_every_link_an_arrow),
        cmocka_unit_test(what_is_not_asked_for_is_not_there),
        cmocka_unit_test(a_sequential_is_drawn_without_its_input),
        cmocka_unit_test(nested_models_are_boxes_or_frames),
        cmocka_unit_test(a_shared_layer_stands_there_once),
        cmocka_unit_test(ops_in_a_model_are_boxes_too),
        cmocka_unit_test(names_are_escaped_and_long_ones_cut),
        cmocka_unit_test(a_very_deep_model_is_drawn),
        cmocka_unit_test(what_cannot_be_drawn_is_said),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
