/* graph_read.h - TensorFlow's FunctionDefs run through dispatch: eagerly, or into the graph that is
 * being built. */
#ifndef TN_SAVING_GRAPH_READ_H
#define TN_SAVING_GRAPH_READ_H
#include "formats/graphdef.h"
#include "runtime/graph.h"

/* By their names; the first of a name counts. */
tn_status tn__functions_list(const tn__function_library *library, tn__map *functions);
/* Whether a node of the op can be run. */
bool tn__graph_knows(const char *op);
const tn__function_def *tn__function_find(const tn__function_library *library, const char *name);
/* Fails with all ops at once that the function, or one that it calls, needs and nobody here has
 * (graph_check.c). */
tn_status tn__function_check(const tn__function_library *library, const char *name);
/* Runs the function on its arguments: values, symbolic tensors, and variables where it takes
 * resources. The results, one for each of its outputs, belong to the innermost scope. Functions
 * that call each other without end are refused. */
tn_status tn__function_import(tn_context *context, const tn__function_library *library,
                              const char *name, tn_tensor *const *args, size_t count,
                              tn_tensor **results, size_t result_count);
/* A TensorProto's values; owned by the innermost scope, NULL and an error. */
tn_tensor *tn__tensor_of_proto(const tn__tensor_def *proto);
/* Sizes of -1 are not known; false: no shape that tensors here can have. */
bool tn__shape_of_def(const tn__shape_def *def, tn_shape *shape);

#endif
