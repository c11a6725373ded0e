/* optimizer_slots.h - what the generations of Keras call an optimizer's slots where checkpoints
 * name them. */
#ifndef TN_SAVING_OPTIMIZER_SLOTS_H
#define TN_SAVING_OPTIMIZER_SLOTS_H
#include "train/optimizer.h"

typedef struct {
    const char *legacy; /* of Keras up to 2.10, a slot variable: "m"; NULL: it has none */
    const char *list;   /* of Keras 2.11 and later, a field: "_momentums" */
} tn__slot_name;

/* The names of each slot of one variable, in the order of `slots` in tn__optimizer_methods. Gives
 * how many there are; 0 for an optimizer whose slots Keras does not name. */
size_t tn__slot_names(const tn_optimizer *optimizer, tn__slot_name names[TN__MAX_SLOTS]);
/* Keras 3 keeps a number where a vector has no rows and columns to factor, Keras 2 nothing. */
bool tn__is_slot_placeholder(const tn_optimizer *optimizer, const tn_tensor *x);
/* A built optimizer's slot of one variable that Keras 2 keeps too; NULL: it does not. */
tn_tensor *tn__keras_2_slot(const tn_optimizer *optimizer, size_t variable, size_t slot);
/* The average of use_ema of one variable. */
tn_tensor *tn__average_of(const tn_optimizer *optimizer, size_t variable);

#endif
