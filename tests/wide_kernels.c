/* wide_kernels.c - takes the place of kernels/select.c in programs whose kernels are those written for AVX-512, compiled for any
 * processor. */
#include "kernels/kernels.h"

extern const tn__kernels_table tn__table_avx512;

const tn__kernels_table *tn__kernels_at(size_t index)
{
    return index == 0 ? &tn__table_avx512 : NULL;
}

const tn__kernels_table *tn__kernels(void)
{
    return &tn__table_avx512;
}
