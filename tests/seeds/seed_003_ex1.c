/* seed_003_ex1.c - models made in a loop with automatic names, trained and saved one after the other. */
#define main seed_main
#include "../../examples/seeds/003_ex1.c"
#undef main
#include "seeds/saved.h"

static void both_models_are_saved(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_string_equal(seed_run(seed_main), "");
    seed_check_saved("model_0", NULL);
    seed_check_saved("model_1", NULL);
}

/* --- two weights of one name in one layer ------------------------------------------------------------------------------- */
typedef struct {
    tn_variable *a, *b;
} twins;

static void twins_build(void *me, tn_list inputs)
{
    twins *self = me;
    (void)inputs;
    self->a = tn_add_weight(.shape = TN_SHAPE(10), .initializer = "ones", .name = "k");
    self->b = tn_add_weight(.shape = TN_SHAPE(10), .initializer = "zeros", .name = "k");
}

static tn_tensor *twins_call(void *me, tn_list inputs)
{
    twins *self = me;
    return tn_add(tn_multiply(tn_at(inputs, 0), self->a), self->b);
}

static const tn_class Twins = { .name = "Twins", .size = sizeof(twins), .fields = TN_FIELDS(TN_FIELD(twins, a), TN_FIELD(twins, b)),
                                .build = twins_build, .call = twins_call };

static void equal_names_stop_an_h5_and_nothing_else(void **state)
{
    (void)state;
    TN_SCOPE;
    seed_folder();
    tn_model *model = tn_sequential(TN_LAYERS(tn_new(&Twins, .input_shape = TN_SHAPE(10))));
    assert_int_not_equal(tn_save(model, "twins.h5"), TN_OK);
    CHECK_ERROR(TN_ALREADY_EXISTS, "Unable to create dataset (name already exists)");
    assert_false(seed_exists("twins.h5"));
    CHECK_OK(tn_save(model, "twins.keras"));
    CHECK_OK(tn_save(model, "twins"));
    assert_true(seed_exists("twins/saved_model.pb"));
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_models_are_saved),
        cmocka_unit_test(equal_names_stop_an_h5_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
