/* kernels.h - loops over arrays of float32 that are worth a processor's best instructions.
 *
 * The files in isa/ are compiled once for each instruction set, over the thin layer of isa/vector.h; tn__kernels() gives the set for
 * the processor the program runs on. A kernel takes pointers and sizes, allocates nothing and cannot fail. */
#ifndef TN_KERNELS_KERNELS_H
#define TN_KERNELS_KERNELS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is done to a sum when it is stored, in this order. NULL: nothing. */
typedef struct {
    const float *bias;   /* one number a column, added */
    const float *beside; /* lies as the result does: added */
    bool relu;           /* negative sums, and what is no number, as Relu gives them */
    const float *mask;   /* lies as the result does: as ReluGrad, times 1 where it is above 0, else times 0 */
} tn__epilogue;

/* That of a part of the result, which begins so many columns, and numbers in all, behind its first. */
static inline tn__epilogue tn__epilogue_at(const tn__epilogue *e, int64_t column, int64_t place)
{
    return (tn__epilogue){ e->bias ? e->bias + column : NULL, e->beside ? e->beside + place : NULL, e->relu,
                           e->mask ? e->mask + place : NULL };
}

/* c (m, n) = a (m, k) b (k, n), c's rows row_c apart. Steps in elements: a transposed matrix has them exchanged. */
typedef struct {
    int64_t m, n, k;
    const float *a;
    int64_t row_a, column_a;
    const float *b;
    int64_t row_b, column_b;
    float *c;
    int64_t row_c;
    tn__epilogue epilogue;
} tn__gemm;

/* A convolution of two axes over images with their channels last: y (batch, out) = x (batch, in) filter (taps, in, out).
 * Along an axis, output o's tap t lies at input o * stride + t * dilation - before. */
typedef struct {
    int64_t in, out, window, stride, dilation, before;
} tn__conv_axis;
typedef struct {
    int64_t batch;
    tn__conv_axis row, column;
    int64_t x_channels, y_channels;
    bool winograd; /* with fewer multiplications: windows of 3 by 3, strides and dilations of 1, channels in sixteens */
} tn__conv;

/* Functions of one or two numbers. */
typedef enum {
    TN__DO_NOTHING, /* no function: an op has none */
    TN__DO_COPY, TN__DO_ADD, TN__DO_SUBTRACT, TN__DO_MULTIPLY, TN__DO_DIVIDE, TN__DO_MAXIMUM, TN__DO_MINIMUM, TN__DO_SQUARED_DIFFERENCE,
    TN__DO_NEGATIVE, TN__DO_ABS, TN__DO_SQUARE, TN__DO_SQRT, TN__DO_RSQRT, TN__DO_RECIPROCAL, TN__DO_EXP, TN__DO_LOG, TN__DO_TANH,
    TN__DO_SIGMOID, TN__DO_RELU,
    TN__DO_RELU_GRAD, /* of (dy, y) */
    TN__DO_TANH_GRAD, TN__DO_SIGMOID_GRAD, /* of (y, dy) */
    TN__DO_SIGN, TN__DO_EXPM1, TN__DO_LOG1P, TN__DO_ERF, TN__DO_ERFC, TN__DO_SOFTPLUS, TN__DO_RELU6, TN__DO_ELU, TN__DO_SELU,
    TN__DO_RELU6_GRAD, TN__DO_ELU_GRAD, TN__DO_SELU_GRAD, /* of (dy, y) */
    TN__DO_SOFTPLUS_GRAD,                                 /* of (dy, x) */
    TN__DO_LEAKY_RELU, TN__DO_LEAKY_SLOPE,                /* of (x, α): x or α x; 1 or α */
    TN__FUNCTIONS
} tn__function;

/* A chain of them over arrays of one length. */
enum { TN__CHAIN_INPUTS = 12, TN__CHAIN_STEPS = 32, TN__CHAIN_TILE = 512, TN__SUM_BLOCK = 1024, TN__SUM_ROWS = 32 };
typedef struct {
    const float *data;
    int64_t run, period; /* place i has number (i / run) % period of it; period 0: number i */
} tn__chain_input;
typedef struct {
    uint8_t function, a, b; /* operands: the inputs, then the steps' results; b = a where there is one only */
    uint8_t place;          /* of the result in scratch, free again when nothing reads it any more */
    float *out;             /* where the result goes besides; NULL: nowhere */
} tn__chain_step;
typedef struct {
    int inputs, steps, places;
    tn__chain_input in[TN__CHAIN_INPUTS];
    tn__chain_step step[TN__CHAIN_STEPS];
    int apart; /* the step + 1 whose `out` is for what a call begins with, not for place 0; 0: none */
} tn__chain;

/* Adam: m += (g - m) rest_1;  v += (g² - v) rest_2;  w -= alpha m / (√v + epsilon). A new value may lie where the old one does. */
typedef struct {
    const float *g, *m, *v, *w;
    float *new_m, *new_v, *new_w;
    float rest_1, rest_2, alpha, epsilon;
} tn__adam;

/* Rows of x, each less its mean and over its deviation: y = h gamma + beta, h = (x - mean) / sqrt(variance + epsilon). With `rms` the
 * mean is taken for 0 throughout. */
typedef struct {
    const float *x, *dy; /* dy: for the gradient, whose y is dx */
    const float *gamma, *beta;
    float *y;
    int64_t count; /* of a row */
    float epsilon;
    bool rms;
} tn__layer_norm;

/* Rows of logits x and of labels, each x_step and label_step (0: all have the same) behind the one before: loss = -sum of label log
 * softmax(x), y = softmax(x) - label, whose rows stand one behind the other. */
typedef struct {
    const float *x, *label;
    int64_t x_step, label_step, count, rows; /* count: of a row */
    float *loss, *y;
} tn__cross_entropy;

/* Rows, `step` apart, whose columns are each for themselves, less `mean` of it: y = (x - mean) slope + offset, and + dy factor where
 * there is dy. mean, slope, offset and factor are a number for each column. */
typedef struct {
    const float *x, *dy;
    float *y;
    int64_t columns, step;
    const float *mean, *slope, *offset, *factor;
} tn__column_norm;

typedef struct {
    const char *name; /* "avx512", "avx2", "base" */
    /* Bytes that the product's scratch takes (the same will do for any of its rows or columns), and the product. */
    size_t (*gemm_scratch)(const tn__gemm *g);
    void (*gemm)(const tn__gemm *g, void *scratch);
    /* A filter as conv() wants it, `turned` for the gradient of x; as many bytes as conv_filter_bytes says. */
    size_t (*conv_filter_bytes)(const tn__conv *c, bool turned);
    void (*conv_pack)(const tn__conv *c, bool turned, const float *filter, float *packed);
    /* Rows first <= i < last of all the batch's rows of output, one image's behind the other's. Scratch is each caller's own. */
    size_t (*conv_scratch)(const tn__conv *c);
    void (*conv)(const tn__conv *c, const float *x, const float *packed, float *y, tn__epilogue e, int64_t first, int64_t last,
                 void *scratch);
    /* dx (batch, in) of dy (batch, out), by rows of x; the filter packed `turned`. */
    size_t (*conv_to_input_scratch)(const tn__conv *c);
    void (*conv_to_input)(const tn__conv *c, const float *dy, const float *packed, float *dx, tn__epilogue e, int64_t first, int64_t last,
                          void *scratch);
    /* dfilter (taps, in, out) += what rows first <= i < last of dy say. */
    size_t (*conv_to_filter_scratch)(const tn__conv *c);
    void (*conv_to_filter)(const tn__conv *c, const float *x, const float *dy, float *dfilter, int64_t first, int64_t last,
                           void *scratch);
    /* Convolutions that keep the channels apart, y_channels / x_channels filters each, which lie as they are: y of x by rows of y, or
     * `turned` dx of dy by rows of x; and dfilter += what rows of dy say. */
    size_t (*depthwise_scratch)(const tn__conv *c);
    void (*depthwise)(const tn__conv *c, bool turned, const float *from, const float *filter, float *to, int64_t first, int64_t last,
                      void *scratch);
    void (*depthwise_to_filter)(const tn__conv *c, const float *x, const float *dy, float *dfilter, int64_t first, int64_t last,
                                void *scratch);
    /* Places first <= i < last of the arrays. An output may lie where an input of period 0 does that no step behind its own reads. */
    size_t (*chain_scratch)(const tn__chain *c);
    void (*chain)(const tn__chain *c, int64_t first, int64_t last, float *scratch);
    void (*adam)(const tn__adam *a, int64_t first, int64_t last);
    /* To a sum so far; the same bits when x is cut at multiples of TN__SUM_BLOCK. */
    double (*sum)(double sum, const float *x, int64_t count);
    /* sum[i] += column i of x, whose rows are step apart; the same bits when it is cut at multiples of TN__SUM_ROWS. */
    void (*sum_columns)(const float *x, int64_t step, int64_t rows, int64_t columns, double *sum);
    /* The largest number, -inf where there is none that is one; y = exp(x - most), whose sum it gives; y /= divisor. */
    float (*largest)(const float *x, int64_t count);
    double (*exponentials)(const float *x, int64_t count, float most, float *y);
    void (*divide_by)(float *y, int64_t count, float divisor);
    /* The three of them for rows that stand one behind the other. */
    void (*softmax)(const float *x, int64_t count, int64_t rows, float *y);
    /* Rows first <= i < last. The gradient adds those of gamma and beta to two vectors of count numbers. */
    void (*layer_norm)(const tn__layer_norm *n, int64_t first, int64_t last);
    void (*layer_norm_gradient)(const tn__layer_norm *n, int64_t first, int64_t last, float *vectors);
    void (*column_norm)(const tn__column_norm *n, int64_t first, int64_t last);
    /* sums[i] += dy of column i, and sums[columns + i] += dy (x - mean) of it; without dy, x - mean is in its place. */
    void (*column_norm_sums)(const tn__column_norm *n, int64_t first, int64_t last, float *sums);
    void (*cross_entropy)(const tn__cross_entropy *c);
    /* Windows as of a convolution: the largest of each, by rows of y as conv(); and dx of dy, by whole images; masked: 0 where x is
     * not above 0, as ReluGrad would make it. Where each pixel is in one window, dx may lie where x does. */
    void (*max_pool)(const tn__conv *c, const float *x, float *y, int64_t first, int64_t last);
    void (*max_pool_gradient)(const tn__conv *c, const float *x, const float *dy, float *dx, bool masked, int64_t first, int64_t last);
} tn__kernels_table;

/* The widest set of the processor, or the one that the environment's TN_ISA names where the processor has it. */
const tn__kernels_table *tn__kernels(void);
/* The set `index` of those this program and processor have, narrowest first; NULL behind the last. For tests. */
const tn__kernels_table *tn__kernels_at(size_t index);
/* TN_STRICT_KERNELS: nothing but the sums themselves, by the program's own code. */
bool tn__strict_kernels(void);

#endif
