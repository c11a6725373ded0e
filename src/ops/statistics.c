/* statistics.c - reductions that TensorFlow makes of others: logsumexp, variance, standard
 * deviation, moments. */
#include "ops/ops.h"

static tn_reduce_options over(const tn_reduce_options *o, tn_tensor *input, bool keepdims)
{
    tn_reduce_options other = *o;
    other.input = input;
    other.keepdims = keepdims;
    return other;
}

static bool check_floats(const tn_tensor *x, const char *what)
{
    if (!tn__check_tensor(x, what))
        return false;
    if (tn__in(TN__FLOATS, (tn_dtype)x->dtype))
        return true;
    tn__fail(TN_INVALID_ARGUMENT,
             "Input must be either real or complex. Received integer type %s.\n"
             "%s is %s; tn_cast(x, TN_FLOAT32) converts",
             tn__dtype_name((tn_dtype)x->dtype), what, TN__TENSOR(x));
    return false;
}

/* log(sum(exp(x - m))) + m, m the greatest x where that is finite */
tn_tensor *tn_reduce_logsumexp_with(const tn_reduce_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    if (!check_floats(o->input, "tn_reduce_logsumexp: input"))
        return NULL;
    tn_reduce_options max = over(o, o->input, true);
    tn_tensor *greatest = tn_stop_gradient(tn_reduce_max_with(&max));
    greatest = tn_where(tn_is_finite(greatest), greatest, tn__like(greatest, 0));
    tn_reduce_options sum = over(o, tn_exp(tn_subtract(o->input, greatest)), o->keepdims);
    tn_tensor *rest = tn_log(tn_reduce_sum_with(&sum));
    if (!o->keepdims)
        greatest = TN__APPLY(tn__op_Reshape, NULL, greatest, tn__shape_tensor(rest));
    return tn_add(rest, greatest);
}

/* The mean, and the mean of (x - mean)². */
static tn_tensor *variance(const tn_reduce_options *o, tn_tensor **mean)
{
    tn_reduce_options first = over(o, o->input, true);
    *mean = tn_reduce_mean_with(&first);
    tn_reduce_options second = over(o, tn_square(tn_subtract(o->input, *mean)), o->keepdims);
    return tn_reduce_mean_with(&second);
}

tn_tensor *tn_reduce_variance_with(const tn_reduce_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *mean;
    return check_floats(o->input, "tn_reduce_variance: input") ? variance(o, &mean) : NULL;
}

tn_tensor *tn_reduce_std_with(const tn_reduce_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *mean;
    return check_floats(o->input, "tn_reduce_std: input") ? tn_sqrt(variance(o, &mean)) : NULL;
}

/* float16 is computed in float32 throughout, as in TensorFlow. */
tn_list tn_nn_moments_with(const tn_reduce_options *o)
{
    tn_list none = { 0, NULL };
    TN__ENTER_OPTIONS(context, o, none);
    if (!check_floats(o->input, "tn_nn_moments: input"))
        return none;
    tn_dtype dtype = (tn_dtype)o->input->dtype, wide = dtype == TN_FLOAT16 ? TN_FLOAT32 : dtype;
    tn_reduce_options in = over(o, tn_cast(o->input, wide), o->keepdims);
    tn_tensor *mean, *spread = variance(&in, &mean);
    if (!o->keepdims)
        mean = TN__APPLY(tn__op_Reshape, NULL, mean, tn__shape_tensor(spread));
    return tn_list_of(2, (tn_tensor *[]){ tn_cast(mean, dtype), tn_cast(spread, dtype) });
}
