/* loading.c */
#include "saving/loading.h"
#include "base/log.h"
#include "nn/naming.h"
#include <string.h>

/* --- what fits -------------------------------------------------------------------------------- */
static void tell(const tn__loading *loading, const tn_weight_report *row)
{
    if (loading->report)
        loading->report(loading->report_self, row);
}

static void add_problem(tn__loading *loading, const char *format, ...) TN_PRINTF(2, 3);
static void add_problem(tn__loading *loading, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tn__text_add(&loading->problems, "\n");
    tn__text_add_v(&loading->problems, format, arguments);
    va_end(arguments);
    loading->problem_count++;
}

static tn_status problems_status(const tn__loading *loading)
{
    return loading->problems.failed ? TN_RESOURCE_EXHAUSTED : TN_OK;
}

/* The file's shape as the variable will see it. */
static tn_shape turned_shape(const tn_shape *shape, tn__kernel_form form)
{
    tn_shape turned = *shape;
    if (!(form & TN__FROM_CHANNELS_FIRST) || shape->rank != 4)
        return turned;
    turned.dims[0] = shape->dims[2];
    turned.dims[1] = shape->dims[3];
    turned.dims[2] = shape->dims[1];
    turned.dims[3] = shape->dims[0];
    return turned;
}

/* Variables with unknown dimensions take every size there. */
static bool is_shape_for(const tn_tensor *variable, const tn_shape *shape)
{
    return tn__shape_fits(&variable->shape, shape);
}

/* The file's shape in the way it would be read; what is told of the two. */
static tn_status tell_pair(tn__loading *loading, tn_tensor *variable, tn__place place,
                           const tn_shape *shape, const char *problem)
{
    size_t depth = tn__scope_begin("report");
    const tn_weight_report row = { .name = tn__variable_full_name(variable),
                                   .source = tn__place_name(place),
                                   .expected = variable->shape,
                                   .received = *shape,
                                   .problem = problem };
    const char *here = variable->of.variable->here;
    if (problem)
        add_problem(loading, "weight '%s', made at %s: expected %s, '%s' in the file has %s",
                    row.name, here ? here : "an unknown line", TN__SHAPE(row.expected), row.source,
                    TN__SHAPE(row.received));
    tell(loading, &row);
    tn__scope_end(depth);
    return problems_status(loading);
}

tn_status tn__loading_match(tn__loading *loading, tn_tensor *variable, tn__place place,
                            tn__kernel_form form, bool *fits)
{
    tn_shape shape;
    TN_TRY(tn__place_shape(place, &shape));
    shape = turned_shape(&shape, form);
    *fits = is_shape_for(variable, &shape);
    TN_TRY(tell_pair(loading, variable, place, &shape, *fits ? NULL : "the shapes differ"));
    if (!*fits)
        return TN_OK;
    return TN__PUSH(&loading->match,
                    ((tn__match){ .variable = variable, .place = place, .form = form }));
}

tn_status tn__loading_refuse(tn__loading *loading, tn_tensor *variable, tn__place place)
{
    tn_shape shape;
    TN_TRY(tn__place_shape(place, &shape));
    return tell_pair(loading, variable, place, &shape, "its layer has another number of weights");
}

tn_status tn__loading_missing(tn__loading *loading, tn_tensor *variable, const char *source)
{
    size_t depth = tn__scope_begin("report");
    const tn_weight_report row = { .name = tn__variable_full_name(variable),
                                   .expected = variable->shape,
                                   .problem = "it is not in the file" };
    add_problem(loading, "weight '%s' %s is not in the file, looked for at '%s'", row.name,
                TN__SHAPE(row.expected), source);
    tell(loading, &row);
    tn__scope_end(depth);
    return problems_status(loading);
}

tn_status tn__loading_unexpected(tn__loading *loading, tn__place place)
{
    tn_weight_report row = { .source = tn__place_name(place),
                             .problem = "the model has no such weight" };
    TN_TRY(tn__place_shape(place, &row.received));
    add_problem(loading, "'%s' %s in the file belongs to no weight of the model", row.source,
                TN__SHAPE(row.received));
    tell(loading, &row);
    return problems_status(loading);
}

tn_status tn__loading_fail(tn__loading *loading, char *first)
{
    if (!first)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = problems_status(loading);
    const char *mend = loading->mend
                           ? loading->mend
                           : ".skip_mismatch = true loads the others and leaves these as they are";
    if (status == TN_OK && loading->skip_mismatch)
        tn__warn("%s%s", first, tn__text_get(&loading->problems));
    else if (status == TN_OK)
        status = tn__fail(TN_INVALID_ARGUMENT, "%s%s%s%s", first, tn__text_get(&loading->problems),
                          loading->fresh ? "" : "\n", loading->fresh ? "" : mend);
    tn__free(first);
    return status;
}

/* --- values ----------------------------------------------------------------------------------- */
/* (out, in, rows, columns) to (rows, columns, in, out). */
static tn_status turn_kernel(tn_tensor **value)
{
    const tn_tensor *old = *value;
    const int64_t *n = old->shape.dims;
    tn_shape shape = turned_shape(&old->shape, TN__FROM_CHANNELS_FIRST);
    tn_tensor *new;
    TN_TRY(tn__tensor_new((tn_dtype)old->dtype, &shape, &new));
    size_t size = tn__dtype_size((tn_dtype)old->dtype);
    char *to = new->data;
    for (int64_t at = 0; at < n[2] * n[3]; at++)
        for (int64_t in = 0; in < n[1]; in++)
            for (int64_t out = 0; out < n[0]; out++, to += size)
                memcpy(to,
                       (const char *)old->data +
                           (size_t)((out * n[1] + in) * n[2] * n[3] + at) * size,
                       size);
    tn__assign_object(value, new);
    tn__release(new);
    return TN_OK;
}

/* Theano's convolution runs over the kernel from its end. */
static tn_status flip_kernel(tn_tensor **value)
{
    const tn_tensor *old = *value;
    tn_tensor *new;
    TN_TRY(tn__tensor_new((tn_dtype)old->dtype, &old->shape, &new));
    int64_t places = old->shape.dims[0] * old->shape.dims[1];
    size_t size = places ? tn__byte_count(old) / (size_t)places : 0;
    for (int64_t at = 0; at < places; at++)
        memcpy((char *)new->data + (size_t)at *size,
               (const char *)old->data + (size_t)(places - 1 - at) * size, size);
    tn__assign_object(value, new);
    tn__release(new);
    return TN_OK;
}

static tn_status read_match(const tn__source *source, tn__match *match)
{
    tn_dtype dtype = (tn_dtype)match->variable->dtype;
    TN_TRY(tn__place_tensor(source, match->place, dtype, &match->value));
    if (match->value->shape.rank != 4)
        return TN_OK;
    if (match->form & TN__FROM_CHANNELS_FIRST)
        TN_TRY(turn_kernel(&match->value));
    return match->form & TN__FLIPPED ? flip_kernel(&match->value) : TN_OK;
}

static tn_status assign_match(tn__match *match)
{
    TN_TRY(tn__variable_assign(match->variable, match->value));
    tn__release(match->value);
    match->value = NULL;
    return TN_OK;
}

/* A layer's weights follow each other, so most are told once. */
static tn_status finalize_owners(const tn__loading *loading)
{
    tn_layer *last = NULL;
    for (size_t i = 0; i < loading->match.count; i++) {
        tn_layer *owner = loading->match.item[i].variable->of.variable->owner;
        if (!owner || owner == last)
            continue;
        last = owner;
        if (owner->of->more && owner->of->more->finalize)
            TN_TRY(owner->of->more->finalize(owner));
    }
    return TN_OK;
}

/* Into a fresh model one by one: its first values go before the others come, so that there is never
 * room needed for both. */
tn_status tn__loading_finish(tn__loading *loading)
{
    for (size_t i = 0; i < loading->match.count; i++) {
        if (loading->fresh)
            tn__variable_clear(loading->match.item[i].variable);
        TN_TRY(read_match(loading->source, &loading->match.item[i]));
        if (loading->fresh)
            TN_TRY(assign_match(&loading->match.item[i]));
    }
    for (size_t i = 0; i < loading->match.count && !loading->fresh; i++)
        TN_TRY(assign_match(&loading->match.item[i]));
    return finalize_owners(loading);
}

void tn__loading_free(tn__loading *loading)
{
    for (size_t i = 0; i < loading->match.count; i++)
        tn__release(loading->match.item[i].value);
    tn__free(loading->match.item);
    tn__text_free(&loading->problems);
}

/* --- a reporter ------------------------------------------------------------------------------- */
void tn_print_weight_report(void *self, const tn_weight_report *weight)
{
    (void)self;
    char shape[TN__SHAPE_TEXT];
    const tn_shape *known = weight->expected.known ? &weight->expected : &weight->received;
    char *line = tn__print("%-40s %-16s %s%s%s\n", weight->name ? weight->name : "-",
                           tn__shape_print(known, shape), weight->source ? weight->source : "-",
                           weight->problem ? ": " : "", weight->problem ? weight->problem : "");
    if (line)
        tn__output(line, strlen(line));
    tn__free(line);
}
