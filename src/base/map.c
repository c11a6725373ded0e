/* map.c - open addressing, linear probing, at most two thirds full. */
#include "base/map.h"
#include <string.h>

static uint64_t hash_text(const char *text)
{
    uint64_t hash = 1469598103934665603u; /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 1099511628211u;
    return hash;
}

/* The slot of the key, or the free one where it belongs. */
static size_t find_slot(const tn__map *map, const char *key, uint64_t hash)
{
    size_t at = hash & (map->slots - 1);
    for (; map->slot[at]; at = (at + 1) & (map->slots - 1)) {
        const struct tn__map_entry *entry = &map->item[map->slot[at] - 1];
        if (entry->hash == hash && strcmp(entry->key, key) == 0)
            break;
    }
    return at;
}

void *tn__map_get(const tn__map *map, const char *key)
{
    if (map->count == 0)
        return NULL;
    size_t at = find_slot(map, key, hash_text(key));
    return map->slot[at] ? map->item[map->slot[at] - 1].value : NULL;
}

static tn_status grow_slots(tn__map *map)
{
    size_t slots = map->slots ? map->slots * 2 : 16;
    uint32_t *slot = tn__alloc_zeroed(slots, sizeof *slot);
    if (!slot)
        return TN_RESOURCE_EXHAUSTED;
    tn__free(map->slot);
    map->slot = slot;
    map->slots = slots;
    for (size_t i = 0; i < map->count; i++)
        slot[find_slot(map, map->item[i].key, map->item[i].hash)] = (uint32_t)i + 1;
    return TN_OK;
}

tn_status tn__map_set(tn__map *map, const char *key, void *value)
{
    if (map->count * 3 >= map->slots * 2)
        TN_TRY(grow_slots(map));
    uint64_t hash = hash_text(key);
    size_t at = find_slot(map, key, hash);
    if (map->slot[at]) {
        map->item[map->slot[at] - 1].value = value;
        return TN_OK;
    }
    TN_TRY(TN__RESERVE(map, 1));
    char *copy = tn__strdup(key);
    if (!copy)
        return TN_RESOURCE_EXHAUSTED;
    map->item[map->count++] = (struct tn__map_entry){ copy, value, hash };
    map->slot[at] = (uint32_t)map->count;
    return TN_OK;
}

void tn__map_free(tn__map *map)
{
    for (size_t i = 0; i < map->count; i++)
        tn__free(map->item[i].key);
    tn__free(map->item);
    tn__free(map->slot);
    *map = (tn__map){ 0 };
}

static size_t find_id(const tn__ids *ids, uint64_t key)
{
    size_t at = (key * 0x9E3779B97F4A7C15u) >> 20 & (ids->capacity - 1);
    while (ids->item[at].key && ids->item[at].key != key)
        at = (at + 1) & (ids->capacity - 1);
    return at;
}

size_t *tn__ids_find(const tn__ids *ids, uint64_t key)
{
    if (ids->count == 0)
        return NULL;
    size_t at = find_id(ids, key);
    return ids->item[at].key ? &ids->item[at].value : NULL;
}

bool tn__ids_get(const tn__ids *ids, uint64_t key, size_t *value)
{
    const size_t *found = tn__ids_find(ids, key);
    if (found)
        *value = *found;
    return found;
}

static tn_status grow_ids(tn__ids *ids)
{
    tn__ids grown = { .count = ids->count, .capacity = ids->capacity ? ids->capacity * 2 : 16 };
    grown.item = tn__alloc_zeroed(grown.capacity, sizeof *grown.item);
    if (!grown.item)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < ids->capacity; i++)
        if (ids->item[i].key)
            grown.item[find_id(&grown, ids->item[i].key)] = ids->item[i];
    tn__ids_free(ids);
    *ids = grown;
    return TN_OK;
}

tn_status tn__ids_set(tn__ids *ids, uint64_t key, size_t value)
{
    if (ids->count * 3 >= ids->capacity * 2)
        TN_TRY(grow_ids(ids));
    size_t at = find_id(ids, key);
    ids->count += ids->item[at].key == 0;
    ids->item[at] = (struct tn__ids_entry){ key, value };
    return TN_OK;
}

void tn__ids_free(tn__ids *ids)
{
    if (ids->item != ids->lent)
        tn__free(ids->item);
    *ids = (tn__ids){ 0 };
}
