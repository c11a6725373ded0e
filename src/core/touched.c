/* touched.c */
#include "core/touched.h"
#include "core/tensor.h"

void tn__touched_free(tn__touched *touched)
{
    for (size_t i = 0; i < touched->count; i++)
        tn__release(touched->item[i]);
    tn__free(touched->item);
    tn__ids_free(&touched->seen);
    *touched = (tn__touched){ NULL };
}

tn_status tn__touched_add(tn__touched *touched, tn_tensor *variable)
{
    size_t ignored;
    if (tn__ids_get(&touched->seen, variable->id, &ignored))
        return TN_OK;
    TN_TRY(TN__RESERVE(touched, 1));
    TN_TRY(tn__ids_set(&touched->seen, variable->id, 1));
    touched->item[touched->count++] = tn__retain(variable);
    return TN_OK;
}

tn_status tn__touched_merge(tn__touched *into, const tn__touched *touched)
{
    for (size_t i = 0; i < touched->count; i++)
        TN_TRY(tn__touched_add(into, touched->item[i]));
    return TN_OK;
}

tn_status tn__touched_end(tn_context *context, tn__touched *touched)
{
    context->touched = touched->outer;
    touched->outer = NULL;
    return context->touched ? tn__touched_merge(context->touched, touched) : TN_OK;
}
