/* step.c - the training, test and prediction steps: each a body that is traced once and then runs as one program. */
#include "train/trainer.h"
#include "base/log.h"
#include "tenon/gradient.h"
#include "tenon/ops.h"
#include <string.h>

/* --- metrics ------------------------------------------------------------------------------------------------------------ */
/* The layers that give a model's outputs, as Keras names them. */
static const char *output_name(const tn__trainer *t, size_t output)
{
    const tn_layer *model = t->model;
    if (model->of == &tn__class_Functional) {
        const tn__functional *f = model->self;
        const tn_layer *layer = output < f->output_count ? tn__node_layer(f->output[output]->of.output.node, NULL) : NULL;
        if (layer)
            return layer->name;
    }
    const char *made_up = tn__scope_print("output_%zu", output + 1);
    return made_up ? made_up : "output";
}

static bool log_taken(const tn__trainer *t, const char *name)
{
    for (size_t i = 0; i < t->tracked.count; i++)
        if (strcmp(t->tracked.item[i].log, name) == 0)
            return true;
    return false;
}

/* Takes the metric over. Names that are there already get _1, _2 …, weighted ones first a "weighted_". */
static tn_status track(tn__trainer *t, tn_metric *metric, size_t output, bool weighted, bool named_by_output)
{
    const char *prefix = named_by_output ? output_name(t, output) : "";
    char *log = tn__print("%s%s%s", prefix, named_by_output ? "_" : "", metric->name);
    if (log && weighted && log_taken(t, log)) {
        tn__free(log);
        log = tn__print("%s%sweighted_%s", prefix, named_by_output ? "_" : "", metric->name);
    }
    char *first = log;
    for (int n = 1; log && log_taken(t, log); n++) {
        if (log != first)
            tn__free(log);
        log = tn__print("%s_%d", first, n);
    }
    if (log != first)
        tn__free(first);
    tn_status status = log ? TN__PUSH(&t->tracked, ((tn__tracked){ metric, output, weighted, log })) : TN_RESOURCE_EXHAUSTED;
    if (status != TN_OK) {
        tn__free(log);
        tn__release(metric);
    }
    return status;
}

static tn_loss *loss_of(const tn__trainer *t, size_t output)
{
    return t->losses == 1 ? t->loss[0] : output < t->losses ? t->loss[output] : NULL;
}

static tn_status track_all(tn__trainer *t, char *const *names, size_t count, bool weighted, tn_tensor *const *y, tn_tensor *const *y_pred,
                           size_t outputs)
{
    for (size_t output = 0; output < outputs; output++)
        for (size_t i = 0; i < count; i++) {
            tn_metric *metric;
            TN_TRY(tn__metric_for_output(names[i], &y[output]->shape, &y_pred[output]->shape, loss_of(t, output), &metric));
            TN_TRY(track(t, metric, output, weighted, outputs > 1));
        }
    return TN_OK;
}

static tn_status build_metrics(tn__trainer *t, tn_tensor *const *y, tn_tensor *const *y_pred, size_t outputs)
{
    if (t->built)
        return TN_OK;
    if (outputs > TN__MAX_OUTPUTS)
        return tn__fail(TN_UNIMPLEMENTED, "a model of %zu outputs cannot be trained, %d is the most", outputs, TN__MAX_OUTPUTS);
    if (t->losses > 1 && t->losses != outputs)
        return tn__fail(TN_INVALID_ARGUMENT, "the model has %zu outputs, but output_losses names %zu", outputs, t->losses);
    TN_TRY(tn__mean_metric("loss", &t->loss_tracker));
    TN_TRY(track_all(t, t->metric_text, t->metrics, false, y, y_pred, outputs));
    TN_TRY(track_all(t, t->weighted_text, t->weighted, true, y, y_pred, outputs));
    for (size_t i = 0; i < outputs && outputs > 1 && t->losses; i++) {
        TN_TRY(tn__mean_metric("loss", &t->output_loss[i]));
        TN_TRY(track(t, tn__retain(t->output_loss[i]), i, false, true));
    }
    t->built = true;
    return TN_OK;
}

/* --- the loss ----------------------------------------------------------------------------------------------------------- */
/* Rows of the batch as a float: the weight of its loss in the epoch's mean. */
static tn_tensor *rows_of(tn_tensor *x)
{
    if (x->shape.known && x->shape.dims[0] >= 0)
        return tn_cast(tn_constant(TN_INT64, TN_SCALAR, &x->shape.dims[0]), TN_FLOAT32);
    tn_tensor *first = tn_slice(tn_shape_tensor(x), TN_SHAPE(0), TN_SHAPE(1));
    return tn_cast(tn_reshape(first, TN_SCALAR), TN_FLOAT32);
}

static tn_tensor *add_maybe(tn_tensor *sum, tn_tensor *term)
{
    return sum ? tn_add(sum, term) : term;
}

/* Penalties of the trainable weights' regularizers. */
static tn_tensor *add_penalties(tn__trainer *t, tn_tensor *loss)
{
    tn__weight_list weights = { 0 };
    if (tn__collect_weights(t->model, TN__TRAINABLE_WEIGHTS, &weights) != TN_OK)
        loss = NULL;
    for (size_t i = 0; i < weights.count && !tn__failed(tn__context()); i++) {
        const char *text = weights.item[i]->of.variable->regularizer;
        if (text)
            loss = add_maybe(loss, tn__penalize(text, weights.item[i]));
    }
    tn__weight_list_free(&weights);
    return loss;
}

typedef struct {
    tn_tensor **x, **y, **y_pred, **weight; /* flat */
    size_t inputs, outputs, labels, weights;
} step;

static tn_tensor *weight_of(const step *s, size_t output)
{
    return s->weights == 0 ? NULL : s->weight[s->weights == 1 ? 0 : output];
}

static tn_tensor *total_loss(tn__trainer *t, const step *s)
{
    tn_tensor *loss = NULL;
    for (size_t i = 0; i < s->outputs && t->losses; i++) {
        tn_tensor *value = tn__loss_value(loss_of(t, i), s->y[i], s->y_pred[i], weight_of(s, i));
        if (!value)
            return NULL;
        if (t->output_loss[i])
            tn__metric_update(t->output_loss[i], NULL, value, rows_of(s->x[0]));
        bool weighted = false;
        for (size_t k = 0; k < s->outputs; k++)
            weighted |= t->loss_weight[k] != 0;
        loss = add_maybe(loss, weighted ? tn_multiply(value, tn_scalar(t->loss_weight[i])) : value);
    }
    loss = add_penalties(t, loss);
    if (!loss && !tn__failed(tn__context()))
        tn__fail(TN_INVALID_ARGUMENT, "No loss to compute. Provide a `loss` argument in `compile()`.");
    return loss;
}

/* --- the bodies --------------------------------------------------------------------------------------------------------- */
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
    if (!s->x || tn__layer_apply(tn__context(), t->model, s->x, s->inputs, training, &outputs) != TN_OK || !tn__own(outputs))
        return false;
    s->y_pred = flat(outputs, &s->outputs);
    s->y = inputs.count > 1 ? flat(inputs.item[1], &s->labels) : NULL;
    s->weight = inputs.count > 2 ? flat(inputs.item[2], &s->weights) : NULL;
    if (!s->y_pred || (inputs.count > 1 && !s->y) || (inputs.count > 2 && !s->weight))
        return false;
    if (t->losses && s->labels != s->outputs) {
        tn__fail(TN_INVALID_ARGUMENT, "the model has %zu output(s), but y has %zu", s->outputs, s->labels);
        return false;
    }
    return s->labels == 0 || build_metrics(t, s->y, s->y_pred, s->outputs) == TN_OK;
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

static bool is_output_loss(const tn__trainer *t, const tn_metric *metric)
{
    for (size_t i = 0; i < TN__MAX_OUTPUTS; i++)
        if (t->output_loss[i] == metric)
            return true;
    return false;
}

static void update_metrics(tn__trainer *t, const step *s)
{
    for (size_t i = 0; i < t->tracked.count && !tn__failed(tn__context()); i++) {
        const tn__tracked *m = &t->tracked.item[i];
        if (!is_output_loss(t, m->metric))
            tn__metric_update(m->metric, s->y[m->output], s->y_pred[m->output], m->weighted ? weight_of(s, m->output) : NULL);
    }
}

static bool apply_step(tn__trainer *t, tn_tape *tape, tn_tensor *loss)
{
    tn_context *context = tn__context();
    tn_list variables = tn_layer_trainable_variables(t->model);
    if (variables.count == 0) {
        tn__warn("The model does not have any trainable weights.");
        return !tn__failed(context);
    }
    tn_list gradients = tn_gradient(tape, loss, variables);
    return gradients.item && tn__optimizer_apply(context, t->optimizer, gradients, variables) == TN_OK;
}

static tn_tensor *train_body(void *self, tn_list inputs)
{
    tn__trainer *t = self;
    step s = { 0 };
    tn_tape *tape = tn_gradient_tape();
    if (!tape || !run_model(t, inputs, 1, &s))
        return NULL;
    tn_tensor *loss = total_loss(t, &s);
    if (!loss)
        return NULL;
    tn__metric_update(t->loss_tracker, NULL, loss, rows_of(s.x[0]));
    if (!apply_step(t, tape, loss))
        return NULL;
    update_metrics(t, &s);
    return results(t);
}

static tn_tensor *test_body(void *self, tn_list inputs)
{
    tn__trainer *t = self;
    step s = { 0 };
    tn_tensor *loss = run_model(t, inputs, 0, &s) ? total_loss(t, &s) : NULL;
    if (!loss)
        return NULL;
    tn__metric_update(t->loss_tracker, NULL, loss, rows_of(s.x[0]));
    update_metrics(t, &s);
    return results(t);
}

static tn_tensor *predict_body(void *self, tn_list inputs)
{
    tn__trainer *t = self;
    step s = { 0 };
    if (!run_model(t, inputs, 0, &s))
        return NULL;
    return s.outputs == 1 ? s.y_pred[0] : tn_tuple_of(tn_list_of(s.outputs, s.y_pred));
}

/* --- running a step ----------------------------------------------------------------------------------------------------- */
static tn_status step_function(tn__trainer *t, tn_body body, const char *name, tn_function **function)
{
    static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&making);
    tn_status status = *function ? TN_OK : tn__function_new(body, t, false, name, function);
    if (status == TN_OK)
        (*function)->any_batch = true;
    pthread_mutex_unlock(&making);
    return status;
}

/* Runs outside any tape of the program: a step has its own. */
static tn_status run_step(tn_context *context, tn_function *function, const tn__data *batch, int training, tn_tensor **result)
{
    tn_tensor *inputs[3] = { batch->x, batch->y, batch->weight };
    size_t count = batch->weight ? 3 : batch->y ? 2 : 1;
    tn_graph *outer = context->graph;
    struct tn_tape *tapes = context->tapes;
    context->graph = NULL;
    context->tapes = NULL;
    tn_status status = tn__function_call(context, function, (tn_list){ count, inputs }, training, result);
    context->tapes = tapes;
    context->graph = outer;
    return status;
}

static tn_status run_logged(tn_context *context, tn_function *function, const tn__data *batch, int training, tn__step_logs *logs)
{
    tn_tensor *result;
    if (!batch->y)
        return tn__fail(TN_INVALID_ARGUMENT, "training needs y");
    TN_TRY(run_step(context, function, batch, training, &result));
    logs->count = result->of.tuple.count;
    for (size_t i = 0; i < logs->count; i++)
        logs->value[i] = tn__double_at(result->of.tuple.item[i], 0);
    tn__release(result);
    return TN_OK;
}

tn_status tn__train_step(tn_context *context, tn__trainer *t, const tn__data *batch, tn__step_logs *logs)
{
    TN_TRY(step_function(t, train_body, "train_step", &t->train));
    return run_logged(context, t->train, batch, 1, logs);
}

tn_status tn__test_step(tn_context *context, tn__trainer *t, const tn__data *batch, tn__step_logs *logs)
{
    TN_TRY(step_function(t, test_body, "test_step", &t->test));
    return run_logged(context, t->test, batch, 0, logs);
}

tn_status tn__predict_step(tn_context *context, tn__trainer *t, tn_tensor *x, tn_tensor **outputs)
{
    TN_TRY(step_function(t, predict_body, "predict_step", &t->predict));
    tn__data batch = { .x = x };
    return run_step(context, t->predict, &batch, 0, outputs);
}

const char *tn__log_name(const tn__trainer *t, size_t index)
{
    return index == 0 ? "loss" : index <= t->tracked.count ? t->tracked.item[index - 1].log : NULL;
}

tn_status tn__reset_metrics(tn__trainer *t)
{
    tn_context *context = tn__context();
    if (t->loss_tracker)
        tn_reset_state(t->loss_tracker);
    for (size_t i = 0; i < t->tracked.count; i++)
        tn_reset_state(t->tracked.item[i].metric);
    return context->error.status;
}
