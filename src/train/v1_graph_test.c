/* v1_graph_test.c - models while a TensorFlow 1 graph is where ops go: trained, saved and asked as
 * in eager mode, and parts of the graph. */
#include "session/session.h"
#include "support/check_op.h"
#include "tenon/files.h"
#include "tenon/training.h"
#include <unistd.h>

enum { NUMBERS = 64 };

static tn_model *some_model(void)
{
    return tn_sequential(TN_LAYERS(tn_dense(3, "tanh", .input_shape = TN_SHAPE(2)),
                                   tn_batch_normalization(), tn_dropout(0.5),
                                   tn_dense(1, .kernel_regularizer = "l2")));
}

static void add(double *numbers, size_t *count, tn_tensor *x)
{
    tn_list leaves = tn_items(x);
    assert_non_null(leaves.item);
    for (size_t i = 0; i < leaves.count; i++)
        for (int64_t k = 0; k < tn__count(leaves.item[i]); k++) {
            assert_true(*count < NUMBERS);
            numbers[(*count)++] = tn__double_at(leaves.item[i], k);
        }
}

/* Everything that works on data, and what it gives. */
static size_t work(double *numbers)
{
    TN_SCOPE;
    size_t count = 0;
    tn_set_random_seed(7);
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(4, 2), 1, 2, 3, 4, 5, 6, 7, 8),
              *y = VALUES(TN_FLOAT32, TN_SHAPE(4, 1), 1, 2, 3, 4);
    tn_model *m = some_model();
    CHECK_OK(
        tn_compile(m, .optimizer = tn_adam(.use_ema = true), .loss = "mse", .metrics = { "mae" }));
    tn_history *h = tn_fit(m, x, y, .epochs = 2, .batch_size = 2, .validation_split = 0.5,
                           .verbose = 0, .sample_weight = tn_ones(TN_SHAPE(4), TN_FLOAT32),
                           .callbacks = { tn_early_stopping("loss"), tn_reduce_lr_on_plateau() });
    numbers[count++] = tn_history_value(h, "loss", 1);
    numbers[count++] = tn_history_value(h, "val_mae", 1);
    add(numbers, &count, tn_evaluate(m, x, y, .verbose = 0));
    add(numbers, &count, tn_train_on_batch(m, x, y));
    add(numbers, &count, tn_test_on_batch(m, x, y));
    add(numbers, &count, tn_predict_on_batch(m, x));
    CHECK_OK(tn_save(m, "v1_graph_test.keras"));
    CHECK_OK(tn_save(m, "v1_graph_test.h5"));
    tn_model *back = tn_load_model("v1_graph_test.keras"),
             *legacy = tn_load_model("v1_graph_test.h5");
    add(numbers, &count, tn_predict(back, x, .batch_size = 3, .verbose = 0));
    add(numbers, &count, tn_predict(legacy, x, .verbose = 0));
    assert_non_null(tn_fit(back, x, y, .epochs = 1, .verbose = 0));
    add(numbers, &count, tn_predict(back, x, .verbose = 0));
    CHECK_OK(tn_set_weights(legacy, tn_get_weights(back)));
    add(numbers, &count, tn_predict(legacy, x, .verbose = 0));
    unlink("v1_graph_test.keras");
    unlink("v1_graph_test.h5");
    return count;
}

static void a_graph_changes_nothing_for_models_and_gets_nothing(void **state)
{
    (void)state;
    double eager[NUMBERS], in_graph[NUMBERS];
    size_t count = work(eager);
    tn_graph *g = tn_graph_new();
    TN_WITH(tn_graph_as_default(g));
    TN_WITH(tn_control_dependencies(TN_LIST(tn_placeholder(TN_FLOAT32, TN_SCALAR, "before"))));
    assert_int_equal(work(in_graph), count);
    for (size_t i = 0; i < count; i++)
        assert_float_equal(in_graph[i], eager[i], 0);
    assert_int_equal(g->node.count, 1);
    assert_int_equal(g->v1->variable.count, 0);
}

static void a_model_called_on_a_placeholder_is_part_of_the_graph(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_graph *g = tn_graph_new();
    TN_WITH(tn_graph_as_default(g));
    tn_tensor *value = VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 2, 3, 4),
              *x = tn_placeholder(TN_FLOAT32, TN_SHAPE(TN_NONE, 2), "x");
    tn_model *m = some_model();
    tn_tensor *y = tn_call(m, x), *again = tn_call(m, x);
    assert_int_equal(g->v1->variable.count, 0);
    tn_session *s = tn_session();
    tn_tensor *expected = tn_predict(m, value, .verbose = 0),
              *both = tn_run(s, tn_tuple(y, again), .feed = { { x, value } });
    for (int i = 0; i < 2; i++)
        CHECK_VALUES(tn_item(both, i), 1e-6, tn__double_at(expected, 0),
                     tn__double_at(expected, 1));
    CHECK_OK(tn_compile(m, .optimizer = tn_sgd(0.1), .loss = "mse"));
    assert_non_null(tn_train_on_batch(m, value, VALUES(TN_FLOAT32, TN_SHAPE(2, 1), 5, 6)));
    expected = tn_predict(m, value, .verbose = 0); /* fit's weights are the session's */
    CHECK_VALUES(tn_run(s, y, .feed = { { x, value } }), 1e-6, tn__double_at(expected, 0),
                 tn__double_at(expected, 1));
}

static void a_random_layer_draws_anew_in_every_run(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SHAPE(64), "x");
    tn_tensor *y = tn_call_with(tn_dropout(0.5, .seed = 1), TN_LIST(x), .training = true),
              *ones = tn_ones(TN_SHAPE(64), TN_FLOAT32);
    tn_session *s = tn_session();
    tn_tensor *first = tn_run(s, y, .feed = { { x, ones } }),
              *second = tn_run(s, y, .feed = { { x, ones } });
    int kept = 0, different = 0;
    for (int i = 0; i < 64; i++) {
        kept += tn__double_at(first, i) == 2;
        different += tn__double_at(first, i) != tn__double_at(second, i);
    }
    assert_in_range(kept, 16, 48);
    assert_in_range(different, 16, 48);
}

static void a_metric_counts_values_and_no_tensors_of_the_graph(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_graph *g = tn_graph_new();
    TN_WITH(tn_graph_as_default(g));
    tn_metric *mean = tn_mean_metric();
    CHECK_VALUES(tn_call(mean, tn_constant(TN_FLOAT32, TN_SHAPE(2), (float[]){ 2, 4 })), 0, 3);
    tn_reset_state(mean);
    CHECK_VALUES(tn_call(mean, tn_constant(TN_FLOAT32, TN_SHAPE(1), (float[]){ 5 })), 0, 5);
    assert_int_equal(g->node.count, 0);
    assert_null(tn_call(mean, tn_placeholder(TN_FLOAT32, TN_SHAPE(1), "x")));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "is a tensor of a graph that is not being built now, so it has no value");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_graph_changes_nothing_for_models_and_gets_nothing),
        cmocka_unit_test(a_model_called_on_a_placeholder_is_part_of_the_graph),
        cmocka_unit_test(a_random_layer_draws_anew_in_every_run),
        cmocka_unit_test(a_metric_counts_values_and_no_tensors_of_the_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
