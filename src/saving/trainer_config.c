/* trainer_config.c - compile's arguments as JSON, and back. */
#include "base/log.h"
#include "saving/trainer_state.h"
#include "train/trainer.h"
#include <string.h>
#include <strings.h>

#define OWN_SCALE "loss_scale" /* a key of ours in a training_config */

static const tn__trainer *trainer_of(const tn_layer *model)
{
    const tn__trainer *t = model->trainer;
    return t && t->compiled ? t : NULL;
}

const char *tn__trainer_name(const tn_layer *model)
{
    const tn__trainer *t = trainer_of(model);
    return t && t->optimizer->name ? t->optimizer->name : "optimizer";
}

/* --- out -------------------------------------------------------------------------------------- */
/* A function of the program's own has a class that no file can name. */
static bool has_name(const tn__thing *thing)
{
    return tn__object_class_find(thing->of->kind, thing->of->name) == thing->of;
}

/* Whose classes a form may name. */
static tn__era era_of(tn__config_form form)
{
    return form == TN__H5_KERAS_2 ? TN__KERAS_2 : TN__KERAS_3;
}

/* To Keras 2 a plain "Adam" is its older optimizer, which refuses these arguments. Keras 3 knows no
 * "Custom>Adam" and makes a default optimizer of the config's name, which therefore is the class's,
 * as Keras 2 has it too. */
static void write_for_keras_2(const tn_optimizer *o, json_t *json)
{
    char *name = tn__print("Custom>%s", o->thing.of->name);
    if (name)
        tn__json_set(json, "class_name", json_string(name));
    tn__free(name);
    tn__json_set(json_object_get(json, "config"), "name", json_string(o->thing.of->name));
}

static json_t *optimizer_json(const tn_optimizer *o, tn__config_form form);

/* The rate and the name of now are the inner optimizer's own. NULL inner: without it. */
static json_t *loss_scale_json(const tn_optimizer *o, json_t *inner)
{
    json_t *json = tn__thing_to_json(&o->thing, TN__KERAS_3),
           *config = json_object_get(json, "config");
    if (json)
        tn__json_set(config, "name", json_string(o->name));
    if (json && inner)
        tn__json_set(config, "inner_optimizer", json_incref(inner));
    else
        json_object_del(config, "inner_optimizer");
    json_decref(inner);
    return json;
}

static double number_of(tn_tensor *variable)
{
    tn_tensor *value;
    double number = 0;
    if (tn__variable_read(variable, &value) == TN_OK) {
        number = tn__double_at(value, 0);
        tn__release(value);
    }
    return number;
}

/* No words serve Keras 2 and Keras 3 for a LossScaleOptimizer. Both put one round the optimizer of
 * a model that is mixed_float16 when it is loaded, so they get that, and this is our own. */
static json_t *own_scale_json(const tn_optimizer *o)
{
    json_t *json = loss_scale_json(o, NULL);
    if (json) {
        tn__json_set(json, "step_counter", json_integer((json_int_t)number_of(o->step_counter)));
        tn__json_set(json, "dynamic_scale", tn__number_to_json(number_of(o->dynamic_scale)));
    }
    return json;
}

static json_t *optimizer_json(const tn_optimizer *o, tn__config_form form)
{
    if (o->inner && form != TN__H5_KERAS_2)
        return loss_scale_json(o, optimizer_json(o->inner, TN__ARCHIVE));
    o = o->inner ? o->inner : o;
    json_t *json = tn__thing_to_json(&o->thing, era_of(form)),
           *config = json_object_get(json, "config");
    tn_tensor *rate = NULL;
    if (!json)
        return NULL;
    if (o->name)
        tn__json_set(config, "name", json_string(o->name));
    if (form == TN__H5_KERAS_2)
        write_for_keras_2(o, json);
    if (form != TN__ARCHIVE) { /* which Keras 2 does not know */
        json_object_del(config, "loss_scale_factor");
        json_object_del(config, "gradient_accumulation_steps");
    }
    /* The rate of now; a schedule is in the config already. */
    if (o->learning_rate && tn__variable_read(o->learning_rate, &rate) == TN_OK)
        tn__json_set(config, "learning_rate", tn__number_to_json(tn__double_at(rate, 0)));
    tn__release(rate);
    return json;
}

/* A name as it was written; in an .h5 the long one, which both generations know. */
static json_t *name_json(const char *text, const tn__thing *thing, tn__config_form form)
{
    char snake[128];
    if (form == TN__H5_KERAS_2 && thing->of->keras2_name && !*thing->of->keras2_name)
        return tn__thing_to_json(thing, TN__KERAS_2); /* which fails, and says why */
    tn__snake_case(thing->of->name, snake, sizeof snake);
    return json_string(form == TN__ARCHIVE ? text : snake);
}

static json_t *loss_json(const tn__trainer *t, size_t i, tn__config_form form)
{
    const char *text = t->loss_text[i];
    const tn__thing *thing = &t->loss[i]->thing;
    return text && !strchr(text, '(') ? name_json(text, thing, form)
                                      : tn__thing_to_json(thing, era_of(form));
}

static json_t *losses_json(const tn__trainer *t, tn__config_form form)
{
    if (t->losses == 0)
        return json_null();
    if (t->losses == 1)
        return loss_json(t, 0, form);
    json_t *list = json_array();
    for (size_t i = 0; i < t->losses; i++)
        tn__json_append(list, loss_json(t, i, form));
    return list;
}

static json_t *weights_json(const tn__trainer *t)
{
    size_t given = 0;
    for (size_t i = 0; i < TN__MAX_OUTPUTS; i++)
        if (t->loss_weight[i] != 0)
            given = i + 1;
    json_t *list = given ? json_array() : json_null();
    for (size_t i = 0; i < given; i++)
        tn__json_append(list, tn__number_to_json(t->loss_weight[i]));
    return list;
}

/* What compile chooses by the shapes of the data. */
static bool is_chosen_later(const char *text)
{
    static const char *const words[] = { "accuracy", "acc", "crossentropy", "ce" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

/* What was chosen for a word like "accuracy"; NULL while no data has shown the shapes. */
static const tn_metric *chosen_for(const tn__trainer *t, const char *text)
{
    for (size_t i = 0; i < t->tracked.count; i++)
        if (strcmp(t->tracked.item[i].metric->name, text) == 0)
            return t->tracked.item[i].metric;
    return NULL;
}

/* An object by its class and the name it bears: the one form that both generations take from an
 * .h5. */
static json_t *named_class(const tn_metric *metric, const char *name)
{
    return json_pack("{s:s, s:{s:s, s:s}}", "class_name", metric->thing.of->name, "config", "name",
                     name, "dtype", "float32");
}

/* In an .h5 Keras 3 does not find a metric's short name, and Keras 2 takes "accuracy" for plain
 * equality; so there it is an object. */
static json_t *metric_json(const tn__trainer *t, const char *text, tn__config_form form)
{
    tn_metric *metric;
    const tn_metric *chosen =
        is_chosen_later(text) && form != TN__ARCHIVE ? chosen_for(t, text) : NULL;
    if (chosen)
        return named_class(chosen, text);
    if (is_chosen_later(text) || (form == TN__ARCHIVE && !strchr(text, '(')))
        return json_string(text);
    if (tn__metric_parse(text, &metric) != TN_OK)
        return NULL;
    json_t *json = tn__thing_to_json(&metric->thing, era_of(form));
    if (json && !strchr(text, '('))
        tn__json_set(json_object_get(json, "config"), "name", json_string(text));
    tn__release(metric);
    return json;
}

static json_t *metrics_json(const tn__trainer *t, char *const *texts, size_t count,
                            tn__config_form form)
{
    json_t *list = count ? json_array() : json_null();
    for (size_t i = 0; i < count; i++)
        tn__json_append(list, metric_json(t, texts[i], form));
    return list;
}

/* Losses and metrics of .h5 files are such that both generations take them. */
static tn_status fill_config(const tn__trainer *t, tn__config_form form, json_t *config)
{
    const char *key = form == TN__ARCHIVE ? "optimizer" : "optimizer_config";
    TN_TRY(tn__json_set(config, "loss", losses_json(t, form)));
    TN_TRY(tn__json_set(config, "loss_weights", weights_json(t)));
    TN_TRY(tn__json_set(config, "metrics", metrics_json(t, t->metric_text, t->metrics, form)));
    TN_TRY(tn__json_set(config, "weighted_metrics",
                        metrics_json(t, t->weighted_text, t->weighted, form)));
    TN_TRY(tn__json_set(config, key, optimizer_json(t->optimizer, form)));
    if (form == TN__H5_KERAS_2 && t->optimizer->inner)
        TN_TRY(tn__json_set(config, OWN_SCALE, own_scale_json(t->optimizer)));
    if (form != TN__ARCHIVE)
        return tn__errors()->status;
    TN_TRY(tn__json_set(config, "run_eagerly", json_false()));
    TN_TRY(tn__json_set(config, "steps_per_execution", json_integer(1)));
    TN_TRY(tn__json_set(config, "jit_compile", json_false()));
    return tn__errors()->status;
}

static bool can_be_named(const tn__trainer *t)
{
    bool can = has_name(&t->optimizer->thing);
    for (size_t i = 0; i < t->losses; i++)
        can &= has_name(&t->loss[i]->thing);
    return can;
}

tn_status tn__trainer_config(tn_layer *model, tn__config_form form, json_t **json)
{
    const tn__trainer *t = trainer_of(model);
    *json = NULL;
    if (!t)
        return TN_OK;
    if (!can_be_named(t)) {
        tn__warn("'%s' is saved without what it was compiled with: a function of the program's own "
                 "has no name in files",
                 model->name);
        return TN_OK;
    }
    *json = json_object();
    tn_status status = *json ? fill_config(t, form, *json) : tn__fail_memory(0);
    if (status != TN_OK) {
        json_decref(*json);
        *json = NULL;
    }
    return status;
}

/* --- in --------------------------------------------------------------------------------------- */
typedef struct {
    tn_layer *model;
    tn_compile_options options;
    char *text[4 * TN__MAX_OUTPUTS + 2 * TN__MAX_METRICS]; /* owned: what the options point to */
    size_t texts;
} reading;

static tn_status keep_text(reading *r, char *text, const char **place)
{
    if (!text)
        return TN_RESOURCE_EXHAUSTED;
    if (r->texts == sizeof r->text / sizeof *r->text) {
        tn__free(text);
        return tn__fail(TN_UNIMPLEMENTED, "it was compiled with too many losses and metrics");
    }
    *place = r->text[r->texts++] = text;
    return TN_OK;
}

/* Keras 2 wraps a metric's function: "accuracy" is chosen anew, another is known by its function.
 */
static const char *wrapped_name(const json_t *json)
{
    const json_t *config = json_object_get(json, "config");
    const char *class = tn__json_text(json, "class_name"), *name = tn__json_text(config, "name");
    const char *function = tn__json_text(config, "fn");
    if (!class || !function || strcmp(class, "MeanMetricWrapper") != 0)
        return json_is_string(config) ? json_string_value(config) : NULL;
    bool accuracy = name && (tn__ends_with(name, "accuracy") || tn__ends_with(name, "acc")) &&
                    tn__ends_with(function, "accuracy");
    return accuracy ? "accuracy" : function;
}

static tn_status thing_text(tn__object_kind kind, const json_t *json, char **text)
{
    tn__thing thing;
    const char *name = json_is_string(json) ? json_string_value(json) : wrapped_name(json);
    *text = name ? tn__strdup(name) : NULL;
    if (name)
        return *text ? TN_OK : TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__thing_from_json(kind, json, &thing));
    *text = tn__thing_text(&thing);
    tn__thing_free(&thing);
    return *text ? TN_OK : tn__errors()->status;
}

static tn_status take_text(reading *r, tn__object_kind kind, const json_t *json, const char **place)
{
    char *text;
    TN_TRY(thing_text(kind, json, &text));
    return keep_text(r, text, place);
}

/* The names by which dictionaries speak of outputs; NULL past the last. */
static const char *output_name(const tn_layer *model, size_t i)
{
    const tn__functional *f = model->self;
    if (model->of != &tn__class_Functional || i >= f->output_count)
        return NULL;
    const tn_layer *layer = tn__node_layer(f->output[i]->of.output.node, NULL);
    return layer ? layer->name : NULL;
}

/* An entry of a list or dictionary of something for each output; NULL: there is none. */
static const json_t *of_output(const reading *r, const json_t *json, size_t i)
{
    const char *name = output_name(r->model, i);
    return json_is_array(json) ? json_array_get(json, i)
           : name              ? json_object_get(json, name)
                               : NULL;
}

static tn_status take_losses(reading *r, const json_t *json)
{
    bool one = json_is_string(json) || json_object_get(json, "class_name");
    if (!json || json_is_null(json))
        return TN_OK;
    if (one || json_array_size(json) == 1)
        return take_text(r, TN__LOSS, one ? json : json_array_get(json, 0), &r->options.loss);
    for (size_t i = 0; i < TN__MAX_OUTPUTS; i++) {
        const json_t *loss = of_output(r, json, i);
        if (loss)
            TN_TRY(take_text(r, TN__LOSS, loss, &r->options.output_losses[i]));
    }
    return TN_OK;
}

static void take_weights(reading *r, const json_t *json)
{
    for (size_t i = 0; i < TN__MAX_OUTPUTS; i++)
        (void)tn__number_from_json(of_output(r, json, i), &r->options.loss_weights[i]);
}

static tn_status add_metric(reading *r, const json_t *json, const char **list)
{
    char *text;
    TN_TRY(thing_text(TN__METRIC, json, &text));
    for (size_t i = 0; i < TN__MAX_METRICS; i++) {
        if (list[i] && strcmp(list[i], text) != 0)
            continue;
        if (!list[i])
            return keep_text(r, text, &list[i]);
        tn__free(text); /* the same for another output */
        return TN_OK;
    }
    tn__free(text);
    return tn__fail(TN_UNIMPLEMENTED, "it was compiled with more than %d metrics", TN__MAX_METRICS);
}

/* Lists in lists, one an output, or dictionaries: here a metric is every output's. */
static tn_status take_metrics(reading *r, const json_t *json, const char **list, int depth)
{
    const char *key;
    json_t *value;
    if (json_is_string(json) || json_object_get(json, "class_name"))
        return add_metric(r, json, list);
    for (size_t i = 0; depth < 4 && i < json_array_size(json); i++)
        TN_TRY(take_metrics(r, json_array_get(json, i), list, depth + 1));
    if (depth < 4)
        json_object_foreach((json_t *)(uintptr_t)json, key, value)
            TN_TRY(take_metrics(r, value, list, depth + 1));
    return TN_OK;
}

static void rename_key(json_t *config, const char *old, const char *new)
{
    json_t *value = json_object_get(config, old);
    if (value && !json_object_get(config, new))
        tn__json_set(config, new, json_incref(value));
    json_object_del(config, old);
}

/* rate / (1 + decay steps) is a schedule now. Nadam means something else by its decay, and what is
 * no number stays and is refused. */
static void upgrade_decay(const char *class, json_t *config)
{
    const json_t *decay = json_object_get(config, "decay");
    json_t *rate = json_object_get(config, "learning_rate");
    bool none = json_number_value(decay) == 0;
    if (!decay || (class && strcmp(class, "Nadam") == 0) || (!none && !json_is_number(rate)))
        return;
    if (!none)
        tn__json_set(config, "learning_rate",
                     json_pack("{s:s, s:{s:O, s:i, s:O, s:b}}", "class_name", "InverseTimeDecay",
                               "config", "initial_learning_rate", rate, "decay_steps", 1,
                               "decay_rate", decay, "staircase", 0));
    json_object_del(config, "decay");
}

/* What older optimizers said besides; an epsilon of null is the default. */
static void upgrade_optimizer(const char *class, json_t *config)
{
    rename_key(config, "lr", "learning_rate");
    if (json_is_null(json_object_get(config, "epsilon")))
        json_object_del(config, "epsilon");
    json_object_del(config, "jit_compile");
    json_object_del(config, "is_legacy_optimizer");
    upgrade_decay(class, config);
}

/* A loss scale that does not change is the inner optimizer's loss_scale_factor. */
static void upgrade_loss_scale(json_t *json, json_t *inner)
{
    json_t *config = json_object_get(json, "config");
    if (json_is_false(json_object_get(config, "dynamic"))) {
        tn__json_set(json_object_get(inner, "config"), "loss_scale_factor",
                     json_incref(json_object_get(config, "initial_scale")));
        tn__json_set(json, "class_name", json_incref(json_object_get(inner, "class_name")));
        tn__json_set(json, "config", json_incref(json_object_get(inner, "config")));
        return;
    }
    json_object_del(config, "dynamic");
    json_object_del(config, "ema_momentum"); /* early Keras 3 said it, to no effect */
}

/* {"class_name": "Custom>Adam", …} of Keras 2 is "Adam". */
static void upgrade_class(json_t *json)
{
    const char *class = tn__json_text(json, "class_name"), *end = class ? strchr(class, '>') : NULL;
    json_t *config = json_object_get(json, "config"),
           *inner = json_object_get(config, "inner_optimizer");
    if (end)
        tn__json_set(json, "class_name", json_string(end + 1));
    upgrade_optimizer(tn__json_text(json, "class_name"), config);
    if (!json_is_object(inner))
        return;
    if (!json_object_get(json_object_get(inner, "config"), "inner_optimizer"))
        upgrade_class(inner);
    upgrade_loss_scale(json, inner);
}

static tn_status read_optimizer(const json_t *json, tn_optimizer **optimizer)
{
    tn__thing thing;
    *optimizer = NULL;
    if (!json || json_is_null(json)) /* Keras's default */
        return TN_OK;
    if (json_is_string(json))
        return tn__optimizer_parse(json_string_value(json), optimizer);
    json_t *copy = json_deep_copy(json);
    upgrade_class(copy);
    tn_status status = copy ? tn__errors()->status : tn__fail_memory(0);
    if (status == TN_OK)
        status = tn__thing_from_json(TN__OPTIMIZER, copy, &thing);
    json_decref(copy);
    return status == TN_OK ? tn__optimizer_from_thing(&thing, optimizer) : status;
}

static tn_status set_number(tn_tensor *variable, double number)
{
    tn_tensor *value = tn__tensor_fill((tn_dtype)variable->dtype, &TN_SCALAR, number);
    tn_status status = value ? tn__variable_assign(variable, value) : TN_RESOURCE_EXHAUSTED;
    tn__release(value);
    return status;
}

/* What own_scale_json wrote, round the optimizer beside it. */
static tn_status read_own_scale(const json_t *scale, const json_t *inner, tn_optimizer **optimizer)
{
    json_t *json = json_deep_copy(scale);
    tn__json_set(json_object_get(json, "config"), "inner_optimizer", json_deep_copy(inner));
    tn_status status = tn__errors()->status;
    if (status == TN_OK)
        status = read_optimizer(json, optimizer);
    json_decref(json);
    TN_TRY(status);
    if (!*optimizer || !(*optimizer)->inner)
        return TN_OK;
    TN_TRY(set_number((*optimizer)->step_counter,
                      json_number_value(json_object_get(scale, "step_counter"))));
    double dynamic;
    (void)tn__number_from_json(json_object_get(scale, "dynamic_scale"), &dynamic);
    return set_number((*optimizer)->dynamic_scale, dynamic);
}

static tn_status compile(tn_context *context, reading *r, const json_t *config)
{
    const json_t *optimizer = json_object_get(config, "optimizer_config"),
                 *scale = json_object_get(config, OWN_SCALE);
    TN_TRY(take_losses(r, json_object_get(config, "loss")));
    take_weights(r, json_object_get(config, "loss_weights"));
    TN_TRY(take_metrics(r, json_object_get(config, "metrics"), r->options.metrics, 0));
    TN_TRY(take_metrics(r, json_object_get(config, "weighted_metrics"), r->options.weighted_metrics,
                        0));
    if (json_is_object(scale) && json_is_object(optimizer))
        TN_TRY(read_own_scale(scale, optimizer, &r->options.optimizer));
    else
        TN_TRY(read_optimizer(optimizer ? optimizer : json_object_get(config, "optimizer"),
                              &r->options.optimizer));
    const char *here = context->here;
    tn_status status = tn_compile_with(&r->options);
    context->here = here;
    return status;
}

tn_status tn__trainer_compile(tn_context *context, tn_layer *model, const json_t *config)
{
    reading r = { .model = model,
                  .options = {
                      .size_ = sizeof r.options, .model = model, .auto_scale_loss = true } };
    if (!json_is_object(config) || json_object_size(config) == 0)
        return TN_OK;
    size_t depth = tn__scope_begin("compile");
    tn_status status = compile(context, &r, config);
    tn__scope_end(depth);
    for (size_t i = 0; i < r.texts; i++)
        tn__free(r.text[i]);
    tn__release(r.options.optimizer);
    if (status == TN_OK || status == TN_RESOURCE_EXHAUSTED)
        return status;
    tn__warn("'%s' was *not* compiled as its file says: %s\nCompile it manually.", model->name,
             context->error.text);
    tn__fail_clear();
    return TN_OK;
}
