/* random_test.c - what the streams and the thread's state promise beyond equal numbers, which
 * random_cases_test.c compares. */
#include "support/check.h"
#include <math.h>
#include <stdlib.h>
#include "base/memory.h"
#include "core/random.h"

static void check_block(tn__philox philox, const uint32_t want[4])
{
    uint32_t got[4];
    tn__philox_block(&philox, got);
    assert_memory_equal(got, want, sizeof got);
}

/* The known answers published with the paper. */
static void philox_gives_the_published_answers(void **unused)
{
    (void)unused;
    const uint64_t ones = UINT64_MAX;
    check_block((tn__philox){ 0, { 0, 0 } },
                (uint32_t[]){ 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 });
    check_block((tn__philox){ ones, { ones, ones } },
                (uint32_t[]){ 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd });
    check_block((tn__philox){ 0x299f31d0a4093822, { 0x85a308d3243f6a88, 0x0370734413198a2e } },
                (uint32_t[]){ 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 });
}

static void skipping_carries_into_the_high_half_of_the_counter(void **unused)
{
    (void)unused;
    tn__philox philox = { 1, { UINT64_MAX - 1, 7 } };
    tn__philox_skip(&philox, 1);
    assert_true(philox.counter[0] == UINT64_MAX && philox.counter[1] == 7);
    tn__philox_skip(&philox, 3);
    assert_true(philox.counter[0] == 2 && philox.counter[1] == 8);
    /* values drawn across the seam go on in the same blocks */
    uint32_t drawn[8], block[4];
    philox = (tn__philox){ 1, { UINT64_MAX, 7 } };
    tn__random_bits32(philox, drawn, 8);
    tn__philox_skip(&philox, 1);
    tn__philox_block(&philox, block);
    assert_memory_equal(drawn + 4, block, sizeof block);
}

static void taking_gives_the_place_before_and_moves_on(void **unused)
{
    (void)unused;
    tn__philox stream = { 5, { 10, 0 } }, taken = tn__philox_take(&stream, tn__philox_blocks(3));
    assert_true(taken.counter[0] == 10 && stream.counter[0] == 10 + 768);
    assert_int_equal(tn__philox_shuffle_blocks(0), 0);
    assert_int_equal(tn__philox_shuffle_blocks(1), 0);
    assert_int_equal(tn__philox_shuffle_blocks(2), 1);
    assert_int_equal(tn__philox_shuffle_blocks(5), 1);
    assert_int_equal(tn__philox_shuffle_blocks(6), 2);
}

static void fewer_values_are_the_beginning_of_more(void **unused)
{
    (void)unused;
    tn__philox philox = tn__philox_stateless(3, 4);
    float all[23], some[23], normals[23];
    double wide[23], some_wide[23];
    tn__random_uniform_float32(philox, all, 23);
    tn__random_truncated_normal_float32(philox, normals, 23);
    tn__random_truncated_normal_float64(philox, wide, 23);
    for (size_t count = 0; count <= 23; count++) {
        tn__random_uniform_float32(philox, some, count);
        assert_memory_equal(some, all, count * sizeof *all);
        tn__random_truncated_normal_float32(philox, some, count);
        assert_memory_equal(some, normals, count * sizeof *normals);
        tn__random_truncated_normal_float64(philox, some_wide, count);
        assert_memory_equal(some_wide, wide, count * sizeof *wide);
    }
}

static void no_values_write_nothing(void **unused)
{
    (void)unused;
    tn__philox philox = tn__philox_stateless(3, 4);
    tn__random_uniform_float32(philox, NULL, 0);
    tn__random_truncated_normal_float64(philox, NULL, 0);
    tn__random_uniform_int64(philox, 0, 1, NULL, 0);
    tn__random_shuffle_order(philox, NULL, 0);
    CHECK_OK(tn__random_argsort_order(philox, NULL, 0));
    CHECK_OK(tn__random_categorical(philox, NULL, 0, 3, 5, NULL));
}

static void truncated_normals_are_within_two_of_zero_and_centred(void **unused)
{
    (void)unused;
    enum { COUNT = 20000 };
    static float value[COUNT];
    double sum = 0, squares = 0;
    tn__random_truncated_normal_float32(tn__philox_stateless(1, 2), value, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_true(fabsf(value[i]) < 2);
        sum += value[i];
        squares += value[i] * value[i];
    }
    assert_true(fabs(sum / COUNT) < 0.02);
    assert_true(fabs(sqrt(squares / COUNT) - 0.8796) < 0.01); /* of a normal cut at 2 */
}

static void check_permutation(const int64_t *order, size_t count)
{
    bool *seen = calloc(count + 1, 1);
    for (size_t i = 0; i < count; i++) {
        assert_true(order[i] >= 0 && order[i] < (int64_t)count && !seen[order[i]]);
        seen[order[i]] = true;
    }
    free(seen);
}

static void every_row_is_in_an_order_once(void **unused)
{
    (void)unused;
    enum { MOST = 5000 };
    static int64_t order[MOST];
    for (size_t count = 1; count <= MOST; count = count * 2 + 1) {
        tn__random_shuffle_order(tn__philox_stateless(1, (int64_t)count), order, count);
        check_permutation(order, count);
        CHECK_OK(tn__random_argsort_order(tn__philox_stateless(1, (int64_t)count), order, count));
        check_permutation(order, count);
    }
}

static void python_ints_reach_both_ends_of_their_range(void **unused)
{
    (void)unused;
    tn__python_random random;
    tn__python_random_seed(&random, 1);
    int seen[4] = { 0 };
    for (int i = 0; i < 200; i++) {
        int64_t drawn = tn__python_random_randint(&random, -1, 2);
        assert_in_range(drawn + 1, 0, 3);
        seen[drawn + 1]++;
    }
    assert_true(seen[0] && seen[1] && seen[2] && seen[3]);
    assert_int_equal(tn__python_random_randint(&random, INT64_MIN, INT64_MIN), INT64_MIN);
    assert_int_equal(tn__python_random_randint(&random, INT64_MAX, INT64_MAX), INT64_MAX);
}

/* --- The thread's state ----------------------------------------------------------------------- */

static void without_a_seed_numbers_differ_each_time(void **unused)
{
    (void)unused;
    tn__random_state a = { 0 }, b = { 0 };
    int64_t seed, seed2, first[100], second[100];
    tn__random_op_seed(&a, TN__NO_SEED, &seed, &seed2);
    assert_true(seed == 0 && seed2 == 0);
    tn__philox one = tn__philox_stateful(0, 0), other = tn__philox_stateful(0, 0);
    assert_memory_not_equal(&one, &other, sizeof one);
    /* one chance in 10^9 to be equal; twice, none that will be seen */
    assert_true(tn__random_default_seed(&a) != tn__random_default_seed(&b) ||
                tn__random_default_seed(&a) != tn__random_default_seed(&b));
    tn__random_fit_order(&a, first, 100);
    tn__random_fit_order(&a, second, 100);
    check_permutation(first, 100);
    assert_memory_not_equal(first, second, sizeof first);
}

static void default_seeds_without_a_seed_are_1_to_1e9_and_differ(void **unused)
{
    (void)unused;
    tn__random_state state = { 0 };
    int64_t before = 0;
    for (int i = 0; i < 100; i++) {
        int64_t seed = tn__random_default_seed(&state);
        assert_in_range(seed, 1, 1000000000);
        assert_true(seed != before);
        before = seed;
    }
}

static void setting_the_seed_begins_everything_anew(void **unused)
{
    (void)unused;
    tn__random_state state = { 0 };
    int64_t seen[2][8];
    for (int i = 0; i < 2; i++) {
        tn__philox philox;
        CHECK_OK(tn__random_set_seed(&state, 11));
        seen[i][0] = tn__random_default_seed(&state);
        seen[i][1] = tn__random_default_seed(&state);
        seen[i][2] = 0;
        tn__random_op_seed(&state, TN__NO_SEED, &seen[i][3], &seen[i][4]);
        CHECK_OK(tn__random_state_take(&state, 1, 11, 7, 100, &philox));
        CHECK_OK(tn__random_state_take(&state, 1, 11, 7, 100, &philox));
        seen[i][5] = (int64_t)philox.key;
        seen[i][6] = (int64_t)philox.counter[0];
        seen[i][7] = (int64_t)philox.counter[1];
    }
    assert_memory_equal(seen[0], seen[1], sizeof seen[0]);
    assert_int_equal(seen[0][6], 100);
    tn__random_state_free(&state);
}

static void the_ops_seed_leaves_kerass_seeds_alone(void **unused)
{
    (void)unused;
    tn__random_state state = { 0 }, other = { 0 };
    CHECK_OK(tn__random_set_seed(&state, 11));
    CHECK_OK(tn__random_set_seed(&other, 11));
    assert_int_equal(tn__random_default_seed(&state), tn__random_default_seed(&other));
    CHECK_OK(tn__random_set_op_seeds(&state, 12));
    assert_int_equal(tn__random_default_seed(&state), tn__random_default_seed(&other));
    assert_int_equal(state.global_seed, 12);
    tn__random_state_free(&state);
    tn__random_state_free(&other);
}

static void seeds_that_would_mean_no_seed_are_replaced(void **unused)
{
    (void)unused;
    tn__random_state state = { 0 };
    int64_t seed, seed2;
    const int64_t zeros[] = { 0, INT32_MAX, -INT32_MAX, 2 * (int64_t)INT32_MAX };
    for (int i = 0; i < 4; i++) {
        CHECK_OK(tn__random_set_op_seeds(&state, zeros[i]));
        tn__random_op_seed(&state, zeros[i], &seed, &seed2);
        assert_true(seed == 0 && seed2 == INT32_MAX);
    }
    CHECK_OK(tn__random_set_op_seeds(&state, -1));
    tn__random_op_seed(&state, -2, &seed, &seed2);
    assert_true(seed == INT32_MAX - 1 && seed2 == INT32_MAX - 2);
    tn__random_state_free(&state);
}

static void an_ops_own_seed_takes_no_number_from_the_others(void **unused)
{
    (void)unused;
    tn__random_graph graph = { .seeded = true, .seed = 3 };
    int64_t seed, seed2;
    tn__random_graph_op_seed(&graph, TN__NO_SEED, &seed, &seed2);
    assert_true(seed == 3 && seed2 == 0);
    tn__random_graph_op_seed(&graph, 99, &seed, &seed2);
    assert_true(seed == 3 && seed2 == 99);
    tn__random_graph_op_seed(&graph, TN__NO_SEED, &seed, &seed2);
    assert_true(seed == 3 && seed2 == 1);
    graph = (tn__random_graph){ .seeded = false };
    tn__random_graph_op_seed(&graph, TN__NO_SEED, &seed, &seed2);
    assert_true(seed == 0 && seed2 == 0);
    tn__random_graph_op_seed(&graph, 99, &seed, &seed2);
    assert_true(seed == 87654321 && seed2 == 99);
}

static void take_eagerly(tn__random_state *state, int64_t op_seed, tn__philox *philox)
{
    int64_t seed, seed2;
    tn__random_op_seed(state, op_seed, &seed, &seed2);
    CHECK_OK(tn__random_state_take(state, 1, seed, seed2, 4, philox));
}

static void only_streams_that_can_go_on_are_kept(void **unused)
{
    (void)unused;
    tn__random_state state = { 0 };
    tn__philox philox;
    for (int i = 0; i < 10; i++)
        take_eagerly(&state, TN__NO_SEED, &philox);
    CHECK_OK(tn__random_set_op_seeds(&state, 5));
    for (int i = 0; i < 1000; i++)
        take_eagerly(&state, TN__NO_SEED, &philox);
    assert_int_equal(state.count, 0);
    for (int round = 0; round < 3; round++)
        for (int op_seed = 0; op_seed < 300; op_seed++) {
            take_eagerly(&state, op_seed, &philox);
            assert_int_equal(philox.counter[0], round * 4);
            assert_int_equal(philox.counter[1], op_seed);
        }
    assert_int_equal(state.count, 300);
    tn__random_state_free(&state);
    assert_int_equal(state.capacity, 0);
}

/* --- Without end, without meaning, without memory --------------------------------------------- */

static void parameters_without_meaning_come_to_an_end(void **unused)
{
    (void)unused;
    tn__philox philox = tn__philox_stateless(1, 2);
    assert_true(isnan(tn__random_poisson(philox, 0, NAN, INT32_MAX)));
    assert_true(isinf(tn__random_poisson(philox, 0, INFINITY, INT32_MAX)));
    assert_true(tn__random_poisson(philox, 0, -1, INT32_MAX) == 0);
    assert_true(tn__random_poisson(philox, 0, 1e30, INT32_MAX) == INT32_MAX);
    assert_true(isnan(tn__random_binomial(philox, 0, NAN, 0.5)));
    assert_true(isnan(tn__random_binomial(philox, 0, 5, NAN)));
    assert_true(isinf(tn__random_binomial(philox, 0, INFINITY, 0.5)));
    assert_true(tn__random_binomial(philox, 0, -3, 0.5) == 0);
    assert_true(tn__random_binomial(philox, 0, 5, 2) == 5);
    assert_true(isnan(tn__random_gamma(philox, 0, NAN)));
    assert_true(isnan(tn__random_gamma(philox, 0, -1)));
    assert_true(tn__random_gamma(philox, 0, 0) == 0);
    const double logits[] = { -INFINITY, NAN, 0, INFINITY };
    int64_t drawn[4];
    CHECK_OK(tn__random_categorical(philox, logits, 1, 4, 4, drawn));
    for (int i = 0; i < 4; i++)
        assert_int_equal(drawn[i], 2);
    CHECK_OK(tn__random_categorical(philox, logits, 1, 2, 4, drawn));
    assert_int_equal(drawn[0], 2);
}

static bool use_memory(void *self)
{
    (void)self;
    tn__random_state state = { 0 };
    tn__philox philox = tn__philox_stateless(1, 2);
    int64_t order[10];
    const double logits[] = { 0, 1, 2 };
    bool done = tn__random_argsort_order(philox, order, 10) == TN_OK &&
                tn__random_categorical(philox, logits, 1, 3, 10, order) == TN_OK;
    done = done && tn__random_set_seed(&state, 1) == TN_OK;
    for (int i = 1; done && i < 100; i++)
        done = tn__random_state_take(&state, 1, 5, i, 4, &philox) == TN_OK;
    tn__random_state_free(&state);
    return done;
}

static bool set_seeds(void *self)
{
    (void)self;
    tn__random_state state = { 0 };
    bool done = tn__random_set_op_seeds(&state, 1) == TN_OK;
    assert_int_equal(state.seeded, done);
    if (done) {
        done = tn__random_set_seed(&state, 2) == TN_OK;
        assert_int_equal(state.global_seed, done ? 2 : 1);
        assert_int_equal(state.keras_seeded, done);
    }
    tn__random_state_free(&state);
    return done;
}

static void a_seed_that_cannot_be_set_changes_nothing(void **unused)
{
    (void)unused;
    check_allocation_failures(set_seeds, NULL);
}

static void running_out_of_memory_is_an_error(void **unused)
{
    (void)unused;
    check_allocation_failures(use_memory, NULL); /* what a memory scope keeps is there afterwards */
    size_t before = live_allocations();
    check_allocation_failures(use_memory, NULL);
    assert_int_equal(live_allocations(), before);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_answers),
        cmocka_unit_test(skipping_carries_into_the_high_half_of_the_counter),
        cmocka_unit_test(taking_gives_the_place_before_and_moves_on),
        cmocka_unit_test(fewer_values_are_the_beginning_of_more),
        cmocka_unit_test(no_values_write_nothing),
        cmocka_unit_test(truncated_normals_are_within_two_of_zero_and_centred),
        cmocka_unit_test(every_row_is_in_an_order_once),
        cmocka_unit_test(python_ints_reach_both_ends_of_their_range),
        cmocka_unit_test(without_a_seed_numbers_differ_each_time),
        cmocka_unit_test(default_seeds_without_a_seed_are_1_to_1e9_and_differ),
        cmocka_unit_test(setting_the_seed_begins_everything_anew),
        cmocka_unit_test(the_ops_seed_leaves_kerass_seeds_alone),
        cmocka_unit_test(seeds_that_would_mean_no_seed_are_replaced),
        cmocka_unit_test(an_ops_own_seed_takes_no_number_from_the_others),
        cmocka_unit_test(only_streams_that_can_go_on_are_kept),
        cmocka_unit_test(parameters_without_meaning_come_to_an_end),
        cmocka_unit_test(a_seed_that_cannot_be_set_changes_nothing),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
