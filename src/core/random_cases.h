/* random_cases.h - for random_cases_test.c: reading a recorded case, and comparing with it. */
#ifndef TN_CORE_RANDOM_CASES_H
#define TN_CORE_RANDOM_CASES_H
#include "support/check.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include "core/random.h"

/* A recorded case and, while a corpus is read, the bytes of its .npz. */
static struct {
    json_t *json;
    const char *name;
    char *npz;
    size_t npz_size;
} now;

/* How many cases there were, and how many of their normals had every bit right. */
static struct {
    size_t cases, arrays, exact;
} tally;

/* --- Reading a case --------------------------------------------------------------------------- */

static json_t *get(const char *key)
{
    return json_object_get(now.json, key);
}

static int64_t integer(const char *key)
{
    json_t *value = get(key);
    if (!json_is_integer(value))
        fail_msg("%s: no integer '%s'", now.name, key);
    return json_integer_value(value);
}

static double number(const char *key)
{
    json_t *value = get(key);
    if (!json_is_number(value))
        fail_msg("%s: no number '%s'", now.name, key);
    return json_number_value(value);
}

static void seed_pair(int64_t seed[2])
{
    json_t *value = get("seed");
    bool pair = json_is_array(value);
    seed[0] = json_integer_value(pair ? json_array_get(value, 0) : value);
    seed[1] = pair ? json_integer_value(json_array_get(value, 1)) : 0;
}

static tn__philox stateless(void)
{
    int64_t seed[2];
    seed_pair(seed);
    return tn__philox_stateless(seed[0], seed[1]);
}

static tn__philox keras(void)
{
    int64_t seed[2];
    seed_pair(seed);
    return tn__philox_keras(seed);
}

/* A part of the value: "a.1" is member a, its element 1. NULL: all of it. */
static json_t *part(const char *path)
{
    json_t *value = get("value");
    char copy[64];
    snprintf(copy, sizeof copy, "%s", path ? path : "");
    for (char *save, *step = strtok_r(copy, ".", &save); step; step = strtok_r(NULL, ".", &save))
        value = json_is_array(value) ? json_array_get(value, (size_t)atoi(step))
                                     : json_object_get(value, step);
    if (!value)
        fail_msg("%s: no value '%s'", now.name, path);
    return value;
}

static const char *dtype_of(const char *path)
{
    return json_string_value(json_object_get(part(path), "dtype"));
}

static size_t dimension(const char *path, size_t axis)
{
    return (size_t)json_integer_value(json_array_get(json_object_get(part(path), "shape"), axis));
}

static size_t size_of(const char *path)
{
    size_t count = 1, axis;
    json_t *size;
    json_array_foreach(json_object_get(part(path), "shape"), axis, size) count *=
        (size_t)json_integer_value(size);
    return count;
}

static size_t width_of(const char *dtype)
{
    return strstr(dtype, "64") ? 8 : strstr(dtype, "16") ? 2 : 4;
}

static uint64_t little(const char *at, int width)
{
    uint64_t value = 0;
    memcpy(&value, at, (size_t)width);
    return value;
}

/* The numbers of a stored member: zip64 sizes in the extra field, then npy version 1. */
static const char *npz_member(const char *key)
{
    char wanted[80];
    int length = snprintf(wanted, sizeof wanted, "%s.npy", key);
    for (size_t at = 0; at + 30 < now.npz_size && little(now.npz + at, 4) == 0x04034b50;) {
        const char *head = now.npz + at;
        int name = (int)little(head + 26, 2), extra = (int)little(head + 28, 2);
        const char *data = head + 30 + name + extra;
        if (name == length && memcmp(head + 30, wanted, (size_t)name) == 0)
            return data + 10 + little(data + 8, 2);
        at += (size_t)(30 + name + extra) + little(head + 30 + name + 4, 8);
    }
    fail_msg("%s: no array '%s'", now.name, key);
    return NULL;
}

/* The recorded bytes, to free; NULL when only their hash was recorded. */
static void *recorded(const char *path, size_t bytes)
{
    json_t *array = part(path);
    char *out = malloc(bytes + 1);
    if (json_object_get(array, "$npz"))
        return memcpy(out, npz_member(json_string_value(json_object_get(array, "$npz"))), bytes);
    const char *hex = json_string_value(json_object_get(array, "hex"));
    if (!hex) {
        free(out);
        return NULL;
    }
    assert_int_equal(strlen(hex), bytes * 2);
    for (size_t i = 0; i < bytes; i++) {
        char digits[3] = { hex[2 * i], hex[2 * i + 1], 0 };
        out[i] = (char)strtol(digits, NULL, 16);
    }
    return out;
}

/* --- Comparing -------------------------------------------------------------------------------- */

static void check_hash(const char *path, const unsigned char *got, size_t bytes)
{
    uint64_t hash = 0xCBF29CE484222325;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ got[i]) * 0x100000001B3;
    const char *want = json_string_value(json_object_get(part(path), "fnv"));
    assert_non_null(want);
    if (hash != strtoull(want, NULL, 16))
        fail_msg("%s %s: hash differs", now.name, path ? path : "");
}

static bool near(const char *dtype, const void *got, const void *want, size_t i)
{
    if (strcmp(dtype, "float64") == 0) {
        double g = ((const double *)got)[i], w = ((const double *)want)[i];
        return fabs(g - w) <= 1e-13 + 1e-13 * fabs(w);
    }
    if (strcmp(dtype, "float32") == 0) {
        float g = ((const float *)got)[i], w = ((const float *)want)[i];
        return fabsf(g - w) <= 2e-7f + 1e-6f * fabsf(w);
    }
    return abs(((const int16_t *)got)[i] - ((const int16_t *)want)[i]) <= 1;
}

/* exact: bit for bit; else within what another C library's logf and sinf may do. */
static void check(const char *path, const void *got, bool exact)
{
    const char *dtype = dtype_of(path);
    size_t count = size_of(path), width = width_of(dtype);
    unsigned char *want = recorded(path, count * width);
    tally.arrays++;
    tally.exact += !want || memcmp(want, got, count * width) == 0;
    if (!want)
        check_hash(path, got, count * width);
    for (size_t i = 0; want && i < count; i++)
        if (exact ? memcmp(want + i * width, (const char *)got + i * width, width) != 0
                  : !near(dtype, got, want, i))
            fail_msg("%s %s: value %zu of %zu differs", now.name, path ? path : "", i, count);
    free(want);
}

/* Recorded in some integer type, computed in int64. */
static void check_integers(const char *path, const int64_t *got)
{
    size_t count = size_of(path);
    if (width_of(dtype_of(path)) == 8) {
        check(path, got, true);
        return;
    }
    int32_t *narrow = calloc(count + 1, sizeof *narrow);
    for (size_t i = 0; i < count; i++)
        narrow[i] = (int32_t)got[i];
    check(path, narrow, true);
    free(narrow);
}

#endif
