/* dataset.c - the elements of datasets and attributes, and strings. */
#include "formats/hdf5/internal.h"
#include <string.h>

/* --- what a value is -------------------------------------------------------------------------- */

static tn_status required(tn__h5_object *dataset, int type, const char *what, tn__span *data)
{
    const tn__h5_message *message = tn__h5_message_of(dataset, type);
    if (!message)
        return tn__h5_damage(dataset->address, "the dataset '%.200s' has no %s",
                             tn__h5_path(dataset), what);
    return tn__h5_message_data(dataset->file, message, data);
}

static tn_status load_filters(tn__h5_object *dataset)
{
    tn__span data;
    const tn__h5_message *message = tn__h5_message_of(dataset, TN__H5_M_FILTERS);
    tn__h5_pipeline *pipeline = &dataset->storage.pipeline;
    if (!message || dataset->info.layout != TN__H5_CHUNKED)
        return TN_OK;
    TN_TRY(tn__h5_message_data(dataset->file, message, &data));
    TN_TRY(tn__h5_parse_filters(dataset->file, data, pipeline));
    dataset->info.filter_count = pipeline->count;
    for (int i = 0; i < pipeline->count; i++)
        dataset->info.filters[i] = pipeline->item[i].id;
    return TN_OK;
}

tn_status tn__h5_load_value(tn__h5_object *value)
{
    char label[TN__H5_LABEL];
    tn__span data;
    if (value->value_known)
        return TN_OK;
    if (value->kind != TN__H5_DATASET)
        return tn__fail(TN_INVALID_ARGUMENT, "HDF5 %s is not a dataset",
                        tn__h5_label(value, label));
    value->info = (tn__h5_info){ 0 };
    value->storage = (tn__h5_storage){ 0 };
    TN_TRY(required(value, TN__H5_M_DATATYPE, "datatype", &data));
    TN_TRY(tn__h5_parse_type(value->file, data, &value->info.type));
    TN_TRY(required(value, TN__H5_M_DATASPACE, "dataspace", &data));
    TN_TRY(tn__h5_parse_space(value->file, data, &value->info, value->max_dims));
    TN_TRY(required(value, TN__H5_M_LAYOUT, "layout", &data));
    TN_TRY(tn__h5_parse_layout(value, data));
    if (tn__h5_message_of(value, TN__H5_M_EXTERNAL_FILES))
        value->info.layout = TN__H5_EXTERNAL;
    TN_TRY(tn__h5_parse_fill(value));
    TN_TRY(load_filters(value));
    value->value_known = true;
    return TN_OK;
}

tn_status tn__h5_info_of(tn__h5_object *value, const tn__h5_info **info)
{
    TN_TRY(tn__h5_load_value(value));
    *info = &value->info;
    return TN_OK;
}

/* --- checking before reading ------------------------------------------------------------------ */

static tn_status check_supported(const tn__h5_object *value)
{
    char label[TN__H5_LABEL];
    const tn__h5_storage *storage = &value->storage;
    if (value->info.layout == TN__H5_VIRTUAL)
        return tn__fail(TN_UNIMPLEMENTED,
                        "Not allowed: H5 file with virtual Dataset\n%s is put together from others",
                        tn__h5_label(value, label));
    if (value->info.layout == TN__H5_EXTERNAL)
        return tn__fail(TN_UNIMPLEMENTED, "Not allowed: H5 file with external Dataset: %s",
                        tn__h5_label(value, label));
    for (int i = 0; i < storage->pipeline.count; i++) {
        int id = storage->pipeline.item[i].id;
        if (!tn__h5_filter_known(id))
            return tn__fail(TN_UNIMPLEMENTED,
                            "HDF5 %s needs the %s filter (number %d), which is not supported",
                            tn__h5_label(value, label), tn__h5_filter_name(id), id);
    }
    return TN_OK;
}

/* How many bytes the file holds for the value. */
static tn_status measure_stored(tn__h5_object *value, uint64_t size, uint64_t *stored)
{
    char label[TN__H5_LABEL];
    tn__span part;
    const tn__h5_storage *storage = &value->storage;
    *stored = 0;
    switch (value->info.layout) {
    case TN__H5_COMPACT:
        *stored = storage->here.size;
        if (size > *stored)
            return tn__h5_damage(value->address, "%s declares %llu bytes and has %llu",
                                 tn__h5_label(value, label), (unsigned long long)size,
                                 (unsigned long long)*stored);
        return TN_OK;
    case TN__H5_CONTIGUOUS:
        if (storage->address == TN__H5_NOWHERE)
            return TN_OK;
        *stored = size;
        if (!tn__span_part(value->file->bytes, storage->address, size, &part))
            return tn__h5_damage(
                storage->address,
                "the %llu bytes of %s reach beyond the end of the file (%zu bytes)",
                (unsigned long long)size, tn__h5_label(value, label), value->file->bytes.size);
        return TN_OK;
    default:
        return storage->address == TN__H5_NOWHERE ? TN_OK : tn__h5_measure_chunks(value, stored);
    }
}

/* size: bytes that are to be allocated for what is stored in `stored` bytes. */
static tn_status check_limits(const tn__h5_object *value, uint64_t size, uint64_t stored)
{
    char label[TN__H5_LABEL];
    const tn__h5_limits *limits = &value->file->limits;
    uint64_t allowed;
    if (__builtin_mul_overflow(stored, limits->ratio, &allowed) ||
        __builtin_add_overflow(allowed, limits->free, &allowed))
        allowed = UINT64_MAX;
    if (size <= allowed)
        return TN_OK;
    return tn__fail(TN_DATA_LOSS,
                    "Not allowed: H5 %s declares %llu bytes but only %llu are stored on disk; "
                    "refusing to load a "
                    "potential decompression/shape bomb.",
                    tn__h5_label(value, label), (unsigned long long)size,
                    (unsigned long long)stored);
}

/* Values have bytes of their own, so all together have no more than the file: without this, many
 * could lead to the same bytes, each time with all the work of decoding them. */
static tn_status count_stored(tn__h5_object *value, uint64_t stored)
{
    char label[TN__H5_LABEL];
    if (value->counted)
        return TN_OK;
    if (stored > value->file->data_budget)
        return tn__h5_damage(value->address, "the data of %s overlap with other data",
                             tn__h5_label(value, label));
    value->file->data_budget -= stored;
    value->counted = true;
    return TN_OK;
}

tn_status tn__h5_check_storage(tn__h5_object *value, size_t beside, size_t *out)
{
    char label[TN__H5_LABEL];
    const tn__h5_info *info = &value->info;
    uint64_t limit = value->file->limits.decoded, needed, stored;
    TN_TRY(check_supported(value));
    if (__builtin_mul_overflow(info->count, (uint64_t)info->type.size + beside, &needed) ||
        needed > limit || needed > SIZE_MAX)
        return tn__fail(TN_RESOURCE_EXHAUSTED,
                        "HDF5 %s has %llu elements of %zu bytes, the limit is %llu bytes",
                        tn__h5_label(value, label), (unsigned long long)info->count,
                        info->type.size, (unsigned long long)limit);
    uint64_t size = info->count * info->type.size;
    TN_TRY(measure_stored(value, size, &stored));
    TN_TRY(check_limits(value, needed, stored));
    TN_TRY(count_stored(value, stored));
    *out = (size_t)size;
    return TN_OK;
}

/* Numbers, and strings of fixed size as bytes. */
static tn_status check_readable(const tn__h5_object *value)
{
    char label[TN__H5_LABEL];
    const tn__h5_type *type = &value->info.type;
    if (type->refused)
        return tn__fail(TN_UNIMPLEMENTED, "HDF5 %s holds %s (%zu bytes), which is not supported",
                        tn__h5_label(value, label), type->refused, type->size);
    if (type->class == TN__H5_TEXT)
        return tn__fail(TN_INVALID_ARGUMENT, "HDF5 %s holds strings, not numbers",
                        tn__h5_label(value, label));
    return TN_OK;
}

tn_status tn__h5_measure(tn__h5_object *value, size_t *size)
{
    TN_TRY(tn__h5_load_value(value));
    TN_TRY(check_readable(value));
    return tn__h5_check_storage(value, 0, size);
}

/* --- elements --------------------------------------------------------------------------------- */

static void fill_elements(const tn__h5_object *value, uint8_t *out, size_t size)
{
    tn__span fill = value->storage.fill;
    if (!fill.data) {
        memset(out, 0, size);
        return;
    }
    for (size_t i = 0; i < size; i += fill.size)
        memcpy(out + i, fill.data, fill.size);
}

tn_status tn__h5_load_elements(tn__h5_object *value, void *out, size_t size)
{
    const tn__h5_storage *storage = &value->storage;
    if (size == 0)
        return TN_OK;
    if (value->info.layout == TN__H5_COMPACT)
        memcpy(out, storage->here.data, size);
    else if (storage->address == TN__H5_NOWHERE)
        fill_elements(value, out, size);
    else if (value->info.layout == TN__H5_CONTIGUOUS)
        memcpy(out, value->file->bytes.data + storage->address, size);
    else {
        fill_elements(value, out, size);
        return tn__h5_read_chunks(value, out);
    }
    return TN_OK;
}

#define SWAP_ALL(bits)                                          \
    for (size_t i = 0; i < size; i += sizeof(uint##bits##_t)) { \
        uint##bits##_t element;                                 \
        memcpy(&element, data + i, sizeof element);             \
        element = __builtin_bswap##bits(element);               \
        memcpy(data + i, &element, sizeof element);             \
    }

/* Turns the bytes of each element round. */
static void swap_elements(uint8_t *data, size_t size, size_t element_size)
{
    if (element_size == 2)
        SWAP_ALL(16)
    else if (element_size == 4)
        SWAP_ALL(32)
    else if (element_size == 8)
        SWAP_ALL(64)
}

static void normalize(const tn__h5_type *type, uint8_t *data, size_t size)
{
    if (type->class == TN__H5_BOOL)
        for (size_t i = 0; i < size; i++)
            data[i] = data[i] != 0;
    else if (type->big_endian)
        swap_elements(data, size, type->size);
}

tn_status tn__h5_read(tn__h5_object *value, void *out, size_t size)
{
    char label[TN__H5_LABEL];
    size_t needed;
    TN_TRY(tn__h5_measure(value, &needed));
    if (size != needed)
        return tn__fail(TN_INVALID_ARGUMENT, "HDF5 %s has %zu bytes, room was given for %zu",
                        tn__h5_label(value, label), needed, size);
    TN_TRY(tn__h5_load_elements(value, out, size));
    normalize(&value->info.type, out, size);
    return TN_OK;
}

tn_status tn__h5_in_place(tn__h5_object *value, tn__span *elements)
{
    size_t size;
    *elements = (tn__span){ NULL, 0 };
    TN_TRY(tn__h5_measure(value, &size));
    const tn__h5_type *type = &value->info.type;
    if ((type->big_endian && type->size > 1) || type->class == TN__H5_BOOL || size == 0)
        return TN_OK;
    if (value->info.layout == TN__H5_COMPACT)
        *elements = (tn__span){ value->storage.here.data, size };
    else if (value->info.layout == TN__H5_CONTIGUOUS && value->storage.address != TN__H5_NOWHERE)
        *elements = (tn__span){ value->file->bytes.data + value->storage.address, size };
    return TN_OK;
}
