/* eager.c - W2: what one operation costs. */
#include "bench.h"

enum { OPS = 300 };

typedef struct {
    tn_tensor *a, *b;
    tn_function *f;
} operands;

static void add(void *self)
{
    const operands *o = self;
    for (int i = 0; i < OPS; i++) {
        TN_SCOPE;
        tn_add(o->a, o->b);
    }
}

static void matmul(void *self)
{
    const operands *o = self;
    for (int i = 0; i < OPS; i++) {
        TN_SCOPE;
        tn_matmul(o->a, o->b);
    }
}

static void gradient(void *self)
{
    const operands *o = self;
    for (int i = 0; i < OPS; i++) {
        TN_SCOPE;
        tn_tape *tape = tn_gradient_tape();
        tn_watch(tape, o->a);
        tn_tensor *y = tn_multiply(o->a, o->a);
        tn_gradient(tape, y, TN_LIST(o->a));
    }
}

static tn_tensor *sum_body(void *self, tn_list inputs)
{
    (void)self;
    return tn_add(tn_at(inputs, 0), tn_at(inputs, 1));
}

static void call(void *self)
{
    const operands *o = self;
    for (int i = 0; i < OPS; i++) {
        TN_SCOPE;
        tn_call(o->f, o->a, o->b);
    }
}

void bench_eager(void)
{
    TN_SCOPE;
    if (!bench_wanted("W2"))
        return;
    operands o = { tn_ones(TN_SHAPE(8), TN_FLOAT32), tn_ones(TN_SHAPE(8), TN_FLOAT32), NULL };
    bench_run(&(bench_case){ "W2_add_vec8", "ns", add, &o, OPS });
    o = (operands){ tn_ones(TN_SHAPE(16, 16), TN_FLOAT32), tn_ones(TN_SHAPE(16, 16), TN_FLOAT32), NULL };
    bench_run(&(bench_case){ "W2_matmul_16", "ns", matmul, &o, OPS });
    o = (operands){ tn_ones(TN_SHAPE(64, 64), TN_FLOAT32), tn_ones(TN_SHAPE(64, 64), TN_FLOAT32), NULL };
    bench_run(&(bench_case){ "W2_matmul_64", "ns", matmul, &o, OPS });
    o = (operands){ tn_ones(TN_SHAPE(1), TN_FLOAT32), tn_ones(TN_SHAPE(1), TN_FLOAT32), tn_function(sum_body) };
    bench_run(&(bench_case){ "W2_tape_square_grad", "ns", gradient, &o, OPS });
    bench_run(&(bench_case){ "W2_call_traced_fn", "ns", call, &o, OPS });
}
