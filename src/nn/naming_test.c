/* naming_test.c - automatic names, full names of variables, and classes by name. */
#include "nn/naming.h"
#include "nn/layer.h"
#include "support/check.h"
#include <pthread.h>

static void names_count_from_nothing_for_each_class(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_clear_session();
    assert_string_equal(tn_layer_name(tn_dense(1)), "dense");
    assert_string_equal(tn_layer_name(tn_dense(1)), "dense_1");
    assert_string_equal(tn_layer_name(tn_conv2d(1, { 3 })), "conv2d");
    assert_string_equal(tn_layer_name(tn_dense(1, .name = "dense_9")),
                        "dense_9"); /* an own name does not count */
    assert_string_equal(tn_layer_name(tn_dense(1)), "dense_2");
    tn_clear_session();
    assert_string_equal(tn_layer_name(tn_dense(1)), "dense");
}

static void *name_of_a_new_layer(void *name)
{
    snprintf(name, 32, "%s", tn_layer_name(tn_dense(1)));
    return NULL;
}

static void every_thread_counts_for_itself(void **state)
{
    (void)state;
    TN_SCOPE;
    pthread_t thread;
    char name[32] = "";
    tn_dense(1);
    tn_dense(1);
    assert_int_equal(pthread_create(&thread, NULL, name_of_a_new_layer, name), 0);
    pthread_join(thread, NULL);
    assert_string_equal(name, "dense");
}

static void scopes_stand_before_the_layer_and_models_are_left_out(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_clear_session();
    tn_layer *head;
    {
        TN_WITH(tn_name_scope("a"));
        TN_WITH(tn_name_scope("b"));
        head = tn_keep(tn_keep(tn_dense(1, .name = "head", .input_shape = TN_SHAPE(2))));
    }
    tn_model *model = tn_sequential(TN_LAYERS(head), .name = "m");
    tn_variable *kernel = tn_variables(model).item[0];
    assert_string_equal(tn_name(kernel), "a/b/head/kernel");
    assert_string_equal(tn_variable_path(kernel), "m/head/kernel"); /* the other way round */
    assert_string_equal(tn_variable_path(tn_variable(tn_scalar(1.0), .name = "v")), "v");
    assert_string_equal(tn_name(tn_variable(tn_scalar(1.0))), "Variable");
    CHECK_NO_ERROR();
}

static tn_tensor *itself(void *self, tn_list inputs)
{
    (void)self;
    return tn_at(inputs, 0);
}

static void a_registered_class_is_found_by_every_name_and_the_last_one_wins(void **state)
{
    (void)state;
    static const tn_class one = { .name = "MyOwn", .size = 1, .call = itself },
                          other = { .name = "MyOwn", .size = 2, .call = itself },
                          packed = { .name = "MyOwn",
                                     .size = 3,
                                     .call = itself,
                                     .package = "pack" },
                          nothing = { .name = "Nothing" };
    assert_null(tn__class_find("MyOwn"));
    CHECK_OK(tn_register_class(&one));
    CHECK_OK(tn_register_class(&one));
    assert_ptr_equal(tn__class_find("MyOwn"), &one);
    assert_ptr_equal(tn__class_find("Custom>MyOwn"), &one);
    assert_ptr_equal(tn__class_find_loosely("my_own"), &one);
    assert_null(tn__class_find("pack>MyOwn"));
    CHECK_OK(tn_register_class(&other));
    assert_ptr_equal(tn__class_find("MyOwn"), &other);
    CHECK_OK(tn_register_class(&packed));
    assert_ptr_equal(tn__class_find("pack>MyOwn"), &packed);
    assert_ptr_equal(tn__class_find("Custom>MyOwn"), &other);
    (void)!tn_register_class(&nothing);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a class needs a name and a call");
    (void)!tn_register_class(NULL);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a class needs a name and a call");
}

static void the_librarys_classes_are_found_by_old_names_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < tn__class_count(); i++)
        assert_ptr_equal(tn__class_find(tn__class_at(i)->name), tn__class_at(i));
    assert_ptr_equal(tn__class_find("Convolution2D"), tn__class_find("Conv2D"));
    assert_ptr_equal(tn__class_find_loosely("CONV2D"), tn__class_find("Conv2D"));
    assert_null(tn__class_find("conv2d"));
    assert_null(tn__class_find(""));
    assert_null(tn__class_find(">"));
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_count_from_nothing_for_each_class),
        cmocka_unit_test(every_thread_counts_for_itself),
        cmocka_unit_test(scopes_stand_before_the_layer_and_models_are_left_out),
        cmocka_unit_test(a_registered_class_is_found_by_every_name_and_the_last_one_wins),
        cmocka_unit_test(the_librarys_classes_are_found_by_old_names_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
