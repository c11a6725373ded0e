/* npz.h - NumPy's archives of arrays (.npz): a zip with one .npy member an array. */
#ifndef TN_FORMATS_NPZ_H
#define TN_FORMATS_NPZ_H
#include "formats/npy.h"
#include "formats/zip.h"

typedef struct tn__npz tn__npz;
/* Lists the arrays: the members that end in ".npy", under their names without it, in the archive's
 * order; of two of one name the last. `bytes` must outlive the archive. limits: as for
 * tn__zip_open(). */
tn_status tn__npz_open(tn__span bytes, const tn__zip_limits *limits, tn__npz **npz);
void tn__npz_close(tn__npz *npz); /* NULL is allowed */
size_t tn__npz_count(const tn__npz *npz);
const char *tn__npz_name(const tn__npz *npz, size_t index); /* index < count */
/* By name, with or without ".npy"; false when there is none. */
bool tn__npz_find(const tn__npz *npz, const char *name, size_t *index);
/* The array's description and data, its CRC-32 compared. The data of a compressed array are decoded
 * into *store, which is overwritten and the caller's to free after the last use of array->data;
 * those of a stored one stay in the archive's bytes, and *store is empty. */
tn_status tn__npz_read(tn__npz *npz, size_t index, tn__npy *array, tn__bytes *store);

/* Writes a row-major array in this machine's byte order as a stored member "<name>.npy", its data
 * at a multiple of 64 bytes; tn__zip_writer_open() and tn__zip_finish() begin and end the archive.
 */
tn_status tn__npz_add(tn__zip_writer *zip, const char *name, tn__npy_type type, int rank,
                      const uint64_t *shape, const void *data);

#endif
