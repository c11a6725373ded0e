/* kept_test.c - large blocks come back, and a thread's small ones; with the C library's allocator, which the other tests replace. */
#include "base/memory.h"
#include "tenon/sys.h"
#include "support/check.h"
#include <stdlib.h>
#include <string.h>

enum { MB = 1 << 20 };

static long resident_pages(void)
{
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return resident;
}

static void *touched(size_t size)
{
    char *block = tn__alloc_aligned(size);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 64, 0);
    memset(block, 1, size);
    return block;
}

static void a_large_block_is_given_again(void **unused)
{
    (void)unused;
    void *large = touched(8 * MB), *other = touched(8 * MB);
    tn__free_aligned(large);
    void *smaller = touched(8 * MB - MB / 2);
#ifndef __SANITIZE_ADDRESS__
    assert_ptr_equal(smaller, large);
#endif
    void *none = touched(8 * MB);
    assert_true(none != large && none != other);
    tn__free_aligned(smaller);
    tn__free_aligned(none);
    tn__free_aligned(other);
}

/* Also not ones that are much larger. */
static void what_is_kept_does_not_serve_small_wishes(void **unused)
{
    (void)unused;
    void *large = touched(100 * MB);
    tn__free_aligned(large);
    long before = resident_pages();
    void *smaller = touched(50 * MB);
    assert_true(resident_pages() - before > 50 * (MB / 4096) / 2);
    tn__free_aligned(smaller);
}

static void no_more_than_128_megabytes_are_kept(void **unused)
{
    (void)unused;
    long before = resident_pages();
    void *block[12];
    for (int i = 0; i < 12; i++)
        block[i] = touched(40 * MB);
    for (int i = 0; i < 12; i++)
        tn__free_aligned(block[i]);
#ifndef __SANITIZE_ADDRESS__
    assert_true(resident_pages() - before <= 130 * (MB / 4096));
#else
    (void)before;
#endif
}

static void *count_allocations(void *self, void *block, size_t size)
{
    *(int *)self += (size && !block) - (block && !size);
    if (size)
        return realloc(block, size);
    free(block);
    return NULL;
}

static void a_hosts_allocator_gets_them_back_at_once(void **unused)
{
    (void)unused;
    int live = 0;
    tn_set_allocator((tn_allocator){ count_allocations, &live });
    void *large = touched(8 * MB);
    assert_int_equal(live, 1);
    tn__free_aligned(large);
    assert_int_equal(live, 0);
    tn_set_allocator((tn_allocator){ 0 });
}

static void a_small_block_is_given_again_to_its_size(void **unused)
{
    (void)unused;
    tn__spare spare = { .bytes = 0 };
    void *first = tn__alloc_spare(&spare, 1000), *second = tn__alloc_spare(&spare, 1000);
    memset(first, 1, 1000);
    assert_int_equal((uintptr_t)first % 64, 0);
    tn__free_spare(&spare, first);
    tn__free_spare(&spare, second);
    void *other = tn__alloc_spare(&spare, 1000 + 64 * TN__SPARE_SIZES); /* of the same list */
    void *again = tn__alloc_spare(&spare, 1024);
    assert_true(other != first && other != second);
#ifndef __SANITIZE_ADDRESS__
    assert_ptr_equal(again, second);
    assert_ptr_equal(tn__alloc_spare(&spare, 961), first);
    tn__free_spare(&spare, first);
#endif
    tn__free_spare(&spare, again);
    tn__free_aligned(other);
    tn__spare_free(&spare);
    assert_int_equal(spare.bytes, 0);
}

static void no_more_than_256_kilobytes_are_spare(void **unused)
{
    (void)unused;
    tn__spare spare = { .bytes = 0 };
    void *block[100];
    for (int i = 0; i < 100; i++)
        block[i] = tn__alloc_spare(&spare, 4000 + (size_t)i * 64);
    for (int i = 0; i < 100; i++) {
        tn__free_spare(&spare, block[i]);
        assert_true(spare.bytes <= MB / 4);
    }
    void *large = tn__alloc_spare(&spare, MB / 8);
    size_t before = spare.bytes;
    tn__free_spare(&spare, large);
    assert_int_equal(spare.bytes, before);
    tn__spare_free(&spare);
}

static void a_hosts_allocator_gets_small_ones_back_too(void **unused)
{
    (void)unused;
    int live = 0;
    tn__spare spare = { .bytes = 0 };
    tn_set_allocator((tn_allocator){ count_allocations, &live });
    void *small = tn__alloc_spare(&spare, 1000);
    assert_int_equal(live, 1);
    tn__free_spare(&spare, small);
    assert_int_equal(live, 0);
    tn_set_allocator((tn_allocator){ 0 });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_block_is_given_again),
        cmocka_unit_test(what_is_kept_does_not_serve_small_wishes),
        cmocka_unit_test(no_more_than_128_megabytes_are_kept),
        cmocka_unit_test(a_hosts_allocator_gets_them_back_at_once),
        cmocka_unit_test(a_small_block_is_given_again_to_its_size),
        cmocka_unit_test(no_more_than_256_kilobytes_are_spare),
        cmocka_unit_test(a_hosts_allocator_gets_small_ones_back_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
