/* csv_test.c - tables as NumPy and spreadsheets write them; anything but numbers is named. */
#include "support/check.h"
#include "formats/csv.h"
#include "formats/npy.h"
#include <math.h>
#include <stdlib.h>

#define NAN_ ((double)NAN)

static tn__span span_of(const char *text)
{
    return (tn__span){ (const uint8_t *)text, strlen(text) };
}

static void check_values(const tn__csv *table, size_t rows, size_t columns, const double *expected)
{
    assert_int_equal(table->rows, rows);
    assert_int_equal(table->columns, columns);
    for (size_t i = 0; i < rows * columns; i++) {
        double got = table->values[i], want = expected[i];
        if (isnan(want) ? !isnan(got) : got != want)
            fail_msg("value %zu: expected %g, got %g", i, want, got);
    }
}

/* The table must read as these rows, with a header exactly when `first` is its first name. */
static void check_table(const char *text, size_t rows, size_t columns, const double *expected,
                        const char *first)
{
    tn__csv table;
    CHECK_OK(tn__csv_read(span_of(text), NULL, &table));
    check_values(&table, rows, columns, expected);
    assert_int_equal(table.names != NULL, first != NULL);
    if (first)
        assert_string_equal(table.names[0], first);
    tn__csv_free(&table);
}

static const double grid[] = { 1, 2, 3, 4 };

static void delimiters_and_line_ends_are_detected(void **state)
{
    (void)state;
    static const char *const spellings[] = {
        "1,2\n3,4\n",
        "1,2\n3,4",
        "1;2\r\n3;4\r\n",
        "1\t2\n3\t4\n",
        "1,2\r3,4\r",
        "\357\273\2771,2\n3,4",
        " 1 , 2 \n 3 ,4\n",
        "\n1,2\n\n  \n3,4\n\n",
        "\"1\",\"2\"\n\"3\" , \"4\"",
    };
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        check_table(spellings[i], 2, 2, grid, NULL);
    check_table("1\n2\n3\n4", 4, 1, grid, NULL);
    check_table("1,2,3,4", 1, 4, grid, NULL);
}

static void a_header_is_a_first_row_with_text(void **state)
{
    (void)state;
    check_table("a,b\n1,2\n3,4", 2, 2, grid, "a");
    check_table("label,0\n1,2\n3,4", 2, 2, grid, "label");
    check_table("0,label\n1,2\n3,4", 2, 2, grid, "0");
    check_table(",b\n1,2\n3,4", 2, 2, grid, "");
    check_table("\" spaced \", b\n1,2\n3,4", 2, 2, grid, "spaced");
    check_table("# a,b\n1,2\n3,4", 2, 2, grid, "a");
    check_table("\"say \"\"hi\"\", twice\",\"two\nlines\"\n1,2\n3,4", 2, 2, grid,
                "say \"hi\", twice");
    check_table("a,b\n", 0, 2, NULL, "a");
}

static void a_header_can_be_said_to_be_there_or_not(void **state)
{
    (void)state;
    tn__csv table;
    CHECK_OK(tn__csv_read(span_of("0,1\n1,2\n3,4"), &(tn__csv_options){ .header = TN__CSV_WITH },
                          &table));
    check_values(&table, 2, 2, grid);
    assert_string_equal(table.names[1], "1");
    tn__csv_free(&table);
    tn__csv_options without = { .header = TN__CSV_WITHOUT };
    assert_int_equal(tn__csv_read(span_of("a,b\n1,2"), &without, &table), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "line 1, column 1: 'a' is not a number");
}

static void the_delimiter_can_be_given(void **state)
{
    (void)state;
    tn__csv table;
    CHECK_OK(tn__csv_read(span_of("1|2\n3|4"), &(tn__csv_options){ .delimiter = '|' }, &table));
    check_values(&table, 2, 2, grid);
    tn__csv_free(&table);
    CHECK_OK(tn__csv_read(span_of("1 2\n3 4"), &(tn__csv_options){ .delimiter = ' ' }, &table));
    check_values(&table, 2, 2, grid);
    tn__csv_free(&table);
    tn__csv_options quote = { .delimiter = '"' };
    assert_int_equal(tn__csv_read(span_of("1"), &quote, &table), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "cannot be separated");
}

static void empty_fields_are_nan(void **state)
{
    (void)state;
    check_table("1,,3\n,,\n\"\", ,nan\n", 3, 3,
                (const double[]){ 1, NAN_, 3, NAN_, NAN_, NAN_, NAN_, NAN_, NAN_ }, NULL);
    check_table("1\t2\t\n\t\t", 2, 3, (const double[]){ 1, 2, NAN_, NAN_, NAN_, NAN_ }, NULL);
    check_table("1\n\"\"\n2", 3, 1, (const double[]){ 1, NAN_, 2 }, NULL);
}

static void a_text_without_rows_has_no_columns(void **state)
{
    (void)state;
    check_table("", 0, 0, NULL, NULL);
    check_table("\xef\xbb\xbf\n \r\n\t", 0, 0, NULL, NULL);
    tn__csv table;
    CHECK_OK(tn__csv_read((tn__span){ NULL, 0 }, NULL, &table));
    tn__csv_free(&table);
}

static void check_refused(const char *text, tn_status kind, const char *message)
{
    tn__csv table;
    assert_int_equal(tn__csv_read(span_of(text), NULL, &table), kind);
    CHECK_ERROR(kind, message);
    assert_null(table.values);
}

static void text_is_named_by_line_and_column(void **state)
{
    (void)state;
    check_refused("1,2\n3,four\n", TN_INVALID_ARGUMENT, "line 2, column 2: 'four' is not a number");
    check_refused("a,name\n1,2\n\n\"\n3x\",4\n5,x\n", TN_INVALID_ARGUMENT,
                  "line 4, column 1 (a): '?3x' is not a number");
    check_refused("a,name\r\n1,2\r\n5,x\r\n", TN_INVALID_ARGUMENT, "line 3, column 2 (name): 'x'");
    check_refused("1;2\n1,5;2", TN_INVALID_ARGUMENT,
                  "line 2, column 1: '1,5' is not a number; decimals need a point");
    check_refused("1\n0123456789012345678901234567890123456x\xc3\xa9\xc3\xa9\xc3\xa9",
                  TN_INVALID_ARGUMENT,
                  "'0123456789012345678901234567890123456x\xc3\xa9...' is not a number");
}

static void ragged_rows_are_named(void **state)
{
    (void)state;
    check_refused("1,2\n3\n", TN_INVALID_ARGUMENT,
                  "line 2 has 1 fields, expected 2 as in the first");
    check_refused("1,2\n3,4\n5,6,7,8\n", TN_INVALID_ARGUMENT, "line 3 has 4 fields, expected 2");
    check_refused("a,b\n1,2,\n", TN_INVALID_ARGUMENT, "line 2 has 3 fields, expected 2");
}

static void quotes_that_do_not_fit_are_named(void **state)
{
    (void)state;
    check_refused("1,2\n3,\"4\n5", TN_DATA_LOSS, "the quote opened in line 2 is never closed");
    check_refused("1,2\n\"3\"4,5", TN_DATA_LOSS, "line 2: there is text behind a closing quote");
    check_refused("\377\3761", TN_UNIMPLEMENTED, "UTF-16");
}

static void memory_is_limited(void **state)
{
    (void)state;
    tn__csv table;
    tn__csv_options options = { .limit = 4 * sizeof(double) };
    CHECK_OK(tn__csv_read(span_of("1,2\n3,4"), &options, &table));
    tn__csv_free(&table);
    assert_int_equal(tn__csv_read(span_of("1,2\n3,4\n5,6"), &options, &table),
                     TN_RESOURCE_EXHAUSTED);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "the limit of 32 bytes");
}

static void rows_are_read_one_by_one(void **state)
{
    (void)state;
    tn__csv_reader *reader;
    CHECK_OK(tn__csv_open(span_of("a,b\n1,2\n3,4\n"), NULL, &reader));
    assert_int_equal(tn__csv_columns(reader), 2);
    assert_string_equal(tn__csv_name(reader, 1), "b");
    double row[2];
    bool end;
    CHECK_OK(tn__csv_next(reader, row, &end));
    assert_true(!end && row[0] == 1 && row[1] == 2);
    CHECK_OK(tn__csv_next(reader, row, &end));
    assert_true(!end && row[0] == 3 && row[1] == 4);
    CHECK_OK(tn__csv_next(reader, row, &end));
    assert_true(end);
    tn__csv_close(reader);
    tn__csv_close(NULL);
}

/* --- held against NumPy ---------------------------------------------------------------------- */
static tn__file load(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "src/formats/testdata/%s", name);
    tn__file file;
    CHECK_OK(tn__file_read(path, 1 << 20, &file));
    return file;
}

static void check_same_as_array(const char *name, const char *array_name, const char *first)
{
    tn__file text = load(name), file = load(array_name);
    tn__npy array;
    tn__csv table;
    CHECK_OK(tn__npy_open(file.span, &array));
    CHECK_OK(tn__csv_read(text.span, NULL, &table));
    double *expected = malloc(array.data.size);
    assert_non_null(expected);
    tn__npy_copy(&array, expected);
    check_values(&table, (size_t)array.shape[0], (size_t)array.shape[1], expected);
    assert_string_equal(table.names[0], first);
    free(expected);
    tn__csv_free(&table);
    tn__file_close(&text);
    tn__file_close(&file);
}

static void tables_of_others_give_their_numbers(void **state)
{
    (void)state;
    check_same_as_array("csv_savetxt.csv", "csv_savetxt.npy", "a");
    check_same_as_array("csv_excel.csv", "csv_excel.npy", "first; \"quoted\"");
}

/* --- writing --------------------------------------------------------------------------------- */
static tn__bytes written(const char *const *names, size_t rows, size_t columns,
                         const double *values, bool single)
{
    tn__bytes bytes = { 0 };
    tn__writer *writer;
    CHECK_OK(tn__writer_to_memory(&bytes, &writer));
    CHECK_OK(tn__csv_write(writer, names, rows, columns, values, single));
    CHECK_OK(tn__write(writer, "", 1));
    CHECK_OK(tn__writer_commit(writer));
    return bytes;
}

static void numbers_are_written_in_their_shortest_form(void **state)
{
    (void)state;
    const double values[] = { 1, -0.0, 0.1f, 1e-7, 1e16, NAN_, -(double)INFINITY, 123456789 };
    tn__bytes bytes = written(NULL, 2, 4, values, true);
    assert_string_equal((char *)bytes.data, "1,-0,0.1,1e-07\n1e+16,nan,-inf,123456790\n");
    tn__bytes_free(&bytes);
    bytes = written((const char *const[]){ "plain", "a,b", "say \"hi\"", "" }, 1, 4, grid, false);
    assert_string_equal((char *)bytes.data, "plain,\"a,b\",\"say \"\"hi\"\"\",\"\"\n1,2,3,4\n");
    tn__bytes_free(&bytes);
    bytes = written((const char *const[]){ "only" }, 0, 1, NULL, false);
    assert_string_equal((char *)bytes.data, "only\n");
    tn__bytes_free(&bytes);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    enum { ROWS = 200, COLUMNS = 5 };
    double values[ROWS * COLUMNS];
    uint64_t random = 7;
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        memcpy(&values[i], &random, sizeof values[i]);
    }
    const char *const names[] = { "a", "b;c", "two\nlines", " edge ", "\t" };
    tn__bytes bytes = written(names, ROWS, COLUMNS, values, false);
    tn__csv table;
    CHECK_OK(tn__csv_read((tn__span){ bytes.data, bytes.size - 1 }, NULL, &table));
    check_values(&table, ROWS, COLUMNS, values);
    assert_string_equal(table.names[1], "b;c");
    assert_string_equal(table.names[2], "two\nlines");
    tn__csv_free(&table);
    tn__bytes_free(&bytes);
}

static void rows_without_columns_are_not_written(void **state)
{
    (void)state;
    assert_int_equal(tn__csv_write(NULL, NULL, 3, 0, NULL, false), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "without columns");
}

/* --- anything at all ------------------------------------------------------------------------- */
static void no_mutation_or_truncation_reads_elsewhere(void **state)
{
    (void)state;
    tn__file file = load("csv_excel.csv");
    for (size_t i = 0; i < file.span.size; i++) {
        static const char changes[] = "\"\n\r,;\t 9x.";
        for (size_t c = 0; c < sizeof changes; c++) { /* the NUL too; the last time cut off there */
            size_t size = c + 1 < sizeof changes ? file.span.size : i;
            uint8_t *bytes = malloc(size + 1);
            assert_non_null(bytes);
            memcpy(bytes, file.span.data, size);
            bytes[i] = (uint8_t)changes[c];
            tn__csv table;
            (void)!tn__csv_read((tn__span){ bytes, size }, NULL, &table);
            tn__csv_free(&table);
            tn__fail_clear();
            free(bytes);
        }
    }
    tn__file_close(&file);
}

static bool read_table(void *self)
{
    tn__csv table;
    bool done = tn__csv_read(*(tn__span *)self, NULL, &table) == TN_OK;
    if (done)
        assert_int_equal(table.rows, 100);
    tn__csv_free(&table);
    return done;
}

static void reading_survives_refused_allocations(void **state)
{
    (void)state;
    char text[2048] = "a,\"b\"\n";
    for (int i = 0; i < 100; i++)
        snprintf(text + strlen(text), 32, "%d,\"%d.5\"\n", i, i);
    tn__span span = span_of(text);
    check_allocation_failures(read_table, &span);
    size_t before = live_allocations();
    check_allocation_failures(read_table, &span);
    assert_int_equal(live_allocations(), before);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delimiters_and_line_ends_are_detected),
        cmocka_unit_test(a_header_is_a_first_row_with_text),
        cmocka_unit_test(a_header_can_be_said_to_be_there_or_not),
        cmocka_unit_test(the_delimiter_can_be_given),
        cmocka_unit_test(empty_fields_are_nan),
        cmocka_unit_test(a_text_without_rows_has_no_columns),
        cmocka_unit_test(text_is_named_by_line_and_column),
        cmocka_unit_test(ragged_rows_are_named),
        cmocka_unit_test(quotes_that_do_not_fit_are_named),
        cmocka_unit_test(memory_is_limited),
        cmocka_unit_test(rows_are_read_one_by_one),
        cmocka_unit_test(tables_of_others_give_their_numbers),
        cmocka_unit_test(numbers_are_written_in_their_shortest_form),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(rows_without_columns_are_not_written),
        cmocka_unit_test(no_mutation_or_truncation_reads_elsewhere),
        cmocka_unit_test(reading_survives_refused_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
