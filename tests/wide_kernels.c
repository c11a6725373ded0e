/* wide_kernels.c - in the place of kernels/select.c: the kernels written for AVX-512, which any
 * processor runs when they are made of narrower vectors. */
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
