/* tf_dtype.h - TensorFlow's numbers for dtypes, all of them: tn_dtype has those that tenon computes
 * with, under the same numbers. */
#ifndef TN_FORMATS_TF_DTYPE_H
#define TN_FORMATS_TF_DTYPE_H
#include <stddef.h>

typedef enum {
    TN__TF_INVALID = 0,
    TN__TF_FLOAT = 1,
    TN__TF_DOUBLE = 2,
    TN__TF_INT32 = 3,
    TN__TF_UINT8 = 4,
    TN__TF_INT16 = 5,
    TN__TF_INT8 = 6,
    TN__TF_STRING = 7,
    TN__TF_COMPLEX64 = 8,
    TN__TF_INT64 = 9,
    TN__TF_BOOL = 10,
    TN__TF_QINT8 = 11,
    TN__TF_QUINT8 = 12,
    TN__TF_QINT32 = 13,
    TN__TF_BFLOAT16 = 14,
    TN__TF_QINT16 = 15,
    TN__TF_QUINT16 = 16,
    TN__TF_UINT16 = 17,
    TN__TF_COMPLEX128 = 18,
    TN__TF_HALF = 19,
    TN__TF_RESOURCE = 20,
    TN__TF_VARIANT = 21,
    TN__TF_UINT32 = 22,
    TN__TF_UINT64 = 23,
    TN__TF_FLOAT8_E5M2 = 24,
    TN__TF_FLOAT8_E4M3FN = 25,
    TN__TF_FLOAT8_E4M3FNUZ = 26,
    TN__TF_FLOAT8_E4M3B11FNUZ = 27,
    TN__TF_FLOAT8_E5M2FNUZ = 28,
    TN__TF_INT4 = 29,
    TN__TF_UINT4 = 30,
    TN__TF_INT2 = 31,
    TN__TF_UINT2 = 32,
    TN__TF_FLOAT4_E2M1FN = 33,
    TN__TF_REF = 100, /* added to one of the above: a reference to a variable of TensorFlow 1 */
} tn__tf_dtype;

/* Bytes of an element, 0 when it has no fixed number of them (text, resources) or is not known. */
size_t tn__tf_dtype_size(int dtype);
/* "DT_FLOAT", "DT_FLOAT_REF"; "an unknown dtype". */
const char *tn__tf_dtype_name(int dtype);

#endif
