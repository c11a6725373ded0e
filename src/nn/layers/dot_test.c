/* dot_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/more.h"

static void products_are_summed_along_an_axis_of_each(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = layer_input(TN_SHAPE(2, 4), 0), *cube = layer_input(TN_SHAPE(2, 3, 4), 0);
    unsigned skip = SKIP_EMPTY | SKIP_ANY_BATCH; /* both inputs have one batch */
    CHECK_LAYER(.layer = tn_dot(TN_AXES(-1)), .text = "dot(-1)",
                .inputs = TN_LIST(a, layer_input(TN_SHAPE(2, 4), 1)),
                .expected = VALUES_OF(dot_last), .skip = skip);
    CHECK_LAYER(.layer = tn_dot(TN_AXES(2, 1)), .text = "dot((2, 1))",
                .inputs = TN_LIST(cube, layer_input(TN_SHAPE(2, 4, 5), 1)),
                .expected = VALUES_OF(dot_matrices), .skip = skip);
    CHECK_LAYER(.layer = tn_dot(TN_AXES(1), true), .text = "dot(1, true)",
                .inputs = TN_LIST(a, layer_input(TN_SHAPE(2, 4, 3), 1)),
                .expected = VALUES_OF(dot_normalized), .skip = skip);
    CHECK_LAYER(.layer = tn_dot(TN_AXES(3, 2)), .text = "dot((3, 2))",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 3, 2, 4), 0),
                                  layer_input(TN_SHAPE(2, 2, 4, 3), 1)),
                .expected = VALUES_OF(dot_rank4), .skip = skip);
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = layer_input(TN_SHAPE(2, 4), 0), *b = layer_input(TN_SHAPE(2, 3), 0);
    assert_null(tn_call(tn_dot(TN_AXES(1)), a, b));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Incompatible input shapes: axis values 4 (at axis 1) != 3 (at axis 1). Full input "
                "shapes: (2, 4), (2, 3)");
    assert_null(tn_call(tn_dot(TN_AXES(0)), a, a));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Cannot perform batch_dot over axis 0.");
    assert_null(tn_call(tn_dot(TN_AXES(1)), a));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "A `Dot` layer should be called on a list of 2 inputs.");
    assert_null(tn_dot(TN_AXES(1, 2, 3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Invalid format for argument `axes`: it should contain two "
                                     "elements. Received: axes=(1, 2, 3)");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_summed_along_an_axis_of_each),
        cmocka_unit_test(what_does_not_fit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
