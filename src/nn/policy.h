/* policy.h - dtype policies: in what a layer computes, and what its weights are. */
#ifndef TN_NN_POLICY_H
#define TN_NN_POLICY_H
#include "core/context.h"
#include "core/dtype.h"

typedef struct tn__policy {
    const char *name;      /* "mixed_float16" */
    tn_dtype compute, variable;
} tn__policy;

/* By Keras's name, NULL: the thread's own. Unknown: Keras's text. */
tn_status tn__policy_find(const tn_context *context, const char *name, const tn__policy **policy);

/* The float type that a layer's body reads its weights in, 0: their own. outer: that of the body around it. As in Keras a body of
 * its own is begun only where the two types differ, or where there is one already. */
static inline tn_dtype tn__policy_autocast(const tn__policy *policy, tn_dtype outer)
{
    bool begins = outer || policy->compute != policy->variable;
    return begins && tn__in(TN__FLOATS, policy->compute) ? policy->compute : (tn_dtype)0;
}

#endif
