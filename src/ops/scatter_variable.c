/* scatter_variable.c - slices put, added … to places of a variable, in one step for all threads:
 * ResourceScatterX, whose indices name rows, and ResourceScatterNdX, whose indices name places. */
#include "ops/gather.h"
#include "ops/scatter.h"
#include <string.h>

typedef struct {
    const tn__op *combine; /* what becomes of an element and its update; NULL: the update */
    bool places;           /* indices (…, depth), else numbers of rows */
} scatter_family;

static const scatter_family *family_of(const tn__op *op)
{
    return op->family;
}

/* --- rows ------------------------------------------------------------------------------------- */
/* updates are (indices…, row…), or one number for all. */
static tn_status check_rows(const tn_shape *params, const tn_tensor *indices,
                            const tn_tensor *updates)
{
    const tn_shape *in = &indices->shape;
    tn_shape wanted = *in;
    bool fits = params->rank > 0 && in->rank + params->rank - 1 <= TN_MAX_RANK;
    for (int i = 1; i < params->rank && fits; i++)
        wanted.dims[wanted.rank++] = params->dims[i];
    if (updates->shape.rank == 0 || (fits && tn__shape_equal(&wanted, &updates->shape)))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Must have updates.shape = indices.shape + params.shape[1:] or updates.shape = "
                    "[], got updates.shape %s, indices.shape %s, params.shape %s",
                    TN__BRACKETS(updates->shape), TN__BRACKETS(*in), TN__BRACKETS(*params));
}

static tn_status check_row_numbers(const tn_shape *params, const tn_tensor *indices)
{
    char place[TN__SHAPE_TEXT];
    int64_t rows = params->rank ? params->dims[0] : 0;
    for (int64_t i = 0; i < tn__count(indices); i++) {
        int64_t row = tn__int_at(indices, i);
        if (row < 0 || row >= rows)
            return tn__fail(TN_INVALID_ARGUMENT, "indices%s = %lld is not in [0, %lld)",
                            tn__place_text(&indices->shape, i, place), (long long)row,
                            (long long)rows);
    }
    return TN_OK;
}

static tn_status check_places(const tn__places *p)
{
    int64_t offset;
    for (int64_t i = 0; i < p->count; i++)
        TN_TRY(tn__read_place(p, i, &offset));
    return TN_OK;
}

static tn_status check_divisors(const tn__op *combine, const tn_tensor *updates)
{
    if (combine != &tn__op_Div || !tn__in(TN__INTS, (tn_dtype)updates->dtype))
        return TN_OK;
    for (int64_t i = 0; i < tn__count(updates); i++)
        if (tn__int_at(updates, i) == 0)
            return tn__fail(TN_INVALID_ARGUMENT, "updates must not contain 0");
    return TN_OK;
}

/* --- the change ------------------------------------------------------------------------------- */
static tn_status scatter_rows(const scatter_family *family, const tn_tensor *indices,
                              const tn_tensor *updates, tn_tensor *value)
{
    int64_t slice = tn__count_of(&value->shape, 1, value->shape.rank);
    int64_t step = updates->shape.rank ? slice : 0;
    TN_TRY(check_row_numbers(&value->shape, indices));
    for (int64_t i = 0; i < tn__count(indices); i++)
        tn__combine_slice(family->combine, value, tn__int_at(indices, i) * slice, updates, i * step,
                          slice);
    return TN_OK;
}

static tn_status scatter_places(const scatter_family *family, const tn_tensor *indices,
                                const tn_tensor *updates, tn_tensor *value)
{
    tn__places p = tn__places_of(indices, &value->shape, "shape");
    TN_TRY(check_places(&p));
    for (int64_t i = 0; i < p.count; i++) {
        int64_t offset;
        TN_TRY(tn__read_place(&p, i, &offset));
        tn__combine_slice(family->combine, value, offset, updates, i * p.slice, p.slice);
    }
    return TN_OK;
}

/* Everything that can be wrong with the arguments is looked for before the first write. */
static tn_status change(void *self, tn_tensor *old, tn_tensor *value)
{
    const tn__kernel *kernel = self;
    const scatter_family *family = family_of(kernel->op);
    const tn_tensor *indices = kernel->input[1], *updates = kernel->input[2];
    TN_TRY(check_divisors(family->combine, updates));
    TN_TRY(family->places ? tn__check_scatter_new(indices, updates, &old->shape)
                          : check_rows(&old->shape, indices, updates));
    if (value != old && tn__byte_count(old))
        memcpy(value->data, old->data, tn__byte_count(old));
    return (family->places ? scatter_places : scatter_rows)(family, indices, updates, value);
}

static tn_status scatter_compute(tn__kernel *kernel)
{
    return tn__variable_change(kernel->input[0], change, kernel);
}

static tn_status scatter_infer(tn__infer *infer)
{
    const tn_tensor *variable = tn__variable_behind(infer->input[0]), *updates = infer->input[2];
    if (!variable || variable->dtype == updates->dtype)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Trying to scatter into variable with wrong dtype. Expected %s got %s\n"
                    "variable '%s'",
                    tn__dtype_op_name((tn_dtype)variable->dtype),
                    tn__dtype_op_name((tn_dtype)updates->dtype), tn__variable_full_name(variable));
}

#define SCATTER(name_, resource, types_, combine_, places_)                 \
    static const scatter_family name_##_family = { combine_, places_ };     \
    const tn__op tn__op_##name_ = {                                         \
        .name = #name_,                                                     \
        .inputs = resource ": resource, indices: Tindices, updates: dtype", \
        .outputs = "",                                                      \
        .types = "dtype: " types_ "; Tindices: int32, int64",               \
        .infer = scatter_infer,                                             \
        .compute = scatter_compute,                                         \
        .no_gradient = "none: it has no outputs",                           \
        .flags = TN__STATEFUL | TN__HALF,                                   \
        .family = &name_##_family,                                          \
    };
SCATTER(ResourceScatterUpdate, "resource", "any", NULL, false)
SCATTER(ResourceScatterAdd, "resource", "number", &tn__op_AddV2, false)
SCATTER(ResourceScatterSub, "resource", "number", &tn__op_Sub, false)
SCATTER(ResourceScatterMul, "resource", "number", &tn__op_Mul, false)
SCATTER(ResourceScatterDiv, "resource", "number", &tn__op_Div, false)
SCATTER(ResourceScatterMax, "resource", "number", &tn__op_Maximum, false)
SCATTER(ResourceScatterMin, "resource", "number", &tn__op_Minimum, false)
SCATTER(ResourceScatterNdUpdate, "ref", "any", NULL, true)
SCATTER(ResourceScatterNdAdd, "ref", "number", &tn__op_AddV2, true)
SCATTER(ResourceScatterNdSub, "ref", "number", &tn__op_Sub, true)
SCATTER(ResourceScatterNdMax, "ref", "number", &tn__op_Maximum, true)
SCATTER(ResourceScatterNdMin, "ref", "number", &tn__op_Minimum, true)

/* --- tf.Variable.scatter_x -------------------------------------------------------------------- */
static tn_tensor *scatter(const tn__op *op, tn_variable *variable, tn_tensor *indices,
                          tn_tensor *updates, const char *what)
{
    TN__ENTER(context, NULL);
    if (!tn__check_tensor(variable, what))
        return NULL;
    if (variable->form != TN__VARIABLE && variable->dtype != TN__RESOURCE) {
        tn__fail(TN_INVALID_ARGUMENT, "%s: %s is not a variable and cannot be assigned to", what,
                 TN__TENSOR(variable));
        return NULL;
    }
    if (tn__dispatch(context, op, NULL, (tn_tensor *[]){ variable, indices, updates }, 3, NULL,
                     0) != TN_OK)
        return NULL;
    return tn__read_after(context, variable);
}

#define WRAPPER(function, op)                                                          \
    tn_tensor *function(tn_variable *variable, tn_tensor *indices, tn_tensor *updates) \
    {                                                                                  \
        return scatter(&tn__op_##op, variable, indices, updates, #function);           \
    }
WRAPPER(tn_scatter_update, ResourceScatterUpdate)
WRAPPER(tn_scatter_add, ResourceScatterAdd)
WRAPPER(tn_scatter_sub, ResourceScatterSub)
WRAPPER(tn_scatter_mul, ResourceScatterMul)
WRAPPER(tn_scatter_div, ResourceScatterDiv)
WRAPPER(tn_scatter_max, ResourceScatterMax)
WRAPPER(tn_scatter_min, ResourceScatterMin)
WRAPPER(tn_scatter_nd_update, ResourceScatterNdUpdate)
WRAPPER(tn_scatter_nd_add, ResourceScatterNdAdd)
WRAPPER(tn_scatter_nd_sub, ResourceScatterNdSub)
WRAPPER(tn_scatter_nd_max, ResourceScatterNdMax)
WRAPPER(tn_scatter_nd_min, ResourceScatterNdMin)
