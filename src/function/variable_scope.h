/* variable_scope.h - the variable scopes that are open: a path, and what variables made there take from them. */
#ifndef TN_FUNCTION_VARIABLE_SCOPE_H
#define TN_FUNCTION_VARIABLE_SCOPE_H
#include "function/scope.h"
#include "function/store.h"
#include "tenon/variable.h"

/* TensorFlow's VariableScope: one entry of a tn_variable_scope, or the root. */
typedef struct tn__variable_scope {
    tn__object object;
    char *name;       /* its path "a/b"; of the root "" */
    char *name_scope; /* the name scope that it opened */
    char *initializer, *regularizer; /* or NULL */
    tn_reuse reuse;
    tn_dtype dtype;
    tn_store *store;  /* retained; NULL: the ambient one */
    bool strict;      /* TensorFlow's own rules */
    const char *here; /* where it was entered, or NULL */
} tn__variable_scope;
TN__HANDLE_SIZE(tn__variable_scope);

/* The innermost, or the root; not retained. NULL and an error without memory. */
tn__variable_scope *tn__variable_scope_now(tn_context *context);
/* Is a variable that tn_variable() makes now the store's? Not without an open variable scope, not in a strict one, and not when it
 * belongs to the layer or function whose body runs. */
bool tn__store_takes_variables(const tn_context *context);
/* "path/name scopes opened inside/name": the key of a variable that tn_variable() makes. The caller frees it. */
char *tn__key_inside(const tn_context *context, const tn__variable_scope *scope, const char *name);
/* tn_variable() where the store takes it: existing or made. The caller owns the count. */
tn_status tn__variable_in_store(tn_context *context, const tn_variable_options *options, tn_variable **variable);

#endif
