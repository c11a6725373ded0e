/* seed_000_ex2.c - a Sequential in a Sequential, both with automatic names, and what training changes. */
#define main seed_main
#include "../../examples/seeds/000_ex2.c"
#undef main
#include "seeds/pretrained.h"

static void it_prints_what_the_document_says(void **state)
{
    (void)state;
    TN_SCOPE;
    seed_pretrained();
    assert_string_equal(seed_run(seed_main), "Call 1 output shape: (1, 10)\nCall 2 output shape: (1, 10)\n");
}

/* --- training ----------------------------------------------------------------------------------------------------------- */
static bool changed(tn_list variables, tn_tensor **before, size_t i)
{
    return tn_to_double(tn_reduce_max(tn_abs(tn_subtract(variables.item[i], before[i])))) > 0;
}

/* The pre-trained part's four variables come first, the head's two behind them. */
static void train_and_see(bool frozen)
{
    TN_SCOPE;
    tn_model *pretrained = tn_load_model(SEED_PRETRAINED);
    tn_model *model = tn_sequential(TN_LAYERS(pretrained, tn_sequential(TN_LAYERS(tn_dense(10)))));
    tn_set_trainable(pretrained, !frozen);
    tn_call(model, tn_random_normal(TN_SHAPE(1, 8)));
    CHECK_OK(tn_compile(model, tn_sgd(.learning_rate = 0.1), "mean_squared_error"));
    tn_list variables = tn_variables(model);
    tn_tensor *before[6];
    assert_int_equal(variables.count, 6);
    bool known[6] = { false };
    for (size_t i = 0; i < 6; i++)
        before[i] = tn_read_value(variables.item[i]);
    tn_fit(model, tn_random_normal(TN_SHAPE(16, 8)), tn_random_normal(TN_SHAPE(16, 10)), .epochs = 2, .verbose = 0);
    CHECK_NO_ERROR();
    tn_list of_pretrained = tn_variables(pretrained);
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < of_pretrained.count; k++)
            known[i] |= variables.item[i] == of_pretrained.item[k];
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(changed(variables, before, i), !(frozen && known[i]));
}

static void with_the_pretrained_part_frozen_only_the_head_changes(void **state)
{
    (void)state;
    seed_pretrained();
    train_and_see(true);
}

static void unfrozen_both_parts_change(void **state)
{
    (void)state;
    seed_pretrained();
    train_and_see(false);
}

/* y = p(x1) + p(x2): the step is that of the summed gradients, and momentum has one slot for each variable. */
static void a_part_used_twice_is_stepped_once_with_the_summed_gradient(void **state)
{
    (void)state;
    TN_SCOPE;
    seed_pretrained();
    tn_model *pretrained = tn_load_model(SEED_PRETRAINED);
    tn_tensor *a = tn_input(TN_SHAPE(8)), *b = tn_input(TN_SHAPE(8));
    tn_model *model = tn_model(tn_tuple(a, b), tn_call(tn_add_layer(), tn_call(pretrained, a), tn_call(pretrained, b)));
    tn_tensor *x = tn_tuple(tn_random_normal(TN_SHAPE(4, 8)), tn_random_normal(TN_SHAPE(4, 8)));
    tn_list variables = tn_trainable_variables(model);
    assert_int_equal(variables.count, 4);
    tn_tape *tape = tn_gradient_tape(.persistent = true);
    tn_tensor *one = tn_call(pretrained, tn_item(x, 0)), *two = tn_call(pretrained, tn_item(x, 1));
    tn_tensor *target = tn_call(model, x);
    tn_tensor *sum = tn_add(one, two);
    tn_list whole = tn_gradient(tape, tn_reduce_sum(target), variables);
    tn_list parts = tn_gradient(tape, tn_reduce_sum(sum), variables);
    tn_tensor *before[4];
    for (size_t i = 0; i < 4; i++) {
        CHECK_TENSOR(whole.item[i], parts.item[i], 0, 1e-5);
        before[i] = tn_read_value(variables.item[i]);
    }
    tn_optimizer *optimizer = tn_sgd(.learning_rate = 0.5, .momentum = 0.9);
    CHECK_OK(tn_apply_gradients(optimizer, whole, variables));
    for (size_t i = 0; i < 4; i++)
        CHECK_TENSOR(variables.item[i], tn_subtract(before[i], tn_multiply(whole.item[i], tn_scalar(0.5))), 0, 1e-5);
    assert_int_equal(tn_optimizer_variables(optimizer).count, 2 + 4);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_prints_what_the_document_says),
        cmocka_unit_test(with_the_pretrained_part_frozen_only_the_head_changes),
        cmocka_unit_test(unfrozen_both_parts_change),
        cmocka_unit_test(a_part_used_twice_is_stepped_once_with_the_summed_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
