/* frame.h - the bodies that are running: whose variables are made now, and in which scope of memory. */
#ifndef TN_FUNCTION_FRAME_H
#define TN_FUNCTION_FRAME_H
#include "runtime/dispatch.h"
#include "tenon/function.h"
#include "tenon/variable.h"

typedef enum { TN__IDLE, TN__IN_INIT, TN__IN_BUILD, TN__IN_CALL } tn__phase; /* of a layer */

/* One running body: a layer's init, build or call, or a function's. Lives on the stack of the caller. */
typedef struct tn__call_frame {
    struct tn__call_frame *outer;
    tn_layer *layer;       /* whose body it is; NULL: a function's */
    tn_function *function;
    tn__phase phase;
    const struct tn__variable_scope *variable_scope; /* that was open when the body began */
    /* Takes what the body makes into its owner (retains it), or refuses it: a variable, what tn__own_made is given, of a function a layer
     * too; NULL: nobody owns what is made here. */
    tn_status (*adopt)(struct tn__call_frame *frame, void *made);
    /* Of a function that is being traced: notes a variable that is made, or refuses it. NULL: it is not being traced. */
    tn_status (*admit)(struct tn__call_frame *frame, tn_tensor *variable);
    struct {
        tn_tensor *const *stand, *const *leaf; /* what it is traced with, and what this call has in their places */
        size_t count;
    } given;
} tn__call_frame;

static inline void tn__frame_push(tn_context *context, tn__call_frame *frame)
{
    frame->outer = context->frame;
    frame->variable_scope = context->variable_scope;
    context->frame = frame;
}
static inline void tn__frame_pop(tn_context *context, tn__call_frame *frame)
{
    context->frame = frame->outer;
}

/* Whose is what is made now: the innermost layer's or traced function's; else the outermost eager function's. NULL: no body runs. */
tn__call_frame *tn__owner_frame(const tn_context *context);
/* The same when it is a layer or a traced function, which own their variables; else NULL. */
tn__call_frame *tn__owner_of_variables(const tn_context *context);
/* Is a call of this function running in this thread? */
bool tn__function_runs(const tn_context *context, const tn_function *function);
/* A variable is being made: fails when the innermost traced function may make none any more, and counts as touched. For those that keep
 * what they make themselves; tn__variable_make has done it. */
tn_status tn__variable_admit(tn_context *context, tn_tensor *variable);
/* The same, then gives it to the owner. */
tn_status tn__variable_settle(tn_context *context, tn_tensor *variable);

/* tn__own for what a body may make once and keep in self: an optimizer, a metric, a loss, a function. It lives as long as the owner of the
 * body's variables, too. */
void *tn__own_made(tn_context *context, void *object);

/* Round every body: a program that calls itself without end gets an error, not a broken stack. */
tn_status tn__body_begin(tn_context *context, const char *what);
void tn__body_end(tn_context *context);

/* One lock of the process, which a thread may take again: held while a function is traced, and while a layer is called for the first
 * time, so that threads may share both. There is only one, so that no two threads can wait for each other. */
void tn__making_begin(tn_context *context);
void tn__making_end(tn_context *context);

/* Runs a body in a memory scope of its own: its result is retained for the caller, its temporaries die. training: as
 * tn_call_options. what: for the message when it gives NULL and says nothing. */
tn_status tn__run_body(tn_context *context, tn_body body, void *self, tn_list inputs, int training, const char *what, tn_tensor **result);

/* A variable with scope and line of now, given to the owner of the running body; the caller owns a count of its own. */
tn_status tn__variable_make(tn_context *context, tn__variable_spec *spec, tn_variable **variable);

/* What tn_variable() asks for, new and in no store: in the open name scopes or, when `path` is not NULL, under that path alone. The caller
 * owns the count. */
tn_status tn__variable_make_plain(tn_context *context, const tn_variable_options *options, const char *path, tn_variable **variable);

/* Where ops and variables go now is a graph of TensorFlow 1 and no body that owns its variables runs: that graph; else NULL. */
tn_graph *tn__graph_of_variables(const tn_context *context);
/* A variable of such a graph, whose first value is `initial`, a value or of the graph. spec->name is under the open name scope; when
 * `absolute`, it is the whole name. The caller owns the count. */
tn_status tn__graph_variable_make(tn_context *context, tn_graph *graph, tn__variable_spec *spec, tn_tensor *initial, bool absolute,
                                  tn_variable **variable);

/* A structure (see tn__flatten) with other leaves, taken in order from *leaves; the caller owns the count; NULL and an error without memory. */
tn_tensor *tn__rebuild(const tn_tensor *structure, tn_tensor *const **leaves);

#endif
