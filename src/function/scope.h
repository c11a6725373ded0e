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
    void *self; /* of a name scope the name as given; what others enter; freed by of->destroy */
};
TN__HANDLE_SIZE(struct tn_scope);
tn_scope *tn__scope_new(const tn__scope_class *of); /* the caller owns the count */
bool tn__check_scope(const tn_scope *scope, const char *what); /* as tn__check */
/* The full name of a name scope that is opened now; the caller frees it. NULL and an error for a name that is none. */
char *tn__name_scope_open(const tn_context *context, const char *name);
/* The name scopes entered since the last scope of the class was, as they were given, joined with "/"; of an absolute one, what it is
 * below one of the bases. The caller frees it; NULL and an error without memory. */
char *tn__names_inside(const tn_context *context, const tn__scope_class *of, const char *const base[2]);

#endif
