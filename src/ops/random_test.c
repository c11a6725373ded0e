/* random_test.c - literal numbers are TensorFlow's. */
#include "support/check_op.h"
#include "ops/random.h"

#define INTS(...) VALUES(TN_INT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)

static tn_tensor *ten(void)
{
    return VALUES(TN_INT32, TN_SHAPE(10), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
}

static void a_seed_gives_tensorflows_sequence(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_set_seed(1);
    CHECK_VALUES(tn_random_uniform(TN_SHAPE(3)), 0, 0.165130854f, 0.901481271f, 0.630974174f);
    CHECK_VALUES(tn_random_uniform(TN_SHAPE(3)), 0, 0.51010704f, 0.443531752f, 0.408533096f);
    CHECK_VALUES(tn_random_normal(TN_SHAPE(3)), 2e-6, -0.457012236, -0.406867266, 0.728577733);
    CHECK_VALUES(tn_random_truncated_normal(TN_SHAPE(3)), 2e-6, 1.6940167, 0.119693168,
                 -1.15846002);
    CHECK_VALUES(tn_random_uniform(TN_SHAPE(5), .maxval = 100, .dtype = TN_INT32), 0, 54, 54, 39,
                 52, 71);
}

static void an_ops_own_seed_goes_on_from_call_to_call(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_set_seed(1);
    CHECK_VALUES(tn_random_uniform(TN_SHAPE(5), .seed = 7), 0, 0.787847638f, 0.700397849f,
                 0.904196978f, 0.682453394f, 0.59884882f);
    CHECK_VALUES(tn_random_uniform(TN_SHAPE(5), .seed = 7), 0, 0.503038764f, 0.374333978f,
                 0.487165093f, 0.375302076f, 0.160940289f);
    CHECK_VALUES(tn_random_normal(TN_SHAPE(2), .seed = 7), 2e-6, -0.657312274, -0.21175845);
    CHECK_VALUES(tn_random_normal(TN_SHAPE(2), .seed = 9), 2e-6, -0.347608685, -1.49147725);
}

static void a_shuffle_moves_rows(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_set_seed(1);
    CHECK_VALUES(tn_rows(tn_random_shuffle(ten()), 0, 5), 0, 2, 4, 5, 6, 1);
    CHECK_VALUES(tn_rows(tn_random_shuffle(ten()), 0, 5), 0, 2, 8, 0, 5, 1);
    CHECK_VALUES(tn_rows(tn_random_shuffle(ten(), .seed = 3), 0, 5), 0, 7, 5, 9, 8, 0);
    CHECK_VALUES(tn_random_shuffle(VALUES(TN_FLOAT16, TN_SHAPE(1, 2), 3, 4)), 0, 3, 4);
    CHECK_VALUES(tn_random_shuffle(tn_scalar(5)), 0, 5);
}

static tn_tensor *draw_two(void *self, tn_list inputs)
{
    (void)self, (void)inputs;
    tn_tensor *x = tn_random_uniform(TN_SHAPE(4));
    return tn_tuple(x, tn_random_normal(TN_SHAPE(4)));
}

static tn_tensor *call_twice(void *self, tn_list inputs)
{
    tn_function *inner = self;
    tn_tensor *a = tn_item(tn_call_list(inner, inputs), 0),
              *b = tn_item(tn_call_list(inner, inputs), 0);
    return tn_tuple(a, b);
}

/* The numbers of a node go on; those of its copies in another function begin anew, each by itself.
 */
static void a_traced_ops_numbers_go_on(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_set_seed(1);
    tn_list none = tn_list_of(0, NULL);
    tn_function *f = tn_function(draw_two), *g = tn_function(call_twice, f);
    for (int run = 0; run < 2; run++) {
        tn_list y = tn_items(tn_call_list(f, none));
        if (run == 0) {
            CHECK_VALUES(y.item[0], 0, 0.812696457f, 0.0785746574f, 0.891685486f, 0.169255137f);
            CHECK_VALUES(y.item[1], 2e-6, 0.281833947, 2.38782835, 2.28040481, -0.308661997);
        } else {
            CHECK_VALUES(y.item[0], 0, 0.378069639f, 0.34213376f, 0.206093311f, 0.462092876f);
            CHECK_VALUES(y.item[1], 2e-6, -0.154115155, 0.364260495, 0.623502314, -0.0302388519);
        }
    }
    for (int run = 0; run < 2; run++) {
        tn_list y = tn_items(tn_call_list(g, none));
        CHECK_VALUES(tn_rows(y.item[0], 0, 1), 0, run ? 0.378069639f : 0.812696457f);
        CHECK_TENSOR(y.item[0], y.item[1], 0, 0);
    }
}

static tn_tensor *draw_with_a_graph_seed(void *self, tn_list inputs)
{
    (void)self, (void)inputs;
    tn_set_seed(42);
    tn_tensor *a = tn_random_uniform(TN_SHAPE(4)), *b = tn_random_normal(TN_SHAPE(4));
    return tn_tuple(a, b, tn_random_uniform(TN_SHAPE(4), .seed = 5));
}

static void a_seed_set_in_a_graph_is_the_graphs(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_set_seed(1);
    tn_function *f = tn_function(draw_with_a_graph_seed);
    tn_list y = tn_items(tn_call_list(f, tn_list_of(0, NULL)));
    CHECK_VALUES(y.item[0], 0, 0.835459113f, 0.916297317f, 0.494649529f, 0.521113276f);
    CHECK_VALUES(y.item[1], 2e-6, -1.49994695, -1.24204946, 0.52283144, -0.358792484);
    CHECK_VALUES(y.item[2], 0, 0.0262106657f, 0.4344697f, 0.266865373f, 0.710422039f);
    CHECK_VALUES(tn_rows(tn_random_uniform(TN_SHAPE(1)), 0, 1), 0, 0.165130854f);
}

static void stateless_numbers_are_a_function_of_the_seed(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *seed = INTS(1, 0);
    for (int again = 0; again < 2; again++) {
        CHECK_VALUES(tn_random_stateless_uniform(TN_SHAPE(2), INTS(0, 0)), 0, 0.211015463f,
                     0.706009984f);
        CHECK_VALUES(tn_random_stateless_uniform(TN_SHAPE(5), seed, .minval = -3, .maxval = 17,
                                                 .dtype = TN_INT32),
                     0, 6, 11, -3, 13, 8);
        CHECK_VALUES(tn_random_stateless_normal(TN_SHAPE(2), seed, .dtype = TN_FLOAT16), 1e-3,
                     0.126708984, -0.492919922);
        CHECK_VALUES(tn_random_stateless_truncated_normal(TN_SHAPE(2), seed), 2e-6, 0.126650304,
                     -0.493016571);
        CHECK_VALUES(tn_random_stateless_uniform(TN_SHAPE(2), seed, .dtype = TN_FLOAT64), 1e-9,
                     0.0279060331, 0.802330895);
        tn_tensor *any = tn_random_stateless_uniform(TN_SHAPE(2), seed, .dtype = TN_INT64);
        assert_true(((const uint64_t *)any->data)[0] == UINT64_C(11005355629705458253));
    }
    tn_list stream = tn__apply_list(&tn__op_StatelessRandomGetKeyCounter, NULL,
                                    (tn_tensor *[]){ INTS(1, 2) }, 1, 2);
    assert_true(*(const uint64_t *)stream.item[0]->data == UINT64_C(10413732777507651514));
    assert_true(((const uint64_t *)stream.item[1]->data)[1] == UINT64_C(17830669156045600267));
    assert_int_equal(tn_to_int(tn__apply(&tn__op_StatelessRandomGetAlg, NULL, NULL, 0)), 1);
}

static tn_tensor *like_the_input(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *x = tn_at(inputs, 0), *shape = tn_shape_tensor(x), *seed = INTS(3, 4);
    tn_tensor *sum = tn_add(tn__stateless_uniform(shape, seed, -1, 1, TN_FLOAT64),
                            tn__stateless_normal(shape, seed, 1, 2, TN_FLOAT64));
    sum = tn_add(sum, tn__stateless_truncated_normal(shape, seed, 0, 1, TN_FLOAT64));
    return tn_add(tn_multiply(x, sum),
                  tn_cast(tn__stateless_uniform_int(shape, seed, 2, 9, TN_INT64), TN_FLOAT64));
}

static void a_shape_may_be_known_in_the_run_only(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.body = like_the_input, .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 3), 0, 1, 1)));
}

static void wrong_arguments_are_named(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_random_uniform(TN_SHAPE(2), .dtype = TN_INT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Must specify maxval for integer dtype tf.int32");
    assert_null(tn_random_uniform(TN_SHAPE(2), .maxval = 3, .dtype = TN_UINT8));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Argument `dtype` got invalid value <dtype: 'uint8'>");
    assert_null(tn_random_uniform(TN_SHAPE(2), .minval = 5, .maxval = 5, .dtype = TN_INT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Need minval < maxval, got 5 >= 5");
    assert_null(tn_random_uniform(TN_SHAPE(2), .maxval = 3e9, .dtype = TN_INT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "3000000000 does not fit into int32");
    assert_null(tn_random_uniform(TN_SHAPE(-2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Dimension -2 must be >= 0");
    assert_null(tn_random_normal(.stddev = 2));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "shape must be given");
    assert_null(tn_random_stateless_normal(TN_SHAPE(2), INTS(1, 2, 3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "seed must have shape [2], not [3]");
    assert_int_equal(tn_random_uniform(TN_SHAPE(0, 3), .minval = 5, .maxval = 5, .dtype = TN_INT64)
                         ->shape.dims[1],
                     3);
}

static bool draw_much(void *self)
{
    (void)self;
    tn_set_random_seed(3);
    tn_tensor *a = tn_random_uniform(TN_SHAPE(40), .seed = 4), *b = tn_random_shuffle(a);
    tn_function *f = tn_function(draw_two);
    return b && tn_call_list(f, tn_list_of(0, NULL));
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(draw_much, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_tensorflows_sequence),
        cmocka_unit_test(an_ops_own_seed_goes_on_from_call_to_call),
        cmocka_unit_test(a_shuffle_moves_rows),
        cmocka_unit_test(a_traced_ops_numbers_go_on),
        cmocka_unit_test(a_seed_set_in_a_graph_is_the_graphs),
        cmocka_unit_test(stateless_numbers_are_a_function_of_the_seed),
        cmocka_unit_test(a_shape_may_be_known_in_the_run_only),
        cmocka_unit_test(wrong_arguments_are_named),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
