/* parallel.h - work shared between threads: one pool for the process, made when it is first needed.
 *
 * A thread that waits for work spins a moment, then sleeps and costs nothing. Work is cut by the caller, into as many parts as it
 * asks for lanes, whoever does them; so the same number of lanes gives the same bits. There are no more threads than lanes were ever
 * asked for. A child of fork() begins without a pool. */
#ifndef TN_KERNELS_PARALLEL_H
#define TN_KERNELS_PARALLEL_H
#include <stdint.h>

enum { TN__MOST_LANES = 64 };

/* Calls body(self, lane, lanes) for each lane in 0..lanes-1, the last call back before this returns. Where the pool is busy for
 * another thread, or cannot be made, the caller does all of them. */
void tn__parallel(int lanes, void (*body)(void *self, int lane, int lanes), void *self);
/* As many lanes as pay for so many multiplications and additions: 1 for small work, at most what TN_NUM_THREADS says, or else as
 * many as there are processors for the process, and at most what the thread was limited to. */
int tn__lanes(double work);
/* Of what the calling thread asks for from now on; 0: no limit of its own. */
void tn__limit_lanes(int most);
/* What a lane does of `count` parts: first <= i < last, in whole units. */
void tn__share(int64_t count, int64_t unit, int lane, int lanes, int64_t *first, int64_t *last);

#endif
