/* A user's program in C11: makes a model, saves it, loads it, compares. */
#include <stdio.h>
#include <tenon.h>

int main(void)
{
    tn_model *model =
        tn_sequential(TN_LAYERS(tn_dense(4, "relu", .input_shape = TN_SHAPE(3)), tn_dense(1)));
    tn_must(tn_save(model, "outside_c.keras"));
    tn_tensor *x = tn_ones(TN_SHAPE(2, 3), TN_FLOAT32);
    tn_tensor *difference =
        tn_subtract(tn_predict(model, x), tn_predict(tn_load_model("outside_c.keras"), x));
    printf("tenon %s %s %s\n", tn_version(), tn_shape_text(difference),
           tn_to_double(tn_reduce_max(tn_abs(difference))) == 0 ? "equal" : "different");
    return tn_report();
}
