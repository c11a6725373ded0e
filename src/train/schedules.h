/* schedules.h - learning rates as functions of the steps done. */
#ifndef TN_TRAIN_SCHEDULES_H
#define TN_TRAIN_SCHEDULES_H
#include "nn/object.h"

typedef struct {
    tn_status (*check)(
        const void *self); /* what ranges of single fields cannot say; NULL: nothing */
    tn_tensor *(*rate)(const void *self, tn_tensor *step); /* in ops; step is an int64 number */
} tn__schedule_methods;

/* "exponential_decay(0.01, 1000, 0.9)"; the caller frees the thing. */
tn_status tn__schedule_parse(const char *text, tn__thing *schedule);
/* Arguments that are missing or do not go together; tn__schedule_parse has done it. */
tn_status tn__schedule_check(const tn__thing *schedule);
/* A float32 number, in the mode of now; owned by the innermost scope. NULL: failed. */
tn_tensor *tn__schedule_rate(const tn__thing *schedule, tn_tensor *step);

#endif
