/* naming_programs_test.c - recorded programs about names, variables, functions and tapes: what
 * TensorFlow 2.21 and Keras 3.15 print. Names are theirs without ":0". */
#include "support/check.h"

static tn_tensor *floats(int64_t n, const float *values)
{
    return tn_constant(TN_FLOAT32, TN_SHAPE(n), values);
}
#define FLOATS(...) \
    floats(sizeof((float[]){ __VA_ARGS__ }) / sizeof(float), (float[]){ __VA_ARGS__ })

static tn_tensor *scalar(float x)
{
    return tn_constant(TN_FLOAT32, TN_SCALAR, &x);
}

static double value(tn_tensor *x)
{
    return x ? tn_to_double(x) : -1e9;
}

/* --- function_variable_once
 * -------------------------------------------------------------------------------------------------
 */
typedef struct {
    tn_variable *v;
} holder;

static tn_tensor *once(void *me, tn_list inputs)
{
    holder *st = me;
    if (!st->v)
        st->v = tn_variable(tn_scalar(1.0), .name = "once");
    return tn_assign_add(st->v, tn_at(inputs, 0));
}

static tn_tensor *always(void *me, tn_list inputs)
{
    (void)me;
    return tn_add(tn_variable(tn_scalar(1.0)), tn_at(inputs, 0));
}

static void function_variable_once(void **state)
{
    (void)state;
    TN_SCOPE;
    holder st = { NULL };
    tn_function *f = tn_function(once, &st), *g = tn_function(always);
    for (int i = 2; i < 5; i++)
        assert_float_equal(value(tn_call(f, scalar(1))), i, 0);
    assert_string_equal(tn_name(st.v), "once");
    assert_null(tn_call(g, scalar(1)));
    const tn_error *e = tn_catch(TN_VARIABLE_CREATION);
    assert_non_null(e);
    assert_string_equal(
        e->first_line,
        "tf.function only supports singleton tf.Variables created on the first call. Make sure the "
        "tf.Variable is only created once or "
        "created outside tf.function. See "
        "https://www.tensorflow.org/guide/function#creating_tfvariables for more information.");
}

/* --- variable_semantics
 * -----------------------------------------------------------------------------------------------------
 */
static void check_first_line(const char *first_line)
{
    const tn_error *e = tn_catch(TN_ANY_ERROR);
    assert_non_null(e);
    assert_string_equal(e->first_line, first_line);
}

static void variable_semantics(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(FLOATS(1, 2));
    tn_tensor *sum = tn_assign_add(v, FLOATS(1, 1));
    assert_float_equal(tn_data_float32(sum)[0], 2, 0);
    assert_float_equal(tn_data_float32(sum)[1], 3, 0);
    assert_string_equal(tn_shape_text(v), "(2,)");
    assert_int_equal(tn_dtype_of(v), TN_FLOAT32);
    assert_null(tn_assign(v, FLOATS(1, 2, 3)));
    check_first_line("Cannot assign value to variable ' Variable:0': Shape mismatch.The variable "
                     "shape (2,), and the assigned value shape (3,) are "
                     "incompatible.");
    assert_null(tn_assign(v, tn_constant(TN_INT32, TN_SHAPE(2), (int32_t[]){ 1, 2 })));
    check_first_line(
        "Tensor conversion requested dtype float32 for Tensor with dtype int32: int32 (2,)");
    assert_null(tn_variable(FLOATS(1, 2), .shape = TN_SHAPE(3)));
    check_first_line("In this `tf.Variable` creation, the initial value's shape ((2,)) is not "
                     "compatible with the explicitly supplied `shape` argument "
                     "((3,)).");
    tn_variable *u = tn_variable(FLOATS(1), .shape = TN_ANY_SHAPE);
    tn_assign(u, tn_constant(TN_FLOAT32, TN_SHAPE(1, 2), (float[]){ 1, 2 }));
    assert_float_equal(tn_data_float32(tn_read_value(u))[1], 2, 0);
    assert_string_equal(tn_shape_text(u), "<unknown>");
    assert_string_equal(tn_shape_text(tn_read_value(u)), "(1, 2)");
    tn_variable *w = tn_variable(tn_constant(TN_INT32, TN_SHAPE(3), (int32_t[]){ 1, 2, 3 }));
    tn_scatter_nd_add(w, tn_constant(TN_INT32, TN_SHAPE(2, 1), (int32_t[]){ 0, 2 }),
                      tn_constant(TN_INT32, TN_SHAPE(2), (int32_t[]){ 5, 5 }));
    for (int i = 0; i < 3; i++)
        assert_int_equal(tn_data_int32(tn_read_value(w))[i], ((int[]){ 6, 2, 8 })[i]);
    assert_int_equal(tn_dtype_of(tn_variable(tn_scalar(1))), TN_INT32);
    assert_int_equal(tn_dtype_of(tn_variable(tn_scalar(1.0))), TN_FLOAT32);
    assert_int_equal(tn_dtype_of(tn_variable(tn_constant(TN_BOOL, TN_SCALAR, &(bool){ true }))),
                     TN_BOOL);
    assert_int_equal(tn_dtype_of(tn_variable(tn_constant(TN_FLOAT64, TN_SCALAR, &(double){ 1 }))),
                     TN_FLOAT64);
    CHECK_NO_ERROR();
}

/* --- tape_semantics
 * ---------------------------------------------------------------------------------------------------------
 */
static void one_tape_gives_one_gradient(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *x = tn_variable(tn_scalar(3.0));
    tn_tape *t = tn_gradient_tape();
    tn_tensor *y = tn_multiply(x, x);
    assert_float_equal(value(tn_gradient_of(t, y, x)), 6, 0);
    assert_null(tn_gradient_of(t, y, x));
    const tn_error *e = tn_catch(TN_FAILED_PRECONDITION);
    assert_non_null(e);
    assert_string_equal(e->first_line, "A non-persistent GradientTape can only be used to compute "
                                       "one set of gradients (or jacobians)");
}

static void tape_semantics(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *x = tn_variable(tn_scalar(3.0));
    tn_tape *t = tn_gradient_tape(.persistent = true);
    tn_tensor *c = scalar(2), *y = tn_multiply(c, x), *z = tn_multiply(tn_stop_gradient(y), x);
    assert_null(tn_gradient_of(t, y, c));
    assert_float_equal(value(tn_gradient_of(t, z, x)), 6, 0);
    assert_null(tn_gradient_of(t, scalar(1), x));
    tn_list zero = tn_tape_gradient(t, scalar(1), TN_LIST(x), .unconnected_gradients = "zero");
    assert_float_equal(value(zero.item[0]), 0, 0);
    tn_tape *blind = tn_gradient_tape(.watch_accessed_variables = false);
    assert_null(tn_gradient_of(blind, tn_multiply(x, x), x));
    CHECK_NO_ERROR();
    tn_tape *moved = tn_gradient_tape();
    y = tn_multiply(x, x);
    tn_assign(x, tn_scalar(5.0));
    assert_float_equal(value(tn_gradient_of(moved, tn_add(y, x), x)), 7, 0);
    tn_tape *both = tn_gradient_tape();
    assert_float_equal(
        value(tn_gradient_of(both, tn_tuple(tn_multiply(x, tn_scalar(2.0)), tn_multiply(x, x)), x)),
        12, 0);
    CHECK_NO_ERROR();
}

/* --- eager_variable_names
 * ---------------------------------------------------------------------------------------------------
 */
static void eager_variable_names(void **state)
{
    (void)state;
    TN_SCOPE;
    {
        TN_WITH(tn_name_scope("mod")); /* that of a tf.Module */
        assert_string_equal(tn_name(tn_variable(tn_scalar(1.0), .name = "w")), "mod/w");
    }
    assert_string_equal(tn_name(tn_variable(tn_scalar(1.0))), "Variable");
    assert_string_equal(tn_name(tn_variable(tn_scalar(2.0))), "Variable");
    assert_string_equal(tn_name(tn_variable(tn_scalar(3.0), .name = "c")), "c");
    assert_string_equal(tn_name(tn_variable(tn_scalar(4.0), .name = "c")), "c");
    for (int i = 0; i < 2; i++) {
        TN_WITH(tn_name_scope("s"));
        assert_string_equal(tn_name(tn_variable(tn_scalar(1.0), .name = "e")), "s/e");
    }
    CHECK_NO_ERROR();
}

/* --- keras_duplicate_names
 * --------------------------------------------------------------------------------------------------
 */
static void keras_duplicate_names(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_sequential(
        TN_LAYERS(tn_dense(1, .name = "a", .input_shape = TN_SHAPE(1)), tn_dense(1, .name = "a"))));
    check_first_line("All layers added to a Sequential model should have unique names. Name 'a' is "
                     "already the name of a layer in this model. Update "
                     "the `name` argument to pass a unique name.");
    tn_tensor *i = tn_input(TN_SHAPE(1));
    assert_null(
        tn_model(i, tn_call(tn_dense(1, .name = "b"), tn_call(tn_dense(1, .name = "b"), i))));
    check_first_line(
        "The name \"b\" is used 2 times in the model. All operation names should be unique.");
    assert_null(tn_dense(1, .name = "a/b"));
    check_first_line("Argument `name` must be a string and cannot contain character `/`. Received: "
                     "name=a/b (of type <class 'str'>)");
}

/* --- keras_trainable_order
 * --------------------------------------------------------------------------------------------------
 */
static void check_paths(tn_list variables, const char *const paths[])
{
    size_t count = 0;
    while (paths[count])
        count++;
    assert_int_equal(variables.count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(tn_variable_path(variables.item[i]), paths[i]);
}
#define CHECK_PATHS(variables, ...) \
    check_paths((variables), (const char *const[]){ __VA_ARGS__, NULL })

static void keras_trainable_order(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *m =
        tn_sequential(TN_LAYERS(tn_batch_normalization(.name = "bn", .input_shape = TN_SHAPE(3)),
                                tn_dense(1, .name = "d")),
                      .name = "m");
    CHECK_PATHS(tn_variables(m), "m/bn/gamma", "m/bn/beta", "m/bn/moving_mean",
                "m/bn/moving_variance", "m/d/kernel", "m/d/bias");
    tn_layer *bn = tn_get_layer(m, "bn");
    tn_set_trainable(bn, false);
    CHECK_PATHS(tn_trainable_variables(m), "m/d/kernel", "m/d/bias");
    CHECK_PATHS(tn_layer_non_trainable_variables(m), "m/bn/gamma", "m/bn/beta", "m/bn/moving_mean",
                "m/bn/moving_variance");
    tn_set_trainable(m, false);
    assert_int_equal(tn_trainable_variables(m).count, 0);
    tn_set_trainable(m, true);
    assert_true(tn_is_trainable(bn));
    assert_int_equal(tn_trainable_variables(m).count, 4);
    CHECK_NO_ERROR();
}

/* --- keras_variable_paths
 * ---------------------------------------------------------------------------------------------------
 */
typedef struct {
    tn_variable *w, *n, *k;
} my;

static void my_build(void *me, tn_list inputs)
{
    my *self = me;
    self->w = tn_add_weight(TN_SHAPE(tn_dim(tn_shape_of(tn_at(inputs, 0)), -1), 2), .name = "w");
    self->n = tn_add_weight(TN_SCALAR);
    self->k = tn_add_weight(TN_SHAPE(1), .trainable = false, .name = "state");
}

static tn_tensor *my_call(void *me, tn_list inputs)
{
    return tn_matmul(tn_at(inputs, 0), ((my *)me)->w);
}
static const tn_class My = { .name = "My",
                             .size = sizeof(my),
                             .fields = TN_FIELDS(TN_FIELD(my, w), TN_FIELD(my, n), TN_FIELD(my, k)),
                             .build = my_build,
                             .call = my_call };

static void keras_variable_paths(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *m = tn_sequential(TN_LAYERS(tn_dense(2, .input_shape = TN_SHAPE(3)),
                                          tn_dense(2, .name = "x"), tn_batch_normalization()),
                                .name = "net");
    CHECK_PATHS(tn_variables(m), "net/dense/kernel", "net/dense/bias", "net/x/kernel", "net/x/bias",
                "net/batch_normalization/gamma", "net/batch_normalization/beta",
                "net/batch_normalization/moving_mean", "net/batch_normalization/moving_variance");
    CHECK_PATHS(tn_trainable_variables(m), "net/dense/kernel", "net/dense/bias", "net/x/kernel",
                "net/x/bias", "net/batch_normalization/gamma", "net/batch_normalization/beta");
    CHECK_PATHS(tn_layer_non_trainable_variables(m), "net/batch_normalization/moving_mean",
                "net/batch_normalization/moving_variance");
    tn_layer *y = tn_new(&My);
    tn_call(y, tn_ones(TN_SHAPE(1, 3), TN_FLOAT32));
    CHECK_PATHS(tn_variables(y), "my/w", "my/variable", "my/state");
    CHECK_NO_ERROR();
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(function_variable_once),      cmocka_unit_test(variable_semantics),
        cmocka_unit_test(one_tape_gives_one_gradient), cmocka_unit_test(tape_semantics),
        cmocka_unit_test(eager_variable_names),        cmocka_unit_test(keras_duplicate_names),
        cmocka_unit_test(keras_trainable_order),       cmocka_unit_test(keras_variable_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
