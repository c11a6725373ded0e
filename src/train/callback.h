/* callback.h - what runs between batches and epochs: the program's callbacks, the progress bar, the
 * history. */
#ifndef TN_TRAIN_CALLBACK_H
#define TN_TRAIN_CALLBACK_H
#include "core/field.h"
#include "core/tensor.h"
#include "tenon/training.h"

struct tn_callback {
    tn__object object;
    const tn_callback_class *of;
    void *self;
    const tn_field *fields; /* of the library's own callbacks, whose self is freed with the handle;
                               NULL: the program's */
};
TN__HANDLE_SIZE(struct tn_callback);
extern const tn__type tn__type_callback;

/* The library's own: the instance begins with its public options struct, fields are rows of that.
 */
typedef struct {
    const char *name; /* Keras's class */
    tn_callback_class calls;
    const tn_field *fields;
    size_t size, options_size;
    tn_status (*check)(
        void *self); /* what ranges of fields cannot say; may finish the instance; NULL: nothing */
} tn__callback_kind;
/* Owned by the innermost memory scope; NULL and an error. */
tn_callback *tn__callback_from_options(const tn__callback_kind *kind, const void *options);

/* --- logs ------------------------------------------------------------------------------------- */
/* What callbacks are handed, in memory that is used again from batch to batch. */
typedef struct tn__log_table {
    tn_logs logs; /* points into the two below */
    struct {
        char **item; /* owned */
        size_t count, capacity;
    } key;
    struct {
        double *item;
        size_t count, capacity;
    } value;
} tn__log_table;
/* A key that is there gets the value, another is added at the end. */
tn_status tn__logs_set(tn__log_table *table, const char *key, double value);
void tn__logs_sort(tn__log_table *table); /* by key, as Keras hands them out */
void tn__logs_clear(tn__log_table *table);

/* --- history ---------------------------------------------------------------------------------- */
struct tn_history {
    tn__object object;
    struct {
        char **item; /* in the logs' order */
        size_t count, capacity;
    } key;
    struct {
        double *item; /* epoch by epoch, key.count each; NAN where an epoch had no such value */
        size_t count, capacity;
    } value;
    int64_t epochs;
};
TN__HANDLE_SIZE(struct tn_history);
extern const tn__type tn__type_history;
tn_status tn__history_add(tn_history *history, const tn_logs *logs);

/* --- the progress bar ------------------------------------------------------------------------- */
/* Keras's Progbar and ProgbarLogger: the same text, byte for byte, but for the backspaces before a
 * carriage return. */
typedef struct {
    int verbose;                           /* 0 silent, 1 bar, 2 a line an epoch */
    bool terminal;                         /* else the bar is drawn only once, at the end */
    int64_t target, seen;                  /* steps; target 0: not known */
    double start, last_drawn, after_first; /* seconds */
    size_t last_width; /* of what is drawn, to blank what a shorter line leaves */
    struct {
        char **item; /* keys in the order in which they came first */
        size_t count, capacity;
    } shown;
} tn__progress;
/* What `verbose` of fit and evaluate means: -1 is a bar on a terminal and a line elsewhere. */
tn__progress tn__progress_for(int verbose);
void tn__progress_free(tn__progress *progress);
/* "Epoch 1/3" when there are several; clocks and keys begin anew. */
void tn__progress_epoch(tn__progress *progress, int64_t epoch, int64_t epochs, int64_t steps);
/* Draws after a step, or at the end; logs may be NULL. */
void tn__progress_step(tn__progress *progress, int64_t step, const tn_logs *logs, bool end);

#endif
