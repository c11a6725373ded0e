/* special.c - error functions, gamma functions and Bessel functions. All are computed in double,
 * also for float32. */
#include "ops/elementwise.h"

static const double pi = 3.14159265358979323846, root_two = 1.41421356237309504880;
static const double two_over_root_pi = 1.12837916709551257390;

/* --- inverse error functions ------------------------------------------------------------------ */
/* The y >= 0 with erfc(y) = q, 0 < q <= 1: Newton's method on log erfc, which is nearly a parabola,
 * so that a handful of steps from the tail's first term reach full precision however small q is. */
static double erfc_inverse(double q)
{
    double target = log(q), y = sqrt(fmax(0, -target - 0.5 * log(fmax(1, -target)) -
                                                 0.5)); /* erfc ≈ e^(-y²) / (y √π) */
    for (int i = 0; i < 20; i++) {
        double here = erfc(y), slope = -two_over_root_pi * exp(-y * y) / here,
               step = (log(here) - target) / slope;
        y = fmax(0, y - step);
        if (fabs(step) <= 1e-16 * y)
            break;
    }
    return y;
}

/* The y with erf(y) = x, for |x| <= 1/2, where 1 - x would lose digits. */
static double erf_inverse_near_zero(double x)
{
    double y = x / two_over_root_pi;
    for (int i = 0; i < 20; i++) {
        double step = (erf(y) - x) / (two_over_root_pi * exp(-y * y));
        y -= step;
        if (fabs(step) <= 1e-17 * fabs(y))
            break;
    }
    return y;
}

static double erf_inverse(double x)
{
    if (!(fabs(x) < 1))
        return fabs(x) == 1 ? copysign((double)INFINITY, x) : (double)NAN;
    return fabs(x) <= 0.5 ? erf_inverse_near_zero(x) : copysign(erfc_inverse(1 - fabs(x)), x);
}

/* The quantile of the normal distribution: Φ(y) = p. */
static double normal_quantile(double p)
{
    if (!(p > 0 && p < 1))
        return p == 0 ? -(double)INFINITY : p == 1 ? (double)INFINITY : (double)NAN;
    if (fabs(p - 0.5) <= 0.25)
        return root_two * erf_inverse_near_zero(2 * p - 1);
    return p < 0.5 ? -root_two * erfc_inverse(2 * p) : root_two * erfc_inverse(2 * (1 - p));
}

/* --- gamma functions -------------------------------------------------------------------------- */
/* lgamma() itself writes a global sign. A float has a function of its own, as in TensorFlow, since a
 * subnormal one is no longer there as a double. */
#define LOG_GAMMA(x) _Generic((x), float: lgammaf_r, double: lgamma_r)(x, &(int){ 0 })

/* B(2j) / 2j of the Bernoulli numbers B. */
static const double bernoulli[] = { 1.0 / 12,  -1.0 / 120,     1.0 / 252, -1.0 / 240,
                                    1.0 / 132, -691.0 / 32760, 1.0 / 12,  -3617.0 / 8160 };
enum { BERNOULLI = sizeof bernoulli / sizeof *bernoulli };

/* ψ: reflected to positive x, raised by ψ(x) = ψ(x + 1) - 1/x, then log x - 1/2x - Σ B(2j)/2j
 * x^-2j. */
double tn__digamma(double x)
{
    if (x <= 0) {
        if (x == floor(x))
            return (double)NAN;
        return tn__digamma(1 - x) - pi / tan(pi * (x - nearbyint(x))); /* the tangent's period is 1 */
    }
    double sum = 0;
    for (; x < 10; x++)
        sum -= 1 / x;
    double power = 1 / (x * x), series = 0;
    for (int j = BERNOULLI - 1; j >= 0; j--)
        series = power * (bernoulli[j] + series);
    return sum + log(x) - 0.5 / x - series;
}

/* What Euler and Maclaurin's formula adds to the sum of (q + k)^-s up to a, where the rest begins:
 * a^(1-s)/(s-1) + a^-s/2 + Σ B(2j)/(2j)! s (s+1) … (s+2j-2) a^(-s-2j+1). */
static double zeta_rest(double s, double a)
{
    double power = pow(a, -s), rest = a * power / (s - 1) + power / 2, factor = s * power / a;
    for (int j = 1; j <= BERNOULLI; j++) {
        rest += factor * bernoulli[j - 1]; /* factor carries s … (s+2j-2) / (2j-1)! */
        factor *= (s + 2 * j - 1) * (s + 2 * j) / ((2.0 * j) * (2.0 * j + 1) * a * a);
    }
    return rest;
}

/* Hurwitz's ζ(s, q) = Σ (q + k)^-s for s > 1. At q = 0, -1, … there is a pole: infinite where s is
 * even, of no sign where odd; below 0 only whole s make sense. */
static double hurwitz_zeta(double s, double q)
{
    if (isnan(s) || isnan(q) || s < 1)
        return (double)NAN;
    if (s == 1)
        return (double)INFINITY;
    if (q <= 0 && q == floor(q))
        return fmod(s, 2) == 0 ? (double)INFINITY : (double)NAN;
    if (q <= 0 && s != floor(s))
        return (double)NAN;
    double sum = 0;
    if (q < -1e6) /* a sum of this length would never end; everything near 0 is in it */
        return (double)NAN;
    if (isinf(q))
        return 0;
    int terms = q < 10 ? (int)ceil(10 - q) : 0;
    for (int k = 0; k < terms; k++)
        sum += pow(q + k, -s);
    return sum + zeta_rest(s, q + terms);
}

/* ψ⁽ⁿ⁾(x) = (-1)ⁿ⁺¹ n! ζ(n + 1, x) */
static double polygamma(double n, double x)
{
    if (!(n >= 0) || n != floor(n) || isinf(n))
        return (double)NAN;
    if (n == 0)
        return tn__digamma(x);
    double factorial = exp(LOG_GAMMA(n + 1));
    return (fmod(n, 2) == 0 ? -1 : 1) * factorial * hurwitz_zeta(n + 1, x);
}

/* --- modified Bessel functions ---------------------------------------------------------------- */
/* e^-|x| I(x) of order 0 or 1. Small x: Σ (x/2)^(2k+order) / (k! (k+order)!), whose terms are all
 * positive. Large x: 1/√(2πx) (1 - (m-1)/(8x) + (m-1)(m-9)/(2! (8x)²) - …), m = 4 order², until
 * terms stop mattering. */
static double scaled_bessel_i(int order, double x)
{
    double size = fabs(x), sum = 1, term = 1;
    if (isinf(size))
        return order ? copysign(0.0, x) : 0;
    if (size < 20) {
        for (int k = 1; term > 1e-17 * sum; k++)
            sum += term *= size * size / (4.0 * k * (k + order));
        sum *= exp(-size) * (order ? size / 2 : 1);
    } else {
        for (int k = 1; fabs(term) > 1e-17 && k < 30; k++)
            sum += term *= -(4.0 * order * order - (2.0 * k - 1) * (2 * k - 1)) / (8 * k * size);
        sum /= sqrt(2 * pi * size);
    }
    return order ? copysign(sum, x) : sum;
}

/* --- gradients -------------------------------------------------------------------------------- */
/* c e^(-x²) and c e^(x²): the slopes of the error functions and of their inverses. */
static tn_tensor *bell(tn_tensor *x, double c)
{
    return tn_multiply(tn__like(x, c), tn_exp(tn_negative(tn_square(x))));
}

static tn_tensor *bowl(tn_tensor *x, double c, double width)
{
    return tn_multiply(tn__like(x, c), tn_exp(tn_multiply(tn_square(x), tn__like(x, width))));
}

/* y / x with the limit at 0 */
static tn_tensor *by_x_or(tn_tensor *x, tn_tensor *slope, double at_zero)
{
    return tn_where(tn_equal(x, tn__like(x, 0)), tn__like(x, at_zero), slope);
}

UNARY_RULE(erf, tn_multiply(dy, bell(x, two_over_root_pi)))           /* dy 2/√π e^(-x²) */
UNARY_RULE(erfc, tn_multiply(dy, bell(x, -two_over_root_pi)))         /* -dy 2/√π e^(-x²) */
UNARY_RULE(erfinv, tn_multiply(dy, bowl(y, 1 / two_over_root_pi, 1))) /* dy √π/2 e^(y²) */
UNARY_RULE(ndtri, tn_multiply(dy, bowl(y, sqrt(2 * pi), 0.5)))        /* dy √(2π) e^(y²/2) */
UNARY_RULE(lgamma, tn_multiply(dy, tn_digamma(x)))                    /* dy ψ(x) */
UNARY_RULE(digamma, tn_multiply(dy, tn_polygamma(tn__like(x, 1), x))) /* dy ψ'(x) */
UNARY_RULE(i0, tn_multiply(dy, tn_bessel_i1(x)))                      /* dy I1 */
UNARY_RULE(i0e,
           tn_multiply(dy, tn_subtract(tn_bessel_i1e(x),
                                       tn_multiply(tn_sign(x), y)))) /* dy (I1e - sign x I0e) */
/* dy (I0 - I1 / x), 1/2 at 0 */
UNARY_RULE(i1, tn_multiply(dy, by_x_or(x, tn_subtract(tn_bessel_i0(x), tn_divide(y, x)), 0.5)))
/* dy (I0e - I1e (sign x + 1/x)), 1/2 at 0 */
UNARY_RULE(i1e,
           tn_multiply(dy,
                       by_x_or(x,
                               tn_subtract(tn_bessel_i0e(x),
                                           tn_multiply(y, tn_add(tn_sign(x), tn_reciprocal(x)))),
                               0.5)))

/* z = ψ⁽ⁿ⁾(x):  dx = dz ψ⁽ⁿ⁺¹⁾(x); by the order n there is none */
static void polygamma_gradient(tn__gradient *g)
{
    tn_tensor *n = g->in[0], *x = g->in[1];
    if (g->wanted[1])
        g->din[1] =
            tn__sum_to(tn_multiply(g->dout[0], tn_polygamma(tn_add(n, tn__like(n, 1)), x)), x, n);
}

/* z = ζ(s, q):  dq = -dz s ζ(s + 1, q); by s there is none */
static void zeta_gradient(tn__gradient *g)
{
    tn_tensor *s = g->in[0], *q = g->in[1];
    if (g->wanted[1])
        g->din[1] =
            tn__sum_to(tn_multiply(g->dout[0], tn_multiply(tn_negative(s),
                                                           tn_zeta(tn_add(s, tn__like(s, 1)), q))),
                       q, s);
}

UNARY(Erf, FLOATS, erf(x), .gradient = erf_gradient, .function = TN__DO_ERF)
UNARY(Erfc, FLOATS, erfc(x), .gradient = erfc_gradient, .function = TN__DO_ERFC)
UNARY(Erfinv, FLOATS, erf_inverse(x), .gradient = erfinv_gradient)
UNARY(Ndtri, FLOATS, normal_quantile(x), .gradient = ndtri_gradient)
UNARY(Lgamma, FLOATS, LOG_GAMMA(x), .gradient = lgamma_gradient)
UNARY(Digamma, FLOATS, tn__digamma(x), .gradient = digamma_gradient)
UNARY(BesselI0, FLOATS, exp(fabs(x)) * scaled_bessel_i(0, x), .gradient = i0_gradient)
UNARY(BesselI0e, FLOATS, scaled_bessel_i(0, x), .gradient = i0e_gradient)
UNARY(BesselI1, FLOATS, exp(fabs(x)) * scaled_bessel_i(1, x), .gradient = i1_gradient)
UNARY(BesselI1e, FLOATS, scaled_bessel_i(1, x), .gradient = i1e_gradient)
#define PAIR(op_name, in_, expression, rule)                                                       \
    FLOATS(BINARY_LOOP, op_name, expression)                                                       \
    BINARY_OP(op_name, in_, "z: T", "T: float, double", FLOATS_ROWS(op_name), tn__infer_broadcast, \
              tn__binary_compute, .gradient = rule)
PAIR(Polygamma, "a: T, x: T", polygamma(x, y), polygamma_gradient)
PAIR(Zeta, "x: T, q: T", hurwitz_zeta(x, y), zeta_gradient)

UNARY_WRAPPER(tn_erf, Erf)
UNARY_WRAPPER(tn_erfc, Erfc)
UNARY_WRAPPER(tn_erfinv, Erfinv)
UNARY_WRAPPER(tn_ndtri, Ndtri)
UNARY_WRAPPER(tn_lgamma, Lgamma)
UNARY_WRAPPER(tn_digamma, Digamma)
UNARY_WRAPPER(tn_bessel_i0, BesselI0)
UNARY_WRAPPER(tn_bessel_i0e, BesselI0e)
UNARY_WRAPPER(tn_bessel_i1, BesselI1)
UNARY_WRAPPER(tn_bessel_i1e, BesselI1e)
BINARY_WRAPPER(tn_polygamma, Polygamma)
BINARY_WRAPPER(tn_zeta, Zeta)

/* erfc(y) = x:  y = -ndtri(x / 2) / √2 */
tn_tensor *tn_erfcinv(tn_tensor *x)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(x, "tn_erfcinv: x"))
        return NULL;
    tn_tensor *y = tn_ndtri(tn_multiply(tn__like(x, 0.5), x));
    return y ? tn_multiply(tn_negative(y), tn__like(y, 1 / root_two)) : NULL;
}
