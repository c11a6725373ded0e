/* bundle_format.c */
#include "formats/bundle_format.h"
#include "formats/crc32c.h"
#include <string.h>

static const tn__pb_field extent_fields[] = {
    TN__PB_FIELD(tn__slice_extent, 1, start, INT64, 0),
    TN__PB_FIELD(tn__slice_extent, 2, length, INT64, TN__PB_ONEOF),
};
static const tn__pb_message extent =
    TN__PB_ONEOF_OF("Extent", tn__slice_extent, extent_fields, which);

static const tn__pb_field slice_fields[] = {
    TN__PB_SUB(tn__slice_def, 1, extent, MESSAGE, TN__PB_REPEATED, &extent),
};
const tn__pb_message tn__pb_slice =
    TN__PB_MESSAGE_OF("TensorSliceProto", tn__slice_def, slice_fields);

static const tn__pb_field bundle_header_fields[] = {
    TN__PB_FIELD(tn__bundle_header, 1, shards, INT32, 0),
    TN__PB_FIELD(tn__bundle_header, 2, endianness, INT32, 0),
    TN__PB_SUB(tn__bundle_header, 3, version, MESSAGE, 0, &tn__pb_version),
};
const tn__pb_message tn__pb_bundle_header =
    TN__PB_MESSAGE_OF("BundleHeaderProto", tn__bundle_header, bundle_header_fields);

static const tn__pb_field bundle_entry_fields[] = {
    TN__PB_FIELD(tn__bundle_stored, 1, dtype, INT32, 0),
    TN__PB_SUB(tn__bundle_stored, 2, shape, MESSAGE, 0, &tn__pb_shape),
    TN__PB_FIELD(tn__bundle_stored, 3, shard, INT32, 0),
    TN__PB_FIELD(tn__bundle_stored, 4, offset, INT64, 0),
    TN__PB_FIELD(tn__bundle_stored, 5, size, INT64, 0),
    TN__PB_FIELD(tn__bundle_stored, 6, crc32c, FIXED32, 0),
    TN__PB_SUB(tn__bundle_stored, 7, slices, MESSAGE, TN__PB_REPEATED, &tn__pb_slice),
};
const tn__pb_message tn__pb_bundle_entry =
    TN__PB_MESSAGE_OF("BundleEntryProto", tn__bundle_stored, bundle_entry_fields);

static const tn__pb_field first_tensor_fields[] = {
    TN__PB_FIELD(tn__first_tensor, 1, name, TEXT, 0),
    TN__PB_SUB(tn__first_tensor, 2, shape, MESSAGE, 0, &tn__pb_shape),
    TN__PB_FIELD(tn__first_tensor, 3, dtype, INT32, 0),
    TN__PB_SUB(tn__first_tensor, 4, slices, MESSAGE, TN__PB_REPEATED, &tn__pb_slice),
};
static const tn__pb_message first_tensor =
    TN__PB_MESSAGE_OF("SavedSliceMeta", tn__first_tensor, first_tensor_fields);

static const tn__pb_field first_meta_fields[] = {
    TN__PB_SUB(tn__first_meta, 1, tensors, MESSAGE, TN__PB_REPEATED, &first_tensor),
    TN__PB_SUB(tn__first_meta, 2, version, MESSAGE, 0, &tn__pb_version),
};
static const tn__pb_message first_meta =
    TN__PB_MESSAGE_OF("SavedTensorSliceMeta", tn__first_meta, first_meta_fields);

static const tn__pb_field first_data_fields[] = {
    TN__PB_FIELD(tn__first_data, 1, name, TEXT, 0),
    TN__PB_SUB(tn__first_data, 2, slice, MESSAGE, 0, &tn__pb_slice),
    TN__PB_SUB(tn__first_data, 3, data, MESSAGE, 0, &tn__pb_tensor),
};
static const tn__pb_message first_data =
    TN__PB_MESSAGE_OF("SavedSlice", tn__first_data, first_data_fields);

static const tn__pb_field first_entry_fields[] = {
    TN__PB_SUB(tn__first_entry, 1, meta, MESSAGE, 0, &first_meta),
    TN__PB_SUB(tn__first_entry, 2, data, MESSAGE, 0, &first_data),
};
const tn__pb_message tn__pb_first_entry =
    TN__PB_MESSAGE_OF("SavedTensorSlices", tn__first_entry, first_entry_fields);

/* --- texts ------------------------------------------------------------------------------------ */
uint32_t tn__bundle_add_length(uint32_t crc, uint64_t length)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(length >> 8 * i);
    return tn__crc32c(crc, bytes, length > UINT32_MAX ? 8 : 4);
}

/* --- keys of slices --------------------------------------------------------------------------- */
/* A count of bytes, then so many with the highest first. */
static tn_status put_number(tn__bytes *key, uint64_t number)
{
    uint8_t bytes[9];
    int size = 0;
    for (uint64_t rest = number; rest; rest >>= 8)
        size++;
    bytes[0] = (uint8_t)size;
    for (int i = 0; i < size; i++)
        bytes[1 + i] = (uint8_t)(number >> 8 * (size - 1 - i));
    return tn__bytes_append(key, bytes, 1 + (size_t)size);
}

/* A byte 0 becomes 0 255, a byte 255 becomes 255 0; 0 1 is the end. */
static tn_status put_name(tn__bytes *key, const char *name)
{
    for (const char *at = name; *at; at++)
        TN_TRY(tn__bytes_append(key, (uint8_t)*at == 0xff ? "\xff\0" : at,
                                (uint8_t)*at == 0xff ? 2 : 1));
    return tn__bytes_append(key, "\0\1", 2);
}

/* A number with a sign, highest byte first, as short as it can be; as many of its highest bits as
 * it has bytes are turned over, so that longer numbers sort behind shorter ones and negative ones
 * before. */
static tn_status put_signed(tn__bytes *key, int64_t number)
{
    uint64_t bits = number < 0 ? ~(uint64_t)number : (uint64_t)number;
    int size = (bits ? 64 - __builtin_clzll(bits) : 0) / 7 + 1;
    uint8_t bytes[10];
    for (int i = 0; i < size; i++) {
        int shift = 8 * (size - 1 - i);
        bytes[i] = (uint8_t)(shift < 64 ? number >> shift : number >> 63);
    }
    for (int i = 0; i < size; i++)
        bytes[i / 8] ^= (uint8_t)(0x80 >> i % 8);
    return tn__bytes_append(key, bytes, (size_t)size);
}

tn_status tn__slice_key(const char *name, const tn__slice_def *slice, tn__bytes *key)
{
    TN_TRY(put_number(key, 0));
    TN_TRY(put_name(key, name));
    TN_TRY(put_number(key, slice->extent.count));
    for (size_t i = 0; i < slice->extent.count; i++) {
        const tn__slice_extent *extent = &slice->extent.item[i];
        TN_TRY(put_signed(key, extent->which ? extent->start : 0));
        TN_TRY(put_signed(key, extent->which ? extent->length : -1));
    }
    return TN_OK;
}

/* --- places of slices ------------------------------------------------------------------------- */
bool tn__slice_place(const tn__slice_def *slice, int rank, const int64_t *shape, int64_t *start,
                     int64_t *length)
{
    if (slice->extent.count != (size_t)rank)
        return false;
    for (int i = 0; i < rank; i++) {
        const tn__slice_extent *extent = &slice->extent.item[i];
        start[i] = extent->which ? extent->start : 0;
        length[i] = extent->which ? extent->length : shape[i];
        if (start[i] < 0 || length[i] < 0 || length[i] > shape[i] ||
            start[i] > shape[i] - length[i])
            return false;
    }
    return true;
}

/* Row by row: the last index runs through one. */
void tn__slice_copy(int rank, const int64_t *shape, const int64_t *start, const int64_t *length,
                    size_t element, const uint8_t *from, uint8_t *to)
{
    int64_t index[TN__BUNDLE_RANK] = { 0 };
    uint64_t rows = 1, row = element;
    for (int i = 0; i < rank - 1; i++)
        rows *= (uint64_t)length[i];
    if (rank > 0)
        row *= (uint64_t)length[rank - 1];
    for (uint64_t done = 0; row && done < rows; done++, from += row) {
        uint64_t place = 0;
        for (int i = 0; i < rank; i++)
            place = place * (uint64_t)shape[i] + (uint64_t)(start[i] + index[i]);
        memcpy(to + place * element, from, (size_t)row);
        for (int i = rank - 2; i >= 0 && ++index[i] == length[i]; i--)
            index[i] = 0;
    }
}
