/* memory.c - the allocator behind everything. */
#include "base/memory.h"
#include "tenon/sys.h"
#include <pthread.h>
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

/* Called, not copied into the 300 places that ask for memory: the call is little beside what it does. */
__attribute__((noinline)) void *tn__realloc(void *block, size_t size)
{
    void *moved = allocator.allocate(allocator.self, block, size ? size : 1);
    if (!moved)
        tn__fail_memory(size);
    return moved;
}

__attribute__((noinline)) void *tn__alloc(size_t size)
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

enum { PAGE = 4096, WORTH_HUGE_PAGES = 4 << 20 };

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

/* Large blocks that were freed, latest first, kept for the next that wants such a size: the system would clear every page of a new one.
 * Not those of a host's allocator, nor where a sanitizer looks for uses of freed memory. Whoever finds the lock taken does without. */
enum { KEPT = 8, WORTH_KEEPING = 1 << 20, MOST_KEPT = 128 << 20 };
typedef struct {
    char *start;
    size_t size;
} kept_block;
static struct {
    pthread_mutex_t lock;
    kept_block item[KEPT];
    size_t count, bytes;
} kept = { .lock = PTHREAD_MUTEX_INITIALIZER };

static bool may_keep(size_t size)
{
    return !TN__SANITIZED && size >= WORTH_KEEPING && size <= MOST_KEPT && allocator.allocate == system_allocate;
}

static kept_block take_kept(size_t place)
{
    kept_block taken = kept.item[place];
    memmove(&kept.item[place], &kept.item[place + 1], (--kept.count - place) * sizeof taken);
    kept.bytes -= taken.size;
    return taken;
}

/* One that is not much too large; or nothing. */
static kept_block find_kept(size_t size)
{
    kept_block found = { NULL, 0 };
    if (!may_keep(size) || pthread_mutex_trylock(&kept.lock) != 0)
        return found;
    for (size_t i = 0; i < kept.count && !found.start; i++)
        if (kept.item[i].size >= size && kept.item[i].size - size <= size / 8)
            found = take_kept(i);
    pthread_mutex_unlock(&kept.lock);
    return found;
}

static void keep(kept_block block)
{
    if (!may_keep(block.size) || pthread_mutex_trylock(&kept.lock) != 0) {
        tn__free(block.start);
        return;
    }
    while (kept.count == KEPT || kept.bytes > MOST_KEPT - block.size)
        tn__free(take_kept(kept.count - 1).start);
    memmove(&kept.item[1], kept.item, kept.count++ * sizeof block);
    kept.item[0] = block;
    kept.bytes += block.size;
    pthread_mutex_unlock(&kept.lock);
}

/* Where the block starts, and how long it is, stands before the aligned address. */
static kept_block whole_of(const void *block)
{
    kept_block whole;
    memcpy(&whole, (const char *)block - sizeof whole, sizeof whole);
    return whole;
}

void *tn__alloc_aligned(size_t size)
{
    size_t padded;
    if (!tn__size_add(size, TN__LINE + sizeof(kept_block), &padded)) {
        tn__fail_memory(size);
        return NULL;
    }
    kept_block block = find_kept(padded);
    bool fresh = !block.start;
    if (fresh)
        block = (kept_block){ tn__alloc(padded), padded };
    if (!block.start)
        return NULL;
    char *aligned = (char *)(((uintptr_t)block.start + sizeof block + TN__LINE - 1) & ~(uintptr_t)(TN__LINE - 1));
    memcpy(aligned - sizeof block, &block, sizeof block);
    if (fresh)
        ask_for_huge_pages(aligned, size);
    return aligned;
}

void tn__free_aligned(void *block)
{
    if (block)
        keep(whole_of(block));
}

/* --- small blocks ------------------------------------------------------------------------------------------------------- */
/* What comes and goes with every op: the C library takes long over those that are above its own lists' 1 KB. A list has the sizes that
 * are equal modulo its number; only its first block is looked at. */
enum { MOST_SPARE = 1 << 14, MOST_SPARE_BYTES = 1 << 18 };

static void **spare_list(tn__spare *spare, size_t padded)
{
    return &spare->first[padded / TN__LINE % TN__SPARE_SIZES];
}

void *tn__alloc_spare(tn__spare *spare, size_t size)
{
    size_t padded;
    if (TN__SANITIZED || size > MOST_SPARE)
        return tn__alloc_aligned(size);
    size = tn__whole_lines(size);
    padded = size + TN__LINE + sizeof(kept_block);
    void **list = spare_list(spare, padded), *block = *list;
    if (!block || whole_of(block).size != padded)
        return tn__alloc_aligned(size);
    memcpy(list, block, sizeof *list);
    spare->bytes -= padded;
    return block;
}

void tn__free_spare(tn__spare *spare, void *block)
{
    size_t size = whole_of(block).size;
    if (TN__SANITIZED || size > MOST_SPARE || allocator.allocate != system_allocate) {
        tn__free_aligned(block);
        return;
    }
    if (spare->bytes + size > MOST_SPARE_BYTES) /* of sizes, it may be, that are no longer wanted */
        tn__spare_free(spare);
    void **list = spare_list(spare, size);
    memcpy(block, list, sizeof *list);
    *list = block;
    spare->bytes += size;
}

void tn__spare_free(tn__spare *spare)
{
    for (int i = 0; i < TN__SPARE_SIZES; i++)
        for (void *block = spare->first[i], *next; block; block = next) {
            memcpy(&next, block, sizeof next);
            tn__free_aligned(block);
        }
    *spare = (tn__spare){ .bytes = 0 };
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
