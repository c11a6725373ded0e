// defaults.cpp - for defaults_test.c: what a C++ program gets when it makes an options struct.
#include <tenon.h>
#include <cstring>

extern "C" bool defaults_of_cpp(const char *name, void *options, size_t size);

template <typename Options> static bool give(void *options, size_t size)
{
    const Options made{};
    std::memcpy(options, &made, sizeof made < size ? sizeof made : size);
    return sizeof made == size;
}

bool defaults_of_cpp(const char *name, void *options, size_t size)
{
#define ROW(kind, class_name, call, type)              \
    if (std::strcmp(name, #kind "/" #class_name) == 0) \
        return give<type>(options, size);
#include "defaults.def"
#undef ROW
    return false;
}
