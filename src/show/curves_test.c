/* curves_test.c - histories as charts. */
#include "show/check_svg.h"
#include "train/callback.h"
#include <math.h>

static tn_history *trained(int64_t epochs, bool validation)
{
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(1, .input_shape = TN_SHAPE(2))));
    CHECK_OK(tn_compile(model, tn_sgd(0.01), "mse", { "mae" }));
    tn_tensor *x = tn_ones(TN_SHAPE(8, 2), TN_FLOAT32), *y = tn_ones(TN_SHAPE(8, 1), TN_FLOAT32);
    return tn_fit(model, x, y, .epochs = epochs, .verbose = 0, .validation_split = validation ? 0.25 : 0);
}

/* A history of these losses and, where it is not NULL, these of validation. */
static tn_history *made(const double *loss, const double *validation, int64_t epochs)
{
    tn_history *history = tn__own(tn__object_new(&tn__type_history));
    for (int64_t i = 0; i < epochs; i++) {
        const char *keys[] = { "loss", "val_loss" };
        double values[] = { loss[i], validation ? validation[i] : 0 };
        CHECK_OK(tn__history_add(history, &(tn_logs){ .count = validation ? 2 : 1, .key = keys, .value = values }));
    }
    return history;
}

static const char *drawn(tn_history *history)
{
    const char *path = temporary_path("curves.svg");
    CHECK_OK(tn_plot_history(history, path));
    return check_svg(path);
}

static void each_quantity_has_a_chart_with_both_lines(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *svg = drawn(trained(4, true));
    assert_int_equal(count_of(svg, "font-weight=\"bold\">loss<"), 1);
    assert_int_equal(count_of(svg, "font-weight=\"bold\">mae<"), 1);
    assert_int_equal(count_of(svg, ">training<"), 2);
    assert_int_equal(count_of(svg, ">validation<"), 2);
    assert_int_equal(count_of(svg, "stroke=\"#1f5fa8\""), 4); /* a line and its entry in the legend, twice */
    assert_int_equal(count_of(svg, "<circle"), 16);
    assert_true(strstr(svg, ">loss<") < strstr(svg, ">mae<"));
}

static void without_validation_there_is_one_line(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *svg = drawn(trained(2, false));
    assert_null(strstr(svg, "validation"));
    assert_int_equal(count_of(svg, ">training<"), 2);
}

static void one_epoch_is_a_dot(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *svg = drawn(made((double[]){ 0.5 }, NULL, 1));
    assert_int_equal(count_of(svg, "<circle"), 1);
    assert_int_equal(count_of(svg, "stroke=\"#1f5fa8\""), 1); /* the legend's */
}

static void ticks_are_round_numbers(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *svg = drawn(made((double[]){ 0.93, 0.34 }, NULL, 2));
    const char *const ticks[] = { "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0" };
    for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++)
        assert_int_equal(count_of(svg, tn_format(">%s<", ticks[i])), 1);
    svg = drawn(made((double[]){ 2e-9, 1e-9 }, NULL, 2));
    assert_non_null(strstr(svg, ">2.00e-09<"));
}

static void equal_values_and_zeros_have_an_axis(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_int_equal(count_of(drawn(made((double[]){ 0, 0, 0 }, NULL, 3)), "<circle"), 3);
    assert_int_equal(count_of(drawn(made((double[]){ -7, -7 }, NULL, 2)), "<circle"), 2);
    assert_int_equal(count_of(drawn(made((double[]){ -1.7e308, 1.7e308 }, NULL, 2)), "<circle"), 2);
}

static void values_that_are_none_are_left_out(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *svg = drawn(made((double[]){ 1, NAN, 0.5, INFINITY }, (double[]){ NAN, 2, NAN, 1 }, 4));
    assert_int_equal(count_of(svg, "<circle"), 4);
    svg = drawn(made((double[]){ NAN, NAN }, NULL, 2));
    assert_int_equal(count_of(svg, "no finite values"), 1);
}

static void what_cannot_be_drawn_is_said(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_history *empty = made(NULL, NULL, 0);
    assert_int_not_equal(tn_plot_history(empty, temporary_path("x.svg")), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "the history has no epoch");
    tn_history *history = made((double[]){ 1 }, NULL, 1);
    assert_int_not_equal(tn_plot_history(history, NULL), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "to_file must be a path");
    assert_int_not_equal(tn_plot_history(history, temporary_path("no/folder.svg")), TN_OK);
    CHECK_ERROR(TN_NOT_FOUND, "folder.svg");
}

static bool plot(void *history)
{
    return tn_plot_history(history, temporary_path("memory.svg")) == TN_OK;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    check_allocation_failures(plot, made((double[]){ 1, 2 }, (double[]){ 3, 1 }, 2));
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_quantity_has_a_chart_with_both_lines),
        cmocka_unit_test(without_validation_there_is_one_line),
        cmocka_unit_test(one_epoch_is_a_dot),
        cmocka_unit_test(ticks_are_round_numbers),
        cmocka_unit_test(equal_values_and_zeros_have_an_axis),
        cmocka_unit_test(values_that_are_none_are_left_out),
        cmocka_unit_test(what_cannot_be_drawn_is_said),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
