/* A model that somebody trained in Keras on the digits 0 to 4, extended to all ten, trained, and saved so that Keras opens it.
 * It reads pretrained.h5 and digits.npz in the folder where it is started: `make demo` runs it in build/demo. */
#include <stdio.h>
#include <tenon.h>

int main(void)
{
    tn_tensor *x = tn_load_array("digits.npz", "x_train");
    tn_tensor *y = tn_load_array("digits.npz", "y_train");
    tn_model *base = tn_load_model("pretrained.h5");
    tn_layer *head;
    {
        TN_WITH(tn_name_scope("new_layer_scope"));
        head = tn_dense(10, .activation = "softmax", .name = "new_dense");
    }
    tn_tensor *features = tn_layer_output(base, tn_get_layer(base, "flatten"));
    tn_model *model = tn_model(tn_model_input(base), tn_call(head, features));
    tn_set_trainable(base, false);
    tn_must(tn_compile(model, tn_adam(3e-3), "sparse_categorical_crossentropy", { "accuracy" }));
    tn_history *history = tn_fit(model, x, y, .epochs = 5, .batch_size = 32, .validation_split = 0.1);
    printf("accuracy on held-back images %.3f\n", tn_history_value(history, "val_accuracy", -1));
    tn_must(tn_save(model, "extended_in_c.keras"));
    return tn_report();
}
