/* columns.c - rows whose columns are normalized each for itself: batch normalization of what has its channels last. */
#include "kernels/isa/table.h"

INLINE void scale_rows(const tn__column_norm *n, bool backward, int64_t first, int64_t last)
{
    int64_t columns = n->columns;
    bool past = (last - first) * columns >= LARGE && columns % LANES == 0 && n->step % LANES == 0 && on_a_vector(n->y);
    for (int64_t at = first * n->step; at < last * n->step; at += n->step)
        for (int64_t c = 0; c < columns; c += LANES) {
            int64_t left = columns - c;
            vector y = (load_some(n->x + at + c, left) - load_some(n->mean + c, left)) * load_some(n->slope + c, left) +
                       load_some(n->offset + c, left);
            if (backward)
                y += load_some(n->dy + at + c, left) * load_some(n->factor + c, left);
            if (past)
                stream(n->y + at + c, y);
            else
                store_some(n->y + at + c, y, left);
        }
    streamed();
}

void TN__ISA(tn__column_norm)(const tn__column_norm *n, int64_t first, int64_t last)
{
    if (n->dy)
        scale_rows(n, true, first, last);
    else
        scale_rows(n, false, first, last);
}

void TN__ISA(tn__column_norm_sums)(const tn__column_norm *n, int64_t first, int64_t last, float *sums)
{
    int64_t columns = n->columns;
    for (int64_t at = first * n->step; at < last * n->step; at += n->step)
        for (int64_t c = 0; c < columns; c += LANES) {
            int64_t left = columns - c;
            vector d = load_some(n->x + at + c, left) - load_some(n->mean + c, left);
            vector e = n->dy ? load_some(n->dy + at + c, left) : d;
            float *sum = sums + c, *product = sum + columns;
            store_some(sum, load_some(sum, left) + e, left);
            store_some(product, load_some(product, left) + e * d, left);
        }
}
