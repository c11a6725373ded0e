/* callback.c - callbacks as handles, and the history. */
#include "train/callback.h"
#include <math.h>
#include <string.h>

static void callback_destroy(void *object)
{
    struct tn_callback *callback = object;
    if (callback->of->destroy)
        callback->of->destroy(callback->self);
    if (callback->owned)
        tn__free(callback->self);
}

const tn__type tn__type_callback = { .name = "callback", .kind = 7, .destroy = callback_destroy };

static const tn_callback_class nothing = { 0 };

static struct tn_callback *new_callback(const tn_callback_class *of, void *self)
{
    struct tn_callback *callback = tn__object_new(&tn__type_callback);
    if (callback) {
        callback->of = of ? of : &nothing;
        callback->self = self;
    }
    return callback;
}

tn_callback *tn_callback_new(const tn_callback_class *of, void *self)
{
    TN__ENTER(context, NULL);
    (void)context;
    return tn__own(new_callback(of, self));
}

tn_callback *tn__callback_own(const tn_callback_class *of, const void *self, size_t size)
{
    void *copy = tn__memdup(self, size);
    struct tn_callback *callback = copy ? new_callback(of, copy) : NULL;
    if (!callback) {
        tn__free(copy);
        return NULL;
    }
    callback->owned = true;
    return tn__own(callback);
}

double tn_log_value(const tn_logs *logs, const char *key)
{
    for (size_t i = 0; logs && key && i < logs->count; i++)
        if (strcmp(logs->key[i], key) == 0)
            return logs->value[i];
    return NAN;
}

/* --- history ------------------------------------------------------------------------------------------------------------ */
static void history_destroy(void *object)
{
    tn_history *history = object;
    for (size_t i = 0; i < history->key.count; i++)
        tn__free(history->key.item[i]);
    tn__free(history->key.item);
    tn__free(history->value.item);
}

const tn__type tn__type_history = { .name = "history", .kind = 8, .destroy = history_destroy };

static bool has_key(const tn_history *history, const char *key)
{
    for (size_t i = 0; i < history->key.count; i++)
        if (strcmp(history->key.item[i], key) == 0)
            return true;
    return false;
}

/* A key that comes later (validation every few epochs) gets NAN for the epochs before: the table is laid out anew. */
static tn_status add_key(tn_history *history, const char *key)
{
    size_t columns = history->key.count, rows = (size_t)history->epochs;
    double *wider = tn__alloc((rows + 1) * (columns + 1) * sizeof *wider);
    char *copy = tn__strdup(key);
    tn_status status = wider && copy ? TN__PUSH(&history->key, copy) : TN_RESOURCE_EXHAUSTED;
    if (status != TN_OK) {
        tn__free(wider);
        tn__free(copy);
        return status;
    }
    for (size_t row = 0; row < rows; row++) {
        memcpy(wider + row * (columns + 1), history->value.item + row * columns, columns * sizeof *wider);
        wider[row * (columns + 1) + columns] = NAN;
    }
    tn__free(history->value.item);
    history->value.item = wider;
    history->value.count = rows * (columns + 1);
    history->value.capacity = (rows + 1) * (columns + 1);
    return TN_OK;
}

tn_status tn__history_add(tn_history *history, const tn_logs *logs)
{
    for (size_t i = 0; i < logs->count; i++)
        if (!has_key(history, logs->key[i]))
            TN_TRY(add_key(history, logs->key[i]));
    TN_TRY(TN__RESERVE(&history->value, history->key.count));
    for (size_t i = 0; i < history->key.count; i++)
        history->value.item[history->value.count++] = tn_log_value(logs, history->key.item[i]);
    history->epochs++;
    return TN_OK;
}

double tn_history_value(tn_history *history, const char *key, int64_t epoch)
{
    TN__ENTER(context, NAN);
    (void)context;
    if (!tn__check(history, &tn__type_history, "tn_history_value: history"))
        return NAN;
    int64_t row = epoch < 0 ? epoch + history->epochs : epoch;
    for (size_t i = 0; key && i < history->key.count; i++)
        if (strcmp(history->key.item[i], key) == 0 && row >= 0 && row < history->epochs)
            return history->value.item[(size_t)row * history->key.count + i];
    tn__fail(TN_NOT_FOUND, "the history has no '%s' of epoch %lld; it has %lld epoch(s)", key ? key : "NULL", (long long)epoch,
             (long long)history->epochs);
    return NAN;
}

int64_t tn_history_epochs(tn_history *history)
{
    TN__ENTER(context, 0);
    (void)context;
    return tn__check(history, &tn__type_history, "tn_history_epochs: history") ? history->epochs : 0;
}

const char *tn_history_key(tn_history *history, size_t index)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check(history, &tn__type_history, "tn_history_key: history") || index >= history->key.count)
        return NULL;
    return history->key.item[index];
}
