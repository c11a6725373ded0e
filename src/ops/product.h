/* product.h - the processor's kernels for float32, shared between threads where that pays. */
#ifndef TN_OPS_PRODUCT_H
#define TN_OPS_PRODUCT_H
#include "core/context.h"
#include "kernels/kernels.h"

/* Fails only for lack of memory. */
tn_status tn__product(tn_context *context, const tn__gemm *g);
tn_status tn__product_conv(tn_context *context, const tn__conv *c, const float *x, const float *filter, float *y);
tn_status tn__product_conv_to_input(tn_context *context, const tn__conv *c, const float *filter, const float *dy, float *dx);
tn_status tn__product_conv_to_filter(tn_context *context, const tn__conv *c, const float *x, const float *dy, float *dfilter);

#endif
