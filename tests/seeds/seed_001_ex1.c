/* seed_001_ex1.c - a variable made in the first call, saved, and not made again. */
#define main seed_main
#include "../../examples/seeds/001_ex1.c"
#undef main
#include "seeds/seed.h"

static void it_runs_and_the_file_holds_the_variable(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_string_equal(seed_run(seed_main), "");
    assert_true(seed_exists("model_weights.index"));
    assert_true(seed_exists("model_weights.data-00000-of-00001"));
    assert_true(seed_exists("checkpoint"));
}

static void the_second_call_makes_none_and_a_fresh_model_takes_the_file(void **state)
{
    (void)state;
    TN_SCOPE;
    seed_folder();
    tn_clear_session();
    tn_model *model = tn_new(&MyModel), *fresh = tn_new(&MyModel);
    tn_tensor *x = tn_random_normal(TN_SHAPE(10, 10));
    tn_call(model, x);
    tn_list first = tn_variables(model);
    assert_int_equal(first.count, 1);
    assert_string_equal(tn_name(first.item[0]), "my_model/weights");
    tn_tensor *y = tn_call(model, x);
    assert_int_equal(tn_variables(model).count, 1);
    assert_ptr_equal(tn_variables(model).item[0], first.item[0]);
    CHECK_OK(tn_save_weights(model, "again"));
    tn_call(fresh, x);
    CHECK_OK(tn_load_weights(fresh, "again"));
    CHECK_TENSOR(tn_call(fresh, x), y, 0, 0);
}

static tn_tensor *unguarded_call(void *me, tn_list inputs)
{
    my_model *self = me;
    self->w = tn_variable(tn_random_normal(TN_SHAPE(10, 10)), .name = "weights");
    return tn_matmul(self->w, tn_at(inputs, 0));
}

static const tn_class Unguarded = { .name = "Unguarded", .size = sizeof(my_model), .fields = TN_FIELDS(TN_FIELD(my_model, w)),
                                    .call = unguarded_call, .model = true };

static void without_the_guard_the_second_call_fails(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_new(&Unguarded);
    tn_tensor *x = tn_random_normal(TN_SHAPE(10, 10));
    assert_non_null(tn_call(model, x));
    assert_null(tn_call(model, x));
    CHECK_ERROR(TN_VARIABLE_CREATION, "You cannot add new elements of state (variables or sub-layers) to a layer that is already built.");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_runs_and_the_file_holds_the_variable),
        cmocka_unit_test(the_second_call_makes_none_and_a_fresh_model_takes_the_file),
        cmocka_unit_test(without_the_guard_the_second_call_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
