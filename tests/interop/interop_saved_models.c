/* Writes models of many kinds as SavedModel folders, with inputs and outputs to compare with: what check_saved_models.py opens in
 * TensorFlow and in Keras 2.
 * interop_saved_models FOLDER */
#include "interop.h"

static tn_tensor *words(tn_shape shape, int most)
{
    int64_t count = shape.dims[0] * shape.dims[1];
    int32_t *values = calloc((size_t)count + 1, sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = (int32_t)((i * i + i / 3) % most);
    tn_tensor *x = tn_constant(TN_INT32, shape, values);
    free(values);
    return x;
}

static void write_model(const char *name, tn_model *model, tn_tensor *x)
{
    tn_tensor *y = tn_call(model, x);
    tn_must(tn_save(model, path_of(name, "")));
    write_arrays(name, x, y, NULL, NULL);
    end_on_error(name);
}

/* --- models of Keras's layers --------------------------------------------------------------------------------------------- */
static tn_model *dense(void)
{
    return tn_sequential(TN_LAYERS(tn_dense(4, "relu", .input_shape = TN_SHAPE(3)), tn_dense(2)), .name = "dense");
}

static tn_model *convolutions(void)
{
    return tn_sequential(TN_LAYERS(tn_rescaling(.scale = 0.5, .offset = 0.1, .input_shape = TN_SHAPE(12, 12, 3)),
                                   tn_conv2d(6, { 3, 3 }, .padding = "same", .use_bias = false), tn_batch_normalization(),
                                   tn_relu(.max_value = 6, .negative_slope = 0.1, .threshold = 0.05),
                                   tn_depthwise_conv2d({ 3, 3 }, .strides = { 2, 2 }, .depth_multiplier = 2), tn_max_pooling2d({ 2, 2 }),
                                   tn_conv2d(4, { 2, 2 }, .activation = "tanh"), tn_dropout(0.3), tn_average_pooling2d({ 1, 1 }),
                                   tn_up_sampling2d({ 2, 2 }), tn_zero_padding2d({ 1, 1 }),
                                   tn_conv2d_transpose(3, { 3, 3 }), tn_global_average_pooling2d(), tn_dense(3, "tanh")),
                         .name = "convolutions");
}

static tn_model *sentences(void)
{
    tn_tensor *x = tn_input(TN_SHAPE(6), .dtype = TN_INT32, .name = "words");
    tn_tensor *h = tn_call(tn_permute(.dims = TN_AXES(2, 1)), tn_call(tn_embedding(20, 5), x));
    h = tn_call(tn_add_layer(), h, tn_call(tn_repeat_vector(5), tn_call(tn_global_max_pooling1d(), h)));
    h = tn_call(tn_dot(.axes = TN_AXES(2, 2)), h, tn_call(tn_layer_normalization(), h));
    return tn_model(x, tn_call(tn_dense(2), tn_call(tn_prelu(), h)), .name = "sentences");
}

static tn_model *one_dimension(void)
{
    return tn_sequential(TN_LAYERS(tn_conv1d(4, 3, .padding = "causal", .dilation_rate = 2, .input_shape = TN_SHAPE(10, 3)), tn_max_pooling1d(2),
                                   tn_separable_conv1d(3, 2), tn_group_normalization(.groups = 3), tn_activation("gelu"),
                                   tn_gaussian_noise(0.1), tn_dense(2, "elu"), tn_flatten(), tn_dense(2, "softplus")),
                         .name = "one_dimension");
}

/* --- classes of the program's own ----------------------------------------------------------------------------------------- */
typedef struct {
    tn_layer *inner, *last;
    tn_variable *offset, *calls;
} own;

static void own_init(void *me)
{
    own *self = me;
    self->inner = tn_dense(3, "relu");
    self->last = tn_dense(2);
    self->calls = tn_variable(tn_zeros(TN_SCALAR, TN_FLOAT32), .name = "calls", .trainable = false);
}

static void own_build(void *me, tn_list inputs)
{
    own *self = me;
    (void)inputs;
    self->offset = tn_add_weight(TN_SHAPE(3), .name = "offset", .initializer = "zeros");
}

static tn_tensor *small(void *me, tn_list inputs)
{
    own *self = me;
    return tn_add(tn_at(inputs, 0), self->offset);
}

static tn_tensor *large(void *me, tn_list inputs)
{
    (void)me;
    return tn_multiply(tn_at(inputs, 0), tn_scalar(0.5));
}

static tn_tensor *go_on(void *me, tn_list inputs)
{
    (void)me;
    return tn_less(tn_reduce_sum(tn_at(inputs, 1)), tn_scalar(100));
}

static tn_tensor *double_it(void *me, tn_list inputs)
{
    own *self = me;
    return tn_tuple(tn_add(tn_at(inputs, 0), tn_scalar(1)), tn_add(tn_multiply(tn_at(inputs, 1), tn_scalar(2)), self->offset));
}

static tn_tensor *square_row(void *me, tn_list inputs)
{
    own *self = me;
    return tn_add(tn_square(tn_at(inputs, 0)), self->offset);
}

static tn_tensor *own_call(void *me, tn_list inputs)
{
    own *self = me;
    tn_tensor *before = tn_read_value(self->calls);
    tn_assign_add(self->calls, tn_ones(TN_SCALAR, TN_FLOAT32));
    tn_tensor *h = tn_abs(tn_call(self->inner, tn_at(inputs, 0)));
    h = tn_cond(tn_greater(tn_reduce_sum(h), tn_scalar(10)), large, small, self, TN_LIST(h));
    tn_body branches[] = { large, small, large };
    h = tn_switch_case(tn_cast(tn_reduce_min(tn_abs(h)), TN_INT32), 3, branches, self, TN_LIST(h));
    h = tn_at(tn_items(tn_while_loop(go_on, double_it, self, TN_LIST(tn_zeros(TN_SCALAR, TN_INT32), tn_add(h, tn_scalar(1))))), 1);
    h = tn_add(h, tn_map_fn(square_row, self, TN_LIST(h)));
    return tn_tuple(tn_call(self->last, tn_divide(h, tn_scalar(100))), tn_subtract(tn_read_value(self->calls), before));
}

static const tn_class Own = {
    .name = "OwnSaved",
    .size = sizeof(own),
    .fields = TN_FIELDS(TN_FIELD(own, inner), TN_FIELD(own, last), TN_FIELD(own, offset), TN_FIELD(own, calls)),
    .init = own_init,
    .build = own_build,
    .call = own_call,
};

/* Two weights of one name. */
typedef struct {
    tn_variable *k1, *k2;
} twice;

static void twice_build(void *me, tn_list inputs)
{
    twice *self = me;
    (void)inputs;
    self->k1 = tn_add_weight(TN_SHAPE(3), .name = "k");
    self->k2 = tn_add_weight(TN_SHAPE(3), .name = "k");
}

static tn_tensor *twice_call(void *me, tn_list inputs)
{
    twice *self = me;
    return tn_subtract(tn_multiply(tn_at(inputs, 0), self->k1), self->k2);
}

static const tn_class Twice = { .name = "Twice", .size = sizeof(twice), .fields = TN_FIELDS(TN_FIELD(twice, k1), TN_FIELD(twice, k2)),
                                .build = twice_build, .call = twice_call };

/* Own layers among Keras's, also in a model within the model. */
static tn_model *holding(void)
{
    tn_model *inner = tn_sequential(TN_LAYERS(tn_dense(3, "tanh", .input_shape = TN_SHAPE(3)), tn_new(&Twice, .name = "deep")), .name = "inner");
    tn_tensor *x = tn_input(TN_SHAPE(3), .name = "x");
    tn_tensor *h = tn_call(tn_new(&Own, .name = "first"), tn_call(inner, x));
    return tn_model(x, tn_call(tn_dense(2, .name = "last"), tn_at(tn_items(h), 0)), .name = "holding");
}

static tn_model *own_model(const tn_class *of, const char *name, tn_tensor *x)
{
    tn_model *model = tn_new(of, .name = name);
    tn_call(model, x);
    return spread(model);
}

static void write_all(void)
{
    tn_tensor *x = waves(TN_SHAPE(5, 4), 0.61f), *three = waves(TN_SHAPE(4, 3), 0.4f);
    write_model("dense", spread(dense()), three);
    write_model("convolutions", spread(convolutions()), waves(TN_SHAPE(3, 12, 12, 3), 0.31f));
    write_model("tangled", tangled(), tn_tuple(x, waves(TN_SHAPE(5, 4), 0.17f)));
    write_model("sentences", spread(sentences()), words(TN_SHAPE(3, 6), 20));
    write_model("one_dimension", spread(one_dimension()), waves(TN_SHAPE(3, 10, 3), 0.3f));
    write_model("with_ops", with_ops(), x);
    tn_model *compiled = spread(dense());
    tn_must(tn_compile(compiled, tn_adam(0.02), "mse", { "mae" }));
    tn_train_on_batch(compiled, three, waves(TN_SHAPE(4, 2), 0.2f));
    write_model("compiled", compiled, three);
    write_model("twice", own_model(&Twice, "twice", three), three);
    write_model("own", own_model(&Own, "own", x), x);
    write_model("holding", spread(holding()), three);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: interop_saved_models FOLDER\n");
        return 2;
    }
    folder = argv[1];
    tn_must(tn_register_class(&Own));
    tn_must(tn_register_class(&Twice));
    write_all();
    return tn_report();
}
