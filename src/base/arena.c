/* arena.c - blocks in a chain; a piece comes out of the newest, or is a block of its own. */
#include "base/arena.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdalign.h>
#include <stddef.h>
#include <string.h>

enum { BLOCK = 8000, ALIGNMENT = alignof(max_align_t) };

struct tn__arena_block {
    struct tn__arena_block *before;
    size_t used, size;
    alignas(max_align_t) uint8_t data[];
};

static struct tn__arena_block *add_block(tn__arena *arena, size_t size)
{
    size_t whole;
    if (!tn__size_add(sizeof(struct tn__arena_block), size, &whole)) {
        tn__fail_memory(size);
        return NULL;
    }
    struct tn__arena_block *block = tn__alloc(whole);
    if (block)
        *block = (struct tn__arena_block){ .before = arena->block, .size = size };
    return block;
}

/* A piece of its own goes behind the newest block, whose rest stays in use. */
static void *alloc_large(tn__arena *arena, size_t size)
{
    struct tn__arena_block *block = add_block(arena, size);
    if (!block)
        return NULL;
    block->used = size;
    if (arena->block) {
        block->before = arena->block->before;
        arena->block->before = block;
    } else {
        arena->block = block;
    }
    return memset(block->data, 0, size);
}

static bool count_used(tn__arena *arena, size_t size)
{
    size_t used;
    if (tn__size_add(arena->used, size, &used) && (!arena->limit || used <= arena->limit)) {
        arena->used = used;
        return true;
    }
    tn__fail(TN_RESOURCE_EXHAUSTED, "the limit of %zu bytes for what a file decodes to is reached",
             arena->limit);
    return false;
}

void *tn__arena_alloc(tn__arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT) {
        tn__fail_memory(size);
        return NULL;
    }
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!count_used(arena, size))
        return NULL;
    if (size > BLOCK / 4)
        return alloc_large(arena, size);
    if (!arena->block || arena->block->size - arena->block->used < size) {
        struct tn__arena_block *block = add_block(arena, BLOCK);
        if (!block)
            return NULL;
        arena->block = block;
    }
    void *piece = arena->block->data + arena->block->used;
    arena->block->used += size;
    return memset(piece, 0, size);
}

char *tn__arena_text_of(tn__arena *arena, const void *data, size_t size)
{
    size_t whole;
    if (!tn__size_add(size, 1, &whole)) {
        tn__fail_memory(size);
        return NULL;
    }
    char *copy = tn__arena_alloc(arena, whole);
    if (copy && size)
        memcpy(copy, data, size);
    return copy;
}

char *tn__arena_text(tn__arena *arena, const char *text)
{
    return text ? tn__arena_text_of(arena, text, strlen(text)) : NULL;
}

char *tn__arena_print(tn__arena *arena, const char *format, ...)
{
    tn__text text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    tn__text_add_v(&text, format, arguments);
    va_end(arguments);
    const char *built = tn__text_get(&text);
    char *copy = text.failed ? NULL : tn__arena_text(arena, built);
    tn__text_free(&text);
    return copy;
}

tn_status tn__arena_grow(tn__arena *arena, void **items, size_t *capacity, size_t count,
                         size_t more, size_t item_size)
{
    size_t needed, bytes;
    if (!tn__size_add(count, more, &needed))
        return tn__fail_memory(SIZE_MAX);
    if (needed <= *capacity)
        return TN_OK;
    size_t grown = needed < *capacity * 2 ? *capacity * 2 : needed;
    if (!tn__size_mul(grown, item_size, &bytes))
        return tn__fail_memory(SIZE_MAX);
    void *moved = tn__arena_alloc(arena, bytes);
    if (!moved)
        return TN_RESOURCE_EXHAUSTED;
    if (count)
        memcpy(moved, *items, count * item_size);
    *items = moved;
    *capacity = grown;
    return TN_OK;
}

void tn__arena_free(tn__arena *arena)
{
    for (struct tn__arena_block *block = arena->block, *before; block; block = before) {
        before = block->before;
        tn__free(block);
    }
    *arena = (tn__arena){ .limit = arena->limit };
}
