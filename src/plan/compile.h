/* compile.h - what a program is made of; program.h says what it is for. */
#ifndef TN_PLAN_COMPILE_H
#define TN_PLAN_COMPILE_H
#include "ops/chain.h"
#include "plan/program.h"
#include <pthread.h>

typedef enum {
    TN__GENERAL, /* allocates what it gives, and settles shapes and types as it comes */
    TN__READ,    /* the value of a variable, as it is now */
    TN__DIRECT,  /* the op's own kernel, without any of that */
    TN__CHAIN,   /* several steps' functions of elements in one: `fused` */
    TN__PRODUCT, /* a product, convolution or gradient and what is done to it while it is stored: `fused.after` says which operands for */
    TN__NOTHING  /* a view of what lies in the workspace: its handle stands there already */
} tn__way;

/* Which of a step's operands its epilogue takes; 0: none. */
typedef struct {
    uint8_t bias, beside, mask;
    bool relu;
} tn__after;

/* What a chain takes are the step's operands; `shape` is that of all it gives but its sums, which are its last output. */
typedef struct {
    tn__chain chain;                     /* without its arrays */
    tn_shape shape, sums_shape;
    tn__after after;
    tn__chain_sum sum;
    size_t outputs;
    size_t output[TN__CHAIN_STEPS + 1];  /* slots */
    uint8_t giver[TN__CHAIN_STEPS + 1];  /* and which of the chain's steps gives each */
} tn__fused;

typedef struct {
    const tn__node *node; /* the graph keeps it; of a chain the last */
    size_t first_input;   /* in the program's `operand` */
    size_t first_output;  /* slots of the outputs are consecutive */
    size_t dies, deaths;  /* in the program's `death`: slots whose last use this is */
    void *output;         /* dtypes and shapes that later steps count on, as tn__infer.output */
    bool settled;         /* inference has given every output its full shape */
    bool lean;            /* nothing uses what it gives for gradients alone */
    tn__way way;
    tn__fused *fused;
} tn__step;

/* Where the elements of a slot lie in the workspace. */
typedef struct {
    bool placed;
    size_t offset;
    tn_dtype dtype;
    tn_shape shape;
} tn__place;

enum { TN__EPILOGUE_INPUTS = 6 }; /* three of the product's and three of what is done to it */

typedef struct tn__workspace tn__workspace;

typedef struct tn__program {
    struct tn__program *next; /* most recently used first */
    _Atomic uint32_t users;  /* runs going on, and the cache */
    uint64_t *key_id;      /* of keys, then of fetches */
    tn_shape *feed_shape;
    tn_dtype *feed_dtype;
    size_t feeds, fetches; /* the feeds have the first slots */
    bool effects;
    bool plain;            /* every step GENERAL, in the order of the graph: the context's */
    struct {
        tn__step *item;
        size_t count, capacity;
    } step;
    struct {
        size_t *item;
        size_t count, capacity;
    } operand, death;
    tn_tensor **constant;  /* by slot: what is there before the first step, retained; NULL: nothing */
    tn__place *place;      /* by slot */
    size_t *last_use;      /* by slot: the step + 1; 0: none; SIZE_MAX: a fetch */
    size_t *fetch_slot;
    size_t slots, arena;   /* bytes */
    pthread_mutex_t lock;  /* of what follows */
    tn__workspace *idle;   /* between runs */
    double *seconds;       /* by step, of all runs; NULL: nobody wants to know */
    size_t runs;
} tn__program;

/* What tn__graph_run() was asked for. */
typedef struct {
    tn_context *context;
    tn_graph *graph;
    tn_tensor *const *keys, *const *feeds;
    size_t feed_count;
    tn_tensor *const *fetches;
    size_t fetch_count;
    bool effects;
} tn__request;

/* A step's operands, and slots of what it gives. */
static inline size_t tn__step_inputs(const tn__step *s)
{
    return s->fused ? (size_t)s->fused->chain.inputs : s->node->input_count;
}
static inline size_t tn__step_outputs(const tn__step *s)
{
    return s->fused ? s->fused->outputs : s->node->output_count;
}
static inline size_t tn__step_output(const tn__step *s, size_t i)
{
    return s->fused ? s->fused->output[i] : s->first_output + i;
}
/* Output i is what the chain sums. */
static inline bool tn__gives_sums(const tn__fused *f, size_t i)
{
    return f->sum.kind != TN__SUM_NOTHING && i + 1 == f->outputs;
}
static inline const tn_shape *tn__fused_shape(const tn__fused *f, size_t i)
{
    return tn__gives_sums(f, i) ? &f->sums_shape : &f->shape;
}

/* With one user, the caller. */
tn_status tn__program_compile(const tn__request *request, tn__program **program);
void tn__program_release(tn__program *program);
/* Settles way and place of everything. */
tn_status tn__program_place(tn__program *program);
tn_status tn__program_run(tn_context *context, tn__program *program, tn_tensor *const *feeds, tn_tensor **results);
void tn__workspaces_free(tn__program *program);

#endif
