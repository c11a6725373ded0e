/* npy_fuzz.c - any bytes as an array file: opened, and copied row-major. */
#include "formats/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tn__npy array;
    if (tn__npy_open((tn__span){ data, size }, &array) == TN_OK) {
        if (array.data.size != array.count * (size_t)array.type.size || array.data.size > size)
            __builtin_trap();
        void *copy = tn__alloc(array.data.size);
        if (copy)
            tn__npy_copy(&array, copy);
        tn__free(copy);
    }
    tn__fail_clear();
    return 0;
}
