/* tile.h - the heart of products and convolutions: a tile of the result in registers, ROWS by VECTORS * LANES. */
#ifndef TN_KERNELS_ISA_TILE_H
#define TN_KERNELS_ISA_TILE_H
#include "kernels/isa/vector.h"

enum { TILE = VECTORS * LANES }; /* columns */

/* c (rows, columns) = sum over segments of a's k columns by b's k rows. */
typedef struct {
    const float *a;
    int64_t row_a, step_a;     /* to the next row, and along k */
    const int64_t *segment_a;  /* where each segment begins in a */
    const float *b;
    int64_t row_b, segment_b;
    int64_t segments, k;
    float *c;
    int64_t row_c, columns;    /* 0 < columns <= TILE */
    bool add;                  /* to what is there; the epilogue comes after */
    tn__epilogue epilogue;     /* bias: of the tile's own columns */
} tile;

/* Rows 1 to ROWS. Where packed, b has whole vectors in each row, however many columns count. */
void TN__ISA(tn__tile)(const tile *t, int64_t rows, bool packed);

/* to[j * width + i] = from[i * step_i + j * step_j] for i < count (then zeros up to width) and j < length: a panel for tiles. */
void TN__ISA(tn__pack)(float *to, int64_t width, const float *from, int64_t step_i, int64_t step_j, int64_t count, int64_t length);

#endif
