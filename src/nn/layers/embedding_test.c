/* embedding_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/more.h"

static void numbers_become_rows(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_embedding(5, 3), .text = "embedding(5, 3)",
                .inputs = TN_LIST(VALUES(TN_INT32, TN_SHAPE(2, 2), 0, 4, 2, 2)),
                .weights = "embeddings", .trainable = 1, .expected = VALUES_OF(embedded));
}

static void negative_numbers_count_from_the_end_and_too_large_ones_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer = tn_embedding(5, 3);
    tn_tensor *last = tn_call(layer, VALUES(TN_FLOAT32, TN_SHAPE(1), 4)),
              *same = tn_call(layer, VALUES(TN_INT64, TN_SHAPE(1), -1));
    CHECK_TENSOR(last, same, 0, 0);
    assert_null(tn_call(layer, VALUES(TN_INT32, TN_SHAPE(1), 5)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "indices[0] = 5 is not in [0, 5)");
    assert_null(tn_embedding(0, 3));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`input_dim`. Expected > 0. Received: input_dim=0");
}

static void zero_may_be_padding(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_INT32, TN_SHAPE(1, 3), 2, 0, 1);
    tn_tensor *mask = tn_mask(tn_call(tn_embedding(3, 2, .mask_zero = true), x));
    CHECK_VALUES(tn_cast(mask, TN_INT32), 0, 1, 0, 1);
    assert_null(tn_mask(tn_call(tn_embedding(3, 2), x)));
    tn_tensor *input = tn_input(TN_SHAPE(3), .dtype = TN_INT32);
    tn_tensor *steps = tn_call(tn_embedding(3, 2, .mask_zero = true), input);
    tn_model *model = tn_model(input, tn_call(tn_global_average_pooling1d(), steps));
    assert_string_equal(tn_shape_text(tn_call(model, x)), "(1, 2)");
}

static void keras_1_s_words_are_read(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *json = json_pack("{s:s, s:{s:i, s:i, s:s, s:i, s:b}}", "class_name", "Embedding",
                             "config", "input_dim", 7, "output_dim", 2, "init", "normal",
                             "input_length", 10, "mask_zero", 1);
    tn_layer *layer;
    CHECK_OK(tn__layer_from_json(tn__context(), json, &layer));
    json_decref(json);
    const tn_embedding_options *o = tn__own(layer) ? layer->self : NULL;
    assert_int_equal(o->input_dim, 7);
    assert_string_equal(o->embeddings_initializer, "random_normal");
    assert_true(o->mask_zero);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_become_rows),
        cmocka_unit_test(negative_numbers_count_from_the_end_and_too_large_ones_are_told),
        cmocka_unit_test(zero_may_be_padding),
        cmocka_unit_test(keras_1_s_words_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
