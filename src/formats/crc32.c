/* crc32.c - folding by carry-less multiplication: V. Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
 * Instruction", Intel, 2009. Bytes are a polynomial over two elements, and their checksum its remainder by
 * x^32+x^26+x^23+x^22+x^16+x^12+x^11+x^10+x^8+x^7+x^5+x^4+x^2+x+1. Sixteen bytes with n bits behind them may be replaced by what has
 * the same remainder n bits further on, so four rows of sixteen bytes go through the data side by side, are folded into one, and what
 * is left is summed by zlib. */
#include "formats/crc32.h"
#include <zlib.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

static uint32_t by_zlib(uint32_t crc, const uint8_t *data, size_t size)
{
    return size ? (uint32_t)crc32_z(crc, data, size) : crc;
}

#ifdef __x86_64__
#define FOLDS __attribute__((target("pclmul,sse2")))

enum { ROW = 16, STEP = 4 * ROW };

/* `factors` are the remainders of x^(n+32), for the eight bytes that stand first, and of x^(n-32): their bits in the order of the
 * data's, the lowest last, and moved by one, since a product of two such numbers comes out one bit low. */
FOLDS static __m128i fold(__m128i row, __m128i factors, __m128i next)
{
    __m128i first = _mm_clmulepi64_si128(row, factors, 0x00), second = _mm_clmulepi64_si128(row, factors, 0x11);
    return _mm_xor_si128(_mm_xor_si128(first, second), next);
}

FOLDS static __m128i row_at(const uint8_t *data, int i)
{
    return _mm_loadu_si128((const __m128i *)(const void *)(data + i * ROW));
}

/* One step at least. */
FOLDS static uint32_t by_folding(uint32_t crc, const uint8_t *data, size_t steps)
{
    const __m128i by_four = _mm_set_epi64x(0x1c6e41596, 0x154442bd4);  /* n = 512 */
    const __m128i by_one = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);   /* n = 128 */
    __m128i row[4];
    uint8_t left[ROW];
    for (int i = 0; i < 4; i++)
        row[i] = row_at(data, i);
    row[0] = _mm_xor_si128(row[0], _mm_cvtsi32_si128((int)~crc));
    while (--steps > 0) {
        data += STEP;
        for (int i = 0; i < 4; i++)
            row[i] = fold(row[i], by_four, row_at(data, i));
    }
    for (int i = 1; i < 4; i++)
        row[i] = fold(row[i - 1], by_one, row[i]);
    _mm_storeu_si128((__m128i *)(void *)left, row[3]);
    return by_zlib(~0u, left, ROW);
}

uint32_t tn__crc32(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *at = data;
    size_t folded = size / STEP * STEP;
    if (folded && __builtin_cpu_supports("pclmul")) {
        crc = by_folding(crc, at, folded / STEP);
        at += folded;
        size -= folded;
    }
    return by_zlib(crc, at, size);
}
#else
uint32_t tn__crc32(uint32_t crc, const void *data, size_t size)
{
    return by_zlib(crc, data, size);
}
#endif
