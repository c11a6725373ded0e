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

/* eˣ = 2ⁿ eʳ, n the whole number nearest to x / ln 2 and r what is left, |r| <= ln 2 / 2. Gives eʳ - 1. */
INLINE vector exponential_part(vector x, mask *n)
{
    const float shift = 0x1.8p23f; /* added, it leaves a number rounded to a whole one in the low bits */
    vector most = between(x, -104, 89);
    vector shifted = most * 1.44269504088896341f + shift;
    vector count = shifted - shift, r = most - count * 0.693359375f + count * 2.12194440e-4f;
    vector p = broadcast(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    *n = (mask)shifted - (mask)broadcast(shift);
    return p * (r * r) + r; /* r is no number where x is none */
}

INLINE vector exponential(vector x)
{
    mask n;
    vector y = exponential_part(x, &n) + 1;
    mask half = n >> 1;
    return y * power_of_two(half) * power_of_two(n - half);
}

/* eˣ - 1: near 0 by 2ⁿ (eʳ - 1) + (2ⁿ - 1) */
INLINE vector exponential_less_1(vector x)
{
    mask n;
    vector part = exponential_part(x, &n), scale = power_of_two(n);
    vector y = choose((x > -40) & (x < 40), part * scale + (scale - 1), exponential(x) - 1);
    return with_sign_of(absolute(y), x);
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

/* log (1 + x): that of the sum, and what the sum was rounded by. */
INLINE vector logarithm_of_1_and(vector x)
{
    vector sum = 1 + x, y = logarithm(sum);
    vector more = y + (x - (sum - 1)) / sum;
    y = choose((sum > 0) & (sum < __builtin_inff()), more, y);
    return with_sign_of(absolute(y), x);
}

/* log (1 + eˣ) */
INLINE vector soft_plus(vector x)
{
    return larger(x, (vector){ 0 }) + logarithm_of_1_and(exponential(-absolute(x)));
}

/* (erf x - x) / x, |x| <= 1: 1 less x is exact where the rest would lose digits. */
INLINE vector error_near_0(vector x)
{
    vector z = x * x, p = broadcast(7.853861353153693e-5f);
    p = p * z - 8.010193625184903e-4f;
    p = p * z + 5.188327685732524e-3f;
    p = p * z - 2.685381193529856e-2f;
    p = p * z + 1.128358514861418e-1f;
    p = p * z - 3.761262582423300e-1f;
    return p * z + 0.128379165726710f;
}

/* 1 - erf a, a >= 1: e^(-a²) / a by a polynomial of 1 / a². a² is taken with what its rounding leaves, which the exponential is off by
 * as far as a² is large. */
INLINE vector error_left(vector a)
{
    a = between(a, 1, 12);
    vector square = a * a, high = (vector)((mask)a & whole(-4096)), low = a - high;
    vector left = ((high * high - square) + 2 * high * low) + low * low;
    vector e = exponential(-square), q = 1 / a, z = q * q;
    vector p = broadcast(2.326819970068386e-2f), r = broadcast(-1.047766399936249e+1f);
    p = p * z - 1.387039388740657e-1f;
    p = p * z + 3.687424674597105e-1f;
    p = p * z - 5.824733027278666e-1f;
    p = p * z + 6.210004621745983e-1f;
    p = p * z - 4.944515323274145e-1f;
    p = p * z + 3.404879937665872e-1f;
    p = p * z - 2.741127028184656e-1f;
    p = p * z + 5.638259427386472e-1f;
    r = r * z + 1.297719955372516e+1f;
    r = r * z - 7.495518717768503f;
    r = r * z + 2.921019019210786f;
    r = r * z - 1.015265279202700f;
    r = r * z + 4.218463358204948e-1f;
    r = r * z - 2.820767439740514e-1f;
    r = r * z + 5.641895067754075e-1f;
    return (e - e * left) * q * choose(a < 2, p, r);
}

INLINE vector error_function(vector x)
{
    vector a = absolute(x);
    return choose(a < 1, x * error_near_0(x) + x, with_sign_of(1 - error_left(a), x));
}

INLINE vector error_complement(vector x)
{
    vector a = absolute(x), left = error_left(a);
    return choose(a < 1, (1 - x) - x * error_near_0(x), choose(x < 0, 2 - left, left));
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
