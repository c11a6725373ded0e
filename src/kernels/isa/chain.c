/* chain.c - chains of element-wise functions, a tile of numbers at a time, so that what goes from one to the next stays in the first
 * cache. */
#include "kernels/isa/math.h"

enum { LENGTH = TN__CHAIN_TILE, ROOM = 2 * LENGTH }; /* room for an input that is broadcast */

/* --- functions of whole vectors ----------------------------------------------------------------------------------------- */
#define EACH_VECTOR(name, expression) \
    static void name(const float *a, const float *b, float *to, int64_t count) \
    { \
        for (int64_t i = 0; i < count; i += LANES) { \
            vector x = load(a + i), y = load(b + i); \
            (void)y; \
            store(to + i, (expression)); \
        } \
    }
#define SELU_SCALE 1.0507009873554804934193349852946f
#define SELU_SCALE_ALPHA (float)(1.0507009873554804934193349852946 * 1.6732632423543772848170429916717)
EACH_VECTOR(copy, x)
EACH_VECTOR(add, x + y)
EACH_VECTOR(subtract, x - y)
EACH_VECTOR(multiply, x *y)
EACH_VECTOR(divide, x / y)
EACH_VECTOR(maximum, larger(x, y))
EACH_VECTOR(minimum, lesser(x, y))
EACH_VECTOR(squared_difference, (x - y) * (x - y))
EACH_VECTOR(negative, -x)
EACH_VECTOR(magnitude, absolute(x))
EACH_VECTOR(square, x *x)
EACH_VECTOR(root, square_root(x))
EACH_VECTOR(reciprocal_root, 1 / square_root(x))
EACH_VECTOR(reciprocal, 1 / x)
EACH_VECTOR(exp_of, exponential(x))
EACH_VECTOR(log_of, logarithm(x))
EACH_VECTOR(tanh_of, hyperbolic_tangent(x))
EACH_VECTOR(sigmoid_of, logistic(x))
EACH_VECTOR(relu_of, relu(x))
EACH_VECTOR(relu_gradient, x *choose(y > 0, broadcast(1), (vector){ 0 }))
EACH_VECTOR(tanh_gradient, y *(1 - x * x))
EACH_VECTOR(sigmoid_gradient, y *x *(1 - x))
EACH_VECTOR(sign_of, choose(x > 0, broadcast(1), choose(x < 0, broadcast(-1), choose(x != x, x, (vector){ 0 }))))
EACH_VECTOR(expm1_of, exponential_less_1(x))
EACH_VECTOR(log1p_of, logarithm_of_1_and(x))
EACH_VECTOR(erf_of, error_function(x))
EACH_VECTOR(erfc_of, error_complement(x))
EACH_VECTOR(softplus_of, soft_plus(x))
EACH_VECTOR(softplus_gradient, x / (1 + exponential(-y)))
EACH_VECTOR(relu6_of, choose(x > 6, broadcast(6), relu(x)))
EACH_VECTOR(relu6_gradient, x *choose((y > 0) & (y < 6), broadcast(1), (vector){ 0 }))
EACH_VECTOR(elu_of, choose(x < 0, exponential(x) - 1, x))
EACH_VECTOR(elu_gradient, choose(y < 0, (y + 1) * x, x))
EACH_VECTOR(selu_of, choose(x < 0, (exponential(x) - 1) * SELU_SCALE_ALPHA, x *SELU_SCALE))
EACH_VECTOR(selu_gradient, choose(y < 0, (y + SELU_SCALE_ALPHA) * x, x *SELU_SCALE))
EACH_VECTOR(leaky_of, choose(x > 0, x, x *y))
EACH_VECTOR(leaky_slope, choose(x > 0, broadcast(1), y))

typedef void (*function)(const float *a, const float *b, float *to, int64_t count);
static const function functions[TN__FUNCTIONS] = {
    [TN__DO_COPY] = copy, [TN__DO_ADD] = add, [TN__DO_SUBTRACT] = subtract, [TN__DO_MULTIPLY] = multiply, [TN__DO_DIVIDE] = divide,
    [TN__DO_MAXIMUM] = maximum, [TN__DO_MINIMUM] = minimum, [TN__DO_SQUARED_DIFFERENCE] = squared_difference,
    [TN__DO_NEGATIVE] = negative, [TN__DO_ABS] = magnitude, [TN__DO_SQUARE] = square, [TN__DO_SQRT] = root,
    [TN__DO_RSQRT] = reciprocal_root, [TN__DO_RECIPROCAL] = reciprocal, [TN__DO_EXP] = exp_of, [TN__DO_LOG] = log_of,
    [TN__DO_TANH] = tanh_of, [TN__DO_SIGMOID] = sigmoid_of, [TN__DO_RELU] = relu_of, [TN__DO_RELU_GRAD] = relu_gradient,
    [TN__DO_TANH_GRAD] = tanh_gradient, [TN__DO_SIGMOID_GRAD] = sigmoid_gradient,
    [TN__DO_SIGN] = sign_of, [TN__DO_EXPM1] = expm1_of, [TN__DO_LOG1P] = log1p_of, [TN__DO_ERF] = erf_of, [TN__DO_ERFC] = erfc_of,
    [TN__DO_SOFTPLUS] = softplus_of, [TN__DO_SOFTPLUS_GRAD] = softplus_gradient, [TN__DO_RELU6] = relu6_of,
    [TN__DO_RELU6_GRAD] = relu6_gradient, [TN__DO_ELU] = elu_of, [TN__DO_ELU_GRAD] = elu_gradient, [TN__DO_SELU] = selu_of,
    [TN__DO_SELU_GRAD] = selu_gradient, [TN__DO_LEAKY_RELU] = leaky_of, [TN__DO_LEAKY_SLOPE] = leaky_slope,
};

/* --- tiles -------------------------------------------------------------------------------------------------------------- */
static bool is_repeated(const tn__chain_input *in)
{
    return in->run == 1 && in->period > 0 && in->period <= LENGTH - LANES;
}

/* Numbers at + 0..count-1 of an input that is broadcast: number i of it stands for each i of (i / run) % period. */
static void spread(const tn__chain_input *in, int64_t at, int64_t count, float *to)
{
    int64_t place = at / in->run % in->period, left = in->run - at % in->run;
    for (int64_t i = 0; i < count;) {
        if (in->run == 1) { /* a stretch of numbers side by side */
            int64_t n = smaller(in->period - place, count - i);
            memcpy(to + i, in->data + place, (size_t)n * sizeof *to);
            i += n;
            place = 0;
            continue;
        }
        int64_t n = smaller(left, count - i);
        for (int64_t end = i + n; i < end; i++)
            to[i] = in->data[place];
        left = in->run;
        place = place + 1 == in->period ? 0 : place + 1;
    }
}

/* Where each operand's numbers are for the tile: in place, or in scratch where they are spread, or behind the end whole vectors
 * would be read. */
typedef struct {
    const float *from[TN__CHAIN_INPUTS + TN__CHAIN_STEPS];
} places;

static void place_inputs(const tn__chain *c, int64_t at, int64_t count, float *scratch, places *p)
{
    for (int i = 0; i < c->inputs; i++) {
        const tn__chain_input *in = &c->in[i];
        float *copy = scratch + i * ROOM;
        p->from[i] = copy;
        if (is_repeated(in)) {
            p->from[i] = copy + at % in->period;
        } else if (in->period == 0 && count % LANES == 0) {
            p->from[i] = in->data + at;
        } else if (in->period == 0) {
            memset(copy + count / LANES * LANES, 0, LANES * sizeof *copy);
            memcpy(copy, in->data + at, (size_t)count * sizeof *copy);
        } else {
            spread(in, at, count, copy);
        }
    }
}

/* A short vector, or one number, stands in scratch again and again: every tile finds it there from its own phase on. */
static void repeat(const tn__chain_input *in, int64_t count, float *copy)
{
    int64_t there = in->period, needed = smaller(count, LENGTH) + in->period + LANES;
    memcpy(copy, in->data, (size_t)there * sizeof *copy);
    for (; there < needed && there < ROOM; there *= 2)
        memcpy(copy + there, copy, (size_t)smaller(there, ROOM - there) * sizeof *copy);
}

static void stream_all(float *to, const float *from, int64_t count)
{
    for (int64_t i = 0; i < count; i += LANES)
        stream(to + i, load(from + i));
}

static float *out_of(const tn__chain *c, int i, int64_t at, int64_t first)
{
    return c->step[i].out ? c->step[i].out + (i + 1 == c->apart ? at - first : at) : NULL;
}

/* For a tile some way behind this one. */
static void fetch_ahead(const tn__chain *c, int64_t at)
{
    for (int i = 0; i < c->inputs; i++)
        if (c->in[i].period == 0)
            fetch(c->in[i].data + at + 2 * LENGTH, LENGTH);
}

/* `large`: whole tiles of results are computed in scratch and written past the caches from there. */
static void run_tile(const tn__chain *c, int64_t at, int64_t first, int64_t count, bool large, float *scratch, places *p)
{
    place_inputs(c, at, count, scratch, p);
    if (large)
        fetch_ahead(c, at);
    float *results = scratch + c->inputs * ROOM;
    bool direct = count % LANES == 0;
    for (int i = 0; i < c->steps; i++) {
        const tn__chain_step *s = &c->step[i];
        float *out = out_of(c, i, at, first);
        bool past = large && direct && out && on_a_vector(out);
        float *to = direct && out && !past ? out : results + s->place * LENGTH;
        functions[s->function](p->from[s->a], p->from[s->b], to, count);
        p->from[c->inputs + i] = to;
        if (past)
            stream_all(out, to, count);
        if (!direct && out)
            memcpy(out, to, (size_t)count * sizeof *to);
    }
}

void TN__ISA(tn__chain)(const tn__chain *c, int64_t first, int64_t last, float *scratch)
{
    places p;
    for (int i = 0; i < c->inputs; i++)
        if (is_repeated(&c->in[i]))
            repeat(&c->in[i], last - first, scratch + i * ROOM);
    for (int64_t at = first; at < last; at += LENGTH)
        run_tile(c, at, first, smaller(last - at, LENGTH), last - first >= LARGE, scratch, &p);
    streamed();
}

size_t TN__ISA(tn__chain_scratch)(const tn__chain *c)
{
    return (size_t)(c->inputs * ROOM + c->places * LENGTH) * sizeof(float);
}
