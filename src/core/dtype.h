/* dtype.h - the element types, as TensorFlow numbers and names them. */
#ifndef TN_CORE_DTYPE_H
#define TN_CORE_DTYPE_H
#include "tenon/tensor.h"
#include <string.h>

/* Inside the library only: a handle on a variable (TensorFlow's DT_RESOURCE). */
enum { TN__RESOURCE = 20 };

enum { TN__DTYPES = 24 }; /* above every number */
typedef struct {
    size_t size;
    const char *name, *op_name; /* NULL: no type has this number */
} tn__dtype_row;
extern const tn__dtype_row tn__dtypes[TN__DTYPES];
/* Bytes an element; 0 for what has none. */
static inline size_t tn__dtype_size(tn_dtype dtype) { return (unsigned)dtype < TN__DTYPES ? tn__dtypes[dtype].size : 0; }
const char *tn__dtype_name(tn_dtype dtype);     /* "float32", Keras's and numpy's name; "invalid" */
const char *tn__dtype_op_name(tn_dtype dtype);  /* "float", as OpDefs spell it */
tn_dtype tn__dtype_of_name(const char *name);   /* either spelling; 0: unknown */

/* Sets of types, one bit a number. */
typedef uint32_t tn__dtype_set;
#define TN__BIT(dtype) (1u << (dtype))
#define TN__FLOATS (TN__BIT(TN_FLOAT32) | TN__BIT(TN_FLOAT64) | TN__BIT(TN_FLOAT16) | TN__BIT(TN_BFLOAT16))
#define TN__UNSIGNED (TN__BIT(TN_UINT8) | TN__BIT(TN_UINT16) | TN__BIT(TN_UINT32) | TN__BIT(TN_UINT64))
#define TN__INTS (TN__BIT(TN_INT32) | TN__BIT(TN_INT64) | TN__BIT(TN_INT8) | TN__BIT(TN_INT16) | TN__UNSIGNED)
#define TN__NUMBERS (TN__FLOATS | TN__INTS)
static inline bool tn__in(tn__dtype_set set, tn_dtype dtype) { return (unsigned)dtype < 32 && (set >> dtype & 1); }

/* One element as the widest type of its kind, and back (whole numbers out of range wrap, fractions are cut off). A uint64 as int64 has the
 * same bits. */
double tn__element_to_double(tn_dtype dtype, const void *element);
int64_t tn__element_to_int(tn_dtype dtype, const void *element);
void tn__element_from_double(tn_dtype dtype, double value, void *element);
void tn__element_from_int(tn_dtype dtype, int64_t value, void *element);

/* A float as a whole number. C leaves open what does not fit; here it is what TensorFlow's kernels give for one number on x86, on every
 * processor: the least number of int32 or int64, 2^63 of uint64, for NaN too. Narrower types take the low bits of int32, uint32 those of
 * int64. */
static inline int32_t tn__double_to_int32(double value)
{
    return value > -2147483649.0 && value < 2147483648.0 ? (int32_t)value : INT32_MIN;
}

static inline int64_t tn__double_to_int64(double value)
{
    return value >= -0x1p63 && value < 0x1p63 ? (int64_t)value : INT64_MIN;
}

static inline uint64_t tn__double_to_uint64(double value)
{
    return value >= 0x1p63 && value < 0x1p64 ? (uint64_t)value : (uint64_t)tn__double_to_int64(value);
}

/* IEEE half and bfloat16 bit patterns; round to nearest even. Without branches, so that loops of them become vector code. */
static inline uint32_t tn__float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float tn__bits_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float tn__bfloat16_to_float(uint16_t bits)
{
    return tn__bits_float((uint32_t)bits << 16);
}

static inline uint16_t tn__float_to_bfloat16(float value)
{
    uint32_t bits = tn__float_bits(value), nan = bits >> 16 | 0x40, rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? nan : rounded);
}

static inline float tn__half_to_float(uint16_t bits)
{
    uint32_t sign = (uint32_t)(bits & 0x8000) << 16, rest = bits & 0x7fff, wide = (rest << 13) + 0x38000000;
    uint32_t small = tn__float_bits((float)(int32_t)rest * 0x1p-24f); /* subnormal: a multiple of 2^-24 */
    wide = rest >= 0x7c00 ? wide + 0x38000000 : wide;
    return tn__bits_float(sign | (rest < 0x400 ? small : wide));
}

static inline uint16_t tn__float_to_half(float value)
{
    uint32_t bits = tn__float_bits(value), sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
    uint32_t half = (rest - 0x38000000 + 0xfff + (rest >> 13 & 1)) >> 13;
    /* below 2^-14: adding 0.5 lets the FPU round to a multiple of 2^-24 */
    uint32_t small = tn__float_bits(tn__bits_float(rest) + 0.5f) - 0x3f000000;
    half = rest < 0x38800000 ? small : half;
    half = rest >= 0x477ff000 ? 0x7c00 : half; /* rounds to 65536 or more */
    return (uint16_t)(sign | (rest > 0x7f800000 ? 0x7e00 : half));
}

#endif
