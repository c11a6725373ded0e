/* winograd.h - convolutions with c->winograd set. That of x's gradient is one of dy with the filter `turned`, c as that one has it. */
#ifndef TN_KERNELS_ISA_WINOGRAD_H
#define TN_KERNELS_ISA_WINOGRAD_H
#include "kernels/isa/vector.h"

size_t TN__ISA(tn__winograd_filter_bytes)(const tn__conv *c);
void TN__ISA(tn__winograd_pack)(const tn__conv *c, bool turned, const float *filter, float *packed);
size_t TN__ISA(tn__winograd_scratch)(const tn__conv *c);
void TN__ISA(tn__winograd)(const tn__conv *c, const float *x, const float *packed, float *y, tn__epilogue e, int64_t first, int64_t last,
                           void *scratch);
size_t TN__ISA(tn__winograd_to_filter_scratch)(const tn__conv *c);
void TN__ISA(tn__winograd_to_filter)(const tn__conv *c, const float *x, const float *dy, float *dfilter, int64_t first, int64_t last,
                                     void *scratch);

#endif
