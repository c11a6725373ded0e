/* fit.c - the loop over epochs and batches. */
#include "train/trainer.h"
#include "base/log.h"
#include <stdlib.h>
#include <string.h>

/* How often tn_stop_training was called: a fit ends when this is no longer what it was when it
 * began. */
static _Atomic unsigned stop_requests;

void tn_stop_training(void)
{
    atomic_fetch_add(&stop_requests, 1);
}

unsigned tn__stop_requests(void)
{
    return atomic_load(&stop_requests);
}

enum { DEFAULT_BATCH_SIZE = 32, MOST_CALLBACKS = 16 };

typedef struct {
    tn_context *context;
    tn__trainer *trainer;
    const tn_fit_options *o;
    tn__data data, validation;
    tn_batch_source source; /* NULL: data */
    void *source_self;
    int64_t batch_size;
    int64_t *order;   /* NULL: as they are */
    int64_t batches;  /* an epoch's, for the progress bar; 0: not known */
    int64_t next_row; /* where the next batch begins: steps_per_epoch may leave rows to the next
                         epoch */
    tn_callback *callback[MOST_CALLBACKS];
    size_t callbacks;
    tn__progress progress;
    tn_history *history;
    tn__log_table batch_logs, epoch_logs, no_logs;
    unsigned stops; /* stop_requests at the beginning */
    bool stop;
} fit;

/* --- callbacks -------------------------------------------------------------------------------- */
static tn_status call_back(fit *f, size_t which, tn__log_table *table, int64_t epoch, int64_t batch)
{
    if (table == &f->no_logs)
        tn__logs_clear(table); /* what a callback put there was nobody's */
    table->logs.model = f->trainer->model;
    table->logs.epoch = epoch;
    table->logs.batch = batch;
    table->logs.stop = &f->stop;
    table->logs.table_ = table;
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
#define CALL_BACK(f, name, table, epoch, batch) \
    call_back((f), offsetof(tn_callback_class, name), (table), (epoch), (batch))

/* --- batches ---------------------------------------------------------------------------------- */
/* The structure that a batch source gives: (x, y) or (x, y, sample_weight). */
static tn_status unpack(tn_tensor *tuple, const char *what, tn__data *data)
{
    if (!tn__check_tensor(tuple, what))
        return TN_INVALID_ARGUMENT;
    size_t count = tuple->form == TN__TUPLE ? tuple->of.tuple.count : 0;
    if (count < 2 || count > 3)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "%s must be tn_tuple(x, y) or tn_tuple(x, y, sample_weight)", what);
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
    if (status == TN_OK && tuple && f->o->class_weight)
        status = tn__data_class_weight(data, f->o->class_weight);
    tn__scope_end(depth);
    if (status != TN_OK)
        tn__data_free(data);
    return status;
}

static tn_status array_batch(fit *f, tn__data *data, bool *end)
{
    int64_t left = f->data.rows - f->next_row;
    *end = left <= 0;
    if (*end)
        return TN_OK;
    int64_t begin = f->next_row, count = left < f->batch_size ? left : f->batch_size;
    f->next_row += count;
    return tn__data_batch(&f->data, f->order, begin, count, data);
}

static tn_status next_batch(fit *f, int64_t epoch, int64_t batch, tn__data *data, bool *end)
{
    *data = (tn__data){ 0 };
    *end = f->o->steps_per_epoch > 0 && batch >= f->o->steps_per_epoch;
    if (*end)
        return TN_OK;
    TN_TRY(f->source ? source_batch(f, epoch, batch, data, end) : array_batch(f, data, end));
    if (*end && f->o->steps_per_epoch > 0)
        tn__warn("Your input ran out of data; interrupting training. Make sure that your dataset "
                 "or generator can generate at least "
                 "`steps_per_epoch * epochs` batches. You may need to use the `.repeat()` function "
                 "when building your dataset.");
    return TN_OK;
}

/* All rows again, in an order of their own, once the last ones are used up. */
static void begin_rows(fit *f)
{
    bool goes_on = f->o->steps_per_epoch > 0 && f->next_row > 0 && f->next_row < f->data.rows;
    if (f->source || goes_on)
        return;
    f->next_row = 0;
    if (!f->order)
        return;
    tn__random_state seeded = { .seeded = true, .global_seed = f->o->seed };
    tn__random_fit_order(f->o->seed == TN_NO_SEED ? &f->context->random : &seeded, f->order,
                         (size_t)f->data.rows);
}

/* --- the loop --------------------------------------------------------------------------------- */
/* tn_stop_training is the same as a callback's stop, but that no validation begins or goes on. */
static bool interrupted(fit *f)
{
    bool asked = tn__stop_requests() != f->stops;
    f->stop |= asked;
    return asked;
}

static bool should_stop(fit *f)
{
    return interrupted(f) || f->stop;
}

static tn_status run_batch(fit *f, int64_t epoch, int64_t batch, tn__data *data,
                           tn__step_logs *step)
{
    TN_TRY(CALL_BACK(f, on_batch_begin, &f->no_logs, epoch, batch));
    TN_TRY(tn__train_step(f->context, f->trainer, data, step));
    if (f->batch_logs.key.count > step->count)
        tn__logs_clear(&f->batch_logs); /* of what a callback added to the batch before */
    TN_TRY(tn__logs_take(&f->batch_logs, "", f->trainer, step));
    TN_TRY(CALL_BACK(f, on_batch_end, &f->batch_logs, epoch, batch));
    tn__progress_step(&f->progress, batch + 1, &f->batch_logs.logs, false);
    return TN_OK;
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

static bool validates(fit *f, int64_t epoch)
{
    int64_t every = f->o->validation_freq > 0 ? f->o->validation_freq : 1;
    return f->validation.rows > 0 && (epoch + 1) % every == 0 && !interrupted(f);
}

static tn_status validate(fit *f)
{
    tn__step_logs logs;
    tn__pass pass = { .batch_size = f->o->validation_batch_size > 0 ? f->o->validation_batch_size
                                                                    : f->batch_size,
                      .steps = f->o->validation_steps,
                      .stops = &f->stops };
    TN_TRY(tn__evaluate(f->context, f->trainer, &f->validation, &pass, &logs));
    interrupted(f);
    return tn__logs_take(&f->epoch_logs, "val_", f->trainer, &logs);
}

/* The program's callbacks come before history and progress bar, which so have what they add. */
static tn_status finish_epoch(fit *f, int64_t epoch, const tn__step_logs *step, int64_t batches)
{
    tn__logs_clear(&f->epoch_logs);
    TN_TRY(tn__logs_take(&f->epoch_logs, "", f->trainer, step));
    if (validates(f, epoch))
        TN_TRY(validate(f));
    TN_TRY(CALL_BACK(f, on_epoch_end, &f->epoch_logs, epoch, batches));
    TN_TRY(tn__history_add(f->history, &f->epoch_logs.logs));
    tn__progress_step(&f->progress, batches, &f->epoch_logs.logs, true);
    if (f->batches == 0)
        f->batches = batches;
    return TN_OK;
}

static tn_status run_epoch(fit *f, int64_t epoch)
{
    tn__step_logs step = { .count = 0 };
    int64_t batches;
    TN_TRY(tn__reset_metrics(f->trainer));
    begin_rows(f);
    TN_TRY(CALL_BACK(f, on_epoch_begin, &f->no_logs, epoch, 0));
    tn__progress_epoch(&f->progress, epoch, f->o->epochs, f->batches);
    TN_TRY(run_batches(f, epoch, &step, &batches));
    if (batches == 0 && !should_stop(f))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "there is no data to train on: epoch %lld has no batch",
                        (long long)epoch + 1);
    return batches > 0 ? finish_epoch(f, epoch, &step, batches) : TN_OK;
}

/* The step was traced for those that could be trained then. */
static void warn_of_frozen(const tn__trainer *t)
{
    tn_list now = tn_layer_trainable_variables(t->model);
    size_t place, new = 0;
    for (size_t i = 0; i < now.count; i++)
        new += !tn__ids_get(&t->trained, now.item[i]->id, &place);
    if (t->train && now.item && (new || now.count != t->trained.count))
        tn__warn("Discrepancy between trainable weights and collected trainable weights, did you set `model.trainable` without calling "
                 "`model.compile` after ?\ntn_fit goes on training %zu variables, %zu are trainable now, %zu of them others: tn_compile the model "
                 "again",
                 t->trained.count, now.count, new);
}

static tn_status run_epochs(fit *f)
{
    int64_t epoch = f->o->initial_epoch;
    warn_of_frozen(f->trainer);
    TN_TRY(CALL_BACK(f, on_train_begin, &f->no_logs, epoch, 0));
    for (; epoch < f->o->epochs && !should_stop(f); epoch++)
        TN_TRY(run_epoch(f, epoch));
    tn_list variables = tn_layer_trainable_variables(f->trainer->model);
    TN_TRY(f->context->error.status);
    TN_TRY(tn__optimizer_finalize(f->context, f->trainer->optimizer, variables));
    return CALL_BACK(f, on_train_end, &f->epoch_logs, epoch, 0);
}

/* --- options ---------------------------------------------------------------------------------- */
static tn_status take_callbacks(fit *f)
{
    for (size_t i = 0; i < MOST_CALLBACKS; i++) {
        if (!f->o->callbacks[i])
            continue;
        if (i != f->callbacks)
            return tn__fail(TN_INVALID_ARGUMENT, "tn_fit: callbacks[%zu] is NULL", f->callbacks);
        if (!tn__check(f->o->callbacks[i], &tn__type_callback, "tn_fit: a callback"))
            return TN_INVALID_ARGUMENT;
        f->callback[f->callbacks++] = tn__retain(f->o->callbacks[i]);
    }
    return TN_OK;
}

static tn_status check_numbers(const tn_fit_options *o)
{
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = { { "batch_size", o->batch_size },
                    { "epochs", o->epochs },
                    { "initial_epoch", o->initial_epoch },
                    { "steps_per_epoch", o->steps_per_epoch },
                    { "validation_steps", o->validation_steps },
                    { "validation_batch_size", o->validation_batch_size },
                    { "validation_freq", o->validation_freq } };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].value < 0)
            return tn__fail(TN_INVALID_ARGUMENT, "tn_fit: %s must not be negative, got %lld",
                            numbers[i].name, (long long)numbers[i].value);
    return TN_OK;
}

/* Weights of classes are for training only, so they come after the split. */
static tn_status take_arrays(fit *f)
{
    const tn_fit_options *o = f->o;
    if (!tn__check_tensor(o->x, "tn_fit: x") || (o->y && !tn__check_tensor(o->y, "tn_fit: y")))
        return TN_INVALID_ARGUMENT;
    TN_TRY(tn__data_new(o->x, o->y, o->sample_weight, &f->data));
    if (o->validation_split != 0 && !o->validation_data)
        TN_TRY(tn__data_split(&f->data, o->validation_split, &f->validation));
    if (o->class_weight)
        TN_TRY(tn__data_class_weight(&f->data, o->class_weight));
    if (o->batch_size == 0 && o->steps_per_epoch > 0 && f->data.rows > 0)
        f->batch_size = (f->data.rows + o->steps_per_epoch - 1) / o->steps_per_epoch;
    f->batches = o->steps_per_epoch > 0 ? o->steps_per_epoch
                                        : (f->data.rows + f->batch_size - 1) / f->batch_size;
    if (o->shuffle && !(f->order = tn__alloc((size_t)(f->data.rows + 1) * sizeof *f->order)))
        return TN_RESOURCE_EXHAUSTED;
    return TN_OK;
}

static tn_status take_options(fit *f)
{
    TN_TRY(check_numbers(f->o));
    TN_TRY(take_callbacks(f));
    f->batch_size = f->o->batch_size > 0 ? f->o->batch_size : DEFAULT_BATCH_SIZE;
    f->batches = f->o->steps_per_epoch;
    if (f->o->validation_data)
        TN_TRY(unpack(f->o->validation_data, "tn_fit: validation_data", &f->validation));
    return f->source ? TN_OK : take_arrays(f);
}

static void fit_free(fit *f)
{
    for (size_t i = 0; i < f->callbacks; i++)
        tn__release(f->callback[i]);
    tn__data_free(&f->data);
    tn__data_free(&f->validation);
    tn__logs_clear(&f->batch_logs);
    tn__logs_clear(&f->epoch_logs);
    tn__logs_clear(&f->no_logs);
    tn__progress_free(&f->progress);
    tn__free(f->order);
}

static tn_history *run_fit(tn_context *context, const tn_fit_options *o, tn_model *model,
                           tn_batch_source source, void *source_self)
{
    fit f = { .context = context,
              .o = o,
              .source = source,
              .source_self = source_self,
              .stops = tn__stop_requests() };
    f.progress = tn__progress_for(o->verbose);
    f.history = tn__object_new(&tn__type_history);
    size_t depth = tn__scope_begin("tn_fit");
    tn_status status =
        f.history ? tn__trainer_compiled(model, "fit", &f.trainer) : TN_RESOURCE_EXHAUSTED;
    tn_layer *kept = status == TN_OK ? tn__retain(model) : NULL; /* whatever callbacks do */
    if (status == TN_OK)
        status = take_options(&f);
    if (status == TN_OK)
        status = run_epochs(&f);
    tn__scope_end(depth);
    fit_free(&f);
    tn__release(kept);
    if (status != TN_OK) {
        tn__release(f.history);
        return NULL;
    }
    return tn__own(f.history);
}

tn_history *tn_fit_with(const tn_fit_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    TN__EAGERLY(context);
    return run_fit(context, options, options->model, NULL, NULL);
}

tn_history *tn_fit_source(tn_model *model, tn_batch_source next, void *self,
                          const tn_fit_options *options)
{
    TN__ENTER(context, NULL);
    TN__EAGERLY(context);
    static const tn_fit_options plain = {
        .size_ = sizeof plain, .epochs = 1, .verbose = -1, .validation_freq = 1, .seed = TN_NO_SEED
    };
    if (!next) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_fit_source: next is NULL");
        return NULL;
    }
    return run_fit(context, options ? options : &plain, model, next, self);
}
