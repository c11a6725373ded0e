/* metric_class.h - what a file of metrics says for each of its classes. */
#ifndef TN_TRAIN_METRIC_CLASS_H
#define TN_TRAIN_METRIC_CLASS_H
#include "ops/ops.h"
#include "train/loss_functions.h"
#include "train/metric.h"

/* Descriptor and constructor of a metric whose instance struct is `type`, with the options struct
 * first, whose fields are type##_fields. The rest are members of its methods. */
#define METRIC_CLASS(class, aliases_, constructor, type, options_type, ...) \
    static const tn__metric_methods class##_methods = { __VA_ARGS__ };      \
    const tn__object_class tn__metric_##class = {                           \
        .kind = TN__METRIC,                                                 \
        .name = #class,                                                     \
        .aliases = aliases_,                                                \
        .fields = type##_fields,                                            \
        .size = sizeof(type),                                               \
        .options_size = sizeof(options_type),                               \
        .methods = &class##_methods,                                        \
    };                                                                      \
    tn_metric *constructor(const options_type *options)                     \
    {                                                                       \
        return tn__metric_from_options(&tn__metric_##class, options);       \
    }

/* A metric without arguments of its own. */
typedef struct {
    tn_metric_options o;
} plain_metric;
#define PLAIN_METRIC(class, aliases_, constructor, name_, ...)                       \
    static const tn_field class##_fields[] = { TN__METRIC_ROWS(plain_metric, name_), \
                                               TN__END_OF_FIELDS };                  \
    typedef plain_metric class;                                                      \
    METRIC_CLASS(class, aliases_, constructor, class, tn_metric_options, __VA_ARGS__)

/* The mean of function(y_true, y_pred). */
#define MEAN_METRIC(class, aliases_, constructor, name_, function, direction_)               \
    static tn_tensor *class##_values(const void *self, tn_tensor *y_true, tn_tensor *y_pred, \
                                     tn_tensor **mask)                                       \
    {                                                                                        \
        (void)self, (void)mask;                                                              \
        return function(y_true, y_pred);                                                     \
    }                                                                                        \
    PLAIN_METRIC(class, aliases_, constructor, name_, .values = class##_values,              \
                 .direction = direction_)

#endif
