/* conv.c - convolutions of images with their channels last, as products of tiles: a row of the output is a matrix of pixels, its sums
 * run over the taps' pixels in the image, which lie side by side. Images are read through a copy with the padding in it, where
 * there is any. */
#include "kernels/isa/tile.h"

/* What one convolution of stride 1 or more over an image without padding needs: the image's width, and the taps as segments. */
typedef struct {
    int64_t in, out;                 /* channels */
    int64_t columns;                 /* of the padded image */
    int64_t row_stride, column_stride;
    int64_t width;                   /* of the output */
    int64_t segments, run;           /* taps that lie side by side are one segment of `run` numbers */
    int64_t *offset;                 /* of each segment, from the window's first pixel */
} plan;

static int64_t reach(const tn__conv_axis *axis)
{
    return (axis->window - 1) * axis->dilation + 1;
}

static int64_t padded(const tn__conv_axis *axis)
{
    return (axis->out - 1) * axis->stride + reach(axis);
}

static bool is_copied(const tn__conv *c)
{
    return c->row.before > 0 || padded(&c->row) > c->row.in || c->column.before > 0 || padded(&c->column) > c->column.in;
}

static int64_t segments_of(const tn__conv *c)
{
    return c->row.window * (c->column.dilation == 1 ? 1 : c->column.window);
}

static plan plan_of(const tn__conv *c, bool copied, int64_t *offset)
{
    bool side_by_side = c->column.dilation == 1;
    plan p = { .in = c->x_channels, .out = c->y_channels, .columns = copied ? padded(&c->column) : c->column.in,
               .row_stride = c->row.stride, .column_stride = c->column.stride, .width = c->column.out, .segments = segments_of(c),
               .run = c->x_channels * (side_by_side ? c->column.window : 1), .offset = offset };
    int64_t taps = side_by_side ? 1 : c->column.window;
    for (int64_t y = 0; y < c->row.window; y++)
        for (int64_t x = 0; x < taps; x++)
            offset[y * taps + x] = (y * c->row.dilation * p.columns + x * c->column.dilation) * p.in;
    return p;
}

/* The gradient of x is a convolution of dy, spread by the strides, with the filter turned. */
static tn__conv turned(const tn__conv *c)
{
    tn__conv t = { .batch = c->batch, .x_channels = c->y_channels, .y_channels = c->x_channels };
    const tn__conv_axis *from[2] = { &c->row, &c->column };
    tn__conv_axis *to[2] = { &t.row, &t.column };
    for (int i = 0; i < 2; i++)
        *to[i] = (tn__conv_axis){ (from[i]->out - 1) * from[i]->stride + 1, from[i]->in, from[i]->window, 1, from[i]->dilation,
                                  reach(from[i]) - 1 - from[i]->before };
    return t;
}

/* --- filters ------------------------------------------------------------------------------------------------------------ */
static int64_t depth_of(const tn__conv *c)
{
    return c->row.window * c->column.window * c->x_channels;
}

size_t TN__ISA(tn__conv_filter_bytes)(const tn__conv *c, bool turn)
{
    tn__conv t = turn ? turned(c) : *c;
    return (size_t)(depth_of(&t) * round_up(t.y_channels, TILE)) * sizeof(float);
}

/* Panels of TILE outputs, each (taps, in, TILE). Turned: taps from the last, in and out exchanged. */
void TN__ISA(tn__conv_pack)(const tn__conv *c, bool turn, const float *filter, float *packed)
{
    int64_t taps = c->row.window * c->column.window, in = c->x_channels, out = c->y_channels;
    if (!turn) {
        for (int64_t o = 0; o < out; o += TILE, packed += taps * in * TILE)
            TN__ISA(tn__pack)(packed, TILE, filter + o, 1, out, smaller(out - o, TILE), taps * in);
        return;
    }
    for (int64_t i = 0; i < in; i += TILE)
        for (int64_t t = taps; t-- > 0; packed += out * TILE)
            TN__ISA(tn__pack)(packed, TILE, filter + (t * in + i) * out, out, 1, smaller(in - i, TILE), out);
}

/* --- images ------------------------------------------------------------------------------------------------------------- */
/* Rows first <= i < last of the padded image, from an image whose pixels are `spread` apart there. */
static void copy_padded(const tn__conv *c, const plan *p, const float *x, const tn__conv_axis *rows, const tn__conv_axis *columns,
                        int64_t first, int64_t last, float *to)
{
    int64_t pixel = p->in, row = p->columns * pixel;
    memset(to + first * row, 0, (size_t)((last - first) * row) * sizeof *to);
    for (int64_t i = first; i < last; i++) {
        int64_t from = i - c->row.before;
        if (from < 0 || from >= c->row.in || from % rows->stride)
            continue;
        const float *source = x + from / rows->stride * columns->in * pixel;
        float *target = to + i * row;
        for (int64_t k = 0; k < columns->in; k++) {
            int64_t at = k * columns->stride + c->column.before;
            if (columns->stride == 1 && at >= 0 && at + columns->in - k <= p->columns) { /* all that is left lies side by side */
                memcpy(target + at * pixel, source + k * pixel, (size_t)((columns->in - k) * pixel) * sizeof *to);
                break;
            }
            if (at >= 0 && at < p->columns)
                memcpy(target + at * pixel, source + k * pixel, (size_t)pixel * sizeof *to);
        }
    }
}

/* --- rows of the output ------------------------------------------------------------------------------------------------- */
static void one_row(const plan *p, const float *image, const float *packed, float *y, tn__epilogue e)
{
    tile t = { .row_a = p->column_stride * p->in, .step_a = 1, .segment_a = p->offset, .row_b = TILE, .segment_b = p->run * TILE,
               .segments = p->segments, .k = p->run, .row_c = p->out };
    for (int64_t o = 0; o < p->out; o += TILE, packed += p->segments * p->run * TILE) {
        t.b = packed;
        t.columns = smaller(p->out - o, TILE);
        t.epilogue = e;
        if (e.bias)
            t.epilogue.bias += o;
        for (int64_t i = 0; i < p->width; i += ROWS) {
            t.a = image + i * t.row_a;
            t.c = y + i * p->out + o;
            TN__ISA(tn__tile)(&t, smaller(p->width - i, ROWS), true);
        }
    }
}

static size_t scratch_of(const tn__conv *c, bool copied)
{
    size_t floats = (size_t)round_up(2 * segments_of(c), 16);
    if (copied)
        floats += (size_t)round_up(padded(&c->row) * padded(&c->column) * c->x_channels, 16);
    return floats * sizeof(float);
}

/* rows and columns: as the image lies in memory, and how far its pixels stand apart in c's. */
static void by_rows(const tn__conv *c, const float *x, const tn__conv_axis *rows, const tn__conv_axis *columns, bool copied,
                    const float *packed, float *y, tn__epilogue e, int64_t first, int64_t last, void *scratch)
{
    int64_t *offset = (int64_t *)(void *)cut(&scratch, 2 * segments_of(c));
    float *copy = scratch;
    plan p = plan_of(c, copied, offset);
    for (int64_t i = first; i < last;) {
        int64_t image = i / c->row.out, from = i % c->row.out, to = smaller(c->row.out, from + last - i);
        const float *source = x + image * rows->in * columns->in * p.in;
        if (copied) {
            copy_padded(c, &p, source, rows, columns, from * p.row_stride, (to - 1) * p.row_stride + reach(&c->row), copy);
            source = copy;
        }
        for (int64_t r = from; r < to; r++, i++)
            one_row(&p, source + r * p.row_stride * p.columns * p.in, packed, y + i * p.width * p.out, e);
    }
}

size_t TN__ISA(tn__conv_scratch)(const tn__conv *c)
{
    return scratch_of(c, is_copied(c));
}

void TN__ISA(tn__conv)(const tn__conv *c, const float *x, const float *packed, float *y, tn__epilogue e, int64_t first, int64_t last,
                       void *scratch)
{
    tn__conv_axis rows = c->row, columns = c->column;
    rows.stride = columns.stride = 1;
    by_rows(c, x, &rows, &columns, is_copied(c), packed, y, e, first, last, scratch);
}

size_t TN__ISA(tn__conv_to_input_scratch)(const tn__conv *c)
{
    tn__conv t = turned(c);
    return scratch_of(&t, true);
}

void TN__ISA(tn__conv_to_input)(const tn__conv *c, const float *dy, const float *packed, float *dx, int64_t first, int64_t last,
                                void *scratch)
{
    tn__conv t = turned(c);
    tn__conv_axis rows = c->row, columns = c->column;
    rows.in = c->row.out;
    columns.in = c->column.out;
    by_rows(&t, dy, &rows, &columns, true, packed, dx, (tn__epilogue){ 0 }, first, last, scratch);
}

/* --- the gradient of the filter ----------------------------------------------------------------------------------------- */
enum { PIXELS = 128 }; /* about as many pixels of dy are gone through while they are in the first cache */

size_t TN__ISA(tn__conv_to_filter_scratch)(const tn__conv *c)
{
    return TN__ISA(tn__conv_scratch)(c) + (size_t)round_up(2 * c->row.out, 16) * sizeof(float);
}

/* dfilter's rows of one segment, `run` of them, += pixels' numbers by dy's, over some rows of the output. */
static void segment_rows(const plan *p, const float *image, int64_t *row_offset, const float *dy, int64_t rows, float *dfilter)
{
    for (int64_t r = 0; r < rows; r++)
        row_offset[r] = r * p->row_stride * p->columns * p->in;
    tile t = { .row_a = 1, .step_a = p->column_stride * p->in, .segment_a = row_offset, .row_b = p->out, .segment_b = p->width * p->out,
               .segments = rows, .k = p->width, .row_c = p->out, .add = true };
    for (int64_t o = 0; o < p->out; o += TILE) {
        t.b = dy + o;
        t.columns = smaller(p->out - o, TILE);
        for (int64_t i = 0; i < p->run; i += ROWS) {
            t.a = image + i;
            t.c = dfilter + i * p->out + o;
            TN__ISA(tn__tile)(&t, smaller(p->run - i, ROWS), false);
        }
    }
}

void TN__ISA(tn__conv_to_filter)(const tn__conv *c, const float *x, const float *dy, float *dfilter, int64_t first, int64_t last,
                                 void *scratch)
{
    int64_t *offset = (int64_t *)(void *)cut(&scratch, 2 * segments_of(c)), *row_offset = (int64_t *)(void *)cut(&scratch, 2 * c->row.out);
    float *copy = scratch;
    bool copied = is_copied(c);
    plan p = plan_of(c, copied, offset);
    tn__conv_axis rows = c->row, columns = c->column;
    rows.stride = columns.stride = 1;
    int64_t most = PIXELS / p.width > 1 ? PIXELS / p.width : 1;
    for (int64_t i = first, count; i < last; i += count) {
        int64_t image = i / c->row.out, from = i % c->row.out;
        count = smaller(smaller(most, c->row.out - from), last - i);
        const float *source = x + image * c->row.in * c->column.in * p.in;
        if (copied) {
            copy_padded(c, &p, source, &rows, &columns, from * p.row_stride, (from + count - 1) * p.row_stride + reach(&c->row), copy);
            source = copy;
        }
        source += from * p.row_stride * p.columns * p.in;
        for (int64_t s = 0; s < p.segments; s++)
            segment_rows(&p, source + p.offset[s], row_offset, dy + i * p.width * p.out, count, dfilter + s * p.run * p.out);
    }
}
