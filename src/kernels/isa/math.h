/* math.h - functions of vectors. Polynomials as in the Cephes library (Moshier, 1989); errors measured over all float32 by
 * kernels/math_test.c. */
#ifndef TN_KERNELS_ISA_MATH_H
#define TN_KERNELS_ISA_MATH_H
#include "kernels/isa/vector.h"

typedef union {
    vector f;
    mask i;
} bits;

INLINE mask whole(int32_t x)
{
    return x - (mask){ 0 };
}

INLINE vector absolute(vector x)
{
    return (vector)((mask)x & whole(0x7fffffff));
}

INLINE vector with_sign_of(vector magnitude, vector sign)
{
    return (vector)((mask)magnitude | ((mask)sign & whole(INT32_MIN)));
}

INLINE vector larger(vector x, vector y)
{
    return choose((x > y) | (x != x), x, y);
}

INLINE vector lesser(vector x, vector y)
{
    return choose((x < y) | (x != x), x, y);
}

#if defined TN__MASKED_AVX512
INLINE vector square_root(vector x)
{
    return _mm512_sqrt_ps(x);
}
#elif defined TN__ISA_AVX2
INLINE vector square_root(vector x)
{
    return _mm256_sqrt_ps(x);
}
#else
INLINE vector square_root(vector x)
{
    for (int i = 0; i < LANES; i++)
        x[i] = __builtin_sqrtf(x[i]);
    return x;
}
#endif

/* Between two numbers; what is no number stays. The processor's own maximum gives its second operand there. */
#if defined TN__MASKED_AVX512
INLINE vector between(vector x, float least, float most)
{
    return _mm512_min_ps(broadcast(most), _mm512_max_ps(broadcast(least), x));
}
#elif defined TN__ISA_AVX2
INLINE vector between(vector x, float least, float most)
{
    return _mm256_min_ps(broadcast(most), _mm256_max_ps(broadcast(least), x));
}
#elif defined __SSE2__ && !defined TN__ISA_AVX512
INLINE vector between(vector x, float least, float most)
{
    return _mm_min_ps(broadcast(most), _mm_max_ps(broadcast(least), x));
}
#else
INLINE vector between(vector x, float least, float most)
{
    return lesser(larger(x, broadcast(least)), broadcast(most));
}
#endif

/* 2 to the whole power n, -126 <= n <= 127 */
INLINE vector power_of_two(mask n)
{
    return (vector)((n + 127) << 23);
}

/* eˣ = 2ⁿ eʳ, n the whole number nearest to x / ln 2 and r what is left, |r| <= ln 2 / 2. */
INLINE vector exponential(vector x)
{
    const float shift = 0x1.8p23f; /* added, it leaves a number rounded to a whole one in the low bits */
    vector most = between(x, -104, 89);
    vector shifted = most * 1.44269504088896341f + shift;
    mask n = (mask)shifted - (mask)broadcast(shift);
    vector count = shifted - shift, r = most - count * 0.693359375f + count * 2.12194440e-4f;
    vector p = broadcast(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    vector y = p * (r * r) + r + 1;
    mask half = n >> 1;
    return y * power_of_two(half) * power_of_two(n - half); /* r, and so y, is no number where x is none */
}

/* log x = e ln 2 + log m, with m in [√½, √2). */
INLINE vector logarithm(vector x)
{
    mask raw = (mask)x, e = ((raw >> 23) & 255) - 126;
    vector m = (vector)((raw & whole(0x007fffff)) | whole(0x3f000000));
    mask low = m < 0.707106781186547524f;
    e += low; /* -1 where it holds */
    m = choose(low, m + m, m) - 1;
    vector p = broadcast(7.0376836292e-2f);
    p = p * m - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    vector square = m * m, count = __builtin_convertvector(e, vector);
    vector y = p * m * square - count * 2.12194440e-4f - square * 0.5f;
    y = m + y + count * 0.693359375f;
    const float infinity = __builtin_inff();
    y = choose(x < 0x1p-126f, broadcast(-infinity), y); /* subnormal numbers are 0 */
    y = choose(x <= -0x1p-126f, broadcast(__builtin_nanf("")), y);
    return choose((x == infinity) | (x != x), x, y);
}

/* Near 0 a polynomial, else 1 - 2 / (e²ˣ + 1). */
INLINE vector hyperbolic_tangent(vector x)
{
    vector a = absolute(x), z = x * x;
    vector p = broadcast(-5.70498872745e-3f);
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    vector near = p * z * x + x;
    vector far = with_sign_of(1 - 2 / (exponential(a + a) + 1), x);
    vector y = choose(a < 0.625f, near, far);
    return choose(x != x, x, y);
}

INLINE vector logistic(vector x)
{
    return 1 / (1 + exponential(-x));
}

#endif
