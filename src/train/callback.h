/* callback.h - what runs between batches and epochs: the program's callbacks, the progress bar, the history. */
#ifndef TN_TRAIN_CALLBACK_H
#define TN_TRAIN_CALLBACK_H
#include "core/tensor.h"
#include "tenon/training.h"

struct tn_callback {
    tn__object object;
    const tn_callback_class *of;
    void *self;
    bool owned; /* self is freed with the handle (the library's own callbacks) */
};
TN__HANDLE_SIZE(struct tn_callback);
extern const tn__type tn__type_callback;
/* The library's own: self is copied. Owned by the innermost memory scope. */
tn_callback *tn__callback_own(const tn_callback_class *of, const void *self, size_t size);

/* Names and values by epoch. */
struct tn_history {
    tn__object object;
    struct {
        char **item; /* sorted as the logs are */
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

/* --- the progress bar --------------------------------------------------------------------------------------------------- */
typedef struct {
    int verbose;            /* 0 silent, 1 bar, 2 a line an epoch */
    bool terminal;
    int64_t target, seen;   /* steps; target 0: not known */
    double start, last_drawn, after_first; /* seconds */
    size_t last_width;      /* of what is drawn, to blank what a shorter line leaves */
    const char *unit;
} tn__progress;
int tn__verbose(int asked); /* -1: what the output is */
void tn__progress_epoch(tn__progress *progress, int64_t epoch, int64_t epochs, int64_t steps);
/* Draws after a step, or at the end; logs are shown in their order. */
void tn__progress_step(tn__progress *progress, int64_t step, const tn_logs *logs, bool end);
double tn__seconds(void); /* monotonic */

#endif
