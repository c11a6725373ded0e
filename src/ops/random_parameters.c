/* random_parameters.c - numbers whose distribution has parameters of its own for each of them:
 * gamma, Poisson, binomial, categorical. */
#include "ops/random.h"
#include "ops/array.h"
#include "ops/elementwise.h"

/* --- shapes ----------------------------------------------------------------------------------- */
/* Stateful: a sample of the shape that input 0 says for each parameter, (shape…, parameters…). */
static tn_status outer_infer(tn__infer *infer)
{
    tn_shape shape = tn__known_shape(infer->input[0]), more = infer->input[1]->shape;
    TN_TRY(tn__infer_rank(infer, 0, 1, 1));
    if (!shape.known || !more.known)
        return TN_OK;
    if (shape.rank + more.rank > TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "%s: more than %d dimensions", infer->op->name,
                        TN_MAX_RANK);
    for (int i = 0; i < more.rank; i++)
        shape.dims[shape.rank++] = more.dims[i];
    infer->output[0].shape = shape;
    return TN_OK;
}

static tn_status make_outer(tn__kernel *kernel, tn_dtype dtype)
{
    const tn_shape *more = &kernel->input[1]->shape;
    tn_shape shape;
    TN_TRY(tn__shape_said(kernel, 0, &shape));
    if (shape.rank + more->rank > TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "%s: more than %d dimensions", kernel->op->name,
                        TN_MAX_RANK);
    for (int i = 0; i < more->rank; i++)
        shape.dims[shape.rank++] = more->dims[i];
    return tn__ensure_output(kernel, 0, dtype, &shape);
}

/* Stateless: input 0 says the whole shape, whose last dimensions are the parameters'. */
static tn_status whole_infer(tn__infer *infer)
{
    TN_TRY(tn__infer_rank(infer, 0, 1, 1));
    infer->output[0].shape = tn__known_shape(infer->input[0]);
    return TN_OK;
}

static tn_status make_whole(tn__kernel *kernel, const tn_shape *parameters, tn_dtype dtype)
{
    tn_shape shape;
    TN_TRY(tn__shape_said(kernel, 0, &shape));
    bool ends = parameters->rank <= shape.rank;
    for (int i = 0; i < parameters->rank && ends; i++)
        ends = parameters->dims[i] == shape.dims[shape.rank - parameters->rank + i];
    if (!ends)
        return tn__fail(
            TN_INVALID_ARGUMENT,
            "Shape passed in must end with broadcasted shape.\n%s: the shape is %s, the "
            "parameters' %s",
            kernel->op->name, TN__BRACKETS(shape), TN__BRACKETS(*parameters));
    return tn__ensure_output(kernel, 0, dtype, &shape);
}

/* Numbers of the stream are counted parameter by parameter: all samples of the first, then of the
 * second. Gives the number of samples; 0: there is nothing to do. */
static int64_t samples_of(const tn_tensor *out, int64_t parameters)
{
    return parameters ? tn__count(out) / parameters : 0;
}

static void put(tn_tensor *out, int64_t at, double value)
{
    size_t size = tn__dtype_size((tn_dtype)out->dtype);
    tn__element_from_double((tn_dtype)out->dtype, value, (char *)out->data + (size_t)at * size);
}

/* --- gamma ------------------------------------------------------------------------------------ */
static void draw_gamma(tn__philox philox, const tn_tensor *alpha, tn_tensor *out)
{
    int64_t parameters = tn__count(alpha), samples = samples_of(out, parameters);
    for (int64_t p = 0; p < parameters; p++)
        for (int64_t i = 0; i < samples; i++)
            put(out, i * parameters + p,
                tn__random_gamma(philox, (uint64_t)(p * samples + i), tn__double_at(alpha, p)));
}

static tn_status gamma_compute(tn__kernel *kernel)
{
    const tn_tensor *alpha = kernel->input[1];
    tn__philox philox;
    TN_TRY(make_outer(kernel, (tn_dtype)alpha->dtype));
    uint64_t count = (uint64_t)tn__count(kernel->output[0]);
    TN_TRY(tn__random_take(kernel, tn__philox_blocks(count), &philox));
    draw_gamma(philox, alpha, kernel->output[0]);
    return TN_OK;
}

static tn_status stateless_gamma_compute(tn__kernel *kernel)
{
    const tn_tensor *alpha = kernel->input[4];
    tn__philox philox;
    TN_TRY(tn__random_philox(kernel, &philox));
    TN_TRY(make_whole(kernel, &alpha->shape, (tn_dtype)alpha->dtype));
    draw_gamma(philox, alpha, kernel->output[0]);
    return TN_OK;
}

/* dα = Σ dy ∂y/∂α over the samples of each α, along which it is broadcast: the sample moves with α
 * so that its place in the distribution stays (Figurnov and others, NeurIPS 2018). */
static tn_tensor *gamma_rule(tn_tensor *alpha, tn_tensor *sample, tn_tensor *dy)
{
    tn_tensor *slope = TN__APPLY(tn__op_RandomGammaGrad, NULL, alpha, sample);
    return tn__sum_to(tn_multiply(dy, slope), alpha, sample);
}

static void gamma_gradient(tn__gradient *g)
{
    g->din[1] = gamma_rule(g->in[1], g->out[0], g->dout[0]);
}

static void stateless_gamma_gradient(tn__gradient *g)
{
    g->din[4] = gamma_rule(g->in[4], g->out[0], g->dout[0]);
}

const tn__op tn__op_RandomGamma = {
    .name = "RandomGamma",
    .inputs = "shape: S, alpha: T",
    .outputs = "output: T",
    .types = "T: half, float, double; S: int32, int64",
    .attrs = tn__seed_fields,
    .attrs_size = sizeof(tn__random_attrs),
    .infer = outer_infer,
    .compute = gamma_compute,
    .gradient = gamma_gradient,
    .flags = TN__STATEFUL | TN__HALF,
};

const tn__op tn__op_StatelessRandomGammaV3 = {
    .name = "StatelessRandomGammaV3",
    .inputs = "shape: shape_dtype, key: uint64, counter: uint64, alg: int32, alpha: dtype",
    .outputs = "output: dtype",
    .types = "dtype: half, float, double; shape_dtype: int32, int64",
    .infer = whole_infer,
    .compute = stateless_gamma_compute,
    .gradient = stateless_gamma_gradient,
    .flags = TN__HALF,
};

/* Σ c(n) (log x - ψ(α + n + 1)), c(0) = 1, c(n) = c(n - 1) x / (α + n): for x up to about α. */
static double slope_series(double alpha, double x)
{
    double psi = tn__digamma(alpha + 1), logarithm = log(x), c = 1, sum = 0, term = 1;
    for (double n = 1; fabs(term) > 1e-17 * fabs(sum); n++) {
        term = c * (logarithm - psi);
        sum += term;
        psi += 1 / (alpha + n);
        c *= x / (alpha + n);
    }
    return sum;
}

/* r = ∫ w du and *by_alpha = ∫ w log(1 + u/x) du over all u > 0, of w = (1 + u/x)^(α - 1) e^-u; for
 * x above α. u = exp(t - e^-t) makes both fall off so fast on either side that steps of 1/16 do. */
static double tail_integral(double alpha, double x, double *by_alpha)
{
    double sum = 0, sum_log = 0;
    for (double t = -4;; t += 1.0 / 16) {
        double u = exp(t - exp(-t)), logarithm = log1p(u / x), power = (alpha - 1) * logarithm - u;
        double weight = exp(power) * u * (1 + exp(-t)) / 16;
        sum += weight;
        sum_log += weight * logarithm;
        if (power < -45 && t > 0) {
            *by_alpha = sum_log;
            return sum;
        }
    }
}

/* ∂x/∂α of a sample x of the gamma distribution: -∂P/∂α / p, where P is the distribution function
 * and p its slope. With P = x^α e^-x Σ x^n / Γ(α + n + 1) that is -x/α times the series above; with
 * 1 - P = x^(α - 1) e^-x r / Γ(α), r the integral, it is r (log x - ψ(α)) + ∂r/∂α. */
static double gamma_slope(double alpha, double x)
{
    if (!(alpha > 0) || !(x >= 0) || isinf(alpha) || isinf(x))
        return (double)NAN;
    if (x == 0)
        return 0;
    if (x < alpha + 1)
        return -x / alpha * slope_series(alpha, x);
    double by_alpha, r = tail_integral(alpha, x, &by_alpha);
    return r * (log(x) - tn__digamma(alpha)) + by_alpha;
}

BINARY(RandomGammaGrad, FLOATS, gamma_slope(x, y),
       .no_gradient = "not differentiable: as in TensorFlow")

/* --- Poisson ---------------------------------------------------------------------------------- */
static double greatest(tn_dtype dtype)
{
    switch (dtype) {
    case TN_INT32:
        return INT32_MAX;
    case TN_INT64:
        return 9223372036854774784.0; /* the greatest double below 2^63 */
    case TN_FLOAT16:
        return 65504;
    case TN_FLOAT32:
        return (double)3.402823466e38f;
    default:
        return 1.7976931348623157e308;
    }
}

static void draw_poisson(tn__philox philox, const tn_tensor *rate, tn_tensor *out)
{
    int64_t parameters = tn__count(rate), samples = samples_of(out, parameters);
    double most = greatest((tn_dtype)out->dtype);
    for (int64_t p = 0; p < parameters; p++)
        for (int64_t i = 0; i < samples; i++)
            put(out, i * parameters + p,
                tn__random_poisson(philox, (uint64_t)(p * samples + i), tn__double_at(rate, p),
                                   most));
}

static const tn_field poisson_fields[] = {
    TN__ROW(TN_FIELD_INT, tn__random_attrs, seed, "0", NULL),
    TN__ROW(TN_FIELD_INT, tn__random_attrs, seed2, "0", NULL),
    TN__ROW(TN_FIELD_DTYPE, tn__random_attrs, dtype, "int64", NULL),
    TN__END_OF_FIELDS,
};

static tn_status poisson_compute(tn__kernel *kernel)
{
    tn__philox philox;
    TN_TRY(make_outer(kernel, ((const tn__random_attrs *)kernel->attrs)->dtype));
    uint64_t count = (uint64_t)tn__count(kernel->output[0]);
    TN_TRY(tn__random_take(kernel, tn__philox_blocks(count), &philox));
    draw_poisson(philox, kernel->input[1], kernel->output[0]);
    return TN_OK;
}

#define PARAMETER_TYPES "half, float, double, int32, int64"
const tn__op tn__op_RandomPoissonV2 = {
    .name = "RandomPoissonV2",
    .inputs = "shape: S, rate: R",
    .outputs = "output: dtype",
    .types = "R: " PARAMETER_TYPES "; dtype: " PARAMETER_TYPES "; S: int32, int64",
    .attrs = poisson_fields,
    .attrs_size = sizeof(tn__random_attrs),
    .infer = outer_infer,
    .compute = poisson_compute,
    .no_gradient = "none: counts",
    .flags = TN__STATEFUL | TN__HALF,
};

typedef struct {
    tn_dtype dtype;
} dtype_attrs;
static const tn_field dtype_fields[] = {
    TN__ROW(TN_FIELD_DTYPE, dtype_attrs, dtype, NULL, NULL),
    TN__END_OF_FIELDS,
};
static const tn_field binomial_fields[] = {
    TN__ROW(TN_FIELD_DTYPE, dtype_attrs, dtype, "int64", NULL),
    TN__END_OF_FIELDS,
};

/* What the seed itself, an input, says. */
static tn_status seed_philox(const tn_tensor *seed, tn__philox *philox)
{
    if (seed->shape.rank != 1 || tn__count(seed) != 2)
        return tn__fail(TN_INVALID_ARGUMENT, "seed must have shape [2], not %s",
                        TN__BRACKETS(seed->shape));
    *philox = tn__philox_stateless(tn__int_at(seed, 0), tn__int_at(seed, 1));
    return TN_OK;
}

static tn_status stateless_poisson_compute(tn__kernel *kernel)
{
    const tn_tensor *rate = kernel->input[2];
    tn__philox philox;
    TN_TRY(seed_philox(kernel->input[1], &philox));
    TN_TRY(make_whole(kernel, &rate->shape, ((const dtype_attrs *)kernel->attrs)->dtype));
    draw_poisson(philox, rate, kernel->output[0]);
    return TN_OK;
}

const tn__op tn__op_StatelessRandomPoisson = {
    .name = "StatelessRandomPoisson",
    .inputs = "shape: T, seed: Tseed, lam: Rtype",
    .outputs = "output: dtype",
    .types = "Rtype: " PARAMETER_TYPES "; dtype: " PARAMETER_TYPES
             "; T: int32, int64; Tseed: int32, int64",
    .attrs = dtype_fields,
    .attrs_size = sizeof(dtype_attrs),
    .infer = whole_infer,
    .compute = stateless_poisson_compute,
    .no_gradient = "none: counts",
    .flags = TN__HALF,
};

/* --- binomial --------------------------------------------------------------------------------- */
/* Row-major place in a tensor that is broadcast to `shape`, of its place number `at`. */
static int64_t broadcast_place(const tn_tensor *x, const tn_shape *shape, int64_t at)
{
    int64_t place = 0, step = 1;
    for (int i = 1; i <= shape->rank; i++) {
        int64_t dim = shape->dims[shape->rank - i],
                own = i <= x->shape.rank ? x->shape.dims[x->shape.rank - i] : 1;
        place += own == 1 ? 0 : at % dim * step;
        step *= own;
        at /= dim;
    }
    return place;
}

static tn_status stateless_binomial_compute(tn__kernel *kernel)
{
    const tn_tensor *counts = kernel->input[2], *probs = kernel->input[3];
    tn__philox philox;
    tn_shape shape;
    TN_TRY(seed_philox(kernel->input[1], &philox));
    if (!tn__shape_broadcast(&counts->shape, &probs->shape, &shape))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "counts and probs must have compatible batch dimensions: %s vs. %s",
                        TN__BRACKETS(counts->shape), TN__BRACKETS(probs->shape));
    TN_TRY(make_whole(kernel, &shape, ((const dtype_attrs *)kernel->attrs)->dtype));
    int64_t parameters = tn__shape_count(&shape),
            samples = samples_of(kernel->output[0], parameters);
    for (int64_t p = 0; p < parameters; p++) {
        double count = tn__double_at(counts, broadcast_place(counts, &shape, p));
        double probability = tn__double_at(probs, broadcast_place(probs, &shape, p));
        for (int64_t i = 0; i < samples; i++)
            put(kernel->output[0], i * parameters + p,
                tn__random_binomial(philox, (uint64_t)(p * samples + i), count, probability));
    }
    return TN_OK;
}

const tn__op tn__op_StatelessRandomBinomial = {
    .name = "StatelessRandomBinomial",
    .inputs = "shape: S, seed: Tseed, counts: T, probs: T",
    .outputs = "output: dtype",
    .types =
        "T: " PARAMETER_TYPES "; dtype: " PARAMETER_TYPES "; S: int32, int64; Tseed: int32, int64",
    .attrs = binomial_fields,
    .attrs_size = sizeof(dtype_attrs),
    .infer = whole_infer,
    .compute = stateless_binomial_compute,
    .no_gradient = "none: counts",
    .flags = TN__HALF,
};

/* --- categorical ------------------------------------------------------------------------------ */
static tn_status check_logits(const tn_shape *logits)
{
    if (logits->known && logits->rank != 2)
        return tn__fail(TN_INVALID_ARGUMENT, "logits should be a matrix, got shape %s",
                        TN__BRACKETS(*logits));
    return TN_OK;
}

static tn_status check_samples(int64_t samples)
{
    if (samples < 0)
        return tn__fail(TN_INVALID_ARGUMENT, "num_samples should be non-negative, got %lld",
                        (long long)samples);
    return TN_OK;
}

/* (rows, classes) and a number give (rows, number). */
static tn_status categorical_infer(tn__infer *infer)
{
    const tn_shape *logits = &infer->input[0]->shape;
    int64_t samples = 0;
    bool known = tn__known_int(infer->input[1], &samples);
    TN_TRY(check_logits(logits));
    TN_TRY(tn__infer_rank(infer, 1, 0, 0));
    TN_TRY(check_samples(samples));
    infer->output[0].shape =
        TN_SHAPE(logits->known ? logits->dims[0] : TN_NONE, known ? samples : TN_NONE);
    return TN_OK;
}

static tn_status make_categorical(tn__kernel *kernel, tn_dtype dtype)
{
    const tn_shape *logits = &kernel->input[0]->shape;
    int64_t samples = tn__int_at(kernel->input[1], 0);
    TN_TRY(check_samples(samples));
    if (logits->dims[1] == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "num_classes should be positive, got 0");
    return tn__ensure_output(kernel, 0, dtype, &TN_SHAPE(logits->dims[0], samples));
}

static tn_status draw_classes(tn__philox philox, const tn_tensor *logits, tn_tensor *out)
{
    int64_t count = tn__count(logits), drawn = tn__count(out);
    double *numbers = tn__alloc((size_t)(count ? count : 1) * sizeof *numbers);
    int64_t *classes = tn__alloc((size_t)(drawn ? drawn : 1) * sizeof *classes);
    tn_status status = numbers && classes ? TN_OK : TN_RESOURCE_EXHAUSTED;
    for (int64_t i = 0; i < count && status == TN_OK; i++)
        numbers[i] = tn__double_at(logits, i);
    if (status == TN_OK)
        status = tn__random_categorical(philox, numbers, (size_t)logits->shape.dims[0],
                                        (size_t)logits->shape.dims[1], (size_t)out->shape.dims[1],
                                        classes);
    size_t size = tn__dtype_size((tn_dtype)out->dtype);
    for (int64_t i = 0; i < drawn && status == TN_OK; i++)
        tn__element_from_int((tn_dtype)out->dtype, classes[i],
                             (char *)out->data + (size_t)i * size);
    tn__free(numbers);
    tn__free(classes);
    return status;
}

static tn_status multinomial_compute(tn__kernel *kernel)
{
    tn__philox philox;
    TN_TRY(make_categorical(kernel, ((const tn__random_attrs *)kernel->attrs)->dtype));
    const tn_shape *shape = &kernel->output[0]->shape;
    /* a sample counts as two values, a row's number of samples as a multiple of 4 */
    uint64_t values = (uint64_t)shape->dims[0] * (((uint64_t)shape->dims[1] + 3) / 4 * 4) * 2;
    TN_TRY(tn__random_take(kernel, tn__philox_blocks(values), &philox));
    return draw_classes(philox, kernel->input[0], kernel->output[0]);
}

static tn_status stateless_multinomial_compute(tn__kernel *kernel)
{
    tn__philox philox;
    TN_TRY(seed_philox(kernel->input[2], &philox));
    TN_TRY(make_categorical(kernel, ((const dtype_attrs *)kernel->attrs)->dtype));
    return draw_classes(philox, kernel->input[0], kernel->output[0]);
}

#define OUTPUT_DTYPE(type)                                                               \
    {                                                                                    \
        .kind = TN_FIELD_DTYPE, .name = "output_dtype", .offset = offsetof(type, dtype), \
        .fallback = "int64"                                                              \
    }
static const tn_field multinomial_fields[] = {
    TN__ROW(TN_FIELD_INT, tn__random_attrs, seed, "0", NULL),
    TN__ROW(TN_FIELD_INT, tn__random_attrs, seed2, "0", NULL),
    OUTPUT_DTYPE(tn__random_attrs),
    TN__END_OF_FIELDS,
};
static const tn_field stateless_multinomial_fields[] = {
    OUTPUT_DTYPE(dtype_attrs),
    TN__END_OF_FIELDS,
};

const tn__op tn__op_Multinomial = {
    .name = "Multinomial",
    .inputs = "logits: T, num_samples: int32",
    .outputs = "output: output_dtype",
    .types = "T: number; output_dtype: int32, int64",
    .attrs = multinomial_fields,
    .attrs_size = sizeof(tn__random_attrs),
    .infer = categorical_infer,
    .compute = multinomial_compute,
    .no_gradient = "none: class numbers",
    .flags = TN__STATEFUL | TN__HALF,
};

const tn__op tn__op_StatelessMultinomial = {
    .name = "StatelessMultinomial",
    .inputs = "logits: T, num_samples: int32, seed: Tseed",
    .outputs = "output: output_dtype",
    .types = "T: number; output_dtype: int32, int64; Tseed: int32, int64",
    .attrs = stateless_multinomial_fields,
    .attrs_size = sizeof(dtype_attrs),
    .infer = categorical_infer,
    .compute = stateless_multinomial_compute,
    .no_gradient = "none: class numbers",
    .flags = TN__HALF,
};

/* --- tf.random -------------------------------------------------------------------------------- */
/* numpy's finfo(dtype).tiny: no gamma number is less. */
static double tiny(tn_dtype dtype)
{
    return dtype == TN_FLOAT16 ? 0x1p-14 : dtype == TN_FLOAT64 ? 0x1p-1022 : 0x1p-126;
}

/* alpha broadcast with beta; the numbers are drawn for that, and divided by beta afterwards. */
static tn_tensor *broadcast_alpha(tn_tensor *alpha, tn_tensor *beta)
{
    return beta ? tn_add(alpha, tn_zeros_like(beta)) : alpha;
}

static tn_tensor *finish_gamma(tn_tensor *drawn, tn_tensor *beta)
{
    if (drawn && beta)
        drawn = tn_divide(drawn, beta);
    return drawn ? tn_maximum(tn__like(drawn, tiny((tn_dtype)drawn->dtype)), drawn) : NULL;
}

tn_tensor *tn_random_gamma_with(const tn_random_gamma_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *shape = tn__random_shape(&o->shape, "tn_random_gamma");
    if (!shape || !tn__check_tensor(o->alpha, "tn_random_gamma: alpha"))
        return NULL;
    tn_tensor *alpha = broadcast_alpha(o->alpha, o->beta);
    if (tn__failed(context))
        return NULL;
    tn__random_attrs attrs = tn__random_attrs_of(context, o->seed, (tn_dtype)alpha->dtype);
    return finish_gamma(TN__APPLY(tn__op_RandomGamma, &attrs, shape, alpha), o->beta);
}

tn_tensor *tn__stateless_gamma(tn_tensor *shape, tn_tensor *seed, tn_tensor *alpha)
{
    return finish_gamma(tn__stateless_op(&tn__op_StatelessRandomGammaV3, (tn_dtype)0, shape,
                                         tn__key_counter(seed), 1, &alpha),
                        NULL);
}

tn_tensor *tn_random_stateless_gamma_with(const tn_random_stateless_gamma_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *shape = tn__random_shape(&o->shape, "tn_random_stateless_gamma");
    if (!shape || !tn__check_tensor(o->alpha, "tn_random_stateless_gamma: alpha"))
        return NULL;
    tn_tensor *alpha = broadcast_alpha(o->alpha, o->beta);
    return finish_gamma(tn__stateless_op(&tn__op_StatelessRandomGammaV3, (tn_dtype)0, shape,
                                         tn__key_counter(o->seed), 1, &alpha),
                        o->beta);
}

tn_tensor *tn_random_poisson_with(const tn_random_poisson_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *shape = tn__random_shape(&o->shape, "tn_random_poisson");
    if (!shape || !tn__check_tensor(o->lam, "tn_random_poisson: lam"))
        return NULL;
    tn__random_attrs attrs = tn__random_attrs_of(context, o->seed, o->dtype);
    return TN__APPLY(tn__op_RandomPoissonV2, &attrs, shape, o->lam);
}

tn_tensor *tn_random_stateless_poisson_with(const tn_random_stateless_poisson_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *shape = tn__random_shape(&o->shape, "tn_random_stateless_poisson");
    const dtype_attrs attrs = { o->dtype };
    return TN__APPLY(tn__op_StatelessRandomPoisson, &attrs, shape, o->seed, o->lam);
}

tn_tensor *tn_random_stateless_binomial_with(const tn_random_stateless_binomial_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *shape = tn__random_shape(&o->shape, "tn_random_stateless_binomial");
    const dtype_attrs attrs = { o->output_dtype };
    return TN__APPLY(tn__op_StatelessRandomBinomial, &attrs, shape, o->seed, o->counts, o->probs);
}

tn_tensor *tn_random_categorical_with(const tn_random_categorical_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *samples = tn__whole(o->num_samples, TN_INT32);
    if (!samples || !tn__check_tensor(o->logits, "tn_random_categorical: logits"))
        return NULL;
    tn__random_attrs attrs = tn__random_attrs_of(context, o->seed, o->dtype);
    return TN__APPLY(tn__op_Multinomial, &attrs, o->logits, samples);
}

tn_tensor *tn__stateless_categorical(tn_tensor *logits, int64_t num_samples, tn_tensor *seed,
                                     tn_dtype dtype)
{
    const dtype_attrs attrs = { dtype };
    return TN__APPLY(tn__op_StatelessMultinomial, &attrs, logits, tn__whole(num_samples, TN_INT32),
                     seed);
}

tn_tensor *tn_random_stateless_categorical_with(const tn_random_stateless_categorical_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    return tn__stateless_categorical(o->logits, o->num_samples, o->seed, o->dtype);
}
