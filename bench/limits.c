/* limits.c - what the machine can do: multiplications and additions in registers, and copying past the caches. */
#include "bench.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { FLOATS = 16 << 20, MOST_LANES = 64, CHAINS = 16, COPIES = 4 };
static const double WORK = 10e9; /* floating-point operations of one run */

typedef struct limits limits;
typedef struct {
    const limits *all;
    int number;
    float result;
} lane;
struct limits {
    int lanes;
    float *from, *to;
    void (*work)(lane *);
    lane lane[MOST_LANES];
};

#ifdef __x86_64__
__attribute__((target("avx512f"))) static float fma512(long rounds)
{
    __m512 r[CHAINS], a = _mm512_set1_ps(1.0000001f), b = _mm512_set1_ps(1e-9f);
    for (int i = 0; i < CHAINS; i++)
        r[i] = _mm512_set1_ps((float)i);
    for (long k = 0; k < rounds; k++) {
#pragma GCC unroll 16
        for (int i = 0; i < CHAINS; i++)
            r[i] = _mm512_fmadd_ps(r[i], a, b);
    }
    for (int i = 1; i < CHAINS; i++)
        r[0] = _mm512_add_ps(r[0], r[i]);
    return _mm512_reduce_add_ps(r[0]);
}

__attribute__((target("avx2,fma"))) static float fma256(long rounds)
{
    __m256 r[CHAINS - 4], a = _mm256_set1_ps(1.0000001f), b = _mm256_set1_ps(1e-9f);
    for (int i = 0; i < CHAINS - 4; i++)
        r[i] = _mm256_set1_ps((float)i);
    for (long k = 0; k < rounds; k++) {
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS - 4; i++)
            r[i] = _mm256_fmadd_ps(r[i], a, b);
    }
    for (int i = 1; i < CHAINS - 4; i++)
        r[0] = _mm256_add_ps(r[0], r[i]);
    return _mm256_cvtss_f32(r[0]);
}

static void multiply_wide(lane *l)
{
    l->result = fma512((long)(WORK / l->all->lanes / (2 * 16 * CHAINS)));
}

static void multiply(lane *l)
{
    l->result = fma256((long)(WORK / l->all->lanes / (2 * 8 * (CHAINS - 4))));
}

static void copy(lane *l)
{
    size_t part = FLOATS / 4 / (size_t)l->all->lanes * 4, begin = part * (size_t)l->number;
    const float *from = l->all->from + begin;
    float *to = l->all->to + begin;
    for (int n = 0; n < COPIES; n++)
        for (size_t i = 0; i < part; i += 4)
            _mm_stream_ps(to + i, _mm_load_ps(from + i));
    _mm_sfence();
}
#endif

static void *enter(void *self)
{
    lane *l = self;
    l->all->work(l);
    return NULL;
}

static void run(void *self)
{
    limits *all = self;
    pthread_t thread[MOST_LANES];
    bool made[MOST_LANES] = { false };
    for (int i = 1; i < all->lanes; i++)
        made[i] = pthread_create(&thread[i], NULL, enter, &all->lane[i]) == 0;
    enter(&all->lane[0]);
    for (int i = 1; i < all->lanes; i++)
        if (made[i])
            pthread_join(thread[i], NULL);
}

static void begin(limits *all)
{
    int asked = bench_threads();
    *all = (limits){ .lanes = asked < 1 ? 1 : asked > MOST_LANES ? MOST_LANES : asked };
    for (int i = 0; i < all->lanes; i++)
        all->lane[i] = (lane){ .all = all, .number = i };
}

/* On other processors nothing is measured here, and lines are judged beside the peers alone. */
void bench_limits(void)
{
    limits all;
    begin(&all);
#ifdef __x86_64__
    if (bench_wanted("LIM_fma") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        all.work = __builtin_cpu_supports("avx512f") ? multiply_wide : multiply;
        bench_run_as("machine", &(bench_case){ "LIM_fma", "ms", run, &all, 1 });
    }
    size_t size = FLOATS * sizeof(float);
    if (!bench_wanted("LIM_copy"))
        return;
    all.from = aligned_alloc(2 << 20, size);
    all.to = aligned_alloc(2 << 20, size);
    if (all.from && all.to) {
        memset(all.from, 1, size);
        memset(all.to, 1, size);
        all.work = copy;
        bench_run_as("machine", &(bench_case){ "LIM_copy", "ms", run, &all, COPIES });
    }
    free(all.from);
    free(all.to);
#endif
}
