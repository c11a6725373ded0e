/* regularizers_test.c */
#include "support/check_op.h"
#include "nn/object.h"
#include "nn/testdata/object_values.h"

static tn_tensor *penalize(void *self, tn_list inputs)
{
    return tn__penalize(self, tn_at(inputs, 0));
}

static void penalties_are_keras_s(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof regularizer_values / sizeof *regularizer_values; i++) {
        TN_SCOPE;
        tn_tensor *quarter = VALUES(TN_FLOAT64, TN_SCALAR, 0.25);
        tn_tensor *x =
            tn_multiply(check_tensor_of(TN_FLOAT64, TN_SHAPE(3, 4), points, 12), quarter);
        print_message("%s\n", regularizer_values[i].text);
        CHECK_OP(.body = penalize, .self = (void *)regularizer_values[i].text, .inputs = TN_LIST(x),
                 .expected = TN_LIST(
                     check_tensor_of(TN_FLOAT64, TN_SCALAR, regularizer_values[i].value, 1)),
                 .rtol = 1e-6, .atol = 1e-7, .skip = SKIP_ANY_BATCH | SKIP_EMPTY);
    }
}

static void no_penalty_is_none_and_negative_ones_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2);
    assert_null(tn__penalize(NULL, x));
    CHECK_VALUES(tn__penalize("l1l2", x), 0, 0);
    assert_null(tn__penalize("l2(-1)", x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`l2`. Expected >= 0. Received: l2=-1");
    assert_null(tn__penalize("orthogonal_regularizer", x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "must have rank 2. Received: inputs.shape=(2,)");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(penalties_are_keras_s),
        cmocka_unit_test(no_penalty_is_none_and_negative_ones_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
