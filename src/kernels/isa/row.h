/* row.h - the product of one row with a matrix whose rows have their numbers side by side. */
#ifndef TN_KERNELS_ISA_ROW_H
#define TN_KERNELS_ISA_ROW_H
#include "kernels/isa/vector.h"

void TN__ISA(tn__row)(const tn__gemm *g);

#endif
