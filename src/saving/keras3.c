/* keras3.c */
#include "saving/keras3.h"
#include <string.h>

/* --- finding ---------------------------------------------------------------------------------- */
/* What Keras 2.12 to 2.14 called `layers`. */
static const char OLD_LIST[] = "_layer_checkpoint_dependencies";

static char *with_old_lists(const char *path)
{
    tn__text text = { 0 };
    for (const char *at = path; *at;) {
        size_t length = strcspn(at, "/");
        if (length == 6 && strncmp(at, "layers", 6) == 0)
            tn__text_add(&text, "%s", OLD_LIST);
        else
            tn__text_add_bytes(&text, at, length);
        at += length;
        if (*at)
            tn__text_add(&text, "%c", *at++);
    }
    return tn__text_take(&text);
}

/* On Windows Keras joined with backslashes, and HDF5 takes them for part of a name. */
static void with_backslashes(char *path)
{
    for (; *path; path++)
        if (*path == '/')
            *path = '\\';
}

static tn_status find_in(tn__h5_object *root, const char *path, tn__h5_object **group)
{
    char *inside = tn__print("%s%svars", path, *path ? "/" : "");
    if (!inside)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = tn__h5_find(root, inside, group);
    tn__free(inside);
    return status;
}

/* The group "vars" of a part; NULL when the file has none. */
static tn_status find_vars(tn__h5_object *root, const char *path, tn__h5_object **group)
{
    TN_TRY(find_in(root, path, group));
    tn_status status = TN_OK;
    for (int old = 0; old < 2 && *path && status == TN_OK; old++) {
        char *other = old ? with_old_lists(path) : tn__strdup(path);
        status = other ? TN_OK : TN_RESOURCE_EXHAUSTED;
        if (status == TN_OK && !*group && old)
            status = find_in(root, other, group);
        if (status == TN_OK && !*group) {
            with_backslashes(other);
            status = find_in(root, other, group);
        }
        tn__free(other);
    }
    return status;
}

tn_status tn__keras3_is(tn__h5_object *root, bool *is)
{
    static const char *const marks[] = { "vars", "layers", OLD_LIST };
    const tn__h5_names *names;
    *is = false;
    TN_TRY(tn__h5_list(root, &names));
    for (size_t i = 0; i < names->count; i++)
        for (size_t k = 0; k < sizeof marks / sizeof *marks; k++)
            *is |= strncmp(names->item[i], marks[k], strlen(marks[k])) == 0;
    return TN_OK;
}

/* --- reading ---------------------------------------------------------------------------------- */
/* One file's weights against one model's parts. */
typedef struct {
    tn__loading *loading;
    tn__h5_object *root;
    tn__ids taken;    /* datasets that belong to a part, fitting or not */
    tn__ids visited;  /* groups */
    size_t failed;    /* parts */
    tn__text example; /* Keras's message for the first of them */
    tn__text list;    /* all of them, ", " between */
} reading;

static void add_part(tn__text *text, const tn_layer *layer)
{
    tn__text_add(text, "<%s name=%s, built=%s>", layer->of->name, layer->name,
                 layer->built ? "True" : "False");
}

/* Begins a failed part; true for the first, whose message is the example. */
static bool begin_failure(reading *r, const tn__part *part)
{
    tn__text_add(&r->list, r->failed ? ", " : "");
    add_part(&r->list, part->layer);
    if (r->failed++)
        return false;
    add_part(&r->example, part->layer);
    tn__text_add(&r->example, ":\n\n");
    return true;
}

static void add_names(tn__text *text, const tn__part *part)
{
    for (size_t i = 0; i < part->count; i++)
        tn__text_add(text, "%s'%s'", i ? ", " : "", part->own[i]->of.variable->name);
}

/* Keras's words for a wrong number of weights. */
static void explain_count(reading *r, const tn__part *part, size_t received)
{
    if (!begin_failure(r, part))
        return;
    if (part->count == 0 && !part->layer->built) {
        tn__text_add(
            &r->example,
            "Layer '%s' was never built and thus it doesn't have any variables. However the "
            "weights file lists %zu variables for this layer.",
            part->layer->name, received);
        return;
    }
    tn__text_add(&r->example,
                 "Layer '%s' expected %zu variables, but received %zu variables during loading. "
                 "Expected: [",
                 part->layer->name, part->count, received);
    add_names(&r->example, part);
    tn__text_add(&r->example, "]");
}

static tn_status fail_count(reading *r, const tn__part *part, tn__h5_object **list, size_t count)
{
    explain_count(r, part, count);
    for (size_t i = 0; i < part->count; i++) {
        char *path = tn__print("%s%svars/%zu", part->path, *part->path ? "/" : "", i);
        tn_status status =
            !path       ? TN_RESOURCE_EXHAUSTED
            : i < count ? tn__loading_refuse(r->loading, part->own[i], TN__AT_DATASET(list[i]))
                        : tn__loading_missing(r->loading, part->own[i], path);
        tn__free(path);
        TN_TRY(status);
    }
    for (size_t i = part->count; i < count; i++)
        TN_TRY(tn__loading_unexpected(r->loading, TN__AT_DATASET(list[i])));
    return TN_OK;
}

/* Keras's words for a wrong shape, for the first weight that has one. */
static void explain_shape(reading *r, const tn__part *part, tn_tensor *variable,
                          tn__h5_object *dataset)
{
    tn_shape shape = { 0 };
    if (!begin_failure(r, part) || tn__dataset_shape(dataset, &shape) != TN_OK)
        return;
    const char *path = variable->of.variable->path;
    tn__text_add(&r->example,
                 "The shape of the target variable and the shape of the target value in "
                 "`variable.assign(value)` must match. variable.shape=%s, Received: "
                 "value.shape=%s. Target variable: <Variable path=%s, shape=%s, dtype=%s>",
                 TN__SHAPE(variable->shape), TN__SHAPE(shape),
                 path ? path : variable->of.variable->name, TN__SHAPE(variable->shape),
                 tn__dtype_name((tn_dtype)variable->dtype));
}

static tn_status match_all(reading *r, const tn__part *part, tn__h5_object **list)
{
    bool failed = false;
    for (size_t i = 0; i < part->count; i++) {
        bool fits;
        TN_TRY(tn__loading_match(r->loading, part->own[i], TN__AT_DATASET(list[i]), TN__AS_IT_IS,
                                 &fits));
        if (!fits && !failed)
            explain_shape(r, part, part->own[i], list[i]);
        failed |= !fits;
    }
    return tn__errors()->status;
}

static tn_status match_list(reading *r, const tn__part *part, tn__h5_object **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        TN_TRY(tn__ids_set(&r->taken, (uintptr_t)list[i], 1));
    return count == part->count ? match_all(r, part, list) : fail_count(r, part, list, count);
}

static tn_status read_part(reading *r, const tn__part *part)
{
    tn__h5_object *group, **list = NULL;
    size_t count = 0;
    TN_TRY(find_vars(r->root, part->path, &group));
    if (group && tn__h5_kind_of(group) != TN__H5_GROUP)
        return tn__fail(TN_DATA_LOSS, "'%s' in the file is not a group", tn__h5_path(group));
    if (group)
        TN_TRY(tn__dataset_numbered(group, &list, &count));
    tn_status status = match_list(r, part, list, count);
    tn__free(list);
    return status;
}

/* --- what no part has asked for --------------------------------------------------------------- */
enum { DEEPEST = 64 };

/* Of a compiled model: not weights of its own. */
static bool is_training_state(const char *name)
{
    static const char *const names[] = { "optimizer",        "metrics",          "loss",
                                         "compiled_metrics", "compiled_loss",    "_loss_tracker",
                                         "_metrics",         "_compile_metrics", "_compile_loss" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static tn_status find_left(reading *r, tn__h5_object *group, int depth)
{
    const tn__h5_names *names;
    size_t ignored;
    if (tn__ids_get(&r->visited, (uintptr_t)group, &ignored) || depth > DEEPEST)
        return TN_OK;
    TN_TRY(tn__ids_set(&r->visited, (uintptr_t)group, 1));
    TN_TRY(tn__h5_list(group, &names));
    for (size_t i = 0; i < names->count; i++) {
        tn__h5_object *object;
        if (depth == 0 && is_training_state(names->item[i]))
            continue;
        TN_TRY(tn__h5_get(group, names->item[i], &object));
        if (tn__h5_kind_of(object) == TN__H5_GROUP)
            TN_TRY(find_left(r, object, depth + 1));
        else if (tn__h5_kind_of(object) == TN__H5_DATASET &&
                 !tn__ids_get(&r->taken, (uintptr_t)object, &ignored))
            TN_TRY(tn__loading_unexpected(r->loading, TN__AT_DATASET(object)));
    }
    return TN_OK;
}

static tn_status conclude(reading *r)
{
    if (r->example.failed || r->list.failed)
        return TN_RESOURCE_EXHAUSTED;
    if (r->failed)
        return tn__loading_fail(
            r->loading,
            tn__print(
                "A total of %zu objects could not be loaded. Example error message for object "
                "%s\n\nList of objects that could not be loaded:\n[%s]",
                r->failed, tn__text_get(&r->example), tn__text_get(&r->list)));
    if (r->loading->problem_count)
        return tn__loading_fail(r->loading,
                                tn__print("The file has %zu weight(s) that the model does not have",
                                          r->loading->problem_count));
    return TN_OK;
}

tn_status tn__keras3_read(tn__loading *loading, tn__h5_object *root, tn_layer *model)
{
    reading r = { .loading = loading, .root = root };
    tn__walk walk;
    tn_status status = tn__walk_model(model, &walk);
    for (size_t i = 0; i < walk.count && status == TN_OK; i++)
        status = read_part(&r, &walk.item[i]);
    if (status == TN_OK && !loading->skip_mismatch)
        status = find_left(&r, root, 0);
    if (status == TN_OK)
        status = conclude(&r);
    tn__walk_free(&walk);
    tn__ids_free(&r.taken);
    tn__ids_free(&r.visited);
    tn__text_free(&r.example);
    tn__text_free(&r.list);
    return status;
}

/* --- the optimizer ---------------------------------------------------------------------------- */
tn_status tn__keras3_read_optimizer(tn_context *context, const tn__source *source,
                                    tn__h5_object *root, tn_layer *model, tn__state_report *report)
{
    tn__h5_object *group, **list, *inner;
    size_t count;
    TN_TRY(tn__h5_find(root, "optimizer/inner_optimizer", &inner));
    if (inner)
        TN_TRY(tn__trainer_scale_losses(model));
    TN_TRY(tn__h5_find(root, "optimizer/vars", &group));
    if (!group || tn__h5_kind_of(group) != TN__H5_GROUP)
        return TN_OK;
    TN_TRY(tn__dataset_numbered(group, &list, &count));
    tn__place *places = NULL;
    tn_status status = tn__place_list(list, count, &places);
    if (status == TN_OK)
        status = tn__trainer_read(context, model, source, places, NULL, count, report);
    tn__free(places);
    tn__free(list);
    return status;
}

/* --- writing ---------------------------------------------------------------------------------- */
static tn_status write_numbered(tn__saving *saving, tn__h5_node *group, tn_tensor *const *variables,
                                size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        TN_TRY(tn__saving_add(saving, group, number, variables[i]));
    }
    return TN_OK;
}

/* Every part has its group, also one without weights: so it carries the part's name. */
static tn_status write_part(tn__saving *saving, tn__h5_node *root, const tn__part *part)
{
    char *path = tn__print("%s%svars", part->path, *part->path ? "/" : "");
    if (!path)
        return TN_RESOURCE_EXHAUSTED;
    tn__h5_node *group = NULL;
    tn_status status = tn__h5_add_group(root, path, &group);
    tn__free(path);
    TN_TRY(status);
    TN_TRY(tn__h5_add_text(group, "name", part->layer->name));
    return write_numbered(saving, group, part->own, part->count);
}

static tn_status write_state(tn__saving *saving, tn__h5_node *root, const char *path,
                             const char *name, tn_tensor *const *variables, size_t count)
{
    tn__h5_node *group;
    if (count == 0)
        return TN_OK;
    TN_TRY(tn__h5_add_group(root, path, &group));
    TN_TRY(tn__h5_add_text(group, "name", name));
    return write_numbered(saving, group, variables, count);
}

/* The inner optimizer's variables stand twice, as in Keras. */
static tn_status write_optimizer(tn__saving *saving, tn__h5_node *root, const tn_layer *model)
{
    tn_tensor **variables;
    size_t count;
    const char *name = NULL;
    TN_TRY(tn__trainer_variables(model, TN__KERAS_3, &variables, &count));
    tn_status status =
        write_state(saving, root, "optimizer/vars", tn__trainer_name(model), variables, count);
    tn__free(variables);
    TN_TRY(status);
    TN_TRY(tn__trainer_inner_variables(model, &variables, &count, &name));
    status = write_state(saving, root, "optimizer/inner_optimizer/vars", name, variables, count);
    tn__free(variables);
    return status;
}

tn_status tn__keras3_write(tn__saving *saving, tn__h5_node *root, tn_layer *model)
{
    tn__walk walk;
    tn_status status = tn__walk_model(model, &walk);
    for (size_t i = 0; i < walk.count && status == TN_OK; i++)
        status = write_part(saving, root, &walk.item[i]);
    tn__walk_free(&walk);
    TN_TRY(status);
    return saving->include_optimizer ? write_optimizer(saving, root, model) : TN_OK;
}
