/* check_op.c */
#include "support/check_op.h"
#include "function/function.h"
#include "plan/program.h"
#include <math.h>

enum { MOST = TN__MAX_ARGS, SAMPLES = 40 };
static const double step = 1e-5; /* of central differences, relative to max(1, |x|) */

/* A call with the inputs it is tried on now: the check's own, or their kin in another dtype or
 * size. */
typedef struct {
    const op_check *check;
    const char *stage; /* for messages */
    tn_tensor *input[MOST];
    size_t inputs;
    unsigned fed; /* bit i: input i comes from outside of the trace; the others are captured */
    unsigned differentiated;
    tn_tensor
        *weight[MOST]; /* of each output in the sum whose gradient is taken; NULL: not floating */
    tn_tensor *second_weight[MOST]; /* of each gradient */
    size_t outputs;
} trial;

/* --- failing ---------------------------------------------------------------------------------- */
static const char *name_of(const op_check *check)
{
    return check->op ? check->op->name : "the body";
}

/* Every failure ends here: cmocka leaves the test by a long jump. */
static void fail_at(const trial *t, const char *format, ...) TN_PRINTF(2, 3);
static void fail_at(const trial *t, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    print_error("%s, %s: %s\n", name_of(t->check), t->stage, text);
    _fail(t->check->file, t->check->line);
}

static void must_run(const trial *t, const void *result)
{
    if (result && tn_pending() == TN_OK)
        return;
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    fail_at(t, "failed: %s", error ? error->message : "NULL without an error");
}

/* --- comparing -------------------------------------------------------------------------------- */
static bool close_enough(double got, double want, double rtol, double atol)
{
    if (isnan(got) || isnan(want))
        return isnan(got) && isnan(want);
    if (isinf(got) || isinf(want))
        return got == want;
    return fabs(got - want) <= atol + rtol * fabs(want);
}

/* What differs, or an empty text. */
static void difference(const tn_tensor *got, const tn_tensor *want, double rtol, double atol,
                       char *text, size_t size)
{
    text[0] = 0;
    if (got->dtype != want->dtype || !tn__shape_equal(&got->shape, &want->shape)) {
        snprintf(text, size, "got %s, expected %s", TN__TENSOR(got), TN__TENSOR(want));
        return;
    }
    for (int64_t i = 0; i < tn__count(want); i++)
        if (!close_enough(tn__double_at(got, i), tn__double_at(want, i), rtol, atol)) {
            snprintf(text, size, "element %lld is %.17g, expected %.17g (%s)", (long long)i,
                     tn__double_at(got, i), tn__double_at(want, i), TN__TENSOR(want));
            return;
        }
}

static void compare(const trial *t, const tn_tensor *got, const tn_tensor *want, double rtol,
                    double atol)
{
    char text[512];
    difference(got, want, rtol, atol, text, sizeof text);
    if (text[0])
        fail_at(t, "%s", text);
}

static void compare_lists(const trial *t, tn_list got, tn_list want, double rtol, double atol)
{
    if (got.count != want.count)
        fail_at(t, "%zu outputs, expected %zu", got.count, want.count);
    for (size_t i = 0; i < want.count; i++)
        compare(t, got.item[i], want.item[i], rtol, atol);
}

/* A value, read if it is a variable; fails the test otherwise. */
static tn_tensor *value_to_check(tn_tensor *x, const char *file, int line)
{
    tn_tensor *value = NULL;
    if (!x || tn_pending() != TN_OK || tn__value_of(x, "the tensor to check", &value) != TN_OK) {
        const tn_error *error = tn_catch(TN_ANY_ERROR);
        print_error("%s\n", error ? error->message : "the tensor to check is NULL");
        _fail(file, line);
    }
    return tn__own(value);
}

void check_tensor(tn_tensor *got, tn_tensor *want, double rtol, double atol, const char *file,
                  int line)
{
    char text[512];
    difference(value_to_check(got, file, line), value_to_check(want, file, line), rtol, atol, text,
               sizeof text);
    if (text[0]) {
        print_error("%s\n", text);
        _fail(file, line);
    }
}

void check_values(tn_tensor *got, const double *want, size_t count, double tolerance,
                  const char *file, int line)
{
    const tn_tensor *value = value_to_check(got, file, line);
    if (tn__count(value) != (int64_t)count) {
        print_error("%s has %lld elements, expected %zu\n", TN__TENSOR(value),
                    (long long)tn__count(value), count);
        _fail(file, line);
    }
    for (size_t i = 0; i < count; i++)
        if (!close_enough(tn__double_at(value, (int64_t)i), want[i], tolerance, tolerance)) {
            print_error("element %zu is %.17g, expected %.17g\n", i,
                        tn__double_at(value, (int64_t)i), want[i]);
            _fail(file, line);
        }
}

/* --- making ----------------------------------------------------------------------------------- */
tn_tensor *check_tensor_of(tn_dtype dtype, tn_shape shape, const double *values, size_t count)
{
    tn_tensor *x;
    if (tn__shape_count(&shape) != (int64_t)count)
        fail_msg("%zu values for the shape %s", count, TN__SHAPE(shape));
    if (tn__tensor_new(dtype, &shape, &x) != TN_OK)
        return NULL;
    size_t size = tn__dtype_size(dtype);
    for (size_t i = 0; i < count; i++)
        tn__element_from_double(dtype, values[i], (char *)x->data + i * size);
    return tn__own(x);
}

tn_tensor *check_numbers(tn_shape shape, double low, double high, unsigned seed)
{
    tn_tensor *x;
    if (tn__tensor_new(TN_FLOAT64, &shape, &x) != TN_OK)
        return NULL;
    uint32_t bits = seed * 2654435761u + 12345;
    for (int64_t i = 0; i < tn__count(x); i++) {
        bits = bits * 1664525u + 1013904223u;
        ((double *)x->data)[i] = low + (high - low) * ((bits >> 8) + 0.5) / (1 << 24);
    }
    return tn__own(x);
}

/* --- the call --------------------------------------------------------------------------------- */
/* As a body: what is fed in order of the bits, the rest captured. */
static tn_tensor *forward(void *self, tn_list fed)
{
    const trial *t = self;
    const op_check *check = t->check;
    tn_tensor *all[MOST];
    size_t next = 0;
    if (!fed.item) /* no memory for the list */
        return NULL;
    for (size_t i = 0; i < t->inputs; i++)
        all[i] = t->fed >> i & 1 ? fed.item[next++] : t->input[i];
    if (check->body)
        return check->body(check->self, tn_list_of(t->inputs, all));
    size_t outputs =
        check->outputs ? check->outputs : tn__op_outputs(check->op, check->attrs, t->inputs);
    if (outputs == 1)
        return tn__apply(check->op, check->attrs, all, t->inputs);
    tn_list list = tn__apply_list(check->op, check->attrs, all, t->inputs, outputs);
    return list.item ? tn_tuple_of(list) : NULL;
}

static tn_list fed_of(const trial *t)
{
    tn_tensor *items[MOST];
    size_t count = 0;
    for (size_t i = 0; i < t->inputs; i++)
        if (t->fed >> i & 1)
            items[count++] = t->input[i];
    return tn_list_of(count, items);
}

/* The inputs that gradients are asked for, out of what is fed. */
static tn_list sources_of(const trial *t, tn_list fed)
{
    tn_tensor *items[MOST];
    size_t count = 0, next = 0;
    for (size_t i = 0; i < t->inputs; i++) {
        if (t->differentiated >> i & 1)
            items[count++] = fed.item[next];
        next += t->fed >> i & 1;
    }
    return tn_list_of(count, items);
}

static tn_tensor *weighted_sum(tn_list items, tn_tensor *const *weight)
{
    tn_tensor *sum = NULL;
    for (size_t i = 0; i < items.count; i++)
        if (weight[i]) {
            tn_tensor *part = tn_reduce_sum(tn_multiply(items.item[i], weight[i]));
            sum = sum ? tn_add(sum, part) : part;
        }
    return sum;
}

static tn_tape *watching(tn_list sources)
{
    tn_tape *tape = tn_gradient_tape();
    for (size_t i = 0; i < sources.count; i++)
        tn_watch(tape, sources.item[i]);
    return tape;
}

/* Zeros stand for a gradient that is not there. */
static tn_tensor *gradients(const trial *t, tn_tape *tape, tn_tensor *sum, tn_list sources)
{
    tn_list real = sources_of(t, fed_of(t));
    tn_tensor *items[MOST];
    tn_list found = tn_gradient(tape, sum, sources);
    if (!found.item)
        return NULL;
    for (size_t i = 0; i < found.count; i++)
        items[i] = found.item[i] ? found.item[i]
                                 : tn_zeros(real.item[i]->shape, (tn_dtype)real.item[i]->dtype);
    return tn_tuple_of(tn_list_of(found.count, items));
}

/* Bodies that give a tuple of first, and of second, derivatives. */
static tn_tensor *first_order(void *self, tn_list fed)
{
    trial *t = self;
    tn_list sources = sources_of(t, fed);
    tn_tape *tape = watching(sources);
    tn_tensor *result = forward(t, fed);
    return result ? gradients(t, tape, weighted_sum(tn_items(result), t->weight), sources) : NULL;
}

static tn_tensor *second_order(void *self, tn_list fed)
{
    trial *t = self;
    tn_list sources = sources_of(t, fed);
    tn_tape *tape = watching(sources);
    tn_tensor *first = first_order(t, fed);
    return first ? gradients(t, tape, weighted_sum(tn_items(first), t->second_weight), sources)
                 : NULL;
}

/* --- running it in every mode ----------------------------------------------------------------- */
static tn_list run_eagerly(const trial *t, tn_body body)
{
    tn_tensor *result = body((void *)t, fed_of(t));
    must_run(t, result);
    return tn_items(result);
}

static tn_list run_traced(const trial *t, tn_body body)
{
    tn_function *f;
    CHECK_OK(tn__function_new(body, (void *)t, false, "the call", &f));
    tn__own(f);
    tn_tensor *result = tn_function_call(
        f, fed_of(t), &(tn_call_options){ .size_ = sizeof(tn_call_options), .training = -1 });
    must_run(t, result);
    return tn_items(result);
}

typedef enum { FULL, ANY_BATCH, UNKNOWN_RANK } openness;

static unsigned batched_of(const trial *t)
{
    const op_check *check = t->check;
    unsigned bits = 0;
    const tn_shape *first = &t->input[0]->shape;
    if (check->batched)
        return check->batched;
    for (size_t i = 0; i < t->inputs; i++) {
        const tn_shape *shape = &t->input[i]->shape;
        if (!(check->constant >> i & 1) && shape->rank > 0 && shape->rank == first->rank &&
            shape->dims[0] == first->dims[0])
            bits |= 1u << i;
    }
    return bits;
}

static tn_shape opened(const trial *t, size_t i, openness how)
{
    tn_shape shape = t->input[i]->shape;
    if (how == UNKNOWN_RANK)
        return TN__UNKNOWN_SHAPE;
    if (how == ANY_BATCH && batched_of(t) >> i & 1)
        shape.dims[0] = TN_NONE;
    return shape;
}

/* Inferred dtypes and shapes against the real ones; full inputs must give full shapes. */
static void check_inference(const trial *t, tn_list symbolic, tn_list real, openness how)
{
    bool full = how == FULL && !(t->check->skip & SHAPE_FROM_VALUES);
    if (symbolic.count != real.count)
        fail_at(t, "%zu outputs, eagerly %zu", symbolic.count, real.count);
    for (size_t i = 0; i < real.count; i++) {
        const tn_tensor *guess = symbolic.item[i], *truth = real.item[i];
        if (guess->dtype != truth->dtype || !tn__shape_fits(&guess->shape, &truth->shape))
            fail_at(t, "output %zu was inferred to be %s, it is %s", i, TN__TENSOR(guess),
                    TN__TENSOR(truth));
        if (full && !tn__shape_full(&guess->shape))
            fail_at(t, "output %zu is inferred as %s only, it is %s", i, TN__TENSOR(guess),
                    TN__TENSOR(truth));
    }
}

/* In a graph of its own, whose inputs are known no better than `how` says. */
static tn_list run_in_graph(const trial *t, tn_body body, openness how, tn_list real)
{
    tn_context *context = tn__context();
    tn_graph *graph = tn__own(tn__graph_new());
    tn_tensor *keys[MOST], *results[MOST];
    size_t count = 0;
    for (size_t i = 0; i < t->inputs; i++)
        if (t->fed >> i & 1) {
            tn_shape shape = opened(t, i, how);
            CHECK_OK(tn__graph_input(context, graph, (tn_dtype)t->input[i]->dtype, &shape, NULL,
                                     &keys[count]));
            tn__own(keys[count++]);
        }
    context->graph = graph;
    tn_tensor *result = body((void *)t, tn_list_of(count, keys));
    context->graph = NULL;
    must_run(t, result);
    tn_list symbolic = tn_items(result);
    check_inference(t, symbolic, real, how);
    tn_tensor *fetches[MOST];
    for (size_t i = 0; i < symbolic.count; i++) {
        CHECK_OK(tn__graph_capture(context, graph, symbolic.item[i], &fetches[i]));
        tn__own(fetches[i]);
    }
    tn_status status = tn__graph_run(context, graph, keys, fed_of(t).item, count, fetches,
                                     symbolic.count, true, results);
    must_run(t, status == TN_OK ? results : NULL);
    for (size_t i = 0; i < symbolic.count; i++)
        tn__own(results[i]);
    return tn_list_of(symbolic.count, results);
}

/* --- the steps -------------------------------------------------------------------------------- */
/* What two ways of computing the same may differ by. */
static double precision(tn_dtype dtype)
{
    return dtype == TN_FLOAT64    ? 1e-11
           : dtype == TN_FLOAT32  ? 1e-5
           : dtype == TN_FLOAT16  ? 2e-3
           : dtype == TN_BFLOAT16 ? 1.6e-2
                                  : 0;
}

static void compare_runs(trial *t, const char *stage, tn_list got, tn_list want)
{
    t->stage = stage;
    for (size_t i = 0; i < want.count; i++) {
        double tolerance = precision((tn_dtype)want.item[i]->dtype);
        compare(t, got.item[i], want.item[i], tolerance, tolerance);
    }
}

static void check_traces(trial *t, tn_list eager)
{
    unsigned skip = t->check->skip, fed = t->fed;
    if (skip & SKIP_TRACING)
        return;
    t->stage = "traced";
    compare_runs(t, "traced", run_traced(t, forward), eager);
    t->stage = "inference";
    run_in_graph(t, forward, FULL, eager);
    t->stage = "with an unknown first dimension";
    if (!(skip & SKIP_ANY_BATCH))
        compare_runs(t, t->stage, run_in_graph(t, forward, ANY_BATCH, eager), eager);
    t->stage = "with unknown ranks";
    if (t->check->op && !(skip & SKIP_UNKNOWN_RANK))
        compare_runs(t, t->stage, run_in_graph(t, forward, UNKNOWN_RANK, eager), eager);
    if (!t->check->constant || (skip & NEEDS_CONSTANTS))
        return;
    t->fed = (1u << t->inputs) - 1;
    t->stage = "with the constant inputs fed";
    compare_runs(
        t, t->stage,
        run_in_graph(t, forward, skip & SKIP_UNKNOWN_RANK ? ANY_BATCH : UNKNOWN_RANK, eager),
        eager);
    t->fed = fed;
}

static bool forward_runs(void *self)
{
    return forward(self, fed_of(self)) != NULL;
}

/* Central differences of the weighted sum of what body gives, by element `at` of source i. */
static double slope(trial *t, tn_body body, tn_tensor *const *weight, size_t i, int64_t at)
{
    TN_SCOPE;
    tn_tensor *original = t->input[i], *moved;
    double sum[2], h = step * fmax(1, fabs(tn__double_at(original, at)));
    for (int side = 0; side < 2; side++) {
        CHECK_OK(tn__tensor_copy(TN_FLOAT64, &original->shape, original->data, &moved));
        tn__own(moved);
        ((double *)moved->data)[at] += side ? h : -h;
        t->input[i] = moved;
        sum[side] = tn_to_double(weighted_sum(run_eagerly(t, body), weight));
        t->input[i] = original;
    }
    return (sum[1] - sum[0]) / (2 * h);
}

static void compare_slopes(trial *t, tn_body body, tn_tensor *const *weight, tn_list found,
                           double tolerance)
{
    size_t next = 0;
    for (size_t i = 0; i < t->inputs; i++) {
        if (!(t->differentiated >> i & 1))
            continue;
        const tn_tensor *gradient = found.item[next++];
        if (gradient->dtype != t->input[i]->dtype ||
            !tn__shape_equal(&gradient->shape, &t->input[i]->shape))
            fail_at(t, "the gradient of input %zu is %s, the input %s", i, TN__TENSOR(gradient),
                    TN__TENSOR(t->input[i]));
        int64_t count = tn__count(gradient), stride = 1 + (count - 1) / SAMPLES;
        for (int64_t at = 0; at < count; at += stride) {
            double want = slope(t, body, weight, i, at), got = tn__double_at(gradient, at);
            if (!close_enough(got, want, tolerance, tolerance))
                fail_at(t, "by input %zu, element %lld: %.10g, by differences %.10g", i,
                        (long long)at, got, want);
        }
    }
}

/* The first floating input, else the first: the one whose dtype is varied. */
static size_t main_input(const trial *t)
{
    for (size_t i = 0; i < t->inputs; i++)
        if (!(t->check->constant >> i & 1) && tn__in(TN__FLOATS, (tn_dtype)t->input[i]->dtype))
            return i;
    return 0;
}

/* What the op's signature says of input i: the type attribute it shares with others, or -1. */
static int type_of(const trial *t, size_t i, tn__dtype_set *set)
{
    const tn__signature *s = tn__op_signature(t->check->op);
    int type = s->input[tn__signature_arg(s, t->inputs, i)].type;
    *set = type < 0 ? 0 : s->type[type].set;
    return type;
}

/* Inputs that must keep the dtype of input `with`: by the signature, or, for a body, all that have
 * it. */
static unsigned of_the_same_type(const trial *t, size_t with)
{
    tn__dtype_set ignored;
    unsigned bits = 0;
    for (size_t i = 0; i < t->inputs; i++) {
        bool same = t->check->op ? type_of(t, i, &ignored) == type_of(t, with, &ignored)
                                 : t->input[i]->dtype == t->input[with]->dtype;
        bits |= (unsigned)same << i;
    }
    return bits | 1u << with;
}

static void convert(trial *t, unsigned bits, tn_dtype to)
{
    for (size_t i = 0; i < t->inputs; i++)
        if (bits >> i & 1)
            t->input[i] = tn_cast(t->input[i], to);
    must_run(t, t);
}

/* Every floating input in one type, where the signature allows that. */
static void convert_floats(trial *t, tn_dtype to)
{
    unsigned bits = 0;
    for (size_t i = 0; i < t->inputs; i++) {
        tn__dtype_set set = TN__FLOATS;
        if (t->check->op)
            type_of(t, i, &set);
        bits |=
            (unsigned)(tn__in(TN__FLOATS, (tn_dtype)t->input[i]->dtype) && tn__in(set, to)) << i;
    }
    convert(t, bits, to);
}

static void make_weights(trial *t, tn_list results, tn_tensor **weight, unsigned seed)
{
    for (size_t i = 0; i < results.count; i++) {
        const tn_tensor *y = results.item[i];
        weight[i] = NULL;
        if (tn__in(TN__FLOATS, (tn_dtype)y->dtype) &&
            !(weight == t->weight && t->check->without >> i & 1))
            weight[i] =
                tn_cast(check_numbers(y->shape, 0.5, 1.5, seed + (unsigned)i), (tn_dtype)y->dtype);
    }
    t->outputs = results.count;
}

/* The op's own say: nothing may come back where it has no rule. */
static void check_no_gradient(const trial *t)
{
    tn_list sources = sources_of(t, fed_of(t));
    tn_tape *tape = watching(sources);
    tn_tensor *result = forward((void *)t, fed_of(t));
    must_run(t, result);
    tn_tensor *sum = weighted_sum(tn_items(result), t->weight);
    tn_list found = sum ? tn_gradient(tape, sum, sources) : (tn_list){ 0, NULL };
    for (size_t i = 0; i < found.count; i++)
        if (found.item[i])
            fail_at(t, "a gradient of input %zu, though the op has no rule", i);
    CHECK_NO_ERROR();
}

static void check_second_order(trial *t, tn_list first, bool compare_differences, double tolerance)
{
    t->stage = "second derivative";
    make_weights(t, first, t->second_weight, 77);
    tn_list second = run_eagerly(t, second_order);
    if (compare_differences)
        compare_slopes(t, first_order, t->second_weight, second, tolerance);
}

static void check_traced_gradients(trial *t, tn_list eager)
{
    t->stage = "traced gradient";
    compare_runs(t, t->stage, run_traced(t, first_order), eager);
    t->stage = "gradient with an unknown first dimension";
    if (!(t->check->skip & SKIP_ANY_BATCH))
        compare_runs(t, t->stage, run_in_graph(t, first_order, ANY_BATCH, eager), eager);
}

/* False when nothing here has a gradient. */
static bool prepare_gradients(trial *t, tn_dtype in)
{
    bool any = false;
    convert_floats(t, in);
    for (size_t i = 0; i < t->inputs; i++)
        if (t->fed >> i & 1 && t->input[i]->dtype == in)
            t->differentiated |= 1u << i;
    make_weights(t, run_eagerly(t, forward), t->weight, 1);
    for (size_t i = 0; i < t->outputs; i++)
        any |= t->weight[i] != NULL;
    return any && t->differentiated;
}

static void check_gradients(const trial *original, bool compare_differences)
{
    trial t = *original;
    const op_check *check = t.check;
    double tolerance = check->gradient_tolerance ? check->gradient_tolerance : 1e-5;
    t.stage = "gradient";
    if (!prepare_gradients(&t, TN_FLOAT64)) { /* where differences say most */
        if (check->differentiable)
            fail_at(&t, "no floating input is differentiated, or no floating output weighed");
        return;
    }
    if (check->op && !check->op->gradient) {
        check_no_gradient(&t);
        return;
    }
    tn_list found = run_eagerly(&t, first_order);
    if (compare_differences)
        compare_slopes(&t, forward, t.weight, found, tolerance);
    if (!(check->skip & SKIP_TRACING))
        check_traced_gradients(&t, found);
    if (!(check->skip & SKIP_SECOND_ORDER))
        check_second_order(&t, found, compare_differences, 10 * tolerance);
}

/* --- with a plan and without one -------------------------------------------------------------- */
static tn_list run_planned(const trial *t, tn_body body, bool planned)
{
    tn_context *context = tn__context();
    bool before = context->plain;
    context->plain = !planned;
    tn_list results = run_traced(t, body);
    context->plain = before;
    return results;
}

static void compare_plans(trial *t, tn_body body, const char *stage)
{
    t->stage = stage;
    tn_list plain = run_planned(t, body, false);
    compare_runs(t, stage, run_planned(t, body, true), plain);
}

/* An op in float32, which is what plans fuse and kernels compute. */
static void check_plans(const trial *original)
{
    trial t = *original;
    const op_check *check = t.check;
    t.stage = "with and without a plan";
    bool narrow = check->op && !(check->skip & SKIP_DTYPES);
    bool differentiated = prepare_gradients(&t, narrow ? TN_FLOAT32 : TN_FLOAT64);
    compare_plans(&t, forward, "with and without a plan");
    if (differentiated && !(check->op && !check->op->gradient) && !(check->skip & SKIP_GRADIENT))
        compare_plans(&t, first_order, "gradient with and without a plan");
}

/* --- dtypes ----------------------------------------------------------------------------------- */
static tn__dtype_set dtypes_of(const trial *t)
{
    tn__dtype_set set = 0;
    if (t->check->op && !t->check->dtypes)
        type_of(t, main_input(t), &set);
    return t->check->dtypes ? t->check->dtypes : set;
}

/* What the widest type computed, in the dtype: integers wrap as its arithmetic does. */
static tn_tensor *narrowed(const tn_tensor *x, tn_dtype dtype)
{
    tn_tensor *y;
    CHECK_OK(tn__tensor_new(dtype, &x->shape, &y));
    size_t size = tn__dtype_size(dtype);
    for (int64_t i = 0; i < tn__count(x); i++) {
        void *place = (char *)y->data + (size_t)i * size;
        double value = tn__double_at(x, i);
        if (tn__in(TN__INTS, dtype) && tn__in(TN__FLOATS, (tn_dtype)x->dtype))
            tn__element_from_int(dtype, (int64_t)floor(value), place);
        else if (tn__in(TN__FLOATS, dtype))
            tn__element_from_double(dtype, value, place);
        else
            tn__element_from_int(dtype, tn__int_at(x, i), place);
    }
    return tn__own(y);
}

/* A negative number as a large unsigned one would leave the widest type behind. */
static void make_positive(trial *t, unsigned bits)
{
    for (size_t i = 0; i < t->inputs; i++)
        if (bits >> i & 1 && tn__in(TN__NUMBERS, (tn_dtype)t->input[i]->dtype))
            t->input[i] = tn_abs(tn_cast(t->input[i], TN_FLOAT64));
    must_run(t, t);
}

static void check_dtype(const trial *original, unsigned varied, tn_dtype widest, tn_dtype dtype)
{
    TN_SCOPE;
    char stage[64];
    snprintf(stage, sizeof stage, "in %s", tn__dtype_name(dtype));
    trial narrow = *original, wide;
    narrow.stage = stage;
    if (dtype == TN_UINT32 || dtype == TN_UINT64)
        make_positive(&narrow, varied);
    convert(&narrow, varied, dtype);
    wide = narrow;
    convert(&wide, varied, widest);
    tn_list got = run_eagerly(&narrow, forward), want = run_eagerly(&wide, forward);
    for (size_t i = 0; i < want.count && i < got.count; i++) {
        const tn_tensor *y = want.item[i];
        tn_dtype expected =
            y->dtype == widest && y->dtype != got.item[i]->dtype ? dtype : (tn_dtype)y->dtype;
        compare(&narrow, got.item[i], narrowed(y, expected), precision(dtype), precision(dtype));
    }
}

/* The widest comes first, and everything after it is compared with it. */
static void check_dtypes(const trial *t)
{
    static const tn_dtype all[] = { TN_FLOAT64, TN_INT64, TN_FLOAT32,  TN_INT32, TN_UINT8,
                                    TN_BOOL,    TN_INT8,  TN_INT16,    TN_UINT16, TN_UINT32,
                                    TN_UINT64,  TN_FLOAT16, TN_BFLOAT16 };
    tn_dtype widest = (tn_dtype)0;
    if (t->inputs == 0)
        return;
    tn__dtype_set set = dtypes_of(t);
    unsigned varied = of_the_same_type(t, main_input(t));
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!tn__in(set, all[i]))
            continue;
        if (!widest)
            widest = all[i];
        check_dtype(t, varied, widest, all[i]);
    }
}

/* --- no rows ---------------------------------------------------------------------------------- */
static void check_empty(const trial *original)
{
    trial t = *original;
    unsigned batched = batched_of(&t);
    t.stage = "without rows";
    if (!batched)
        return;
    for (size_t i = 0; i < t.inputs; i++)
        if (batched >> i & 1) {
            tn_shape shape = t.input[i]->shape;
            shape.dims[0] = 0;
            t.input[i] = tn_zeros(shape, (tn_dtype)t.input[i]->dtype);
        }
    tn_list eager = run_eagerly(&t, forward);
    if (!(t.check->skip & SKIP_TRACING)) {
        compare_runs(&t, t.stage, run_in_graph(&t, forward, FULL, eager), eager);
        if (!(t.check->skip & SKIP_ANY_BATCH))
            compare_runs(&t, t.stage, run_in_graph(&t, forward, ANY_BATCH, eager), eager);
    }
    if (!(t.check->skip & SKIP_GRADIENT))
        check_gradients(&t, false);
}

void check_op(const op_check *check)
{
    TN_SCOPE;
    trial t = { .check = check, .stage = "eager", .inputs = check->inputs.count };
    if (tn_pending() != TN_OK || t.inputs > MOST || (t.inputs && !check->inputs.item))
        must_run(&t, NULL);
    for (size_t i = 0; i < t.inputs; i++)
        t.input[i] = check->inputs.item[i];
    t.fed = ((1u << t.inputs) - 1) & ~check->constant;
    tn_list eager = run_eagerly(&t, forward);
    bool exact = check->rtol == 0 && check->atol == 0;
    if (check->expected.count)
        compare_lists(&t, eager, check->expected, exact ? 1e-6 : check->rtol,
                      exact ? 1e-7 : check->atol);
    check_allocation_failures(forward_runs, &t);
    check_traces(&t, eager);
    if (!(check->skip & SKIP_TRACING))
        check_plans(&t);
    if (!(check->skip & SKIP_GRADIENT))
        check_gradients(&t, true);
    if (!(check->skip & SKIP_DTYPES))
        check_dtypes(&t);
    if (!(check->skip & SKIP_EMPTY) && t.inputs)
        check_empty(&t);
}
