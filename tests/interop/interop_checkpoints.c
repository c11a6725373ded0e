/* Writes models and variables as checkpoints of TensorFlow into a folder, with inputs and outputs to compare with, and restores those that
 * check_checkpoints.py has put there before: what that script opens in TensorFlow, Keras 2 and the Saver of TensorFlow 1.
 * interop_checkpoints FOLDER */
#include "interop.h"

/* The model's weights, x and y, and the losses of two more steps when it was compiled. */
static void write_model(const char *name, tn_model *model, tn_tensor *x, tn_tensor *labels)
{
    float losses[2];
    tn_must(tn_save_weights(model, path_of(name, "")));
    tn_tensor *y = tn_call(model, x);
    for (int i = 0; i < 2 && labels; i++)
        losses[i] = tn_data_float32(tn_train_on_batch(model, x, labels))[0];
    write_arrays(name, x, y, labels, labels ? tn_constant(TN_FLOAT32, TN_SHAPE(2), losses) : NULL);
}

/* --- the models, which check_checkpoints.py has too --------------------------------------------------------------------------- */
static tn_model *sequential(void)
{
    return spread(tn_sequential(TN_LAYERS(tn_dense(4, .activation = "relu", .input_shape = TN_SHAPE(3), .name = "a"), tn_dropout(0.5),
                                          tn_batch_normalization(), tn_dense(2, .name = "b"))));
}

static tn_model *functional(void)
{
    tn_tensor *x = tn_input(TN_SHAPE(6, 6, 2), .name = "x");
    tn_model *inner = tn_sequential(TN_LAYERS(tn_dense(4, .name = "d"), tn_layer_normalization(.name = "n")), .name = "inner");
    tn_tensor *y = tn_call(tn_depthwise_conv2d(3, .name = "deep"), x), *z = tn_call(tn_conv2d(2, 3, .name = "wide"), x);
    tn_tensor *both = tn_call(tn_concatenate(), tn_tuple(y, tn_call(tn_prelu(.name = "p"), z)));
    return spread(tn_model(x, tn_call(inner, tn_call(tn_flatten(), both))));
}

static tn_model *trained(void)
{
    tn_model *model = spread(tn_sequential(TN_LAYERS(tn_dense(4, .input_shape = TN_SHAPE(3)), tn_dense(2))));
    tn_must(tn_compile(model, tn_adam(0.0123), "mse"));
    for (int i = 0; i < 3; i++)
        tn_train_on_batch(model, waves(TN_SHAPE(5, 3), 0.3f), waves(TN_SHAPE(5, 2), 0.4f));
    return model;
}

/* Each optimizer that Keras 2 has, after three steps. */
static void write_optimizers(void)
{
    static const struct {
        const char *name, *text;
    } all[] = { { "sgd", "sgd(0.05)" },
                { "sgd_momentum", "sgd(0.05, momentum=0.9)" },
                { "adam", "adam(0.05)" },
                { "amsgrad", "adam(0.05, amsgrad=true)" },
                { "adam_ema", "adam(0.05, use_ema=true)" },
                { "adamw", "adamw(0.05)" },
                { "adamax", "adamax(0.05)" },
                { "nadam", "nadam(0.05)" },
                { "rmsprop", "rmsprop(0.05)" },
                { "rmsprop_all", "rmsprop(0.05, momentum=0.5, centered=true)" },
                { "adagrad", "adagrad(0.05)" },
                { "adadelta", "adadelta(0.5)" },
                { "ftrl", "ftrl(0.05)" },
                { "adafactor", "adafactor(0.05)" },
                { "lion", "lion(0.05)" } };
    tn_tensor *x = waves(TN_SHAPE(5, 3), 0.3f), *y = waves(TN_SHAPE(5, 2), 0.4f);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        TN_SCOPE;
        tn_model *model = spread(tn_sequential(TN_LAYERS(tn_dense(4, .input_shape = TN_SHAPE(3)), tn_dropout(0.0), tn_dense(2))));
        tn_must(tn_compile(model, tn_optimizer_of(all[i].text), "mse"));
        for (int step = 0; step < 3; step++)
            tn_train_on_batch(model, x, y);
        tn_must(tn_save_weights(model, path_of(tn_format("keras3_%s", all[i].name), ""), .keras = 3));
        tn_must(tn_save_weights(model, path_of(tn_format("plain_%s", all[i].name), ""), .include_optimizer = false));
        write_model(tn_format("optimizer_%s", all[i].name), model, x, y);
    }
}

/* A class with a variable and a layer in its fields, and one weight that add_weight made. */
typedef struct {
    tn_layer *first;
    tn_variable *w, *scale;
} own;

static void own_init(void *me)
{
    own *self = me;
    self->first = tn_dense(3);
    self->scale = tn_add_weight(TN_SHAPE(2), .name = "factor");
}

static tn_tensor *own_call(void *me, tn_list inputs)
{
    own *self = me;
    if (!self->w)
        self->w = tn_variable(waves(TN_SHAPE(3, 2), 0.9f), .name = "weights");
    return tn_multiply(tn_matmul(tn_call(self->first, tn_at(inputs, 0)), self->w), self->scale);
}

static const tn_class Own = { .name = "Own", .size = sizeof(own), .init = own_init, .call = own_call, .model = true,
                              .fields = TN_FIELDS(TN_FIELD(own, first), TN_FIELD(own, w), TN_FIELD(own, scale)) };

static tn_model *own_model(tn_tensor *x)
{
    tn_model *model = tn_new(&Own, .name = "own");
    tn_call(model, x);
    return spread(model);
}

/* --- variables ---------------------------------------------------------------------------------------------------------------- */
typedef struct {
    tn_variable *a, *b, *count;
} program;

static program make_program(void)
{
    program p = { .a = tn_variable(waves(TN_SHAPE(2, 3), 0.5f), .name = "a") };
    TN_WITH(tn_name_scope("scope"));
    p.b = tn_variable(waves(TN_SHAPE(4), 0.25f), .name = "b");
    p.count = tn_variable(tn_cast(tn_scalar(7), TN_INT64), .name = "count");
    return p;
}

static void write_variables(void)
{
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    make_program();
    tn_saver *saver = tn_saver(.max_to_keep = 2);
    tn_session *session = tn_session();
    tn_must(tn_run_operation(session, tn_global_variables_initializer()));
    for (int step = 1; step <= 3; step++)
        tn_saver_save(saver, session, path_of("graph", ""), step);
}

/* What TensorFlow 1 wrote of the same variables, each twice as large. */
static void restore_variables(const char *name)
{
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    program p = make_program();
    tn_session *session = tn_session();
    tn_must(tn_saver_restore(tn_saver(), session, path_of(name, "")));
    tn_tensor *b = tn_run(session, p.b);
    double first = tn_to_double(tn_run(session, p.count)), second = tn_data_float32(b)[0];
    if (tn_pending() == TN_OK && (first != 14 || second != 2)) {
        fprintf(stderr, "FAIL %s: count is %g and not 14, or b[0] is %g and not 2\n", name, first, second);
        exit(1);
    }
}

int main(int count, char **arguments)
{
    folder = count == 2 ? arguments[1] : ".";
    tn_tensor *x = waves(TN_SHAPE(5, 3), 0.3f);
    write_model("sequential", sequential(), x, NULL);
    write_model("functional", functional(), waves(TN_SHAPE(2, 6, 6, 2), 0.3f), NULL);
    write_model("trained", trained(), x, waves(TN_SHAPE(5, 2), 0.4f));
    write_model("own", own_model(x), x, NULL);
    write_optimizers();
    write_variables();
    restore_variables("saver_v1");
    restore_variables("saver_v2");
    return tn_report();
}
