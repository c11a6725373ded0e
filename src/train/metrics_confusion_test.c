#include "support/check_op.h"
#include "function/function.h"
#include "train/metric.h"

/* Numbers from Keras 3.15 over TensorFlow 2.21. */
#define VECTOR(...) VALUES(TN_FLOAT32, TN_SHAPE(6), __VA_ARGS__)
static tn_tensor *labels(void)
{
    return VECTOR(0, 1, 1, 0, 1, 0);
}
static tn_tensor *scores(void)
{
    return VECTOR(0.1, 0.4, 0.8, 0.6, 0.55, 0);
}
static tn_tensor *weights(void)
{
    return VECTOR(1, 2, 0.5, 1, 3, 2);
}
static tn_tensor *label_table(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(3, 3), 0, 1, 0, 0, 0, 1, 1, 0, 1);
}
static tn_tensor *score_table(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(3, 3), 0.1, 0.7, 0.2, 0.5, 0.1, 0.4, 0.2, 0.35, 0.45);
}
#define THRESHOLDS(...) \
    tn_constant(TN_FLOAT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), (const float[]){ __VA_ARGS__ })

static tn_tensor *metric_body(void *self, tn_list inputs)
{
    return tn_call_list((tn_metric *)self, inputs);
}

/* A batch without weights and again with them. */
static void check_metric(tn_metric *metric, double first, double second)
{
    CHECK_VALUES(tn_call(metric, labels(), scores()), 2e-6, first);
    CHECK_VALUES(tn_call(metric, labels(), scores(), weights()), 2e-6, second);
    CHECK_NO_ERROR();
}

static void counts_and_shares_are_keras_s(void **state)
{
    (void)state;
    TN_SCOPE;
    check_metric(tn_true_positives_metric(), 2, 5.5);
    check_metric(tn_false_positives_metric(), 1, 2);
    check_metric(tn_true_negatives_metric(), 2, 5);
    check_metric(tn_false_negatives_metric(), 1, 3);
    check_metric(tn_precision_metric(), 0.6666667, 0.73333335);
    check_metric(tn_recall_metric(), 0.6666667, 0.64705884);
}

static void several_thresholds_give_a_vector(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *three = THRESHOLDS(0.3f, 0.5f, 0.7f);
    CHECK_VALUES(tn_call(tn_true_positives_metric(three), labels(), scores()), 0, 3, 2, 1);
    CHECK_VALUES(tn_call(tn_false_positives_metric(three), labels(), scores()), 0, 1, 1, 0);
    CHECK_VALUES(tn_call(tn_true_negatives_metric(three), labels(), scores()), 0, 2, 2, 3);
    CHECK_VALUES(tn_call(tn_false_negatives_metric(three), labels(), scores()), 0, 0, 1, 2);
    CHECK_VALUES(tn_call(tn_precision_metric(three), labels(), scores()), 1e-6, 0.75, 0.6666667, 1);
    CHECK_VALUES(tn_call(tn_recall_metric(three), labels(), scores()), 1e-6, 1, 0.6666667,
                 0.33333334);
}

static void only_the_best_or_one_class_may_count(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(tn_call(tn_precision_metric(.top_k = 2), label_table(), score_table()), 1e-6, 0.5);
    CHECK_VALUES(tn_call(tn_recall_metric(.top_k = 1), label_table(), score_table()), 1e-6, 0.5);
    CHECK_VALUES(
        tn_call(tn_precision_metric(THRESHOLDS(0.3f), .class_id = 2), label_table(), score_table()),
        0, 1);
    CHECK_VALUES(
        tn_call(tn_recall_metric(THRESHOLDS(0.3f), .class_id = 2), label_table(), score_table()), 0,
        1);
}

static void areas_under_every_curve_are_keras_s(void **state)
{
    (void)state;
    static const struct {
        const char *curve, *method;
        double first, second;
    } cases[] = {
        { "ROC", "interpolation", 0.7777778, 0.7647059 },
        { "ROC", "minoring", 0.7777778, 0.7647059 },
        { "ROC", "majoring", 0.7777778, 0.7647059 },
        { "PR", "interpolation", 0.76895094, 0.741503 },
        { "PR", "minoring", 0.3888889, 0.4605042 },
        { "pr", "Majoring", 0.8055556, 0.8072829 },
        { "PRGAIN", "interpolation", 0.41666666, 0.41125542 },
        { "PRGAIN", "minoring", 0.25, 0.16084786 },
        { "PRGAIN", "majoring", 0.5833333, 0.66166306 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TN_SCOPE;
        check_metric(tn_auc_metric(.curve = cases[i].curve, .summation_method = cases[i].method),
                     cases[i].first, cases[i].second);
    }
}

static void an_area_may_have_thresholds_of_its_own(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(
        tn_call(tn_auc_metric(.thresholds = THRESHOLDS(0.5f, 0.2f, 0.7f)), labels(), scores()),
        1e-6, 0.8333333);
    CHECK_VALUES(
        tn_call(tn_auc_metric(.thresholds = THRESHOLDS(0.5f, 0.25f, 0.75f)), labels(), scores()),
        1e-6, 0.8333333);
    tn_tensor *logits = tn_multiply(tn_subtract(scores(), tn_scalar(0.4)), tn_scalar(5.0));
    CHECK_VALUES(tn_call(tn_auc_metric(.from_logits = true), labels(), logits), 1e-6, 0.7777778);
}

static void labels_may_have_areas_of_their_own(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *of_labels = THRESHOLDS(1, 2, 3), *of_samples = THRESHOLDS(1, 2, 3);
    tn_metric *waiting = tn_auc_metric(.multi_label = true);
    assert_int_equal(tn_metric_variables(waiting).count, 0);
    tn_metric_result(waiting);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "has seen nothing yet");
    CHECK_VALUES(tn_call(waiting, label_table(), score_table()), 1e-6, 0.8333333);
    assert_int_equal(tn_dim(tn_shape_of(tn_metric_variables(waiting).item[0]), 1), 3);
    CHECK_VALUES(tn_call(tn_auc_metric(.multi_label = true, .label_weights = of_labels),
                         label_table(), score_table()),
                 1e-6, 0.9166667);
    CHECK_VALUES(tn_call(tn_auc_metric(.label_weights = of_labels), label_table(), score_table()),
                 1e-6, 0.8703703);
    CHECK_VALUES(tn_call(tn_auc_metric(.multi_label = true, .thresholds = THRESHOLDS(0.3f, 0.5f)),
                         label_table(), score_table()),
                 1e-6, 0.75);
    CHECK_VALUES(tn_call(tn_auc_metric(.multi_label = true, .thresholds = THRESHOLDS(0.3f, 0.4f)),
                         label_table(), score_table(), of_samples),
                 1e-6, 0.72222215);
}

static void one_share_where_another_is_reached(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(tn_call(tn_sensitivity_at_specificity_metric(0.6), labels(), scores()), 1e-6, 1);
    CHECK_VALUES(tn_call(tn_sensitivity_at_specificity_metric(0.6, 1), labels(), scores()), 1e-6,
                 0.6666667);
    CHECK_VALUES(tn_call(tn_specificity_at_sensitivity_metric(0.6), labels(), scores()), 1e-6,
                 0.6666667);
    CHECK_VALUES(tn_call(tn_precision_at_recall_metric(0.6), labels(), scores()), 1e-6, 0.75);
    CHECK_VALUES(tn_call(tn_recall_at_precision_metric(0.7), labels(), scores()), 1e-6, 1);
    CHECK_VALUES(tn_call(tn_recall_at_precision_metric(0.7, 1), labels(), scores()), 1e-6, 0);
}

static void one_trace_serves_every_number_of_rows(void **state)
{
    (void)state;
    static const char *const texts[] = { "auc", "precision(top_k=2)", "recall(class_id=1)",
                                         "auc(multi_label=true, num_labels=3)",
                                         "precision_at_recall(0.5)" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        TN_SCOPE;
        tn_metric *eager = tn_metric_from_text(texts[i]), *traced = tn_metric_from_text(texts[i]);
        tn_function *f = tn_function(metric_body, traced);
        f->any_batch = true;
        tn_list all = TN_LIST(label_table(), score_table(), THRESHOLDS(1, 2, 3));
        tn_list one =
            TN_LIST(tn_rows(label_table(), 1, 2), tn_rows(score_table(), 1, 2), THRESHOLDS(2));
        CHECK_TENSOR(tn_call_list(f, all), tn_call_list(eager, all), 1e-6, 0);
        CHECK_TENSOR(tn_call_list(f, one), tn_call_list(eager, one), 1e-6, 0);
        assert_int_equal(f->traces, 1);
    }
}

static void names_are_made_up_and_counted_as_keras_does(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_context *own = tn_context_swap(tn_context_new());
    {
        TN_SCOPE;
        assert_string_equal(tn_metric_name(tn_true_positives_metric()), "true_positives");
        tn_metric *second = tn_true_positives_metric();
        assert_string_equal(tn_variable_path(tn_metric_variables(second).item[0]),
                            "true_positives_1/accumulator");
        assert_string_equal(tn_metric_name(tn_auc_metric(.name = "area")), "area");
        assert_string_equal(tn_metric_name(tn_auc_metric()), "auc");
    }
    tn_context_free(tn_context_swap(own));
    CHECK_NO_ERROR();
}

static void wrong_arguments_are_refused_in_keras_s_words(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_precision_metric(THRESHOLDS(0.5f, 1.5f));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Threshold values must be in [0, 1]. Received: [1.5]");
    tn_auc_metric(.num_labels = 3);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`num_labels` is needed only when `multi_label` is True.");
    tn_call(tn_auc_metric(.multi_label = true), labels(), scores());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`y_pred` must have rank 2 when `multi_label=True`. Found "
                                     "rank 1. Full shape received for `y_pred`: (6,)");
    tn_call(tn_precision_metric(.class_id = 1), labels(), scores());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "When class_id is provided, y_pred must be a 2D array with "
                                     "shape (num_samples, num_classes), found shape: (6,)");
    tn_auc_metric(.curve = "X");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`curve`");
    tn_auc_metric(1);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`num_thresholds`");
    tn_sensitivity_at_specificity_metric(2);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`specificity`");
}

static bool make_and_call(void *self)
{
    TN_SCOPE;
    tn_metric *metric = tn_metric_from_text(self);
    return tn_call(metric, label_table(), score_table(), THRESHOLDS(1, 2, 3)) != NULL;
}

static void without_memory_a_metric_fails_and_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(make_and_call, "auc(num_thresholds=7, multi_label=true, name=mine)");
    check_allocation_failures(make_and_call, "precision(top_k=2, name=mine)");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_shares_are_keras_s),
        cmocka_unit_test(several_thresholds_give_a_vector),
        cmocka_unit_test(only_the_best_or_one_class_may_count),
        cmocka_unit_test(areas_under_every_curve_are_keras_s),
        cmocka_unit_test(an_area_may_have_thresholds_of_its_own),
        cmocka_unit_test(labels_may_have_areas_of_their_own),
        cmocka_unit_test(one_share_where_another_is_reached),
        cmocka_unit_test(one_trace_serves_every_number_of_rows),
        cmocka_unit_test(names_are_made_up_and_counted_as_keras_does),
        cmocka_unit_test(wrong_arguments_are_refused_in_keras_s_words),
        cmocka_unit_test(without_memory_a_metric_fails_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
