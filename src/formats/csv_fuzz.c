/* csv_fuzz.c - any bytes as a table, with every delimiter and kind of header. */
#include "formats/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = { 0, ',', ';', '\t', ' ' };
    if (size < 1)
        return 0;
    tn__csv_options options = { delimiters[data[0] % 5], (tn__csv_header)(data[0] / 5 % 3),
                                1 << 20 };
    tn__csv table;
    if (tn__csv_read((tn__span){ data + 1, size - 1 }, &options, &table) == TN_OK)
        for (size_t i = 0; i < table.columns && table.names; i++)
            if (!table.names[i])
                __builtin_trap();
    tn__csv_free(&table);
    tn__fail_clear();
    return 0;
}
