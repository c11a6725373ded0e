/* checkpoint_read.h - one checkpoint against one model's weights: what its two readers share. */
#ifndef TN_SAVING_CHECKPOINT_READ_H
#define TN_SAVING_CHECKPOINT_READ_H
#include "base/text.h"
#include "saving/checkpoint.h"

typedef struct {
    tn_context *context;
    tn__loading *loading;
    tn__bundle *bundle;
    tn_layer *model;
    tn__arena arena;
    tn__object_graph graph; /* no nodes: TensorFlow 1 wrote it */
    int32_t node;           /* of the model; -1: weights were matched by names */
    tn__ids taken;          /* entries that belong to a weight, fitting or not, counted from 1 */
    struct {
        tn_tensor **item; /* those weights, in that order */
        size_t count, capacity;
    } weight;
    size_t missing, unexpected;
    tn__text first; /* TensorFlow's line for the first weight that does not fit */
} tn__checkpoint_reading;

void tn__checkpoint_reading_free(tn__checkpoint_reading *r); /* what it made itself */
/* This entry is this weight's. */
tn_status tn__checkpoint_take(tn__checkpoint_reading *r, tn_tensor *variable, size_t entry);
bool tn__checkpoint_taken(const tn__checkpoint_reading *r, size_t entry);
tn_status tn__checkpoint_missing(tn__checkpoint_reading *r, tn_tensor *variable,
                                 const char *source);
tn_status tn__checkpoint_unexpected(tn__checkpoint_reading *r, size_t entry, const char *text);
static inline tn__place tn__checkpoint_place(const tn__checkpoint_reading *r, size_t entry)
{
    return (tn__place){ .bundle = r->bundle, .entry = entry };
}

/* By the objects that TensorFlow 2 tells of: Keras 2's and Keras 3's. */
tn_status tn__checkpoint_match_objects(tn__checkpoint_reading *r);
/* The optimizer's state, below the model's object. */
tn_status tn__checkpoint_read_optimizer(tn__checkpoint_reading *r, tn__state_report *report);
/* Of Keras up to 2.10, without the rate (checkpoint_slots.c). optimizer: its node. */
tn_status tn__checkpoint_read_slots(tn__checkpoint_reading *r, int32_t optimizer,
                                    tn__state_report *report);
/* By full names. */
tn_status tn__checkpoint_match_names(tn__checkpoint_reading *r, const tn__checkpoint_names *names);

#endif
