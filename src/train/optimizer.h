/* optimizer.h - optimizers: an update rule, or one written in ops; counting, clipping, decay and averages
 * are the same for all. */
#ifndef TN_TRAIN_OPTIMIZER_H
#define TN_TRAIN_OPTIMIZER_H
#include "nn/object.h"
#include "ops/slices.h"
#include "tenon/training.h"
#include "train/rule.h"

enum { TN__MAX_SLOTS = 6 };

/* Slots of one group stand together variable by variable in optimizer.variables (momentum,
 * velocity, momentum, velocity …); the next group comes after them. */
typedef struct {
    const char *name; /* "momentum": the slot of dense/kernel is dense_kernel_momentum; NULL: it has
                       * the variable's own name */
    int group;
    double first; /* every element's first value */
    bool copy;    /* the variable's value is the first one instead */
    /* Changes the shape and dtype, which are the variable's; false: this variable has no such slot,
     * update gets NULL. NULL: every variable has one that is like it. */
    bool (*fits)(const void *self, const tn_tensor *variable, tn_shape *shape, tn_dtype *dtype);
} tn__slot;

/* The instance begins with the public options struct. */
typedef struct {
    /* The slots of one variable, in the order that update gets them; what the options leave out
     * (momentum 0) is not among them. */
    size_t (*slots)(const void *self, tn__slot slots[TN__MAX_SLOTS]);
    /* One variable's step: assigns to the slots and to the variable, in ops. lr and step
     * (iterations + 1) are numbers of the variable's dtype. A failure is a kept error. */
    void (*update)(const void *self, tn_tensor *gradient, tn_variable *variable,
                   tn_variable *const *slot, tn_tensor *lr, tn_tensor *step);
    /* Instead of update, where it goes element by element: the step as a rule, with its numbers. It
     * is made of all variables of float32 in one pass, in ops of others. */
    void (*rule)(const void *self, tn__update *update);
    /* Once a step, before the variables': changes the optimizer's own number, which is 1 at first
     * and which update gets behind the slots. NULL: there is none. */
    void (*begin)(const void *self, tn_variable *number, tn_tensor *step);
    /* The weight_decay of one variable, NAN: None. NULL: the option's for all. */
    double (*decay)(const void *self, const tn_tensor *variable);
    bool needs_decay; /* weight_decay must not be None */
} tn__optimizer_methods;

/* What TN_OPTIMIZER_OPTIONS says, read from the fields by name once. */
typedef struct {
    double weight_decay, clipnorm, clipvalue, global_clipnorm, ema_momentum, loss_scale_factor,
        learning_rate;
    bool use_ema;
    int64_t ema_overwrite_frequency,
        accumulate; /* accumulate: gradients to a step, 0 or more than 1 */
} tn__optimizer_common;
/* The rows of the field table for it. */
#define TN__OPTIMIZER_ROWS(type)                                                     \
    TN__OPTION(TN_FIELD_FLOAT, type, clipnorm, "none", NULL),                        \
        TN__OPTION(TN_FIELD_FLOAT, type, clipvalue, "none", NULL),                   \
        TN__OPTION(TN_FIELD_FLOAT, type, global_clipnorm, "none", NULL),             \
        TN__OPTION(TN_FIELD_FLAG, type, use_ema, "false", NULL),                     \
        TN__OPTION(TN_FIELD_FLOAT, type, ema_momentum, "0.99", "0..1"),              \
        TN__OPTION(TN_FIELD_INT, type, ema_overwrite_frequency, "none", ">= 1"),     \
        TN__OPTION(TN_FIELD_FLOAT, type, loss_scale_factor, "none", NULL),           \
        TN__OPTION(TN_FIELD_INT, type, gradient_accumulation_steps, "none", ">= 2"), \
        TN__OPTION(TN_FIELD_STRING, type, name, "none", NULL),                       \
        TN__OPTION(TN_FIELD_SCHEDULE, type, schedule, "none", NULL)

#define TN__OPTIMIZER_NEWER_FIELDS "gradient_accumulation_steps"

typedef struct {
    tn_tensor **item; /* retained */
    size_t count, capacity;
} tn__variables;

struct tn_optimizer {
    tn__object object;
    tn__thing thing;
    char *name;
    tn__optimizer_common *common;
    tn_tensor *iteration;     /* int64 variable */
    tn_tensor *learning_rate; /* float32 variable; NULL: it goes by the schedule */
    tn__thing schedule;
    bool built;
    tn__variables target; /* the variables it was built for */
    tn__variables slot;   /* optimizer.variables after iteration and learning_rate */
    tn_optimizer
        *inner; /* of a LossScaleOptimizer, which has no slots; NULL: any other. loss_scale.c */
    tn_tensor *step_counter, *dynamic_scale; /* likewise */
    tn_tensor *number; /* of methods->begin, the last one in `slot`; NULL: there is none */
    tn__variables power; /* of a TensorFlow 1 optimizer: in each graph the powers of its numbers. Its
                          * `target` and `slot` are graphs' variables, `slots` to each target */
    size_t slots;        /* of one variable */
    size_t
        *place; /* where in `slot`: target.count * slots (SIZE_MAX: nowhere), then as many
                 * averages of use_ema as there are targets, then as many accumulated gradients */
};
TN__HANDLE_SIZE(struct tn_optimizer);
extern const tn__type tn__type_optimizer;

/* Which of `target` the variable is; SIZE_MAX: none. */
size_t tn__target_index(const tn_optimizer *o, const tn_tensor *variable);
static inline const tn__optimizer_methods *tn__methods_of(const tn_optimizer *o)
{
    return o->thing.of->methods;
}
static inline size_t *tn__place_of_average(const tn_optimizer *o, size_t target)
{
    return &o->place[o->target.count * o->slots + target];
}
static inline size_t *tn__place_of_accumulated(const tn_optimizer *o, size_t target)
{
    return &o->place[o->target.count * (o->slots + 1) + target];
}
static inline tn_variable *tn__slot_at(const tn_optimizer *o, size_t target, size_t s)
{
    size_t place = o->place[target * o->slots + s];
    return place == SIZE_MAX ? NULL : o->slot.item[place];
}
/* An optimizer of Keras's, where TensorFlow 1's cannot be; else an error. */
bool tn__check_keras_optimizer(const tn_optimizer *optimizer, const char *what);
/* "adam", "adam(1e-3, beta_1=0.8)"; the caller owns the count. */
tn_status tn__optimizer_parse(const char *text, tn_optimizer **optimizer);
tn_status tn__optimizer_from_thing(tn__thing *taken, tn_optimizer **optimizer);
tn_optimizer *tn__optimizer_from_options(const tn__object_class *of, const void *options);
/* What takes the steps: a LossScaleOptimizer's inner one, else itself. */
static inline tn_optimizer *tn__optimizer_that_steps(tn_optimizer *optimizer)
{
    return optimizer->inner ? optimizer->inner : optimizer;
}
/* A variable of an optimizer's own, whatever body runs; takes the value over. */
tn_status tn__optimizer_variable(const char *name, tn_tensor *value, tn_tensor **variable);
/* Makes the slots for these variables; a second call is Keras's error unless they are the same. */
tn_status tn__optimizer_build(tn_context *context, tn_optimizer *optimizer, tn_list variables);
/* One step in the mode of now: filters NULL gradients (with Keras's warning), clips, decays,
 * updates, constrains, counts. */
tn_status tn__optimizer_apply(tn_context *context, tn_optimizer *optimizer, tn_list gradients,
                              tn_list variables);
/* The loss as gradients are to be taken of it: times loss_scale_factor. Owned by the innermost
 * scope. */
tn_tensor *tn__optimizer_scale_loss(tn_optimizer *optimizer, tn_tensor *loss);
/* The learning rate of the step that comes next, in ops. Owned by the innermost scope. */
tn_tensor *tn__optimizer_rate(const tn_optimizer *optimizer);
/* optimizer.variables in Keras's order: iteration, learning_rate (when it is a variable), slots.
 * Not retained. */
tn_status tn__optimizer_variables(tn_optimizer *optimizer, tn_tensor ***items,
                                  size_t *count); /* tn__free(*items) */
/* After fit: the averages of use_ema take the place of the weights. */
tn_status tn__optimizer_finalize(tn_context *context, tn_optimizer *optimizer, tn_list variables);

#endif
