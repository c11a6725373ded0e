/* get_variable.c - variables that the store has, or gets: get_variable, and tn_variable inside a variable scope. */
#include "function/variable_scope.h"
#include "base/text.h"
#include "core/hooks.h"
#include "function/frame.h"
#include <string.h>

/* What is asked of a store. */
typedef struct {
    const char *key;          /* "s/x" */
    tn_shape shape;           /* not known: any */
    tn_dtype dtype;           /* 0: any */
    tn_reuse reuse;
    const tn__variable_scope *scope;
    const tn_store *store;
} wish;

/* --- messages ----------------------------------------------------------------------------------------------------------- */
static const char *site(const char *here)
{
    return here ? here : "an unknown line";
}

static void note_made(const wish *w, const tn_tensor *found)
{
    const tn__variable *v = found->of.variable;
    tn__fail_note("the existing '%s' %s %s was made at %s%s%s", w->key, tn__dtype_name((tn_dtype)found->dtype), TN__SHAPE(found->shape),
                  site(v->here), v->scope[0] ? " in scope " : "", v->scope);
}

static void note_scope(const wish *w)
{
    const tn__variable_scope *s = w->scope;
    if (s->name[0])
        tn__fail_note("it was asked for in the variable scope '%s', entered at %s", s->name, site(s->here));
    else
        tn__fail_note("it was asked for outside of every variable scope");
}

static tn_status already_exists(const wish *w, const tn_tensor *found)
{
    tn_status status = tn__fail(TN_ALREADY_EXISTS, "Variable %s already exists, disallowed. Did you mean to set reuse=True or "
                                                   "reuse=tf.AUTO_REUSE in VarScope?", w->key);
    note_made(w, found);
    note_scope(w);
    if (w->scope->name[0])
        tn__fail_note("to share it: tn_variable_scope(\"%s\", .reuse = TN_AUTO_REUSE); for another variable: another name or scope; for a fresh "
                      "start: tn_reset_default_graph()", w->scope->name);
    else
        tn__fail_note("to share it: tn_reuse_variables(tn_get_variable_scope()), or a variable scope with .reuse = TN_AUTO_REUSE; for another "
                      "variable: another name; for a fresh start: tn_reset_default_graph()");
    return status;
}

/* The names under the scope, at most eight, or that there are none. */
static void note_present(const wish *w)
{
    tn__text names = { 0 };
    size_t length = strlen(w->scope->name), found = 0;
    for (size_t i = 0; i < w->store->variable.count; i++) {
        const char *key = w->store->variable.item[i].key;
        if (length && (strncmp(key, w->scope->name, length) != 0 || key[length] != '/'))
            continue;
        if (found++ < 8)
            tn__text_add(&names, "%s%s", found > 1 ? ", " : "", key);
    }
    if (found)
        tn__fail_note("there are: %s%s", tn__text_get(&names), found > 8 ? ", …" : "");
    else
        tn__fail_note("the store has no variable %s%s%s", length ? "in '" : "at all", w->scope->name, length ? "'" : "");
    tn__text_free(&names);
}

static tn_status does_not_exist(const wish *w)
{
    tn_status status = tn__fail(TN_NOT_FOUND, "Variable %s does not exist, or was not created with tf.get_variable(). Did you mean to set "
                                              "reuse=tf.AUTO_REUSE in VarScope?", w->key);
    note_present(w);
    note_scope(w);
    tn__fail_note("TN_REUSE only gives what is there: .reuse = TN_AUTO_REUSE also makes what is missing, or make '%s' before%s", w->key,
                  w->scope->strict ? "; with .strict_tf1 tn_variable() puts nothing into the store" : "");
    return status;
}

/* What is there must be what is asked for. */
static tn_status check_shared(const wish *w, const tn_tensor *found)
{
    tn_status status = TN_OK;
    if (w->shape.known && !tn__shape_fits(&w->shape, &found->shape))
        status = tn__fail(TN_INVALID_ARGUMENT, "Trying to share variable %s, but specified shape %s and found shape %s.", w->key,
                          TN__SHAPE(w->shape), TN__SHAPE(found->shape));
    else if (w->dtype && w->dtype != (tn_dtype)found->dtype)
        status = tn__fail(TN_INVALID_ARGUMENT, "Trying to share variable %s, but specified dtype %s and found dtype %s.", w->key,
                          tn__dtype_name(w->dtype), tn__dtype_name((tn_dtype)found->dtype));
    if (status == TN_OK)
        return TN_OK;
    note_made(w, found);
    note_scope(w);
    tn__fail_note("leave .shape and .dtype out to take what is there (an initial value brings its own: give one that fits), or give the other variable another name");
    return status;
}

/* The existing variable, or NULL when it is to be made. */
static tn_status look_up(const wish *w, tn_tensor **found)
{
    *found = tn__store_find(w->store, w->key);
    if (!*found)
        return w->reuse == TN_REUSE ? does_not_exist(w) : TN_OK;
    return w->reuse == TN_NO_REUSE ? already_exists(w, *found) : check_shared(w, *found);
}

/* --- making ------------------------------------------------------------------------------------------------------------- */
/* Graphs collect their variables themselves. */
static tn_status keep(tn_store *store, const char *key, const char *collections, tn_tensor *variable)
{
    TN_TRY(tn__store_put(store, key, variable));
    return variable->of.variable->of_graph ? TN_OK : tn__collect_variable(store, collections, variable);
}

/* What is made for a variable is named under it, "s/x/Regularizer/…". */
typedef struct {
    const char *outer;
    char *names;
    size_t depth;
} beneath;

static tn_status begin_beneath(tn_context *context, const char *key, const char *what, beneath *b)
{
    if (!(b->names = tn__print("%s/%s", key, what)))
        return TN_RESOURCE_EXHAUSTED;
    b->outer = context->name_scope;
    b->depth = tn__scope_begin(context->here);
    context->name_scope = b->names;
    return TN_OK;
}

static void end_beneath(tn_context *context, beneath *b)
{
    context->name_scope = b->outer;
    tn__scope_end(b->depth);
    tn__free(b->names);
}

/* In a graph the penalty is an op now; an eager variable stands for its own. */
static tn_status regularize(tn_context *context, tn_store *store, const char *key, const char *text, tn_tensor *variable)
{
    if (!text)
        return TN_OK;
    if (!(variable->of.variable->regularizer = tn__strdup(text)))
        return TN_RESOURCE_EXHAUSTED;
    if (!variable->of.variable->of_graph)
        return tn__collect(store, "regularization_losses", variable);
    beneath b;
    TN_TRY(begin_beneath(context, key, "Regularizer", &b));
    tn_tensor *penalty = tn__hooks.penalize(text, variable);
    tn_status status = penalty ? tn__collect(store, "regularization_losses", penalty) : context->error.status;
    end_beneath(context, &b);
    return status;
}

/* Ops of the graph, which draw in every run; they wait for nothing. */
static tn_status draw_in_graph(tn_context *context, const char *key, const char *initializer, tn_dtype dtype, const tn_shape *shape,
                               tn_tensor **value)
{
    tn__control *outer = context->control;
    beneath b;
    TN_TRY(begin_beneath(context, key, "Initializer", &b));
    context->control = NULL;
    tn_status status = tn__hooks.initialize_op(context, initializer, dtype, shape, value);
    context->control = outer;
    end_beneath(context, &b);
    return status;
}

static tn_status draw(tn_context *context, const wish *w, const tn_get_variable_options *o, tn_dtype dtype, tn_tensor **value)
{
    const char *initializer = o->initializer ? o->initializer : w->scope->initializer;
    if (!initializer && !o->shape.known)
        return tn__fail(TN_INVALID_ARGUMENT, "Variable %s did not get an initializer, so its `shape` argument must be specified.\n"
                                             ".shape = TN_SHAPE(2, 3) makes one, .initial_value brings a shape of its own; only a variable that is "
                                             "there needs neither, in a scope with .reuse",
                        w->key);
    if (!tn__shape_full(&o->shape))
        return tn__fail(TN_INVALID_ARGUMENT, "The initializer passed is not valid. It should be a callable with no arguments and the shape should not "
                                             "be provided or an instance of `tf.keras.initializers.*' and `shape` should be fully defined.\n"
                                             "variable %s: an initializer needs every dimension, got shape %s; .initial_value brings a shape of its own",
                        w->key, TN__SHAPE(o->shape));
    if (!initializer)
        initializer = tn__in(TN__FLOATS, dtype) ? "glorot_uniform" : "zeros";
    if (tn__graph_of_variables(context))
        return draw_in_graph(context, w->key, initializer, dtype, &o->shape, value);
    return tn__hooks.initialize(context, initializer, INT64_MIN, dtype, &o->shape, value);
}

static tn_status make(tn_context *context, const wish *w, const tn_get_variable_options *o, tn_variable **variable)
{
    tn_dtype dtype = o->dtype ? o->dtype : w->scope->dtype;
    tn_tensor *drawn = NULL;
    if (!o->initial_value)
        TN_TRY(draw(context, w, o, dtype, &drawn));
    tn_variable_options plain = { .size_ = sizeof plain, .initial_value = drawn ? drawn : o->initial_value, .dtype = o->dtype,
                                  .trainable = o->trainable, .name = o->name, .constraint = o->constraint, .collections = o->collections };
    tn_status status = tn__variable_make_plain(context, &plain, w->scope->name, variable);
    tn__release(drawn);
    return status;
}

/* --- get_variable ------------------------------------------------------------------------------------------------------- */
static tn_status check_options(const tn_get_variable_options *o)
{
    if (!o->name || !o->name[0])
        return tn__fail(TN_INVALID_ARGUMENT, "tn_get_variable: a variable of a store needs a name");
    if (!o->initial_value)
        return TN_OK;
    if (!tn__check_tensor(o->initial_value, "tn_get_variable: initial_value"))
        return TN_INVALID_ARGUMENT;
    if (o->shape.known)
        return tn__fail(TN_INVALID_ARGUMENT, "If initializer is a constant, do not specify shape.");
    if (o->initializer)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_get_variable: .initializer and .initial_value of '%s' are both given", o->name);
    if (o->dtype && o->initial_value->dtype != o->dtype && !o->initial_value->weak)
        return tn__fail(TN_INVALID_ARGUMENT, "Initializer type '<dtype: '%s'>' and explicit dtype '<dtype: '%s'>' don't match.",
                        tn__dtype_name((tn_dtype)o->initial_value->dtype), tn__dtype_name(o->dtype));
    return TN_OK;
}

/* TensorFlow's eager mode: nothing is shared but through a store that was asked for, which always shares. */
static tn_status strict_eager(wish *w)
{
    if (!w->scope->store && w->reuse)
        return tn__fail(TN_FAILED_PRECONDITION, "When eager execution is enabled variable reuse is only supported when an EagerVariableStore is "
                                                "active. See the documentation on EagerVariableStore for example usage.\n"
                                                "that is tn_variable_scope(…, .store = tn_store_new()); without .strict_tf1 the thread's own store "
                                                "serves");
    w->reuse = w->scope->store ? TN_AUTO_REUSE : TN_NO_REUSE;
    return TN_OK;
}

static tn_status make_and_keep(tn_context *context, tn_store *store, const wish *w, const tn_get_variable_options *o, tn_variable **variable)
{
    const char *regularizer = o->regularizer ? o->regularizer : w->scope->regularizer;
    bool kept = w->store != NULL;
    TN_TRY(make(context, w, o, variable));
    if (kept)
        TN_TRY(keep(store, w->key, o->collections, *variable));
    return regularize(context, store, w->key, regularizer, *variable);
}

static tn_status get(tn_context *context, const tn_get_variable_options *o, const tn__variable_scope *scope, const char *key,
                     tn_variable **variable)
{
    tn_store *store = scope->store ? scope->store : tn__store_now(context);
    wish w = { key, o->shape, o->dtype ? o->dtype : scope->strict ? scope->dtype : 0, scope->reuse, scope, store };
    tn_tensor *found = NULL;
    if (!store)
        return TN_RESOURCE_EXHAUSTED;
    if (scope->strict && !context->graph) {
        TN_TRY(strict_eager(&w));
        w.store = scope->store;
    }
    if (w.store)
        TN_TRY(look_up(&w, &found));
    if (!found)
        return make_and_keep(context, store, &w, o, variable);
    *variable = tn__retain(found);
    return TN_OK;
}

static tn_status get_in_scope(tn_context *context, const tn_get_variable_options *o, tn_variable **variable)
{
    TN_TRY(check_options(o));
    const tn__variable_scope *scope = tn__variable_scope_now(context);
    char *key = scope ? tn__join_names(scope->name, o->name) : NULL;
    tn_status status = key ? get(context, o, scope, key, variable) : TN_RESOURCE_EXHAUSTED;
    tn__free(key);
    return status;
}

tn_variable *tn_get_variable_new(const tn_get_variable_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    tn_variable *variable = NULL;
    tn__making_begin(context);
    tn_status status = get_in_scope(context, options, &variable);
    tn__making_end(context);
    if (status == TN_OK)
        return tn__own(variable);
    tn__release(variable);
    return NULL;
}

/* --- tn_variable in a variable scope ------------------------------------------------------------------------------------ */
/* A second variable beside the first: s/v_1, s/v_2 … */
static tn_status free_key(const tn_store *store, const char *key, char **found)
{
    *found = tn__strdup(key);
    for (size_t i = 1; *found && tn__store_find(store, *found); i++) {
        tn__free(*found);
        *found = tn__print("%s_%zu", key, i);
    }
    return *found ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status make_another(tn_context *context, tn_store *store, const char *key, const tn_variable_options *o, tn_variable **variable)
{
    char *own;
    TN_TRY(free_key(store, key, &own));
    tn_status status = tn__variable_make_plain(context, o, NULL, variable);
    if (status == TN_OK)
        status = keep(store, own, o->collections, *variable);
    tn__free(own);
    return status;
}

tn_status tn__variable_in_store(tn_context *context, const tn_variable_options *options, tn_variable **variable)
{
    const tn__variable_scope *scope = tn__variable_scope_now(context);
    tn_store *store = !scope || scope->store ? (scope ? scope->store : NULL) : tn__store_now(context);
    char *key = store ? tn__key_inside(context, scope, options->name ? options->name : "Variable") : NULL;
    if (!key)
        return context->error.status;
    wish w = { key, options->shape, options->dtype, scope->reuse, scope, store };
    tn_tensor *found = NULL;
    tn_status status = w.reuse ? look_up(&w, &found) : TN_OK;
    if (status == TN_OK && !found)
        status = make_another(context, store, key, options, variable);
    else if (status == TN_OK)
        *variable = tn__retain(found);
    tn__free(key);
    return status;
}
