/* clock.h - time that only goes on. */
#ifndef TN_BASE_CLOCK_H
#define TN_BASE_CLOCK_H
#include <time.h>

/* Since some moment in the past. */
static inline double tn__seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#endif
