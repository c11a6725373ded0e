/* graph_lists_test.c - TensorLists in the functions of SavedModels. */
#include "saving/testdata.h"

#define DATA TESTDATA "saved_models.npz"

static void check_lists(const char *signature)
{
    tn_model *model = tn_load_model(TESTDATA "lists", .signature = signature);
    CHECK_NO_ERROR();
    tn_tensor *y = tn_call(model, tn_load_array(DATA, "lists_in"));
    assert_true(difference(y, tn_load_array(DATA, tn_format("lists_%s", signature))) < 1e-6);
}

static void a_loop_that_writes_one_element_a_round_gives_the_list(void **state)
{
    (void)state;
    TN_SCOPE;
    check_lists("forwards");
}

static void elements_that_no_round_writes_are_zeros(void **state)
{
    (void)state;
    TN_SCOPE;
    check_lists("sparsely");
}

static void gradients_go_through_the_list(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_load_model(TESTDATA "lists", .signature = "forwards");
    tn_must(tn_compile(model, tn_sgd(0.1), "mse"));
    tn_tensor *x = tn_load_array(DATA, "lists_in"), *y = tn_zeros(TN_SHAPE(4, 3), TN_FLOAT32);
    double before = tn_to_double(tn_train_on_batch(model, x, y));
    assert_true(tn_to_double(tn_train_on_batch(model, x, y)) < before);
    CHECK_NO_ERROR();
}

static void another_order_is_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_load_model(TESTDATA "lists", .signature = "backwards"));
    CHECK_ERROR(TN_UNIMPLEMENTED,
                "does not write its TensorList once in each round, in their order");
}

static bool load_it(void *path)
{
    TN_SCOPE;
    return tn_load_model(path, .signature = "forwards") != NULL;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(load_it, TESTDATA "lists");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_that_writes_one_element_a_round_gives_the_list),
        cmocka_unit_test(elements_that_no_round_writes_are_zeros),
        cmocka_unit_test(gradients_go_through_the_list),
        cmocka_unit_test(another_order_is_refused),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
