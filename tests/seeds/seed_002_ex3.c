/* seed_002_ex3.c - variables kept by name in a place of the program's own. */
#define main seed_main
#include "../../examples/seeds/002_ex3.c"
#undef main
#include "seeds/seed.h"

static double loss_of(void *x)
{
    return tn_to_double(tn_reduce_mean(tn_square(custom_dynamic_model(x, 3))));
}

static void it_makes_three_variables_and_prints_three_gradients(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *output = seed_run(seed_main);
    assert_ptr_equal(strstr(output, "Gradients: ["), output);
    assert_null(strstr(output, "NULL"));
    assert_int_equal(variable_dict.count, 3);
    tn_tensor *x = tn_random_normal(TN_SHAPE(1, 10)), *loss = NULL;
    tn_tape *tape = tn_gradient_tape();
    for (int i = 1; i < 4; i++)
        loss = tn_reduce_mean(tn_square(custom_dynamic_model(x, i)));
    assert_int_equal(variable_dict.count, 3);
    tn_list gradients = tn_gradient(tape, loss, tn_list_of(3, variable_dict.variable));
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(tn_name(variable_dict.variable[i]), tn_format("weights_%d", (int)i));
        assert_string_equal(tn_shape_text(gradients.item[i]), "(10, 10)");
        seed_check_gradient(loss_of, x, variable_dict.variable[i], gradients.item[i]);
    }
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = { cmocka_unit_test(it_makes_three_variables_and_prints_three_gradients) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
