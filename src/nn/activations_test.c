/* activations_test.c */
#include "support/check_op.h"
#include "nn/object.h"
#include "nn/testdata/object_values.h"
#include <string.h>

enum { COUNT = sizeof activation_values / sizeof *activation_values };

static tn_tensor *activate(void *self, tn_list inputs)
{
    return tn__activate(self, tn_at(inputs, 0));
}

static void functions_give_what_keras_gives(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        TN_SCOPE;
        const char *text = activation_values[i].text;
        tn_tensor *x = check_tensor_of(TN_FLOAT64, TN_SHAPE(3, 4), points, 12);
        tn_shape shape = activation_values[i].count == 12 ? TN_SHAPE(3, 4) : TN_SHAPE(3, 2);
        print_message("%s\n", text);
        CHECK_OP(.body = activate, .self = (void *)text, .inputs = TN_LIST(x),
                 .expected = TN_LIST(check_tensor_of(TN_FLOAT64, shape, activation_values[i].value,
                                                     activation_values[i].count)),
                 .dtypes = TN__BIT(TN_FLOAT64) | TN__BIT(TN_FLOAT32),
                 .skip =
                     strstr(text, "sparsemax") ? SKIP_EMPTY | SKIP_ANY_BATCH | SKIP_GRADIENT : 0);
    }
}

static void the_two_hard_sigmoids_are_kept_apart(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(4), -4, -1, 1, 4);
    CHECK_VALUES(tn__activate("hard_sigmoid", x), 1e-6, 0, 1.0 / 3, 2.0 / 3, 1);
    CHECK_VALUES(tn__activate("hard_sigmoid_keras2", x), 1e-6, 0, 0.3, 0.7, 1);
}

static void what_is_missing_or_unknown_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(1), 1);
    assert_null(tn__activate("threshold(1)", x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "threshold() needs both of its arguments");
    assert_null(tn__activate("rello", x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Unknown activation: 'rello'\ndid you mean 'relu'? there are: linear, relu, ");
    assert_null(tn__activate("relu(slope=1)", x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "it takes: negative_slope, max_value, threshold");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_give_what_keras_gives),
        cmocka_unit_test(the_two_hard_sigmoids_are_kept_apart),
        cmocka_unit_test(what_is_missing_or_unknown_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
