/* text.c */
#include "base/text.h"
#include <float.h>
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

char *tn__join_names(const char *outer, const char *inner)
{
    return tn__print("%s%s%s", outer, outer[0] ? "/" : "", inner);
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Python's \w, for which all letters outside ASCII count too. */
static bool is_word(char c)
{
    return is_upper(c) || is_lower(c) || is_digit(c) || c == '_' || (unsigned char)c >= 0x80;
}

/* The next word character at or behind *at, which is moved past it; 0 at the end. */
static char next_word_char(const char *text, size_t *at)
{
    while (text[*at] && !is_word(text[*at]))
        ++*at;
    return text[*at] ? text[(*at)++] : 0;
}

/* Keras drops what is not \w, then puts an underscore between (.)([A-Z][a-z]+), then between
 * ([a-z])([A-Z]). Together: before a capital, not the first, that a small letter follows or
 * precedes. */
void tn__snake_case(const char *camel, char *snake, size_t size)
{
    size_t n = 0, at = 0;
    char before = 0, here = next_word_char(camel, &at);
    while (here && n + 2 < size) {
        char after = next_word_char(camel, &at);
        bool capital = is_upper(here);
        if (before && capital && (is_lower(after) || is_lower(before)))
            snake[n++] = '_';
        snake[n++] = capital ? (char)(here - 'A' + 'a') : here;
        before = here;
        here = after;
    }
    if (size)
        snake[n] = 0;
}

static bool is_figure(char c)
{
    return c >= '0' && c <= '9';
}

/* Two numbers, without their zeros in front, and both places moved behind them. */
static int compare_numbers(const char **a, const char **b)
{
    *a += strspn(*a, "0");
    *b += strspn(*b, "0");
    size_t size = strspn(*a, "0123456789"), other = strspn(*b, "0123456789");
    int order = size != other ? (size < other ? -1 : 1) : memcmp(*a, *b, size);
    *a += size;
    *b += other;
    return order;
}

/* The end of a part of a path comes before every letter. */
static int rank_of(char c)
{
    return c == '/' ? 1 : c ? 1 + (int)(unsigned char)c : 0;
}

int tn__compare_paths(const char *a, const char *b)
{
    const char *x = a, *y = b;
    while (*x && *y) {
        int order = is_figure(*x) && is_figure(*y) ? compare_numbers(&x, &y)
                                                   : rank_of(*x++) - rank_of(*y++);
        if (order)
            return order;
    }
    return *x || *y ? rank_of(*x) - rank_of(*y) : strcmp(a, b);
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

/* --- numbers: the C library's conversions, but never its decimal point, which a locale may change
 * - */
enum { MAX_POWER = 22 }; /* the largest power of ten that is exact in a double */

typedef struct {
    uint64_t digits; /* the value is digits * 10^exponent */
    int exponent;
} decimal;

static decimal rounded(double value, int digits)
{
    char text[64];
    snprintf(text, sizeof text, "%.*e", digits - 1, value);
    decimal number = { 0, 1 - digits };
    const char *c = text;
    for (; *c != 'e'; c++)
        if (is_digit(*c))
            number.digits = number.digits * 10 + (uint64_t)(*c - '0');
    number.exponent += atoi(c + 1);
    return number;
}

/* Few digits and a small power of ten are both exact, so one operation rounds once. */
static bool exact_value(decimal number, double *value)
{
    static const double power[MAX_POWER + 1] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    int e = number.exponent;
    if (FLT_EVAL_METHOD != 0 || number.digits >> DBL_MANT_DIG || e < -MAX_POWER || e > MAX_POWER)
        return false;
    *value = e < 0 ? (double)number.digits / power[-e] : (double)number.digits * power[e];
    return true;
}

/* Between two (normal) floats: which one it becomes is a matter of what was rounded away before. */
static bool is_half_way(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits << (64 - (DBL_MANT_DIG - FLT_MANT_DIG)) == (uint64_t)1 << 63;
}

/* Whether a reader of doubles gets the value; for a float a reader of floats must get it too. */
static bool reads_back(decimal number, double value, bool single)
{
    double back;
    if (exact_value(number, &back) && !(single && is_half_way(back)))
        return single ? (float)back == (float)value : back == value;
    char text[48];
    snprintf(text, sizeof text, "%llue%d", (unsigned long long)number.digits, number.exponent);
    back = strtod(text, NULL);
    return single ? (float)back == (float)value && strtof(text, NULL) == (float)value
                  : back == value;
}

/* What has at most DBL_DIG digits survives the way through a double, so the loop starts there;
 * subnormals have fewer. Below a power of two the neighbours stand closer than above it, so the
 * nearest decimal may miss where the next one up does not. */
static decimal shortest(double value, bool single)
{
    bool normal = value >= (single ? (double)FLT_MIN : DBL_MIN);
    for (int digits = !normal ? 1 : single ? FLT_DIG : DBL_DIG;; digits++) {
        decimal number = rounded(value, digits), above = { number.digits + 1, number.exponent };
        if (reads_back(number, value, single) || digits == DBL_DECIMAL_DIG)
            return number;
        if (reads_back(above, value, single))
            return above;
    }
}

/* Digits with a point after the first `before` of them; zeros where there are no digits. */
static void put_digits(char *out, const char *digits, int count, int before)
{
    int from = before < 1 ? before - 1 : 0, to = count > before ? count : before + 1;
    for (int i = from; i < to; i++) {
        if (i == before)
            *out++ = '.';
        *out++ = i >= 0 && i < count ? digits[i] : '0';
    }
    *out = 0;
}

/* Scientific notation outside 1e-4 <= |x| < 1e16, like Python's repr; always a '.' or an 'e'. */
void tn__number_text(double value, bool single, char *text, size_t size)
{
    if (single)
        value = (float)value;
    const char *sign = signbit(value) && !isnan(value) ? "-" : "";
    if (isnan(value) || isinf(value)) {
        snprintf(text, size, "%s%s", sign, isnan(value) ? "nan" : "inf");
        return;
    }
    decimal number = { 0, 0 };
    if (value != 0)
        number = shortest(fabs(value), single);
    for (; number.digits && number.digits % 10 == 0; number.digits /= 10)
        number.exponent++;
    char digits[24], out[48];
    int count = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number.digits);
    int exponent = number.exponent + count - 1;
    if (exponent >= -4 && exponent < 16) {
        put_digits(out, digits, count, exponent + 1);
        snprintf(text, size, "%s%s", sign, out);
        return;
    }
    snprintf(text, size, "%s%c%s%se%c%02d", sign, digits[0], count > 1 ? "." : "", digits + 1,
             exponent < 0 ? '-' : '+', abs(exponent));
}

/* --- reading numbers ------------------------------------------------------------------------- */
enum { DIGITS_KEPT = 800 }; /* more than any double's exact neighbour has */

typedef struct {
    const char *at, *end;
} cursor;

static bool take(cursor *c, char wanted)
{
    if (c->at == c->end || (*c->at | 0x20) != (wanted | 0x20))
        return false;
    c->at++;
    return true;
}

static bool take_word(cursor *c, const char *word)
{
    cursor ahead = *c;
    for (; *word; word++)
        if (!take(&ahead, *word))
            return false;
    *c = ahead;
    return true;
}

static bool at_digit(const cursor *c)
{
    return c->at < c->end && is_digit(*c->at);
}

/* Significant digits, the first of them also as a number. */
typedef struct {
    char kept[DIGITS_KEPT + 2];
    int count;
    bool more;        /* something other than 0 was dropped */
    int64_t exponent; /* of the last digit kept */
} mantissa;

/* The digits of one side of the point; how many there were. */
static int64_t take_digits(cursor *c, mantissa *m, bool fraction)
{
    const char *start = c->at;
    for (; at_digit(c); c->at++) {
        bool leading = m->count == 0 && *c->at == '0';
        bool full = m->count == DIGITS_KEPT;
        if (!leading && !full)
            m->kept[m->count++] = *c->at;
        m->more |= full && *c->at != '0';
        m->exponent += full - fraction;
    }
    return c->at - start;
}

static bool take_exponent(cursor *c, int64_t *exponent)
{
    *exponent = 0;
    if (!take(c, 'e'))
        return true;
    bool negative = c->at < c->end && *c->at == '-';
    if (c->at < c->end && (*c->at == '-' || *c->at == '+'))
        c->at++;
    if (!at_digit(c))
        return false;
    for (; at_digit(c); c->at++)
        if (*exponent < INT32_MAX)
            *exponent = *exponent * 10 + (*c->at - '0');
    if (negative)
        *exponent = -*exponent;
    return true;
}

static bool exact_mantissa(const mantissa *m, double *value)
{
    if (m->count > DBL_DIG || m->exponent < -MAX_POWER || m->exponent > MAX_POWER)
        return false;
    decimal number = { 0, (int)m->exponent };
    for (int i = 0; i < m->count; i++)
        number.digits = number.digits * 10 + (uint64_t)(m->kept[i] - '0');
    return exact_value(number, value);
}

/* Written without a point the number is the same in every locale. */
static double converted(mantissa *m)
{
    if (m->more) {
        m->kept[m->count++] = '1';
        m->exponent--;
    }
    int64_t bound = 1000000, exponent = m->exponent;
    exponent = exponent > bound ? bound : exponent < -bound ? -bound : exponent;
    char text[DIGITS_KEPT + 32];
    snprintf(text, sizeof text, "%.*se%lld", m->count, m->kept, (long long)exponent);
    return strtod(text, NULL);
}

static bool parse_unsigned(cursor *c, double *value)
{
    if (take_word(c, "nan")) {
        *value = (double)NAN;
        return true;
    }
    if (take_word(c, "infinity") || take_word(c, "inf")) {
        *value = (double)INFINITY;
        return true;
    }
    mantissa m;
    m.count = 0, m.more = false, m.exponent = 0;
    int64_t digits = take_digits(c, &m, false), exponent;
    if (c->at < c->end && *c->at == '.') {
        c->at++;
        digits += take_digits(c, &m, true);
    }
    if (digits == 0 || !take_exponent(c, &exponent))
        return false;
    m.exponent += exponent;
    if (m.count == 0)
        *value = 0;
    else if (!exact_mantissa(&m, value))
        *value = converted(&m);
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool tn__number_parse(const char *text, size_t size, double *value)
{
    cursor c = { text, text + size };
    while (c.at < c.end && is_space(*c.at))
        c.at++;
    while (c.at < c.end && is_space(c.end[-1]))
        c.end--;
    bool negative = c.at < c.end && *c.at == '-';
    if (c.at < c.end && (*c.at == '-' || *c.at == '+'))
        c.at++;
    double read;
    if (!parse_unsigned(&c, &read) || c.at != c.end)
        return false;
    *value = negative ? -read : read;
    return true;
}

/* --- typing mistakes -------------------------------------------------------------------------- */
static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters left out, added, exchanged or swapped with their neighbour; both of at most 63 letters. */
static size_t mistakes_between(const char *a, const char *b)
{
    size_t row[3][65], n = strlen(b);
    for (size_t k = 0; k <= n; k++)
        row[0][k] = k;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t *now = row[i % 3], *before = row[(i - 1) % 3], *two_before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t k = 1; k <= n; k++) {
            now[k] = least(least(before[k], now[k - 1]) + 1, before[k - 1] + (a[i - 1] != b[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                now[k] = least(now[k], two_before[k - 2] + 1);
        }
    }
    return row[strlen(a) % 3][n];
}

void tn__nearest_try(tn__nearest *nearest, const char *word)
{
    size_t length = strlen(nearest->wanted);
    if (length >= sizeof nearest->best || strlen(word) >= sizeof nearest->best)
        return;
    size_t mistakes = mistakes_between(nearest->wanted, word);
    if (mistakes > length / 4 + 1 || mistakes >= length || (*nearest->best && mistakes >= nearest->mistakes))
        return;
    nearest->mistakes = mistakes;
    memcpy(nearest->best, word, strlen(word) + 1);
}

const char *tn__nearest_text(const tn__nearest *nearest, char text[96])
{
    snprintf(text, 96, *nearest->best ? "did you mean '%s'? " : "%s", nearest->best);
    return text;
}
