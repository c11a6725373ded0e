/* tables.h - the tables that isa/table.c makes, one for each instruction set it is compiled for. */
#ifndef TN_KERNELS_TABLES_H
#define TN_KERNELS_TABLES_H
#include "kernels/kernels.h"

extern const tn__kernels_table tn__table_base;
#ifdef __x86_64__
extern const tn__kernels_table tn__table_avx2, tn__table_avx512;
#endif

#endif
