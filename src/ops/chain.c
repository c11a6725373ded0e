/* chain.c - binding and running chains. */
#include "ops/chain.h"
#include "kernels/parallel.h"

bool tn__chain_bind(const tn_shape *in, const tn_shape *out, tn__chain_input *input)
{
    int64_t run = 1, period = 1, outside = 1;
    int part = 0; /* 0: in the run, 1: in the period, 2: outside of both */
    for (int i = out->rank - 1; i >= 0; i--) {
        int own = i - (out->rank - in->rank);
        int64_t dim = out->dims[i];
        bool there = own >= 0 && in->dims[own] == dim;
        if (dim == 1)
            continue;
        if (there && part == 2)
            return false;
        if (there)
            part = 1;
        else if (part == 1)
            part = 2;
        *(there ? &period : part == 0 ? &run : &outside) *= dim;
    }
    bool whole = run == 1 && outside == 1 && period > 1;
    input->run = period == 1 ? 1 : run;
    input->period = whole ? 0 : period;
    return true;
}

typedef struct {
    const tn__kernels_table *kernels;
    const tn__chain *chain;
    int64_t count;
    char *scratch;
    size_t each;
} chain_job;

static void chain_lane(void *self, int lane, int lanes)
{
    const chain_job *job = self;
    int64_t first, last;
    tn__share(job->count, TN__CHAIN_TILE, lane, lanes, &first, &last);
    job->kernels->chain(job->chain, first, last, (float *)(void *)(job->scratch + (size_t)lane * job->each));
}

tn_status tn__chain_run(tn_context *context, const tn__chain *chain, int64_t count)
{
    chain_job job = { .kernels = tn__kernels(), .chain = chain, .count = count };
    int lanes = tn__lanes((double)count * chain->steps);
    job.each = job.kernels->chain_scratch(chain);
    job.scratch = tn__scratch(context, job.each * (size_t)lanes);
    if (!job.scratch)
        return TN_RESOURCE_EXHAUSTED;
    tn__parallel(lanes, chain_lane, &job);
    return TN_OK;
}
