/* parallel.c - the pool of threads. */
#include "kernels/parallel.h"
#include "base/clock.h"
#include "base/subnormal.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#define SPIN_SECONDS 150e-6
enum { WORK_OF_A_LANE = 200000 };

/* `round` counts pieces of work; a worker that sees it change does its lanes and counts down `left`. */
static struct {
    _Alignas(64) _Atomic uint64_t round;
    _Alignas(64) _Atomic int left;
    _Alignas(64) _Atomic int sleepers;
    pthread_mutex_t lock;  /* of sleeping */
    pthread_cond_t wake;
    pthread_mutex_t busy;  /* held by the thread whose work it is */
    void (*body)(void *self, int lane, int lanes);
    void *self;
    int lanes;
    int workers;           /* made so far */
    uint64_t begun[TN__MOST_LANES]; /* by worker: the round that it was made in, whose work is not for it */
    bool watched;          /* fork() is */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .busy = PTHREAD_MUTEX_INITIALIZER };

static void pause_a_moment(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

static uint64_t sleep_until_changed(uint64_t seen)
{
    uint64_t round;
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add(&pool.sleepers, 1);
    while ((round = atomic_load(&pool.round)) == seen)
        pthread_cond_wait(&pool.wake, &pool.lock);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.lock);
    return round;
}

static uint64_t wait_for_work(uint64_t seen)
{
    double until = tn__seconds() + SPIN_SECONDS;
    for (unsigned i = 1;; i++) {
        uint64_t round = atomic_load_explicit(&pool.round, memory_order_acquire);
        if (round != seen)
            return round;
        pause_a_moment();
        if (i % 64 == 0 && tn__seconds() > until)
            return sleep_until_changed(seen);
    }
}

/* Worker w does lane w + 1 when there is one. */
static void *work(void *number)
{
    int lane = (int)(intptr_t)number + 1;
    uint64_t round = pool.begun[lane - 1];
    tn__flush_subnormals();
    for (;;) {
        round = wait_for_work(round);
        if (lane < pool.lanes)
            pool.body(pool.self, lane, pool.lanes);
        atomic_fetch_sub_explicit(&pool.left, 1, memory_order_release);
    }
    return NULL;
}

/* In a child of fork() there are no workers, and locks are as they happened to be. */
static void begin_again(void)
{
    pool.workers = 0;
    atomic_store(&pool.round, 0);
    atomic_store(&pool.left, 0);
    atomic_store(&pool.sleepers, 0);
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.wake, NULL);
    pthread_mutex_init(&pool.busy, NULL);
}

/* By the thread that is busy, so no work is handed out meanwhile. The program's signals are not for them. */
static void make_workers(int count)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    if (!pool.watched)
        pthread_atfork(NULL, NULL, begin_again);
    pool.watched = true;
    if (pthread_attr_init(&attributes) != 0)
        return;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; pool.workers < count; pool.workers++) {
        pool.begun[pool.workers] = atomic_load(&pool.round);
        if (pthread_create(&thread, &attributes, work, (void *)(intptr_t)pool.workers) != 0)
            break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

static int count_processors(void)
{
    cpu_set_t set;
    const char *asked = getenv("TN_NUM_THREADS");
    int count = asked ? atoi(asked) : 0;
    if (count < 1 && sched_getaffinity(0, sizeof set, &set) == 0)
        count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > TN__MOST_LANES ? TN__MOST_LANES : count;
}

static int processors(void)
{
    static _Atomic int most;
    int count = most;
    if (!count)
        most = count = count_processors();
    return count;
}

static void do_all(int first, int lanes, void (*body)(void *self, int lane, int lanes), void *self)
{
    for (int lane = first; lane < lanes; lane++)
        body(self, lane, lanes);
}

static void hand_out(int lanes, void (*body)(void *self, int lane, int lanes), void *self)
{
    pool.body = body;
    pool.self = self;
    pool.lanes = lanes;
    atomic_store_explicit(&pool.left, pool.workers, memory_order_relaxed);
    atomic_fetch_add(&pool.round, 1);
    if (atomic_load(&pool.sleepers)) {
        pthread_mutex_lock(&pool.lock);
        pthread_cond_broadcast(&pool.wake);
        pthread_mutex_unlock(&pool.lock);
    }
    body(self, 0, lanes);
    do_all(pool.workers + 1, lanes, body, self);
    while (atomic_load_explicit(&pool.left, memory_order_acquire) > 0)
        pause_a_moment();
}

void tn__parallel(int lanes, void (*body)(void *self, int lane, int lanes), void *self)
{
    if (lanes == 1 || pthread_mutex_trylock(&pool.busy) != 0) {
        do_all(0, lanes, body, self);
        return;
    }
    int wanted = lanes < processors() ? lanes - 1 : processors() - 1;
    if (pool.workers < wanted)
        make_workers(wanted);
    if (pool.workers == 0)
        do_all(0, lanes, body, self);
    else
        hand_out(lanes, body, self);
    pthread_mutex_unlock(&pool.busy);
}

static _Thread_local int limit __attribute__((tls_model("initial-exec")));

void tn__limit_lanes(int most)
{
    limit = most;
}

int tn__lanes(double work)
{
    if (work < 2. * WORK_OF_A_LANE)
        return 1;
    int count = limit && limit < processors() ? limit : processors();
    double pays = work / WORK_OF_A_LANE;
    return pays < count ? (int)pays : count;
}

void tn__share(int64_t count, int64_t unit, int lane, int lanes, int64_t *first, int64_t *last)
{
    *first = 0;
    *last = count;
    if (lanes == 1)
        return;
    int64_t units = (count + unit - 1) / unit;
    *first = units * lane / lanes * unit;
    *last = units * (lane + 1) / lanes * unit;
    if (*first > count)
        *first = count;
    if (*last > count)
        *last = count;
}
