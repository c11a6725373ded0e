/* schedules.c - learning-rate schedules as Keras computes them, step for step in float32. */
#include "train/schedules.h"
#include "tenon/ops.h"
#include <math.h>

typedef struct {
    double initial_learning_rate, decay_steps, decay_rate;
    tn_flag staircase;
    const char *name;
} decay;
typedef struct {
    double initial_learning_rate, decay_steps, end_learning_rate, power;
    tn_flag cycle;
    const char *name;
} polynomial;
typedef struct {
    tn_tensor *boundaries, *values;
    const char *name;
} piecewise;
typedef struct {
    double initial_learning_rate, decay_steps, alpha;
    const char *name;
    double warmup_target, warmup_steps;
} cosine;
typedef struct {
    double initial_learning_rate, first_decay_steps, t_mul, m_mul, alpha;
    const char *name;
} restarts;

static const double pi = 3.14159265358979323846;

/* x is a float32 tensor, the rest takes its dtype. */
static tn_tensor *plus(tn_tensor *x, double y)
{
    return tn_add(x, tn_scalar(y));
}

static tn_tensor *times(tn_tensor *x, double y)
{
    return tn_multiply(x, tn_scalar(y));
}

/* --- at all ----------------------------------------------------------------------------------- */
/* Arguments without a default are None in the tables. */
static tn_status check_given(const tn__thing *schedule)
{
    TN__EACH_FIELD(field, schedule->of->fields)
    {
        const void *place = (const char *)schedule->self + field->offset;
        bool none = field->kind == TN_FIELD_FLOAT    ? isnan(*(const double *)place)
                    : field->kind == TN_FIELD_TENSOR ? !*(tn_tensor *const *)place
                                                     : false;
        if (none && !tn__among("warmup_target", field->name))
            return tn__fail(TN_INVALID_ARGUMENT,
                            "%s.__init__() missing 1 required positional argument: '%s'",
                            schedule->of->name, field->name);
    }
    return TN_OK;
}

tn_status tn__schedule_check(const tn__thing *schedule)
{
    const tn__schedule_methods *methods = schedule->of->methods;
    TN_TRY(check_given(schedule));
    return methods->check ? methods->check(schedule->self) : TN_OK;
}

tn_status tn__schedule_parse(const char *text, tn__thing *schedule)
{
    TN_TRY(tn__thing_parse(TN__SCHEDULE, text, schedule));
    tn_status status = tn__schedule_check(schedule);
    if (status != TN_OK)
        tn__thing_free(schedule);
    return status;
}

tn_tensor *tn__schedule_rate(const tn__thing *schedule, tn_tensor *step)
{
    return ((const tn__schedule_methods *)schedule->of->methods)->rate(schedule->self, step);
}

static tn_status check_steps(const char *name, double steps)
{
    if (steps > 0)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "Argument `%s` must be > 0. Received: %s=%g", name, name,
                    steps);
}

/* --- exponential and inverse time ------------------------------------------------------------- */
static tn_status check_decay(const void *self)
{
    return check_steps("decay_steps", ((const decay *)self)->decay_steps);
}

/* step / decay_steps, whole with staircase */
static tn_tensor *periods(const decay *d, tn_tensor *step)
{
    tn_tensor *p = tn_divide(tn_cast(step, TN_FLOAT32), tn_scalar(d->decay_steps));
    return d->staircase ? tn_floor(p) : p;
}

/* initial · rate^p */
static tn_tensor *exponential_rate(const void *self, tn_tensor *step)
{
    const decay *d = self;
    return times(tn_pow(tn_scalar(d->decay_rate), periods(d, step)), d->initial_learning_rate);
}

/* initial / (1 + rate · p) */
static tn_tensor *inverse_rate(const void *self, tn_tensor *step)
{
    const decay *d = self;
    return tn_divide(tn_scalar(d->initial_learning_rate),
                     plus(times(periods(d, step), d->decay_rate), 1));
}

/* --- polynomial ------------------------------------------------------------------------------- */
static tn_status check_polynomial(const void *self)
{
    return check_steps("decay_steps", ((const polynomial *)self)->decay_steps);
}

/* (initial - end) · (1 - step / steps)^power + end; with cycle, steps is the next multiple of
 * decay_steps, else the step goes no further than it. */
static tn_tensor *polynomial_rate(const void *self, tn_tensor *step)
{
    const polynomial *p = self;
    tn_tensor *at = tn_cast(step, TN_FLOAT32), *steps = tn_scalar(p->decay_steps);
    if (p->cycle) {
        tn_tensor *periods = tn_ceil(tn_divide(at, steps));
        steps = tn_multiply(steps,
                            tn_where(tn_equal(at, tn_zeros_like(at)), tn_ones_like(at), periods));
    } else {
        at = tn_minimum(at, steps);
    }
    tn_tensor *left = tn_subtract(tn_ones_like(at), tn_divide(at, steps));
    tn_tensor *span =
        tn_subtract(tn_multiply(tn_ones_like(at), tn_scalar(p->initial_learning_rate)),
                    tn_scalar(p->end_learning_rate));
    return plus(tn_multiply(span, tn_pow(left, tn_scalar(p->power))), p->end_learning_rate);
}

/* --- piecewise constant ----------------------------------------------------------------------- */
static tn_status check_piecewise(const void *self)
{
    const piecewise *p = self;
    int64_t boundaries = tn__count(p->boundaries), values = tn__count(p->values);
    if (boundaries > 0 && boundaries == values - 1)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "The length of boundaries should be 1 less than the length of values. "
                    "Received: %lld boundaries and %lld values",
                    (long long)boundaries, (long long)values);
}

static tn_tensor *add_piece(tn_tensor *sum, tn_tensor *inside, double value)
{
    tn_tensor *piece = times(tn_cast(inside, TN_FLOAT32), value);
    return sum ? tn_add(sum, piece) : piece;
}

/* Σ value · (low < step <= high) */
static tn_tensor *piecewise_rate(const void *self, tn_tensor *step)
{
    const piecewise *p = self;
    int64_t count = tn__count(p->boundaries);
    tn_tensor *low = NULL, *sum = NULL;
    for (int64_t i = 0; i <= count; i++) {
        tn_tensor *high = i < count ? tn_scalar((int64_t)tn__double_at(p->boundaries, i)) : NULL;
        tn_tensor *below = high ? tn_less_equal(step, high) : NULL;
        tn_tensor *above = low ? tn_greater(step, low) : NULL;
        tn_tensor *inside = below && above ? tn_logical_and(above, below) : below ? below : above;
        sum = add_piece(sum, inside, tn__double_at(p->values, i));
        low = high;
    }
    return sum;
}

/* --- cosine ----------------------------------------------------------------------------------- */
static tn_status check_cosine(const void *self)
{
    return check_steps("decay_steps", ((const cosine *)self)->decay_steps);
}

/* from · ((1 - α) (1 + cos(π step / steps)) / 2 + α) */
static tn_tensor *cosine_decayed(const cosine *c, tn_tensor *step, double from)
{
    tn_tensor *done = tn_divide(step, tn_scalar(c->decay_steps));
    tn_tensor *wave = times(plus(tn_cos(times(done, pi)), 1), 0.5);
    return times(plus(times(wave, 1 - c->alpha), c->alpha), from);
}

/* Before the decay, with a warmup_target, a line from the initial rate to it. */
static tn_tensor *cosine_rate(const void *self, tn_tensor *step)
{
    const cosine *c = self;
    tn_tensor *at = tn_cast(step, TN_FLOAT32);
    if (isnan(c->warmup_target))
        return cosine_decayed(c, tn_minimum(at, tn_scalar(c->decay_steps)),
                              c->initial_learning_rate);
    at = tn_minimum(at, tn_scalar(c->decay_steps + c->warmup_steps));
    tn_tensor *after = cosine_decayed(c, plus(at, -c->warmup_steps), c->warmup_target);
    if (!(c->warmup_steps > 0))
        return after;
    tn_tensor *part = tn_divide(at, tn_scalar(c->warmup_steps));
    tn_tensor *before =
        plus(times(part, c->warmup_target - c->initial_learning_rate), c->initial_learning_rate);
    return tn_where(tn_less(at, tn_scalar(c->warmup_steps)), before, after);
}

/* --- cosine with restarts --------------------------------------------------------------------- */
static tn_status check_restarts(const void *self)
{
    return check_steps("first_decay_steps", ((const restarts *)self)->first_decay_steps);
}

/* Period i is t_mul^i long: how many lie behind, and how far the present one has come. */
static void find_period(const restarts *r, tn_tensor *done, tn_tensor **number, tn_tensor **part)
{
    if (r->t_mul == 1) {
        *number = tn_floor(done);
        *part = tn_subtract(done, *number);
        return;
    }
    tn_tensor *one = tn_ones_like(done), *t = times(one, r->t_mul);
    tn_tensor *reached = tn_subtract(one, tn_multiply(done, tn_subtract(one, t)));
    *number = tn_floor(tn_divide(tn_log(reached), tn_log(t)));
    tn_tensor *length = tn_pow(t, *number);
    tn_tensor *begin = tn_divide(tn_subtract(one, length), tn_subtract(one, t));
    *part = tn_divide(tn_subtract(done, begin), length);
}

/* initial · ((1 - α) m_mul^i (1 + cos(π part)) / 2 + α) */
static tn_tensor *restarts_rate(const void *self, tn_tensor *step)
{
    const restarts *r = self;
    tn_tensor *number, *part;
    find_period(r, tn_divide(tn_cast(step, TN_FLOAT32), tn_scalar(r->first_decay_steps)), &number,
                &part);
    tn_tensor *height = times(tn_pow(tn_scalar(r->m_mul), number), 0.5);
    tn_tensor *wave = tn_multiply(height, plus(tn_cos(times(part, pi)), 1));
    return times(plus(times(wave, 1 - r->alpha), r->alpha), r->initial_learning_rate);
}

/* --- classes ---------------------------------------------------------------------------------- */
#define FLOAT(type, member, fallback) TN__ROW(TN_FIELD_FLOAT, type, member, fallback, NULL)
#define NAME(type, fallback) TN__ROW(TN_FIELD_STRING, type, name, fallback, NULL)
#define DECAY_FIELDS(fallback)                                                              \
    {                                                                                       \
        FLOAT(decay, initial_learning_rate, "none"), FLOAT(decay, decay_steps, "none"),     \
            FLOAT(decay, decay_rate, "none"),                                               \
            TN__ROW(TN_FIELD_FLAG, decay, staircase, "false", NULL), NAME(decay, fallback), \
            TN__END_OF_FIELDS                                                               \
    }

static const tn_field exponential_fields[] = DECAY_FIELDS("ExponentialDecay");
static const tn_field inverse_fields[] = DECAY_FIELDS("InverseTimeDecay");
static const tn_field polynomial_fields[] = {
    FLOAT(polynomial, initial_learning_rate, "none"),
    FLOAT(polynomial, decay_steps, "none"),
    FLOAT(polynomial, end_learning_rate, "0.0001"),
    FLOAT(polynomial, power, "1.0"),
    TN__ROW(TN_FIELD_FLAG, polynomial, cycle, "false", NULL),
    NAME(polynomial, "PolynomialDecay"),
    TN__END_OF_FIELDS,
};
static const tn_field piecewise_fields[] = {
    TN__ROW(TN_FIELD_TENSOR, piecewise, boundaries, "none", NULL),
    TN__ROW(TN_FIELD_TENSOR, piecewise, values, "none", NULL),
    NAME(piecewise, "PiecewiseConstant"),
    TN__END_OF_FIELDS,
};
static const tn_field cosine_fields[] = {
    FLOAT(cosine, initial_learning_rate, "none"),
    FLOAT(cosine, decay_steps, "none"),
    FLOAT(cosine, alpha, "0.0"),
    NAME(cosine, "CosineDecay"),
    FLOAT(cosine, warmup_target, "none"),
    FLOAT(cosine, warmup_steps, "0.0"),
    TN__END_OF_FIELDS,
};
static const tn_field restarts_fields[] = {
    FLOAT(restarts, initial_learning_rate, "none"),
    FLOAT(restarts, first_decay_steps, "none"),
    FLOAT(restarts, t_mul, "2.0"),
    FLOAT(restarts, m_mul, "1.0"),
    FLOAT(restarts, alpha, "0.0"),
    NAME(restarts, "SGDRDecay"),
    TN__END_OF_FIELDS,
};

#define SCHEDULE(class_name, type, words, check_, rate_)                                        \
    static const tn__schedule_methods words##_methods = { .check = (check_), .rate = (rate_) }; \
    const tn__object_class tn__schedule_##class_name = { .kind = TN__SCHEDULE,                  \
                                                         .name = #class_name,                   \
                                                         .fields = words##_fields,              \
                                                         .size = sizeof(type),                  \
                                                         .methods = &words##_methods }
SCHEDULE(ExponentialDecay, decay, exponential, check_decay, exponential_rate);
SCHEDULE(InverseTimeDecay, decay, inverse, check_decay, inverse_rate);
SCHEDULE(PolynomialDecay, polynomial, polynomial, check_polynomial, polynomial_rate);
SCHEDULE(PiecewiseConstantDecay, piecewise, piecewise, check_piecewise, piecewise_rate);
SCHEDULE(CosineDecay, cosine, cosine, check_cosine, cosine_rate);
SCHEDULE(CosineDecayRestarts, restarts, restarts, check_restarts, restarts_rate);
