/* gemm.c - products of matrices. Large ones go block by block: a's block lies packed in the second cache, a panel of b in the first.
 * Small and narrow ones read a, and b where its rows have their numbers side by side, as they are. */
#include "kernels/isa/row.h"
#include "kernels/isa/tile.h"

enum { DEPTH_OF_FEW = 256, DEPTH = LANES == 16 ? 2 * DEPTH_OF_FEW : DEPTH_OF_FEW, HEIGHT = ROWS * 24, WIDTH = 2 * DEPTH };

/* Rows of a that lie this far apart fall on each other's places in the cache. */
enum { FAR = 2048 };

static bool is_shallow(const tn__gemm *g)
{
    return g->k <= 64 && (g->column_a < FAR || g->n <= 64);
}

/* All of b stays in the second cache, and a tile is so wide that what comes from there is not too much. */
static bool is_near(const tn__gemm *g)
{
    return LANES == 16 && g->k * g->n <= 1 << 18 && g->column_a == 1;
}

static bool is_small(const tn__gemm *g)
{
    return (double)g->m * (double)g->n * (double)g->k <= 128. * 128 * 128 || g->n <= 32 || g->m <= 16 || is_shallow(g) || is_near(g);
}

/* So few columns that most of a tile's would not count, while a has a whole row of c's columns side by side. */
static bool is_turned(const tn__gemm *g)
{
    const tn__epilogue *e = &g->epilogue;
    return g->n < TILE && g->row_a == 1 && g->column_a != 1 && g->m >= 2 * TILE && !e->bias && !e->beside && !e->relu && !e->mask;
}

/* Enough for a part of the product as well, which may be a small one where the whole is large. */
size_t TN__ISA(tn__gemm_scratch)(const tn__gemm *g)
{
    if (is_turned(g))
        return (size_t)(g->k * TILE + g->m * g->n) * sizeof(float);
    size_t panel = g->column_b == 1 ? 0 : (size_t)(g->k * TILE), blocks = is_small(g) ? 0 : (size_t)(HEIGHT + WIDTH) * DEPTH;
    return (panel > blocks ? panel : blocks) * sizeof(float);
}

static void small(const tn__gemm *g, float *panel)
{
    for (int64_t j = 0; j < g->n; j += TILE) {
        tile t = { .a = g->a, .row_a = g->row_a, .step_a = g->column_a, .segment_a = no_offset, .segment_b = no_offset, .segments = 1,
                   .k = g->k, .c = g->c + j, .row_c = g->row_c, .columns = smaller(g->n - j, TILE),
                   .epilogue = tn__epilogue_at(&g->epilogue, j, j) };
        bool packed = g->column_b != 1;
        if (packed)
            TN__ISA(tn__pack)(panel, TILE, g->b + j * g->column_b, g->column_b, g->row_b, t.columns, g->k);
        t.b = packed ? panel : g->b + j;
        t.row_b = packed ? TILE : g->row_b;
        TN__ISA(tn__tiles)(&t, g->m, packed);
    }
}

/* The transposed product, turned back. */
static void turned(const tn__gemm *g, float *scratch)
{
    tn__gemm t = { .m = g->n, .n = g->m, .k = g->k, .a = g->b, .row_a = g->column_b, .column_a = g->row_b, .b = g->a,
                   .row_b = g->column_a, .column_b = 1, .c = scratch, .row_c = g->m };
    small(&t, NULL);
    for (int64_t i = 0; i < g->m; i++)
        for (int64_t j = 0; j < g->n; j++)
            g->c[i * g->row_c + j] = scratch[j * g->m + i];
}

/* A part of a long way in equal steps, each a multiple of `unit`, none longer than `most`. */
static int64_t step_of(int64_t left, int64_t most, int64_t unit)
{
    int64_t steps = (left + most - 1) / most;
    return smaller(round_up((left + steps - 1) / steps, unit), left);
}

/* A block of a (height, depth) at (i, k), packed, by b's panels of width from column j. Panels are packed when the first block
 * needs them. */
static void block(const tn__gemm *g, int64_t i, int64_t height, int64_t j, int64_t width, int64_t k, int64_t depth, float *a, float *b)
{
    for (int64_t r = 0; r < height; r += ROWS)
        TN__ISA(tn__pack)(a + r * depth, ROWS, g->a + (i + r) * g->row_a + k * g->column_a, g->row_a, g->column_a, smaller(height - r, ROWS),
                          depth);
    for (int64_t c = 0; c < width; c += TILE) {
        float *panel = b + c * depth;
        int64_t columns = smaller(width - c, TILE);
        if (i == 0)
            TN__ISA(tn__pack)(panel, TILE, g->b + k * g->row_b + (j + c) * g->column_b, g->column_b, g->row_b, columns, depth);
        bool last = k + depth == g->k;
        tile t = { .row_a = 1, .step_a = ROWS, .segment_a = no_offset, .b = panel, .row_b = TILE, .segment_b = no_offset, .segments = 1,
                   .k = depth, .row_c = g->row_c, .columns = columns, .add = k > 0 };
        for (int64_t r = 0; r < height; r += ROWS) {
            int64_t at = (i + r) * g->row_c + j + c;
            t.a = a + r * depth;
            t.c = g->c + at;
            if (last)
                t.epilogue = tn__epilogue_at(&g->epilogue, j + c, at);
            TN__ISA(tn__tile)(&t, smaller(height - r, ROWS), true);
        }
    }
}

static void large(const tn__gemm *g, void *scratch)
{
    float *a = cut(&scratch, HEIGHT * DEPTH), *b = cut(&scratch, WIDTH * DEPTH);
    int64_t most = g->m > HEIGHT ? DEPTH : DEPTH_OF_FEW; /* few rows are soon done with a panel: it is still near from being packed */
    for (int64_t j = 0; j < g->n; j += WIDTH)
        for (int64_t k = 0, depth; k < g->k; k += depth) {
            depth = step_of(g->k - k, most, 8);
            for (int64_t i = 0, height; i < g->m; i += height) {
                height = step_of(g->m - i, HEIGHT, ROWS);
                block(g, i, height, j, smaller(g->n - j, WIDTH), k, depth, a, b);
            }
        }
}

void TN__ISA(tn__gemm)(const tn__gemm *g, void *scratch)
{
    if (g->m == 1 && g->column_b == 1)
        TN__ISA(tn__row)(g);
    else if (is_turned(g))
        turned(g, scratch);
    else if (is_small(g))
        small(g, scratch);
    else
        large(g, scratch);
}
