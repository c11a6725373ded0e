/* seed_002_ex2.c - a scope for each layer: three variables, three gradients. */
#define main seed_main
#include "../../examples/seeds/002_ex2.c"
#undef main
#include "seeds/seed.h"

static void it_prints_three_gradients(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *output = seed_run(seed_main);
    assert_ptr_equal(strstr(output, "Gradients: ["), output);
    assert_null(strstr(output, "None"));
    assert_null(strstr(output, "NULL"));
}

/* The last call's loss as the variables are now. */
typedef struct {
    tn_tensor *x;
    tn_list variables;
} last_call;

static double loss_of(void *me)
{
    const last_call *self = me;
    tn_tensor *y = self->x;
    for (size_t i = 0; i < self->variables.count; i++)
        y = tn_matmul(y, self->variables.item[i]);
    return tn_to_double(tn_reduce_mean(tn_square(y)));
}

static void the_gradients_are_those_of_differences(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_set_random_seed(2);
    tn_function *model = tn_function(correct_dynamic_model_body, .eager = true);
    tn_tensor *x = tn_random_normal(TN_SHAPE(1, 10)), *loss = NULL;
    tn_tape *tape = tn_gradient_tape();
    for (int i = 1; i < 4; i++)
        loss = tn_reduce_mean(tn_square(tn_call(model, x, tn_scalar(i))));
    last_call self = { x, tn_variables(model) };
    assert_int_equal(self.variables.count, 3);
    tn_list gradients = tn_gradient(tape, loss, self.variables);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(tn_name(self.variables.item[i]), tn_format("layer_%d/weights", (int)i));
        assert_string_equal(tn_shape_text(gradients.item[i]), "(10, 10)");
        seed_check_gradient(loss_of, &self, self.variables.item[i], gradients.item[i]);
    }
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_prints_three_gradients),
        cmocka_unit_test(the_gradients_are_those_of_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
