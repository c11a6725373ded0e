/* touched.h - which variables a function's call made or used. */
#ifndef TN_CORE_TOUCHED_H
#define TN_CORE_TOUCHED_H
#include "base/map.h"
#include "core/context.h"

/* Each variable once, in the order of its first touch. One collects for each function object whose
 * outermost call runs in a thread; context->touched is the innermost. */
typedef struct tn__touched {
    struct tn__touched *outer;
    tn_tensor **item; /* retained */
    size_t count, capacity;
    tn__ids seen;
} tn__touched;

static inline void tn__touched_begin(tn_context *context, tn__touched *touched)
{
    touched->outer = context->touched;
    context->touched = touched;
}
/* What it has counts for the function round it too. */
tn_status tn__touched_end(tn_context *context, tn__touched *touched);
void tn__touched_free(tn__touched *touched);

tn_status tn__touched_add(tn__touched *touched, tn_tensor *variable);
tn_status tn__touched_merge(tn__touched *into, const tn__touched *touched);
/* Where an op takes a variable, and where one is made. */
static inline tn_status tn__touch(tn_context *context, tn_tensor *variable)
{
    return __builtin_expect(context->touched != NULL, 0)
               ? tn__touched_add(context->touched, variable)
               : TN_OK;
}

#endif
