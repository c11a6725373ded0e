/* fuzz.h - what the fuzzers of models share. */
#ifndef TN_SAVING_FUZZ_H
#define TN_SAVING_FUZZ_H
#include "tenon.h"
#include "tenon/sys.h"
#include <malloc.h>
#include <stdlib.h>

/* So many bytes at a time are enough for any model that a small file describes in earnest. */
enum { FUZZ_MEMORY = 1 << 26 };

static inline void *fuzz_allocate(void *self, void *block, size_t size)
{
    size_t *live = self, before = block ? malloc_usable_size(block) : 0;
    if (size > FUZZ_MEMORY || *live - before > FUZZ_MEMORY - size)
        return NULL;
    void *moved = size ? realloc(block, size) : NULL;
    if (size == 0)
        free(block);
    if (moved || size == 0)
        *live += (moved ? malloc_usable_size(moved) : 0) - before;
    return moved;
}

static inline void fuzz_silence(void *self, tn_sink_kind kind, const char *text, size_t size)
{
    (void)self, (void)kind, (void)text, (void)size;
}

/* Nothing is printed, and memory ends early: a config may ask for any amount. */
static inline void fuzz_begin(void)
{
    static size_t live;
    tn_set_allocator((tn_allocator){ fuzz_allocate, &live });
    tn_set_sink((tn_sink){ fuzz_silence, NULL, false });
}

/* Takes the error; whether it is one that a sound model can meet as well. */
static inline bool fuzz_excused(void)
{
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    return error && (error->status == TN_RESOURCE_EXHAUSTED || error->status == TN_UNIMPLEMENTED);
}

#endif
