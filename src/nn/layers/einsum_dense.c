/* einsum_dense.c - y = activation(einsum(equation, x, kernel) + bias) */
#include "nn/config.h"
#include "nn/layers/layers.h"
#include <ctype.h>
#include <string.h>

typedef struct {
    tn_einsum_dense_options o;
    tn_variable *kernel, *bias;
    int rank; /* of the input it was built for */
} einsum_dense;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_STRING, einsum_dense, equation, NULL, NULL),
    TN__OPTION(TN_FIELD_SHAPE, einsum_dense, output_shape, "none", NULL),
    TN__OPTION(TN_FIELD_ACTIVATION, einsum_dense, activation, "none", NULL),
    TN__OPTION(TN_FIELD_STRING, einsum_dense, bias_axes, "none", NULL),
    TN__OPTION(TN_FIELD_INITIALIZER, einsum_dense, kernel_initializer, "glorot_uniform", NULL),
    TN__OPTION(TN_FIELD_INITIALIZER, einsum_dense, bias_initializer, "zeros", NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, einsum_dense, kernel_regularizer, "none", NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, einsum_dense, bias_regularizer, "none", NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, einsum_dense, activity_regularizer, "none", NULL),
    TN__OPTION(TN_FIELD_CONSTRAINT, einsum_dense, kernel_constraint, "none", NULL),
    TN__OPTION(TN_FIELD_CONSTRAINT, einsum_dense, bias_constraint, "none", NULL),
    TN__ROW(TN_FIELD_VARIABLE, einsum_dense, kernel, NULL, NULL),
    TN__ROW(TN_FIELD_VARIABLE, einsum_dense, bias, NULL, NULL),
    TN__END_OF_FIELDS,
};

/* --- the equation ----------------------------------------------------------------------------- */
/* "ab,bc->ac", "...b,bc->...c" or "ab...,bc->ac..." */
typedef struct {
    char in[TN_MAX_RANK + 1], weight[TN_MAX_RANK + 1], out[TN_MAX_RANK + 1];
    bool left, right; /* where the other dimensions are */
} parts;

static bool take(const char **at, const char *word)
{
    bool there = strncmp(*at, word, strlen(word)) == 0;
    *at += there ? strlen(word) : 0;
    return there;
}

static bool take_labels(const char **at, char labels[TN_MAX_RANK + 1])
{
    size_t count = 0;
    while (isalpha((unsigned char)(*at)[count]))
        count++;
    if (count == 0 || count > TN_MAX_RANK)
        return false;
    memcpy(labels, *at, count);
    labels[count] = 0;
    *at += count;
    return true;
}

static bool parse(const char *equation, parts *p)
{
    const char *at = equation;
    p->left = take(&at, "...");
    bool good = take_labels(&at, p->in);
    p->right = !p->left && take(&at, "...");
    good = good && take(&at, ",") && take_labels(&at, p->weight) && take(&at, "->") &&
           take(&at, "...") == p->left && take_labels(&at, p->out) &&
           take(&at, "...") == p->right && *at == 0 && !(p->right && strlen(p->in) < 2);
    if (!good)
        tn__fail(TN_INVALID_ARGUMENT,
                 "Invalid einsum equation '%s'. Equations must be in the form [X],[Y]->[Z], "
                 "...[X],[Y]->...[Z], or [X]...,[Y]->[Z]....",
                 equation);
    return good;
}

static void init(void *me)
{
    const tn_einsum_dense_options *o = &((const einsum_dense *)me)->o;
    parts p;
    if (!o->output_shape.known)
        tn__fail(TN_INVALID_ARGUMENT,
                 "EinsumDense.__init__() missing 1 required positional argument: 'output_shape'");
    else
        (void)parse(o->equation, &p);
}

/* --- shapes ----------------------------------------------------------------------------------- */
/* What one call of the layer is about. */
typedef struct plan {
    parts p;
    int elided;       /* dimensions that the ellipsis stands for */
    tn_shape in, out; /* whole */
    tn_shape kernel, bias;
    tn_axes inputs, outputs; /* of the kernel, for its initializer */
} plan;

/* The batch, the dimensions that were asked for, and those of the ellipsis between or behind. */
static bool whole_output(plan *plan, const tn_shape *asked)
{
    tn_shape *out = &plan->out;
    bool ellipsis = plan->p.left || plan->p.right;
    int between = plan->p.left && plan->elided > 0 ? plan->elided - 1 : 0;
    int behind = plan->p.right ? plan->elided : 0;
    int labels = asked->rank + (plan->p.left && plan->elided > 0 ? 0 : 1);
    if (plan->elided < 0 || (plan->elided > 0 && !ellipsis) || (int)strlen(plan->p.out) != labels ||
        1 + between + asked->rank + behind > TN_MAX_RANK)
        return false;
    *out = (tn_shape){ 1, 1, { plan->in.dims[0] } };
    for (int i = 0; i < between; i++)
        out->dims[out->rank++] = plan->in.dims[i + 1];
    for (int i = 0; i < asked->rank; i++)
        out->dims[out->rank++] = asked->dims[i];
    for (int i = 0; i < behind; i++)
        out->dims[out->rank++] = plan->in.dims[plan->in.rank - behind + i];
    return true;
}

/* The dimension of a label, TN_NONE when it is open; false: the labels do not have it. */
static bool size_of(const char *labels, const tn_shape *shape, int offset, char label,
                    int64_t *size)
{
    const char *at = strchr(labels, label);
    if (at && offset + (at - labels) < shape->rank)
        *size = shape->dims[offset + (at - labels)];
    return at != NULL;
}

static bool size_in(const plan *plan, char label, int64_t *size)
{
    return size_of(plan->p.in, &plan->in, plan->p.left ? plan->elided : 0, label, size);
}

static bool size_out(const plan *plan, char label, int64_t *size)
{
    return size_of(plan->p.out, &plan->out, plan->p.left ? plan->elided : 0, label, size);
}

static bool check_shared(const plan *plan)
{
    for (const char *label = plan->p.in; *label; label++) {
        int64_t in = TN_NONE, out = TN_NONE;
        if (!size_in(plan, *label, &in) || !size_out(plan, *label, &out) || out == TN_NONE ||
            in == out)
            continue;
        tn__fail(
            TN_INVALID_ARGUMENT,
            "Input shape and output shape do not match at shared dimension '%c'. Input shape is "
            "%lld, and output shape is %lld.",
            *label, (long long)in, (long long)out);
        return false;
    }
    for (const char *label = plan->p.out; *label; label++)
        if (!strchr(plan->p.in, *label) && !strchr(plan->p.weight, *label)) {
            tn__fail(
                TN_INVALID_ARGUMENT,
                "Dimension '%c' was specified in the output '%s' but has no corresponding dim in "
                "the input spec '%s' or weight spec '%s'",
                *label, plan->p.out, plan->p.in, plan->p.out);
            return false;
        }
    return true;
}

static bool kernel_shape(plan *plan)
{
    plan->kernel = (tn_shape){ 1, 0, { 0 } };
    for (const char *label = plan->p.weight; *label; label++) {
        int64_t size = TN_NONE;
        int axis = plan->kernel.rank;
        if (size_out(plan, *label, &size)) {
            plan->outputs.axis[plan->outputs.count++] = axis;
        } else if (size_in(plan, *label, &size)) {
            plan->inputs.axis[plan->inputs.count++] = axis;
        } else {
            tn__fail(
                TN_INVALID_ARGUMENT,
                "Weight dimension '%c' did not have a match in either the input spec '%s' or the "
                "output spec '%s'. For this layer, the weight must be fully specified.",
                *label, plan->p.in, plan->p.out);
            return false;
        }
        plan->kernel.dims[plan->kernel.rank++] = size;
    }
    return true;
}

/* From the first dimension that has a bias on: its size, or 1 where all share one. */
static bool bias_shape(plan *plan, const char *axes)
{
    const char *first = NULL;
    for (const char *label = axes; *label; label++) {
        const char *at = strchr(plan->p.out, *label);
        if (!at) {
            tn__fail(TN_INVALID_ARGUMENT,
                     "Bias dimension '%c' was requested, but is not part of the output spec '%s'",
                     *label, plan->p.out);
            return false;
        }
        first = first && first < at ? first : at;
    }
    plan->bias = (tn_shape){ 1, 0, { 0 } };
    for (const char *label = first; label && *label; label++) {
        int64_t size = 1;
        if (strchr(axes, *label))
            size_out(plan, *label, &size);
        plan->bias.dims[plan->bias.rank++] = size;
    }
    for (int i = 0; plan->p.right && i < plan->elided; i++)
        plan->bias.dims[plan->bias.rank++] = 1;
    return true;
}

static bool make_plan(const tn_einsum_dense_options *o, const tn_shape *in, plan *plan)
{
    *plan = (struct plan){ .in = *in };
    if (!parse(o->equation, &plan->p))
        return false;
    plan->elided = in->rank - (int)strlen(plan->p.in);
    if (!whole_output(plan, &o->output_shape)) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "%s: equation '%s' and output_shape %s do not go with an input of shape %s",
                 tn__layer_print(tn__this_layer()), o->equation, TN__SHAPE(o->output_shape),
                 TN__SHAPE(*in));
        return false;
    }
    return check_shared(plan) && kernel_shape(plan) &&
           (!o->bias_axes || bias_shape(plan, o->bias_axes));
}

/* --- the layer -------------------------------------------------------------------------------- */
/* An initializer that looks at the kernel's inputs and outputs is told which they are. The caller
 * frees the text. */
static char *initializer_of(const char *text, const plan *plan)
{
    tn__thing thing;
    if (tn__thing_parse(TN__INITIALIZER, text, &thing) != TN_OK)
        return NULL;
    const tn_field *in = tn__field_find(thing.of->fields, "input_axes"),
                   *out = tn__field_find(thing.of->fields, "output_axes");
    if (in && out) {
        tn_axes *inputs = (tn_axes *)((char *)thing.self + in->offset),
                *outputs = (tn_axes *)((char *)thing.self + out->offset);
        if (inputs->count == 0 || outputs->count == 0) {
            *inputs = plan->inputs;
            *outputs = plan->outputs;
        }
    }
    int64_t *seed = tn__thing_seed(&thing), drawn = tn__drawn_seed(tn__this_layer(), text);
    if (seed && *seed == INT64_MIN)
        *seed = drawn;
    char *told = tn__thing_text(&thing);
    tn__thing_free(&thing);
    return told;
}

static void build(void *me, tn_list inputs)
{
    einsum_dense *self = me;
    const tn_einsum_dense_options *o = &self->o;
    plan plan;
    if (!tn__check_known(inputs.item[0]) || !make_plan(o, &inputs.item[0]->shape, &plan))
        return;
    char *initializer = initializer_of(o->kernel_initializer, &plan);
    self->rank = plan.in.rank;
    if (initializer)
        self->kernel = tn__weight_new(plan.kernel, "kernel", initializer, o->kernel_regularizer,
                                      o->kernel_constraint);
    tn__free(initializer);
    if (o->bias_axes)
        self->bias = tn__weight_new(plan.bias, "bias", o->bias_initializer, o->bias_regularizer,
                                    o->bias_constraint);
}

static tn_tensor *call(void *me, tn_list inputs)
{
    const einsum_dense *self = me;
    tn_tensor *x = tn__as_float(tn_at(inputs, 0));
    if (!tn__check_ndim(x, self->rank))
        return NULL;
    tn_tensor *y = tn_einsum(self->o.equation, TN_LIST(x, self->kernel));
    return tn__activate(self->o.activation, self->bias ? tn_add(y, self->bias) : y);
}

/* One number is a list of one. */
static tn_status upgrade(void *config)
{
    const json_t *shape = json_object_get(config, "output_shape");
    return json_is_integer(shape)
               ? tn__json_set(config, "output_shape", json_pack("[I]", json_integer_value(shape)))
               : TN_OK;
}

static const tn_class_more more = { .upgrade_config = upgrade };
TN__LAYER_CLASS(EinsumDense, tn_einsum_dense_new, einsum_dense, tn_einsum_dense_options,
                .fields = fields, .inputs = 1, .init = init, .build = build, .call = call,
                .more = &more)
