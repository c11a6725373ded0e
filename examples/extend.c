/* A model that somebody trained in Keras, extended, trained and saved, so that Keras opens it. */
#include <stdio.h>
#include <tenon.h>

int main(void)
{
    tn_tensor *x = tn_load_array("examples/digits/digits.npz", "x_train");
    tn_tensor *y = tn_load_array("examples/digits/digits.npz", "y_train");
    tn_model *base = tn_load_model("examples/digits/pretrained.h5");
    tn_layer *head;
    {
        TN_WITH(tn_name_scope("new_layer_scope"));
        head = tn_dense(10, .activation = "softmax", .name = "new_dense");
    }
    tn_model *model = tn_model(tn_model_input(base), tn_call(head, tn_model_output(base)));
    tn_set_trainable(base, false);
    tn_must(tn_compile(model, tn_adam(1e-3), "sparse_categorical_crossentropy", { "accuracy" }));
    tn_history *history = tn_fit(model, x, y, .epochs = 5, .batch_size = 32);
    printf("accuracy %.3f\n", tn_history_value(history, "accuracy", -1));
    tn_must(tn_save(model, "extended.keras"));
    return tn_report();
}
