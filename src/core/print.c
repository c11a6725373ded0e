/* print.c - tensors as text, the way numpy 2 prints arrays with its default options. */
#include "base/log.h"
#include "core/variable.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* numpy's options: digits behind the point at most, columns, elements before there are "...", and
 * how many of each dimension's ends are shown then. */
enum { PRECISION = 8, LINE_WIDTH = 75, THRESHOLD = 1000, EDGE = 3 };
enum { WORD = 64 /* room for one element */ };

/* --- decimal digits ------------------------------------------------------------------------ */
/* A magnitude: d[0].d[1]d[2]… times 10^exponent, without zeros at its end; no digits: zero. */
typedef struct {
    char digit[40];
    int count, exponent;
} decimal;

/* Reads what printf's %e or tn__number_text wrote; any other byte than a digit is the point, which
 * a locale may spell in its own way. */
static decimal read_decimal(const char *text)
{
    decimal d = { .exponent = -1 };
    bool fraction = false;
    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9') {
            fraction = true;
            continue;
        }
        bool significant = d.count > 0 || *text != '0';
        if (significant)
            d.digit[d.count++] = *text;
        d.exponent += (significant && !fraction) - (fraction && !significant);
    }
    if (*text == 'e')
        d.exponent += atoi(text + 1);
    while (d.count > 0 && d.digit[d.count - 1] == '0')
        d.count--;
    if (d.count == 0)
        d.exponent = 0;
    return d;
}

/* The exact value, to so many digits; half to even. */
static decimal rounded(double value, int digits)
{
    char text[WORD];
    snprintf(text, sizeof text, "%.*e", digits - 1, fabs(value));
    return read_decimal(text);
}

/* The digits of a float16, when they read back as it. */
static bool is_half(long digits, int exponent, double value, decimal *d)
{
    char text[WORD];
    snprintf(text, sizeof text, "%lde%d", digits, exponent);
    *d = read_decimal(text);
    return tn__half_to_float(tn__float_to_half((float)strtod(text, NULL))) == (float)fabs(value);
}

/* Below a power of two the neighbours stand closer than above it, so the nearest decimal may miss
 * where the next one up does not. */
static decimal shortest_half(double value)
{
    decimal d;
    for (int count = 1;; count++) {
        d = rounded(value, count);
        long digits = 0;
        for (int i = 0; i < count; i++)
            digits = digits * 10 + (i < d.count ? d.digit[i] - '0' : 0);
        int exponent = d.exponent + 1 - count;
        if (is_half(digits, exponent, value, &d) || is_half(digits + 1, exponent, value, &d) ||
            count == 5)
            return d;
    }
}

/* The fewest digits that read back as the same value of its type. */
static decimal shortest(tn_dtype dtype, double value)
{
    if (dtype == TN_FLOAT16 && value != 0)
        return shortest_half(value);
    char text[TN__NUMBER_TEXT];
    tn__number_text(fabs(value), dtype == TN_FLOAT32, text, sizeof text);
    return read_decimal(text);
}

static int digits_before_point(const decimal *d)
{
    return d->exponent > 0 ? d->exponent + 1 : 1;
}

static int digits_behind_point(const decimal *d)
{
    return d->count - 1 - d->exponent > 0 ? d->count - 1 - d->exponent : 0;
}

/* The two ways of cutting at numpy's precision: behind the point, or behind the first digit. */
static decimal cut_fraction(tn_dtype dtype, double value)
{
    decimal d = shortest(dtype, value);
    return digits_behind_point(&d) > PRECISION ? rounded(value, d.exponent + 1 + PRECISION) : d;
}

static decimal cut_digits(tn_dtype dtype, double value)
{
    decimal d = shortest(dtype, value);
    return d.count > PRECISION + 1 ? rounded(value, PRECISION + 1) : d;
}

/* --- words --------------------------------------------------------------------------------- */
/* Never longer than some thirty characters: an array of longer numbers gets exponents. */
typedef struct {
    char text[WORD];
    int size;
} word;

static void put(word *w, char c, int times)
{
    while (times-- > 0 && w->size < WORD - 1)
        w->text[w->size++] = c;
    w->text[w->size] = 0;
}

static void put_text(word *w, const char *text)
{
    for (; *text; text++)
        put(w, *text, 1);
}

/* Digits [from, to), counted from the point, to its left as negative; 0 where there are none. */
static void put_digits(word *w, const decimal *d, int from, int to)
{
    for (int i = from; i < to; i++) {
        int at = i + d->exponent + 1;
        put(w, at >= 0 && at < d->count ? d->digit[at] : '0', 1);
    }
}

static void put_exponent(word *w, const decimal *d, int digits)
{
    char text[16];
    snprintf(text, sizeof text, "e%c%0*d", d->exponent < 0 ? '-' : '+', digits, abs(d->exponent));
    put_text(w, text);
}

static void put_sign(word *w, double value)
{
    if (signbit(value) && !isnan(value))
        put(w, '-', 1);
}

static const char *special(double value)
{
    return isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
}

/* A number by itself, with nothing to be aligned to. whole: what stands behind one without a
 * fraction. */
static void put_plain(word *w, const decimal *d, double value, bool scientific, const char *whole)
{
    put_sign(w, value);
    if (scientific) {
        put(w, d->digit[0], 1);
        if (d->count > 1)
            put(w, '.', 1);
        put_digits(w, d, -d->exponent, d->count - 1 - d->exponent);
        put_exponent(w, d, 2);
        return;
    }
    put_digits(w, d, -digits_before_point(d), 0);
    if (digits_behind_point(d) == 0) {
        put_text(w, whole);
        return;
    }
    put(w, '.', 1);
    put_digits(w, d, 0, digits_behind_point(d));
}

/* bfloat16 is no type of numpy's own: its elements come unaligned, with six digits, like C's %g. */
static void put_bfloat16(word *w, double value)
{
    decimal d = rounded(value, 6);
    if (isfinite(value))
        put_plain(w, &d, value, d.exponent < -4 || d.exponent >= 6, "");
    else
        put_text(w, special(value));
}

/* Above this numpy writes an exponent: for a number by itself, and for an array. */
static double scalar_limit(tn_dtype dtype)
{
    return dtype == TN_FLOAT64 ? 1e16 : dtype == TN_FLOAT32 ? 1e6 : 1e3;
}

static double array_limit(tn_dtype dtype)
{
    return dtype == TN_FLOAT64 ? 1e8 : scalar_limit(dtype);
}

/* As snprintf, to the right of `width` places. */
static int print_whole(char *text, size_t size, int width, const tn_tensor *x, int64_t i)
{
    const char *format = x->dtype == TN_UINT64 ? "%*llu" : "%*lld";
    return snprintf(text, size, format, width, (long long)tn__int_at(x, i));
}

static void put_scalar(word *w, const tn_tensor *x)
{
    tn_dtype dtype = (tn_dtype)x->dtype;
    double value = tn__double_at(x, 0), size = fabs(value);
    char text[32];
    if (dtype == TN_BFLOAT16) {
        put_bfloat16(w, value);
    } else if (!tn__in(TN__FLOATS, dtype)) {
        print_whole(text, sizeof text, 0, x, 0);
        put_text(w, dtype != TN_BOOL ? text : tn__int_at(x, 0) ? "True" : "False");
    } else if (!isfinite(value)) {
        put_text(w, special(value));
    } else {
        decimal d = shortest(dtype, value);
        bool scientific = size >= scalar_limit(dtype) || (size > 0 && size < 1e-4);
        put_plain(w, &d, value, scientific, ".0");
    }
}

/* --- layout: what the elements that are shown have in common ------------------------------- */
typedef struct {
    int64_t *item; /* indices of the elements, in the order of printing */
    size_t count, capacity;
} shown;

typedef struct {
    bool scientific;
    int left, right;     /* columns before and behind the point */
    int precision;       /* scientific: digits behind the point, the same for all */
    int exponent_digits; /* likewise */
} layout;

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* Kept in the type itself, as numpy compares: a quotient of float32 is rounded to float32. */
static bool wants_exponents(tn_dtype dtype, double least, double most)
{
    double ratio = most / least, small = 1e-4;
    if (dtype == TN_FLOAT32) {
        ratio = (float)most / (float)least;
        small = 1e-4f;
    } else if (dtype == TN_FLOAT16) {
        ratio = tn__half_to_float(tn__float_to_half((float)most / (float)least));
        small = tn__half_to_float(tn__float_to_half(1e-4f));
    }
    return most >= array_limit(dtype) || least < small || ratio > 1000;
}

static void measure_float(layout *l, tn_dtype dtype, double value)
{
    decimal d = l->scientific ? cut_digits(dtype, value) : cut_fraction(dtype, value);
    bool minus = signbit(value);
    if (!l->scientific) {
        l->left = larger(l->left, minus + digits_before_point(&d));
        l->right = larger(l->right, digits_behind_point(&d));
        return;
    }
    l->left = larger(l->left, minus + 1);
    l->precision = larger(l->precision, d.count - 1);
    l->exponent_digits = larger(l->exponent_digits, abs(d.exponent) >= 100 ? 3 : 2);
}

static layout lay_out_floats(const tn_tensor *x, const shown *s)
{
    tn_dtype dtype = (tn_dtype)x->dtype;
    layout l = { 0 };
    double least = INFINITY, most = 0;
    int longest_special = 0;
    for (size_t i = 0; i < s->count; i++) {
        double value = tn__double_at(x, s->item[i]), size = fabs(value);
        if (!isfinite(value))
            longest_special = larger(longest_special, (int)strlen(special(value)));
        else if (size != 0) {
            least = fmin(least, size);
            most = fmax(most, size);
        }
    }
    l.scientific = most > 0 && wants_exponents(dtype, least, most);
    for (size_t i = 0; i < s->count; i++) {
        double value = tn__double_at(x, s->item[i]);
        if (isfinite(value))
            measure_float(&l, dtype, value);
    }
    if (l.scientific)
        l.right = l.exponent_digits + 2 + l.precision;
    /* nan and inf end where the others' fractions end. */
    if (longest_special)
        l.left = larger(l.left, longest_special - l.right - 1);
    return l;
}

static layout lay_out_ints(const tn_tensor *x, const shown *s)
{
    layout l = { 0 };
    for (size_t i = 0; i < s->count; i++)
        l.left = larger(l.left, print_whole(NULL, 0, 0, x, s->item[i]));
    return l;
}

static layout lay_out(const tn_tensor *x, const shown *s)
{
    if (x->dtype == TN_BOOL || x->dtype == TN_BFLOAT16)
        return (layout){ 0 };
    return tn__in(TN__FLOATS, (tn_dtype)x->dtype) ? lay_out_floats(x, s) : lay_out_ints(x, s);
}

static void put_float(word *w, const layout *l, tn_dtype dtype, double value)
{
    bool minus = signbit(value);
    if (!isfinite(value)) {
        put(w, ' ', l->left + l->right + 1 - (int)strlen(special(value)));
        put_text(w, special(value));
        return;
    }
    if (l->scientific) {
        decimal d = value != 0 ? rounded(value, l->precision + 1) : (decimal){ 0 };
        put(w, ' ', l->left - minus - 1);
        put_sign(w, value);
        put_digits(w, &d, -d.exponent - 1, -d.exponent);
        put(w, '.', 1);
        put_digits(w, &d, -d.exponent, l->precision - d.exponent);
        put_exponent(w, &d, l->exponent_digits);
        return;
    }
    decimal d = cut_fraction(dtype, value);
    put(w, ' ', l->left - minus - digits_before_point(&d));
    put_sign(w, value);
    put_digits(w, &d, -digits_before_point(&d), 0);
    put(w, '.', 1);
    put_digits(w, &d, 0, digits_behind_point(&d));
    put(w, ' ', l->right - digits_behind_point(&d));
}

static void put_element(word *w, const layout *l, const tn_tensor *x, int64_t i)
{
    tn_dtype dtype = (tn_dtype)x->dtype;
    if (dtype == TN_BFLOAT16)
        put_bfloat16(w, tn__double_at(x, i));
    else if (dtype == TN_BOOL)
        put_text(w, tn__int_at(x, i) ? " True" : "False");
    else if (tn__in(TN__FLOATS, dtype))
        put_float(w, l, dtype, tn__double_at(x, i));
    else
        w->size = print_whole(w->text, WORD, l->left, x, i);
}

/* --- arrays -------------------------------------------------------------------------------- */
typedef struct {
    tn__text *text;
    const tn_tensor *x;
    bool summarised;
    shown shown;
    size_t next; /* in shown */
    layout layout;
    int column;
} printer;

static bool is_cut(const printer *p, int axis)
{
    return p->summarised && p->x->shape.dims[axis] > 2 * EDGE;
}

static tn_status list_shown(printer *p, int axis, int64_t index)
{
    if (axis == p->x->shape.rank)
        return TN__PUSH(&p->shown, index);
    int64_t size = p->x->shape.dims[axis];
    for (int64_t i = 0; i < size; i++) {
        if (is_cut(p, axis) && i == EDGE)
            i = size - EDGE;
        TN_TRY(list_shown(p, axis + 1, index * size + i));
    }
    return TN_OK;
}

/* Drops the spaces at the end of the line. */
static void trim_line(tn__text *text)
{
    while (text->bytes.size > 0 && text->bytes.data[text->bytes.size - 1] == ' ')
        text->bytes.size--;
}

/* On the next line when it would not fit, unless that is no better. Lines grow shorter with each
 * bracket that will be closed. */
static void add_word(printer *p, const char *text, int size)
{
    int indent = p->x->shape.rank, width = LINE_WIDTH - p->x->shape.rank;
    if (p->column + size > width && p->column > indent) {
        trim_line(p->text);
        tn__text_add(p->text, "\n%*s", indent, "");
        p->column = indent;
    }
    tn__text_add_bytes(p->text, text, (size_t)size);
    p->column += size;
}

static void add_separator(printer *p, int axis)
{
    int left = p->x->shape.rank - 1 - axis;
    if (left == 0) {
        tn__text_add_bytes(p->text, " ", 1);
        p->column++;
        return;
    }
    while (left-- > 0)
        tn__text_add_bytes(p->text, "\n", 1);
    tn__text_add(p->text, "%*s", axis + 1, "");
}

static void add_next_element(printer *p)
{
    word w = { .size = 0 };
    put_element(&w, &p->layout, p->x, p->shown.item[p->next++]);
    add_word(p, w.text, w.size);
}

static void add_dots(printer *p, bool among_elements)
{
    if (among_elements)
        add_word(p, "...", 3);
    else
        tn__text_add_bytes(p->text, "...", 3);
}

static void add_axis(printer *p, int axis)
{
    bool last = axis == p->x->shape.rank - 1, cut = is_cut(p, axis);
    int64_t count = cut ? 2 * EDGE : p->x->shape.dims[axis];
    tn__text_add_bytes(p->text, "[", 1);
    p->column = p->x->shape.rank; /* where a row begins, behind its brackets */
    for (int64_t i = 0; i < count; i++) {
        if (i > 0)
            add_separator(p, axis);
        if (cut && i == EDGE) {
            add_dots(p, last);
            add_separator(p, axis);
        }
        if (last)
            add_next_element(p);
        else
            add_axis(p, axis + 1);
    }
    tn__text_add_bytes(p->text, "]", 1);
}

static void add_array(tn__text *text, const tn_tensor *x)
{
    if (tn__count(x) == 0) {
        tn__text_add(text, "[]");
        return;
    }
    if (x->shape.rank == 0) {
        word w = { .size = 0 };
        put_scalar(&w, x);
        tn__text_add_bytes(text, w.text, (size_t)w.size);
        return;
    }
    printer p = { .text = text, .x = x, .summarised = tn__count(x) > THRESHOLD };
    if (list_shown(&p, 0, 0) == TN_OK) {
        p.layout = lay_out(x, &p.shown);
        add_axis(&p, 0);
    } else {
        text->failed = true;
    }
    tn__free(p.shown.item);
}

/* --- whatever a handle may be -------------------------------------------------------------- */
static const char *const no_text = "<failed: out of memory>";

static void add_failure(tn__text *text)
{
    const tn__error_state *error = tn__errors();
    tn__text_add(text, "<failed: %.*s>", (int)strcspn(error->text, "\n"), error->text);
}

/* Python's tuple, of what `add` writes for each item. */
static void add_tuple(tn__text *text, const tn_tensor *x,
                      void (*add)(tn__text *text, tn_tensor *item))
{
    size_t count = x->of.tuple.count;
    tn__text_add(text, "(");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            tn__text_add(text, ", ");
        add(text, x->of.tuple.item[i]);
    }
    tn__text_add(text, count == 1 ? ",)" : ")");
}

static void add_tensor(tn__text *text, tn_tensor *x)
{
    tn_tensor *value;
    if (!tn__check_tensor(x, "a tensor to be printed"))
        add_failure(text);
    else if (x->form == TN__TUPLE)
        add_tuple(text, x, add_tensor);
    else if (x->form == TN__SYMBOLIC)
        tn__text_add(text, "<tenon symbolic %s>", TN__TENSOR(x));
    else if (tn__value_of(x, "a tensor to be printed", &value) != TN_OK)
        add_failure(text);
    else {
        add_array(text, value);
        tn__release(value);
    }
}

static void add_shape(tn__text *text, tn_tensor *x)
{
    if (!tn__check_tensor(x, "a tensor whose shape is to be printed"))
        add_failure(text);
    else if (x->form == TN__TUPLE)
        add_tuple(text, x, add_shape);
    else
        tn__shape_add(text, &x->shape);
}

/* In memory of the innermost scope. */
static const char *hand_out(tn__text *text)
{
    const char *built = tn__text_get(text);
    const char *copy = text->failed ? NULL : tn__scope_strdup(built);
    tn__text_free(text);
    return copy ? copy : no_text;
}

const char *tn_text(tn_tensor *x)
{
    tn__text text = { 0 };
    add_tensor(&text, x);
    return hand_out(&text);
}

const char *tn_shape_text(tn_tensor *x)
{
    tn__text text = { 0 };
    add_shape(&text, x);
    return hand_out(&text);
}

const char *tn_list_text(tn_list list)
{
    tn__text text = { 0 };
    if (!list.item) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_list_text: the list is NULL");
        add_failure(&text);
        return hand_out(&text);
    }
    tn__text_add(&text, "[");
    for (size_t i = 0; i < list.count; i++) {
        if (i > 0)
            tn__text_add(&text, ", ");
        if (list.item[i])
            add_tensor(&text, list.item[i]);
        else
            tn__text_add(&text, "None");
    }
    tn__text_add(&text, "]");
    return hand_out(&text);
}

const char *tn_format(const char *format, ...)
{
    tn__text text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    tn__text_add_v(&text, format, arguments);
    va_end(arguments);
    return hand_out(&text);
}

void tn_print(tn_tensor *x)
{
    tn__text text = { 0 };
    add_tensor(&text, x);
    tn__text_add(&text, "\n");
    const char *line = tn__text_get(&text);
    if (text.failed)
        line = "<failed: out of memory>\n";
    tn__output(line, strlen(line));
    tn__text_free(&text);
}
