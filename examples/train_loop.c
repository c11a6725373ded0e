/* An own training loop: one traced step, epochs and batches in C. */
#include <stdio.h>
#include <tenon.h>

typedef struct {
    tn_model *model;
    tn_optimizer *optimizer;
    tn_loss *loss_fn;
} trainer;

static tn_tensor *train_step_body(void *me, tn_list inputs)
{
    trainer *self = me;
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *logits = tn_call_with(self->model, TN_LIST(tn_at(inputs, 0)), .training = true);
    tn_tensor *loss = tn_call(self->loss_fn, tn_at(inputs, 1), logits);
    tn_list variables = tn_trainable_variables(self->model);
    tn_list gradients = tn_gradient(tape, loss, variables);
    if (tn_apply_gradients(self->optimizer, gradients, variables) != TN_OK)
        return NULL;
    tn_tensor *correct = tn_equal(tn_argmax(logits, -1), tn_at(inputs, 1));
    return tn_tuple(loss, tn_reduce_mean(tn_cast(correct, TN_FLOAT32)));
}

int main(void)
{
    tn_tensor *x = tn_load_array("examples/digits/digits.npz", "x_train");
    tn_tensor *y = tn_load_array("examples/digits/digits.npz", "y_train");
    tn_model *model =
        tn_sequential(TN_LAYERS(tn_rescaling(1.0 / 16), tn_flatten(), tn_dense(64, "relu"),
                                tn_dropout(0.2, .seed = 0), tn_dense(10)));
    trainer self = { .model = model,
                     .optimizer = tn_adam(1e-3, .beta_1 = 0),
                     .loss_fn = tn_sparse_categorical_crossentropy(.from_logits = true) };
    tn_function *train_step = tn_function(train_step_body, &self);

    int64_t count = tn_dim(tn_shape_of(x), 0);
    for (int epoch = 0; epoch < 3; epoch++) {
        double loss = 0, accuracy = 0;
        for (int64_t i = 0; i + 32 <= count && tn_pending() == TN_OK; i += 32) {
            TN_SCOPE; /* what this step made dies with this block */
            tn_tensor *images = tn_rows(x, i, i + 32);
            tn_tensor *labels = tn_cast(tn_rows(y, i, i + 32), TN_INT64);
            tn_tensor *result = tn_call(train_step, images, labels);
            loss = tn_to_double(tn_item(result, 0));
            accuracy = tn_to_double(tn_item(result, 1));
        }
        printf("epoch %d: loss %.4f, accuracy %.3f\n", epoch + 1, loss, accuracy);
    }
    tn_must(tn_save_weights(model, "digits.weights.h5"));
    return tn_report();
}
