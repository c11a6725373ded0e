/* activation.c - the squashing and rectifying functions of networks, and the ops that are their
 * gradients. */
#include "ops/chain.h"
#include "ops/elementwise.h"

/* y = scale α (eˣ - 1) below 0, scale x above */
static const double selu_scale = 1.0507009873554804934193349852946,
                    selu_alpha = 1.6732632423543772848170429916717;
#define SELU_SCALE AS_X(selu_scale)
#define SELU_SCALE_ALPHA AS_X((selu_scale * selu_alpha))

/* --- shorthands ------------------------------------------------------------------------------- */
#define ACTIVATION(op_name, LIST, expression, ...)                                         \
    LIST(UNARY_LOOP, op_name, expression)                                                  \
    UNARY_OP(op_name, "features: T", "activations: T", LIST##_TYPES, LIST##_ROWS(op_name), \
             __VA_ARGS__)
/* In the loop x is what arrives ("gradients"), y the place ("features" or "outputs"). */
#define ACTIVATION_GRAD(op_name, place, LIST, expression, ...)                     \
    LIST(BINARY_LOOP, op_name, expression)                                         \
    BINARY_OP(op_name, "gradients: T, " place ": T", "backprops: T", LIST##_TYPES, \
              LIST##_ROWS(op_name), tn__infer_pair, tn__binary_compute, __VA_ARGS__)
/* The gradient of a function of x whose op is another op of (dy, place). */
#define BY_OP(name, grad, place) UNARY_RULE(name, TN__APPLY(tn__op_##grad, NULL, dy, place))
/* The gradient of such an op, b = grad(a, p): linear in a, so by a it is itself; by p as given,
 * from a, p and db. */
#define GRAD_RULE(name, grad, by_place)                           \
    static void name##_gradient(tn__gradient *g)                  \
    {                                                             \
        tn_tensor *a = g->in[0], *p = g->in[1], *db = g->dout[0]; \
        (void)a;                                                  \
        g->din[0] = TN__APPLY(tn__op_##grad, NULL, db, p);        \
        if (g->wanted[1])                                         \
            g->din[1] = (by_place);                               \
    }

/* --- sigmoid and tanh ------------------------------------------------------------------------- */
/* Of b = a (y - y²) with (y, a) as inputs: by y a db (1 - 2 y), by a the same op */
static void sigmoid_grad_gradient(tn__gradient *g)
{
    tn_tensor *y = g->in[0], *product = tn_multiply(g->dout[0], g->in[1]);
    g->din[0] = tn_subtract(product, tn_multiply(tn_multiply(tn__like(y, 2), product), y));
    g->din[1] = TN__APPLY(tn__op_SigmoidGrad, NULL, y, g->dout[0]);
}

/* Of b = a (1 - y²) with (y, a) as inputs: by y -2 a y db, by a the same op */
static void tanh_grad_gradient(tn__gradient *g)
{
    tn_tensor *y = g->in[0], *a = g->in[1], *db = g->dout[0];
    g->din[0] = tn_multiply(tn_multiply(tn_multiply(db, tn__like(db, -2)), a), y);
    g->din[1] = TN__APPLY(tn__op_TanhGrad, NULL, y, db);
}

/* In these two loops x is y = f(x), y is dy. */
#define FROM_OUTPUT(op_name, expression, rule, function_)                                    \
    FLOATS(BINARY_LOOP, op_name, expression)                                      \
    BINARY_OP(op_name, "y: T, dy: T", "z: T", FLOATS_TYPES, FLOATS_ROWS(op_name), \
              tn__infer_counted_pair, tn__binary_compute, .gradient = rule,          \
              .function = function_)
FROM_OUTPUT(SigmoidGrad, (y * x * (1 - x)), sigmoid_grad_gradient, TN__DO_SIGMOID_GRAD)
FROM_OUTPUT(TanhGrad, (y * (1 - x * x)), tanh_grad_gradient, TN__DO_TANH_GRAD)

UNARY_RULE(sigmoid, TN__APPLY(tn__op_SigmoidGrad, NULL, y, dy)) /* dy y (1 - y) */
UNARY_RULE(tanh, TN__APPLY(tn__op_TanhGrad, NULL, y, dy))       /* dy (1 - y²) */
/* Far below 0 the exponential overflows to infinity and the result is the 0 that it should be. */
UNARY(Sigmoid, FLOATS, 1 / (1 + exp(-x)), .gradient = sigmoid_gradient, .function = TN__DO_SIGMOID)
UNARY(Tanh, FLOATS, tanh(x), .gradient = tanh_gradient, .function = TN__DO_TANH)

/* --- rectifiers ------------------------------------------------------------------------------- */
BY_OP(relu, ReluGrad, y)   /* dy where y > 0 */
BY_OP(relu6, Relu6Grad, y) /* dy where 0 < y < 6 */
GRAD_RULE(relu_grad, ReluGrad, tn_zeros_like(p))
GRAD_RULE(relu6_grad, Relu6Grad, tn_zeros_like(p))
/* NaN goes through. */
ACTIVATION(Relu, NUMBERS, x < 0 ? 0 : x, .gradient = relu_gradient, .function = TN__DO_RELU)
ACTIVATION(Relu6, NUMBERS, (x < 0 ? 0 : x > 6 ? 6 : x), .gradient = relu6_gradient, .function = TN__DO_RELU6)
/* By multiplication, as TensorFlow does: what is not finite is not hidden by an inactive unit. */
ACTIVATION_GRAD(ReluGrad, "features", NUMBERS, (x * (y > 0)), .gradient = relu_grad_gradient, .function = TN__DO_RELU_GRAD)
ACTIVATION_GRAD(Relu6Grad, "features", NUMBERS, (x * (y > 0 && y < 6)),
                .gradient = relu6_grad_gradient, .function = TN__DO_RELU6_GRAD)

typedef struct {
    double alpha;
} leaky_attrs;
static const tn_field leaky_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, leaky_attrs, alpha, "0.2", NULL),
    TN__END_OF_FIELDS,
};

/* TensorFlow's attribute is a float. */
static float alpha_of(const tn__kernel *kernel)
{
    return (float)((const leaky_attrs *)kernel->attrs)->alpha;
}

static tn_status leaky_compute(tn__kernel *kernel)
{
    float alpha = alpha_of(kernel);
    const void *x = kernel->input[0]->data;
    void *y = kernel->output[0]->data;
    int64_t n = tn__count(kernel->output[0]);
    if (kernel->input[0]->dtype == TN_FLOAT32) {
        tn__chain chain = { .inputs = 2, .steps = 1, .places = 1, .in = { { x, 1, 0 }, { &alpha, 1, 1 } }, .step = { { TN__DO_LEAKY_RELU, 0, 1, 0, y } } };
        return tn__chain_run(kernel->context, &chain, n);
    }
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = (((const double *)x)[i] > 0 ? 1 : (double)alpha) * ((const double *)x)[i];
    return TN_OK;
}

static tn_status leaky_grad_compute(tn__kernel *kernel)
{
    float alpha = alpha_of(kernel);
    const void *dy = kernel->input[0]->data, *x = kernel->input[1]->data;
    void *dx = kernel->output[0]->data;
    int64_t n = tn__count(kernel->output[0]);
    if (kernel->input[0]->dtype == TN_FLOAT32) {
        tn__chain chain = { .inputs = 3, .steps = 2, .places = 2, .in = { { dy, 1, 0 }, { x, 1, 0 }, { &alpha, 1, 1 } },
                            .step = { { TN__DO_LEAKY_SLOPE, 1, 2, 0, NULL }, { TN__DO_MULTIPLY, 0, 3, 1, dx } } };
        return tn__chain_run(kernel->context, &chain, n);
    }
    for (int64_t i = 0; i < n; i++)
        ((double *)dx)[i] = (((const double *)x)[i] > 0 ? 1 : (double)alpha) * ((const double *)dy)[i];
    return TN_OK;
}

/* dx = dy where x > 0, α dy elsewhere */
static void leaky_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_LeakyReluGrad, g->attrs, g->dout[0], g->in[0]);
}

static void leaky_grad_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_LeakyReluGrad, g->attrs, g->dout[0], g->in[1]);
    g->din[1] = tn_zeros_like(g->in[1]);
}

#define LEAKY(op_name, in_, out_, ...)                                   \
    const tn__op tn__op_##op_name = { .name = #op_name,                  \
                                      .inputs = in_,                     \
                                      .outputs = out_,                   \
                                      .types = FLOATS_TYPES,             \
                                      .attrs = leaky_fields,             \
                                      .attrs_size = sizeof(leaky_attrs), \
                                      __VA_ARGS__ };
LEAKY(LeakyRelu, "features: T", "activations: T", .infer = tn__infer_same, .compute = leaky_compute,
      .gradient = leaky_gradient)
LEAKY(LeakyReluGrad, "gradients: T, features: T", "backprops: T", .infer = tn__infer_pair,
      .compute = leaky_grad_compute, .gradient = leaky_grad_gradient)

/* --- exponential linear units ----------------------------------------------------------------- */
/* a db where the unit is on its curve, 0 on its straight part */
static tn_tensor *on_the_curve(tn_tensor *outputs, tn_tensor *a, tn_tensor *db)
{
    return tn_where(tn_less(outputs, tn__like(outputs, 0)), tn_multiply(db, a),
                    tn_zeros_like(outputs));
}

BY_OP(elu, EluGrad, y)   /* dy (y + 1) where y < 0, else dy */
BY_OP(selu, SeluGrad, y) /* dy (y + scale α) where y < 0, else scale dy */
GRAD_RULE(elu_grad, EluGrad, on_the_curve(p, a, db))
GRAD_RULE(selu_grad, SeluGrad, on_the_curve(p, a, db))
/* TensorFlow has no expm1 here: just below 0 both are 0, and their gradients those of the straight
 * part. */
ACTIVATION(Elu, FLOATS, x < 0 ? exp(x) - 1 : x, .gradient = elu_gradient, .function = TN__DO_ELU)
ACTIVATION(Selu, FLOATS, x < 0 ? SELU_SCALE_ALPHA * (exp(x) - 1) : SELU_SCALE * x,
           .gradient = selu_gradient, .function = TN__DO_SELU)
ACTIVATION_GRAD(EluGrad, "outputs", FLOATS, y < 0 ? (y + 1) * x : x, .gradient = elu_grad_gradient,
                .function = TN__DO_ELU_GRAD)
ACTIVATION_GRAD(SeluGrad, "outputs", FLOATS, y < 0 ? (y + SELU_SCALE_ALPHA) * x : SELU_SCALE * x,
                .gradient = selu_grad_gradient, .function = TN__DO_SELU_GRAD)

/* --- softplus and softsign -------------------------------------------------------------------- */
/* By p of a σ(p): a db σ'(p), σ' = 1 / (e⁻ᵖ + 2 + eᵖ) */
static tn_tensor *softplus_curvature(tn_tensor *a, tn_tensor *p, tn_tensor *db)
{
    tn_tensor *below = tn_add(tn_add(tn_exp(tn_negative(p)), tn__like(p, 2)), tn_exp(p));
    return tn_divide(tn_multiply(db, a), below);
}

/* By p of a / (1 + |p|)²: -2 a db sign p / (1 + |p|)³ */
static tn_tensor *softsign_curvature(tn_tensor *a, tn_tensor *p, tn_tensor *db)
{
    tn_tensor *width = tn_add(tn__like(p, 1), tn_abs(p));
    tn_tensor *above = tn_multiply(tn_multiply(tn_multiply(db, a), tn__like(p, -2)), tn_sign(p));
    return tn_divide(above, tn_multiply(width, tn_square(width)));
}

UNARY_RULE(softplus, tn_multiply(dy, tn_sigmoid(x))) /* dy σ(x) */
BY_OP(softsign, SoftsignGrad, x)                     /* dy / (1 + |x|)² */
GRAD_RULE(softplus_grad, SoftplusGrad, softplus_curvature(a, p, db))
GRAD_RULE(softsign_grad, SoftsignGrad, softsign_curvature(a, p, db))
/* log(1 + eˣ) without overflow: x + log(1 + e⁻ˣ) above 0. */
ACTIVATION(Softplus, FLOATS, x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)),
           .gradient = softplus_gradient, .function = TN__DO_SOFTPLUS)
ACTIVATION(Softsign, FLOATS, x / (1 + fabs(x)), .gradient = softsign_gradient)
ACTIVATION_GRAD(SoftplusGrad, "features", FLOATS, x / (1 + exp(-y)),
                .gradient = softplus_grad_gradient, .function = TN__DO_SOFTPLUS_GRAD)
ACTIVATION_GRAD(SoftsignGrad, "features", FLOATS, x / ((1 + fabs(y)) * (1 + fabs(y))),
                .gradient = softsign_grad_gradient)

/* --- public ----------------------------------------------------------------------------------- */
UNARY_WRAPPER(tn_sigmoid, Sigmoid)
UNARY_WRAPPER(tn_tanh, Tanh)
UNARY_WRAPPER(tn_softplus, Softplus)
UNARY_WRAPPER(tn_nn_softsign, Softsign)
UNARY_WRAPPER(tn_nn_relu, Relu)
UNARY_WRAPPER(tn_nn_relu6, Relu6)
UNARY_WRAPPER(tn_nn_elu, Elu)
UNARY_WRAPPER(tn_nn_selu, Selu)

tn_tensor *tn_nn_leaky_relu_with(const tn_nn_leaky_relu_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    if (!tn__check_tensor(options->features, "tn_nn_leaky_relu: features"))
        return NULL;
    tn_tensor *x = options->features;
    if (tn__in(TN__INTS,
               (tn_dtype)x->dtype)) /* as tf.nn.leaky_relu: whole numbers become float32 */
        x = tn_cast(x, TN_FLOAT32);
    return TN__APPLY(tn__op_LeakyRelu, &(leaky_attrs){ options->alpha }, x);
}

/* log σ(x) = -softplus(-x) */
tn_tensor *tn_log_sigmoid(tn_tensor *x)
{
    return tn_negative(tn_softplus(tn_negative(x)));
}

/* A constant that TensorFlow's Python makes float32 before it takes x's dtype, so float64 has no
 * more digits of it. */
static tn_tensor *single(tn_tensor *x, double value)
{
    return tn__like(x, (float)value);
}

tn_tensor *tn_nn_silu_with(const tn_nn_silu_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    tn_tensor *x = options->features;
    if (!tn__check_tensor(x, "tn_nn_silu: features"))
        return NULL;
    return tn_multiply(
        x, tn_sigmoid(options->beta == 1 ? x : tn_multiply(single(x, options->beta), x)));
}

/* x Φ(x), exactly x/2 erfc(-x/√2), or by x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))) */
tn_tensor *tn_nn_gelu_with(const tn_nn_gelu_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    tn_tensor *x = options->features;
    if (!tn__check_tensor(x, "tn_nn_gelu: features"))
        return NULL;
    if (!tn__in(TN__FLOATS, (tn_dtype)x->dtype)) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "`features.dtype` must be a floating point tensor.Received:features.dtype=<dtype: "
                 "'%s'>",
                 tn__dtype_name((tn_dtype)x->dtype));
        return NULL;
    }
    tn_tensor *half = tn_multiply(tn__like(x, 0.5), x);
    if (!options->approximate)
        return tn_multiply(half,
                           tn_erfc(tn_multiply(tn_negative(x), single(x, 0.7071067811865476))));
    tn_tensor *cube = tn_multiply(single(x, 0.044715), tn_pow(x, tn__like(x, 3)));
    tn_tensor *inner = tn_multiply(tn__like(x, 0.7978845608028654), tn_add(x, cube));
    return tn_multiply(half, tn_add(tn__like(x, 1), tn_tanh(inner)));
}
