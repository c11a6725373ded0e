/* models.c - W3 to W5 and W10: training and predicting. */
#include "bench.h"

typedef struct {
    tn_model *model;
    tn_optimizer *optimizer;
    tn_loss *loss_fn;
    tn_function *step;
    tn_tensor *x, *y;
    int batches;
} trainer;

enum { BATCH = 64 };

static tn_tensor *step_body(void *me, tn_list inputs)
{
    trainer *t = me;
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *outputs = tn_call_with(t->model, TN_LIST(tn_at(inputs, 0)), .training = true);
    tn_tensor *loss = tn_call(t->loss_fn, tn_at(inputs, 1), outputs);
    tn_list variables = tn_trainable_variables(t->model);
    tn_list gradients = tn_gradient(tape, loss, variables);
    return tn_apply_gradients(t->optimizer, gradients, variables) == TN_OK ? loss : NULL;
}

static void train(void *self)
{
    TN_SCOPE;
    trainer *t = self;
    tn_call(t->step, t->x, t->y);
}

/* As many steps as a fit makes, always with the same batch. */
static void train_on(void *self)
{
    const trainer *t = self;
    for (int i = 0; i < t->batches; i++)
        train(self);
}

static void predict(void *self)
{
    TN_SCOPE;
    trainer *t = self;
    tn_predict(t->model, t->x, .verbose = 0, .batch_size = BATCH);
}

static void fit(void *self)
{
    TN_SCOPE;
    trainer *t = self;
    tn_fit(t->model, t->x, t->y, .batch_size = BATCH, .epochs = 1, .verbose = 0);
}

static tn_model *seed_model(void)
{
    return tn_sequential(TN_LAYERS(tn_dense(128, "relu", .input_shape = TN_SHAPE(10)), tn_dense(10, "softmax")));
}

static tn_model *mlp(void)
{
    return tn_sequential(
        TN_LAYERS(tn_dense(512, "relu", .input_shape = TN_SHAPE(784)), tn_dense(256, "relu"), tn_dense(10, "softmax")));
}

static tn_model *cnn(void)
{
    return tn_sequential(TN_LAYERS(tn_conv2d(32, 3, .activation = "relu", .input_shape = TN_SHAPE(28, 28, 1)), tn_conv2d(64, 3, .activation = "relu"), tn_max_pooling2d(),
                                   tn_flatten(), tn_dense(128, "relu"), tn_dense(10, "softmax")));
}

static tn_tensor *labels(int64_t count)
{
    return tn_one_hot(tn_cast(tn_random_uniform(TN_SHAPE(count), .maxval = 10), TN_INT32), 10);
}

static void begin(trainer *t, tn_model *model, tn_shape x, double rate, bool eager)
{
    *t = (trainer){ .model = model, .optimizer = tn_adam(rate), .loss_fn = tn_categorical_crossentropy() };
    t->x = tn_random_normal(x);
    t->y = labels(x.dims[0]);
    t->step = tn_function(step_body, t, .eager = eager);
}

static void bench_step(const char *workload, const char *metric, tn_model *(*make)(void), tn_shape x, double rate, bool eager)
{
    TN_SCOPE;
    trainer t;
    if (!bench_wanted(workload))
        return;
    begin(&t, make(), x, rate, eager);
    bench_run(&(bench_case){ workload, metric, train, &t, 1 });
}

static void bench_fit(const char *workload, const char *steps_workload, tn_model *(*make)(void), tn_shape x)
{
    TN_SCOPE;
    trainer t, s;
    if (!bench_wanted(workload) && !bench_wanted(steps_workload))
        return;
    begin(&t, make(), x, 1e-3, false);
    tn_must(tn_compile(t.model, .optimizer = t.optimizer, .loss = "categorical_crossentropy"));
    t.batches = (int)(x.dims[0] / BATCH);
    x.dims[0] = BATCH;
    begin(&s, make(), x, 1e-3, false);
    s.batches = t.batches;
    bench_run_both((bench_case[]){ { workload, "ms", fit, &t, t.batches }, { steps_workload, "ms", train_on, &s, s.batches } });
}

static void bench_predict(const char *workload, const char *metric, tn_model *model, tn_shape x)
{
    trainer t = { .model = model, .x = tn_random_normal(x) };
    bench_run(&(bench_case){ workload, metric, predict, &t, 1 });
}

/* A peak is one of all that ran before: it is asked for by name, with the one workload that it is to be of. */
static void bench_memory(const char *workload)
{
    if (bench_named(workload))
        bench_print(workload, "rss_MB", bench_peak_memory(), bench_peak_memory(), 1);
}

void bench_models(void)
{
    TN_SCOPE;
    bench_step("W3_seed_step", "us", seed_model, TN_SHAPE(100, 10), 0.01, false);
    bench_step("W3_seed_step_eager", "us", seed_model, TN_SHAPE(100, 10), 0.01, true);
    if (bench_wanted("W3_predict_b1"))
        bench_predict("W3_predict_b1", "us",
                      tn_sequential(TN_LAYERS(tn_dense(128, "relu", .input_shape = TN_SHAPE(64)), tn_dense(10, "softmax"))), TN_SHAPE(1, 64));
    bench_step("W4_mlp_train", "ms", mlp, TN_SHAPE(64, 784), 1e-3, false);
    bench_memory("W10_rss_train_W4");
    bench_step("W5_cnn_train", "ms", cnn, TN_SHAPE(64, 28, 28, 1), 1e-3, false);
    bench_memory("W10_rss_train_W5");
    bench_fit("W4_fit_overhead", "W4_fit_steps", mlp, TN_SHAPE(100 * BATCH, 784));
    bench_fit("W5_fit_overhead", "W5_fit_steps", cnn, TN_SHAPE(10 * BATCH, 28, 28, 1));
    if (bench_wanted("W5_cnn_infer_b1"))
        bench_predict("W5_cnn_infer_b1", "ms", cnn(), TN_SHAPE(1, 28, 28, 1));
    if (bench_wanted("W5_cnn_infer_b64"))
        bench_predict("W5_cnn_infer_b64", "ms", cnn(), TN_SHAPE(64, 28, 28, 1));
}
