/* session.h - TensorFlow 1's graphs and sessions. */
#ifndef TN_SESSION_SESSION_H
#define TN_SESSION_SESSION_H
#include "core/cells.h"
#include "ops/ops.h"
#include "runtime/graph_names.h"
#include "tenon/graph.h"

struct tn_session {
    tn__object object;
    tn_graph *graph;   /* retained; NULL: eager, everything has its value already */
    tn__cells *cells;
};
TN__HANDLE_SIZE(struct tn_session);
extern const tn__type tn__type_session;

/* Is it a graph of TensorFlow 1? Records what it is. */
bool tn__check_v1(const tn_graph *graph, const char *what);
/* A thread's context begins: its default graph is the process's. */
void tn__session_begin_thread(tn_context *context);
/* Forgets the store's variables and automatic names, and puts an empty default graph in the place of the one there is, unless the thread
 * is inside of another. */
tn_status tn__session_forget(tn_context *context);
/* Computes fetches (symbolic tensors and targets of the session's graph) with feeds; results are retained, NULL for targets. */
tn_status tn__session_run(tn_context *context, tn_session *session, tn_tensor *const *keys, tn_tensor *const *feeds, size_t feed_count,
                          tn_tensor *const *fetches, size_t fetch_count, tn_tensor **results);
/* A NoOp that waits for these nodes, and for what the scope round it says. Of the innermost memory scope. */
tn_operation *tn__group_of(tn_context *context, tn__control *control, const char *name);

#endif
