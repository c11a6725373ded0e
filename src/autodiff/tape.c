/* tape.c - recording, and the public tape. */
#include "autodiff/tape.h"
#include "ops/ops.h"
#include <string.h>

/* --- records ------------------------------------------------------------------------------------------------------------ */
static void record_free(tn__record *r)
{
    for (size_t i = 0; r->input && i < r->inputs + r->outputs; i++)
        tn__release(r->input[i]);
    if (r->attrs)
        tn__fields_release(r->op->attrs, r->attrs);
    tn__free(r->input);
}

static void forget(struct tn_tape *tape)
{
    for (size_t i = 0; i < tape->record.count; i++)
        record_free(&tape->record.item[i]);
    tn__free(tape->record.item);
    tape->record.item = NULL;
    tape->record.count = tape->record.capacity = 0;
    tn__ids_free(&tape->watched);
}

/* Takes the tape out of the thread's list; others keep their order. */
static void close_tape(struct tn_tape *tape)
{
    tn_context *context = tn__context();
    for (struct tn_tape **at = &context->tapes; *at; at = &(*at)->outer)
        if (*at == tape) {
            *at = tape->outer;
            break;
        }
    tape->recording = false;
}

static void tape_destroy(void *object)
{
    struct tn_tape *tape = object;
    if (tape->recording)
        close_tape(tape);
    forget(tape);
}

const tn__type tn__type_tape = { .name = "gradient tape", .kind = 9, .destroy = tape_destroy };

/* Tensors first, then attributes: what they are aligned to. */
static tn_status record_new(const tn__op *op, const void *attrs, tn_tensor *const *inputs, size_t input_count, tn_tensor *const *outputs,
                            size_t output_count, tn__record *r)
{
    size_t count = input_count + output_count, before = (count + 1) / 2 * 2 * sizeof *r->input;
    *r = (tn__record){ .op = op, .inputs = input_count, .outputs = output_count };
    tn_tensor **all = tn__alloc(before + op->attrs_size);
    if (!all)
        return TN_RESOURCE_EXHAUSTED;
    r->input = all;
    r->output = all + input_count;
    for (size_t i = 0; i < count; i++)
        all[i] = tn__retain(i < input_count ? inputs[i] : outputs[i - input_count]);
    if (!op->attrs_size)
        return TN_OK;
    r->attrs = memcpy((char *)all + before, attrs, op->attrs_size);
    return tn__fields_own(op->attrs, r->attrs);
}

/* --- watching ----------------------------------------------------------------------------------------------------------- */
static bool is_trainable(const tn_tensor *x)
{
    return x->form == TN__VARIABLE && x->of.variable->trainable;
}

static bool watches(const struct tn_tape *tape, const tn_tensor *x)
{
    return tn__ids_find(&tape->watched, x->id) || (tape->watch_variables && is_trainable(x));
}

bool tn__tape_watches(const tn_context *context, const tn_tensor *x)
{
    for (const struct tn_tape *tape = context->tape_pause ? NULL : context->tapes; tape; tape = tape->outer)
        if (!tape->paused && watches(tape, x))
            return true;
    return false;
}

void tn__tapes_pause(tn_context *context)
{
    for (struct tn_tape *tape = context->tapes; tape; tape = tape->outer)
        tape->paused++;
}

void tn__tapes_resume(tn_context *context)
{
    for (struct tn_tape *tape = context->tapes; tape; tape = tape->outer)
        tape->paused -= tape->paused > 0;
}

static tn_status record_on(struct tn_tape *tape, const tn__op *op, const void *attrs, tn_tensor *const *inputs, size_t input_count,
                           tn_tensor *const *outputs, size_t output_count)
{
    bool watched = false;
    for (size_t i = 0; i < input_count && !watched; i++)
        watched = watches(tape, inputs[i]);
    if (!watched)
        return TN_OK;
    tn__record r;
    tn_status status = record_new(op, attrs, inputs, input_count, outputs, output_count, &r);
    if (status == TN_OK)
        status = TN__PUSH(&tape->record, r);
    if (status != TN_OK) {
        record_free(&r);
        return status;
    }
    for (size_t i = 0; i < output_count; i++)
        if (tn__in(TN__FLOATS, (tn_dtype)outputs[i]->dtype))
            TN_TRY(tn__ids_set(&tape->watched, outputs[i]->id, 1));
    return TN_OK;
}

tn_status tn__tape_record(tn_context *context, const tn__op *op, const void *attrs, tn_tensor *const *inputs, size_t input_count,
                          tn_tensor *const *outputs, size_t output_count)
{
    if (!op->gradient)
        return TN_OK;
    for (struct tn_tape *tape = context->tapes; tape; tape = tape->outer)
        if (tape->graph == context->graph && !tape->paused)
            TN_TRY(record_on(tape, op, attrs, inputs, input_count, outputs, output_count));
    return TN_OK;
}

/* --- the public tape ---------------------------------------------------------------------------------------------------- */
tn_tape *tn_gradient_tape_new(const tn_gradient_tape_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    struct tn_tape *tape = tn__object_new(&tn__type_tape);
    if (!tape)
        return NULL;
    tape->persistent = options->persistent;
    tape->watch_variables = options->watch_accessed_variables;
    tape->recording = true;
    tape->watched = TN__IDS_IN(tape->first_watched);
    tape->graph = context->graph;
    tape->outer = context->tapes;
    context->tapes = tape;
    return tn__own(tape);
}

void tn_watch(tn_tape *tape, tn_tensor *x)
{
    TN__ENTER(context, );
    (void)context;
    if (!tn__check(tape, &tn__type_tape, "tn_watch: tape") || !tn__check_tensor(x, "tn_watch: x"))
        return;
    if (x->form != TN__VARIABLE && !tn__in(TN__FLOATS, (tn_dtype)x->dtype)) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_watch: the dtype of the watched tensor must be floating, got %s", TN__TENSOR(x));
        return;
    }
    (void)!tn__ids_set(&tape->watched, x->id, 1);
}

void tn_stop_recording(tn_tape *tape)
{
    TN__ENTER(context, );
    (void)context;
    if (tn__check(tape, &tn__type_tape, "tn_stop_recording: tape") && tape->recording)
        close_tape(tape);
}

static tn_status check_sources(tn_list sources)
{
    for (size_t i = 0; i < sources.count; i++)
        if (!tn__check_tensor(sources.item[i], "tn_gradient: a source"))
            return TN_INVALID_ARGUMENT;
    return TN_OK;
}

static tn_status check_use(struct tn_tape *tape, tn_tensor *target, tn_list sources)
{
    if (!tn__check(tape, &tn__type_tape, "tn_gradient: tape") || !tn__check_tensor(target, "tn_gradient: target"))
        return TN_INVALID_ARGUMENT;
    if (tape->used && !tape->persistent)
        return tn__fail(TN_FAILED_PRECONDITION,
                        "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians)\n"
                        "tn_gradient_tape(.persistent = true) may be asked more than once");
    if (sources.count && !sources.item)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_gradient: the list of sources is NULL");
    return check_sources(sources);
}

/* As in TensorFlow, what the tape does not watch has no gradient, but for a target itself. */
static void drop_unwatched(const struct tn_tape *tape, tn_tensor *const *targets, size_t count, tn_list sources, tn_tensor **gradients)
{
    for (size_t i = 0; i < sources.count; i++) {
        bool kept = watches(tape, sources.item[i]);
        for (size_t k = 0; k < count && !kept; k++)
            kept = targets[k]->id == sources.item[i]->id;
        if (!kept)
            tn__assign_object(&gradients[i], NULL);
    }
}

/* A tape that goes on recording while the rules run moves its list as it grows: a copy of it is walked. */
tn_status tn__tape_gradients(tn_context *context, const struct tn_tape *tape, tn_tensor *const *targets, tn_tensor *const *seeds, size_t count,
                             tn_list sources, tn_tensor **gradients)
{
    size_t records = tape->record.count;
    tn__record *copy = tape->recording ? tn__memdup(tape->record.item, records * sizeof *copy) : NULL;
    if (tape->recording && !copy)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = tn__gradients_of(context, copy ? copy : tape->record.item, records, targets, seeds, count, sources.item, sources.count,
                                        gradients);
    tn__free(copy);
    if (status == TN_OK)
        drop_unwatched(tape, targets, count, sources, gradients);
    return status;
}

tn_status tn__check_seed(const tn_tensor *seed, const tn_tensor *target, const char *what)
{
    if (!tn__check_tensor(seed, what))
        return TN_INVALID_ARGUMENT;
    if (seed->dtype == target->dtype && tn__shape_fits(&seed->shape, &target->shape))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "%s must be like its target, %s, got %s", what, TN__TENSOR(target), TN__TENSOR(seed));
}

tn_status tn__connect(const char *unconnected, tn_list sources, tn_tensor **gradients, const char *what)
{
    if (!unconnected || strcmp(unconnected, "none") == 0)
        return TN_OK;
    if (strcmp(unconnected, "zero") != 0)
        return tn__fail(TN_INVALID_ARGUMENT, "Unknown value for unconnected_gradients: '%s'\n%s: there are 'none' and 'zero'", unconnected, what);
    for (size_t i = 0; i < sources.count; i++)
        if (!gradients[i] && !(gradients[i] = tn__retain(tn_zeros_like(sources.item[i]))))
            return tn__errors()->status;
    return TN_OK;
}

static tn_status check_seeds(tn_list seeds, tn_tensor *const *targets, size_t count)
{
    if (seeds.count && seeds.count != count)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_tape_gradient: %zu output_gradients for %zu targets", seeds.count, count);
    if (seeds.count && !seeds.item)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_tape_gradient: the list of output_gradients is NULL");
    for (size_t i = 0; i < seeds.count; i++)
        if (seeds.item[i])
            TN_TRY(tn__check_seed(seeds.item[i], targets[i], "tn_tape_gradient: output_gradients"));
    return TN_OK;
}

static tn_status gradients_asked(tn_context *context, const tn_tape_gradient_options *o, tn_tensor **gradients)
{
    size_t count = tn__flat_count(o->target);
    tn_tensor **targets = tn__scope_alloc((count + 1) * sizeof *targets);
    if (!targets || !gradients)
        return TN_RESOURCE_EXHAUSTED;
    tn__flatten(o->target, targets);
    TN_TRY(check_seeds(o->output_gradients, targets, count));
    tn_tensor *const *seeds = o->output_gradients.count ? o->output_gradients.item : NULL;
    TN_TRY(tn__tape_gradients(context, o->tape, targets, seeds, count, o->sources, gradients));
    return tn__connect(o->unconnected_gradients, o->sources, gradients, "tn_tape_gradient");
}

tn_list tn_tape_gradient_with(const tn_tape_gradient_options *options)
{
    tn_list none = { 0, NULL };
    TN__ENTER_OPTIONS(context, options, none);
    struct tn_tape *tape = options->tape;
    if (check_use(tape, options->target, options->sources) != TN_OK)
        return none;
    if (tape->recording && !tape->persistent)
        close_tape(tape);
    tape->used = true;
    size_t count = options->sources.count;
    tn_tensor **gradients = tn__scope_alloc((count + 1) * sizeof *gradients);
    for (size_t i = 0; gradients && i < count; i++)
        gradients[i] = NULL;
    tn_status status = gradients_asked(context, options, gradients);
    if (status == TN_OK && !tape->persistent)
        forget(tape);
    for (size_t i = 0; gradients && i < count; i++)
        if (gradients[i])
            tn__own(gradients[i]);
    return tn__failed(context) ? none : (tn_list){ count, gradients };
}

tn_list tn_gradient(tn_tape *tape, tn_tensor *target, tn_list sources)
{
    return tn_tape_gradient_with(&(tn_tape_gradient_options){ .size_ = sizeof(tn_tape_gradient_options), .tape = tape, .target = target,
                                                              .sources = sources });
}

tn_tensor *tn_gradient_of(tn_tape *tape, tn_tensor *target, tn_tensor *source)
{
    tn_list gradients = tn_gradient(tape, target, (tn_list){ 1, &source });
    return gradients.item ? gradients.item[0] : NULL;
}

/* --- jacobians ---------------------------------------------------------------------------------------------------------- */
/* Zeros like target but for a 1 in element i; retained. */
static tn_tensor *one_element(const tn_tensor *target, int64_t i)
{
    tn_tensor *seed = tn__tensor_fill((tn_dtype)target->dtype, &target->shape, 0);
    size_t size = tn__dtype_size((tn_dtype)target->dtype);
    if (seed)
        tn__element_from_int((tn_dtype)target->dtype, 1, (char *)seed->data + (size_t)i * size);
    return seed;
}

/* The gradient of each element by itself, owned by the innermost scope; NULL where there is none. */
static tn_status walk_elements(tn_context *context, const struct tn_tape *tape, tn_tensor *target, tn_tensor *source, tn_tensor **rows)
{
    size_t records = tape->record.count;
    tn__record *copy = tn__memdup(tape->record.item, records * sizeof *copy);
    tn_status status = copy ? TN_OK : TN_RESOURCE_EXHAUSTED;
    for (int64_t i = 0; i < tn__count(target) && status == TN_OK; i++) {
        tn_tensor *seed = one_element(target, i);
        status = seed ? tn__gradients_of(context, copy, records, &target, &seed, 1, &source, 1, &rows[i]) : TN_RESOURCE_EXHAUSTED;
        tn__release(seed);
        if (status == TN_OK && rows[i] && !tn__own(rows[i]))
            status = TN_RESOURCE_EXHAUSTED;
    }
    tn__free(copy);
    return status;
}

/* rows one behind the other, in the shape target.shape + source.shape */
static tn_tensor *join_rows(tn_tensor *target, tn_tensor *source, tn_tensor **rows)
{
    size_t count = (size_t)tn__count(target);
    if (count && !rows[0])
        return NULL;
    tn_tensor *shape = tn__shape_tensor(source), *whole = tn_concat(TN_LIST(tn__shape_tensor(target), shape), 0);
    if (count == 0)
        return TN__APPLY(tn__op_Fill, NULL, whole, tn__like(source, 0));
    return TN__APPLY(tn__op_Reshape, NULL, tn_stack((tn_list){ count, rows }, 0), whole);
}

tn_tensor *tn_jacobian(tn_tape *tape, tn_tensor *target, tn_tensor *source)
{
    TN__ENTER(context, NULL);
    if (check_use(tape, target, (tn_list){ 1, &source }) != TN_OK)
        return NULL;
    if (target->form == TN__TUPLE || !tn__shape_full(&target->shape)) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_jacobian: target must be one tensor of a known shape, got %s", TN__TENSOR(target));
        return NULL;
    }
    if (tape->recording && !tape->persistent)
        close_tape(tape);
    tape->used = true;
    if (!watches(tape, source) && source->id != target->id)
        return NULL;
    tn_tensor **rows = tn__scope_alloc(((size_t)tn__count(target) + 1) * sizeof *rows);
    if (!rows || walk_elements(context, tape, target, source, rows) != TN_OK)
        return NULL;
    if (!tape->persistent)
        forget(tape);
    return join_rows(target, source, rows);
}
