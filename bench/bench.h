/* bench.h - timing: a workload is a function that is called over and over; what it took is printed as one line of JSON. */
#ifndef TN_BENCH_H
#define TN_BENCH_H
#include <stdbool.h>
#include <tenon.h>

typedef struct {
    const char *workload, *metric; /* "ns", "us", "ms": of one unit */
    void (*run)(void *self);
    void *self;
    int units;                     /* what one call of run does */
} bench_case;

/* Calls run until half a second is over, five times at least; twice before, unseen. */
void bench_run(const bench_case *c);
void bench_run_as(const char *peer, const bench_case *c); /* the same, of something that is not tenon */
void bench_run_both(const bench_case c[2]);               /* in turns: what is compared sees the same machine */
/* true when the program's arguments name the workload, its beginning or one that begins so, or nothing. */
bool bench_wanted(const char *workload);
bool bench_named(const char *workload); /* the same, but not when there are no arguments */
void bench_print(const char *workload, const char *metric, double min, double median, int n);
void bench_print_as(const char *peer, const char *workload, const char *metric, double min, double median, int n);
int bench_threads(void); /* how many were asked for; 0: nothing was said */
/* "VmHWM" of the process, in MB. */
double bench_peak_memory(void);

void bench_eager(void);
void bench_models(void);
void bench_arrays(void);
void bench_files(void);
void bench_limits(void);

#endif
