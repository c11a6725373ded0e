/* arena.h - memory of things that end together: many small pieces, freed at once. */
#ifndef TN_BASE_ARENA_H
#define TN_BASE_ARENA_H
#include "base/memory.h"

/* All zero is empty and without a limit. */
typedef struct {
    struct tn__arena_block *block;
    size_t used, limit; /* bytes handed out, and how many may be; 0: as many as there are */
} tn__arena;
/* Zeroed, aligned for anything, as long as the arena. NULL and TN_RESOURCE_EXHAUSTED when there is
 * none left or the limit is reached. */
void *tn__arena_alloc(tn__arena *arena, size_t size);
/* Copies, NUL-terminated. NULL gives NULL, without an error. */
char *tn__arena_text(tn__arena *arena, const char *text);
char *tn__arena_text_of(tn__arena *arena, const void *data, size_t size);
char *tn__arena_print(tn__arena *arena, const char *format, ...) TN_PRINTF(2, 3);
void tn__arena_free(tn__arena *arena); /* the arena is empty afterwards */

/* A list whose items are in an arena. */
#define TN__LIST_OF(type)       \
    struct {                    \
        type *item;             \
        size_t count, capacity; \
    }
/* One more item at the end of such a list: a pointer to it, zeroed, or NULL and an error. It moves
 * when the list grows. */
#define TN__ARENA_ADD(arena, v)                                                  \
    (tn__arena_grow((arena), (void **)&(v)->item, &(v)->capacity, (v)->count, 1, \
                    sizeof *(v)->item) == TN_OK                                  \
         ? &(v)->item[(v)->count++]                                              \
         : NULL)
/* Room for `more` zeroed items behind count. */
tn_status tn__arena_grow(tn__arena *arena, void **items, size_t *capacity, size_t count,
                         size_t more, size_t item_size);

#endif
