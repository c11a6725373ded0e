/* fuse_test.c - which steps become one, and that the numbers stay. */
#include "plan/dump.h"
#include "ops/conv.h"
#include "ops/ops.h"
#include "support/check_op.h"

typedef struct {
    tn_graph *graph;
    tn_tensor *in, *feed;
    tn__program *program;
} building;

static building begin(int64_t rows, int64_t columns)
{
    tn_context *context = tn__context();
    tn_shape shape = TN_SHAPE(rows, columns);
    building b = { .graph = tn__own(tn__graph_new()), .feed = tn_random_normal(shape, .seed = 1) };
    CHECK_OK(tn__graph_input(context, b.graph, TN_FLOAT32, &shape, "x", &b.in));
    tn__own(b.in);
    context->graph = b.graph;
    return b;
}

static size_t steps_after_compiling(building *b, tn_list fetches)
{
    tn_context *context = tn__context();
    context->graph = NULL;
    tn__request request = { context, b->graph, &b->in, &b->feed, 1, fetches.item, fetches.count, true };
    CHECK_OK(tn__program_compile(&request, &b->program));
    return b->program->step.count;
}

static tn_tensor **results_of(building *b, tn_list fetches)
{
    tn_tensor **results = tn__scope_alloc(fetches.count * sizeof *results);
    CHECK_OK(tn__program_run(tn__context(), b->program, &b->feed, results));
    for (size_t i = 0; i < fetches.count; i++)
        tn__own(results[i]);
    tn__program_release(b->program);
    return results;
}

/* Every element-wise op of the chain, with operands that are broadcast in every way that a chain reads. */
static tn_tensor *long_chain(tn_tensor *x, tn_tensor *row, tn_tensor *column, tn_tensor *one)
{
    tn_tensor *y = tn_add(tn_multiply(x, row), column);
    tn_tensor *z = tn_maximum(tn_tanh(y), tn_multiply(tn_sigmoid(x), one));
    return tn_divide(tn_subtract(tn_exp(z), tn_square(y)), tn_sqrt(tn_add(tn_abs(y), one)));
}

static void a_chain_is_one_step_and_gives_the_same_numbers(void **state)
{
    (void)state;
    const int64_t sizes[][2] = { { 1, 1 }, { 3, 5 }, { 40, 31 }, { 64, 64 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        TN_SCOPE;
        int64_t rows = sizes[i][0], columns = sizes[i][1];
        tn_tensor *row = tn_random_normal(TN_SHAPE(columns), .seed = 2), *column = tn_random_normal(TN_SHAPE(rows, 1), .seed = 3);
        tn_tensor *one = tn_ones(TN_SHAPE(1), TN_FLOAT32);
        building b = begin(rows, columns);
        tn_tensor *y = long_chain(b.in, row, column, one);
        assert_int_equal(steps_after_compiling(&b, TN_LIST(y)), 1);
        CHECK_TENSOR(results_of(&b, TN_LIST(y))[0], long_chain(b.feed, row, column, one), 1e-6, 1e-6);
    }
}

static void what_something_else_asks_for_is_there_before_it_runs(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(20, 30);
    tn_tensor *a = tn_square(tn_negative(b.in)), *sum = tn_reduce_sum(a), *y = tn_add(tn_exp(tn_negative(a)), sum);
    assert_int_equal(steps_after_compiling(&b, TN_LIST(y, a)), 2); /* one with the sum, one behind it */
    tn_tensor **got = results_of(&b, TN_LIST(y, a)), *squares = tn_square(b.feed);
    CHECK_TENSOR(got[1], squares, 0, 0);
    CHECK_TENSOR(got[0], tn_add(tn_exp(tn_negative(squares)), tn_reduce_sum(squares)), 1e-6, 1e-6);
}

static void other_shapes_and_types_stay_out(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(4, 6);
    tn_tensor *mean = tn_reduce_mean(b.in, TN_AXES(1)), *y = tn_negative(tn_square(mean));
    tn_tensor *whole = tn_cast(tn_square(tn_cast(b.in, TN_INT32)), TN_FLOAT32);
    steps_after_compiling(&b, TN_LIST(y, whole));
    size_t chains = 0;
    for (size_t i = 0; i < b.program->step.count; i++)
        chains += b.program->step.item[i].way == TN__CHAIN;
    assert_int_equal(chains, 1);
    tn_tensor **got = results_of(&b, TN_LIST(y, whole));
    CHECK_TENSOR(got[0], tn_negative(tn_square(tn_reduce_mean(b.feed, TN_AXES(1)))), 1e-6, 1e-6);
    CHECK_TENSOR(got[1], tn_cast(tn_square(tn_cast(b.feed, TN_INT32)), TN_FLOAT32), 0, 0);
}

/* More steps, and more operands, than one chain holds. */
static void long_chains_are_cut(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(10, 10);
    tn_tensor *y = b.in, *expected = b.feed;
    for (int i = 0; i < 100; i++)
        y = tn_add(tn_multiply(y, tn_constant(TN_FLOAT32, TN_SCALAR, (float[]){ 0.5f })), tn_fill(TN_SHAPE(10), tn_scalar((double)i)));
    size_t steps = steps_after_compiling(&b, TN_LIST(y));
    assert_true(steps > 5 && steps < 40);
    for (int i = 0; i < 100; i++)
        expected = tn_add(tn_multiply(expected, tn_scalar(0.5)), tn_scalar((double)i));
    CHECK_TENSOR(results_of(&b, TN_LIST(y))[0], expected, 1e-6, 1e-6);
}

typedef struct {
    tn_tensor *w, *bias, *beside; /* the last as large as the result */
} weights;

static tn_tensor *dense(tn_tensor *x, const weights *w)
{
    return tn_nn_relu(tn_add(tn_matmul(x, w->w), w->bias));
}

static tn_tensor *linear(tn_tensor *x, const weights *w)
{
    return tn_nn_bias_add(.value = tn_matmul(x, w->w), .bias = w->bias);
}

static tn_tensor *image(tn_tensor *x, const weights *w)
{
    tn_tensor *one = tn_reshape(x, TN_SHAPE(1, 20, 20, 1)), *filter = tn_reshape(w->w, TN_SHAPE(5, 4, 1, 13));
    return tn_nn_relu(tn_add(w->bias, tn_nn_conv2d(one, filter, .padding = "SAME")));
}

/* As one step, bit for bit what it gives as several. */
static void check_product(int64_t rows, tn_tensor *(*f)(tn_tensor *x, const weights *w), const weights *w, const char *text)
{
    building b = begin(rows, 20);
    tn_tensor *y = f(b.in, w);
    steps_after_compiling(&b, TN_LIST(y));
    tn__text dump = { 0 };
    tn__program_print(b.program, &dump);
    if (!strstr(tn__text_get(&dump), text))
        fail_msg("no '%s' in\n%s", text, tn__text_get(&dump));
    tn__text_free(&dump);
    CHECK_TENSOR(results_of(&b, TN_LIST(y))[0], f(b.feed, w), 0, 0);
}

static void a_bias_and_a_rectifier_go_into_products_and_convolutions(void **state)
{
    (void)state;
    TN_SCOPE;
    weights w = { tn_random_normal(TN_SHAPE(20, 13), .seed = 4), tn_random_normal(TN_SHAPE(13), .seed = 5), NULL };
    check_product(1, dense, &w, "MatMul and Add Relu");
    check_product(300, dense, &w, "MatMul and Add Relu");
    check_product(64, linear, &w, "MatMul and Add ");
    check_product(20, image, &w, "Conv2D and Add Relu");
}

static tn_tensor *residual(tn_tensor *x, const weights *w)
{
    return tn_nn_relu(tn_add(w->beside, tn_add(tn_matmul(x, w->w), w->bias)));
}

static tn_tensor *masked(tn_tensor *x, const weights *w)
{
    return TN__APPLY(tn__op_ReluGrad, NULL, tn_matmul(x, w->w), w->beside);
}

static tn_tensor *masked_image(tn_tensor *x, const weights *w)
{
    tn__conv2d_attrs attrs = { .strides = { 1, 2, 1, 1 }, .dilations = { 1, 1, 1, 1 }, .padding = "SAME", .data_format = "NHWC" };
    tn_tensor *dy = tn_reshape(x, TN_SHAPE(1, 10, 10, 4)), *filter = tn_reshape(w->w, TN_SHAPE(1, 5, 13, 4));
    tn_tensor *dx = TN__APPLY(tn__op_Conv2DBackpropInput, &attrs, tn_shape_tensor(w->beside), filter, dy);
    return TN__APPLY(tn__op_ReluGrad, NULL, dx, w->beside);
}

static tn_tensor *pooled_gradient(tn_tensor *x, int64_t window)
{
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *image = tn_nn_relu(tn_reshape(x, TN_SHAPE(1, 10, 10, 4)));
    tn_tensor *y = tn_nn_max_pool2d(.input = image, .ksize = { window, window }, .strides = { 2, 2 }, .padding = "VALID");
    return tn_gradient(tape, tn_square(y), TN_LIST(x)).item[0];
}

static tn_tensor *tiled(tn_tensor *x, const weights *w)
{
    (void)w;
    return pooled_gradient(x, 2);
}

static tn_tensor *overlapping(tn_tensor *x, const weights *w)
{
    (void)w;
    return pooled_gradient(x, 3);
}

static void gradients_take_the_mask_of_a_rectifier_and_sums_take_another_array(void **state)
{
    (void)state;
    TN_SCOPE;
    weights w = { tn_random_normal(TN_SHAPE(20, 13), .seed = 4), tn_random_normal(TN_SHAPE(13), .seed = 5),
                  tn_random_normal(TN_SHAPE(300, 13), .seed = 6) };
    check_product(300, residual, &w, "MatMul and Add Add Relu");
    check_product(300, masked, &w, "MatMul and ReluGrad");
    w.beside = tn_random_normal(TN_SHAPE(1, 20, 10, 13), .seed = 7);
    check_product(20, masked_image, &w, "Conv2DBackpropInput and ReluGrad");
    check_product(20, tiled, &w, "MaxPoolGrad and ReluGrad");
    check_product(20, overlapping, &w, "MaxPoolGrad and ReluGrad");
}

static tn_tensor *bias_behind(tn_tensor *x, const weights *w)
{
    return tn_add(tn_add(tn_matmul(x, w->w), w->beside), w->bias);
}

static tn_tensor *rectified_before(tn_tensor *x, const weights *w)
{
    return tn_add(tn_nn_relu(tn_matmul(x, w->w)), w->beside);
}

static tn_tensor *twice(tn_tensor *x, const weights *w)
{
    tn_tensor *y = tn_matmul(x, w->w);
    return tn_add(y, y);
}

static tn_tensor *mask_itself(tn_tensor *x, const weights *w)
{
    return TN__APPLY(tn__op_ReluGrad, NULL, w->beside, tn_matmul(x, w->w));
}

static void other_orders_than_that_of_storing_stay_steps(void **state)
{
    (void)state;
    TN_SCOPE;
    weights w = { tn_random_normal(TN_SHAPE(20, 13), .seed = 4), tn_random_normal(TN_SHAPE(13), .seed = 5),
                  tn_random_normal(TN_SHAPE(30, 13), .seed = 6) };
    check_product(30, bias_behind, &w, "chain of 2: Add Add");
    check_product(30, rectified_before, &w, "chain of 2: Relu Add");
    check_product(30, twice, &w, " AddV2 ");
    check_product(30, mask_itself, &w, " ReluGrad ");
}

static void a_product_that_something_else_asks_for_stays_by_itself(void **state)
{
    (void)state;
    TN_SCOPE;
    weights w = { tn_random_normal(TN_SHAPE(20, 13), .seed = 4), tn_random_normal(TN_SHAPE(13), .seed = 5), NULL };
    tn_tensor *column = tn_random_normal(TN_SHAPE(13, 1), .seed = 5);
    building b = begin(30, 20);
    tn_tensor *product = tn_matmul(b.in, w.w), *y = tn_add(product, w.bias);
    assert_int_equal(steps_after_compiling(&b, TN_LIST(y, product)), 2);
    tn_tensor **got = results_of(&b, TN_LIST(y, product)), *real = tn_matmul(b.feed, w.w);
    CHECK_TENSOR(got[0], tn_add(real, w.bias), 0, 0);
    CHECK_TENSOR(got[1], real, 0, 0);
    b = begin(13, 20); /* a column is no bias, though as long */
    y = tn_add(tn_matmul(b.in, w.w), column);
    assert_int_equal(steps_after_compiling(&b, TN_LIST(y)), 2);
    CHECK_TENSOR(results_of(&b, TN_LIST(y))[0], tn_add(tn_matmul(b.feed, w.w), column), 0, 0);
}

/* Two of everything that a plan leaves out: what is known before, what is there already, what a product or a chain takes along. */
static tn_tensor *wasteful(tn_tensor *x, const weights *w)
{
    tn_tensor *known = tn_negative(tn_add(w->bias, w->bias)), *same = tn_cast(x, TN_FLOAT32);
    return tn_exp(tn_add(tn_tanh(tn_add(dense(x, w), known)), tn_tanh(tn_add(dense(same, w), known))));
}

static size_t general_steps(const tn__program *p)
{
    size_t count = 0;
    for (size_t i = 0; i < p->step.count; i++)
        count += p->step.item[i].way == TN__GENERAL && !p->step.item[i].settled && !p->step.item[i].lean;
    return count;
}

static void without_a_plan_every_node_that_is_needed_is_a_step_of_its_own(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_context *context = tn__context();
    weights w = { tn_random_normal(TN_SHAPE(20, 13), .seed = 4), tn_random_normal(TN_SHAPE(13), .seed = 5), NULL };
    tn_tensor *planned = NULL, *feed = NULL;
    for (int plain = 0; plain < 2; plain++) {
        building b = begin(30, 20);
        b.feed = feed = feed ? feed : b.feed;
        tn_tensor *y = wasteful(b.in, &w);
        tn_reduce_sum(y); /* which nothing needs */
        size_t made = 0;
        for (size_t i = 0; i < b.graph->node.count; i++)
            made += b.graph->node.item[i]->input_count > 0;
        context->plain = plain;
        size_t steps = steps_after_compiling(&b, TN_LIST(y));
        context->plain = false;
        assert_int_equal(steps, plain ? made - 1 : 2); /* a product and a chain */
        assert_int_equal(general_steps(b.program), plain ? steps : 0);
        assert_true(plain ? b.program->arena == 0 : b.program->arena > 0);
        tn_tensor *got = results_of(&b, TN_LIST(y))[0];
        CHECK_TENSOR(got, wasteful(b.feed, &w), 1e-6, 1e-6);
        if (plain)
            CHECK_TENSOR(got, planned, 1e-6, 1e-6);
        planned = got;
    }
}

/* The element-wise steps before it are the last that a sum or a mean waits for. */
static tn_tensor *squares(tn_tensor *x)
{
    tn_tensor *square = tn_square(x);
    return tn_multiply(square, tn_sigmoid(x));
}

static tn_tensor *sum_of_all(tn_tensor *x)
{
    return tn_reduce_sum(squares(x));
}

static tn_tensor *mean_of_rows(tn_tensor *x)
{
    return tn_reduce_mean(squares(x), TN_AXES(-1), .keepdims = true);
}

static tn_tensor *sum_of_columns(tn_tensor *x)
{
    return tn_reduce_sum(squares(x), TN_AXES(0));
}

static tn_tensor *mean_of_columns(tn_tensor *x)
{
    return tn_reduce_mean(tn_square(x), TN_AXES(0)); /* of one step */
}

static void check_sum(tn_tensor *(*f)(tn_tensor *x), int64_t rows, int64_t columns, const char *text)
{
    TN_SCOPE;
    building b = begin(rows, columns);
    tn_tensor *y = f(b.in);
    assert_int_equal(steps_after_compiling(&b, TN_LIST(y)), 1);
    tn__text dump = { 0 };
    tn__program_print(b.program, &dump);
    if (!strstr(tn__text_get(&dump), text))
        fail_msg("no '%s' in\n%s", text, tn__text_get(&dump));
    tn__text_free(&dump);
    CHECK_TENSOR(results_of(&b, TN_LIST(y))[0], f(b.feed), 0, 0);
}

static void sums_and_means_go_into_the_chain_before_them(void **state)
{
    (void)state;
    const int64_t sizes[][2] = { { 1, 1 }, { 3, 5 }, { 40, 31 }, { 1000, 10 }, { 7, 5000 }, { 1, 300000 }, { 2000, 100 }, { 10000, 64 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int64_t rows = sizes[i][0], columns = sizes[i][1];
        check_sum(sum_of_all, rows, columns, "chain of 3: Square Sigmoid Mul and sum of each row");
        check_sum(mean_of_rows, rows, columns, "Mul and mean of each row");
        if (rows > 1 && columns > 1 && columns <= TN__SUM_COLUMNS_MOST) {
            check_sum(sum_of_columns, rows, columns, "Mul and sum of each column");
            check_sum(mean_of_columns, rows, columns, "chain of 1: Square and mean of each column");
        }
    }
}

/* The gradient of a bias before a rectifier and the largest of windows, and of one before a convolution. */
static tn_list bias_gradients(tn_tensor *x, int64_t side, tn_tensor *bias, tn_tensor *second, tn_tensor *filter)
{
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, bias);
    tn_watch(tape, second);
    tn_tensor *y = tn_nn_relu(tn_add(tn_reshape(x, TN_SHAPE(TN_NONE, side, side, 3)), bias));
    y = tn_nn_relu(tn_add(tn_nn_conv2d(y, filter, .padding = "SAME"), second));
    y = tn_nn_max_pool2d(.input = y, .ksize = { 2, 2 }, .strides = { 2, 2 }, .padding = "VALID");
    return tn_gradient(tape, tn_square(y), TN_LIST(bias, second));
}

static void gradients_of_biases_are_summed_while_the_images_gradient_is_stored(void **state)
{
    (void)state;
    const int64_t sizes[][2] = { { 1, 4 }, { 5, 6 }, { 33, 10 }, { 64, 22 }, { 200, 14 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        TN_SCOPE;
        int64_t side = sizes[i][1];
        tn_tensor *bias = tn_random_normal(TN_SHAPE(3), .seed = 2), *second = tn_random_normal(TN_SHAPE(7), .seed = 3);
        tn_tensor *filter = tn_random_normal(TN_SHAPE(3, 3, 3, 7), .seed = 4);
        building b = begin(sizes[i][0], side * side * 3);
        tn_list y = bias_gradients(b.in, side, bias, second, filter);
        steps_after_compiling(&b, y);
        tn__text dump = { 0 };
        tn__program_print(b.program, &dump);
        assert_non_null(strstr(tn__text_get(&dump), "MaxPoolGrad and ReluGrad and sum of each column"));
        assert_non_null(strstr(tn__text_get(&dump), "Conv2DBackpropInput and ReluGrad and sum of each column"));
        tn__text_free(&dump);
        tn_tensor **got = results_of(&b, y);
        tn_list expected = bias_gradients(b.feed, side, bias, second, filter);
        CHECK_TENSOR(got[0], expected.item[0], 0, 0);
        CHECK_TENSOR(got[1], expected.item[1], 0, 0);
    }
}

static void what_is_summed_stays_where_something_else_asks_for_it(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(300, 70);
    tn_tensor *y = squares(b.in), *all = tn_reduce_sum(y), *columns = tn_reduce_mean(y, TN_AXES(0)), *twice = tn_reduce_sum(tn_reduce_sum(y, TN_AXES(0)));
    steps_after_compiling(&b, TN_LIST(y, all, columns, twice));
    tn_tensor **got = results_of(&b, TN_LIST(y, all, columns, twice)), *real = squares(b.feed);
    CHECK_TENSOR(got[0], real, 0, 0);
    CHECK_TENSOR(got[1], tn_reduce_sum(real), 0, 0);
    CHECK_TENSOR(got[2], tn_reduce_mean(real, TN_AXES(0)), 0, 0);
    CHECK_TENSOR(got[3], tn_reduce_sum(tn_reduce_sum(real, TN_AXES(0))), 0, 0);
}

static void a_program_can_be_read(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(64, 20);
    tn_tensor *w = tn_ones(TN_SHAPE(20, 10), TN_FLOAT32);
    tn_tensor *y = tn_exp(tn_negative(tn_matmul(b.in, w)));
    assert_int_equal(steps_after_compiling(&b, TN_LIST(y)), 2);
    tn__text text = { 0 };
    tn__program_print(b.program, &text);
    const char *got = tn__text_get(&text);
    assert_non_null(strstr(got, "program: 2 steps; arena      2.5 KB"));
    assert_non_null(strstr(got, " float32 (64, 10) @0  <- "));
    assert_non_null(strstr(got, "25.6 Kop"));
    assert_non_null(strstr(got, "chain of 2: Neg Exp"));
    tn__text_free(&text);
    results_of(&b, TN_LIST(y));
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_one_step_and_gives_the_same_numbers),
        cmocka_unit_test(what_something_else_asks_for_is_there_before_it_runs),
        cmocka_unit_test(other_shapes_and_types_stay_out),
        cmocka_unit_test(long_chains_are_cut),
        cmocka_unit_test(a_bias_and_a_rectifier_go_into_products_and_convolutions),
        cmocka_unit_test(gradients_take_the_mask_of_a_rectifier_and_sums_take_another_array),
        cmocka_unit_test(other_orders_than_that_of_storing_stay_steps),
        cmocka_unit_test(a_product_that_something_else_asks_for_stays_by_itself),
        cmocka_unit_test(without_a_plan_every_node_that_is_needed_is_a_step_of_its_own),
        cmocka_unit_test(sums_and_means_go_into_the_chain_before_them),
        cmocka_unit_test(gradients_of_biases_are_summed_while_the_images_gradient_is_stored),
        cmocka_unit_test(what_is_summed_stays_where_something_else_asks_for_it),
        cmocka_unit_test(a_program_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
