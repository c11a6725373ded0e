/* memory.h - all memory of the library comes from here, so that a host can set the allocator and tests can count and refuse. */
#ifndef TN_BASE_MEMORY_H
#define TN_BASE_MEMORY_H
#include "base/status.h"

/* A cache line: what memory of several threads is cut by, so that no two write to one. */
enum { TN__LINE = 64 };
static inline size_t tn__whole_lines(size_t bytes)
{
    return (bytes + TN__LINE - 1) / TN__LINE * TN__LINE;
}

/* Does a sanitizer look for uses of freed memory? Then none is kept back, and none stands within other. */
#ifdef __SANITIZE_ADDRESS__
enum { TN__SANITIZED = true };
#elif defined __has_feature
enum { TN__SANITIZED = __has_feature(address_sanitizer) };
#else
enum { TN__SANITIZED = false };
#endif

/* NULL and a TN_RESOURCE_EXHAUSTED error when there is none left. A size of 0 gives a pointer that can be freed. */
void *tn__alloc(size_t size);
void *tn__alloc_zeroed(size_t count, size_t size);           /* checks count * size */
void *tn__alloc_aligned(size_t size);                        /* 64-byte aligned; free with tn__free_aligned */
void *tn__realloc(void *block, size_t size);
void tn__free(void *block);
void tn__free_aligned(void *block);
/* Small blocks that were freed and wait for the next of their size: those of one thread, 256 KB of them at most. All zero is empty. */
enum { TN__SPARE_SIZES = 64 };
typedef struct {
    void *first[TN__SPARE_SIZES];
    size_t bytes;
} tn__spare;
/* tn__alloc_aligned() and tn__free_aligned() by way of them; a block of the one may be freed by the other. */
void *tn__alloc_spare(tn__spare *spare, size_t size);
void tn__free_spare(tn__spare *spare, void *block);
void tn__spare_free(tn__spare *spare);
char *tn__strdup(const char *text);                          /* NULL gives NULL, without an error */
char *tn__strndup(const char *text, size_t size);
void *tn__memdup(const void *data, size_t size);

/* Once, at the beginning: the C library learns how large the blocks are that come and go. Before it has seen one freed, glibc returns
 * the end of its heap to the system at 128 KB, and a program whose step needs as much would ask for it anew in every step. */
void tn__steady_heap(void);

/* Sum and product that cannot wrap: false when they would. */
static inline bool tn__size_add(size_t a, size_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}
static inline bool tn__size_mul(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

/* Room for `more` items behind v->count in any struct { T *item; size_t count, capacity; }. */
#define TN__RESERVE(v, more) \
    ((v)->capacity - (v)->count >= (size_t)(more) ? TN_OK : tn__reserve((void **)&(v)->item, &(v)->capacity, (v)->count, (more), sizeof *(v)->item))
tn_status tn__reserve(void **items, size_t *capacity, size_t count, size_t more, size_t item_size);
/* Appends one value: a tn_status. */
#define TN__PUSH(v, value) \
    (TN__RESERVE(v, 1) == TN_OK ? ((v)->item[(v)->count++] = (value), TN_OK) : TN_RESOURCE_EXHAUSTED)

#endif
