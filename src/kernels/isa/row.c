/* row.c - a row times a matrix: what predicting one example is made of. Its tile is one row high, so it is wide instead, and where
 * the columns are too few for that the sum over k is taken in parts, that no addition waits for the one before. */
#include "kernels/isa/row.h"

enum { SUMS = 8 };

/* sum += a_k b_k for the vectors of columns from b on, of which the last is whole or has `rest` numbers. */
INLINE void add(int vectors, bool whole, float a, const float *b, int64_t rest, vector *sum)
{
    UNROLL for (int j = 0; j < vectors; j++)
        sum[j] += broadcast(a) * (whole || j < vectors - 1 ? load(b + j * LANES) : load_part(b + j * LANES, rest));
}

INLINE void multiply(int vectors, bool whole, const tn__gemm *g, const float *b, int64_t rest, vector *sum)
{
    const int parts = SUMS / vectors;
    const float *a = g->a;
    int64_t k = 0;
    UNROLL for (int i = 0; i < SUMS; i++)
        sum[i] = (vector){ 0 };
    for (; k + parts <= g->k; k += parts)
        UNROLL for (int p = 0; p < parts; p++, a += g->column_a, b += g->row_b)
            add(vectors, whole, *a, b, rest, sum + p * vectors);
    for (; k < g->k; k++, a += g->column_a, b += g->row_b)
        add(vectors, whole, *a, b, rest, sum);
    UNROLL for (int i = vectors; i < SUMS; i++)
        sum[i % vectors] += sum[i];
}

/* As many columns as these vectors hold, or the last ones, from `at` on. */
INLINE int64_t columns(int vectors, bool whole, const tn__gemm *g, int64_t at)
{
    vector sum[SUMS];
    int64_t last = at + (vectors - 1) * LANES;
    multiply(vectors, whole, g, g->b + at, g->n - last, sum);
    UNROLL for (int j = 0; j < vectors; j++)
        store_sum(sum[j], &g->epilogue, at + j * LANES, at + j * LANES, whole || j < vectors - 1 ? LANES : g->n - last, g->c);
    return last + LANES;
}

void TN__ISA(tn__row)(const tn__gemm *g)
{
    int64_t at = 0;
    while (g->n - at >= SUMS * LANES)
        at = columns(SUMS, true, g, at);
    if (g->n - at >= 4 * LANES)
        at = columns(4, true, g, at);
    if (g->n - at >= 2 * LANES)
        at = columns(2, true, g, at);
    if (g->n - at > LANES)
        columns(2, false, g, at);
    else if (g->n - at == LANES)
        columns(1, true, g, at);
    else if (g->n > at)
        columns(1, false, g, at);
}
