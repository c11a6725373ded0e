/* scope.h - what TN_WITH enters. */
#ifndef TN_FUNCTION_SCOPE_H
#define TN_FUNCTION_SCOPE_H
#include "core/context.h"

typedef struct {
    const char *name; /* for messages */
    /* *saved: what leave needs to undo it. */
    tn_status (*enter)(tn_context *context, tn_scope *scope, const char *here, void **saved);
    void (*leave)(tn_context *context, tn_scope *scope, void *saved);
    void (*destroy)(void *self); /* NULL: there is nothing to free */
} tn__scope_class;

struct tn_scope {
    tn__object object;
    const tn__scope_class *of;
    char *name; /* a name scope's full name, "b/a" */
    void *self; /* what others enter; freed by of->destroy */
};
TN__HANDLE_SIZE(struct tn_scope);
tn_scope *tn__scope_new(const tn__scope_class *of); /* the caller owns the count */

#endif
