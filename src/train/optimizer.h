/* optimizer.h - optimizers: an update rule written in ops; counting, clipping, decay and averages are the same for all. */
#ifndef TN_TRAIN_OPTIMIZER_H
#define TN_TRAIN_OPTIMIZER_H
#include "nn/object.h"
#include "tenon/training.h"

enum { TN__MAX_SLOTS = 6 };

/* The instance begins with the public options struct, whose common part is TN_OPTIMIZER_OPTIONS. */
typedef struct {
    /* Names of the slots of one variable, in Keras's order; a slot that the options leave out (momentum 0) is not made. */
    size_t (*slots)(const void *self, const char *names[TN__MAX_SLOTS], double first_values[TN__MAX_SLOTS]);
    /* One variable's step: assigns to the slots and to the variable, in ops. lr and step (iterations + 1) are numbers of the variable's
     * dtype; slot[i] in the order above. A failure is a kept error. */
    void (*update)(tn_optimizer *optimizer, const void *self, tn_tensor *gradient, tn_variable *variable, tn_variable *const *slot,
                   tn_tensor *lr, tn_tensor *step);
} tn__optimizer_methods;

struct tn_optimizer {
    tn__object object;
    tn__thing thing;
    char *name;
    tn_tensor *iteration;      /* int64 variable */
    tn_tensor *learning_rate;  /* float32 variable; NULL with a schedule */
    tn__thing schedule;        /* of NULL: none */
    bool built;
    struct {
        tn_tensor **item;      /* the variables it was built for, retained */
        size_t count, capacity;
    } target;
    struct {
        tn_tensor **item;      /* every slot in Keras's order of optimizer.variables after iteration and learning_rate; retained */
        size_t count, capacity;
    } slot;
    struct tn__slot_map *map;  /* which slots belong to which target; see optimizer.c */
};
TN__HANDLE_SIZE(struct tn_optimizer);
extern const tn__type tn__type_optimizer;

/* "adam", "adam(1e-3, beta_1=0.8)"; the caller owns the count. */
tn_status tn__optimizer_parse(const char *text, tn_optimizer **optimizer);
tn_status tn__optimizer_from_thing(tn__thing *taken, tn_optimizer **optimizer);
tn_optimizer *tn__optimizer_from_options(const tn__object_class *of, const void *options);
/* Makes the slots for these variables; a second call is Keras's error unless they are the same. */
tn_status tn__optimizer_build(tn_context *context, tn_optimizer *optimizer, tn_list variables);
/* One step in the mode of now: filters NULL gradients (with Keras's warning), clips, decays, updates, constrains, counts. */
tn_status tn__optimizer_apply(tn_context *context, tn_optimizer *optimizer, tn_list gradients, tn_list variables);
/* optimizer.variables in Keras's order: iteration, learning_rate (when it is a variable), slots. Not retained. */
tn_status tn__optimizer_variables(tn_optimizer *optimizer, tn_tensor ***items, size_t *count); /* tn__free(*items) */
/* After fit: the averages of use_ema take the place of the weights. */
tn_status tn__optimizer_finalize(tn_context *context, tn_optimizer *optimizer, tn_list variables);

#endif
