/* naming.h - full names of variables, and automatic names of layers. */
#ifndef TN_NN_NAMING_H
#define TN_NN_NAMING_H
#include "core/variable.h"

/* "new_layer_scope/new_dense/kernel": see EXPECTED names in docs/design.md. Memory of the innermost scope. */
const char *tn__full_name(const tn_tensor *variable);
/* "dense", "dense_1", …: the next automatic name of a class, counted in the context. Memory of the caller's. */
char *tn__automatic_name(tn_context *context, const char *class_name);
void tn__names_free(tn_context *context);
/* From here to the end automatic names count from the beginning, and what was counted before is not touched. */
struct tn__names *tn__names_begin(tn_context *context);
void tn__names_end(tn_context *context, struct tn__names *before);

#endif
