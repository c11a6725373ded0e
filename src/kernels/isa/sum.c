/* sum.c - sums of float32 in double: blocks short enough for float's digits are summed in vectors, and the blocks in double. */
#include "kernels/isa/vector.h"

enum { BLOCK = 64 * LANES, SUMS = 4 };

INLINE double across(vector x)
{
    double sum = 0;
    for (int i = 0; i < LANES; i++)
        sum += (double)x[i];
    return sum;
}

double TN__ISA(tn__sum)(double total, const float *x, int64_t count)
{
    while (count >= SUMS * LANES) {
        vector sum[SUMS] = { 0 };
        int64_t block = smaller(count, BLOCK) / (SUMS * LANES) * (SUMS * LANES);
        for (int64_t i = 0; i < block; i += SUMS * LANES)
            UNROLL for (int k = 0; k < SUMS; k++)
                sum[k] += load(x + i + k * LANES);
        total += across((sum[0] + sum[1]) + (sum[2] + sum[3]));
        x += block;
        count -= block;
    }
    for (int64_t i = 0; i < count; i++)
        total += (double)x[i];
    return total;
}

/* Some columns of a block of rows. */
INLINE void add_columns(const float *x, int64_t step, int64_t rows, int64_t columns, double *sum)
{
    vector block = { 0 };
    for (int64_t r = 0; r < rows; r++, x += step)
        block += load_some(x, columns);
    for (int i = 0; i < columns; i++)
        sum[i] += (double)block[i];
}

void TN__ISA(tn__sum_columns)(const float *x, int64_t step, int64_t rows, int64_t columns, double *sum)
{
    for (int64_t r = 0; r < rows; r += TN__SUM_ROWS, x += TN__SUM_ROWS * step) {
        int64_t block = smaller(rows - r, TN__SUM_ROWS), c = 0;
        for (; c + LANES <= columns; c += LANES)
            add_columns(x + c, step, block, LANES, sum + c);
        if (c < columns)
            add_columns(x + c, step, block, columns - c, sum + c);
    }
}
