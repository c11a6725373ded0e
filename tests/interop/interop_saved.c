/* Writes models of many kinds into a folder, in every format, with inputs and outputs to compare with: what check_saved.py opens in
 * Keras 2 and 3.
 * interop_saved FOLDER */
#include "interop.h"

static void write_model(const char *name, tn_model *model, tn_tensor *x, tn_tensor *labels, bool only_keras_3)
{
    float losses[3];
    tn_tensor *y = tn_call(model, x);
    tn_must(tn_save(model, path_of(name, ".keras")));
    tn_must(tn_save_weights(model, path_of(name, ".weights.h5")));
    if (!only_keras_3) {
        tn_must(tn_save(model, path_of(name, ".h5")));
        tn_must(tn_save(model, path_of(name, ".3.h5"), .keras = 3));
    }
    for (int i = 0; i < 3 && labels; i++)
        losses[i] = tn_data_float32(tn_train_on_batch(model, x, labels))[0];
    write_arrays(name, x, y, labels, labels ? tn_constant(TN_FLOAT32, TN_SHAPE(3), losses) : NULL);
    end_on_error(name);
}

/* --- the models --------------------------------------------------------------------------------------------------------- */
static tn_model *convolutions(void)
{
    return spread(tn_sequential(
        TN_LAYERS(tn_rescaling(.scale = 0.5, .offset = 0.1, .input_shape = TN_SHAPE(12, 12, 3)),
                  tn_conv2d(6, { 3, 3 }, .padding = "same", .use_bias = false, .kernel_initializer = "he_normal"),
                  tn_batch_normalization(.momentum = 0.9), tn_relu(.max_value = 6, .negative_slope = 0.1, .threshold = 0.05),
                  tn_depthwise_conv2d({ 3, 3 }, .strides = { 2, 2 }, .depth_multiplier = 2), tn_max_pooling2d({ 2, 2 }),
                  tn_conv2d(4, { 2, 2 }, .groups = 2, .activation = "tanh", .kernel_regularizer = "l2(0.01)"), tn_dropout(0.3, .seed = 4),
                  tn_average_pooling2d({ 1, 1 }), tn_global_average_pooling2d(.keepdims = true), tn_flatten(),
                  tn_dense(3, "softmax", .bias_initializer = "random_normal(stddev=0.02)")),
        .name = "convolutions"));
}

static tn_model *words(void)
{
    return spread(tn_sequential(TN_LAYERS(tn_dense(12, "elu", .kernel_constraint = "max_norm(2)", .input_shape = TN_SHAPE(8)),
                                          tn_activation("gelu"), tn_dense(12, "leaky_relu(0.1)"), tn_dense(12, "selu"),
                                          tn_reshape_layer(TN_SHAPE(3, 4)), tn_softmax(),
                                          tn_dense(5, "softplus", .kernel_regularizer = "l1_l2(0.001, 0.01)"), tn_activation("sigmoid")),
                                .name = "words"));
}

static tn_model *normalized(void)
{
    tn_layer *adapted = tn_normalization(.input_shape = TN_SHAPE(4));
    float mean[] = { 1, 2, 3, 4 }, variance[] = { 1, 4, 9, 0.25f };
    tn_layer *given = tn_normalization(.mean = tn_constant(TN_FLOAT32, TN_SHAPE(4), mean),
                                       .variance = tn_constant(TN_FLOAT32, TN_SHAPE(4), variance));
    tn_must(tn_adapt(adapted, waves(TN_SHAPE(20, 4), 0.37f)));
    return tn_sequential(TN_LAYERS(adapted, given, tn_dense(2)), .name = "normalized");
}

static tn_model *trained(const char *name, tn_optimizer *optimizer, tn_tensor *x, tn_tensor *labels)
{
    tn_model *model = spread(tn_sequential(TN_LAYERS(tn_dense(6, "tanh", .input_shape = TN_SHAPE(4)), tn_dense(2)), .name = name));
    tn_must(tn_compile(model, optimizer, "mse", { "mae" }));
    for (int i = 0; i < 3; i++)
        tn_train_on_batch(model, x, labels);
    return model;
}

/* --- a class of the program's own; check_saved.py has it in Python ------------------------------------------------------- */
typedef struct {
    double factor;
    int64_t units;
    tn_layer *inner, *_last;
    tn_variable *offset;
} own;

static void own_init(void *me)
{
    own *self = me;
    self->_last = tn_dense(2);
    self->inner = tn_dense(self->units, "relu");
}

static void own_build(void *me, tn_list inputs)
{
    own *self = me;
    (void)inputs;
    self->offset = tn_add_weight(TN_SHAPE(self->units), .name = "offset", .initializer = "zeros");
}

static tn_tensor *own_call(void *me, tn_list inputs)
{
    own *self = me;
    tn_tensor *h = tn_multiply(tn_call(self->inner, tn_at(inputs, 0)), tn_scalar(self->factor));
    return tn_call(self->_last, tn_add(h, self->offset));
}

static const tn_class Own = {
    .name = "Own",
    .size = sizeof(own),
    .fields = TN_FIELDS(TN_FIELD(own, factor), TN_FIELD(own, units), TN_FIELD(own, inner), TN_FIELD(own, _last), TN_FIELD(own, offset)),
    .init = own_init,
    .build = own_build,
    .call = own_call,
};

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: interop_saved FOLDER\n");
        return 2;
    }
    folder = argv[1];
    tn_tensor *x = waves(TN_SHAPE(5, 4), 0.61f), *labels = waves(TN_SHAPE(5, 2), 0.83f);
    write_model("convolutions", convolutions(), waves(TN_SHAPE(3, 12, 12, 3), 0.31f), NULL, false);
    write_model("words", words(), waves(TN_SHAPE(6, 8), 0.9f), NULL, false);
    write_model("tangled", tangled(), tn_tuple(x, waves(TN_SHAPE(5, 4), 0.17f)), NULL, false);
    write_model("with_ops", with_ops(), x, NULL, true);
    write_model("normalized", normalized(), x, NULL, false);
    write_model("adam", trained("adam", tn_adam(0.02, .amsgrad = true), x, labels), x, labels, false);
    write_model("adamw", trained("adamw", tn_adamw(0.02, .weight_decay = 0.1), x, labels), x, labels, false);
    write_model("sgd", trained("sgd", tn_sgd(0.05, .momentum = 0.9, .nesterov = true), x, labels), x, labels, false);
    write_model("steps", trained("steps", tn_sgd(.schedule = "exponential_decay(0.1, 2, 0.5)"), x, labels), x, labels, false);
    write_model("adagrad", trained("adagrad", tn_adagrad(0.1), x, labels), x, labels, false);
    write_model("adadelta", trained("adadelta", tn_adadelta(1.0), x, labels), x, labels, false);
    write_model("adamax", trained("adamax", tn_adamax(0.02), x, labels), x, labels, false);
    write_model("ftrl", trained("ftrl", tn_ftrl(0.05), x, labels), x, labels, false);
    write_model("lion", trained("lion", tn_lion(0.01), x, labels), x, labels, false);
    write_model("adafactor", trained("adafactor", tn_adafactor(0.01), x, labels), x, labels, false);
    write_model("averaged", trained("averaged", tn_adam(0.01, .use_ema = true, .weight_decay = 0.01), x, labels), x, labels, false);
    write_model("rmsprop", trained("rmsprop", tn_rmsprop(0.01, .momentum = 0.5, .centered = true), x, labels), x, labels, false);
    tn_must(tn_register_class(&Own));
    tn_layer *layer = tn_new(&Own, TN_INIT(own, .factor = 0.5, .units = 3), .name = "mine", .input_shape = TN_SHAPE(4));
    write_model("own", spread(tn_sequential(TN_LAYERS(layer, tn_dense(2)), .name = "own")), x, NULL, true);
    return tn_report();
}
