/* frame.c - running bodies, and taking structures apart. */
#include "function/frame.h"
#include "core/touched.h"
#include <pthread.h>

enum { MOST_DEPTH = 256 };

tn__call_frame *tn__owner_frame(const tn_context *context)
{
    tn__call_frame *frame = context->frame;
    while (frame && !frame->layer && !frame->admit && frame->outer)
        frame = frame->outer;
    return frame;
}

tn__call_frame *tn__owner_of_variables(const tn_context *context)
{
    tn__call_frame *owner = tn__owner_frame(context);
    return owner && owner->adopt && (owner->layer || owner->admit) ? owner : NULL;
}

bool tn__function_runs(const tn_context *context, const tn_function *function)
{
    const tn__call_frame *frame = context->frame;
    while (frame && frame->function != function)
        frame = frame->outer;
    return frame != NULL;
}

tn_status tn__variable_admit(tn_context *context, tn_tensor *variable)
{
    tn__call_frame *frame = context->frame;
    while (frame && !frame->admit)
        frame = frame->outer;
    if (frame)
        TN_TRY(frame->admit(frame, variable));
    return tn__touch(context, variable);
}

tn_status tn__variable_settle(tn_context *context, tn_tensor *variable)
{
    tn__call_frame *owner = tn__owner_frame(context);
    TN_TRY(tn__variable_admit(context, variable));
    return owner && owner->adopt ? owner->adopt(owner, variable) : TN_OK;
}

void *tn__own_made(tn_context *context, void *object)
{
    tn__call_frame *owner = tn__owner_frame(context);
    if (object && owner && owner->adopt && owner->adopt(owner, object) != TN_OK) {
        tn__release(object);
        return NULL;
    }
    return tn__own(object);
}

tn_status tn__body_begin(tn_context *context, const char *what)
{
    if (context->depth >= MOST_DEPTH)
        return tn__fail(TN_RESOURCE_EXHAUSTED, "maximum recursion depth exceeded\n%s was called inside %d other calls: does it call itself?",
                        what, MOST_DEPTH);
    context->depth++;
    return TN_OK;
}

void tn__body_end(tn_context *context)
{
    context->depth--;
}

static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

void tn__making_begin(tn_context *context)
{
    if (context->making++ == 0)
        pthread_mutex_lock(&making);
}

void tn__making_end(tn_context *context)
{
    if (--context->making == 0)
        pthread_mutex_unlock(&making);
}

tn_status tn__run_body(tn_context *context, tn_body body, void *self, tn_list inputs, int training, const char *what, tn_tensor **result)
{
    int outer_training = context->training;
    const char *here = context->here;
    *result = NULL;
    TN_TRY(tn__body_begin(context, what));
    if (training >= 0)
        context->training = training != 0;
    size_t depth = tn__scope_begin(context->here);
    tn_tensor *y = body(self, inputs);
    tn__body_end(context);
    context->training = outer_training;
    if (!y && !tn__failed(context))
        tn__fail(TN_INVALID_ARGUMENT, "%s returned NULL\na body returns a tensor, or tn_tuple(a, b) for several; tn_fail() says why there is none", what);
    if (y && !tn__failed(context) && tn__check_tensor(y, what))
        *result = tn__retain(y);
    if (*result)
        context->here = here; /* the call goes on, whose line that is */
    tn__scope_end(depth);
    return context->error.status;
}

static tn_tensor *rebuild_tuple(const tn_tensor *structure, tn_tensor *const **leaves)
{
    size_t count = structure->of.tuple.count, made = 0;
    tn_tensor **item = tn__alloc(count * sizeof *item), *tuple = NULL;
    if (!item)
        return NULL;
    while (made < count && (item[made] = tn__rebuild(structure->of.tuple.item[made], leaves)))
        made++;
    if (made == count)
        tuple = tn__tuple_new(count, item);
    for (size_t i = 0; i < made; i++)
        tn__release(item[i]);
    tn__free(item);
    return tuple;
}

tn_tensor *tn__rebuild(const tn_tensor *structure, tn_tensor *const **leaves)
{
    if (structure->form == TN__TUPLE)
        return rebuild_tuple(structure, leaves);
    return tn__retain(*(*leaves)++);
}
