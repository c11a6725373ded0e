/* graph_lists.h - TensorFlow's TensorLists, as loops use them: read at any place (FromTensor,
 * GetItem), there a list is the tensor of its elements; or written in the rounds of one loop
 * (Reserve and SetItem, EmptyTensorList and PushBack), there the loop collects what is written. */
#ifndef TN_SAVING_GRAPH_LISTS_H
#define TN_SAVING_GRAPH_LISTS_H
#include "formats/graphdef.h"
#include "runtime/graph.h"

/* How the rounds write a list that was empty. */
typedef enum {
    TN__LIST_LEFT,    /* they do not */
    TN__LIST_PUSHED,  /* at its end */
    TN__LIST_COUNTED, /* round i its element i */
    TN__LIST_LAST,    /* all of them element 0 */
} tn__list_way;
/* A tensor that stands for a list: an empty one, or that with one element written. */
typedef struct {
    tn_tensor *handle, *size;      /* size: of a reserved one; NULL: it grows */
    tn_tensor *empty, *at, *value; /* empty: the list that was written to, or NULL */
} tn__graph_list;
typedef struct {
    struct {
        tn__graph_list *item;
        size_t count, capacity;
    } list;
} tn__graph_lists;

bool tn__graph_list_op(const char *op);
/* The output belongs to the innermost scope. */
tn_status tn__graph_list_make(tn__graph_lists *lists, const tn__node_def *node,
                              tn_tensor *const *inputs, size_t count, tn_tensor **output);
/* NULL: x is a tensor as any other. */
const tn__graph_list *tn__graph_list_of(const tn__graph_lists *lists, const tn_tensor *x);
/* Variables, and lists that are written: a loop or branch does not carry them. */
bool tn__graph_stays(const tn__graph_lists *lists, const tn_tensor *x);
/* One round of a loop, run: what the loop began with, what the round was given and gave. */
typedef struct {
    const tn__graph_lists *lists;
    const char *function;
    tn_tensor *const *inputs, *const *args, *const *results;
    size_t count;
    tn__list_way *way; /* to be found out: of each input that is an empty list */
} tn__graph_round;
/* The loop's variables among `given` results, then what was written to lists. */
tn_status tn__graph_round_sort(const tn__graph_round *round, size_t given, tn_tensor **sorted,
                               size_t *count);
/* The list of a loop's rounds of which the loop collected the rows, as a tensor. */
tn_tensor *tn__graph_list_end(const tn__graph_list *empty, tn__list_way way, tn_tensor *rows);

#endif
