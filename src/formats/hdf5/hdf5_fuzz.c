/* hdf5_fuzz.c - any bytes as an HDF5 file: opened, walked, everything in it read. Its walk also
 * serves the test of damaged files. */
#include "formats/hdf5/hdf5.h"

/* What a walk may still do, so that groups inside themselves come to an end. */
typedef struct {
    int objects;
    uint64_t sum; /* of the bytes that were read: a sanitizer sees each of them */
} walk_state;

static void use_bytes(walk_state *state, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        state->sum += ((const uint8_t *)data)[i];
}

static void walk_strings(walk_state *state, tn__h5_object *value)
{
    tn__h5_strings strings;
    if (tn__h5_read_strings(value, &strings) == TN_OK)
        for (size_t i = 0; i < strings.count; i++)
            use_bytes(state, strings.item[i].text, strings.item[i].size + 1);
    tn__h5_strings_free(&strings);
    tn__fail_clear();
}

static void walk_value(walk_state *state, tn__h5_object *value)
{
    size_t size;
    tn__span there;
    const tn__h5_info *info;
    if (tn__h5_info_of(value, &info) == TN_OK && tn__h5_measure(value, &size) == TN_OK) {
        void *data = tn__alloc(size);
        if (data && tn__h5_read(value, data, size) == TN_OK)
            use_bytes(state, data, size);
        tn__free(data);
        if (tn__h5_in_place(value, &there) == TN_OK)
            use_bytes(state, there.data, there.size);
    }
    tn__fail_clear();
    walk_strings(state, value);
}

static void walk_attributes(walk_state *state, tn__h5_object *object)
{
    const tn__h5_names *names;
    tn__h5_object *attribute;
    if (tn__h5_attributes(object, &names) == TN_OK)
        for (size_t i = 0; i < names->count && state->objects-- > 0; i++)
            if (tn__h5_attribute(object, names->item[i], &attribute) == TN_OK)
                walk_value(state, attribute);
    tn__fail_clear();
}

static void walk_object(walk_state *state, tn__h5_object *object, int depth)
{
    const tn__h5_names *names;
    tn__h5_object *child;
    if (state->objects-- <= 0 || depth > 20)
        return;
    use_bytes(state, tn__h5_path(object), 1);
    walk_attributes(state, object);
    if (tn__h5_kind_of(object) == TN__H5_DATASET)
        walk_value(state, object);
    if (tn__h5_kind_of(object) == TN__H5_GROUP && tn__h5_list(object, &names) == TN_OK)
        for (size_t i = 0; i < names->count && state->objects > 0; i++) {
            if (tn__h5_find(object, names->item[i], &child) == TN_OK && child)
                walk_object(state, child, depth + 1);
            tn__fail_clear();
        }
    tn__fail_clear();
}

static uint64_t walk_file(const uint8_t *data, size_t size, bool ignore_checksums)
{
    tn__h5 *file;
    walk_state state = { .objects = 400 };
    tn__h5_limits limits = { .decoded = 1 << 20, .ignore_checksums = ignore_checksums };
    if (tn__h5_open((tn__span){ data, size }, &limits, &file) == TN_OK)
        walk_object(&state, tn__h5_root(file), 0);
    tn__fail_clear();
    tn__h5_close(file);
    return state.sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    walk_file(data, size, false);
    walk_file(data, size, true);
    return 0;
}
