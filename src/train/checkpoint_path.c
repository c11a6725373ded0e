/* checkpoint_path.c - the part of Python's str.format that names of checkpoints use. */
#include "train/checkpoint.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_WIDTH = 64 };

/* [[fill]align][sign][0][width][.precision][type] */
typedef struct {
    char fill, align, sign, type; /* 0: not given */
    int width, precision;         /* -1: not given */
} spec;

typedef struct {
    const char *pattern;
    int64_t epoch, batch;
    const tn_logs *logs;
    tn__text text;
} formatter;

static tn_status fail_format(const formatter *f, const char *reason, const char *what)
{
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Failed to format this callback filepath: \"%s\". Reason: %s'%s'", f->pattern,
                    reason, what);
}

static bool is_align(char c)
{
    return c == '<' || c == '>' || c == '^' || c == '=';
}

static int take_number(const char **at)
{
    int number = 0;
    for (; isdigit((unsigned char)**at); (*at)++)
        number = number < 1000 ? number * 10 + (**at - '0') : number;
    return number;
}

static bool parse_spec(const char *at, spec *s)
{
    *s = (spec){ .width = -1, .precision = -1 };
    if (at[0] && is_align(at[1]))
        s->fill = *at++;
    if (is_align(*at))
        s->align = *at++;
    if (*at && strchr("+- ", *at))
        s->sign = *at++;
    if (*at == '0' && !s->align) {
        s->fill = '0';
        s->align = '=';
    }
    if (isdigit((unsigned char)*at))
        s->width = take_number(&at);
    if (*at == '.') {
        at++;
        if (!isdigit((unsigned char)*at))
            return false;
        s->precision = take_number(&at);
    }
    if (*at && strchr("dfFeEgG%", *at))
        s->type = *at++;
    return *at == 0 && s->width <= MOST_WIDTH && s->precision <= MOST_WIDTH;
}

/* The digits of a number that is not negative. */
static void print_digits(double value, bool whole, const spec *s, char *text, size_t size)
{
    int precision = s->precision < 0 ? 6 : s->precision;
    const char formats[][8] = { "%.*f", "%.*F", "%.*e", "%.*E", "%.*g", "%.*G" };
    if (s->type == 'd' || (whole && !s->type))
        snprintf(text, size, "%.0f", value);
    else if (!s->type && s->precision < 0)
        tn__number_text(value, false, text, size);
    else if (s->type == '%')
        snprintf(text, size, "%.*f%%", precision, 100 * value);
    else
        snprintf(text, size, formats[s->type ? strchr("fFeEgG", s->type) - "fFeEgG" : 4], precision,
                 value);
}

static void add_padded(tn__text *out, const char *sign, const char *digits, const spec *s)
{
    int length = (int)(strlen(sign) + strlen(digits)),
        missing = s->width > length ? s->width - length : 0;
    char fill = s->fill ? s->fill : ' ', align = s->align ? s->align : '>';
    int before = align == '<' || align == '=' ? 0 : align == '^' ? missing / 2 : missing;
    int inside = align == '=' ? missing : 0;
    for (int i = 0; i < before; i++)
        tn__text_add(out, "%c", fill);
    tn__text_add(out, "%s", sign);
    for (int i = 0; i < inside; i++)
        tn__text_add(out, "%c", fill);
    tn__text_add(out, "%s", digits);
    for (int i = before + inside; i < missing; i++)
        tn__text_add(out, "%c", fill);
}

static bool find_value(const formatter *f, const char *name, double *value, bool *whole)
{
    *whole = true;
    if (strcmp(name, "epoch") == 0) {
        *value = (double)f->epoch;
        return true;
    }
    if (strcmp(name, "batch") == 0 && f->batch >= 0) {
        *value = (double)f->batch;
        return true;
    }
    *whole = false;
    for (size_t i = 0; i < f->logs->count; i++)
        if (strcmp(f->logs->key[i], name) == 0) {
            *value = f->logs->value[i];
            return true;
        }
    return false;
}

/* One "name" or "name:format", without its braces. */
static tn_status add_field(formatter *f, char *field)
{
    char *format = strchr(field, ':'), digits[2 * MOST_WIDTH + 330];
    double value;
    bool whole;
    spec s;
    if (format)
        *format++ = 0;
    if (!find_value(f, field, &value, &whole))
        return fail_format(f, "", field);
    if (!parse_spec(format ? format : "", &s))
        return fail_format(f, "Invalid format specifier ", format);
    if (s.type == 'd' && !whole)
        return fail_format(f, "Unknown format code 'd' for the float ", field);
    bool negative = signbit(value) && !isnan(value);
    print_digits(fabs(value), whole, &s, digits, sizeof digits);
    add_padded(&f->text,
               negative        ? "-"
               : s.sign == '+' ? "+"
               : s.sign == ' ' ? " "
                               : "",
               digits, &s);
    return TN_OK;
}

static tn_status add_pattern(formatter *f)
{
    for (const char *at = f->pattern; *at;) {
        if ((*at == '{' || *at == '}') && at[1] == *at) {
            tn__text_add_bytes(&f->text, at, 1);
            at += 2;
            continue;
        }
        if (*at == '}')
            return fail_format(f, "a single ", "}");
        if (*at != '{') {
            tn__text_add_bytes(&f->text, at++, 1);
            continue;
        }
        const char *end = strchr(at, '}');
        if (!end)
            return fail_format(f, "a single ", "{");
        char *field = tn__strndup(at + 1, (size_t)(end - at - 1));
        tn_status status = field ? add_field(f, field) : TN_RESOURCE_EXHAUSTED;
        tn__free(field);
        TN_TRY(status);
        at = end + 1;
    }
    return TN_OK;
}

tn_status tn__format_path(const char *pattern, int64_t epoch, int64_t batch, const tn_logs *logs,
                          char **path)
{
    formatter f = { .pattern = pattern, .epoch = epoch, .batch = batch, .logs = logs };
    tn_status status = add_pattern(&f);
    if (status != TN_OK) {
        tn__text_free(&f.text);
        return status;
    }
    *path = tn__text_take(&f.text);
    return *path ? TN_OK : TN_RESOURCE_EXHAUSTED;
}
