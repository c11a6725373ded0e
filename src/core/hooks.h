/* hooks.h - where a lower room reaches up: one constant table, filled in init.c. */
#ifndef TN_CORE_HOOKS_H
#define TN_CORE_HOOKS_H
#include "core/variable.h"

struct tn__op;
struct tn__programs;
typedef struct {
    /* autodiff: an op ran or was appended while tapes are open */
    tn_status (*record)(tn_context *context, const struct tn__op *op, const void *attrs, tn_tensor *const *inputs, size_t input_count,
                        tn_tensor *const *outputs, size_t output_count);
    /* autodiff: does an open tape watch it? */
    bool (*watched)(const tn_context *context, const tn_tensor *x);
    /* plan: frees what was compiled of a graph that dies; NULL is allowed */
    void (*free_programs)(struct tn__programs *programs);
    /* nn: the variable's full name, layers included, in memory of the innermost scope */
    const char *(*full_name)(const tn_tensor *variable);
    /* nn: a first value, and a penalty, from the texts of an initializer and a regularizer; see nn/object.h */
    tn_status (*initialize)(tn_context *context, const char *text, int64_t seed, tn_dtype dtype, const tn_shape *shape, tn_tensor **value);
    tn_status (*initialize_op)(tn_context *context, const char *text, tn_dtype dtype, const tn_shape *shape, tn_tensor **value);
    tn_tensor *(*penalize)(const char *text, tn_tensor *x);
    /* session: a thread's context begins */
    void (*begin)(tn_context *context);
    /* nn: frees what upper rooms hung on a context: automatic names */
    void (*free_rooms)(tn_context *context);
    /* saving: a model, or its weights alone, into a file of a kind that its name's end tells; an old file is replaced */
    tn_status (*save_model)(tn_layer *model, const char *path, bool weights_only);
} tn__hook_table;
extern const tn__hook_table tn__hooks;

#endif
