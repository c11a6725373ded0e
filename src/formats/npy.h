/* npy.h - NumPy's array files (.npy, format 1 to 3): a header in Python's syntax, then the bytes.
 *
 * Reads booleans, integers and floating-point numbers of 1 to 8 bytes, in either byte order and
 * either memory order. What else NumPy can save (records, text, dates, complex numbers, objects) is
 * refused by name; objects are stored as a pickle, and a pickle is a program: it is never run.
 * bfloat16, which NumPy has from elsewhere, stands there as "<V2"; plain bytes are "|V2". */
#ifndef TN_FORMATS_NPY_H
#define TN_FORMATS_NPY_H
#include "base/file.h"

enum { TN__NPY_RANK = 32 };

typedef struct {
    char kind; /* as NumPy calls them: 'b' boolean, 'i' and 'u' integer, 'f' floating point, 'V'
                  bfloat16 */
    int size;  /* bytes of an element: b 1; i, u 1, 2, 4, 8; f 2, 4, 8; V 2 */
    bool big_endian;
} tn__npy_type;

typedef struct {
    tn__npy_type type;
    bool fortran; /* column-major: the first index runs fastest */
    int rank;
    uint64_t shape[TN__NPY_RANK];
    size_t count;  /* elements: the product of shape */
    tn__span data; /* count * type.size bytes where they stand in the file */
} tn__npy;

/* Reads the header and finds the data, which stay in `file`. Bytes behind them are left alone, as
 * NumPy does. TN_DATA_LOSS: no .npy file, or cut short. TN_UNIMPLEMENTED: a dtype that cannot be
 * read. */
tn_status tn__npy_open(tn__span file, tn__npy *array);
/* Whether the data can be used where they are: row-major, in this machine's byte order (whatever
 * the alignment). */
bool tn__npy_is_plain(const tn__npy *array);
/* Copies the elements row-major and in this machine's byte order to `destination`, which has room
 * for data.size bytes. */
void tn__npy_copy(const tn__npy *array, void *destination);

/* The header of a row-major array in this machine's byte order, byte for byte what NumPy writes;
 * with it the data start at a multiple of 64 bytes. type.big_endian is not looked at. Appended to
 * *header. */
tn_status tn__npy_header(tn__npy_type type, int rank, const uint64_t *shape, tn__bytes *header);
/* Header and data. */
tn_status tn__npy_write(tn__writer *writer, tn__npy_type type, int rank, const uint64_t *shape,
                        const void *data);

#endif
