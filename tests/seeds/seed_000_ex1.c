/* seed_000_ex1.c - a Dense behind a loaded model makes its variables once, however often the whole is called. */
#define main seed_main
#include "../../examples/seeds/000_ex1.c"
#undef main
#include "seeds/pretrained.h"

static void it_prints_what_the_document_says(void **state)
{
    (void)state;
    TN_SCOPE;
    seed_pretrained();
    assert_string_equal(seed_run(seed_main), "Call 1 output shape: (1, 10)\nCall 2 output shape: (1, 10)\n");
}

static void the_second_call_makes_no_variables(void **state)
{
    (void)state;
    TN_SCOPE;
    seed_pretrained();
    tn_model *pretrained = tn_load_model(SEED_PRETRAINED);
    tn_model *model = tn_sequential(TN_LAYERS(pretrained, tn_dense(10, .activation = "relu")));
    tn_call(model, tn_random_normal(TN_SHAPE(1, 8)));
    tn_list first = tn_variables(model);
    tn_call(model, tn_random_normal(TN_SHAPE(1, 8)));
    tn_list second = tn_variables(model);
    assert_int_equal(first.count, 6);
    assert_int_equal(second.count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_ptr_equal(first.item[i], second.item[i]);
}

/* --- the mistake that the document warns of ---------------------------------------------------------------------------- */
typedef struct {
    tn_variable *w;
} anew;

static tn_tensor *anew_call(void *me, tn_list inputs)
{
    anew *self = me;
    self->w = tn_variable(tn_ones(TN_SHAPE(2), TN_FLOAT32), .name = "w");
    return tn_multiply(tn_at(inputs, 0), self->w);
}

static const tn_class Anew = { .name = "Anew", .size = sizeof(anew), .fields = TN_FIELDS(TN_FIELD(anew, w)), .call = anew_call };
static const tn_class AnewTraced = { .name = "AnewTraced", .size = sizeof(anew), .fields = TN_FIELDS(TN_FIELD(anew, w)), .call = anew_call,
                                     .traced = true };

static void a_layer_that_makes_its_variable_in_every_call_fails_in_the_second(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer = tn_new(&Anew);
    assert_non_null(tn_call(layer, tn_ones(TN_SHAPE(1, 2), TN_FLOAT32)));
    assert_null(tn_call(layer, tn_ones(TN_SHAPE(1, 2), TN_FLOAT32)));
    CHECK_ERROR(TN_VARIABLE_CREATION, "You cannot add new elements of state (variables or sub-layers) to a layer that is already built.");
    assert_null(tn_call(tn_new(&AnewTraced), tn_ones(TN_SHAPE(1, 2), TN_FLOAT32)));
    CHECK_ERROR(TN_VARIABLE_CREATION, "tf.function only supports singleton tf.Variables created on the first call.");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_prints_what_the_document_says),
        cmocka_unit_test(the_second_call_makes_no_variables),
        cmocka_unit_test(a_layer_that_makes_its_variable_in_every_call_fails_in_the_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
