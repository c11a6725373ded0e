/* context.c - the thread's context: its own stands in thread-local storage, so finding it cannot fail. */
#include "core/hooks.h"
#include "kernels/parallel.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Thread_local tn_context *tn__current __attribute__((tls_model("initial-exec")));

static _Thread_local tn_context own_context;
static pthread_key_t end_of_thread;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void context_init(tn_context *context)
{
    const char *plan = getenv("TN_PLAN");
    *context = (tn_context){ .name_scope = "", .training = -1, .plain = plan && strcmp(plan, "off") == 0 };
    context->error.text = context->error.fixed;
    tn__pool_join(context);
    tn__hooks.begin(context);
}

static void report_untaken(tn_context *context)
{
    const char *here = tn__failed_at(context);
    if (context->error.status != TN_OK)
        fprintf(stderr, "%s%s%s\n", here ? here : "", here ? ": " : "", context->error.text);
}

static void context_clear(tn_context *context)
{
    tn_context *previous = tn__current;
    tn__current = context;
    report_untaken(context);
    tn__fail_clear();
    tn__scope_end(0);
    tn__hooks.free_rooms(context);
    tn__assign_object(&context->default_graph, NULL);
    tn__assign_object(&context->store, NULL);
    tn__random_state_free(&context->random);
    for (size_t i = 0; i < context->entered.count; i++) /* a thread that ends inside a TN_WITH */
        tn__release(context->entered.item[i].scope);
    tn__pool_leave(context);
    tn__free_aligned(context->scratch.block);
    context->scratch.block = NULL;
    context->scratch.size = 0;
    tn__spare_free(&context->spare);
    tn__free(context->owned.item);
    tn__free(context->memory.item);
    tn__free(context->entered.item);
    tn__fail_clear();
    context->name_scope = NULL; /* it is no longer in use */
    tn__current = previous == context ? NULL : previous;
}

static void thread_ends(void *context)
{
    context_clear(context);
    tn__current = NULL;
}

static void program_ends(void)
{
    if (tn__current == &own_context)
        thread_ends(&own_context);
}

static void make_key(void)
{
    pthread_key_create(&end_of_thread, thread_ends);
    atexit(program_ends);
    tn__steady_heap();
}

tn_context *tn__context_attach(void)
{
    pthread_once(&once, make_key);
    if (!own_context.name_scope) /* it is in use when another one, put in its place, was freed */
        context_init(&own_context);
    pthread_setspecific(end_of_thread, &own_context);
    tn__limit_lanes(own_context.lanes);
    return tn__current = &own_context;
}

tn__error_state *tn__errors(void)
{
    return &tn__context()->error;
}

void *tn__scratch(tn_context *context, size_t size)
{
    if (size <= context->scratch.size)
        return context->scratch.block;
    tn__free_aligned(context->scratch.block);
    context->scratch.block = tn__alloc_aligned(size);
    context->scratch.size = context->scratch.block ? size : 0;
    return context->scratch.block;
}

/* Each thread takes numbers from a block of its own: block n holds n << 16 | 1 to (n + 1) << 16. */
uint64_t tn__next_ids(tn_context *context, size_t count)
{
    static _Atomic uint64_t next_block = 1;
    uint64_t left = -context->next_id & TN__ID_BITS;
    if (left < count)
        context->next_id = atomic_fetch_add(&next_block, (count >> 16) + 1) << 16;
    context->next_id += count;
    return context->next_id - count + 1;
}

tn_context *tn_context_new(void)
{
    tn__context();
    tn_context *context = tn__alloc_zeroed(1, sizeof *context);
    if (context)
        context_init(context);
    return context;
}

void tn_context_free(tn_context *context)
{
    if (!context)
        return;
    context_clear(context);
    tn__free(context);
}

tn_context *tn_context_swap(tn_context *context)
{
    tn_context *previous = tn__context();
    tn__current = context && context != &own_context ? context : NULL;
    if (!tn__current)
        tn__context_attach();
    tn__limit_lanes(tn__current->lanes);
    return previous;
}

tn_status tn_set_intra_op_parallelism_threads(int count)
{
    TN__ENTER(context, context->error.status);
    if (count < 0)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_set_intra_op_parallelism_threads: a number of threads or 0, not %d", count);
    context->lanes = count;
    tn__limit_lanes(count);
    return TN_OK;
}

int tn_get_intra_op_parallelism_threads(void)
{
    return tn__context()->lanes;
}

void tn_here(const char *here)
{
    tn__set_here(tn__context(), here);
}
