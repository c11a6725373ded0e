#include "support/check_op.h"
#include "function/function.h"
#include "nn/config.h"
#include "train/metric.h"

/* Numbers from Keras 3.15 over TensorFlow 2.21. */
#define ROWS(...) VALUES(TN_FLOAT32, TN_SHAPE(2, 3), __VA_ARGS__)
static tn_tensor *targets(void)
{
    return ROWS(0.2, -0.5, 1, 0, 2, -1.5);
}
static tn_tensor *outputs(void)
{
    return ROWS(0.3, 0.4, 0.6, -0.7, 1, 2);
}
static tn_tensor *shares(void)
{
    return ROWS(0.3, 0.4, 0.6, 0.7, 1, 0.2);
}
static tn_tensor *flags(void)
{
    return ROWS(0, 1, 1, 1, 0, 0);
}
static tn_tensor *one_hot(void)
{
    return ROWS(0, 0, 1, 0, 1, 0);
}
static tn_tensor *classes(void)
{
    return VALUES(TN_INT32, TN_SHAPE(2), 2, 1);
}
static tn_tensor *weights(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(2), 2, 0.5);
}

static double value_of(tn_tensor *x)
{
    double value = tn_to_double(x);
    CHECK_NO_ERROR();
    return value;
}

static double variable(tn_metric *metric, size_t index)
{
    return value_of(tn_at(tn_metric_variables(metric), index));
}

/* --- values ----------------------------------------------------------------------------------- */
/* One batch without weights, the same again with them; then total and count. */
static void check_mean(tn_metric *metric, tn_tensor *y_true, tn_tensor *y_pred, double first,
                       double second, double total, double count)
{
    assert_float_equal(value_of(tn_call(metric, y_true, y_pred)), first, 1e-6);
    assert_float_equal(value_of(tn_call(metric, y_true, y_pred, weights())), second, 1e-6);
    assert_float_equal(variable(metric, 0), total, 2e-6);
    assert_float_equal(variable(metric, 1), count, 0);
}

static void means_over_samples_are_keras_s(void **state)
{
    (void)state;
    TN_SCOPE;
    check_mean(tn_mean_squared_error_metric(), targets(), outputs(), 2.4533334, 1.7444444, 7.85,
               4.5);
    check_mean(tn_root_mean_squared_error_metric(), targets(), outputs(), 1.5663121, 1.3207742,
               7.85, 4.5);
    check_mean(tn_cosine_similarity_metric(), targets(), outputs(), 0.17392154, 0.28880066,
               1.299603, 4.5);
    check_mean(tn_binary_accuracy_metric(), flags(), shares(), 0.6666667, 0.6666667, 3, 4.5);
    check_mean(tn_categorical_accuracy_metric(), one_hot(), outputs(), 0.5, 0.6666667, 3, 4.5);
    check_mean(tn_sparse_categorical_accuracy_metric(), classes(), outputs(), 0.5, 0.6666667, 3,
               4.5);
    check_mean(tn_sparse_categorical_accuracy_metric(), tn_expand_dims(classes(), 1), outputs(),
               0.5, 0.6666667, 3, 4.5);
}

static void crossentropy_metrics_take_the_arguments_of_their_losses(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_float_equal(
        value_of(tn_call(tn_binary_crossentropy_metric(.from_logits = true), flags(), outputs())),
        1.0580392, 1e-6);
    assert_float_equal(value_of(tn_call(tn_categorical_crossentropy_metric(.label_smoothing = 0.3),
                                        one_hot(), shares())),
                       0.8607582, 1e-6);
    assert_float_equal(
        value_of(tn_call(tn_sparse_categorical_crossentropy_metric(), classes(), shares())),
        0.7075219, 1e-6);
    tn_metric *ignoring =
        tn_sparse_categorical_crossentropy_metric(.from_logits = true, .ignore_class = 1);
    /* Without weights Keras counts what is ignored, with them it does not. */
    assert_float_equal(value_of(tn_call(ignoring, classes(), outputs())), 0.4699155, 1e-6);
    tn_reset_state(ignoring);
    assert_float_equal(value_of(tn_call(ignoring, classes(), outputs(), weights())), 0.939831,
                       1e-6);
}

static void accuracy_compares_element_by_element(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_metric *metric = tn_accuracy_metric();
    tn_tensor *labels = VALUES(TN_INT32, TN_SHAPE(3), 2, -1, 1),
              *found = VALUES(TN_INT64, TN_SHAPE(3, 1), 2, 1, 1);
    assert_float_equal(value_of(tn_call(metric, labels, found)), 0.6666667, 1e-6);
}

static void the_right_class_may_be_among_the_best_k(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *scores = VALUES(TN_FLOAT32, TN_SHAPE(2, 4), 0.1, 0.9, 0.8, 0.05, 0.05, 0.95, 0, 0.3);
    tn_tensor *labels = VALUES(TN_FLOAT32, TN_SHAPE(2, 4), 0, 0, 1, 0, 1, 0, 0, 0),
              *numbers = VALUES(TN_INT64, TN_SHAPE(2), 2, 0);
    tn_tensor *sorted = VALUES(TN_INT32, TN_SHAPE(2, 3), 1, 2, 0, 1, 3, 0);
    assert_float_equal(value_of(tn_call(tn_top_k_categorical_accuracy_metric(2), labels, scores)),
                       0.5, 0);
    assert_float_equal(
        value_of(tn_call(tn_sparse_top_k_categorical_accuracy_metric(2), numbers, scores)), 0.5, 0);
    assert_float_equal(
        value_of(tn_call(tn_sparse_top_k_categorical_accuracy_metric(4), numbers, scores)), 1, 0);
    assert_float_equal(
        value_of(tn_call(tn_sparse_top_k_categorical_accuracy_metric(2, .from_sorted_ids = true),
                         numbers, sorted)),
        0.5, 0);
    /* More dimensions than samples and classes are samples too. */
    tn_tensor *deep = tn_reshape(scores, TN_SHAPE(1, 2, 4)),
              *deep_numbers = tn_reshape(numbers, TN_SHAPE(1, 2));
    assert_float_equal(
        value_of(tn_call(tn_sparse_top_k_categorical_accuracy_metric(2), deep_numbers, deep)), 0.5,
        0);
}

static void mean_and_sum_take_values(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *values = VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 2, 3, 6);
    tn_metric *mean = tn_mean_metric(), *sum = tn_sum_metric();
    assert_float_equal(value_of(tn_call(mean, values)), 3, 0);
    assert_float_equal(value_of(tn_call(mean, values, VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 0))), 2.5,
                       0);
    assert_float_equal(
        value_of(tn_call(mean, values, VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 0, 3, 1))), 2.8181818,
        1e-6);
    assert_float_equal(value_of(tn_call(mean, tn_scalar(5.0))), 3.1538463, 1e-6);
    assert_float_equal(value_of(tn_call(sum, values)), 12, 0);
    assert_float_equal(value_of(tn_call(sum, values, VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 0.5))),
                       19.5, 0);
    assert_int_equal(tn_metric_variables(sum).count, 1);
}

static void a_mask_is_a_weight_of_0_or_1(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *mask = VALUES(TN_BOOL, TN_SHAPE(2), 1, 0);
    assert_float_equal(value_of(tn_call_with(tn_mean_squared_error_metric(),
                                             TN_LIST(targets(), outputs()), .mask = mask)),
                       0.3266666, 1e-6);
}

/* --- state ------------------------------------------------------------------------------------ */
static void reset_forgets_everything(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_metric *metric = tn_mean_squared_error_metric();
    assert_float_equal(value_of(tn_metric_result(metric)), 0, 0);
    tn_update_state(metric, TN_LIST(targets(), outputs()));
    assert_float_equal(value_of(tn_metric_result(metric)), 2.4533334, 1e-6);
    tn_reset_state(metric);
    assert_float_equal(value_of(tn_metric_result(metric)), 0, 0);
}

static void variables_have_keras_s_names_and_dtype(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_list variables = tn_metric_variables(tn_mean_metric("a/b", TN_FLOAT64));
    assert_int_equal(variables.count, 2);
    assert_string_equal(tn_variable_path(variables.item[0]), "a>b/total");
    assert_string_equal(tn_variable_path(variables.item[1]), "a>b/count");
    assert_int_equal(tn_dtype_of(variables.item[1]), TN_FLOAT64);
    assert_string_equal(tn_metric_name(tn_log_cosh_error_metric()), "logcosh");
    assert_string_equal(tn_metric_name(tn_accuracy_metric(.name = "mine")), "mine");
    CHECK_NO_ERROR();
}

typedef struct {
    tn_metric *metric;
} maker;

/* Makes its metric on the first trace, as a training step does. */
static tn_tensor *make_and_update(void *self, tn_list inputs)
{
    maker *m = self;
    if (!m->metric)
        m->metric = tn_keep_root(tn_mean_squared_error_metric());
    return tn_call_list(m->metric, inputs);
}

static void variables_made_in_a_trace_belong_to_the_metric_alone(void **state)
{
    (void)state;
    TN_SCOPE;
    maker m = { NULL };
    tn_function *f = tn_function(make_and_update, &m);
    assert_float_equal(value_of(tn_call(f, targets(), outputs())), 2.4533334, 1e-6);
    assert_float_equal(value_of(tn_call(f, targets(), outputs())), 2.4533334, 1e-6);
    assert_int_equal(f->traces, 2);
    assert_int_equal(f->made.count, 1); /* the metric, and none of its variables */
    assert_ptr_equal(f->made.item[0], m.metric);
    assert_float_equal(variable(m.metric, 1), 4, 0);
    /* Another signature, the same variables. */
    assert_float_equal(value_of(tn_call(f, targets(), outputs(), weights())), 1.962564, 1e-6);
    assert_float_equal(variable(m.metric, 1), 6.5, 0);
    tn_free(m.metric);
}

static tn_tensor *update_body(void *self, tn_list inputs)
{
    return tn_call_list((tn_metric *)self, inputs);
}

static void one_trace_serves_every_number_of_rows(void **state)
{
    (void)state;
    static const char *const texts[] = { "mse", "root_mean_squared_error", "binary_accuracy",
                                         "categorical_accuracy",
                                         "top_k_categorical_accuracy(k=2)" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        TN_SCOPE;
        const char *text = texts[i];
        tn_metric *eager = tn_metric_from_text(text), *traced = tn_metric_from_text(text);
        tn_function *f = tn_function(update_body, traced);
        f->any_batch = true;
        tn_list both = TN_LIST(one_hot(), shares(), weights()),
                first = TN_LIST(tn_rows(one_hot(), 0, 1), tn_rows(shares(), 0, 1),
                                tn_rows(weights(), 0, 1));
        CHECK_TENSOR(tn_call_list(f, both), tn_call_list(eager, both), 1e-6, 0);
        CHECK_TENSOR(tn_call_list(f, first), tn_call_list(eager, first), 1e-6, 0);
        assert_int_equal(f->traces, 1);
    }
}

/* --- names ------------------------------------------------------------------------------------ */
static void check_chosen(const char *text, tn_shape y_true, tn_shape y_pred, const tn_loss *loss,
                         const char *class, const char *name)
{
    tn_metric *metric = NULL;
    CHECK_OK(tn__metric_for_output(text, &y_true, &y_pred, loss, &metric));
    assert_string_equal(metric->thing.of->name, class);
    assert_string_equal(metric->name, name);
    tn__release(metric);
}

static void accuracy_is_the_one_that_fits_the_shapes(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_shape binary = TN_SHAPE(TN_NONE, 1), ten = TN_SHAPE(TN_NONE, 10), vector = TN_SHAPE(TN_NONE);
    check_chosen("accuracy", vector, binary, NULL, "BinaryAccuracy", "accuracy");
    check_chosen("acc", vector, ten, NULL, "SparseCategoricalAccuracy", "acc");
    check_chosen("Accuracy", binary, ten, NULL, "SparseCategoricalAccuracy", "Accuracy");
    check_chosen("accuracy", ten, ten, NULL, "CategoricalAccuracy", "accuracy");
    check_chosen("accuracy", TN_SHAPE(TN_NONE, 5, 10), TN_SHAPE(TN_NONE, 5, 10), NULL,
                 "CategoricalAccuracy", "accuracy");
    check_chosen("accuracy", TN_SHAPE(TN_NONE, 5), TN_SHAPE(TN_NONE, 5, 10), NULL,
                 "SparseCategoricalAccuracy", "accuracy");
    check_chosen("crossentropy", ten, ten, NULL, "CategoricalCrossentropy", "crossentropy");
    check_chosen("ce", vector, ten, tn_sparse_categorical_crossentropy(true),
                 "SparseCategoricalCrossentropy", "ce");
    check_chosen("mse", ten, ten, NULL, "MeanSquaredError", "mse");
    check_chosen("MSE", ten, ten, NULL, "MeanSquaredError", "MSE");
    check_chosen("MeanSquaredError", ten, ten, NULL, "MeanSquaredError", "MeanSquaredError");
    check_chosen("top_k_categorical_accuracy(k=3)", ten, ten, NULL, "TopKCategoricalAccuracy",
                 "top_k_categorical_accuracy");
    check_chosen("binary_accuracy(name=half, threshold=0.4)", ten, ten, NULL, "BinaryAccuracy",
                 "half");
    tn_metric *none;
    assert_int_equal(tn__metric_for_output("huber", &ten, &ten, NULL, &none), TN_INVALID_ARGUMENT);
    assert_null(none);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Unknown metric: 'huber'");
}

static void metrics_say_whether_more_is_better(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_int_equal(tn__metric_direction(tn_accuracy_metric()), 1);
    assert_int_equal(tn__metric_direction(tn_auc_metric()), 1);
    assert_int_equal(tn__metric_direction(tn_mean_squared_error_metric()), -1);
    assert_int_equal(tn__metric_direction(tn_mean_metric()), 0);
    CHECK_NO_ERROR();
}

/* --- mistakes, files, memory ------------------------------------------------------------------ */
static void a_call_wants_the_tensors_its_metric_takes(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_metric *metric = tn_mean_squared_error_metric(), *mean = tn_mean_metric();
    tn_call(metric, targets());
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "mean_squared_error takes y_true, y_pred and maybe sample_weight, got 1 inputs");
    tn_call(mean, targets(), weights(), weights());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "mean takes values and maybe sample_weight, got 3 inputs");
    tn_call(metric, targets(), tn_zeros(TN_SHAPE(2, 2), TN_FLOAT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Incompatible shapes");
    tn_call(metric, targets(), (tn_tensor *)NULL);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "NULL");
    tn_metric_result(NULL);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_metric_result: metric");
    tn_top_k_categorical_accuracy_metric(0);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`k`");
    tn_mean_metric(.dtype = TN_INT32);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "float dtype");
    tn_metric_from_text("mse(k=2)");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "no argument 'k'");
}

static void files_say_what_keras_says(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_metric *metric = tn_top_k_categorical_accuracy_metric(3);
    json_t *written = tn__thing_to_json(&metric->thing, TN__KERAS_3);
    json_t *want =
        json_pack("{s:s, s:s, s:{s:s, s:s, s:i}, s:n}", "module", "keras.metrics", "class_name",
                  "TopKCategoricalAccuracy", "config", "name", "top_k_categorical_accuracy",
                  "dtype", "float32", "k", 3, "registered_name");
    assert_true(json_equal(written, want));
    tn__thing thing;
    tn_metric *read = NULL;
    CHECK_OK(tn__thing_from_json(TN__METRIC, written, &thing));
    CHECK_OK(tn__metric_from_thing(&thing, &read));
    assert_int_equal(((const tn_top_k_options *)read->thing.self)->k, 3);
    assert_string_equal(read->name, "top_k_categorical_accuracy");
    tn__release(read);
    json_decref(written);
    json_decref(want);
}

static bool make_and_call(void *self)
{
    TN_SCOPE;
    tn_metric *metric = tn_metric_from_text(self);
    return tn_call(metric, one_hot(), shares(), weights()) != NULL &&
           tn_metric_variables(metric).item;
}

static void without_memory_a_metric_fails_and_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(make_and_call,
                              "categorical_crossentropy(name=mine, label_smoothing=0.1)");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_over_samples_are_keras_s),
        cmocka_unit_test(crossentropy_metrics_take_the_arguments_of_their_losses),
        cmocka_unit_test(accuracy_compares_element_by_element),
        cmocka_unit_test(the_right_class_may_be_among_the_best_k),
        cmocka_unit_test(mean_and_sum_take_values),
        cmocka_unit_test(a_mask_is_a_weight_of_0_or_1),
        cmocka_unit_test(reset_forgets_everything),
        cmocka_unit_test(variables_have_keras_s_names_and_dtype),
        cmocka_unit_test(variables_made_in_a_trace_belong_to_the_metric_alone),
        cmocka_unit_test(one_trace_serves_every_number_of_rows),
        cmocka_unit_test(accuracy_is_the_one_that_fits_the_shapes),
        cmocka_unit_test(metrics_say_whether_more_is_better),
        cmocka_unit_test(a_call_wants_the_tensors_its_metric_takes),
        cmocka_unit_test(files_say_what_keras_says),
        cmocka_unit_test(without_memory_a_metric_fails_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
