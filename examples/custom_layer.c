/* A layer of one's own, saved in a .keras file by its registered name and fields, and loaded. */
#include <inttypes.h>
#include <stdio.h>
#include <tenon.h>

typedef struct {
    int64_t units;
    bool use_bias;
    tn_variable *w, *b;
} custom_dense;

static void custom_dense_build(void *me, tn_list inputs)
{
    custom_dense *self = me;
    int64_t in = tn_dim(tn_shape_of(tn_at(inputs, 0)), -1);
    if (self->units <= 0) {
        tn_fail(TN_INVALID_ARGUMENT, "CustomDense: units must be positive, got %" PRId64,
                self->units);
        return;
    }
    self->w = tn_add_weight(TN_SHAPE(in, self->units), "random_normal", "weight");
    if (self->use_bias)
        self->b = tn_add_weight(TN_SHAPE(self->units), "zeros", "bias");
}

static tn_tensor *custom_dense_call(void *me, tn_list inputs)
{
    custom_dense *self = me;
    tn_tensor *y = tn_matmul(tn_at(inputs, 0), self->w);
    return self->use_bias ? tn_add(y, self->b) : y;
}

static const tn_class CustomDense = {
    .name = "CustomDense",
    .size = sizeof(custom_dense),
    .fields = TN_FIELDS(TN_FIELD(custom_dense, units), TN_FIELD(custom_dense, use_bias),
                        TN_FIELD(custom_dense, w), TN_FIELD(custom_dense, b)),
    .build = custom_dense_build,
    .call = custom_dense_call,
};

int main(void)
{
    tn_must(tn_register_class(&CustomDense));
    tn_model *model = tn_sequential(
        TN_LAYERS(tn_new(&CustomDense, TN_INIT(custom_dense, .units = 32, .use_bias = true),
                         .name = "mine", .input_shape = TN_SHAPE(10)),
                  tn_dense(1, .use_bias = false)),
        .name = "small");
    tn_must(tn_save(model, "small.keras"));

    tn_model *again = tn_load_model("small.keras");
    tn_tensor *x = tn_random_normal(TN_SHAPE(4, 10), .seed = 0);
    tn_print(tn_subtract(tn_call(model, x), tn_call(again, x)));
    custom_dense *mine = tn_self(tn_get_layer(again, "mine"), &CustomDense);
    if (mine)
        printf("%" PRId64 " units, %s\n", mine->units, tn_name(mine->w));
    return tn_report();
}
