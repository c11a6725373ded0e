/* tf_dtype.c */
#include "formats/tf_dtype.h"

static const struct {
    const char *name, *reference;
    size_t size;
} dtypes[] = {
#define DTYPE(number, name, size) [number] = { "DT_" name, "DT_" name "_REF", size }
    DTYPE(TN__TF_INVALID, "INVALID", 0),
    DTYPE(TN__TF_FLOAT, "FLOAT", 4),
    DTYPE(TN__TF_DOUBLE, "DOUBLE", 8),
    DTYPE(TN__TF_INT32, "INT32", 4),
    DTYPE(TN__TF_UINT8, "UINT8", 1),
    DTYPE(TN__TF_INT16, "INT16", 2),
    DTYPE(TN__TF_INT8, "INT8", 1),
    DTYPE(TN__TF_STRING, "STRING", 0),
    DTYPE(TN__TF_COMPLEX64, "COMPLEX64", 8),
    DTYPE(TN__TF_INT64, "INT64", 8),
    DTYPE(TN__TF_BOOL, "BOOL", 1),
    DTYPE(TN__TF_QINT8, "QINT8", 1),
    DTYPE(TN__TF_QUINT8, "QUINT8", 1),
    DTYPE(TN__TF_QINT32, "QINT32", 4),
    DTYPE(TN__TF_BFLOAT16, "BFLOAT16", 2),
    DTYPE(TN__TF_QINT16, "QINT16", 2),
    DTYPE(TN__TF_QUINT16, "QUINT16", 2),
    DTYPE(TN__TF_UINT16, "UINT16", 2),
    DTYPE(TN__TF_COMPLEX128, "COMPLEX128", 16),
    DTYPE(TN__TF_HALF, "HALF", 2),
    DTYPE(TN__TF_RESOURCE, "RESOURCE", 0),
    DTYPE(TN__TF_VARIANT, "VARIANT", 0),
    DTYPE(TN__TF_UINT32, "UINT32", 4),
    DTYPE(TN__TF_UINT64, "UINT64", 8),
    DTYPE(TN__TF_FLOAT8_E5M2, "FLOAT8_E5M2", 1),
    DTYPE(TN__TF_FLOAT8_E4M3FN, "FLOAT8_E4M3FN", 1),
    DTYPE(TN__TF_FLOAT8_E4M3FNUZ, "FLOAT8_E4M3FNUZ", 1),
    DTYPE(TN__TF_FLOAT8_E4M3B11FNUZ, "FLOAT8_E4M3B11FNUZ", 1),
    DTYPE(TN__TF_FLOAT8_E5M2FNUZ, "FLOAT8_E5M2FNUZ", 1),
    DTYPE(TN__TF_INT4, "INT4", 1),
    DTYPE(TN__TF_UINT4, "UINT4", 1),
    DTYPE(TN__TF_INT2, "INT2", 1),
    DTYPE(TN__TF_UINT2, "UINT2", 1),
    DTYPE(TN__TF_FLOAT4_E2M1FN, "FLOAT4_E2M1FN", 1),
#undef DTYPE
};
enum { COUNT = sizeof dtypes / sizeof *dtypes };

size_t tn__tf_dtype_size(int dtype)
{
    return dtype > 0 && dtype < COUNT ? dtypes[dtype].size : 0;
}

const char *tn__tf_dtype_name(int dtype)
{
    if (dtype > TN__TF_REF && dtype - TN__TF_REF < COUNT)
        return dtypes[dtype - TN__TF_REF].reference;
    return dtype >= 0 && dtype < COUNT ? dtypes[dtype].name : "an unknown dtype";
}
