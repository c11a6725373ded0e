/* resize.c - images of another size.
 *
 * Every method is the same along rows and columns: a place of the output is a weighted sum of a few
 * neighbours of the input. So an op makes a table of weights for each of the two axes, one walk
 * applies both, and the gradient is the same walk backwards. */
#include "ops/resize.h"
#include "ops/array.h"
#include "tenon/image.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* --- tables of weights ------------------------------------------------------------------------ */
/* Place i of `out` is the sum of in[first[i] + k] * weight[i * most + k], k = 0 … count[i] - 1. */
typedef struct {
    int64_t in, out, most;
    int64_t *first, *count;
    float *weight;
} weights;

static tn_status weights_new(int64_t in, int64_t out, int64_t most, weights *w)
{
    *w = (weights){ .in = in, .out = out, .most = most };
    w->first = tn__alloc_zeroed((size_t)out, sizeof *w->first);
    w->count = tn__alloc_zeroed((size_t)out, sizeof *w->count);
    w->weight = tn__alloc_zeroed((size_t)out * (size_t)most, sizeof *w->weight);
    return w->first && w->count && w->weight ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static void weights_free(weights *w)
{
    tn__free(w->first);
    tn__free(w->count);
    tn__free(w->weight);
}

static int64_t clamp(int64_t i, int64_t size)
{
    return i < 0 ? 0 : i >= size ? size - 1 : i;
}

static int64_t clamp_float(float i, int64_t size)
{
    return !(i > 0) ? 0 : i >= (float)size ? size - 1 : (int64_t)i;
}

/* Weights that sum to 1, if they sum to anything. */
static void normalize(float *weight, int64_t count)
{
    float sum = 0;
    for (int64_t k = 0; k < count; k++)
        sum += weight[k];
    for (int64_t k = 0; k < count && fabsf(sum) >= 1000 * FLT_MIN; k++)
        weight[k] *= 1 / sum;
}

typedef struct {
    tn_flag align_corners, half_pixel_centers;
} corners;

/* Input places for each output place. */
static float scale_of(const corners *c, int64_t in, int64_t out)
{
    return c->align_corners && out > 1 ? (float)(in - 1) / (float)(out - 1)
                                       : (float)in / (float)out;
}

static float place_of(const corners *c, int64_t i, float scale)
{
    return c->half_pixel_centers ? ((float)i + 0.5F) * scale - 0.5F : (float)i * scale;
}

static void fill_bilinear(weights *w, const void *attrs)
{
    const corners *c = attrs;
    float scale = scale_of(c, w->in, w->out);
    for (int64_t i = 0; i < w->out; i++) {
        float at = place_of(c, i, scale), share = at - floorf(at), *weight = &w->weight[2 * i];
        int64_t upper = clamp((int64_t)ceilf(at), w->in);
        w->first[i] = clamp((int64_t)floorf(at), w->in);
        w->count[i] = upper > w->first[i] ? 2 : 1;
        weight[0] = upper > w->first[i] ? 1 - share : 1;
        weight[1] = upper > w->first[i] ? share : 0;
    }
}

/* Keys's cubic; its parameter is -1/2 with half pixel centers, else -3/4. TensorFlow looks it up
 * in a table of 1024 steps. */
static float cubic(double a, double share, bool near)
{
    double x = rint(share * 1024) / 1024;
    if (near)
        return (float)(((a + 2) * x - (a + 3)) * x * x + 1);
    x += 1;
    return (float)(((a * x - 5 * a) * x + 8 * a) * x - 4 * a);
}

static void fill_bicubic(weights *w, const void *attrs)
{
    const corners *c = attrs;
    float scale = scale_of(c, w->in, w->out);
    double a = c->half_pixel_centers ? -0.5 : -0.75;
    for (int64_t i = 0; i < w->out; i++) {
        float at = place_of(c, i, scale), share = at - floorf(at);
        float shares[4] = { cubic(a, share, false), cubic(a, share, true),
                            cubic(a, 1 - (double)share, true), cubic(a, 1 - (double)share, false) };
        int64_t from = (int64_t)floorf(at) - 1, last = clamp(from + 3, w->in);
        w->first[i] = clamp(from, w->in);
        w->count[i] = last - w->first[i] + 1;
        for (int k = 0; k < 4; k++) {
            int64_t place = clamp(from + k, w->in);
            if (!c->half_pixel_centers ||
                place == from + k) /* what is outside counts at the border, or not at all */
                w->weight[4 * i + place - w->first[i]] += shares[k];
        }
        if (c->half_pixel_centers)
            normalize(&w->weight[4 * i], w->count[i]);
    }
}

/* The mean of what the place covers. */
static void fill_area(weights *w, const void *attrs)
{
    float scale = scale_of(attrs, w->in, w->out);
    for (int64_t i = 0; i < w->out; i++) {
        float begin = (float)i * scale, end = (float)(i + 1) * scale;
        int64_t first = (int64_t)floorf(begin);
        w->first[i] = clamp(first, w->in);
        for (int64_t v = first; v < (int64_t)ceilf(end); v++) {
            float covered =
                ((float)v + 1 < end ? (float)v + 1 : end) - ((float)v > begin ? (float)v : begin);
            int64_t k = clamp(v, w->in) - w->first[i];
            w->weight[w->most * i + k] += covered / scale;
            w->count[i] = k + 1;
        }
    }
}

/* --- ScaleAndTranslate: a kernel of some width round each place ----------------------------------
 */
static double lanczos(double x, double radius)
{
    return x > radius  ? 0
           : x <= 1e-3 ? 1
                       : radius * sin(M_PI * x) * sin(M_PI * x / radius) / (M_PI * M_PI * x * x);
}

static double gaussian(double x, double radius)
{
    double sigma = radius / 3;
    return x >= radius ? 0 : exp(-x * x / (2 * sigma * sigma));
}

static double box(double x, double radius)
{
    return x < radius ? 1 : x == radius ? 0.5 : 0;
}

static double triangle(double x, double radius)
{
    return x > radius ? 0 : 1 - x;
}

static double keys_cubic(double x, double radius)
{
    return x >= radius ? 0
           : x >= 1    ? ((-0.5 * x + 2.5) * x - 4) * x + 2
                       : (1.5 * x - 2.5) * x * x + 1;
}

static double mitchell_cubic(double x, double radius)
{
    return x >= radius ? 0
           : x >= 1    ? (((-7.0 / 18) * x + 2) * x - 10.0 / 3) * x + 16.0 / 9
                       : ((7.0 / 6) * x - 2) * x * x + 8.0 / 9;
}

typedef struct {
    const char *name;
    double radius;
    double (*weight)(double x, double radius); /* x: how far away, at least 0 */
} sampler;
static const sampler samplers[] = {
    { "lanczos1", 1, lanczos },
    { "lanczos3", 3, lanczos },
    { "lanczos5", 5, lanczos },
    { "gaussian", 1.5, gaussian },
    { "box", 0.5, box },
    { "triangle", 1, triangle },
    { "keyscubic", 2, keys_cubic },
    { "mitchellcubic", 2, mitchell_cubic },
};

typedef struct {
    const char *kernel_type;
    tn_flag antialias;
} scale_attrs;

static const sampler *sampler_of(const char *name)
{
    for (size_t i = 0; i < sizeof samplers / sizeof *samplers; i++)
        if (name && strcmp(name, samplers[i].name) == 0)
            return &samplers[i];
    tn__fail(TN_INVALID_ARGUMENT, "Unrecognized kernel type: %s", name ? name : "NULL");
    return NULL;
}

/* One axis of a ScaleAndTranslate: output place i lies over input place (i - translate) / scale. */
typedef struct {
    const sampler *sampler;
    float inverse, offset, width; /* width: the kernel is stretched when the image shrinks */
} placing;

static int64_t most_in(const placing *p, int64_t in)
{
    double most = 2 * ceil(p->sampler->radius * (double)p->width) + 1;
    return most < (double)in ? (int64_t)most : in;
}

static void fill_scaled(weights *w, const void *attrs)
{
    const placing *p = attrs;
    float reach = (float)p->sampler->radius * p->width;
    for (int64_t i = 0; i < w->out; i++) {
        float at = ((float)i + 0.5F) * p->inverse + p->offset;
        if (!(at >= 0 && at <= (float)w->in))
            continue;
        int64_t first = clamp_float(ceilf(at - reach - 0.5F), w->in);
        int64_t last = clamp_float(floorf(at + reach - 0.5F), w->in);
        w->first[i] = first;
        w->count[i] = last - first + 1 < w->most ? last - first + 1 : w->most;
        for (int64_t k = 0; k < w->count[i]; k++) {
            float away = fabsf(((float)(first + k) + 0.5F - at) * (1 / p->width));
            w->weight[w->most * i + k] = (float)p->sampler->weight(away, p->sampler->radius);
        }
        normalize(&w->weight[w->most * i], w->count[i]);
    }
}

/* --- the walk --------------------------------------------------------------------------------- */
typedef struct {
    weights rows, columns;
    int64_t batch, channels;
} resampling;

static void resampling_free(resampling *r)
{
    weights_free(&r->rows);
    weights_free(&r->columns);
}

static void add_scaled(float *to, const float *from, float factor, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] += factor * from[i];
}

/* A row of the output from the weighted sum of rows that it lies over, or back. */
static void along_columns(const resampling *r, float *summed, float *out, bool back)
{
    int64_t n = r->channels;
    for (int64_t x = 0; x < r->columns.out; x++)
        for (int64_t k = 0; k < r->columns.count[x]; k++) {
            float weight = r->columns.weight[x * r->columns.most + k];
            float *in = summed + (r->columns.first[x] + k) * n;
            add_scaled(back ? in : out + x * n, back ? out + x * n : in, weight, n);
        }
}

/* in (batch, rows, columns, channels) to out, which is 0; or, back, out's share to in, which is 0.
 */
static tn_status walk(const resampling *r, float *in, float *out, bool back)
{
    int64_t in_row = r->columns.in * r->channels, out_row = r->columns.out * r->channels;
    float *summed = tn__alloc_zeroed((size_t)in_row, sizeof *summed);
    if (!summed)
        return TN_RESOURCE_EXHAUSTED;
    for (int64_t b = 0; b < r->batch; b++)
        for (int64_t y = 0; y < r->rows.out; y++) {
            float *target = out + (b * r->rows.out + y) * out_row;
            memset(summed, 0, (size_t)in_row * sizeof *summed);
            if (back)
                along_columns(r, summed, target, true);
            for (int64_t k = 0; k < r->rows.count[y]; k++) {
                float weight = r->rows.weight[y * r->rows.most + k];
                float *source = in + (b * r->rows.in + r->rows.first[y] + k) * in_row;
                add_scaled(back ? source : summed, back ? summed : source, weight, in_row);
            }
            if (!back)
                along_columns(r, summed, target, false);
        }
    tn__free(summed);
    return TN_OK;
}

/* --- kernels ---------------------------------------------------------------------------------- */
/* What an op's table is made of, and how wide it is for an axis. */
typedef struct {
    void (*fill)(weights *w, const void *attrs);
    int64_t (*most)(int64_t in, int64_t out);
} method;

static int64_t two(int64_t in, int64_t out)
{
    (void)in;
    (void)out;
    return 2;
}

static int64_t four(int64_t in, int64_t out)
{
    (void)in;
    (void)out;
    return 4;
}

static int64_t all_covered(int64_t in, int64_t out)
{
    return in / out + 3;
}

static const method bilinear = { fill_bilinear, two }, bicubic = { fill_bicubic, four },
                    area = { fill_area, all_covered };

static tn_status tables(const tn__kernel *kernel, const int64_t in[2], const int64_t out[2],
                        resampling *r)
{
    const method *m = kernel->op->family;
    TN_TRY(weights_new(in[0], out[0], m->most(in[0], out[0]), &r->rows));
    TN_TRY(weights_new(in[1], out[1], m->most(in[1], out[1]), &r->columns));
    m->fill(&r->rows, kernel->attrs);
    m->fill(&r->columns, kernel->attrs);
    return TN_OK;
}

static tn_status placed_tables(const tn__kernel *kernel, const int64_t in[2], const int64_t out[2],
                               resampling *r)
{
    const scale_attrs *a = kernel->attrs;
    const sampler *sampler = sampler_of(a->kernel_type);
    for (int i = 0; sampler && i < 2; i++) {
        weights *w = i == 0 ? &r->rows : &r->columns;
        float scale = (float)tn__double_at(kernel->input[2], i);
        float translate = (float)tn__double_at(kernel->input[3], i);
        if (!(scale > 0))
            return tn__fail(TN_INVALID_ARGUMENT, "scale must be greater than zero.");
        placing p = { sampler, 1 / scale, -(1 / scale) * translate,
                      a->antialias && scale < 1 ? 1 / scale : 1 };
        TN_TRY(weights_new(in[i], out[i], most_in(&p, in[i]), w));
        fill_scaled(w, &p);
    }
    return sampler ? TN_OK : TN_INVALID_ARGUMENT;
}

typedef tn_status table_maker(const tn__kernel *kernel, const int64_t in[2], const int64_t out[2],
                              resampling *r);

/* small and large: the images before and after; back: from after to before. Both in float32. */
static tn_status resample(const tn__kernel *kernel, table_maker *make, const tn_shape *before,
                          const tn_shape *after, tn_tensor *from, tn_tensor *to, bool back)
{
    resampling r = { .batch = before->dims[0], .channels = before->dims[3] };
    tn_tensor *numbers = NULL;
    memset(to->data, 0, tn__byte_count(to));
    if (tn__count(to) == 0 || tn__count(from) == 0)
        return TN_OK;
    TN_TRY(tn__cast_value(from, TN_FLOAT32, &numbers));
    tn_status status = make(kernel, before->dims + 1, after->dims + 1, &r);
    if (status == TN_OK)
        status = walk(&r, back ? to->data : numbers->data, back ? numbers->data : to->data, back);
    resampling_free(&r);
    tn__release(numbers);
    return status;
}

static tn_status forward(tn__kernel *kernel, table_maker *make)
{
    tn_tensor *x = kernel->input[0], *y = kernel->output[0];
    if (x->shape.dims[1] == 0 || x->shape.dims[2] == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "input image must be of non-zero size\n%s: got %s",
                        kernel->op->name, TN__TENSOR(x));
    return resample(kernel, make, &x->shape, &y->shape, x, y, false);
}

/* The gradient comes in float32 and goes to the images' dtype. */
static tn_status backward(tn__kernel *kernel, table_maker *make)
{
    tn_tensor *dy = kernel->input[0], *dx = kernel->output[0], *sum, *cast;
    if (dx->dtype == TN_FLOAT32)
        return resample(kernel, make, &dx->shape, &dy->shape, dy, dx, true);
    TN_TRY(tn__tensor_new(TN_FLOAT32, &dx->shape, &sum));
    tn_status status = resample(kernel, make, &dx->shape, &dy->shape, dy, sum, true);
    if (status == TN_OK)
        status = tn__cast_value(sum, (tn_dtype)dx->dtype, &cast);
    if (status == TN_OK) {
        memcpy(dx->data, cast->data, tn__byte_count(dx));
        tn__release(cast);
    }
    tn__release(sum);
    return status;
}

static tn_status resize_compute(tn__kernel *kernel)
{
    return forward(kernel, tables);
}

static tn_status resize_grad_compute(tn__kernel *kernel)
{
    return backward(kernel, tables);
}

static tn_status scale_compute(tn__kernel *kernel)
{
    return forward(kernel, placed_tables);
}

static tn_status scale_grad_compute(tn__kernel *kernel)
{
    return backward(kernel, placed_tables);
}

/* --- nearest: any dtype, elements copied -------------------------------------------------------
 */
static int64_t nearest(const corners *c, int64_t i, int64_t in, int64_t out)
{
    float scale = scale_of(c, in, out);
    float at = c->half_pixel_centers ? ((float)i + 0.5F) * scale : (float)i * scale;
    return clamp((int64_t)(c->align_corners ? roundf(at) : floorf(at)), in);
}

/* Every place of the larger shape with the place of the other that it takes, or gives to. */
static tn_status nearest_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0], *y = kernel->output[0];
    const int64_t *in = x->shape.dims, *out = y->shape.dims;
    size_t pixel = (size_t)in[3] * tn__dtype_size((tn_dtype)x->dtype);
    if (tn__count(y) && (in[1] == 0 || in[2] == 0))
        return tn__fail(TN_INVALID_ARGUMENT, "input image must be of non-zero size\n%s: got %s",
                        kernel->op->name, TN__TENSOR(x));
    char *to = y->data;
    for (int64_t b = 0; b < out[0] && tn__count(y); b++)
        for (int64_t row = 0; row < out[1]; row++) {
            const char *from =
                (const char *)x->data +
                (size_t)((b * in[1] + nearest(kernel->attrs, row, in[1], out[1])) * in[2]) * pixel;
            for (int64_t column = 0; column < out[2]; column++, to += pixel)
                memcpy(to, from + (size_t)nearest(kernel->attrs, column, in[2], out[2]) * pixel,
                       pixel);
        }
    return TN_OK;
}

static void add_pixel(tn_tensor *to, int64_t at, const tn_tensor *from, int64_t i)
{
    bool whole = !tn__in(TN__FLOATS, (tn_dtype)to->dtype);
    char *place = (char *)to->data + (size_t)at * tn__dtype_size((tn_dtype)to->dtype);
    if (whole)
        tn__element_from_int((tn_dtype)to->dtype, tn__int_at(to, at) + tn__int_at(from, i), place);
    else
        tn__element_from_double((tn_dtype)to->dtype, tn__double_at(to, at) + tn__double_at(from, i),
                                place);
}

static tn_status nearest_grad_compute(tn__kernel *kernel)
{
    const tn_tensor *dy = kernel->input[0];
    tn_tensor *dx = kernel->output[0];
    const int64_t *in = dx->shape.dims, *out = dy->shape.dims;
    memset(dx->data, 0, tn__byte_count(dx));
    int64_t i = 0;
    for (int64_t b = 0; b < out[0] && tn__count(dx); b++)
        for (int64_t row = 0; row < out[1]; row++)
            for (int64_t column = 0; column < out[2]; column++) {
                int64_t y = nearest(kernel->attrs, row, in[1], out[1]);
                int64_t x = nearest(kernel->attrs, column, in[2], out[2]);
                int64_t at = ((b * in[1] + y) * in[2] + x) * in[3];
                for (int64_t c = 0; c < in[3]; c++)
                    add_pixel(dx, at + c, dy, i++);
            }
    return TN_OK;
}

/* --- inference -------------------------------------------------------------------------------- */
static tn_status resize_infer(tn__infer *infer)
{
    const tn_shape *x = &infer->input[0]->shape;
    tn_shape size = tn__known_shape(infer->input[1]), *y = &infer->output[0].shape;
    const tn_shape *vector = &infer->input[1]->shape;
    TN_TRY(tn__infer_rank(infer, 0, 4, 4));
    if (vector->known && (vector->rank != 1 || (vector->dims[0] >= 0 && vector->dims[0] != 2)))
        return tn__fail(TN_INVALID_ARGUMENT, "shape_t must have two elements\n%s: size is %s",
                        infer->op->name, TN__TENSOR(infer->input[1]));
    *y = tn__shape_of_rank(4);
    for (int i = 0; x->known && i < 4; i += 3)
        y->dims[i] = x->dims[i];
    for (int i = 0; size.known && i < size.rank; i++) {
        bool given = infer->input[1]->form == TN__VALUE || size.dims[i] != TN_NONE;
        if (given && size.dims[i] <= 0)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "output dimensions must be positive\n%s: size is %s", infer->op->name,
                            TN__SHAPE(size));
        y->dims[i + 1] = size.dims[i];
    }
    return TN_OK;
}

/* The shape of the original image, which is only asked for its shape. */
static tn_status grad_infer(tn__infer *infer)
{
    TN_TRY(tn__infer_rank(infer, 0, 4, 4));
    TN_TRY(tn__infer_rank(infer, 1, 4, 4));
    infer->output[0].shape = infer->input[1]->shape;
    return TN_OK;
}

/* --- gradients: linear, so each is the other's --------------------------------------------------
 */
static tn_tensor *size_of(tn_tensor *images)
{
    return tn__vector_part(tn__shape_tensor(images), 1, 3);
}

static const tn__op *other_of(const tn__op *op)
{
    static const tn__op *const pairs[][2] = {
        { &tn__op_ResizeBilinear, &tn__op_ResizeBilinearGrad },
        { &tn__op_ResizeBicubic, &tn__op_ResizeBicubicGrad },
        { &tn__op_ResizeNearestNeighbor, &tn__op_ResizeNearestNeighborGrad },
        { &tn__op_ScaleAndTranslate, &tn__op_ScaleAndTranslateGrad },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i][0] == op || pairs[i][1] == op)
            return pairs[i][pairs[i][0] == op];
    return NULL;
}

static tn_tensor *as_float(tn_tensor *x)
{
    return tn_cast(x, TN_FLOAT32);
}

static void resize_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(*other_of(g->op), g->attrs, g->dout[0], g->in[0]);
}

static void resize_grad_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(*other_of(g->op), g->attrs, g->dout[0], size_of(g->in[0]));
}

static void nearest_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(*other_of(g->op), g->attrs, g->dout[0], size_of(g->in[0]));
}

static void scale_gradient(tn__gradient *g)
{
    tn_tensor *dx = TN__APPLY(tn__op_ScaleAndTranslateGrad, g->attrs, g->dout[0],
                              as_float(g->in[0]), g->in[2], g->in[3]);
    g->din[0] = tn_cast(dx, (tn_dtype)g->in[0]->dtype);
}

static void scale_grad_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_ScaleAndTranslate, g->attrs, g->dout[0], size_of(g->in[0]),
                          g->in[2], g->in[3]);
}

/* --- the ops ---------------------------------------------------------------------------------- */
static const tn_field corner_fields[] = {
    TN__ROW(TN_FIELD_FLAG, corners, align_corners, "false", NULL),
    TN__ROW(TN_FIELD_FLAG, corners, half_pixel_centers, "false", NULL),
    TN__END_OF_FIELDS,
};
static const tn_field scale_fields[] = {
    TN__ROW(TN_FIELD_STRING, scale_attrs, kernel_type, "lanczos3", NULL),
    TN__ROW(TN_FIELD_FLAG, scale_attrs, antialias, "true", NULL),
    TN__END_OF_FIELDS,
};

#define RESIZE(name_, fields_, attrs_, types_, inputs_, outputs_, ...) \
    const tn__op tn__op_##name_ = { .name = #name_,                    \
                                    .inputs = inputs_,                 \
                                    .outputs = outputs_,               \
                                    .types = types_,                   \
                                    .attrs = fields_,                  \
                                    .attrs_size = sizeof(attrs_),      \
                                    __VA_ARGS__ };
#define FORWARD(name, method_, ...)                                             \
    RESIZE(name, corner_fields, corners, "T: number", "images: T, size: int32", \
           "resized_images: float", .family = &method_, .infer = resize_infer,  \
           .compute = resize_compute, __VA_ARGS__)
#define BACKWARD(name, method_)                                                                  \
    RESIZE(name, corner_fields, corners, "T: floating", "grads: float, original_image: T",       \
           "output: T", .family = &method_, .infer = grad_infer, .compute = resize_grad_compute, \
           .gradient = resize_grad_gradient)
FORWARD(ResizeBilinear, bilinear, .gradient = resize_gradient)
FORWARD(ResizeBicubic, bicubic, .gradient = resize_gradient)
FORWARD(ResizeArea, area, .no_gradient = "not differentiable: TensorFlow gives none")
BACKWARD(ResizeBilinearGrad, bilinear)
BACKWARD(ResizeBicubicGrad, bicubic)
RESIZE(ResizeNearestNeighbor, corner_fields, corners, "T: number", "images: T, size: int32",
       "resized_images: T", .infer = resize_infer, .compute = nearest_compute,
       .gradient = nearest_gradient)
RESIZE(ResizeNearestNeighborGrad, corner_fields, corners, "T: number", "grads: T, size: int32",
       "output: T", .infer = resize_infer, .compute = nearest_grad_compute,
       .gradient = nearest_gradient)
RESIZE(ScaleAndTranslate, scale_fields, scale_attrs, "T: number",
       "images: T, size: int32, scale: float, translation: float", "resized_images: float",
       .infer = resize_infer, .compute = scale_compute, .gradient = scale_gradient)
RESIZE(ScaleAndTranslateGrad, scale_fields, scale_attrs, "T: float",
       "grads: T, original_image: T, scale: float, translation: float", "output: T",
       .infer = grad_infer, .compute = scale_grad_compute, .gradient = scale_grad_gradient)

/* --- tf.image.resize -------------------------------------------------------------------------- */
static const char *const methods[] = { "bilinear", "nearest",  "bicubic",  "area",
                                       "lanczos3", "lanczos5", "gaussian", "mitchellcubic" };

static bool is_method(const char *name)
{
    for (size_t i = 0; name && i < sizeof methods / sizeof *methods; i++)
        if (strcmp(name, methods[i]) == 0)
            return true;
    return false;
}

/* The kernel that a method has when it is ScaleAndTranslate that does it. */
static const char *kernel_of(const char *method)
{
    return strcmp(method, "bilinear") == 0  ? "triangle"
           : strcmp(method, "bicubic") == 0 ? "keyscubic"
                                            : method;
}

static tn_tensor *scaled(tn_tensor *images, tn_tensor *size, const char *method, bool antialias)
{
    scale_attrs a = { kernel_of(method), antialias };
    tn_tensor *scale = tn_divide(as_float(size), as_float(size_of(images)));
    return TN__APPLY(tn__op_ScaleAndTranslate, &a, images, size, scale, tn_zeros_like(scale));
}

tn_tensor *tn__resize_images(tn_tensor *images, tn_tensor *size, const char *method, bool antialias)
{
    static const corners half = { .half_pixel_centers = true }, plain = { 0 };
    bool linear = strcmp(method, "bilinear") == 0, cubic_ = strcmp(method, "bicubic") == 0;
    if (strcmp(method, "nearest") == 0)
        return TN__APPLY(tn__op_ResizeNearestNeighbor, &half, images, size);
    if (strcmp(method, "area") == 0)
        return TN__APPLY(tn__op_ResizeArea, &plain, images, size);
    if (!antialias && (linear || cubic_))
        return TN__APPLY(*(linear ? &tn__op_ResizeBilinear : &tn__op_ResizeBicubic), &half, images,
                         size);
    return scaled(images, size, method, antialias);
}

/* Both sides by one factor, the greatest that fits; in float32, as TensorFlow, since it decides
 * halves. */
static bool keep_ratio(const tn_shape *image, int64_t size[2])
{
    float factor[2];
    for (int i = 0; i < 2; i++) {
        int64_t side = image->dims[image->rank - 3 + i];
        if (side <= 0) {
            tn__fail(TN_UNIMPLEMENTED,
                     "tn_image_resize: preserve_aspect_ratio needs images of a known size, got %s",
                     TN__SHAPE(*image));
            return false;
        }
        factor[i] = (float)size[i] / (float)side;
    }
    float least = factor[0] < factor[1] ? factor[0] : factor[1];
    for (int i = 0; i < 2; i++)
        size[i] = (int64_t)rintf(least * (float)image->dims[image->rank - 3 + i]);
    return true;
}

static bool check_resize(const tn_image_resize_options *o)
{
    if (!tn__check_tensor(o->images, "tn_image_resize: images"))
        return false;
    const tn_shape *shape = &o->images->shape;
    if (!shape->known || (shape->rank != 3 && shape->rank != 4))
        tn__fail(TN_INVALID_ARGUMENT, "'images' must have either 3 or 4 dimensions.\ngot %s",
                 TN__SHAPE(*shape));
    else if (!is_method(o->method))
        tn__fail(
            TN_INVALID_ARGUMENT,
            "Resize method is not implemented: %s\nthere are: bilinear, nearest, bicubic, area, "
            "lanczos3, lanczos5, gaussian, mitchellcubic",
            o->method ? o->method : "NULL");
    return tn__errors()->status == TN_OK;
}

tn_tensor *tn_image_resize_with(const tn_image_resize_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    (void)context;
    int64_t size[2] = { o->size[0], o->size[1] };
    if (!check_resize(o) || (o->preserve_aspect_ratio && !keep_ratio(&o->images->shape, size)))
        return NULL;
    bool single = o->images->shape.rank == 3;
    tn_tensor *images = single ? tn_expand_dims(o->images, 0) : o->images;
    if (!images)
        return NULL;
    images = tn__resize_images(images, tn__ints(size, 2), o->method, o->antialias);
    return single ? tn_squeeze(images, TN_AXES(0)) : images;
}
