/* sys.h - for hosts and bindings, not for programs: allocator, log sink, contexts, counts instead of scopes. Not included by
 * tenon.h. */
#ifndef TENON_SYS_H
#define TENON_SYS_H
#include "tenon/tensor.h"
TN_BEGIN
/* All memory of the library. allocate(self, NULL, n) gives n bytes (malloc), (block, n) moves (realloc), (block, 0) frees and
 * gives NULL. NULL means there is none left, which becomes TN_RESOURCE_EXHAUSTED. Called from many threads. */
typedef struct {
    void *(*allocate)(void *self, void *block, size_t size);
    void *self;
} tn_allocator;
/* Before any other call of the library; all zero is the C library's. */
TN_API void tn_set_allocator(tn_allocator allocator);

/* Where progress bars, summaries, tn_print and warnings go. The library is silent unless asked: what is asked for goes to stdout,
 * warnings to stderr, until the host sets a sink; then everything goes there. Called from the thread that made the text. */
typedef enum { TN_SINK_OUTPUT, TN_SINK_WARNING } tn_sink_kind;
typedef struct {
    void (*write)(void *self, tn_sink_kind kind, const char *text, size_t size);
    void *self;
    bool terminal; /* text may move the cursor: progress bars are drawn in place */
} tn_sink;
TN_API void tn_set_sink(tn_sink sink); /* all zero: stdout and stderr again */

/* The ambient state of a thread (memory, name and variable scopes, tapes, kept error). Every thread has one of its own, made at
 * its first call and freed when it ends; a binding may make more and switch. One context is never used by two threads at once. */
typedef struct tn_context tn_context;
TN_API tn_context *tn_context_new(void);
TN_API void tn_context_free(tn_context *context);
TN_API tn_context *tn_context_swap(tn_context *context); /* gives the previous one; NULL: the thread's own */

/* tf.config.threading's: at most so many threads, the calling one among them, compute one piece of work of the current context from
 * now on. 0, which every context begins with: as many as the process has processors, or TN_NUM_THREADS says, which is never
 * exceeded. Threads that were made stay, asleep. Fails for a negative number. */
TN_API TN_USE tn_status tn_set_intra_op_parallelism_threads(int count);
TN_API int tn_get_intra_op_parallelism_threads(void); /* as it was set */

/* A counted reference that no scope owns. kind as TN_KIND. */
TN_API void *tn_retain(int kind, void *handle);
TN_API void tn_release(int kind, void *handle);
/* Memory scopes for languages without cleanup: the depth to give back to pop, then push. */
TN_API size_t tn_scope_depth(void);
TN_API void tn_scope_push(void);
TN_API void tn_scope_pop(size_t depth);
/* Handles alive in the process, of every kind: a test's leak count. */
TN_API size_t tn_live_handles(void);
TN_END
#endif
