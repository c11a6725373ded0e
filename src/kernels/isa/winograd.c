/* winograd.c - convolutions of windows of 3 by 3 that go on by 1, with 36 multiplications where the sums have 144: Winograd's way, as
 * A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks" (2015) have it for two axes.
 *
 * A row of 4 sums over windows of 3 is a product of polynomials, and that is known by its values at 6 points. Image and filter are
 * brought to the points, multiplied there (at each point of the 36 of two axes a product of matrices: tiles by channels) and brought
 * back. The points are 0, A, -A, B, -B and infinity; of simple fractions these are the ones whose sums in float32 err least. */
#include "kernels/isa/winograd.h"
#include "kernels/isa/tile.h"

enum { WINDOW = 3, OUT = 4, IN = OUT + WINDOW - 1, POINTS = IN * IN };
enum { LEAST_TILES = 4 * ROWS, MOST_TILES = 16 * ROWS, AT_ONCE = 128 << 10 }; /* numbers about, in the second cache */
#define A 0.625f
#define B 1.5f
#define AA (A * A)
#define BB (B * B)

/* What the filter's values are divided by. */
static const float scale[IN] = { 1 / (AA * BB),           1 / (2 * AA * (AA - BB)), 1 / (2 * AA * (AA - BB)),
                                 1 / (2 * BB * (BB - AA)), 1 / (2 * BB * (BB - AA)), 1 };

typedef struct {
    const tn__conv *c;
    int64_t rows, columns;    /* of tiles, in an image */
    int64_t tiles;            /* that are in work at a time */
    int64_t width;            /* of a panel for tiles of products */
    int64_t in_step, out_step; /* from one point's matrix to the next's, not so that they fall on each other's places in the cache */
} plan;

static plan plan_of(const tn__conv *c)
{
    plan p = { .c = c, .rows = (c->row.out + OUT - 1) / OUT, .columns = (c->column.out + OUT - 1) / OUT,
               .width = smaller(c->y_channels, TILE) };
    int64_t tiles = AT_ONCE / (POINTS * (c->x_channels + c->y_channels)) / ROWS * ROWS, all = c->batch * p.rows * p.columns;
    tiles = tiles < LEAST_TILES ? LEAST_TILES : smaller(tiles, MOST_TILES);
    p.tiles = smaller(tiles, all);
    p.in_step = p.tiles * c->x_channels + 16;
    p.out_step = p.tiles * round_up(c->y_channels, p.width) + 16;
    return p;
}

/* --- one axis ----------------------------------------------------------------------------------------------------------- */
/* Numbers in x are `step` apart; y is side by side. */
INLINE void image_to_points(const vector *x, int step, vector y[IN])
{
    vector x0 = x[0], x1 = x[step], x2 = x[2 * step], x3 = x[3 * step], x4 = x[4 * step], x5 = x[5 * step];
    vector even = x4 - BB * x2, odd = A * (x3 - BB * x1);
    y[1] = even + odd;
    y[2] = even - odd;
    even = x4 - AA * x2;
    odd = B * (x3 - AA * x1);
    y[3] = even + odd;
    y[4] = even - odd;
    y[0] = AA * BB * x0 - (AA + BB) * x2 + x4;
    y[5] = AA * BB * x1 - (AA + BB) * x3 + x5;
}

/* The values of a polynomial of 3 or 4 coefficients. */
INLINE void values_at_points(const vector *x, int step, int count, vector y[IN])
{
    vector x0 = x[0], x1 = x[step], x2 = x[2 * step], x3 = count > 3 ? x[3 * step] : (vector){ 0 };
    vector even = x0 + AA * x2, odd = A * (x1 + AA * x3);
    y[0] = x0;
    y[1] = even + odd;
    y[2] = even - odd;
    even = x0 + BB * x2;
    odd = B * (x1 + BB * x3);
    y[3] = even + odd;
    y[4] = even - odd;
    y[5] = count > 3 ? x3 : x2;
}

/* 3 or 4 sums. */
INLINE void sums_of_points(const vector x[IN], int count, vector *y)
{
    vector sum_a = x[1] + x[2], sum_b = x[3] + x[4], less_a = x[1] - x[2], less_b = x[3] - x[4];
    y[0] = x[0] + sum_a + sum_b;
    y[1] = A * less_a + B * less_b;
    y[2] = AA * sum_a + BB * sum_b;
    if (count > 3)
        y[3] = AA * A * less_a + BB * B * less_b;
    y[count - 1] += x[5];
}

/* --- the filter --------------------------------------------------------------------------------------------------------- */
size_t TN__ISA(tn__winograd_filter_bytes)(const tn__conv *c)
{
    return (size_t)(POINTS * c->x_channels * round_up(c->y_channels, TILE)) * sizeof(float);
}

/* LANES outputs of one tap and input. Turned: taps from the last, in and out exchanged. */
static vector filter_at(const tn__conv *c, bool turned, const float *filter, int64_t tap, int64_t in, int64_t out)
{
    if (!turned)
        return load(filter + (tap * c->x_channels + in) * c->y_channels + out);
    float of[LANES];
    for (int64_t l = 0; l < LANES; l++)
        of[l] = filter[((WINDOW * WINDOW - 1 - tap) * c->y_channels + out + l) * c->x_channels + in];
    return load(of);
}

/* For each point panels of TILE outputs, each (in, TILE). */
void TN__ISA(tn__winograd_pack)(const tn__conv *c, bool turned, const float *filter, float *packed)
{
    int64_t step = c->x_channels * round_up(c->y_channels, TILE);
    for (int64_t out = 0; out < c->y_channels; out += LANES)
        for (int64_t in = 0; in < c->x_channels; in++) {
            float *to = packed + (out / TILE * c->x_channels + in) * TILE + out % TILE;
            vector x[WINDOW], y[WINDOW * IN], z[IN];
            for (int64_t i = 0; i < WINDOW; i++) {
                for (int64_t j = 0; j < WINDOW; j++)
                    x[j] = filter_at(c, turned, filter, i * WINDOW + j, in, out);
                values_at_points(x, 1, WINDOW, y + i * IN);
            }
            for (int64_t j = 0; j < IN; j++) {
                values_at_points(y + j, IN, WINDOW, z);
                for (int64_t i = 0; i < IN; i++)
                    store(to + (i * IN + j) * step, z[i] * (scale[i] * scale[j]));
            }
        }
}

/* --- tiles -------------------------------------------------------------------------------------------------------------- */
/* Where a tile begins in the result. */
typedef struct {
    int64_t image, row, column;
} place;

static place place_of(const plan *p, int64_t tile)
{
    int64_t in_image = tile % (p->rows * p->columns);
    return (place){ tile / (p->rows * p->columns), in_image / p->columns * OUT, in_image % p->columns * OUT };
}

/* The tiles that rows of the batch's output lie in. */
static int64_t tile_of_row(const plan *p, int64_t row)
{
    int64_t out = p->c->row.out;
    return (row / out * p->rows + row % out / OUT) * p->columns;
}

/* size by size pixels of the image from there on; what is outside is 0. */
static void find_pixels(const float *image, int64_t rows, int64_t columns, int64_t channels, place from, int64_t size, const float *zeros,
                        const float **pixel)
{
    image += from.image * rows * columns * channels;
    for (int64_t i = from.row; i < from.row + size; i++)
        for (int64_t j = from.column; j < from.column + size; j++)
            *pixel++ = i >= 0 && i < rows && j >= 0 && j < columns ? image + (i * columns + j) * channels : zeros;
}

static void take_window(const plan *p, const float *x, place at, const float *zeros, float *to)
{
    const tn__conv *c = p->c;
    const float *pixel[POINTS];
    place from = { at.image, at.row - c->row.before, at.column - c->column.before };
    find_pixels(x, c->row.in, c->column.in, c->x_channels, from, IN, zeros, pixel);
    for (int64_t k = 0; k < c->x_channels; k += LANES) {
        vector row[IN], y[POINTS], z[IN];
        for (int64_t i = 0; i < IN; i++) {
            UNROLL for (int64_t j = 0; j < IN; j++)
                row[j] = load(pixel[i * IN + j] + k);
            image_to_points(row, 1, y + i * IN);
        }
        for (int64_t j = 0; j < IN; j++) {
            image_to_points(y + j, IN, z);
            UNROLL for (int64_t i = 0; i < IN; i++)
                store(to + (i * IN + j) * p->in_step + k, z[i]);
        }
    }
}

/* What of a tile lies in rows first <= i < last of the batch's. */
static void give_tile(const plan *p, const float *from, place at, float *y, const tn__epilogue *e, int64_t first, int64_t last)
{
    const tn__conv *c = p->c;
    int64_t begin = at.image * c->row.out, wide = smaller(OUT, c->column.out - at.column), out = c->y_channels;
    last = smaller(last, begin + c->row.out);
    for (int64_t k = 0; k < out; k += LANES) {
        vector x[IN], y_of[OUT], rows[OUT][IN];
        for (int64_t j = 0; j < IN; j++) {
            UNROLL for (int64_t i = 0; i < IN; i++)
                x[i] = load(from + (i * IN + j) * p->out_step + k);
            sums_of_points(x, OUT, y_of);
            UNROLL for (int64_t i = 0; i < OUT; i++)
                rows[i][j] = y_of[i];
        }
        for (int64_t i = 0; i < OUT; i++) {
            int64_t row = begin + at.row + i;
            if (row < first || row >= last)
                continue;
            sums_of_points(rows[i], OUT, y_of);
            for (int64_t j = 0; j < wide; j++)
                store_sum(y_of[j], e, k, (row * c->column.out + at.column + j) * out + k, LANES, y);
        }
    }
}

/* --- the result --------------------------------------------------------------------------------------------------------- */
static void by_filter(const plan *p, int64_t tiles, const float *v, const float *packed, float *m)
{
    int64_t in = p->c->x_channels, out = p->c->y_channels;
    tile t = { .row_a = in, .step_a = 1, .row_b = TILE, .segment_a = no_offset, .segment_b = no_offset, .segments = 1, .k = in,
               .row_c = out };
    for (int64_t point = 0; point < POINTS; point++, v += p->in_step, m += p->out_step)
        for (int64_t o = 0; o < out; o += TILE, packed += in * TILE) {
            t.b = packed;
            t.columns = smaller(out - o, TILE);
            t.a = v;
            t.c = m + o;
            TN__ISA(tn__tiles)(&t, tiles, true);
        }
}

static float *zeros_of(int64_t channels, void **scratch)
{
    return memset(cut(scratch, channels), 0, (size_t)channels * sizeof(float));
}

size_t TN__ISA(tn__winograd_scratch)(const tn__conv *c)
{
    plan p = plan_of(c);
    return (size_t)(round_up(c->x_channels, 16) + POINTS * (round_up(p.in_step, 16) + round_up(p.out_step, 16))) * sizeof(float);
}

void TN__ISA(tn__winograd)(const tn__conv *c, const float *x, const float *packed, float *y, tn__epilogue e, int64_t first, int64_t last,
                           void *scratch)
{
    if (first >= last)
        return;
    plan p = plan_of(c);
    float *zeros = zeros_of(c->x_channels, &scratch), *v = cut(&scratch, POINTS * p.in_step), *m = scratch;
    int64_t end = tile_of_row(&p, last - 1) + p.columns;
    for (int64_t from = tile_of_row(&p, first), tiles; from < end; from += tiles) {
        tiles = smaller(p.tiles, end - from);
        for (int64_t i = 0; i < tiles; i++)
            take_window(&p, x, place_of(&p, from + i), zeros, v + i * c->x_channels);
        by_filter(&p, tiles, v, packed, m);
        for (int64_t i = 0; i < tiles; i++)
            give_tile(&p, m + i * c->y_channels, place_of(&p, from + i), y, &e, first, last);
    }
}

/* --- the gradient of the filter ----------------------------------------------------------------------------------------- */
/* As the windows, to panels of `width` outputs, each (tiles, width). Rows of the batch's but first <= i < last are 0. */
static void take_gradient(const plan *p, const float *dy, place at, const float *zeros, int64_t first, int64_t last, float *to)
{
    const tn__conv *c = p->c;
    const float *pixel[OUT * OUT];
    find_pixels(dy, c->row.out, c->column.out, c->y_channels, at, OUT, zeros, pixel);
    for (int64_t i = 0; i < OUT; i++) {
        int64_t row = at.image * c->row.out + at.row + i;
        for (int64_t j = 0; j < OUT && (row < first || row >= last); j++)
            pixel[i * OUT + j] = zeros;
    }
    for (int64_t k = 0; k < c->y_channels; k += LANES) {
        float *panel = to + k / p->width * p->tiles * p->width + k % p->width;
        vector row[OUT], y[OUT * IN], z[IN];
        for (int64_t i = 0; i < OUT; i++) {
            UNROLL for (int64_t j = 0; j < OUT; j++)
                row[j] = load(pixel[i * OUT + j] + k);
            values_at_points(row, 1, OUT, y + i * IN);
        }
        for (int64_t j = 0; j < IN; j++) {
            values_at_points(y + j, IN, OUT, z);
            UNROLL for (int64_t i = 0; i < IN; i++)
                store(panel + (i * IN + j) * p->out_step, z[i]);
        }
    }
}

/* sums (in, out) of each point += v turned (in, tiles) by the gradient's panels. */
static void by_gradient(const plan *p, int64_t tiles, const float *v, const float *panels, float *sums)
{
    int64_t in = p->c->x_channels, out = p->c->y_channels;
    tile t = { .row_a = 1, .step_a = in, .row_b = p->width, .segment_a = no_offset, .segment_b = no_offset, .segments = 1, .k = tiles,
               .row_c = out, .add = true };
    for (int64_t point = 0; point < POINTS; point++, v += p->in_step, panels += p->out_step, sums += in * out)
        for (int64_t o = 0; o < out; o += p->width) {
            t.b = panels + o * p->tiles;
            t.columns = smaller(out - o, p->width);
            t.a = v;
            t.c = sums + o;
            TN__ISA(tn__tiles)(&t, in, true);
        }
}

static void add_filter(const tn__conv *c, const float *sums, float *dfilter)
{
    int64_t count = c->x_channels * c->y_channels;
    for (int64_t k = 0; k < count; k += LANES) {
        vector x[IN], y[WINDOW], rows[WINDOW][IN];
        for (int64_t j = 0; j < IN; j++) {
            for (int64_t i = 0; i < IN; i++)
                x[i] = load(sums + (i * IN + j) * count + k) * (scale[i] * scale[j]);
            sums_of_points(x, WINDOW, y);
            for (int64_t i = 0; i < WINDOW; i++)
                rows[i][j] = y[i];
        }
        for (int64_t i = 0; i < WINDOW; i++) {
            sums_of_points(rows[i], WINDOW, y);
            for (int64_t j = 0; j < WINDOW; j++) {
                float *to = dfilter + (i * WINDOW + j) * count + k;
                store(to, load(to) + y[j]);
            }
        }
    }
}

size_t TN__ISA(tn__winograd_to_filter_scratch)(const tn__conv *c)
{
    return TN__ISA(tn__winograd_scratch)(c) + (size_t)(round_up(c->y_channels, 16) + POINTS * c->x_channels * c->y_channels) * sizeof(float);
}

void TN__ISA(tn__winograd_to_filter)(const tn__conv *c, const float *x, const float *dy, float *dfilter, int64_t first, int64_t last,
                                     void *scratch)
{
    if (first >= last)
        return;
    plan p = plan_of(c);
    int64_t most = c->x_channels > c->y_channels ? c->x_channels : c->y_channels, end = tile_of_row(&p, last - 1) + p.columns;
    float *zeros = zeros_of(most, &scratch), *v = cut(&scratch, POINTS * p.in_step), *panels = cut(&scratch, POINTS * p.out_step);
    float *sums = memset(scratch, 0, (size_t)(POINTS * c->x_channels * c->y_channels) * sizeof(float));
    for (int64_t from = tile_of_row(&p, first), tiles; from < end; from += tiles) {
        tiles = smaller(p.tiles, end - from);
        for (int64_t i = 0; i < tiles; i++) {
            place at = place_of(&p, from + i);
            take_window(&p, x, at, zeros, v + i * c->x_channels);
            take_gradient(&p, dy, at, zeros, first, last, panels + i * p.width);
        }
        by_gradient(&p, tiles, v, panels, sums);
    }
    add_filter(c, sums, dfilter);
}
