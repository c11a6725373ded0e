/* conv.c - convolutions of images with their channels last, as products of tiles: a row of the output is a matrix of pixels, its sums
 * run over the taps' pixels in the image, which lie side by side. Images are read through a copy with the padding in it, where
 * there is any. */
#include "kernels/isa/tile.h"
#include "kernels/isa/winograd.h"

/* What one convolution of stride 1 or more over an image without padding needs: the image's width, and the taps as segments. */
typedef struct {
    int64_t in, out;                 /* channels */
    int64_t columns;                 /* of the padded image */
    int64_t row_stride, column_stride;
    int64_t width;                   /* of the output */
    int64_t segments, run;           /* taps that lie side by side are one segment of `run` numbers */
    int64_t *offset;                 /* of each segment, from the window's first pixel */
    int64_t *segment_a, *segment_b;  /* in the image and in a panel of the filter: of those whose pixels are not all padding */
    int64_t live;                    /* how many are */
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

enum { SEGMENTS = 6 }; /* floats' room for what a plan has of each segment */

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
    p.segment_a = offset + p.segments;
    p.segment_b = offset + 2 * p.segments;
    int64_t taps = side_by_side ? 1 : c->column.window;
    for (int64_t y = 0; y < c->row.window; y++)
        for (int64_t x = 0; x < taps; x++)
            offset[y * taps + x] = (y * c->row.dilation * p.columns + x * c->column.dilation) * p.in;
    return p;
}

/* The gradient of x is a convolution of dy, spread by the strides, with the filter turned. */
static tn__conv turned(const tn__conv *c)
{
    tn__conv t = { .batch = c->batch, .x_channels = c->y_channels, .y_channels = c->x_channels, .winograd = c->winograd };
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
    if (c->winograd)
        return TN__ISA(tn__winograd_filter_bytes)(&t);
    return (size_t)(depth_of(&t) * round_up(t.y_channels, TILE)) * sizeof(float);
}

/* Panels of TILE outputs, each (taps, in, TILE). Turned: taps from the last, in and out exchanged. */
void TN__ISA(tn__conv_pack)(const tn__conv *c, bool turn, const float *filter, float *packed)
{
    int64_t taps = c->row.window * c->column.window, in = c->x_channels, out = c->y_channels;
    if (c->winograd) {
        tn__conv t = turn ? turned(c) : *c;
        TN__ISA(tn__winograd_pack)(&t, turn, filter, packed);
        return;
    }
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
/* Taps of a row of the output whose row in the image is padding, or lies between rows that are `spread` apart, add nothing. */
static void note_live(const tn__conv *c, plan *p, int64_t row, int64_t spread)
{
    int64_t taps = p->segments / c->row.window;
    p->live = 0;
    for (int64_t y = 0; y < c->row.window; y++) {
        int64_t at = row * c->row.stride + y * c->row.dilation - c->row.before;
        for (int64_t s = y * taps; s < (y + 1) * taps && at >= 0 && at < c->row.in && at % spread == 0; s++) {
            p->segment_a[p->live] = p->offset[s];
            p->segment_b[p->live++] = s * p->run * TILE;
        }
    }
}

/* at: the place of the row in the result. */
static void one_row(const plan *p, const float *image, const float *packed, float *y, int64_t at, const tn__epilogue *e)
{
    tile t = { .row_a = p->column_stride * p->in, .step_a = 1, .row_b = TILE, .segment_a = p->segment_a, .segment_b = p->segment_b,
               .segments = p->live, .k = p->run, .row_c = p->out };
    for (int64_t o = 0; o < p->out; o += TILE, packed += p->segments * p->run * TILE) {
        t.b = packed;
        t.columns = smaller(p->out - o, TILE);
        t.a = image;
        t.c = y + at + o;
        t.epilogue = tn__epilogue_at(e, o, at + o);
        TN__ISA(tn__tiles)(&t, p->width, true);
    }
}

static size_t scratch_of(const tn__conv *c, bool copied)
{
    size_t floats = (size_t)round_up(SEGMENTS * segments_of(c), 16);
    if (copied)
        floats += (size_t)round_up(padded(&c->row) * padded(&c->column) * c->x_channels, 16);
    return floats * sizeof(float);
}

/* rows and columns: as the image lies in memory, and how far its pixels stand apart in c's. */
static void by_rows(const tn__conv *c, const float *x, const tn__conv_axis *rows, const tn__conv_axis *columns, bool copied,
                    const float *packed, float *y, tn__epilogue e, int64_t first, int64_t last, void *scratch)
{
    int64_t *offset = (int64_t *)(void *)cut(&scratch, SEGMENTS * segments_of(c));
    float *copy = scratch;
    plan p = plan_of(c, copied, offset);
    for (int64_t i = first; i < last;) {
        int64_t image = i / c->row.out, from = i % c->row.out, to = smaller(c->row.out, from + last - i);
        const float *source = x + image * rows->in * columns->in * p.in;
        if (copied) {
            copy_padded(c, &p, source, rows, columns, from * p.row_stride, (to - 1) * p.row_stride + reach(&c->row), copy);
            source = copy;
        }
        for (int64_t r = from; r < to; r++, i++) {
            note_live(c, &p, r, rows->stride);
            one_row(&p, source + r * p.row_stride * p.columns * p.in, packed, y, i * p.width * p.out, &e);
        }
    }
}

size_t TN__ISA(tn__conv_scratch)(const tn__conv *c)
{
    return c->winograd ? TN__ISA(tn__winograd_scratch)(c) : scratch_of(c, is_copied(c));
}

void TN__ISA(tn__conv)(const tn__conv *c, const float *x, const float *packed, float *y, tn__epilogue e, int64_t first, int64_t last,
                       void *scratch)
{
    if (c->winograd) {
        TN__ISA(tn__winograd)(c, x, packed, y, e, first, last, scratch);
        return;
    }
    tn__conv_axis rows = c->row, columns = c->column;
    rows.stride = columns.stride = 1;
    by_rows(c, x, &rows, &columns, is_copied(c), packed, y, e, first, last, scratch);
}

size_t TN__ISA(tn__conv_to_input_scratch)(const tn__conv *c)
{
    tn__conv t = turned(c);
    return c->winograd ? TN__ISA(tn__winograd_scratch)(&t) : scratch_of(&t, true);
}

void TN__ISA(tn__conv_to_input)(const tn__conv *c, const float *dy, const float *packed, float *dx, tn__epilogue e, int64_t first,
                                int64_t last, void *scratch)
{
    tn__conv t = turned(c);
    if (c->winograd) {
        TN__ISA(tn__winograd)(&t, dy, packed, dx, e, first, last, scratch);
        return;
    }
    tn__conv_axis rows = c->row, columns = c->column;
    rows.in = c->row.out;
    columns.in = c->column.out;
    by_rows(&t, dy, &rows, &columns, true, packed, dx, e, first, last, scratch);
}

/* --- the gradient of the filter ----------------------------------------------------------------------------------------- */
enum { PIXELS = 128 }; /* about as many pixels of dy are gone through while they are in the first cache */

static int64_t rows_at_a_time(const tn__conv *c)
{
    return PIXELS / c->column.out > 1 ? PIXELS / c->column.out : 1;
}

size_t TN__ISA(tn__conv_to_filter_scratch)(const tn__conv *c)
{
    if (c->winograd)
        return TN__ISA(tn__winograd_to_filter_scratch)(c);
    int64_t rows = rows_at_a_time(c);
    return TN__ISA(tn__conv_scratch)(c) + (size_t)(round_up(4 * rows, 16) + rows * c->column.out * TILE) * sizeof(float);
}

/* What the filter's gradient sums over at a time: rows of dy, a panel of them packed, and where each begins. */
typedef struct {
    int64_t rows;
    int64_t *segment_a, *segment_b;
    float *panel;
} block;

/* Columns o to o + TILE of dfilter += pixels' numbers by dy's. */
static void sum_block(const plan *p, const block *b, const float *image, const float *dy, int64_t o, float *dfilter)
{
    int64_t pixels = b->rows * p->width;
    tile t = { .row_a = 1, .step_a = p->column_stride * p->in, .segment_a = b->segment_a, .b = b->panel, .row_b = TILE,
               .segment_b = b->segment_b, .segments = b->rows, .k = p->width, .row_c = p->out, .columns = smaller(p->out - o, TILE),
               .add = true };
    TN__ISA(tn__pack)(b->panel, TILE, dy + o, 1, p->out, t.columns, pixels);
    for (int64_t s = 0; s < p->segments; s++) {
        t.a = image + p->offset[s];
        t.c = dfilter + s * p->run * p->out + o;
        TN__ISA(tn__tiles)(&t, p->run, true);
    }
}

static block block_of(const tn__conv *c, const plan *p, void **scratch)
{
    int64_t rows = rows_at_a_time(c);
    block b = { .segment_a = (int64_t *)(void *)cut(scratch, 4 * rows) };
    b.segment_b = b.segment_a + rows;
    b.panel = cut(scratch, rows * p->width * TILE);
    for (int64_t r = 0; r < rows; r++) {
        b.segment_a[r] = r * p->row_stride * p->columns * p->in;
        b.segment_b[r] = r * p->width * TILE;
    }
    return b;
}

void TN__ISA(tn__conv_to_filter)(const tn__conv *c, const float *x, const float *dy, float *dfilter, int64_t first, int64_t last,
                                 void *scratch)
{
    if (c->winograd) {
        TN__ISA(tn__winograd_to_filter)(c, x, dy, dfilter, first, last, scratch);
        return;
    }
    int64_t *offset = (int64_t *)(void *)cut(&scratch, SEGMENTS * segments_of(c));
    bool copied = is_copied(c);
    plan p = plan_of(c, copied, offset);
    block b = block_of(c, &p, &scratch);
    float *copy = scratch;
    tn__conv_axis rows = c->row, columns = c->column;
    rows.stride = columns.stride = 1;
    for (int64_t i = first; i < last; i += b.rows) {
        int64_t image = i / c->row.out, from = i % c->row.out;
        b.rows = smaller(smaller(rows_at_a_time(c), c->row.out - from), last - i);
        const float *source = x + image * c->row.in * c->column.in * p.in;
        if (copied) {
            copy_padded(c, &p, source, &rows, &columns, from * p.row_stride, (from + b.rows - 1) * p.row_stride + reach(&c->row), copy);
            source = copy;
        }
        source += from * p.row_stride * p.columns * p.in;
        for (int64_t o = 0; o < p.out; o += TILE)
            sum_block(&p, &b, source, dy + i * p.width * p.out, o, dfilter);
    }
}
