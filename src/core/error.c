/* error.c - how a program looks at what went wrong. */
#include "core/context.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The cause, then the operation and the program's line where they are known. */
static const char *whole_text(const tn__error_state *state, const char *here)
{
    const char *operation = state->operation && !strstr(state->text, state->operation) ? state->operation : NULL;
    const char *whole = tn__scope_print("%s%s%s%s%s", state->text, operation ? "\nin " : "", operation ? operation : "",
                                        here ? "\nat " : "", here ? here : "");
    return whole ? whole : "out of memory";
}

const tn_error *tn_catch(tn_status kind)
{
    static const tn_error no_memory = { TN_RESOURCE_EXHAUSTED, "out of memory", "out of memory", NULL, NULL };
    tn_context *context = tn__context();
    tn__error_state *state = &context->error;
    const char *here = tn__failed_at(context);
    if (state->status == TN_OK || (kind != TN_ANY_ERROR && kind != state->status))
        return NULL;
    tn_error *error = tn__scope_alloc(sizeof *error);
    if (!error) {
        tn__fail_clear();
        return &no_memory;
    }
    error->status = state->status;
    error->message = whole_text(state, here);
    error->first_line = tn__scope_print("%.*s", (int)strcspn(state->text, "\n"), state->text);
    error->operation = state->operation;
    error->here = here ? tn__scope_strdup(here) : NULL;
    if (!error->first_line)
        error->first_line = error->message;
    tn__fail_clear();
    return error;
}

tn_status tn_pending(void)
{
    return tn__context()->error.status;
}

void *tn_fail(tn_status status, const char *format, ...)
{
    tn__text text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    tn__text_add_v(&text, format, arguments);
    va_end(arguments);
    if (status == TN_OK || status == TN_ANY_ERROR)
        status = TN_UNKNOWN;
    tn__fail(status, "%s", tn__text_get(&text));
    tn__text_free(&text);
    return NULL;
}

static void print_error(void)
{
    const tn__error_state *state = tn__errors();
    const char *here = tn__failed_at(tn__context());
    fprintf(stderr, "%s%s%s\n", here ? here : "", here ? ": " : "", state->text);
    if (state->operation && !strstr(state->text, state->operation))
        fprintf(stderr, "in %s\n", state->operation);
}

void tn_must(tn_status status)
{
    if (status == TN_OK && tn_pending() == TN_OK)
        return;
    print_error();
    tn__fail_clear();
    exit(EXIT_FAILURE);
}

int tn_report(void)
{
    if (tn_pending() == TN_OK)
        return EXIT_SUCCESS;
    print_error();
    tn__fail_clear();
    return EXIT_FAILURE;
}
