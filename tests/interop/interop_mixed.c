/* Trains models of every half dtype policy, for check_mixed.py to do the same; with "continue", trains on from what Keras saved.
 * interop_mixed FOLDER [continue] */
#include "interop.h"
#include <string.h>

enum { ROWS = 64, COLUMNS = 8, CLASSES = 3 };

static tn_tensor *rows(void)
{
    float x[ROWS * COLUMNS];
    for (int i = 0; i < ROWS * COLUMNS; i++)
        x[i] = (float)sin(0.37 * i + 0.002 * i * i);
    return tn_constant(TN_FLOAT32, TN_SHAPE(ROWS, COLUMNS), x);
}

static tn_tensor *labels(void)
{
    int32_t y[ROWS];
    for (int i = 0; i < ROWS; i++)
        y[i] = (i * i + i / 5) % CLASSES;
    return tn_constant(TN_INT32, TN_SHAPE(ROWS), y);
}

static void save_numbers(const char *name, const char *end, tn_list items)
{
    tn_must(tn_save_array(tn_stack(items, 0), path_of(name, end)));
}

/* Three steps on all rows. */
static void step_on(tn_model *model, const char *name)
{
    tn_tensor *losses[3];
    for (int i = 0; i < 3; i++) {
        tn_tensor *logs = tn_train_on_batch(model, rows(), labels());
        losses[i] = tn_reshape(tn_slice(logs, TN_SHAPE(0), TN_SHAPE(1)), TN_SCALAR);
    }
    save_numbers(name, "_next.npy", tn_list_of(3, losses));
}

/* Keeps what a run of Keras can be compared with: the model before, its losses, the model after, and the losses of three more steps. */
static void train(const char *name, const char *policy, const char *last, tn_optimizer *optimizer)
{
    enum { EPOCHS = 4 };
    tn_tensor *losses[EPOCHS], *accuracies[EPOCHS];
    tn_must(tn_set_dtype_policy(policy));
    tn_set_random_seed(5);
    const char *penalty = strncmp(policy, "mixed", 5) == 0 ? "l2(0.01)" : NULL; /* Keras cannot add one of a half type */
    tn_model *model = tn_sequential(
        TN_LAYERS(tn_dense(16, "relu", .input_shape = TN_SHAPE(COLUMNS), .kernel_regularizer = penalty),
                  tn_batch_normalization(), tn_dense(8, "tanh"),
                  tn_dense(CLASSES, "softmax", .dtype = last)),
        .name = name);
    tn_must(tn_compile(model, optimizer, "sparse_categorical_crossentropy", { "accuracy" }));
    tn_must(tn_save(model, path_of(name, ".keras")));
    tn_history *history = tn_fit(model, rows(), labels(), .epochs = EPOCHS, .batch_size = 16, .shuffle = false, .verbose = 0);
    for (int i = 0; i < EPOCHS; i++) {
        losses[i] = tn_scalar(tn_history_value(history, "loss", i));
        accuracies[i] = tn_scalar(tn_history_value(history, "accuracy", i));
    }
    save_numbers(name, "_losses.npy", tn_list_of(EPOCHS, losses));
    save_numbers(name, "_accuracies.npy", tn_list_of(EPOCHS, accuracies));
    tn_must(tn_save_array(tn_predict(model, rows(), .verbose = 0), path_of(name, "_output.npy")));
    tn_must(tn_save(model, path_of(name, "_trained.keras")));
    tn_must(tn_save(model, path_of(name, "_trained.h5")));
    tn_must(tn_save(model, path_of(name, "_3.h5"), .keras = 3));
    step_on(model, name);
    tn_must(tn_set_dtype_policy("float32"));
}

int main(int argc, char **argv)
{
    if (argc != 2 && !(argc == 3 && strcmp(argv[2], "continue") == 0)) {
        fprintf(stderr, "usage: interop_mixed FOLDER [continue]\n");
        return 2;
    }
    folder = argv[1];
    if (argc == 3) {
        step_on(tn_load_model(path_of("keras_mixed", ".keras")), "keras_mixed");
        return tn_report();
    }
    train("mixed_float16", "mixed_float16", "float32", tn_adam(0.01));
    train("mixed_bfloat16", "mixed_bfloat16", "float32", tn_adam(0.01));
    train("float16", "float16", "float32", tn_sgd(0.05));
    train("bfloat16", "bfloat16", "float32", tn_sgd(0.05));
    train("half_float16", "mixed_float16", NULL, tn_adam(0.01));
    train("half_bfloat16", "mixed_bfloat16", NULL, tn_adam(0.01));
    train("overflow", "mixed_float16", "float32",
          tn_loss_scale_optimizer(tn_sgd(0.05, .momentum = 0.9), .initial_scale = 0x1p26, .dynamic_growth_steps = 5));
    train("averaged", "mixed_float16", "float32",
          tn_adam(0.01, .weight_decay = 0.02, .clipnorm = 0.5, .use_ema = true, .ema_momentum = 0.8, .ema_overwrite_frequency = 5));
    train("gathered", "mixed_float16", "float32", tn_adam(0.01, .gradient_accumulation_steps = 2, .global_clipnorm = 1));
    return tn_report();
}
