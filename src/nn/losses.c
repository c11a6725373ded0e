/* losses.c - losses that layers add while they are called, and the penalties of weights. */
#include "nn/layer.h"
#include "nn/object.h"
#include "ops/ops.h"
#include <pthread.h>
#include <string.h>

struct tn__added_losses {
    tn_tensor **item; /* retained */
    size_t count, capacity;
};

/* Threads that share a model may call it at once; each then finds the losses of some call. */
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;

static tn_status add_locked(tn_layer *layer, tn_tensor *loss)
{
    struct tn__added_losses *losses = layer->losses;
    if (!losses) {
        if (!(losses = tn__alloc_zeroed(1, sizeof *losses)))
            return TN_RESOURCE_EXHAUSTED;
        __atomic_store_n(&layer->losses, losses, __ATOMIC_RELEASE);
    }
    TN_TRY(TN__PUSH(losses, loss));
    tn__retain(loss);
    return TN_OK;
}

tn_status tn__losses_add(tn_layer *layer, tn_tensor *loss)
{
    if (tn__context()->shapes_only)
        return TN_OK;
    pthread_mutex_lock(&adding);
    tn_status status = add_locked(layer, loss);
    pthread_mutex_unlock(&adding);
    return status;
}

static void forget(struct tn__added_losses *losses)
{
    while (losses->count > 0)
        tn__release(losses->item[--losses->count]);
}

void tn__losses_free(tn_layer *layer)
{
    if (!layer->losses)
        return;
    forget(layer->losses);
    tn__free(layer->losses->item);
    tn__free(layer->losses);
}

void tn__losses_clear(tn_layer *layer)
{
    struct tn__added_losses *losses = __atomic_load_n(&layer->losses, __ATOMIC_ACQUIRE);
    if (losses) {
        pthread_mutex_lock(&adding);
        forget(losses);
        pthread_mutex_unlock(&adding);
    }
    for (size_t i = 0; i < layer->child.count; i++)
        tn__losses_clear(layer->child.item[i]);
}

/* --- activity_regularizer ----------------------------------------------------------------------------------------------- */
tn_status tn__penalize_output(tn_layer *layer, const char *text, tn_tensor *output)
{
    tn_tensor *loss = tn__penalize(text, output);
    if (loss && !(output->shape.known && output->shape.rank == 0))
        loss = tn_divide_no_nan(loss, tn__rows(output, (tn_dtype)loss->dtype));
    return loss ? tn__losses_add(layer, loss) : tn__errors()->status;
}

tn_status tn__penalize_outputs(tn_layer *layer, tn_tensor *result)
{
    const char *text = layer->activity_regularizer;
    if (!text)
        return TN_OK;
    size_t count = tn__flat_count(result), depth = tn__scope_begin(tn__context()->here);
    tn_tensor **leaves = tn__scope_alloc((count + 1) * sizeof *leaves);
    tn_status status = leaves ? TN_OK : TN_RESOURCE_EXHAUSTED;
    if (leaves)
        tn__flatten(result, leaves);
    for (size_t i = 0; i < count && status == TN_OK; i++)
        if (tn__in(TN__FLOATS, (tn_dtype)leaves[i]->dtype))
            status = tn__penalize_output(layer, text, leaves[i]);
    tn__scope_end(depth);
    return status;
}

/* --- the program's ------------------------------------------------------------------------------------------------------ */
tn_status tn_add_loss(tn_tensor *loss)
{
    TN__ENTER(context, context->error.status);
    const tn__call_frame *frame = context->frame;
    if (!tn__check_tensor(loss, "tn_add_loss: loss"))
        return TN_INVALID_ARGUMENT;
    if (!frame || !frame->layer || frame->phase == TN__IN_INIT || loss->form == TN__TUPLE)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "`add_loss()` can only be called from inside `build()` or `call()`, on a tensor input. Received invalid value: %s",
                        loss->form == TN__TUPLE ? "a tuple" : TN__TENSOR(loss));
    return tn__losses_add(frame->layer, loss);
}

typedef struct {
    tn_tensor **item; /* of the innermost scope */
    size_t count, capacity;
    tn__ids seen;     /* layers by address, so that a shared one counts once */
} found_losses;

static tn_status gather_own(tn_layer *layer, found_losses *found)
{
    tn_status status = TN_OK;
    pthread_mutex_lock(&adding);
    for (size_t i = 0; layer->losses && i < layer->losses->count && status == TN_OK; i++) {
        tn_tensor *loss = tn__own_shared(layer->losses->item[i]);
        status = loss ? TN__PUSH(found, loss) : TN_RESOURCE_EXHAUSTED;
    }
    pthread_mutex_unlock(&adding);
    return status;
}

static tn_status gather_added(tn_layer *layer, found_losses *found)
{
    size_t ignored;
    if (tn__ids_get(&found->seen, (uint64_t)(uintptr_t)layer, &ignored))
        return TN_OK;
    TN_TRY(tn__ids_set(&found->seen, (uint64_t)(uintptr_t)layer, 1));
    TN_TRY(gather_own(layer, found));
    for (size_t i = 0; i < layer->child.count; i++)
        TN_TRY(gather_added(layer->child.item[i], found));
    return TN_OK;
}

static tn_status gather_penalties(tn_layer *layer, found_losses *found)
{
    tn__weight_list weights = { 0 };
    tn_status status = tn__collect_weights(layer, TN__TRAINABLE_WEIGHTS, &weights);
    for (size_t i = 0; i < weights.count && status == TN_OK; i++) {
        const char *text = weights.item[i]->of.variable->regularizer;
        tn_tensor *loss = text ? tn__penalize(text, weights.item[i]) : NULL;
        if (text)
            status = loss ? TN__PUSH(found, loss) : tn__errors()->status;
    }
    tn__weight_list_free(&weights);
    return status;
}

tn_list tn_losses(tn_layer *layer)
{
    tn_list none = { 0, NULL };
    TN__ENTER(context, none);
    (void)context;
    if (!tn__check_layer(layer, "tn_losses: layer"))
        return none;
    found_losses found = { 0 };
    tn_status status = gather_added(layer, &found);
    if (status == TN_OK)
        status = gather_penalties(layer, &found);
    tn_tensor **items = status == TN_OK ? tn__scope_alloc((found.count + 1) * sizeof *items) : NULL;
    if (items && found.count)
        memcpy(items, found.item, found.count * sizeof *items);
    tn__ids_free(&found.seen);
    tn__free(found.item);
    return items ? (tn_list){ found.count, items } : none;
}
