/* crc32c.c - eight bytes at a time: with eight tables, or the processor's instruction for it. */
#include "formats/crc32c.h"
#include <string.h>

/* Table k has the checksum of each byte with k zero bytes behind it. A checksum is linear: a byte's
 * is the sum of those of its bits, which are what a table is made of. */
#define SUM(n, a, b, c, d, e, f, g, h)                                                          \
    (((n)&1 ? a : 0) ^ ((n)&2 ? b : 0) ^ ((n)&4 ? c : 0) ^ ((n)&8 ? d : 0) ^ ((n)&16 ? e : 0) ^ \
     ((n)&32 ? f : 0) ^ ((n)&64 ? g : 0) ^ ((n)&128 ? h : 0))
#define SUM4(n, ...)                                                             \
    SUM((n), __VA_ARGS__), SUM((n) + 1, __VA_ARGS__), SUM((n) + 2, __VA_ARGS__), \
        SUM((n) + 3, __VA_ARGS__)
#define SUM16(n, ...)                                                               \
    SUM4((n), __VA_ARGS__), SUM4((n) + 4, __VA_ARGS__), SUM4((n) + 8, __VA_ARGS__), \
        SUM4((n) + 12, __VA_ARGS__)
#define SUM64(n, ...)                                                                    \
    SUM16((n), __VA_ARGS__), SUM16((n) + 16, __VA_ARGS__), SUM16((n) + 32, __VA_ARGS__), \
        SUM16((n) + 48, __VA_ARGS__)
#define TABLE(...)                                                              \
    {                                                                           \
        SUM64(0, __VA_ARGS__), SUM64(64, __VA_ARGS__), SUM64(128, __VA_ARGS__), \
            SUM64(192, __VA_ARGS__)                                             \
    }

static const uint32_t table[8][256] = {
    TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc,
          0x82f63b78),
    TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604,
          0xfbc3faf9),
    TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9,
          0x8b277743),
    TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7,
          0x52a0c93f),
    TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae,
          0x6ea2d55c),
    TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb,
          0x1c08b7d6),
    TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a,
          0xf56e0ef4),
    TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32,
          0x34019664),
};

static uint64_t eight_bytes(const uint8_t *at)
{
    uint64_t value = 0;
    for (int i = 8; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

uint32_t tn__crc32c_by_tables(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *at = data;
    crc = ~crc;
    for (; size >= 8; size -= 8, at += 8) {
        uint64_t x = eight_bytes(at) ^ crc;
        crc = 0;
        for (int i = 0; i < 8; i++)
            crc ^= table[7 - i][x >> 8 * i & 0xff];
    }
    for (; size > 0; size--)
        crc = crc >> 8 ^ table[0][(crc ^ *at++) & 0xff];
    return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const void *data,
                                                                 size_t size)
{
    const uint8_t *at = data;
    uint64_t sum = ~crc, eight;
    for (; size >= 8; size -= 8, at += 8) {
        memcpy(&eight, at, 8);
        sum = __builtin_ia32_crc32di(sum, eight);
    }
    for (; size > 0; size--)
        sum = __builtin_ia32_crc32qi((uint32_t)sum, *at++);
    return ~(uint32_t)sum;
}

uint32_t tn__crc32c(uint32_t crc, const void *data, size_t size)
{
    return __builtin_cpu_supports("sse4.2") ? by_instruction(crc, data, size)
                                            : tn__crc32c_by_tables(crc, data, size);
}
#else
uint32_t tn__crc32c(uint32_t crc, const void *data, size_t size)
{
    return tn__crc32c_by_tables(crc, data, size);
}
#endif
