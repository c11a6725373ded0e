/* ops.h - what the families share: inference rules, pieces of gradients, and the public wrappers they build on. */
#ifndef TN_OPS_OPS_H
#define TN_OPS_OPS_H
#include "runtime/dispatch.h"
#include "ops/known.h"
#include "tenon/gradient.h"
#include "tenon/ops.h"
#include "tenon/variable.h"

#define OP(name, ...) extern const tn__op tn__op_##name;
#define UNTRIED(name, reason) OP(name)
#include "ops/ops.def"
#undef UNTRIED
#undef OP

/* --- inference ---------------------------------------------------------------------------------------------------------- */
tn_status tn__infer_same(tn__infer *infer);      /* the first input's shape */
tn_status tn__infer_broadcast(tn__infer *infer); /* of two inputs, with TensorFlow's "Incompatible shapes: [2,3] vs. [4]" */
tn_status tn__infer_scalar(tn__infer *infer);
/* A rank the rule needs: "MatMul: a needs rank 2 or more, got (3,)". Unknown ranks pass. */
tn_status tn__infer_rank(const tn__infer *infer, size_t input, int least, int most);

/* The variable behind a resource input: itself, or what a VarHandleOp captured; NULL: another's. */
const tn_tensor *tn__variable_behind(const tn_tensor *resource);

/* Rows of the last axis, each less its mean and over √(variance + ε), times gamma, plus beta; rms: over √(mean of x² + ε), the mean left
 * in. And what such an op has of the two. */
tn_tensor *tn__layer_norm_rows(tn_tensor *x, tn_tensor *gamma, tn_tensor *beta, bool rms, double epsilon);
double tn__layer_norm_epsilon(const void *attrs);
bool tn__layer_norm_rms(const void *attrs);
/* The same for each group of each image of x, (image, ..., group, channel), over the axes in it; gamma and beta are (group, channel). */
tn_tensor *tn__group_norm(tn_tensor *x, tn_tensor *gamma, tn_tensor *beta, double epsilon);
tn_axes tn__axes_in_group(int rank, int group); /* all but the first, the images, and the groups' */
/* The same for each of the last axis's channels, over the whole batch x, of rank 2 at least: y, and the batch's mean and variance,
 * through which no gradient goes. */
tn_list tn__batch_norm(tn_tensor *x, tn_tensor *gamma, tn_tensor *beta, double epsilon);

/* --- pieces of gradients ------------------------------------------------------------------------------------------------ */
/* dy summed over the axes along which x was broadcast, in x's shape. */
tn_tensor *tn__sum_to(tn_tensor *dy, tn_tensor *x, tn_tensor *other);
tn_tensor *tn__like(tn_tensor *x, double value);       /* a number of x's dtype, to be broadcast */
tn_tensor *tn__ratio_of_sizes(tn_tensor *x, tn_tensor *y); /* elements of x / elements of y, in x's dtype */
tn_tensor *tn__one_minus(tn_tensor *x);
/* dout[i], or zeros of the output's shape where it does not matter. */
tn_tensor *tn__dout(const tn__gradient *g, size_t i);
/* An int32 constant of the innermost scope. */
tn_tensor *tn__ints(const int64_t *values, size_t count);
tn_tensor *tn__int(int64_t value);
/* tn_top_k with k as a tensor, which may be known only in the run. */
tn_list tn__top_k(tn_tensor *input, tn_tensor *k);
/* The first dimension of x as a number of the dtype: a constant when it is known; of a number 1. */
tn_tensor *tn__rows(tn_tensor *x, tn_dtype dtype);
/* The shape of x as an int32 tensor: a constant when it is known. */
tn_tensor *tn__shape_tensor(tn_tensor *x);

#endif
