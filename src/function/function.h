/* function.h - function objects. */
#ifndef TN_FUNCTION_FUNCTION_H
#define TN_FUNCTION_FUNCTION_H
#include "function/frame.h"
#include <pthread.h>

/* What of an input decides which trace serves: its dtype and shape; of a variable which one; of a tn_scalar its value. */
typedef struct {
    int form; /* TN__VALUE or TN__VARIABLE */
    bool is_static;
    tn_dtype dtype;
    tn_shape shape;
    uint64_t id;
    unsigned char number[8];
} tn__spec;

/* One trace. Never changed once it is made. */
typedef struct {
    tn__spec *spec;
    size_t inputs, outputs;
    int training;
    char *nesting;        /* how the inputs' tuples nest; NULL: there is none */
    tn_graph *graph;      /* its inputs are the placeholders of the leaves that are neither static nor variables */
    tn_tensor **output;   /* flat, symbolic, retained */
    tn_tensor *structure; /* as the body returned it */
} tn__concrete;

struct tn_function {
    tn__object object;
    tn_body body;
    void *self;
    bool eager;
    tn__spec *signature;  /* .input_signature: what every input must fit and is traced as; NULL: not given */
    size_t signature_count;
    bool any_batch;       /* the first dimension of every input is left open, so that one trace serves all batch sizes */
    char *name;
    pthread_mutex_t *lock; /* round the list of traces; never held while a body runs */
    _Atomic size_t traces;
    struct {
        tn__concrete **item;
        size_t count, capacity;
    } concrete;
    struct {
        tn_tensor **item; /* made in traced bodies, retained */
        size_t count, capacity;
    } variable;
};
TN__HANDLE_SIZE(struct tn_function);
extern const tn__type tn__type_function;

/* The caller owns the count. */
tn_status tn__function_new(tn_body body, void *self, bool eager, const char *name, tn_function **function);
/* What a traced body gives, as an output of its graph: variables are read, numbers that were static become plain tensors. The caller owns
 * the count. */
tn_status tn__trace_output(tn_context *context, tn_graph *graph, tn_tensor *x, tn_tensor **output);
/* training: 1, 0, or -1 as the call around it. The result is retained for the caller. */
tn_status tn__function_call(tn_context *context, tn_function *function, tn_list inputs, int training, tn_tensor **result);

#endif
