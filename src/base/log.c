/* log.c */
#include "base/log.h"
#include "base/text.h"
#include <stdio.h>
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

void tn__warn(const char *format, ...)
{
    tn__text text = { 0 };
    tn__text_add(&text, "WARNING: ");
    va_list arguments;
    va_start(arguments, format);
    tn__text_add_v(&text, format, arguments);
    va_end(arguments);
    tn__text_add(&text, "\n");
    emit(TN_SINK_WARNING, tn__text_get(&text), text.bytes.size);
    tn__text_free(&text);
}

bool tn__output_is_terminal(void)
{
    return sink.write ? sink.terminal : isatty(STDOUT_FILENO) == 1;
}
