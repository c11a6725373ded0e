/* memory_test.c - allocation, alignment, and sums that cannot wrap. */
#include "support/check.h"
#include "base/memory.h"

static void nothing_can_be_allocated_and_freed(void **state)
{
    (void)state;
    void *block = tn__alloc(0);
    assert_non_null(block);
    tn__free(block);
    tn__free(NULL);
    tn__free_aligned(NULL);
    assert_null(tn__strdup(NULL));
    CHECK_NO_ERROR();
}

static void zeroed_memory_is_zero_and_its_size_cannot_wrap(void **state)
{
    (void)state;
    uint8_t *block = tn__alloc_zeroed(10, 10);
    for (int i = 0; i < 100; i++)
        assert_int_equal(block[i], 0);
    tn__free(block);
    assert_null(tn__alloc_zeroed(SIZE_MAX / 2, 3));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "out of memory");
    assert_null(tn__alloc_aligned(SIZE_MAX - 8));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "out of memory");
}

static void aligned_memory_is_aligned_and_all_usable(void **state)
{
    (void)state;
    size_t before = live_allocations();
    for (size_t size = 0; size < 300; size += 7) {
        uint8_t *block = tn__alloc_aligned(size);
        assert_int_equal((uintptr_t)block % 64, 0);
        memset(block, 0xAB, size);
        tn__free_aligned(block);
    }
    assert_int_equal(live_allocations(), before);
}

static void copies_are_copies(void **state)
{
    (void)state;
    char *whole = tn__strdup("kernel"), *part = tn__strndup("kernel", 3),
         *empty = tn__strndup("", 0);
    uint8_t *bytes = tn__memdup("\1\2", 2), *none = tn__memdup(NULL, 0);
    assert_string_equal(whole, "kernel");
    assert_string_equal(part, "ker");
    assert_string_equal(empty, "");
    assert_int_equal(bytes[1], 2);
    assert_non_null(none);
    tn__free(whole);
    tn__free(part);
    tn__free(empty);
    tn__free(bytes);
    tn__free(none);
}

static void sums_and_products_say_when_they_wrap(void **state)
{
    (void)state;
    size_t result;
    assert_true(tn__size_add(SIZE_MAX - 1, 1, &result));
    assert_true(result == SIZE_MAX);
    assert_false(tn__size_add(SIZE_MAX, 1, &result));
    assert_true(tn__size_mul(SIZE_MAX, 1, &result));
    assert_true(tn__size_mul(0, SIZE_MAX, &result));
    assert_false(tn__size_mul(SIZE_MAX / 2 + 1, 2, &result));
}

typedef struct {
    int *item;
    size_t count, capacity;
} numbers;

static void lists_grow(void **state)
{
    (void)state;
    numbers list = { 0 };
    for (int i = 0; i < 1000; i++)
        CHECK_OK(TN__PUSH(&list, i));
    for (int i = 0; i < 1000; i++)
        assert_int_equal(list.item[i], i);
    assert_int_equal(TN__RESERVE(&list, SIZE_MAX), TN_RESOURCE_EXHAUSTED);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "out of memory");
    assert_int_equal(TN__RESERVE(&list, SIZE_MAX / 4), TN_RESOURCE_EXHAUSTED);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "out of memory");
    assert_int_equal(list.count, 1000);
    tn__free(list.item);
}

static bool allocate(void *self)
{
    (void)self;
    numbers list = { 0 };
    bool done = true;
    for (int i = 0; done && i < 30; i++)
        done = TN__PUSH(&list, i) == TN_OK;
    void *aligned = tn__alloc_aligned(10), *copy = tn__memdup("x", 1);
    char *text = tn__strdup("text");
    done = done && aligned && copy && text;
    tn__free(list.item);
    tn__free_aligned(aligned);
    tn__free(copy);
    tn__free(text);
    return done;
}

static void refused_allocations_are_errors_and_leak_nothing(void **state)
{
    (void)state;
    check_allocation_failures(allocate, NULL);
    size_t before = live_allocations();
    check_allocation_failures(allocate, NULL);
    assert_int_equal(live_allocations(), before);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_can_be_allocated_and_freed),
        cmocka_unit_test(zeroed_memory_is_zero_and_its_size_cannot_wrap),
        cmocka_unit_test(aligned_memory_is_aligned_and_all_usable),
        cmocka_unit_test(copies_are_copies),
        cmocka_unit_test(sums_and_products_say_when_they_wrap),
        cmocka_unit_test(lists_grow),
        cmocka_unit_test(refused_allocations_are_errors_and_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
