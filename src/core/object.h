/* object.h - what every handle is: a counted object of a type, in a block of one size.
 *
 * Blocks come from a pool and go back to the end of its queue, so a handle that is used after its death is still a block with the
 * mark of a dead one, and says which memory scope it died in instead of crashing. */
#ifndef TN_CORE_OBJECT_H
#define TN_CORE_OBJECT_H
#include "base/alone.h"
#include "base/memory.h"
#include "tenon/sys.h"
#include <stdatomic.h>

enum { TN__BLOCK = 256 }; /* bytes of every handle; what needs more is allocated by it */

typedef struct tn__type {
    const char *name; /* "tensor", "layer": for messages */
    int kind;         /* as TN_KIND */
    void (*destroy)(void *object); /* releases what the object holds; NULL: nothing */
} tn__type;

typedef struct tn__object {
    const tn__type *type;
    _Atomic uint32_t count;
} tn__object;

static inline void tn__count_up(_Atomic uint32_t *count)
{
    if (tn__alone())
        atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_relaxed);
    else
        atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}
/* true when it was the last. That needs no exchange with others: nobody else has the object. */
static inline bool tn__count_down(_Atomic uint32_t *count)
{
    uint32_t now = atomic_load_explicit(count, memory_order_acquire);
    if (now == 1 || !tn__alone())
        return now == 1 || atomic_fetch_sub_explicit(count, 1, memory_order_acq_rel) == 1;
    atomic_store_explicit(count, now - 1, memory_order_relaxed);
    return false;
}

/* Beside each handle's struct: it fits, with room for a link at the end. */
#define TN__HANDLE_SIZE(type) _Static_assert(sizeof(type) <= TN__BLOCK - sizeof(void *), #type " is too large for a block")

/* A zeroed block with a count of one, which the caller owns; NULL and an error when there is no memory. */
void *tn__object_new(const tn__type *type);
void *tn__retain(void *object);  /* gives it back; NULL is allowed */
void tn__release(void *object);  /* NULL is allowed; never recurses, however long a chain of objects is */
/* A counted copy of a pointer field: the new value is retained, the old one released. */
void tn__assign_object(void *field, void *object);

/* Handing out: the innermost memory scope takes over the caller's count. Gives the object, or NULL when object is NULL or there
 * is no memory (the object is released then). */
void *tn__own(void *object);
/* The same for an object that somebody else holds: one more count, the scope's. */
void *tn__own_shared(void *object);
/* Memory of the innermost scope: freed with it. */
void *tn__scope_alloc(size_t size);
char *tn__scope_strdup(const char *text);
char *tn__scope_print(const char *format, ...) TN_PRINTF(1, 2);

/* true when the handle is a live object of the type; else records what it is (NULL, dead, another kind) and gives false. what:
 * "tn_matmul: a". */
bool tn__check(const void *handle, const tn__type *type, const char *what);
extern const tn__type tn__type_dead;

/* A context that begins, and one that ends: its dead blocks and its count of live handles go to the process. */
void tn__pool_join(tn_context *context);
void tn__pool_leave(tn_context *context);

/* Memory scopes as marks in the thread's list of what it owns. */
size_t tn__scope_begin(const char *here);
void tn__scope_end(size_t depth); /* ends every scope above depth */
/* Moves the innermost scope's ownership of an object one scope out. */
void tn__scope_keep(void *object);

#endif
