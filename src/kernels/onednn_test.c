/* onednn_test.c - what oneDNN computes against sums in double. With the argument "absent", for an environment in which it must not be
 * used: nothing is computed, and nothing said. Without a library to open it ends with 77: not run. */
#include "kernels/onednn.h"
#include "kernels/parallel.h"
#include "support/check.h"
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_RUN = 77, SHAPES = 30, THREADS = 4 };

static uint64_t state = 88172645463325252u;
static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static int64_t within(int64_t least, int64_t most)
{
    return least + (int64_t)(draw() % (uint64_t)(most - least + 1));
}

static float *numbers(int64_t count)
{
    float *x = malloc((size_t)count * sizeof *x);
    for (int64_t i = 0; i < count; i++)
        x[i] = (float)within(-1000, 1000) / 1000;
    return x;
}

static int64_t product(const tn__onednn_conv *c, size_t member)
{
    int64_t count = 1;
    for (int i = 0; i < c->axes; i++)
        count *= *(const int64_t *)(const void *)((const char *)&c->axis[i] + member);
    return count;
}

static int64_t count_of_x(const tn__onednn_conv *c)
{
    return c->batch * c->x_channels * product(c, offsetof(tn__conv_axis, in));
}

static int64_t count_of_y(const tn__onednn_conv *c)
{
    return c->batch * c->y_channels * product(c, offsetof(tn__conv_axis, out));
}

static int64_t count_of_filter(const tn__onednn_conv *c)
{
    return c->x_channels / c->groups * c->y_channels * product(c, offsetof(tn__conv_axis, window));
}

/* --- the sums ----------------------------------------------------------------------------------------------------------- */
/* The pixel of the image that a tap of an output's window sees, or -1. */
static int64_t pixel_of(const tn__onednn_conv *c, int64_t output, int64_t tap)
{
    int64_t pixel = 0, step = 1;
    for (int i = c->axes - 1; i >= 0; i--) {
        const tn__conv_axis *a = &c->axis[i];
        int64_t at = output % a->out * a->stride + tap % a->window * a->dilation - a->before;
        if (at < 0 || at >= a->in)
            return -1;
        pixel += at * step;
        step *= a->in;
        output /= a->out;
        tap /= a->window;
    }
    return pixel;
}

/* One pixel, one output, one tap: every channel by every one of its group. */
static void add_pixel(const tn__onednn_conv *c, const float *x, const float *filter, const float *y, double *sum)
{
    int64_t in = c->x_channels / c->groups, out = c->y_channels / c->groups;
    for (int64_t o = 0; o < c->y_channels; o++)
        for (int64_t i = 0; i < in; i++) {
            int64_t of_x = o / out * in + i, of_filter = i * c->y_channels + o;
            if (c->way == TN__ONEDNN_FORWARD)
                sum[y - c->y + o] += (double)x[of_x] * filter[of_filter];
            else if (c->way == TN__ONEDNN_TO_INPUT)
                sum[x - c->x + of_x] += (double)y[o] * filter[of_filter];
            else
                sum[filter - c->filter + of_filter] += (double)x[of_x] * y[o];
        }
}

static void add_all(const tn__onednn_conv *c, double *sum)
{
    int64_t in = product(c, offsetof(tn__conv_axis, in)), out = product(c, offsetof(tn__conv_axis, out));
    int64_t taps = product(c, offsetof(tn__conv_axis, window));
    for (int64_t b = 0; b < c->batch; b++)
        for (int64_t o = 0; o < out; o++)
            for (int64_t tap = 0, pixel; tap < taps; tap++)
                if ((pixel = pixel_of(c, o, tap)) >= 0)
                    add_pixel(c, c->x + (b * in + pixel) * c->x_channels, c->filter + tap * (c->x_channels / c->groups) * c->y_channels,
                              c->y + (b * out + o) * c->y_channels, sum);
}

static double stored(const tn__epilogue *e, double sum, int64_t column, int64_t place)
{
    sum += (e->bias ? e->bias[column] : 0) + (double)(e->beside ? e->beside[place] : 0);
    sum = e->relu && sum < 0 ? 0 : sum;
    return e->mask && !(e->mask[place] > 0) ? 0 : sum;
}

/* --- checking ----------------------------------------------------------------------------------------------------------- */
static tn__conv_axis any_axis(bool dilated, bool strided)
{
    tn__conv_axis a = { .window = within(1, 4), .stride = strided ? within(1, 3) : 1, .dilation = dilated ? within(1, 3) : 1 };
    int64_t reach = (a.window - 1) * a.dilation + 1, padding = within(0, reach - 1);
    a.in = reach + within(3, 8);
    a.before = padding / 2;
    a.out = (a.in + padding - reach) / a.stride + 1;
    return a;
}

/* Large enough that it pays. */
static tn__onednn_conv any_conv(tn__onednn_way way, int axes, int64_t groups)
{
    tn__onednn_conv c = { .way = way, .axes = axes, .groups = groups, .batch = within(3, 7) };
    c.x_channels = groups * within(1, 9);
    c.y_channels = groups * within(1, 9);
    bool strided = draw() % 2 == 0;
    for (int i = 0; i < axes; i++)
        c.axis[i] = any_axis(!strided && draw() % 2 == 0, strided);
    if (axes == 2 && groups == 1) {
        tn__conv_axis *a = &c.axis[0];
        a->stride = 2;
        a->out = (a->in + a->before - (a->window - 1) * a->dilation - 1) / 2 + 1;
    }
    while ((double)count_of_y(&c) * (double)count_of_filter(&c) / (double)c.y_channels < 1e5)
        c.batch += 8;
    return c;
}

static void take_arrays(tn__onednn_conv *c)
{
    c->x = numbers(count_of_x(c));
    c->filter = numbers(count_of_filter(c));
    c->y = numbers(count_of_y(c));
}

static void drop_arrays(tn__onednn_conv *c)
{
    free(c->x);
    free(c->filter);
    free(c->y);
}

static float *result_of(const tn__onednn_conv *c, int64_t *count, int64_t *columns)
{
    *count = c->way == TN__ONEDNN_FORWARD ? count_of_y(c) : c->way == TN__ONEDNN_TO_INPUT ? count_of_x(c) : count_of_filter(c);
    *columns = c->way == TN__ONEDNN_TO_INPUT ? c->x_channels : c->y_channels;
    return c->way == TN__ONEDNN_FORWARD ? c->y : c->way == TN__ONEDNN_TO_INPUT ? c->x : c->filter;
}

/* How far it is off, by the largest sum; 1: it was not computed. */
static double error_of(const tn__onednn_conv *c)
{
    int64_t count, columns;
    bool done;
    float *result = result_of(c, &count, &columns);
    double *sum = calloc((size_t)count, sizeof *sum), worst = 0, most = 1;
    add_all(c, sum);
    if (tn__onednn(c, &done) != TN_OK || !done)
        worst = most;
    for (int64_t i = 0; i < count; i++) {
        double expected = stored(&c->epilogue, sum[i], i % columns, i), error = fabs(expected - result[i]);
        most = fabs(expected) > most ? fabs(expected) : most;
        worst = error > worst ? error : worst;
    }
    free(sum);
    return worst / most;
}

static void check_conv(tn__onednn_way way, int axes, int64_t groups)
{
    tn__onednn_conv c = any_conv(way, axes, groups);
    take_arrays(&c);
    double error = error_of(&c);
    if (!(error < 1e-5))
        fail_msg("way %d, %d axes (%lld by %lld, stride %lld, dilation %lld), %lld groups of %lld to %lld channels: off by %g", way, axes, (long long)c.axis[0].window, (long long)c.axis[1].window, (long long)c.axis[0].stride, (long long)c.axis[0].dilation, (long long)groups,
                 (long long)(c.x_channels / groups), (long long)(c.y_channels / groups), error);
    drop_arrays(&c);
}

static void three_axes_agree(void **unused)
{
    (void)unused;
    for (int i = 0; i < SHAPES; i++)
        for (int way = 0; way <= TN__ONEDNN_TO_FILTER; way++)
            check_conv(way, 3, i % 3 ? 1 : 2);
}

static void groups_agree(void **unused)
{
    (void)unused;
    for (int i = 0; i < SHAPES; i++)
        for (int way = 0; way <= TN__ONEDNN_TO_FILTER; way++)
            check_conv(way, 2, within(2, 6));
}

static void gradients_through_strides_agree(void **unused)
{
    (void)unused;
    for (int i = 0; i < SHAPES; i++)
        check_conv(TN__ONEDNN_TO_INPUT, 2, 1);
}

static void the_epilogue_is_applied(void **unused)
{
    (void)unused;
    for (int i = 0; i < SHAPES; i++) {
        tn__onednn_conv c = any_conv(TN__ONEDNN_TO_INPUT, 2, 1);
        take_arrays(&c);
        float *bias = numbers(c.x_channels), *beside = numbers(count_of_x(&c)), *mask = numbers(count_of_x(&c));
        c.epilogue = (tn__epilogue){ bias, beside, i % 2 == 0, i % 3 ? mask : NULL };
        assert_true(error_of(&c) < 1e-5);
        free(bias);
        free(beside);
        free(mask);
        drop_arrays(&c);
    }
}

static void threads_and_batch_change_no_bit_of_an_image(void **unused)
{
    (void)unused;
    tn__onednn_conv c = any_conv(TN__ONEDNN_FORWARD, 3, 1);
    c.batch += 8;
    take_arrays(&c);
    int64_t count = count_of_y(&c);
    float *first = malloc((size_t)count * sizeof *first);
    bool done;
    for (int most = 1; most <= 2; most++) {
        tn__limit_lanes(most);
        c.batch -= most - 1;
        assert_int_equal(tn__onednn(&c, &done), TN_OK);
        assert_true(done);
        if (most == 1)
            memcpy(first, c.y, (size_t)count * sizeof *first);
    }
    tn__limit_lanes(0);
    assert_memory_equal(first, c.y, (size_t)count_of_y(&c) * sizeof *first);
    free(first);
    drop_arrays(&c);
}

/* --- threads, children, memory ------------------------------------------------------------------------------------------ */
static void *compute_some(void *conv)
{
    const tn__onednn_conv *c = conv;
    for (int i = 0; i < 3; i++)
        if (!(error_of(c) < 1e-5))
            return conv;
    return NULL;
}

static void threads_share_it(void **unused)
{
    (void)unused;
    tn__onednn_conv c[THREADS];
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++) {
        c[i] = any_conv(i % 3, 3, 1);
        take_arrays(&c[i]);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, compute_some, &c[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(thread[i], &failed);
        assert_null(failed);
        drop_arrays(&c[i]);
    }
}

static void a_child_has_it_too(void **unused)
{
    (void)unused;
    tn__onednn_conv c = any_conv(TN__ONEDNN_TO_FILTER, 2, 2);
    take_arrays(&c);
    pid_t child = fork();
    if (child == 0)
        _exit(error_of(&c) < 1e-5 ? 0 : 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    drop_arrays(&c);
}

static bool compute_once(void *conv)
{
    bool done;
    return tn__onednn(conv, &done) == TN_OK;
}

static void refused_memory_is_an_error_and_no_more(void **unused)
{
    (void)unused;
    for (int way = 0; way <= TN__ONEDNN_TO_FILTER; way++) {
        tn__onednn_conv c = any_conv(way, 3, 1);
        take_arrays(&c);
        check_allocation_failures(compute_once, &c);
        drop_arrays(&c);
    }
}

static void what_does_not_pay_is_left_alone(void **unused)
{
    (void)unused;
    bool done = true;
    tn__onednn_conv c = any_conv(TN__ONEDNN_TO_INPUT, 2, 1);
    take_arrays(&c);
    c.way = TN__ONEDNN_FORWARD;
    assert_int_equal(tn__onednn(&c, &done), TN_OK);
    assert_false(done);
    drop_arrays(&c);
}

/* --- where it must not be used ------------------------------------------------------------------------------------------ */
static void nothing_is_computed_and_nothing_said(void **unused)
{
    (void)unused;
    for (int way = 0; way <= TN__ONEDNN_TO_FILTER; way++) {
        tn__onednn_conv c = any_conv(way, 3, 1);
        take_arrays(&c);
        int64_t count, columns;
        float *result = result_of(&c, &count, &columns), before = result[0];
        bool done = true;
        assert_int_equal(tn__onednn(&c, &done), TN_OK);
        assert_false(done);
        assert_true(result[0] == before);
        CHECK_NO_ERROR();
        drop_arrays(&c);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest absent[] = { cmocka_unit_test(nothing_is_computed_and_nothing_said) };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_axes_agree),
        cmocka_unit_test(groups_agree),
        cmocka_unit_test(gradients_through_strides_agree),
        cmocka_unit_test(the_epilogue_is_applied),
        cmocka_unit_test(threads_and_batch_change_no_bit_of_an_image),
        cmocka_unit_test(threads_share_it),
        cmocka_unit_test(a_child_has_it_too),
        cmocka_unit_test(refused_memory_is_an_error_and_no_more),
        cmocka_unit_test(what_does_not_pay_is_left_alone),
    };
    if (argc > 1 && strcmp(argv[1], "absent") == 0)
        return cmocka_run_group_tests(absent, NULL, NULL);
    if (!dlopen("libdnnl.so.3", RTLD_NOW) && !dlopen("libdnnl.so.2", RTLD_NOW)) {
        print_message("not run: there is no libdnnl on this machine\n");
        return NOT_RUN;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
