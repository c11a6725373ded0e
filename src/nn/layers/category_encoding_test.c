/* category_encoding_test.c */
#include "support/check_layer.h"
#include "nn/config.h"

static tn_tensor *rows(void)
{
    return VALUES(TN_INT32, TN_SHAPE(2, 3), 0, 1, 1, 3, 3, 3);
}

static void numbers_become_ones_among_zeros(void **state)
{
    (void)state;
    TN_SCOPE;
    static const double any[] = { 1, 1, 0, 0, 0, 0, 0, 1 }, counted[] = { 1, 2, 0, 0, 0, 0, 0, 3 },
                        each[] = { 0, 1, 0, 1, 0, 0 };
    CHECK_LAYER(.layer = tn_category_encoding(4), .text = "category_encoding(4)",
                .inputs = TN_LIST(rows()), .expected = VALUES_OF(any));
    CHECK_LAYER(.layer = tn_category_encoding(4, "count"), .text = "category_encoding(4, count)",
                .inputs = TN_LIST(rows()), .expected = VALUES_OF(counted));
    CHECK_LAYER(.layer = tn_category_encoding(3, "one_hot"),
                .text = "category_encoding(3, one_hot)",
                .inputs = TN_LIST(VALUES(TN_INT32, TN_SHAPE(2, 1), 1, 0)),
                .expected = VALUES_OF(each));
    tn_tensor *y = tn_call(tn_category_encoding(3, "one_hot"), rows());
    assert_string_equal(tn_shape_text(y), "(2, 3, 3)");
    CHECK_VALUES(tn_call(tn_category_encoding(3), VALUES(TN_INT32, TN_SHAPE(2), 0, 2)), 0, 1, 0, 1);
}

static void wrong_arguments_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_category_encoding());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "num_tokens must be set to use this layer. If the number of "
                                     "tokens is not known beforehand, use the IntegerLookup layer "
                                     "instead.");
    assert_null(tn_category_encoding(0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`num_tokens`. Expected >= 1. Received: num_tokens=0");
}

static void an_older_word_is_read(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *json = json_pack("{s:s, s:{s:i, s:s, s:b}}", "class_name", "CategoryEncoding", "config",
                             "num_tokens", 4, "output_mode", "binary", "sparse", 0);
    tn_layer *layer;
    CHECK_OK(tn__layer_from_json(tn__context(), json, &layer));
    json_decref(json);
    const tn_category_encoding_options *o = tn__own(layer) ? layer->self : NULL;
    assert_string_equal(o->output_mode, "multi_hot");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_become_ones_among_zeros),
        cmocka_unit_test(wrong_arguments_are_told),
        cmocka_unit_test(an_older_word_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
