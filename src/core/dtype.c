/* dtype.c */
#include "core/dtype.h"
#include <string.h>

const tn__dtype_row tn__dtypes[TN__DTYPES] = {
    [TN_FLOAT32] = { 4, "float32", "float" },   [TN_FLOAT64] = { 8, "float64", "double" },
    [TN_INT32] = { 4, "int32", "int32" },       [TN_UINT8] = { 1, "uint8", "uint8" },
    [TN_INT64] = { 8, "int64", "int64" },       [TN_BOOL] = { 1, "bool", "bool" },
    [TN_BFLOAT16] = { 2, "bfloat16", "bfloat16" }, [TN_FLOAT16] = { 2, "float16", "half" },
    [TN_INT8] = { 1, "int8", "int8" },          [TN_INT16] = { 2, "int16", "int16" },
    [TN_UINT16] = { 2, "uint16", "uint16" },    [TN_UINT32] = { 4, "uint32", "uint32" },
    [TN_UINT64] = { 8, "uint64", "uint64" },
    [TN__RESOURCE] = { 0, "resource", "resource" }, [TN_TUPLE] = { 0, "tuple", "tuple" },
};

const char *tn__dtype_name(tn_dtype dtype)
{
    const char *name = (unsigned)dtype < TN__DTYPES ? tn__dtypes[dtype].name : NULL;
    return name ? name : "invalid";
}

const char *tn__dtype_op_name(tn_dtype dtype)
{
    const char *name = (unsigned)dtype < TN__DTYPES ? tn__dtypes[dtype].op_name : NULL;
    return name ? name : "invalid";
}

tn_dtype tn__dtype_of_name(const char *name)
{
    for (int i = 0; i < TN__DTYPES; i++)
        if (tn__dtypes[i].name && (strcmp(tn__dtypes[i].name, name) == 0 || strcmp(tn__dtypes[i].op_name, name) == 0))
            return (tn_dtype)i;
    return (tn_dtype)0;
}

double tn__element_to_double(tn_dtype dtype, const void *element)
{
    switch (dtype) {
    case TN_FLOAT32:
        return *(const float *)element;
    case TN_FLOAT64:
        return *(const double *)element;
    case TN_FLOAT16:
        return tn__half_to_float(*(const uint16_t *)element);
    case TN_BFLOAT16:
        return tn__bfloat16_to_float(*(const uint16_t *)element);
    case TN_UINT64:
        return (double)*(const uint64_t *)element;
    default:
        return (double)tn__element_to_int(dtype, element);
    }
}

int64_t tn__element_to_int(tn_dtype dtype, const void *element)
{
    switch (dtype) {
    case TN_INT32:
        return *(const int32_t *)element;
    case TN_INT64:
    case TN_UINT64:
        return *(const int64_t *)element;
    case TN_INT8:
        return *(const int8_t *)element;
    case TN_INT16:
        return *(const int16_t *)element;
    case TN_UINT16:
        return *(const uint16_t *)element;
    case TN_UINT32:
        return *(const uint32_t *)element;
    case TN_UINT8:
    case TN_BOOL:
        return *(const uint8_t *)element;
    default:
        return tn__double_to_int64(tn__element_to_double(dtype, element));
    }
}

void tn__element_from_double(tn_dtype dtype, double value, void *element)
{
    switch (dtype) {
    case TN_FLOAT32:
        *(float *)element = (float)value;
        break;
    case TN_FLOAT64:
        *(double *)element = value;
        break;
    case TN_FLOAT16:
        *(uint16_t *)element = tn__float_to_half((float)value);
        break;
    case TN_BFLOAT16:
        *(uint16_t *)element = tn__float_to_bfloat16((float)value);
        break;
    case TN_BOOL:
        *(uint8_t *)element = value != 0;
        break;
    case TN_UINT64:
        *(uint64_t *)element = tn__double_to_uint64(value);
        break;
    case TN_INT64:
    case TN_UINT32:
        tn__element_from_int(dtype, tn__double_to_int64(value), element);
        break;
    default:
        tn__element_from_int(dtype, tn__double_to_int32(value), element);
    }
}

void tn__element_from_int(tn_dtype dtype, int64_t value, void *element)
{
    switch (dtype) {
    case TN_INT32:
        *(int32_t *)element = (int32_t)value;
        break;
    case TN_INT64:
    case TN_UINT64:
        *(int64_t *)element = value;
        break;
    case TN_UINT8:
    case TN_INT8:
        *(uint8_t *)element = (uint8_t)value;
        break;
    case TN_INT16:
    case TN_UINT16:
        *(uint16_t *)element = (uint16_t)value;
        break;
    case TN_UINT32:
        *(uint32_t *)element = (uint32_t)value;
        break;
    case TN_BOOL:
        *(uint8_t *)element = value != 0;
        break;
    default:
        tn__element_from_double(dtype, (double)value, element);
    }
}
