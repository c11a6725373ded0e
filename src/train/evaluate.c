/* evaluate.c - passes over data that do not train. */
#include "train/trainer.h"
#include <string.h>

static int64_t batches_of(int64_t rows, int64_t batch_size)
{
    return (rows + batch_size - 1) / batch_size;
}

static tn_status take_batch(const tn__data *data, int64_t begin, int64_t size, tn__data *batch)
{
    int64_t left = data->rows - begin;
    return tn__data_batch(data, NULL, begin, left < size ? left : size, batch);
}

/* --- evaluation ------------------------------------------------------------------------------- */
static tn_status evaluate_batch(tn_context *context, tn__trainer *t, const tn__data *data,
                                const tn__pass *pass, int64_t at, tn__step_logs *logs,
                                tn__log_table *table)
{
    tn__data batch;
    TN_TRY(take_batch(data, at * pass->batch_size, pass->batch_size, &batch));
    tn_status status = tn__test_step(context, t, &batch, logs);
    tn__data_free(&batch);
    TN_TRY(status);
    if (!pass->progress)
        return TN_OK;
    TN_TRY(tn__logs_take(table, "", t, logs));
    tn__progress_step(pass->progress, at + 1, &table->logs, false);
    return TN_OK;
}

tn_status tn__evaluate(tn_context *context, tn__trainer *t, const tn__data *data,
                       const tn__pass *pass, tn__step_logs *logs)
{
    int64_t batches = batches_of(data->rows, pass->batch_size);
    if (pass->steps > 0 && pass->steps < batches)
        batches = pass->steps;
    logs->count = 0;
    if (batches == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "there is no data to evaluate on");
    /* The means of the epoch that is being trained are ours to reset: they were read before. */
    TN_TRY(tn__reset_metrics(t));
    tn__log_table table = { 0 };
    tn_status status = TN_OK;
    if (pass->progress)
        tn__progress_epoch(pass->progress, 0, 1, batches);
    for (int64_t i = 0; i < batches && status == TN_OK; i++) {
        if (pass->stops && tn__stop_requests() != *pass->stops) {
            logs->count = 0;
            break;
        }
        status = evaluate_batch(context, t, data, pass, i, logs, &table);
    }
    if (status == TN_OK && pass->progress)
        tn__progress_step(pass->progress, batches, &table.logs, true);
    tn__logs_clear(&table);
    return status;
}

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

static tn_tensor *evaluate(tn_context *context, tn__trainer *t, const tn_predict_options *o)
{
    tn__data data;
    tn__step_logs logs;
    if (tn__data_new(o->x, o->y, o->sample_weight, &data) != TN_OK)
        return NULL;
    tn__progress progress = tn__progress_for(o->verbose);
    tn__pass pass = { .batch_size = o->batch_size > 0 ? o->batch_size : 32, .progress = &progress };
    tn_status status = tn__evaluate(context, t, &data, &pass, &logs);
    tn__progress_free(&progress);
    tn__data_free(&data);
    return status == TN_OK ? logs_tensor(&logs) : NULL;
}

tn_tensor *tn_evaluate_with(const tn_predict_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    TN__EAGERLY(context);
    tn__trainer *t;
    if (tn__trainer_compiled(options->model, "evaluate", &t) != TN_OK ||
        !tn__check_tensor(options->x, "tn_evaluate: x"))
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

/* --- single batches --------------------------------------------------------------------------- */
static tn_tensor *on_batch(tn_context *context, const tn_on_batch_options *o, const char *what,
                           tn_status (*run)(tn_context *, tn__trainer *, const tn__data *,
                                            tn__step_logs *))
{
    tn__trainer *t;
    tn__data data;
    tn__step_logs logs;
    if (tn__trainer_compiled(o->model, what, &t) != TN_OK || !tn__check_tensor(o->x, what) ||
        tn__data_new(o->x, o->y, o->sample_weight, &data) != TN_OK)
        return NULL;
    tn_status status = o->class_weight ? tn__data_class_weight(&data, o->class_weight) : TN_OK;
    if (status == TN_OK)
        status = tn__reset_metrics(t);
    if (status == TN_OK)
        status = run(context, t, &data, &logs);
    tn__data_free(&data);
    return status == TN_OK ? logs_tensor(&logs) : NULL;
}

tn_tensor *tn_train_on_batch_with(const tn_on_batch_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    TN__EAGERLY(context);
    return on_batch(context, options, "train_on_batch", tn__train_step);
}

tn_tensor *tn_test_on_batch_with(const tn_on_batch_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    TN__EAGERLY(context);
    return on_batch(context, options, "test_on_batch", tn__test_step);
}

/* --- prediction ------------------------------------------------------------------------------- */
enum { MOST_OUTPUTS = 64 };

/* What a batch of so many rows gave, flat. */
static tn_status flatten(tn_tensor *result, int64_t rows, tn_tensor *leaves[MOST_OUTPUTS], size_t *count)
{
    *count = tn__flat_count(result);
    if (*count > MOST_OUTPUTS)
        return tn__fail(TN_UNIMPLEMENTED, "a model of more than %d outputs", MOST_OUTPUTS);
    tn__flatten(result, leaves);
    for (size_t i = 0; i < *count; i++) {
        if (leaves[i]->shape.rank == 0)
            return tn__fail(TN_INVALID_ARGUMENT, "output %zu of the model has no batch dimension", i);
        if (leaves[i]->shape.dims[0] != rows)
            return tn__fail(TN_INVALID_ARGUMENT, "output %zu of the model is %s for a batch of %lld rows", i, TN__SHAPE(leaves[i]->shape),
                            (long long)rows);
    }
    return TN_OK;
}

/* The outputs of several batches, one below the other; made when the first batch shows their shapes. */
typedef struct {
    tn_tensor *structure, *whole[MOST_OUTPUTS];
    size_t count;
} outputs;

static void outputs_free(outputs *o)
{
    for (size_t i = 0; i < o->count; i++)
        tn__release(o->whole[i]);
    tn__release(o->structure);
}

static tn_status make_outputs(outputs *o, tn_tensor *first, tn_tensor *const *leaves, size_t count, int64_t rows)
{
    o->structure = tn__retain(first);
    for (; o->count < count; o->count++) {
        tn_shape shape = leaves[o->count]->shape;
        shape.dims[0] = rows;
        TN_TRY(tn__tensor_new((tn_dtype)leaves[o->count]->dtype, &shape, &o->whole[o->count]));
    }
    return TN_OK;
}

static tn_status place(outputs *o, tn_tensor *result, int64_t begin, int64_t rows, int64_t all)
{
    tn_tensor *leaves[MOST_OUTPUTS];
    size_t count;
    TN_TRY(flatten(result, rows, leaves, &count));
    if (begin == 0)
        TN_TRY(make_outputs(o, result, leaves, count, all));
    for (size_t i = 0; i < o->count; i++) {
        size_t row = tn__byte_count(o->whole[i]) / (size_t)all;
        if (tn__byte_count(leaves[i]) != row * (size_t)rows)
            return tn__fail(TN_INVALID_ARGUMENT, "output %zu changed its shape between batches: %s", i, TN__SHAPE(leaves[i]->shape));
        memcpy((char *)o->whole[i]->data + (size_t)begin * row, leaves[i]->data, row * (size_t)rows);
    }
    return TN_OK;
}

static tn_status predict_batch(tn_context *context, tn__trainer *t, const tn__data *data, int64_t begin, int64_t batch_size, outputs *o)
{
    tn__data batch;
    tn_tensor *result;
    TN_TRY(take_batch(data, begin, batch_size, &batch));
    tn_status status = tn__predict_step(context, t, batch.x, &result);
    if (status == TN_OK) {
        status = place(o, result, begin, batch.rows, data->rows);
        tn__release(result);
    }
    tn__data_free(&batch);
    return status;
}

static tn_status predict_batches(tn_context *context, tn__trainer *t, const tn__data *data, int64_t batch_size, tn__progress *progress,
                                 tn_tensor **result)
{
    outputs o;
    o.structure = NULL;
    o.count = 0;
    tn_status status = TN_OK;
    for (int64_t begin = 0; begin < data->rows && status == TN_OK; begin += batch_size) {
        status = predict_batch(context, t, data, begin, batch_size, &o);
        if (status == TN_OK)
            tn__progress_step(progress, begin / batch_size + 1, NULL, begin + batch_size >= data->rows);
    }
    tn_tensor *const *at = o.whole;
    if (status == TN_OK && !(*result = tn__rebuild(o.structure, &at)))
        status = TN_RESOURCE_EXHAUSTED;
    outputs_free(&o);
    return status;
}

/* What a batch gives that is all of the data is given back as it is. */
static tn_status predict_at_once(tn_context *context, tn__trainer *t, const tn__data *data, tn__progress *progress, tn_tensor **result)
{
    tn_tensor *leaves[MOST_OUTPUTS];
    size_t count;
    TN_TRY(tn__predict_step(context, t, data->x, result));
    tn_status status = flatten(*result, data->rows, leaves, &count);
    if (status == TN_OK)
        tn__progress_step(progress, 1, NULL, true);
    else
        tn__release(*result);
    return status;
}

static tn_status predict(tn_context *context, tn__trainer *t, const tn__data *data, const tn_predict_options *o, tn_tensor **result)
{
    int64_t batch_size = o->batch_size > 0 ? o->batch_size : 32;
    if (data->rows == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "there is no data to predict for");
    tn__progress progress = tn__progress_for(o->verbose > 0 ? o->verbose : 0);
    tn__progress_epoch(&progress, 0, 1, batches_of(data->rows, batch_size));
    tn_status status = data->rows <= batch_size ? predict_at_once(context, t, data, &progress, result)
                                                : predict_batches(context, t, data, batch_size, &progress, result);
    tn__progress_free(&progress);
    return status;
}

tn_tensor *tn_predict_with(const tn_predict_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    TN__EAGERLY(context);
    tn__trainer *t;
    tn__data data;
    tn_tensor *result;
    if (!tn__check_layer(options->model, "tn_predict: model") || !tn__check_tensor(options->x, "tn_predict: x") ||
        tn__trainer_of(options->model, &t) != TN_OK || tn__data_new(options->x, NULL, NULL, &data) != TN_OK)
        return NULL;
    tn_status status = predict(context, t, &data, options, &result);
    tn__data_free(&data);
    return status == TN_OK ? tn__own(result) : NULL;
}

tn_tensor *tn_predict_on_batch(tn_model *model, tn_tensor *x)
{
    TN__ENTER(context, NULL);
    TN__EAGERLY(context);
    tn__trainer *t;
    tn__data data;
    tn_tensor *outputs;
    if (!tn__check_layer(model, "tn_predict_on_batch: model") ||
        !tn__check_tensor(x, "tn_predict_on_batch: x") || tn__trainer_of(model, &t) != TN_OK ||
        tn__data_new(x, NULL, NULL, &data) != TN_OK)
        return NULL;
    tn_status status = tn__predict_step(context, t, data.x, &outputs);
    tn__data_free(&data);
    return status == TN_OK ? tn__own(outputs) : NULL;
}
