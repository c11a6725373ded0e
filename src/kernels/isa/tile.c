/* tile.c - see tile.h. One function for each size, so that the tile stays in registers. */
#include "kernels/isa/tile.h"

typedef vector sums[NARROW_ROWS][VECTORS];

INLINE void multiply(int rows, int vectors, bool whole, const tile *t, int64_t rest, sums sum)
{
    for (int64_t s = 0; s < t->segments; s++) {
        const float *a = t->a + t->segment_a[s], *b = t->b + t->segment_b[s];
        for (int64_t k = 0; k < t->k; k++, a += t->step_a, b += t->row_b) {
            vector column[VECTORS];
            UNROLL for (int j = 0; j < vectors; j++)
                column[j] = whole || j < vectors - 1 ? load(b + j * LANES) : load_part(b + j * LANES, rest);
            UNROLL for (int i = 0; i < rows; i++) {
                vector x = broadcast(a[i * t->row_a]);
                UNROLL for (int j = 0; j < vectors; j++)
                    sum[i][j] += x * column[j];
            }
        }
    }
}

/* Vector j of row i: its place in the result, and how many numbers count. */
#define EACH_SUM(i, j, at, count)                                                                                             \
    UNROLL for (int j = 0; j < vectors; j++)                                                                                  \
        UNROLL for (int64_t i = 0, count = j < vectors - 1 ? LANES : rest, at = j * LANES; i < rows; i++, at += t->row_c)

INLINE void finish(int rows, int vectors, const tile *t, int64_t rest, sums sum)
{
    const tn__epilogue *e = &t->epilogue;
    if (t->add)
        EACH_SUM(i, j, at, count)
            sum[i][j] += load_some(t->c + at, count);
    if (e->bias)
        EACH_SUM(i, j, at, count)
            sum[i][j] += load_some(e->bias + j * LANES, count);
    if (e->beside)
        EACH_SUM(i, j, at, count)
            sum[i][j] += load_some(e->beside + at, count);
    if (e->relu)
        UNROLL for (int i = 0; i < rows; i++)
            UNROLL for (int j = 0; j < vectors; j++)
                sum[i][j] = relu(sum[i][j]);
    if (e->mask)
        EACH_SUM(i, j, at, count)
            sum[i][j] *= choose(load_some(e->mask + at, count) > 0, broadcast(1), (vector){ 0 });
    EACH_SUM(i, j, at, count)
        store_some(t->c + at, sum[i][j], count);
}

/* whole: the last vector of a row of b may be read whole. */
INLINE void run(int rows, int vectors, bool whole, const tile *t)
{
    int64_t rest = t->columns - (vectors - 1) * LANES;
    sums sum;
    if (t->add)
        UNROLL for (int i = 0; i < rows; i++)
            fetch(t->c + i * t->row_c, vectors * LANES);
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++)
            sum[i][j] = (vector){ 0 };
    if (whole)
        multiply(rows, vectors, true, t, rest, sum);
    else
        multiply(rows, vectors, false, t, rest, sum);
    finish(rows, vectors, t, rest, sum);
}

#define SIZE(rows, vectors) \
    static __attribute__((noinline)) void run_##rows##_##vectors(bool whole, const tile *t) { run(rows, vectors, whole, t); }
#define ENTRY(rows, vectors) run_##rows##_##vectors,
#define EACH_ROW(DO, vectors) DO(1, vectors) DO(2, vectors) DO(3, vectors) DO(4, vectors) DO(5, vectors) DO(6, vectors)
#if defined TN__ISA_AVX512
#define EACH_NARROW_ROW(DO, vectors) EACH_ROW(DO, vectors) DO(7, vectors) DO(8, vectors)
#define EACH_SIZE(DO) \
    { EACH_NARROW_ROW(DO, 1) }, { EACH_NARROW_ROW(DO, 2) }, { EACH_NARROW_ROW(DO, 3) }, { EACH_ROW(DO, 4) },
EACH_NARROW_ROW(SIZE, 1)
EACH_NARROW_ROW(SIZE, 2)
EACH_NARROW_ROW(SIZE, 3)
EACH_ROW(SIZE, 4)
#else
#define EACH_SIZE(DO) { EACH_ROW(DO, 1) }, { EACH_ROW(DO, 2) },
EACH_ROW(SIZE, 1)
EACH_ROW(SIZE, 2)
#endif

static void (*const size[VECTORS][NARROW_ROWS])(bool whole, const tile *t) = { EACH_SIZE(ENTRY) };

void TN__ISA(tn__tile)(const tile *t, int64_t rows, bool packed)
{
    size[(t->columns - 1) / LANES][rows - 1](packed || t->columns % LANES == 0, t);
}

/* How many rows of those that are left the next tile of so many columns takes: no tile is so flat that it waits for its own sums. */
static int64_t rows_of_next(int64_t left, int64_t columns)
{
    int64_t most = columns > TILE - LANES ? ROWS : NARROW_ROWS;
    return left > most && left < 2 * most ? (left + 1) / 2 : smaller(left, most);
}

/* Called: copied into each of its places it gains nothing. */
__attribute__((noinline)) void TN__ISA(tn__tiles)(tile *t, int64_t m, bool packed)
{
    const float *a = t->a;
    float *c = t->c;
    const tn__epilogue e = t->epilogue;
    for (int64_t i = 0, rows; i < m; i += rows) {
        rows = rows_of_next(m - i, t->columns);
        t->a = a + i * t->row_a;
        t->c = c + i * t->row_c;
        t->epilogue = tn__epilogue_at(&e, 0, i * t->row_c);
        TN__ISA(tn__tile)(t, rows, packed);
    }
}

/* --- panels ------------------------------------------------------------------------------------------------------------- */
typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

/* Four rows of four numbers, turned. */
INLINE void turn(float *to, int64_t width, const float *from, int64_t step)
{
    four a = *(const four *)from, b = *(const four *)(from + step), c = *(const four *)(from + 2 * step), d = *(const four *)(from + 3 * step);
    four low_ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), high_ab = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    four low_cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), high_cd = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(four *)to = __builtin_shufflevector(low_ab, low_cd, 0, 1, 4, 5);
    *(four *)(to + width) = __builtin_shufflevector(low_ab, low_cd, 2, 3, 6, 7);
    *(four *)(to + 2 * width) = __builtin_shufflevector(high_ab, high_cd, 0, 1, 4, 5);
    *(four *)(to + 3 * width) = __builtin_shufflevector(high_ab, high_cd, 2, 3, 6, 7);
}

static void pack_rows(float *to, int64_t width, const float *from, int64_t step_j, int64_t count, int64_t length)
{
    for (int64_t j = 0; j < length; j++, to += width, from += step_j) {
        int64_t i = 0;
        for (; i + LANES <= count; i += LANES)
            store(to + i, load(from + i));
        if (i < count)
            store_part(to + i, load_part(from + i, count - i), count - i);
        for (i = count; i < width; i++)
            to[i] = 0;
    }
}

/* Places i of the panel, one by one: what four at a time leave. */
static void pack_place(float *to, int64_t width, const float *from, int64_t step_j, int64_t length)
{
    for (int64_t j = 0; j < length; j++)
        to[j * width] = from ? from[j * step_j] : 0;
}

void TN__ISA(tn__pack)(float *to, int64_t width, const float *from, int64_t step_i, int64_t step_j, int64_t count, int64_t length)
{
    if (step_i == 1) {
        pack_rows(to, width, from, step_j, count, length);
        return;
    }
    int64_t i = 0, turned = step_j == 1 ? length / 4 * 4 : 0;
    for (; i + 4 <= count && turned; i += 4) {
        for (int64_t j = 0; j < turned; j += 4)
            turn(to + j * width + i, width, from + i * step_i + j, step_i);
        for (int64_t l = i; l < i + 4; l++)
            pack_place(to + turned * width + l, width, from + l * step_i + turned * step_j, step_j, length - turned);
    }
    for (; i < width; i++)
        pack_place(to + i, width, i < count ? from + i * step_i : NULL, step_j, length);
}
