/* matmul.h - MatMul, for those who put it together with other ops. */
#ifndef TN_OPS_MATMUL_H
#define TN_OPS_MATMUL_H
#include "core/tensor.h"
#include "kernels/kernels.h"

/* Of MatMul's attributes; all in float32, and not empty. */
tn_status tn__matmul_with_epilogue(tn_context *context, const void *attrs, const tn_tensor *a, const tn_tensor *b, tn_tensor *c,
                                   tn__epilogue epilogue);

#endif
