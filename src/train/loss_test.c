#include "support/check_op.h"
#include "base/memory.h"
#include "function/function.h"
#include "nn/config.h"
#include "train/loss.h"
#include <math.h>

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

#define CHECK_LOSS(loss, y_true, y_pred, ...)                                 \
    do {                                                                      \
        TN_SCOPE;                                                             \
        CHECK_VALUES(tn_call((loss), (y_true), (y_pred)), 2e-6, __VA_ARGS__); \
        CHECK_NO_ERROR();                                                     \
    } while (0)

/* --- values ----------------------------------------------------------------------------------- */
static void regression_losses_are_keras_s(void **state)
{
    (void)state;
    CHECK_LOSS(tn_mean_squared_error(NULL), targets(), outputs(), 0.32666662, 4.58);
    CHECK_LOSS(tn_mean_absolute_error(NULL), targets(), outputs(), 0.46666667, 1.7333332);
    CHECK_LOSS(tn_mean_squared_logarithmic_error(NULL), targets(), outputs(), 0.05647111,
               0.45711693);
    CHECK_LOSS(tn_log_cosh(NULL), targets(), outputs(), 0.14759184, 1.1562718);
    CHECK_LOSS(tn_huber(.reduction = NULL), targets(), outputs(), 0.16333331, 1.2483333);
    CHECK_LOSS(tn_huber(0.5, NULL), targets(), outputs(), 0.13666666, 0.7416666);
    CHECK_LOSS(tn_cosine_similarity(.reduction = NULL), targets(), outputs(), -0.5185589,
               0.17071584);
    CHECK_LOSS(tn_cosine_similarity(0, NULL), targets(), outputs(), -0.39391932, -0.8106793,
               0.6375677);
    CHECK_LOSS(tn_poisson(NULL), tn_abs(targets()), shares(), 0.8365884, 1.4380518);
    CHECK_LOSS(tn_kl_divergence(NULL), shares(), ROWS(0.5, 0.2, 0.3, 0.1, 0.8, 0.1), 0.5398995,
               1.7239101);
    CHECK_LOSS(tn_mean_absolute_percentage_error(NULL),
               VALUES(TN_FLOAT32, TN_SHAPE(1, 3), 0.2, -0.5, 1),
               VALUES(TN_FLOAT32, TN_SHAPE(1, 3), 0.3, 0.4, 0.6), 89.999992);
}

static void hinge_losses_take_labels_of_either_kind(void **state)
{
    (void)state;
    CHECK_LOSS(tn_hinge(NULL), targets(), outputs(), 0.84666663, 1.6666666);
    CHECK_LOSS(tn_squared_hinge(NULL), targets(), outputs(), 0.82786673, 5.6666665);
    CHECK_LOSS(tn_hinge(NULL), flags(), outputs(), 0.76666665, 2.2333333);
    CHECK_LOSS(tn_squared_hinge(NULL), flags(), outputs(), 0.7366666, 5.2966666);
    CHECK_LOSS(tn_categorical_hinge(NULL), flags(), outputs(), 0.3, 3.7);
}

static void crossentropies_are_keras_s(void **state)
{
    (void)state;
    CHECK_LOSS(tn_binary_crossentropy(.reduction = NULL), flags(), shares(), 0.5945971, 5.5074005);
    CHECK_LOSS(tn_binary_crossentropy(true, .reduction = NULL), flags(), outputs(), 0.60161954,
               1.5144587);
    CHECK_LOSS(tn_binary_crossentropy(.label_smoothing = 0.2, .reduction = NULL), flags(), shares(),
               0.62284034, 5.050441);
    CHECK_LOSS(tn_binary_crossentropy(.axis = 0, .reduction = NULL), flags(), shares(), 0.35667497,
               8.4293375, 0.36698455);
    CHECK_LOSS(tn_categorical_crossentropy(.reduction = NULL), one_hot(), shares(), 0.7731899,
               0.641854);
    CHECK_LOSS(tn_categorical_crossentropy(true, .reduction = NULL), one_hot(), outputs(), 0.939831,
               1.361224);
    CHECK_LOSS(tn_categorical_crossentropy(.label_smoothing = 0.3, .reduction = NULL), one_hot(),
               shares(), 0.88305116, 0.8384653);
    CHECK_LOSS(tn_categorical_crossentropy(.axis = 0, .reduction = NULL), one_hot(), shares(), 0,
               0.3364722, 0.2876821);
    CHECK_LOSS(tn_categorical_crossentropy(true, .axis = 0, .reduction = NULL), one_hot(),
               outputs(), 0, 0.437488, 1.6204174);
    CHECK_LOSS(tn_sparse_categorical_crossentropy(.reduction = NULL), classes(), shares(),
               0.77318984, 0.6418539);
    CHECK_LOSS(tn_sparse_categorical_crossentropy(true, .reduction = NULL), classes(), outputs(),
               0.939831, 1.361224);
    CHECK_LOSS(tn_sparse_categorical_crossentropy(.reduction = NULL), tn_expand_dims(classes(), 1),
               shares(), 0.77318984, 0.6418539);
}

/* --- gradients, traces, unknown sizes --------------------------------------------------------- */
static tn_tensor *call_body(void *self, tn_list inputs)
{
    return tn_call_list((tn_loss *)self, inputs);
}

static void check_gradient(tn_loss *loss, tn_tensor *y_true, tn_tensor *y_pred, unsigned skip)
{
    CHECK_OP(.body = call_body, .self = loss, .inputs = TN_LIST(y_true, y_pred), .batched = 3,
             .skip = SKIP_UNKNOWN_RANK | skip);
}

static void gradients_are_those_of_finite_differences_in_any_mode(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = check_numbers(TN_SHAPE(3, 4), -2, 2, 1),
              *y = check_numbers(TN_SHAPE(3, 4), -2, 2, 2);
    tn_tensor *p = check_numbers(TN_SHAPE(3, 4), 0.1, 0.9, 3),
              *q = check_numbers(TN_SHAPE(3, 4), 0.1, 0.9, 4);
    check_gradient(tn_mean_squared_error(NULL, .dtype = TN_FLOAT64), x, y, 0);
    check_gradient(tn_mean_absolute_error(NULL, .dtype = TN_FLOAT64), x, y, 0);
    check_gradient(tn_mean_absolute_percentage_error(NULL, .dtype = TN_FLOAT64), p, q, 0);
    check_gradient(tn_mean_squared_logarithmic_error(NULL, .dtype = TN_FLOAT64), p, q, 0);
    check_gradient(tn_log_cosh(NULL, .dtype = TN_FLOAT64), x, y, 0);
    check_gradient(tn_huber(.reduction = NULL, .dtype = TN_FLOAT64), x, y, 0);
    check_gradient(tn_cosine_similarity(.reduction = NULL, .dtype = TN_FLOAT64), x, y, 0);
    check_gradient(tn_kl_divergence(NULL, .dtype = TN_FLOAT64), p, q, 0);
    check_gradient(tn_poisson(NULL, .dtype = TN_FLOAT64), p, q, 0);
    check_gradient(tn_squared_hinge(NULL, .dtype = TN_FLOAT64), p, q, 0);
    check_gradient(tn_categorical_hinge(NULL, .dtype = TN_FLOAT64), p, q, 0);
    check_gradient(tn_binary_crossentropy(.reduction = NULL, .dtype = TN_FLOAT64), p, q, 0);
    check_gradient(tn_binary_crossentropy(true, .label_smoothing = 0.1, .reduction = NULL,
                                          .dtype = TN_FLOAT64),
                   p, y, 0);
    check_gradient(tn_categorical_crossentropy(.reduction = NULL, .dtype = TN_FLOAT64), p, q, 0);
    /* TensorFlow's slope takes for granted that a row of labels sums to 1. */
    check_gradient(tn_categorical_crossentropy(true, .label_smoothing = 0.1, .reduction = NULL,
                                               .dtype = TN_FLOAT64),
                   tn_nn_softmax(x, -1), y, SKIP_SECOND_ORDER);
}

static void sparse_losses_have_gradients_for_their_output(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *labels = VALUES(TN_INT64, TN_SHAPE(3), 0, 3, 1),
              *p = check_numbers(TN_SHAPE(3, 4), 0.1, 0.9, 4);
    tn_loss *plain = tn_sparse_categorical_crossentropy(.reduction = NULL, .dtype = TN_FLOAT64);
    tn_loss *ignoring =
        tn_sparse_categorical_crossentropy(true, 3, .reduction = NULL, .dtype = TN_FLOAT64);
    CHECK_OP(.body = call_body, .self = plain, .inputs = TN_LIST(labels, p), .batched = 3,
             .skip = SKIP_UNKNOWN_RANK);
    CHECK_OP(.body = call_body, .self = ignoring, .inputs = TN_LIST(labels, p), .batched = 3,
             .skip = SKIP_UNKNOWN_RANK);
}

/* One trace for every batch size. */
static tn_tensor *any_batch(tn_loss *loss, tn_list inputs)
{
    tn_function *f = tn_function(call_body, loss);
    f->any_batch = true;
    return tn_call_list(f, inputs);
}

static void reductions_trace_with_an_unknown_batch(void **state)
{
    (void)state;
    static const char *const reductions[] = {
        "sum", "mean", "sum_over_batch_size", "mean_with_sample_weight", "none", NULL
    };
    for (size_t i = 0; i < sizeof reductions / sizeof *reductions; i++) {
        TN_SCOPE;
        tn_list inputs = TN_LIST(targets(), outputs(), VALUES(TN_FLOAT64, TN_SHAPE(2), 1, 3));
        tn_loss *loss = tn_mean_squared_error(reductions[i]);
        CHECK_TENSOR(any_batch(loss, inputs), tn_call_list(loss, inputs), 1e-6, 0);
    }
}

static void a_batch_without_rows_gives_no_values_eagerly_and_0_in_a_trace(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_loss *loss = tn_mean_squared_error();
    tn_tensor *nothing = tn_zeros(TN_SHAPE(0, 3), TN_FLOAT32);
    assert_int_equal(tn_dim(tn_shape_of(tn_call(loss, nothing, nothing)), 0), 0);
    CHECK_VALUES(any_batch(loss, TN_LIST(nothing, nothing)), 0, 0);
}

/* --- weights, masks, reductions --------------------------------------------------------------- */
static double value_of(tn_tensor *x)
{
    double value = tn_to_double(x);
    CHECK_NO_ERROR();
    return value;
}

static void reductions_divide_by_what_keras_divides_by(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *weight = VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 3);
    CHECK_VALUES(tn_call(tn_mean_squared_error(NULL), targets(), outputs(), weight), 2e-6,
                 0.32666662, 13.74);
    assert_float_equal(
        value_of(tn_call(tn_mean_squared_error("sum"), targets(), outputs(), weight)), 14.066667,
        1e-5);
    assert_float_equal(value_of(tn_call(tn_mean_squared_error(), targets(), outputs(), weight)),
                       7.0333333, 1e-6);
    assert_float_equal(
        value_of(tn_call(tn_mean_squared_error("mean"), targets(), outputs(), weight)), 7.0333333,
        1e-6);
    assert_float_equal(value_of(tn_call(tn_mean_squared_error("mean_with_sample_weight"), targets(),
                                        outputs(), weight)),
                       3.5166667, 1e-6);
    assert_float_equal(
        value_of(tn_call(tn_mean_squared_error("mean_with_sample_weight"), targets(), outputs())),
        2.4533334, 1e-6);
    tn_mean_squared_error("median");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`reduction`");
}

static void an_ignored_class_counts_neither_in_sum_nor_in_mean(void **state)
{
    (void)state;
    static const struct {
        const char *reduction;
        double plain, weighted;
    } cases[] = { { "sum", 2.347437, 5.162648 },
                  { "sum_over_batch_size", 1.1737185, 2.5813243 },
                  { "mean", 1.1737185, 2.5813243 },
                  { "mean_with_sample_weight", 1.1737185, 1.290662 } };
    TN_SCOPE;
    tn_tensor *labels = VALUES(TN_INT32, TN_SHAPE(3), 2, -1, 1),
              *weight = VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 2, 3);
    tn_tensor *logits = VALUES(TN_FLOAT32, TN_SHAPE(3, 3), 0.3, 0.4, 0.6, -0.7, 1, 2, 1, 2, 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_loss *loss = tn_sparse_categorical_crossentropy(true, -1, cases[i].reduction);
        assert_float_equal(value_of(tn_call(loss, labels, logits)), cases[i].plain, 2e-6);
        assert_float_equal(value_of(tn_call(loss, labels, logits, weight)), cases[i].weighted,
                           2e-6);
        assert_float_equal(value_of(any_batch(loss, TN_LIST(labels, logits, weight))),
                           cases[i].weighted, 2e-6);
    }
}

static void a_mask_makes_the_mean_one_over_what_counts(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *y_true = tn_zeros(TN_SHAPE(2, 2, 1), TN_FLOAT32),
              *y_pred = VALUES(TN_FLOAT32, TN_SHAPE(2, 2, 1), 1, 2, 3, 100);
    tn_tensor *mask = VALUES(TN_BOOL, TN_SHAPE(2, 2), 1, 1, 1, 0);
    tn_loss *mean = tn_mean_squared_error(), *sum = tn_mean_squared_error("sum");
    assert_float_equal(value_of(tn_call_with(mean, TN_LIST(y_true, y_pred), .mask = mask)),
                       14.0 / 3, 1e-6);
    assert_float_equal(value_of(tn_call_with(sum, TN_LIST(y_true, y_pred), .mask = mask)), 14,
                       1e-6);
    assert_float_equal(value_of(tn_call_with(mean, TN_LIST(y_true, y_pred),
                                             .mask = tn_zeros(TN_SHAPE(2, 2), TN_BOOL))),
                       0, 0);
}

static void a_last_dimension_of_one_is_added_or_dropped(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_loss *loss = tn_mean_squared_error(NULL);
    tn_tensor *vector = VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2),
              *column = VALUES(TN_FLOAT32, TN_SHAPE(2, 1), 1, 4);
    CHECK_VALUES(tn_call(loss, vector, column), 0, 0, 4);
    CHECK_VALUES(tn_call(loss, column, vector), 0, 0, 4);
    tn_tensor *plane = VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 2, 3, 4),
              *deep = VALUES(TN_FLOAT32, TN_SHAPE(2, 2, 1), 1, 2, 3, 6);
    CHECK_VALUES(tn_call(loss, plane, deep), 0, 0, 2);
}

static void values_are_computed_in_float32_unless_the_loss_says_otherwise(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *half = tn_cast(outputs(), TN_FLOAT16), *wide = tn_cast(outputs(), TN_FLOAT64);
    assert_int_equal(tn_dtype_of(tn_call(tn_mean_squared_error(), half, half)), TN_FLOAT32);
    assert_int_equal(tn_dtype_of(tn_call(tn_mean_squared_error(), wide, wide)), TN_FLOAT32);
    assert_int_equal(tn_dtype_of(tn_call(tn_mean_squared_error(.dtype = TN_FLOAT64), half, half)),
                     TN_FLOAT64);
    tn_mean_squared_error(.dtype = TN_INT32);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "float dtype");
}

/* --- back to the logits ----------------------------------------------------------------------- */
typedef struct {
    tn_loss *loss;
    bool sigmoid;
} recovery;

static tn_tensor *through_probabilities(void *self, tn_list inputs)
{
    const recovery *r = self;
    tn_tensor *logits = tn_at(inputs, 1);
    return tn_call(r->loss, tn_at(inputs, 0),
                   r->sigmoid ? tn_sigmoid(logits) : tn_nn_softmax(logits, -1));
}

static void check_recovery(recovery r, tn_tensor *y_true, double loss, const double *slope)
{
    tn_tensor *logits = ROWS(60, 0, 0, 0, 1, 2);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, logits);
    tn_tensor *value = through_probabilities(&r, TN_LIST(y_true, logits));
    assert_float_equal(value_of(value), loss, 2e-6 * loss);
    check_values(tn_gradient_of(tape, value, logits), slope, 6, 1e-7, __FILE__, __LINE__);
    tn_function *f = tn_function(through_probabilities, &r);
    assert_float_equal(value_of(tn_call(f, y_true, logits)), loss, 2e-6 * loss);
}

static void losses_go_back_to_the_logits_of_a_softmax_or_sigmoid(void **state)
{
    (void)state;
    TN_SCOPE;
    static const double categorical[] = { 0.5, -0.5, 0, 0.045015287, 0.12236424, -0.16737953 };
    static const double binary[] = { 0.16666667, -0.08333334, 0.08333334,
                                     0.08333334, 0.1218431,   -0.01986715 };
    check_recovery((recovery){ tn_categorical_crossentropy(), false }, ROWS(0, 1, 0, 0, 0, 1),
                   30.203802, categorical);
    check_recovery((recovery){ tn_sparse_categorical_crossentropy(), false },
                   VALUES(TN_INT32, TN_SHAPE(2), 1, 2), 30.203802, categorical);
    check_recovery((recovery){ tn_binary_crossentropy(), true }, ROWS(0, 1, 0, 0, 0, 1), 10.586605,
                   binary);
    /* Probabilities from elsewhere are kept away from 0. */
    tn_tensor *given = tn_nn_softmax(ROWS(60, 0, 0, 0, 1, 2), -1);
    assert_float_equal(
        value_of(tn_call(tn_categorical_crossentropy(), ROWS(0, 1, 0, 0, 0, 1), given)), 8.262851,
        1e-5);
}

static void keep_warning(void *self, tn_sink_kind kind, const char *text, size_t size)
{
    if (kind == TN_SINK_WARNING)
        snprintf(self, 1024, "%.*s", (int)size, text);
}

static void what_cannot_be_meant_is_warned_of(void **state)
{
    (void)state;
    TN_SCOPE;
    char warning[1024] = "";
    tn_set_sink((tn_sink){ keep_warning, warning, false });
    recovery r = { tn_categorical_crossentropy(true), false };
    tn_call(tn_function(through_probabilities, &r), one_hot(), outputs());
    assert_non_null(strstr(warning, "received `from_logits=True`, but the `output` argument was "
                                    "produced by a Softmax activation"));
    tn_tensor *column = tn_ones(TN_SHAPE(2, 1), TN_FLOAT32);
    tn_call(tn_categorical_crossentropy(), column, column);
    assert_non_null(
        strstr(warning, "Consider using 'binary_crossentropy' if you only have 2 classes."));
    tn_set_sink((tn_sink){ 0 });
    CHECK_NO_ERROR();
}

/* --- mistakes --------------------------------------------------------------------------------- */
static void labels_of_another_shape_are_refused_in_keras_s_words(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *narrow = tn_zeros(TN_SHAPE(2, 2), TN_FLOAT32);
    tn_call(tn_mean_squared_error(), classes(), tn_zeros(TN_SHAPE(2, 3), TN_FLOAT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "in loss MeanSquaredError of y_true (2,) and y_pred (2, 3); class "
                "numbers want sparse_categorical_crossentropy");
    tn_call(tn_categorical_crossentropy(), classes(), outputs());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Arguments `target` and `output` must have the same rank "
                                     "(ndim). Received: target.shape=(2,), "
                                     "output.shape=(2, 3)");
    tn_call(tn_categorical_crossentropy(), narrow, outputs());
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Arguments `target` and `output` must have the same shape. Received: target.shape=(2, 2), "
        "output.shape=(2, 3)");
    tn_call(tn_binary_crossentropy(), narrow, outputs());
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Arguments `target` and `output` must have the same shape. Received: target.shape=(2, 2), "
        "output.shape=(2, 3)");
    tn_call(tn_sparse_categorical_crossentropy(), one_hot(), outputs());
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Argument `output` must have rank (ndim) `target.ndim - 1`. Received: target.shape=(2, 3), "
        "output.shape=(2, 3)");
    tn_call(tn_sparse_categorical_crossentropy(), VALUES(TN_INT32, TN_SHAPE(3), 0, 1, 2),
            outputs());
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Arguments `target` and `output` must have the same shape up until the last dimension: "
        "target.shape=(3,), output.shape=(2, 3)");
    tn_call(tn_sparse_categorical_crossentropy(), VALUES(TN_INT32, TN_SHAPE(2), 5, 1), outputs());
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Received a label value of 5 which is outside the valid range of [0, 3)");
    tn_call(tn_mean_squared_error(), narrow, outputs());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Incompatible shapes: [2,2] vs. [2,3]");
}

static void a_call_wants_two_or_three_tensors(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_loss *loss = tn_mean_squared_error();
    tn_call(loss, outputs());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "takes y_true, y_pred and maybe sample_weight, got 1 inputs");
    tn_call(loss, outputs(), outputs(), outputs(), outputs());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "got 4 inputs");
    assert_null(tn_call(loss, outputs(), (tn_tensor *)NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "NULL");
    assert_null(tn_call((tn_loss *)NULL, outputs(), outputs()));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "NULL");
}

/* --- text, files ------------------------------------------------------------------------------ */
static void a_text_names_a_loss_and_its_arguments(void **state)
{
    (void)state;
    static const char *const names[] = { "mse", "MSE", "mean_squared_error", "MeanSquaredError",
                                         "mean_squared_error(sum_over_batch_size)" };
    TN_SCOPE;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_float_equal(value_of(tn_call(tn_loss_from_text(names[i]), targets(), outputs())),
                           2.4533334, 1e-6);
    CHECK_LOSS(tn_loss_from_text("huber(0.5, none)"), targets(), outputs(), 0.13666666, 0.7416666);
    CHECK_LOSS(tn_loss_from_text("binary_crossentropy(from_logits=true, reduction=none)"), flags(),
               outputs(), 0.60161954, 1.5144587);
    tn_loss_from_text("mean_square");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "mean_squared_error");
    tn_loss_from_text("mse(delta=2)");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "no argument 'delta'");
    tn_loss_from_text(NULL);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "NULL");
}

static void crossentropy_is_the_one_that_fits_the_shapes(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_loss *loss = tn_loss_from_text("crossentropy(none)");
    CHECK_LOSS(loss, one_hot(), shares(), 0.7731899, 0.641854);
    CHECK_LOSS(loss, classes(), shares(), 0.77318984, 0.6418539);
    CHECK_LOSS(loss, tn_expand_dims(classes(), 1), shares(), 0.77318984, 0.6418539);
    CHECK_LOSS(loss, VALUES(TN_INT32, TN_SHAPE(1), 1), VALUES(TN_FLOAT32, TN_SHAPE(1, 1), 0.25),
               1.3862944);
}

static void check_json(const char *json, const char *expected, tn__era era)
{
    tn__thing thing;
    tn_loss *loss = NULL;
    json_t *given = json_loads(json, 0, NULL);
    assert_non_null(given);
    CHECK_OK(tn__thing_from_json(TN__LOSS, given, &thing));
    CHECK_OK(tn__loss_from_thing(&thing, &loss));
    json_t *written = tn__thing_to_json(&loss->thing, era), *want = json_loads(expected, 0, NULL);
    char *text = json_dumps(written, JSON_COMPACT);
    if (!json_equal(written, want))
        fail_msg("%s, expected %s", text, expected);
    free(text);
    json_decref(given);
    json_decref(written);
    json_decref(want);
    tn__release(loss);
}

static void files_say_what_keras_says(void **state)
{
    (void)state;
    const char *keras3 = "{\"module\":\"keras.losses\",\"class_name\":"
                         "\"SparseCategoricalCrossentropy\",\"config\":{\"name\":"
                         "\"sparse_categorical_crossentropy\",\"reduction\":\"sum\",\"from_"
                         "logits\":true,\"ignore_class\":-1},"
                         "\"registered_name\":null}";
    check_json(keras3, keras3, TN__KERAS_3);
    /* As Keras 2.15 wrote it. */
    check_json("{\"class_name\":\"BinaryCrossentropy\",\"config\":{\"reduction\":\"auto\",\"name\":"
               "\"binary_crossentropy\",\"from_logits\":true,"
               "\"label_smoothing\":0.0,\"axis\":-1,\"fn\":\"binary_crossentropy\"}}",
               "{\"module\":\"keras.losses\",\"class_name\":\"BinaryCrossentropy\",\"config\":{"
               "\"name\":\"binary_crossentropy\",\"reduction\":"
               "\"sum_over_batch_size\",\"from_logits\":true,\"label_smoothing\":0.0,\"axis\":-1,"
               "\"fn\":\"binary_crossentropy\"},"
               "\"registered_name\":null}",
               TN__KERAS_3);
}

/* --- the program's own ------------------------------------------------------------------------ */
static tn_tensor *scaled_error(void *self, tn_tensor *y_true, tn_tensor *y_pred)
{
    const double *factor = self;
    if (*factor == 0)
        return NULL;
    return tn_multiply(tn_reduce_mean(tn_abs(tn_subtract(y_true, y_pred)), .axis = TN_AXES(-1)),
                       tn_scalar(*factor));
}

static void a_program_may_bring_its_own(void **state)
{
    (void)state;
    TN_SCOPE;
    double factor = 10, nothing = 0;
    tn_loss *loss = tn_loss_of(scaled_error, &factor, .reduction = NULL, .name = "scaled");
    CHECK_VALUES(tn_call(loss, targets(), outputs()), 1e-5, 4.6666667, 17.333332);
    CHECK_VALUES(any_batch(loss, TN_LIST(targets(), outputs())), 1e-5, 4.6666667, 17.333332);
    tn_call(tn_loss_of(scaled_error, &nothing), targets(), outputs());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "returned NULL");
    tn_loss_of(NULL);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_loss_of: function is NULL");
}

/* --- memory ----------------------------------------------------------------------------------- */
static bool make_and_call(void *self)
{
    TN_SCOPE;
    tn_loss *loss = tn_loss_from_text(self);
    return tn_call(loss, classes(), shares(), VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 3)) != NULL;
}

static void without_memory_a_loss_fails_and_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(make_and_call,
                              "sparse_categorical_crossentropy(ignore_class=1, name=mine)");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regression_losses_are_keras_s),
        cmocka_unit_test(hinge_losses_take_labels_of_either_kind),
        cmocka_unit_test(crossentropies_are_keras_s),
        cmocka_unit_test(gradients_are_those_of_finite_differences_in_any_mode),
        cmocka_unit_test(sparse_losses_have_gradients_for_their_output),
        cmocka_unit_test(reductions_trace_with_an_unknown_batch),
        cmocka_unit_test(a_batch_without_rows_gives_no_values_eagerly_and_0_in_a_trace),
        cmocka_unit_test(reductions_divide_by_what_keras_divides_by),
        cmocka_unit_test(an_ignored_class_counts_neither_in_sum_nor_in_mean),
        cmocka_unit_test(a_mask_makes_the_mean_one_over_what_counts),
        cmocka_unit_test(a_last_dimension_of_one_is_added_or_dropped),
        cmocka_unit_test(values_are_computed_in_float32_unless_the_loss_says_otherwise),
        cmocka_unit_test(losses_go_back_to_the_logits_of_a_softmax_or_sigmoid),
        cmocka_unit_test(what_cannot_be_meant_is_warned_of),
        cmocka_unit_test(labels_of_another_shape_are_refused_in_keras_s_words),
        cmocka_unit_test(a_call_wants_two_or_three_tensors),
        cmocka_unit_test(a_text_names_a_loss_and_its_arguments),
        cmocka_unit_test(crossentropy_is_the_one_that_fits_the_shapes),
        cmocka_unit_test(files_say_what_keras_says),
        cmocka_unit_test(a_program_may_bring_its_own),
        cmocka_unit_test(without_memory_a_loss_fails_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
