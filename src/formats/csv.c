/* csv.c - one pass over the text; only the first row is looked at twice, to see what it is. */
#include "formats/csv.h"
#include "base/text.h"
#include <math.h>
#include <string.h>

enum { SHOWN = 40 }; /* bytes of a field that a message shows */

struct tn__csv_reader {
    const char *at, *end;
    size_t line; /* of `at`, from 1 */
    char delimiter;
    size_t columns;
    char **names; /* columns of them, or NULL */
    uint64_t limit, used;
    tn__bytes field; /* the last field in quotes, without them */
};

/* What stands behind a field. */
typedef enum { NEXT_FIELD, NEXT_ROW } behind;

typedef struct {
    const char *text;
    size_t size, line;
    behind behind;
} field;

/* --- lines and fields ------------------------------------------------------------------------ */
static bool is_space(const tn__csv_reader *r, char c)
{
    return (c == ' ' || c == '\t') && c != r->delimiter;
}

static void skip_spaces(tn__csv_reader *r)
{
    while (r->at < r->end && is_space(r, *r->at))
        r->at++;
}

static bool at_line_end(const tn__csv_reader *r)
{
    return r->at == r->end || *r->at == '\n' || *r->at == '\r';
}

/* LF, CR, or both as one. */
static void take_line_end(tn__csv_reader *r)
{
    if (r->at == r->end)
        return;
    bool both = *r->at == '\r' && r->end - r->at > 1 && r->at[1] == '\n';
    r->at += both ? 2 : 1;
    r->line++;
}

/* Moves to the first row that is not blank; false at the end of the text. */
static bool find_row(tn__csv_reader *r)
{
    for (;;) {
        const char *start = r->at;
        skip_spaces(r);
        if (!at_line_end(r)) {
            r->at = start;
            return true;
        }
        if (r->at == r->end)
            return false;
        take_line_end(r);
    }
}

static tn_status append_char(tn__csv_reader *r, char c)
{
    return tn__bytes_append(&r->field, &c, 1);
}

/* Behind the opening quote: up to the closing one, two of them being one of the field's own. */
static tn_status take_quoted(tn__csv_reader *r, size_t line)
{
    r->field.size = 0;
    for (;;) {
        if (r->at == r->end)
            return tn__fail(TN_DATA_LOSS, "csv: the quote opened in line %zu is never closed",
                            line);
        if (*r->at == '"' && (r->end - r->at < 2 || r->at[1] != '"'))
            break;
        r->at += *r->at == '"';
        const char *before = r->at;
        if (at_line_end(r))
            take_line_end(r);
        else
            r->at++;
        for (; before < r->at; before++)
            TN_TRY(append_char(r, *before));
    }
    r->at++;
    skip_spaces(r);
    if (!at_line_end(r) && *r->at != r->delimiter)
        return tn__fail(TN_DATA_LOSS, "csv: line %zu: there is text behind a closing quote",
                        r->line);
    return TN_OK;
}

static tn_status take_field(tn__csv_reader *r, field *f)
{
    skip_spaces(r);
    f->line = r->line;
    if (r->at < r->end && *r->at == '"') {
        r->at++;
        TN_TRY(take_quoted(r, f->line));
        f->text = (const char *)r->field.data;
        f->size = r->field.size;
    } else {
        f->text = r->at;
        while (!at_line_end(r) && *r->at != r->delimiter)
            r->at++;
        f->size = (size_t)(r->at - f->text);
    }
    f->behind = at_line_end(r) ? NEXT_ROW : NEXT_FIELD;
    if (f->behind == NEXT_FIELD)
        r->at++;
    else
        take_line_end(r);
    return TN_OK;
}

static void trim(const tn__csv_reader *r, field *f)
{
    while (f->size && is_space(r, f->text[0])) {
        f->text++;
        f->size--;
    }
    while (f->size && is_space(r, f->text[f->size - 1]))
        f->size--;
}

/* An empty field is a missing number. */
static bool parse_number(const tn__csv_reader *r, field *f, double *value)
{
    trim(r, f);
    *value = (double)NAN;
    return f->size == 0 || tn__number_parse(f->text, f->size, value);
}

/* --- the first row --------------------------------------------------------------------------- */
/* Of what stands in the row outside quotes: a table with semicolons may have decimal commas, one
 * with tabs may have both. */
static char detect_delimiter(const tn__csv_reader *r)
{
    bool tab = false, semicolon = false, quoted = false;
    for (const char *c = r->at; c < r->end && (quoted || (*c != '\n' && *c != '\r')); c++) {
        quoted ^= *c == '"';
        tab |= !quoted && *c == '\t';
        semicolon |= !quoted && *c == ';';
    }
    return tab ? '\t' : semicolon ? ';' : ',';
}

/* Counts the columns and says whether all are numbers; leaves the reader where it was. */
static tn_status look_at_row(tn__csv_reader *r, bool *numbers)
{
    const char *start = r->at;
    size_t line = r->line;
    field f;
    *numbers = true;
    do {
        double value;
        TN_TRY(take_field(r, &f));
        *numbers &= parse_number(r, &f, &value);
        r->columns++;
    } while (f.behind == NEXT_FIELD);
    r->at = start;
    r->line = line;
    return TN_OK;
}

static tn_status charge(tn__csv_reader *r, uint64_t bytes)
{
    if (bytes > r->limit - r->used)
        return tn__fail(TN_RESOURCE_EXHAUSTED,
                        "csv: line %zu: the table needs more memory than the limit of %llu bytes",
                        r->line, (unsigned long long)r->limit);
    r->used += bytes;
    return TN_OK;
}

static tn_status read_name(tn__csv_reader *r, size_t column)
{
    field f;
    TN_TRY(take_field(r, &f));
    trim(r, &f);
    if (column == 0 && f.size && f.text[0] == '#') { /* numpy.savetxt marks its header so */
        f.text++;
        f.size--;
        trim(r, &f);
    }
    TN_TRY(charge(r, sizeof(char *) + f.size + 1));
    r->names[column] = tn__strndup(f.size ? f.text : "", f.size);
    return r->names[column] ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status read_names(tn__csv_reader *r)
{
    r->names = tn__alloc_zeroed(r->columns, sizeof *r->names);
    if (!r->names)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < r->columns; i++)
        TN_TRY(read_name(r, i));
    return TN_OK;
}

static tn_status skip_mark(tn__csv_reader *r)
{
    size_t size = (size_t)(r->end - r->at);
    if (size >= 3 && memcmp(r->at, "\xef\xbb\xbf", 3) == 0)
        r->at += 3;
    else if (size >= 2 && (memcmp(r->at, "\xff\xfe", 2) == 0 || memcmp(r->at, "\xfe\xff", 2) == 0))
        return tn__fail(TN_UNIMPLEMENTED, "csv: the text is UTF-16; save it as UTF-8");
    return TN_OK;
}

static tn_status start(tn__csv_reader *r, tn__csv_header header)
{
    TN_TRY(skip_mark(r));
    if (!find_row(r))
        return TN_OK;
    if (!r->delimiter)
        r->delimiter = detect_delimiter(r);
    bool numbers;
    TN_TRY(look_at_row(r, &numbers));
    bool named = header == TN__CSV_DETECT ? !numbers : header == TN__CSV_WITH;
    return named ? read_names(r) : TN_OK;
}

tn_status tn__csv_open(tn__span text, const tn__csv_options *options, tn__csv_reader **reader)
{
    *reader = NULL;
    tn__csv_options o = options ? *options : (tn__csv_options){ 0 };
    if (o.delimiter == '"' || o.delimiter == '\n' || o.delimiter == '\r')
        return tn__fail(TN_INVALID_ARGUMENT, "csv: fields cannot be separated by quotes or lines");
    tn__csv_reader *r = tn__alloc_zeroed(1, sizeof *r);
    if (!r)
        return TN_RESOURCE_EXHAUSTED;
    r->at = text.size ? (const char *)text.data : "";
    r->end = r->at + text.size;
    r->line = 1;
    r->delimiter = o.delimiter;
    r->limit = o.limit ? o.limit : (uint64_t)4 << 30;
    tn_status status = start(r, o.header);
    if (status != TN_OK) {
        tn__csv_close(r);
        return status;
    }
    *reader = r;
    return TN_OK;
}

static void free_names(char **names, size_t columns)
{
    for (size_t i = 0; names && i < columns; i++)
        tn__free(names[i]);
    tn__free(names);
}

void tn__csv_close(tn__csv_reader *r)
{
    if (!r)
        return;
    free_names(r->names, r->columns);
    tn__bytes_free(&r->field);
    tn__free(r);
}

size_t tn__csv_columns(const tn__csv_reader *r)
{
    return r->columns;
}

const char *tn__csv_name(const tn__csv_reader *r, size_t column)
{
    return r->names ? r->names[column] : NULL;
}

/* --- rows ------------------------------------------------------------------------------------ */
/* The field, fit to stand in a message: short, and on one line. */
static void shown(const field *f, char *text)
{
    size_t size = f->size;
    if (size > SHOWN) /* not in the middle of a character */
        for (size = SHOWN; size > 0 && ((uint8_t)f->text[size] & 0xc0) == 0x80;)
            size--;
    for (size_t i = 0; i < size; i++)
        text[i] = (uint8_t)f->text[i] < ' ' ? '?' : f->text[i];
    memcpy(text + size, f->size > size ? "..." : "", f->size > size ? 4 : 1);
}

static tn_status fail_number(const tn__csv_reader *r, const field *f, size_t column)
{
    char text[SHOWN + 4];
    shown(f, text);
    const char *name = tn__csv_name(r, column);
    return tn__fail(TN_INVALID_ARGUMENT,
                    "csv: line %zu, column %zu%s%.*s%s: '%s' is not a number%s", f->line,
                    column + 1, name ? " (" : "", SHOWN, name ? name : "", name ? ")" : "", text,
                    memchr(f->text, ',', f->size) ? "; decimals need a point" : "");
}

/* Counts what is left of a row that is too long, for the message. */
static tn_status fail_ragged(tn__csv_reader *r, field *f, size_t line, size_t fields)
{
    for (; f->behind == NEXT_FIELD; fields++)
        TN_TRY(take_field(r, f));
    return tn__fail(TN_INVALID_ARGUMENT,
                    "csv: line %zu has %zu fields, expected %zu as in the first", line, fields,
                    r->columns);
}

tn_status tn__csv_next(tn__csv_reader *r, double *values, bool *end)
{
    *end = !find_row(r);
    if (*end)
        return TN_OK;
    size_t line = r->line, column = 0;
    field f = { .behind = NEXT_FIELD };
    for (; column < r->columns && f.behind == NEXT_FIELD; column++) {
        TN_TRY(take_field(r, &f));
        if (!parse_number(r, &f, &values[column]))
            return fail_number(r, &f, column);
    }
    if (column < r->columns || f.behind == NEXT_FIELD)
        return fail_ragged(r, &f, line, column);
    return TN_OK;
}

/* --- a whole table --------------------------------------------------------------------------- */
typedef struct {
    double *item;
    size_t count, capacity;
} numbers;

static tn_status read_rows(tn__csv_reader *r, numbers *values, size_t *rows)
{
    for (;; ++*rows) {
        bool end;
        TN_TRY(TN__RESERVE(values, r->columns));
        TN_TRY(tn__csv_next(r, values->item + values->count, &end));
        if (end)
            return TN_OK;
        TN_TRY(charge(r, r->columns * sizeof(double)));
        values->count += r->columns;
    }
}

tn_status tn__csv_read(tn__span text, const tn__csv_options *options, tn__csv *table)
{
    *table = (tn__csv){ 0 };
    tn__csv_reader *r;
    TN_TRY(tn__csv_open(text, options, &r));
    numbers values = { 0 };
    size_t rows = 0;
    tn_status status = r->columns ? read_rows(r, &values, &rows) : TN_OK;
    if (status == TN_OK) {
        *table = (tn__csv){ rows, r->columns, values.item, r->names };
        r->names = NULL;
    } else {
        tn__free(values.item);
    }
    tn__csv_close(r);
    return status;
}

void tn__csv_free(tn__csv *table)
{
    free_names(table->names, table->columns);
    tn__free(table->values);
    *table = (tn__csv){ 0 };
}

/* --- writing --------------------------------------------------------------------------------- */
static tn_status write_quoted(tn__writer *writer, const char *name)
{
    TN_TRY(tn__write(writer, "\"", 1));
    for (const char *quote; (quote = strchr(name, '"')); name = quote + 1) {
        TN_TRY(tn__write(writer, name, (size_t)(quote - name)));
        TN_TRY(tn__write(writer, "\"\"", 2));
    }
    TN_TRY(tn__write(writer, name, strlen(name)));
    return tn__write(writer, "\"", 1);
}

static tn_status write_name(tn__writer *writer, const char *name)
{
    size_t size = strlen(name);
    bool plain = size && name[0] != ' ' && name[size - 1] != ' ' && !strpbrk(name, "\",;\t\r\n");
    return plain ? tn__write(writer, name, size) : write_quoted(writer, name);
}

static tn_status write_number(tn__writer *writer, double value, bool single, char behind)
{
    char text[TN__NUMBER_TEXT + 1];
    tn__number_text(value, single, text, TN__NUMBER_TEXT);
    size_t size = strlen(text);
    if (tn__ends_with(text, ".0"))
        size -= 2;
    text[size++] = behind;
    return tn__write(writer, text, size);
}

tn_status tn__csv_write(tn__writer *writer, const char *const *names, size_t rows, size_t columns,
                        const double *values, bool single)
{
    if (columns == 0 && rows > 0)
        return tn__fail(TN_INVALID_ARGUMENT, "csv: rows without columns cannot be written");
    for (size_t i = 0; names && i < columns; i++) {
        TN_TRY(write_name(writer, names[i]));
        TN_TRY(tn__write(writer, i + 1 < columns ? "," : "\n", 1));
    }
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < columns; i++)
            TN_TRY(write_number(writer, *values++, single, i + 1 < columns ? ',' : '\n'));
    return TN_OK;
}
