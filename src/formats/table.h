/* table.h - LevelDB's sorted tables (.sst, TensorFlow's .index): keys in order of their bytes, each
 * with a value.
 *
 * A table is a row of blocks, each with a checksum. A data block has entries, of whose keys only
 * what differs from the one before is stored; the index block has one entry a data block; the last
 * 48 bytes tell where the index is. */
#ifndef TN_FORMATS_TABLE_H
#define TN_FORMATS_TABLE_H
#include "base/arena.h"
#include "base/file.h"

enum { TN__TABLE_FOOTER = 48, TN__TABLE_BLOCK = 262144 /* TensorFlow's size of blocks */ };

typedef struct {
    tn__span key, value;
} tn__table_entry;
typedef TN__LIST_OF(tn__table_entry) tn__table_entries;

/* Whether the bytes end as a table does. */
bool tn__table_is(tn__span file);
/* All entries, in order, checksums compared (unless they are ignored: for tests, which damage files
 * behind their checksums). Keys and what was compressed (Snappy) are in the
 * arena, whose limit bounds them; other values stay in `file`. TN_DATA_LOSS: no table, or damaged.
 */
tn_status tn__table_read(tn__span file, bool ignore_checksums, tn__arena *arena,
                         tn__table_entries *entries);
/* By its key, or NULL. */
const tn__table_entry *tn__table_find(const tn__table_entries *entries, tn__span key);
/* Order of bytes: below, above or 0. */
int tn__table_compare(tn__span a, tn__span b);

/* Written uncompressed, byte for byte as TensorFlow does. */
typedef struct tn__table_writer tn__table_writer;
/* `out` stays the caller's, to be committed after tn__table_finish(). */
tn_status tn__table_writer_open(tn__writer *out, tn__table_writer **table);
/* The key is greater than all before. */
tn_status tn__table_add(tn__table_writer *table, tn__span key, tn__span value);
/* Writes what is left. Frees the table writer, whether it succeeds or not. */
tn_status tn__table_finish(tn__table_writer *table);
void tn__table_writer_free(tn__table_writer *table); /* gives up; NULL is allowed */

#endif
