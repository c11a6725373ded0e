/* pool.c - the largest of windows of two axes, and where it came from; channels last. */
#include "kernels/isa/vector.h"
#include <float.h>

typedef struct {
    int64_t row, column;                  /* of the window's first tap in the image */
    int64_t first_row, last_row, first_column, last_column; /* taps inside of the image */
} window;

static void clip(const tn__conv_axis *axis, int64_t at, int64_t *begin, int64_t *first, int64_t *last)
{
    *begin = at * axis->stride - axis->before;
    *first = *begin < 0 ? (-*begin + axis->dilation - 1) / axis->dilation : 0;
    *last = smaller(axis->window, (axis->in - *begin + axis->dilation - 1) / axis->dilation);
}

static window window_at(const tn__conv *c, int64_t row, int64_t column)
{
    window w;
    clip(&c->row, row, &w.row, &w.first_row, &w.last_row);
    clip(&c->column, column, &w.column, &w.first_column, &w.last_column);
    return w;
}

/* The number of the tap's first channel in its image. */
INLINE int64_t place(const tn__conv *c, const window *w, int64_t r, int64_t q)
{
    return ((w->row + r * c->row.dilation) * c->column.in + w->column + q * c->column.dilation) * c->x_channels;
}

#define EACH_TAP(w, r, q)                                        \
    for (int64_t r = (w)->first_row; r < (w)->last_row; r++)     \
        for (int64_t q = (w)->first_column; q < (w)->last_column; q++)

/* A NaN is never the larger one; a window of nothing else gives the least number. */
static void largest_of(const tn__conv *c, const window *w, const float *image, float *y)
{
    for (int64_t k = 0; k < c->x_channels; k += LANES) {
        vector most = broadcast(-FLT_MAX);
        EACH_TAP(w, r, q)
        {
            vector x = load_some(image + place(c, w, r, q) + k, c->x_channels - k);
            most = choose(x > most, x, most);
        }
        store_some(y + k, most, c->x_channels - k);
    }
}

/* Each pixel lies in one window, so its gradient need not be added to another. */
static bool is_tiled(const tn__conv_axis *axis)
{
    return axis->stride == axis->window && axis->dilation == 1 && axis->before == 0 && axis->in == axis->out * axis->stride;
}

/* dy goes to the first of the window's largest: its first tap, also when that is NaN, until there is a larger. */
INLINE void give_back(bool add, bool masked, const tn__conv *c, const window *w, const float *image, const float *dy, float *dx)
{
    for (int64_t k = 0; k < c->x_channels; k += LANES) {
        int64_t count = c->x_channels - k;
        vector most = { 0 }, given = load_some(dy + k, count);
        mask at = { 0 }, none = { 0 };
        bool first = true;
        EACH_TAP(w, r, q)
        {
            vector x = load_some(image + place(c, w, r, q) + k, count);
            mask larger = first ? ~none : (mask)(x > most), tap = none + (int32_t)(r * c->column.window + q);
            most = choose(larger, x, most);
            at = (larger & tap) | (~larger & at);
            first = false;
        }
        if (masked)
            given *= choose(most > 0, broadcast(1), (vector){ 0 });
        EACH_TAP(w, r, q)
        {
            float *to = dx + place(c, w, r, q) + k;
            mask here = at == none + (int32_t)(r * c->column.window + q);
            vector more = choose(here, given, (vector){ 0 });
            store_some(to, add ? load_some(to, count) + more : more, count);
        }
    }
}

void TN__ISA(tn__max_pool)(const tn__conv *c, const float *x, float *y, int64_t first, int64_t last)
{
    for (int64_t i = first; i < last; i++)
        for (int64_t q = 0; q < c->column.out; q++) {
            window w = window_at(c, i % c->row.out, q);
            largest_of(c, &w, x + i / c->row.out * c->row.in * c->column.in * c->x_channels, y + (i * c->column.out + q) * c->x_channels);
        }
}

INLINE void give_back_all(bool add, bool masked, const tn__conv *c, const float *x, const float *dy, float *dx, int64_t first, int64_t last)
{
    int64_t image = c->row.in * c->column.in * c->x_channels;
    for (int64_t i = first * c->row.out; i < last * c->row.out; i++)
        for (int64_t q = 0; q < c->column.out; q++) {
            window w = window_at(c, i % c->row.out, q);
            int64_t at = i / c->row.out * image;
            give_back(add, masked, c, &w, x + at, dy + (i * c->column.out + q) * c->x_channels, dx + at);
        }
}

void TN__ISA(tn__max_pool_gradient)(const tn__conv *c, const float *x, const float *dy, float *dx, bool masked, int64_t first, int64_t last)
{
    int64_t image = c->row.in * c->column.in * c->x_channels;
    bool add = !is_tiled(&c->row) || !is_tiled(&c->column);
    if (add)
        memset(dx + first * image, 0, (size_t)((last - first) * image) * sizeof *dx);
    if (add)
        give_back_all(true, masked, c, x, dy, dx, first, last);
    else
        give_back_all(false, masked, c, x, dy, dx, first, last);
}
