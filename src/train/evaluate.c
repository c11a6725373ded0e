/* evaluate.c - passes over data that do not train. */
#include "train/trainer.h"
#include "train/callback.h"
#include "base/log.h"
#include <string.h>

static tn_tensor *logs_tensor(const tn__step_logs *logs)
{
    tn_shape shape = tn__shape_vector((int64_t)logs->count);
    tn_tensor *x;
    if (tn__tensor_new(TN_FLOAT32, &shape, &x) != TN_OK)
        return NULL;
    for (size_t i = 0; i < logs->count; i++)
        ((float *)x->data)[i] = (float)logs->value[i];
    return tn__own(x);
}

tn_status tn__evaluate(tn_context *context, tn__trainer *t, const tn__data *data, int64_t batch_size, tn__step_logs *logs)
{
    /* The means of the epoch that is being trained are ours to reset: they were read before. */
    TN_TRY(tn__reset_metrics(t));
    logs->count = 0;
    for (int64_t begin = 0; begin < data->rows; begin += batch_size) {
        tn__data batch;
        int64_t count = data->rows - begin < batch_size ? data->rows - begin : batch_size;
        TN_TRY(tn__data_batch(data, NULL, begin, count, &batch));
        tn_status status = tn__test_step(context, t, &batch, logs);
        tn__data_free(&batch);
        TN_TRY(status);
    }
    return logs->count ? TN_OK : tn__fail(TN_INVALID_ARGUMENT, "there is no data to evaluate on");
}

static void show(const tn__trainer *t, int verbose, const tn__step_logs *logs, int64_t batches, double seconds)
{
    if (verbose == 0)
        return;
    const char *key[64];
    tn_logs shown = { .count = logs->count < 64 ? logs->count : 64, .key = key, .value = logs->value };
    for (size_t i = 0; i < shown.count; i++)
        key[i] = tn__log_name(t, i);
    tn__progress p = { .verbose = verbose, .terminal = tn__output_is_terminal() };
    tn__progress_epoch(&p, 0, 0, batches);
    p.start = tn__seconds() - seconds;
    tn__progress_step(&p, batches, &shown, true);
}

static tn_tensor *evaluate(tn_context *context, tn__trainer *t, const tn_predict_options *o)
{
    tn__data data;
    tn__step_logs logs;
    double start = tn__seconds();
    int64_t size = o->batch_size > 0 ? o->batch_size : 32;
    if (tn__data_new(o->x, o->y, o->sample_weight, &data) != TN_OK)
        return NULL;
    tn_status status = tn__evaluate(context, t, &data, size, &logs);
    if (status == TN_OK)
        show(t, tn__verbose(o->verbose), &logs, (data.rows + size - 1) / size, tn__seconds() - start);
    tn__data_free(&data);
    return status == TN_OK ? logs_tensor(&logs) : NULL;
}

tn_tensor *tn_evaluate_with(const tn_predict_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    tn__trainer *t;
    if (tn__trainer_compiled(options->model, "evaluate", &t) != TN_OK || !tn__check_tensor(options->x, "tn_evaluate: x") ||
        !tn__check_tensor(options->y, "tn_evaluate: y"))
        return NULL;
    return evaluate(context, t, options);
}

const char *tn_metrics_name(tn_model *model, size_t index)
{
    TN__ENTER(context, NULL);
    (void)context;
    tn__trainer *t;
    if (tn__trainer_compiled(model, "metrics_names", &t) != TN_OK)
        return NULL;
    return tn__log_name(t, index);
}

static tn_tensor *on_batch(tn_model *model, tn_tensor *x, tn_tensor *y, const char *what,
                           tn_status (*run)(tn_context *, tn__trainer *, const tn__data *, tn__step_logs *))
{
    TN__ENTER(context, NULL);
    tn__trainer *t;
    tn__data data;
    tn__step_logs logs;
    if (tn__trainer_compiled(model, what, &t) != TN_OK || !tn__check_tensor(x, "x") || !tn__check_tensor(y, "y") ||
        tn__data_new(x, y, NULL, &data) != TN_OK)
        return NULL;
    tn_status status = run(context, t, &data, &logs);
    tn__data_free(&data);
    return status == TN_OK ? logs_tensor(&logs) : NULL;
}

tn_tensor *tn_train_on_batch(tn_model *model, tn_tensor *x, tn_tensor *y)
{
    return on_batch(model, x, y, "train_on_batch", tn__train_step);
}

tn_tensor *tn_test_on_batch(tn_model *model, tn_tensor *x, tn_tensor *y)
{
    return on_batch(model, x, y, "test_on_batch", tn__test_step);
}

/* --- prediction --------------------------------------------------------------------------------------------------------- */
/* The outputs of all batches, one below the other; made when the first batch shows their shapes. */
typedef struct {
    tn_tensor *structure, **whole;
    size_t count;
} outputs;

static void outputs_free(outputs *o)
{
    for (size_t i = 0; i < o->count && o->whole; i++)
        tn__release(o->whole[i]);
    tn__free(o->whole);
    tn__release(o->structure);
}

static tn_status make_outputs(outputs *o, tn_tensor *first, int64_t rows)
{
    tn_tensor *leaves[64];
    o->count = tn__flat_count(first);
    o->structure = tn__retain(first);
    o->whole = tn__alloc_zeroed(o->count + 1, sizeof *o->whole);
    if (o->count > 64 || !o->whole)
        return o->whole ? tn__fail(TN_UNIMPLEMENTED, "a model of more than 64 outputs") : TN_RESOURCE_EXHAUSTED;
    tn__flatten(first, leaves);
    for (size_t i = 0; i < o->count; i++) {
        tn_shape shape = leaves[i]->shape;
        if (shape.rank == 0)
            return tn__fail(TN_INVALID_ARGUMENT, "output %zu of the model has no batch dimension", i);
        shape.dims[0] = rows;
        TN_TRY(tn__tensor_new((tn_dtype)leaves[i]->dtype, &shape, &o->whole[i]));
    }
    return TN_OK;
}

static tn_status place(outputs *o, tn_tensor *batch, int64_t begin, int64_t count)
{
    tn_tensor *leaves[64];
    tn__flatten(batch, leaves);
    for (size_t i = 0; i < o->count; i++) {
        size_t row = o->whole[i]->shape.dims[0] ? tn__byte_count(o->whole[i]) / (size_t)o->whole[i]->shape.dims[0] : 0;
        if (leaves[i]->shape.rank == 0 || leaves[i]->shape.dims[0] != count || tn__byte_count(leaves[i]) != row * (size_t)count)
            return tn__fail(TN_INVALID_ARGUMENT, "output %zu changed its shape between batches: %s", i, TN__SHAPE(leaves[i]->shape));
        memcpy((char *)o->whole[i]->data + (size_t)begin * row, leaves[i]->data, row * (size_t)count);
    }
    return TN_OK;
}

static tn_status predict_batches(tn_context *context, tn__trainer *t, const tn__data *data, int64_t batch_size, outputs *o)
{
    for (int64_t begin = 0; begin < data->rows; begin += batch_size) {
        int64_t count = data->rows - begin < batch_size ? data->rows - begin : batch_size;
        tn__data batch;
        tn_tensor *result;
        if (count == data->rows)
            batch = (tn__data){ .x = tn__retain(data->x) };
        else
            TN_TRY(tn__data_batch(data, NULL, begin, count, &batch));
        tn_status status = tn__predict_step(context, t, batch.x, &result);
        tn__data_free(&batch);
        TN_TRY(status);
        if (begin == 0)
            status = make_outputs(o, result, data->rows);
        if (status == TN_OK)
            status = place(o, result, begin, count);
        tn__release(result);
        TN_TRY(status);
    }
    return o->count ? TN_OK : tn__fail(TN_INVALID_ARGUMENT, "there is no data to predict for");
}

tn_tensor *tn_predict_with(const tn_predict_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    tn__trainer *t;
    tn__data data;
    outputs o = { 0 };
    if (!tn__check_layer(options->model, "tn_predict: model") || !tn__check_tensor(options->x, "tn_predict: x") ||
        tn__trainer_of(options->model, &t) != TN_OK || tn__data_new(options->x, NULL, NULL, &data) != TN_OK)
        return NULL;
    tn_status status = predict_batches(context, t, &data, options->batch_size > 0 ? options->batch_size : 32, &o);
    tn__data_free(&data);
    tn_tensor *const *at = o.whole;
    tn_tensor *result = status == TN_OK ? tn__rebuild(o.structure, &at) : NULL;
    outputs_free(&o);
    return tn__own(result);
}
