// The same from C++17.
#include <cstdio>
#include <tenon.h>

int main()
{
    tn_dense_options options;
    options.units = 4;
    options.input_shape = TN_SHAPE(3);
    tn_layer *layers[] = { tn_dense_new(&options) };
    tn_sequential_options sequential;
    sequential.layers = tn_layer_list_of(1, layers);
    tn_model *model = tn_sequential_new(&sequential);
    tn_must(tn_save(model, "outside_cpp.keras"));

    tn_predict_options predict;
    predict.x = tn_ones(TN_SHAPE(2, 3), TN_FLOAT32);
    predict.model = model;
    tn_tensor *before = tn_predict_with(&predict);
    predict.model = tn_load_model("outside_cpp.keras");
    tn_tensor *difference = tn_abs(tn_subtract(before, tn_predict_with(&predict)));
    tn_reduce_options sum;
    sum.input = difference;
    std::printf("tenon %s %s %s\n", tn_version(), tn_shape_text(difference),
                tn_to_double(tn_reduce_sum_with(&sum)) == 0 ? "equal" : "different");
    return tn_report();
}
