/* seed_000_ex3.c - a named layer in a name scope behind a loaded model. */
#define main seed_main
#include "../../examples/seeds/000_ex3.c"
#undef main
#include "seeds/pretrained.h"

static void it_prints_what_the_document_says(void **state)
{
    (void)state;
    TN_SCOPE;
    seed_pretrained();
    assert_string_equal(seed_run(seed_main), "Call 1 output shape: (1, 10)\nCall 2 output shape: (1, 10)\n");
}

/* The program's model once more. */
static tn_model *modified(void)
{
    tn_model *pretrained = tn_load_model(SEED_PRETRAINED);
    tn_layer *new_layer;
    {
        TN_WITH(tn_name_scope("new_layer_scope"));
        new_layer = tn_dense(10, .activation = "relu", .name = "new_dense");
    }
    return tn_model(tn_model_input(pretrained), tn_call(new_layer, tn_model_output(pretrained)));
}

static void check_names(tn_model *model)
{
    tn_list variables = tn_variables(model);
    assert_int_equal(variables.count, 6);
    assert_string_equal(tn_name(variables.item[4]), "new_layer_scope/new_dense/kernel");
    assert_string_equal(tn_name(variables.item[5]), "new_layer_scope/new_dense/bias");
}

static void the_new_variables_bear_the_scope_also_through_files(void **state)
{
    (void)state;
    TN_SCOPE;
    seed_pretrained();
    tn_model *model = modified();
    tn_tensor *x = tn_random_normal(TN_SHAPE(3, 8)), *y = tn_call(model, x);
    check_names(model);
    static const char *const paths[] = { "modified.h5", "modified.keras" };
    for (size_t i = 0; i < 2; i++) {
        CHECK_OK(tn_save(model, paths[i]));
        tn_model *again = tn_load_model(paths[i]);
        CHECK_TENSOR(tn_call(again, x), y, 0, 0);
        check_names(again);
    }
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_prints_what_the_document_says),
        cmocka_unit_test(the_new_variables_bear_the_scope_also_through_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
