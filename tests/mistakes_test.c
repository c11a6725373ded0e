/* mistakes_test.c - what goes wrong with variables, and what the message says of it: TensorFlow's or Keras's first line, which variable,
 * where it and the other one were made, and how to mend it. */
#include "support/check_op.h"

/* Where a mistake's two lines are. */
static int first_line, second_line;
#define FIRST(expression) (first_line = __LINE__, (expression))
#define SECOND(expression) (second_line = __LINE__, (expression))

static tn_tensor *ones(int64_t n)
{
    return tn_ones(TN_SHAPE(n), TN_FLOAT32);
}

/* --- layers and functions that make variables too late ------------------------------------------------------------------ */
typedef struct {
    tn_variable *w, *late;
    tn_layer *part;
    int64_t calls;
} holder;

static tn_tensor *anew_call(void *me, tn_list inputs)
{
    holder *self = me;
    self->w = FIRST(tn_variable(ones(2), .name = "w"));
    second_line = first_line;
    return tn_multiply(tn_at(inputs, 0), self->w);
}

static tn_tensor *late_call(void *me, tn_list inputs)
{
    holder *self = me;
    if (!self->w)
        self->w = FIRST(tn_variable(ones(2), .name = "w"));
    if (self->calls++ > 0)
        self->late = SECOND(tn_variable(ones(2), .name = "w"));
    return tn_multiply(tn_at(inputs, 0), self->w);
}

static tn_tensor *growing_call(void *me, tn_list inputs)
{
    holder *self = me;
    tn_tensor *x = tn_at(inputs, 0);
    if (self->calls++ == 0)
        return tn_call(self->part = tn_dense(2, .name = "first"), x);
    return tn_call(SECOND(tn_dense(2, .name = "more")), x);
}

static tn_tensor *branch_body(void *me, tn_list inputs)
{
    holder *self = me;
    tn_tensor *x = tn_at(inputs, 0);
    if (!self->w)
        self->w = FIRST(tn_variable(ones(1), .name = "w"));
    if (tn_dim(tn_shape_of(x), 0) == 3)
        self->late = SECOND(tn_variable(ones(1), .name = "w"));
    return tn_multiply(x, self->w);
}

static tn_tensor *none_at_first_body(void *me, tn_list inputs)
{
    holder *self = me;
    tn_tensor *x = tn_at(inputs, 0);
    if (tn_dim(tn_shape_of(x), 0) == 3)
        self->late = SECOND(tn_variable(ones(1), .name = "late"));
    return tn_square(x);
}

#define CLASS(name_, call_, ...) \
    static const tn_class name_ = { .name = #name_, .size = sizeof(holder), .fields = TN_FIELDS(TN_FIELD(holder, w)), .call = call_, __VA_ARGS__ }
CLASS(Anew, anew_call);
CLASS(AnewTraced, anew_call, .traced = true);
CLASS(Late, late_call);
CLASS(Growing, growing_call);

static void a_variable_in_every_call(void)
{
    tn_layer *layer = tn_new(&Anew, .name = "layer");
    tn_call(layer, ones(2));
    tn_call(layer, ones(2));
}

static void a_variable_in_every_traced_call(void)
{
    tn_call(tn_new(&AnewTraced, .name = "layer"), ones(2));
}

static void a_second_variable_in_a_later_call(void)
{
    tn_layer *layer = tn_new(&Late, .name = "layer");
    tn_call(layer, ones(2));
    tn_call(layer, ones(2));
}

static void a_new_layer_in_a_later_call(void)
{
    tn_layer *layer = FIRST(tn_new(&Growing, .name = "layer"));
    tn_call(layer, tn_ones(TN_SHAPE(1, 2), TN_FLOAT32));
    tn_call(layer, tn_ones(TN_SHAPE(1, 2), TN_FLOAT32));
}

static void a_variable_in_a_branch_of_another_signature(void)
{
    holder self = { .w = NULL };
    tn_function *f = tn_function(branch_body, &self);
    tn_call(f, ones(2));
    tn_call(f, ones(3));
}

static tn_tensor *leaking_body(void *me, tn_list inputs)
{
    tn_tensor **kept = me;
    *kept = tn_keep_root(FIRST(tn_square(tn_at(inputs, 0))));
    return tn_at(inputs, 0);
}

static void a_tensor_of_a_trace_used_outside_of_it(void)
{
    tn_tensor *kept = NULL;
    tn_call(tn_function(leaking_body, &kept), ones(2));
    SECOND(tn_negative(kept));
}

static void a_first_variable_in_a_later_trace(void)
{
    holder self = { .w = NULL };
    tn_function *f = tn_function(none_at_first_body, &self);
    tn_call(f, ones(2));
    tn_call(f, ones(3));
}

/* --- scopes and their stores -------------------------------------------------------------------------------------------- */
static void get_variable_twice(void)
{
    TN_WITH(tn_variable_scope("s"));
    FIRST(tn_get_variable("x", TN_SHAPE(2)));
    SECOND(tn_get_variable("x", TN_SHAPE(2)));
}

static void reuse_of_what_is_not_there(void)
{
    TN_WITH(tn_variable_scope("s", .reuse = TN_REUSE));
    SECOND(tn_get_variable("y", TN_SHAPE(2)));
}

static void reuse_with_another_shape(void)
{
    TN_WITH(tn_variable_scope("s", .reuse = TN_AUTO_REUSE));
    FIRST(tn_get_variable("x", TN_SHAPE(2)));
    SECOND(tn_get_variable("x", TN_SHAPE(3)));
}

static void reuse_with_another_dtype(void)
{
    TN_WITH(tn_variable_scope("s", .reuse = TN_AUTO_REUSE));
    FIRST(tn_get_variable("x", TN_SHAPE(2)));
    SECOND(tn_get_variable("x", TN_SHAPE(2), .dtype = TN_INT32, .initializer = "zeros"));
}

static void a_plain_variable_reused_with_another_shape(void)
{
    TN_WITH(tn_variable_scope("s", .reuse = TN_AUTO_REUSE));
    FIRST(tn_variable(ones(2), .name = "x"));
    SECOND(tn_variable(ones(3), .name = "x", .shape = TN_SHAPE(3)));
}

static void get_variable_without_a_shape(void)
{
    TN_WITH(tn_variable_scope("s"));
    SECOND(tn_get_variable("x"));
}

/* --- names that meet ---------------------------------------------------------------------------------------------------- */
static tn_tensor *two_of_a_name_body(void *me, tn_list inputs)
{
    (void)me;
    tn_variable *a = FIRST(tn_variable(ones(2), .name = "weights"));
    tn_variable *b = SECOND(tn_variable(ones(2), .name = "weights"));
    return tn_multiply(tn_multiply(a, b), tn_at(inputs, 0));
}

static void the_variables_of_a_function_with_equal_names(void)
{
    tn_function *f = tn_function(two_of_a_name_body, .eager = true);
    tn_call(f, ones(2));
    tn_variables(f);
}

typedef struct {
    tn_variable *a, *b;
} twins;

static void twins_build(void *me, tn_list inputs)
{
    twins *self = me;
    (void)inputs;
    self->a = FIRST(tn_add_weight(.shape = TN_SHAPE(2), .name = "k"));
    self->b = SECOND(tn_add_weight(.shape = TN_SHAPE(2), .name = "k"));
}

static tn_tensor *twins_call(void *me, tn_list inputs)
{
    twins *self = me;
    return tn_add(tn_multiply(tn_at(inputs, 0), self->a), self->b);
}

static const tn_class Twins = { .name = "Twins", .size = sizeof(twins), .fields = TN_FIELDS(TN_FIELD(twins, a), TN_FIELD(twins, b)),
                                .build = twins_build, .call = twins_call };

static void an_h5_of_equal_names(void)
{
    tn_model *model = tn_sequential(TN_LAYERS(tn_new(&Twins, .name = "twins", .input_shape = TN_SHAPE(2))));
    (void)!tn_save(model, temporary_path("twins.h5"));
}

static void a_saver_of_equal_names(void)
{
    tn_variable *a = FIRST(tn_variable(ones(2), .name = "v"));
    tn_variable *b = SECOND(tn_variable(ones(2), .name = "v"));
    tn_saver_save(tn_saver(.var_list = TN_LIST(a, b)), tn_session(), temporary_path("model"), -1);
}

static void two_layers_of_a_name_in_a_sequential(void)
{
    tn_layer *a = FIRST(tn_dense(2, .name = "d", .input_shape = TN_SHAPE(2)));
    tn_layer *b = SECOND(tn_dense(2, .name = "d"));
    tn_sequential(TN_LAYERS(a, b));
}

static void two_layers_of_a_name_in_a_functional_model(void)
{
    tn_tensor *x = tn_input(TN_SHAPE(2));
    tn_layer *a = FIRST(tn_dense(2, .name = "d"));
    tn_layer *b = SECOND(tn_dense(2, .name = "d"));
    tn_model(x, tn_call(b, tn_call(a, x)));
}

/* --- graphs and sessions ------------------------------------------------------------------------------------------------ */
static void a_read_before_the_initializer(void)
{
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_variable *v = FIRST(tn_variable(ones(2), .name = "v"));
    SECOND(tn_run(tn_session(), v));
}

static void a_fetch_from_another_graph(void)
{
    tn_variable *v;
    {
        TN_WITH(tn_graph_as_default(tn_graph_new()));
        v = FIRST(tn_variable(ones(2), .name = "v"));
    }
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    SECOND(tn_run(tn_session(), v));
}

static void the_value_of_a_graphs_variable_without_a_session(void)
{
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_variable *v = FIRST(tn_variable(tn_scalar(1.0), .name = "v"));
    SECOND(tn_to_double(v));
}

static void an_op_on_a_tensor_of_another_graph(void)
{
    tn_tensor *x;
    {
        TN_WITH(tn_graph_as_default(tn_graph_new()));
        x = FIRST(tn_placeholder(TN_FLOAT32, .name = "x"));
    }
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    SECOND(tn_square(x));
}

/* --- values that do not fit --------------------------------------------------------------------------------------------- */
static void an_assignment_of_another_shape(void)
{
    TN_WITH(tn_name_scope("s"));
    tn_variable *v = FIRST(tn_variable(ones(2), .name = "v"));
    SECOND(tn_assign(v, ones(3)));
}

static void an_assignment_of_another_dtype(void)
{
    TN_WITH(tn_name_scope("s"));
    tn_variable *v = FIRST(tn_variable(ones(2), .name = "v"));
    SECOND(tn_assign(v, tn_ones(TN_SHAPE(2), TN_INT32)));
}

static void weights_of_another_shape(void)
{
    tn_layer *layer = tn_dense(2, .name = "d", .input_shape = TN_SHAPE(3));
    tn_model *model = FIRST(tn_sequential(TN_LAYERS(layer))); /* which builds it */
    (void)!SECOND(tn_set_weights(model, TN_LIST(tn_ones(TN_SHAPE(2, 3), TN_FLOAT32), ones(2))));
}

static void gradients_of_a_loss_that_knows_nothing_of_the_variable(void)
{
    tn_variable *v = FIRST(tn_variable(ones(2), .name = "v"));
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *loss = tn_reduce_sum(ones(2));
    tn_list gradients = tn_gradient(tape, loss, TN_LIST(v));
    (void)!SECOND(tn_apply_gradients(tn_sgd(), gradients, TN_LIST(v)));
}

static void a_variable_that_the_optimizer_was_not_built_for(void)
{
    tn_variable *v = tn_variable(ones(2), .name = "v");
    tn_variable *w = FIRST(tn_variable(ones(2), .name = "w"));
    tn_optimizer *optimizer = tn_adam();
    (void)!tn_apply_gradients(optimizer, TN_LIST(ones(2)), TN_LIST(v));
    (void)!SECOND(tn_apply_gradients(optimizer, TN_LIST(ones(2)), TN_LIST(w)));
}

/* --- the table ---------------------------------------------------------------------------------------------------------- */
#define CLOSED "You cannot add new elements of state (variables or sub-layers) to a layer that is already built. All state must be created in the " \
               "`__init__()` method or in the `build()` method."
#define SINGLETON "tf.function only supports singleton tf.Variables created on the first call. Make sure the tf.Variable is only created once or " \
                  "created outside tf.function. See https://www.tensorflow.org/guide/function#creating_tfvariables for more information."
#define BUILT "make it in init or build, or in the first call whatever its inputs are, and keep it in a field"
#define OUTSIDE "make it outside of the function, or in its first call whatever the inputs are, and keep it in a place of its own"
#define LEAVE_OUT "leave .shape and .dtype out to take what is there (an initial value brings its own: give one that fits), or give the other variable another name"

static const struct mistake {
    const char *name;
    void (*make)(void);
    tn_status kind;
    const char *first, *variable, *mend; /* variable: its full name, as the message writes it */
    bool both; /* the message names both lines; else there is only the second */
} mistakes[] = {
#define MISTAKE(function, ...) { #function, function, __VA_ARGS__ }
    MISTAKE(a_variable_in_every_call, TN_VARIABLE_CREATION, CLOSED, "'layer/w'", BUILT, true),
    MISTAKE(a_variable_in_every_traced_call, TN_VARIABLE_CREATION, SINGLETON, "'layer/w'", OUTSIDE, true),
    MISTAKE(a_second_variable_in_a_later_call, TN_VARIABLE_CREATION, CLOSED, "'layer/w'", BUILT, true),
    MISTAKE(a_new_layer_in_a_later_call, TN_VARIABLE_CREATION, CLOSED, "'more'", BUILT, true),
    MISTAKE(a_variable_in_a_branch_of_another_signature, TN_VARIABLE_CREATION, SINGLETON, "'w'", OUTSIDE, true),
    MISTAKE(a_first_variable_in_a_later_trace, TN_VARIABLE_CREATION,
            "Creating variables on a non-first call to a function decorated with tf.function.", "'late'", OUTSIDE, false),
    MISTAKE(a_tensor_of_a_trace_used_outside_of_it, TN_INVALID_ARGUMENT,
            "float32 (2,) is out of scope and cannot be used here. Use return values, explicit Python locals or TensorFlow collections to access it.",
            "input 0 of Neg", "what is made in a body leaves it by its return, tn_tuple(a, b) when it is several tensors: tn_item(result, 1) is b", true),
    MISTAKE(get_variable_twice, TN_ALREADY_EXISTS,
            "Variable s/x already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?", "'s/x'",
            "to share it: tn_variable_scope(\"s\", .reuse = TN_AUTO_REUSE); for another variable: another name or scope", true),
    MISTAKE(reuse_of_what_is_not_there, TN_NOT_FOUND,
            "Variable s/y does not exist, or was not created with tf.get_variable(). Did you mean to set reuse=tf.AUTO_REUSE in VarScope?", "'s/y'",
            ".reuse = TN_AUTO_REUSE also makes what is missing, or make 's/y' before", false),
    MISTAKE(reuse_with_another_shape, TN_INVALID_ARGUMENT, "Trying to share variable s/x, but specified shape (3,) and found shape (2,).", "'s/x'",
            LEAVE_OUT, true),
    MISTAKE(reuse_with_another_dtype, TN_INVALID_ARGUMENT, "Trying to share variable s/x, but specified dtype int32 and found dtype float32.",
            "'s/x'", LEAVE_OUT, true),
    MISTAKE(a_plain_variable_reused_with_another_shape, TN_INVALID_ARGUMENT,
            "Trying to share variable s/x, but specified shape (3,) and found shape (2,).", "'s/x'", LEAVE_OUT, true),
    MISTAKE(get_variable_without_a_shape, TN_INVALID_ARGUMENT,
            "Variable s/x did not get an initializer, so its `shape` argument must be specified.", "s/x", ".initial_value brings a shape of its own",
            false),
    MISTAKE(the_variables_of_a_function_with_equal_names, TN_ALREADY_EXISTS,
            "Variable weights already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?", "'weights'",
            "give each a name of its own, make them in name scopes of their own, TN_WITH(tn_name_scope(\"layer_1\")), or make one once and keep it",
            true),
    MISTAKE(an_h5_of_equal_names, TN_ALREADY_EXISTS, "Unable to create dataset (name already exists)", "'twins/k'",
            ".keras and .weights.h5 keep weights by their layers and save both; or give one another name", true),
    MISTAKE(a_saver_of_equal_names, TN_ALREADY_EXISTS, "Unable to create dataset (name already exists)", "'v'",
            "give one of them another name, or make it in a name scope of its own", true),
    MISTAKE(two_layers_of_a_name_in_a_sequential, TN_ALREADY_EXISTS,
            "All layers added to a Sequential model should have unique names. Name 'd' is already the name of a layer in this model. Update the "
            "`name` argument to pass a unique name.", "'d'", "Update the `name` argument", true),
    MISTAKE(two_layers_of_a_name_in_a_functional_model, TN_ALREADY_EXISTS,
            "The name \"d\" is used 2 times in the model. All operation names should be unique.", "\"d\"", "give one another .name, or leave it out",
            true),
    MISTAKE(a_read_before_the_initializer, TN_FAILED_PRECONDITION, "Attempting to use uninitialized value v", "v",
            "tn_run_operation(session, tn_global_variables_initializer())", true),
    MISTAKE(a_fetch_from_another_graph, TN_INVALID_ARGUMENT,
            "Fetch argument cannot be interpreted as a Tensor. Tensor v is not an element of this graph.", "v",
            "a session runs the graph that was the default one when it was made, or its .graph", true),
    MISTAKE(the_value_of_a_graphs_variable_without_a_session, TN_FAILED_PRECONDITION, "'v' is a variable of a graph and has values in sessions only",
            "'v'", "tn_run(session, variable) gives its value there, once tn_run_operation(session, tn_global_variables_initializer()) has run", true),
    MISTAKE(an_op_on_a_tensor_of_another_graph, TN_INVALID_ARGUMENT,
            "Tensor(\"x:0\") must be from the same graph as what is made here.", "x:0", "make both inside the same TN_WITH(tn_graph_as_default(g))",
            true),
    MISTAKE(an_assignment_of_another_shape, TN_INVALID_ARGUMENT,
            "Cannot assign value to variable ' s/v:0': Shape mismatch.The variable shape (2,), and the assigned value shape (3,) are incompatible.",
            "'s/v'", "it keeps its shape; one that is made with .shape = TN_SHAPE(TN_NONE) takes any size", true),
    MISTAKE(an_assignment_of_another_dtype, TN_INVALID_ARGUMENT, "Tensor conversion requested dtype float32 for Tensor with dtype int32: int32 (2,)",
            "'s/v'", "tn_cast(x, dtype) converts", true),
    MISTAKE(weights_of_another_shape, TN_INVALID_ARGUMENT,
            "Layer sequential weight shape (3, 2) is not compatible with provided weight shape (2, 3).", "'d/kernel'",
            "the values must come in the order and shapes of tn_get_weights(layer)", true),
    MISTAKE(gradients_of_a_loss_that_knows_nothing_of_the_variable, TN_INVALID_ARGUMENT, "No gradients provided for any variable.", "'v'",
            "make the tape before calling the model", true),
    MISTAKE(a_variable_that_the_optimizer_was_not_built_for, TN_INVALID_ARGUMENT,
            "Unknown variable: w. This optimizer can only be called for the variables it was originally built with. When working with a new set of "
            "variables, you should recreate a new optimizer instance.", "w", "you should recreate a new optimizer instance", true),
};

static void check_words(const tn_error *e, const char *words)
{
    if (!strstr(e->message, words))
        fail_msg("'%s' is not in:\n%s", words, e->message);
}

static void check_line(const tn_error *e, int line)
{
    check_words(e, tn_format("mistakes_test.c:%d", line));
}

static void the_message_says_what_where_and_how_to_mend_it(void **state)
{
    const struct mistake *m = *state;
    TN_SCOPE;
    CHECK_OK(tn_reset_default_graph());
    first_line = second_line = 0;
    m->make();
    const tn_error *e = tn_catch(m->kind);
    if (!e)
        CHECK_ERROR(m->kind, m->first); /* tells what there is instead */
    assert_non_null(e);
    if (strncmp(e->message, m->first, strlen(m->first)) != 0)
        fail_msg("'%s' does not begin:\n%s", m->first, e->message);
    check_words(e, m->variable);
    check_words(e, m->mend);
    check_line(e, second_line);
    if (m->both)
        check_line(e, first_line);
}

int main(void)
{
    enum { COUNT = sizeof mistakes / sizeof *mistakes };
    struct CMUnitTest tests[COUNT];
    tests_begin();
    for (size_t i = 0; i < COUNT; i++)
        tests[i] = (struct CMUnitTest){ mistakes[i].name, the_message_says_what_where_and_how_to_mend_it, NULL, NULL, (void *)(uintptr_t)&mistakes[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
