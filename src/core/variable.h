/* variable.h - a variable: a value that is replaced, and where it came from. */
#ifndef TN_CORE_VARIABLE_H
#define TN_CORE_VARIABLE_H
#include "core/context.h"
#include "core/tensor.h"

typedef struct tn__variable {
    atomic_flag busy;   /* guards `value` */
    tn_tensor *value;   /* retained; NULL until it is initialised */
    char *name;         /* its own, without scopes: "kernel" */
    char *scope;        /* the open name scopes at its creation: "model_0", or "" */
    char *here;         /* the program's line that made it, or NULL */
    char *constraint;   /* constructor text, or NULL */
    char *regularizer;  /* constructor text, or NULL */
    bool trainable;
    bool explicit_name; /* given by the program, not made up */
    bool traced;        /* made while tracing */
    bool seed;          /* a random layer's state: not one of its weights */
    bool autocast;      /* a body that computes in another float type reads it in that */
    char *path;         /* Keras 3's: "sequential/dense/kernel", or NULL: its full name */
    bool of_graph;      /* of a TensorFlow 1 graph: `value` stays NULL, see core/cells.h */
    tn_graph *graph;    /* that graph; not retained: NULL when it is gone */
    size_t graph_place; /* in that graph's list of variables */
    tn_layer *owner;    /* the layer whose add_weight made it; not retained (the layer holds the variable, and clears this) */
} tn__variable;

typedef struct {
    tn_tensor *value;   /* the first value, or NULL */
    tn_dtype dtype;     /* 0: the value's */
    tn_shape shape;     /* not known: the value's */
    const char *name, *scope, *here, *constraint;
    const char *collections; /* of a graph's, "local_variables, mine"; NULL: "global_variables" */
    bool trainable, explicit_name;
} tn__variable_spec;
/* The caller owns the count. */
tn_status tn__variable_new(const tn__variable_spec *spec, tn_tensor **variable);
/* A retained snapshot; FailedPrecondition when it has no value. This and what follows mean, of a graph's variable, the value in the
 * session that runs. */
tn_status tn__variable_read(tn_tensor *variable, tn_tensor **value);
/* Checks dtype and shape, then replaces the value. */
tn_status tn__variable_assign(tn_tensor *variable, tn_tensor *value);
/* Fails with what keeps the value from being the variable's: of a layer's weight in Keras's words, of a plain variable in TensorFlow's. */
tn_status tn__variable_refuse(const tn_tensor *variable, const tn_tensor *value);
/* Makes another value of the same shape out of the present one, in one step for all threads: no assignment comes in between, and
 * nobody reads half of it. change() writes `value`, which is `old` itself when nobody else holds its elements; what can fail must
 * fail before the first write. The variable is locked meanwhile: change() neither reads nor assigns it. */
tn_status tn__variable_change(tn_tensor *variable, tn_status (*change)(void *self, tn_tensor *old, tn_tensor *value), void *self);
/* The same of several variables, all different, in one step: what each is changed from and to is there while change() runs. */
typedef struct tn__change {
    tn_tensor *variable, *old, *value;
    struct tn__change *turn; /* in which they are locked */
} tn__change;
tn_status tn__variables_change(tn__change *each, size_t count, tn_status (*change)(void *self), void *self);
/* Has it a value? */
tn_status tn__variable_initialized(tn_tensor *variable, bool *initialized);
/* Gives the value up before the next is there. For a variable that nobody else can see yet. */
void tn__variable_clear(tn_tensor *variable);
static inline bool tn__is_variable(const tn_tensor *x) { return x->form == TN__VARIABLE; }
/* The dtype that an op gets it in now: its own, or what the running layer computes in. */
static inline tn_dtype tn__dtype_as_read(const tn_context *context, const tn_tensor *x)
{
    bool casts = context->autocast && x->form == TN__VARIABLE && x->of.variable->autocast;
    return casts && tn__in(TN__FLOATS, (tn_dtype)x->dtype) ? context->autocast : (tn_dtype)x->dtype;
}
/* The full name, in memory of the innermost scope; the own name when there is no memory. */
const char *tn__variable_full_name(const tn_tensor *variable);

#endif
