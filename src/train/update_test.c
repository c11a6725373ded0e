/* update_test.c - a step of all variables in one op: the same as op by op and in any number of
 * threads, and nothing changes when it cannot be made. */
#include "support/check.h"
#include "core/variable.h"
#include "runtime/dispatch.h"
#include "train/optimizer.h"
#include <math.h>
#include <pthread.h>

/* Every rule, with and without what changes it. */
static const char *const optimizers[] = {
    "sgd(0.1)",
    "sgd(0.1, momentum=0.9)",
    "sgd(0.1, momentum=0.9, nesterov=true, weight_decay=0.02)",
    "rmsprop(0.01)",
    "rmsprop(0.01, momentum=0.9)",
    "rmsprop(0.01, centered=true)",
    "rmsprop(0.01, momentum=0.9, centered=true, weight_decay=0.02)",
    "adagrad(0.01, weight_decay=0.02)",
    "adam(0.01)",
    "adam(0.01, amsgrad=true, weight_decay=0.02)",
    "adamw(0.01)",
    "adamax(0.01, weight_decay=0.02)",
    "nadam(0.01, weight_decay=0.02)",
    "lion(0.01, weight_decay=0.02)",
};
enum { OPTIMIZERS = sizeof optimizers / sizeof *optimizers, SIZES = 8 };
/* None, part of a vector, a tile and about it, several lanes' work. */
static const int64_t sizes[SIZES] = { 0, 1, 7, 511, 512, 513, 0, 300001 };

static tn_tensor *some(int64_t count, tn_dtype dtype, int seed)
{
    tn_tensor *x;
    CHECK_OK(tn__tensor_new(TN_FLOAT64, &TN_SHAPE(count), &x));
    for (int64_t i = 0; i < count; i++)
        ((double *)x->data)[i] = sin(0.37 * (double)i + seed);
    return tn_cast(tn__own(x), dtype);
}

typedef struct {
    tn_optimizer *optimizer;
    tn_tensor *variable[SIZES];
} fixture;

static void make(fixture *f, const char *text, tn_dtype dtype)
{
    f->optimizer = tn_optimizer_of(text);
    for (int i = 0; i < SIZES; i++)
        f->variable[i] = tn_variable(some(sizes[i], dtype, i));
    CHECK_NO_ERROR();
}

static void step(const fixture *f, tn_dtype dtype)
{
    tn_tensor *gradient[SIZES];
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < SIZES; i++)
            gradient[i] = some(sizes[i], dtype, 3 * i + k);
        tn_list gradients = { SIZES, gradient }, variables = { SIZES, f->variable };
        CHECK_OK(tn_apply_gradients(f->optimizer, gradients, variables));
    }
}

/* Of float64 there is no pass: the same rule runs op by op. Lion's sign may differ where the number
 * is nearly 0. */
static void a_pass_is_what_ops_compute_in_float64(void **state)
{
    (void)state;
    for (int o = 0; o < OPTIMIZERS; o++) {
        TN_SCOPE;
        fixture narrow, wide;
        make(&narrow, optimizers[o], TN_FLOAT32);
        make(&wide, optimizers[o], TN_FLOAT64);
        step(&narrow, TN_FLOAT32);
        step(&wide, TN_FLOAT64);
        for (int i = 0; i < SIZES; i++) {
            tn_tensor *a = tn_read_value(narrow.variable[i]), *b = tn_read_value(wide.variable[i]);
            for (int64_t k = 0; k < sizes[i]; k++)
                if (!(fabs(tn__double_at(a, k) - tn__double_at(b, k)) <= 5e-6))
                    fail_msg("%s: number %lld of %lld is %.9g, want %.9g", optimizers[o],
                             (long long)k, (long long)sizes[i], tn__double_at(a, k),
                             tn__double_at(b, k));
        }
        CHECK_NO_ERROR();
    }
}

static void the_number_of_threads_changes_no_bit(void **state)
{
    (void)state;
    for (int o = 0; o < OPTIMIZERS; o++) {
        TN_SCOPE;
        fixture one, several;
        make(&one, optimizers[o], TN_FLOAT32);
        make(&several, optimizers[o], TN_FLOAT32);
        CHECK_OK(tn_set_intra_op_parallelism_threads(1));
        step(&one, TN_FLOAT32);
        CHECK_OK(tn_set_intra_op_parallelism_threads(3));
        step(&several, TN_FLOAT32);
        CHECK_OK(tn_set_intra_op_parallelism_threads(0));
        for (int i = 0; i < SIZES; i++) {
            tn_tensor *a = tn_read_value(one.variable[i]), *b = tn_read_value(several.variable[i]);
            if (sizes[i])
                assert_memory_equal(a->data, b->data, (size_t)sizes[i] * sizeof(float));
        }
    }
}

/* The value that somebody holds stays what it was. */
static void a_value_that_was_read_before_does_not_change(void **state)
{
    (void)state;
    TN_SCOPE;
    fixture f;
    make(&f, "adam", TN_FLOAT32);
    tn_tensor *before = tn_read_value(f.variable[3]);
    step(&f, TN_FLOAT32);
    tn_tensor *same = some(511, TN_FLOAT32, 3);
    assert_memory_equal(before->data, same->data, 511 * sizeof(float));
    assert_memory_not_equal(tn_read_value(f.variable[3])->data, same->data, 511 * sizeof(float));
}

static void a_variable_that_comes_twice_makes_two_steps(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(tn_ones(TN_SHAPE(2), TN_FLOAT32));
    tn_tensor *g = tn_ones(TN_SHAPE(2), TN_FLOAT32), *h = tn_multiply(g, tn_scalar(2.0));
    CHECK_OK(tn_apply_gradients(tn_sgd(0.25), TN_LIST(g, h), TN_LIST(v, v)));
    assert_float_equal(tn_to_double(tn_reduce_sum(v)), 0.5, 0);
}

/* --- the op itself ---------------------------------------------------------------------------- */
static tn__rule descent(void)
{
    tn__update u = { .w = TN__W };
    tn__moves_by(&u, tn__times(&u, TN__G, tn__number(&u, NULL)));
    return u.rule;
}

static tn_status run(const tn__rule *rule, tn_list inputs)
{
    return tn__dispatch(tn__context(), &tn__op_FusedUpdate, rule, inputs.item, inputs.count, NULL,
                        0);
}

#define CHECK_REFUSED(text, rule, ...)                                            \
    do {                                                                          \
        assert_int_equal(run((rule), TN_LIST(__VA_ARGS__)), TN_INVALID_ARGUMENT); \
        CHECK_ERROR(TN_INVALID_ARGUMENT, (text));                                 \
    } while (0)

static void wrong_inputs_are_refused_before_anything_changes(void **state)
{
    (void)state;
    TN_SCOPE;
    tn__rule rule = descent(), none = { 0 };
    tn_tensor *g = tn_ones(TN_SHAPE(3), TN_FLOAT32), *long_g = tn_ones(TN_SHAPE(4), TN_FLOAT32);
    tn_tensor *lr = tn_cast(tn_scalar(1), TN_FLOAT32), *wide = tn_cast(g, TN_FLOAT64);
    tn_variable *v = tn_variable(g), *w = tn_variable(g), *of_wide = tn_variable(wide);
    CHECK_REFUSED("there is no rule", &none, v, g);
    CHECK_REFUSED("takes 1 numbers and 2 inputs for each variable, got 4 inputs", &rule, lr, v, g,
                  w);
    CHECK_REFUSED("input 0 must be a number of float32, got float32 (3,)", &rule, g, v, g);
    CHECK_REFUSED("input 1 must be a variable, got float32 (3,)", &rule, lr, g, g);
    CHECK_REFUSED("input 4 must be a gradient of float32, got float64", &rule, lr, v, g, w, wide);
    CHECK_REFUSED("Shape mismatch.The variable shape (3,)", &rule, lr, v, g, w, long_g);
    CHECK_REFUSED("dtype float64", &rule, lr, v, g, of_wide, g);
    CHECK_REFUSED("cannot be changed twice in one step", &rule, lr, v, g, v, g);
    assert_float_equal(tn_to_double(tn_reduce_sum(v)), 3, 0);
    CHECK_OK(run(&rule, TN_LIST(lr, v, g, w, g)));
    assert_float_equal(tn_to_double(tn_add(tn_reduce_sum(v), tn_reduce_sum(w))), 0, 0);
    CHECK_OK(run(&rule, TN_LIST(lr)));
}

/* Values that are held, so that the new ones need memory. */
static bool step_beside_readers(void *self)
{
    TN_SCOPE;
    tn_variable **v = self;
    tn__rule rule = descent();
    tn_tensor *lr = tn_ones(TN_SCALAR, TN_FLOAT32), *g = tn_ones(TN_SHAPE(100), TN_FLOAT32);
    tn_tensor *held[] = { tn_read_value(v[0]), tn_read_value(v[1]) };
    if (!lr || !g || !held[0] || !held[1])
        return false;
    double before[] = { tn__double_at(held[0], 9), tn__double_at(held[1], 9) };
    bool done = run(&rule, TN_LIST(lr, v[0], g, v[1], g)) == TN_OK;
    for (int i = 0; i < 2; i++) {
        const tn_tensor *now = v[i]->of.variable->value;
        assert_float_equal(tn__double_at(held[i], 9), before[i], 0);
        assert_float_equal(tn__double_at(now, 9), before[i] - done, 0);
    }
    return done;
}

static void without_memory_no_variable_changes(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v[] = { tn_variable(tn_zeros(TN_SHAPE(100), TN_FLOAT32)),
                         tn_variable(tn_ones(TN_SHAPE(100), TN_FLOAT32)) };
    assert_true(step_beside_readers(v)); /* no handle of this body's is a value any more */
    check_allocation_failures(step_beside_readers, v);
}

enum { TURNS = 500 };

static void *take_turns(void *self)
{
    tn_variable **v = self;
    for (int i = 0; i < TURNS; i++) {
        TN_SCOPE;
        tn__rule rule = descent();
        tn_tensor *one = tn_ones(TN_SCALAR, TN_FLOAT32), *g = tn_ones(TN_SHAPE(100), TN_FLOAT32);
        CHECK_OK(run(&rule, TN_LIST(one, v[0], g, v[1], g)));
    }
    return NULL;
}

/* Each locks both, and names them in another order. */
static void threads_that_change_the_same_variables_lose_no_step(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *a = tn_variable(tn_zeros(TN_SHAPE(100), TN_FLOAT32)),
                *b = tn_variable(tn_zeros(TN_SHAPE(100), TN_FLOAT32));
    tn_variable *one[] = { a, b }, *other[] = { b, a };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, take_turns, one), 0);
    take_turns(other);
    pthread_join(thread, NULL);
    assert_float_equal(tn_to_double(tn_reduce_max(a)), -2.0 * TURNS, 0);
    assert_float_equal(tn_to_double(tn_reduce_min(b)), -2.0 * TURNS, 0);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pass_is_what_ops_compute_in_float64),
        cmocka_unit_test(the_number_of_threads_changes_no_bit),
        cmocka_unit_test(a_value_that_was_read_before_does_not_change),
        cmocka_unit_test(a_variable_that_comes_twice_makes_two_steps),
        cmocka_unit_test(wrong_inputs_are_refused_before_anything_changes),
        cmocka_unit_test(without_memory_no_variable_changes),
        cmocka_unit_test(threads_that_change_the_same_variables_lose_no_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
