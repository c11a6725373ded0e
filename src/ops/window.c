/* window.c - sizes, runs of neighbours, and the order of channels. */
#include "ops/window.h"
#include <string.h>

/* --- attributes ------------------------------------------------------------------------------- */
/* The attribute must be one of the words of "A|B|C". */
static tn_status check_word(const tn__op *op, const char *attr, const char *word, const char *words)
{
    size_t length = word ? strlen(word) : 0;
    for (const char *at = words; at && length; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strncmp(at, word, length) == 0 && (at[length] == 0 || at[length] == '|'))
            return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Value for attr '%s' of \"%s\" is not in the list of allowed values\n"
                    "%s: %s is one of %s",
                    attr, word ? word : "", op->name, attr, words);
}

static bool is_explicit(const tn__sliding *s)
{
    return strcmp(s->padding, "EXPLICIT") == 0;
}

static tn_status check_explicit(const tn__op *op, const tn__sliding *s)
{
    for (int i = 0; i < 2 * (s->spatial + 2); i++) {
        int64_t padding = s->explicit_paddings[i];
        if (padding && !is_explicit(s))
            return tn__fail(TN_INVALID_ARGUMENT,
                            "explicit_paddings attribute must be empty if the padding attribute is "
                            "not EXPLICIT\n%s: padding is %s",
                            op->name, s->padding);
        if (padding < 0)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "All elements of explicit_paddings must be nonnegative\n%s: number %d "
                            "is %lld",
                            op->name, i, (long long)padding);
        if (padding && (i / 2 == 0 || i / 2 == tn__channel_axis(s)))
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Nonzero explicit padding in the batch or depth dimensions is not "
                            "supported\n%s: number %d is %lld",
                            op->name, i, (long long)padding);
    }
    return TN_OK;
}

tn_status tn__sliding_check(const tn__op *op, const tn__sliding *s)
{
    TN_TRY(check_word(op, "data_format", s->data_format,
                      s->spatial == 2 ? "NHWC|NCHW" : "NDHWC|NCDHW"));
    TN_TRY(check_word(op, "padding", s->padding,
                      s->explicit_paddings ? "SAME|VALID|EXPLICIT" : "SAME|VALID"));
    return s->explicit_paddings ? check_explicit(op, s) : TN_OK;
}

/* --- sizes ------------------------------------------------------------------------------------ */
static bool channels_first(const tn__sliding *s)
{
    return s->data_format[1] == 'C';
}

int tn__channel_axis(const tn__sliding *s)
{
    return channels_first(s) ? 1 : s->spatial + 1;
}

int tn__spatial_axis(const tn__sliding *s, int i)
{
    return channels_first(s) ? i + 2 : i + 1;
}

int64_t tn__dim_of(const tn_shape *shape, int axis)
{
    return shape->known ? shape->dims[axis] : TN_NONE;
}

/* Products of two sizes must fit. */
static tn_status check_sizes(const tn__op *op, const tn__slide *a, int64_t after)
{
    const int64_t sizes[] = { a->in, a->window, a->stride, a->dilation, a->before, after };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i] > INT32_MAX)
            return tn__fail(TN_INVALID_ARGUMENT, "%s: a size of %lld is too large", op->name,
                            (long long)sizes[i]);
    return TN_OK;
}

/* SAME: as many as there are strides, the padding in halves, the odd one behind. */
static void slide_same(tn__slide *a)
{
    a->out = (a->in + a->stride - 1) / a->stride;
    if (a->window < 0)
        return;
    int64_t padding = (a->out - 1) * a->stride + (a->window - 1) * a->dilation + 1 - a->in;
    a->before = padding > 0 ? padding / 2 : 0;
}

static tn_status slide(const tn__op *op, bool same, int64_t after, tn__slide *a)
{
    TN_TRY(check_sizes(op, a, after));
    a->out = TN_NONE;
    if (a->in < 0)
        return TN_OK;
    if (same) {
        slide_same(a);
        return TN_OK;
    }
    if (a->window < 0)
        return TN_OK;
    int64_t padded = a->in + a->before + after, reach = (a->window - 1) * a->dilation + 1;
    a->out = (padded - reach + a->stride) / a->stride;
    if (a->out < 0)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Computed output size would be negative: %lld [input_size: %lld, "
                        "effective_filter_size: %lld, stride: %lld]\n%s: the window must fit into "
                        "the padded image",
                        (long long)a->out, (long long)a->in, (long long)reach,
                        (long long)a->stride, op->name);
    return TN_OK;
}

tn_status tn__windows_of(const tn__op *op, const tn__sliding *s, const tn_shape *image,
                         const int64_t *window, tn__windows *w)
{
    static const tn__slide still = { 1, 1, 1, 1, 1, 0 };
    bool same = strcmp(s->padding, "SAME") == 0;
    *w = (tn__windows){ .batch = tn__dim_of(image, 0),
                        .channels = tn__dim_of(image, tn__channel_axis(s)),
                        .axis = { still } };
    for (int i = 0; i < s->spatial; i++) {
        int at = tn__spatial_axis(s, i);
        tn__slide *a = &w->axis[TN__SPATIAL - s->spatial + i];
        const int64_t *padding = is_explicit(s) ? s->explicit_paddings + 2 * at : NULL;
        *a = (tn__slide){ .in = tn__dim_of(image, at),
                          .window = window[i],
                          .stride = s->strides[at],
                          .dilation = s->dilations ? s->dilations[at] : 1,
                          .before = padding ? padding[0] : 0 };
        TN_TRY(slide(op, same, padding ? padding[1] : 0, a));
    }
    return TN_OK;
}

tn_shape tn__windows_out(const tn__sliding *s, const tn__windows *w, int64_t channels)
{
    tn_shape shape = { 1, s->spatial + 2, { w->batch } };
    shape.dims[tn__channel_axis(s)] = channels;
    for (int i = 0; i < s->spatial; i++)
        shape.dims[tn__spatial_axis(s, i)] = w->axis[TN__SPATIAL - s->spatial + i].out;
    return shape;
}

tn_status tn__sizes_of(const tn__op *op, const tn_tensor *sizes, int rank, const char *what,
                       tn_shape *shape)
{
    const tn_shape *vector = &sizes->shape;
    *shape = tn__shape_of_rank(rank);
    if (vector->known && vector->rank != 1)
        return tn__fail(TN_INVALID_ARGUMENT, "%s: %s input must be 1-dim, not %d", op->name, what,
                        vector->rank);
    if (vector->known && vector->dims[0] >= 0 && vector->dims[0] != rank)
        return tn__fail(TN_INVALID_ARGUMENT, "%s requires %s to contain %d values, but got: %lld",
                        op->name, what, rank, (long long)vector->dims[0]);
    tn_shape known = tn__known_shape(sizes);
    for (int i = 0; i < known.rank && known.known; i++)
        if (known.dims[i] < (sizes->form == TN__VALUE ? 0 : TN_NONE))
            return tn__fail(TN_INVALID_ARGUMENT, "Dimension %lld must be >= 0\n%s: %s is %s",
                            (long long)known.dims[i], op->name, what, TN__BRACKETS(known));
    if (known.known && known.rank == rank)
        *shape = known;
    return TN_OK;
}

/* --- runs ------------------------------------------------------------------------------------- */
/* Where tap t of window o lies; outside of the image it is negative or too large. */
static int64_t position(const tn__slide *a, int64_t o, int64_t t)
{
    return o * a->stride + t * a->dilation - a->before;
}

/* The windows whose tap t lies inside: from *first, as many as the result. */
static int64_t inside(const tn__slide *a, int64_t t, int64_t *first)
{
    int64_t shift = a->before - t * a->dilation; /* o * stride must be in [shift, shift + in) */
    int64_t end = shift + a->in <= 0 ? 0 : (shift + a->in - 1) / a->stride + 1;
    *first = shift <= 0 ? 0 : (shift + a->stride - 1) / a->stride;
    return (end < a->out ? end : a->out) - *first;
}

/* The row of the output is number `row` of all rows, at depth `od` and height `oh` of image n. */
static void visit_row(const tn__windows *w, int64_t n, int64_t od, int64_t oh, int64_t row,
                      void (*visit)(void *self, const tn__run *run), void *self)
{
    const tn__slide *d = &w->axis[TN__DEPTH], *r = &w->axis[TN__ROWS], *c = &w->axis[TN__COLUMNS];
    for (int64_t i = 0; i < d->window; i++) {
        int64_t depth = position(d, od, i);
        for (int64_t j = 0; j < r->window && depth >= 0 && depth < d->in; j++) {
            int64_t height = position(r, oh, j);
            for (int64_t k = 0; k < c->window && height >= 0 && height < r->in; k++) {
                int64_t first, count = inside(c, k, &first);
                if (count <= 0)
                    continue;
                visit(self, &(tn__run){ .tap = (i * r->window + j) * c->window + k,
                                        .count = count,
                                        .x = ((n * d->in + depth) * r->in + height) * c->in +
                                             position(c, first, k),
                                        .step = c->stride,
                                        .y = row * c->out + first });
            }
        }
    }
}

void tn__each_run(const tn__windows *w, void (*visit)(void *self, const tn__run *run), void *self)
{
    int64_t row = 0;
    for (int64_t n = 0; n < w->batch; n++)
        for (int64_t od = 0; od < w->axis[TN__DEPTH].out; od++)
            for (int64_t oh = 0; oh < w->axis[TN__ROWS].out; oh++)
                visit_row(w, n, od, oh, row++, visit, self);
}

int64_t tn__pixels_in(const tn__windows *w)
{
    return w->batch * w->axis[TN__DEPTH].in * w->axis[TN__ROWS].in * w->axis[TN__COLUMNS].in;
}

int64_t tn__pixels_out(const tn__windows *w)
{
    return w->batch * w->axis[TN__DEPTH].out * w->axis[TN__ROWS].out * w->axis[TN__COLUMNS].out;
}

int64_t tn__taps(const tn__windows *w)
{
    return w->axis[TN__DEPTH].window * w->axis[TN__ROWS].window * w->axis[TN__COLUMNS].window;
}

static tn__conv_axis plain_axis(const tn__slide *s)
{
    return (tn__conv_axis){ s->in, s->out, s->window, s->stride, s->dilation, s->before };
}

tn__conv tn__windows_plain(const tn__windows *w, int64_t x_channels, int64_t y_channels)
{
    return (tn__conv){ w->batch, plain_axis(&w->axis[TN__ROWS]), plain_axis(&w->axis[TN__COLUMNS]),
                       x_channels, y_channels, false };
}

/* --- channels --------------------------------------------------------------------------------- */
/* The elements of an image with the channels moved behind (or back in front of) the pixels. */
static void move_channels(const tn_tensor *x, bool to_last, void *to)
{
    int64_t batch = x->shape.dims[0], channels = x->shape.dims[1];
    int64_t pixels = tn__count_of(&x->shape, 2, x->shape.rank);
    tn__block block = { 0 };
    tn__block_add(&block, batch, channels * pixels, channels * pixels);
    tn__block_add(&block, channels, to_last ? 1 : pixels, to_last ? pixels : 1);
    tn__block_add(&block, pixels, to_last ? channels : 1, to_last ? 1 : channels);
    tn__block_copy(&block, tn__dtype_size((tn_dtype)x->dtype), to, x->data);
}

static tn_status run_moved(const tn__kernel *kernel, tn__kernel *moved, tn_tensor **input,
                           unsigned images, bool output, tn_status (*compute)(tn__kernel *kernel))
{
    for (size_t i = 0; i < kernel->input_count; i++) {
        tn_tensor *x = kernel->input[i];
        if (!(images >> i & 1)) {
            input[i] = tn__retain(x);
            continue;
        }
        TN_TRY(tn__tensor_new((tn_dtype)x->dtype, &x->shape, &input[i]));
        move_channels(x, true, input[i]->data);
    }
    const tn_tensor *y = kernel->output[0];
    if (!output)
        return compute(moved);
    TN_TRY(tn__tensor_new((tn_dtype)y->dtype, &y->shape, &moved->output[0]));
    TN_TRY(compute(moved));
    move_channels(moved->output[0], false, y->data);
    return TN_OK;
}

tn_status tn__in_channels_last(tn__kernel *kernel, const char *data_format, unsigned images,
                               bool output, tn_status (*compute)(tn__kernel *kernel))
{
    enum { MOST = 8 }; /* inputs, outputs */
    tn_tensor *input[MOST] = { NULL }, *outputs[MOST] = { NULL };
    if (data_format[1] != 'C')
        return compute(kernel);
    tn__kernel moved = *kernel;
    moved.input = input;
    moved.output = outputs;
    memcpy(outputs, kernel->output, kernel->output_count * sizeof *outputs);
    if (output)
        outputs[0] = NULL;
    tn_status status = run_moved(kernel, &moved, input, images, output, compute);
    for (size_t i = 0; i < kernel->input_count; i++)
        tn__release(input[i]);
    if (output)
        tn__release(outputs[0]);
    return status;
}

/* --- for the public functions ----------------------------------------------------------------- */
const char *tn__data_format(const char *what, int axes, const char *data_format)
{
    static const char *const word[][2] = { { "NWC", "NCW" },
                                           { "NHWC", "NCHW" },
                                           { "NDHWC", "NCDHW" } };
    static const char *const attr[][2] = { { "NHWC", "NCHW" },
                                           { "NHWC", "NCHW" },
                                           { "NDHWC", "NCDHW" } };
    for (int first = 0; first < 2; first++)
        if (!data_format || strcmp(data_format, word[axes - 1][first]) == 0)
            return attr[axes - 1][first];
    tn__fail(TN_INVALID_ARGUMENT, "%s: data_format is \"%s\" or \"%s\", got \"%s\"", what,
             word[axes - 1][0], word[axes - 1][1], data_format);
    return NULL;
}

void tn__spread(const int64_t *given, int axes, int64_t fallback, const char *data_format,
                int64_t *attr)
{
    int spatial = axes == 1 ? 2 : axes, start = data_format[1] == 'C' ? 2 : 1, more = 0;
    for (int i = 1; i < axes; i++)
        more |= given[i] != 0;
    for (int i = 0; i < spatial + 2; i++)
        attr[i] = 1;
    for (int i = 0; i < axes; i++) {
        int64_t number = more ? given[i] : given[0];
        attr[start + spatial - axes + i] = more || given[0] ? number : fallback;
    }
}

void tn__spread_paddings(const int64_t given[4], const char *data_format, int64_t attr[8])
{
    int start = data_format[1] == 'C' ? 2 : 1;
    memset(attr, 0, 8 * sizeof *attr);
    memcpy(attr + (ptrdiff_t)2 * start, given, 4 * sizeof *given);
}
