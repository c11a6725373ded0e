/* Trains a model file for two epochs and prints the losses of every epoch: what check_keras3.py does in Keras.
 * interop_finetune MODEL.keras DIGITS.npz SEED */
#include <stdio.h>
#include <stdlib.h>
#include <tenon.h>

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: interop_finetune MODEL DIGITS.npz SEED\n");
        return 2;
    }
    tn_set_random_seed(atoll(argv[3]));
    tn_model *model = tn_load_model(argv[1]);
    tn_tensor *x = tn_load_array(argv[2], "x_train"), *y = tn_load_array(argv[2], "y_train");
    tn_must(tn_compile(model, tn_adam(1e-3), "sparse_categorical_crossentropy", { "accuracy" }));
    tn_history *history = tn_fit(model, x, y, .epochs = 2, .batch_size = 32, .verbose = 0);
    for (int64_t epoch = 0; epoch < tn_history_epochs(history); epoch++)
        printf("%.9g %.9g\n", tn_history_value(history, "loss", epoch), tn_history_value(history, "accuracy", epoch));
    return tn_report();
}
