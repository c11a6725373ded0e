/* json_read.c - JSON in, as jansson's values. jansson's own reader leaves out the bytes that it has
 * no memory for, and so reads another word, or past the end of one; this one fails. */
#include "saving/json.h"
#include "base/text.h"
#include "nn/config.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 2048 }; /* lists within lists */

typedef struct {
    const char *start, *at, *end;
    const char *what;
    int depth;
    tn__bytes word; /* the string that is being read, its escapes undone */
} reader;

/* --- messages --------------------------------------------------------------------------------- */
static tn_status fail_at(const reader *r, const char *problem)
{
    int line = 1, column = 1;
    for (const char *at = r->start; at < r->at; at++) {
        column = *at == '\n' ? 1 : column + ((*at & 0xc0) != 0x80);
        line += *at == '\n';
    }
    return tn__fail(TN_DATA_LOSS, "%s is no valid JSON: line %d, column %d: %s", r->what, line,
                    column, problem);
}

static tn_status fail_expected(const reader *r, const char *expected)
{
    char problem[100];
    unsigned char got = r->at < r->end ? (unsigned char)*r->at : 0;
    if (r->at == r->end)
        snprintf(problem, sizeof problem, "expected %s, but the text ends", expected);
    else if (got > ' ' && got < 0x7f)
        snprintf(problem, sizeof problem, "expected %s, got '%c'", expected, got);
    else
        snprintf(problem, sizeof problem, "expected %s, got the byte 0x%02x", expected, got);
    return fail_at(r, problem);
}

/* --- words ------------------------------------------------------------------------------------ */
static void skip_spaces(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
}

static bool take(reader *r, char wanted)
{
    if (r->at == r->end || *r->at != wanted)
        return false;
    r->at++;
    return true;
}

/* With the spaces before it. */
static bool take_mark(reader *r, char wanted)
{
    skip_spaces(r);
    return take(r, wanted);
}

static bool take_word(reader *r, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0)
        return false;
    r->at += size;
    return true;
}

static bool take_digits(reader *r)
{
    const char *start = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > start;
}

/* --- strings ---------------------------------------------------------------------------------- */
/* How many bytes of UTF-8 the character here has; 0: it is none. */
static int utf8_size(const char *at, const char *end)
{
    const unsigned char *c = (const unsigned char *)at;
    int size = c[0] < 0x80   ? 1
               : c[0] < 0xc2 ? 0
               : c[0] < 0xe0 ? 2
               : c[0] < 0xf0 ? 3
               : c[0] < 0xf5 ? 4
                             : 0;
    if (size > end - at)
        return 0;
    for (int i = 1; i < size; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    bool too_long = size > 2 && (c[0] & 0xf) == 0 && c[1] < (size == 3 ? 0xa0 : 0x90);
    bool surrogate = c[0] == 0xed && c[1] >= 0xa0;
    bool beyond = c[0] == 0xf4 && c[1] >= 0x90;
    return too_long || surrogate || beyond ? 0 : size;
}

static tn_status add_character(reader *r, unsigned c)
{
    unsigned char bytes[4];
    size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = size; i-- > 1; c >>= 6)
        bytes[i] = (unsigned char)(0x80 | (c & 0x3f));
    static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    bytes[0] = (unsigned char)(first[size] | c);
    return tn__bytes_append(&r->word, bytes, size);
}

/* The four digits behind \u. */
static tn_status read_hex(reader *r, unsigned *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *found = r->at < r->end && *r->at ? strchr(digits, *r->at) : NULL;
        if (!found)
            return fail_expected(r, "four hexadecimal digits after \\u");
        *value = *value << 4 | ((unsigned)(found - digits) & 0xf);
    }
    return TN_OK;
}

static tn_status read_unicode(reader *r)
{
    unsigned c, low;
    TN_TRY(read_hex(r, &c));
    if (c >= 0xd800 && c < 0xdc00) {
        if (!take_word(r, "\\u"))
            return fail_expected(r, "the other half of a surrogate pair");
        TN_TRY(read_hex(r, &low));
        if (low < 0xdc00 || low > 0xdfff)
            return fail_at(r, "a surrogate pair without its other half");
        c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
    } else if (c >= 0xdc00 && c < 0xe000) {
        return fail_at(r, "the second half of a surrogate pair without its first");
    }
    return add_character(r, c);
}

static tn_status read_escape(reader *r)
{
    static const char letters[] = "bfnrt\"\\/", meant[] = "\b\f\n\r\t\"\\/";
    if (take(r, 'u'))
        return read_unicode(r);
    const char *found = r->at < r->end && *r->at ? strchr(letters, *r->at) : NULL;
    if (!found)
        return fail_expected(r, "an escape");
    r->at++;
    return tn__bytes_append(&r->word, &meant[found - letters], 1);
}

/* Up to the next quote or escape. */
static tn_status read_plain(reader *r)
{
    const char *from = r->at;
    while (r->at < r->end && *r->at != '"' && *r->at != '\\') {
        int size = utf8_size(r->at, r->end);
        if (size == 0)
            return fail_expected(r, "UTF-8");
        if (size == 1 && *r->at < ' ')
            return fail_expected(r, "control characters of a string as escapes");
        r->at += size;
    }
    return tn__bytes_append(&r->word, from, (size_t)(r->at - from));
}

/* After the first quote, into r->word. */
static tn_status read_word(reader *r)
{
    r->word.size = 0;
    while (!take(r, '"')) {
        if (r->at == r->end)
            return fail_expected(r, "'\"' at the end of a string");
        TN_TRY(take(r, '\\') ? read_escape(r) : read_plain(r));
    }
    return TN_OK;
}

static tn_status made(json_t *value, json_t **json)
{
    *json = value;
    return value ? TN_OK : tn__fail_memory(0);
}

static tn_status read_string(reader *r, json_t **json)
{
    TN_TRY(read_word(r));
    const char *text = r->word.size ? (const char *)r->word.data : "";
    return made(json_stringn_nocheck(text, r->word.size), json);
}

/* --- numbers ---------------------------------------------------------------------------------- */
static tn_status read_integer(reader *r, const char *text, json_t **json)
{
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    return errno ? fail_at(r, "an integer of more than 64 bits") : made(json_integer(value), json);
}

static tn_status read_real(reader *r, const char *text, size_t size, json_t **json)
{
    double value = 0;
    tn__number_parse(text, size, &value);
    return isinf(value) ? fail_at(r, "a number beyond float64") : made(json_real(value), json);
}

/* Whether a fraction or an exponent follows the whole digits. */
static tn_status take_rest(reader *r, bool *real)
{
    *real = false;
    if (take(r, '.')) {
        *real = true;
        if (!take_digits(r))
            return fail_expected(r, "digits behind the point");
    }
    if (take(r, 'e') || take(r, 'E')) {
        *real = true;
        (void)(take(r, '+') || take(r, '-'));
        if (!take_digits(r))
            return fail_expected(r, "digits of an exponent");
    }
    return TN_OK;
}

static tn_status read_number(reader *r, json_t **json)
{
    const char *start = r->at;
    bool real;
    (void)take(r, '-');
    if (!take(r, '0') && !take_digits(r))
        return fail_expected(r, "a value");
    TN_TRY(take_rest(r, &real));
    r->word.size = 0;
    size_t size = (size_t)(r->at - start);
    TN_TRY(tn__bytes_append(&r->word, start, size));
    TN_TRY(tn__bytes_append(&r->word, "", 1));
    const char *text = (const char *)r->word.data;
    return real ? read_real(r, text, size, json) : read_integer(r, text, json);
}

/* Python's json writes these, and Keras its configs with it; NULL: none of them. */
static const double *take_number_word(reader *r)
{
    static const struct {
        const char *word;
        double value;
    } words[] = { { "Infinity", INFINITY }, { "-Infinity", -INFINITY }, { "NaN", NAN } };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (take_word(r, words[i].word))
            return &words[i].value;
    return NULL;
}

/* --- values ----------------------------------------------------------------------------------- */
static tn_status read_value(reader *r, json_t **json);

static tn_status read_items(reader *r, json_t *list)
{
    json_t *item;
    if (take_mark(r, ']'))
        return TN_OK;
    do {
        TN_TRY(read_value(r, &item));
        if (json_array_append_new(list, item) != 0)
            return tn__fail_memory(0);
    } while (take_mark(r, ','));
    return take(r, ']') ? TN_OK : fail_expected(r, "',' or ']'");
}

static tn_status read_under(reader *r, const char *key, json_t *object)
{
    json_t *value;
    if (!take_mark(r, ':'))
        return fail_expected(r, "':'");
    TN_TRY(read_value(r, &value));
    return json_object_set_new_nocheck(object, key, value) == 0 ? TN_OK : tn__fail_memory(0);
}

static tn_status read_member(reader *r, json_t *object)
{
    if (!take_mark(r, '"'))
        return fail_expected(r, "a key in quotes");
    TN_TRY(read_word(r));
    if (r->word.size && memchr(r->word.data, 0, r->word.size))
        return fail_at(r, "a key with a NUL in it");
    char *key = tn__strndup(r->word.size ? (const char *)r->word.data : "", r->word.size);
    tn_status status = key ? read_under(r, key, object) : TN_RESOURCE_EXHAUSTED;
    tn__free(key);
    return status;
}

/* Of two members of one key the last counts. */
static tn_status read_members(reader *r, json_t *object)
{
    if (take_mark(r, '}'))
        return TN_OK;
    do
        TN_TRY(read_member(r, object));
    while (take_mark(r, ','));
    return take(r, '}') ? TN_OK : fail_expected(r, "',' or '}'");
}

static tn_status read_inside(reader *r, json_t *made_one,
                             tn_status (*read)(reader *r, json_t *json), json_t **json)
{
    TN_TRY(made(made_one, json));
    tn_status status = ++r->depth > DEEPEST
                           ? fail_at(r, "too many lists and objects within one another")
                           : read(r, *json);
    r->depth--;
    if (status == TN_OK)
        return TN_OK;
    json_decref(*json);
    *json = NULL;
    return status;
}

static tn_status read_value(reader *r, json_t **json)
{
    *json = NULL;
    skip_spaces(r);
    if (take(r, '{'))
        return read_inside(r, json_object(), read_members, json);
    if (take(r, '['))
        return read_inside(r, json_array(), read_items, json);
    if (take(r, '"'))
        return read_string(r, json);
    if (take_word(r, "true"))
        return made(json_true(), json);
    if (take_word(r, "false"))
        return made(json_false(), json);
    if (take_word(r, "null"))
        return made(json_null(), json);
    const double *word = take_number_word(r);
    return word ? made(tn__number_to_json(*word), json) : read_number(r, json);
}

static tn_status read_text(reader *r, json_t **json)
{
    TN_TRY(read_value(r, json));
    skip_spaces(r);
    if (r->at < r->end)
        return fail_expected(r, "the end of the text");
    if (json_is_object(*json))
        return TN_OK;
    return tn__fail(TN_DATA_LOSS, "%s is JSON, but not an object", r->what);
}

tn_status tn__json_parse(tn__span text, const char *what, json_t **json)
{
    const char *start = (const char *)text.data;
    reader r = { .start = start, .at = start, .end = start + text.size, .what = what };
    tn_status status = read_text(&r, json);
    tn__bytes_free(&r.word);
    if (status == TN_OK)
        return TN_OK;
    json_decref(*json);
    *json = NULL;
    return status;
}
