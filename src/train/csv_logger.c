/* csv_logger.c - the logs of each epoch as a row of a file, as Keras's CSVLogger and Python's csv
 * module write them. */
#include "train/callback.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    tn_csv_logger_options o;
    FILE *file;  /* open from the beginning of a training to its end */
    bool header; /* still to be written */
    struct {
        char **item; /* columns after "epoch", settled by the first epoch */
        size_t count, capacity;
    } key;
} csv_logger;

static tn_status check(void *self)
{
    const csv_logger *s = self;
    if (!s->o.filename)
        return tn__fail(TN_INVALID_ARGUMENT, "CSVLogger: filename is NULL");
    if (!s->o.separator || strlen(s->o.separator) != 1)
        return tn__fail(TN_INVALID_ARGUMENT, "CSVLogger: separator must be one character, got '%s'",
                        s->o.separator ? s->o.separator : "None");
    return TN_OK;
}

static void forget_keys(csv_logger *s)
{
    for (size_t i = 0; i < s->key.count; i++)
        tn__free(s->key.item[i]);
    tn__free(s->key.item);
    memset(&s->key, 0, sizeof s->key);
}

static tn_status fail_file(const csv_logger *s, const char *what)
{
    return tn__fail(TN_UNKNOWN, "CSVLogger: cannot %s '%s': %s", what, s->o.filename,
                    strerror(errno));
}

static void close_file(csv_logger *s)
{
    if (s->file && fclose(s->file) != 0)
        fail_file(s, "write");
    s->file = NULL;
}

static bool has_content(const char *path)
{
    FILE *file = fopen(path, "rb");
    bool content = file && fgetc(file) != EOF;
    if (file)
        fclose(file);
    return content;
}

static void begin(void *self, const tn_logs *logs)
{
    csv_logger *s = self;
    (void)logs;
    close_file(s);
    forget_keys(s);
    s->header = !s->o.append || !has_content(s->o.filename);
    s->file = fopen(s->o.filename, s->o.append ? "ab" : "wb");
    if (!s->file)
        fail_file(s, "open");
}

/* The logs' keys, sorted; where there is no validation, a "val_" column for each, which later
 * epochs may fill. */
static tn_status settle_keys(csv_logger *s, const tn_logs *logs)
{
    tn__log_table sorted = { 0 };
    tn_status status = TN_OK;
    bool validated = false;
    for (size_t i = 0; i < logs->count && status == TN_OK; i++)
        status = tn__logs_set(&sorted, logs->key[i], 0);
    tn__logs_sort(&sorted);
    for (size_t i = 0; i < sorted.key.count; i++)
        validated |= tn__starts_with(sorted.key.item[i], "val_");
    for (size_t i = 0; i < sorted.key.count * (validated ? 1 : 2) && status == TN_OK; i++) {
        char *key = tn__print("%s%s", i < sorted.key.count ? "" : "val_",
                              sorted.key.item[i % sorted.key.count]);
        status = key ? TN__PUSH(&s->key, key) : TN_RESOURCE_EXHAUSTED;
        if (status != TN_OK)
            tn__free(key);
    }
    tn__logs_clear(&sorted);
    return status;
}

/* A text with the separator, a quote or a line's end in it stands between quotes, its quotes
 * doubled. */
static void add_cell(tn__text *row, const csv_logger *s, const char *cell)
{
    if (!strpbrk(cell, "\"\r\n") && !strchr(cell, s->o.separator[0])) {
        tn__text_add(row, "%s", cell);
        return;
    }
    tn__text_add(row, "\"");
    for (; *cell; cell++)
        tn__text_add(row, *cell == '"' ? "\"\"" : "%c", *cell);
    tn__text_add(row, "\"");
}

static void add_header(tn__text *text, const csv_logger *s)
{
    tn__text_add(text, "epoch");
    for (size_t i = 0; i < s->key.count; i++) {
        tn__text_add(text, "%s", s->o.separator);
        add_cell(text, s, s->key.item[i]);
    }
    tn__text_add(text, "\r\n");
}

static bool in_logs(const tn_logs *logs, const char *key)
{
    for (size_t i = 0; i < logs->count; i++)
        if (strcmp(logs->key[i], key) == 0)
            return true;
    return false;
}

static void add_row(tn__text *text, const csv_logger *s, const tn_logs *logs)
{
    tn__text_add(text, "%lld", (long long)logs->epoch);
    for (size_t i = 0; i < s->key.count; i++) {
        char number[TN__NUMBER_TEXT];
        tn__number_text(tn_log_value(logs, s->key.item[i]), false, number, sizeof number);
        tn__text_add(text, "%s", s->o.separator);
        add_cell(text, s, in_logs(logs, s->key.item[i]) ? number : "NA");
    }
    tn__text_add(text, "\r\n");
}

static void write_epoch(void *self, const tn_logs *logs)
{
    csv_logger *s = self;
    tn__text text = { 0 };
    if (s->key.count == 0 && settle_keys(s, logs) != TN_OK)
        return;
    if (s->header)
        add_header(&text, s);
    s->header = false;
    add_row(&text, s, logs);
    char *whole = tn__text_take(&text);
    size_t size = whole ? strlen(whole) : 0;
    if (whole && (fwrite(whole, 1, size, s->file) != size || fflush(s->file) != 0))
        fail_file(s, "write");
    tn__free(whole);
}

static void end(void *self, const tn_logs *logs)
{
    (void)logs;
    close_file(self);
}

static void destroy(void *self)
{
    csv_logger *s = self;
    if (s->file) /* a training that failed: what it wrote is in the file already */
        fclose(s->file);
    forget_keys(s);
}

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_STRING, csv_logger, filename, NULL, NULL),
    TN__OPTION(TN_FIELD_STRING, csv_logger, separator, ",", NULL),
    TN__OPTION(TN_FIELD_FLAG, csv_logger, append, "false", NULL),
    TN__END_OF_FIELDS,
};
static const tn__callback_kind kind = {
    .name = "CSVLogger",
    .calls = { .on_train_begin = begin,
               .on_epoch_end = write_epoch,
               .on_train_end = end,
               .destroy = destroy },
    .fields = fields,
    .size = sizeof(csv_logger),
    .options_size = sizeof(tn_csv_logger_options),
    .check = check,
};

tn_callback *tn_csv_logger_new(const tn_csv_logger_options *options)
{
    return tn__callback_from_options(&kind, options);
}
