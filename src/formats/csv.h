/* csv.h - tables of numbers as text: comma, semicolon or tab between the fields, one row a line.
 *
 * Read as numpy.genfromtxt and pandas would: an empty field is NaN, blank lines are skipped, fields
 * may stand in quotes ("" is a quote inside; a line may break inside), lines end in LF, CRLF or CR,
 * a UTF-8 byte order mark is skipped. The first row is a header when one of its fields is no
 * number. The decimal point is a point, whatever the locale. Text anywhere else, and a row of
 * another length, is an error that names line and column. */
#ifndef TN_FORMATS_CSV_H
#define TN_FORMATS_CSV_H
#include "base/file.h"

typedef enum { TN__CSV_DETECT, TN__CSV_WITH, TN__CSV_WITHOUT } tn__csv_header;
/* All zero: everything detected, the default limit. */
typedef struct {
    char
        delimiter; /* 0: tab, semicolon or comma, the first of these that stands in the first row */
    tn__csv_header header;
    uint64_t limit; /* bytes of values and names: 4 GB */
} tn__csv_options;

/* --- a table, row by row --------------------------------------------------------------------- */
/* Memory does not grow with the number of rows. `text` must outlive the reader. */
typedef struct tn__csv_reader tn__csv_reader;
/* Reads up to the first row of numbers, which gives the number of columns. A table without any row,
 * not even a header, has none. */
tn_status tn__csv_open(tn__span text, const tn__csv_options *options, tn__csv_reader **reader);
void tn__csv_close(tn__csv_reader *reader); /* NULL is allowed */
size_t tn__csv_columns(const tn__csv_reader *reader);
/* The header's field, as long as the reader; NULL without a header. column < columns. */
const char *tn__csv_name(const tn__csv_reader *reader, size_t column);
/* The next row into `values` (one a column); *end instead when there is none. */
tn_status tn__csv_next(tn__csv_reader *reader, double *values, bool *end);

/* --- a table as a whole ---------------------------------------------------------------------- */
typedef struct {
    size_t rows, columns;
    double *values; /* row-major */
    char **names;   /* one a column, or NULL: there was no header */
} tn__csv;
tn_status tn__csv_read(tn__span text, const tn__csv_options *options, tn__csv *table);
void tn__csv_free(tn__csv *table);

/* Writes row-major values with commas and LF: the shortest text that reads back as the same double
 * (the same float, when single), whole numbers without ".0". names: one a column, or NULL; quoted
 * where that is needed. A row is `columns` numbers, so columns must not be 0 unless rows is. */
tn_status tn__csv_write(tn__writer *writer, const char *const *names, size_t rows, size_t columns,
                        const double *values, bool single);

#endif
