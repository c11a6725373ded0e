/* product.h - the processor's kernels for float32, shared between threads where that pays. */
#ifndef TN_OPS_PRODUCT_H
#define TN_OPS_PRODUCT_H
#include "core/context.h"
#include "kernels/kernels.h"

/* What can fail does so only for lack of memory. sums, of gradients of images, get that of each channel while what was stored is in
 * the cache, as tn__product_sum_columns() would give it; NULL: they are not wanted. */
tn_status tn__product(tn_context *context, const tn__gemm *g);
tn_status tn__product_conv(tn_context *context, const tn__conv *c, const float *x, const float *filter, float *y, tn__epilogue epilogue);
tn_status tn__product_conv_to_input(tn_context *context, const tn__conv *c, const float *filter, const float *dy, float *dx,
                                    tn__epilogue epilogue, double *sums);
tn_status tn__product_conv_to_filter(tn_context *context, const tn__conv *c, const float *x, const float *dy, float *dfilter);
/* Channels apart: y of x, or `turned` dx of dy. No number of channels is 0. */
tn_status tn__product_depthwise(tn_context *context, const tn__conv *c, bool turned, const float *from, const float *filter, float *to);
tn_status tn__product_depthwise_to_filter(tn_context *context, const tn__conv *c, const float *x, const float *dy, float *dfilter);
/* Of these, c->y_channels is not read. */
void tn__product_max_pool(const tn__conv *c, const float *x, float *y);
void tn__product_max_pool_gradient(const tn__conv *c, const float *x, const float *dy, float *dx, bool masked, double *sums);
enum { TN__SUM_LANES = 8, TN__SUM_NUMBERS = 4096 }; /* more lanes have no more memory to read; what a long sum is cut in */
int tn__lanes_of_sum(double count);
/* Sums in double, to which each lane adds what it has: of all of x; and of columns of x, whose rows are step apart, added to sum. */
double tn__product_sum(const float *x, int64_t count);
void tn__product_sum_columns(const float *x, int64_t step, int64_t rows, int64_t columns, double *sum);
/* Room for two sums of each of `width` columns in double; and behind them, in float, which has digits enough for a few rows. */
size_t tn__product_norm_sums_size(int64_t width);
float *tn__product_norm_sums_in_float(double *total, int64_t width);
/* What column_norm_sums() has of rows first <= i < last, added to total[0 ...] and total[width ...] of such room, which was 0. */
void tn__product_norm_sums(const tn__column_norm *n, int64_t first, int64_t last, int64_t width, double *total);

#endif
