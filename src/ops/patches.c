/* patches.c - the windows of images as they are: ExtractImagePatches. */
#include "ops/conv.h"
#include <string.h>

typedef struct {
    int64_t ksizes[4], strides[4], rates[4];
    const char *padding;
} patches_attrs;
static const tn_field patches_fields[] = {
    TN__ROW(TN_FIELD_INTS, patches_attrs, ksizes, NULL, NULL),
    TN__ROW(TN_FIELD_INTS, patches_attrs, strides, NULL, NULL),
    TN__ROW(TN_FIELD_INTS, patches_attrs, rates, NULL, NULL),
    TN__ROW(TN_FIELD_STRING, patches_attrs, padding, NULL, "SAME|VALID"),
    TN__END_OF_FIELDS,
};

static tn_status check_across_space(const tn__op *op, const char *what, const int64_t *number)
{
    if (number[0] != 1 || number[3] != 1)
        return tn__fail(TN_UNIMPLEMENTED,
                        "Only support %s across space.\n%s: [%lld, %lld, %lld, %lld]", what,
                        op->name, (long long)number[0], (long long)number[1], (long long)number[2],
                        (long long)number[3]);
    if (number[1] < 1 || number[2] < 1)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "%s: %s must be positive, got [%lld, %lld, %lld, %lld]", op->name, what,
                        (long long)number[0], (long long)number[1], (long long)number[2],
                        (long long)number[3]);
    return TN_OK;
}

static tn_status windows_of(const tn__op *op, const void *attrs, const tn_shape *x, tn__windows *w,
                            tn_shape *out)
{
    const patches_attrs *a = attrs;
    tn__sliding s = { 2, a->padding, "NHWC", a->strides, a->rates, NULL };
    TN_TRY(tn__sliding_check(op, &s));
    TN_TRY(check_across_space(op, "ksizes", a->ksizes));
    TN_TRY(check_across_space(op, "strides", a->strides));
    TN_TRY(check_across_space(op, "rates", a->rates));
    if (x->known && x->rank != 4)
        return tn__fail(TN_INVALID_ARGUMENT, "input must be 4-dimensional%s", TN__BRACKETS(*x));
    TN_TRY(tn__windows_of(op, &s, x, a->ksizes + 1, w));
    int64_t depth = TN_NONE;
    if (w->channels > INT32_MAX ||
        (w->channels >= 0 &&
         __builtin_mul_overflow(a->ksizes[1] * a->ksizes[2], w->channels, &depth)))
        return tn__fail(TN_INVALID_ARGUMENT, "%s: the windows of %s are too large", op->name,
                        TN__BRACKETS(*x));
    *out = tn__windows_out(&s, w, depth);
    return TN_OK;
}

static tn_status patches_infer(tn__infer *infer)
{
    tn__windows w;
    return windows_of(infer->op, infer->attrs, &infer->input[0]->shape, &w,
                      &infer->output[0].shape);
}

typedef struct {
    size_t bytes; /* of a pixel of the image */
    int64_t taps;
    const char *from;
    char *to;
} copy;

static void copy_run(void *self, const tn__run *run)
{
    const copy *c = self;
    for (int64_t p = 0; p < run->count; p++)
        memcpy(c->to + (size_t)((run->y + p) * c->taps + run->tap) * c->bytes,
               c->from + (size_t)(run->x + p * run->step) * c->bytes, c->bytes);
}

static tn_status patches_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    tn_tensor *y = kernel->output[0];
    tn__windows w;
    tn_shape out;
    TN_TRY(windows_of(kernel->op, kernel->attrs, &x->shape, &w, &out));
    if (tn__byte_count(y) == 0)
        return TN_OK;
    memset(y->data, 0, tn__byte_count(y));
    size_t bytes = (size_t)w.channels * tn__dtype_size((tn_dtype)x->dtype);
    tn__each_run(&w, copy_run, &(copy){ bytes, tn__taps(&w), x->data, y->data });
    return TN_OK;
}

/* Patches are a convolution whose filters each let one place of the window through, so dx is what
 * such a convolution gives back. */
static void patches_gradient(tn__gradient *g)
{
    const patches_attrs *a = g->attrs;
    int64_t channels = tn__dim_of(&g->in[0]->shape, 3), taps = a->ksizes[1] * a->ksizes[2];
    if (channels < 0) {
        tn__fail(TN_UNIMPLEMENTED,
                 "ExtractImagePatches: the gradient needs a known number of channels");
        return;
    }
    tn__conv2d_attrs attrs = { .padding = a->padding,
                               .data_format = "NHWC",
                               .use_cudnn_on_gpu = true };
    memcpy(attrs.strides, a->strides, sizeof attrs.strides);
    memcpy(attrs.dilations, a->rates, sizeof attrs.dilations);
    tn_tensor *filters =
        tn_reshape(tn_eye(taps * channels, taps * channels, (tn_dtype)g->dout[0]->dtype),
                   TN_SHAPE(a->ksizes[1], a->ksizes[2], channels, taps * channels));
    g->din[0] = TN__APPLY(tn__op_Conv2DBackpropInput, &attrs, tn__shape_tensor(g->in[0]), filters,
                          g->dout[0]);
}

const tn__op tn__op_ExtractImagePatches = {
    .name = "ExtractImagePatches",
    .inputs = "images: T",
    .outputs = "patches: T",
    .types = "T: any",
    .attrs = patches_fields,
    .attrs_size = sizeof(patches_attrs),
    .infer = patches_infer,
    .compute = patches_compute,
    .gradient = patches_gradient,
    .flags = TN__HALF,
};

tn_tensor *tn_image_extract_patches_with(const tn_image_extract_patches_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    patches_attrs attrs = { .padding = o->padding };
    if (!o->padding || !o->sizes[0] || !o->strides[0]) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_image_extract_patches: missing a required argument: '%s'",
                 !o->sizes[0]     ? "sizes"
                 : !o->strides[0] ? "strides"
                                  : "padding");
        return NULL;
    }
    tn__spread(o->sizes, 2, 1, "NHWC", attrs.ksizes);
    tn__spread(o->strides, 2, 1, "NHWC", attrs.strides);
    tn__spread(o->rates, 2, 1, "NHWC", attrs.rates);
    return TN__APPLY(tn__op_ExtractImagePatches, &attrs, o->images);
}
