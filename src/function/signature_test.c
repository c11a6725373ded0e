/* signature_test.c - which trace serves a call, the warning about too many, concrete functions, and
 * the variables of a function. */
#include "support/check.h"

typedef struct {
    int bodies;
    char shapes[256];
    tn_variable *a, *b, *c;
    tn_function *inner;
    bool fails;
} state_of;

static tn_tensor *ones(int64_t n)
{
    return tn_ones(TN_SHAPE(n), TN_FLOAT32);
}

static tn_tensor *notes_shape(void *me, tn_list inputs)
{
    state_of *s = me;
    s->bodies++;
    for (size_t i = 0; i < inputs.count; i++)
        snprintf(s->shapes + strlen(s->shapes), sizeof s->shapes - strlen(s->shapes), "%s%s",
                 tn_shape_text(inputs.item[i]), i + 1 < inputs.count ? " " : ";");
    return tn_square(tn_at(inputs, 0));
}

/* --- generalised shapes: the counts and shapes of TensorFlow 2.21
 * ---------------------------------------------------------- */
static void check_row(size_t count, const tn_shape *shapes, const int *traces, const char *traced)
{
    TN_SCOPE;
    state_of s = { 0 };
    tn_function *f = tn_function(notes_shape, &s, .reduce_retracing = true);
    for (size_t i = 0; i < count; i++) {
        tn_tensor *y = tn_call(f, tn_ones(shapes[i], TN_FLOAT32));
        CHECK_NO_ERROR();
        assert_int_equal(tn_trace_count(f), traces[i]);
        assert_string_equal(tn_shape_text(y), tn_shape_text(tn_ones(shapes[i], TN_FLOAT32)));
    }
    assert_string_equal(s.shapes, traced);
}
#define CHECK_ROW(traced, counts, ...)                                \
    check_row(sizeof((tn_shape[]){ __VA_ARGS__ }) / sizeof(tn_shape), \
              (const tn_shape[]){ __VA_ARGS__ }, counts, traced)

static void reduced_retracing_leaves_open_what_differed(void **state)
{
    (void)state;
    const int two[] = { 1, 2, 2, 2, 2 }, three[] = { 1, 2, 3, 3 };
    CHECK_ROW("(1, 3);(None, 3);", two, TN_SHAPE(1, 3), TN_SHAPE(2, 3), TN_SHAPE(3, 3),
              TN_SHAPE(4, 3));
    CHECK_ROW("(1, 3);(None, None);", two, TN_SHAPE(1, 3), TN_SHAPE(2, 4), TN_SHAPE(3, 3),
              TN_SHAPE(4, 5));
    CHECK_ROW("(1, 3);(None, 3);(None, None);", three, TN_SHAPE(1, 3), TN_SHAPE(2, 3),
              TN_SHAPE(2, 4), TN_SHAPE(5, 6));
    CHECK_ROW("(3,);<unknown>;", two, TN_SHAPE(3), TN_SHAPE(3, 4), TN_SHAPE(5), TN_SHAPE(2, 2, 2),
              TN_SHAPE(5, 6));
    CHECK_ROW("(1, 3);(None, 3);", two, TN_SHAPE(1, 3), TN_SHAPE(2, 3), TN_SHAPE(1, 3),
              TN_SHAPE(2, 3));
}

static void each_input_and_dtype_is_generalised_with_its_like(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of s = { 0 };
    tn_function *f = tn_function(notes_shape, &s, .reduce_retracing = true);
    static const int rows[][4] = { { 1, 2, 0, 1 }, { 1, 3, 0, 2 }, { 2, 3, 0, 3 },
                                   { 2, 3, 1, 4 }, { 4, 3, 1, 5 }, { 9, 7, 1, 6 } };
    for (size_t i = 0; i < 6; i++) {
        tn_call(f, tn_ones(TN_SHAPE(rows[i][0], 3), rows[i][2] ? TN_INT32 : TN_FLOAT32),
                ones(rows[i][1]));
        assert_int_equal(tn_trace_count(f), rows[i][3]);
    }
    CHECK_NO_ERROR();
    assert_string_equal(s.shapes, "(1, 3) (2,);(1, 3) (None,);(None, 3) (None,);(2, 3) (3,);(None, "
                                  "3) (3,);(None, 3) (None,);");
}

static void numbers_are_never_generalised(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of s = { 0 };
    tn_function *f = tn_function(notes_shape, &s, .reduce_retracing = true);
    for (int i = 1; i < 5; i++)
        tn_call(f, ones(i), tn_scalar(i));
    CHECK_NO_ERROR();
    assert_string_equal(s.shapes, "(1,) ();(2,) ();(3,) ();(4,) ();");
}

static void the_training_flag_is_part_of_the_signature_and_not_said_is_false(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of s = { 0 };
    tn_function *f = tn_function(notes_shape, &s);
    tn_call(f, ones(1));
    tn_call_with(f, TN_LIST(ones(1)), .training = false);
    assert_int_equal(tn_trace_count(f), 1);
    tn_call_with(f, TN_LIST(ones(1)), .training = true);
    assert_int_equal(tn_trace_count(f), 2);
    CHECK_NO_ERROR();
}

static void an_input_signature_takes_variables_and_numbers_as_tensors(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of s = { 0 };
    tn_variable *v = tn_variable(ones(1));
    tn_function *f = tn_function(notes_shape, &s, .input_signature = TN_LIST(tn_input(TN_SCALAR)));
    for (int i = 0; i < 2; i++) {
        assert_float_equal(tn_data_float32(tn_call(f, v))[0], 1 + 3 * i, 0);
        tn_assign(v, tn_constant(TN_FLOAT32, TN_SHAPE(1), &(float){ 2 }));
    }
    tn_tape *tape = tn_gradient_tape();
    assert_float_equal(tn_data_float32(tn_gradient_of(tape, tn_call(f, v), v))[0], 4, 0);
    CHECK_NO_ERROR();
    assert_int_equal(tn_trace_count(f), 1);
    assert_null(tn_call_list(f, ((tn_list){ 0, NULL })));
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Binding inputs to tf.function failed due to `missing a required argument: 'input 0'`.");
    assert_null(tn_call(f, tn_ones(TN_SHAPE(2), TN_INT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Binding inputs to tf.function failed due to `Can not cast "
                                     "TensorSpec(shape=(2,), dtype=tf.int32, name=None) "
                                     "to TensorSpec(shape=(None,), dtype=tf.float32, name=None)`.");
}

static tn_tensor *adds_a_pair(void *me, tn_list inputs)
{
    (void)me;
    tn_tensor *pair = tn_at(inputs, 0);
    return tn_add(tn_item(pair, 0), tn_multiply(tn_item(pair, 1), tn_at(inputs, 1)));
}

/* As tf.function(input_signature=[(TensorSpec([None]), TensorSpec([2])), TensorSpec([])]). */
static void an_input_signature_may_have_tuples_and_tensors_for_their_own_shapes(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_function *f =
        tn_function(adds_a_pair, .input_signature = TN_LIST(tn_tuple(tn_input(TN_SCALAR), ones(2)),
                                                            tn_zeros(TN_SCALAR, TN_FLOAT32)));
    for (int i = 1; i < 3; i++)
        assert_float_equal(
            tn_data_float32(tn_call(f, tn_tuple(ones(i), ones(2)), tn_scalar(3.0)))[1], 4, 0);
    CHECK_NO_ERROR();
    assert_int_equal(tn_trace_count(f), 1);
    assert_null(tn_call(f, ones(2), ones(2), tn_scalar(3.0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "adds_a_pair takes inputs that nest as (..)., where . is a tensor or "
                "number and (..) a tuple of two, the call has ...");
    assert_null(tn_call(f, tn_tuple(ones(2), ones(3)), tn_scalar(3.0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "input 1 of adds_a_pair is float32 (3,), float32 (2,) is expected");
    state_of s = { 0 };
    tn_function *flat = tn_function(
        notes_shape, &s, .input_signature = TN_LIST(tn_input(TN_SCALAR), tn_input(TN_SCALAR)));
    assert_null(tn_call(flat, tn_tuple(ones(2), ones(2))));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "notes_shape takes inputs that nest as ..");
}

/* --- the warning
 * -----------------------------------------------------------------------------------------------------------
 */
static char warned[2048];
static int warnings;

static void take_warning(void *self, tn_sink_kind kind, const char *text, size_t size)
{
    (void)self;
    if (kind != TN_SINK_WARNING)
        return;
    warnings++;
    snprintf(warned, sizeof warned, "%.*s", (int)size, text);
}

static void retracing_at_most_calls_is_warned_of_twice(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of s = { 0 };
    warnings = 0;
    tn_set_sink((tn_sink){ .write = take_warning });
    tn_function *f = tn_function(notes_shape, &s);
    for (int i = 1; i < 5; i++)
        tn_call(f, ones(i));
    assert_int_equal(warnings, 0);
    tn_call(f, ones(1));
    assert_int_equal(warnings, 0);
    tn_call(f, ones(5));
    assert_int_equal(warnings, 1);
    assert_non_null(strstr(warned, "5 out of the last 6 calls to <function notes_shape> triggered "
                                   "tf.function retracing. Tracing is expensive"));
    for (int i = 6; i < 20; i++)
        tn_call(f, ones(i));
    assert_int_equal(warnings, 2);
    tn_function *calm = tn_function(notes_shape, &s);
    for (int i = 0; i < 40; i++) /* a trace at every fourth call is not too many */
        tn_call(calm, ones(1 + i / 4));
    assert_int_equal(warnings, 2);
    tn_set_sink((tn_sink){ 0 });
    CHECK_NO_ERROR();
}

/* --- concrete functions
 * ----------------------------------------------------------------------------------------------------
 */
static tn_tensor *scales(void *me, tn_list inputs)
{
    state_of *s = me;
    s->bodies++;
    tn_tensor *y = tn_multiply(tn_at(inputs, 0), tn_at(inputs, 1));
    return s->a ? tn_multiply(y, s->a) : y;
}

static void a_concrete_function_is_one_trace_and_takes_nothing_else(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of s = { .a = tn_variable(ones(3), .name = "a") };
    tn_function *f = tn_function(scales, &s);
    tn_function *c = tn_get_concrete_function(f, TN_LIST(tn_input(TN_SHAPE(3)), tn_scalar(3)));
    CHECK_NO_ERROR();
    assert_int_equal(s.bodies, 1);
    for (int i = 1; i < 4; i++)
        assert_float_equal(
            tn_data_float32(tn_call(c, tn_ones(TN_SHAPE(i, 3), TN_FLOAT32), tn_scalar(3)))[0], 3,
            0);
    assert_ptr_equal(tn_variables(c).item[0], s.a);
    assert_non_null(tn_call(f, tn_ones(TN_SHAPE(2, 3), TN_FLOAT32),
                            tn_scalar(3))); /* the trace is the function's too */
    assert_int_equal(s.bodies, 1);
    assert_null(tn_call(c, tn_ones(TN_SHAPE(2, 4), TN_FLOAT32), tn_scalar(3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Binding inputs to tf.function failed due to `Can not cast "
                                     "TensorSpec(shape=(2, 4), dtype=tf.float32, name=None) "
                                     "to TensorSpec(shape=(None, 3), dtype=tf.float32, "
                                     "name=None)`.\ninput 0 of scales is float32 (2, 4)");
    assert_null(tn_call(c, tn_ones(TN_SHAPE(2, 3), TN_FLOAT64), tn_scalar(3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "dtype=tf.float64");
    assert_null(tn_call(c, tn_ones(TN_SHAPE(2, 3), TN_FLOAT32), tn_scalar(4)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Can not cast Literal[4] to Literal[3]`.\ninput 1 of scales "
                                     "is the number 4, and the trace is for 3 alone");
    assert_null(tn_call(c, tn_ones(TN_SHAPE(2, 3), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "missing a required argument: 'input 1'");
    assert_null(tn_call(c, tn_tuple(tn_ones(TN_SHAPE(2, 3), TN_FLOAT32), tn_scalar(3))));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "to tuple type.`.\nscales takes inputs that nest as .., where "
                                     ". is a tensor or number and (..) a tuple of "
                                     "two, the call has (..)");
    assert_int_equal(s.bodies, 1);
    tn_free(f);
    assert_non_null(tn_call(c, tn_ones(TN_SHAPE(2, 3), TN_FLOAT32), tn_scalar(3)));
    assert_null(tn_get_concrete_function(c, TN_LIST(ones(1))));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "scales is one trace already");
    assert_null(tn_get_concrete_function(tn_function(scales, &s, .eager = true), TN_LIST(ones(1))));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "scales is eager: it is not traced");
}

/* --- rule 7: the variables of a function
 * ------------------------------------------------------------------------------------ */
static tn_tensor *uses(void *me, tn_list inputs)
{
    state_of *s = me;
    int64_t how = tn_to_int(tn_at(inputs, 1));
    tn_tensor *x = tn_at(inputs, 0);
    x = tn_multiply(x, s->b);
    if (how > 0)
        x = tn_call(s->inner, x, tn_scalar(how - 1));
    tn_assign(s->a, x);
    x = tn_multiply(x, s->b);
    return s->fails ? tn_fail(TN_CANCELLED, "as asked") : x;
}

static tn_tensor *uses_c(void *me, tn_list inputs)
{
    return tn_add(((state_of *)me)->c, tn_at(inputs, 0));
}

static void check_variables(tn_function *f, size_t count, tn_variable *const *expected, int line)
{
    tn_list variables = tn_variables(f);
    CHECK_NO_ERROR();
    if (variables.count != count)
        print_error("line %d: %s\n", line, tn_list_text(variables));
    assert_int_equal(variables.count, count);
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(variables.item[i], expected[i]);
}
#define CHECK_VARIABLES(f, ...)                                                          \
    check_variables(f, sizeof((tn_variable *[]){ __VA_ARGS__ }) / sizeof(tn_variable *), \
                    (tn_variable *[]){ __VA_ARGS__ }, __LINE__)

static void check_uses(bool eager)
{
    TN_SCOPE;
    state_of s = { .a = tn_variable(ones(1), .name = "a"),
                   .b = tn_variable(ones(1), .name = "b", .trainable = false),
                   .c = tn_variable(ones(1), .name = "c") };
    tn_function *f = tn_function(uses, &s, .eager = eager),
                *other = tn_function(uses_c, &s, .eager = eager);
    tn_function *itself = tn_function(uses, &s, .eager = eager);
    assert_int_equal(tn_variables(f).count, 0);
    for (int round = 0; round < 2; round++) {
        s.inner = other;
        tn_call(f, ones(1), tn_scalar(0));
        CHECK_VARIABLES(f, s.b, s.a);
        tn_call(f, ones(1), tn_scalar(1));
        CHECK_VARIABLES(f, s.b, s.c, s.a);
        CHECK_VARIABLES(other, s.c);
        s.inner = itself;
        tn_call(itself, ones(1), tn_scalar(2));
        CHECK_VARIABLES(itself, s.b, s.a);
        assert_int_equal(tn_trainable_variables(itself).count, 1);
        assert_ptr_equal(tn_trainable_variables(itself).item[0], s.a);
        /* A call that fails replaces the list too. */
        s.inner = other;
        s.fails = true;
        assert_null(tn_call(f, ones(1), tn_scalar(10 + round)));
        CHECK_ERROR(TN_CANCELLED, "as asked");
        CHECK_VARIABLES(f, s.b, s.c, s.a);
        s.fails = false;
    }
    assert_null(tn_call_list(f, ((tn_list){ 0, NULL })));
    assert_non_null(tn_catch(TN_ANY_ERROR));
    assert_int_equal(tn_variables(f).count, 0);
}

static void a_function_knows_what_its_latest_call_used_in_order(void **state)
{
    (void)state;
    check_uses(true);
    check_uses(false);
}

static tn_tensor *calls_inner(void *me, tn_list inputs)
{
    return tn_call(((state_of *)me)->inner, tn_at(inputs, 0), tn_scalar(0));
}

static void a_trace_that_is_run_inside_an_eager_call_counts_for_it(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of s = { .a = tn_variable(ones(1)), .b = tn_variable(ones(1)) },
             outer = { .inner = tn_function(uses, &s) };
    tn_function *f = tn_function(calls_inner, &outer, .eager = true);
    for (int i = 0; i < 2; i++) {
        tn_call(f, ones(1));
        CHECK_VARIABLES(f, s.b, s.a);
        outer.bodies++;
    }
    tn_layer *dense = tn_dense(2);
    assert_int_equal(tn_variables(dense).count, 0); /* the same word asks a layer */
    CHECK_NO_ERROR();
}

static int first_line, second_line;
static tn_tensor *makes_two(void *me, tn_list inputs)
{
    state_of *s = me;
    if (!s->a) {
        first_line = __LINE__ + 1;
        s->a = tn_variable(ones(1), .name = "weights");
        TN_WITH(tn_name_scope(s->fails ? "" : "layer_1"));
        second_line = __LINE__ + 1;
        s->b = tn_variable(ones(1), .name = "weights");
        tn_variable(ones(1)), tn_variable(ones(1)); /* names that nobody gave do not meet */
    }
    return tn_add(tn_multiply(tn_at(inputs, 0), s->a), s->b);
}

static void two_variables_of_one_given_name_are_told_with_both_sites(void **state)
{
    (void)state;
    for (int traced = 0; traced < 2; traced++) {
        TN_SCOPE;
        state_of s = { .fails = true }, t = { 0 };
        tn_function *f = tn_function(makes_two, &s, .eager = !traced),
                    *g = tn_function(makes_two, &t, .eager = !traced);
        assert_non_null(tn_call(f, ones(1)));
        assert_null(tn_variables(f).item);
        const tn_error *e = tn_catch(TN_ALREADY_EXISTS);
        assert_non_null(e);
        assert_string_equal(e->first_line,
                            "Variable weights already exists, disallowed. Did you mean to set "
                            "reuse=True or reuse=tf.AUTO_REUSE in VarScope?");
        char sites[64];
        snprintf(sites, sizeof sites, "signature_test.c:%d and at", first_line);
        assert_non_null(strstr(e->message, sites));
        snprintf(sites, sizeof sites, "signature_test.c:%d\n", second_line);
        assert_non_null(strstr(e->message, sites));
        assert_non_null(strstr(e->message, "make them in name scopes of their own"));
        tn_call(g, ones(1));
        assert_int_equal(tn_variables(g).count, traced ? 2 : 4);
        CHECK_NO_ERROR();
    }
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reduced_retracing_leaves_open_what_differed),
        cmocka_unit_test(each_input_and_dtype_is_generalised_with_its_like),
        cmocka_unit_test(numbers_are_never_generalised),
        cmocka_unit_test(the_training_flag_is_part_of_the_signature_and_not_said_is_false),
        cmocka_unit_test(an_input_signature_takes_variables_and_numbers_as_tensors),
        cmocka_unit_test(an_input_signature_may_have_tuples_and_tensors_for_their_own_shapes),
        cmocka_unit_test(retracing_at_most_calls_is_warned_of_twice),
        cmocka_unit_test(a_concrete_function_is_one_trace_and_takes_nothing_else),
        cmocka_unit_test(a_function_knows_what_its_latest_call_used_in_order),
        cmocka_unit_test(a_trace_that_is_run_inside_an_eager_call_counts_for_it),
        cmocka_unit_test(two_variables_of_one_given_name_are_told_with_both_sites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
