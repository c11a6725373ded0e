/* npz.c */
#include "formats/npz.h"
#include "base/text.h"
#include <string.h>

static const char ending[] = ".npy";
enum { ENDING_SIZE = sizeof ending - 1 };

typedef struct {
    char *name;
    size_t member;
} entry;

struct tn__npz {
    tn__zip *zip;
    entry *item;
    size_t count, capacity;
};

/* Appends the member if it is an array and no later one has its name. */
static tn_status add_entry(tn__npz *npz, size_t member)
{
    const char *name = tn__zip_member_at(npz->zip, member)->name;
    size_t last;
    if (!tn__ends_with(name, ending) || !tn__zip_find(npz->zip, name, &last) || last != member)
        return TN_OK;
    TN_TRY(TN__RESERVE(npz, 1));
    char *shorter = tn__strndup(name, strlen(name) - ENDING_SIZE);
    if (!shorter)
        return TN_RESOURCE_EXHAUSTED;
    npz->item[npz->count++] = (entry){ shorter, member };
    return TN_OK;
}

static tn_status open_archive(tn__npz *npz, tn__span bytes, const tn__zip_limits *limits)
{
    TN_TRY(tn__zip_open(bytes, limits, &npz->zip));
    for (size_t i = 0; i < tn__zip_count(npz->zip); i++)
        TN_TRY(add_entry(npz, i));
    return TN_OK;
}

tn_status tn__npz_open(tn__span bytes, const tn__zip_limits *limits, tn__npz **out)
{
    *out = NULL;
    tn__npz *npz = tn__alloc_zeroed(1, sizeof *npz);
    if (!npz)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = open_archive(npz, bytes, limits);
    if (status != TN_OK) {
        tn__npz_close(npz);
        return status;
    }
    *out = npz;
    return TN_OK;
}

void tn__npz_close(tn__npz *npz)
{
    if (!npz)
        return;
    for (size_t i = 0; i < npz->count; i++)
        tn__free(npz->item[i].name);
    tn__free(npz->item);
    tn__zip_close(npz->zip);
    tn__free(npz);
}

size_t tn__npz_count(const tn__npz *npz)
{
    return npz->count;
}

const char *tn__npz_name(const tn__npz *npz, size_t index)
{
    return npz->item[index].name;
}

static bool find(const tn__npz *npz, const char *name, size_t size, size_t *index)
{
    for (size_t i = 0; i < npz->count; i++)
        if (strlen(npz->item[i].name) == size && memcmp(npz->item[i].name, name, size) == 0) {
            *index = i;
            return true;
        }
    return false;
}

bool tn__npz_find(const tn__npz *npz, const char *name, size_t *index)
{
    size_t size = strlen(name);
    return find(npz, name, size, index) ||
           (tn__ends_with(name, ending) && find(npz, name, size - ENDING_SIZE, index));
}

static tn_status read_array(tn__npz *npz, size_t member, tn__npy *array, tn__bytes *store)
{
    tn__span bytes;
    if (tn__zip_member_at(npz->zip, member)->method == TN__ZIP_STORED) {
        TN_TRY(tn__zip_member_in_place(npz->zip, member, &bytes));
        TN_TRY(tn__zip_check(npz->zip, member));
    } else {
        TN_TRY(tn__zip_read(npz->zip, member, store));
        bytes = tn__bytes_span(store);
    }
    return tn__npy_open(bytes, array);
}

tn_status tn__npz_read(tn__npz *npz, size_t index, tn__npy *array, tn__bytes *store)
{
    *array = (tn__npy){ 0 };
    *store = (tn__bytes){ 0 };
    tn_status status = read_array(npz, npz->item[index].member, array, store);
    if (status != TN_OK) {
        tn__fail_note("in the array '%s'", npz->item[index].name);
        tn__bytes_free(store);
        *array = (tn__npy){ 0 };
    }
    return status;
}

tn_status tn__npz_add(tn__zip_writer *zip, const char *name, tn__npy_type type, int rank,
                      const uint64_t *shape, const void *data)
{
    char *member = tn__print("%s%s", name, ending);
    if (!member)
        return TN_RESOURCE_EXHAUSTED;
    tn__writer *writer;
    tn_status status = tn__zip_member_writer(zip, member, TN__ZIP_STORED, &writer);
    tn__free(member);
    TN_TRY(status);
    status = tn__npy_write(writer, type, rank, shape, data);
    if (status == TN_OK)
        return tn__writer_commit(writer);
    tn__writer_abort(writer);
    return status;
}
