/* progress_test.c - the progress bar's text, byte for byte as Keras's but for times. */
#include "support/check.h"
#include "train/callback.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>

static struct {
    char text[8192];
    size_t size;
} shown;

static void take(void *self, tn_sink_kind kind, const char *text, size_t size)
{
    (void)self;
    (void)kind;
    if (shown.size + size < sizeof shown.text) {
        memcpy(shown.text + shown.size, text, size);
        shown.size += size;
        shown.text[shown.size] = 0;
    }
}

static void begin(bool terminal)
{
    shown.size = 0;
    shown.text[0] = 0;
    tn_set_sink((tn_sink){ .write = take, .terminal = terminal });
}

/* What was shown since begin, with "#" for times: "0s", "12ms/step", "1:02". */
static const char *timeless(void)
{
    static char text[8192];
    char *to = text;
    for (const char *at = shown.text; *at;) {
        size_t digits = strspn(at, "0123456789:");
        size_t unit =
            strncmp(at + digits, "ms/step", 7) == 0 || strncmp(at + digits, "us/step", 7) == 0 ? 7
            : strncmp(at + digits, "s/step", 6) == 0                                           ? 6
            : at[digits] == 's' && !isalpha((unsigned char)at[digits + 1])                     ? 1
                                                                                               : 0;
        bool after_space = at > shown.text && (at[-1] == ' ' || at[-1] == 'm');
        if (digits && unit && after_space) {
            *to++ = '#';
            at += digits + unit;
        } else {
            *to++ = *at++;
        }
    }
    *to = 0;
    tn_set_sink((tn_sink){ 0 });
    return text;
}

#define LOGS(n, keys, values) (&(tn_logs){ .count = (n), .key = (keys), .value = (values) })

static const char *const two_keys[] = { "accuracy", "loss" };

static void a_line_tells_an_epoch_where_there_is_no_terminal(void **state)
{
    (void)state;
    begin(false);
    tn__progress p = tn__progress_for(-1);
    const char *const keys[] = { "accuracy", "loss", "val_loss" };
    tn__progress_epoch(&p, 1, 12, 100);
    for (int step = 1; step <= 100; step++)
        tn__progress_step(&p, step, LOGS(2, two_keys, ((const double[]){ 0.5, 1.25 })), false);
    tn__progress_step(&p, 100, LOGS(3, keys, ((const double[]){ 0.53125, 0.00012345, -2 })), true);
    tn__progress_free(&p);
    assert_string_equal(timeless(), "Epoch 2/12\n100/100 - # - # - accuracy: 0.5312 - loss: "
                                    "1.2345e-04 - val_loss: -2.0000e+00\n");
}

static void a_single_epoch_has_no_number(void **state)
{
    (void)state;
    begin(false);
    tn__progress p = tn__progress_for(2);
    tn__progress_epoch(&p, 0, 1, 7);
    tn__progress_step(&p, 3, LOGS(1, two_keys, ((const double[]){ NAN })), true);
    tn__progress_free(&p);
    assert_string_equal(timeless(), "3/7 - # - # - accuracy: nan\n");
}

static void nothing_is_shown_when_it_is_to_be_silent(void **state)
{
    (void)state;
    begin(true);
    tn__progress p = tn__progress_for(0);
    tn__progress_epoch(&p, 0, 3, 7);
    tn__progress_step(&p, 1, NULL, false);
    tn__progress_step(&p, 7, NULL, true);
    tn__progress_free(&p);
    assert_string_equal(timeless(), "");
}

/* Keras 3.15: keras.utils.Progbar(target=10, verbose=1, stateless_metrics=set()), update(3, …),
 * update(10, …, finalize=True). */
static void the_bar_is_drawn_in_place_on_a_terminal(void **state)
{
    (void)state;
    begin(true);
    tn__progress p = tn__progress_for(-1);
    tn__progress_epoch(&p, 0, 1, 10);
    tn__progress_step(&p, 3, LOGS(2, two_keys, ((const double[]){ 0.25, -1.5 })), false);
    tn__progress_step(&p, 4, LOGS(2, two_keys, ((const double[]){ 0.5, 1.5 })),
                      false); /* too soon to be drawn */
    const char *const keys[] = { "accuracy", "alpha", "loss", "val_loss" };
    tn__progress_step(&p, 10, LOGS(4, keys, ((const double[]){ 0.5, 1, 0.125, 2 })), true);
    tn__progress_free(&p);
    assert_string_equal(timeless(),
                        "\r\33[1m 3/10\33[0m \33[32m━━━━━━\33[0m\33[37m━━━━━━━━━━━━━━\33[0m "
                        "\33[1m#\33[0m # - accuracy: 0.2500 - loss: -1.5000"
                        "\r\33[1m10/10\33[0m \33[32m━━━━━━━━━━━━━━━━━━━━\33[0m\33[37m\33[0m "
                        "\33[1m#\33[0m # - accuracy: 0.5000 - loss: 0.1250 - "
                        "alpha: 1.0000 - val_loss: 2.0000\n");
}

static void an_unknown_number_of_steps_is_counted(void **state)
{
    (void)state;
    begin(true);
    tn__progress p = tn__progress_for(1);
    tn__progress_epoch(&p, 0, 1, 0);
    tn__progress_step(&p, 1, LOGS(1, two_keys, ((const double[]){ 0.25 })), false);
    tn__progress_step(&p, 12, LOGS(1, two_keys, ((const double[]){ 1 })), true);
    tn__progress_free(&p);
    assert_string_equal(timeless(), "\r      1/Unknown \33[1m#\33[0m # - accuracy: 0.2500\r     "
                                    "12/Unknown \33[1m#\33[0m # - accuracy: 1.0000\n");
}

static void a_shorter_line_blanks_the_longer_one(void **state)
{
    (void)state;
    begin(true);
    tn__progress p = tn__progress_for(1);
    tn__progress_epoch(&p, 0, 1, 2);
    tn__progress_step(&p, 1, LOGS(1, two_keys, ((const double[]){ 1e15 })), false);
    tn__progress_step(&p, 2, LOGS(1, two_keys, ((const double[]){ 1 })), true);
    tn__progress_free(&p);
    assert_non_null(
        strstr(timeless(), "accuracy: 1.0000        ")); /* 21 columns became 6; times differ */
}

static void evaluate_and_predict_show_what_they_are_asked_for(void **state)
{
    (void)state;
    tn_tensor *x = tn_ones(TN_SHAPE(5, 2), TN_FLOAT32), *y = tn_zeros(TN_SHAPE(5, 1), TN_FLOAT32);
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(1, .kernel_initializer = "zeros")));
    CHECK_OK(tn_compile(model, tn_sgd(), "mse"));
    begin(false);
    tn_evaluate(model, x, y, .batch_size = 2);
    tn_predict(model, x, .batch_size = 2);
    tn_predict(model, x, .batch_size = 2, .verbose = 2);
    tn_fit(model, x, y, .epochs = 2, .verbose = 2, .validation_split = 0.2);
    assert_string_equal(timeless(),
                        "3/3 - # - # - loss: 0.0000e+00\n"
                        "3/3 - # - #\n"
                        "Epoch 1/2\n1/1 - # - # - loss: 0.0000e+00 - val_loss: 0.0000e+00\n"
                        "Epoch 2/2\n1/1 - # - # - loss: 0.0000e+00 - val_loss: 0.0000e+00\n");
    CHECK_NO_ERROR();
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_tells_an_epoch_where_there_is_no_terminal),
        cmocka_unit_test(a_single_epoch_has_no_number),
        cmocka_unit_test(nothing_is_shown_when_it_is_to_be_silent),
        cmocka_unit_test(the_bar_is_drawn_in_place_on_a_terminal),
        cmocka_unit_test(an_unknown_number_of_steps_is_counted),
        cmocka_unit_test(a_shorter_line_blanks_the_longer_one),
        cmocka_unit_test(evaluate_and_predict_show_what_they_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
