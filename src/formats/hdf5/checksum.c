/* checksum.c - the two checksums of HDF5: Jenkins's lookup3 over structure, Fletcher's over data.
 */
#include "formats/hdf5/internal.h"
#include <string.h>

static inline uint32_t rotate(uint32_t x, int bits)
{
    return x << bits | x >> (32 - bits);
}

/* One of lookup3's reversible steps: x loses z and takes its rotation, z grows by y. */
#define STEP(x, y, z, bits) (x -= z, x ^= rotate(z, bits), z += y)
/* One of its closing steps. */
#define CLOSE(x, y, bits) (x ^= y, x -= rotate(y, bits))

/* Up to 12 bytes as three little-endian words; what is missing counts as zero. */
static void add_words(uint32_t sum[3], const uint8_t *data, size_t size)
{
    uint8_t padded[12] = { 0 };
    memcpy(padded, data, size);
    for (int i = 0; i < 3; i++)
        sum[i] += padded[4 * i] | (uint32_t)padded[4 * i + 1] << 8 |
                  (uint32_t)padded[4 * i + 2] << 16 | (uint32_t)padded[4 * i + 3] << 24;
}

uint32_t tn__h5_lookup3(tn__span data)
{
    uint32_t start = 0xdeadbeef + (uint32_t)data.size;
    uint32_t sum[3] = { start, start, start };
    if (data.size == 0)
        return start;
    const uint8_t *at = data.data;
    size_t left = data.size;
    for (; left > 12; left -= 12, at += 12) {
        add_words(sum, at, 12);
        uint32_t a = sum[0], b = sum[1], c = sum[2];
        STEP(a, b, c, 4), STEP(b, c, a, 6), STEP(c, a, b, 8);
        STEP(a, b, c, 16), STEP(b, c, a, 19), STEP(c, a, b, 4);
        sum[0] = a, sum[1] = b, sum[2] = c;
    }
    add_words(sum, at, left);
    uint32_t a = sum[0], b = sum[1], c = sum[2];
    CLOSE(c, b, 14), CLOSE(a, c, 11), CLOSE(b, a, 25);
    CLOSE(c, b, 16), CLOSE(a, c, 4), CLOSE(b, a, 14), CLOSE(c, b, 24);
    return c;
}

/* Sums of big-endian 16-bit words, an odd byte at the end being the upper half of one. 360 words
 * are as many as the second sum takes without running over. */
uint32_t tn__h5_fletcher32(tn__span data)
{
    uint32_t first = 0, second = 0;
    size_t words = data.size / 2;
    const uint8_t *at = data.data;
    while (words > 0) {
        size_t run = words < 360 ? words : 360;
        words -= run;
        for (; run > 0; run--, at += 2) {
            first += (uint32_t)at[0] << 8 | at[1];
            second += first;
        }
        first = (first & 0xffff) + (first >> 16);
        second = (second & 0xffff) + (second >> 16);
    }
    if (data.size % 2) {
        first += (uint32_t)at[0] << 8;
        second += first;
        first = (first & 0xffff) + (first >> 16);
        second = (second & 0xffff) + (second >> 16);
    }
    first = (first & 0xffff) + (first >> 16);
    second = (second & 0xffff) + (second >> 16);
    return second << 16 | first;
}
