/* graph.h - nodes, and graphs that keep them in order.
 *
 * A node is one application of an op to outputs of other nodes. A trace or a v1 graph keeps its nodes in the order they were made,
 * which is the order of the program and so of its side effects. Functional models are nodes without a graph: they hold each other
 * by their inputs and die with the last tensor that needs them. */
#ifndef TN_RUNTIME_GRAPH_H
#define TN_RUNTIME_GRAPH_H
#include "base/map.h"
#include "runtime/op.h"

typedef struct tn__node {
    tn__object object;
    const tn__op *op;
    void *attrs;            /* a copy that owns its texts and tensors */
    tn_graph *graph;        /* not retained; NULL: of a functional model, or of a graph that is gone: */
    bool orphan;
    size_t index;           /* in the graph's list */
    uint64_t first_id;      /* ids of the outputs: first_id + index */
    tn_tensor **input;      /* retained */
    size_t input_count, output_count;
    struct {
        tn_dtype dtype;
        tn_shape shape;
    } *output;
    struct tn__node **control; /* of the same graph, which keeps them: what must have run before */
    size_t control_count;
    bool assigned;          /* the read that an assignment gave, its first control input: it goes by that name */
    char *name;             /* unique in a TensorFlow 1 graph, scopes included; elsewhere an input's, or NULL */
    const char *here;       /* the program's line */
} tn__node;
TN__HANDLE_SIZE(tn__node);

/* What ops of a graph wait for while a scope of control dependencies is open. */
typedef struct tn__control {
    struct tn__control *outer;
    tn__node **item; /* retained */
    size_t count;
} tn__control;

/* Of a tensor of a trace that is over, or of another graph. */
#define TN__OUT_OF_SCOPE \
    "%s is out of scope and cannot be used here. Use return values, explicit Python locals or TensorFlow collections to access it."

extern const tn__type tn__type_node;
/* Fails when the node's graph is finalized. Takes shapes from infer. In a TensorFlow 1 graph the node gets context->node_name, or its
 * op's label, made unique under the open name scope. The caller owns the count. */
tn_status tn__node_new(tn_context *context, tn_graph *graph, const tn__infer *infer, tn__node **node);
/* Is it a functional model's, rather than a graph's? */
static inline bool tn__is_functional(const tn_tensor *x)
{
    return x->form == TN__SYMBOLIC && x->of.output.node && !x->of.output.node->graph && !x->of.output.node->orphan;
}
/* The variable that a VarHandleOp stands for; NULL: another node. */
static inline tn_tensor *tn__node_variable(const tn__node *node)
{
    return node->op == &tn__op_VarHandleOp ? *(tn_tensor **)node->attrs : NULL;
}
/* The same, and the value that a Const stands for. */
static inline tn_tensor *tn__node_capture(const tn__node *node)
{
    return node->op == &tn__op_Const ? *(tn_tensor **)node->attrs : tn__node_variable(node);
}
/* Output `index` as a tensor; the caller owns the count; NULL and an error without memory. */
tn_tensor *tn__node_output(tn__node *node, size_t index);
/* The same for a node without outputs, where only what it does counts. */
tn_tensor *tn__node_target(tn__node *node);

/* A variable of a TensorFlow 1 graph; all retained. */
typedef struct {
    tn_tensor *variable;
    tn_tensor *initial;    /* what it is initialised with */
    tn_tensor *read;       /* its value: what a session fetches */
    tn__node *initializer; /* the assignment */
} tn__graph_variable;

typedef struct {
    tn__map names;          /* in lower case, nodes' and scopes': how many were asked for, as a pointer-sized integer */
    tn__map named;          /* nodes by their names, not retained */
    struct {
        tn__graph_variable *item;
        size_t count, capacity;
    } variable;
    struct tn_store *store; /* of get_variable, retained; NULL: not yet made */
} tn__v1_graph;

struct tn_graph {
    tn__object object;
    struct {
        tn__node **item; /* retained */
        size_t count, capacity;
    } node;
    struct {
        tn_tensor **item; /* Placeholder outputs, retained */
        size_t count, capacity;
    } input;
    tn__ids constants;      /* id of an eager tensor to the index of its Const node */
    tn__ids variables;      /* id of a variable to the index of its VarHandleOp node */
    tn_graph *outer;        /* the graph that was being built when this one was begun; not retained */
    bool closure;           /* a branch or loop body: tensors of the graphs round it become inputs */
    struct {
        struct {
            tn_tensor *outer, *inner; /* retained: the tensor, and the input that stands for it */
        } *item;
        size_t count, capacity;
    } captured;
    _Atomic(struct tn__programs *) programs; /* compiled, see plan/program.h */
    tn__random_graph random; /* seeds of its stateful random ops */
    bool finalized;
    tn__v1_graph *v1;       /* TensorFlow 1's: nodes have names, and sessions run it. NULL: a trace, or a closure */
};
TN__HANDLE_SIZE(struct tn_graph);
extern const tn__type tn__type_graph;

/* The graph of TensorFlow 1 that ops go to now, or NULL. */
static inline tn_graph *tn__open_v1(const tn_context *context)
{
    return context->graph && context->graph->v1 ? context->graph : NULL;
}
/* What its graph has of a variable; NULL: it is of none, or of one that is gone. */
static inline const tn__graph_variable *tn__graph_variable_of(const tn_tensor *variable)
{
    const tn__variable *v = variable->of.variable;
    return v->graph ? &v->graph->v1->variable.item[v->graph_place] : NULL;
}

/* One of TensorFlow 1, empty; NULL and an error without memory. */
tn_graph *tn__graph_new_v1(void);
/* The caller owns the count. Takes the seed of the graph that is being built now, else the global one. */
tn_graph *tn__graph_new(void);
/* A new input of the graph. */
tn_status tn__graph_input(tn_context *context, tn_graph *graph, tn_dtype dtype, const tn_shape *shape, const char *name, tn_tensor **input);
/* A value, variable or symbolic tensor as an input of the graph's nodes: values become Const nodes, variables VarHandleOp nodes,
 * once each; symbolic ones of this graph stay; those of a graph round a closure become inputs of it. The caller owns the count. */
tn_status tn__graph_capture(tn_context *context, tn_graph *graph, tn_tensor *x, tn_tensor **captured);

/* Numbers the nodes anew, after some went. */
tn_status tn__graph_number(tn_graph *graph);

/* The node that stands for a variable of a TensorFlow 1 graph, under a name of its own ("a/b/": as it is). */
tn_status tn__graph_handle(tn_context *context, tn_graph *graph, tn_tensor *variable, const char *name);

/* Models keep eager values: while one is trained, asked, written or read, a TensorFlow 1 graph that ops go to is set aside. One line
 * in a function, which sees to the end of it too. */
typedef struct {
    tn_context *context;
    tn_graph *graph;
} tn__aside;
static inline tn__aside tn__graph_aside(tn_context *context)
{
    tn__aside aside = { context, context->graph };
    if (aside.graph && aside.graph->v1)
        context->graph = NULL;
    return aside;
}
static inline void tn__graph_back(const tn__aside *aside)
{
    aside->context->graph = aside->graph;
}
#define TN__EAGERLY(context) __attribute__((cleanup(tn__graph_back), unused)) const tn__aside aside_ = tn__graph_aside(context)

/* Marks what the marked nodes need, by index, from the last to the first; what is cut, and what only that needs, is not. */
void tn__graph_mark_needed(const tn_graph *graph, const bool *cut, bool *needed);

/* Runs nodes again, one by one through dispatch, in the mode of now: value(self, node, index) gives each input's stand-in. Used to
 * inline a graph in another, to run it under a tape, and to call a functional model. `replaced[i]`: what stands for inputs[i].
 * Outputs are retained for the caller. Nodes that no output needs are left out, stateful ones only without `effects`. */
tn_status tn__graph_replay(tn_context *context, tn__node *const *nodes, size_t count, tn_tensor *const *inputs, tn_tensor *const *replaced,
                           size_t input_count, bool effects, tn_tensor *const *outputs, tn_tensor **results, size_t output_count);
/* Outputs of nodes with what they were: all of a node, or none. */
typedef struct {
    tn_tensor *const *output, *const *value;
    size_t count;
} tn__known;
/* The same without effects, and nodes whose outputs are known do not run again: the tapes see them give what they gave. */
tn_status tn__graph_replay_known(tn_context *context, tn__node *const *nodes, size_t count, tn_tensor *const *inputs,
                                 tn_tensor *const *replaced, size_t input_count, const tn__known *known, tn_tensor *const *outputs,
                                 tn_tensor **results, size_t output_count);

#endif
