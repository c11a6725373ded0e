/* classes.c - the classes that files and texts can name: the library's own, and what the program registers. */
#include "nn/layer.h"
#include "nn/object.h"
#include <pthread.h>
#include <string.h>

#define MODEL(name) extern const tn_class tn__class_##name;
#define LAYER(name, call, options) MODEL(name)
#include "nn/layers/layers.def"
#undef LAYER
#undef MODEL
static const tn_class *const classes[] = {
#define MODEL(name) &tn__class_##name,
#define LAYER(name, call, options) MODEL(name)
#include "nn/layers/layers.def"
#undef LAYER
#undef MODEL
};
enum { CLASSES = sizeof classes / sizeof *classes };

/* Of the process: a class is a constant of the program, so every thread may name it. */
static struct {
    pthread_mutex_t lock;
    const tn_class **item;
    size_t count, capacity;
} registered = { .lock = PTHREAD_MUTEX_INITIALIZER };

size_t tn__class_count(void)
{
    return CLASSES;
}

const tn_class *tn__class_at(size_t index)
{
    return classes[index];
}

static const char *package_of(const tn_class *of)
{
    return of->package ? of->package : "Custom";
}

static bool is_named(const tn_class *of, const char *name)
{
    const char *end = strchr(name, '>');
    if (!end)
        return strcmp(of->name, name) == 0;
    size_t length = (size_t)(end - name);
    return strcmp(of->name, end + 1) == 0 && strlen(package_of(of)) == length && strncmp(package_of(of), name, length) == 0;
}

/* The library's own have other names in old files: "Convolution2D". */
static bool is_called(const tn_class *of, const char *name)
{
    return strcmp(of->name, name) == 0 || (of->more && tn__among(of->more->aliases, name));
}

static const tn_class *find_registered(const char *name)
{
    const tn_class *found = NULL;
    pthread_mutex_lock(&registered.lock);
    for (size_t i = registered.count; i-- > 0 && !found;)
        if (is_named(registered.item[i], name))
            found = registered.item[i];
    pthread_mutex_unlock(&registered.lock);
    return found;
}

const tn_class *tn__class_find(const char *name)
{
    const tn_class *own = find_registered(name);
    for (size_t i = 0; i < CLASSES && !own; i++)
        if (is_called(classes[i], name))
            own = classes[i];
    return own;
}

static bool is_loosely(const tn_class *of, const char *name)
{
    char snake[128];
    tn__snake_case(of->name, snake, sizeof snake);
    return strcmp(snake, name) == 0 || strcasecmp(of->name, name) == 0;
}

const tn_class *tn__class_find_loosely(const char *name)
{
    const tn_class *found = tn__class_find(name);
    for (size_t i = 0; i < CLASSES && !found; i++)
        if (is_loosely(classes[i], name))
            found = classes[i];
    pthread_mutex_lock(&registered.lock);
    for (size_t i = 0; i < registered.count && !found; i++)
        if (is_loosely(registered.item[i], name))
            found = registered.item[i];
    pthread_mutex_unlock(&registered.lock);
    return found;
}

tn_status tn_register_class(const tn_class *of)
{
    TN__ENTER(context, context->error.status);
    (void)context;
    if (!of || !of->name || !of->call)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_register_class: a class needs a name and a call");
    pthread_mutex_lock(&registered.lock);
    bool known = false;
    for (size_t i = 0; i < registered.count; i++)
        known |= registered.item[i] == of;
    tn_status status = known ? TN_OK : TN__PUSH(&registered, of);
    pthread_mutex_unlock(&registered.lock);
    return status;
}

__attribute__((destructor)) static void forget_registered(void)
{
    tn__free(registered.item);
    registered.item = NULL;
    registered.count = registered.capacity = 0;
}
