/* memory.c - the allocator behind everything. */
#include "base/memory.h"
#include "tenon/sys.h"
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

static void *system_allocate(void *self, void *block, size_t size)
{
    (void)self;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

/* Set before the first use of the library and not changed afterwards, so it needs no lock. */
static tn_allocator allocator = { system_allocate, NULL };

void tn_set_allocator(tn_allocator with)
{
    allocator = with.allocate ? with : (tn_allocator){ system_allocate, NULL };
}

void tn__steady_heap(void)
{
    enum { STEADY = 1 << 20 };
    void *volatile block = allocator.allocate == system_allocate ? malloc(STEADY) : NULL; /* or the compiler leaves both out */
    free(block);
}

void *tn__realloc(void *block, size_t size)
{
    void *moved = allocator.allocate(allocator.self, block, size ? size : 1);
    if (!moved)
        tn__fail_memory(size);
    return moved;
}

void *tn__alloc(size_t size)
{
    return tn__realloc(NULL, size);
}

void *tn__alloc_zeroed(size_t count, size_t size)
{
    size_t bytes;
    if (!tn__size_mul(count, size, &bytes)) {
        tn__fail_memory(SIZE_MAX);
        return NULL;
    }
    void *block = tn__alloc(bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

void tn__free(void *block)
{
    if (block)
        allocator.allocate(allocator.self, block, 0);
}

enum { LINE = 64, PAGE = 4096, WORTH_HUGE_PAGES = 4 << 20 };

/* Fresh memory costs a fault for each page that is touched, so large blocks ask for huge ones. */
static void ask_for_huge_pages(char *block, size_t size)
{
#ifdef MADV_HUGEPAGE
    char *first = (char *)(((uintptr_t)block + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
    if (size >= WORTH_HUGE_PAGES)
        madvise(first, (size_t)(block + size - first) / PAGE * PAGE, MADV_HUGEPAGE);
#else
    (void)block, (void)size;
#endif
}

/* The block's own start stands in the pointer's width before the aligned address. */
void *tn__alloc_aligned(size_t size)
{
    size_t padded;
    if (!tn__size_add(size, LINE + sizeof(void *), &padded)) {
        tn__fail_memory(size);
        return NULL;
    }
    char *block = tn__alloc(padded);
    if (!block)
        return NULL;
    char *aligned = (char *)(((uintptr_t)block + sizeof(void *) + LINE - 1) & ~(uintptr_t)(LINE - 1));
    memcpy(aligned - sizeof(void *), &block, sizeof(void *));
    ask_for_huge_pages(aligned, size);
    return aligned;
}

void tn__free_aligned(void *block)
{
    if (!block)
        return;
    void *start;
    memcpy(&start, (char *)block - sizeof(void *), sizeof(void *));
    tn__free(start);
}

void *tn__memdup(const void *data, size_t size)
{
    void *copy = tn__alloc(size);
    if (copy && size)
        memcpy(copy, data, size);
    return copy;
}

char *tn__strndup(const char *text, size_t size)
{
    char *copy = tn__alloc(size + 1);
    if (copy) {
        memcpy(copy, text, size);
        copy[size] = 0;
    }
    return copy;
}

char *tn__strdup(const char *text)
{
    return text ? tn__strndup(text, strlen(text)) : NULL;
}

tn_status tn__reserve(void **items, size_t *capacity, size_t count, size_t more, size_t item_size)
{
    size_t needed, bytes;
    if (!tn__size_add(count, more, &needed))
        return tn__fail_memory(SIZE_MAX);
    if (needed <= *capacity)
        return TN_OK;
    size_t grown = *capacity < 4 ? 4 : *capacity + *capacity / 2;
    if (grown < needed)
        grown = needed;
    if (!tn__size_mul(grown, item_size, &bytes))
        return tn__fail_memory(SIZE_MAX);
    void *moved = tn__realloc(*items, bytes);
    if (!moved)
        return TN_RESOURCE_EXHAUSTED;
    *items = moved;
    *capacity = grown;
    return TN_OK;
}
