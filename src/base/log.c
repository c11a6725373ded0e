/* log.c */
#include "base/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Set by the host before the library is used from more than one thread. */
static tn_sink sink;

void tn_set_sink(tn_sink with)
{
    sink = with;
}

static void emit(tn_sink_kind kind, const char *text, size_t size)
{
    FILE *file = kind == TN_SINK_OUTPUT ? stdout : stderr;
    if (sink.write)
        sink.write(sink.self, kind, text, size);
    else if (fwrite(text, 1, size, file) == size)
        fflush(file);
}

void tn__output(const char *text, size_t size)
{
    emit(TN_SINK_OUTPUT, text, size);
}

/* A warning is no failure: without memory for a long one its beginning has to do. */
void tn__warn(const char *format, ...)
{
    enum { FIXED = 1024, HEAD = 9 };
    char fixed[FIXED] = "WARNING: ", *text = fixed;
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(fixed + HEAD, FIXED - HEAD - 1, format, arguments);
    size_t size = HEAD + (length < 0 ? 0 : (size_t)length), room = FIXED - 2;
    if (size > room && (text = malloc(size + 2))) {
        memcpy(text, fixed, HEAD);
        vsnprintf(text + HEAD, size + 1 - HEAD, format, again);
        room = size;
    }
    if (!text)
        text = fixed;
    size = size < room ? size : room;
    text[size] = '\n';
    text[size + 1] = 0;
    emit(TN_SINK_WARNING, text, size + 1);
    if (text != fixed)
        free(text);
    va_end(again);
    va_end(arguments);
}

bool tn__output_is_terminal(void)
{
    return sink.write ? sink.terminal : isatty(STDOUT_FILENO) == 1;
}
