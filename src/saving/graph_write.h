/* graph_write.h - graphs as TensorFlow's FunctionDefs: what traces and closures are in files. */
#ifndef TN_SAVING_GRAPH_WRITE_H
#define TN_SAVING_GRAPH_WRITE_H
#include "formats/graphdef.h"
#include "runtime/graph.h"

/* A graph that becomes a function. Its arguments are the inputs and then the variables, as
 * resources; argument i is called "arg_<i>", output i "output_<i>". */
typedef struct {
    const char *name;
    tn_graph *graph;
    tn_tensor *const *input, *const *output, *const *variable;
    size_t input_count, output_count, variable_count;
} tn__function_source;

/* Adds the function, and those of the closures in it, to the library. Tensors' elements are not
 * copied: the graph outlives the library. TN_UNIMPLEMENTED: the graph has a node that TensorFlow
 * has no op for. */
tn_status tn__function_write(tn__arena *arena, tn__function_library *library,
                             const tn__function_source *source);
/* The variables that nodes of the graph stand for, in their order; not retained. */
typedef TN__LIST_OF(tn_tensor *) tn__variables;
tn_status tn__graph_variables(tn__arena *arena, const tn_graph *graph, tn__variables *variables);
/* Layer or group normalization, which TensorFlow has no op for, in its ops; names: what gives x, gamma and beta. */
tn_status tn__norm_write(tn__arena *arena, tn__node_list *nodes, const tn__node *node, const char *const names[3]);
/* Its gradient by x, gamma and beta; names: what gives dy, x and gamma. And the name of such an output. */
tn_status tn__norm_gradient_write(tn__arena *arena, tn__node_list *nodes, const tn__node *node, const char *const names[3]);
const char *tn__norm_gradient_name(tn__arena *arena, const tn__node *node, size_t output);

/* --- parts of definitions: NULL and an error without memory ----------------------------------- */
tn__shape_def *tn__shape_def_of(tn__arena *arena, const tn_shape *shape);
/* A node at the end of the list; its name is printed. */
tn__node_def *tn__node_add(tn__arena *arena, tn__node_list *list, const char *op,
                           const char *format, ...) TN_PRINTF(4, 5);
/* A constant: the shape as a value, -1 for what is not known. */
tn_status tn__shape_const_add(tn__arena *arena, tn__node_list *list, const char *name, const tn_shape *shape);
tn_status tn__node_input(tn__arena *arena, tn__node_def *node, const char *format, ...)
    TN_PRINTF(3, 4);
tn_status tn__attr_put(tn__arena *arena, tn__attrs *attrs, const char *key, tn__attr_value value);
tn_status tn__attr_type(tn__arena *arena, tn__attrs *attrs, const char *key, int dtype);
tn_status tn__attr_int(tn__arena *arena, tn__attrs *attrs, const char *key, int64_t value);
tn_status tn__attr_text(tn__arena *arena, tn__attrs *attrs, const char *key, const char *value);
tn_status tn__attr_shape(tn__arena *arena, tn__attrs *attrs, const char *key,
                         const tn_shape *shape);
tn_status tn__attr_func(tn__arena *arena, tn__attrs *attrs, const char *key, const char *function);
tn_status tn__attr_types(tn__arena *arena, tn__attrs *attrs, const char *key, tn__attr_list **list);
/* One more of a list that tn__attr_types() began. */
tn_status tn__types_add(tn__arena *arena, tn__attr_list *list, int dtype);
/* A value; its elements are borrowed. */
tn_status tn__attr_tensor(tn__arena *arena, tn__attrs *attrs, const char *key, int dtype,
                          const tn_shape *shape, const void *data);

#endif
