/* arena_test.c - pieces are zero, apart and aligned, whatever their size; limits hold. */
#include "support/check.h"
#include "base/arena.h"

static void pieces_are_zero_apart_and_aligned(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    unsigned char *piece[200];
    for (size_t i = 0; i < 200; i++) {
        size_t size = i * i % 5000;
        piece[i] = tn__arena_alloc(&arena, size);
        assert_non_null(piece[i]);
        assert_int_equal((uintptr_t)piece[i] % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(piece[i][k], 0);
        memset(piece[i], (int)i, size);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t k = 0; k < i * i % 5000; k++)
            assert_int_equal(piece[i][k], i);
    tn__arena_free(&arena);
    assert_null(arena.block);
}

static void texts_are_copied(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    assert_null(tn__arena_text(&arena, NULL));
    assert_string_equal(tn__arena_text(&arena, "text"), "text");
    assert_string_equal(tn__arena_text_of(&arena, "text", 2), "te");
    assert_string_equal(tn__arena_text_of(&arena, NULL, 0), "");
    assert_string_equal(tn__arena_print(&arena, "%s_%d", "layer", 3), "layer_3");
    tn__arena_free(&arena);
}

static void lists_grow_and_keep_their_items(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    TN__LIST_OF(int) list = { 0 };
    for (int i = 0; i < 1000; i++) {
        int *item = TN__ARENA_ADD(&arena, &list);
        assert_non_null(item);
        assert_int_equal(*item, 0);
        *item = i;
    }
    assert_int_equal(list.count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(list.item[i], i);
    tn__arena_free(&arena);
}

static void the_limit_is_kept(void **state)
{
    (void)state;
    tn__arena arena = { .limit = 96 };
    assert_non_null(tn__arena_alloc(&arena, 48));
    assert_null(tn__arena_alloc(&arena, 64));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "the limit of 96 bytes");
    assert_non_null(tn__arena_alloc(&arena, 48));
    tn__arena_free(&arena);
    assert_int_equal(arena.limit, 96);
    assert_non_null(tn__arena_alloc(&arena, 96));
    assert_null(tn__arena_alloc(&arena, 1));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "the limit of 96 bytes");
    tn__arena_free(&arena);
    assert_null(tn__arena_alloc(&(tn__arena){ 0 }, SIZE_MAX));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "");
}

static bool fill(void *self)
{
    (void)self;
    tn__arena arena = { 0 };
    TN__LIST_OF(double) list = { 0 };
    bool done = tn__arena_print(&arena, "%d", 1) && tn__arena_alloc(&arena, 100000);
    for (int i = 0; done && i < 3000; i++)
        done = TN__ARENA_ADD(&arena, &list) != NULL;
    tn__arena_free(&arena);
    return done;
}

static void refused_allocations_are_survived(void **state)
{
    (void)state;
    size_t before = live_allocations();
    check_allocation_failures(fill, NULL);
    assert_int_equal(live_allocations(), before);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zero_apart_and_aligned), cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(lists_grow_and_keep_their_items),   cmocka_unit_test(the_limit_is_kept),
        cmocka_unit_test(refused_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
