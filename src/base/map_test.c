/* map_test.c - text to pointer, number to number. */
#include "support/check.h"
#include "base/map.h"
#include <stdio.h>

static char *key_of(int i)
{
    static char key[32];
    snprintf(key, sizeof key, "layer_%d/kernel", i);
    return key;
}

static void an_empty_map_holds_nothing(void **state)
{
    (void)state;
    tn__map map = { 0 };
    assert_null(tn__map_get(&map, "x"));
    tn__map_free(&map);
    tn__ids ids = { 0 };
    size_t value;
    assert_false(tn__ids_get(&ids, 1, &value));
    tn__ids_free(&ids);
}

static void what_is_set_is_found_in_order_of_insertion(void **state)
{
    (void)state;
    tn__map map = { 0 };
    static int values[5000];
    for (int i = 0; i < 5000; i++)
        CHECK_OK(tn__map_set(&map, key_of(i), &values[i]));
    assert_int_equal(map.count, 5000);
    for (int i = 0; i < 5000; i++) {
        assert_ptr_equal(tn__map_get(&map, key_of(i)), &values[i]);
        assert_string_equal(map.item[i].key, key_of(i)); /* a copy: key_of() has one buffer */
    }
    assert_null(tn__map_get(&map, key_of(5000)));
    assert_null(tn__map_get(&map, ""));
    tn__map_free(&map);
    assert_null(tn__map_get(&map, key_of(1)));
}

static void setting_again_replaces_the_value(void **state)
{
    (void)state;
    tn__map map = { 0 };
    int a, b;
    CHECK_OK(tn__map_set(&map, "x", &a));
    CHECK_OK(tn__map_set(&map, "", &a));
    CHECK_OK(tn__map_set(&map, "x", &b));
    assert_int_equal(map.count, 2);
    assert_ptr_equal(tn__map_get(&map, "x"), &b);
    assert_ptr_equal(tn__map_get(&map, ""), &a);
    CHECK_OK(tn__map_set(&map, "x", NULL));
    assert_null(tn__map_get(&map, "x"));
    tn__map_free(&map);
}

static void numbers_are_found_by_number(void **state)
{
    (void)state;
    tn__ids ids = { 0 };
    size_t value;
    for (uint64_t i = 1; i <= 4000; i++)
        CHECK_OK(tn__ids_set(&ids, i << (i % 40), (size_t)i));
    for (uint64_t i = 1; i <= 4000; i++)
        assert_true(tn__ids_get(&ids, i << (i % 40), &value));
    assert_false(tn__ids_get(&ids, UINT64_MAX, &value));
    size_t count = ids.count;
    CHECK_OK(tn__ids_set(&ids, 3 << 3, 77));
    assert_int_equal(ids.count, count);
    assert_true(tn__ids_get(&ids, 3 << 3, &value));
    assert_int_equal(value, 77);
    CHECK_OK(tn__ids_set(&ids, UINT64_MAX, 1));
    assert_true(tn__ids_get(&ids, UINT64_MAX, &value));
    tn__ids_free(&ids);
    assert_false(tn__ids_get(&ids, 1, &value));
}

/* A refused insertion must leave the map as it was. */
static bool insert(void *self)
{
    (void)self;
    tn__map map = { 0 };
    tn__ids ids = { 0 };
    bool done = true;
    for (int i = 0; done && i < 60; i++) {
        size_t count = map.count;
        done = tn__map_set(&map, key_of(i), &map) == TN_OK;
        assert_int_equal(map.count, count + done);
        assert_ptr_equal(tn__map_get(&map, key_of(i)), done ? &map : NULL);
    }
    for (uint64_t i = 1; done && i < 60; i++)
        done = tn__ids_set(&ids, i, 1) == TN_OK;
    tn__map_free(&map);
    tn__ids_free(&ids);
    return done;
}

static void inserting_survives_refused_allocations(void **state)
{
    (void)state;
    check_allocation_failures(insert, NULL);
    size_t before = live_allocations();
    check_allocation_failures(insert, NULL);
    assert_int_equal(live_allocations(), before);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_holds_nothing),
        cmocka_unit_test(what_is_set_is_found_in_order_of_insertion),
        cmocka_unit_test(setting_again_replaces_the_value),
        cmocka_unit_test(numbers_are_found_by_number),
        cmocka_unit_test(inserting_survives_refused_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
