#include "support/check_op.h"
#include "function/function.h"
#include "train/metric.h"

/* Numbers from Keras 3.15 over TensorFlow 2.21. */
static tn_tensor *labels(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(3, 3), 0, 1, 0, 0, 0, 1, 1, 0, 1);
}
static tn_tensor *scores(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(3, 3), 0.1, 0.7, 0.2, 0.5, 0.1, 0.4, 0.2, 0.35, 0.45);
}
static tn_tensor *weights(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 2, 3);
}

static void f_weighs_recall_beta_times(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_metric *each = tn_fbeta_score_metric(.beta = 2), *micro = tn_fbeta_score_metric("micro", 2);
    CHECK_VALUES(tn_call(each, labels(), scores()), 1e-6, 0, 0.9999999, 0.5555556);
    CHECK_VALUES(tn_call(each, labels(), scores(), weights()), 1e-6, 0, 1, 0.625);
    CHECK_VALUES(tn_call(micro, labels(), scores()), 1e-6, 0.5263158);
    CHECK_VALUES(tn_call(micro, labels(), scores(), weights()), 1e-6, 0.4918033);
    CHECK_VALUES(tn_call(tn_fbeta_score_metric("macro", 2), labels(), scores()), 1e-6, 0.5185185);
    CHECK_VALUES(tn_call(tn_fbeta_score_metric("weighted", 2), labels(), scores()), 1e-6,
                 0.5277778);
    CHECK_VALUES(tn_call(tn_f1_score_metric(.threshold = 0.3), labels(), scores()), 1e-6, 0,
                 0.66666657, 1);
    /* A row of zeros predicts nothing. */
    CHECK_VALUES(tn_call(tn_f1_score_metric(), tn_rows(labels(), 1, 2),
                         tn_zeros(TN_SHAPE(1, 3), TN_FLOAT32)),
                 0, 0, 0, 0);
    CHECK_NO_ERROR();
}

static void r2_is_the_part_of_the_variance_that_is_explained(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_metric *each = tn_r2_score_metric(NULL), *uniform = tn_r2_score_metric();
    CHECK_VALUES(tn_call(each, labels(), scores()), 1e-6, -0.35000014, 0.66625, -0.05375016);
    CHECK_VALUES(tn_call(each, labels(), scores(), weights()), 2e-6, -0.4985, 0.55, -0.5235717);
    CHECK_VALUES(tn_call(uniform, labels(), scores()), 1e-6, 0.087499894);
    CHECK_VALUES(tn_call(uniform, labels(), scores(), weights()), 1e-6, -0.15735723);
    CHECK_VALUES(tn_call(tn_r2_score_metric("variance_weighted_average"), labels(), scores()), 1e-6,
                 0.0874999);
    CHECK_VALUES(tn_call(tn_r2_score_metric(.num_regressors = 2), labels(), scores()), 1e-6,
                 -0.21666682);
    CHECK_VALUES(tn_call(tn_r2_score_metric(.num_regressors = 20), labels(), scores()), 1e-6,
                 0.087499894);
    CHECK_NO_ERROR();
}

static void correlations_are_keras_s(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *y_true = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 0.2, -0.5, 1, 0, 2, -1.5);
    tn_tensor *y_pred = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 0.3, 0.4, 0.6, -0.7, 1, 2);
    CHECK_VALUES(tn_call(tn_pearson_correlation_metric(), y_true, y_pred), 1e-6, 0.19734003);
    CHECK_VALUES(tn_call(tn_pearson_correlation_metric(.axis = 0), y_true, y_pred), 1e-6,
                 0.33333334);
    CHECK_VALUES(tn_call(tn_concordance_correlation_metric(), y_true, y_pred), 1e-6, -0.0049291626);
    CHECK_NO_ERROR();
}

static tn_tensor *metric_body(void *self, tn_list inputs)
{
    return tn_call_list((tn_metric *)self, inputs);
}

static void one_trace_serves_every_number_of_rows(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t traces; /* two where the first makes a table */
    } cases[] = { { "f1_score", 2 },
                  { "fbeta_score(micro, 2)", 2 },
                  { "r2_score(num_regressors=1)", 2 },
                  { "pearson_correlation", 1 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TN_SCOPE;
        tn_metric *eager = tn_metric_from_text(cases[i].text),
                  *traced = tn_metric_from_text(cases[i].text);
        tn_function *f = tn_function(metric_body, traced);
        f->any_batch = true;
        tn_list all = TN_LIST(labels(), scores(), weights());
        tn_list two =
            TN_LIST(tn_rows(labels(), 0, 2), tn_rows(scores(), 0, 2), tn_rows(weights(), 0, 2));
        CHECK_TENSOR(tn_call_list(f, all), tn_call_list(eager, all), 1e-6, 1e-7);
        CHECK_TENSOR(tn_call_list(f, two), tn_call_list(eager, two), 1e-6, 1e-7);
        assert_int_equal(f->traces, cases[i].traces);
        assert_int_equal(f->made.count, 0);
    }
}

static void what_is_no_table_is_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_call(tn_f1_score_metric(), weights(), weights());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "FBetaScore expects 2D inputs with shape (batch_size, "
                                     "output_dim). Received input shapes: y_pred.shape=(3,)");
    tn_call(tn_r2_score_metric(), weights(), weights());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "R2Score expects 2D inputs with shape (batch_size, "
                                     "output_dim). Received input shapes: y_pred.shape=(3,)");
    tn_metric_result(tn_r2_score_metric());
    CHECK_ERROR(TN_FAILED_PRECONDITION, "has seen nothing yet");
    tn_fbeta_score_metric("best");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`average`");
}

static bool make_and_call(void *self)
{
    TN_SCOPE;
    return tn_call(tn_metric_from_text(self), labels(), scores(), weights()) != NULL;
}

static void without_memory_a_metric_fails_and_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(make_and_call, "f1_score(weighted)");
    check_allocation_failures(make_and_call, "r2_score(num_regressors=2)");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f_weighs_recall_beta_times),
        cmocka_unit_test(r2_is_the_part_of_the_variance_that_is_explained),
        cmocka_unit_test(correlations_are_keras_s),
        cmocka_unit_test(one_trace_serves_every_number_of_rows),
        cmocka_unit_test(what_is_no_table_is_refused),
        cmocka_unit_test(without_memory_a_metric_fails_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
