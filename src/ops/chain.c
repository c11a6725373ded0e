/* chain.c - binding and running chains, and sums of what they give. */
#include "ops/chain.h"
#include "kernels/parallel.h"
#include "ops/product.h"
#include <string.h>

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

void tn__chain_settle(tn__chain *c)
{
    int last[TN__CHAIN_STEPS] = { 0 };
    bool used[TN__CHAIN_STEPS] = { false };
    for (int i = 0; i < c->steps; i++) {
        const uint8_t operands[2] = { c->step[i].a, c->step[i].b };
        for (int k = 0; k < 2; k++)
            if (operands[k] >= c->inputs)
                last[operands[k] - c->inputs] = i;
    }
    for (int i = 0; i < c->steps; i++) {
        int place = 0;
        while (used[place])
            place++;
        used[place] = true;
        c->step[i].place = (uint8_t)place;
        c->places = place + 1 > c->places ? place + 1 : c->places;
        memset(used, 0, sizeof used);
        for (int k = 0; k <= i; k++)
            used[c->step[k].place] |= last[k] > i;
    }
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

/* --- with sums ---------------------------------------------------------------------------------------------------------- */
enum { PANEL = 1024 }; /* numbers, about, that are made and then summed: a multiple of TN__SUM_BLOCK */

typedef struct {
    const tn__kernels_table *kernels;
    const tn__chain *chain;
    const tn__chain_sum *sum;
    float *sums;
    char *scratch;
    size_t each;            /* bytes of scratch for a lane: the kernel's, a panel's and those of the lane's own sums */
    size_t panel, own;      /* where these two begin */
    int parts;              /* that a row's sum is made of */
    double part[TN__SUM_LANES];
    int64_t row;
} sum_job;

/* The summed step's numbers first <= i < last. */
static const float *make_panel(const sum_job *job, int64_t first, int64_t last, char *scratch)
{
    tn__chain chain = *job->chain;
    tn__chain_step *step = &chain.step[job->sum->step];
    chain.apart = step->out ? 0 : job->sum->step + 1;
    float *made = step->out ? step->out + first : (float *)(void *)(scratch + job->panel);
    if (chain.apart)
        step->out = made;
    job->kernels->chain(&chain, first, last, (float *)(void *)scratch);
    return made;
}

float tn__chain_sum_value(const tn__chain_sum *s, double sum)
{
    return (float)(s->mean ? sum / (double)(s->kind == TN__SUM_EACH_ROW ? s->columns : s->rows) : sum);
}

static void store_sum(const sum_job *job, int64_t i, double sum)
{
    job->sums[i] = tn__chain_sum_value(job->sum, sum);
}

/* What part number `part` adds to the sum of a row. */
static double sum_part(const sum_job *job, int64_t row, int part, char *scratch)
{
    int64_t first, last, begin = row * job->sum->columns;
    double sum = 0;
    tn__share(job->sum->columns, TN__SUM_NUMBERS, part, job->parts, &first, &last);
    for (int64_t i = first; i < last; i += PANEL) {
        int64_t end = i + PANEL < last ? i + PANEL : last;
        sum = job->kernels->sum(sum, make_panel(job, begin + i, begin + end, scratch), end - i);
    }
    return sum;
}

static void part_lane(void *self, int lane, int lanes)
{
    sum_job *job = self;
    (void)lanes;
    job->part[lane] = sum_part(job, job->row, lane, job->scratch + (size_t)lane * job->each);
}

/* Several short rows. */
static void sum_short_rows(const sum_job *job, int64_t first, int64_t last, char *scratch)
{
    int64_t columns = job->sum->columns;
    const float *made = make_panel(job, first * columns, last * columns, scratch);
    for (int64_t i = first; i < last; i++)
        store_sum(job, i, job->kernels->sum(0, made + (i - first) * columns, columns));
}

static void sum_long_row(const sum_job *job, int64_t row, char *scratch)
{
    double sum = 0;
    for (int part = 0; part < job->parts; part++)
        sum += sum_part(job, row, part, scratch);
    store_sum(job, row, sum);
}

/* How many rows make a panel: whole vectors of them where they are short. */
static int64_t rows_of_panel(int64_t columns, int64_t unit)
{
    int64_t rows = PANEL / columns / unit * unit;
    return rows > 0 ? rows : unit;
}

static void rows_lane(void *self, int lane, int lanes)
{
    const sum_job *job = self;
    int64_t first, last, columns = job->sum->columns, step = rows_of_panel(columns, columns <= PANEL / 16 ? 16 : 1);
    char *scratch = job->scratch + (size_t)lane * job->each;
    tn__share(job->sum->rows, 1, lane, lanes, &first, &last);
    for (int64_t i = first; i < last; i += step)
        if (columns <= PANEL)
            sum_short_rows(job, i, i + step < last ? i + step : last, scratch);
        else
            sum_long_row(job, i, scratch);
}

static void sum_rows(sum_job *job, int lanes)
{
    if (job->sum->rows >= lanes) {
        tn__parallel(lanes, rows_lane, job);
        return;
    }
    for (job->row = 0; job->row < job->sum->rows; job->row++) {
        double sum = 0;
        tn__parallel(job->parts, part_lane, job);
        for (int part = 0; part < job->parts; part++)
            sum += job->part[part];
        store_sum(job, job->row, sum);
    }
}

static double *own_sums(const sum_job *job, int lane)
{
    return (double *)(void *)(job->scratch + (size_t)lane * job->each + job->own);
}

static void columns_lane(void *self, int lane, int lanes)
{
    const sum_job *job = self;
    const tn__chain_sum *s = job->sum;
    int64_t first, last, step = rows_of_panel(s->columns, TN__SUM_ROWS);
    double *sum = own_sums(job, lane);
    tn__share(s->rows, TN__SUM_ROWS, lane, lanes, &first, &last);
    memset(sum, 0, (size_t)s->columns * sizeof *sum);
    for (int64_t i = first; i < last; i += step) {
        int64_t end = i + step < last ? i + step : last;
        const float *made = make_panel(job, i * s->columns, end * s->columns, job->scratch + (size_t)lane * job->each);
        job->kernels->sum_columns(made, s->columns, end - i, s->columns, sum);
    }
}

static void sum_columns(sum_job *job, int lanes)
{
    tn__parallel(lanes, columns_lane, job);
    for (int64_t i = 0; i < job->sum->columns; i++) {
        double sum = 0;
        for (int lane = 0; lane < lanes; lane++)
            sum += own_sums(job, lane)[i];
        store_sum(job, i, sum);
    }
}

tn_status tn__chain_run_and_sum(tn_context *context, const tn__chain *chain, const tn__chain_sum *sum, float *sums)
{
    sum_job job = { .kernels = tn__kernels(), .chain = chain, .sum = sum, .sums = sums };
    bool columns = sum->kind == TN__SUM_EACH_COLUMN;
    int64_t panel = columns ? rows_of_panel(sum->columns, TN__SUM_ROWS) * sum->columns : PANEL;
    double count = (double)sum->rows * (double)sum->columns;
    int lanes = columns ? tn__lanes_of_sum(count) : tn__lanes(count * chain->steps);
    job.parts = tn__lanes_of_sum((double)sum->columns);
    job.panel = tn__whole_lines(job.kernels->chain_scratch(chain));
    job.own = job.panel + tn__whole_lines((size_t)panel * sizeof(float));
    job.each = job.own + (columns ? tn__whole_lines((size_t)sum->columns * sizeof(double)) : 0);
    job.scratch = tn__scratch(context, job.each * (size_t)lanes);
    if (!job.scratch)
        return TN_RESOURCE_EXHAUSTED;
    (columns ? sum_columns : sum_rows)(&job, lanes);
    return TN_OK;
}
