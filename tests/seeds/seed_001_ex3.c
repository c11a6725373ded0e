/* seed_001_ex3.c - a traced call. */
#define main seed_main
#include "../../examples/seeds/001_ex3.c"
#undef main
#include "seeds/seed.h"

static void it_runs_and_a_fresh_model_takes_the_file(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_string_equal(seed_run(seed_main), "");
    tn_model *one = tn_new(&MyModel), *other = tn_new(&MyModel);
    tn_tensor *x = tn_random_normal(TN_SHAPE(10, 10));
    tn_call(one, x);
    tn_call(other, x);
    CHECK_OK(tn_load_weights(one, "model_weights_tf_function"));
    CHECK_OK(tn_load_weights(other, "model_weights_tf_function"));
    CHECK_TENSOR(tn_call(one, x), tn_call(other, x), 0, 0);
}

/* --- how often the body runs ------------------------------------------------------------------------------------------- */
typedef struct {
    tn_variable *w;
    int64_t bodies;
} counted;

static void counted_init(void *me)
{
    ((counted *)me)->w = tn_variable(tn_ones(TN_SHAPE(10, 10), TN_FLOAT32), .name = "weights");
}

static tn_tensor *counted_call(void *me, tn_list inputs)
{
    counted *self = me;
    self->bodies++;
    return tn_matmul(self->w, tn_at(inputs, 0));
}

static const tn_class Counted = { .name = "Counted", .size = sizeof(counted), .fields = TN_FIELDS(TN_FIELD(counted, w)), .init = counted_init,
                                  .call = counted_call, .model = true, .traced = true };

static void it_is_traced_once_over_both_calls(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_new(&Counted);
    for (int i = 0; i < 2; i++)
        assert_non_null(tn_call(model, tn_ones(TN_SHAPE(10, 10), TN_FLOAT32)));
    assert_int_equal(((counted *)tn_self(model, &Counted))->bodies, 1);
}

/* --- making variables in a traced body ---------------------------------------------------------------------------------- */
typedef struct {
    tn_variable *w, *late;
} guarded;

static tn_tensor *guarded_body(void *me, tn_list inputs)
{
    guarded *self = me;
    tn_tensor *x = tn_at(inputs, 0);
    if (!self->w)
        self->w = tn_variable(tn_ones(TN_SHAPE(10, 10), TN_FLOAT32), .name = "w");
    if (tn_dim(tn_shape_of(x), 1) == 4 && !self->late)
        self->late = tn_variable(tn_ones(TN_SHAPE(4), TN_FLOAT32), .name = "late");
    return tn_matmul(self->w, x);
}

static void guarded_creation_traces_twice_and_a_later_one_is_the_error(void **state)
{
    (void)state;
    TN_SCOPE;
    guarded self = { NULL, NULL };
    tn_function *f = tn_function(guarded_body, &self);
    assert_non_null(tn_call(f, tn_ones(TN_SHAPE(10, 10), TN_FLOAT32)));
    assert_int_equal(tn_trace_count(f), 2);
    assert_non_null(tn_call(f, tn_ones(TN_SHAPE(10, 10), TN_FLOAT32)));
    assert_int_equal(tn_trace_count(f), 2);
    assert_null(tn_call(f, tn_ones(TN_SHAPE(10, 4), TN_FLOAT32)));
    CHECK_ERROR(TN_VARIABLE_CREATION, "tf.function only supports singleton tf.Variables created on the first call.");
    assert_non_null(tn_call(f, tn_ones(TN_SHAPE(10, 10), TN_FLOAT32)));
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_runs_and_a_fresh_model_takes_the_file),
        cmocka_unit_test(it_is_traced_once_over_both_calls),
        cmocka_unit_test(guarded_creation_traces_twice_and_a_later_one_is_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
