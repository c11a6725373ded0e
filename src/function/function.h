/* function.h - function objects: made in function.c, called by signature (signature.c), traced (trace.c). */
#ifndef TN_FUNCTION_FUNCTION_H
#define TN_FUNCTION_FUNCTION_H
#include "core/touched.h"
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

/* What a call is looked up by. */
enum { TN__FEW_INPUTS = 4 };
typedef struct {
    tn__spec *spec; /* few, or allocated: a key does not move */
    size_t count;
    tn__spec few[TN__FEW_INPUTS];
    char *nesting; /* how the inputs' tuples nest: "(..)." for a tuple of two and a tensor; NULL: there is none */
    bool training;
} tn__key;

/* One trace. Never changed once it is made, and kept as long as the function. */
typedef struct {
    tn__key key;
    size_t outputs;
    tn_graph *graph;      /* its inputs are the placeholders of the leaves that are neither static nor variables */
    tn_tensor **output;   /* flat, symbolic, retained */
    size_t sliced;        /* outputs that are gradients with slices: behind the outputs there are those, three tensors for each */
    tn_tensor *structure; /* as the body returned it */
    tn__touched touched;  /* the variables that it uses */
} tn__concrete;

/* How often the last calls traced: TensorFlow warns when most of them did. One entry for each trace among them, counting it and the calls
 * after it that did not trace. */
typedef struct {
    size_t calls[12], traces, total;
    int warned;
} tn__retracing;

/* What calls change. */
typedef struct {
    pthread_mutex_t lock; /* round the list of traces and what follows here; never held while a body runs */
    tn__retracing retracing;
    _Atomic(tn__concrete *) used; /* the trace that the latest call used; NULL: none, and what it touched is in */
    tn__touched latest;
} tn__function_state;

struct tn_function {
    tn__object object;
    tn_body body;
    void *self;
    char *name;
    bool eager;
    bool any_batch;        /* the first dimension of every input is left open, so that one trace serves all batch sizes */
    bool reduce_retracing; /* a trace for another shape leaves open what differs */
    bool library;          /* the library's own: what it makes it makes once, so that no second trace has to show it */
    bool began;            /* its first trace is done: it may make no variable any more */
    tn__spec *signature;   /* .input_signature: what every input must fit and is traced as; NULL: not given */
    size_t signature_count;
    char *signature_nesting; /* how tuples nest in it, as in a key; NULL: there are none */
    tn_function *parent;   /* of a concrete function: the function, retained, */
    tn__concrete *exact;   /* and its trace */
    tn__function_state *state;
    _Atomic size_t traces;
    struct {
        tn__concrete **item;
        size_t count, capacity;
    } concrete;
    struct {
        void **item; /* variables and layers made in traced bodies, retained */
        size_t count, capacity;
    } made;
    struct {
        tn_tensor **item; /* variables made in the first trace, by whomever; retained */
        size_t count, capacity;
    } first;
};
TN__HANDLE_SIZE(struct tn_function);
extern const tn__type tn__type_function;

/* The caller owns the count. */
tn_status tn__function_new(tn_body body, void *self, bool eager, const char *name, tn_function **function);
/* x as it goes into a trace that takes a tensor there, and as it comes out of one: a variable's value, a plain copy of a tn_scalar. The
 * caller owns the count. */
tn_status tn__plain(tn_context *context, tn_tensor *x, tn_tensor **plain);
/* training: 1, 0, or -1 as the call around it. The result is retained for the caller. */
tn_status tn__function_call(tn_context *context, tn_function *function, tn_list inputs, int training, tn_tensor **result);

/* --- signatures (signature.c) --------------------------------------------------------------------------------------------- */
/* The specs that the tensors of an .input_signature stand for. */
tn_status tn__signature_take(tn_function *function, tn_list signature);
/* leaves: the inputs' tensors, flat. Fails when they do not fit the input_signature. */
tn_status tn__key_make(const tn_function *function, tn_list inputs, tn_tensor *const *leaves, size_t count, int training, tn__key *key);
void tn__key_free(tn__key *key);
/* The trace for just this key, else the most special one that it fits; NULL: there is none. */
tn__concrete *tn__concrete_find(tn_function *function, const tn__key *key);
/* Leaves open in the key what differs from the traces that are there. */
void tn__key_generalise(const tn_function *function, tn__key *key);
/* Fails with TensorFlow's text when a call of just this trace does not fit it. */
tn_status tn__concrete_check(const tn_function *function, const tn__concrete *concrete, const tn__key *key);
/* After each call: did it trace? Warns when that happens too often. */
void tn__retracing_note(tn_function *function, bool traced);

/* --- traces (trace.c) ------------------------------------------------------------------------------------------------------ */
/* The trace for these inputs, made when there is none. With reduce_retracing the key becomes that of the trace. */
tn_status tn__concrete_for(tn_context *context, tn_function *function, tn__key *key, tn_list inputs, tn_tensor *const *leaves,
                           tn__concrete **concrete);
void tn__concrete_free(tn__concrete *concrete);
/* What a traced body gave, flat, as outputs of its graph. The caller owns the array and its items, also of a failure. */
tn_status tn__trace_outputs(tn_context *context, tn_graph *graph, tn_tensor *result, tn_tensor ***output, size_t *outputs);
/* What the call that ended used: a trace, or what is in `touched`, which is taken. */
void tn__function_used(tn_function *function, tn__concrete *concrete, tn__touched *touched);

#endif
