/* variable_scope.c - entering variable scopes, as TensorFlow's variable_scope does. */
#include "function/variable_scope.h"
#include "base/text.h"
#include "function/frame.h"
#include <string.h>

/* --- one entry ---------------------------------------------------------------------------------------------------------- */
static void variable_scope_destroy(void *object)
{
    tn__variable_scope *scope = object;
    tn__free(scope->name);
    tn__free(scope->name_scope);
    tn__free(scope->initializer);
    tn__free(scope->regularizer);
    tn__release(scope->store);
}

static const tn__type type_variable_scope = { .name = "variable scope", .destroy = variable_scope_destroy };

static tn__variable_scope *root_of(tn_store *store)
{
    if (!store || store->root)
        return store ? store->root : NULL;
    tn__variable_scope *root = tn__object_new(&type_variable_scope);
    if (!root)
        return NULL;
    root->dtype = TN_FLOAT32;
    root->name = tn__strdup("");
    root->name_scope = tn__strdup("");
    if (root->name && root->name_scope)
        return store->root = root;
    tn__release(root);
    return NULL;
}

tn__variable_scope *tn__variable_scope_now(tn_context *context)
{
    return context->variable_scope ? context->variable_scope : root_of(tn__store_now(context));
}

/* --- what TN_WITH enters ------------------------------------------------------------------------------------------------ */
typedef struct {
    tn_variable_scope_options options; /* own texts, own count of the store */
    tn__variable_scope *again;         /* retained; of .scope: instead of a name */
    tn__variable_scope *made;          /* retained; of the first entry: what later ones enter again */
} opening;

static void opening_free(void *self)
{
    opening *o = self;
    if (!o)
        return;
    tn__free((char *)o->options.name);
    tn__free((char *)o->options.default_name);
    tn__free((char *)o->options.initializer);
    tn__free((char *)o->options.regularizer);
    tn__release(o->options.store);
    tn__release(o->again);
    tn__release(o->made);
    tn__free(o);
}

/* What leaving undoes. */
typedef struct {
    tn__variable_scope *outer, *now; /* now: retained */
    const char *outer_names;
    tn_store *counts;                /* retained: where openings are counted */
    size_t *opened;                  /* counts to come back to; NULL: those below this path are forgotten */
} entry;

/* _get_unique_variable_scope: the default name, numbered when it was opened here before. */
static char *unique_path(const tn_store *store, const tn__variable_scope *outer, const char *name)
{
    char *path = tn__join_names(outer->name, name);
    for (size_t i = 1; path && tn__times_opened(store, path) > 0; i++) {
        tn__free(path);
        path = tn__print("%s%s%s_%zu", outer->name, outer->name[0] ? "/" : "", name, i);
    }
    return path;
}

static char *path_of(const opening *o, const tn__variable_scope *again, const tn__variable_scope *outer, const tn_store *store)
{
    if (again)
        return tn__strdup(again->name);
    if (!o->options.name)
        return unique_path(store, outer, o->options.default_name);
    return tn__join_names(outer->name, o->options.name);
}

/* The name scope that is opened with it: of a scope entered again, its path's last part. */
static char *names_of(tn_context *context, const opening *o, const tn__variable_scope *again)
{
    const char *slash = again ? strrchr(again->name, '/') : NULL;
    const char *name = again ? (slash ? slash + 1 : again->name) : o->options.name ? o->options.name : o->options.default_name;
    return name[0] ? tn__name_scope_open(context, name) : tn__strdup(context->name_scope);
}

static const char *given_or(const char *given, const char *inherited)
{
    return given ? given : inherited;
}

static tn_status copied(const char *text, char **copy)
{
    *copy = text ? tn__strdup(text) : NULL;
    return text && !*copy ? TN_RESOURCE_EXHAUSTED : TN_OK;
}

/* What the options do not say is that of the scope entered again, or of the one round it. */
static tn_status inherit(tn__variable_scope *now, const tn_variable_scope_options *o, const tn__variable_scope *from)
{
    now->reuse = o->reuse ? o->reuse : from->reuse;
    now->dtype = o->dtype ? o->dtype : from->dtype;
    now->strict = o->strict_tf1 || from->strict;
    now->store = tn__retain(o->store ? o->store : from->store);
    TN_TRY(copied(given_or(o->initializer, from->initializer), &now->initializer));
    return copied(given_or(o->regularizer, from->regularizer), &now->regularizer);
}

static tn_status make_entry(tn_context *context, const opening *o, const char *here, entry *e)
{
    const tn__variable_scope *again = o->made ? o->made : o->again;
    const tn__variable_scope *outer = tn__variable_scope_now(context);
    e->counts = tn__retain(tn__store_now(context));
    e->now = outer ? tn__object_new(&type_variable_scope) : NULL;
    if (!e->now)
        return TN_RESOURCE_EXHAUSTED;
    e->now->here = here;
    static const tn_variable_scope_options none;
    TN_TRY(inherit(e->now, o->made ? &none : &o->options, again ? again : outer));
    if (!(e->now->name_scope = names_of(context, o, again)) || !(e->now->name = path_of(o, again, outer, e->counts)))
        return context->error.status;
    TN_TRY(tn__count_opened(e->counts, e->now->name));
    return again ? tn__save_opened(e->counts, &e->opened) : TN_OK;
}

static void entry_free(entry *e)
{
    tn__release(e->now);
    tn__release(e->counts);
    tn__free(e->opened);
    tn__free(e);
}

static tn_status enter_variable_scope(tn_context *context, tn_scope *scope, const char *here, void **saved)
{
    opening *o = scope->self;
    entry *e = tn__alloc_zeroed(1, sizeof *e);
    tn__making_begin(context); /* a graph's store is shared by threads */
    tn_status status = e ? make_entry(context, o, here, e) : TN_RESOURCE_EXHAUSTED;
    tn__making_end(context);
    if (status != TN_OK) {
        if (e)
            entry_free(e);
        return status;
    }
    if (!o->made)
        o->made = tn__retain(e->now);
    e->outer = context->variable_scope;
    e->outer_names = context->name_scope;
    context->variable_scope = e->now;
    context->name_scope = e->now->name_scope;
    *saved = e;
    return TN_OK;
}

static void leave_variable_scope(tn_context *context, tn_scope *scope, void *saved)
{
    (void)scope;
    entry *e = saved;
    context->variable_scope = e->outer;
    context->name_scope = e->outer_names;
    tn__making_begin(context);
    if (e->opened)
        tn__restore_opened(e->counts, e->opened);
    else
        tn__forget_opened(e->counts, e->now->name);
    tn__making_end(context);
    entry_free(e);
}

static const tn__scope_class variable_scope_class = { "variable scope", enter_variable_scope, leave_variable_scope, opening_free };

/* --- making them -------------------------------------------------------------------------------------------------------- */
static bool check_variable_scope(const tn_scope *scope, const char *what)
{
    if (!tn__check_scope(scope, what))
        return false;
    if (scope->of != &variable_scope_class)
        tn__fail(TN_INVALID_ARGUMENT, "%s is a %s, not a variable scope\ntn_variable_scope() makes one", what, scope->of->name);
    return scope->of == &variable_scope_class;
}

static bool check_options(const tn_variable_scope_options *o)
{
    if (!o->name && !o->default_name && !o->scope)
        tn__fail(TN_INVALID_ARGUMENT, "If default_name is None then name_or_scope is required");
    else if (!o->name && !o->scope && o->reuse)
        tn__fail(TN_INVALID_ARGUMENT, "reuse=True cannot be used without a name_or_scope");
    else if (o->name && o->scope)
        tn__fail(TN_INVALID_ARGUMENT, "tn_variable_scope: .name and .scope are both given; a scope entered again has its name");
    else if (o->reuse < TN_NO_REUSE || o->reuse > TN_AUTO_REUSE)
        tn__fail(TN_INVALID_ARGUMENT, "The reuse parameter must be True or False or None.");
    else if (o->dtype && !tn__dtype_size(o->dtype))
        tn__fail(TN_INVALID_ARGUMENT, "tn_variable_scope: %d is not a dtype", (int)o->dtype);
    else
        return (!o->store || tn__check(o->store, &tn__type_store, "tn_variable_scope: store")) &&
               (!o->scope || check_variable_scope(o->scope, "tn_variable_scope: scope"));
    return false;
}

static tn_status copy_options(const tn_variable_scope_options *o, opening *to)
{
    const char *const from[] = { o->name, o->default_name, o->initializer, o->regularizer };
    const char **const text[] = { &to->options.name, &to->options.default_name, &to->options.initializer, &to->options.regularizer };
    to->options = (tn_variable_scope_options){ .reuse = o->reuse, .dtype = o->dtype, .store = tn__retain(o->store), .strict_tf1 = o->strict_tf1 };
    for (size_t i = 0; i < 4; i++)
        if (from[i] && !(*text[i] = tn__strdup(from[i])))
            return TN_RESOURCE_EXHAUSTED;
    const opening *again = o->scope ? o->scope->self : NULL;
    if (again && !again->made)
        return tn__fail(TN_FAILED_PRECONDITION, "tn_variable_scope: .scope was not entered yet, so it has no path\nTN_WITH(scope) enters it");
    to->again = again ? tn__retain(again->made) : NULL;
    return TN_OK;
}

tn_scope *tn_variable_scope_new(const tn_variable_scope_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    if (!check_options(options))
        return NULL;
    tn_scope *scope = tn__scope_new(&variable_scope_class);
    if (scope && (!(scope->self = tn__alloc_zeroed(1, sizeof(opening))) || copy_options(options, scope->self) != TN_OK)) {
        tn__release(scope);
        return NULL;
    }
    return tn__own(scope);
}

tn_scope *tn_get_variable_scope(void)
{
    TN__ENTER(context, NULL);
    tn__variable_scope *now = tn__variable_scope_now(context);
    tn_scope *scope = now ? tn__scope_new(&variable_scope_class) : NULL;
    if (!scope)
        return NULL;
    opening *o = scope->self = tn__alloc_zeroed(1, sizeof *o);
    if (!o) {
        tn__release(scope);
        return NULL;
    }
    o->made = tn__retain(now);
    return tn__own(scope);
}

void tn_reuse_variables(tn_scope *variable_scope)
{
    if (!check_variable_scope(variable_scope, "tn_reuse_variables: variable_scope"))
        return;
    opening *o = variable_scope->self;
    if (o->made)
        o->made->reuse = TN_REUSE;
    else
        o->options.reuse = TN_REUSE;
}

/* --- keys --------------------------------------------------------------------------------------------------------------- */
bool tn__store_takes_variables(const tn_context *context)
{
    const tn__variable_scope *scope = context->variable_scope;
    const tn__call_frame *owner = tn__owner_of_variables(context);
    return scope && !scope->strict && !(owner && owner->variable_scope == scope);
}

char *tn__key_inside(const tn_context *context, const tn__variable_scope *scope, const char *name)
{
    tn__text key = { 0 };
    char *inside = tn__names_inside(context, &variable_scope_class, (const char *const[]){ scope->name_scope, scope->name });
    if (!inside)
        return NULL;
    tn__text_add(&key, "%s%s%s%s%s", scope->name, scope->name[0] ? "/" : "", inside, inside[0] ? "/" : "", name);
    tn__free(inside);
    return tn__text_take(&key);
}
