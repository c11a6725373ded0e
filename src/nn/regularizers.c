/* regularizers.c - penalties on weights: numbers that are added to the loss. */
#include "nn/object.h"
#include "ops/ops.h"

#define REGULARIZER(name_, penalty_, ...)                                                 \
    static const tn__regularizer_methods name_##_methods = { penalty_ };                  \
    const tn__object_class tn__regularizer_##name_ = {                                    \
        .kind = TN__REGULARIZER, .name = #name_, .methods = &name_##_methods, __VA_ARGS__ \
    };

typedef struct {
    double l1, l2;
} penalties;

static tn_tensor *times(double factor, tn_tensor *x)
{
    return tn_multiply(tn__like(x, factor), x);
}

/* l1 Σ|x| */
static tn_tensor *absolute(const penalties *p, tn_tensor *x)
{
    return times(p->l1, tn_reduce_sum(tn_abs(x)));
}

/* l2 Σx² */
static tn_tensor *squared(const penalties *p, tn_tensor *x)
{
    return times(p->l2, tn_reduce_sum(tn_square(x)));
}

static tn_tensor *l1_of(const void *self, tn_tensor *x)
{
    return absolute(self, x);
}
static const tn_field l1_fields[] = { TN__ROW(TN_FIELD_FLOAT, penalties, l1, "0.01", ">= 0"),
                                      TN__END_OF_FIELDS };
REGULARIZER(L1, l1_of, .fields = l1_fields, .size = sizeof(penalties))

static tn_tensor *l2_of(const void *self, tn_tensor *x)
{
    return squared(self, x);
}
static const tn_field l2_fields[] = { TN__ROW(TN_FIELD_FLOAT, penalties, l2, "0.01", ">= 0"),
                                      TN__END_OF_FIELDS };
REGULARIZER(L2, l2_of, .fields = l2_fields, .size = sizeof(penalties))

static tn_tensor *l1l2_of(const void *self, tn_tensor *x)
{
    const penalties *p = self;
    if (p->l1 == 0 && p->l2 == 0)
        return tn__like(x, 0);
    if (p->l1 == 0 || p->l2 == 0)
        return p->l1 == 0 ? squared(p, x) : absolute(p, x);
    return tn_add(absolute(p, x), squared(p, x));
}
static const tn_field l1l2_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, penalties, l1, "0", ">= 0"),
    TN__ROW(TN_FIELD_FLOAT, penalties, l2, "0", ">= 0"),
    TN__END_OF_FIELDS,
};
REGULARIZER(L1L2, l1l2_of, .aliases = "l1_l2|WeightRegularizer|L1L2Regularizer",
            .fields = l1l2_fields, .size = sizeof(penalties))
