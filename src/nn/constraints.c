/* constraints.c - what weights become after each update. */
#include "nn/object.h"
#include "ops/ops.h"

#define CONSTRAINT(name_, project_, ...)                                                 \
    static const tn__constraint_methods name_##_methods = { project_ };                  \
    const tn__object_class tn__constraint_##name_ = {                                    \
        .kind = TN__CONSTRAINT, .name = #name_, .methods = &name_##_methods, __VA_ARGS__ \
    };

static const double small = 1e-7; /* Keras's epsilon, which keeps norms of 0 from dividing */

static tn_tensor *times(double factor, tn_tensor *x)
{
    return tn_multiply(tn__like(x, factor), x);
}

static tn_tensor *norms_along(tn_tensor *w, tn_axes axes)
{
    return tn_sqrt(tn_reduce_sum(tn_square(w), .axis = axes, .keepdims = true));
}

/* w as long as `desired` says, which is (norm: w's length) */
static tn_tensor *rescale(tn_tensor *w, tn_tensor *desired, tn_tensor *norms)
{
    return tn_multiply(w, tn_divide(desired, tn_add(tn__like(norms, small), norms)));
}

static tn_tensor *clip(tn_tensor *x, double low, double high)
{
    return tn_clip_by_value(x, tn__like(x, low), tn__like(x, high));
}

typedef struct {
    double max_value;
    tn_axes axis;
} max_norm;
static const tn_field max_norm_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, max_norm, max_value, "2", NULL),
    TN__ROW(TN_FIELD_AXES, max_norm, axis, "0", NULL),
    TN__END_OF_FIELDS,
};
static tn_tensor *max_norm_of(const void *self, tn_tensor *w)
{
    const max_norm *m = self;
    tn_tensor *norms = norms_along(w, m->axis);
    return rescale(w, clip(norms, 0, m->max_value), norms);
}
CONSTRAINT(MaxNorm, max_norm_of, .fields = max_norm_fields, .size = sizeof(max_norm))

static tn_tensor *non_neg_of(const void *self, tn_tensor *w)
{
    (void)self;
    return tn_maximum(w, tn__like(w, 0));
}
CONSTRAINT(NonNeg, non_neg_of, )

typedef struct {
    tn_axes axis;
} unit_norm;
static const tn_field unit_norm_fields[] = {
    TN__ROW(TN_FIELD_AXES, unit_norm, axis, "0", NULL),
    TN__END_OF_FIELDS,
};
static tn_tensor *unit_norm_of(const void *self, tn_tensor *w)
{
    tn_tensor *norms = norms_along(w, ((const unit_norm *)self)->axis);
    return tn_divide(w, tn_add(tn__like(norms, small), norms));
}
CONSTRAINT(UnitNorm, unit_norm_of, .fields = unit_norm_fields, .size = sizeof(unit_norm))

typedef struct {
    double min_value, max_value, rate;
    tn_axes axis;
} min_max_norm;
static const tn_field min_max_norm_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, min_max_norm, min_value, "0", NULL),
    TN__ROW(TN_FIELD_FLOAT, min_max_norm, max_value, "1", NULL),
    TN__ROW(TN_FIELD_FLOAT, min_max_norm, rate, "1", NULL),
    TN__ROW(TN_FIELD_AXES, min_max_norm, axis, "0", NULL),
    TN__END_OF_FIELDS,
};
/* rate 1: into the limits at once; below: a part of the way */
static tn_tensor *min_max_norm_of(const void *self, tn_tensor *w)
{
    const min_max_norm *m = self;
    tn_tensor *norms = norms_along(w, m->axis), *wanted = clip(norms, m->min_value, m->max_value);
    return rescale(w, tn_add(times(m->rate, wanted), times(1 - m->rate, norms)), norms);
}
CONSTRAINT(MinMaxNorm, min_max_norm_of, .fields = min_max_norm_fields, .size = sizeof(min_max_norm))
