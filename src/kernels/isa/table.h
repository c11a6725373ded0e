/* table.h - the functions of one instruction set's files, gathered. */
#ifndef TN_KERNELS_ISA_TABLE_H
#define TN_KERNELS_ISA_TABLE_H
#include "kernels/isa/vector.h"
#include "kernels/tables.h"

size_t TN__ISA(tn__gemm_scratch)(const tn__gemm *g);
void TN__ISA(tn__gemm)(const tn__gemm *g, void *scratch);
size_t TN__ISA(tn__conv_filter_bytes)(const tn__conv *c, bool turn);
void TN__ISA(tn__conv_pack)(const tn__conv *c, bool turn, const float *filter, float *packed);
size_t TN__ISA(tn__conv_scratch)(const tn__conv *c);
void TN__ISA(tn__conv)(const tn__conv *c, const float *x, const float *packed, float *y, tn__epilogue e, int64_t first, int64_t last,
                       void *scratch);
size_t TN__ISA(tn__conv_to_input_scratch)(const tn__conv *c);
void TN__ISA(tn__conv_to_input)(const tn__conv *c, const float *dy, const float *packed, float *dx, tn__epilogue e, int64_t first,
                                int64_t last, void *scratch);
size_t TN__ISA(tn__conv_to_filter_scratch)(const tn__conv *c);
void TN__ISA(tn__conv_to_filter)(const tn__conv *c, const float *x, const float *dy, float *dfilter, int64_t first, int64_t last,
                                 void *scratch);
size_t TN__ISA(tn__depthwise_scratch)(const tn__conv *c);
void TN__ISA(tn__depthwise)(const tn__conv *c, bool turned, const float *from, const float *filter, float *to, int64_t first, int64_t last,
                            void *scratch);
void TN__ISA(tn__depthwise_to_filter)(const tn__conv *c, const float *x, const float *dy, float *dfilter, int64_t first, int64_t last,
                                      void *scratch);
size_t TN__ISA(tn__chain_scratch)(const tn__chain *c);
void TN__ISA(tn__chain)(const tn__chain *c, int64_t first, int64_t last, float *scratch);
void TN__ISA(tn__adam)(const tn__adam *a, int64_t first, int64_t last);
double TN__ISA(tn__sum)(double sum, const float *x, int64_t count);
void TN__ISA(tn__sum_columns)(const float *x, int64_t step, int64_t rows, int64_t columns, double *sum);
float TN__ISA(tn__largest)(const float *x, int64_t count);
double TN__ISA(tn__exponentials)(const float *x, int64_t count, float most, float *y);
void TN__ISA(tn__divide_by)(float *y, int64_t count, float divisor);
void TN__ISA(tn__softmax)(const float *x, int64_t count, int64_t rows, float *y);
void TN__ISA(tn__layer_norm)(const tn__layer_norm *n, int64_t first, int64_t last);
void TN__ISA(tn__layer_norm_gradient)(const tn__layer_norm *n, int64_t first, int64_t last, float *vectors);
void TN__ISA(tn__column_norm)(const tn__column_norm *n, int64_t first, int64_t last);
void TN__ISA(tn__column_norm_sums)(const tn__column_norm *n, int64_t first, int64_t last, float *sums);
void TN__ISA(tn__cross_entropy_rows)(const tn__cross_entropy *c);
void TN__ISA(tn__max_pool)(const tn__conv *c, const float *x, float *y, int64_t first, int64_t last);
void TN__ISA(tn__max_pool_gradient)(const tn__conv *c, const float *x, const float *dy, float *dx, bool masked, int64_t first, int64_t last);

#endif
