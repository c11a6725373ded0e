/* program.c - the programs of a graph, one for each signature. */
#include "plan/compile.h"

enum { MOST_PROGRAMS = 16 };

struct tn__programs {
    pthread_mutex_t lock;
    tn__program *first;
    size_t count;
};

void tn__programs_free(tn__programs *programs)
{
    if (!programs)
        return;
    while (programs->first) {
        tn__program *next = programs->first->next;
        tn__program_release(programs->first);
        programs->first = next;
    }
    pthread_mutex_destroy(&programs->lock);
    tn__free(programs);
}

static bool matches(const tn__program *p, const tn__request *r)
{
    if (p->feeds != r->feed_count || p->fetches != r->fetch_count || p->effects != r->effects || p->plain != r->context->plain)
        return false;
    for (size_t i = 0; i < p->feeds; i++)
        if (p->key_id[i] != r->keys[i]->id || p->feed_dtype[i] != (tn_dtype)r->feeds[i]->dtype ||
            !tn__shape_equal(&p->feed_shape[i], &r->feeds[i]->shape))
            return false;
    for (size_t i = 0; i < p->fetches; i++)
        if (p->key_id[p->feeds + i] != r->fetches[i]->id)
            return false;
    return true;
}

static void drop_oldest(tn__programs *cache)
{
    tn__program **at = &cache->first;
    while ((*at)->next)
        at = &(*at)->next;
    tn__program_release(*at);
    *at = NULL;
    cache->count--;
}

static tn_status cache_of(tn_graph *graph, tn__programs **cache)
{
    static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
    if ((*cache = atomic_load_explicit(&graph->programs, memory_order_acquire)))
        return TN_OK;
    pthread_mutex_lock(&making);
    if (!(*cache = graph->programs) && (*cache = tn__alloc_zeroed(1, sizeof **cache))) {
        pthread_mutex_init(&(*cache)->lock, NULL);
        graph->programs = *cache;
    }
    pthread_mutex_unlock(&making);
    return *cache ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

/* A program for this signature, one more user. The lock is held while compiling, so a signature is compiled once. */
static tn_status find_or_compile(const tn__request *request, tn__program **out)
{
    tn__programs *cache;
    TN_TRY(cache_of(request->graph, &cache));
    tn_status status = TN_OK;
    pthread_mutex_lock(&cache->lock);
    tn__program **at = &cache->first, *found = NULL;
    while (*at && !matches(*at, request))
        at = &(*at)->next;
    if (*at) {
        found = *at;
        *at = found->next;
    } else {
        status = tn__program_compile(request, &found);
        cache->count += status == TN_OK;
    }
    if (found) {
        found->next = cache->first;
        cache->first = found;
        tn__count_up(&found->users);
        if (cache->count > MOST_PROGRAMS)
            drop_oldest(cache);
    }
    pthread_mutex_unlock(&cache->lock);
    *out = found;
    return status;
}

tn_status tn__graph_run(tn_context *context, tn_graph *graph, tn_tensor *const *keys, tn_tensor *const *feeds, size_t feed_count,
                        tn_tensor *const *fetches, size_t fetch_count, bool effects, tn_tensor **results)
{
    tn__request request = { context, graph, keys, feeds, feed_count, fetches, fetch_count, effects };
    tn__program *p;
    for (size_t i = 0; i < fetch_count; i++)
        results[i] = NULL;
    TN_TRY(find_or_compile(&request, &p));
    tn_status status = tn__program_run(context, p, feeds, results);
    tn__program_release(p);
    return status;
}
