/* callback.c - callbacks as handles, the logs that they get, and the history. */
#include "train/callback.h"
#include "base/text.h"
#include <math.h>
#include <string.h>

static void callback_destroy(void *object)
{
    struct tn_callback *callback = object;
    if (callback->of->destroy)
        callback->of->destroy(callback->self);
    if (!callback->fields)
        return;
    tn__fields_release(callback->fields, callback->self);
    tn__free(callback->self);
}

const tn__type tn__type_callback = { .name = "callback", .kind = 7, .destroy = callback_destroy };

static const tn_callback_class nothing = { 0 };

static struct tn_callback *new_callback(const tn_callback_class *of, void *self,
                                        const tn_field *fields)
{
    struct tn_callback *callback = tn__object_new(&tn__type_callback);
    if (callback) {
        callback->of = of ? of : &nothing;
        callback->self = self;
        callback->fields = fields;
    }
    return callback;
}

tn_callback *tn_callback_new(const tn_callback_class *of, void *self)
{
    TN__ENTER(context, NULL);
    (void)context;
    return tn__own(new_callback(of, self, NULL));
}

/* --- the library's own ------------------------------------------------------------------------ */
static tn_status fill_instance(const tn__callback_kind *kind, void *self)
{
    TN_TRY(tn__fields_check(kind->fields, self, kind->name));
    return kind->check ? kind->check(self) : TN_OK;
}

static tn_status new_instance(const tn__callback_kind *kind, const void *options, void **self)
{
    size_t size;
    memcpy(&size, options, sizeof size);
    if (size != kind->options_size)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "%s: the options have %zu bytes, this library expects %zu: the program was "
                        "compiled with other headers",
                        kind->name, size, kind->options_size);
    *self = tn__alloc_zeroed(1, kind->size);
    if (!*self)
        return TN_RESOURCE_EXHAUSTED;
    memcpy(*self, options, size);
    tn_status status = tn__fields_own(kind->fields, *self);
    if (status == TN_OK)
        status = fill_instance(kind, *self);
    if (status != TN_OK) {
        tn__fields_release(kind->fields, *self);
        tn__free(*self);
    }
    return status;
}

tn_callback *tn__callback_from_options(const tn__callback_kind *kind, const void *options)
{
    const struct {
        TN_OPTIONS_HEAD(none);
    } *head = options;
    TN__ENTER_OPTIONS(context, head, NULL);
    void *self = NULL;
    if (new_instance(kind, options, &self) != TN_OK)
        return NULL;
    struct tn_callback *callback = new_callback(&kind->calls, self, kind->fields);
    if (!callback) {
        tn__fields_release(kind->fields, self);
        tn__free(self);
    }
    return tn__own(callback);
}

/* --- logs ------------------------------------------------------------------------------------- */
static size_t find_key(char *const *key, size_t count, const char *wanted)
{
    size_t i = 0;
    while (i < count && strcmp(key[i], wanted) != 0)
        i++;
    return i;
}

tn_status tn__logs_set(tn__log_table *t, const char *key, double value)
{
    size_t at = find_key(t->key.item, t->key.count, key);
    if (at == t->key.count) {
        TN_TRY(TN__RESERVE(&t->value, 1));
        char *copy = tn__strdup(key);
        tn_status status = copy ? TN__PUSH(&t->key, copy) : TN_RESOURCE_EXHAUSTED;
        if (status != TN_OK) {
            tn__free(copy);
            return status;
        }
        t->value.count++;
    }
    t->value.item[at] = value;
    t->logs.count = t->key.count;
    t->logs.key = (const char *const *)t->key.item;
    t->logs.value = t->value.item;
    t->logs.table_ = t;
    return TN_OK;
}

void tn__logs_sort(tn__log_table *t)
{
    for (size_t i = 1; i < t->key.count; i++) {
        char *key = t->key.item[i];
        double value = t->value.item[i];
        size_t at = i;
        for (; at > 0 && strcmp(t->key.item[at - 1], key) > 0; at--) {
            t->key.item[at] = t->key.item[at - 1];
            t->value.item[at] = t->value.item[at - 1];
        }
        t->key.item[at] = key;
        t->value.item[at] = value;
    }
}

void tn__logs_clear(tn__log_table *t)
{
    for (size_t i = 0; i < t->key.count; i++)
        tn__free(t->key.item[i]);
    tn__free(t->key.item);
    tn__free(t->value.item);
    *t = (tn__log_table){ .logs = { .table_ = t } };
}

double tn_log_value(const tn_logs *logs, const char *key)
{
    for (size_t i = 0; logs && key && i < logs->count; i++)
        if (strcmp(logs->key[i], key) == 0)
            return logs->value[i];
    return NAN;
}

void tn_log_set(const tn_logs *logs, const char *key, double value)
{
    TN__ENTER(context, );
    (void)context;
    if (!logs || !key || !logs->table_)
        tn__fail(TN_INVALID_ARGUMENT,
                 "tn_log_set: needs a key, and the logs that a callback was given");
    else
        (void)!tn__logs_set(logs->table_, key, value);
}

/* --- history ---------------------------------------------------------------------------------- */
static void history_destroy(void *object)
{
    tn_history *history = object;
    for (size_t i = 0; i < history->key.count; i++)
        tn__free(history->key.item[i]);
    tn__free(history->key.item);
    tn__free(history->value.item);
}

const tn__type tn__type_history = { .name = "history", .kind = 8, .destroy = history_destroy };

/* A key that comes later (validation every few epochs) gets NAN for the epochs before: the table is
 * laid out anew. */
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
        if (columns)
            memcpy(wider + row * (columns + 1), history->value.item + row * columns,
                   columns * sizeof *wider);
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
        if (find_key(history->key.item, history->key.count, logs->key[i]) == history->key.count)
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
    size_t column = key ? find_key(history->key.item, history->key.count, key) : history->key.count;
    if (column < history->key.count && row >= 0 && row < history->epochs)
        return history->value.item[(size_t)row * history->key.count + column];
    tn__text keys = { 0 };
    for (size_t i = 0; i < history->key.count; i++)
        tn__text_add(&keys, "%s'%s'", i ? ", " : "", history->key.item[i]);
    bool validation = key && column == history->key.count && strncmp(key, "val_", 4) == 0;
    tn__fail(TN_NOT_FOUND, "the history has no '%s'%s; it has %lld epoch(s) of %s%s",
             key ? key : "NULL",
             column < history->key.count ? tn__scope_print(" of epoch %lld", (long long)epoch) : "",
             (long long)history->epochs, keys.bytes.size ? tn__text_get(&keys) : "nothing",
             validation ? "\nval_… is there after tn_fit with .validation_split or .validation_data"
                        : "");
    tn__text_free(&keys);
    return NAN;
}

int64_t tn_history_epochs(tn_history *history)
{
    TN__ENTER(context, 0);
    (void)context;
    return tn__check(history, &tn__type_history, "tn_history_epochs: history") ? history->epochs
                                                                               : 0;
}

const char *tn_history_key(tn_history *history, size_t index)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check(history, &tn__type_history, "tn_history_key: history") ||
        index >= history->key.count)
        return NULL;
    return history->key.item[index];
}
