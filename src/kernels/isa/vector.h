/* vector.h - the thin layer: LANES floats at once, as the compiler's own vectors. TN__ISA_* says for which instruction set the file is
 * compiled; names that leave the file are made by TN__ISA(name). ROWS by VECTORS is a tile of a product, see tile.h. */
#ifndef TN_KERNELS_ISA_VECTOR_H
#define TN_KERNELS_ISA_VECTOR_H
#include "kernels/kernels.h"
#include <string.h>

/* The tests also compile the widest set for processors that have no such vectors: the compiler makes them of narrower ones. */
#if defined TN__ISA_AVX512 && defined __AVX512F__
#define TN__MASKED_AVX512
#endif
#if defined __SSE2__
#include <immintrin.h>
#endif

#if defined TN__ISA_AVX512
#define TN__ISA(name) name##_avx512
enum { LANES = 16, ROWS = 6, NARROW_ROWS = 8, VECTORS = 4 };
#elif defined TN__ISA_AVX2
#define TN__ISA(name) name##_avx2
enum { LANES = 8, ROWS = 6, NARROW_ROWS = ROWS, VECTORS = 2 };
#else /* NEON, SSE2, or whatever the compiler makes of vectors of four */
#define TN__ISA(name) name##_base
enum { LANES = 4, ROWS = 6, NARROW_ROWS = ROWS, VECTORS = 2 };
#endif

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#define INLINE static inline __attribute__((always_inline))

typedef float vector __attribute__((vector_size(4 * LANES)));
typedef int32_t mask __attribute__((vector_size(4 * LANES)));
typedef float loose_vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

INLINE vector load(const float *from)
{
    return *(const loose_vector *)from;
}

INLINE void store(float *to, vector x)
{
    *(loose_vector *)to = x;
}

INLINE vector broadcast(float x)
{
    return x - (vector){ 0 };
}

INLINE vector choose(mask which, vector a, vector b)
{
    return (vector)((which & (mask)a) | (~which & (mask)b));
}

/* As Relu: a number that is none stays none. */
INLINE vector relu(vector x)
{
    return choose(x < 0, (vector){ 0 }, x);
}

/* The first count numbers, 0 < count <= LANES; the rest is 0, and nothing behind them is read. */
#if defined TN__MASKED_AVX512
INLINE vector load_part(const float *from, int64_t count)
{
    return _mm512_maskz_loadu_ps((__mmask16)(0xffffu >> (LANES - count)), from);
}

INLINE void store_part(float *to, vector x, int64_t count)
{
    _mm512_mask_storeu_ps(to, (__mmask16)(0xffffu >> (LANES - count)), x);
}
#elif defined TN__ISA_AVX2
INLINE __m256i part(int64_t count)
{
    const mask places = { 0, 1, 2, 3, 4, 5, 6, 7 };
    return (__m256i)(places < (int32_t)count);
}

INLINE vector load_part(const float *from, int64_t count)
{
    return _mm256_maskload_ps(from, part(count));
}

INLINE void store_part(float *to, vector x, int64_t count)
{
    _mm256_maskstore_ps(to, part(count), x);
}
#else
INLINE vector load_part(const float *from, int64_t count)
{
    vector x = { 0 };
    for (int i = 0; i < LANES; i++)
        if (i < count)
            x[i] = from[i];
    return x;
}

INLINE void store_part(float *to, vector x, int64_t count)
{
    for (int i = 0; i < LANES; i++)
        if (i < count)
            to[i] = x[i];
}
#endif

/* A vector, or its first numbers where fewer than that are left. */
INLINE vector load_some(const float *from, int64_t count)
{
    return count >= LANES ? load(from) : load_part(from, count);
}

INLINE void store_some(float *to, vector x, int64_t count)
{
    if (count >= LANES)
        store(to, x);
    else
        store_part(to, x, count);
}

/* The first count numbers of a sum, as they are stored at to[place], in the result's column so many. */
INLINE void store_sum(vector sum, const tn__epilogue *e, int64_t column, int64_t place, int64_t count, float *to)
{
    if (e->bias)
        sum += load_some(e->bias + column, count);
    if (e->beside)
        sum += load_some(e->beside + place, count);
    if (e->relu)
        sum = relu(sum);
    if (e->mask)
        sum *= choose(load_some(e->mask + place, count) > 0, broadcast(1), (vector){ 0 });
    store_some(to + place, sum, count);
}

/* Past the caches, for what is too large to be found in them again; `to` is on a whole vector. After the last of a thread's,
 * streamed(). */
#if defined TN__MASKED_AVX512
INLINE void stream(float *to, vector x)
{
    _mm512_stream_ps(to, x);
}
#elif defined TN__ISA_AVX2
INLINE void stream(float *to, vector x)
{
    _mm256_stream_ps(to, x);
}
#elif defined __SSE2__ && !defined TN__ISA_AVX512
INLINE void stream(float *to, vector x)
{
    _mm_stream_ps(to, x);
}
#else
INLINE void stream(float *to, vector x)
{
    store(to, x);
}
#endif

INLINE void streamed(void)
{
#ifdef __SSE2__
    _mm_sfence();
#endif
}

/* What one thread makes that is at least as many numbers is written past the caches. */
enum { LARGE = 2 << 20 };

/* What is going to be read soon: the memory is to be at work while numbers are computed. */
INLINE void fetch(const float *from, int64_t count)
{
    enum { CACHE_LINE = 16 };
    for (int64_t i = 0; i < count; i += CACHE_LINE)
        __builtin_prefetch(from + i);
}

INLINE bool on_a_vector(const float *to)
{
    return (uintptr_t)to % sizeof(vector) == 0;
}

INLINE int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

INLINE int64_t round_up(int64_t x, int64_t to)
{
    return (x + to - 1) / to * to;
}

/* Scratch is cut into pieces that begin on a cache line. */
INLINE float *cut(void **scratch, int64_t floats)
{
    float *piece = *scratch;
    *scratch = piece + round_up(floats, 16);
    return piece;
}

#endif
