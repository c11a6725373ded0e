/* monitor.h - what callbacks have in common that look at one value of an epoch's logs, as Keras's
 * MonitorCallback. */
#ifndef TN_TRAIN_MONITOR_H
#define TN_TRAIN_MONITOR_H
#include "train/callback.h"

typedef struct {
    const char *owner; /* the callback's class, for messages */
    const char *key;   /* in the logs; the options' */
    const char *mode;  /* "auto", "min", "max"; the options' */
    double min_delta;  /* not negative */
    int direction;     /* 1: more is better, -1: less is; 0: not settled yet */
    bool has_best, warned;
    double best;
} tn__monitor;

/* A mode that is none becomes "auto", with Keras's warning. best: NAN for none. */
tn__monitor tn__monitor_for(const char *owner, const char *key, const char *mode, double min_delta,
                            double best);
/* Settles the direction when "auto" leaves it to the metric, which is known once the model was
 * trained; an error when it tells nothing. */
tn_status tn__monitor_settle(tn__monitor *monitor, const tn_logs *logs);
/* The value in the logs. False when there is none: then, the first time, a warning is written,
 * "<before> `key` <after> …", and the keys that there are; but not when the program has stopped the
 * training, which may have left the validation out. */
bool tn__monitor_value(tn__monitor *monitor, const tn_logs *logs, const char *before,
                       const char *after, double *value);
/* Better than the reference by more than min_delta; in float32, as Keras compares. */
bool tn__monitor_improves(const tn__monitor *monitor, double value, double reference);
/* Better than the best so far, which it then is; the first value always is. */
bool tn__monitor_take(tn__monitor *monitor, double value);

/* A line to where the progress bar is drawn. */
void tn__say(const char *format, ...) TN_PRINTF(1, 2);

#endif
