/* check_layer.c */
#include "support/check_layer.h"
#include "function/function.h"
#include "nn/config.h"
#include <math.h>
#include <stdlib.h>

enum { MOST_STATE = 16, SAMPLES = 24 };
static const double step = 1e-5; /* of central differences */

/* --- failing ---------------------------------------------------------------------------------- */
static void fail_at(const layer_check *check, const char *stage, const char *format, ...)
    TN_PRINTF(3, 4);
static void fail_at(const layer_check *check, const char *stage, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    print_error("%s, %s: %s\n", check->layer ? check->layer->of->name : "the layer", stage, text);
    _fail(check->file, check->line);
}

static void must_run(const layer_check *check, const char *stage, const void *result)
{
    if (result && tn_pending() == TN_OK)
        return;
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    fail_at(check, stage, "failed: %s", error ? error->message : "NULL without an error");
}

/* --- numbers ---------------------------------------------------------------------------------- */
static tn_tensor *numbers(tn_shape shape, unsigned seed, double scale, double offset)
{
    tn_tensor *x;
    if (tn__tensor_new(TN_FLOAT32, &shape, &x) != TN_OK)
        return NULL;
    for (int64_t i = 0; i < tn__count(x); i++)
        ((float *)x->data)[i] = (float)((double)((i * 37 + seed * 101) % 97) / scale + offset);
    return tn__own(x);
}

tn_tensor *layer_input(tn_shape shape, unsigned seed)
{
    return numbers(shape, seed, 48, -1);
}

tn_tensor *layer_weight(tn_shape shape, unsigned seed)
{
    return numbers(shape, seed, 97, 0.1);
}

void layer_prepare(tn_layer *layer, tn_list inputs)
{
    CHECK_OK(tn__layer_build(tn__context(), layer, inputs));
    tn_list variables = tn_layer_variables(layer);
    tn_tensor *values[MOST_STATE];
    for (size_t i = 0; i < variables.count && i < MOST_STATE; i++)
        values[i] = layer_weight(variables.item[i]->shape, (unsigned)i + 1);
    CHECK_OK(tn_set_weights(layer, tn_list_of(variables.count, values)));
}

/* --- copies ----------------------------------------------------------------------------------- */
static json_t *config_of(const layer_check *check, tn_layer *layer, tn__era era)
{
    json_t *json = tn__layer_to_json(layer, era);
    must_run(check, "writing the config", json);
    return json;
}

/* Not built. dtype NULL: the same. */
static tn_layer *copy_of(const layer_check *check, tn__era era, const char *dtype)
{
    json_t *json = config_of(check, check->layer, era);
    tn_layer *copy = NULL;
    if (dtype)
        json_object_set_new(json_object_get(json, "config"), "dtype", json_string(dtype));
    tn_status status = tn__layer_from_json(tn__context(), json, &copy);
    json_decref(json);
    must_run(check, "making it again from its config", status == TN_OK ? copy : NULL);
    return tn__own(copy);
}

static void compare_configs(const layer_check *check, tn_layer *other, bool names,
                            const char *stage)
{
    json_t *mine = config_of(check, check->layer, TN__KERAS_3),
           *its = config_of(check, other, TN__KERAS_3);
    json_t *a = json_object_get(mine, "config"), *b = json_object_get(its, "config");
    if (!names) {
        json_object_del(a, "name");
        json_object_del(b, "name");
    }
    char *x = json_dumps(a, JSON_COMPACT | JSON_SORT_KEYS),
         *y = json_dumps(b, JSON_COMPACT | JSON_SORT_KEYS);
    bool same = x && y && strcmp(x, y) == 0;
    if (!same)
        print_error("%s\n%s\n", x, y);
    free(x);
    free(y);
    json_decref(mine);
    json_decref(its);
    if (!same)
        fail_at(check, stage, "another config comes out (above)");
}

static void check_configs(const layer_check *check)
{
    TN_SCOPE;
    compare_configs(check, copy_of(check, TN__KERAS_3, NULL), true, "from Keras 3's config");
    if (!(check->skip & SKIP_KERAS_2))
        compare_configs(check, copy_of(check, TN__KERAS_2, NULL), true, "from Keras 2's config");
    if (!check->text)
        return;
    tn_layer *other = tn_layer_of(check->text);
    must_run(check, "from text", other);
    compare_configs(check, other, false, "from text");
}

/* --- weights ---------------------------------------------------------------------------------- */
static void check_weights(const layer_check *check)
{
    TN_SCOPE;
    tn_list variables = tn_layer_variables(check->layer);
    char names[512] = "";
    for (size_t i = 0; i < variables.count; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? "|" : "",
                 variables.item[i]->of.variable->name);
    if (strcmp(names, check->weights ? check->weights : "") != 0)
        fail_at(check, "weights", "they are %s, expected %s", names, check->weights);
    size_t trainable = tn_layer_trainable_variables(check->layer).count;
    if (trainable != check->trainable)
        fail_at(check, "weights", "%zu are trainable, expected %zu", trainable, check->trainable);
}

/* --- calls ------------------------------------------------------------------------------------ */
/* A layer with the state that every call begins with. */
typedef struct {
    const layer_check *check;
    tn_layer *layer;
    int training;
    tn_tensor *variable[MOST_STATE], *value[MOST_STATE];
    tn_tensor *zero[MOST_STATE]; /* added, so that variables never share `value` */
    size_t states;
    tn_list inputs;
} caller;

/* What calls change: variables that are not trained, and seeds. */
static void remember_state(caller *c)
{
    for (size_t i = 0; i < c->layer->weight.count && c->states < MOST_STATE; i++) {
        tn_tensor *variable = c->layer->weight.item[i].variable, *value;
        if (variable->of.variable->trainable)
            continue;
        CHECK_OK(tn__variable_read(variable, &value));
        c->variable[c->states] = variable;
        c->value[c->states] = tn__own(value);
        c->zero[c->states++] = tn_zeros(value->shape, (tn_dtype)value->dtype);
    }
}

static tn_tensor *call_body(void *self, tn_list inputs)
{
    const caller *c = self;
    for (size_t i = 0; i < c->states; i++) {
        TN_SCOPE; /* the variable alone holds its new value */
        if (!tn_assign(c->variable[i], tn_add(c->value[i], c->zero[i])))
            return NULL;
    }
    tn_call_options options = { .size_ = sizeof options, .training = c->training };
    tn_tensor *y = tn_layer_call(c->layer, inputs, &options);
    tn__losses_clear(c->layer); /* the layer would hold them until its next call */
    return y;
}

static caller caller_of(const layer_check *check, tn_layer *layer, tn_list inputs, int training)
{
    caller c = { .check = check, .layer = layer, .training = training, .inputs = inputs };
    remember_state(&c);
    return c;
}

static void compare_values(const layer_check *check, tn_tensor *got, const layer_values *want,
                           const char *stage)
{
    double tolerance = check->tolerance ? check->tolerance : 1e-5;
    must_run(check, stage, got);
    if (tn__count(got) != (int64_t)want->count)
        fail_at(check, stage, "%s, expected %zu elements", TN__TENSOR(got), want->count);
    for (size_t i = 0; i < want->count; i++) {
        double x = tn__double_at(got, (int64_t)i), y = want->value[i];
        if (!(fabs(x - y) <= tolerance + tolerance * fabs(y)) && !(isnan(x) && isnan(y)))
            fail_at(check, stage, "element %zu is %.9g, expected %.9g", i, x, y);
    }
}

static void check_values_of(const layer_check *check)
{
    const layer_values *want[2] = { &check->expected, &check->trained };
    for (int training = 0; training < 2; training++) {
        TN_SCOPE;
        caller c = caller_of(check, check->layer, check->inputs, training);
        if (want[training]->count)
            compare_values(check, call_body(&c, check->inputs), want[training],
                           training ? "call in training" : "call");
    }
}

/* --- a model of it ---------------------------------------------------------------------------- */
static tn_list symbolic_inputs(const layer_check *check)
{
    tn_tensor *items[TN__MAX_ARGS];
    for (size_t i = 0; i < check->inputs.count; i++) {
        const tn_tensor *x = check->inputs.item[i];
        tn_shape row = { 1, x->shape.rank - 1, { 0 } };
        memcpy(row.dims, x->shape.dims + 1, (size_t)row.rank * sizeof *row.dims);
        items[i] = tn_input_new(&(tn_input_options){
            .size_ = sizeof(tn_input_options), .shape = row, .dtype = (tn_dtype)x->dtype });
    }
    return tn_list_of(check->inputs.count, items);
}

static tn_tensor *one_of(tn_list list)
{
    return list.count == 1 ? list.item[0] : tn_tuple_of(list);
}

static tn_tensor *call_with(tn_layer *layer, tn_list inputs)
{
    return tn_layer_call(layer, inputs,
                         &(tn_call_options){ .size_ = sizeof(tn_call_options), .training = -1 });
}

static void compare_tensors(const layer_check *check, tn_tensor *got, tn_tensor *want,
                            const char *stage)
{
    must_run(check, stage, got);
    must_run(check, stage, want);
    if (got->dtype != want->dtype || !tn__shape_equal(&got->shape, &want->shape))
        fail_at(check, stage, "%s, expected %s", TN__TENSOR(got), TN__TENSOR(want));
    for (int64_t i = 0; i < tn__count(want); i++) {
        double x = tn__double_at(got, i), y = tn__double_at(want, i);
        if (!(fabs(x - y) <= 1e-6 + 1e-5 * fabs(y)) && !(isnan(x) && isnan(y)))
            fail_at(check, stage, "element %lld is %.9g, expected %.9g", (long long)i, x, y);
    }
}

static void check_model(const layer_check *check)
{
    TN_SCOPE;
    tn_tensor *want = call_with(check->layer, check->inputs);
    tn_list inputs = symbolic_inputs(check);
    tn_tensor *output = call_with(check->layer, inputs);
    must_run(check, "a symbolic call", output);
    if (output->dtype != want->dtype || !tn__shape_fits(&output->shape, &want->shape) ||
        output->shape.dims[0] != TN_NONE)
        fail_at(check, "a symbolic call", "gives %s, the real one %s", TN__TENSOR(output),
                TN__TENSOR(want));
    tn_model *model = tn_model_new(&(tn_model_options){
                 .size_ = sizeof(tn_model_options), .inputs = one_of(inputs), .outputs = output }),
             *again;
    must_run(check, "a model", model);
    compare_tensors(check, call_with(model, check->inputs), want, "a model");
    json_t *json = config_of(check, model, TN__KERAS_3);
    tn_status status = tn__layer_from_json(tn__context(), json, &again);
    json_decref(json);
    must_run(check, "the model from JSON", status == TN_OK ? again : NULL);
    tn__own(again);
    CHECK_OK(tn_set_weights(again, tn_get_weights(model)));
    compare_tensors(check, call_with(again, check->inputs), want, "the model from JSON");
}

/* --- gradients -------------------------------------------------------------------------------- */
static tn_list in_float64(tn_list inputs)
{
    tn_tensor *items[TN__MAX_ARGS];
    for (size_t i = 0; i < inputs.count; i++)
        items[i] = tn__in(TN__FLOATS, (tn_dtype)inputs.item[i]->dtype)
                       ? tn_cast(inputs.item[i], TN_FLOAT64)
                       : inputs.item[i];
    return tn_list_of(inputs.count, items);
}

/* The sum whose gradient is taken. */
static tn_tensor *weighted(const caller *c)
{
    tn_tensor *y = call_body((void *)c, c->inputs);
    return y ? tn_reduce_sum(tn_multiply(
                   y, tn_cast(check_numbers(y->shape, 0.5, 1.5, 5), (tn_dtype)y->dtype)))
             : NULL;
}

/* By element `at` of a weight, by differences. */
static double slope(const caller *c, tn_variable *weight, tn_tensor *value, int64_t at)
{
    double sum[2];
    for (int side = 0; side < 2; side++) {
        TN_SCOPE;
        tn_tensor *moved;
        CHECK_OK(tn__tensor_copy(TN_FLOAT64, &value->shape, value->data, &moved));
        tn__own(moved);
        ((double *)moved->data)[at] += side ? step : -step;
        tn_assign(weight, moved);
        sum[side] = tn_to_double(weighted(c));
    }
    tn_assign(weight, value);
    return (sum[1] - sum[0]) / (2 * step);
}

static void check_weight_gradients(const caller *c)
{
    TN_SCOPE;
    tn_list weights = tn_layer_trainable_variables(c->layer);
    tn_tape *tape = tn_gradient_tape();
    tn_list found = tn_gradient(tape, weighted(c), weights);
    must_run(c->check, "gradients by the weights", weights.count ? found.item : (void *)c);
    for (size_t i = 0; i < weights.count; i++) {
        tn_tensor *value = tn_read_value(weights.item[i]);
        int64_t count = tn__count(value), stride = 1 + (count - 1) / SAMPLES;
        for (int64_t at = 0; at < count; at += stride) {
            double got = found.item[i] ? tn__double_at(found.item[i], at) : 0;
            double want = slope(c, weights.item[i], value, at);
            if (fabs(got - want) > 1e-5 * fmax(1, fabs(want)))
                fail_at(c->check, "gradients by the weights",
                        "training=%d, weight %zu, element %lld: %.10g, by differences %.10g",
                        c->training, i, (long long)at, got, want);
        }
    }
}

/* The layer again in float64, as a call that check_op can try. */
static void check_as_op(const layer_check *check, int training)
{
    TN_SCOPE;
    tn_layer *layer = copy_of(check, TN__KERAS_3, "float64");
    tn_list inputs = in_float64(check->inputs);
    layer_prepare(layer, inputs);
    caller c = caller_of(check, layer, inputs, training);
    must_run(check, "a call in float64",
             call_body(&c, inputs)); /* its variables' values are their own */
    check_op(&(op_check){ .file = check->file,
                          .line = check->line,
                          .body = call_body,
                          .self = &c,
                          .inputs = inputs,
                          .skip = check->skip });
    if (!(check->skip & SKIP_WEIGHT_GRADIENT))
        check_weight_gradients(&c);
}

/* --- without memory --------------------------------------------------------------------------- */
static bool make_and_call(void *self)
{
    const layer_check *check = self;
    tn_layer *layer = tn_layer_of(check->text);
    return layer && call_with(layer, check->inputs);
}

void check_layer(const layer_check *check)
{
    TN_SCOPE;
    must_run(check, "making", check->layer);
    must_run(check, "making the inputs", check->inputs.item);
    check_configs(check);
    layer_prepare(check->layer, check->inputs);
    check_weights(check);
    check_values_of(check);
    if (!(check->skip & SKIP_MODEL))
        check_model(check);
    for (int training = 0; training < 2; training++)
        check_as_op(check, training);
    if (check->text)
        check_allocation_failures(make_and_call, (void *)check);
}

/* --- channels in two places -------------------------------------------------------------------- */
/* Gradients of Σ y² f + Σ (by x)² f, where "by x" is the gradient of the first. */
static tn_list slopes_of(tn_layer *layer, tn_tensor *x, tn_tensor *f, tn_tensor **y)
{
    tn_tape *outer = tn_gradient_tape(), *inner = tn_gradient_tape();
    tn_watch(outer, x);
    tn_watch(inner, x);
    *y = tn_call_with(layer, TN_LIST(x), .training = true);
    tn_tensor *loss = tn_reduce_sum(tn_multiply(tn_square(*y), f)), *slope = tn_gradient_of(inner, loss, x);
    tn_list weights = tn_trainable_variables(layer);
    tn_tensor *sum = tn_add(loss, tn_reduce_sum(tn_multiply(tn_square(slope), f)));
    return tn_gradient(outer, sum, weights.count == 2 ? TN_LIST(x, tn_at(weights, 0), tn_at(weights, 1)) : TN_LIST(x));
}

void check_channels_first(tn_layer *last, tn_layer *first, tn_shape shape)
{
    tn_axes to_first = { .count = shape.rank }, to_last = to_first;
    to_first.axis[1] = shape.rank - 1;
    for (int i = 2; i < shape.rank; i++)
        to_first.axis[i] = i - 1;
    for (int i = 1; i < shape.rank; i++)
        to_last.axis[to_first.axis[i]] = i;
    tn_tensor *x = layer_input(shape, 0), *f = layer_input(shape, 1), *ours, *theirs;
    tn_list slopes = slopes_of(last, x, f, &ours);
    tn_list there = slopes_of(first, tn_transpose(x, to_first), tn_transpose(f, to_first), &theirs);
    CHECK_NO_ERROR();
    CHECK_TENSOR(ours, tn_transpose(theirs, to_last), 1e-5, 1e-5);
    CHECK_TENSOR(slopes.item[0], tn_transpose(there.item[0], to_last), 2e-4, 2e-4);
    for (size_t i = 1; i < slopes.count; i++)
        CHECK_TENSOR(slopes.item[i], there.item[i], 2e-4, 2e-4);
    tn_list left = tn_get_weights(last), right = tn_get_weights(first);
    for (size_t i = 0; i < left.count; i++)
        CHECK_TENSOR(left.item[i], right.item[i], 1e-6, 1e-6);
}
