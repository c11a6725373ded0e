/* onednn.c - oneDNN by its C interface, of which versions 2 and 3 differ in how things are described.
 *
 * Its own threads are not used: the lanes of the pool call it, each for images of its own, and it is told that there is one thread.
 * What it compiles for a shape it keeps itself, in a bounded cache, so asking again costs microseconds. */
#include "kernels/onednn.h"
#include "base/memory.h"
#include "kernels/parallel.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of its headers; they are the same in versions 2 and 3. */
enum { F32 = 3, ANY = 1, CPU = 1, STREAM = 1, FORWARD = 64, DIRECT = 1, SCRATCHPAD_OF_USER = 1 };
enum { QUERY_NAME = 8, QUERY_FILTER = 131, QUERY_FILTER_GRADIENT = 132, QUERY_SCRATCHPAD = 136 };
enum { ARG_X = 1, ARG_Y = 17, ARG_FILTER = 33, ARG_GRADIENT = 128, ARG_SCRATCHPAD = 80, ARG_FROM = 1, ARG_TO = 17 };
enum { RUNTIME_SEQUENTIAL = 1, RUNTIME_OPENMP = 2 };
enum { DESCRIPTION = 1024, OPERATION = 8192 }; /* version 2's structures take 696 and 5976 bytes of these */
enum { DIMENSIONS = 12, LEAST_WORK = 100000 }; /* its most; multiplications that are worth asking it */

typedef struct {
    int major, minor, patch;
    const char *hash;
    unsigned cpu_runtime, gpu_runtime;
} version;
typedef struct {
    int which;
    void *memory;
} argument;

/* What is called of it. A description of memory is a structure of the caller's in version 2, a handle in version 3: an address. */
#define FUNCTIONS(DO)                                                                                                               \
    DO(version, const version *, (void))                                                                                           \
    DO(engine_create, int, (void **engine, int kind, size_t index))                                                                \
    DO(stream_create, int, (void **stream, void *engine, unsigned flags))                                                          \
    DO(stream_destroy, int, (void *stream))                                                                                        \
    DO(memory_create, int, (void **memory, const void *description, void *engine, void *data))                                     \
    DO(memory_set_data_handle, int, (void *memory, void *data))                                                                    \
    DO(memory_destroy, int, (void *memory))                                                                                        \
    DO(memory_desc_get_size, size_t, (const void *description))                                                                    \
    DO(memory_desc_equal, int, (const void *a, const void *b))                                                                     \
    DO(primitive_attr_create, int, (void **attr))                                                                                  \
    DO(primitive_attr_set_scratchpad_mode, int, (void *attr, int mode))                                                            \
    DO(primitive_desc_query, int, (const void *what, int query, int index, void *result))                                          \
    DO(primitive_desc_query_md, const void *, (const void *what, int query, int index))                                            \
    DO(primitive_desc_destroy, int, (void *what))                                                                                  \
    DO(primitive_create, int, (void **primitive, const void *what))                                                                \
    DO(primitive_execute, int, (const void *primitive, void *stream, int count, const argument *arguments))                        \
    DO(primitive_destroy, int, (void *primitive))                                                                                  \
    DO(reorder_primitive_desc_create, int,                                                                                         \
       (void **what, const void *from, void *from_engine, const void *to, void *to_engine, const void *attr))
#define FUNCTIONS_OF_2(DO)                                                                                                          \
    DO(memory_desc_init_by_strides, int, (void *to, int rank, const int64_t *dims, int type, const int64_t *strides))              \
    DO(memory_desc_init_by_tag, int, (void *to, int rank, const int64_t *dims, int type, int tag))                                 \
    DO(dilated_convolution_forward_desc_init, int,                                                                                 \
       (void *to, int kind, int algorithm, const void *x, const void *filter, const void *bias, const void *y, const int64_t *,    \
        const int64_t *, const int64_t *, const int64_t *))                                                                        \
    DO(dilated_convolution_backward_data_desc_init, int,                                                                           \
       (void *to, int algorithm, const void *x, const void *filter, const void *y, const int64_t *, const int64_t *,               \
        const int64_t *, const int64_t *))                                                                                         \
    DO(dilated_convolution_backward_weights_desc_init, int,                                                                        \
       (void *to, int algorithm, const void *x, const void *filter, const void *bias, const void *y, const int64_t *,              \
        const int64_t *, const int64_t *, const int64_t *))                                                                        \
    DO(primitive_desc_create, int, (void **what, const void *operation, const void *attr, void *engine, const void *hint))
#define FUNCTIONS_OF_3(DO)                                                                                                          \
    DO(memory_desc_create_with_strides, int, (void **to, int rank, const int64_t *dims, int type, const int64_t *strides))         \
    DO(memory_desc_create_with_tag, int, (void **to, int rank, const int64_t *dims, int type, int tag))                            \
    DO(memory_desc_destroy, int, (void *description))                                                                              \
    DO(convolution_forward_primitive_desc_create, int,                                                                             \
       (void **what, void *engine, int kind, int algorithm, const void *x, const void *filter, const void *bias, const void *y,    \
        const int64_t *, const int64_t *, const int64_t *, const int64_t *, const void *attr))                                     \
    DO(convolution_backward_data_primitive_desc_create, int,                                                                       \
       (void **what, void *engine, int algorithm, const void *x, const void *filter, const void *y, const int64_t *,               \
        const int64_t *, const int64_t *, const int64_t *, const void *hint, const void *attr))                                    \
    DO(convolution_backward_weights_primitive_desc_create, int,                                                                    \
       (void **what, void *engine, int algorithm, const void *x, const void *filter, const void *bias, const void *y,              \
        const int64_t *, const int64_t *, const int64_t *, const int64_t *, const void *hint, const void *attr))

#define MEMBER(name, result, parameters) result(*name) parameters;
typedef struct {
    void *engine, *attr; /* attr: the scratchpad is the caller's */
    FUNCTIONS(MEMBER)
    FUNCTIONS_OF_2(MEMBER)
    FUNCTIONS_OF_3(MEMBER)
    int (*omp_get_max_threads)(void); /* NULL: it was built without threads */
    void (*omp_set_num_threads)(int count);
} functions;

static struct {
    pthread_once_t once;
    pthread_mutex_t making; /* it looks into its cache under this, so that fork() happens between two such looks */
    bool open;
    functions call;
} library = { .once = PTHREAD_ONCE_INIT, .making = PTHREAD_MUTEX_INITIALIZER };

/* --- opening ------------------------------------------------------------------------------------------------------------ */
static bool find(void *handle, const char *name, void *function)
{
    void *found = dlsym(handle, name);
    memcpy(function, &found, sizeof found);
    return found;
}

static bool find_all(void *handle, functions *f)
{
#define FIND(name, result, parameters) &&find(handle, "dnnl_" #name, &f->name)
    if (!(true FUNCTIONS(FIND)))
        return false;
    const version *v = f->version();
    if (v->cpu_runtime == RUNTIME_OPENMP && (!find(handle, "omp_get_max_threads", &f->omp_get_max_threads) ||
                                             !find(handle, "omp_set_num_threads", &f->omp_set_num_threads)))
        return false;
    if (v->cpu_runtime != RUNTIME_OPENMP && v->cpu_runtime != RUNTIME_SEQUENTIAL)
        return false;
    return (v->major == 3 FUNCTIONS_OF_3(FIND)) || (v->major == 2 FUNCTIONS_OF_2(FIND));
}

/* It begins with the calling thread, whose number of threads is the host's own. */
static int take_one_thread(const functions *f)
{
    int before = f->omp_get_max_threads ? f->omp_get_max_threads() : 1;
    if (before != 1)
        f->omp_set_num_threads(1);
    return before;
}

static void give_threads_back(const functions *f, int before)
{
    if (before != 1)
        f->omp_set_num_threads(before);
}

static bool begin(functions *f)
{
    int before = take_one_thread(f);
    bool begun = f->engine_create(&f->engine, CPU, 0) == 0 && f->primitive_attr_create(&f->attr) == 0 &&
                 f->primitive_attr_set_scratchpad_mode(f->attr, SCRATCHPAD_OF_USER) == 0;
    give_threads_back(f, before);
    return begun;
}

static void before_fork(void)
{
    pthread_mutex_lock(&library.making);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&library.making);
}

static bool is_wanted(void)
{
    const char *said = getenv("TN_ONEDNN");
    return !(said && strcmp(said, "off") == 0) && !tn__strict_kernels();
}

static void open_library(void)
{
    static const char *const name[] = { "libdnnl.so.3", "libdnnl.so.2" };
    for (size_t i = 0; is_wanted() && i < sizeof name / sizeof *name && !library.open; i++) {
        void *handle = dlopen(name[i], RTLD_NOW | RTLD_LOCAL);
        library.call = (functions){ 0 };
        library.open = handle && find_all(handle, &library.call) && begin(&library.call);
        if (handle && !library.open)
            dlclose(handle);
    }
    if (library.open)
        pthread_atfork(before_fork, after_fork, after_fork);
}

/* --- describing --------------------------------------------------------------------------------------------------------- */
/* One convolution of so many images: what of the library computes it, and how it wants the filter. */
typedef struct {
    const functions *f;
    const tn__onednn_conv *c;
    int64_t batch;
    _Alignas(64) char room[4][DESCRIPTION]; /* version 2's descriptions */
    int described;
    void *x, *y, *any, *filter; /* descriptions; filter: as ours lies */
    void *forward, *what, *reorder_what;
    void *primitive, *reorder; /* reorder: of the filter from ours or into ours; NULL: it lies as ours does */
    const void *packed;        /* description of the filter as it is wanted; what's own */
    size_t filter_bytes, scratch_bytes;
} plan;

static bool describe(plan *p, int rank, const int64_t *dims, const int64_t *strides, void **to)
{
    const functions *f = p->f;
    if (f->memory_desc_create_with_tag)
        return (strides ? f->memory_desc_create_with_strides(to, rank, dims, F32, strides)
                        : f->memory_desc_create_with_tag(to, rank, dims, F32, ANY)) == 0;
    *to = p->room[p->described++];
    return (strides ? f->memory_desc_init_by_strides(*to, rank, dims, F32, strides)
                    : f->memory_desc_init_by_tag(*to, rank, dims, F32, ANY)) == 0;
}

static bool describe_image(plan *p, bool input, void **to)
{
    int axes = p->c->axes;
    int64_t dims[DIMENSIONS] = { p->batch, input ? p->c->x_channels : p->c->y_channels }, strides[DIMENSIONS] = { 0, 1 };
    int64_t step = dims[1];
    for (int i = axes - 1; i >= 0; i--) {
        dims[2 + i] = input ? p->c->axis[i].in : p->c->axis[i].out;
        strides[2 + i] = step;
        step *= dims[2 + i];
    }
    strides[0] = step;
    return describe(p, axes + 2, dims, strides, to);
}

/* (groups, out, in, taps) of ours: (taps, in, groups, out). */
static bool describe_filters(plan *p)
{
    const tn__onednn_conv *c = p->c;
    int64_t in = c->x_channels / c->groups, out = c->y_channels / c->groups;
    int64_t dims[DIMENSIONS] = { c->groups, out, in }, strides[DIMENSIONS] = { out, 1, c->y_channels };
    int64_t step = in * c->y_channels;
    for (int i = c->axes - 1; i >= 0; i--) {
        dims[3 + i] = c->axis[i].window;
        strides[3 + i] = step;
        step *= dims[3 + i];
    }
    int without = c->groups == 1; /* such a filter has no dimension of groups */
    return describe(p, c->axes + 3 - without, dims + without, strides + without, &p->filter) &&
           describe(p, c->axes + 3 - without, dims + without, NULL, &p->any);
}

typedef struct {
    int64_t stride[3], dilation[3], before[3], after[3];
} slides;

static slides slides_of(const tn__onednn_conv *c)
{
    slides s;
    for (int i = 0; i < c->axes; i++) {
        const tn__conv_axis *a = &c->axis[i];
        s.stride[i] = a->stride;
        s.dilation[i] = a->dilation - 1;
        s.before[i] = a->before;
        s.after[i] = (a->out - 1) * a->stride + (a->window - 1) * a->dilation + 1 - a->in - a->before;
    }
    return s;
}

static bool choose_by_2(plan *p, const slides *s)
{
    const functions *f = p->f;
    _Alignas(64) char operation[OPERATION];
    bool good = f->dilated_convolution_forward_desc_init(operation, FORWARD, DIRECT, p->x, p->any, NULL, p->y, s->stride, s->dilation,
                                                         s->before, s->after) == 0 &&
                f->primitive_desc_create(&p->forward, operation, f->attr, f->engine, NULL) == 0;
    if (good && p->c->way == TN__ONEDNN_TO_INPUT)
        good = f->dilated_convolution_backward_data_desc_init(operation, DIRECT, p->x, p->any, p->y, s->stride, s->dilation,
                                                              s->before, s->after) == 0;
    else if (good && p->c->way == TN__ONEDNN_TO_FILTER)
        good = f->dilated_convolution_backward_weights_desc_init(operation, DIRECT, p->x, p->any, NULL, p->y, s->stride, s->dilation,
                                                                 s->before, s->after) == 0;
    if (good && p->c->way != TN__ONEDNN_FORWARD)
        good = f->primitive_desc_create(&p->what, operation, f->attr, f->engine, p->forward) == 0;
    return good;
}

static bool choose_by_3(plan *p, const slides *s)
{
    const functions *f = p->f;
    if (f->convolution_forward_primitive_desc_create(&p->forward, f->engine, FORWARD, DIRECT, p->x, p->any, NULL, p->y, s->stride,
                                                     s->dilation, s->before, s->after, f->attr) != 0)
        return false;
    if (p->c->way == TN__ONEDNN_TO_INPUT)
        return f->convolution_backward_data_primitive_desc_create(&p->what, f->engine, DIRECT, p->x, p->any, p->y, s->stride,
                                                                  s->dilation, s->before, s->after, p->forward, f->attr) == 0;
    return p->c->way == TN__ONEDNN_FORWARD ||
           f->convolution_backward_weights_primitive_desc_create(&p->what, f->engine, DIRECT, p->x, p->any, NULL, p->y, s->stride,
                                                                 s->dilation, s->before, s->after, p->forward, f->attr) == 0;
}

/* Its reference code, for what it has no better of, is slower than ours. */
static bool is_fast(const plan *p)
{
    const char *name = NULL;
    return p->f->primitive_desc_query(p->what, QUERY_NAME, 0, &name) == 0 && name && !strstr(name, "ref");
}

static bool make_reorder(plan *p, bool gradient)
{
    const functions *f = p->f;
    p->packed = f->primitive_desc_query_md(p->what, gradient ? QUERY_FILTER_GRADIENT : QUERY_FILTER, 0);
    if (!p->packed || f->memory_desc_equal(p->packed, p->filter))
        return p->packed;
    p->filter_bytes = f->memory_desc_get_size(p->packed);
    return f->reorder_primitive_desc_create(&p->reorder_what, gradient ? p->packed : p->filter, f->engine,
                                            gradient ? p->filter : p->packed, f->engine, NULL) == 0 &&
           f->primitive_create(&p->reorder, p->reorder_what) == 0;
}

static bool make(plan *p)
{
    const functions *f = p->f;
    slides s = slides_of(p->c);
    if (!describe_image(p, true, &p->x) || !describe_image(p, false, &p->y) || !describe_filters(p) ||
        !(f->memory_desc_create_with_tag ? choose_by_3(p, &s) : choose_by_2(p, &s)))
        return false;
    if (p->c->way == TN__ONEDNN_FORWARD) {
        p->what = p->forward;
        p->forward = NULL;
    }
    if (!is_fast(p) || !make_reorder(p, p->c->way == TN__ONEDNN_TO_FILTER) || f->primitive_create(&p->primitive, p->what) != 0)
        return false;
    p->scratch_bytes = f->memory_desc_get_size(f->primitive_desc_query_md(p->what, QUERY_SCRATCHPAD, 0));
    return true;
}

static void unmake(plan *p)
{
    const functions *f = p->f;
    void *description[] = { p->x, p->y, p->any, p->filter }, *what[] = { p->forward, p->what, p->reorder_what };
    if (p->primitive)
        f->primitive_destroy(p->primitive);
    if (p->reorder)
        f->primitive_destroy(p->reorder);
    for (size_t i = 0; i < sizeof what / sizeof *what; i++)
        if (what[i])
            f->primitive_desc_destroy(what[i]);
    for (size_t i = 0; i < sizeof description / sizeof *description; i++)
        if (description[i] && f->memory_desc_destroy)
            f->memory_desc_destroy(description[i]);
}

/* --- running ------------------------------------------------------------------------------------------------------------ */
/* What one thread works with. */
typedef struct {
    void *stream, *x, *y, *filter, *scratch; /* the memories it is told of */
} tools;

static bool take_tools(const plan *p, float *x, float *y, void *filter, void *scratch, tools *t)
{
    const functions *f = p->f;
    const void *scratchpad = f->primitive_desc_query_md(p->what, QUERY_SCRATCHPAD, 0);
    return f->stream_create(&t->stream, f->engine, STREAM) == 0 && f->memory_create(&t->x, p->x, f->engine, x) == 0 &&
           f->memory_create(&t->y, p->y, f->engine, y) == 0 && f->memory_create(&t->filter, p->packed, f->engine, filter) == 0 &&
           f->memory_create(&t->scratch, scratchpad, f->engine, scratch) == 0;
}

static void drop_tools(const functions *f, tools *t)
{
    void *memory[] = { t->x, t->y, t->filter, t->scratch };
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        if (memory[i])
            f->memory_destroy(memory[i]);
    if (t->stream)
        f->stream_destroy(t->stream);
}

static bool execute(const plan *p, const tools *t)
{
    int x = p->c->way == TN__ONEDNN_TO_INPUT ? ARG_GRADIENT : 0, y = p->c->way == TN__ONEDNN_FORWARD ? 0 : ARG_GRADIENT;
    int filter = p->c->way == TN__ONEDNN_TO_FILTER ? ARG_GRADIENT : 0;
    const argument arguments[] = { { ARG_X + x, t->x }, { ARG_Y + y, t->y }, { ARG_FILTER + filter, t->filter },
                                   { ARG_SCRATCHPAD, t->scratch } };
    return p->f->primitive_execute(p->primitive, t->stream, 4, arguments) == 0;
}

/* The filter from how it lies to how it is to lie. */
static bool reorder(const plan *p, const void *from_as, void *from, const void *to_as, void *to)
{
    const functions *f = p->f;
    void *source = NULL, *target = NULL, *stream = NULL;
    bool good = f->memory_create(&source, from_as, f->engine, from) == 0 && f->memory_create(&target, to_as, f->engine, to) == 0 &&
                f->stream_create(&stream, f->engine, STREAM) == 0 &&
                f->primitive_execute(p->reorder, stream, 2, (argument[]){ { ARG_FROM, source }, { ARG_TO, target } }) == 0;
    drop_tools(f, &(tools){ .stream = stream, .x = source, .y = target });
    return good;
}

typedef struct {
    plan *plan;     /* by how many images: of a lane's share, and of one more */
    char *scratch;  /* `each` bytes a lane, behind a filter packed */
    size_t each;
    void *packed;
    float *sums;    /* of filters, by lanes but the first */
    int64_t filter; /* numbers in one */
    atomic_bool failed;
} job;

static void finish(const tn__onednn_conv *c, float *to, int64_t at, int64_t count, int64_t channels)
{
    const tn__epilogue *e = &c->epilogue;
    for (int64_t i = 0; e->bias && i < count; i++)
        to[at + i] += e->bias[i % channels];
    for (int64_t i = at; e->beside && i < at + count; i++)
        to[i] += e->beside[i];
    for (int64_t i = at; e->relu && i < at + count; i++)
        to[i] = to[i] < 0 ? 0 : to[i];
    for (int64_t i = at; e->mask && i < at + count; i++)
        to[i] *= e->mask[i] > 0 ? 1.0f : 0.0f;
}

static int64_t image_of(const tn__onednn_conv *c, bool input)
{
    int64_t count = input ? c->x_channels : c->y_channels;
    for (int i = 0; i < c->axes; i++)
        count *= input ? c->axis[i].in : c->axis[i].out;
    return count;
}

/* Image by image, so that neither the batch nor the number of threads changes a bit of the result. */
static bool each_image(const job *j, int lane, int lanes, tools *t)
{
    const plan *p = j->plan;
    const tn__onednn_conv *c = p->c;
    int64_t first, last, x = image_of(c, true), y = image_of(c, false);
    bool back = c->way == TN__ONEDNN_TO_INPUT;
    tn__share(c->batch, 1, lane, lanes, &first, &last);
    if (!take_tools(p, c->x, c->y, j->packed, j->scratch + (size_t)lane * j->each, t))
        return false;
    for (int64_t i = first; i < last; i++) {
        if (p->f->memory_set_data_handle(t->x, c->x + i * x) != 0 || p->f->memory_set_data_handle(t->y, c->y + i * y) != 0 ||
            !execute(p, t))
            return false;
        finish(c, back ? c->x : c->y, i * (back ? x : y), back ? x : y, back ? c->x_channels : c->y_channels);
    }
    return true;
}

static bool sum_filter(const job *j, int lane, int lanes, tools *t)
{
    const tn__onednn_conv *c = j->plan->c;
    int64_t first, last;
    tn__share(c->batch, 1, lane, lanes, &first, &last);
    const plan *p = &j->plan[last - first - j->plan->batch];
    char *scratch = j->scratch + (size_t)lane * j->each;
    float *own = lane == 0 ? c->filter : j->sums + (lane - 1) * j->filter;
    void *result = p->reorder ? scratch : (void *)own;
    return take_tools(p, c->x + first * image_of(c, true), c->y + first * image_of(c, false), result, scratch + p->filter_bytes, t) &&
           execute(p, t) && (!p->reorder || reorder(p, p->packed, scratch, p->filter, own));
}

static void one_lane(void *self, int lane, int lanes)
{
    job *j = self;
    const functions *f = j->plan->f;
    tools t = { 0 };
    int before = take_one_thread(f);
    bool good = (j->plan->c->way == TN__ONEDNN_TO_FILTER ? sum_filter : each_image)(j, lane, lanes, &t);
    drop_tools(f, &t);
    give_threads_back(f, before);
    if (!good)
        j->failed = true;
}

static void add_sums(const job *j, int lanes)
{
    float *filter = j->plan->c->filter;
    for (int lane = 1; lane < lanes; lane++)
        for (int64_t i = 0; i < j->filter; i++)
            filter[i] += j->sums[(lane - 1) * j->filter + i];
}

/* Memory: a filter packed, or one of each lane but the first; then each lane's scratch. */
static tn_status run(plan *p, int plans, int lanes, bool *done)
{
    const tn__onednn_conv *c = p->c;
    bool to_filter = c->way == TN__ONEDNN_TO_FILTER;
    job j = { .plan = p, .filter = c->x_channels / c->groups * c->y_channels };
    for (int i = 0; i < c->axes; i++)
        j.filter *= c->axis[i].window;
    for (int i = 0; i < plans; i++) {
        p[i].filter_bytes = tn__whole_lines(p[i].filter_bytes);
        size_t bytes = tn__whole_lines(p[i].scratch_bytes) + (to_filter ? p[i].filter_bytes : 0);
        j.each = bytes > j.each ? bytes : j.each;
    }
    size_t shared = tn__whole_lines(to_filter ? (size_t)(lanes - 1) * (size_t)j.filter * sizeof(float) : p->filter_bytes);
    char *memory = tn__alloc_aligned(shared + (size_t)lanes * j.each + 1);
    if (!memory)
        return TN_RESOURCE_EXHAUSTED;
    j.sums = (float *)(void *)memory;
    j.packed = p->reorder ? memory : (void *)c->filter;
    j.scratch = memory + shared;
    if (to_filter || !p->reorder || reorder(p, p->filter, c->filter, p->packed, memory)) {
        tn__parallel(lanes, one_lane, &j);
        *done = !j.failed;
    }
    if (*done && to_filter)
        add_sums(&j, lanes);
    tn__free_aligned(memory);
    return TN_OK;
}

static double work_of(const tn__onednn_conv *c)
{
    double work = (double)image_of(c, false) * (double)c->batch * (double)(c->x_channels / c->groups);
    for (int i = 0; i < c->axes; i++)
        work *= (double)c->axis[i].window;
    return work;
}

/* Where it was measured to be faster (docs/decisions.md). */
static bool pays(const tn__onednn_conv *c, int lanes)
{
    bool strided = false;
    for (int i = 0; i < c->axes; i++) {
        strided |= c->axis[i].stride > 1;
        if (c->axis[i].in < 1)
            return false;
    }
    return work_of(c) >= LEAST_WORK &&
           (c->axes == 3 || c->groups > 1 || (strided && c->way == TN__ONEDNN_TO_INPUT && c->batch >= lanes));
}

static tn_status compute(const tn__onednn_conv *c, int lanes, bool *done)
{
    const functions *f = &library.call;
    bool to_filter = c->way == TN__ONEDNN_TO_FILTER, good = true;
    int64_t share = to_filter ? c->batch / lanes : 1;
    int plans = to_filter && c->batch % lanes ? 2 : 1;
    plan p[2] = { { .f = f, .c = c, .batch = share }, { .f = f, .c = c, .batch = share + 1 } };
    int before = take_one_thread(f);
    pthread_mutex_lock(&library.making);
    for (int i = 0; i < plans && good; i++)
        good = make(&p[i]);
    pthread_mutex_unlock(&library.making);
    tn_status status = good ? run(p, plans, lanes, done) : TN_OK;
    for (int i = 0; i < plans; i++)
        unmake(&p[i]);
    give_threads_back(f, before);
    return status;
}

tn_status tn__onednn(const tn__onednn_conv *c, bool *done)
{
    int lanes = tn__lanes(work_of(c));
    *done = false;
    if (!pays(c, lanes))
        return TN_OK;
    pthread_once(&library.once, open_library);
    if (!library.open)
        return TN_OK;
    return compute(c, lanes < c->batch ? lanes : (int)c->batch, done);
}
