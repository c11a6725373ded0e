/* map.c - tn_map_fn and tn_scan: loops over the elements of tensors along their first axis. */
#include "function/control.h"
#include "ops/ops.h"
#include <string.h>

/* A walk along the first axis. The loop's variables are where it stands and what scan carries from
 * element to element. */
typedef struct {
    const char *name; /* of the function, for messages */
    tn_body fn;
    void *self;
    tn_list elems;  /* all of one length */
    int64_t length; /* TN_NONE: known in the run only */
    tn_tensor *end; /* the length, int32 () */
    size_t carried;
    bool reverse;
    tn_tensor *structure; /* what fn gave last, retained */
} walk;

/* --- what goes in ----------------------------------------------------------------------------- */
static bool check_element(const walk *w, size_t i)
{
    const tn_tensor *x = w->elems.item[i];
    if (x->form == TN__TUPLE)
        tn__fail(TN_INVALID_ARGUMENT, "%s: elems %zu is a tuple: give its tensors one by one",
                 w->name, i);
    else if (tn__is_functional(x))
        tn__fail(TN_INVALID_ARGUMENT,
                 "%s: elems %zu is a tensor of a functional model, whose value is not there yet\n"
                 "put the call into a layer class's call, and the layer into the model",
                 w->name, i);
    else if (x->shape.known && x->shape.rank == 0)
        tn__fail(
            TN_INVALID_ARGUMENT,
            "Elements in elems must be 1+ dimensional Tensors, not scalars\n%s: elems %zu is %s",
            w->name, i, TN__TENSOR(x));
    return tn__errors()->status == TN_OK;
}

/* The length that all have, as far as it is known. */
static bool find_length(walk *w)
{
    w->length = TN_NONE;
    for (size_t i = 0; i < w->elems.count; i++) {
        if (!check_element(w, i))
            return false;
        int64_t length = w->elems.item[i]->shape.known ? w->elems.item[i]->shape.dims[0] : TN_NONE;
        if (length < 0)
            continue;
        if (w->length >= 0 && length != w->length) {
            tn__fail(TN_INVALID_ARGUMENT,
                     "Dimensions %lld and %lld are not compatible\n%s: elems are walked along "
                     "together; elems %zu is %s",
                     (long long)w->length, (long long)length, w->name, i,
                     TN__TENSOR(w->elems.item[i]));
            return false;
        }
        w->length = length;
    }
    return true;
}

static bool begin(walk *w, tn_list elems)
{
    if (!w->fn)
        return tn__fail(TN_INVALID_ARGUMENT, "%s: fn is NULL", w->name), false;
    if (elems.count == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "elems must be a Tensor or (possibly nested) sequence "
                                             "of Tensors. Got [], which does not contain "
                                             "any Tensors."),
               false;
    return tn__read_values(elems, w->name, &w->elems) && find_length(w) &&
           (w->end = tn__rows(w->elems.item[0], TN_INT32));
}

/* --- a round ---------------------------------------------------------------------------------- */
static tn_tensor *is_inside(void *self, tn_list variables)
{
    const walk *w = self;
    tn_tensor *at = tn_at(variables, 0);
    return w->reverse ? tn_greater_equal(at, tn__int(0)) : tn_less(at, w->end);
}

static tn_tensor *next_place(const walk *w, tn_tensor *at)
{
    return w->reverse ? tn_subtract(at, tn__int(1)) : tn_add(at, tn__int(1));
}

/* fn of what is carried and of one element; its leaves stand behind `first`. */
static tn_tensor **apply_fn(walk *w, tn_list variables, size_t first, size_t *count)
{
    size_t inputs = w->carried + w->elems.count;
    tn_tensor **input = tn__scope_alloc((inputs + 1) * sizeof *input), *y, **leaves;
    if (!input)
        return NULL;
    memcpy(input, variables.item + 1, w->carried * sizeof *input);
    for (size_t i = 0; i < w->elems.count; i++)
        if (!(input[w->carried + i] = tn_gather(w->elems.item[i], tn_at(variables, 0), 0)))
            return NULL;
    if (tn__run_body(tn__context(), w->fn, w->self, (tn_list){ inputs, input }, -1, w->name, &y) !=
            TN_OK ||
        !(y = tn__own(y)))
        return NULL;
    tn__assign_object(&w->structure, y);
    *count = tn__flat_count(y);
    leaves = tn__scope_alloc((first + *count + 1) * sizeof *leaves);
    if (leaves)
        tn__flatten(y, leaves + first);
    return leaves;
}

static tn_tensor *map_round(void *self, tn_list variables)
{
    size_t count;
    tn_tensor **next = apply_fn(self, variables, 1, &count);
    if (!next || !(next[0] = next_place(self, tn_at(variables, 0))))
        return NULL;
    return tn_tuple_of((tn_list){ 1 + count, next });
}

static tn_status check_carried(const walk *w, tn_list variables, tn_tensor *const *next,
                               size_t count)
{
    if (count != w->carried)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "The two structures don't have the same nested structure.\n%s: fn gives "
                        "%zu tensor(s), it is given "
                        "%zu to carry on",
                        w->name, count, w->carried);
    for (size_t i = 0; i < count; i++)
        if (next[i]->dtype != variables.item[1 + i]->dtype)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "TensorArray dtype is %s but Op is trying to write dtype %s\n%s: what "
                            "fn gives has the dtype of "
                            "what it carries on; tn_cast(x, dtype) converts",
                            tn__dtype_name((tn_dtype)variables.item[1 + i]->dtype),
                            tn__dtype_name((tn_dtype)next[i]->dtype), w->name);
    return TN_OK;
}

/* What fn gives is carried on, and collected. */
static tn_tensor *scan_round(void *self, tn_list variables)
{
    walk *w = self;
    size_t count;
    tn_tensor **leaves = apply_fn(w, variables, 0, &count),
              **next = tn__scope_alloc((2 * w->carried + 1) * sizeof *next);
    if (!leaves || !next || check_carried(w, variables, leaves, count) != TN_OK ||
        !(next[0] = next_place(w, tn_at(variables, 0))))
        return NULL;
    memcpy(next + 1, leaves, count * sizeof *next);
    memcpy(next + 1 + count, leaves, count * sizeof *next);
    return tn_tuple_of((tn_list){ 1 + 2 * count, next });
}

/* --- what comes out --------------------------------------------------------------------------- */
/* A trace knows the length again. */
static tn_tensor *with_length(const walk *w, tn_tensor *x)
{
    if (w->length < 0 || !x->shape.known || x->shape.dims[0] == w->length)
        return x;
    tn_shape shape = x->shape;
    shape.dims[0] = w->length;
    return tn_ensure_shape(x, shape);
}

/* In the structure that fn gave. */
static tn_tensor *mapped(const walk *w, tn_list stacks)
{
    tn_tensor **item = tn__scope_alloc((stacks.count + 1) * sizeof *item), *const *at = item;
    for (size_t i = 0; item && i < stacks.count; i++)
        if (!(item[i] = with_length(w, stacks.item[i])))
            return NULL;
    return item ? tn__own(tn__rebuild(w->structure, &at)) : NULL;
}

tn_tensor *tn_map_fn(tn_body fn, void *self, tn_list elems)
{
    TN__ENTER(context, NULL);
    walk w = { .name = "tn_map_fn", .fn = fn, .self = self };
    if (!begin(&w, elems))
        return NULL;
    tn_tensor *zero = tn__int(0), *y = NULL;
    tn_tensor *all = zero ? tn__while_collecting(context, is_inside, map_round, &w,
                                                 (tn_list){ 1, &zero }, w.length != 0)
                          : NULL;
    tn_list items = all ? tn_items(all) : (tn_list){ 0, NULL };
    if (items.item)
        y = mapped(&w, (tn_list){ items.count - 1, items.item + 1 });
    tn__release(w.structure);
    return y;
}

/* Where the walk begins: behind the elements that are taken as what is carried on. */
static tn_tensor *first_place(const walk *w, int64_t taken)
{
    return w->reverse ? tn_subtract(w->end, tn__int(1 + taken)) : tn__int(taken);
}

/* The loop's variables: the place, then the initializer, or the first elements where there is none.
 */
static tn_tensor **variables_of(walk *w, tn_list initializer)
{
    bool given = initializer.count > 0;
    w->carried = given ? initializer.count : w->elems.count;
    tn_tensor **variable = tn__scope_alloc((w->carried + 2) * sizeof *variable),
              *first = given ? NULL : first_place(w, 0);
    if (!variable || (!given && !first))
        return NULL;
    variable[0] = first_place(w, given ? 0 : 1);
    for (size_t i = 0; i < w->carried; i++)
        if (!(variable[1 + i] =
                  given ? initializer.item[i] : tn_gather(w->elems.item[i], first, 0)))
            return NULL;
    return variable[0] ? variable : NULL;
}

/* The results in the order of the elements. */
static tn_tensor *in_order(const walk *w, tn_tensor *first, tn_tensor *stack)
{
    if (first && (first = tn_expand_dims(first, 0)))
        stack = tn_concat(TN_LIST(first, stack), 0);
    if (stack && w->reverse)
        stack = tn_reverse(stack, TN_AXES(0));
    return stack ? with_length(w, stack) : NULL;
}

static tn_tensor *scanned(tn_context *context, walk *w, tn_list initializer)
{
    bool given = initializer.count > 0;
    tn_tensor **variable = variables_of(w, initializer);
    tn_tensor *all = variable ? tn__while_collecting(context, is_inside, scan_round, w,
                                                     (tn_list){ 1 + w->carried, variable },
                                                     w->length != (given ? 0 : 1))
                              : NULL;
    tn_list items = all ? tn_items(all) : (tn_list){ 0, NULL };
    tn_tensor **result = items.item ? tn__scope_alloc((w->carried + 1) * sizeof *result) : NULL;
    for (size_t i = 0; result && i < w->carried; i++)
        if (!(result[i] =
                  in_order(w, given ? NULL : variable[1 + i], items.item[1 + w->carried + i])))
            return NULL;
    return result ? tn__packed((tn_list){ w->carried, result }) : NULL;
}

tn_tensor *tn_scan_with(const tn_scan_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    walk w = { .name = "tn_scan", .fn = o->fn, .self = o->self, .reverse = o->reverse };
    tn_list initializer;
    if (!begin(&w, o->elems) ||
        !tn__read_values(o->initializer, "tn_scan: initializer", &initializer))
        return NULL;
    if (initializer.count == 0 && w.length == 0) {
        tn__fail(TN_OUT_OF_RANGE, "Tried to read from index 0 but array size is: 0\n"
                                  "tn_scan: without an initializer the first element is what is "
                                  "carried on, and elems have none");
        return NULL;
    }
    tn_tensor *y = scanned(context, &w, initializer);
    tn__release(w.structure);
    return y;
}
