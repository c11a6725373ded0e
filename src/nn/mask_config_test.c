/* mask_config_test.c - configs as Keras 3.15 writes them of models with masks. */
#include "support/check_op.h"
#include "nn/config.h"
#include <string.h>

#define TENSOR(name)                                                                            \
    "{'class_name': '__keras_tensor__', 'config': {'shape': [null, 3, 2], 'dtype': 'float32', " \
    "'keras_history': ['" name "', 0, 0]}}"
#define LAYER(class, name, options, args, kwargs)                                                 \
    "{'module': 'keras.layers', 'class_name': '" class "', 'config': {'name': '" name "'" options \
                                                       "}, 'name': '" name                        \
                                                       "', 'inbound_nodes': [{'args': [" args     \
                                                       "], 'kwargs': {" kwargs "}}]}"
#define OP(class, name, args)                                                                  \
    "{'module': 'keras.src.ops.numpy', 'class_name': '" class "', 'config': {'name': '" name   \
                                                              "'}, 'registered_name': '" class \
        "', 'name': '" name "', 'inbound_nodes': [{'args': [" args "], 'kwargs': {}}]}"
#define INPUT                                                                                     \
    "{'module': 'keras.layers', 'class_name': 'InputLayer', 'config': {'batch_shape': [null, 3, " \
    "2], 'dtype': 'float32', 'name': 'x'}, 'name': 'x', "                                         \
    "'inbound_nodes': []}"
#define MODEL(layers, output)                                                                   \
    "{'module': 'keras', 'class_name': 'Functional', 'config': {'name': 'm', 'layers': [" INPUT \
    ", " layers "], 'input_layers': ['x', 0, 0], "                                              \
    "'output_layers': ['" output "', 0, 0]}}"
#define MASK_OPS \
    OP("NotEqual", "not_equal", TENSOR("x") ", 0.0") ", " OP("Any", "any", TENSOR("not_equal"))
#define MASKED LAYER("BatchNormalization", "norm", "", TENSOR("masking"), "'mask': " TENSOR("any"))

/* JSON with ' for ". */
static tn_model *read(const char *text)
{
    char *json = strdup(text);
    assert_non_null(json);
    for (char *c = json; *c; c++)
        if (*c == '\'')
            *c = '"';
    tn_model *model = tn_model_from_json(json);
    free(json);
    return model;
}

static void ops_that_make_masks_are_left_out(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = read(
        MODEL(MASK_OPS ", " LAYER("Masking", "masking", "", TENSOR("x"), "") ", " MASKED, "norm"));
    CHECK_NO_ERROR();
    assert_int_equal(tn_layers(model).count, 3);
    const float steps[] = { 1, 2, 0, 0, 3, 0, 0, 0, 4, 5, 0, 0 };
    tn_tensor *y = tn_call_with(model, TN_LIST(tn_constant(TN_FLOAT32, TN_SHAPE(2, 3, 2), steps)),
                                .training = true);
    assert_string_equal(tn_text(tn_mask(y)), "[[ True False  True]\n [False  True False]]");
    CHECK_VALUES(tn_read_value(tn_at(tn_variables(model), 2)), 1e-7, 0.02666667, 0.02333333);
    CHECK_NO_ERROR();
}

static void models_within_models_lose_theirs_too(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = read(
        "{'module': 'keras', 'class_name': 'Sequential', 'config': {'name': 's', 'layers': [" MODEL(
            MASK_OPS ", " LAYER("Masking", "masking", "", TENSOR("x"), "") ", " MASKED,
            "norm") "]}}");
    CHECK_NO_ERROR();
    assert_int_equal(tn_layers(tn_layers(model).item[0]).count, 3);
}

/* As an .h5 of Keras 3 has them, which Keras 3 itself does not open. */
static void ops_without_a_module_are_left_out(void **state)
{
    (void)state;
    TN_SCOPE;
    static const char op[] = "{'class_name': 'Any', 'config': {'name': 'any', 'axis': -1}, 'name': "
                             "'any', 'inbound_nodes': [{'args': [" TENSOR("x") "], 'kwargs': {}}]}";
    tn_model *model = read(tn_format(MODEL("%s, " LAYER("Masking", "masking", ", 'trainable': true",
                                                        TENSOR("x"), "") ", " MASKED,
                                           "norm"),
                                     op));
    CHECK_NO_ERROR();
    assert_int_equal(tn_layers(model).count, 3);
}

static void a_mask_that_the_input_does_not_have_is_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(read(MODEL(MASK_OPS ", " LAYER("BatchNormalization", "norm", "", TENSOR("x"),
                                               "'mask': " TENSOR("any")),
                           "norm")));
    CHECK_ERROR(TN_UNIMPLEMENTED,
                "the config of a functional model gives 'norm' a mask that its inputs do not have");
}

static void ops_that_make_more_than_masks_stay_unknown(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(
        read(MODEL(MASK_OPS ", " LAYER("Masking", "masking", "", TENSOR("any"), ""), "masking")));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Could not locate class 'NotEqual'");
    assert_null(read(MODEL(MASK_OPS, "any")));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Could not locate class 'NotEqual'");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops_that_make_masks_are_left_out),
        cmocka_unit_test(models_within_models_lose_theirs_too),
        cmocka_unit_test(ops_without_a_module_are_left_out),
        cmocka_unit_test(a_mask_that_the_input_does_not_have_is_refused),
        cmocka_unit_test(ops_that_make_more_than_masks_stay_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
