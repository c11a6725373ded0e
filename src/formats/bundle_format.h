/* bundle_format.h - what the files of bundle.h agree on: the messages in an index, and slices. */
#ifndef TN_FORMATS_BUNDLE_FORMAT_H
#define TN_FORMATS_BUNDLE_FORMAT_H
#include "formats/bundle.h"
#include "formats/graphdef.h"
#include "formats/table.h"

enum { BUNDLE_VERSION = 1 };

/* Along one dimension: from start on, so many; all when which is 0. */
typedef struct {
    int64_t start;
    int which; /* 2: length is there */
    int64_t length;
} tn__slice_extent;
typedef struct {
    TN__LIST_OF(tn__slice_extent) extent;
} tn__slice_def;
typedef TN__LIST_OF(tn__slice_def) tn__slice_list;

typedef struct {
    int32_t shards;
    int32_t endianness; /* 1: big */
    tn__version_def *version;
} tn__bundle_header;
typedef struct {
    int32_t dtype;
    tn__shape_def *shape;
    int32_t shard;
    int64_t offset, size;
    uint32_t crc32c;
    tn__slice_list slices;
} tn__bundle_stored;
extern const tn__pb_message tn__pb_bundle_header, tn__pb_bundle_entry, tn__pb_slice;

/* The checksum of texts' lengths, one more added: as four bytes (as eight when it needs them),
 * whatever its encoding. */
uint32_t tn__bundle_add_length(uint32_t crc, uint64_t length);

/* The key under which a slice of a tensor is: the name and the extents in a form whose bytes sort
 * as they do. Appended. */
tn_status tn__slice_key(const char *name, const tn__slice_def *slice, tn__bytes *key);
/* Where a slice lies in a tensor; false when it does not fit into it. start and length have room
 * for its rank. */
bool tn__slice_place(const tn__slice_def *slice, int rank, const int64_t *shape, int64_t *start,
                     int64_t *length);
/* Copies a slice's elements to their places among a whole tensor's. */
void tn__slice_copy(int rank, const int64_t *shape, const int64_t *start, const int64_t *length,
                    size_t element, const uint8_t *from, uint8_t *to);

/* --- the first format: one table, which has the values ---------------------------------------- */
typedef struct {
    const char *name;
    tn__shape_def *shape;
    int32_t dtype;
    tn__slice_list slices;
} tn__first_tensor;
typedef struct {
    TN__LIST_OF(tn__first_tensor) tensors;
    tn__version_def *version;
} tn__first_meta;
typedef struct {
    const char *name;
    tn__slice_def *slice;
    tn__tensor_def *data;
} tn__first_data;
typedef struct { /* an entry of the table: the one of key "" has meta, the others data */
    tn__first_meta *meta;
    tn__first_data *data;
} tn__first_entry;
extern const tn__pb_message tn__pb_first_entry;

#endif
