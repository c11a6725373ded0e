/* legacy_write.c - ".h5" out. */
#include "saving/legacy.h"
#include "base/log.h"
#include "saving/json.h"
#include "saving/scopes.h"
#include "saving/trainer_state.h"
#include <string.h>

/* --- weights ---------------------------------------------------------------------------------- */
static const char *place_of(const char *here)
{
    return here ? here : "an unknown line";
}

static const char *owner_of(const tn_tensor *variable, const tn_layer *group)
{
    const tn_layer *owner = variable->of.variable->owner;
    return tn__layer_print(owner ? owner : group);
}

/* h5py's words, then who made the two. */
static tn_status fail_equal(const tn_layer *group, const char *name, const tn_tensor *a,
                            const tn_tensor *b)
{
    size_t depth = tn__scope_begin("message");
    tn_status status = tn__fail(
        TN_ALREADY_EXISTS,
        "Unable to create dataset (name already exists)\n"
        "two weights in the group '%s' of the .h5 file are called '%s': "
        "one of %s, made at %s, and one of %s, made at %s\n"
        ".keras and .weights.h5 keep weights by their layers and save both; or give one another "
        "name",
        group->name, name, owner_of(a, group), place_of(a->of.variable->here), owner_of(b, group),
        place_of(b->of.variable->here));
    tn__scope_end(depth);
    return status;
}

static tn_status check_names(const tn_layer *layer, tn_tensor *const *weights, char *const *names,
                             size_t count)
{
    tn__map seen = { 0 };
    tn_status status = TN_OK;
    for (size_t i = 0; i < count && status == TN_OK; i++) {
        const tn_tensor *other = tn__map_get(&seen, names[i]);
        status = other ? fail_equal(layer, names[i], other, weights[i])
                       : tn__map_set(&seen, names[i], weights[i]);
    }
    tn__map_free(&seen);
    return status;
}

/* Keras 2's names end in ":0". */
static tn_status add_ends(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *longer = tn__print("%s:0", names[i]);
        if (!longer)
            return TN_RESOURCE_EXHAUSTED;
        tn__free(names[i]);
        names[i] = longer;
    }
    return TN_OK;
}

static tn_status write_named(tn__saving *saving, tn__h5_node *group, const tn_layer *layer,
                             tn_tensor *const *weights, char **names, size_t count)
{
    TN_TRY(check_names(layer, weights, names, count));
    if (saving->era == TN__KERAS_2)
        TN_TRY(add_ends(names, count));
    TN_TRY(tn__legacy_add_list(group, "weight_names", names, count));
    for (size_t i = 0; i < count; i++)
        TN_TRY(tn__saving_add(saving, group, names[i], weights[i]));
    return TN_OK;
}

static tn_status write_group(tn__saving *saving, tn__h5_node *parent, const char *name,
                             const tn_layer *layer, tn_tensor *const *weights, size_t count)
{
    tn__h5_node *group;
    char **names;
    TN_TRY(tn__h5_add_group(parent, name, &group));
    TN_TRY(tn__h5_weight_names(weights, count, &names));
    tn_status status = write_named(saving, group, layer, weights, names, count);
    tn__names_release(names, count);
    return status;
}

static tn_status write_layer(tn__saving *saving, tn__h5_node *parent, tn_layer *layer)
{
    tn__weight_list weights;
    tn_status status = tn__legacy_order(layer, &weights);
    if (status == TN_OK)
        status = write_group(saving, parent, layer->name, layer, weights.item, weights.count);
    tn__weight_list_free(&weights);
    return status;
}

static tn_status write_top_level(tn__saving *saving, tn__h5_node *group, tn_layer *model)
{
    tn__walk walk;
    tn_status status = tn__walk_model(model, &walk);
    if (status == TN_OK)
        status =
            write_group(saving, group, TN__TOP_LEVEL, model, walk.item[0].own, walk.item[0].count);
    tn__walk_free(&walk);
    return status;
}

static tn_status write_layer_names(tn__h5_node *group, tn_layer *const *layers, size_t count)
{
    char **names = tn__alloc((count + 1) * sizeof *names);
    if (!names)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count; i++)
        names[i] = layers[i]->name;
    tn_status status = tn__legacy_add_list(group, "layer_names", names, count);
    tn__free(names);
    return status;
}

static tn_status write_versions(const tn__saving *saving, tn__h5_node *group)
{
    bool old = saving->era == TN__KERAS_2;
    TN_TRY(tn__h5_add_text(group, "backend", "tensorflow"));
    return tn__h5_add_text(group, "keras_version", old ? TN__KERAS_2_VERSION : TN__KERAS_3_VERSION);
}

tn_status tn__legacy_write_weights(tn__saving *saving, tn__h5_node *group, tn_layer *model)
{
    tn_layer *const *layers;
    size_t count;
    TN_TRY(tn__legacy_layers(model, &layers, &count));
    TN_TRY(write_layer_names(group, layers, count));
    TN_TRY(write_versions(saving, group));
    for (size_t i = 0; i < count; i++)
        TN_TRY(write_layer(saving, group, layers[i]));
    return write_top_level(saving, group, model);
}

/* --- a whole model ---------------------------------------------------------------------------- */
static tn_status check_savable(const tn_layer *model)
{
    if (model->of == &tn__class_Functional || model->of == &tn__class_Sequential)
        return TN_OK;
    return tn__fail(
        TN_UNIMPLEMENTED,
        "Saving the model to HDF5 format requires the model to be a Functional model or a "
        "Sequential model. It does not work for subclassed models, because such models are defined "
        "via the body of a Python method, which isn't safely serializable.\n"
        "'%s' is a %s: .keras saves it, and tn_save_weights() saves its weights",
        model->name, model->of->name);
}

static tn_status write_json(tn__h5_node *root, const char *name, const json_t *json)
{
    char *text = json ? tn__json_dump(json) : NULL;
    tn_status status = text ? tn__h5_add_text(root, name, text) : tn__errors()->status;
    tn__free(text);
    return status;
}

/* As Keras 3 has it in an .h5: the class and the config alone. */
static json_t *plain_config(tn_layer *model, tn__era era)
{
    json_t *json = tn__layer_to_json(model, era);
    json_object_del(json, "module");
    json_object_del(json, "registered_name");
    json_object_del(json, "build_config");
    return json;
}

typedef struct {
    json_t *model, *training; /* training: NULL when it was not compiled */
} configs;

static void configs_free(configs *c)
{
    json_decref(c->model);
    json_decref(c->training);
    *c = (configs){ NULL, NULL };
}

static tn_status make_configs(const tn__saving *saving, tn_layer *model, configs *c)
{
    bool old = saving->era == TN__KERAS_2;
    *c = (configs){ plain_config(model, saving->era), NULL };
    if (!c->model)
        return tn__errors()->status;
    return saving->include_optimizer
               ? tn__trainer_config(model, old ? TN__H5_KERAS_2 : TN__H5_KERAS_3, &c->training)
               : TN_OK;
}

/* For Keras 2, in words that Keras 3 takes to mean the same; none, and that is no error, when there
 * are no such words. */
static tn_status configs_for_both(const tn__saving *saving, tn_layer *model, configs *c)
{
    bool ambiguous = false;
    tn_status status = make_configs(saving, model, c);
    if (status == TN_OK)
        status = tn__is_ambiguous(c->model, &ambiguous);
    if (status == TN_OK && !ambiguous)
        return TN_OK;
    configs_free(c);
    if (status != TN_OK && tn__errors()->status != TN_UNIMPLEMENTED)
        return status;
    tn__warn("'%s' is written for Keras 3 alone: %s", model->name,
             status == TN_OK ? "Keras 2 and Keras 3 mean different functions by hard_sigmoid"
                             : tn__errors()->text);
    tn__fail_clear();
    return TN_OK;
}

/* Settles the era, too. */
static tn_status find_configs(tn__saving *saving, tn_layer *model, configs *c)
{
    *c = (configs){ NULL, NULL };
    if (saving->either)
        TN_TRY(configs_for_both(saving, model, c));
    if (c->model)
        return TN_OK;
    if (saving->either)
        saving->era = TN__KERAS_3;
    return make_configs(saving, model, c);
}

/* Adafactor's rows and columns bear the names of their variables: the second one is "kernel_1". */
static char *distinct_name(tn__map *used, const char *optimizer, const char *inner, const char *own)
{
    char *name = tn__print("%s%s/%s", optimizer, inner, own);
    for (size_t k = 1; name && tn__map_get(used, name); k++) {
        tn__free(name);
        name = tn__print("%s%s/%s_%zu", optimizer, inner, own, k);
    }
    return name;
}

static tn_status name_all(const char *optimizer, const char *inner_name,
                          tn_tensor *const *variables, size_t count, size_t inner, char **names)
{
    tn__map used = { 0 };
    tn_status status = TN_OK;
    for (size_t i = 0; i < count && status == TN_OK; i++) {
        names[i] = distinct_name(&used, optimizer, i + inner >= count ? inner_name : "",
                                 variables[i]->of.variable->name);
        status = names[i] ? tn__map_set(&used, names[i], variables[i]) : TN_RESOURCE_EXHAUSTED;
    }
    tn__map_free(&used);
    return status;
}

/* "adam/iteration"; Keras 2: "adam/iteration:0". Those of the optimizer in a LossScaleOptimizer
 * come last: "loss_scale_optimizer/adam/iteration". */
static tn_status name_variables(const tn__saving *saving, const tn_layer *model,
                                tn_tensor *const *variables, size_t count, char **names)
{
    tn_tensor **items;
    size_t inner;
    const char *name = NULL;
    TN_TRY(tn__trainer_inner_variables(model, &items, &inner, &name));
    tn__free(items);
    char *between = tn__print("%s%s", name ? "/" : "", name ? name : "");
    tn_status status =
        between ? name_all(tn__trainer_name(model), between, variables, count, inner, names)
                : TN_RESOURCE_EXHAUSTED;
    tn__free(between);
    return status == TN_OK && saving->era == TN__KERAS_2 ? add_ends(names, count) : status;
}

static tn_status write_state(tn__saving *saving, tn__h5_node *root, tn_tensor *const *variables,
                             char **names, size_t count)
{
    tn__h5_node *group;
    bool old = saving->era == TN__KERAS_2;
    TN_TRY(tn__h5_add_group(root, old ? TN__OPTIMIZER_GROUP : TN__OWN_OPTIMIZER_GROUP, &group));
    TN_TRY(tn__legacy_add_list(group, "weight_names", names, count));
    for (size_t i = 0; i < count; i++)
        TN_TRY(tn__saving_add(saving, group, names[i], variables[i]));
    return TN_OK;
}

static tn_status write_optimizer(tn__saving *saving, tn__h5_node *root, tn_layer *model)
{
    tn_tensor **variables;
    size_t count;
    TN_TRY(tn__trainer_variables(model, saving->era, &variables, &count));
    char **names = tn__alloc_zeroed(count + 1, sizeof *names);
    tn_status status =
        names ? name_variables(saving, model, variables, count, names) : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK && count)
        status = write_state(saving, root, variables, names, count);
    tn__names_release(names, count);
    tn__free(variables);
    return status;
}

static tn_status write_all(tn__saving *saving, tn__h5_node *root, tn_layer *model, const configs *c)
{
    tn__h5_node *weights;
    TN_TRY(write_json(root, "model_config", c->model));
    TN_TRY(write_versions(saving, root));
    TN_TRY(tn__h5_add_text(root, TN__OWN_MARK, "1"));
    TN_TRY(tn__h5_add_group(root, "model_weights", &weights));
    TN_TRY(tn__legacy_write_weights(saving, weights, model));
    if (!c->training)
        return TN_OK;
    TN_TRY(write_json(root, "training_config", c->training));
    return write_optimizer(saving, root, model);
}

tn_status tn__legacy_write_model(tn__saving *saving, tn_layer *model)
{
    configs c;
    TN_TRY(check_savable(model));
    tn_status status = find_configs(saving, model, &c);
    if (status == TN_OK)
        status = write_all(saving, tn__h5_tree_root(saving->tree), model, &c);
    if (status == TN_OK)
        status = tn__legacy_warn(c.model, saving->era);
    configs_free(&c);
    return status;
}
