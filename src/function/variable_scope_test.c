/* variable_scope_test.c - variable scopes, their stores and collections, eagerly and in graphs; names beside TensorFlow's in strict scopes. */
#include "support/check_op.h"
#include <pthread.h>

/* Each test runs in a graph of its own and, when it says so, eagerly too. */
static tn_variable *get(const char *name)
{
    return tn_get_variable(name, TN_SHAPE(1));
}

static tn_variable *plain(const char *name)
{
    return tn_variable(tn_scalar(0), .name = name, .dtype = TN_INT32);
}

static void both(void (*body)(bool graph))
{
    {
        TN_SCOPE;
        body(false);
        CHECK_OK(tn_reset_default_graph());
    }
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    body(true);
}

/* --- get_variable ------------------------------------------------------------------------------------------------------- */
static void reuse_body(bool graph)
{
    (void)graph;
    tn_variable *x;
    {
        TN_WITH(tn_variable_scope("a"));
        x = get("v");
        assert_string_equal(tn_name(x), "a/v");
        TN_WITH(tn_name_scope("inside"));
        assert_string_equal(tn_name(get("w")), "a/w");
    }
    {
        TN_WITH(tn_variable_scope("a", .reuse = true));
        assert_ptr_equal(get("v"), x);
        assert_ptr_equal(tn_get_variable("v"), x);
        TN_WITH(tn_variable_scope("b"));
        assert_null(get("v"));
        CHECK_ERROR(TN_NOT_FOUND, "Variable a/b/v does not exist, or was not created with tf.get_variable(). Did you mean to set reuse=tf.AUTO_REUSE "
                                  "in VarScope?\nthe store has no variable in 'a/b'");
    }
    TN_WITH(tn_variable_scope("a"));
    assert_null(get("v"));
    CHECK_ERROR(TN_ALREADY_EXISTS, "Variable a/v already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?\n"
                                   "the existing 'a/v' float32 (1,) was made at ");
}

static void get_variable_makes_or_gives_as_the_scope_says(void **state)
{
    (void)state;
    both(reuse_body);
}

static void auto_body(bool graph)
{
    (void)graph;
    tn_variable *v[2];
    for (int i = 0; i < 2; i++) {
        TN_WITH(tn_variable_scope("s", .reuse = TN_AUTO_REUSE));
        v[i] = get("w");
    }
    assert_ptr_equal(v[0], v[1]);
    assert_string_equal(tn_name(v[0]), "s/w");
}

static void auto_reuse_makes_once(void **state)
{
    (void)state;
    both(auto_body);
}

static void agree_body(bool graph)
{
    (void)graph;
    TN_WITH(tn_variable_scope("s", .reuse = TN_AUTO_REUSE));
    tn_variable *x = tn_get_variable("x", TN_SHAPE(2), .dtype = TN_INT32);
    assert_int_equal(tn_dtype_of(x), TN_INT32);
    assert_ptr_equal(tn_get_variable("x"), x);
    assert_ptr_equal(tn_get_variable("x", TN_SHAPE(TN_NONE)), x);
    assert_null(tn_get_variable("x", TN_SHAPE(3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Trying to share variable s/x, but specified shape (3,) and found shape (2,).\nthe existing 's/x' int32 (2,) was made at ");
    assert_null(tn_variable(tn_scalar(0), .name = "x", .dtype = TN_FLOAT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Trying to share variable s/x, but specified dtype float32 and found dtype int32.");
    assert_null(tn_get_variable("y"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Variable s/y did not get an initializer, so its `shape` argument must be specified.");
    assert_null(tn_get_variable("y", TN_SHAPE(TN_NONE, 2), .initializer = "zeros"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "The initializer passed is not valid. It should be a callable with no arguments and the shape should not be provided "
                                     "or an instance of `tf.keras.initializers.*' and `shape` should be fully defined.");
    assert_null(tn_get_variable("y", TN_SHAPE(2), .initial_value = tn_scalar(1.0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "If initializer is a constant, do not specify shape.");
    assert_null(tn_get_variable("y", .initial_value = tn_ones(TN_SHAPE(2), TN_INT32), .dtype = TN_FLOAT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Initializer type '<dtype: 'int32'>' and explicit dtype '<dtype: 'float32'>' don't match.");
    assert_null(tn_get_variable(NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "needs a name");
}

static void what_is_given_must_agree(void **state)
{
    (void)state;
    both(agree_body);
}

static void inherit_body(bool graph)
{
    TN_WITH(tn_variable_scope("s", .initializer = "constant(3)", .regularizer = "l2(0.5)", .dtype = TN_FLOAT64, .reuse = TN_AUTO_REUSE));
    TN_WITH(tn_variable_scope("t"));
    tn_variable *v = tn_get_variable("v", TN_SHAPE(2));
    assert_int_equal(tn_dtype_of(v), TN_FLOAT64);
    assert_ptr_equal(v, tn_get_variable("v"));
    tn_get_variable("w", TN_SHAPE(2), .initializer = "ones", .dtype = TN_FLOAT32, .regularizer = "l1(1)");
    tn_list losses = tn_get_collection("regularization_losses", NULL);
    assert_int_equal(losses.count, 2);
    tn_tensor *all = tn_tuple(v, losses.item[0], losses.item[1]);
    if (graph) {
        assert_int_equal(tn_get_collection("regularization_losses", "s/t/v/Regularizer").count, 1);
        tn_session *session = tn_session();
        CHECK_OK(tn_run_operation(session, tn_global_variables_initializer()));
        all = tn_run(session, all);
    }
    CHECK_VALUES(tn_item(all, 0), 0, 3, 3);
    CHECK_VALUES(tn_item(all, 1), 0, 9);
    CHECK_VALUES(tn_item(all, 2), 0, 2);
}

static void initializer_regularizer_and_dtype_are_inherited(void **state)
{
    (void)state;
    both(inherit_body);
}

static void defaults_body(bool graph)
{
    (void)graph;
    tn_variable *f = tn_get_variable("f", TN_SHAPE(50)), *i = tn_get_variable("i", TN_SHAPE(2), TN_INT32);
    tn_variable *c = tn_get_variable("c", .initial_value = tn_scalar(4.5)), *n = tn_get_variable("n", .initial_value = tn_scalar(4), .dtype = TN_FLOAT32);
    assert_int_equal(tn_dtype_of(f), TN_FLOAT32);
    assert_int_equal(tn_dtype_of(n), TN_FLOAT32);
    assert_string_equal(tn_name(c), "c");
    tn_tensor *all = tn_tuple(i, c, n, tn_reduce_max(tn_abs(f)));
    if (graph) {
        tn_session *session = tn_session();
        CHECK_OK(tn_run_operation(session, tn_global_variables_initializer()));
        all = tn_run(session, all);
    }
    CHECK_VALUES(tn_item(all, 0), 0, 0, 0);
    CHECK_VALUES(tn_item(all, 1), 0, 4.5);
    CHECK_VALUES(tn_item(all, 2), 0, 4);
    double largest = tn_to_double(tn_item(all, 3));
    assert_true(largest > 0.1 && largest <= 0.2449490); /* glorot_uniform: sqrt(6 / (50 + 50)) */
}

static void floats_begin_drawn_and_integers_at_zero(void **state)
{
    (void)state;
    both(defaults_body);
}

static void reuse_call_body(bool graph)
{
    (void)graph;
    tn_scope *q = tn_variable_scope("q");
    {
        TN_WITH(q);
        tn_variable *a = get("v");
        tn_reuse_variables(q);
        assert_ptr_equal(get("v"), a);
        TN_WITH(tn_variable_scope("inner"));
        assert_null(get("v"));
        CHECK_ERROR(TN_NOT_FOUND, "Variable q/inner/v does not exist");
    }
    {
        TN_WITH(tn_variable_scope("q"));
        assert_null(get("v"));
        CHECK_ERROR(TN_ALREADY_EXISTS, "Variable q/v already exists, disallowed.");
    }
    get("root");
    tn_reuse_variables(tn_get_variable_scope());
    assert_non_null(tn_get_variable("root"));
    assert_null(get("missing"));
    CHECK_ERROR(TN_NOT_FOUND, "Variable missing does not exist");
    tn_reuse_variables(tn_name_scope("n"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is a name scope, not a variable scope");
}

static void reuse_variables_holds_for_the_scope_and_those_in_it(void **state)
{
    (void)state;
    both(reuse_call_body);
}

/* --- tn_variable in a scope (our default) -------------------------------------------------------------------------------- */
static void plain_body(bool graph)
{
    tn_variable *a, *b;
    {
        TN_WITH(tn_variable_scope("s"));
        a = plain("v");
        b = plain("v");
        TN_WITH(tn_name_scope("n"));
        plain("w");
    }
    assert_ptr_not_equal(a, b);
    assert_string_equal(tn_name(a), "s/v");
    assert_string_equal(tn_name(b), graph ? "s/v_1" : "s/v");
    TN_WITH(tn_variable_scope("s", .reuse = TN_REUSE));
    assert_ptr_equal(tn_get_variable("v"), a);
    assert_ptr_equal(tn_get_variable("v_1"), b);
    assert_ptr_equal(plain("v"), a);
    assert_string_equal(tn_name(tn_get_variable("n/w")), "s/n/w");
    {
        TN_WITH(tn_name_scope("n"));
        assert_ptr_equal(plain("w"), tn_get_variable("n/w"));
        assert_null(plain("v"));
        CHECK_ERROR(TN_NOT_FOUND, "Variable s/n/v does not exist, or was not created with tf.get_variable(). Did you mean to set reuse=tf.AUTO_REUSE in "
                                  "VarScope?\nthere are: s/v, s/v_1, s/n/w");
        TN_WITH(tn_name_scope("s/"));
        assert_ptr_equal(plain("v"), a);
    }
    assert_null(tn_variable(tn_scalar(0), .name = "v", .shape = TN_SHAPE(2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Trying to share variable s/v, but specified shape (2,) and found shape ().");
}

static void plain_variables_are_kept_under_path_and_inner_names(void **state)
{
    (void)state;
    both(plain_body);
}

/* The three programs of the fourth document, without their main. */
static void print_both_twice(bool again, int first, int second, int third, int fourth, tn_variable *v, tn_variable *w)
{
    tn_session *s = tn_session();
    CHECK_OK(tn_run_operation(s, tn_global_variables_initializer()));
    CHECK_VALUES(tn_run(s, v), 0, first);
    CHECK_VALUES(tn_run(s, w), 0, second);
    if (!again)
        return;
    tn_run(s, tn_assign(w, tn_scalar(5)));
    CHECK_VALUES(tn_run(s, v), 0, third);
    CHECK_VALUES(tn_run(s, w), 0, fourth);
}

static tn_variable *in_name_scope(void)
{
    TN_WITH(tn_name_scope("my_scope"));
    return plain("my_var");
}

static tn_variable *created_or_reused(bool strict)
{
    TN_WITH(tn_variable_scope("my_scope", .reuse = TN_AUTO_REUSE, .strict_tf1 = strict));
    return plain("my_var");
}

static void name_scope_body(bool graph)
{
    tn_variable *a = in_name_scope(), *b = in_name_scope();
    assert_string_equal(tn_name(a), "my_scope/my_var");
    assert_string_equal(tn_name(b), graph ? "my_scope_1/my_var" : "my_scope/my_var");
    print_both_twice(true, 0, 0, 0, 5, a, b);
}

static void auto_reuse_body(bool graph)
{
    (void)graph;
    tn_variable *a = created_or_reused(false), *b = created_or_reused(false);
    assert_ptr_equal(a, b);
    print_both_twice(true, 0, 0, 5, 5, a, b);
}

static void strict_auto_reuse_body(bool graph)
{
    (void)graph;
    print_both_twice(true, 0, 0, 0, 5, created_or_reused(true), created_or_reused(true));
}

static void reuse_without_shape_body(bool graph)
{
    (void)graph;
    tn_variable *a, *b;
    {
        TN_WITH(tn_variable_scope("my_scope"));
        a = plain("my_var");
    }
    {
        TN_WITH(tn_variable_scope("my_scope", .reuse = true));
        b = tn_get_variable("my_var", .dtype = TN_INT32);
    }
    assert_ptr_equal(a, b);
    print_both_twice(true, 0, 0, 5, 5, a, b);
}

static void the_programs_of_sharing_print_what_they_promise(void **state)
{
    (void)state;
    both(name_scope_body);
    both(auto_reuse_body);
    both(strict_auto_reuse_body);
    both(reuse_without_shape_body);
}

/* What is made for somebody is in no store: reuse=True round it is harmless. */
static void others_body(bool graph)
{
    TN_WITH(tn_variable_scope("s", .reuse = TN_REUSE));
    tn_layer *dense = tn_dense(2);
    assert_non_null(tn_call(dense, tn_ones(TN_SHAPE(1, 3), TN_FLOAT32)));
    if (!graph) {
        tn_optimizer *optimizer = tn_adam(0.1);
        tn_list variables = tn_trainable_variables(dense);
        CHECK_OK(tn_apply_gradients(optimizer, TN_LIST(tn_ones(TN_SHAPE(3, 2), TN_FLOAT32), tn_ones(TN_SHAPE(2), TN_FLOAT32)), variables));
        CHECK_VALUES(tn_call(tn_mean_metric(), tn_scalar(2.0)), 0, 2);
    }
    assert_non_null(tn_random_generator(1));
    CHECK_NO_ERROR();
    assert_int_equal(tn_global_variables("s/").count, graph ? 1 : 0); /* the generator's state is the graph's */
}

static void what_layers_optimizers_metrics_and_generators_make_is_in_no_store(void **state)
{
    (void)state;
    both(others_body);
}

static tn_tensor *sharing_body(void *self, tn_list inputs)
{
    (void)self;
    TN_WITH(tn_variable_scope("f", .reuse = TN_AUTO_REUSE));
    tn_variable *k = tn_get_variable("k", .initial_value = tn_scalar(2.0)), *p = tn_variable(tn_scalar(1.0), .name = "p");
    return tn_add(tn_multiply(inputs.item[0], k), p);
}

static void a_traced_body_shares_through_the_store(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_function *f = tn_function(sharing_body, NULL);
    CHECK_VALUES(tn_call(f, tn_ones(TN_SHAPE(2), TN_FLOAT32)), 0, 3, 3);
    CHECK_VALUES(tn_call(f, tn_ones(TN_SHAPE(1), TN_FLOAT32)), 0, 3);
    assert_int_equal(tn_global_variables("f").count, 2);
    CHECK_OK(tn_reset_default_graph());
}

/* --- stores ------------------------------------------------------------------------------------------------------------- */
static void stores_body(bool graph)
{
    (void)graph;
    tn_store *store = tn_store_new();
    tn_variable *mine, *ambient;
    {
        TN_WITH(tn_variable_scope("s", .store = store));
        TN_WITH(tn_variable_scope("t"));
        mine = get("v");
    }
    {
        TN_WITH(tn_variable_scope("s"));
        TN_WITH(tn_variable_scope("t"));
        ambient = get("v");
    }
    assert_ptr_not_equal(mine, ambient);
    tn_list kept = tn_store_variables(store);
    assert_int_equal(kept.count, 1);
    assert_ptr_equal(kept.item[0], mine);
    TN_WITH(tn_variable_scope("s", .store = store, .reuse = TN_REUSE));
    assert_ptr_equal(tn_get_variable("t/v"), mine);
}

static void a_store_of_its_own_takes_the_place_of_the_ambient_one(void **state)
{
    (void)state;
    both(stores_body);
}

static void *share_in_thread(void *graph)
{
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(graph));
    TN_WITH(tn_variable_scope("s", .reuse = TN_AUTO_REUSE));
    TN_WITH(tn_variable_scope(.default_name = "t"));
    return tn_get_variable("s", .initial_value = tn_scalar(1.0)) ? tn_get_variable("s") : NULL;
}

static void threads_share_a_graph_s_store(void **state)
{
    (void)state;
    TN_SCOPE;
    enum { THREADS = 8 };
    tn_graph *graph = tn_graph_new();
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, share_in_thread, graph), 0);
    size_t made = 0;
    for (int i = 0; i < THREADS; i++) {
        void *variable = NULL;
        assert_int_equal(pthread_join(thread[i], &variable), 0);
        made += variable != NULL;
    }
    assert_int_equal(made, THREADS);
    TN_WITH(tn_graph_as_default(graph));
    tn_list all = tn_global_variables("s/t");
    assert_in_range(all.count, 1, THREADS); /* default names count how many are open at once */
    for (size_t i = 1; i < all.count; i++)
        assert_string_not_equal(tn_name(all.item[i]), tn_name(all.item[i - 1]));
}

static void resetting_and_clearing_forget_what_stores_have(void **state)
{
    (void)state;
    TN_SCOPE;
    for (int i = 0; i < 4; i++) {
        {
            TN_WITH(tn_variable_scope(.default_name = "unit"));
            assert_string_equal(tn_name(get("v")), "unit/v");
        }
        assert_string_equal(tn_layer_name(tn_dense(2)), "dense");
        assert_int_equal(tn_global_variables(NULL).count, 1);
        if (i % 2)
            tn_clear_session();
        else
            CHECK_OK(tn_reset_default_graph());
        assert_int_equal(tn_global_variables(NULL).count, 0);
    }
}

static void a_store_keeps_its_variables_alive(void **state)
{
    (void)state;
    TN_SCOPE;
    for (int i = 0; i < 2; i++) {
        TN_SCOPE;
        TN_WITH(tn_variable_scope("s", .reuse = TN_AUTO_REUSE));
        CHECK_VALUES(tn_assign_add(tn_get_variable("n", .initial_value = tn_scalar(0.0)), tn_scalar(1.0)), 0, i + 1);
    }
    CHECK_OK(tn_reset_default_graph());
}

static void an_eager_strict_scope_makes_but_with_a_store_shares(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_variable_scope("s", .strict_tf1 = true));
    tn_variable *a = get("v"), *b = get("v");
    assert_ptr_not_equal(a, b);
    assert_string_equal(tn_name(b), "s/v");
    {
        TN_WITH(tn_variable_scope("t", .store = tn_store_new()));
        assert_ptr_equal(get("v"), get("v"));
    }
    TN_WITH(tn_variable_scope("t", .reuse = true));
    assert_null(get("v"));
    CHECK_ERROR(TN_FAILED_PRECONDITION, "When eager execution is enabled variable reuse is only supported when an EagerVariableStore is active.");
}

/* --- scopes ------------------------------------------------------------------------------------------------------------- */
static void wrong_scopes_are_told_in_tensorflow_s_words(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_variable_scope());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "If default_name is None then name_or_scope is required");
    assert_null(tn_variable_scope(.default_name = "a", .reuse = true));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "reuse=True cannot be used without a name_or_scope");
    assert_null(tn_variable_scope("a", .reuse = (tn_reuse)7));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "The reuse parameter must be True or False or None.");
    assert_null(tn_variable_scope(.scope = tn_variable_scope("a")));
    CHECK_ERROR(TN_FAILED_PRECONDITION, "was not entered yet");
    assert_null(tn_variable_scope(.scope = tn_name_scope("a")));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is a name scope, not a variable scope");
    {
        TN_WITH(tn_variable_scope("a b"));
        CHECK_ERROR(TN_INVALID_ARGUMENT, "'a b' is not a valid root scope name.");
    }
    assert_string_equal(tn_name(get("v")), "v");
    CHECK_OK(tn_reset_default_graph());
}

static void again_body(bool graph)
{
    tn_scope *a = tn_variable_scope("a");
    tn_variable *v;
    {
        TN_WITH(a);
        v = get("v");
    }
    TN_WITH(tn_variable_scope("b"));
    {
        TN_WITH(a);
        assert_string_equal(tn_name(get("w")), "a/w");
        assert_string_equal(tn_name(plain("p")), graph ? "b/a/p" : "b/a/p");
    }
    {
        TN_WITH(tn_variable_scope(.scope = a, .reuse = true));
        assert_ptr_equal(tn_get_variable("v"), v);
        assert_string_equal(tn_name(plain("p")), "b/a/p");
    }
    TN_WITH(tn_name_scope("n"));
    tn_scope *here = tn_get_variable_scope();
    {
        TN_WITH(tn_variable_scope("c"));
        TN_WITH(here);
        assert_string_equal(tn_name(get("x")), "b/x");
    }
}

static void a_scope_entered_again_is_at_its_own_path(void **state)
{
    (void)state;
    both(again_body);
}

static void collections_body(bool graph)
{
    tn_get_variable("a", TN_SHAPE(1));
    tn_get_variable("b", TN_SHAPE(1), .trainable = false);
    tn_get_variable("c", TN_SHAPE(1), .collections = "local_variables, mine");
    TN_WITH(tn_variable_scope("s"));
    tn_variable *d = tn_get_variable("d", TN_SHAPE(1));
    assert_int_equal(tn_global_variables(NULL).count, 3);
    assert_int_equal(tn_graph_trainable_variables(NULL).count, 3);
    assert_int_equal(tn_local_variables(NULL).count, 1);
    assert_ptr_equal(tn_global_variables("s").item[0], d);
    assert_int_equal(tn_global_variables("[ab]:0$").count, 2);
    CHECK_OK(tn_add_to_collection("mine", tn_scalar(1)));
    assert_int_equal(tn_get_collection("mine", NULL).count, 2);
    assert_int_equal(tn_get_collection("mine", ".").count, graph ? 1 : 1);
    assert_int_equal(tn_get_collection("nobody's", NULL).count, 0);
    assert_null(tn_get_collection("mine", "(").item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is not a regular expression");
    if (!graph)
        return;
    tn_session *session = tn_session();
    assert_int_equal(tn_report_uninitialized_variables(session).count, 4);
    CHECK_OK(tn_run_operation(session, tn_global_variables_initializer()));
    tn_list left = tn_report_uninitialized_variables(session);
    assert_int_equal(left.count, 1);
    assert_string_equal(tn_name(left.item[0]), "c");
    CHECK_OK(tn_run_operation(session, tn_local_variables_initializer()));
    assert_int_equal(tn_report_uninitialized_variables(session).count, 0);
}

static void collections_list_what_was_made_and_filter_by_names(void **state)
{
    (void)state;
    both(collections_body);
}

/* --- memory ------------------------------------------------------------------------------------------------------------- */
static bool share_in_a_graph(void *self)
{
    (void)self;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    for (int i = 0; i < 2; i++) {
        TN_WITH(tn_variable_scope("s", .reuse = TN_AUTO_REUSE, .regularizer = "l2(0.1)"));
        TN_WITH(tn_variable_scope(.default_name = "unit"));
        TN_WITH(tn_name_scope("n"));
        get("v");
        plain("p");
    }
    tn_global_variables("s");
    return tn_pending() == TN_OK;
}

static bool share_eagerly(void *self)
{
    (void)self;
    TN_SCOPE;
    for (int i = 0; i < 2; i++) {
        TN_WITH(tn_variable_scope("s", .store = tn_store_new(), .reuse = TN_AUTO_REUSE, .regularizer = "l2(0.1)"));
        get("v");
        plain("p");
        tn_get_collection("regularization_losses", NULL);
    }
    return tn_pending() == TN_OK;
}

static void every_refused_allocation_leaves_all_in_order(void **state)
{
    (void)state;
    TN_SCOPE;
    check_allocation_failures(share_in_a_graph, NULL);
    tn_get_variable_scope(); /* the thread's own store stays */
    check_allocation_failures(share_eagerly, NULL);
    CHECK_OK(tn_reset_default_graph());
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_variable_makes_or_gives_as_the_scope_says),
        cmocka_unit_test(auto_reuse_makes_once),
        cmocka_unit_test(what_is_given_must_agree),
        cmocka_unit_test(initializer_regularizer_and_dtype_are_inherited),
        cmocka_unit_test(floats_begin_drawn_and_integers_at_zero),
        cmocka_unit_test(reuse_variables_holds_for_the_scope_and_those_in_it),
        cmocka_unit_test(plain_variables_are_kept_under_path_and_inner_names),
        cmocka_unit_test(the_programs_of_sharing_print_what_they_promise),
        cmocka_unit_test(what_layers_optimizers_metrics_and_generators_make_is_in_no_store),
        cmocka_unit_test(a_traced_body_shares_through_the_store),
        cmocka_unit_test(a_store_of_its_own_takes_the_place_of_the_ambient_one),
        cmocka_unit_test(threads_share_a_graph_s_store),
        cmocka_unit_test(resetting_and_clearing_forget_what_stores_have),
        cmocka_unit_test(a_store_keeps_its_variables_alive),
        cmocka_unit_test(an_eager_strict_scope_makes_but_with_a_store_shares),
        cmocka_unit_test(wrong_scopes_are_told_in_tensorflow_s_words),
        cmocka_unit_test(a_scope_entered_again_is_at_its_own_path),
        cmocka_unit_test(collections_list_what_was_made_and_filter_by_names),
        cmocka_unit_test(every_refused_allocation_leaves_all_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
