/* map.h - two hash maps: text to pointer, and number to pointer. Insertion order is kept; nothing is removed singly. */
#ifndef TN_BASE_MAP_H
#define TN_BASE_MAP_H
#include "base/memory.h"

/* Keys are copied. All zero is empty. */
typedef struct {
    struct tn__map_entry {
        char *key;
        void *value;
        uint64_t hash;
    } *item; /* in order of insertion */
    size_t count, capacity;
    uint32_t *slot; /* index + 1; 0: free */
    size_t slots;
} tn__map;
void *tn__map_get(const tn__map *map, const char *key); /* NULL: not there */
tn_status tn__map_set(tn__map *map, const char *key, void *value);
void tn__map_free(tn__map *map); /* not the values */

/* Keys are numbers other than 0. */
typedef struct {
    struct tn__ids_entry {
        uint64_t key;
        size_t value;
    } *item;
    size_t count, capacity; /* capacity: a power of two, or 0 */
    struct tn__ids_entry *lent;
} tn__ids;
/* An empty one for an array of the caller's, all zero: room for the first keys. */
#define TN__IDS_IN(entries) ((tn__ids){ (entries), 0, sizeof(entries) / sizeof *(entries), (entries) })
size_t *tn__ids_find(const tn__ids *ids, uint64_t key); /* its value, until the next is set; NULL: not there */
bool tn__ids_get(const tn__ids *ids, uint64_t key, size_t *value);
tn_status tn__ids_set(tn__ids *ids, uint64_t key, size_t value);
void tn__ids_free(tn__ids *ids);

#endif
