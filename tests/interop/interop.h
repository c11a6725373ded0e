/* interop.h - what the programs here share that write models for the check_*.py to open: known numbers, weights that no initializer gives,
 * files in a folder. */
#ifndef TN_TESTS_INTEROP_H
#define TN_TESTS_INTEROP_H
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <tenon.h>

/* Where everything is written. */
static const char *folder;

static inline const char *path_of(const char *name, const char *end)
{
    return tn_format("%s/%s%s", folder, name, end);
}

/* cos(i step) */
static inline tn_tensor *waves(tn_shape shape, float step)
{
    int64_t count = 1;
    for (int i = 0; i < shape.rank; i++)
        count *= shape.dims[i];
    float *values = calloc((size_t)count + 1, sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = cosf((float)i * step);
    tn_tensor *x = tn_constant(TN_FLOAT32, shape, values);
    free(values);
    return x;
}

/* First values that no initializer gives: so that what is compared was read from the file. */
static inline tn_model *spread(tn_model *model)
{
    tn_list weights = tn_variables(model);
    for (size_t i = 0; i < weights.count; i++)
        if (tn_dtype_of(weights.item[i]) == TN_FLOAT32) {
            tn_tensor *x = waves(tn_shape_of(weights.item[i]), 0.7f + (float)i);
            tn_assign(weights.item[i], tn_add(tn_multiply(x, tn_scalar(0.25)), tn_scalar(0.3)));
        }
    return model;
}

/* NAME.npz: in0, in1 … and out0, out1 …, and labels and losses where there are such. */
static inline void write_arrays(const char *name, tn_tensor *x, tn_tensor *y, tn_tensor *labels, tn_tensor *losses)
{
    const char *names[20];
    tn_tensor *items[20];
    tn_named_list arrays = { 0, names, items };
    tn_list ins = tn_items(x), outs = tn_items(y);
    for (size_t i = 0; i < ins.count; i++, arrays.count++) {
        names[arrays.count] = tn_format("in%zu", i);
        items[arrays.count] = ins.item[i];
    }
    for (size_t i = 0; i < outs.count; i++, arrays.count++) {
        names[arrays.count] = tn_format("out%zu", i);
        items[arrays.count] = outs.item[i];
    }
    if (losses) {
        names[arrays.count] = "labels";
        items[arrays.count++] = labels;
        names[arrays.count] = "losses";
        items[arrays.count++] = losses;
    }
    tn_must(tn_save_arrays(arrays, path_of(name, ".npz")));
}

/* Ends the program when something went wrong with the model of that name. */
static inline void end_on_error(const char *name)
{
    if (tn_pending() != TN_OK) {
        fprintf(stderr, "%s: ", name);
        exit(tn_report());
    }
}

/* Shared layers, models called several times, several inputs and outputs; layers under a name scope. */
static inline tn_model *tangled(void)
{
    TN_WITH(tn_name_scope("new_layer_scope"));
    tn_tensor *a = tn_input(TN_SHAPE(4), .name = "left input"), *b = tn_input(TN_SHAPE(4), .name = "b");
    tn_layer *shared = tn_dense(3, "relu", .name = "shared");
    tn_tensor *first = tn_call(shared, a), *second = tn_call(shared, b);
    tn_model *inner = tn_sequential(TN_LAYERS(tn_dense(3, .input_shape = TN_SHAPE(3)), tn_batch_normalization()), .name = "inner");
    tn_tensor *middle = tn_input(TN_SHAPE(3));
    tn_model *outer = tn_model(middle, tn_call(tn_add_layer(), tn_call(inner, middle), middle), .name = "outer");
    tn_tensor *x = tn_call(outer, first), *y = tn_call(outer, second);
    tn_tensor *out = tn_call(tn_dense(2, .name = "out"), tn_call(tn_concatenate(), x, y, second));
    tn_set_trainable(inner, false);
    return spread(tn_model(tn_tuple(a, b), tn_tuple(out, y), .name = "tangled"));
}

/* Ops between the layers, which only Keras 3 has words for. */
static inline tn_model *with_ops(void)
{
    tn_tensor *x = tn_input(TN_SHAPE(4)), *h = tn_call(tn_dense(6, "tanh"), x);
    tn_tensor *gate = tn_sigmoid(tn_strided_slice(h, .begin = TN_SHAPE(0, 3), .end = TN_SHAPE(0, 6), .begin_mask = 1, .end_mask = 1));
    h = tn_multiply(tn_strided_slice(h, .begin = TN_SHAPE(0, 0), .end = TN_SHAPE(0, 3), .begin_mask = 1, .end_mask = 1), gate);
    h = tn_add(tn_divide(h, tn_scalar(2)), tn_reduce_mean(x, .axis = TN_AXES(-1), .keepdims = true));
    h = tn_concat(TN_LIST(h, tn_subtract(tn_scalar(1), tn_square(x))), 1);
    return spread(tn_model(x, tn_nn_softmax(tn_call(tn_dense(3), tn_reshape(h, TN_SHAPE(TN_NONE, 7))), -1), .name = "with_ops"));
}

#endif
