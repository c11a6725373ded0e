/* program.h - a graph made ready to run for one signature of concrete shapes.
 *
 * A program is a flat list of steps with every shape settled that can be, constants and shape arithmetic folded away, nodes that
 * nothing needs left out, and the place where each value dies. It is immutable and may run in many threads at once, each run with
 * values of its own. A graph keeps a bounded number of programs, the least recently used making room.
 *
 * In a context that is `plain` (TN_PLAN=off) a program is the graph's nodes as they were recorded, each computed as it is eagerly: nothing
 * folded, shared, fused or placed. What nothing needs is left out of it too: that is how graphs are meant, and what fails there fails in
 * nobody's result. The numbers are the same within the rounding of what a fused step adds up in another order. */
#ifndef TN_PLAN_PROGRAM_H
#define TN_PLAN_PROGRAM_H
#include "runtime/graph.h"

typedef struct tn__programs tn__programs;
void tn__programs_free(tn__programs *programs);

/* Runs the graph: feeds[i] is the value of what keys[i] is (a Placeholder's output, or any other tensor of the graph). A fetch of a node
 * without outputs is what tn__node_target() gives: the node runs, and its result is NULL. Stateful
 * nodes run in the graph's order, all of them when `effects`. Results are values, retained for the caller. */
tn_status tn__graph_run(tn_context *context, tn_graph *graph, tn_tensor *const *keys, tn_tensor *const *feeds, size_t feed_count,
                        tn_tensor *const *fetches, size_t fetch_count, bool effects, tn_tensor **results);

#endif
