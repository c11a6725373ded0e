/* adam.c - one pass of Adam over everything that belongs to a weight. */
#include "kernels/isa/math.h"

void TN__ISA(tn__adam)(const tn__adam *a, int64_t first, int64_t last)
{
    for (int64_t i = first; i < last; i += LANES) {
        int64_t count = smaller(last - i, LANES);
        bool all = count == LANES;
        vector g = all ? load(a->g + i) : load_part(a->g + i, count), m = all ? load(a->m + i) : load_part(a->m + i, count);
        vector v = all ? load(a->v + i) : load_part(a->v + i, count), w = all ? load(a->w + i) : load_part(a->w + i, count);
        m += (g - m) * a->rest_1;
        v += (g * g - v) * a->rest_2;
        w -= m * a->alpha / (square_root(v) + a->epsilon);
        if (all) {
            store(a->new_m + i, m);
            store(a->new_v + i, v);
            store(a->new_w + i, w);
        } else {
            store_part(a->new_m + i, m, count);
            store_part(a->new_v + i, v, count);
            store_part(a->new_w + i, w, count);
        }
    }
}
