/* random_distributions.c - gamma, Poisson, binomial and categorical numbers. Each is a known method
 * of rejection or inversion; which one, its constants, and the order in which it takes its words
 * are TensorFlow's CPU kernels', or the numbers would not be equal. */
#include "core/random.h"
#include <math.h>

/* A stream's numbers one at a time. TensorFlow takes those of a block from its end to its front. */
typedef struct {
    tn__philox philox;
    double value[2];
    int left;
} source;

static double next_uniform(source *from)
{
    if (from->left == 0) {
        tn__philox block = tn__philox_take(&from->philox, 1);
        tn__random_uniform_float64(block, from->value, 2);
        from->left = 2;
    }
    return from->value[--from->left];
}

/* Value number `index` begins `blocks` behind the one before. */
static source source_at(tn__philox philox, uint64_t index, uint64_t blocks)
{
    tn__philox_skip(&philox, index * blocks);
    return (source){ .philox = philox };
}

/* --- Gamma (Marsaglia and Tsang, ACM TOMS 26, 2000) ------------------------------------------- */

/* Normals and uniforms share the stream: each kind takes a block when it has run out. */
static double next_normal(source *normals, source *uniforms)
{
    if (normals->left == 0) {
        tn__philox block = tn__philox_take(&uniforms->philox, 1);
        tn__random_normal_float64(block, normals->value, 2);
        normals->left = 2;
    }
    return normals->value[--normals->left];
}

double tn__random_gamma(tn__philox philox, uint64_t index, double alpha)
{
    source uniforms = source_at(philox, index, 256), normals = { 0 };
    if (alpha == 1)
        return -log1p(-next_uniform(&uniforms));
    /* Below 1 the method runs for alpha + 1, and a power of a uniform makes up for it. */
    double d = alpha + (alpha < 1 ? 2.0 / 3 : -1.0 / 3), c = 1.0 / 3 / sqrt(d);
    for (;;) {
        double x = next_normal(&normals, &uniforms), v = 1 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        double u = next_uniform(&uniforms);
        if (u >= 1 - 0.0331 * (x * x) * (x * x) && log(u) >= 0.5 * x * x + d * (1 - v + log(v)))
            continue;
        return alpha < 1 ? d * v * pow(next_uniform(&uniforms), 1 / alpha) : d * v;
    }
}

/* --- Poisson ---------------------------------------------------------------------------------- */

/* Knuth: as many uniforms as their product stays above e^-rate. */
static double small_poisson(source *from, double rate)
{
    double least = exp(-rate), product = 1, count = 0;
    while ((product *= next_uniform(from)) > least)
        count++;
    return count;
}

/* Hormann's transformed rejection, PTRS (Insurance: Mathematics and Economics 12, 1993). */
static double large_poisson(source *from, double rate, double most)
{
    double b = 0.931 + 2.53 * sqrt(rate), a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), log_rate = log(rate);
    /* Too great a number is drawn again, but not for ever: the rate itself may be too great. */
    for (int too_great = 0; too_great < 1000;) {
        double u = next_uniform(from) - 0.5, v = next_uniform(from);
        double us = 0.5 - fabs(u), k = floor((2 * a / us + b) * u + rate + 0.43);
        if (k > most) {
            too_great++;
            continue;
        }
        if (us >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2))
            return k;
        if (k < 0 || (us < 0.013 && v > us))
            continue;
        if (log(v * inverse_alpha / (a / (us * us) + b)) <= -rate + k * log_rate - lgamma(k + 1))
            return k;
    }
    return most;
}

double tn__random_poisson(tn__philox philox, uint64_t index, double rate, double most)
{
    source from = source_at(philox, index, 256);
    if (rate < 10)
        return small_poisson(&from, rate);
    return isinf(rate) || isnan(rate) ? rate : large_poisson(&from, rate, most);
}

/* --- Binomial --------------------------------------------------------------------------------- */

/* Counts the geometric waits for a success that fit into `count` trials. */
static double small_binomial(source *from, double count, double probability)
{
    double waited = 0, log_failure = log1p(-probability);
    for (double successes = 0;; successes++) {
        waited += ceil(log(next_uniform(from)) / log_failure);
        if (waited > count)
            return successes;
    }
}

/* log k! less Stirling's approximation. */
static double stirling_tail(double k)
{
    static const double table[] = { 0.0810614667953272,  0.0413406959554092, 0.0276779256849983,
                                    0.02079067210376509, 0.0166446911898211, 0.0138761288230707,
                                    0.0118967099458917,  0.0104112652619720, 0.00925546218271273,
                                    0.00833056343336287 };
    if (k <= 9)
        return table[(int)k];
    double square = (k + 1) * (k + 1);
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

/* Hormann's BTRS (Journal of Statistical Computation and Simulation 46, 1993). */
static double large_binomial(source *from, double count, double p)
{
    double deviation = sqrt(count * p * (1 - p)), b = 1.15 + 2.53 * deviation;
    double a = -0.0873 + 0.0248 * b + 0.01 * p, c = count * p + 0.5, vr = 0.92 - 4.2 / b;
    double r = p / (1 - p), alpha = (2.83 + 5.1 / b) * deviation, m = floor((count + 1) * p);
    for (;;) {
        double u = next_uniform(from) - 0.5, v = next_uniform(from);
        double us = 0.5 - fabs(u), k = floor((2 * a / us + b) * u + c);
        if (us >= 0.07 && v <= vr)
            return k;
        if (k < 0 || k > count)
            continue;
        v = log(v * alpha / (a / (us * us) + b));
        double most = (m + 0.5) * log((m + 1) / (r * (count - m + 1))) +
                      (count + 1) * log((count - m + 1) / (count - k + 1)) +
                      (k + 0.5) * log(r * (count - k + 1) / (k + 1)) + stirling_tail(m) +
                      stirling_tail(count - m) - stirling_tail(k) - stirling_tail(count - k);
        if (v <= most)
            return k;
    }
}

double tn__random_binomial(tn__philox philox, uint64_t index, double count, double probability)
{
    if (isnan(count) || isnan(probability))
        return NAN;
    if (count <= 0 || probability <= 0)
        return 0;
    if (probability >= 1 || isinf(count))
        return count;
    double p = probability <= 0.5 ? probability : 1 - probability;
    bool small = count * p < 10;
    source from = source_at(philox, index, small ? 42 : 256);
    double drawn = small ? small_binomial(&from, count, p) : large_binomial(&from, count, p);
    return probability <= 0.5 ? drawn : count - drawn;
}

/* --- Categorical ------------------------------------------------------------------------------ */

/* Sums of e^(logit - greatest); infinite and NaN logits have no part. Gives the whole. */
static double accumulate(const double *logits, size_t classes, double *sums)
{
    double greatest = -INFINITY, sum = 0;
    for (size_t i = 0; i < classes; i++)
        if (isfinite(logits[i]) && logits[i] > greatest)
            greatest = logits[i];
    for (size_t i = 0; i < classes; i++) {
        if (isfinite(logits[i]))
            sum += exp(logits[i] - greatest);
        sums[i] = sum;
    }
    return sum;
}

/* The first place whose sum is above `value`. */
static size_t upper_bound(const double *sums, size_t count, double value)
{
    size_t first = 0;
    while (count > 0) {
        size_t half = count / 2;
        if (sums[first + half] > value) {
            count = half;
        } else {
            first += half + 1;
            count -= half + 1;
        }
    }
    return first;
}

tn_status tn__random_categorical(tn__philox philox, const double *logits, size_t rows,
                                 size_t classes, size_t samples, int64_t *out)
{
    double *sums = tn__alloc_zeroed(classes, sizeof *sums);
    if (!sums)
        return TN_RESOURCE_EXHAUSTED;
    double uniform[2];
    size_t drawn = 0; /* goes on over the rows: TensorFlow's order when one thread does them all */
    for (size_t row = 0; row < rows; row++) {
        double whole = accumulate(logits + row * classes, classes, sums);
        for (size_t i = 0; i < samples; i++) {
            if (drawn++ % 2 == 0)
                tn__random_uniform_float64(tn__philox_take(&philox, 1), uniform, 2);
            *out++ = (int64_t)upper_bound(sums, classes, uniform[(drawn - 1) % 2] * whole);
        }
    }
    tn__free(sums);
    return TN_OK;
}
