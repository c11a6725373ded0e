/* naming_programs_test.c - recorded programs of TensorFlow 1 about names, reuse and collections, each under the name of its record: what
 * TensorFlow 2.21 prints in graph mode. Names are its own without ":0"; where it names an op or a constant, a placeholder or an op's own
 * name stands here. */
#include "support/check_op.h"

/* Every program has a graph of its own. */
#define PROGRAM(name)                         \
    static void name##_body(void);            \
    static void name(void **state)            \
    {                                         \
        (void)state;                          \
        TN_SCOPE;                             \
        TN_WITH(tn_graph_as_default(tn_graph_new())); \
        name##_body();                        \
        CHECK_NO_ERROR();                     \
    }                                         \
    static void name##_body(void)

static tn_variable *get(const char *name)
{
    return tn_get_variable(name, TN_SHAPE(1));
}

static tn_tensor *held(const char *name)
{
    return tn_placeholder(TN_FLOAT32, TN_SHAPE(1), name);
}

#define CHECK_NAME(x, name) assert_string_equal(tn_name(x), (name))

static void check_names(tn_list list, const char *const *names)
{
    for (size_t i = 0; i < list.count; i++)
        CHECK_NAME(list.item[i], names[i]);
    assert_null(names[list.count]);
}
#define CHECK_NAMES(list, ...) check_names((list), (const char *const[]){ __VA_ARGS__, NULL })

PROGRAM(v1_assign_and_session)
{
    tn_variable *v = tn_get_variable("v", TN_SCALAR, .initializer = "zeros");
    tn_tensor *a = tn_assign_add(v, tn_scalar(1.0));
    tn_session *s = tn_session();
    CHECK_OK(tn_run_operation(s, tn_global_variables_initializer()));
    for (int i = 1; i <= 3; i++)
        CHECK_VALUES(tn_run(s, a), 0, i);
    CHECK_VALUES(tn_run(s, v), 0, 3);
    CHECK_NAME(a, "AssignAddVariableOp");
}

static tn_variable *shared(void)
{
    TN_WITH(tn_variable_scope("s", .reuse = TN_AUTO_REUSE, .strict_tf1 = true));
    return get("w");
}

PROGRAM(v1_auto_reuse)
{
    tn_variable *a = shared(), *b = shared();
    CHECK_NAME(a, "s/w");
    assert_ptr_equal(a, b);
}

PROGRAM(v1_collections)
{
    get("a");
    tn_get_variable("b", TN_SHAPE(1), .trainable = false);
    tn_variable(tn_scalar(1.0), .name = "c", .collections = "local_variables");
    CHECK_NAMES(tn_global_variables(NULL), "a", "b");
    CHECK_NAMES(tn_graph_trainable_variables(NULL), "a", "c");
    CHECK_NAMES(tn_local_variables(NULL), "c");
    {
        TN_WITH(tn_variable_scope("s", .strict_tf1 = true));
        get("d");
    }
    CHECK_NAMES(tn_get_collection("global_variables", "s"), "s/d");
    CHECK_NAMES(tn_get_collection("global_variables", "."), "a", "b", "s/d");
}

static tn_tensor *one_more(void *self, tn_list inputs)
{
    (void)self;
    return tn_add(inputs.item[0], tn_scalar(1.0));
}

static tn_tensor *one_less(void *self, tn_list inputs)
{
    (void)self;
    return tn_subtract(inputs.item[0], tn_scalar(1.0));
}

static tn_tensor *below_three(void *self, tn_list inputs)
{
    (void)self;
    return tn_less(inputs.item[0], tn_scalar(3.0));
}

PROGRAM(v1_cond_while_names)
{
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SCALAR, "x");
    tn_tensor *a = tn_cond(tn_greater(x, tn_scalar(0.0)), one_more, one_less, NULL, TN_LIST(x));
    tn_tensor *w = tn_while_loop(below_three, one_more, NULL, TN_LIST(x));
    const tn_body branches[] = { one_more, one_less };
    tn_tensor *i = tn_placeholder(TN_INT32, TN_SCALAR, "i"), *c = tn_switch_case(i, 2, branches, NULL, TN_LIST(x));
    CHECK_NAME(a, "cond/Identity");
    CHECK_NAME(w, "while/Identity_2");
    CHECK_NAME(c, "switch_case/indexed_case/Identity");
    tn_tensor *one = tn_constant(TN_FLOAT32, TN_SCALAR, (float[]){ 1 });
    tn_tensor *both = tn_run(tn_session(), tn_tuple(a, w), .feed = { { x, one } });
    CHECK_VALUES(tn_item(both, 0), 0, 2);
    CHECK_VALUES(tn_item(both, 1), 0, 3);
}

PROGRAM(v1_default_name_uniquify)
{
    static const char *const names[] = { "unit/v", "unit_1/v", "unit_2/v" };
    for (int i = 0; i < 3; i++) {
        TN_WITH(tn_variable_scope(.default_name = "unit", .strict_tf1 = true));
        CHECK_NAME(get("v"), names[i]);
    }
}

PROGRAM(v1_feed_fetch)
{
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SHAPE(TN_NONE), "x"), *y = tn_multiply(x, tn_scalar(2.0));
    tn_graph *g = tn_get_default_graph();
    tn_session *s = tn_session();
    CHECK_VALUES(tn_run(s, y, .feed = { { x, tn_constant(TN_FLOAT32, TN_SHAPE(2), (float[]){ 1, 2 }) } }), 0, 2, 4);
    tn_tensor *fed = tn_constant(TN_FLOAT32, TN_SHAPE(1), (float[]){ 3 });
    CHECK_VALUES(tn_run(s, tn_graph_tensor(g, tn_format("%s:0", tn_name(y))), .feed = { { tn_graph_tensor(g, "x:0"), fed } }), 0, 6);
    assert_null(tn_run(s, y));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "You must feed a value for placeholder tensor 'x' with dtype float and shape [?]");
}

PROGRAM(v1_get_tensor_by_name)
{
    {
        TN_WITH(tn_name_scope("n"));
        held("c");
    }
    tn_graph *g = tn_get_default_graph();
    CHECK_NAME(tn_graph_tensor(g, "n/c:0"), "n/c");
    assert_string_equal(tn_operation_type(tn_graph_operation(g, "n/c")), "Placeholder");
    CHECK_NAME(held("n/c"), "n/c_1");
    assert_null(tn_graph_tensor(g, "missing:0"));
    CHECK_ERROR(TN_NOT_FOUND, "The name 'missing:0' refers to a Tensor which does not exist. The operation, 'missing', does not exist in the graph.");
}

PROGRAM(v1_get_variable_reuse)
{
    tn_variable *x;
    {
        TN_WITH(tn_variable_scope("a", .strict_tf1 = true));
        CHECK_NAME(x = get("v"), "a/v");
    }
    {
        TN_WITH(tn_variable_scope("a", .reuse = true, .strict_tf1 = true));
        assert_ptr_equal(get("v"), x);
    }
    TN_WITH(tn_variable_scope("a", .strict_tf1 = true));
    assert_null(get("v"));
    CHECK_ERROR(TN_ALREADY_EXISTS, "Variable a/v already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?\n");
}

PROGRAM(v1_name_scope_uniquify)
{
    static const char *const names[] = { "s/c", "s_1/c", "s_2/c" };
    for (int i = 0; i < 3; i++) {
        TN_WITH(tn_name_scope("s"));
        CHECK_NAME(held("c"), names[i]);
    }
    TN_WITH(tn_name_scope("s/"));
    CHECK_NAME(held("c"), "s/c_1");
    TN_WITH(tn_name_scope(""));
    CHECK_NAME(held("top"), "top");
}

PROGRAM(v1_nested_scopes)
{
    tn_scope *s = tn_variable_scope("a", .strict_tf1 = true);
    TN_WITH(s);
    TN_WITH(tn_variable_scope("b"));
    CHECK_NAME(get("v"), "a/b/v");
    TN_WITH(s);
    tn_variable *y = get("w");
    CHECK_NAME(y, "a/w");
    CHECK_NAME(tn_identity(y), "a/b/a/Identity");
}

PROGRAM(v1_op_names_uniquify)
{
    tn_tensor *a = held(NULL), *b = held(NULL), *m = tn_reshape(a, TN_SHAPE(1, 1));
    CHECK_NAME(a, "Placeholder");
    CHECK_NAME(b, "Placeholder_1");
    CHECK_NAME(tn_add(a, b), "Add");
    CHECK_NAME(tn_add(a, b), "Add_1");
    CHECK_NAME(tn_divide(a, b), "truediv");
    CHECK_NAME(tn_negative(a), "Neg");
    CHECK_NAME(tn_matmul(m, m), "MatMul");
    CHECK_NAME(tn_reduce_sum(a), "Sum");
    CHECK_NAME(tn_nn_relu(a), "Relu");
    CHECK_NAME(held("add"), "add_2");
    CHECK_NAME(held("sum/x"), "sum/x");
}

PROGRAM(v1_reuse_variables_call)
{
    {
        tn_scope *sc = tn_variable_scope("q", .strict_tf1 = true);
        TN_WITH(sc);
        tn_variable *a = get("v");
        tn_reuse_variables(sc);
        assert_ptr_equal(get("v"), a);
    }
    TN_WITH(tn_variable_scope("q", .strict_tf1 = true));
    assert_null(get("v"));
    CHECK_ERROR(TN_ALREADY_EXISTS, "Variable q/v already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?\n");
}

PROGRAM(v1_uninitialized_read)
{
    tn_variable *v = get("v");
    assert_null(tn_run(tn_session(), v));
    CHECK_ERROR(TN_FAILED_PRECONDITION, "v");
}

PROGRAM(v1_variable_scope_op_names)
{
    {
        TN_WITH(tn_variable_scope("vs", .strict_tf1 = true));
        tn_variable *a = get("g");
        CHECK_NAME(a, "vs/g");
        CHECK_NAME(tn_add(a, tn_scalar(1.0)), "vs/Add");
    }
    TN_WITH(tn_variable_scope("vs", .reuse = true, .strict_tf1 = true));
    CHECK_NAME(tn_add(get("g"), tn_scalar(1.0)), "vs_1/Add");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v1_assign_and_session),   cmocka_unit_test(v1_auto_reuse),
        cmocka_unit_test(v1_collections),          cmocka_unit_test(v1_default_name_uniquify),
        cmocka_unit_test(v1_cond_while_names),
        cmocka_unit_test(v1_feed_fetch),           cmocka_unit_test(v1_get_tensor_by_name),
        cmocka_unit_test(v1_get_variable_reuse),   cmocka_unit_test(v1_name_scope_uniquify),
        cmocka_unit_test(v1_nested_scopes),        cmocka_unit_test(v1_op_names_uniquify),
        cmocka_unit_test(v1_reuse_variables_call), cmocka_unit_test(v1_uninitialized_read),
        cmocka_unit_test(v1_variable_scope_op_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
