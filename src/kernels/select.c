/* select.c - which instruction set's kernels run. */
#include "kernels/tables.h"
#include <stdlib.h>
#include <string.h>

const tn__kernels_table *tn__kernels_at(size_t index)
{
    const tn__kernels_table *table[4] = { &tn__table_base };
    size_t count = 1;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        table[count++] = &tn__table_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        table[count++] = &tn__table_avx512;
#endif
    return index < count ? table[index] : NULL;
}

static const tn__kernels_table *choose(void)
{
    const char *wanted = getenv("TN_ISA");
    const tn__kernels_table *best = NULL, *table;
    for (size_t i = 0; (table = tn__kernels_at(i)); i++) {
        best = table;
        if (wanted && strcmp(wanted, table->name) == 0)
            break;
    }
    return best;
}

const tn__kernels_table *tn__kernels(void)
{
    static const tn__kernels_table *_Atomic chosen;
    const tn__kernels_table *table = chosen;
    if (!table)
        chosen = table = choose();
    return table;
}

bool tn__strict_kernels(void)
{
    static _Atomic signed char known; /* -1: no */
    signed char strict = known;
    if (!strict) {
        const char *said = getenv("TN_STRICT_KERNELS");
        known = strict = said && *said && strcmp(said, "0") != 0 ? 1 : -1;
    }
    return strict > 0;
}
