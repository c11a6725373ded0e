/* graph_check.c - what nobody here knows of a function, before any of it runs. */
#include "saving/graph_read.h"
#include "base/text.h"
#include <string.h>

typedef struct {
    const tn__function_library *library;
    tn__map functions; /* by their names */
    bool *visited;
    size_t *waiting, count; /* functions that are still to be looked at */
    tn__map unknown;
    tn__text text;
    const char *first, *node, *function; /* the first op that nobody knows, and where it stands */
} survey;

static tn_status survey_op(survey *s, const tn__function_def *f, const tn__node_def *node)
{
    const char *op = node->op;
    if (!op || tn__graph_knows(op) || tn__map_get(&s->unknown, op))
        return TN_OK;
    if (!s->first) {
        s->first = op;
        s->node = node->name ? node->name : "";
        s->function = f->signature->name;
    }
    tn__text_add(&s->text, "%s%s", s->text.bytes.size ? ", " : "", op);
    return tn__map_set(&s->unknown, op, s);
}

static void survey_function(survey *s, const char *name)
{
    const tn__function_def *f = name ? tn__map_get(&s->functions, name) : NULL;
    size_t index = f ? (size_t)(f - s->library->function.item) : 0;
    if (!f || s->visited[index])
        return;
    s->visited[index] = true;
    s->waiting[s->count++] = index;
}

static void survey_attrs(survey *s, const tn__attrs *attrs)
{
    for (size_t i = 0; i < attrs->count; i++) {
        const tn__attr_value *v = &attrs->item[i].value;
        if (v->which == TN__ATTR_FUNC)
            survey_function(s, v->func->name);
        for (size_t k = 0; v->which == TN__ATTR_LIST && k < v->list->func.count; k++)
            survey_function(s, v->list->func.item[k].name);
    }
}

static tn_status survey_all(survey *s, const char *name)
{
    TN_TRY(tn__functions_list(s->library, &s->functions));
    survey_function(s, name);
    while (s->count > 0) {
        const tn__function_def *f = &s->library->function.item[s->waiting[--s->count]];
        for (size_t i = 0; i < f->node_def.count; i++) {
            TN_TRY(survey_op(s, f, &f->node_def.item[i]));
            survey_attrs(s, &f->node_def.item[i].attr);
        }
    }
    if (!s->first)
        return TN_OK;
    return tn__fail(TN_UNIMPLEMENTED,
                    "Op type not registered '%s'\nnobody knows: %s\nin node '%s' of function '%s'",
                    s->first, tn__text_get(&s->text), s->node, s->function);
}

tn_status tn__function_check(const tn__function_library *library, const char *name)
{
    size_t count = library ? library->function.count : 0;
    survey s = { .library = library,
                 .visited = tn__alloc_zeroed(count + 1, sizeof *s.visited),
                 .waiting = tn__alloc((count + 1) * sizeof *s.waiting) };
    tn_status status = s.visited && s.waiting ? survey_all(&s, name) : TN_RESOURCE_EXHAUSTED;
    tn__free(s.visited);
    tn__free(s.waiting);
    tn__map_free(&s.functions);
    tn__map_free(&s.unknown);
    tn__text_free(&s.text);
    return status;
}
