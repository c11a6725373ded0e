/* tile.h - the heart of products and convolutions: a tile of the result in registers, ROWS by VECTORS * LANES. One that is narrower has
 * up to NARROW_ROWS, so that there are sums enough to add to while others are not ready. */
#ifndef TN_KERNELS_ISA_TILE_H
#define TN_KERNELS_ISA_TILE_H
#include "kernels/isa/vector.h"

enum { TILE = VECTORS * LANES }; /* columns */

/* c (rows, columns) = sum over segments of a's k columns by b's k rows. */
typedef struct {
    const float *a;
    int64_t row_a, step_a;     /* to the next row, and along k */
    const float *b;
    int64_t row_b;
    const int64_t *segment_a, *segment_b; /* where each segment begins */
    int64_t segments, k;
    float *c;
    int64_t row_c, columns;    /* 0 < columns <= TILE */
    bool add;                  /* to what is there; the epilogue comes after */
    tn__epilogue epilogue;     /* of the tile's own place */
} tile;

/* The only segment begins where a and b do. */
static const int64_t no_offset[1] = { 0 };

/* At most ROWS rows, or NARROW_ROWS where a vector or more is missing of the columns. Where packed, b has whole vectors in each row,
 * however many columns count. */
void TN__ISA(tn__tile)(const tile *t, int64_t rows, bool packed);
/* Tiles one below the other from *t on, which is moved along, m rows in all. */
void TN__ISA(tn__tiles)(tile *t, int64_t m, bool packed);

/* to[j * width + i] = from[i * step_i + j * step_j] for i < count (then zeros up to width) and j < length: a panel for tiles. */
void TN__ISA(tn__pack)(float *to, int64_t width, const float *from, int64_t step_i, int64_t step_j, int64_t count, int64_t length);

#endif
