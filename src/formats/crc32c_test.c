/* crc32c_test.c - known checksums, by tables and by the instruction, of any length and in parts. */
#include "support/check.h"
#include "formats/crc32c.h"

/* The definition, a bit at a time. */
static uint32_t by_bits(const uint8_t *data, size_t size)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

static void numbers(uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * i * 37 + i * 11 + 5);
}

/* RFC 3720, B.4. */
static void known_checksums_come_out(void **state)
{
    (void)state;
    uint8_t data[32] = { 0 };
    assert_int_equal(tn__crc32c(0, data, 32), 0x8a9136aau);
    memset(data, 0xff, 32);
    assert_int_equal(tn__crc32c(0, data, 32), 0x62a8ab43u);
    for (int i = 0; i < 32; i++)
        data[i] = (uint8_t)i;
    assert_int_equal(tn__crc32c(0, data, 32), 0x46dd794eu);
    assert_int_equal(tn__crc32c(0, "123456789", 9), 0xe3069283u);
    assert_int_equal(tn__crc32c(0, NULL, 0), 0);
}

static void every_length_and_place_is_right_both_ways(void **state)
{
    (void)state;
    uint8_t data[300];
    numbers(data, sizeof data);
    for (size_t start = 0; start < 9; start++)
        for (size_t size = 0; size + start <= sizeof data; size++) {
            uint32_t expected = by_bits(data + start, size);
            assert_int_equal(tn__crc32c(0, data + start, size), expected);
            assert_int_equal(tn__crc32c_by_tables(0, data + start, size), expected);
        }
}

static void parts_go_on_from_each_other(void **state)
{
    (void)state;
    uint8_t data[100];
    numbers(data, sizeof data);
    uint32_t whole = tn__crc32c(0, data, sizeof data);
    for (size_t cut = 0; cut <= sizeof data; cut++) {
        assert_int_equal(tn__crc32c(tn__crc32c(0, data, cut), data + cut, sizeof data - cut),
                         whole);
        assert_int_equal(
            tn__crc32c_by_tables(tn__crc32c_by_tables(0, data, cut), data + cut, sizeof data - cut),
            whole);
    }
}

static void masks_come_off_again(void **state)
{
    (void)state;
    assert_int_equal(tn__crc32c_mask(0), 0xa282ead8u);
    for (uint32_t crc = 1; crc != 0x80000000u; crc <<= 1) {
        assert_int_not_equal(tn__crc32c_mask(crc), crc);
        assert_int_equal(tn__crc32c_unmask(tn__crc32c_mask(crc)), crc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_checksums_come_out),
        cmocka_unit_test(every_length_and_place_is_right_both_ways),
        cmocka_unit_test(parts_go_on_from_each_other),
        cmocka_unit_test(masks_come_off_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
