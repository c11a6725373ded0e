/* tape.h - gradient tapes: what ran, and walking it backwards. */
#ifndef TN_AUTODIFF_TAPE_H
#define TN_AUTODIFF_TAPE_H
#include "runtime/dispatch.h"
#include "tenon/gradient.h"

/* One op that ran while a watched tensor went in. */
typedef struct {
    const tn__op *op;
    void *attrs;          /* a copy that owns its texts and tensors, in one block behind: */
    tn_tensor **input;    /* retained: inputs, then outputs */
    tn_tensor **output;
    size_t inputs, outputs;
    const char *name;     /* of the node that it is, in a TensorFlow 1 graph; not its own. NULL: of none */
} tn__record;

struct tn_tape {
    tn__object object;
    struct tn_tape *outer; /* the tape that was open when this one was */
    const tn_graph *graph; /* where it was opened: what another trace makes is not its own, but what is run of it afterwards */
    bool persistent, watch_variables, recording, used;
    int paused;            /* above 0: nothing is recorded */
    tn__ids watched;       /* ids of tensors that depend on something watched */
    struct tn__ids_entry first_watched[8]; /* lent to it */
    struct {
        tn__record *item;
        size_t count, capacity;
    } record;
};
TN__HANDLE_SIZE(struct tn_tape);
extern const tn__type tn__type_tape;

/* The hook of dispatch. */
tn_status tn__tape_record(tn_context *context, const tn__op *op, const void *attrs, tn_tensor *const *inputs, size_t input_count,
                          tn_tensor *const *outputs, size_t output_count);
/* The tapes that are open now record nothing until they are resumed; those opened in between do. */
void tn__tapes_pause(tn_context *context);
void tn__tapes_resume(tn_context *context);
/* Is anything that depends on x recorded by an open tape? */
bool tn__tape_watches(const tn_context *context, const tn_tensor *x);

/* Gradients by what a tape has recorded, with seeds for the targets; see tn__gradients_of. */
tn_status tn__tape_gradients(tn_context *context, const struct tn_tape *tape, tn_tensor *const *targets, tn_tensor *const *seeds, size_t count,
                             tn_list sources, tn_tensor **gradients);
/* Gradients of the sum of targets, weighted by `seeds` (NULL items: ones), to each source; retained, NULL where there is none. The
 * records are those of a tape, or of a graph's nodes (tn_gradients). */
tn_status tn__gradients_of(tn_context *context, const tn__record *records, size_t count, tn_tensor *const *targets,
                           tn_tensor *const *seeds, size_t target_count, tn_tensor *const *sources, size_t source_count,
                           tn_tensor **gradients);

/* "none": gradients stay as they are; "zero": zeros like the source where there is none, retained. Another word is refused. `what`: the
 * function. */
tn_status tn__connect(const char *unconnected, tn_list sources, tn_tensor **gradients, const char *what);
/* What arrives at a target must be like it. `what`: the function and its list. */
tn_status tn__check_seed(const tn_tensor *seed, const tn_tensor *target, const char *what);

#endif
