/* crc32_test.c - known checksums, any length at any place, and in parts. */
#include "support/check.h"
#include "formats/crc32.h"

/* The definition, a bit at a time. */
static uint32_t by_bits(const uint8_t *data, size_t size)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void numbers(uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * i * 37 + (i >> 3) * 11 + 5);
}

/* Of the digits as every catalogue of checksums has it; of nothing. */
static void known_checksums_come_out(void **state)
{
    (void)state;
    assert_int_equal(tn__crc32(0, "123456789", 9), 0xcbf43926u);
    assert_int_equal(tn__crc32(0, NULL, 0), 0);
    assert_int_equal(tn__crc32(7, NULL, 0), 7);
}

static void every_length_and_place_is_right(void **state)
{
    (void)state;
    uint8_t data[700];
    numbers(data, sizeof data);
    for (size_t start = 0; start < 17; start++)
        for (size_t size = 0; size + start <= sizeof data; size++)
            assert_int_equal(tn__crc32(0, data + start, size), by_bits(data + start, size));
}

static void parts_go_on_from_each_other(void **state)
{
    (void)state;
    uint8_t data[400];
    numbers(data, sizeof data);
    uint32_t whole = by_bits(data, sizeof data);
    for (size_t cut = 0; cut <= sizeof data; cut++)
        assert_int_equal(tn__crc32(tn__crc32(0, data, cut), data + cut, sizeof data - cut), whole);
}

/* A bit alone far from the end goes through every step of the folding. */
static void each_single_bit_is_seen(void **state)
{
    (void)state;
    uint8_t data[1024] = { 0 };
    uint32_t none = by_bits(data, sizeof data);
    for (size_t bit = 0; bit < 8 * sizeof data; bit += 5) {
        data[bit / 8] = (uint8_t)(1 << bit % 8);
        uint32_t expected = by_bits(data, sizeof data);
        assert_int_not_equal(expected, none);
        assert_int_equal(tn__crc32(0, data, sizeof data), expected);
        data[bit / 8] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_checksums_come_out),
        cmocka_unit_test(every_length_and_place_is_right),
        cmocka_unit_test(parts_go_on_from_each_other),
        cmocka_unit_test(each_single_bit_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
