/* context.h - all that is ambient in a thread, behind one thread-local pointer.
 *
 * Public functions read it once; what they call inside gets what it needs as arguments. The stacks of the upper rooms hang here
 * as pointers to structs of theirs, so that this file needs to know none of them. */
#ifndef TN_CORE_CONTEXT_H
#define TN_CORE_CONTEXT_H
#include "core/object.h"
#include "core/random.h"
#include "tenon/sys.h"

/* Threads take identities in blocks of 65536; these are the bits that say where in its block one stands. */
enum { TN__ID_BITS = 0xffff };

/* A memory scope: everything above `mark` in the context's list is its own. */
typedef struct {
    size_t mark;
    const char *here; /* where it was opened */
} tn__memory_mark;

/* One entered TN_WITH: what undoes it. */
typedef struct {
    tn_scope *scope; /* retained; NULL: a memory scope */
    size_t memory_depth;
    void *saved;
} tn__entered;

struct tn_context {
    tn__error_state error;
    const char *here;      /* the program's line of the public call that runs, or ran last */

    struct {
        tn__object **item;
        size_t count, capacity;
    } owned; /* what the memory scopes own, innermost last */
    struct {
        tn__memory_mark *item;
        size_t count, capacity;
    } memory; /* the first is the root scope */
    struct {
        tn__entered *item;
        size_t count, capacity;
    } entered;

    struct {
        void *block;
        size_t size;
    } scratch; /* see tn__scratch() */
    tn__spare spare; /* of tensors' elements */

    tn__object *free_first, *free_last; /* dead blocks, oldest first */
    size_t free_count;
    _Atomic int64_t live;               /* handles made less those destroyed */
    tn_context *next, **previous;       /* all the process's contexts */
    tn__object *pending;                /* objects whose destruction waits for the one that runs */
    bool destroying;

    uint64_t next_id;      /* tensors and nodes: the one given last */
    tn_graph *graph;       /* where ops go while tracing or building a graph; NULL: eager */
    struct tn_tape *tapes; /* open tapes, innermost first, linked by their `outer` */
    int tape_pause;        /* above 0: nothing is recorded */
    const char *name_scope; /* "a/b", or "" */
    const char *node_name;  /* the next node's, where it is not its op's; see runtime/graph_names.h */
    struct tn__control *control;   /* what ops wait for in a graph; see runtime/graph.h */
    struct tn__cells *cells;       /* of the session that runs; see core/cells.h */
    tn_graph *default_graph;       /* retained; the graph that is `graph` outside of every TN_WITH; NULL: eager */
    struct tn__variable_scope *variable_scope; /* the innermost; see function/variable_scope.h */
    struct tn_store *store;        /* of get_variable in eager mode, retained; NULL: not yet made */
    struct tn__call_frame *frame; /* the layer or function whose body runs; see nn/layer.h */
    struct tn__touched *touched;  /* what the function whose body runs used; NULL: none runs. See core/touched.h */
    struct tn__names *names;      /* automatic names; see nn/naming.h */
    tn__random_state random;
    int training;          /* of the call that runs: 1, 0, -1 not said */
    const struct tn__policy *policy; /* of new layers; NULL: float32. See nn/policy.h */
    tn_dtype autocast;     /* the float type that the body that runs reads layers' weights in; 0: their own */
    int depth;             /* bodies that run inside each other; see function/frame.h */
    int making;            /* times this thread has taken the lock of function/frame.h */
    int shapes_only;       /* above 0: a layer runs for its outputs' shapes alone */
    int lanes;             /* at most so many threads compute for it; 0: as many as for the process */
    bool plain;            /* graphs run node by node, as they were recorded: TN_PLAN=off; see plan/program.h */
    bool to_write;         /* what is traced is for a file of TensorFlow's: steps of optimizers are made in its ops */
    uint64_t weight_room;  /* while a file's model is made: 1 more than the bytes that its weights may still take; 0: any number */
};

extern _Thread_local tn_context *tn__current __attribute__((tls_model("initial-exec")));
tn_context *tn__context_attach(void) TN__COLD; /* once for each thread */
static inline tn_context *tn__context(void)
{
    tn_context *context = tn__current;
    return context ? context : tn__context_attach();
}
static inline bool tn__failed(const tn_context *context)
{
    return context->error.status != TN_OK;
}
/* Where the program is now. While an error is kept that stays the call that failed: those after it do nothing. */
static inline void tn__set_here(tn_context *context, const char *here)
{
    if (here && !tn__failed(context))
        context->here = here;
}
/* The program's line of the call that failed, or NULL. */
static inline const char *tn__failed_at(const tn_context *context)
{
    return context->error.here ? context->error.here : context->here;
}
/* The first line of a public function: the context, or leave because an error is kept. */
#define TN__ENTER(context, when_failed) \
    tn_context *context = tn__context(); \
    if (__builtin_expect(tn__failed(context), 0)) \
    return when_failed

/* The same for a function with options: remembers the caller's line too. */
#define TN__ENTER_OPTIONS(context, options, when_failed) \
    TN__ENTER(context, when_failed); \
    if ((options)->here_) \
    (context)->here = (options)->here_

/* Memory for the length of a kernel, 64-byte aligned: the thread's one block, which grows as needed and stays until the thread ends.
 * What was given before is no longer valid. NULL and an error without memory. */
void *tn__scratch(tn_context *context, size_t size);

/* Unique in the process. */
uint64_t tn__next_ids(tn_context *context, size_t count); /* the first of `count` in a row */
static inline uint64_t tn__next_id(tn_context *context)
{
    return context->next_id & TN__ID_BITS ? ++context->next_id : tn__next_ids(context, 1); /* bits of 0: the block is used up */
}

#endif
