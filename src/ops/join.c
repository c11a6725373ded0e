/* join.c - several tensors to one and back: ConcatV2, Pack, Unpack, Split, SplitV. */
#include "ops/slice.h"
#include <string.h>

typedef struct {
    int64_t axis;
} axis_attrs;
static const tn_field axis_fields[] = {
    TN__ROW(TN_FIELD_INT, axis_attrs, axis, "0", NULL),
    TN__END_OF_FIELDS,
};

/* Both directions: the whole is `rows` rows of `width` bytes, of which the part has `part` bytes
 * from `offset` on. */
static void part_to_whole(char *whole, int64_t width, int64_t offset, const char *part,
                          int64_t bytes, int64_t rows)
{
    for (int64_t row = 0; row < rows && bytes; row++)
        memcpy(whole + row * width + offset, part + row * bytes, (size_t)bytes);
}

static void whole_to_part(const char *whole, int64_t width, int64_t offset, char *part,
                          int64_t bytes, int64_t rows)
{
    for (int64_t row = 0; row < rows && bytes; row++)
        memcpy(part + row * bytes, whole + row * width + offset, (size_t)bytes);
}

/* Bytes of the dimensions from axis on. */
static int64_t row_bytes(const tn_tensor *x, int axis)
{
    return tn__count_of(&x->shape, axis, x->shape.rank) *
           (int64_t)tn__dtype_size((tn_dtype)x->dtype);
}

/* --- ConcatV2 --------------------------------------------------------------------------------- */
/* The rank that all have; -1: none is known. */
static tn_status common_rank(const tn__infer *infer, int *rank, size_t *first)
{
    *rank = -1;
    for (size_t i = 0; i + 1 < infer->input_count; i++) {
        const tn_shape *shape = &infer->input[i]->shape;
        if (!shape->known)
            continue;
        if (*rank < 0) {
            *rank = shape->rank;
            *first = i;
        } else if (shape->rank != *rank) {
            return tn__fail(TN_INVALID_ARGUMENT,
                            "ConcatOp : Ranks of all input tensors should match: shape[%zu] = %s "
                            "vs. shape[%zu] = %s",
                            *first, TN__BRACKETS(infer->input[*first]->shape), i,
                            TN__BRACKETS(*shape));
        }
    }
    return TN_OK;
}

/* Adds one input to what is known of the output; dimensions but the axis's must agree. */
static tn_status join_shape(tn_shape *out, int axis, const tn__infer *infer, size_t first, size_t i)
{
    const tn_shape *shape = &infer->input[i]->shape;
    if (!shape->known) {
        out->dims[axis] = TN_NONE;
        return TN_OK;
    }
    for (int k = 0; k < out->rank; k++) {
        int64_t dim = shape->dims[k];
        if (k == axis)
            out->dims[k] = dim < 0 || out->dims[k] < 0 ? TN_NONE : out->dims[k] + dim;
        else if (out->dims[k] < 0)
            out->dims[k] = dim;
        else if (dim >= 0 && dim != out->dims[k])
            return tn__fail(TN_INVALID_ARGUMENT,
                            "ConcatOp : Dimension %d in both shapes must be equal: shape[%zu] = %s "
                            "vs. shape[%zu] = %s",
                            k, first, TN__BRACKETS(infer->input[first]->shape), i,
                            TN__BRACKETS(*shape));
    }
    return TN_OK;
}

static tn_status concat_infer(tn__infer *infer)
{
    size_t parts = infer->input_count - 1, first = 0;
    int rank, axis;
    if (parts == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "ConcatV2: there is nothing to join");
    TN_TRY(common_rank(infer, &rank, &first));
    if (rank < 0)
        return TN_OK;
    if (rank == 0)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "ConcatOp : Can't concatenate scalars (use tf.stack instead)");
    tn_shape out = tn__shape_of_rank(rank);
    TN_TRY(tn__known_axis(infer->input[parts], &out, "ConcatOp : Expected concatenating dimensions",
                          &axis));
    if (axis >= 0) {
        out.dims[axis] = 0;
        for (size_t i = 0; i < parts; i++)
            TN_TRY(join_shape(&out, axis, infer, first, i));
    }
    infer->output[0].shape = out;
    return TN_OK;
}

static tn_status concat_compute(tn__kernel *kernel)
{
    size_t parts = kernel->input_count - 1;
    tn_tensor *out = kernel->output[0];
    int axis;
    TN_TRY(tn__known_axis(kernel->input[parts], &out->shape,
                          "ConcatOp : Expected concatenating dimensions", &axis));
    int64_t rows = tn__count_of(&out->shape, 0, axis), width = row_bytes(out, axis), offset = 0;
    for (size_t i = 0; i < parts; i++) {
        int64_t bytes = row_bytes(kernel->input[i], axis);
        part_to_whole(out->data, width, offset, kernel->input[i]->data, bytes, rows);
        offset += bytes;
    }
    return TN_OK;
}

/* x's size along an axis, both of which may be known only in the run, as a vector of one. */
static tn_tensor *size_along(tn_tensor *x, tn_tensor *axis)
{
    static const tn__slice_masks one_place = { .shrink_axis_mask = 1 };
    int64_t value;
    int at;
    if (tn__known_int(axis, &value) && x->shape.known && tn__axis(value, x->shape.rank, &at) &&
        x->shape.dims[at] >= 0)
        return tn__ints(&x->shape.dims[at], 1);
    tn_tensor *one = tn__ints((int64_t[]){ 1 }, 1),
              *place = tn_cast(TN__APPLY(tn__op_Reshape, NULL, axis, one), TN_INT32);
    tn_tensor *size =
        TN__APPLY(tn__op_StridedSlice, &one_place, tn__shape_tensor(x), place, place, one);
    return TN__APPLY(tn__op_Reshape, NULL, size, one);
}

/* each dx is its part of dy */
static void concat_gradient(tn__gradient *g)
{
    size_t parts = g->in_count - 1;
    tn_tensor **sizes = tn__scope_alloc((parts + 1) * sizeof *sizes), *axis = g->in[parts];
    for (size_t i = 0; sizes && i < parts; i++)
        sizes[i] = size_along(g->in[i], axis);
    if (!sizes)
        return;
    sizes[parts] = tn__int(0);
    tn_tensor *all = tn__apply(&tn__op_ConcatV2, NULL, sizes, parts + 1);
    const int64_t count = (int64_t)parts;
    tn_tensor *inputs[] = { g->dout[0], all, tn_cast(axis, TN_INT32) };
    tn_list split = tn__apply_list(&tn__op_SplitV, &count, inputs, 3, parts);
    for (size_t i = 0; split.item && i < parts; i++)
        g->din[i] = split.item[i];
}

const tn__op tn__op_ConcatV2 = {
    .name = "ConcatV2",
    .label = "concat",
    .inputs = "values: N * T, axis: Tidx",
    .outputs = "output: T",
    .types = "T: any; Tidx: int32, int64",
    .infer = concat_infer,
    .compute = concat_compute,
    .gradient = concat_gradient,
    .flags = TN__HALF,
};

/* The list's tensors with one more input behind. */
static tn_tensor *apply_with_axis(const tn__op *op, const void *attrs, tn_list values,
                                  tn_tensor *last)
{
    tn_tensor **inputs = tn__scope_alloc((values.count + 1) * sizeof *inputs);
    if (!inputs)
        return NULL;
    if (values.count)
        memcpy(inputs, values.item, values.count * sizeof *inputs);
    inputs[values.count] = last;
    return tn__apply(op, attrs, inputs, values.count + (last != NULL));
}

static bool check_list(tn_list values, const char *what)
{
    if (values.item && values.count)
        return true;
    tn__fail(TN_INVALID_ARGUMENT, values.item ? "%s: the list is empty" : "%s: the list is NULL",
             what);
    return false;
}

tn_tensor *tn_concat(tn_list values, int axis)
{
    TN__ENTER(context, NULL);
    (void)context;
    return check_list(values, "tn_concat")
               ? apply_with_axis(&tn__op_ConcatV2, NULL, values, tn__int(axis))
               : NULL;
}

/* --- Pack ------------------------------------------------------------------------------------- */
static tn_status pack_axis(int64_t axis, int rank, int *result)
{
    if (tn__axis(axis, rank, result))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "axis = %lld not in [%d, %d)", (long long)axis, -rank,
                    rank);
}

static tn_status pack_infer(tn__infer *infer)
{
    tn_shape one = infer->input_count ? infer->input[0]->shape : TN__UNKNOWN_SHAPE;
    int axis;
    if (infer->input_count == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "Pack: there is nothing to join");
    for (size_t i = 1; i < infer->input_count; i++)
        if (!tn__shape_merge(&one, &infer->input[i]->shape, &one))
            return tn__fail(
                TN_INVALID_ARGUMENT,
                "Shapes of all inputs must match: values[0].shape = %s != values[%zu].shape = %s",
                TN__BRACKETS(infer->input[0]->shape), i, TN__BRACKETS(infer->input[i]->shape));
    if (!one.known)
        return TN_OK;
    if (one.rank == TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "Pack: more than %d dimensions", TN_MAX_RANK);
    TN_TRY(pack_axis(((const axis_attrs *)infer->attrs)->axis, one.rank + 1, &axis));
    memmove(&one.dims[axis + 1], &one.dims[axis], (size_t)(one.rank - axis) * sizeof *one.dims);
    one.dims[axis] = (int64_t)infer->input_count;
    one.rank++;
    infer->output[0].shape = one;
    return TN_OK;
}

static tn_status pack_compute(tn__kernel *kernel)
{
    tn_tensor *out = kernel->output[0];
    int axis;
    TN_TRY(pack_axis(((const axis_attrs *)kernel->attrs)->axis, out->shape.rank, &axis));
    int64_t rows = tn__count_of(&out->shape, 0, axis), bytes = row_bytes(out, axis + 1);
    for (size_t i = 0; i < kernel->input_count; i++)
        part_to_whole(out->data, bytes * (int64_t)kernel->input_count, bytes * (int64_t)i,
                      kernel->input[i]->data, bytes, rows);
    return TN_OK;
}

typedef struct {
    int64_t num, axis;
} unpack_attrs;

/* each dx is its slice of dy */
static void pack_gradient(tn__gradient *g)
{
    const unpack_attrs attrs = { (int64_t)g->in_count, ((const axis_attrs *)g->attrs)->axis };
    tn_list parts = tn__apply_list(&tn__op_Unpack, &attrs, g->dout, 1, g->in_count);
    for (size_t i = 0; parts.item && i < g->in_count; i++)
        g->din[i] = parts.item[i];
}

const tn__op tn__op_Pack = {
    .name = "Pack",
    .label = "stack",
    .inputs = "values: N * T",
    .outputs = "output: T",
    .types = "T: any",
    .attrs = axis_fields,
    .attrs_size = sizeof(axis_attrs),
    .infer = pack_infer,
    .compute = pack_compute,
    .gradient = pack_gradient,
    .flags = TN__HALF,
};

tn_tensor *tn_stack(tn_list values, int axis)
{
    TN__ENTER(context, NULL);
    (void)context;
    return check_list(values, "tn_stack")
               ? apply_with_axis(&tn__op_Pack, &(axis_attrs){ axis }, values, NULL)
               : NULL;
}

/* --- Unpack ----------------------------------------------------------------------------------- */
static const tn_field unpack_fields[] = {
    TN__ROW(TN_FIELD_INT, unpack_attrs, num, NULL, NULL),
    TN__ROW(TN_FIELD_INT, unpack_attrs, axis, "0", NULL),
    TN__END_OF_FIELDS,
};

static size_t unpack_outputs(const void *attrs, size_t inputs)
{
    (void)inputs;
    int64_t num = ((const unpack_attrs *)attrs)->num;
    return num > 0 ? (size_t)num : 0;
}

static tn_status unpack_infer(tn__infer *infer)
{
    const unpack_attrs *attrs = infer->attrs;
    tn_shape in = infer->input[0]->shape;
    int axis;
    if (!in.known)
        return TN_OK;
    TN_TRY(pack_axis(attrs->axis, in.rank, &axis));
    if (in.dims[axis] >= 0 && in.dims[axis] != attrs->num)
        return tn__fail(TN_INVALID_ARGUMENT, "Input shape axis %d must equal %lld, got shape %s",
                        axis, (long long)attrs->num, TN__BRACKETS(in));
    in.rank--;
    memmove(&in.dims[axis], &in.dims[axis + 1], (size_t)(in.rank - axis) * sizeof *in.dims);
    for (size_t i = 0; i < infer->output_count; i++)
        infer->output[i].shape = in;
    return TN_OK;
}

static tn_status unpack_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    int axis;
    TN_TRY(pack_axis(((const unpack_attrs *)kernel->attrs)->axis, x->shape.rank, &axis));
    int64_t rows = tn__count_of(&x->shape, 0, axis), bytes = row_bytes(x, axis + 1);
    for (size_t i = 0; i < kernel->output_count; i++)
        whole_to_part(x->data, bytes * (int64_t)kernel->output_count, bytes * (int64_t)i,
                      kernel->output[i]->data, bytes, rows);
    return TN_OK;
}

/* The gradients of all outputs, zeros where one does not matter; NULL without memory. */
static tn_tensor **all_douts(const tn__gradient *g)
{
    tn_tensor **douts = tn__scope_alloc((g->out_count + 1) * sizeof *douts);
    for (size_t i = 0; douts && i < g->out_count; i++)
        douts[i] = tn__dout(g, i);
    return douts;
}

/* dx = the slices joined again */
static void unpack_gradient(tn__gradient *g)
{
    tn_tensor **douts = all_douts(g);
    if (douts)
        g->din[0] = tn__apply(&tn__op_Pack, &(axis_attrs){ ((const unpack_attrs *)g->attrs)->axis },
                              douts, g->out_count);
}

const tn__op tn__op_Unpack = {
    .name = "Unpack",
    .inputs = "value: T",
    .outputs = "output: num * T",
    .types = "T: any",
    .attrs = unpack_fields,
    .attrs_size = sizeof(unpack_attrs),
    .count_outputs = unpack_outputs,
    .infer = unpack_infer,
    .compute = unpack_compute,
    .gradient = unpack_gradient,
    .flags = TN__HALF,
};

tn_list tn_unstack(tn_tensor *x, int axis)
{
    tn_list none = { 0, NULL };
    TN__ENTER(context, none);
    (void)context;
    int at;
    if (!tn__check_tensor(x, "tn_unstack: x"))
        return none;
    if (x->shape.known && pack_axis(axis, x->shape.rank, &at) != TN_OK)
        return none;
    if (!x->shape.known || x->shape.dims[at] < 0) {
        tn__fail(TN_INVALID_ARGUMENT, "Cannot infer argument `num` from shape %s",
                 TN__SHAPE(x->shape));
        return none;
    }
    const unpack_attrs attrs = { x->shape.dims[at], axis };
    if (attrs.num == 0)
        return tn_list_of(0, NULL);
    return tn__apply_list(&tn__op_Unpack, &attrs, &x, 1, (size_t)attrs.num);
}

/* --- Split ------------------------------------------------------------------------------------ */
typedef struct {
    int64_t num_split;
} split_attrs;
static const tn_field split_fields[] = {
    TN__ROW(TN_FIELD_INT, split_attrs, num_split, NULL, NULL),
    TN__END_OF_FIELDS,
};

static size_t split_outputs(const void *attrs, size_t inputs)
{
    (void)inputs;
    int64_t num = ((const split_attrs *)attrs)->num_split;
    return num > 0 ? (size_t)num : 0;
}

static tn_status split_axis(const tn_tensor *axis, const tn_shape *shape, int *result)
{
    int64_t value;
    *result = -1;
    if (tn__shape_full(&axis->shape) && tn__shape_count(&axis->shape) != 1)
        return tn__fail(TN_INVALID_ARGUMENT, "split_dim must be a scalar but has rank %d",
                        axis->shape.rank);
    if (!shape->known || !tn__known_int(axis, &value) || tn__axis(value, shape->rank, result))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "-input rank(-%d) <= split_dim < input rank (%d), but got %lld", shape->rank,
                    shape->rank, (long long)value);
}

static tn_status split_infer(tn__infer *infer)
{
    tn_shape shape = infer->input[1]->shape;
    int64_t parts = ((const split_attrs *)infer->attrs)->num_split;
    int axis;
    TN_TRY(split_axis(infer->input[0], &shape, &axis));
    if (axis < 0 && shape.known)
        shape = tn__shape_of_rank(shape.rank);
    else if (axis >= 0 && shape.dims[axis] >= 0) {
        if (shape.dims[axis] % parts)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Number of ways to split should evenly divide the split dimension, but "
                            "got split_dim %d (size = %lld) and "
                            "num_split %lld",
                            axis, (long long)shape.dims[axis], (long long)parts);
        shape.dims[axis] /= parts;
    }
    for (size_t i = 0; i < infer->output_count; i++)
        infer->output[i].shape = shape;
    return TN_OK;
}

/* Each output is the next part along the axis. */
static void cut(const tn__kernel *kernel, const tn_tensor *x, int axis)
{
    int64_t rows = tn__count_of(&x->shape, 0, axis), width = row_bytes(x, axis), offset = 0;
    for (size_t i = 0; i < kernel->output_count; i++) {
        int64_t bytes = row_bytes(kernel->output[i], axis);
        whole_to_part(x->data, width, offset, kernel->output[i]->data, bytes, rows);
        offset += bytes;
    }
}

static tn_status split_compute(tn__kernel *kernel)
{
    int axis;
    TN_TRY(split_axis(kernel->input[0], &kernel->input[1]->shape, &axis));
    cut(kernel, kernel->input[1], axis);
    return TN_OK;
}

/* dx = the parts joined again */
static void split_gradient(tn__gradient *g)
{
    tn_tensor **douts = all_douts(g);
    if (douts)
        g->din[1] =
            apply_with_axis(&tn__op_ConcatV2, NULL, (tn_list){ g->out_count, douts }, g->in[0]);
}

const tn__op tn__op_Split = {
    .name = "Split",
    .inputs = "split_dim: int32, value: T",
    .outputs = "output: num_split * T",
    .types = "T: any",
    .attrs = split_fields,
    .attrs_size = sizeof(split_attrs),
    .count_outputs = split_outputs,
    .infer = split_infer,
    .compute = split_compute,
    .gradient = split_gradient,
    .flags = TN__HALF,
};

static bool check_parts(int64_t parts, const char *what)
{
    if (parts > 0 && parts <= INT32_MAX)
        return true;
    tn__fail(TN_INVALID_ARGUMENT, "%s: %lld parts; 1 or more are expected", what, (long long)parts);
    return false;
}

tn_list tn_split(tn_tensor *x, int64_t parts, int axis)
{
    tn_list none = { 0, NULL };
    TN__ENTER(context, none);
    (void)context;
    if (!check_parts(parts, "tn_split"))
        return none;
    return tn__apply_list(&tn__op_Split, &(split_attrs){ parts },
                          (tn_tensor *[]){ tn__int(axis), x }, 2, (size_t)parts);
}

/* --- SplitV ----------------------------------------------------------------------------------- */
/* The parts' sizes, at least as far as they are known; -1 in one place takes what is left. */
static tn_status split_sizes(const int64_t *sizes, size_t count, int64_t total, int64_t *left)
{
    int64_t sum = 0;
    bool open = false;
    for (size_t i = 0; i < count; i++) {
        if (sizes[i] == -1 && open)
            return tn__fail(TN_INVALID_ARGUMENT, "There can only be one -1 in the input.");
        open |= sizes[i] == -1;
        if (sizes[i] != -1 && __builtin_add_overflow(sum, sizes[i], &sum))
            sum = -1;
        if (sizes[i] < -1)
            sum = -1;
        if (sum < 0)
            break;
    }
    *left = total - sum;
    if (sum >= 0 && (open ? sum <= total : sum == total))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Determined shape must either match input shape along split_dim exactly if "
                    "fully specified, or be less than the "
                    "size of the input along split_dim if not fully specified.  Got: %lld\nthe "
                    "input's size is %lld",
                    (long long)sum, (long long)total);
}

static tn_status check_split_count(const tn_tensor *sizes, size_t outputs)
{
    tn_shape wanted = tn__shape_vector((int64_t)outputs);
    if (tn__shape_fits(&sizes->shape, &wanted))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "size of the split_tensor must be 1-D and have the same elements as outputs "
                    "got %d -D and %lld elements\n"
                    "%zu outputs",
                    sizes->shape.rank, (long long)tn__shape_count(&sizes->shape), outputs);
}

/* All sizes, of a vector that may be longer than what tn__known_each tells; NULL without an error:
 * not known yet. */
static int64_t *sizes_of(const tn_tensor *x, size_t outputs)
{
    int64_t few[TN__MOST_KNOWN];
    size_t count;
    if (x->form != TN__VALUE && (!tn__known_each(x, few, &count) || count != outputs))
        return NULL;
    int64_t *sizes = tn__alloc(outputs * sizeof *sizes);
    for (size_t i = 0; sizes && i < outputs; i++)
        sizes[i] = x->form != TN__VALUE ? few[i] : tn__int_at(x, (int64_t)i);
    for (size_t i = 0; sizes && x->form == TN__VALUE && i < outputs; i++)
        sizes[i] += sizes[i] == TN__UNSURE; /* known, and as impossible as before */
    return sizes;
}

static tn_status set_sizes(tn__infer *infer, int axis, const int64_t *sizes)
{
    size_t count = infer->output_count;
    int64_t total = infer->input[0]->shape.dims[axis], left = TN_NONE;
    bool known = true;
    for (size_t i = 0; i < count; i++)
        known &= sizes[i] != TN__UNSURE;
    if (known && total >= 0)
        TN_TRY(split_sizes(sizes, count, total, &left));
    for (size_t i = 0; i < count; i++)
        infer->output[i].shape.dims[axis] = sizes[i] == -1 ? left
                                            : sizes[i] < 0 ? TN_NONE
                                                           : sizes[i];
    return TN_OK;
}

static tn_status splitv_infer(tn__infer *infer)
{
    const tn_shape *shape = &infer->input[0]->shape;
    int axis;
    TN_TRY(check_split_count(infer->input[1], infer->output_count));
    TN_TRY(split_axis(infer->input[2], shape, &axis));
    for (size_t i = 0; i < infer->output_count; i++) {
        infer->output[i].shape = axis < 0 && shape->known ? tn__shape_of_rank(shape->rank) : *shape;
        if (axis >= 0)
            infer->output[i].shape.dims[axis] = TN_NONE;
    }
    int64_t *sizes = axis < 0 ? NULL : sizes_of(infer->input[1], infer->output_count);
    tn_status status = sizes ? set_sizes(infer, axis, sizes) : tn__errors()->status;
    tn__free(sizes);
    return status;
}

static tn_status splitv_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    int axis;
    TN_TRY(split_axis(kernel->input[2], &x->shape, &axis));
    cut(kernel, x, axis);
    return TN_OK;
}

static void splitv_gradient(tn__gradient *g)
{
    tn_tensor **douts = all_douts(g);
    if (douts)
        g->din[0] =
            apply_with_axis(&tn__op_ConcatV2, NULL, (tn_list){ g->out_count, douts }, g->in[2]);
}

const tn__op tn__op_SplitV = {
    .name = "SplitV",
    .inputs = "value: T, size_splits: Tlen, split_dim: int32",
    .outputs = "output: num_split * T",
    .types = "T: any; Tlen: int32, int64",
    .attrs = split_fields,
    .attrs_size = sizeof(split_attrs),
    .count_outputs = split_outputs,
    .infer = splitv_infer,
    .compute = splitv_compute,
    .gradient = splitv_gradient,
    .flags = TN__HALF,
};

tn_list tn_split_sizes(tn_tensor *x, size_t count, const int64_t *sizes, int axis)
{
    tn_list none = { 0, NULL };
    TN__ENTER(context, none);
    (void)context;
    if (!check_parts((int64_t)count, "tn_split_sizes"))
        return none;
    tn_tensor *all = tn__own(tn__tensor_ints(TN_INT64, (int64_t)count, sizes));
    tn_tensor *inputs[] = { x, all, tn__int(axis) };
    return tn__apply_list(&tn__op_SplitV, &(split_attrs){ (int64_t)count }, inputs, 3, count);
}
