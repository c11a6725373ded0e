/* field.c - one mechanism for every table. */
#include "core/field.h"
#include "core/tensor.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const tn_field *tn__field_find(const tn_field *fields, const char *name)
{
    TN__EACH_FIELD(field, fields)
        if (strcmp(field->name, name) == 0)
            return field;
    return NULL;
}

enum { MOST_IN_TEXT = 64 }; /* elements of a vector */

static bool is_text(const tn_field *field)
{
    return field->kind == TN_FIELD_STRING ||
           (field->kind >= TN_FIELD_ACTIVATION && field->kind <= TN_FIELD_TEXTS);
}

size_t tn__field_size(const tn_field *field)
{
    switch (field->kind) {
    case TN_FIELD_INT:
        return sizeof(int64_t);
    case TN_FIELD_FLOAT:
        return sizeof(double);
    case TN_FIELD_BOOL:
        return sizeof(bool);
    case TN_FIELD_SHAPE:
        return sizeof(tn_shape);
    case TN_FIELD_FLAG:
    case TN_FIELD_AXIS:
        return sizeof(int);
    case TN_FIELD_DTYPE:
        return sizeof(tn_dtype);
    case TN_FIELD_INTS:
        return field->count * sizeof(int64_t);
    case TN_FIELD_AXES:
        return sizeof(tn_axes);
    default:
        return sizeof(void *);
    }
}

static const void *value_in(const tn_field *field, const void *object)
{
    return (const char *)object + field->offset;
}

static void *place_in(const tn_field *field, void *object)
{
    return (char *)object + field->offset;
}

tn_status tn__fields_default(const tn_field *fields, void *object)
{
    TN__EACH_FIELD(field, fields)
        if (field->fallback)
            TN_TRY(tn__field_parse(field, object, field->fallback, "default"));
    return TN_OK;
}

/* --- ranges ------------------------------------------------------------------------------------------------------------- */
static bool is_number(const tn_field *field, const void *object, double *number)
{
    const void *value = value_in(field, object);
    switch (field->kind) {
    case TN_FIELD_INT:
        *number = (double)*(const int64_t *)value;
        return *(const int64_t *)value != INT64_MIN;
    case TN_FIELD_FLOAT:
        *number = *(const double *)value;
        return !isnan(*number);
    case TN_FIELD_AXIS:
        *number = *(const int *)value;
        return true;
    default:
        return false;
    }
}

/* A number in a table of ours, from `text` to `end`. */
static double limit(const char *text, const char *end)
{
    double number = NAN;
    tn__number_parse(text, (size_t)(end - text), &number);
    return number;
}

static bool number_in_range(double x, const char *range)
{
    const char *end = range + strlen(range), *dots = strstr(range, "..");
    if (tn__starts_with(range, ">="))
        return x >= limit(range + 2, end);
    if (range[0] == '>')
        return x > limit(range + 1, end);
    return !dots || (x >= limit(range, dots) && x <= limit(dots + 2, end));
}

static bool word_in_range(const char *word, const char *range)
{
    size_t length = strlen(word);
    for (const char *at = range; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strncmp(at, word, length) == 0 && (at[length] == 0 || at[length] == '|'))
            return true;
    return false;
}

static bool in_range(const tn_field *field, const void *object)
{
    double number;
    if (is_number(field, object, &number))
        return number_in_range(number, field->range);
    if (is_text(field)) {
        const char *text = *(const char *const *)value_in(field, object);
        return !text || word_in_range(text, field->range);
    }
    const int64_t *ints = value_in(field, object);
    for (size_t i = 0; field->kind == TN_FIELD_INTS && i < field->count; i++)
        if (ints[i] != 0 && ints[i] != INT64_MIN && !number_in_range((double)ints[i], field->range))
            return false;
    return true;
}

/* Shapes and axes by value: a program may have filled in any count. */
static tn_status check_count(const tn_field *field, const void *object, const char *owner)
{
    if (field->kind == TN_FIELD_SHAPE)
        return tn__check_rank(value_in(field, object));
    int count = field->kind == TN_FIELD_AXES ? ((const tn_axes *)value_in(field, object))->count : 0;
    if (count >= 0 && count <= TN_MAX_RANK)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "%s: invalid value received for argument `%s`. Expected 0 to %d axes. Received: %d", owner, field->name,
                    TN_MAX_RANK, count);
}

tn_status tn__fields_settle(const tn_field *fields, void *object, const char *owner)
{
    TN__EACH_FIELD(field, fields)
        if (field->kind == TN_FIELD_AXES)
            TN_TRY(tn__axes_settle(place_in(field, object), owner));
    return TN_OK;
}

tn_status tn__fields_check(const tn_field *fields, const void *object, const char *owner)
{
    TN__EACH_FIELD(field, fields) {
        TN_TRY(check_count(field, object, owner));
        if (!field->range || in_range(field, object))
            continue;
        tn__text got = { 0 };
        tn__field_print(field, object, &got);
        tn_status status = tn__fail(TN_INVALID_ARGUMENT, "%s: invalid value received for argument `%s`. Expected %s%s. Received: %s=%s",
                                    owner, field->name, is_text(field) ? "one of " : "", field->range, field->name, tn__text_get(&got));
        tn__text_free(&got);
        return status;
    }
    return TN_OK;
}

/* --- ownership ---------------------------------------------------------------------------------------------------------- */
tn_status tn__fields_own(const tn_field *fields, void *object)
{
    tn_status status = TN_OK;
    TN__EACH_FIELD(field, fields) {
        char **text = place_in(field, object);
        if (is_text(field) && *text) {
            *text = status == TN_OK ? tn__strdup(*text) : NULL;
            if (!*text)
                status = TN_RESOURCE_EXHAUSTED;
        } else if (field->kind == TN_FIELD_TENSOR) {
            tn__retain(*(tn_tensor **)place_in(field, object));
        }
    }
    return status;
}

void tn__fields_release(const tn_field *fields, void *object)
{
    TN__EACH_FIELD(field, fields) {
        void **place = place_in(field, object);
        if (is_text(field)) {
            tn__free(*place);
            *place = NULL;
        } else if (field->kind == TN_FIELD_TENSOR) {
            tn__release(*place);
            *place = NULL;
        }
    }
}

bool tn__fields_equal(const tn_field *fields, const void *a, const void *b)
{
    TN__EACH_FIELD(field, fields) {
        const void *x = value_in(field, a), *y = value_in(field, b);
        const char *s = is_text(field) ? *(const char *const *)x : NULL, *t = is_text(field) ? *(const char *const *)y : NULL;
        if (s && t ? strcmp(s, t) != 0 : memcmp(x, y, tn__field_size(field)) != 0)
            return false;
    }
    return true;
}

/* --- text out ----------------------------------------------------------------------------------------------------------- */
static void print_ints(tn__text *text, size_t count, const int64_t *values)
{
    tn__text_add(text, "(");
    for (size_t i = 0; i < count; i++)
        tn__text_add(text, "%s%lld", i ? ", " : "", (long long)values[i]);
    tn__text_add(text, count == 1 ? ",)" : ")");
}

static bool all_zero(const int64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (values[i] != 0 && values[i] != INT64_MIN) /* TN_SIZES_UNSAID */
            return false;
    return true;
}

static void print_axes(tn__text *text, tn_axes axes)
{
    int64_t values[TN_MAX_RANK];
    (void)!tn__axes_settle(&axes, "axes");
    for (int i = 0; i < axes.count; i++)
        values[i] = axes.axis[i];
    if (axes.count <= 0)
        tn__text_add(text, "None");
    else
        print_ints(text, (size_t)axes.count, values);
}

static void print_number(tn__text *text, double number)
{
    char buffer[40];
    tn__number_text(number, false, buffer, sizeof buffer);
    tn__text_add(text, "%s", isnan(number) ? "None" : buffer);
}

/* A vector as the list that parse_vector reads; of anything else only that it is there. */
static void print_tensor(tn__text *text, const tn_tensor *x, const char *name)
{
    char number[40];
    if (!x || x->form != TN__VALUE || x->shape.rank != 1 || x->shape.dims[0] > MOST_IN_TEXT) {
        tn__text_add(text, x ? "<%s>" : "None", name);
        return;
    }
    for (int64_t i = 0; i < x->shape.dims[0]; i++) {
        tn__number_text(tn__double_at(x, i), x->dtype == TN_FLOAT32, number, sizeof number);
        tn__text_add(text, "%s%s", i ? ", " : "[", number);
    }
    tn__text_add(text, x->shape.dims[0] ? "]" : "[]");
}

void tn__field_print(const tn_field *field, const void *object, tn__text *text)
{
    const void *value = value_in(field, object);
    const char *word = is_text(field) ? *(const char *const *)value : NULL;
    switch (field->kind) {
    case TN_FIELD_INT:
        if (*(const int64_t *)value == INT64_MIN)
            tn__text_add(text, "None");
        else
            tn__text_add(text, "%lld", (long long)*(const int64_t *)value);
        break;
    case TN_FIELD_FLOAT:
        print_number(text, *(const double *)value);
        break;
    case TN_FIELD_BOOL:
        tn__text_add(text, *(const bool *)value ? "True" : "False");
        break;
    case TN_FIELD_FLAG:
        tn__text_add(text, *(const int *)value ? "True" : "False");
        break;
    case TN_FIELD_AXIS:
        tn__text_add(text, "%d", *(const int *)value);
        break;
    case TN_FIELD_SHAPE:
        if (((const tn_shape *)value)->known)
            tn__shape_add(text, value);
        else
            tn__text_add(text, "None");
        break;
    case TN_FIELD_DTYPE:
        tn__text_add(text, *(const tn_dtype *)value ? "'%s'" : "None", tn__dtype_name(*(const tn_dtype *)value));
        break;
    case TN_FIELD_INTS:
        if (all_zero(value, field->count))
            tn__text_add(text, "None");
        else
            print_ints(text, field->count, value);
        break;
    case TN_FIELD_AXES:
        print_axes(text, *(const tn_axes *)value);
        break;
    case TN_FIELD_TENSOR:
        print_tensor(text, *(tn_tensor *const *)value, field->name);
        break;
    default:
        if (is_text(field) && word)
            tn__text_add(text, "'%s'", word);
        else
            tn__text_add(text, is_text(field) || !*(void *const *)value ? "None" : "<%s>", field->name);
    }
}

/* --- text in ------------------------------------------------------------------------------------------------------------ */
static bool is_none(const char *text)
{
    return strcasecmp(text, "none") == 0 || strcasecmp(text, "null") == 0;
}

static bool parse_flag(const char *text, bool *flag)
{
    *flag = strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0;
    return *flag || strcasecmp(text, "false") == 0 || strcmp(text, "0") == 0;
}

/* The digits at the beginning of a text; false when there are none, or too many, or when the number stands for None inside. */
static bool read_int(const char *text, const char **end, int64_t *value)
{
    char *stop;
    errno = 0;
    *value = strtoll(text, &stop, 10);
    *end = stop;
    return stop != text && errno == 0 && *value != INT64_MIN;
}

static bool parse_int(const char *text, int64_t *value)
{
    const char *end;
    int64_t number;
    if (!read_int(text, &end, &number) || *end)
        return false;
    *value = number;
    return true;
}

/* "3", "(3, 3)", "[3, 3]", "3x3", "(10,)": numbers and None with anything but letters between them; -1: not such a list. */
static int parse_ints(const char *text, int64_t *values, int room)
{
    int count = 0;
    while (*text) {
        if (strncasecmp(text, "none", 4) == 0) {
            if (count == room)
                return -1;
            values[count++] = TN_NONE;
            text += 4;
        } else if (isdigit((unsigned char)*text) || *text == '-') {
            if (count == room || !read_int(text, &text, &values[count++]))
                return -1;
        } else if (strchr("()[], ", *text) || (*text == 'x' && count > 0 && isdigit((unsigned char)text[1]))) {
            text++;
        } else {
            return -1;
        }
    }
    return count;
}

static bool parse_array(const tn_field *field, int64_t *place, const char *text)
{
    int64_t values[16];
    int count = is_none(text) ? 0 : parse_ints(text, values, 16);
    if (count < 0 || (count > 1 && (size_t)count != field->count) || (count == 0 && !is_none(text)))
        return false;
    for (size_t i = 0; i < field->count; i++)
        place[i] = count == 0 ? 0 : values[count == 1 ? 0 : i];
    return true;
}

static bool parse_axes(tn_axes *axes, const char *text)
{
    int64_t values[TN_MAX_RANK];
    int count = is_none(text) ? 0 : parse_ints(text, values, TN_MAX_RANK);
    if (count < 0)
        return false;
    for (int i = 0; i < count; i++) {
        axes->axis[i] = (int)values[i];
        if (axes->axis[i] != values[i])
            return false;
    }
    axes->count = count;
    return true;
}

static bool parse_shape(tn_shape *shape, const char *text)
{
    int64_t values[TN_MAX_RANK];
    int rank = is_none(text) ? 0 : parse_ints(text, values, TN_MAX_RANK);
    if (rank < 0)
        return false;
    *shape = is_none(text) ? TN__UNKNOWN_SHAPE : tn__shape_make(rank, values);
    return true;
}

/* A text between quotes is without them. */
static bool parse_text(char **place, const char *text)
{
    size_t length = strlen(text);
    bool quoted = length >= 2 && (text[0] == '\'' || text[0] == '"') && text[length - 1] == text[0];
    char *copy = is_none(text) ? NULL : tn__strndup(text + quoted, length - 2 * (size_t)quoted);
    if (!copy && !is_none(text))
        return false;
    tn__free(*place);
    *place = copy;
    return true;
}

static bool parse_number(const char *text, double *number)
{
    return tn__number_parse(text, strlen(text), number) && !isnan(*number);
}

/* "[0.1, 0.05]" */
static bool parse_vector(tn_tensor **place, const char *text)
{
    double values[MOST_IN_TEXT];
    int64_t count = 0;
    if (*text++ != '[')
        return false;
    for (text += strspn(text, " "); *text && *text != ']'; count++) {
        size_t length = strcspn(text, ",]");
        if (count == MOST_IN_TEXT || !tn__number_parse(text, length, &values[count]) || isnan(values[count]))
            return false;
        text += length;
        text += *text == ',' ? 1 + strspn(text + 1, " ") : 0;
    }
    tn_tensor *x;
    tn_shape shape = TN_SHAPE(count);
    if (strcmp(text, "]") != 0 || tn__tensor_new(TN_FLOAT64, &shape, &x) != TN_OK)
        return false;
    memcpy(x->data, values, (size_t)count * sizeof *values);
    tn__assign_object(place, x);
    tn__release(x);
    return true;
}

static bool parse_value(const tn_field *field, void *place, const char *text)
{
    int64_t whole;
    bool flag;
    switch (field->kind) {
    case TN_FIELD_INT:
        *(int64_t *)place = INT64_MIN;
        return is_none(text) || parse_int(text, place);
    case TN_FIELD_FLOAT:
        *(double *)place = NAN;
        return is_none(text) || parse_number(text, place);
    case TN_FIELD_AXIS:
        if (!parse_int(text, &whole) || whole < INT32_MIN || whole > INT32_MAX)
            return false;
        *(int *)place = (int)whole;
        return true;
    case TN_FIELD_BOOL:
        return parse_flag(text, place);
    case TN_FIELD_FLAG:
        if (!parse_flag(text, &flag))
            return false;
        *(int *)place = flag;
        return true;
    case TN_FIELD_SHAPE:
        return parse_shape(place, text);
    case TN_FIELD_INTS:
        return parse_array(field, place, text);
    case TN_FIELD_AXES:
        return parse_axes(place, text);
    case TN_FIELD_DTYPE:
        *(tn_dtype *)place = is_none(text) ? (tn_dtype)0 : tn__dtype_of_name(text);
        return is_none(text) || *(tn_dtype *)place;
    case TN_FIELD_TENSOR:
        return is_none(text) || parse_vector(place, text);
    case TN_FIELD_POINTER:
    case TN_FIELD_VARIABLE:
    case TN_FIELD_LAYER:
        return is_none(text);
    default:
        return parse_text(place, text);
    }
}

static const char *expected_kind(const tn_field *field)
{
    switch (field->kind) {
    case TN_FIELD_INT:
    case TN_FIELD_AXIS:
        return "an integer";
    case TN_FIELD_FLOAT:
        return "a number";
    case TN_FIELD_BOOL:
    case TN_FIELD_FLAG:
        return "true or false";
    case TN_FIELD_SHAPE:
    case TN_FIELD_INTS:
    case TN_FIELD_AXES:
        return "integers like (3, 3)";
    case TN_FIELD_DTYPE:
        return "a dtype like float32";
    case TN_FIELD_TENSOR:
        return "a list of numbers like [0.1, 0.5]";
    default:
        return "a text";
    }
}

tn_status tn__field_parse(const tn_field *field, void *object, const char *text, const char *owner)
{
    if (parse_value(field, place_in(field, object), text))
        return TN_OK;
    if (tn__errors()->status != TN_OK)
        return tn__errors()->status;
    return tn__fail(TN_INVALID_ARGUMENT, "%s: invalid value received for argument `%s`. Expected %s. Received: %s=%s", owner,
                    field->name, expected_kind(field), field->name, text);
}
