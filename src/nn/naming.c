/* naming.c */
#include "nn/naming.h"
#include "base/map.h"
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

const char *tn__full_name(const tn_tensor *variable)
{
    const tn__variable *v = variable->of.variable;
    return tn__scope_print("%s%s%s", v->scope, v->scope[0] ? "/" : "", v->name);
}
