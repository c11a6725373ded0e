/* bench.c - tenon's side of the table in RESULTS.md: bench [WORKLOAD ...] prints a line of JSON for each. */
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 100000, LEAST = 5 };
static double taken[2][MOST];
static char **wanted;
static int wanted_count;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int bench_threads(void)
{
    const char *asked = getenv("TN_NUM_THREADS");
    return asked ? atoi(asked) : 0;
}

void bench_print_as(const char *peer, const char *workload, const char *metric, double min, double median, int n)
{
    printf("{\"workload\":\"%s\",\"peer\":\"%s\",\"threads\":%d,\"metric\":\"%s\",\"min\":%.6g,\"median\":%.6g,\"n\":%d}\n", workload,
           peer, bench_threads(), metric, min, median, n);
    fflush(stdout);
}

void bench_print(const char *workload, const char *metric, double min, double median, int n)
{
    bench_print_as("tenon", workload, metric, min, median, n);
}

bool bench_wanted(const char *workload)
{
    for (int i = 0; i < wanted_count; i++) {
        size_t length = strlen(wanted[i]), own = strlen(workload);
        if (strncmp(workload, wanted[i], length < own ? length : own) == 0)
            return true;
    }
    return wanted_count == 0;
}

bool bench_named(const char *workload)
{
    return wanted_count > 0 && bench_wanted(workload);
}

static double time_of(const bench_case *c)
{
    double scale = c->metric[0] == 'n' ? 1e9 : c->metric[0] == 'u' ? 1e6 : 1e3, start = now();
    c->run(c->self);
    return (now() - start) * scale / c->units;
}

static void run(const char *peer, const bench_case *c, int count)
{
    int n = 0;
    for (int i = 0; i < 2 * count; i++)
        c[i % count].run(c[i % count].self);
    for (double begin = now(); n < MOST && (n < LEAST || now() - begin < 0.5 * count); n++)
        for (int i = 0; i < count; i++)
            taken[i][n] = time_of(&c[i]);
    for (int i = 0; i < count; i++) {
        qsort(taken[i], (size_t)n, sizeof *taken[i], by_size);
        bench_print_as(peer, c[i].workload, c[i].metric, taken[i][0], taken[i][n / 2], n);
    }
    tn_must(tn_pending());
}

void bench_run_as(const char *peer, const bench_case *c)
{
    if (bench_wanted(c->workload))
        run(peer, c, 1);
}

void bench_run(const bench_case *c)
{
    bench_run_as("tenon", c);
}

void bench_run_both(const bench_case c[2])
{
    run("tenon", c, 2);
}

double bench_peak_memory(void)
{
    char line[256];
    double kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kilobytes = atof(line + 6);
    if (file)
        fclose(file);
    return kilobytes / 1024;
}

int main(int argc, char **argv)
{
    wanted = argv + 1;
    wanted_count = argc - 1;
    bench_eager();
    bench_models();
    bench_arrays();
    bench_files();
    bench_limits();
    return tn_report();
}
