/* function_test.c - traced and eager functions: signatures, results, nesting, failures. */
#include "support/check.h"

typedef struct {
    int traced;
    tn_variable *w;
    tn_function *inner;
} body_state;

static tn_tensor *ones(int64_t n)
{
    return tn_ones(TN_SHAPE(n), TN_FLOAT32);
}

static tn_tensor *add_all(void *me, tn_list inputs)
{
    ((body_state *)me)->traced++;
    tn_tensor *x = tn_at(inputs, 0);
    if (tn_items(x).count > 1)
        return tn_add(tn_item(x, 0), tn_item(x, 1));
    return tn_add(x, tn_at(inputs, 1));
}

static void how_tuples_nest_is_part_of_the_signature(void **state)
{
    (void)state;
    TN_SCOPE;
    body_state s = { 0 };
    tn_function *f = tn_function(add_all, &s);
    tn_call(f, tn_tuple(ones(2), ones(2)));
    tn_call(f, ones(2), ones(2));
    tn_call(f, tn_tuple(ones(2), ones(2)));
    CHECK_NO_ERROR();
    assert_int_equal(s.traced, 2);
}

static tn_tensor *unchanged(void *me, tn_list inputs)
{
    body_state *s = me;
    s->traced++;
    tn_tensor *constant = tn_constant(TN_FLOAT32, TN_SHAPE(1), &(float){ 7 });
    return tn_tuple(tn_at(inputs, 0), constant, tn_tuple(s->w, tn_at(inputs, 1)));
}

static void inputs_constants_and_variables_come_out_as_they_are(void **state)
{
    (void)state;
    TN_SCOPE;
    body_state s = { .w = tn_variable(ones(1)) };
    tn_function *f = tn_function(unchanged, &s);
    for (int i = 0; i < 2; i++) {
        tn_tensor *y = tn_call(f, ones(3), tn_scalar(2));
        CHECK_NO_ERROR();
        assert_int_equal(tn_items(y).count, 3);
        assert_float_equal(tn_data_float32(tn_item(y, 0))[2], 1, 0);
        assert_float_equal(tn_data_float32(tn_item(y, 1))[0], 7, 0);
        tn_tensor *inner = tn_item(y, 2);
        assert_float_equal(tn_data_float32(tn_item(inner, 0))[0], 1 + 4 * i, 0);
        /* the number that was static is an ordinary tensor now: another trace does not begin for its value */
        assert_int_equal(tn_to_int(tn_item(inner, 1)), 2);
        assert_null(tn_add(tn_item(inner, 1), ones(1)));
        CHECK_ERROR(TN_INVALID_ARGUMENT, "was expected to be a");
        tn_assign(s.w, tn_add(s.w, tn_constant(TN_FLOAT32, TN_SHAPE(1), &(float){ 4 })));
    }
    assert_int_equal(s.traced, 1);
}

static tn_tensor *scaled(void *me, tn_list inputs)
{
    ((body_state *)me)->traced++;
    return tn_multiply(tn_at(inputs, 0), tn_at(inputs, 1));
}

static void a_number_is_static_and_a_variable_is_itself(void **state)
{
    (void)state;
    TN_SCOPE;
    body_state s = { 0 };
    tn_function *f = tn_function(scaled, &s);
    assert_float_equal(tn_data_float32(tn_call(f, ones(1), tn_scalar(2.0)))[0], 2, 0);
    assert_float_equal(tn_data_float32(tn_call(f, ones(1), tn_scalar(3.0)))[0], 3, 0);
    assert_float_equal(tn_data_float32(tn_call(f, ones(1), tn_scalar(2.0)))[0], 2, 0);
    assert_int_equal(s.traced, 2);
    tn_variable *v = tn_variable(ones(1)), *w = tn_variable(ones(1));
    tn_call(f, ones(1), v);
    tn_assign(v, tn_constant(TN_FLOAT32, TN_SHAPE(1), &(float){ 5 }));
    assert_float_equal(tn_data_float32(tn_call(f, ones(1), v))[0], 5, 0);
    assert_float_equal(tn_data_float32(tn_call(f, ones(1), w))[0], 1, 0);
    assert_int_equal(s.traced, 4);
    CHECK_NO_ERROR();
}

static void too_few_inputs_are_told_and_leave_earlier_traces_usable(void **state)
{
    (void)state;
    TN_SCOPE;
    body_state s = { 0 };
    tn_function *f = tn_function(scaled, &s);
    tn_call(f, ones(2), ones(2));
    assert_null(tn_call(f, ones(2)));
    CHECK_ERROR(TN_OUT_OF_RANGE, "item 1 of a list of 1");
    assert_null(tn_call(f, ones(2), ones(3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "while tracing scaled");
    assert_float_equal(tn_data_float32(tn_call(f, ones(2), ones(2)))[1], 1, 0);
    CHECK_NO_ERROR();
    assert_int_equal(tn_trace_count(f), 1);
}

static tn_tensor *calls_itself(void *me, tn_list inputs)
{
    return tn_call(((body_state *)me)->inner, tn_at(inputs, 0));
}

static void a_function_that_calls_itself_without_end_is_an_error(void **state)
{
    (void)state;
    TN_SCOPE;
    body_state s = { 0 };
    s.inner = tn_function(calls_itself, &s);
    assert_null(tn_call(s.inner, ones(1)));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "maximum recursion depth exceeded");
    s.inner = tn_function(calls_itself, &s, .eager = true);
    assert_null(tn_call(s.inner, ones(1)));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "maximum recursion depth exceeded");
}

static tn_tensor *calls_inner(void *me, tn_list inputs)
{
    body_state *s = me;
    s->traced++;
    return tn_add(tn_call(s->inner, tn_at(inputs, 0), tn_scalar(3.0)), tn_scalar(1.0));
}

static void functions_call_functions_and_tapes_see_through(void **state)
{
    (void)state;
    TN_SCOPE;
    body_state in = { 0 }, out = { 0 };
    out.inner = tn_function(scaled, &in);
    tn_function *f = tn_function(calls_inner, &out);
    tn_variable *v = tn_variable(ones(2));
    for (int i = 0; i < 2; i++) {
        tn_tape *tape = tn_gradient_tape();
        tn_tensor *y = tn_reduce_sum(tn_call(f, tn_square(v)));
        assert_float_equal(tn_data_float32(tn_gradient_of(tape, y, v))[0], 6, 0);
    }
    CHECK_NO_ERROR();
    assert_int_equal(in.traced, 1);
    assert_int_equal(out.traced, 1);
}

static tn_tensor *first_input(void *me, tn_list inputs)
{
    ((body_state *)me)->traced++;
    return tn_square(tn_at(inputs, 0));
}

static void an_input_signature_is_what_every_call_must_fit(void **state)
{
    (void)state;
    TN_SCOPE;
    body_state s = { 0 };
    tn_function *f = tn_function(first_input, &s, .input_signature = TN_LIST(tn_input(TN_SHAPE(3))));
    for (int i = 1; i < 4; i++)
        assert_non_null(tn_call(f, tn_ones(TN_SHAPE(i, 3), TN_FLOAT32)));
    CHECK_NO_ERROR();
    assert_int_equal(s.traced, 1);
    assert_null(tn_call(f, tn_ones(TN_SHAPE(1, 4), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Binding inputs to tf.function failed due to `Can not cast TensorSpec(shape=(1, 4), dtype=tf.float32, name=None) to TensorSpec(shape=(None, 3), dtype=tf.float32, name=None)`");
    assert_null(tn_call(f, tn_ones(TN_SHAPE(1, 3), TN_FLOAT32), ones(1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Binding inputs to tf.function failed due to `too many positional arguments`.");
}

static void a_function_called_on_a_functional_models_tensor_is_part_of_that_model(void **state)
{
    (void)state;
    TN_SCOPE;
    body_state s = { 0 };
    tn_function *f = tn_function(first_input, &s);
    tn_tensor *x = tn_input(TN_SHAPE(2));
    tn_model *model = tn_model(x, tn_call(f, x));
    CHECK_NO_ERROR();
    assert_float_equal(tn_data_float32(tn_call(model, tn_constant(TN_FLOAT32, TN_SHAPE(1, 2), (float[]){ 3, 4 })))[1], 16, 0);
}

static tn_tensor *leak;
static tn_tensor *leaks_its_input(void *me, tn_list inputs)
{
    (void)me;
    leak = tn_keep_root(tn_at(inputs, 0));
    return leak;
}

static void a_traced_tensor_is_refused_outside_its_trace(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_function *f = tn_function(leaks_its_input, NULL);
    tn_call(f, ones(2));
    assert_null(tn_square(leak));
    const tn_error *e = tn_catch(TN_INVALID_ARGUMENT);
    assert_non_null(e);
    assert_string_equal(e->first_line, "float32 (2,) is out of scope and cannot be used here. Use return values, explicit Python locals or "
                                       "TensorFlow collections to access it.");
    assert_non_null(strstr(e->message, "\ninput 0 of Square is a tensor of a graph that is not being built now, so it has no value; it was made at "));
    assert_non_null(strstr(e->message, "what is made in a body leaves it by its return"));
    tn_free(f);
    assert_null(tn_square(leak));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a graph that is not being built now");
    tn_free(leak);
}

static tn_tensor *lifts(void *me, tn_list inputs)
{
    body_state *s = me;
    tn_assign(s->w, tn_at(inputs, 0)); /* must not run when the first value of what follows is computed */
    if (!s->inner) {
        static int once;
        s->inner = (tn_function *)&once;
        tn_variable(tn_square(ones(2)));
    }
    return tn_read_value(s->w);
}

static void a_first_value_is_computed_without_the_traces_effects(void **state)
{
    (void)state;
    TN_SCOPE;
    body_state s = { .w = tn_variable(tn_zeros(TN_SHAPE(1), TN_FLOAT32)) };
    tn_function *f = tn_function(lifts, &s);
    tn_tensor *y = tn_call(f, ones(1));
    CHECK_NO_ERROR();
    assert_float_equal(tn_data_float32(y)[0], 1, 0);
}

static bool call_with_tuples(void *unused)
{
    (void)unused;
    body_state s = { .w = NULL }, t = { 0 };
    s.w = tn_variable(ones(1));
    tn_function *f = tn_function(unchanged, &s), *g = tn_function(add_all, &t);
    tn_tensor *y = tn_call(f, ones(3), tn_scalar(2));
    y = tn_call(g, tn_tuple(tn_item(y, 0), ones(3)));
    tn_tape *tape = tn_gradient_tape(.persistent = true);
    tn_tensor *z = tn_call(g, tn_tuple(s.w, s.w));
    return y && tn_gradient_of(tape, tn_square(z), s.w) && tn_gradient_of(tape, z, s.w);
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(call_with_tuples, NULL);
}

static void calls_in_a_loop_keep_memory_constant(void **state)
{
    (void)state;
    TN_SCOPE;
    body_state s = { 0 };
    tn_function *f = tn_function(scaled, &s);
    tn_tensor *x = tn_ones(TN_SHAPE(30), TN_FLOAT32);
    size_t handles = 0, allocations = 0;
    for (int i = 0; i < 50; i++) {
        TN_SCOPE;
        tn_call(f, x, x);
        if (i == 10) {
            handles = tn_live_handles();
            allocations = live_allocations();
        }
        if (i > 10) {
            assert_int_equal(tn_live_handles(), handles);
            assert_int_equal(live_allocations(), allocations);
        }
    }
    CHECK_NO_ERROR();
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_tuples_nest_is_part_of_the_signature),
        cmocka_unit_test(inputs_constants_and_variables_come_out_as_they_are),
        cmocka_unit_test(a_number_is_static_and_a_variable_is_itself),
        cmocka_unit_test(too_few_inputs_are_told_and_leave_earlier_traces_usable),
        cmocka_unit_test(a_function_that_calls_itself_without_end_is_an_error),
        cmocka_unit_test(functions_call_functions_and_tapes_see_through),
        cmocka_unit_test(an_input_signature_is_what_every_call_must_fit),
        cmocka_unit_test(a_function_called_on_a_functional_models_tensor_is_part_of_that_model),
        cmocka_unit_test(a_traced_tensor_is_refused_outside_its_trace),
        cmocka_unit_test(a_first_value_is_computed_without_the_traces_effects),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
        cmocka_unit_test(calls_in_a_loop_keep_memory_constant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
