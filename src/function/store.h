/* store.h - variable stores: variables by key, collections, and how often variable scopes were opened. A graph has one; eager mode one
 * for each thread; a program may make others. */
#ifndef TN_FUNCTION_STORE_H
#define TN_FUNCTION_STORE_H
#include "base/map.h"
#include "runtime/graph.h"

struct tn__variable_scope;
struct tn_store {
    tn__object object;
    tn__map variable;   /* by key, retained */
    tn__map collection; /* by name: struct tn__collection */
    tn__map opened;     /* by the path of a variable scope: how many times, as a pointer-sized integer */
    struct tn__variable_scope *root; /* retained; NULL: not yet made */
};
TN__HANDLE_SIZE(struct tn_store);
extern const tn__type tn__type_store;

/* The TensorFlow 1 graph's, or, where there is none, the thread's; made at its first use. Not retained; NULL and an error without memory. */
tn_store *tn__store_of_graph(tn_graph *graph);
tn_store *tn__store_now(tn_context *context);
tn_tensor *tn__store_find(const tn_store *store, const char *key); /* NULL: not there; not retained */
tn_status tn__store_put(tn_store *store, const char *key, tn_tensor *variable);
/* Into each collection of "mine, other". */
tn_status tn__collect(tn_store *store, const char *names, tn_tensor *x);
/* A variable into the collections that it asks for, and a trainable one to the trainable ones. */
tn_status tn__collect_variable(tn_store *store, const char *names, tn_tensor *variable);

/* How many times variable scopes were opened since the last reset: what default names are made unique with. */
size_t tn__times_opened(const tn_store *store, const char *path);
tn_status tn__count_opened(tn_store *store, const char *path);
/* Those below the path are counted from 0 again. */
void tn__forget_opened(tn_store *store, const char *path);
/* All counts, in an allocation of the caller's, and back. */
tn_status tn__save_opened(const tn_store *store, size_t **counts);
void tn__restore_opened(tn_store *store, const size_t *counts);

#endif
