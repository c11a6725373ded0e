/* status.c - recording the first cause. */
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sets the text from a format, falling back to the fixed part when there is no memory. */
static void set_text(tn__error_state *state, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(state->fixed, sizeof state->fixed, format, arguments);
    state->text = state->fixed;
    if (length >= (int)sizeof state->fixed) {
        char *longer = malloc((size_t)length + 1);
        if (longer) {
            vsnprintf(longer, (size_t)length + 1, format, again);
            state->text = longer;
        }
    }
    va_end(again);
}

tn_status tn__fail(tn_status status, const char *format, ...)
{
    tn__error_state *state = tn__errors();
    if (state->status != TN_OK)
        return status;
    va_list arguments;
    va_start(arguments, format);
    set_text(state, format, arguments);
    va_end(arguments);
    state->status = status;
    return status;
}

void tn__fail_note(const char *format, ...)
{
    tn__error_state *state = tn__errors();
    if (state->status == TN_OK)
        return;
    char note[TN__ERROR_FIXED];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(note, sizeof note, format, arguments);
    va_end(arguments);
    size_t old = strlen(state->text), more = strlen(note);
    char *joined = malloc(old + more + 2);
    if (!joined)
        return;
    memcpy(joined, state->text, old);
    joined[old] = '\n';
    memcpy(joined + old + 1, note, more + 1);
    if (state->text != state->fixed)
        free(state->text);
    state->text = joined;
}

tn_status tn__fail_memory(size_t size)
{
    if (size == 0)
        return tn__fail(TN_RESOURCE_EXHAUSTED, "out of memory");
    return tn__fail(TN_RESOURCE_EXHAUSTED, "out of memory: %zu bytes could not be allocated", size);
}

void tn__fail_clear(void)
{
    tn__error_state *state = tn__errors();
    if (state->text != state->fixed)
        free(state->text);
    state->text = state->fixed;
    state->fixed[0] = 0;
    state->status = TN_OK;
    state->operation = NULL;
    state->here = NULL;
}
