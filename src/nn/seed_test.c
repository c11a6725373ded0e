/* seed_test.c - whose seed is drawn when. */
#include "support/check_op.h"
#include "nn/layer.h"
#include "nn/config.h"
#include "nn/testdata/object_values.h"

static void build(tn_layer *layer, tn_shape shape)
{
    CHECK_OK(tn__layer_build_for(tn__context(), layer, TN_FLOAT32, &shape));
}

static size_t compare(tn_tensor *got, size_t at)
{
    size_t count = (size_t)tn__shape_count(&got->shape);
    check_values(got, seeded_weights + at, count, 2e-6, __FILE__, __LINE__);
    return at + count;
}

/* The same layers as in make_object_values.py. */
static void seeds_are_drawn_when_layers_are_made_as_in_keras(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_set_random_seed(5);
    tn_layer *first = tn_dense(2);
    tn_batch_normalization();
    tn_layer *dropout = tn_dropout(0.5);
    tn_layer *second =
        tn_dense(2, .kernel_initializer = "he_normal", .bias_initializer = "random_uniform");
    tn_dense(2, .kernel_initializer = "zeros");
    tn_layer *third = tn_dense(2, .kernel_initializer = "random_normal(seed=1)");
    tn_layer *fourth = tn_conv2d(1, { 2 });
    build(fourth, TN_SHAPE(TN_NONE, 2, 2, 1));
    build(third, TN_SHAPE(TN_NONE, 3));
    build(second, TN_SHAPE(TN_NONE, 3));
    build(first, TN_SHAPE(TN_NONE, 3));
    size_t at = compare(tn_variables(first).item[0], 0);
    at = compare(tn_variables(second).item[0], at);
    at = compare(tn_variables(second).item[1], at);
    at = compare(tn_variables(third).item[0], at);
    compare(tn_variables(fourth).item[0], at);
    CHECK_VALUES(dropout->weight.item[0].variable, 0, SEEDED_DROPOUT, 0);
}

static void a_drawn_seed_is_not_written_as_a_given_one(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *json = tn__layer_to_json(tn_dense(2), TN__KERAS_3);
    json_t *config = json_object_get(json_object_get(json, "config"), "kernel_initializer");
    assert_true(json_is_null(json_object_get(json_object_get(config, "config"), "seed")));
    json_decref(json);
}

/* add_weight in a program's own class draws when it is called. */
static void build_own(void *self, tn_list inputs)
{
    (void)self, (void)inputs;
    tn_add_weight(TN_SHAPE(2, 3), "he_normal");
}
static tn_tensor *call_own(void *self, tn_list inputs)
{
    (void)self;
    return tn_at(inputs, 0);
}

static void own_classes_draw_when_they_add_a_weight(void **state)
{
    (void)state;
    TN_SCOPE;
    static const tn_class own = { .name = "Own", .size = 8, .build = build_own, .call = call_own };
    tn_set_random_seed(9);
    tn_layer *late = tn_new(&own);
    tn_layer *dense = tn_dense(3, .kernel_initializer = "he_normal");
    build(late, TN_SHAPE(TN_NONE, 2));
    build(dense, TN_SHAPE(TN_NONE, 2));
    tn_set_random_seed(9);
    tn_layer *again = tn_dense(3, .kernel_initializer = "he_normal"), *next = tn_new(&own);
    build(again, TN_SHAPE(TN_NONE, 2));
    build(next, TN_SHAPE(TN_NONE, 2));
    CHECK_TENSOR(tn_variables(dense).item[0], tn_variables(again).item[0], 0, 0);
    CHECK_TENSOR(tn_variables(late).item[0], tn_variables(next).item[0], 0, 0);
}

static void large_and_negative_seeds_are_taken_as_keras_takes_them(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *generator = tn_seed_generator(INT64_C(5000000000));
    CHECK_VALUES(tn__next_seed(generator), 0, 705032708, 0); /* 5e9 mod 2147483646 */
    CHECK_VALUES(tn__next_seed(generator), 0, 705032708, 1);
    CHECK_VALUES(tn__next_seed(tn_seed_generator(-3)), 0, 2147483643, 0);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_are_drawn_when_layers_are_made_as_in_keras),
        cmocka_unit_test(a_drawn_seed_is_not_written_as_a_given_one),
        cmocka_unit_test(own_classes_draw_when_they_add_a_weight),
        cmocka_unit_test(large_and_negative_seeds_are_taken_as_keras_takes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
