/* bundle.h - TensorFlow's checkpoints ("tensor bundles"): PREFIX.index, a table of names and of
 * where each tensor's bytes are, and PREFIX.data-00000-of-00001, the bytes.
 *
 * Reads bundles of any number of shards, variables that were saved in slices, texts, and
 * checkpoints of the first format (one table file, `write_version=V1`). Every checksum is compared.
 * Named and refused: variants and resources, bundles of a big-endian machine. Written is one shard,
 * byte for byte as TensorFlow writes the same tensors in the same order. */
#ifndef TN_FORMATS_BUNDLE_H
#define TN_FORMATS_BUNDLE_H
#include "base/file.h"
#include "formats/tf_dtype.h"

enum { TN__BUNDLE_RANK = 254 }; /* TensorFlow's own limit */

/* --- reading ---------------------------------------------------------------------------------- */
typedef struct {
    uint64_t entries;      /* 0: 1,000,000 */
    uint64_t decoded;      /* bytes that the index, or one tensor, may decode to; 0: 4 GB */
    bool ignore_checksums; /* for tests, which damage files behind their checksums */
} tn__bundle_limits;

/* One tensor. */
typedef struct {
    const char *name; /* its key: "layer-0/kernel/.ATTRIBUTES/VARIABLE_VALUE" */
    int dtype;        /* a tn__tf_dtype */
    int rank;
    const int64_t *shape;
    uint64_t count; /* elements: the product of shape */
    uint64_t size;  /* bytes that tn__bundle_read() gives; 0 for texts */
    bool sliced;    /* stored in parts, which reading joins */
} tn__bundle_entry;

typedef struct tn__bundle tn__bundle;
/* Opens PREFIX.index, or the file PREFIX when it is a checkpoint of the first format. Shards are
 * opened when they are needed first. TN_NOT_FOUND: neither is there. */
tn_status tn__bundle_open(const char *prefix, const tn__bundle_limits *limits, tn__bundle **bundle);
/* The same from bytes, which outlive the bundle: an index, and its shards in order; shards NULL: a
 * checkpoint of the first format. */
tn_status tn__bundle_open_bytes(tn__span index, const tn__span *shards, size_t count,
                                const tn__bundle_limits *limits, tn__bundle **bundle);
void tn__bundle_close(tn__bundle *bundle); /* NULL is allowed */
size_t tn__bundle_count(const tn__bundle *bundle);
/* In order of their names' bytes; index < count. As long as the bundle. */
const tn__bundle_entry *tn__bundle_at(const tn__bundle *bundle, size_t index);
bool tn__bundle_find(const tn__bundle *bundle, const char *name, size_t *index);
/* Checks all that can be checked without reading the value: that its bytes are there, and are as
 * many as its shape says. After this entry->size bytes may be allocated. */
tn_status tn__bundle_check(tn__bundle *bundle, size_t index);
/* The elements, row-major and little-endian, into `out`, which has room for entry->size bytes.
 * Checks as above first. Not for texts. */
tn_status tn__bundle_read(tn__bundle *bundle, size_t index, void *out);
/* The elements of a tensor of texts: entry->count spans into the bundle, as long as it is open. */
typedef struct {
    tn__span *item;
    size_t count;
} tn__bundle_texts;
tn_status tn__bundle_read_texts(tn__bundle *bundle, size_t index, tn__bundle_texts *texts);
void tn__bundle_texts_free(tn__bundle_texts *texts); /* all zero is empty */

/* --- writing ---------------------------------------------------------------------------------- */
typedef struct tn__bundle_writer tn__bundle_writer;
/* Begins PREFIX.data-00000-of-00001, beside the old one until the end. After a failure of any call
 * the writer is aborted. */
tn_status tn__bundle_writer_open(const char *prefix, tn__bundle_writer **writer);
/* A tensor's elements, row-major and in this machine's order (little-endian: others cannot be
 * written). The data are written at once. A name may be used once. TensorFlow adds in order of
 * names, which nothing needs. */
tn_status tn__bundle_add(tn__bundle_writer *writer, const char *name, int dtype, int rank,
                         const int64_t *shape, const void *data);
/* A tensor of texts: as many as the shape has elements. */
tn_status tn__bundle_add_texts(tn__bundle_writer *writer, const char *name, int rank,
                               const int64_t *shape, const tn__span *texts);
/* Puts the data in place, then the index: a save that is stopped before that leaves the old
 * checkpoint. Stopped between the two, the old index does not fit the new data, which its checksums
 * tell; a prefix of its own for each save (as TensorFlow's ckpt-1, ckpt-2) has no such moment.
 * Frees the writer, whether it succeeds or not. */
tn_status tn__bundle_finish(tn__bundle_writer *writer);
void tn__bundle_writer_abort(tn__bundle_writer *writer); /* NULL is allowed */

#endif
