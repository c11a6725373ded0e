/* conv.c - convolutions of two and three spatial axes, grouped where the filter has fewer channels
 * than the image. */
#include "ops/conv.h"
#include "kernels/onednn.h"
#include "ops/product.h"
#include <string.h>

static const tn_field conv2d_fields[] = {
    TN__ROW(TN_FIELD_INTS, tn__conv2d_attrs, strides, NULL, NULL),
    TN__ROW(TN_FIELD_FLAG, tn__conv2d_attrs, use_cudnn_on_gpu, "true", NULL),
    TN__ROW(TN_FIELD_STRING, tn__conv2d_attrs, padding, NULL, "SAME|VALID|EXPLICIT"),
    TN__ROW(TN_FIELD_INTS, tn__conv2d_attrs, explicit_paddings, "none", NULL),
    TN__ROW(TN_FIELD_STRING, tn__conv2d_attrs, data_format, "NHWC", "NHWC|NCHW"),
    TN__ROW(TN_FIELD_INTS, tn__conv2d_attrs, dilations, "1", NULL),
    TN__END_OF_FIELDS,
};
static const tn_field conv3d_fields[] = {
    TN__ROW(TN_FIELD_INTS, tn__conv3d_attrs, strides, NULL, NULL),
    TN__ROW(TN_FIELD_STRING, tn__conv3d_attrs, padding, NULL, "SAME|VALID"),
    TN__ROW(TN_FIELD_STRING, tn__conv3d_attrs, data_format, "NDHWC", "NDHWC|NCDHW"),
    TN__ROW(TN_FIELD_INTS, tn__conv3d_attrs, dilations, "1", NULL),
    TN__END_OF_FIELDS,
};

/* --- attributes and shapes -------------------------------------------------------------------- */
tn__sliding tn__conv_sliding(const tn__op *op, const void *attrs)
{
    const tn__conv_family *family = op->family;
    const tn__conv2d_attrs *two = attrs;
    const tn__conv3d_attrs *three = attrs;
    if (family->spatial == 2)
        return (tn__sliding){
            2, two->padding, two->data_format, two->strides, two->dilations, two->explicit_paddings
        };
    return (tn__sliding){ 3,   three->padding, three->data_format, three->strides, three->dilations,
                          NULL };
}

tn_status tn__conv_check(const tn__op *op, const tn__sliding *s)
{
    TN_TRY(tn__sliding_check(op, s));
    for (int i = 0; i < s->spatial + 2; i++) {
        int64_t stride = s->strides[i], dilation = s->dilations[i];
        bool still = i == 0 || i == tn__channel_axis(s);
        if (still && (stride != 1 || dilation != 1))
            return tn__fail(TN_UNIMPLEMENTED,
                            "Current implementation does not yet support %s in the batch and depth "
                            "dimensions.\n%s: strides[%d] is %lld, dilations[%d] is %lld",
                            stride != 1 ? "strides" : "dilations", op->name, i, (long long)stride,
                            i, (long long)dilation);
        if (stride < 1)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Row and column strides should be larger than 0.\n%s: strides[%d] is "
                            "%lld",
                            op->name, i, (long long)stride);
        if (dilation < 1)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Dilated rates should be larger than 0.\n%s: dilations[%d] is %lld",
                            op->name, i, (long long)dilation);
    }
    return TN_OK;
}

static tn_status check_rank(const tn__op *op, const tn__sliding *s, const tn_shape *shape,
                            const char *what, const char *input)
{
    if (!shape->known || shape->rank == s->spatial + 2)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "%s%s must be %d-dimensional: %s\n%s: its rank is %d",
                    what, input, s->spatial + 2, TN__BRACKETS(*shape), op->name, shape->rank);
}

tn_status tn__conv_windows(const tn__op *op, const tn__sliding *s, const tn_shape *x,
                           const tn_shape *filter, const char *what, tn__windows *w)
{
    int64_t window[TN__SPATIAL];
    TN_TRY(check_rank(op, s, x, what, "input"));
    TN_TRY(check_rank(op, s, filter, what, "filter"));
    for (int i = 0; i < s->spatial; i++) {
        window[i] = tn__dim_of(filter, i);
        if (window[i] == 0)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "filter must not have zero elements (i.e. all dimensions must be "
                            "non-zero)\n%s: the filter is %s",
                            op->name, TN__BRACKETS(*filter));
    }
    return tn__windows_of(op, s, x, window, w);
}

tn_status tn__conv_cotangent(const tn__op *op, const tn__sliding *s, const tn__windows *w,
                             int64_t out, const tn_shape *dy)
{
    TN_TRY(check_rank(op, s, dy, "", "out_backprop"));
    tn_shape expected = tn__windows_out(s, w, out);
    if (tn__shape_fits(&expected, dy))
        return TN_OK;
    int at = 0;
    while (expected.dims[at] < 0 || dy->dims[at] < 0 || expected.dims[at] == dy->dims[at])
        at++;
    long long actual = dy->dims[at], computed = expected.dims[at];
    if (at == 0)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "%s: input and out_backprop must have the same batch size. Input batch: "
                        "%lld, outbackprop batch: %lld, batch_dim: 0",
                        op->name, computed, actual);
    if (at == tn__channel_axis(s))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "%s: filter and out_backprop must have the same out_depth\nexpected %lld, "
                        "got %lld",
                        op->name, computed, actual);
    return tn__fail(TN_INVALID_ARGUMENT,
                    "%s: Size of out_backprop doesn't match computed: actual = %lld, computed = "
                    "%lld spatial_dim: %d\nout_backprop is %s, expected %s",
                    op->name, actual, computed, at, TN__BRACKETS(*dy), TN__BRACKETS(expected));
}

/* What the three ops compute with. TN_NONE: not known yet. */
typedef struct {
    tn__sliding sliding;
    tn__windows windows;
    int64_t in, out; /* channels of the image and of the output */
    int64_t group;   /* channels of the image that one filter sees */
    int64_t groups;  /* in / group */
} conv;

static tn_status check_channels(const tn__op *op, conv *c)
{
    if (c->group == 0)
        return tn__fail(
            TN_INVALID_ARGUMENT,
            "filter depth must be stricly positive, got 0\n%s: dimension %d of the filter",
            op->name, c->sliding.spatial);
    c->groups = TN_NONE;
    if (c->in < 0 || c->group < 0)
        return TN_OK;
    if (c->in == 0 || c->in % c->group)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "input depth must be evenly divisible by filter depth: %lld vs %lld\n%s: "
                        "each of the groups takes as many channels of the input as the filter has",
                        (long long)c->in, (long long)c->group, op->name);
    c->groups = c->in / c->group;
    if (c->out >= 0 && c->out % c->groups)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "output depth must be evenly divisible by number of groups: %lld vs "
                        "%lld\n%s: the groups are the input's %lld channels by the filter's %lld",
                        (long long)c->out, (long long)c->groups, op->name, (long long)c->in,
                        (long long)c->group);
    return TN_OK;
}

static tn_status conv_of(const tn__op *op, const void *attrs, const tn_shape *x,
                         const tn_shape *filter, conv *c)
{
    c->sliding = tn__conv_sliding(op, attrs);
    TN_TRY(tn__conv_check(op, &c->sliding));
    TN_TRY(tn__conv_windows(op, &c->sliding, x, filter, "convolution ", &c->windows));
    c->in = c->windows.channels;
    c->group = tn__dim_of(filter, c->sliding.spatial);
    c->out = tn__dim_of(filter, c->sliding.spatial + 1);
    return check_channels(op, c);
}

static tn_status forward_infer(tn__infer *infer)
{
    conv c;
    TN_TRY(conv_of(infer->op, infer->attrs, &infer->input[0]->shape, &infer->input[1]->shape, &c));
    infer->output[0].shape = tn__windows_out(&c.sliding, &c.windows, c.out);
    return TN_OK;
}

static tn_status to_input_infer(tn__infer *infer)
{
    conv c;
    tn_shape *x = &infer->output[0].shape;
    int rank = ((const tn__conv_family *)infer->op->family)->spatial + 2;
    TN_TRY(tn__sizes_of(infer->op, infer->input[0], rank, "input_sizes", x));
    TN_TRY(conv_of(infer->op, infer->attrs, x, &infer->input[1]->shape, &c));
    return tn__conv_cotangent(infer->op, &c.sliding, &c.windows, c.out, &infer->input[2]->shape);
}

static tn_status to_filter_infer(tn__infer *infer)
{
    conv c;
    tn_shape *filter = &infer->output[0].shape;
    int rank = ((const tn__conv_family *)infer->op->family)->spatial + 2;
    TN_TRY(tn__sizes_of(infer->op, infer->input[1], rank, "filter_sizes", filter));
    TN_TRY(conv_of(infer->op, infer->attrs, &infer->input[0]->shape, filter, &c));
    return tn__conv_cotangent(infer->op, &c.sliding, &c.windows, c.out, &infer->input[2]->shape);
}

/* --- reference kernels ------------------------------------------------------------------------ */
/* c (m, n) += a (m, k) b (k, n): what every run of every convolution comes to. Steps in elements;
 * rows of b and c have their elements side by side, so the inner loop runs along them, four rows of
 * b at a time. */
typedef struct {
    int64_t m, k, n;
    int64_t a_row, a_column, b_row, c_row;
} product;

#define PRODUCT(T, suffix)                                                                \
    static void multiply_##suffix(const product *p, const T *a, const T *b, T *c)         \
    {                                                                                     \
        for (int64_t i = 0; i < p->m; i++, a += p->a_row, c += p->c_row) {                \
            T *restrict to = c;                                                           \
            int64_t l = 0;                                                                \
            for (; l + 4 <= p->k; l += 4) {                                               \
                const T *b0 = b + l * p->b_row, *b1 = b0 + p->b_row, *b2 = b1 + p->b_row, \
                        *b3 = b2 + p->b_row;                                              \
                const T a0 = a[l * p->a_column], a1 = a[(l + 1) * p->a_column];           \
                const T a2 = a[(l + 2) * p->a_column], a3 = a[(l + 3) * p->a_column];     \
                for (int64_t j = 0; j < p->n; j++)                                        \
                    to[j] += a0 * b0[j] + a1 * b1[j] + (a2 * b2[j] + a3 * b3[j]);         \
            }                                                                             \
            for (; l < p->k; l++) {                                                       \
                const T *b0 = b + l * p->b_row, a0 = a[l * p->a_column];                  \
                for (int64_t j = 0; j < p->n; j++)                                        \
                    to[j] += a0 * b0[j];                                                  \
            }                                                                             \
        }                                                                                 \
    }
PRODUCT(float, f32)
PRODUCT(double, f64)
PRODUCT(uint32_t, u32) /* int32, whose sums wrap */

/* A walk over the runs: the arrays, channels last. */
typedef struct {
    const conv *conv;
    tn_dtype dtype;
    size_t size; /* of an element */
    char *x, *filter, *y;
} walk;

static void multiply(const walk *w, const product *p, const void *a, const void *b, void *c)
{
    if (w->dtype == TN_FLOAT32)
        multiply_f32(p, a, b, c);
    else if (w->dtype == TN_FLOAT64)
        multiply_f64(p, a, b, c);
    else
        multiply_u32(p, a, b, c);
}

/* The places of a run's first elements in group g. A filter is (taps, group, out). */
static void place(const walk *w, const tn__run *run, int64_t g, void **x, void **filter, void **y)
{
    const conv *c = w->conv;
    int64_t out = c->out / c->groups;
    *x = w->x + (size_t)(run->x * c->in + g * c->group) * w->size;
    *filter = w->filter + (size_t)(run->tap * c->group * c->out + g * out) * w->size;
    *y = w->y + (size_t)(run->y * c->out + g * out) * w->size;
}

/* y (pixels, out) += x (pixels, group) filter (group, out) */
static void forward_run(void *self, const tn__run *run)
{
    const walk *w = self;
    const conv *c = w->conv;
    void *x, *filter, *y;
    for (int64_t g = 0; g < c->groups; g++) {
        place(w, run, g, &x, &filter, &y);
        multiply(w,
                 &(product){ run->count, c->group, c->out / c->groups, run->step * c->in, 1, c->out,
                             c->out },
                 x, filter, y);
    }
}

/* dfilter (group, out) += xᵀ (group, pixels) dy (pixels, out) */
static void to_filter_run(void *self, const tn__run *run)
{
    const walk *w = self;
    const conv *c = w->conv;
    void *x, *filter, *y;
    for (int64_t g = 0; g < c->groups; g++) {
        place(w, run, g, &x, &filter, &y);
        multiply(w,
                 &(product){ c->group, run->count, c->out / c->groups, 1, run->step * c->in, c->out,
                             c->out },
                 x, y, filter);
    }
}

/* dx (pixels, group) += dy (pixels, out) filterᵀ (out, group); the filter is turned already, to
 * (taps, out, group). */
static void to_input_run(void *self, const tn__run *run)
{
    const walk *w = self;
    const conv *c = w->conv;
    void *x, *filter, *y;
    int64_t out = c->out / c->groups;
    for (int64_t g = 0; g < c->groups; g++) {
        place(w, run, g, &x, &filter, &y);
        filter = w->filter + (size_t)((run->tap * c->out + g * out) * c->group) * w->size;
        multiply(w, &(product){ run->count, out, c->group, c->out, 1, c->group, run->step * c->in },
                 y, filter, x);
    }
}

static tn__conv_axis axis_of(const tn__slide *s)
{
    return (tn__conv_axis){ s->in, s->out, s->window, s->stride, s->dilation, s->before };
}

/* What oneDNN is the faster one for; done: it was there, and has computed it. */
static tn_status by_onednn(const conv *c, tn__onednn_way way, const tn_tensor *x,
                           const tn_tensor *filter, const tn_tensor *y, tn__epilogue epilogue,
                           bool *done)
{
    *done = false;
    if (x->dtype != TN_FLOAT32)
        return TN_OK;
    tn__onednn_conv job = { way,  c->sliding.spatial, .batch = c->windows.batch,
                            .groups = c->groups,      .x_channels = c->in,
                            .y_channels = c->out,     .x = x->data,
                            .filter = filter->data,   .y = y->data,
                            .epilogue = epilogue };
    for (int i = 0; i < job.axes; i++)
        job.axis[i] = axis_of(&c->windows.axis[TN__SPATIAL - job.axes + i]);
    return tn__onednn(&job, done);
}

/* float32 over two axes has kernels of the processor's own. */
static bool is_plain(const conv *c, const tn_tensor *x)
{
    return x->dtype == TN_FLOAT32 && c->groups == 1 && c->sliding.spatial == 2;
}

static walk walk_over(const conv *c, const tn_tensor *x, const tn_tensor *filter,
                      const tn_tensor *y)
{
    return (walk){ c,       (tn_dtype)x->dtype, tn__dtype_size((tn_dtype)x->dtype),
                   x->data, filter->data,       y->data };
}

static tn_status forward_last(tn__kernel *kernel)
{
    conv c;
    tn_tensor *x = kernel->input[0], *filter = kernel->input[1], *y = kernel->output[0];
    TN_TRY(conv_of(kernel->op, kernel->attrs, &x->shape, &filter->shape, &c));
    bool done;
    TN_TRY(by_onednn(&c, TN__ONEDNN_FORWARD, x, filter, y, (tn__epilogue){ 0 }, &done));
    if (done)
        return TN_OK;
    tn__conv plain = tn__windows_plain(&c.windows, c.in, c.out);
    if (is_plain(&c, x) && tn__count(y) > 0)
        return tn__product_conv(kernel->context, &plain, x->data, filter->data, y->data, (tn__epilogue){ 0 });
    walk w = walk_over(&c, x, filter, y);
    memset(w.y, 0, tn__byte_count(y));
    tn__each_run(&c.windows, forward_run, &w);
    return TN_OK;
}

bool tn__conv_takes_epilogue(const tn__op *op, const void *attrs, const tn_tensor *x,
                             const tn_tensor *filter)
{
    conv c;
    bool has = op == &tn__op_Conv2D || op == &tn__op_Conv2DBackpropInput;
    return has && conv_of(op, attrs, &x->shape, &filter->shape, &c) == TN_OK &&
           is_plain(&c, x) && tn__channel_axis(&c.sliding) == 3;
}

tn_status tn__conv_with_epilogue(tn_context *context, const tn__op *op, const void *attrs,
                                 const tn_tensor *const *input, tn_tensor *output,
                                 tn__epilogue epilogue, double *sums)
{
    conv c;
    bool forward = op == &tn__op_Conv2D, done = false;
    TN_TRY(conv_of(op, attrs, forward ? &input[0]->shape : &output->shape, &input[1]->shape, &c));
    if (!forward)
        TN_TRY(by_onednn(&c, TN__ONEDNN_TO_INPUT, output, input[1], input[2], epilogue, &done));
    if (done && sums)
        tn__product_sum_columns(output->data, c.in, tn__count(output) / c.in, c.in, sums);
    if (done)
        return TN_OK;
    tn__conv plain = tn__windows_plain(&c.windows, c.in, c.out);
    const float *filter = input[1]->data;
    if (forward)
        return tn__product_conv(context, &plain, input[0]->data, filter, output->data, epilogue);
    return tn__product_conv_to_input(context, &plain, filter, input[2]->data, output->data,
                                     epilogue, sums);
}

static tn_status to_filter_last(tn__kernel *kernel)
{
    conv c;
    tn_tensor *x = kernel->input[0], *filter = kernel->output[0], *y = kernel->input[2];
    TN_TRY(conv_of(kernel->op, kernel->attrs, &x->shape, &filter->shape, &c));
    bool done;
    TN_TRY(by_onednn(&c, TN__ONEDNN_TO_FILTER, x, filter, y, (tn__epilogue){ 0 }, &done));
    if (done)
        return TN_OK;
    tn__conv plain = tn__windows_plain(&c.windows, c.in, c.out);
    if (is_plain(&c, x) && tn__count(y) > 0)
        return tn__product_conv_to_filter(kernel->context, &plain, x->data, y->data, filter->data);
    walk w = walk_over(&c, x, filter, y);
    memset(w.filter, 0, tn__byte_count(filter));
    tn__each_run(&c.windows, to_filter_run, &w);
    return TN_OK;
}

static void turn_filter(const walk *w, void *to)
{
    tn__block block = { 0 };
    const conv *c = w->conv;
    tn__block_add(&block, tn__taps(&c->windows), c->group * c->out, c->group * c->out);
    tn__block_add(&block, c->out, c->group, 1);
    tn__block_add(&block, c->group, 1, c->out);
    tn__block_copy(&block, w->size, to, w->filter);
}

static tn_status to_input_last(tn__kernel *kernel)
{
    conv c;
    tn_tensor *x = kernel->output[0], *filter = kernel->input[1], *y = kernel->input[2];
    TN_TRY(conv_of(kernel->op, kernel->attrs, &x->shape, &filter->shape, &c));
    bool done;
    TN_TRY(by_onednn(&c, TN__ONEDNN_TO_INPUT, x, filter, y, (tn__epilogue){ 0 }, &done));
    if (done)
        return TN_OK;
    tn__conv plain = tn__windows_plain(&c.windows, c.in, c.out);
    if (is_plain(&c, x) && tn__count(y) > 0)
        return tn__product_conv_to_input(kernel->context, &plain, filter->data, y->data, x->data,
                                         (tn__epilogue){ 0 }, NULL);
    walk w = walk_over(&c, x, filter, y);
    void *turned = tn__alloc(tn__byte_count(filter));
    if (!turned)
        return TN_RESOURCE_EXHAUSTED;
    turn_filter(&w, turned);
    w.filter = turned;
    memset(w.x, 0, tn__byte_count(x));
    tn__each_run(&c.windows, to_input_run, &w);
    tn__free(turned);
    return TN_OK;
}

static tn_status forward_compute(tn__kernel *kernel)
{
    const char *data_format = tn__conv_sliding(kernel->op, kernel->attrs).data_format;
    return tn__in_channels_last(kernel, data_format, 1, true, forward_last);
}

static tn_status to_input_compute(tn__kernel *kernel)
{
    const char *data_format = tn__conv_sliding(kernel->op, kernel->attrs).data_format;
    return tn__in_channels_last(kernel, data_format, 4, true, to_input_last);
}

static tn_status to_filter_compute(tn__kernel *kernel)
{
    const char *data_format = tn__conv_sliding(kernel->op, kernel->attrs).data_format;
    return tn__in_channels_last(kernel, data_format, 1 | 4, false, to_filter_last);
}

/* --- gradients -------------------------------------------------------------------------------- */
/* y = x * w:  dx = to_input(w, dy), dw = to_filter(x, dy) */
void tn__conv_gradient(tn__gradient *g)
{
    const tn__conv_family *family = g->op->family;
    tn_tensor *x = g->in[0], *w = g->in[1], *dy = g->dout[0];
    if (g->wanted[0])
        g->din[0] = TN__APPLY(*family->to_input, g->attrs, tn__shape_tensor(x), w, dy);
    if (g->wanted[1])
        g->din[1] = TN__APPLY(*family->to_filter, g->attrs, x, tn__shape_tensor(w), dy);
}

/* dx = to_input(w, dy):  with a cotangent a of dx, w gets to_filter(a, dy), and dy gets a * w */
void tn__conv_input_gradient(tn__gradient *g)
{
    const tn__conv_family *family = g->op->family;
    tn_tensor *w = g->in[1], *dy = g->in[2], *a = g->dout[0];
    if (g->wanted[1])
        g->din[1] = TN__APPLY(*family->to_filter, g->attrs, a, tn__shape_tensor(w), dy);
    if (g->wanted[2])
        g->din[2] = TN__APPLY(*family->forward, g->attrs, a, w);
}

/* dw = to_filter(x, dy):  with a cotangent a of dw, that of x is to_input(a, dy), of dy x * a */
void tn__conv_filter_gradient(tn__gradient *g)
{
    const tn__conv_family *family = g->op->family;
    tn_tensor *x = g->in[0], *dy = g->in[2], *a = g->dout[0];
    if (g->wanted[0])
        g->din[0] = TN__APPLY(*family->to_input, g->attrs, tn__shape_tensor(x), a, dy);
    if (g->wanted[2])
        g->din[2] = TN__APPLY(*family->forward, g->attrs, x, a);
}

/* --- the ops ---------------------------------------------------------------------------------- */
static const tn__conv_family two = { 2, &tn__op_Conv2D, &tn__op_Conv2DBackpropInput,
                                     &tn__op_Conv2DBackpropFilter };
static const tn__conv_family three = { 3, &tn__op_Conv3D, &tn__op_Conv3DBackpropInputV2,
                                       &tn__op_Conv3DBackpropFilterV2 };

#define CONV(name_, dims, family_, types_, ...)                                   \
    const tn__op tn__op_##name_ = { .name = #name_,                               \
                                    .outputs = "output: T",                       \
                                    .types = types_,                              \
                                    .attrs = conv##dims##_fields,                 \
                                    .attrs_size = sizeof(tn__conv##dims##_attrs), \
                                    .family = &family_,                           \
                                    __VA_ARGS__ };
#define FORWARD                                                                          \
    .inputs = "input: T, filter: T", .infer = forward_infer, .compute = forward_compute, \
    .gradient = tn__conv_gradient
#define TO_INPUT(sizes)                                                                      \
    .inputs = "input_sizes: " sizes ", filter: T, out_backprop: T", .infer = to_input_infer, \
    .compute = to_input_compute, .gradient = tn__conv_input_gradient
#define TO_FILTER                                                                         \
    .inputs = "input: T, filter_sizes: int32, out_backprop: T", .infer = to_filter_infer, \
    .compute = to_filter_compute, .gradient = tn__conv_filter_gradient
CONV(Conv2D, 2d, two, "T: floating, int32", FORWARD)
CONV(Conv2DBackpropInput, 2d, two, "T: floating, int32", TO_INPUT("int32"))
CONV(Conv2DBackpropFilter, 2d, two, "T: floating", TO_FILTER)
CONV(Conv3D, 3d, three, "T: floating", FORWARD)
CONV(Conv3DBackpropInputV2, 3d, three, "T: floating; Tshape: int32, int64", TO_INPUT("Tshape"))
CONV(Conv3DBackpropFilterV2, 3d, three, "T: floating", TO_FILTER)
