/* arrays.c - W7 and W8: large products, and passes over large arrays. */
#include "bench.h"
#include <stdio.h>

typedef struct {
    tn_tensor *x, *a, *b;
    tn_function *f;
} arrays;

static void multiply(void *self)
{
    TN_SCOPE;
    const arrays *o = self;
    tn_matmul(o->x, o->x);
}

static void call(void *self)
{
    TN_SCOPE;
    const arrays *o = self;
    tn_call(o->f, o->x);
}

static tn_tensor *line_body(void *self, tn_list inputs)
{
    (void)self;
    return tn_nn_relu(tn_add(tn_multiply(tn_at(inputs, 0), tn_scalar(1.5)), tn_scalar(-0.3)));
}

static tn_tensor *softmax_body(void *self, tn_list inputs)
{
    (void)self;
    return tn_nn_softmax(tn_at(inputs, 0), -1);
}

static tn_tensor *norm_body(void *self, tn_list inputs)
{
    return tn_call((tn_layer *)self, tn_at(inputs, 0));
}

static tn_tensor *sum_body(void *self, tn_list inputs)
{
    (void)self;
    return tn_reduce_sum(tn_at(inputs, 0));
}

void bench_arrays(void)
{
    TN_SCOPE;
    const int64_t sizes[] = { 16, 64, 128, 256, 512, 1024, 2048 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char workload[32];
        snprintf(workload, sizeof workload, "W7_sgemm_%d", (int)sizes[i]);
        if (!bench_wanted(workload))
            continue;
        arrays o = { .x = tn_random_normal(TN_SHAPE(sizes[i], sizes[i])) };
        bench_run(&(bench_case){ workload, "us", multiply, &o, 1 });
    }
    if (!bench_wanted("W8"))
        return;
    arrays o = { .x = tn_random_normal(TN_SHAPE(16 << 20)), .f = tn_function(line_body) };
    bench_run(&(bench_case){ "W8_relu_axb_64MB", "ms", call, &o, 1 });
    o.f = tn_function(sum_body);
    bench_run(&(bench_case){ "W8_reduce_sum_64MB", "ms", call, &o, 1 });
    o = (arrays){ .x = tn_random_normal(TN_SHAPE(4096, 1024)), .f = tn_function(softmax_body) };
    bench_run(&(bench_case){ "W8_softmax_4096x1024", "ms", call, &o, 1 });
    o.f = tn_function(norm_body, tn_layer_normalization());
    bench_run(&(bench_case){ "W8_layernorm_4096x1024", "ms", call, &o, 1 });
}
