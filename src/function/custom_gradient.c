/* custom_gradient.c - tf.custom_gradient: a body whose gradient is another body.
 *
 * The forward body runs unseen by the tapes outside of it. What it gave goes through one IdentityN
 * together with the inputs, as in TensorFlow: that op is what tapes and graphs see, and its rule
 * runs the other body. */
#include "autodiff/tape.h"
#include "function/frame.h"
#include "ops/ops.h"

typedef struct {
    int64_t
        outputs; /* how many of the values are what the forward body gave; 0: a plain IdentityN */
    tn_body backward; /* with self: the program's own */
    void *self;
} identity_attrs;
static const tn_field identity_fields[] = {
    TN__ROW(TN_FIELD_INT, identity_attrs, outputs, "0", NULL),
    TN__ROW(TN_FIELD_POINTER, identity_attrs, backward, NULL, NULL),
    TN__ROW(TN_FIELD_POINTER, identity_attrs, self, NULL, NULL),
    TN__END_OF_FIELDS,
};

static size_t as_many(const void *attrs, size_t inputs)
{
    (void)attrs;
    return inputs;
}

static tn_status identity_infer(tn__infer *infer)
{
    for (size_t i = 0; i < infer->output_count; i++) {
        infer->output[i].dtype = (tn_dtype)infer->input[i]->dtype;
        infer->output[i].shape = infer->input[i]->shape;
    }
    return TN_OK;
}

/* The same elements under new handles, which tapes tell apart. */
static tn_status identity_compute(tn__kernel *kernel)
{
    for (size_t i = 0; i < kernel->output_count; i++)
        TN_TRY(tn__tensor_view(kernel->input[i], &kernel->input[i]->shape, &kernel->output[i]));
    return TN_OK;
}

/* What the backward body gave for input i must have its shape. */
static bool fits(const tn_tensor *gradient, const tn_tensor *x, size_t i)
{
    if (tn__shape_fits(&gradient->shape, &x->shape))
        return true;
    tn__fail(TN_INVALID_ARGUMENT,
             "custom_gradient function expected to return a gradient of shape %s for input %zu, "
             "but returned %s",
             TN__SHAPE(x->shape), i, TN__TENSOR(gradient));
    return false;
}

static void take_gradients(tn__gradient *g, tn_tensor *given, size_t outputs)
{
    tn_list items = tn_items(given);
    size_t inputs = g->in_count - outputs;
    if (!items.item)
        return;
    if (items.count != inputs) {
        tn__fail(
            TN_INVALID_ARGUMENT,
            "custom_gradient function expected to return %zu gradients, but returned %zu instead.",
            inputs, items.count);
        return;
    }
    for (size_t i = 0; i < inputs; i++)
        if (fits(items.item[i], g->in[outputs + i], i))
            g->din[outputs + i] = items.item[i];
}

/* The backward body has inputs, outputs, and the gradient of each output. */
static void identity_gradient(tn__gradient *g)
{
    const identity_attrs *attrs = g->attrs;
    size_t outputs = (size_t)attrs->outputs;
    if (outputs == 0) {
        for (size_t i = 0; i < g->in_count; i++)
            g->din[i] = g->dout[i];
        return;
    }
    tn_list inputs = tn_list_of(g->in_count - outputs, g->in + outputs),
            results = tn_list_of(outputs, g->out);
    tn_tensor **upstream = tn__scope_alloc(outputs * sizeof *upstream);
    for (size_t i = 0; upstream && i < outputs; i++)
        upstream[i] = tn__dout(g, i);
    if (!upstream || !inputs.item || !results.item)
        return;
    tn_list all = tn_list_concat(tn_list_concat(inputs, results), (tn_list){ outputs, upstream });
    tn_tensor *given;
    if (all.item && tn__run_body(tn__context(), attrs->backward, attrs->self, all, -1,
                                 "the gradient body of tn_custom_gradient", &given) == TN_OK)
        take_gradients(g, tn__own(given), outputs);
}

const tn__op tn__op_IdentityN = {
    .name = "IdentityN",
    .inputs = "input: N * any",
    .outputs = "output: any",
    .attrs = identity_fields,
    .attrs_size = sizeof(identity_attrs),
    .count_outputs = as_many,
    .infer = identity_infer,
    .compute = identity_compute,
    .gradient = identity_gradient,
    .flags = TN__HALF | TN__MAKES_OUTPUTS,
};

/* The forward body's result, unseen by the tapes that are open. */
static tn_tensor *run_unseen(tn_context *context, tn_body forward, void *self, tn_list inputs)
{
    tn_tensor *result;
    tn__tapes_pause(context);
    tn_status status = tn__run_body(context, forward, self, inputs, -1,
                                    "the forward body of tn_custom_gradient", &result);
    tn__tapes_resume(context);
    return status == TN_OK ? tn__own(result) : NULL;
}

tn_tensor *tn_custom_gradient(tn_body forward, tn_body backward, void *self, tn_list inputs)
{
    TN__ENTER(context, NULL);
    if (!forward || !backward || (inputs.count && !inputs.item)) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_custom_gradient: %s is NULL",
                 !forward    ? "forward"
                 : !backward ? "backward"
                             : "the list of inputs");
        return NULL;
    }
    tn_tensor *result = run_unseen(context, forward, self, inputs);
    if (!result)
        return NULL;
    tn_list given = tn_items(result), all = tn_list_concat(given, inputs);
    const identity_attrs attrs = { (int64_t)given.count, backward, self };
    tn_list seen =
        all.item ? tn__apply_list(&tn__op_IdentityN, &attrs, all.item, all.count, all.count) : all;
    if (!seen.item)
        return NULL;
    return result->form == TN__TUPLE ? tn_tuple_of(tn_list_of(given.count, seen.item))
                                     : seen.item[0];
}
