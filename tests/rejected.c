/* rejected.c - mistakes that must not pass in silence: headers_test.sh compiles each CASE with
 * -Wall -Wextra -Werror and wants it refused, those with "always:" also without these words and from a
 * system's directory, where gcc gives no warnings; CASE 0 has no mistake. */
#include <tenon.h>

#if CASE == 18
#define L8 layer, layer, layer, layer, layer, layer, layer, layer
#endif

tn_tensor *f(tn_tensor *x, tn_layer *layer, tn_optimizer *adam);
tn_tensor *f(tn_tensor *x, tn_layer *layer, tn_optimizer *adam)
{
    (void)layer, (void)adam;
#if CASE == 1 /* always: a layer is not a tensor */
    return tn_add(x, layer);
#elif CASE == 2  /* always: nor in a list */
    return tn_tuple(x, layer);
#elif CASE == 3  /* an optimizer cannot be called */
    return tn_call(adam, x);
#elif CASE == 4  /* always: a Sequential has layers, not tensors */
    return tn_call(tn_sequential(TN_LAYERS(layer, x)), x);
#elif CASE == 5  /* an option that is not there */
    return tn_call(tn_dense(10, .activaton = "relu"), x);
#elif CASE == 6  /* always: an option of another kind */
    return tn_call(tn_dense("relu"), x);
#elif CASE == 7  /* a result nobody looks at */
    tn_save(layer, "a.keras");
    return x;
#elif CASE == 8  /* keep gives back the same type */
    return tn_keep(layer);
#elif CASE == 9  /* always: not a handle */
    return tn_call(layer, "x");
#elif CASE == 10 /* with: scopes only */
    TN_WITH(layer);
    return x;
#elif CASE == 11 /* not a number */
    return tn_add(x, tn_scalar("5"));
#elif CASE == 12 /* nine dimensions */
    return tn_reshape(x, TN_SHAPE(1, 2, 3, 4, 5, 6, 7, 8, 9));
#elif CASE == 13 /* always: a field whose C type has no meaning in a file */
    typedef struct {
        float *p;
    } mine;
    static const tn_field fields[] = { TN_FIELD(mine, p) };
    return fields[0].name ? x : NULL;
#elif CASE == 14 /* always: the optimizer as a string, tn_adam() or tn_optimizer_of("adam") */
    return tn_compile(layer, "adam", "mse") == TN_OK ? x : NULL;
#elif CASE == 15 /* a list where there is one tensor */
    return tn_call(layer, TN_LIST(x, x));
#elif CASE == 16 /* a number for a shape */
    return tn_zeros(3, TN_FLOAT32);
#elif CASE == 17 /* a printf mistake in a message */
    return tn_fail(TN_INVALID_ARGUMENT, "units %s", 5);
#elif CASE == 18 /* always: more layers than one list holds */
    return tn_call(tn_sequential(TN_LAYERS(L8, L8, L8, L8, layer)), x);
#elif CASE == 19 /* another result nobody looks at */
    tn_compile(layer, tn_adam(), "mse");
    return x;
#elif CASE == 20 /* and another */
    tn_apply_gradients(adam, TN_LIST(x), TN_LIST(x));
    return x;
#elif CASE == 21 /* one option twice */
    return tn_call(tn_dense(10, .units = 5), x);
#elif CASE == 22 /* a positional argument after a named one */
    return tn_call(tn_dense(10, .activation = "relu", "zeros"), x);
#elif CASE == 23 /* one argument too many */
    return tn_add(x, tn_square(x), x);
#elif CASE == 24 /* one too few */
    return tn_add(x);
#elif CASE == 25 /* none at all */
    return tn_square();
#elif CASE == 26 /* a number for a shape option */
    return tn_call(layer, tn_input(.shape = 3));
#elif CASE == 27 /* a printf mistake in a text */
    return tn_format("%d", "units") ? x : NULL;
#elif CASE == 28 /* always: a number for a tensor */
    return tn_multiply(x, 2);
#elif CASE == 29 /* always: and within a call */
    return tn_add(tn_multiply(x, 2.0), x);
#elif CASE == 30 /* always: and called with one */
    return tn_call(layer, 3);
#elif CASE == 31 /* always: a tensor called with a model */
    return tn_call(x, layer);
#elif CASE == 32 /* always: a text behind sizes without braces */
    return tn_call(tn_conv2d(16, 3, "same", "relu"), x);
#elif CASE == 33 /* always: behind an axis without braces a handle */
    return tn_reduce_sum(x, 1, x);
#elif CASE == 34 /* a number for a shape, by position */
    return tn_input(4);
#elif CASE == 35 /* one metric without the braces of several */
    return tn_compile(layer, adam, "mse", "mae") == TN_OK ? x : NULL;
#else /* one number may stand alone where there may be several, as in Python */
    tn_tensor *each[] = { tn_reduce_sum(x, .axis = 1, .keepdims = true), tn_reduce_sum(x, -1) };
    x = tn_tuple(each[0], tn_reduce_sum(each[1], 0));
    layer = tn_sequential(TN_LAYERS(tn_conv2d(16, 3, 2), tn_max_pooling2d(3, 2), layer));
    x = tn_call(tn_max_pooling2d(3, 2, .padding = "same"), x);
    return tn_call(tn_conv2d(16, 3, .strides = 2, .input_shape = TN_SHAPE(8, 8, 1)), x);
#endif
}
