/* window.h - windows that slide over images: what convolutions and pooling have in common.
 *
 * An image has two spatial axes (rows, columns) or three (depth in front); two are treated as three
 * with a depth of 1. Kernels see the channels last; where they come first, the elements are moved
 * before and after. */
#ifndef TN_OPS_WINDOW_H
#define TN_OPS_WINDOW_H
#include "kernels/kernels.h"
#include "ops/array.h"

/* The attributes as an OpDef has them: one number for each dimension, in data_format's order. */
typedef struct {
    int spatial;             /* 2 or 3 */
    const char *padding;     /* "SAME", "VALID", "EXPLICIT" */
    const char *data_format; /* "NHWC", "NCHW", "NDHWC", "NCDHW" */
    const int64_t *strides;
    const int64_t *dilations;         /* NULL: ones */
    const int64_t *explicit_paddings; /* before and after each dimension; NULL: the op has none */
} tn__sliding;

/* Along one axis. TN_NONE: a size that is not known yet. */
typedef struct {
    int64_t in, out;
    int64_t window, stride, dilation;
    int64_t before; /* padding in front of the first element */
} tn__slide;

enum { TN__DEPTH, TN__ROWS, TN__COLUMNS, TN__SPATIAL };
typedef struct {
    int64_t batch, channels; /* of the image */
    tn__slide axis[TN__SPATIAL];
} tn__windows;

/* padding and data_format must be words that the op knows, explicit paddings whole and in place. */
tn_status tn__sliding_check(const tn__op *op, const tn__sliding *s);
/* Sizes of the image and of what comes out; `window` as long as there are spatial axes. Dimensions
 * and even the rank of the image may be unknown. Everything in the result fits in 32 bits. */
tn_status tn__windows_of(const tn__op *op, const tn__sliding *s, const tn_shape *image,
                         const int64_t *window, tn__windows *w);
/* Where data_format has the channels, and spatial axis i of s->spatial. */
int tn__channel_axis(const tn__sliding *s);
int tn__spatial_axis(const tn__sliding *s, int i);
/* What comes out, with as many channels, in data_format's order. */
tn_shape tn__windows_out(const tn__sliding *s, const tn__windows *w, int64_t channels);
/* A dimension, or TN_NONE where the rank is unknown. */
int64_t tn__dim_of(const tn_shape *shape, int axis);

/* The image that an input of sizes asks for: open where it is not known yet, an error where it
 * cannot be a shape. what: "input_sizes". */
tn_status tn__sizes_of(const tn__op *op, const tn_tensor *sizes, int rank, const char *what,
                       tn_shape *shape);

/* Neighbours in one row of the output whose windows have tap number `tap` inside of the image. */
typedef struct {
    int64_t tap; /* of the window, row-major */
    int64_t count;
    int64_t x, step; /* the tap's pixel in the image for the first, and to the next one's */
    int64_t y;       /* the first's pixel in the output */
} tn__run;
/* Every run there is; those of a row of the output follow each other, in the order of the taps. */
void tn__each_run(const tn__windows *w, void (*visit)(void *self, const tn__run *run), void *self);
int64_t tn__pixels_in(const tn__windows *w); /* of the whole batch */
int64_t tn__pixels_out(const tn__windows *w);
int64_t tn__taps(const tn__windows *w); /* of one window */

/* Two axes as the processor's kernels want them. */
tn__conv tn__windows_plain(const tn__windows *w, int64_t x_channels, int64_t y_channels);

/* Runs compute with the elements of the inputs whose bit is set in `images`, and of output 0 when
 * `output` says so, in the order of channels last. Their shapes stay in data_format's order. */
tn_status tn__in_channels_last(tn__kernel *kernel, const char *data_format, unsigned images,
                               bool output, tn_status (*compute)(tn__kernel *kernel));

/* --- for the public functions ----------------------------------------------------------------- */
/* "NWC", "NHWC", "NDHWC" or their channels-first kin, as the op of `spatial` axes spells it; NULL:
 * channels last. One axis is two, the rows 1 high. An error and NULL for any other word. */
const char *tn__data_format(const char *what, int axes, const char *data_format);
/* One number for each of the axes that an option names, as an attribute with a number for each
 * dimension: one alone stands for all, none for `fallback`. */
void tn__spread(const int64_t *given, int axes, int64_t fallback, const char *data_format,
                int64_t *attr);
/* {top, bottom, left, right} likewise. */
void tn__spread_paddings(const int64_t given[4], const char *data_format, int64_t attr[8]);
/* Where an image of one axis has its rows put in, and taken out again. */
static inline int tn__rows_axis(const char *data_format)
{
    return data_format[1] == 'C' ? 2 : 1;
}

#endif
