/* damage.c */
#include "support/check.h"
#include "support/damage.h"
#include <stdlib.h>

uint8_t *copy_of(tn__span span, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, span.data, size);
    return copy;
}

void check_damage(tn__span whole, tn_status (*read)(tn__span bytes), const char *text)
{
    static const uint8_t values[] = { 0, 0x7f, 0xff };
    enum { CHANGES = sizeof values, CUT = CHANGES };
    for (size_t i = 0; i < whole.size; i++)
        for (int change = 0; change <= CUT; change++) {
            size_t size = change == CUT ? i : whole.size;
            uint8_t *copy = copy_of(whole, size);
            if (change < CHANGES)
                copy[i] = values[change];
            if (read((tn__span){ copy, size }) != TN_OK)
                CHECK_ERROR(TN_DATA_LOSS, text);
            free(copy);
        }
}
