/* naming.c */
#include "nn/naming.h"
#include "base/map.h"
#include "nn/layer.h"
#include "session/session.h"
#include "tenon/models.h"
#include <stdio.h>

struct tn__names {
    tn__map counts; /* snake-case class name to the number of automatic names given, as a pointer-sized integer */
};

void tn__names_free(tn_context *context)
{
    if (context->names)
        tn__map_free(&context->names->counts);
    tn__free(context->names);
    context->names = NULL;
}

struct tn__names *tn__names_begin(tn_context *context)
{
    struct tn__names *before = context->names;
    context->names = NULL;
    return before;
}

void tn__names_end(tn_context *context, struct tn__names *before)
{
    tn__names_free(context);
    context->names = before;
}

void tn_clear_session(void)
{
    (void)!tn__session_forget(tn__context());
}

char *tn__automatic_name(tn_context *context, const char *class_name)
{
    char snake[128];
    tn__snake_case(class_name, snake, sizeof snake);
    if (!context->names && !(context->names = tn__alloc_zeroed(1, sizeof *context->names)))
        return NULL;
    uintptr_t count = (uintptr_t)tn__map_get(&context->names->counts, snake);
    if (tn__map_set(&context->names->counts, snake, (void *)(count + 1)) != TN_OK)
        return NULL;
    return count ? tn__print("%s_%zu", snake, (size_t)count) : tn__strdup(snake);
}

/* The layers that a layer is part of, models left out, outermost first. */
static void add_owners(tn__text *text, const tn_layer *layer)
{
    if (!layer)
        return;
    add_owners(text, layer->owner);
    if (!layer->of->model)
        tn__text_add(text, "%s/", layer->name);
}

static const tn_layer *outermost(const tn_layer *layer)
{
    const tn_layer *found = layer;
    for (; layer; layer = layer->owner)
        if (!layer->of->model)
            found = layer;
    return found;
}

/* A weight is named by its layers as they are named now, under the scope in which the outermost of them was made. */
static const char *weight_name(const tn__variable *v)
{
    const char *scope = outermost(v->owner)->scope;
    tn__text text = { 0 };
    tn__text_add(&text, "%s%s", scope, scope[0] ? "/" : "");
    add_owners(&text, v->owner);
    tn__text_add(&text, "%s", v->name);
    const char *name = text.failed ? NULL : tn__scope_strdup(tn__text_get(&text));
    tn__text_free(&text);
    return name;
}

const char *tn__full_name(const tn_tensor *variable)
{
    const tn__variable *v = variable->of.variable;
    return v->owner ? weight_name(v) : tn__scope_print("%s%s%s", v->scope, v->scope[0] ? "/" : "", v->name);
}
