/* weights_test.c - weights made, listed, set, frozen; and what a layer or model tells of itself. */
#include "nn/layer.h"
#include "support/check_op.h"

static tn_tensor *zeros(int64_t rows, int64_t columns)
{
    return tn_zeros(TN_SHAPE(rows, columns), TN_FLOAT32);
}

static tn_model *two_layers(void)
{
    tn_layer *first = tn_dense(3, .name = "first", .input_shape = TN_SHAPE(2)),
             *second = tn_dense(1, .use_bias = false, .name = "second");
    return tn_sequential(TN_LAYERS(first, second), .name = "m");
}

static void a_weight_belongs_to_the_layer_that_runs(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_add_weight(TN_SHAPE(2), .name = "w"));
    CHECK_ERROR(TN_FAILED_PRECONDITION, "tn_add_weight: no layer's init, build or call is running");
}

static void lists_have_trainable_weights_first_and_each_once(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *norm = tn_batch_normalization(.name = "norm"),
             *dense = tn_dense(2, .name = "dense", .input_shape = TN_SHAPE(2));
    tn_model *model = tn_sequential(TN_LAYERS(dense, norm, dense), .name = "m");
    assert_null(model); /* a layer has one place in a Sequential, its name one owner */
    tn_catch(TN_ANY_ERROR);
    model = tn_sequential(TN_LAYERS(dense, norm));
    assert_int_equal(tn_variables(model).count, 6);
    assert_int_equal(tn_trainable_variables(model).count, 4);
    assert_int_equal(tn_layer_non_trainable_variables(model).count, 2);
    tn_set_trainable(norm, false);
    assert_int_equal(tn_trainable_variables(model).count, 2);
    assert_true(tn_is_trainable(model));
    tn_set_trainable(model, false);
    assert_int_equal(tn_trainable_variables(model).count, 0);
    assert_false(tn_is_trainable(dense)); /* and all that is in it */
    tn_set_trainable(model, true);
    assert_int_equal(tn_trainable_variables(model).count, 4);
    CHECK_NO_ERROR();
}

static void weights_that_do_not_fit_change_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = two_layers();
    tn_list before = tn_get_weights(model);
    assert_int_equal(tn_set_weights(model, TN_LIST(zeros(2, 3))), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "You called `set_weights(weights)` on layer 'm' with a weight "
                                     "list of length 1, but the layer was expecting 3 weights.");
    (void)!tn_set_weights(model,
                          TN_LIST(zeros(2, 3), tn_zeros(TN_SHAPE(3), TN_FLOAT32), zeros(1, 3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Layer m weight shape (3, 1) is not compatible with provided "
                                     "weight shape (1, 3).\nweight 2, 'second/kernel'");
    (void)!tn_set_weights(model, (tn_list){ 3, (tn_tensor *[]){ zeros(2, 3), NULL, zeros(3, 1) } });
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_set_weights: a weight is NULL");
    tn_list after = tn_get_weights(model);
    for (size_t i = 0; i < before.count; i++)
        CHECK_TENSOR(after.item[i], before.item[i], 0, 0);
    CHECK_OK(tn_set_weights(model, TN_LIST(tn_ones(TN_SHAPE(2, 3), TN_INT32),
                                           tn_ones(TN_SHAPE(3), TN_FLOAT64), zeros(3, 1))));
    CHECK_VALUES(tn_variables(model).item[0], 0, 1, 1, 1, 1, 1, 1); /* other dtypes are converted */
    assert_int_equal(tn_dtype_of(tn_variables(model).item[0]), TN_FLOAT32);
}

static void weights_that_were_got_are_snapshots(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = two_layers();
    CHECK_OK(tn_set_weights(model,
                            TN_LIST(zeros(2, 3), tn_zeros(TN_SHAPE(3), TN_FLOAT32), zeros(3, 1))));
    tn_list got = tn_get_weights(model);
    tn_assign(tn_variables(model).item[2], tn_ones(TN_SHAPE(3, 1), TN_FLOAT32));
    CHECK_VALUES(got.item[2], 0, 0, 0, 0);
    tn_list none = tn_get_weights(tn_relu());
    assert_int_equal(none.count, 0);
    assert_non_null(none.item); /* an empty list is no failure */
    CHECK_NO_ERROR();
}

static void a_layer_that_is_not_there_is_answered_with_those_that_are(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = two_layers();
    assert_ptr_equal(tn_get_layer(model, "second"), tn_layers(model).item[1]);
    assert_null(tn_get_layer(model, "third"));
    CHECK_ERROR(TN_NOT_FOUND, "No such layer: third. Existing layers are: ['first', 'second'].");
    assert_null(tn_get_layer(model, NULL));
    CHECK_ERROR(TN_NOT_FOUND, "No such layer: NULL.");
    assert_null(tn_get_layer(NULL, "first"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_get_layer: model is NULL");
}

static void what_has_no_shape_yet_says_so(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *dense = tn_dense(2, .name = "d");
    assert_false(tn_input_shape(dense).known);
    CHECK_ERROR(TN_FAILED_PRECONDITION,
                "The layer \"d\" has never been called and thus has no defined input shape.");
    tn_call(dense, tn_ones(TN_SHAPE(4, 3), TN_FLOAT32));
    assert_int_equal(tn_dim(tn_input_shape(dense), -1), 3);
    assert_int_equal(tn_dim(tn_input_shape(two_layers()), 0), TN_NONE);
    assert_null(tn_model_input(dense));
    CHECK_ERROR(TN_FAILED_PRECONDITION, "Dense 'd' has no symbolic input and output");
    (void)!tn_adapt(dense, tn_ones(TN_SHAPE(4, 3), TN_FLOAT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Dense 'd' has nothing to adapt to data");
}

static void dead_layers_are_refused_everywhere(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *dead = tn_dense(2);
    tn_free(dead);
    assert_null(tn_variables(dead).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_variables: layer is a layer that has been freed");
    assert_string_equal(tn_layer_name(dead), "<failed>");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "has been freed");
    tn_set_trainable(dead, true);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "has been freed");
    assert_null(tn_call(dead, zeros(1, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "has been freed");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_weight_belongs_to_the_layer_that_runs),
        cmocka_unit_test(lists_have_trainable_weights_first_and_each_once),
        cmocka_unit_test(weights_that_do_not_fit_change_nothing),
        cmocka_unit_test(weights_that_were_got_are_snapshots),
        cmocka_unit_test(a_layer_that_is_not_there_is_answered_with_those_that_are),
        cmocka_unit_test(what_has_no_shape_yet_says_so),
        cmocka_unit_test(dead_layers_are_refused_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
