/* adam.c - Adam's step as one op, which goes over the weight and its momenta once. */
#include "ops/ops.h"
#include "core/variable.h"
#include "kernels/parallel.h"

typedef struct {
    double beta_1, beta_2, epsilon;
} adam_attrs;
static const tn_field adam_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, adam_attrs, beta_1, "0.9", NULL),
    TN__ROW(TN_FIELD_FLOAT, adam_attrs, beta_2, "0.999", NULL),
    TN__ROW(TN_FIELD_FLOAT, adam_attrs, epsilon, "1e-07", NULL),
    TN__END_OF_FIELDS,
};

enum { VAR, M, V, ALPHA, GRAD };

static tn_status adam_infer(tn__infer *infer)
{
    const tn_tensor *grad = infer->input[GRAD];
    TN_TRY(tn__infer_rank(infer, ALPHA, 0, 0));
    for (int i = VAR; i <= V; i++) {
        const tn_tensor *variable = tn__variable_behind(infer->input[i]);
        if (variable && !tn__shape_fits(&variable->shape, &grad->shape))
            return tn__variable_refuse(variable, grad);
    }
    return TN_OK;
}

/* The three variables are changed inside each other, so that nobody sees one of them without the
 * others. */
typedef struct {
    tn__kernel *kernel;
    tn__adam step;
} change;

static void adam_lane(void *self, int lane, int lanes)
{
    const change *c = self;
    int64_t first, last;
    tn__share(tn__count(c->kernel->input[GRAD]), 64, lane, lanes, &first, &last);
    tn__kernels()->adam(&c->step, first, last);
}

static tn_status change_weight(void *self, tn_tensor *old, tn_tensor *value)
{
    change *c = self;
    c->step.w = old->data;
    c->step.new_w = value->data;
    tn__parallel(tn__lanes((double)tn__count(value) * 8), adam_lane, c);
    return TN_OK;
}

static tn_status change_v(void *self, tn_tensor *old, tn_tensor *value)
{
    change *c = self;
    c->step.v = old->data;
    c->step.new_v = value->data;
    return tn__variable_change(c->kernel->input[VAR], change_weight, c);
}

static tn_status change_m(void *self, tn_tensor *old, tn_tensor *value)
{
    change *c = self;
    c->step.m = old->data;
    c->step.new_m = value->data;
    return tn__variable_change(c->kernel->input[V], change_v, c);
}

static tn_status adam_compute(tn__kernel *kernel)
{
    const adam_attrs *attrs = kernel->attrs;
    change c = { .kernel = kernel,
                 .step = { .g = kernel->input[GRAD]->data,
                           .rest_1 = (float)(1 - attrs->beta_1),
                           .rest_2 = (float)(1 - attrs->beta_2),
                           .alpha = *(const float *)kernel->input[ALPHA]->data,
                           .epsilon = (float)attrs->epsilon } };
    return tn__variable_change(kernel->input[M], change_m, &c);
}

const tn__op tn__op_FusedAdam = {
    .name = "FusedAdam",
    .inputs = "var: resource, m: resource, v: resource, alpha: float, grad: float",
    .outputs = "",
    .attrs = adam_fields,
    .attrs_size = sizeof(adam_attrs),
    .infer = adam_infer,
    .compute = adam_compute,
    .no_gradient = "none: it has no outputs",
    .flags = TN__STATEFUL | TN__HALF,
};

tn_status tn__fused_adam(tn_variable *w, tn_variable *m, tn_variable *v, tn_tensor *alpha,
                         tn_tensor *gradient, double beta_1, double beta_2, double epsilon)
{
    TN__ENTER(context, context->error.status);
    tn_tensor *inputs[] = { w, m, v, alpha, gradient };
    return tn__dispatch(context, &tn__op_FusedAdam, &(adam_attrs){ beta_1, beta_2, epsilon },
                        inputs, 5, NULL, 0);
}
