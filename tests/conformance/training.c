/* training.c - cases of kind "training": whole programs, with the loss after every step or batch,
 * the logs of every epoch, and the weights, predictions and results at the end. */
#include "conformance/conformance.h"
#include "core/variable.h"
#include "nn/config.h"
#include "saving/trainer_state.h"
#include "tenon/gradient.h"
#include "tenon/random.h"
#include "train/trainer.h"
#include <stdio.h>
#include <string.h>

typedef struct {
    golden_case *c;
    verdict *v;
    const json_t *json;
    tn_model *model;
    tn_tensor *x, *y;
} replayed;

static bool check(replayed *r, tn_tensor *got, const char *key)
{
    const json_t *want = json_object_get(r->json, key);
    return !want || same_json(r->v, r->c, got, want, key);
}

/* Numbers that came one by one, against an array of them. */
typedef struct {
    double item[512];
    size_t count;
} numbers;

static bool check_numbers(replayed *r, const numbers *got, const char *key)
{
    tn_tensor *want = golden_tensor(r->c, json_object_get(r->json, key), (tn_dtype)0);
    tn_shape shape = TN_SHAPE((int64_t)got->count);
    tn_tensor *all = tn_cast(tn_constant(TN_FLOAT64, shape, got->item),
                             want ? (tn_dtype)want->dtype : TN_FLOAT32);
    return same(r->v, r->c, all, want, key);
}

/* --- models ------------------------------------------------------------------------------------
 */
static bool make_model(replayed *r)
{
    const json_t *config = json_object_get(r->json, "model");
    tn_layer *model = NULL;
    if (!is_known(r->v, config))
        return false;
    (void)!tn__layer_from_json(tn__context(), config, &model);
    r->model = tn__own(model);
    return no_error(r->v, "the model's config");
}

/* Keras's `weights` in the recorded order, by path. */
static bool set_weights(replayed *r)
{
    const json_t *recorded = json_object_get(r->json, "initial_weights");
    golden_leaves values = { .count = 0 };
    tn_list weights = tn_layer_variables(r->model);
    if (weights.count != json_array_size(recorded))
        return fail_case(r->v, "%zu weights, want %zu", weights.count, json_array_size(recorded));
    for (size_t i = 0; i < weights.count; i++) {
        const char *path = tn__json_text(json_array_get(recorded, i), "path"),
                   *own = tn_variable_path(weights.item[i]);
        if (path && strcmp(path, own) != 0)
            return fail_case(r->v, "weight %zu is %s, want %s", i, own, path);
        golden_flatten(r->c, json_object_get(json_array_get(recorded, i), "value"), &values);
    }
    return tn_set_weights(r->model, tn_list_of(values.count, values.item)) == TN_OK ||
           no_error(r->v, "setting the weights");
}

static bool check_weights(replayed *r, tn_model *model, const char *key)
{
    const json_t *recorded = json_object_get(r->json, key);
    tn_list weights = tn_layer_variables(model);
    if (weights.count != json_array_size(recorded))
        return fail_case(r->v, "%s: %zu, want %zu", key, weights.count, json_array_size(recorded));
    for (size_t i = 0; i < weights.count; i++) {
        char what[96];
        const json_t *one = json_array_get(recorded, i), *value = json_object_get(one, "value");
        snprintf(what, sizeof what, "%s: %s", key, tn_variable_path(weights.item[i]));
        if (!same_json(r->v, r->c, tn_read_value(weights.item[i]), value ? value : one, what))
            return false;
    }
    return true;
}

static bool check_end(replayed *r)
{
    tn_tensor *few = tn_rows(r->x, 0, 8);
    return check_weights(r, r->model, "final_weights") &&
           check(r, tn_predict(r->model, few), "final_predictions");
}

/* --- own loops ---------------------------------------------------------------------------------
 */
typedef struct {
    replayed *r;
    tn_loss *loss;
    tn_optimizer *optimizer;
    tn_list first_gradients; /* of an eager run */
} loop;

/* loss(y, model(x)) [+ sum(model.losses)] */
static tn_tensor *loop_loss(const loop *l, tn_tensor *x, tn_tensor *y)
{
    tn_tensor *loss = tn_call(l->loss, y, tn_call_with(l->r->model, TN_LIST(x), .training = true));
    if (!json_is_true(json_object_get(l->r->json, "adds_model_losses")))
        return loss;
    tn_list added = tn_losses(l->r->model);
    for (size_t i = 0; i < added.count; i++)
        loss = tn_add(loss, added.item[i]);
    return loss;
}

static tn_tensor *step_body(void *self, tn_list inputs)
{
    loop *l = self;
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *loss = loop_loss(l, inputs.item[0], inputs.item[1]);
    tn_list variables = tn_layer_trainable_variables(l->r->model);
    tn_list gradients = tn_gradient(tape, loss, variables);
    if (tn_apply_gradients(l->optimizer, gradients, variables) != TN_OK)
        return NULL;
    return loss;
}

static bool make_loop(replayed *r, loop *l)
{
    tn__thing loss, optimizer;
    *l = (loop){ .r = r };
    if (!thing_of(r->v, TN__LOSS, json_object_get(r->json, "loss"), &loss))
        return false;
    (void)!tn__loss_from_thing(&loss, &l->loss);
    tn__own(l->loss);
    if (!thing_of(r->v, TN__OPTIMIZER, json_object_get(r->json, "optimizer"), &optimizer))
        return false;
    (void)!tn__optimizer_from_thing(&optimizer, &l->optimizer);
    tn__own(l->optimizer);
    return no_error(r->v, "loss and optimizer");
}

static bool check_first_gradients(replayed *r, const loop *l)
{
    const json_t *want = json_object_get(r->json, "first_gradients");
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *loss = loop_loss(l, r->x, r->y);
    tn_list found = tn_gradient(tape, loss, tn_layer_trainable_variables(r->model));
    for (size_t i = 0; i < found.count; i++)
        if (!same_json(r->v, r->c, found.item[i], json_object_get(json_array_get(want, i), "value"),
                       "first gradients"))
            return false;
    return no_error(r->v, "first gradients");
}

static bool run_loop(replayed *r, bool eager)
{
    loop l;
    numbers losses = { .count = 0 };
    int64_t steps = json_integer_value(json_object_get(r->json, "steps")),
            rows = tn_dim(tn_shape_of(r->x), 0);
    int64_t batch = json_integer_value(json_object_get(r->json, "batch"));
    if (!make_loop(r, &l) || !set_weights(r))
        return false;
    tn_function *function = tn_function(step_body, &l, .eager = eager);
    for (int64_t s = 0; s < steps && s < 512; s++) {
        TN_SCOPE;
        int64_t begin = batch ? s * batch % rows : 0, end = batch ? begin + batch : rows;
        tn_tensor *loss = tn_call(function, tn_rows(r->x, begin, end), tn_rows(r->y, begin, end));
        losses.item[losses.count++] = tn_to_double(loss);
    }
    return no_error(r->v, eager ? "eager steps" : "traced steps") &&
           check_numbers(r, &losses, "losses") && check_end(r);
}

/* Once eagerly, once with a traced step, each with a model of its own (and its seeds); first
 * gradients with a third. */
static void replay_loop(replayed *r)
{
    loop l;
    if (make_loop(r, &l) && make_model(r) && set_weights(r) &&
        (json_integer_value(json_object_get(r->json, "batch")) || check_first_gradients(r, &l)) &&
        make_model(r) && run_loop(r, true) && make_model(r))
        run_loop(r, false);
}

/* --- fit ---------------------------------------------------------------------------------------
 */
static void record_batch(void *self, const tn_logs *logs)
{
    numbers *n = self;
    if (n->count < 512)
        n->item[n->count++] = tn_log_value(logs, "loss");
}
static const tn_callback_class recorder = { .on_batch_end = record_batch };

static bool check_logs(replayed *r, const json_t *want, const char *what,
                       double (*found)(void *self, const char *key), void *self)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)want, key, value)
    {
        char where[96];
        snprintf(where, sizeof where, "%s: %s", what, key);
        if (!same_json(r->v, r->c, tn_cast(tn_scalar(found(self, key)), TN_FLOAT32), value, where))
            return false;
    }
    return true;
}

typedef struct {
    tn_history *history;
    int64_t epoch;
} one_epoch;

static double of_epoch(void *self, const char *key)
{
    const one_epoch *e = self;
    return tn_history_value(e->history, key, e->epoch);
}

typedef struct {
    tn_model *model;
    tn_tensor *values;
} evaluated;

static double of_evaluation(void *self, const char *key)
{
    const evaluated *e = self;
    for (size_t i = 0; tn_metrics_name(e->model, i); i++)
        if (strcmp(tn_metrics_name(e->model, i), key) == 0)
            return tn__double_at(e->values, (int64_t)i);
    return -1;
}

static tn_tensor *class_weights(const json_t *weights)
{
    float values[16];
    const char *key;
    json_t *value;
    size_t count = 0;
    json_object_foreach((json_t *)(uintptr_t)weights, key, value) if (count < 16) values[count++] =
        (float)json_number_value(value);
    return count ? tn_constant(TN_FLOAT32, TN_SHAPE((int64_t)count), values) : NULL;
}

static bool check_slot_names(replayed *r)
{
    const json_t *want = json_object_get(r->json, "optimizer_variables");
    tn_list found = tn_optimizer_variables(tn_model_optimizer(r->model));
    if (found.count != json_array_size(want))
        return fail_case(r->v, "%zu variables of the optimizer, want %zu", found.count,
                         json_array_size(want));
    for (size_t i = 0; i < found.count; i++) {
        const char *path = tn__json_text(json_array_get(want, i), "path"),
                   *name = path ? strchr(path, '/') : NULL;
        if (name && strcmp(found.item[i]->of.variable->name, name + 1) != 0)
            return fail_case(r->v, "optimizer variable %zu is %s, want %s", i,
                             found.item[i]->of.variable->name, name + 1);
    }
    return true;
}

static bool check_traces(replayed *r, bool validates)
{
    const tn__trainer *t = r->model->trainer;
    if (t->train->traces != 1 || (validates && t->test->traces != 1))
        return fail_case(r->v, "the training step was traced %zu times", t->train->traces);
    return true;
}

static tn_history *fit_case(replayed *r, numbers *losses)
{
    const json_t *kwargs = json_object_get(r->json, "fit_kwargs");
    return tn_fit(
        r->model, r->x, r->y,
        .batch_size = json_integer_value(json_object_get(r->json, "batch_size")),
        .epochs = json_integer_value(json_object_get(r->json, "epochs")), .verbose = 0,
        .callbacks = { tn_callback_new(&recorder, losses) },
        .validation_split = json_number_value(json_object_get(kwargs, "validation_split")),
        .shuffle = false, .class_weight = class_weights(json_object_get(kwargs, "class_weight")));
}

static bool read_digits(replayed *r)
{
    char path[1024];
    if (!json_object_get(r->json, "data"))
        return true;
    snprintf(path, sizeof path, "%s/training/digits_data.npz", golden_folder(r->c));
    r->x = tn_divide(tn_cast(tn_load_array(path, "X"), TN_FLOAT32),
                     tn_constant(TN_FLOAT32, TN_SCALAR, &(float){ 16 }));
    r->y = tn_load_array(path, "Y");
    return no_error(r->v, "the digits");
}

static void replay_fit(replayed *r)
{
    numbers losses = { .count = 0 };
    const json_t *compile = json_object_get(r->json, "compile"),
                 *epochs = json_object_get(r->json, "epoch_logs");
    if (!is_known(r->v, compile) || !make_model(r) || !read_digits(r))
        return;
    (void)!tn__trainer_compile(tn__context(), r->model, compile);
    if (!no_error(r->v, "compiling") || !set_weights(r))
        return;
    one_epoch e = { .history = fit_case(r, &losses) };
    if (!no_error(r->v, "fit") || !check_numbers(r, &losses, "logged_running_mean_loss_per_batch"))
        return;
    for (; e.epoch < (int64_t)json_array_size(epochs); e.epoch++)
        if (!check_logs(r, json_array_get(epochs, (size_t)e.epoch), "epoch logs", of_epoch, &e))
            return;
    if (!check_end(r) || !check_slot_names(r))
        return;
    evaluated found = { r->model, tn_evaluate(r->model, r->x, r->y, .verbose = 0) };
    if (check_logs(r, json_object_get(r->json, "evaluate_after"), "evaluate", of_evaluation,
                   &found))
        check_traces(r, true);
}

/* --- as users do it ----------------------------------------------------------------------------
 */
static tn_model *seeded_model(int64_t seed)
{
    tn_set_random_seed(seed);
    return tn_sequential(TN_LAYERS(tn_dense(8, "relu"), tn_dropout(0.3), tn_dense(3, "softmax")));
}

static void replay_seeded(replayed *r)
{
    int64_t seed = json_integer_value(json_object_get(r->json, "seed"));
    const json_t *history = json_object_get(r->json, "history"), *values;
    const char *key;
    tn_model *built = seeded_model(seed);
    tn_call(built, r->x);
    if (!no_error(r->v, "building") || !check_weights(r, built, "initial_weights"))
        return;
    tn_model *model = seeded_model(seed);
    tn_status status =
        tn_compile(model, tn_adam(), "sparse_categorical_crossentropy", { "accuracy" });
    tn_history *found = status == TN_OK
                            ? tn_fit(model, r->x, r->y, .batch_size = 16, .epochs = 2, .verbose = 0)
                            : NULL;
    if (!no_error(r->v, "fit"))
        return;
    json_object_foreach((json_t *)(uintptr_t)history, key,
                        values) for (size_t i = 0; i < json_array_size(values); i++)
    {
        tn_tensor *value = tn_cast(tn_scalar(tn_history_value(found, key, (int64_t)i)), TN_FLOAT32);
        if (!same_json(r->v, r->c, value, json_array_get(values, i), key))
            return;
    }
    check_weights(r, model, "final_weights");
}

static void replay_by_hand(replayed *r)
{
    const json_t *json = r->json;
    numbers losses = { .count = 0 };
    tn_tensor *x = golden_tensor(r->c, json_object_get(json, "x"), (tn_dtype)0),
              *y = golden_tensor(r->c, json_object_get(json, "y"), (tn_dtype)0);
    tn_variable *w = tn_variable(golden_tensor(r->c, json_object_get(json, "W0"), (tn_dtype)0)),
                *b = tn_variable(tn_zeros(TN_SHAPE(2), TN_FLOAT32));
    for (int i = 0; i < 15; i++) {
        TN_SCOPE;
        tn_tape *tape = tn_gradient_tape();
        tn_tensor *loss = tn_reduce_mean(tn_square(tn_subtract(tn_add(tn_matmul(x, w), b), y)));
        tn_list gradients = tn_gradient(tape, loss, TN_LIST(w, b));
        tn_assign_sub(w, tn_multiply(tn_scalar(0.1), tn_at(gradients, 0)));
        tn_assign_sub(b, tn_multiply(tn_scalar(0.1), tn_at(gradients, 1)));
        losses.item[losses.count++] = tn_to_double(loss);
    }
    if (check_numbers(r, &losses, "losses") && check(r, tn_read_value(w), "W"))
        check(r, tn_read_value(b), "b");
}

void replay_training(golden_case *c, verdict *v)
{
    replayed r = { .c = c, .v = v, .json = golden_json(c) };
    if (json_object_get(r.json, "W0")) {
        replay_by_hand(&r);
        return;
    }
    r.x = golden_tensor(c, json_object_get(r.json, "X"), (tn_dtype)0);
    r.y = golden_tensor(c, json_object_get(r.json, "Y"), (tn_dtype)0);
    if (json_object_get(r.json, "seed"))
        replay_seeded(&r);
    else if (json_object_get(r.json, "compile"))
        replay_fit(&r);
    else
        replay_loop(&r);
}
