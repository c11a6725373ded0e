/* plans_test.c - random graphs, each run eagerly, without a plan and with one: chains of
 * element-wise functions over operands that are broadcast, products and convolutions with what
 * plans put into them, reductions, views, repetitions, constants, variables that are read and
 * assigned in between, and gradients of it all. A seed that fails is named. */
#include "support/check.h"
#include "core/context.h"
#include "core/tensor.h"
#include <math.h>
#include <stdlib.h>

enum { GRAPHS = 300, STEPS = 40, MOST = 8 + 2 * STEPS, OUTPUTS = 4, WEIGHTS = 4 };

/* A plan may add up what it fuses in another order. Sums here have at most a few hundred numbers:
 * their rounding is under 100 times float32's 6e-8 of the largest number of the tensor. */
static const double tolerance = 1e-5;

typedef struct {
    uint32_t seed, state;
    int64_t rows, columns;
    tn_tensor *
        weight[WEIGHTS]; /* a square, a bias, a filter for images of four channels and their bias */
    tn_variable *v;      /* a row */
    tn_tensor *item[MOST]; /* whole ones, rows, columns and numbers, the latest last */
    size_t items;
} random_graph;

static uint32_t roll(random_graph *g, uint32_t sides)
{
    g->state = g->state * 1664525u + 1013904223u;
    return (g->state >> 16) % sides;
}

/* The latest most of the time, so that chains become long. */
static tn_tensor *pick(random_graph *g)
{
    size_t back = roll(g, 3) ? roll(g, 3) : roll(g, (uint32_t)g->items);
    return g->item[back < g->items ? g->items - 1 - back : 0];
}

static bool is_whole(const random_graph *g, const tn_tensor *x)
{
    return x->shape.rank == 2 && x->shape.dims[1] == g->columns && x->shape.dims[0] != 1;
}

/* Of the full shape; what is smaller is added to the first input, which is. */
static tn_tensor *pick_whole(random_graph *g)
{
    tn_tensor *x = pick(g);
    return is_whole(g, x) ? x : tn_add(x, g->item[0]);
}

/* Numbers stay small, and away from poles. */
static tn_tensor *unary(random_graph *g, tn_tensor *x)
{
    switch (roll(g, 12)) {
    case 0:
        return tn_negative(x);
    case 1:
        return tn_abs(x);
    case 2:
        return tn_square(tn_tanh(x));
    case 3:
        return tn_sqrt(tn_add(tn_abs(x), tn_scalar(1.0)));
    case 4:
        return tn_exp(tn_tanh(x));
    case 5:
        return tn_log(tn_add(tn_abs(x), tn_scalar(1.0)));
    case 6:
        return tn_tanh(x);
    case 7:
        return tn_sigmoid(x);
    case 8:
        return tn_nn_relu(x);
    case 9:
        return tn_rsqrt(tn_add(tn_square(tn_tanh(x)), tn_scalar(0.5)));
    case 10:
        return tn_reciprocal(tn_add(tn_abs(x), tn_scalar(1.0)));
    default:
        return tn_identity(x);
    }
}

static tn_tensor *binary(random_graph *g, tn_tensor *x, tn_tensor *y)
{
    switch (roll(g, 9)) {
    case 0:
        return tn_multiply(tn_add(x, y), tn_scalar(0.5));
    case 1:
        return tn_subtract(x, tn_multiply(y, tn_scalar(0.25)));
    case 2:
        return tn_multiply(x, tn_tanh(y));
    case 3:
        return tn_maximum(x, y);
    case 4:
        return tn_minimum(y, x);
    case 5:
        return tn_squared_difference(tn_tanh(x), tn_sigmoid(y));
    case 6:
        return tn_divide(x, tn_add(tn_abs(y), tn_scalar(1.0)));
    case 7:
        return tn_where(tn_greater(x, y), x, tn_negative(y));
    default:
        return tn_add(tn_tanh(x), y);
    }
}

static tn_tensor *biased(random_graph *g, tn_tensor *y, tn_tensor *bias)
{
    switch (roll(g, 5)) {
    case 0:
        return y;
    case 1:
        return tn_nn_bias_add(.value = y, .bias = bias);
    case 2:
        return tn_nn_relu(tn_nn_bias_add(.value = y, .bias = bias));
    case 3:
        return tn_nn_relu(tn_add(bias, y));
    default:
        return tn_add(y, bias);
    }
}

static tn_tensor *product(random_graph *g, tn_tensor *x)
{
    tn_tensor *scaled = tn_multiply(x, tn_scalar(0.2));
    if (g->columns % 4 || roll(g, 2))
        return biased(g, tn_matmul(scaled, g->weight[0], .transpose_b = roll(g, 2)), g->weight[1]);
    tn_tensor *image = tn_reshape(scaled, TN_SHAPE(1, TN_NONE, g->columns / 4, 4));
    tn_tensor *y = biased(g, tn_nn_conv2d(image, g->weight[2], .padding = "SAME"), g->weight[3]);
    return tn_reshape(y, TN_SHAPE(TN_NONE, g->columns));
}

/* To a row, a column or a number. */
static tn_tensor *reduction(random_graph *g, tn_tensor *x)
{
    bool keep = roll(g, 2);
    switch (roll(g, 6)) {
    case 0:
        return tn_reduce_mean(x, .axis = 1, .keepdims = true);
    case 1:
        return tn_reduce_max(x, .axis = 1, .keepdims = true);
    case 2:
        return tn_reduce_mean(x, .axis = 0, .keepdims = keep);
    case 3:
        return tn_reduce_mean(x);
    case 4:
        return tn_nn_softmax(x, -1);
    default:
        return tn_tanh(tn_reduce_sum(x, .axis = 1, .keepdims = true));
    }
}

static tn_tensor *moved(random_graph *g, tn_tensor *x)
{
    switch (roll(g, 6)) {
    case 0:
        return tn_transpose(tn_tanh(tn_transpose(x, TN_AXES(1, 0))), TN_AXES(1, 0));
    case 1:
        return tn_reshape(tn_sigmoid(tn_reshape(x, TN_SHAPE(TN_NONE))),
                          TN_SHAPE(TN_NONE, g->columns));
    case 2:
        return tn_cast(tn_square(tn_tanh(tn_cast(x, TN_FLOAT64))), TN_FLOAT32);
    case 3:
        return tn_concat(
            TN_LIST(tn_slice(x, TN_SHAPE(0, g->columns / 2), TN_SHAPE(TN_NONE, TN_NONE)),
                    tn_slice(x, TN_SHAPE(0, 0), TN_SHAPE(TN_NONE, g->columns / 2))),
            1);
    case 4:
        return tn_stop_gradient(x);
    default:
        return tn_add(x, tn_cast(tn_reduce_sum(tn_shape_tensor(x)), TN_FLOAT32));
    }
}

static void add(random_graph *g, tn_tensor *x)
{
    g->item[g->items++] = x;
}

/* The same twice, with something in between. */
static void repeat(random_graph *g)
{
    tn_tensor *x = pick(g), *y = pick(g);
    uint32_t state = g->state;
    add(g, binary(g, x, y));
    g->state = state;
    tn_tensor *again = binary(g, x, y);
    add(g, tn_multiply(unary(g, again), tn_scalar(0.5)));
}

static void use_variable(random_graph *g)
{
    tn_tensor *row = tn_tanh(tn_reduce_mean(pick_whole(g), .axis = 0));
    switch (roll(g, 3)) {
    case 0:
        tn_assign(g->v, row);
        break;
    case 1:
        tn_assign_add(g->v, row);
        break;
    default:
        break;
    }
    add(g, tn_multiply(pick(g), tn_tanh(g->v)));
}

static void add_one(random_graph *g)
{
    uint32_t kind = roll(g, 20);
    if (kind < 7)
        add(g, unary(g, pick(g)));
    else if (kind < 13)
        add(g, binary(g, pick(g), pick(g)));
    else if (kind < 15)
        add(g, product(g, pick_whole(g)));
    else if (kind < 17)
        add(g, reduction(g, pick_whole(g)));
    else if (kind < 18)
        add(g, moved(g, pick_whole(g)));
    else if (kind < 19)
        repeat(g);
    else
        use_variable(g);
}

/* Some of all that was made, and the gradient of one of them. */
static tn_tensor *some_of(random_graph *g, tn_tape *tape, tn_list sources)
{
    tn_tensor *out[OUTPUTS + 2 + WEIGHTS];
    size_t count = 1 + roll(g, OUTPUTS);
    for (size_t i = 0; i < count; i++)
        out[i] = i ? pick(g) : g->item[g->items - 1];
    if (tape) {
        tn_list found = tn_gradient(tape, tn_reduce_mean(tn_tanh(out[0])), sources);
        for (size_t i = 0; i < found.count; i++)
            if (found.item[i])
                out[count++] = found.item[i];
    }
    return tn_tuple_of(tn_list_of(count, out));
}

/* inputs: one of the full shape, a column, and the weights. */
static tn_tensor *body(void *self, tn_list inputs)
{
    random_graph *g = self;
    g->state = g->seed;
    g->items = 0;
    roll(g, 2);
    bool differentiated = roll(g, 2);
    tn_tape *tape = differentiated ? tn_gradient_tape() : NULL;
    for (size_t i = 0; tape && i < inputs.count; i++)
        tn_watch(tape, tn_at(inputs, (int)i));
    for (size_t i = 0; i < WEIGHTS; i++)
        g->weight[i] = tn_at(inputs, (int)(2 + i));
    add(g, tn_at(inputs, 0));
    add(g, tn_at(inputs, 1));
    add(g, g->weight[1]);
    add(g, tn_multiply(tn_constant(TN_FLOAT32, TN_SCALAR, &(float){ 0.75f }), tn_scalar(0.5)));
    uint32_t steps = 5 + roll(g, STEPS - 5);
    for (uint32_t i = 0; i < steps; i++)
        add_one(g);
    return some_of(g, tape, inputs);
}

/* --- comparing
 * ----------------------------------------------------------------------------------------------------------------
 */
static float largest(const tn_tensor *x)
{
    float most = 1;
    for (int64_t i = 0; i < tn__count(x); i++)
        most = fmaxf(most, fabsf(((const float *)x->data)[i]));
    return most;
}

static void compare(const random_graph *g, const char *what, tn_list got, tn_list want,
                    double apart)
{
    if (got.count != want.count || got.count == 0)
        fail_msg("graph %u, %s: %zu outputs, expected %zu; %s", g->seed, what, got.count,
                 want.count, tn_pending() ? tn_catch(TN_ANY_ERROR)->message : "");
    for (size_t k = 0; k < want.count; k++) {
        const tn_tensor *a = got.item[k], *b = want.item[k];
        if (!tn__shape_equal(&a->shape, &b->shape) || a->dtype != b->dtype)
            fail_msg("graph %u, %s: output %zu is %s, expected %s", g->seed, what, k, TN__TENSOR(a),
                     TN__TENSOR(b));
        const float *x = a->data, *y = b->data;
        double most = apart * largest(b);
        for (int64_t i = 0; i < tn__count(b); i++)
            if (!(fabs((double)x[i] - y[i]) <= most))
                fail_msg("graph %u, %s: output %zu, element %lld is %.9g, expected %.9g (%s)",
                         g->seed, what, k, (long long)i, x[i], y[i], TN__TENSOR(b));
    }
}

typedef enum { EAGER, PLAIN, PLANNED } way;

/* With what the variable is afterwards. */
static tn_list run(random_graph *g, tn_function *f, way how, tn_list inputs)
{
    tn_context *context = tn__context();
    bool before = context->plain;
    tn_assign(g->v, tn_multiply(inputs.item[3], tn_scalar(0.5)));
    context->plain = how == PLAIN;
    const tn_call_options options = { .size_ = sizeof options, .training = -1 };
    tn_tensor *result = how == EAGER ? body(g, inputs) : tn_function_call(f, inputs, &options);
    context->plain = before;
    tn_list found = result ? tn_items(result) : (tn_list){ 0, NULL };
    tn_tensor *all[OUTPUTS + WEIGHTS + 4];
    for (size_t i = 0; i < found.count; i++)
        all[i] = found.item[i];
    all[found.count] = tn_read_value(g->v);
    return tn_list_of(found.count ? found.count + 1 : 0, all);
}

static tn_list inputs_of(const random_graph *g, int64_t rows)
{
    tn_shape shape[2 + WEIGHTS] = {
        TN_SHAPE(rows, g->columns), TN_SHAPE(rows, 1),    TN_SHAPE(g->columns, g->columns),
        TN_SHAPE(g->columns),       TN_SHAPE(3, 3, 4, 4), TN_SHAPE(4)
    };
    tn_tensor *item[2 + WEIGHTS];
    for (size_t i = 0; i < 2 + WEIGHTS; i++)
        item[i] = tn_random_normal(shape[i]);
    return tn_list_of(2 + WEIGHTS, item);
}

static void begin(random_graph *g, uint32_t seed)
{
    static const int64_t sizes[] = { 2, 3, 5, 8, 16, 20, 33, 64, 100 };
    *g = (random_graph){ .seed = seed, .state = seed * 2654435761u };
    g->rows = sizes[roll(g, sizeof sizes / sizeof *sizes)];
    g->columns = sizes[roll(g, sizeof sizes / sizeof *sizes)];
    g->v = tn_variable(tn_zeros(TN_SHAPE(g->columns), TN_FLOAT32));
}

/* The second call of a planned one finds its memory as the first has left it; other rows are
 * another program. */
static void check_graph(uint32_t seed)
{
    TN_SCOPE;
    random_graph g;
    tn_set_random_seed(seed);
    begin(&g, seed);
    tn_function *f = tn_function(body, &g, .reduce_retracing = seed % 2);
    tn_list first = inputs_of(&g, g.rows), other = inputs_of(&g, g.rows + 1);
    tn_list eager = run(&g, f, EAGER, first);
    compare(&g, "without a plan", run(&g, f, PLAIN, first), eager, tolerance);
    tn_list planned = run(&g, f, PLANNED, first);
    compare(&g, "with a plan", planned, eager, tolerance);
    tn_list eager_other = run(&g, f, EAGER, other);
    compare(&g, "other rows with a plan", run(&g, f, PLANNED, other), eager_other, tolerance);
    compare(&g, "other rows without a plan", run(&g, f, PLAIN, other), eager_other, tolerance);
    compare(&g, "again", run(&g, f, PLANNED, first), planned, 0);
    CHECK_NO_ERROR();
}

static void random_graphs_give_the_same_with_a_plan_without_one_and_eagerly(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= GRAPHS; seed++)
        check_graph(seed);
}

/* --- without memory
 * ------------------------------------------------------------------------------------------------------------
 */
static tn_tensor *large_body(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *x = tn_at(inputs, 0), *w = tn_at(inputs, 1), *filter = tn_at(inputs, 2);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, w);
    tn_tensor *y = tn_nn_relu(tn_add(tn_matmul(tn_tanh(x), w), tn_ones(TN_SHAPE(64), TN_FLOAT32)));
    tn_tensor *image =
        tn_nn_conv2d(tn_reshape(y, TN_SHAPE(1, TN_NONE, 16, 4)), filter, .padding = "SAME");
    tn_tensor *loss = tn_reduce_mean(tn_nn_softmax(image, -1), .axis = 1);
    tn_list found = tn_gradient(tape, tn_reduce_sum(tn_square(loss)), TN_LIST(w));
    return found.count ? tn_tuple(loss, tn_at(found, 0)) : NULL;
}

/* Traced, made a program of, and run, twice; each piece of work large enough for two threads. */
static bool trace_and_run(void *self)
{
    const tn_list *inputs = self;
    const tn_call_options options = { .size_ = sizeof options, .training = -1 };
    tn_function *f = tn_function(large_body);
    return tn_function_call(f, *inputs, &options) && tn_function_call(f, *inputs, &options);
}

static void
memory_may_end_anywhere_with_a_plan_and_without_one_on_one_thread_and_on_two(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_context *context = tn__context();
    bool before = context->plain;
    tn_list inputs =
        TN_LIST(tn_random_normal(TN_SHAPE(128, 64)), tn_random_normal(TN_SHAPE(64, 64)),
                tn_random_normal(TN_SHAPE(3, 3, 4, 4)));
    for (int kind = 0; kind < 4; kind++) {
        context->plain = kind & 1;
        CHECK_OK(tn_set_intra_op_parallelism_threads(1 + kind / 2));
        check_allocation_failures(trace_and_run, &inputs);
    }
    context->plain = before;
    CHECK_OK(tn_set_intra_op_parallelism_threads(0));
}

int main(int count, char **argument)
{
    tests_begin();
    setenv("TN_NUM_THREADS", "2", 0);
    if (count > 1) { /* one of them: plans_test 17 */
        check_graph((uint32_t)atoi(argument[1]));
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_graphs_give_the_same_with_a_plan_without_one_and_eagerly),
        cmocka_unit_test(
            memory_may_end_anywhere_with_a_plan_and_without_one_on_one_thread_and_on_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
