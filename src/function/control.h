/* control.h - branches and loops in graphs: ops whose bodies are graphs of their own.
 *
 * A body is traced into a closure: a graph whose inputs are a loop's variables and the tensors of the graphs round it that it uses.
 * Variables of the program stand in it as themselves; the node lists them too, so that a tape sees what they do to its outputs. */
#ifndef TN_FUNCTION_CONTROL_H
#define TN_FUNCTION_CONTROL_H
#include "function/function.h"

/* A traced body. Of a loop's closure the first inputs are the loop's variables. */
typedef struct {
    tn_tensor *graph;   /* a tn_graph, retained as any object */
    tn_tensor *inputs;  /* tuple of its Placeholders, in the order of the node's inputs */
    tn_tensor *outputs; /* tuple of its results */
} tn__closure;

/* A body that was traced and is not yet closed. */
typedef struct {
    tn_graph *graph;      /* retained */
    tn_tensor *result;    /* as the body gave it; retained */
    tn_tensor **output;   /* flat, of the graph, retained */
    size_t outputs;
} tn__traced;
/* Variables that the bodies of one node only read are read before it, in the graph round it, and come in as values (reads.c). Not so in a
 * graph of TensorFlow 1. */
tn_status tn__reads_outside(tn_context *context, tn__traced *const *bodies, size_t count);
/* What the bodies' float outputs are computed of and a gradient cannot compute again becomes the last outputs of all of them: each gives its
 * own, and nothing, in the same rank, for the others'. kept: how many (keep.c). */
tn_status tn__keep(tn_context *context, tn__traced *const *bodies, size_t count, int64_t *kept);

/* Node inputs: the predicate, the closures' inputs, the program's variables that they use. The `kept` last outputs are for the gradient. */
typedef struct {
    tn__closure then, otherwise;
    int64_t kept;
} tn__if_attrs;
/* Node inputs: the loop's variables, the other inputs of the closures, the program's variables that they use. Outputs: the loop's
 * variables at the end; then of the outputs that the body gives behind them the `collected` ones, of all rounds stacked. With `history`
 * there are more, for the gradient: each loop variable at the beginning of every round, then the body's `kept` last outputs, stacked; of
 * those whose shape is not known then the shapes, a row for each round: a stack has the largest, and zeros behind smaller ones. */
typedef struct {
    tn__closure condition, body;
    tn_flag history;
    int64_t collected, kept;
} tn__while_attrs;

/* Node inputs: the index, the closures' inputs, the program's variables that they use. An index of no branch is the last one's. The `kept`
 * last outputs are for the gradient. */
typedef struct {
    tn_tensor *branches; /* a tn__closures, retained as any object */
    int64_t kept;
} tn__case_attrs;
typedef struct {
    tn__object object;
    tn__closure *item; /* their parts are retained */
    size_t count;
} tn__closures;
/* The caller owns the count. */
tn__closures *tn__closures_new(size_t count);

size_t tn__closure_inputs(const tn__closure *c);
size_t tn__closure_outputs(const tn__closure *c);
size_t tn__while_variables(const tn__while_attrs *attrs);
/* What a loop's history stacks: the loop variables, then what the body keeps. What the rounds' tensors of a stack are like; which output has
 * their shapes, 0: they have one that is known. */
size_t tn__while_stacks(const tn__while_attrs *attrs);
const tn_tensor *tn__while_stacked(const tn__while_attrs *attrs, size_t stack);
size_t tn__while_shapes(const tn__while_attrs *attrs, size_t stack);
/* Do its nodes, and those of closures in it, change anything, draw from a stateful generator or, where `reading` counts, read a variable? */
bool tn__closure_is_stateful(const tn__closure *c, bool reading);
bool tn__node_is_stateful(const tn__node *node, bool reading);
/* Runs it on values: as many feeds as it has inputs, as many results as asked for, the first of its outputs, retained for the caller. */
tn_status tn__closure_run(tn_context *context, const tn__closure *c, tn_tensor *const *feeds, tn_tensor **results, size_t count);

extern const tn__op tn__op_If, tn__op_StatelessIf, tn__op_While, tn__op_StatelessWhile, tn__op_Case, tn__op_StatelessCase;

/* tn_switch_case with a self for each branch. */
tn_tensor *tn__switch_case(tn_context *context, tn_tensor *index, size_t count, const tn_body *branches, void *const *selves, tn_list inputs);

/* tn_while_loop whose body gives, behind the loop's variables, tensors that are collected: they come out behind the variables, each
 * with a row for each round. Always a tuple. A loop of no rounds is traced, since nothing else knows what its body would give:
 * `rounds` says false when it is known that there are none. */
tn_tensor *tn__while_collecting(tn_context *context, tn_body condition, tn_body body, void *self, tn_list variables, bool rounds);

/* Variables among them as what they hold now; in memory of the innermost scope. False and an error: one is no tensor, or cannot be read. */
bool tn__read_values(tn_list given, const char *what, tn_list *values);
/* One tensor as itself, several as a tuple. */
tn_tensor *tn__packed(tn_list values);

/* The rules (control_gradient.c). */
void tn__if_gradient(tn__gradient *gradient);
void tn__case_gradient(tn__gradient *gradient);
void tn__while_gradient(tn__gradient *gradient);

#endif
