/* loss_class.h - what a file of losses says for each of its classes. */
#ifndef TN_TRAIN_LOSS_CLASS_H
#define TN_TRAIN_LOSS_CLASS_H
#include "ops/ops.h"
#include "train/loss.h"
#include "train/loss_functions.h"

/* Descriptor and constructor of a loss whose instance struct is `type`, with the options struct
 * first, whose fields are type##_fields and whose values function(self, y_true, y_pred, mask)
 * computes. More members of the descriptor may follow. */
#define LOSS_CLASS(class, constructor, type, options_type, function, ...)              \
    static const tn__loss_methods class##_methods = { .call = function };              \
    const tn__object_class tn__loss_##class = { .kind = TN__LOSS,                      \
                                                .name = #class,                        \
                                                .fields = type##_fields,               \
                                                .size = sizeof(type),                  \
                                                .options_size = sizeof(options_type),  \
                                                .methods = &class##_methods,           \
                                                .newer_fields = TN__LOSS_NEWER_FIELDS, \
                                                __VA_ARGS__ };                         \
    tn_loss *constructor(const options_type *options)                                  \
    {                                                                                  \
        return tn__loss_from_options(&tn__loss_##class, options);                      \
    }

/* A loss without arguments of its own. */
typedef struct {
    tn_loss_options o;
    const char *fn;
} plain_loss;
#define PLAIN_LOSS(class, name_, ...)                                                      \
    static const tn_field name_##_fields[] = { TN__LOSS_ROWS(plain_loss, #name_),          \
                                               TN__END_OF_FIELDS };                        \
    static tn_tensor *call_##name_(const void *self, tn_tensor *y_true, tn_tensor *y_pred, \
                                   tn_tensor **mask)                                       \
    {                                                                                      \
        (void)self, (void)mask;                                                            \
        return tn__##name_(y_true, y_pred);                                                \
    }                                                                                      \
    typedef plain_loss name_;                                                              \
    LOSS_CLASS(class, tn_##name_##_new, name_, tn_loss_options, call_##name_, __VA_ARGS__)

#endif
