/* activations.c - Keras's activation functions, in ops. */
#include "nn/object.h"
#include "tenon/ops.h"

#define ACTIVATION(name_, function, ...) \
    static const tn__activation_methods name_##_methods = { function }; \
    const tn__object_class tn__activation_##name_ = { .kind = TN__ACTIVATION, .name = #name_, .methods = &name_##_methods, __VA_ARGS__ };

static tn_tensor *linear(const void *self, tn_tensor *x)
{
    (void)self;
    return x;
}
ACTIVATION(linear, linear, )

static tn_tensor *relu(const void *self, tn_tensor *x)
{
    (void)self;
    return tn_nn_relu(x);
}
ACTIVATION(relu, relu, )

static tn_tensor *softmax(const void *self, tn_tensor *x)
{
    (void)self;
    return tn_nn_softmax(x, -1);
}
ACTIVATION(softmax, softmax, )
