/* depthwise.c - convolutions that keep the channels apart, a vector of channels at a time. The gradient of x is the same loop as the
 * convolution: a row of pixels, each the sum of what its taps lie on; with a stride, the pixels that have the same taps are a row. */
#include "kernels/isa/table.h"

enum { PIXELS = 6, TAPS = 9 }; /* what is summed at a time: neighbours of a row, and a filter's taps */

/* What the first pixel of a row has: where its numbers begin in the source and in the filter, and in which column it lies. */
typedef struct {
    int64_t from, filter, column;
} tap;

typedef struct {
    int64_t channels, width; /* of the source, in pixels */
    int64_t count, step;     /* of the row: its pixels, and in the source from one to the next */
    tap *all, *some;         /* the row's taps, and those that one pixel at its border has */
    int64_t live;
} line;

static int64_t taps_of(const tn__conv *c)
{
    return c->row.window * c->column.window;
}

static int64_t multiplier_of(const tn__conv *c)
{
    return c->y_channels / c->x_channels;
}

/* Filters of several channels' own find an image whose channels are repeated. */
size_t TN__ISA(tn__depthwise_scratch)(const tn__conv *c)
{
    size_t repeated = multiplier_of(c) == 1 ? 0 : (size_t)(c->row.in * c->column.in * c->y_channels) * sizeof(float);
    return 2 * (size_t)(taps_of(c) + TAPS) * sizeof(tap) + repeated;
}

static line line_of(const tn__conv *c, void **scratch)
{
    tap *taps = *scratch;
    int64_t most = taps_of(c) + TAPS;
    *scratch = taps + 2 * most;
    return (line){ .channels = c->y_channels, .all = taps, .some = taps + most };
}

/* --- taps --------------------------------------------------------------------------------------------------------------- */
/* What tap t of number `at` of the target lies on in the source; false: between two. */
INLINE bool meets(const tn__conv_axis *a, bool turned, int64_t at, int64_t t, int64_t *place)
{
    int64_t d = turned ? at + a->before - t * a->dilation : at * a->stride + t * a->dilation - a->before;
    *place = turned && a->stride > 1 ? d / a->stride : d;
    return !turned || a->stride == 1 || d % a->stride == 0;
}

static void find_taps(const tn__conv *c, bool turned, int64_t row, int64_t column, line *l)
{
    int64_t height = turned ? c->row.out : c->row.in, y, x;
    l->live = 0;
    for (int64_t r = 0; r < c->row.window; r++) {
        if (!meets(&c->row, turned, row, r, &y) || y < 0 || y >= height)
            continue;
        for (int64_t q = 0; q < c->column.window; q++)
            if (meets(&c->column, turned, column, q, &x))
                l->all[l->live++] = (tap){ (y * l->width + x) * l->channels, (r * c->column.window + q) * l->channels, x };
    }
}

/* The pixels whose taps all lie in the source: first <= i < last. */
static void find_whole(const line *l, int64_t *first, int64_t *last)
{
    *first = 0;
    *last = l->count;
    for (int64_t t = 0; t < l->live; t++) {
        int64_t column = l->all[t].column, left = l->width - column;
        int64_t begin = column < 0 ? (-column + l->step - 1) / l->step : 0, end = left > 0 ? (left + l->step - 1) / l->step : 0;
        *first = begin > *first ? begin : *first;
        *last = smaller(*last, end);
    }
    *first = smaller(*first, l->count);
    *last = *last > *first ? *last : *first;
}

static int64_t find_some(const line *l, int64_t pixel)
{
    int64_t count = 0;
    for (int64_t t = 0; t < l->live; t++) {
        int64_t column = l->all[t].column + pixel * l->step;
        if (column >= 0 && column < l->width)
            l->some[count++] = l->all[t];
    }
    return count;
}

/* --- sums of taps ------------------------------------------------------------------------------------------------------- */
typedef struct {
    const float *x, *filter;
    float *y;
    int64_t step_x, step_y; /* in numbers */
    const tap *taps;
    int64_t live, channels;
    bool past; /* the caches */
} sums;

INLINE void sum_pixels(const sums *s, int64_t k, int pixels, bool past)
{
    vector sum[PIXELS] = { 0 };
    int64_t left = pixels == 1 ? s->channels - k : LANES;
    for (int64_t t = 0; t < s->live; t++) {
        vector w = load_some(s->filter + s->taps[t].filter + k, left);
        const float *x = s->x + s->taps[t].from + k;
        UNROLL for (int p = 0; p < pixels; p++)
            sum[p] += load_some(x + p * s->step_x, left) * w;
    }
    UNROLL for (int p = 0; p < pixels; p++)
        if (past)
            stream(s->y + p * s->step_y + k, sum[p]);
        else
            store_some(s->y + p * s->step_y + k, sum[p], left);
}

/* Whole vectors of the pixels, then what is left of each. */
static void sum_several(sums s)
{
    int64_t k = 0;
    for (; s.past && k + LANES <= s.channels; k += LANES)
        sum_pixels(&s, k, PIXELS, true);
    for (; k + LANES <= s.channels; k += LANES)
        sum_pixels(&s, k, PIXELS, false);
    for (int p = 0; p < PIXELS && k < s.channels; p++, s.x += s.step_x, s.y += s.step_y)
        sum_pixels(&s, k, 1, false);
}

static void sum_one(const sums *s)
{
    for (int64_t k = 0; k < s->channels; k += LANES)
        sum_pixels(s, k, 1, false);
}

/* s: of the row's first pixel. */
static void sum_line(const line *l, sums s)
{
    int64_t first, last;
    const float *x = s.x;
    float *y = s.y;
    find_whole(l, &first, &last);
    for (int64_t i = 0, n; i < l->count; i += n) {
        bool whole = i >= first && i < last, several = whole && last - i >= PIXELS;
        s.x = x + i * s.step_x;
        s.y = y + i * s.step_y;
        s.taps = whole ? l->all : l->some;
        s.live = whole ? l->live : find_some(l, i);
        n = several ? PIXELS : 1;
        if (several)
            sum_several(s);
        else
            sum_one(&s);
    }
}

/* A row of the target; y begins there. */
static void sum_row(const tn__conv *c, bool turned, line *l, const float *source, const float *filter, int64_t row, float *y, bool past)
{
    int64_t width = turned ? c->column.in : c->column.out, phases = turned ? smaller(c->column.stride, width) : 1;
    l->width = turned ? c->column.out : c->column.in;
    l->step = turned ? 1 : c->column.stride;
    for (int64_t phase = 0; phase < phases; phase++) {
        l->count = phases == 1 ? width : (width - phase + c->column.stride - 1) / c->column.stride;
        find_taps(c, turned, row, phase, l);
        int64_t step_y = (turned ? c->column.stride : 1) * l->channels;
        sum_line(l, (sums){ source, filter, y + phase * l->channels, l->step * l->channels, step_y, .channels = l->channels,
                            .past = past });
    }
}

/* --- several filters a channel ------------------------------------------------------------------------------------------ */
/* The image's rows that rows first <= i < last of the output lie on, each channel's number as often as it has filters. */
static void repeat_rows(const tn__conv *c, const float *image, int64_t first, int64_t last, float *to)
{
    int64_t times = multiplier_of(c), row = c->column.in * c->x_channels;
    int64_t begin = first * c->row.stride - c->row.before;
    int64_t end = (last - 1) * c->row.stride + (c->row.window - 1) * c->row.dilation + 1 - c->row.before;
    begin = begin < 0 ? 0 : smaller(begin, c->row.in);
    end = smaller(end, c->row.in);
    for (int64_t i = begin * row; i < end * row; i++)
        for (int64_t t = 0; t < times; t++)
            to[i * times + t] = image[i];
}

static void fold_row(const tn__conv *c, const float *from, float *dx)
{
    int64_t times = multiplier_of(c);
    for (int64_t i = 0; i < c->column.in * c->x_channels; i++) {
        float sum = 0;
        for (int64_t t = 0; t < times; t++)
            sum += from[i * times + t];
        dx[i] = sum;
    }
}

/* --- the three ---------------------------------------------------------------------------------------------------------- */
/* Is a result of so many pixels written past the caches? */
static bool goes_past(const tn__conv *c, const float *to, int64_t pixels)
{
    return pixels * c->y_channels >= LARGE && c->y_channels % LANES == 0 && on_a_vector(to);
}

static void to_input(const tn__conv *c, const float *dy, const float *filter, float *dx, int64_t first, int64_t last, void *scratch)
{
    line l = line_of(c, &scratch);
    bool folded = multiplier_of(c) > 1, past = !folded && goes_past(c, dx, (last - first) * c->column.in);
    for (int64_t i = first; i < last; i++) {
        float *row = dx + i * c->column.in * c->x_channels;
        const float *image = dy + i / c->row.in * c->row.out * c->column.out * c->y_channels;
        sum_row(c, true, &l, image, filter, i % c->row.in, folded ? scratch : row, past);
        if (folded)
            fold_row(c, scratch, row);
    }
    streamed();
}

void TN__ISA(tn__depthwise)(const tn__conv *c, bool turned, const float *from, const float *filter, float *to, int64_t first, int64_t last,
                            void *scratch)
{
    if (turned) {
        to_input(c, from, filter, to, first, last, scratch);
        return;
    }
    line l = line_of(c, &scratch);
    int64_t row = c->column.out * c->y_channels, size = c->row.in * c->column.in * c->x_channels;
    bool past = goes_past(c, to, (last - first) * c->column.out);
    for (int64_t i = first, n; i < last; i += n) {
        const float *image = from + i / c->row.out * size;
        int64_t begin = i % c->row.out;
        n = smaller(c->row.out - begin, last - i);
        if (multiplier_of(c) > 1) {
            repeat_rows(c, image, begin, begin + n, scratch);
            image = scratch;
        }
        for (int64_t r = 0; r < n; r++)
            sum_row(c, false, &l, image, filter, begin + r, to + (i + r) * row, past);
    }
    streamed();
}

/* TAPS of them at once, so that a number of dy is read once for all: dfilter += x dy over `count` pixels of a row. */
INLINE void add_taps(const tap *taps, int64_t live, const float *x, int64_t step, const float *dy, int64_t count, int64_t channels,
                     int64_t left, float *dfilter)
{
    vector sum[TAPS] = { 0 };
    const float *at[TAPS];
    for (int t = 0; t < TAPS; t++)
        at[t] = x + taps[t].from;
    for (int64_t p = 0; p < count; p++) {
        vector d = load_some(dy + p * channels, left);
        UNROLL for (int t = 0; t < TAPS; t++)
            sum[t] += load_some(at[t] + p * step, left) * d;
    }
    UNROLL for (int t = 0; t < TAPS; t++)
        if (t < live) {
            float *to = dfilter + taps[t].filter;
            store_some(to, load_some(to, left) + sum[t], left);
        }
}

/* Where there are fewer taps than are summed, the first stands for those that are not there. */
static void add_pixels(tap *taps, int64_t live, const line *l, const float *x, const float *dy, int64_t count, float *dfilter)
{
    int64_t channels = l->channels, step = l->step * channels;
    for (int64_t t = live; t < live + TAPS && live > 0; t++)
        taps[t] = taps[0];
    for (int64_t t = 0; t < live && count > 0; t += TAPS) {
        int64_t k = 0;
        for (; k + LANES <= channels; k += LANES)
            add_taps(taps + t, live - t, x + k, step, dy + k, count, channels, LANES, dfilter + k);
        if (k < channels)
            add_taps(taps + t, live - t, x + k, step, dy + k, count, channels, channels - k, dfilter + k);
    }
}

static void add_row(const tn__conv *c, line *l, const float *image, const float *dy, int64_t row, float *dfilter)
{
    int64_t first, last, step = c->column.stride * l->channels;
    l->count = c->column.out;
    l->width = c->column.in;
    l->step = c->column.stride;
    find_taps(c, false, row, 0, l);
    find_whole(l, &first, &last);
    add_pixels(l->all, l->live, l, image + first * step, dy + first * l->channels, last - first, dfilter);
    for (int64_t i = first > 0 ? 0 : last; i < l->count; i = i + 1 == first ? last : i + 1)
        add_pixels(l->some, find_some(l, i), l, image + i * step, dy + i * l->channels, 1, dfilter);
}

void TN__ISA(tn__depthwise_to_filter)(const tn__conv *c, const float *x, const float *dy, float *dfilter, int64_t first, int64_t last,
                                      void *scratch)
{
    line l = line_of(c, &scratch);
    int64_t row = c->column.out * c->y_channels, size = c->row.in * c->column.in * c->x_channels;
    for (int64_t i = first, n; i < last; i += n) {
        const float *image = x + i / c->row.out * size;
        int64_t begin = i % c->row.out;
        n = smaller(c->row.out - begin, last - i);
        if (multiplier_of(c) > 1) {
            repeat_rows(c, image, begin, begin + n, scratch);
            image = scratch;
        }
        for (int64_t r = 0; r < n; r++)
            add_row(c, &l, image, dy + (i + r) * row, begin + r, dfilter);
    }
}
