/* alone.h - is this thread the process's only one? Then nothing needs an exchange with other processors, which takes as long as thirty
 * additions. A C library that says so goes by it in its own locks, and what threads are made later is done in order. */
#ifndef TN_BASE_ALONE_H
#define TN_BASE_ALONE_H
#include <stdbool.h>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
static inline bool tn__alone(void)
{
    return __libc_single_threaded;
}
#else
static inline bool tn__alone(void)
{
    return false;
}
#endif
#endif
