/* op_config_test.c - keras.ops in functional models: as Keras wrote them, and written by us. */
#include "nn/op_config.h"
#include "support/check_op.h"
#include <math.h>
#include "nn/testdata/op_cases.h"

static tn_list inputs(void)
{
    const int32_t n[8] = { -3, -2, -1, 0, 1, 2, 3, 4 };
    return TN_LIST(tn_constant(TN_FLOAT32, TN_SHAPE(4, 2, 3), op_x),
                   tn_constant(TN_FLOAT32, TN_SHAPE(4, 2, 3), op_w),
                   tn_constant(TN_INT32, TN_SHAPE(4, 2), n));
}

static void follows_keras(const char *name, tn_tensor *y, const float *want, size_t count)
{
    CHECK_NO_ERROR();
    assert_int_equal(tn__count(y), count);
    for (size_t i = 0; i < count; i++)
        if (!(fabs(tn__double_at(y, (int64_t)i) - (double)want[i]) <=
              1e-5 * (1 + fabs((double)want[i]))))
            fail_msg("%s: [%zu] is %.9g, want %.9g", name, i, tn__double_at(y, (int64_t)i),
                     (double)want[i]);
}

static void ops_that_keras_wrote_compute_the_same_and_are_written_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof op_cases / sizeof *op_cases; i++) {
        TN_SCOPE;
        tn_model *model = tn_model_from_json(op_cases[i].json);
        follows_keras(op_cases[i].name, tn_call_with(model, inputs()), op_cases[i].y,
                      op_cases[i].count);
        tn_model *again = tn_model_from_json(tn_to_json(model));
        follows_keras(op_cases[i].name, tn_call_with(again, inputs()), op_cases[i].y,
                      op_cases[i].count);
    }
}

static tn_tensor *some_ops(tn_tensor *x, tn_tensor *w)
{
    tn_tensor *y = tn_matmul(tn_nn_relu(x), tn_transpose(w, TN_AXES(0, 2, 1)));
    y = tn_add(tn_multiply(y, tn_scalar(0.5)),
               tn_reduce_mean(x, .axis = TN_AXES(2), .keepdims = true));
    return tn_concat(TN_LIST(tn_rows(y, 0, 3), tn_nn_softmax(tn_rows(y, 0, 3), 1)), -1);
}

static void a_model_of_our_own_ops_is_saved_in_kerass_words(void **state)
{
    (void)state;
    tn_tensor *x = tn_input(TN_SHAPE(2, 3)), *w = tn_input(TN_SHAPE(2, 3), .name = "relu_op_0");
    tn_model *model = tn_model(tn_tuple(x, w), some_ops(x, w));
    const char *json = tn_to_json(model);
    CHECK_NO_ERROR();
    assert_non_null(strstr(json, "\"keras.src.ops.nn\""));
    assert_non_null(strstr(json, "\"GetItem\""));
    tn_list in = tn_list_of(2, inputs().item);
    check_tensor(tn_call_with(tn_model_from_json(json), in), tn_call_with(model, in), 1e-6, 1e-6,
                 __FILE__, __LINE__);
}

static void what_keras_has_no_op_for_is_refused_by_name(void **state)
{
    (void)state;
    tn_tensor *x = tn_input(TN_SHAPE(2));
    tn_model *model = tn_model(x, tn_lgamma(x));
    (void)tn_to_json(model);
    CHECK_ERROR(TN_UNIMPLEMENTED, "op Lgamma stands directly in a functional model");
    model = tn_model(x, tn_add(x, tn_ones(TN_SHAPE(2), TN_FLOAT32)));
    (void)tn_to_json(model);
    CHECK_ERROR(TN_UNIMPLEMENTED, "neither a tensor of the model nor a number");
}

static void keras_2_which_has_no_words_for_ops_is_refused_and_nothing_stays_behind(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_input(TN_SHAPE(2));
    tn_model *model = tn_model(x, tn_square(x));
    size_t allocations = 0;
    for (int i = 0; i < 3; i++) {
        TN_SCOPE;
        (void)tn_to_json(model, .keras = 2);
        CHECK_ERROR(TN_UNIMPLEMENTED, "which files for Keras 2 cannot say");
        assert_true(i < 2 || live_allocations() == allocations);
        allocations = live_allocations();
    }
}

static void what_a_file_says_of_ops_and_is_not_known_is_refused(void **state)
{
    (void)state;
#define MODEL(class, config, args)                                                                 \
    "{\"class_name\": \"Functional\", \"config\": {\"name\": \"f\", \"layers\": ["                 \
    "{\"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, 2], \"name\": \"x\"}, " \
    "\"name\": \"x\", \"inbound_nodes\": []},"                                                     \
    "{\"module\": \"keras.src.ops.numpy\", \"class_name\": \"" class                               \
        "\", \"config\": {\"name\": \"y\"" config                                                  \
        "}, \"name\": \"y\", \"inbound_nodes\": [{\"args\":"                                       \
        " [" args "], \"kwargs\": {}}]}], \"input_layers\": [\"x\", 0, 0], \"output_layers\": "    \
        "[\"y\", 0, 0]}}"
#define X "{\"class_name\": \"__keras_tensor__\", \"config\": {\"keras_history\": [\"x\", 0, 0]}}"
    assert_non_null(tn_model_from_json(MODEL("Exp", "", X)));
    CHECK_NO_ERROR();
    assert_null(tn_model_from_json(MODEL("Exp", ", \"base\": 2", X)));
    CHECK_ERROR(TN_UNIMPLEMENTED, "the file's keras.ops Exp");
    assert_null(tn_model_from_json(MODEL("Exp", "", X ", 1")));
    CHECK_ERROR(TN_UNIMPLEMENTED, "the file's keras.ops Exp");
    assert_null(tn_model_from_json(MODEL("Add", "", X ", \"1\"")));
    CHECK_ERROR(TN_UNIMPLEMENTED, "two tensors, or one and a number");
    assert_null(tn_model_from_json(MODEL("GetItem", "", X ", [\"a\"]")));
    CHECK_ERROR(TN_UNIMPLEMENTED, "between its brackets");
    assert_null(tn_model_from_json(MODEL("GetItem", "", X ", [0, 9223372036854775807]")));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "slice index 9223372036854775807 of dimension 1 out of bounds.");
    assert_null(tn_model_from_json(MODEL("Reshape", ", \"newshape\": [0.5]", X)));
    CHECK_ERROR(TN_UNIMPLEMENTED, "newshape");
    assert_null(tn_model_from_json(MODEL("Nothing", "", X)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Nothing");
}

int main(void)
{
    tests_begin();
    tests_count_json();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops_that_keras_wrote_compute_the_same_and_are_written_again),
        cmocka_unit_test(a_model_of_our_own_ops_is_saved_in_kerass_words),
        cmocka_unit_test(what_keras_has_no_op_for_is_refused_by_name),
        cmocka_unit_test(keras_2_which_has_no_words_for_ops_is_refused_and_nothing_stays_behind),
        cmocka_unit_test(what_a_file_says_of_ops_and_is_not_known_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
