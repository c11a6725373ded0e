/* graph_names.c */
#include "runtime/graph_names.h"
#include "base/text.h"
#include <string.h>

/* In lower case, as names are compared. */
static void fold(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text += 'a' - 'A';
}

static char *joined(const char *scope, const char *name)
{
    size_t length = strlen(name);
    if (length && name[length - 1] == '/')
        return tn__strndup(name, length - 1);
    return tn__join_names(scope, name);
}

static uintptr_t times_asked(const tn_graph *graph, const char *key)
{
    return (uintptr_t)tn__map_get(&graph->v1->names, key);
}

static tn_status use(tn_graph *graph, const char *key, uintptr_t times)
{
    return tn__map_set(&graph->v1->names, key, (void *)times);
}

/* The first free number behind a key that was asked for `times` times: "key_1" the first time. */
static tn_status number(tn_graph *graph, const char *key, uintptr_t times, uintptr_t *found)
{
    for (uintptr_t i = times;; i++) {
        char *numbered = tn__print("%s_%zu", key, (size_t)i);
        if (!numbered)
            return TN_RESOURCE_EXHAUSTED;
        bool is_free = times_asked(graph, numbered) == 0;
        tn_status status = is_free ? use(graph, numbered, 1) : TN_OK;
        tn__free(numbered);
        *found = i;
        if (is_free)
            return status;
    }
}

static tn_status make_unique(tn_graph *graph, char **name)
{
    uintptr_t found = 0;
    char *key = tn__strdup(*name);
    if (!key)
        return TN_RESOURCE_EXHAUSTED;
    fold(key);
    uintptr_t times = times_asked(graph, key);
    tn_status status = use(graph, key, times + 1);
    if (status == TN_OK && times > 0)
        status = number(graph, key, times, &found);
    tn__free(key);
    if (status != TN_OK || times == 0)
        return status;
    char *numbered = tn__print("%s_%zu", *name, (size_t)found);
    tn__free(*name);
    *name = numbered;
    return numbered ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

char *tn__graph_unique(tn_graph *graph, const char *scope, const char *name)
{
    char *full = joined(scope, name);
    bool absolute = name[0] && name[strlen(name) - 1] == '/';
    if (!full || absolute || make_unique(graph, &full) == TN_OK)
        return full;
    tn__free(full);
    return NULL;
}
