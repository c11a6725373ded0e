/* norm.c - rows less their mean, over the root of their variance, and the gradient. What a row is read for again is in the nearest
 * cache. */
#include "kernels/isa/table.h"
#include "kernels/isa/math.h"

enum { SUMS = 4 };

INLINE float across(vector x)
{
    double sum = 0;
    for (int i = 0; i < LANES; i++)
        sum += (double)x[i];
    return (float)sum;
}

/* 1 for each number there is, so that what stands behind the row's end does not count. */
INLINE vector ones(int64_t count)
{
    vector one = { 0 };
    for (int i = 0; i < LANES; i++)
        one[i] = i < count ? 1 : 0;
    return one;
}

INLINE vector gathered(const vector sum[SUMS])
{
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

INLINE float mean_of(const tn__layer_norm *n, const float *x)
{
    return n->rms ? 0 : (float)(TN__ISA(tn__sum)(0, x, n->count) / (double)n->count);
}

/* 1 / sqrt(variance + epsilon) */
INLINE float factor_of(const float *x, int64_t count, float mean, float epsilon)
{
    vector sum[SUMS] = { 0 };
    int64_t i = 0;
    for (; i + SUMS * LANES <= count; i += SUMS * LANES)
        UNROLL for (int k = 0; k < SUMS; k++)
        {
            vector d = load(x + i + k * LANES) - mean;
            sum[k] += d * d;
        }
    for (; i < count; i += LANES) {
        vector d = count - i >= LANES ? load(x + i) - mean : (load_part(x + i, count - i) - mean) * ones(count - i);
        sum[0] += d * d;
    }
    return 1 / __builtin_sqrtf(across(gathered(sum)) / (float)count + epsilon);
}

/* y = (x - mean) factor gamma + beta */
void TN__ISA(tn__layer_norm)(const tn__layer_norm *n, int64_t first, int64_t last)
{
    int64_t count = n->count;
    bool large = (last - first) * count >= LARGE, past = large && count % LANES == 0 && on_a_vector(n->y);
    for (int64_t r = first; r < last; r++) {
        const float *x = n->x + r * count;
        if (large)
            fetch(x + count, count);
        float *y = n->y + r * count, mean = mean_of(n, x), factor = factor_of(x, count, mean, n->epsilon);
        int64_t i = 0;
        for (; past && i < count; i += LANES)
            stream(y + i, (load(x + i) - mean) * factor * load(n->gamma + i) + load(n->beta + i));
        for (; i < count; i += LANES) {
            int64_t left = count - i;
            vector h = (load_some(x + i, left) - mean) * factor;
            store_some(y + i, h * load_some(n->gamma + i, left) + load_some(n->beta + i, left), left);
        }
    }
    streamed();
}

/* dgamma += dy h and dbeta += dy in scratch; gives the sums of dy gamma and of dy gamma h. */
INLINE void gather_row(const tn__layer_norm *n, const float *x, const float *dy, float mean, float factor, float *scratch, float sums[2])
{
    int64_t count = n->count;
    vector sum = { 0 }, product = { 0 };
    float *dgamma = scratch, *dbeta = scratch + count;
    for (int64_t i = 0; i < count; i += LANES) {
        int64_t left = count - i;
        vector h = (load_some(x + i, left) - mean) * factor, d = load_some(dy + i, left), g = d * load_some(n->gamma + i, left);
        sum += g;
        product += g * h;
        store_some(dgamma + i, load_some(dgamma + i, left) + d * h, left);
        store_some(dbeta + i, load_some(dbeta + i, left) + d, left);
    }
    sums[0] = across(sum);
    sums[1] = across(product);
}

/* dx = factor (dy gamma - mean of dy gamma - h mean of dy gamma h) */
void TN__ISA(tn__layer_norm_gradient)(const tn__layer_norm *n, int64_t first, int64_t last, float *scratch)
{
    int64_t count = n->count;
    for (int64_t r = first; r < last; r++) {
        const float *x = n->x + r * count, *dy = n->dy + r * count;
        float *dx = n->y + r * count, sums[2], mean = mean_of(n, x), factor = factor_of(x, count, mean, n->epsilon);
        gather_row(n, x, dy, mean, factor, scratch, sums);
        float offset = n->rms ? 0 : sums[0] / (float)count, slope = sums[1] / (float)count;
        for (int64_t i = 0; i < count; i += LANES) {
            int64_t left = count - i;
            vector h = (load_some(x + i, left) - mean) * factor, g = load_some(dy + i, left) * load_some(n->gamma + i, left);
            store_some(dx + i, (g - offset - h * slope) * factor, left);
        }
    }
}
