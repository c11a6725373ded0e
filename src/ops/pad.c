/* pad.c - more places round a tensor: Pad and PadV2 with a constant, MirrorPad with what stands
 * inside. */
#include "ops/array.h"
#include <string.h>

/* Places before and behind each dimension; TN__UNSURE: not known yet. */
typedef struct {
    int64_t before[TN_MAX_RANK], behind[TN_MAX_RANK];
} paddings;

static tn_status check_paddings_shape(const tn_tensor *x, const tn_tensor *amounts)
{
    const tn_shape *in = &x->shape, *pads = &amounts->shape;
    if (pads->known && (pads->rank != 2 || (pads->dims[1] >= 0 && pads->dims[1] != 2)))
        return tn__fail(TN_INVALID_ARGUMENT, "paddings must be a matrix with 2 columns: %s",
                        TN__BRACKETS(*pads));
    if (in->known && pads->known && pads->dims[0] >= 0 && pads->dims[0] != in->rank)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "The first dimension of paddings must be the rank of inputs%s %s",
                        TN__BRACKETS(*pads), TN__BRACKETS(*in));
    return TN_OK;
}

/* found: false when nothing is known. */
static tn_status read_paddings(const tn_tensor *x, const tn_tensor *amounts, paddings *p,
                               bool *found)
{
    int64_t values[TN__MOST_KNOWN];
    size_t count;
    TN_TRY(check_paddings_shape(x, amounts));
    *found = x->shape.known && tn__known_each(amounts, values, &count) &&
             count == 2 * (size_t)x->shape.rank;
    for (int i = 0; *found && i < x->shape.rank; i++) {
        p->before[i] = values[2 * i];
        p->behind[i] = values[2 * i + 1];
        bool before = p->before[i] == TN__UNSURE || p->before[i] >= 0,
             behind = p->behind[i] == TN__UNSURE || p->behind[i] >= 0;
        if (!before || !behind)
            return tn__fail(TN_INVALID_ARGUMENT, "Paddings must be non-negative: %lld %lld",
                            (long long)p->before[i], (long long)p->behind[i]);
    }
    return TN_OK;
}

/* dims + sign (before + behind); TN_NONE where something is not known. */
static tn_status padded_shape(const tn__op *op, const tn_shape *in, const paddings *p, int sign,
                              tn_shape *out)
{
    *out = *in;
    for (int i = 0; i < in->rank; i++) {
        int64_t both;
        bool known = in->dims[i] >= 0 && p->before[i] != TN__UNSURE && p->behind[i] != TN__UNSURE;
        out->dims[i] = TN_NONE;
        if (!known)
            continue;
        if (__builtin_add_overflow(p->before[i], p->behind[i], &both) ||
            __builtin_add_overflow(in->dims[i], sign * both, &out->dims[i]) || out->dims[i] < 0)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "%s: %lld and %lld places round dimension %d of %s", op->name,
                            (long long)p->before[i], (long long)p->behind[i], i, TN__SHAPE(*in));
    }
    return TN_OK;
}

static tn_status pad_infer(tn__infer *infer)
{
    paddings p;
    bool found;
    TN_TRY(read_paddings(infer->input[0], infer->input[1], &p, &found));
    if (infer->input_count > 2)
        TN_TRY(tn__infer_rank(infer, 2, 0, 0));
    if (found)
        return padded_shape(infer->op, &infer->input[0]->shape, &p, 1, &infer->output[0].shape);
    if (infer->input[0]->shape.known)
        infer->output[0].shape = tn__shape_of_rank(infer->input[0]->shape.rank);
    return TN_OK;
}

/* --- Pad, PadV2 ------------------------------------------------------------------------------- */
static tn_status pad_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0], *y = kernel->output[0];
    size_t size = tn__dtype_size((tn_dtype)x->dtype);
    int64_t from[TN_MAX_RANK], to[TN_MAX_RANK], offset = 0;
    tn__block block = { 0 };
    tn__strides(&x->shape, from);
    tn__strides(&y->shape, to);
    for (int i = 0; i < x->shape.rank; i++) {
        tn__block_add(&block, x->shape.dims[i], to[i], from[i]);
        offset += tn__int_at(kernel->input[1], 2 * i) * to[i];
    }
    if (kernel->input_count > 2)
        tn__fill_elements(y->data, tn__count(y), size, kernel->input[2]->data);
    else
        memset(y->data, 0, tn__byte_count(y));
    tn__block_copy(&block, size, (char *)y->data + offset * (int64_t)size, x->data);
    return TN_OK;
}

/* The first column of paddings. */
static tn_tensor *places_before(tn_tensor *amounts, int rank)
{
    int64_t values[TN__MOST_KNOWN], before[TN_MAX_RANK];
    size_t count;
    if (tn__known_exactly(amounts, values, &count)) {
        for (int i = 0; i < rank; i++)
            before[i] = values[2 * i];
        return tn__ints(before, (size_t)rank);
    }
    tn_tensor *column = tn_slice(tn_cast(amounts, TN_INT64), TN_SHAPE(0, 0), TN_SHAPE(rank, 1));
    return tn_cast(tn_reshape(column, TN_SHAPE(rank)), TN_INT32);
}

/* dx = the part of dy where x stands; d constant = the sum of the others */
static void pad_gradient(tn__gradient *g)
{
    if (!g->out[0]->shape.known) {
        tn__fail(TN_UNIMPLEMENTED, "%s: the gradient needs a known rank, got %s", g->op->name,
                 TN__TENSOR(g->in[0]));
        return;
    }
    tn_tensor *before = places_before(g->in[1], g->out[0]->shape.rank);
    g->din[0] = TN__APPLY(tn__op_Slice, NULL, g->dout[0], before, tn__shape_tensor(g->in[0]));
    if (g->in_count > 2 && g->wanted[2])
        g->din[2] = tn_subtract(tn_reduce_sum(g->dout[0]), tn_reduce_sum(g->din[0]));
}

const tn__op tn__op_Pad = {
    .name = "Pad",
    .inputs = "input: T, paddings: Tpaddings",
    .outputs = "output: T",
    .types = "T: any; Tpaddings: int32, int64",
    .infer = pad_infer,
    .compute = pad_compute,
    .gradient = pad_gradient,
    .flags = TN__HALF,
};

const tn__op tn__op_PadV2 = {
    .name = "PadV2",
    .inputs = "input: T, paddings: Tpaddings, constant_values: T",
    .outputs = "output: T",
    .types = "T: any; Tpaddings: int32, int64",
    .infer = pad_infer,
    .compute = pad_compute,
    .gradient = pad_gradient,
    .flags = TN__HALF,
};

/* --- MirrorPad, MirrorPadGrad ----------------------------------------------------------------- */
typedef struct {
    const char *mode;
} mirror_attrs;
static const tn_field mirror_fields[] = {
    TN__ROW(TN_FIELD_STRING, mirror_attrs, mode, NULL, "REFLECT|SYMMETRIC"),
    TN__END_OF_FIELDS,
};

/* REFLECT leaves the border itself out, SYMMETRIC repeats it: how far the first copied place is
 * from the border. */
static int64_t first_mirrored(const void *attrs)
{
    return strcmp(((const mirror_attrs *)attrs)->mode, "REFLECT") == 0;
}

static tn_status check_mirrored(const void *attrs, const tn_shape *inner, const paddings *p)
{
    int64_t skip = first_mirrored(attrs);
    for (int i = 0; i < inner->rank; i++) {
        int64_t most = inner->dims[i] - skip;
        if (inner->dims[i] < 0 || p->before[i] == TN__UNSURE || p->behind[i] == TN__UNSURE ||
            (p->before[i] <= most && p->behind[i] <= most))
            continue;
        return tn__fail(
            TN_INVALID_ARGUMENT,
            skip ? "paddings must be less than the dimension size: %lld, %lld not less than %lld"
                 : "paddings must be no greater than the dimension size: %lld, %lld greater than "
                   "%lld",
            (long long)p->before[i], (long long)p->behind[i], (long long)inner->dims[i]);
    }
    return TN_OK;
}

static tn_status mirror_pad_infer(tn__infer *infer)
{
    paddings p;
    bool found;
    TN_TRY(read_paddings(infer->input[0], infer->input[1], &p, &found));
    if (found)
        TN_TRY(check_mirrored(infer->attrs, &infer->input[0]->shape, &p));
    return pad_infer(infer);
}

static tn_status mirror_pad_grad_infer(tn__infer *infer)
{
    paddings p;
    bool found;
    TN_TRY(read_paddings(infer->input[0], infer->input[1], &p, &found));
    if (infer->input[0]->shape.known)
        infer->output[0].shape = tn__shape_of_rank(infer->input[0]->shape.rank);
    if (!found)
        return TN_OK;
    TN_TRY(padded_shape(infer->op, &infer->input[0]->shape, &p, -1, &infer->output[0].shape));
    return check_mirrored(infer->attrs, &infer->output[0].shape, &p);
}

/* One of the up to 3^rank parts of the padded tensor: before, within or behind along each axis.
 * `to` speaks of the padded tensor, `from` of the inner one, where the outer parts run backwards
 * from the border. */
typedef struct {
    tn__block block;
    int64_t padded, inner; /* where the part begins, in elements */
} part;

static void add_part_dim(part *at, int where, int64_t n, int64_t before, int64_t behind,
                         int64_t skip, int64_t outer, int64_t inner)
{
    if (where == 0) {
        tn__block_add(&at->block, before, outer, -inner);
        at->inner += before ? (before - 1 + skip) * inner : 0;
    } else if (where == 1) {
        tn__block_add(&at->block, n, outer, inner);
        at->padded += before * outer;
    } else {
        tn__block_add(&at->block, behind, outer, -inner);
        at->padded += (before + n) * outer;
        at->inner += behind ? (n - 1 - skip) * inner : 0;
    }
}

/* visit(self, part) for every part that is not empty. */
static void each_part(const tn_shape *inner, const tn_shape *padded, const tn_tensor *amounts,
                      int64_t skip, void (*visit)(const void *self, const part *at),
                      const void *self)
{
    int rank = inner->rank, where[TN_MAX_RANK] = { 0 }, axis = 0;
    int64_t outer_stride[TN_MAX_RANK], inner_stride[TN_MAX_RANK];
    tn__strides(padded, outer_stride);
    tn__strides(inner, inner_stride);
    while (axis >= 0) {
        part at = { 0 };
        for (int i = 0; i < rank; i++)
            add_part_dim(&at, where[i], inner->dims[i], tn__int_at(amounts, 2 * i),
                         tn__int_at(amounts, 2 * i + 1), skip, outer_stride[i], inner_stride[i]);
        visit(self, &at);
        for (axis = rank - 1; axis >= 0 && ++where[axis] == 3; axis--)
            where[axis] = 0;
    }
}

static void copy_part(const void *self, const part *at)
{
    const tn__kernel *kernel = self;
    size_t size = tn__dtype_size((tn_dtype)kernel->input[0]->dtype);
    tn__block_copy(&at->block, size, (char *)kernel->output[0]->data + at->padded * (int64_t)size,
                   (const char *)kernel->input[0]->data + at->inner * (int64_t)size);
}

static tn_status mirror_pad_compute(tn__kernel *kernel)
{
    each_part(&kernel->input[0]->shape, &kernel->output[0]->shape, kernel->input[1],
              first_mirrored(kernel->attrs), copy_part, kernel);
    return TN_OK;
}

static void add_part(const void *self, const part *at)
{
    const tn__kernel *kernel = self;
    tn_dtype dtype = (tn_dtype)kernel->input[0]->dtype;
    int64_t size = (int64_t)tn__dtype_size(dtype);
    tn__block back = at->block;
    memcpy(back.to, at->block.from, sizeof back.to);
    memcpy(back.from, at->block.to, sizeof back.from);
    tn__block_accumulate(&back, dtype, (char *)kernel->output[0]->data + at->inner * size,
                         (const char *)kernel->input[0]->data + at->padded * size);
}

static tn_status mirror_pad_grad_compute(tn__kernel *kernel)
{
    memset(kernel->output[0]->data, 0, tn__byte_count(kernel->output[0]));
    each_part(&kernel->output[0]->shape, &kernel->input[0]->shape, kernel->input[1],
              first_mirrored(kernel->attrs), add_part, kernel);
    return TN_OK;
}

/* dx: every element of dy goes back to where it was copied from */
static void mirror_pad_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_MirrorPadGrad, g->attrs, g->dout[0], g->in[1]);
}

static void mirror_pad_grad_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_MirrorPad, g->attrs, g->dout[0], g->in[1]);
}

const tn__op tn__op_MirrorPad = {
    .name = "MirrorPad",
    .inputs = "input: T, paddings: Tpaddings",
    .outputs = "output: T",
    .types = "T: any; Tpaddings: int32, int64",
    .attrs = mirror_fields,
    .attrs_size = sizeof(mirror_attrs),
    .infer = mirror_pad_infer,
    .compute = mirror_pad_compute,
    .gradient = mirror_pad_gradient,
    .flags = TN__HALF,
};

const tn__op tn__op_MirrorPadGrad = {
    .name = "MirrorPadGrad",
    .inputs = "input: T, paddings: Tpaddings",
    .outputs = "output: T",
    .types = "T: number; Tpaddings: int32, int64",
    .attrs = mirror_fields,
    .attrs_size = sizeof(mirror_attrs),
    .infer = mirror_pad_grad_infer,
    .compute = mirror_pad_grad_compute,
    .gradient = mirror_pad_grad_gradient,
};

/* --- tf.pad ----------------------------------------------------------------------------------- */
static tn_tensor *paddings_tensor(const int64_t (*amounts)[2], int rank)
{
    tn_shape shape = TN_SHAPE(rank, 2);
    tn_tensor *x;
    if (tn__tensor_new(TN_INT64, &shape, &x) != TN_OK)
        return NULL;
    memcpy(x->data, amounts, (size_t)rank * sizeof *amounts);
    return tn__own(x);
}

static tn_tensor *pad_constant(tn_tensor *x, tn_tensor *amounts, double value)
{
    return value == 0 ? TN__APPLY(tn__op_Pad, NULL, x, amounts)
                      : TN__APPLY(tn__op_PadV2, NULL, x, amounts, tn__like(x, value));
}

tn_tensor *tn_pad_with(const tn_pad_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    static const char *const modes[] = { "CONSTANT", "REFLECT", "SYMMETRIC" };
    if (!tn__check_tensor(o->tensor, "tn_pad: tensor"))
        return NULL;
    if (!o->tensor->shape.known) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_pad: the tensor's rank must be known");
        return NULL;
    }
    for (int i = o->tensor->shape.rank; i < TN_MAX_RANK; i++)
        if (o->paddings[i][0] || o->paddings[i][1]) {
            tn__fail(TN_INVALID_ARGUMENT,
                     "tn_pad: paddings for dimension %d of %s, which it does not have", i,
                     TN__TENSOR(o->tensor));
            return NULL;
        }
    tn_tensor *amounts = paddings_tensor(o->paddings, o->tensor->shape.rank);
    for (int i = 0; o->mode && i < 3; i++)
        if (strcasecmp(o->mode, modes[i]) == 0)
            return i == 0 ? pad_constant(o->tensor, amounts, o->constant_values)
                          : TN__APPLY(tn__op_MirrorPad, &(mirror_attrs){ modes[i] }, o->tensor,
                                      amounts);
    tn__fail(TN_INVALID_ARGUMENT,
             "Value of argument `mode` expected to be one of \"CONSTANT\", \"REFLECT\", or "
             "\"SYMMETRIC\". "
             "Received `mode` = %s",
             o->mode ? o->mode : "None");
    return NULL;
}
