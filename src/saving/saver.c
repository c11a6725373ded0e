/* saver.c - TensorFlow 1's Saver: variables by their full names. */
#include "base/log.h"
#include "saving/checkpoint.h"
#include "saving/saver.h"
#include <stdio.h>
#include <string.h>

static void saver_destroy(void *object)
{
    tn_saver *saver = object;
    for (size_t i = 0; i < saver->variable.count; i++)
        tn__release(saver->variable.item[i]);
    for (size_t i = 0; i < saver->kept.count; i++)
        tn__free(saver->kept.item[i]);
    tn__free(saver->variable.item);
    tn__free(saver->kept.item);
    tn__free(saver->prefix);
    tn__free(saver->rename);
}

const tn__type tn__type_saver = { .name = "saver", .kind = 13, .destroy = saver_destroy };

/* --- making one ------------------------------------------------------------------------------- */
static tn_status choose_variables(const tn_context *context, tn_list *list)
{
    if (list->count == 0 && !context->graph)
        return tn__fail(TN_FAILED_PRECONDITION, "When eager execution is enabled, `Saver` must "
                                                "specify a list or dict of variables to save");
    if (list->count == 0)
        *list = tn_global_variables(NULL);
    TN_TRY(tn__errors()->status);
    return list->count ? TN_OK : tn__fail(TN_INVALID_ARGUMENT, "No variables to save");
}

static tn_status take_variables(tn_saver *saver, tn_list list)
{
    for (size_t i = 0; i < list.count; i++) {
        if (!tn__check_tensor(list.item[i], "tn_saver: an item of var_list"))
            return TN_INVALID_ARGUMENT;
        if (!tn__is_variable(list.item[i]))
            return tn__fail(TN_INVALID_ARGUMENT,
                            "tn_saver: item %zu of var_list must be a variable, got %s", i,
                            TN__TENSOR(list.item[i]));
        TN_TRY(TN__PUSH(&saver->variable, list.item[i]));
        tn__retain(list.item[i]);
    }
    return TN_OK;
}

static tn__checkpoint_names names_of(const tn_saver *saver)
{
    return (tn__checkpoint_names){ saver->prefix, saver->rename };
}

static tn_status fill(const tn_context *context, const tn_saver_options *o, tn_saver *saver)
{
    tn_list list = o->var_list;
    if (o->max_to_keep < 0)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_saver: max_to_keep must be >= 0, got %d",
                        o->max_to_keep);
    TN_TRY(choose_variables(context, &list));
    TN_TRY(take_variables(saver, list));
    saver->max_to_keep = (size_t)o->max_to_keep;
    saver->prefix = tn__strdup(o->prefix);
    saver->rename = tn__strdup(o->rename);
    if ((o->prefix && !saver->prefix) || (o->rename && !saver->rename))
        return TN_RESOURCE_EXHAUSTED;
    tn__checkpoint_names names = names_of(saver);
    return tn__checkpoint_check_names(&names, "tn_saver");
}

tn_saver *tn_saver_new(const tn_saver_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    tn_saver *saver = tn__object_new(&tn__type_saver);
    if (saver && fill(context, options, saver) == TN_OK)
        return tn__own(saver);
    tn__release(saver);
    return NULL;
}

/* --- whose values ----------------------------------------------------------------------------- */
static tn_status check_session(const tn_saver *saver, const tn_session *session, const char *what)
{
    if (session && !tn__check(session, &tn__type_session, what))
        return TN_INVALID_ARGUMENT;
    for (size_t i = 0; i < saver->variable.count; i++) {
        const tn__variable *v = saver->variable.item[i]->of.variable;
        if (!v->of_graph || (session && session->graph && v->graph == session->graph))
            continue;
        return tn__fail(TN_INVALID_ARGUMENT,
                        "%s: '%s' is a variable of a graph and has no value %s\nmade at %s", what,
                        tn__variable_full_name(saver->variable.item[i]),
                        session ? "in this session, which runs another graph" : "without a session",
                        v->here ? v->here : "an unknown line");
    }
    return TN_OK;
}

/* --- saving ----------------------------------------------------------------------------------- */
static const char *place_of(const tn_tensor *variable)
{
    const char *here = variable->of.variable->here;
    return here ? here : "an unknown line";
}

static const char *owner_of(const tn_tensor *variable)
{
    const tn_layer *owner = variable->of.variable->owner;
    return owner ? tn__layer_print(owner) : "a variable of its own";
}

/* What a file keyed by names cannot hold: h5py's words, and TensorFlow's. */
static tn_status fail_equal(const char *key, const tn_tensor *a, const tn_tensor *b)
{
    size_t depth = tn__scope_begin("message");
    tn_status status = tn__fail(
        TN_ALREADY_EXISTS,
        "Unable to create dataset (name already exists): At least two variables have the same "
        "name: %s\n"
        "'%s' is %s, made at %s, and '%s' is %s, made at %s\n"
        "give one of them another name, or make it in a name scope of its own; "
        "tn_save_weights() and tn_save() keep a model's weights by their layers and save both",
        key, tn__variable_full_name(a), owner_of(a), place_of(a), tn__variable_full_name(b),
        owner_of(b), place_of(b));
    tn__scope_end(depth);
    return status;
}

static tn_status take_values(const tn_saver *saver, tn__map *keys, tn__checkpoint *checkpoint)
{
    const tn__checkpoint_names names = names_of(saver);
    for (size_t i = 0; i < saver->variable.count; i++) {
        const char *key = tn__checkpoint_key(&checkpoint->arena, &names, saver->variable.item[i]);
        if (!key)
            return TN_RESOURCE_EXHAUSTED;
        const tn_tensor *other = tn__map_get(keys, key);
        if (other)
            return fail_equal(key, other, saver->variable.item[i]);
        TN_TRY(tn__map_set(keys, key, saver->variable.item[i]));
        TN_TRY(tn__checkpoint_add(checkpoint, key, saver->variable.item[i]));
    }
    return TN_OK;
}

/* Everything is known to be good before the disk is touched. */
static tn_status write(tn_context *context, const tn_saver *saver, const tn_session *session,
                       const char *path)
{
    tn__map keys = { 0 };
    tn__checkpoint checkpoint = { 0 };
    struct tn__cells *outer = context->cells;
    context->cells = session ? session->cells : outer;
    tn_status status = take_values(saver, &keys, &checkpoint);
    context->cells = outer;
    if (status == TN_OK)
        status = tn__checkpoint_write(&checkpoint, path, (tn__span){ NULL, 0 });
    tn__checkpoint_free(&checkpoint);
    tn__map_free(&keys);
    return status;
}

/* --- which ones are kept ---------------------------------------------------------------------- */
static void delete_file(const char *path, const char *end)
{
    char *name = tn__print("%s%s", path, end);
    if (name && remove(name) != 0)
        tn__warn("the old checkpoint's file '%s' could not be deleted", name);
    tn__free(name);
}

static void forget(tn_saver *saver, size_t at)
{
    tn__free(saver->kept.item[at]);
    saver->kept.count--;
    memmove(&saver->kept.item[at], &saver->kept.item[at + 1],
            (saver->kept.count - at) * sizeof *saver->kept.item);
}

/* A path that was written again is the newest. */
static tn_status keep(tn_saver *saver, const char *path)
{
    char *copy = tn__strdup(path);
    if (!copy || TN__PUSH(&saver->kept, copy) != TN_OK) {
        tn__free(copy);
        return TN_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i + 1 < saver->kept.count; i++)
        if (strcmp(saver->kept.item[i], path) == 0) {
            forget(saver, i);
            break;
        }
    return TN_OK;
}

/* As TensorFlow: first the folder's file names those that stay, then the oldest goes. */
static tn_status note_and_delete(tn_saver *saver, const char *path)
{
    if (saver->max_to_keep == 0)
        return tn__checkpoint_note(path, &path, 1);
    TN_TRY(keep(saver, path));
    size_t old =
        saver->kept.count > saver->max_to_keep ? saver->kept.count - saver->max_to_keep : 0;
    TN_TRY(tn__checkpoint_note(path, (const char *const *)saver->kept.item + old,
                               saver->kept.count - old));
    for (; old > 0; old--) {
        delete_file(saver->kept.item[0], ".index");
        delete_file(saver->kept.item[0], ".data-00000-of-00001");
        forget(saver, 0);
    }
    return TN_OK;
}

static tn_status check_folder(const char *prefix)
{
    const char *slash = strrchr(prefix, '/');
    char *folder = slash && slash > prefix ? tn__strndup(prefix, (size_t)(slash - prefix)) : NULL;
    if (slash && slash > prefix && !folder)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = TN_OK;
    if (folder && tn__path_kind_of(folder) != TN__PATH_FOLDER)
        status = tn__fail(TN_INVALID_ARGUMENT, "Parent directory of %s doesn't exist, can't save.",
                          prefix);
    tn__free(folder);
    return status;
}

static tn_status save(tn_context *context, tn_saver *saver, const tn_session *session,
                      const char *path)
{
    TN_TRY(check_session(saver, session, "tn_saver_save: session"));
    TN_TRY(check_folder(path));
    TN_TRY(write(context, saver, session, path));
    return note_and_delete(saver, path);
}

const char *tn_saver_save(tn_saver *saver, tn_session *session, const char *prefix, int64_t step)
{
    TN__ENTER(context, NULL);
    if (!tn__check(saver, &tn__type_saver, "tn_saver_save: saver"))
        return NULL;
    if (!prefix || !*prefix) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_saver_save: prefix is missing");
        return NULL;
    }
    char *path = step < 0 ? tn__strdup(prefix) : tn__print("%s-%lld", prefix, (long long)step);
    tn_status status = path ? save(context, saver, session, path) : TN_RESOURCE_EXHAUSTED;
    const char *result = status == TN_OK ? tn__scope_strdup(path) : NULL;
    if (status != TN_OK && path)
        tn__fail_note("while saving '%s'", path);
    tn__free(path);
    return result;
}

/* --- restoring -------------------------------------------------------------------------------- */
typedef struct {
    const tn_saver *saver;
    tn__bundle *bundle;
    tn__arena arena;
    tn__object_graph graph;
    tn__map names;     /* of the file */
    tn_tensor **value; /* of each variable, retained */
} restoring;

static tn_status check_value(const tn_tensor *variable, const tn_tensor *value, const char *key)
{
    if (value->dtype != variable->dtype)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "tensor_name = %s; expected dtype %s does not equal original dtype %s\n"
                        "the variable was made at %s",
                        key, tn__dtype_op_name((tn_dtype)variable->dtype),
                        tn__dtype_op_name((tn_dtype)value->dtype), place_of(variable));
    if (!tn__shape_fits(&variable->shape, &value->shape))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Assign requires shapes of both tensors to match. lhs shape= %s rhs shape= "
                        "%s\n'%s' in the file is not of the shape of the variable made at %s",
                        TN__SHAPE(variable->shape), TN__SHAPE(value->shape), key,
                        place_of(variable));
    return TN_OK;
}

static tn_status fail_key(const tn_tensor *variable, const char *key)
{
    return tn__fail(TN_NOT_FOUND,
                    "Key %s not found in checkpoint\n"
                    "it is the variable made at %s; tn_inspect() shows what the file has, and "
                    "prefix and rename of tn_saver() change what is looked for",
                    key, place_of(variable));
}

static tn_status read_value(restoring *r, size_t i)
{
    const tn_tensor *variable = r->saver->variable.item[i];
    const tn__checkpoint_names names = names_of(r->saver);
    const char *key = tn__checkpoint_key(&r->arena, &names, variable);
    if (!key)
        return TN_RESOURCE_EXHAUSTED;
    size_t entry = (size_t)(uintptr_t)tn__map_get(&r->names, key);
    if (!entry)
        return fail_key(variable, key);
    tn__place place = { .bundle = r->bundle, .entry = entry - 1 };
    tn_dtype stored = (tn_dtype)tn__bundle_at(r->bundle, entry - 1)->dtype;
    TN_TRY(tn__place_tensor(NULL, place, stored, &r->value[i]));
    return check_value(variable, r->value[i], key);
}

static tn_status assign_all(tn_context *context, const restoring *r, const tn_session *session)
{
    struct tn__cells *outer = context->cells;
    tn_status status = TN_OK;
    context->cells = session ? session->cells : outer;
    for (size_t i = 0; i < r->saver->variable.count && status == TN_OK; i++)
        status = tn__variable_assign(r->saver->variable.item[i], r->value[i]);
    context->cells = outer;
    return status;
}

/* Everything is read before anything is assigned. */
static tn_status restore(tn_context *context, restoring *r, const tn_session *session)
{
    size_t count = r->saver->variable.count;
    r->value = tn__alloc_zeroed(count, sizeof *r->value);
    if (!r->value)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__checkpoint_graph(r->bundle, &r->arena, &r->graph));
    TN_TRY(tn__checkpoint_index(r->bundle, &r->graph, &r->names));
    for (size_t i = 0; i < count; i++)
        TN_TRY(read_value(r, i));
    return assign_all(context, r, session);
}

static void restoring_free(restoring *r)
{
    for (size_t i = 0; r->value && i < r->saver->variable.count; i++)
        tn__release(r->value[i]);
    tn__free(r->value);
    tn__map_free(&r->names);
    tn__arena_free(&r->arena);
    tn__bundle_close(r->bundle);
}

static tn_status check_path(const char *path)
{
    if (!path)
        return tn__fail(TN_INVALID_ARGUMENT, "Can't load save_path when it is None.");
    if (tn__checkpoint_is(path) || tn__path_kind_of(path) == TN__PATH_FILE)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "The passed save_path is not a valid checkpoint: %s",
                    path);
}

tn_status tn_saver_restore(tn_saver *saver, tn_session *session, const char *path)
{
    TN__ENTER(context, context->error.status);
    if (!tn__check(saver, &tn__type_saver, "tn_saver_restore: saver"))
        return TN_INVALID_ARGUMENT;
    restoring r = { .saver = saver };
    TN_TRY(check_path(path));
    TN_TRY(check_session(saver, session, "tn_saver_restore: session"));
    TN_TRY(tn__bundle_open(path, NULL, &r.bundle));
    tn_status status = restore(context, &r, session);
    restoring_free(&r);
    if (status != TN_OK)
        tn__fail_note("while restoring '%s'", path);
    return status;
}
