/* place.c */
#include "saving/place.h"
#include "runtime/op.h"
#include <string.h>

const char *tn__place_name(tn__place place)
{
    return place.dataset ? tn__h5_path(place.dataset) + 1
                         : tn__bundle_at(place.bundle, place.entry)->name;
}

static tn_status entry_shape(const tn__bundle_entry *entry, tn_shape *shape)
{
    if (entry->rank > TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "'%s' has %d dimensions, tensors have %d at most",
                        entry->name, entry->rank, TN_MAX_RANK);
    *shape = (tn_shape){ .known = 1, .rank = entry->rank };
    if (entry->rank)
        memcpy(shape->dims, entry->shape, (size_t)entry->rank * sizeof *shape->dims);
    return TN_OK;
}

tn_status tn__place_shape(tn__place place, tn_shape *shape)
{
    return place.dataset ? tn__dataset_shape(place.dataset, shape)
                         : entry_shape(tn__bundle_at(place.bundle, place.entry), shape);
}

/* The types that tensors have are numbered as TensorFlow numbers them. */
static tn_status check_dtype(const tn__bundle_entry *entry)
{
    if (tn__dtype_size((tn_dtype)entry->dtype))
        return TN_OK;
    return tn__fail(TN_UNIMPLEMENTED, "'%s' is of %s, which no tensor here is", entry->name,
                    tn__tf_dtype_name(entry->dtype));
}

static tn_status read_entry(tn__place place, tn_tensor **tensor)
{
    const tn__bundle_entry *entry = tn__bundle_at(place.bundle, place.entry);
    tn_shape shape;
    TN_TRY(check_dtype(entry));
    TN_TRY(entry_shape(entry, &shape));
    TN_TRY(tn__bundle_check(place.bundle, place.entry));
    TN_TRY(tn__tensor_new((tn_dtype)entry->dtype, &shape, tensor));
    tn_status status = tn__bundle_read(place.bundle, place.entry, (*tensor)->data);
    if (status != TN_OK) {
        tn__release(*tensor);
        *tensor = NULL;
    }
    return status;
}

tn_status tn__place_tensor(const tn__source *source, tn__place place, tn_dtype dtype,
                           tn_tensor **tensor)
{
    tn_tensor *stored;
    if (place.dataset)
        return tn__dataset_tensor(source, place.dataset, dtype, tensor);
    *tensor = NULL;
    TN_TRY(read_entry(place, &stored));
    if (stored->dtype == dtype) {
        *tensor = stored;
        return TN_OK;
    }
    tn_status status = tn__cast_value(stored, dtype, tensor);
    tn__release(stored);
    return status;
}

tn_status tn__place_list(tn__h5_object *const *datasets, size_t count, tn__place **places)
{
    *places = tn__alloc_zeroed(count + 1, sizeof **places);
    for (size_t i = 0; *places && i < count; i++)
        (*places)[i].dataset = datasets[i];
    return *places ? TN_OK : TN_RESOURCE_EXHAUSTED;
}
