/* layer_test.c - classes of a program's own: fields, parts, when they are closed, what goes wrong in them. */
#include "support/check.h"

static tn_tensor *rows(int64_t n)
{
    return tn_ones(TN_SHAPE(n, 4), TN_FLOAT32);
}

/* --- a class that does everything right --------------------------------------------------------------------------------- */
typedef struct {
    int64_t units;
    tn_variable *weight;
    tn_layer *inner;
} scaled;
static const tn_field scaled_fields[] = {
    { .kind = TN_FIELD_INT, .name = "units", .offset = offsetof(scaled, units), .fallback = "2" },
    { .kind = TN_FIELD_VARIABLE, .name = "weight", .offset = offsetof(scaled, weight) },
    { .name = NULL },
};

static void scaled_init(void *me)
{
    ((scaled *)me)->inner = tn_dense(((scaled *)me)->units);
}

static void scaled_build(void *me, tn_list inputs)
{
    ((scaled *)me)->weight = tn_add_weight(TN_SHAPE(tn_dim(tn_shape_of(tn_at(inputs, 0)), -1)), "ones", .name = "weight");
}

static tn_tensor *scaled_call(void *me, tn_list inputs)
{
    scaled *self = me;
    return tn_call(self->inner, tn_multiply(tn_at(inputs, 0), self->weight));
}
static const tn_class Scaled = { .name = "Scaled", .size = sizeof(scaled), .fields = scaled_fields, .init = scaled_init,
                                 .build = scaled_build, .call = scaled_call };

static void a_class_of_ones_own_has_weights_parts_and_names(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer;
    {
        TN_WITH(tn_name_scope("model_0"));
        layer = tn_new(&Scaled, TN_INIT(scaled, .units = 3), .name = "s");
    }
    assert_string_equal(tn_shape_text(tn_call(layer, rows(2))), "(2, 3)");
    tn_list variables = tn_variables(layer);
    assert_int_equal(variables.count, 3);
    assert_string_equal(tn_name(variables.item[0]), "model_0/s/weight");
    assert_string_equal(tn_name(variables.item[1]), "model_0/s/dense/kernel");
    assert_int_equal(tn_layers(layer).count, 1);
    assert_int_equal(((scaled *)tn_self(layer, &Scaled))->units, 3);
    CHECK_NO_ERROR();
}

static void an_instance_of_another_type_is_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_new(&Scaled, TN_INIT(int, 3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is it the right type?");
    assert_null(tn_self(tn_dense(1), &Scaled));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is not a Scaled");
}

/* --- closed after the first call ---------------------------------------------------------------------------------------- */
typedef struct {
    int calls;
    bool layers, once;
    tn_variable *w;
} careless;

static tn_tensor *careless_call(void *me, tn_list inputs)
{
    careless *self = me;
    self->calls++;
    if (self->layers)
        return tn_call(tn_dense(4), tn_at(inputs, 0));
    if (!self->w || !self->once)
        self->w = tn_variable(tn_ones(TN_SHAPE(4), TN_FLOAT32), .name = "w");
    return tn_multiply(tn_at(inputs, 0), self->w);
}
static const tn_class Careless = { .name = "Careless", .size = sizeof(careless), .call = careless_call, .model = true };
static const tn_class Traced = { .name = "Traced", .size = sizeof(careless), .call = careless_call, .model = true, .traced = true };

static void a_variable_on_a_later_call_is_refused_with_both_places(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_new(&Careless, .name = "my_model");
    assert_non_null(tn_call(model, rows(1)));
    assert_null(tn_call(model, rows(1)));
    const tn_error *error = tn_catch(TN_VARIABLE_CREATION);
    assert_non_null(error);
    assert_non_null(strstr(error->first_line, "You cannot add new elements of state (variables or sub-layers) to a layer that is already built."));
    assert_non_null(strstr(error->message, "variable 'w' on a non-first call of 'my_model'"));
    assert_non_null(strstr(error->message, "layer_test.c"));
    assert_int_equal(tn_variables(model).count, 1);
    CHECK_NO_ERROR();
}

typedef struct {
    tn_metric *seen;
} tracking;

static void tracking_init(void *me)
{
    ((tracking *)me)->seen = tn_mean_metric();
}

static tn_tensor *tracking_call(void *me, tn_list inputs)
{
    tn_call(((tracking *)me)->seen, tn_at(inputs, 0));
    tn_mean_metric(); /* one that every call makes dies with it */
    return tn_at(inputs, 0);
}
static const tn_class Tracking = { .name = "Tracking", .size = sizeof(tracking), .init = tracking_init, .call = tracking_call };

static void a_metric_made_in_init_lives_as_long_as_the_layer(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer;
    {
        TN_SCOPE;
        layer = tn_keep(tn_new(&Tracking));
        tn_call(layer, rows(1));
    }
    size_t handles = tn_live_handles();
    {
        TN_SCOPE;
        assert_non_null(tn_call(layer, rows(3)));
        assert_non_null(tn_metric_result(((tracking *)tn_self(layer, &Tracking))->seen));
    }
    CHECK_NO_ERROR();
    assert_int_equal(tn_live_handles(), handles);
}

static void a_symbolic_call_is_one_call(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_new(&Careless, .name = "my_model");
    assert_non_null(tn_call(model, tn_input(TN_SHAPE(4))));
    CHECK_NO_ERROR();
    assert_int_equal(((careless *)tn_self(model, &Careless))->calls, 1);
    for (int symbolic = 0; symbolic < 2; symbolic++) {
        assert_null(tn_call(model, symbolic ? tn_input(TN_SHAPE(4)) : rows(1)));
        const tn_error *error = tn_catch(TN_VARIABLE_CREATION);
        assert_non_null(error);
        assert_ptr_equal(strstr(error->message, "You cannot add new elements of state"), error->message);
        assert_non_null(strstr(error->message, "variable 'w' on a non-first call of 'my_model'"));
    }
}

static void a_layer_on_a_later_call_is_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_new(&Careless, TN_INIT(careless, .layers = true), .name = "my_model");
    assert_non_null(tn_call(model, rows(1)));
    assert_null(tn_call(model, rows(1)));
    CHECK_ERROR(TN_VARIABLE_CREATION, "on a non-first call of 'my_model'");
}

static void a_guarded_variable_is_made_once(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_new(&Careless, TN_INIT(careless, .once = true), .name = "my_model");
    for (int i = 0; i < 3; i++)
        assert_non_null(tn_call(model, rows(1)));
    CHECK_NO_ERROR();
    assert_int_equal(tn_variables(model).count, 1);
    assert_string_equal(tn_name(tn_variables(model).item[0]), "my_model/w");
}

static void a_traced_call_that_makes_a_variable_is_traced_twice_and_refuses_in_its_own_words(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *good = tn_new(&Traced, TN_INIT(careless, .once = true)), *bad = tn_new(&Traced, .name = "bad");
    for (int i = 0; i < 3; i++)
        assert_non_null(tn_call(good, rows(2)));
    CHECK_NO_ERROR();
    assert_int_equal(((careless *)tn_self(good, &Traced))->calls, 2);
    assert_null(tn_call(bad, rows(1)));
    CHECK_ERROR(TN_VARIABLE_CREATION, "tf.function only supports singleton tf.Variables created on the first call.");
}

/* --- what goes wrong ---------------------------------------------------------------------------------------------------- */
typedef struct {
    tn_layer *me;
    int how;
} endless;

static tn_tensor *endless_call(void *me, tn_list inputs)
{
    const endless *self = me;
    if (self->how == 1)
        return tn_call(self->me, tn_at(inputs, 0));
    if (self->how == 2)
        return NULL;
    return tn_at(inputs, 5);
}
static const tn_class Endless = { .name = "Endless", .size = sizeof(endless), .call = endless_call };

static void a_bad_call_is_an_error_that_names_the_layer(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer = tn_new(&Endless, TN_INIT(endless, .how = 1), .name = "e");
    endless *self = tn_self(layer, &Endless);
    self->me = layer;
    assert_null(tn_call(layer, rows(1)));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "maximum recursion depth exceeded");
    self->how = 2;
    assert_null(tn_call(layer, rows(1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "e returned NULL");
    self->how = 3;
    assert_null(tn_call(layer, rows(1)));
    CHECK_ERROR(TN_OUT_OF_RANGE, "in Endless 'e'");
    assert_null(tn_call_list(tn_dense(2), ((tn_list){ 0, NULL })));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "missing 1 required positional argument");
}

static void a_name_with_a_slash_is_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_dense(1, .name = "a/b"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "cannot contain character `/`");
}

static bool use_own_class(void *unused)
{
    (void)unused;
    tn_layer *layer = tn_new(&Scaled, TN_INIT(scaled, .units = 3));
    tn_model *traced = tn_new(&Traced, TN_INIT(careless, .once = true));
    return tn_call(layer, rows(2)) && tn_call(traced, rows(2)) && tn_call(traced, rows(2));
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(use_own_class, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_class_of_ones_own_has_weights_parts_and_names),
        cmocka_unit_test(an_instance_of_another_type_is_refused),
        cmocka_unit_test(a_variable_on_a_later_call_is_refused_with_both_places),
        cmocka_unit_test(a_symbolic_call_is_one_call),
        cmocka_unit_test(a_metric_made_in_init_lives_as_long_as_the_layer),
        cmocka_unit_test(a_layer_on_a_later_call_is_refused),
        cmocka_unit_test(a_guarded_variable_is_made_once),
        cmocka_unit_test(a_traced_call_that_makes_a_variable_is_traced_twice_and_refuses_in_its_own_words),
        cmocka_unit_test(a_bad_call_is_an_error_that_names_the_layer),
        cmocka_unit_test(a_name_with_a_slash_is_refused),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
