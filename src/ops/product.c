/* product.c - products, convolutions, pooling and sums of float32, cut into lanes. */
#include "ops/product.h"
#include "kernels/parallel.h"
#include <string.h>

enum { COLUMNS = 256 }; /* that are summed at a time */

/* --- matrices ----------------------------------------------------------------------------------------------------------- */
typedef struct {
    const tn__kernels_table *kernels;
    const tn__gemm *g;
    char *scratch;
    size_t each;
} gemm_job;

/* The longer of the two sides of c is cut, its columns by whole tiles. */
static void gemm_lane(void *self, int lane, int lanes)
{
    const gemm_job *job = self;
    tn__gemm g = *job->g;
    int64_t first, last;
    if (g.n >= g.m) {
        tn__share(g.n, 16, lane, lanes, &first, &last);
        g.n = last - first;
        g.b += first * g.column_b;
        g.c += first;
        g.epilogue = tn__epilogue_at(&g.epilogue, first, first);
    } else {
        tn__share(g.m, 8, lane, lanes, &first, &last);
        g.m = last - first;
        g.a += first * g.row_a;
        g.c += first * g.row_c;
        g.epilogue = tn__epilogue_at(&g.epilogue, 0, first * g.row_c);
    }
    if (g.m > 0 && g.n > 0)
        job->kernels->gemm(&g, job->scratch + (size_t)lane * job->each);
}

tn_status tn__product(tn_context *context, const tn__gemm *g)
{
    gemm_job job = { .kernels = tn__kernels(), .g = g };
    int lanes = tn__lanes((double)g->m * (double)g->n * (double)g->k);
    job.each = tn__whole_lines(job.kernels->gemm_scratch(g));
    job.scratch = job.each ? tn__scratch(context, job.each * (size_t)lanes) : NULL;
    if (job.each && !job.scratch)
        return TN_RESOURCE_EXHAUSTED;
    if (lanes == 1 && g->m > 0 && g->n > 0) /* nothing to cut */
        job.kernels->gemm(g, job.scratch);
    else
        tn__parallel(lanes, gemm_lane, &job);
    return TN_OK;
}

/* --- convolutions ------------------------------------------------------------------------------------------------------- */
typedef struct {
    const tn__kernels_table *kernels;
    const tn__conv *c;
    const float *x, *packed, *y;
    float *to;
    char *scratch;
    size_t each;      /* bytes of scratch of a lane */
    int64_t filter;   /* numbers of the filter */
    int64_t rows;     /* of a unit of dx */
    tn__epilogue epilogue;
    bool masked;      /* the gradient of the largest */
    bool turned;      /* dx of dy */
    void (*to_filter)(const tn__conv *c, const float *x, const float *dy, float *dfilter, int64_t first, int64_t last, void *scratch);
} conv_job;

static double work_of(const tn__conv *c)
{
    return (double)c->batch * (double)(c->row.out * c->column.out) * (double)(c->row.window * c->column.window) *
           (double)(c->x_channels * c->y_channels);
}

/* Where it was measured to be faster (docs/decisions.md): many tiles of 4 by 4, nearly full, for each filter that is brought to its
 * points. For a result of images only one image's tiles count, so that none depends on how many there are. */
enum { LEAST_TILES = 16, LEAST_TILES_TO_FILTER = 32 };
static tn__conv conv_of(const tn__conv *c, int64_t images, int64_t least)
{
    enum { TILE = 4, LEAST_PIXELS = 10, MOST_FILTERS = 1 << 16 };
    tn__conv own = *c;
    const tn__conv_axis *axis[2] = { &c->row, &c->column };
    int64_t tiles = 1, pixels = 1;
    own.winograd = c->x_channels % 16 == 0 && c->y_channels % 16 == 0 && c->x_channels * c->y_channels <= MOST_FILTERS;
    for (int i = 0; i < 2; i++) {
        own.winograd &= axis[i]->window == 3 && axis[i]->stride == 1 && axis[i]->dilation == 1;
        tiles *= (axis[i]->out + TILE - 1) / TILE;
        pixels *= axis[i]->out;
    }
    own.winograd &= images * tiles >= least && pixels >= LEAST_PIXELS * tiles && !tn__strict_kernels();
    return own;
}

static void conv_lane(void *self, int lane, int lanes)
{
    const conv_job *job = self;
    int64_t first, last;
    tn__share(job->c->batch * job->c->row.out, 1, lane, lanes, &first, &last);
    job->kernels->conv(job->c, job->x, job->packed, job->to, job->epilogue, first, last, job->scratch + (size_t)lane * job->each);
}

static void store_to_input(const conv_job *job, int lane, int64_t first, int64_t last)
{
    job->kernels->conv_to_input(job->c, job->y, job->packed, job->to, job->epilogue, first * job->rows, last * job->rows,
                                job->scratch + (size_t)lane * job->each);
}

/* A gradient of images is stored by whole rows or images; some of them, and the sums of their channels, while they are in the cache. */
enum { STORED = 1 << 14 }; /* numbers, about, that are stored and then summed */
typedef struct {
    const conv_job *job;
    void (*store)(const conv_job *job, int lane, int64_t first, int64_t last);
    int64_t units, pixels, columns; /* pixels: of a unit */
    int64_t at_once;                /* units */
    double (*sum)[COLUMNS];         /* of each lane; NULL: not wanted */
} storing;

/* Rows of pixels are summed in blocks that begin at multiples of TN__SUM_ROWS, as all of them at once are. */
static void sum_pixels(storing *s, int64_t first, int64_t last, double *sum)
{
    if (first < last)
        s->job->kernels->sum_columns(s->job->to + first * s->columns, s->columns, last - first, s->columns, sum);
}

static int64_t block_at(int64_t pixel)
{
    return pixel / TN__SUM_ROWS * TN__SUM_ROWS;
}

static void storing_lane(void *self, int lane, int lanes)
{
    storing *s = self;
    int64_t first, last;
    tn__share(s->units, 1, lane, lanes, &first, &last);
    int64_t done = block_at(first * s->pixels + TN__SUM_ROWS - 1);
    for (int64_t i = first, end; i < last; i = end) {
        end = i + s->at_once < last ? i + s->at_once : last;
        s->store(s->job, lane, i, end);
        int64_t ready = end == s->units ? end * s->pixels : block_at(end * s->pixels);
        if (s->sum && ready > done) {
            sum_pixels(s, done, ready, s->sum[lane]);
            done = ready;
        }
    }
}

/* The blocks in which one lane ends and the next begins; and all together. */
static void sum_the_rest(storing *s, int lanes, double *sums)
{
    int64_t first, last, before = -1, all = s->units * s->pixels;
    for (int lane = 1; lane < lanes; lane++) {
        tn__share(s->units, 1, lane, lanes, &first, &last);
        int64_t block = block_at(first * s->pixels), end = block + TN__SUM_ROWS < all ? block + TN__SUM_ROWS : all;
        if (block != first * s->pixels && block != before)
            sum_pixels(s, block, end, s->sum[lane]);
        before = block;
    }
    for (int lane = 0; lane < lanes; lane++)
        for (int64_t i = 0; i < s->columns; i++)
            sums[i] += s->sum[lane][i];
}

static void store_and_sum(storing *s, int lanes, double *sums)
{
    double sum[TN__SUM_LANES][COLUMNS] = { 0 };
    int64_t some = STORED / (s->pixels * s->columns);
    s->at_once = some > 1 ? some : 1;
    s->sum = sum;
    tn__parallel(lanes, storing_lane, s);
    sum_the_rest(s, lanes, sums);
}

static void store_all(storing *s, int lanes, double *sums)
{
    if (sums && s->columns <= COLUMNS && lanes <= TN__SUM_LANES) {
        store_and_sum(s, lanes, sums);
        return;
    }
    tn__parallel(lanes, storing_lane, s);
    if (sums)
        tn__product_sum_columns(s->job->to, s->columns, s->units * s->pixels, s->columns, sums);
}

/* Lane 0 sums in the result, the others in their own places behind their scratch. */
static float *own_filter(const conv_job *job, int lane)
{
    size_t behind = job->each - tn__whole_lines((size_t)job->filter * sizeof(float));
    return lane == 0 ? job->to : (float *)(void *)(job->scratch + (size_t)lane * job->each + behind);
}

static void to_filter_lane(void *self, int lane, int lanes)
{
    const conv_job *job = self;
    int64_t first, last;
    float *sum = own_filter(job, lane);
    memset(sum, 0, (size_t)job->filter * sizeof *sum);
    tn__share(job->c->batch * job->c->row.out, 1, lane, lanes, &first, &last);
    job->to_filter(job->c, job->x, job->y, sum, first, last, job->scratch + (size_t)lane * job->each);
}

/* Scratch: a filter packed, then `each` bytes a lane. */
static tn_status prepare(tn_context *context, conv_job *job, int lanes, const float *filter, bool turned)
{
    size_t bytes = filter ? tn__whole_lines(job->kernels->conv_filter_bytes(job->c, turned)) : 0;
    char *scratch = tn__scratch(context, bytes + job->each * (size_t)lanes);
    if (!scratch)
        return TN_RESOURCE_EXHAUSTED;
    job->scratch = scratch + bytes;
    job->packed = (const float *)(const void *)scratch;
    if (filter)
        job->kernels->conv_pack(job->c, turned, filter, (float *)(void *)scratch);
    return TN_OK;
}

tn_status tn__product_conv(tn_context *context, const tn__conv *c, const float *x, const float *filter, float *y, tn__epilogue epilogue)
{
    tn__conv own = conv_of(c, 1, LEAST_TILES);
    conv_job job = { .kernels = tn__kernels(), .c = &own, .x = x, .to = y, .epilogue = epilogue };
    int lanes = tn__lanes(work_of(c));
    job.each = tn__whole_lines(job.kernels->conv_scratch(&own));
    TN_TRY(prepare(context, &job, lanes, filter, false));
    tn__parallel(lanes, conv_lane, &job);
    return TN_OK;
}

tn_status tn__product_conv_to_input(tn_context *context, const tn__conv *c, const float *filter, const float *dy, float *dx,
                                    tn__epilogue epilogue, double *sums)
{
    tn__conv own = conv_of(c, 1, LEAST_TILES);
    conv_job job = { .kernels = tn__kernels(), .c = &own, .y = dy, .to = dx, .epilogue = epilogue };
    int lanes = tn__lanes(work_of(c));
    job.each = tn__whole_lines(job.kernels->conv_to_input_scratch(&own));
    TN_TRY(prepare(context, &job, lanes, filter, true));
    job.rows = own.winograd && c->batch >= lanes ? c->row.in : 1; /* its tiles have several rows of an image */
    int64_t units = c->batch * c->row.in / job.rows;
    storing s = { &job, store_to_input, units, job.rows * c->column.in, c->x_channels, units, NULL };
    store_all(&s, lanes, sums);
    return TN_OK;
}

/* job: with the bytes of a lane's scratch, the filter's numbers, and what sums them. */
static tn_status sum_filters(tn_context *context, conv_job *job, int lanes)
{
    job->each = tn__whole_lines(job->each) + tn__whole_lines((size_t)job->filter * sizeof(float));
    TN_TRY(prepare(context, job, lanes, NULL, false));
    tn__parallel(lanes, to_filter_lane, job);
    for (int lane = 1; lane < lanes; lane++) {
        const float *more = own_filter(job, lane);
        for (int64_t i = 0; i < job->filter; i++)
            job->to[i] += more[i];
    }
    return TN_OK;
}

tn_status tn__product_conv_to_filter(tn_context *context, const tn__conv *c, const float *x, const float *dy, float *dfilter)
{
    tn__conv own = conv_of(c, c->batch, LEAST_TILES_TO_FILTER);
    conv_job job = { .kernels = tn__kernels(), .c = &own, .x = x, .y = dy, .to = dfilter };
    job.filter = c->row.window * c->column.window * c->x_channels * c->y_channels;
    job.each = job.kernels->conv_to_filter_scratch(&own);
    job.to_filter = job.kernels->conv_to_filter;
    return sum_filters(context, &job, tn__lanes(work_of(c)));
}

/* --- channels apart ----------------------------------------------------------------------------------------------------- */
static int depthwise_lanes(const tn__conv *c)
{
    return tn__lanes(work_of(c) / (double)c->x_channels);
}

static void depthwise_lane(void *self, int lane, int lanes)
{
    const conv_job *job = self;
    int64_t first, last;
    tn__share(job->c->batch * (job->turned ? job->c->row.in : job->c->row.out), 1, lane, lanes, &first, &last);
    job->kernels->depthwise(job->c, job->turned, job->x, job->packed, job->to, first, last, job->scratch + (size_t)lane * job->each);
}

tn_status tn__product_depthwise(tn_context *context, const tn__conv *c, bool turned, const float *from, const float *filter, float *to)
{
    conv_job job = { .kernels = tn__kernels(), .c = c, .x = from, .to = to, .turned = turned };
    int lanes = depthwise_lanes(c);
    job.each = tn__whole_lines(job.kernels->depthwise_scratch(c));
    TN_TRY(prepare(context, &job, lanes, NULL, false));
    job.packed = filter;
    tn__parallel(lanes, depthwise_lane, &job);
    return TN_OK;
}

tn_status tn__product_depthwise_to_filter(tn_context *context, const tn__conv *c, const float *x, const float *dy, float *dfilter)
{
    conv_job job = { .kernels = tn__kernels(), .c = c, .x = x, .y = dy, .to = dfilter };
    job.filter = c->row.window * c->column.window * c->y_channels;
    job.each = job.kernels->depthwise_scratch(c);
    job.to_filter = job.kernels->depthwise_to_filter;
    return sum_filters(context, &job, depthwise_lanes(c));
}

/* --- pooling ------------------------------------------------------------------------------------------------------------ */
static void max_pool_lane(void *self, int lane, int lanes)
{
    const conv_job *job = self;
    int64_t first, last;
    tn__share(job->c->batch * job->c->row.out, 1, lane, lanes, &first, &last);
    job->kernels->max_pool(job->c, job->x, job->to, first, last);
}

static void store_max_pool_gradient(const conv_job *job, int lane, int64_t first, int64_t last)
{
    (void)lane;
    job->kernels->max_pool_gradient(job->c, job->x, job->y, job->to, job->masked, first, last);
}

/* Comparisons, and what they read. */
static int lanes_of_pool(const tn__conv *c)
{
    return tn__lanes((double)(c->batch * c->row.out * c->column.out) * (double)(c->row.window * c->column.window * c->x_channels));
}

void tn__product_max_pool(const tn__conv *c, const float *x, float *y)
{
    tn__parallel(lanes_of_pool(c), max_pool_lane, &(conv_job){ .kernels = tn__kernels(), .c = c, .x = x, .to = y });
}

void tn__product_max_pool_gradient(const tn__conv *c, const float *x, const float *dy, float *dx, bool masked, double *sums)
{
    conv_job job = { .kernels = tn__kernels(), .c = c, .x = x, .y = dy, .to = dx, .masked = masked };
    storing s = { &job, store_max_pool_gradient, c->batch, c->row.in * c->column.in, c->x_channels, c->batch, NULL };
    store_all(&s, lanes_of_pool(c), sums);
}

/* --- sums of normalized columns ----------------------------------------------------------------------------------------- */
static int64_t norm_sums_count(int64_t width)
{
    return (width * 2 + 15) / 16 * 16;
}

size_t tn__product_norm_sums_size(int64_t width)
{
    return (size_t)norm_sums_count(width) * (sizeof(double) + sizeof(float));
}

float *tn__product_norm_sums_in_float(double *total, int64_t width)
{
    return (float *)(void *)(total + norm_sums_count(width));
}

void tn__product_norm_sums(const tn__column_norm *n, int64_t first, int64_t last, int64_t width, double *total)
{
    enum { FEW = 64 };
    float *part = tn__product_norm_sums_in_float(total, width);
    for (int64_t r = first; r < last; r += FEW) {
        tn__kernels()->column_norm_sums(n, r, r + FEW < last ? r + FEW : last, part);
        for (int64_t k = 0; k < 2; k++)
            for (int64_t i = 0; i < n->columns; i++) {
                total[k * width + i] += (double)part[k * n->columns + i];
                part[k * n->columns + i] = 0;
            }
    }
}

/* --- sums --------------------------------------------------------------------------------------------------------------- */
typedef struct {
    const float *x;
    int64_t step, rows, columns;
    double sum[TN__SUM_LANES][COLUMNS];
} sum_job;

int tn__lanes_of_sum(double count)
{
    int lanes = tn__lanes(count);
    return lanes < TN__SUM_LANES ? lanes : TN__SUM_LANES;
}

static void sum_lane(void *self, int lane, int lanes)
{
    sum_job *job = self;
    int64_t first, last;
    tn__share(job->rows, TN__SUM_NUMBERS, lane, lanes, &first, &last);
    job->sum[lane][0] = tn__kernels()->sum(0, job->x + first, last - first);
}

double tn__product_sum(const float *x, int64_t count)
{
    int lanes = tn__lanes_of_sum((double)count);
    if (lanes == 1)
        return tn__kernels()->sum(0, x, count);
    sum_job job = { .x = x, .rows = count };
    tn__parallel(lanes, sum_lane, &job);
    double sum = 0;
    for (int lane = 0; lane < lanes; lane++)
        sum += job.sum[lane][0];
    return sum;
}

static void columns_lane(void *self, int lane, int lanes)
{
    sum_job *job = self;
    int64_t first, last;
    tn__share(job->rows, TN__SUM_ROWS, lane, lanes, &first, &last);
    tn__kernels()->sum_columns(job->x + first * job->step, job->step, last - first, job->columns, job->sum[lane]);
}

static void sum_some_columns(int lanes, const float *x, int64_t step, int64_t rows, int64_t columns, double *sum)
{
    sum_job job = { .x = x, .step = step, .rows = rows, .columns = columns };
    tn__parallel(lanes, columns_lane, &job);
    for (int lane = 0; lane < lanes; lane++)
        for (int64_t i = 0; i < columns; i++)
            sum[i] += job.sum[lane][i];
}

void tn__product_sum_columns(const float *x, int64_t step, int64_t rows, int64_t columns, double *sum)
{
    int lanes = tn__lanes_of_sum((double)rows * (double)columns);
    if (lanes == 1)
        tn__kernels()->sum_columns(x, step, rows, columns, sum);
    for (int64_t at = 0; at < columns && lanes > 1; at += COLUMNS)
        sum_some_columns(lanes, x + at, step, rows, columns - at < COLUMNS ? columns - at : COLUMNS, sum + at);
}
