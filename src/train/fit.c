/* fit.c - the loop over epochs and batches. */
#include "train/trainer.h"
#include "train/callback.h"
#include "base/log.h"
#include <stdlib.h>
#include <string.h>

/* How often tn_stop_training was called: a fit ends when this is no longer what it was when it began. */
static _Atomic unsigned stop_requests;

void tn_stop_training(void)
{
    atomic_fetch_add(&stop_requests, 1);
}

/* --- logs --------------------------------------------------------------------------------------------------------------- */
enum { MOST_LOGS = 2 * (1 + TN__MAX_OUTPUTS * (2 * TN__MAX_METRICS + 1)) };

typedef struct {
    tn_logs logs;
    const char *key[MOST_LOGS];
    double value[MOST_LOGS];
    char *own[MOST_LOGS]; /* names made here: "val_loss" */
} log_table;

static void table_free(log_table *t)
{
    for (size_t i = 0; i < t->logs.count; i++)
        tn__free(t->own[i]);
    t->logs.count = 0;
}

/* Sorted by name, as Keras hands them out. */
static tn_status table_add(log_table *t, const char *prefix, const tn__trainer *trainer, const tn__step_logs *step)
{
    for (size_t i = 0; i < step->count && t->logs.count < MOST_LOGS; i++) {
        char *name = tn__print("%s%s", prefix, tn__log_name(trainer, i));
        if (!name)
            return TN_RESOURCE_EXHAUSTED;
        size_t at = t->logs.count++;
        for (; at > 0 && strcmp(t->key[at - 1], name) > 0 && (prefix[0] == 0 || tn__starts_with(t->key[at - 1], prefix)); at--) {
            t->key[at] = t->key[at - 1];
            t->own[at] = t->own[at - 1];
            t->value[at] = t->value[at - 1];
        }
        t->own[at] = name;
        t->key[at] = name;
        t->value[at] = step->value[i];
    }
    t->logs.key = t->key;
    t->logs.value = t->value;
    return TN_OK;
}

/* --- the loop ----------------------------------------------------------------------------------------------------------- */
typedef struct {
    tn_context *context;
    tn__trainer *trainer;
    const tn_fit_options *o;
    tn__data data, validation;
    tn_batch_source source; /* NULL: data */
    void *source_self;
    int64_t *order;         /* NULL: as they are */
    int64_t batches;        /* an epoch's; 0: not known */
    tn_callback *callback[16];
    size_t callbacks;
    tn__progress progress;
    tn_history *history;
    unsigned stops;         /* stop_requests at the beginning */
    bool stop;
} fit;

static tn_status call_back(fit *f, size_t which, log_table *table, int64_t epoch, int64_t batch)
{
    table->logs.model = f->trainer->model;
    table->logs.epoch = epoch;
    table->logs.batch = batch;
    table->logs.stop = &f->stop;
    for (size_t i = 0; i < f->callbacks; i++) {
        void (*function)(void *, const tn_logs *);
        memcpy(&function, (const char *)f->callback[i]->of + which, sizeof function);
        if (!function)
            continue;
        size_t depth = tn__scope_begin("a callback");
        function(f->callback[i]->self, &table->logs);
        tn__scope_end(depth);
        TN_TRY(f->context->error.status);
    }
    return TN_OK;
}
#define CALL_BACK(f, name, table, epoch, batch) call_back((f), offsetof(tn_callback_class, name), (table), (epoch), (batch))

/* The structure that a batch source gives: (x, y) or (x, y, sample_weight). */
static tn_status unpack(tn_tensor *tuple, const char *what, tn__data *data)
{
    if (!tn__check_tensor(tuple, what))
        return TN_INVALID_ARGUMENT;
    size_t count = tuple->form == TN__TUPLE ? tuple->of.tuple.count : 0;
    if (count < 2 || count > 3)
        return tn__fail(TN_INVALID_ARGUMENT, "%s must be tn_tuple(x, y) or tn_tuple(x, y, sample_weight)", what);
    tn_tensor *const *item = tuple->of.tuple.item;
    return tn__data_new(item[0], item[1], count == 3 ? item[2] : NULL, data);
}

static tn_status source_batch(fit *f, int64_t epoch, int64_t batch, tn__data *data, bool *end)
{
    size_t depth = tn__scope_begin("a batch source");
    tn_tensor *tuple = f->source(f->source_self, epoch, batch);
    *end = tuple == NULL;
    tn_status status = f->context->error.status;
    if (status == TN_OK && tuple)
        status = unpack(tuple, "a batch", data);
    tn__scope_end(depth);
    return status;
}

static tn_status next_batch(fit *f, int64_t epoch, int64_t batch, tn__data *data, bool *end)
{
    *data = (tn__data){ 0 };
    *end = f->o->steps_per_epoch > 0 && batch >= f->o->steps_per_epoch;
    if (*end)
        return TN_OK;
    if (f->source)
        return source_batch(f, epoch, batch, data, end);
    int64_t begin = batch * f->o->batch_size, count = f->data.rows - begin;
    *end = count <= 0;
    if (*end)
        return TN_OK;
    return tn__data_batch(&f->data, f->order, begin, count < f->o->batch_size ? count : f->o->batch_size, data);
}

static bool should_stop(const fit *f)
{
    return f->stop || atomic_load(&stop_requests) != f->stops;
}

static tn_status run_batch(fit *f, int64_t epoch, int64_t batch, tn__data *data, tn__step_logs *step)
{
    log_table table = { .logs = { 0 } };
    TN_TRY(CALL_BACK(f, on_batch_begin, &table, epoch, batch));
    TN_TRY(tn__train_step(f->context, f->trainer, data, step));
    tn_status status = table_add(&table, "", f->trainer, step);
    if (status == TN_OK)
        status = CALL_BACK(f, on_batch_end, &table, epoch, batch);
    if (status == TN_OK && f->progress.verbose == 1)
        tn__progress_step(&f->progress, batch + 1, &table.logs, false);
    table_free(&table);
    return status;
}

static tn_status run_batches(fit *f, int64_t epoch, tn__step_logs *step, int64_t *batches)
{
    bool end = false;
    for (*batches = 0; !should_stop(f); (*batches)++) {
        tn__data data;
        TN_TRY(next_batch(f, epoch, *batches, &data, &end));
        if (end)
            break;
        tn_status status = run_batch(f, epoch, *batches, &data, step);
        tn__data_free(&data);
        TN_TRY(status);
    }
    return TN_OK;
}

static bool validates(const fit *f, int64_t epoch)
{
    int64_t every = f->o->validation_freq > 0 ? f->o->validation_freq : 1;
    return f->validation.rows > 0 && (epoch + 1) % every == 0;
}

static tn_status finish_epoch(fit *f, int64_t epoch, const tn__step_logs *step, int64_t batches)
{
    log_table table = { .logs = { 0 } };
    tn__step_logs validation;
    tn_status status = table_add(&table, "", f->trainer, step);
    if (status == TN_OK && validates(f, epoch)) {
        int64_t size = f->o->validation_batch_size > 0 ? f->o->validation_batch_size : f->o->batch_size;
        status = tn__evaluate(f->context, f->trainer, &f->validation, size, &validation);
        if (status == TN_OK)
            status = table_add(&table, "val_", f->trainer, &validation);
    }
    if (status == TN_OK) {
        f->batches = batches;
        tn__progress_step(&f->progress, batches, &table.logs, true);
        status = tn__history_add(f->history, &table.logs);
    }
    if (status == TN_OK)
        status = CALL_BACK(f, on_epoch_end, &table, epoch, batches);
    table_free(&table);
    return status;
}

static tn_status shuffle(fit *f)
{
    if (!f->order)
        return TN_OK;
    tn__random_state seeded = { .seeded = true, .global_seed = f->o->seed };
    tn__random_fit_order(f->o->seed == TN_NO_SEED ? &f->context->random : &seeded, f->order, (size_t)f->data.rows);
    return TN_OK;
}

static tn_status run_epoch(fit *f, int64_t epoch)
{
    log_table none = { .logs = { 0 } };
    tn__step_logs step = { .count = 0 };
    int64_t batches;
    TN_TRY(tn__reset_metrics(f->trainer));
    TN_TRY(shuffle(f));
    TN_TRY(CALL_BACK(f, on_epoch_begin, &none, epoch, 0));
    tn__progress_epoch(&f->progress, epoch, f->o->epochs, f->batches);
    TN_TRY(run_batches(f, epoch, &step, &batches));
    if (batches == 0 && !should_stop(f))
        return tn__fail(TN_INVALID_ARGUMENT, "there is no data to train on: epoch %lld has no batch", (long long)epoch + 1);
    return batches > 0 ? finish_epoch(f, epoch, &step, batches) : TN_OK;
}

static tn_status run_epochs(fit *f)
{
    log_table none = { .logs = { 0 } };
    TN_TRY(CALL_BACK(f, on_train_begin, &none, f->o->initial_epoch, 0));
    int64_t epoch = f->o->initial_epoch;
    for (; epoch < f->o->epochs && !should_stop(f); epoch++)
        TN_TRY(run_epoch(f, epoch));
    tn_list variables = tn_layer_trainable_variables(f->trainer->model);
    TN_TRY(f->context->error.status);
    TN_TRY(tn__optimizer_finalize(f->context, f->trainer->optimizer, variables));
    return CALL_BACK(f, on_train_end, &none, epoch, 0);
}

/* --- options ------------------------------------------------------------------------------------------------------------ */
static tn_status take_callbacks(fit *f)
{
    for (size_t i = 0; i < 16; i++) {
        if (!f->o->callbacks[i])
            continue;
        if (i != f->callbacks)
            return tn__fail(TN_INVALID_ARGUMENT, "tn_fit: callbacks[%zu] is NULL", f->callbacks);
        if (!tn__check(f->o->callbacks[i], &tn__type_callback, "tn_fit: a callback"))
            return TN_INVALID_ARGUMENT;
        f->callback[f->callbacks++] = f->o->callbacks[i];
    }
    return TN_OK;
}

static tn_status take_data(fit *f)
{
    const tn_fit_options *o = f->o;
    if (o->batch_size <= 0 || o->epochs < 0)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_fit: batch_size must be positive and epochs not negative, got %lld and %lld",
                        (long long)o->batch_size, (long long)o->epochs);
    if (o->validation_data)
        TN_TRY(unpack(o->validation_data, "tn_fit: validation_data", &f->validation));
    if (f->source)
        return TN_OK;
    if (!tn__check_tensor(o->x, "tn_fit: x") || !tn__check_tensor(o->y, "tn_fit: y"))
        return TN_INVALID_ARGUMENT;
    TN_TRY(tn__data_new(o->x, o->y, o->sample_weight, &f->data));
    if (o->class_weight)
        TN_TRY(tn__data_class_weight(&f->data, o->class_weight));
    if (o->validation_split != 0 && !o->validation_data)
        TN_TRY(tn__data_split(&f->data, o->validation_split, &f->validation));
    f->batches = (f->data.rows + o->batch_size - 1) / o->batch_size;
    if (o->steps_per_epoch > 0 && o->steps_per_epoch < f->batches)
        f->batches = o->steps_per_epoch;
    if (o->shuffle && !(f->order = tn__alloc((size_t)(f->data.rows + 1) * sizeof *f->order)))
        return TN_RESOURCE_EXHAUSTED;
    return TN_OK;
}

static tn_history *run_fit(tn_context *context, const tn_fit_options *o, tn_model *model, tn_batch_source source, void *source_self)
{
    fit f = { .context = context, .o = o, .source = source, .source_self = source_self, .stops = atomic_load(&stop_requests) };
    f.progress = (tn__progress){ .verbose = tn__verbose(o->verbose), .terminal = tn__output_is_terminal() };
    f.history = tn__object_new(&tn__type_history);
    size_t depth = tn__scope_begin("tn_fit");
    tn_status status = f.history ? tn__trainer_compiled(model, "fit", &f.trainer) : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK)
        status = take_callbacks(&f);
    if (status == TN_OK)
        status = take_data(&f);
    if (status == TN_OK)
        status = run_epochs(&f);
    tn__scope_end(depth);
    tn__data_free(&f.data);
    tn__data_free(&f.validation);
    tn__free(f.order);
    if (status != TN_OK) {
        tn__release(f.history);
        return NULL;
    }
    return tn__own(f.history);
}

tn_history *tn_fit_with(const tn_fit_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    return run_fit(context, options, options->model, NULL, NULL);
}

tn_history *tn_fit_source(tn_model *model, tn_batch_source next, void *self, const tn_fit_options *options)
{
    TN__ENTER(context, NULL);
    static const tn_fit_options plain = { .size_ = sizeof plain, .batch_size = 32, .epochs = 1, .verbose = -1, .validation_freq = 1, .seed = TN_NO_SEED };
    if (!next) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_fit_source: next is NULL");
        return NULL;
    }
    return run_fit(context, options ? options : &plain, model, next, self);
}
