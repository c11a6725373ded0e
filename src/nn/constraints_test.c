/* constraints_test.c */
#include "support/check_op.h"
#include "nn/object.h"
#include "nn/testdata/object_values.h"

static tn_tensor *project(void *self, tn_list inputs)
{
    return tn__constrain(self, tn_at(inputs, 0));
}

static void weights_become_what_keras_makes_of_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof constraint_values / sizeof *constraint_values; i++) {
        TN_SCOPE;
        tn_tensor *quarter = VALUES(TN_FLOAT64, TN_SCALAR, 0.25);
        tn_tensor *w =
            tn_multiply(check_tensor_of(TN_FLOAT64, TN_SHAPE(3, 4), points, 12), quarter);
        print_message("%s\n", constraint_values[i].text);
        CHECK_OP(.body = project, .self = (void *)constraint_values[i].text, .inputs = TN_LIST(w),
                 .expected = TN_LIST(
                     check_tensor_of(TN_FLOAT64, TN_SHAPE(3, 4), constraint_values[i].value, 12)),
                 .rtol = 1e-6, .atol = 1e-7, .skip = SKIP_GRADIENT);
    }
}

static void weights_of_zero_stay_zero(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *w = VALUES(TN_FLOAT32, TN_SHAPE(2, 1), 0, 0);
    CHECK_VALUES(tn__constrain("max_norm", w), 0, 0, 0);
    CHECK_VALUES(tn__constrain("unit_norm", w), 0, 0, 0);
    assert_ptr_equal(tn__constrain(NULL, w), w);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_become_what_keras_makes_of_them),
        cmocka_unit_test(weights_of_zero_stay_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
