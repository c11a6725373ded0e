// The same library from C++17: the functions and the options structs, with Keras's defaults as
// default member values.
#include <cstdio>
#include <tenon.h>

int main()
{
    tn_model *base = tn_load_model("examples/digits/pretrained.h5");

    tn_dense_options dense;
    dense.units = 10;
    dense.activation = "softmax";
    dense.name = "new_dense";
    dense.use_bias = false;
    tn_layer *head = tn_dense_new(&dense);

    tn_tensor *inputs[] = { tn_model_output(base) };
    tn_model_options functional;
    functional.inputs = tn_model_input(base);
    tn_call_options call;
    call.training = false;
    functional.outputs = tn_layer_call(head, { 1, inputs }, &call);
    tn_model *model = tn_model_new(&functional);

    tn_random_options random;
    random.shape = TN_SHAPE(2, 8, 8, 1);
    random.seed = 0;
    tn_predict_options predict;
    predict.model = model;
    predict.x = tn_random_normal_with(&random);
    tn_tensor *y = tn_predict_with(&predict);
    std::printf("%s\n%s\n", tn_shape_text(y), tn_text(y));
    tn_must(tn_save(model, "extended.keras"));
    return tn_report();
}
