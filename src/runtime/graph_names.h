/* graph_names.h - names in a TensorFlow 1 graph: unique without regard to case, as TensorFlow makes them. */
#ifndef TN_RUNTIME_GRAPH_NAMES_H
#define TN_RUNTIME_GRAPH_NAMES_H
#include "runtime/graph.h"

/* "s_1/add_2": the name under the scope ("" for the root), with _1, _2 … behind it when it was asked for before, and in use from now
 * on, for a node or for a name scope. A name that ends in "/" is taken as it is, without the slash: a scope entered again. An
 * allocation of the caller's; NULL and an error without memory. */
char *tn__graph_unique(tn_graph *graph, const char *scope, const char *name);

#endif
