/* step.c - the training, test and prediction steps: each a body that is traced once and then runs
 * as one program. */
#include "train/trainer.h"
#include "base/log.h"
#include "tenon/gradient.h"
#include "ops/ops.h"
#include <string.h>

typedef struct {
    tn_tensor **x, **y, **y_pred, **weight; /* flat */
    size_t inputs, labels, outputs, weights;
} step;

/* --- the loss --------------------------------------------------------------------------------- */
/* In the dtype of what is there: penalties of float16 weights beside a float32 loss, say. */
static tn_tensor *add_maybe(tn_tensor *sum, tn_tensor *term)
{
    return sum && term ? tn_add(sum, tn_cast(term, (tn_dtype)sum->dtype)) : term;
}

/* What layers added while they were called, and penalties of weights. Afterwards the layers forget
 * it: it is this step's. */
static tn_tensor *add_model_losses(tn__trainer *t, tn_tensor *loss)
{
    tn_list more = tn_losses(t->model);
    for (size_t i = 0; i < more.count; i++)
        loss = add_maybe(loss, tn_cast(more.item[i], TN_FLOAT32));
    tn__losses_clear(t->model);
    return tn__failed(tn__context()) ? NULL : loss;
}

/* One for all outputs, or one each. */
static tn_tensor *weight_of(const step *s, size_t output)
{
    return s->weights == 0 ? NULL : s->weight[s->weights == 1 ? 0 : output];
}

static bool loss_weights_given(const tn__trainer *t)
{
    bool given = false;
    for (size_t i = 0; i < TN__MAX_OUTPUTS; i++)
        given |= t->loss_weight[i] != 0;
    return given;
}

/* The mean that the logs show of one output's loss is, as in Keras, over batches and not over rows.
 */
static tn_tensor *total_loss(tn__trainer *t, const step *s)
{
    tn_tensor *loss = NULL;
    bool weighted = loss_weights_given(t);
    for (size_t i = 0; i < s->outputs && t->losses; i++) {
        tn_tensor *value =
            tn__loss_value(tn__loss_of_output(t, i), s->y[i], s->y_pred[i], weight_of(s, i));
        if (!value)
            return NULL;
        if (t->output_loss[i])
            tn__metric_update(t->output_loss[i], NULL, value, NULL);
        loss = add_maybe(loss, weighted ? tn_multiply(value, tn_scalar(t->loss_weight[i])) : value);
    }
    loss = add_model_losses(t, loss);
    if (!loss && !tn__failed(tn__context()))
        tn__fail(TN_INVALID_ARGUMENT,
                 "No loss to compute. Provide a `loss` argument in `compile()`.");
    return loss;
}

/* --- the bodies ------------------------------------------------------------------------------- */
static tn_tensor **flat(tn_tensor *structure, size_t *count)
{
    *count = tn__flat_count(structure);
    tn_tensor **leaves = tn__scope_alloc((*count + 1) * sizeof *leaves);
    if (leaves)
        tn__flatten(structure, leaves);
    return leaves;
}

static bool run_model(tn__trainer *t, tn_list inputs, int training, step *s)
{
    tn_tensor *outputs;
    s->x = flat(inputs.item[0], &s->inputs);
    if (!s->x ||
        tn__layer_apply(tn__context(), t->model, s->x, s->inputs, training, &outputs) != TN_OK ||
        !tn__own(outputs))
        return false;
    s->y_pred = flat(outputs, &s->outputs);
    return s->y_pred != NULL;
}

static tn_status check_labels(const tn__trainer *t, const step *s)
{
    bool needed = t->losses || t->metrics || t->weighted;
    if (needed && s->labels != s->outputs)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "y_true and y_pred have different structures.\nthe model has %zu "
                        "output(s), but y has %zu",
                        s->outputs, s->labels);
    if (s->weights > 1 && s->weights != s->outputs)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "the model has %zu output(s), but sample_weight has %zu", s->outputs,
                        s->weights);
    return TN_OK;
}

/* The model's outputs, and what they are to be compared with. */
static bool run_labelled(tn__trainer *t, tn_list inputs, int training, step *s)
{
    if (!run_model(t, inputs, training, s))
        return false;
    s->y = inputs.count > 1 ? flat(inputs.item[1], &s->labels) : NULL;
    s->weight = inputs.count > 2 ? flat(inputs.item[2], &s->weights) : NULL;
    if ((inputs.count > 1 && !s->y) || (inputs.count > 2 && !s->weight) ||
        check_labels(t, s) != TN_OK)
        return false;
    return tn__track_metrics(t, s->y, s->labels, s->y_pred, s->outputs) == TN_OK;
}

static tn_tensor *results(tn__trainer *t)
{
    size_t count = 1 + t->tracked.count;
    tn_tensor **items = tn__scope_alloc(count * sizeof *items);
    if (!items)
        return NULL;
    items[0] = tn_metric_result(t->loss_tracker);
    for (size_t i = 1; i < count; i++)
        items[i] = tn_metric_result(t->tracked.item[i - 1].metric);
    return tn_tuple_of(tn_list_of(count, items));
}

static void update_metrics(tn__trainer *t, const step *s)
{
    for (size_t i = 0; i < t->tracked.count && !tn__failed(tn__context()); i++) {
        const tn__tracked *m = &t->tracked.item[i];
        if (!m->is_loss)
            tn__metric_update(m->metric, s->y[m->output], s->y_pred[m->output],
                              m->weighted ? weight_of(s, m->output) : NULL);
    }
}

static tn_status note_trained(tn__trainer *t, tn_list variables)
{
    tn__ids_free(&t->trained);
    for (size_t i = 0; i < variables.count; i++)
        TN_TRY(tn__ids_set(&t->trained, variables.item[i]->id, 1));
    return TN_OK;
}

static bool apply_step(tn__trainer *t, tn_tape *tape, tn_tensor *loss)
{
    tn_context *context = tn__context();
    tn_list variables = tn_layer_trainable_variables(t->model);
    if (note_trained(t, variables) != TN_OK)
        return false;
    if (variables.count == 0 && !tn__failed(context)) {
        tn__warn("The model does not have any trainable weights.");
        return true;
    }
    tn_list gradients = tn_gradient(tape, loss, variables);
    return gradients.item &&
           tn__optimizer_apply(context, t->optimizer, gradients, variables) == TN_OK;
}

static tn_tensor *train_body(void *self, tn_list inputs)
{
    tn__trainer *t = self;
    step s = { 0 };
    tn_tape *tape = tn_gradient_tape();
    if (!tape || !run_labelled(t, inputs, 1, &s))
        return NULL;
    tn_tensor *loss = total_loss(t, &s);
    if (!loss)
        return NULL;
    tn__metric_update(t->loss_tracker, NULL, loss,
                      tn__rows(s.x[0], TN_FLOAT32)); /* its weight in the epoch's mean */
    if (!apply_step(t, tape, tn__optimizer_scale_loss(t->optimizer, loss)))
        return NULL;
    update_metrics(t, &s);
    return results(t);
}

static tn_tensor *test_body(void *self, tn_list inputs)
{
    tn__trainer *t = self;
    step s = { 0 };
    tn_tensor *loss = run_labelled(t, inputs, 0, &s) ? total_loss(t, &s) : NULL;
    if (!loss)
        return NULL;
    tn__metric_update(t->loss_tracker, NULL, loss,
                      tn__rows(s.x[0], TN_FLOAT32)); /* its weight in the epoch's mean */
    update_metrics(t, &s);
    return results(t);
}

static tn_tensor *predict_body(void *self, tn_list inputs)
{
    step s = { 0 };
    if (!run_model(self, inputs, 0, &s))
        return NULL;
    return s.outputs == 1 ? s.y_pred[0] : tn_tuple_of(tn_list_of(s.outputs, s.y_pred));
}

/* --- running a step --------------------------------------------------------------------------- */
/* Made by the first who needs it, then only read. */
static tn_status step_function(tn__trainer *t, tn_body body, const char *name,
                               _Atomic(tn_function *) *function)
{
    static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
    tn_status status = TN_OK;
    tn_function *made = atomic_load_explicit(function, memory_order_acquire);
    if (made)
        return TN_OK;
    pthread_mutex_lock(&making);
    if (!*function && (status = tn__function_new(body, t, false, name, &made)) == TN_OK) {
        made->any_batch = made->library = true;
        *function = made;
    }
    pthread_mutex_unlock(&making);
    return status;
}

/* Runs outside any tape and trace of the program: a step has its own. */
static tn_status run_step(tn_context *context, tn_function *function, const tn__data *batch,
                          int training, tn_tensor **result)
{
    tn_tensor *inputs[3] = { batch->x, batch->y, batch->weight };
    size_t count = batch->y ? batch->weight ? 3 : 2 : 1;
    tn_graph *outer = context->graph;
    struct tn_tape *tapes = context->tapes;
    context->graph = NULL;
    context->tapes = NULL;
    tn_status status =
        tn__function_call(context, function, (tn_list){ count, inputs }, training, result);
    context->tapes = tapes;
    context->graph = outer;
    return status;
}

static tn_status run_logged(tn_context *context, tn_function *function, const tn__data *batch,
                            int training, tn__step_logs *logs)
{
    tn_tensor *result;
    TN_TRY(run_step(context, function, batch, training, &result));
    logs->count = result->of.tuple.count;
    for (size_t i = 0; i < logs->count; i++)
        logs->value[i] = tn__double_at(result->of.tuple.item[i], 0);
    tn__release(result);
    return TN_OK;
}

/* What a batch that does not fit fails with are the shapes of an op: of which loss, and of which
 * labels. */
static tn_status tell_labels(const tn__trainer *t, const tn__data *batch, tn_status status)
{
    if (status == TN_INVALID_ARGUMENT && batch->y && batch->y->form != TN__TUPLE && t->loss_text[0])
        tn__fail_note("in a step of the loss '%s' with y_true %s%s", t->loss_text[0],
                      TN__TENSOR(batch->y),
                      batch->y->shape.rank == 1 && !tn__in(TN__FLOATS, (tn_dtype)batch->y->dtype) &&
                              !tn__starts_with(t->loss_text[0], "sparse_")
                          ? "; class numbers want sparse_categorical_crossentropy"
                          : "");
    return status;
}

tn_status tn__train_step(tn_context *context, tn__trainer *t, const tn__data *batch,
                         tn__step_logs *logs)
{
    TN_TRY(step_function(t, train_body, "train_step", &t->train));
    return tell_labels(t, batch, run_logged(context, t->train, batch, 1, logs));
}

tn_status tn__test_step(tn_context *context, tn__trainer *t, const tn__data *batch,
                        tn__step_logs *logs)
{
    TN_TRY(step_function(t, test_body, "test_step", &t->test));
    return tell_labels(t, batch, run_logged(context, t->test, batch, 0, logs));
}

tn_status tn__predict_step(tn_context *context, tn__trainer *t, tn_tensor *x, tn_tensor **outputs)
{
    TN_TRY(step_function(t, predict_body, "predict_step", &t->predict));
    return run_step(context, t->predict, &(tn__data){ .x = x }, 0, outputs);
}

tn_status tn__logs_take(tn__log_table *table, const char *prefix, const tn__trainer *t,
                        const tn__step_logs *step)
{
    for (size_t i = 0; i < step->count; i++) {
        char *name = tn__print("%s%s", prefix, tn__log_name(t, i));
        tn_status status = name ? tn__logs_set(table, name, step->value[i]) : TN_RESOURCE_EXHAUSTED;
        tn__free(name);
        TN_TRY(status);
    }
    tn__logs_sort(table);
    return TN_OK;
}
