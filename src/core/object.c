/* object.c - blocks, counts, and the memory scopes that own what functions return. */
#include "core/context.h"
#include "base/text.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BLOCKS = 64, MOST_FREE = 1 << 16 };

const tn__type tn__type_dead = { .name = "dead handle" };

/* What a dead block remembers, behind its object head. */
typedef struct {
    tn__object object;
    tn__object *next;
    const char *name;   /* what it was */
    const char *opened; /* the memory scope it died with, or NULL */
} dead_block;

typedef struct chunk {
    struct chunk *next;
} chunk;

/* The process's: chunks of blocks, dead blocks of threads that ended, and the contexts, each of which counts what it makes and
 * destroys, so that making costs no more than an addition. */
static struct {
    pthread_mutex_t lock;
    chunk *chunks;
    tn__object *first, *last;
    size_t count;
    tn_context *contexts;
    int64_t live; /* of contexts that are gone */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

size_t tn_live_handles(void)
{
    pthread_mutex_lock(&pool.lock);
    int64_t live = pool.live;
    for (tn_context *context = pool.contexts; context; context = context->next)
        live += atomic_load_explicit(&context->live, memory_order_relaxed);
    pthread_mutex_unlock(&pool.lock);
    return (size_t)live;
}

/* Only the context's own thread writes. */
static void count_live(tn_context *context, int64_t more)
{
    atomic_store_explicit(&context->live, atomic_load_explicit(&context->live, memory_order_relaxed) + more, memory_order_relaxed);
}

static tn__object **next_of(tn__object *block)
{
    return &((dead_block *)(void *)block)->next;
}

static void queue_add(tn_context *context, tn__object *block)
{
    *next_of(block) = NULL;
    if (context->free_last)
        *next_of(context->free_last) = block;
    else
        context->free_first = block;
    context->free_last = block;
    context->free_count++;
}

static tn_status refill(tn_context *context)
{
    pthread_mutex_lock(&pool.lock);
    if (pool.first) {
        context->free_first = pool.first;
        context->free_last = pool.last;
        context->free_count = pool.count;
        pool.first = pool.last = NULL;
        pool.count = 0;
    }
    pthread_mutex_unlock(&pool.lock);
    if (context->free_first)
        return TN_OK;
    char *memory = tn__alloc_aligned((CHUNK_BLOCKS + 1) * (size_t)TN__BLOCK);
    if (!memory)
        return TN_RESOURCE_EXHAUSTED;
    pthread_mutex_lock(&pool.lock);
    chunk *head = (chunk *)(void *)memory;
    head->next = pool.chunks;
    pool.chunks = head;
    pthread_mutex_unlock(&pool.lock);
    for (int i = 1; i <= CHUNK_BLOCKS; i++) {
        tn__object *block = (tn__object *)(void *)(memory + i * TN__BLOCK);
        memset(block, 0, TN__BLOCK);
        block->type = &tn__type_dead;
        queue_add(context, block);
    }
    return TN_OK;
}

void tn__pool_join(tn_context *context)
{
    pthread_mutex_lock(&pool.lock);
    context->next = pool.contexts;
    if (context->next)
        context->next->previous = &context->next;
    context->previous = &pool.contexts;
    pool.contexts = context;
    pthread_mutex_unlock(&pool.lock);
}

static void return_blocks(tn_context *context)
{
    if (!context->free_first)
        return;
    pthread_mutex_lock(&pool.lock);
    *next_of(context->free_last) = pool.first;
    if (!pool.first)
        pool.last = context->free_last;
    pool.first = context->free_first;
    pool.count += context->free_count;
    pthread_mutex_unlock(&pool.lock);
    context->free_first = context->free_last = NULL;
    context->free_count = 0;
}

void tn__pool_leave(tn_context *context)
{
    return_blocks(context);
    pthread_mutex_lock(&pool.lock);
    *context->previous = context->next;
    if (context->next)
        context->next->previous = context->previous;
    pool.live += atomic_load_explicit(&context->live, memory_order_relaxed);
    pthread_mutex_unlock(&pool.lock);
}

/* memset() of a known length becomes an instruction here that takes longer to begin than to end. */
static void clear(void *block)
{
    typedef uint64_t pair __attribute__((vector_size(16), may_alias));
    pair *at = block;
#pragma GCC unroll 16
    for (size_t i = 0; i < TN__BLOCK / sizeof *at; i++)
        at[i] = (pair){ 0 };
}

void *tn__object_new(const tn__type *type)
{
    tn_context *context = tn__context();
    if (!context->free_first && refill(context) != TN_OK)
        return NULL;
    tn__object *block = context->free_first;
    context->free_first = *next_of(block);
    context->free_count--;
    if (!context->free_first)
        context->free_last = NULL;
    clear(block);
    block->type = type;
    atomic_init(&block->count, 1);
    count_live(context, 1);
    return block;
}

void *tn__retain(void *object)
{
    if (object)
        tn__count_up(&((tn__object *)object)->count);
    return object;
}

static void destroy(tn_context *context, tn__object *object)
{
    const tn__type *type = object->type;
    if (type->destroy)
        type->destroy(object);
    dead_block *dead = (dead_block *)(void *)object;
    *dead = (dead_block){ .object = { .type = &tn__type_dead }, .name = type->name };
    if (context->memory.count > 0)
        dead->opened = context->memory.item[context->memory.count - 1].here;
    queue_add(context, object);
    count_live(context, -1);
    if (context->free_count > MOST_FREE) /* a thread that only frees must not keep what others need */
        return_blocks(context);
}

/* An object that dies while another is being destroyed waits in `pending`, linked through the count's place, so that a chain of
 * a million nodes does not need a million stack frames. */
static __attribute__((noinline)) void release_last(tn__object *object)
{
    tn_context *context = tn__context();
    if (context->destroying) {
        /* The block's tail is free for the link: no handle is that long (TN__HANDLE_SIZE checks each type). */
        memcpy((char *)object + TN__BLOCK - sizeof(void *), &context->pending, sizeof(void *));
        context->pending = object;
        return;
    }
    context->destroying = true;
    destroy(context, object);
    while (context->pending) {
        object = context->pending;
        memcpy(&context->pending, (char *)object + TN__BLOCK - sizeof(void *), sizeof(void *));
        destroy(context, object);
    }
    context->destroying = false;
}

void tn__release(void *handle)
{
    tn__object *object = handle;
    if (object && tn__count_down(&object->count))
        release_last(object);
}

void tn__assign_object(void *field, void *object)
{
    void *old;
    memcpy(&old, field, sizeof old);
    tn__retain(object);
    memcpy(field, &object, sizeof object);
    tn__release(old);
}

enum { KIND_OF_TENSOR = 1 }; /* as TN_KIND */

#define KEEP "tn_keep() hands a handle one memory scope out; tn_keep_root() keeps what a program stores in a place of its own"

static const char *a_or_an(const char *noun)
{
    return strchr("aeio", noun[0]) ? "an" : "a";
}

static void fail_freed(const dead_block *dead, const char *what)
{
    const char *name = dead->name ? dead->name : "handle";
    tn__fail(TN_INVALID_ARGUMENT, "%s is %s %s that has been freed%s%s\n" KEEP, what, a_or_an(name), name,
             dead->opened ? ", with the memory scope opened at " : "", dead->opened ? dead->opened : "");
}

bool tn__check(const void *handle, const tn__type *type, const char *what)
{
    const tn__object *object = handle;
    if (object && object->type == type)
        return true;
    if (!object) {
        tn__fail(TN_INVALID_ARGUMENT, "%s is NULL%s", what, type->kind == KIND_OF_TENSOR ? " (an unconnected gradient?)" : "");
    } else if (object->type == &tn__type_dead) {
        fail_freed(handle, what);
    } else {
        const char *name = type->name, *other = object->type->name;
        tn__fail(TN_INVALID_ARGUMENT, "%s must be %s %s, got %s %s\nwhat was freed may be something else by now: " KEEP, what, a_or_an(name),
                 name, a_or_an(other), other);
    }
    return false;
}

/* --- memory of a scope ------------------------------------------------------------------------------------------------ */
/* As all small memory, a short list stands in the handle itself. */
typedef struct {
    tn__object object;
    void *data;
    _Alignas(16) char small[TN__BLOCK - 48];
} scope_memory;
TN__HANDLE_SIZE(scope_memory);

static void scope_memory_destroy(void *object)
{
    scope_memory *memory = object;
    if (memory->data != memory->small)
        tn__free(memory->data);
}

static const tn__type type_memory = { .name = "memory", .destroy = scope_memory_destroy };

static bool holds_memory(const tn__object *object, const void *data)
{
    return object->type == &type_memory && ((const scope_memory *)(const void *)object)->data == data;
}

/* --- memory scopes ---------------------------------------------------------------------------------------------------- */
static tn_status open_root(tn_context *context)
{
    if (context->memory.count > 0)
        return TN_OK;
    return TN__PUSH(&context->memory, ((tn__memory_mark){ 0, NULL }));
}

void *tn__own(void *object)
{
    if (!object)
        return NULL;
    tn_context *context = tn__context();
    if (open_root(context) != TN_OK || TN__PUSH(&context->owned, object) != TN_OK) {
        tn__release(object);
        return NULL;
    }
    return object;
}

void *tn__own_shared(void *object)
{
    return tn__own(tn__retain(object));
}

size_t tn__scope_begin(const char *here)
{
    tn_context *context = tn__context();
    size_t depth = context->memory.count;
    if (open_root(context) == TN_OK) {
        depth = context->memory.count;
        (void)!TN__PUSH(&context->memory, ((tn__memory_mark){ context->owned.count, here }));
    }
    return depth;
}

void tn__scope_end(size_t depth)
{
    tn_context *context = tn__context();
    while (context->memory.count > depth) {
        size_t mark = context->memory.item[context->memory.count - 1].mark;
        while (context->owned.count > mark)
            tn__release(context->owned.item[--context->owned.count]);
        context->memory.count--;
    }
}

/* The place of an object in the list, searched from its end and not below `mark`; SIZE_MAX when it is not there. */
static size_t find_owned(const tn_context *context, const void *object, size_t mark)
{
    for (size_t i = context->owned.count; i-- > mark;)
        if (context->owned.item[i] == object)
            return i;
    return SIZE_MAX;
}

/* Moves entry `at` out of every scope above level: to the end of that level's part, whose mark above it rises. */
static void move_out(tn_context *context, size_t at, size_t level)
{
    for (size_t i = context->memory.count; i-- > level + 1;) {
        size_t *mark = &context->memory.item[i].mark;
        if (*mark > at)
            continue;
        tn__object *kept = context->owned.item[at];
        context->owned.item[at] = context->owned.item[*mark];
        context->owned.item[*mark] = kept;
        at = (*mark)++;
    }
}

void tn__scope_keep(void *object)
{
    tn_context *context = tn__context();
    if (context->memory.count < 2)
        return;
    size_t level = context->memory.count - 2;
    size_t at = find_owned(context, object, context->memory.item[level + 1].mark);
    if (at != SIZE_MAX)
        move_out(context, at, level);
}

static bool check_handle(void *handle, const char *what)
{
    if (!handle) /* NULL in gives NULL out; the cause is kept already, or this is the cause */
        tn__fail(TN_INVALID_ARGUMENT, "%s is NULL (an unconnected gradient?)", what);
    return handle && tn__check(handle, ((tn__object *)handle)->type == &tn__type_dead ? NULL : ((tn__object *)handle)->type, what);
}

void *tn_keep_handle(int kind, void *handle, const char *here)
{
    (void)kind;
    TN__ENTER(context, NULL);
    tn__set_here(context, here);
    if (!check_handle(handle, "tn_keep: handle"))
        return NULL;
    tn__scope_keep(handle);
    return handle;
}

void *tn_keep_root_handle(int kind, void *handle, const char *here)
{
    (void)kind;
    TN__ENTER(context, NULL);
    tn__set_here(context, here);
    if (!check_handle(handle, "tn_keep_root: handle"))
        return NULL;
    size_t at = find_owned(context, handle, 0);
    if (at == SIZE_MAX && tn__own_shared(handle)) /* another thread's, or held by an object alone */
        at = context->owned.count - 1;
    if (at == SIZE_MAX)
        return NULL;
    move_out(context, at, 0);
    return handle;
}

tn_list tn_keep_list(tn_list list)
{
    TN__ENTER(context, ((tn_list){ 0, NULL }));
    for (size_t i = 0; i < list.count && list.item; i++)
        if (list.item[i])
            tn__scope_keep(list.item[i]);
    size_t mark = context->memory.count ? context->memory.item[context->memory.count - 1].mark : 0;
    for (size_t i = context->owned.count; i-- > mark;)
        if (holds_memory(context->owned.item[i], list.item)) {
            tn__scope_keep(context->owned.item[i]);
            break;
        }
    return list;
}

void tn_free_handle(int kind, void *handle)
{
    (void)kind;
    tn_context *context = tn__context();
    size_t at = handle ? find_owned(context, handle, 0) : SIZE_MAX;
    if (at == SIZE_MAX)
        return;
    /* Leaves no hole: the entry moves to the end of its level, and through every level above. */
    for (size_t level = 0; level <= context->memory.count; level++) {
        size_t end = level + 1 < context->memory.count ? context->memory.item[level + 1].mark : context->owned.count;
        if (at >= end)
            continue;
        context->owned.item[at] = context->owned.item[end - 1];
        at = end - 1;
        if (level + 1 < context->memory.count)
            context->memory.item[level + 1].mark--;
    }
    context->owned.count--;
    tn__release(handle);
}

void *tn_retain(int kind, void *handle)
{
    (void)kind;
    return tn__retain(handle);
}

void tn_release(int kind, void *handle)
{
    (void)kind;
    tn__release(handle);
}

size_t tn_scope_depth(void)
{
    return tn__context()->memory.count;
}

void tn_scope_push(void)
{
    tn__scope_begin(tn__context()->here);
}

void tn_scope_pop(size_t depth)
{
    tn__scope_end(depth);
}

void *tn__scope_alloc(size_t size)
{
    scope_memory *memory = tn__object_new(&type_memory);
    if (!memory)
        return NULL;
    memory->data = size <= sizeof memory->small && !TN__SANITIZED ? memory->small : tn__alloc(size);
    if (!memory->data) {
        tn__release(memory);
        return NULL;
    }
    return tn__own(memory) ? memory->data : NULL;
}

char *tn__scope_strdup(const char *text)
{
    char *copy = tn__scope_alloc(strlen(text) + 1);
    return copy ? strcpy(copy, text) : NULL;
}

char *tn__scope_print(const char *format, ...)
{
    tn__text text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    tn__text_add_v(&text, format, arguments);
    va_end(arguments);
    const char *built = tn__text_get(&text);
    char *copy = text.failed ? NULL : tn__scope_strdup(built);
    tn__text_free(&text);
    return copy;
}

/* The chunks are reachable until the process ends; this keeps leak checkers and valgrind quiet about them. */
__attribute__((destructor)) static void free_pool(void)
{
    if (tn_live_handles() > 0)
        return;
    while (pool.chunks) {
        chunk *next = pool.chunks->next;
        tn__free_aligned(pool.chunks);
        pool.chunks = next;
    }
    pool.first = pool.last = NULL;
}
