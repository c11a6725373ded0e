/* policy_test.c - dtype policies: what a layer computes in, how it reads its weights, what files
 * say. */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/testdata/policy_values.h"

/* --- numbers ---------------------------------------------------------------------------------- */
typedef struct {
    const char *policy;
    tn_dtype half;
    double tolerance; /* two of the type's last digits */
    layer_values dense, trained, gradients, state, output;
} mixed;

static const mixed policies[] = {
    { "mixed_float16", TN_FLOAT16, 0.001, VALUES_OF(mixed_float16_dense),
      VALUES_OF(mixed_float16_trained), VALUES_OF(mixed_float16_gradients),
      VALUES_OF(mixed_float16_state), VALUES_OF(mixed_float16_output) },
    { "mixed_bfloat16", TN_BFLOAT16, 0.008, VALUES_OF(mixed_bfloat16_dense),
      VALUES_OF(mixed_bfloat16_trained), VALUES_OF(mixed_bfloat16_gradients),
      VALUES_OF(mixed_bfloat16_state), VALUES_OF(mixed_bfloat16_output) },
};

static void check(tn_tensor *got, layer_values want, double tolerance)
{
    check_values(tn_cast(got, TN_FLOAT32), want.value, want.count, tolerance, __FILE__, __LINE__);
}

static tn_tensor *flat(tn_list list)
{
    tn_tensor *all[16];
    for (size_t i = 0; i < list.count; i++)
        all[i] = tn_reshape(list.item[i], TN_SHAPE(TN_NONE));
    return tn_concat(tn_list_of(list.count, all), 0);
}

static tn_tensor *train_call(void *self, tn_list inputs)
{
    tn_layer *model = self;
    return tn_call_with(model, TN_LIST(tn_at(inputs, 0)), .training = true);
}

static tn_model *mixed_model(const char *policy)
{
    tn_model *model = tn_sequential(TN_LAYERS(
        tn_dense(3, "tanh", .dtype = policy, .input_shape = TN_SHAPE(4)),
        tn_batch_normalization(.dtype = policy), tn_dense(2, "softmax", .dtype = "float32")));
    layer_prepare(model, TN_LIST(layer_input(TN_SHAPE(5, 4), 0)));
    return model;
}

/* y, then the gradients of sum((y - target)²). */
static void run(const mixed *m, bool traced)
{
    tn_model *model = mixed_model(m->policy);
    tn_tensor *x = layer_input(TN_SHAPE(5, 4), 0);
    tn_tensor *target = tn_subtract(layer_weight(TN_SHAPE(5, 2), 3), tn_scalar(0.1f));
    tn_tensor *inner = tn_call(tn_layers(model).item[0], x);
    assert_int_equal(tn_dtype_of(inner), m->half);
    check(inner, m->dense, m->tolerance);
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *y = traced ? tn_call(tn_function(train_call, model), x)
                          : tn_call_with(model, TN_LIST(x), .training = true);
    tn_tensor *loss = tn_reduce_sum(tn_square(tn_subtract(y, target)));
    tn_list gradients = tn_gradient(tape, loss, tn_trainable_variables(model));
    assert_int_equal(tn_dtype_of(y), TN_FLOAT32);
    check(y, m->trained, m->tolerance);
    for (size_t i = 0; i < gradients.count; i++)
        assert_int_equal(tn_dtype_of(gradients.item[i]), TN_FLOAT32);
    check(flat(gradients), m->gradients, m->tolerance);
    check(flat(tn_layer_non_trainable_variables(model)), m->state, m->tolerance);
    check(tn_call(model, x), m->output, m->tolerance);
    CHECK_NO_ERROR();
}

static void a_mixed_model_computes_and_trains_as_in_keras(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        TN_SCOPE;
        run(&policies[i / 2], i % 2);
    }
}

/* --- whose dtype is what ---------------------------------------------------------------------- */
static void compute_and_variable_dtypes_are_the_policys(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        tn_dtype compute, variable;
    } cases[] = {
        { "float32", TN_FLOAT32, TN_FLOAT32 },       { "float16", TN_FLOAT16, TN_FLOAT16 },
        { "bfloat16", TN_BFLOAT16, TN_BFLOAT16 },    { "float64", TN_FLOAT64, TN_FLOAT64 },
        { "mixed_float16", TN_FLOAT16, TN_FLOAT32 }, { "mixed_bfloat16", TN_BFLOAT16, TN_FLOAT32 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TN_SCOPE;
        tn_layer *layer = tn_dense(2, .dtype = cases[i].name);
        assert_string_equal(tn_layer_dtype_policy(layer), cases[i].name);
        assert_int_equal(tn_compute_dtype(layer), cases[i].compute);
        assert_int_equal(tn_variable_dtype(layer), cases[i].variable);
        assert_int_equal(tn_dtype_of(tn_call(layer, layer_input(TN_SHAPE(2, 3), 0))),
                         cases[i].compute);
        assert_int_equal(tn_dtype_of(tn_variables(layer).item[0]), cases[i].variable);
    }
}

static void new_layers_get_the_threads_policy(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_string_equal(tn_dtype_policy(), "float32");
    CHECK_OK(tn_set_dtype_policy("mixed_bfloat16"));
    assert_string_equal(tn_layer_dtype_policy(tn_dense(2)), "mixed_bfloat16");
    assert_string_equal(tn_layer_dtype_policy(tn_dense(2, .dtype = "float32")), "float32");
    assert_string_equal(tn_layer_dtype_policy(tn_layer_of("dense(2)")), "mixed_bfloat16");
    assert_string_equal(tn_layer_dtype_policy(tn_layer_of("dense(2, dtype=mixed_float16)")),
                        "mixed_float16");
    tn_model *deferred = tn_sequential(TN_LAYERS(tn_dense(2)));
    assert_int_equal(tn_dtype_of(tn_call(deferred, layer_input(TN_SHAPE(2, 3), 0))), TN_BFLOAT16);
    assert_int_equal(tn_dtype_of(tn_model_input(deferred)), TN_BFLOAT16);
    tn_model *given = tn_sequential(TN_LAYERS(tn_dense(2, .input_shape = TN_SHAPE(3))));
    assert_int_equal(tn_dtype_of(tn_model_input(given)), TN_FLOAT32);
    assert_int_equal(tn_set_dtype_policy("mixed"), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Cannot convert 'mixed' to a mixed precision DTypePolicy.");
    assert_string_equal(tn_dtype_policy(), "mixed_bfloat16");
    CHECK_OK(tn_set_dtype_policy("float32"));
}

static void unknown_and_quantized_policies_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_dense(2, .dtype = "half"));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Cannot convert 'half' to a mixed precision DTypePolicy. Valid policies include "
                "'mixed_float16', 'mixed_bfloat16', and the name of any float dtype such as "
                "'float32'.");
    assert_null(tn_dense(2, .dtype = "int8_from_float32"));
    CHECK_ERROR(TN_UNIMPLEMENTED,
                "dtype policy \"int8_from_float32\": quantized layers are not there");
    assert_null(tn_dense(2, .dtype = "int8"));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Cannot convert `policy` into a valid pair (`mode`, `source_name`) to instantiate "
                "`QuantizedDTypePolicy`. Received: policy=int8");
    assert_null(tn_dense(2, .dtype = "complex64"));
    CHECK_ERROR(TN_UNIMPLEMENTED, "dtype policy \"complex64\": there are no tensors of that dtype");
    assert_null(tn_dense(2, .dtype = "half", .name = "d"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "in dtype of Dense 'd'");
    assert_int_equal(tn_set_dtype_policy(NULL), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Invalid `policy` argument. Expected the string name");
}

/* --- a class of a program's own --------------------------------------------------------------- */
typedef struct {
    tn_variable *seen, *kept, *whole, *counter;
    tn_layer *inner;
    tn_dtype input, read, own, of_whole, after;
} probe;
static const tn_field probe_fields[] = {
    { .kind = TN_FIELD_VARIABLE, .name = "seen", .offset = offsetof(probe, seen) },
    { .kind = TN_FIELD_VARIABLE, .name = "kept", .offset = offsetof(probe, kept) },
    { .name = NULL },
};

static void probe_init(void *me)
{
    ((probe *)me)->inner = tn_dense(2, .dtype = "float32");
}

static void probe_build(void *me, tn_list inputs)
{
    probe *self = me;
    (void)inputs;
    self->seen = tn_add_weight(TN_SHAPE(3), "ones", .name = "seen");
    self->kept = tn_add_weight(TN_SHAPE(3), "ones", .name = "kept", .autocast = false);
    self->whole = tn_add_weight(TN_SHAPE(3), "ones", .name = "whole", .dtype = TN_INT32);
    self->counter = tn_add_weight(TN_SCALAR, "zeros", .name = "counter", .trainable = false);
}

static tn_tensor *probe_call(void *me, tn_list inputs)
{
    probe *self = me;
    tn_tensor *x = tn_at(inputs, 0);
    self->input = tn_dtype_of(x);
    self->read = tn_dtype_of(self->seen);
    self->own = tn_dtype_of(self->kept);
    self->of_whole = tn_dtype_of(self->whole);
    tn_tensor *y = tn_multiply(x, self->seen);
    tn_tensor *inner = tn_call(self->inner, y);
    self->after = tn_dtype_of(tn_multiply(y, self->seen));
    tn_assign_add(self->counter, tn_reduce_max(x));
    tn_assign(self->seen, tn_multiply(tn_read_value(self->seen), tn_scalar(2)));
    return inner ? tn_multiply(y, tn_cast(tn_reduce_sum(inner), tn_dtype_of(y))) : NULL;
}
static const tn_class Probe = { .name = "Probe",
                                .size = sizeof(probe),
                                .fields = probe_fields,
                                .init = probe_init,
                                .build = probe_build,
                                .call = probe_call };

static void a_body_reads_weights_in_what_its_layer_computes_in(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer = tn_new(&Probe, .dtype = "mixed_float16");
    tn_tensor *y = tn_call(layer, tn_ones(TN_SHAPE(2, 3), TN_FLOAT32));
    const probe *p = tn_self(layer, &Probe);
    CHECK_NO_ERROR();
    assert_int_equal(tn_dtype_of(y), TN_FLOAT16);
    assert_int_equal(p->input, TN_FLOAT16);
    assert_int_equal(p->read, TN_FLOAT16);
    assert_int_equal(p->own, TN_FLOAT32);
    assert_int_equal(p->of_whole, TN_INT32);
    assert_int_equal(p->after, TN_FLOAT16);
    /* outside the body everything is what it is kept as, and what the body assigned is there */
    assert_int_equal(tn_dtype_of(p->seen), TN_FLOAT32);
    assert_int_equal(tn_dtype_of(tn_read_value(p->seen)), TN_FLOAT32);
    CHECK_VALUES(p->seen, 0, 2, 2, 2);
    CHECK_VALUES(p->counter, 0, 1);
    assert_int_equal(tn_dtype_of(tn_variables(p->inner).item[0]), TN_FLOAT32);
}

static void a_body_that_fails_leaves_no_policy_behind(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer = tn_dense(2, .dtype = "mixed_float16");
    assert_non_null(tn_call(layer, tn_ones(TN_SHAPE(2, 3), TN_FLOAT32)));
    assert_null(tn_call(layer, tn_ones(TN_SHAPE(2, 4), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "expected axis -1");
    assert_int_equal(tn_dtype_of(tn_variables(layer).item[0]), TN_FLOAT32);
}

/* --- configs ---------------------------------------------------------------------------------- */
static tn_layer *layer_of_dtype(const char *dtype)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"class_name\": \"Dense\", \"config\": {\"name\": \"d\", \"units\": 2%s%s}}",
             dtype ? ", \"dtype\": " : "", dtype ? dtype : "");
    json_t *json = json_loads(text, 0, NULL);
    tn_layer *layer = NULL;
    assert_non_null(json);
    (void)!tn__layer_from_json(tn__context(), json, &layer);
    json_decref(json);
    return tn__own(layer);
}

static void every_generations_policies_are_read(void **state)
{
    (void)state;
    TN_SCOPE;
    static const char *const cases[][2] = {
        { NULL, "float32" },
        { "null", "float32" },
        { "\"float32\"", "float32" },
        { "\"mixed_bfloat16\"", "mixed_bfloat16" },
        { "{\"module\": \"keras\", \"class_name\": \"DTypePolicy\", "
          "\"config\": {\"name\": \"mixed_float16\"}, \"registered_name\": null}",
          "mixed_float16" },
        { "{\"class_name\": \"Policy\", \"config\": {\"name\": \"mixed_float16\"}}",
          "mixed_float16" },
        { "{\"class_name\": \"PolicyV1\", \"config\": {\"name\": \"mixed_float16\", "
          "\"loss_scale\": {\"class_name\": \"DynamicLossScale\", \"config\": {}}}}",
          "mixed_float16" },
        { "{\"class_name\": \"FloatDTypePolicy\", \"config\": {\"name\": \"bfloat16\"}}",
          "bfloat16" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(tn_layer_dtype_policy(layer_of_dtype(cases[i][0])), cases[i][1]);
    assert_null(layer_of_dtype("{\"class_name\": \"QuantizedDTypePolicy\", \"config\": "
                               "{\"mode\": \"int8\", \"source_name\": \"float32\"}}"));
    CHECK_ERROR(TN_UNIMPLEMENTED,
                "dtype policy QuantizedDTypePolicy: quantized layers are not there\n"
                "in the config of Dense 'd'");
    assert_null(layer_of_dtype("{\"class_name\": \"DTypePolicyMap\", \"config\": {}}"));
    CHECK_ERROR(TN_UNIMPLEMENTED, "DTypePolicyMap: a layer has one policy here");
    assert_null(layer_of_dtype("{\"class_name\": \"DTypePolicy\", \"config\": {}}"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "must be a name or a DTypePolicy with a name");
    assert_null(layer_of_dtype("\"flaot16\""));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Cannot convert 'flaot16' to a mixed precision DTypePolicy");
}

static void an_input_of_an_unknown_dtype_is_no_float32(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer;
    json_t *json = json_loads("{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"i\", "
                              "\"batch_shape\": [null, 2], \"dtype\": \"string\"}}",
                              0, NULL);
    assert_int_not_equal(tn__layer_from_json(tn__context(), json, &layer), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Invalid dtype: string");
    json_decref(json);
    assert_null(tn_sequential_of("input(2, dtype=strng); dense(2)"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a dtype like float32");
}

/* A file's layers that say float32 stay so, whatever new layers get. */
static void a_files_policy_goes_before_the_threads(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OK(tn_set_dtype_policy("mixed_float16"));
    assert_string_equal(tn_layer_dtype_policy(layer_of_dtype("\"float32\"")), "float32");
    assert_string_equal(tn_layer_dtype_policy(layer_of_dtype(NULL)), "mixed_float16");
    CHECK_OK(tn_set_dtype_policy("float32"));
}

static void a_policy_is_written_for_both_generations(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer = tn_dense(2, .dtype = "mixed_float16");
    json_t *new = tn__layer_to_json(layer, TN__KERAS_3),
           *old = tn__layer_to_json(layer, TN__KERAS_2);
    const json_t *dtype = json_object_get(json_object_get(new, "config"), "dtype");
    assert_string_equal(tn__json_text(dtype, "class_name"), "DTypePolicy");
    assert_string_equal(tn__json_text(json_object_get(dtype, "config"), "name"), "mixed_float16");
    assert_string_equal(tn__json_text(json_object_get(old, "config"), "dtype"), "mixed_float16");
    json_decref(new);
    json_decref(old);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mixed_model_computes_and_trains_as_in_keras),
        cmocka_unit_test(compute_and_variable_dtypes_are_the_policys),
        cmocka_unit_test(new_layers_get_the_threads_policy),
        cmocka_unit_test(unknown_and_quantized_policies_are_refused),
        cmocka_unit_test(a_body_reads_weights_in_what_its_layer_computes_in),
        cmocka_unit_test(a_body_that_fails_leaves_no_policy_behind),
        cmocka_unit_test(every_generations_policies_are_read),
        cmocka_unit_test(an_input_of_an_unknown_dtype_is_no_float32),
        cmocka_unit_test(a_files_policy_goes_before_the_threads),
        cmocka_unit_test(a_policy_is_written_for_both_generations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
