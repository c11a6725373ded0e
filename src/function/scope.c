/* scope.c - what TN_WITH enters: memory scopes and name scopes. */
#include "function/scope.h"
#include "base/text.h"
#include "runtime/graph_names.h"
#include "tenon/variable.h"
#include <string.h>

static void scope_destroy(void *object)
{
    tn_scope *scope = object;
    if (scope->of && scope->of->destroy)
        scope->of->destroy(scope->self);
    tn__free(scope->name);
}

static const tn__type type_scope = { .name = "scope", .kind = 10, .destroy = scope_destroy };

tn_scope *tn__scope_new(const tn__scope_class *of)
{
    tn_scope *scope = tn__object_new(&type_scope);
    if (scope)
        scope->of = of;
    return scope;
}

/* --- memory ------------------------------------------------------------------------------------------------------------- */
static const tn__scope_class memory_class = { "memory scope", NULL, NULL, NULL };
/* One for all: what a scope owns is known by the place where it was entered. Never changed nor counted, so no thread minds. */
static tn_scope the_memory_scope = { .object = { .type = &type_scope, .count = 1 }, .of = &memory_class };

tn_scope *tn_memory_scope(void)
{
    return &the_memory_scope;
}

/* --- names -------------------------------------------------------------------------------------------------------------- */
static tn_status enter_name(tn_context *context, tn_scope *scope, const char *here, void **saved)
{
    (void)here;
    memcpy(saved, &context->name_scope, sizeof *saved);
    context->name_scope = scope->name;
    return TN_OK;
}

static void leave_name(tn_context *context, tn_scope *scope, void *saved)
{
    (void)scope;
    context->name_scope = saved;
}

static const tn__scope_class name_class = { "name scope", enter_name, leave_name, tn__free };

/* TensorFlow's pattern for a scope at the root; inside another the first character may also be one of _ > - \ /. */
static bool valid_scope_name(const char *name, bool root)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.";
    static const char also[] = "_\\/>-";
    if (root && *name && !strchr(letters, *name))
        return false;
    for (; *name; name++)
        if (!strchr(letters, *name) && !strchr(also, *name))
            return false;
    return true;
}

/* "a" inside "b" is "b/a", which a TensorFlow 1 graph makes unique; "a/" is "a" wherever it is entered; "" is the root. */
static char *joined(const tn_context *context, const char *name)
{
    size_t length = strlen(name);
    const char *outer = context->name_scope;
    if (length == 0)
        return tn__strdup("");
    if (tn__open_v1(context))
        return tn__graph_unique(context->graph, outer, name);
    if (name[length - 1] == '/')
        return tn__strndup(name, length - 1);
    return tn__join_names(outer, name);
}

char *tn__name_scope_open(const tn_context *context, const char *name)
{
    const char *outer = context->name_scope;
    if (valid_scope_name(name, outer[0] == 0))
        return joined(context, name);
    tn__fail(TN_INVALID_ARGUMENT, "'%s' is not a valid %sscope name. A %sscope name has to match the following pattern: %s", name,
             outer[0] ? "" : "root ", outer[0] ? "" : "root ", outer[0] ? "^[A-Za-z0-9_.\\\\/>-]*$" : "^[A-Za-z0-9.][A-Za-z0-9_.\\\\/>-]*$");
    return NULL;
}

tn_scope *tn_name_scope(const char *name)
{
    TN__ENTER(context, NULL);
    if (!name) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_name_scope: name is NULL");
        return NULL;
    }
    tn_scope *scope = tn__scope_new(&name_class);
    if (scope && (!(scope->name = tn__name_scope_open(context, name)) || !(scope->self = tn__strdup(name)))) {
        tn__release(scope);
        return NULL;
    }
    return tn__own(scope);
}

/* What a full name is below a base, or NULL when it is elsewhere. */
static const char *below(const char *full, const char *base)
{
    size_t length = strlen(base);
    if (length == 0 || strncmp(full, base, length) != 0 || (full[length] && full[length] != '/'))
        return NULL;
    return full + length + (full[length] == '/');
}

/* An absolute scope leaves the others; one below a base goes on from there. */
static void add_name(tn__text *text, const tn_scope *scope, const char *const base[2])
{
    const char *given = scope->self;
    if (given[0] && given[strlen(given) - 1] != '/') {
        tn__text_add(text, "%s%s", text->bytes.size ? "/" : "", given);
        return;
    }
    const char *rest = below(scope->name, base[0]);
    rest = rest ? rest : below(scope->name, base[1]);
    tn__text_free(text);
    tn__text_add(text, "%s", rest ? rest : scope->name);
}

static bool is_of(const tn__entered *entry, const tn__scope_class *of)
{
    return entry->scope && entry->scope->of == of;
}

char *tn__names_inside(const tn_context *context, const tn__scope_class *of, const char *const base[2])
{
    tn__text text = { 0 };
    size_t from = context->entered.count;
    while (from > 0 && !is_of(&context->entered.item[from - 1], of))
        from--;
    tn__text_add(&text, "%s", "");
    for (size_t i = from; i < context->entered.count; i++)
        if (is_of(&context->entered.item[i], &name_class))
            add_name(&text, context->entered.item[i].scope, base);
    return tn__text_take(&text);
}

bool tn__check_scope(const tn_scope *scope, const char *what)
{
    return tn__check(scope, &type_scope, what);
}

/* --- entering and leaving ----------------------------------------------------------------------------------------------- */
static void enter_memory(tn_context *context, const char *here)
{
    tn__entered entry = { NULL, context->memory.count, NULL };
    tn__scope_begin(here);
    if (TN__PUSH(&context->entered, entry) != TN_OK)
        tn__scope_end(entry.memory_depth ? entry.memory_depth : 1);
}

tn_guard tn_enter(tn_scope *scope, const char *here)
{
    tn_context *context = tn__context();
    tn_guard guard = { context, context->entered.count };
    if (scope == &the_memory_scope) {
        enter_memory(context, here);
        return guard;
    }
    if (tn__failed(context) || !tn__check(scope, &type_scope, "TN_WITH"))
        return guard;
    tn__entered entry = { tn__retain(scope), context->memory.count, NULL };
    bool entered = scope->of->enter(context, scope, here, &entry.saved) == TN_OK;
    if (entered && TN__PUSH(&context->entered, entry) == TN_OK)
        return guard;
    if (entered)
        scope->of->leave(context, scope, entry.saved);
    tn__scope_end(entry.memory_depth ? entry.memory_depth : 1);
    tn__release(scope);
    return guard;
}

void tn_leave(tn_guard *guard)
{
    tn_context *context = guard->context_;
    while (context->entered.count > guard->depth_) {
        tn__entered entry = context->entered.item[--context->entered.count];
        if (entry.scope)
            entry.scope->of->leave(context, entry.scope, entry.saved);
        else
            tn__scope_end(entry.memory_depth ? entry.memory_depth : 1);
        tn__release(entry.scope);
    }
}
