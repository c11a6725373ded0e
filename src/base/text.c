/* text.c */
#include "base/text.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tn__text_add_v(tn__text *text, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (text->failed || length < 0 ||
        tn__bytes_reserve(&text->bytes, text->bytes.size + (size_t)length + 1) != TN_OK) {
        text->failed = true;
        return;
    }
    vsnprintf((char *)text->bytes.data + text->bytes.size, (size_t)length + 1, format, arguments);
    text->bytes.size += (size_t)length;
}

void tn__text_add(tn__text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tn__text_add_v(text, format, arguments);
    va_end(arguments);
}

void tn__text_add_bytes(tn__text *text, const char *data, size_t size)
{
    if (!text->failed && tn__bytes_append(&text->bytes, data, size) != TN_OK)
        text->failed = true;
}

const char *tn__text_get(tn__text *text)
{
    if (text->failed || tn__bytes_reserve(&text->bytes, text->bytes.size + 1) != TN_OK) {
        text->failed = true;
        return "";
    }
    text->bytes.data[text->bytes.size] = 0;
    return (const char *)text->bytes.data;
}

char *tn__text_take(tn__text *text)
{
    tn__text_get(text);
    char *taken = text->failed ? NULL : (char *)text->bytes.data;
    if (text->failed)
        tn__text_free(text);
    *text = (tn__text){ 0 };
    return taken;
}

void tn__text_free(tn__text *text)
{
    tn__bytes_free(&text->bytes);
    text->failed = false;
}

char *tn__print(const char *format, ...)
{
    tn__text text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    tn__text_add_v(&text, format, arguments);
    va_end(arguments);
    return tn__text_take(&text);
}

/* Keras: an underscore before each capital that starts a word (is followed by a lower-case letter, or follows one). */
void tn__snake_case(const char *camel, char *snake, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; camel[i] && n + 2 < size; i++) {
        bool capital = isupper((unsigned char)camel[i]);
        bool starts_word = i > 0 && capital && camel[i - 1] != '_' &&
                           (islower((unsigned char)camel[i + 1]) ||
                            islower((unsigned char)camel[i - 1]) ||
                            isdigit((unsigned char)camel[i - 1]));
        if (starts_word)
            snake[n++] = '_';
        snake[n++] = (char)tolower((unsigned char)camel[i]);
    }
    snake[n] = 0;
}

bool tn__starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

bool tn__ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Scientific notation outside 1e-4 <= |x| < 1e16, like Python's repr; always a '.' or an 'e'. */
void tn__number_text(double value, bool single, char *text, size_t size)
{
    if (isnan(value) || isinf(value)) {
        snprintf(text, size, "%s", isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
        return;
    }
    char shortest[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(shortest, sizeof shortest, "%.*e", digits - 1, value);
        double back = strtod(shortest, NULL);
        if (single ? (float)back == (float)value : back == value)
            break;
    }
    char *e = strchr(shortest, 'e');
    int exponent = atoi(e + 1), digits = (int)(e - shortest) - (shortest[0] == '-') - 1;
    if (digits < 1)
        digits = 1; /* one digit has no point */
    if (exponent >= -4 && exponent < 16) {
        int decimals = digits - 1 - exponent;
        snprintf(text, size, "%.*f", decimals < 1 ? 1 : decimals, value);
        return;
    }
    *e = 0;
    snprintf(text, size, "%se%c%02d", shortest, exponent < 0 ? '-' : '+', abs(exponent));
}
