/* v1_optimizer.h - TensorFlow 1's optimizers: an update rule written in ops, whose slots are
 * variables of the graph. */
#ifndef TN_TRAIN_V1_OPTIMIZER_H
#define TN_TRAIN_V1_OPTIMIZER_H
#include "tenon/v1_optimizers.h"
#include "train/optimizer.h"

enum { TN__V1_SLOTS = 3, TN__V1_POWERS = 2 };

/* The update of one variable. */
typedef struct {
    const void *self;
    tn_tensor *gradient;
    tn_variable *variable;
    tn_variable *const *slot;
    tn_tensor *power[TN__V1_POWERS]; /* before this step */
    tn_tensor *rate;                 /* the learning rate; as the powers of the variable's dtype */
    tn_tensor *touched; /* which rows a gradient of rows has, to be broadcast; NULL: all */
} tn__v1_step;

/* Of an object class of the kind TN__V1_OPTIMIZER, whose instance begins with the public options
 * struct. */
typedef struct {
    /* How many slots a variable has, and their first values; at most TN__V1_SLOTS. NULL: none. */
    size_t (*slots)(const void *self, double *first);
    /* Numbers whose powers the optimizer keeps, one higher with every step; at most TN__V1_POWERS.
     * NULL: none. */
    size_t (*powers)(const void *self, double *base);
    void (*update)(const tn__v1_step *step); /* assigns; a failure is a kept error */
} tn__v1_methods;

static inline bool tn__is_v1_optimizer(const tn_optimizer *o)
{
    return o->thing.of->kind == TN__V1_OPTIMIZER;
}
/* What the numbers of its options must be. */
tn_status tn__v1_optimizer_check(const tn_optimizer *o);

#endif
