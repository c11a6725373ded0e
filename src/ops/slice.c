/* slice.c - parts of tensors: Slice, StridedSlice and its gradient. */
#include "ops/slice.h"
#include <string.h>

/* --- what a specification means --------------------------------------------------------------- */
enum { NEW_AXIS = -1, GONE = -2 };

/* One entry for each dimension of x, in x's order, and what the output's dimensions are made of. */
typedef struct {
    int64_t begin[TN_MAX_RANK], end[TN_MAX_RANK], stride[TN_MAX_RANK];
    bool from_first[TN_MAX_RANK], to_last[TN_MAX_RANK], shrink[TN_MAX_RANK];
    int outputs, source[TN__MAX_LOOPS]; /* x's dimension, or NEW_AXIS, or GONE */
    int next;                           /* of x, while filling */
} dense;

static bool bit(int64_t mask, size_t i)
{
    return i < 64 && mask >> i & 1;
}

static tn_status add_output(dense *d, int source)
{
    if (d->outputs == TN__MAX_LOOPS)
        return tn__fail(TN_UNIMPLEMENTED, "StridedSlice: more than %d dimensions", TN_MAX_RANK);
    d->source[d->outputs++] = source;
    return TN_OK;
}

static tn_status add_whole(dense *d, int until)
{
    for (; d->next < until; d->next++) {
        d->stride[d->next] = 1;
        d->from_first[d->next] = d->to_last[d->next] = true;
        TN_TRY(add_output(d, d->next));
    }
    return TN_OK;
}

static tn_status add_entry(dense *d, const tn__slice_spec *spec, size_t i, int rank)
{
    if (d->next == rank)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Index out of range using input dim %d; input has only %d dims", rank,
                        rank);
    int at = d->next++;
    d->begin[at] = spec->begin[i];
    d->end[at] = spec->end[i];
    d->stride[at] = spec->stride[i];
    d->from_first[at] = bit(spec->masks->begin_mask, i);
    d->to_last[at] = bit(spec->masks->end_mask, i);
    d->shrink[at] = bit(spec->masks->shrink_axis_mask, i);
    return add_output(d, d->shrink[at] ? GONE : at);
}

/* Dimensions that entries behind the ellipsis take. */
static int taken_behind(const tn__slice_spec *spec, size_t ellipsis)
{
    int taken = 0;
    for (size_t i = ellipsis + 1; i < spec->count; i++)
        taken += !bit(spec->masks->new_axis_mask, i);
    return taken;
}

static tn_status make_dense(const tn__slice_spec *spec, int rank, dense *d)
{
    bool ellipsis = false;
    memset(d, 0, sizeof *d);
    for (size_t i = 0; i < spec->count; i++) {
        if (bit(spec->masks->ellipsis_mask, i)) {
            if (ellipsis)
                return tn__fail(TN_INVALID_ARGUMENT, "Multiple ellipses in slice spec not allowed");
            ellipsis = true;
            TN_TRY(add_whole(d, rank - taken_behind(spec, i)));
        } else if (bit(spec->masks->new_axis_mask, i)) {
            TN_TRY(add_output(d, NEW_AXIS));
        } else {
            TN_TRY(add_entry(d, spec, i, rank));
        }
    }
    return add_whole(d, rank);
}

/* begin or end as a place in [low, high], counted from the end where negative. */
static int64_t clamped(int64_t at, int64_t dim, int64_t low, int64_t high)
{
    at = at < 0 ? at + dim : at;
    return at < low ? low : at > high ? high : at;
}

static tn_status one_place(const dense *d, int i, int64_t dim, tn__slicing *s)
{
    s->count[i] = 1;
    s->stride[i] = 1;
    if (d->stride[i] != TN__UNSURE && d->stride[i] <= 0)
        return tn__fail(TN_INVALID_ARGUMENT, "only stride 1 allowed on non-range indexing.");
    if (dim < 0 || d->begin[i] == TN__UNSURE)
        return TN_OK;
    s->begin[i] = d->from_first[i] ? 0 : d->begin[i] < 0 ? d->begin[i] + dim : d->begin[i];
    if (s->begin[i] >= 0 && s->begin[i] < dim)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "slice index %lld of dimension %d out of bounds.\nthe dimension is %lld",
                    (long long)d->begin[i], i, (long long)dim);
}

static tn_status range_of_places(const dense *d, int i, int64_t dim, tn__slicing *s)
{
    int64_t stride = d->stride[i];
    if (stride == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "strides[%d] must be non-zero", i);
    s->stride[i] = stride;
    s->count[i] = TN_NONE;
    if (dim < 0 || stride == TN__UNSURE || (!d->from_first[i] && d->begin[i] == TN__UNSURE) ||
        (!d->to_last[i] && d->end[i] == TN__UNSURE))
        return TN_OK;
    int64_t low = stride > 0 ? 0 : -1, high = stride > 0 ? dim : dim - 1;
    int64_t begin =
        d->from_first[i] ? (stride > 0 ? low : high) : clamped(d->begin[i], dim, low, high);
    int64_t end = d->to_last[i] ? (stride > 0 ? high : low) : clamped(d->end[i], dim, low, high),
            length = end - begin;
    s->begin[i] = begin;
    s->count[i] =
        length == 0 || (length < 0) != (stride < 0) ? 0 : length / stride + (length % stride != 0);
    return TN_OK;
}

tn_status tn__slicing_of(const tn__slice_spec *spec, const tn_shape *x, tn__slicing *s)
{
    dense d;
    TN_TRY(make_dense(spec, x->rank, &d));
    *s = (tn__slicing){ .rank = x->rank, .out = TN_SCALAR };
    for (int i = 0; i < x->rank; i++)
        TN_TRY(d.shrink[i] ? one_place(&d, i, x->dims[i], s)
                           : range_of_places(&d, i, x->dims[i], s));
    for (int i = 0; i < d.outputs; i++) {
        if (d.source[i] == GONE)
            continue;
        if (s->out.rank == TN_MAX_RANK)
            return tn__fail(TN_UNIMPLEMENTED, "StridedSlice: more than %d dimensions", TN_MAX_RANK);
        s->out.dims[s->out.rank++] = d.source[i] == NEW_AXIS ? 1 : s->count[d.source[i]];
    }
    return TN_OK;
}

/* --- StridedSlice ----------------------------------------------------------------------------- */
static const tn_field mask_fields[] = {
    TN__ROW(TN_FIELD_INT, tn__slice_masks, begin_mask, "0", NULL),
    TN__ROW(TN_FIELD_INT, tn__slice_masks, end_mask, "0", NULL),
    TN__ROW(TN_FIELD_INT, tn__slice_masks, ellipsis_mask, "0", NULL),
    TN__ROW(TN_FIELD_INT, tn__slice_masks, new_axis_mask, "0", NULL),
    TN__ROW(TN_FIELD_INT, tn__slice_masks, shrink_axis_mask, "0", NULL),
    TN__END_OF_FIELDS,
};

static tn_status check_entries(tn_tensor *const *spec)
{
    const tn_shape *a = &spec[0]->shape, *b = &spec[1]->shape, *c = &spec[2]->shape;
    bool vectors =
        (!a->known || a->rank == 1) && (!b->known || b->rank == 1) && (!c->known || c->rank == 1);
    if (vectors && tn__shape_fits(a, b) && tn__shape_fits(b, c) && tn__shape_fits(a, c))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Expected begin, end, and strides to be 1D equal size tensors, but got shapes "
                    "%s, %s, and %s instead.",
                    TN__BRACKETS(*a), TN__BRACKETS(*b), TN__BRACKETS(*c));
}

/* As much of a vector as is known; at least its length. */
static bool entries_of(const tn_tensor *x, int64_t *values, size_t *count)
{
    if (tn__known_each(x, values, count))
        return true;
    if (x->shape.rank != 1 || x->shape.dims[0] < 0 || x->shape.dims[0] > TN__MOST_KNOWN)
        return false;
    *count = (size_t)x->shape.dims[0];
    for (size_t i = 0; i < *count; i++)
        values[i] = TN__UNSURE;
    return true;
}

/* spec: begin, end, strides. found: false when too little is known to tell anything. */
static tn_status read_slicing(const void *masks, tn_tensor *const *spec, const tn_shape *x,
                              tn__slicing *slicing, bool *found)
{
    int64_t begin[TN__MOST_KNOWN], end[TN__MOST_KNOWN], stride[TN__MOST_KNOWN];
    size_t counts[3];
    *found = false;
    TN_TRY(check_entries(spec));
    if (!x->known || !entries_of(spec[0], begin, &counts[0]) ||
        !entries_of(spec[1], end, &counts[1]) || !entries_of(spec[2], stride, &counts[2]))
        return TN_OK;
    *found = true;
    return tn__slicing_of(&(tn__slice_spec){ masks, begin, end, stride, counts[0] }, x, slicing);
}

static tn_status strided_slice_infer(tn__infer *infer)
{
    tn__slicing slicing;
    bool found;
    TN_TRY(read_slicing(infer->attrs, infer->input + 1, &infer->input[0]->shape, &slicing, &found));
    if (found)
        infer->output[0].shape = slicing.out;
    return TN_OK;
}

static tn_status must_slice(const tn__kernel *kernel, size_t first, const tn_shape *x,
                            tn__slicing *slicing)
{
    bool found;
    TN_TRY(read_slicing(kernel->attrs, kernel->input + first, x, slicing, &found));
    return found && tn__shape_full(&slicing->out)
               ? TN_OK
               : tn__fail(TN_INVALID_ARGUMENT, "%s: begin, end and strides have too many entries",
                          kernel->op->name);
}

/* The places taken, in `from`, of a tensor of shape x; the elements of the slice one after the
 * other in `to`. */
static tn__block block_of(const tn__slicing *s, const tn_shape *x, int64_t *offset)
{
    tn__block block = { 0 };
    int64_t stride[TN_MAX_RANK], step = 1;
    tn__strides(x, stride);
    *offset = 0;
    for (int i = 0; i < s->rank; i++)
        step *= s->count[i];
    for (int i = 0; i < s->rank; i++) {
        step = s->count[i] ? step / s->count[i] : 0;
        tn__block_add(&block, s->count[i], step, s->count[i] > 1 ? s->stride[i] * stride[i] : 0);
        *offset += s->count[i] ? s->begin[i] * stride[i] : 0;
    }
    return block;
}

static tn_status strided_slice_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    size_t size = tn__dtype_size((tn_dtype)x->dtype);
    tn__slicing slicing;
    int64_t offset;
    TN_TRY(must_slice(kernel, 1, &x->shape, &slicing));
    TN_TRY(tn__ensure_output(kernel, 0, (tn_dtype)x->dtype, &slicing.out));
    tn__block block = block_of(&slicing, &x->shape, &offset);
    tn__block_copy(&block, size, kernel->output[0]->data,
                   (const char *)x->data + offset * (int64_t)size);
    return TN_OK;
}

/* dx: dy in the places it came from, zeros elsewhere */
static void strided_slice_gradient(tn__gradient *g)
{
    tn_tensor *shape = tn_cast(tn__shape_tensor(g->in[0]), (tn_dtype)g->in[1]->dtype);
    g->din[0] = TN__APPLY(tn__op_StridedSliceGrad, g->attrs, shape, g->in[1], g->in[2], g->in[3],
                          g->dout[0]);
}

const tn__op tn__op_StridedSlice = {
    .name = "StridedSlice",
    .label = "strided_slice",
    .inputs = "input: T, begin: Index, end: Index, strides: Index",
    .outputs = "output: T",
    .types = "T: any; Index: int32, int64",
    .attrs = mask_fields,
    .attrs_size = sizeof(tn__slice_masks),
    .infer = strided_slice_infer,
    .compute = strided_slice_compute,
    .gradient = strided_slice_gradient,
    .flags = TN__HALF,
};

/* --- StridedSliceGrad ------------------------------------------------------------------------- */
static tn_status strided_slice_grad_infer(tn__infer *infer)
{
    infer->output[0].shape = tn__known_shape(infer->input[0]);
    return TN_OK;
}

static tn_status strided_slice_grad_compute(tn__kernel *kernel)
{
    const tn_tensor *dy = kernel->input[4];
    size_t size = tn__dtype_size((tn_dtype)dy->dtype);
    tn_shape shape;
    tn__slicing slicing;
    int64_t offset;
    TN_TRY(tn__shape_said(kernel, 0, &shape));
    TN_TRY(must_slice(kernel, 1, &shape, &slicing));
    if (!tn__shape_equal(&slicing.out, &dy->shape))
        return tn__fail(TN_INVALID_ARGUMENT, "shape of dy was %s instead of %s",
                        TN__BRACKETS(dy->shape), TN__BRACKETS(slicing.out));
    TN_TRY(tn__ensure_output(kernel, 0, (tn_dtype)dy->dtype, &shape));
    tn__block block = block_of(&slicing, &shape, &offset), back = block;
    memcpy(back.to, block.from, sizeof block.from);
    memcpy(back.from, block.to, sizeof block.to);
    memset(kernel->output[0]->data, 0, tn__byte_count(kernel->output[0]));
    tn__block_copy(&back, size, (char *)kernel->output[0]->data + offset * (int64_t)size, dy->data);
    return TN_OK;
}

/* linear in dy: the gradient of dy is the slice */
static void strided_slice_grad_gradient(tn__gradient *g)
{
    g->din[4] = TN__APPLY(tn__op_StridedSlice, g->attrs, g->dout[0], g->in[1], g->in[2], g->in[3]);
}

const tn__op tn__op_StridedSliceGrad = {
    .name = "StridedSliceGrad",
    .inputs = "shape: Index, begin: Index, end: Index, strides: Index, dy: T",
    .outputs = "output: T",
    .types = "T: any; Index: int32, int64",
    .attrs = mask_fields,
    .attrs_size = sizeof(tn__slice_masks),
    .infer = strided_slice_grad_infer,
    .compute = strided_slice_grad_compute,
    .gradient = strided_slice_grad_gradient,
    .flags = TN__HALF,
};

static tn_tensor *entries(const tn_shape *shape)
{
    return tn__own(tn__tensor_ints(TN_INT64, shape->rank, shape->dims));
}

static tn_shape all_ones(int rank)
{
    tn_shape ones = tn__shape_of_rank(rank);
    for (int i = 0; i < rank; i++)
        ones.dims[i] = 1;
    return ones;
}

tn_tensor *tn_strided_slice_with(const tn_strided_slice_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    const tn__slice_masks masks = { o->begin_mask, o->end_mask, o->ellipsis_mask, o->new_axis_mask,
                                    o->shrink_axis_mask };
    tn_shape strides = o->strides.known ? o->strides : all_ones(o->begin.rank);
    return TN__APPLY(tn__op_StridedSlice, &masks, o->input, entries(&o->begin), entries(&o->end),
                     entries(&strides));
}

tn_tensor *tn_rows(tn_tensor *x, int64_t begin, int64_t end)
{
    static const tn__slice_masks whole = { 0 };
    tn_shape one = TN_SHAPE(1), from = TN_SHAPE(begin), to = TN_SHAPE(end);
    return TN__APPLY(tn__op_StridedSlice, &whole, x, entries(&from), entries(&to), entries(&one));
}

/* --- Slice ------------------------------------------------------------------------------------ */
/* The size along one dimension; TN_NONE where it is not known yet. */
static tn_status slice_dim(int i, int64_t dim, int64_t begin, int64_t size, int64_t *result)
{
    bool begin_known = begin != TN__UNSURE;
    *result = size == TN__UNSURE ? TN_NONE : size;
    if (begin_known && (begin < 0 || (dim >= 0 && begin > dim)))
        return tn__fail(TN_INVALID_ARGUMENT, "Expected begin[%d] in [0, %lld], but got %lld", i,
                        (long long)dim, (long long)begin);
    if (size == -1)
        *result = dim < 0 || !begin_known ? TN_NONE : dim - begin;
    else if (size != TN__UNSURE &&
             (size < -1 || (dim >= 0 && size > dim - (begin_known ? begin : 0))))
        return tn__fail(TN_INVALID_ARGUMENT, "Expected size[%d] in [0, %lld], but got %lld", i,
                        (long long)(dim - (begin_known ? begin : 0)), (long long)size);
    return TN_OK;
}

static tn_status check_slice_entries(const tn_tensor *x, const tn_tensor *begin,
                                     const tn_tensor *size)
{
    tn_shape wanted = x->shape.known ? tn__shape_vector(x->shape.rank) : tn__shape_of_rank(1);
    if (tn__shape_fits(&begin->shape, &wanted) && tn__shape_fits(&size->shape, &wanted) &&
        tn__shape_fits(&begin->shape, &size->shape))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Expected begin and size arguments to be 1-D tensors of size %d, but got "
                    "shapes %s and %s instead.",
                    x->shape.rank, TN__BRACKETS(begin->shape), TN__BRACKETS(size->shape));
}

static tn_status slice_shape(tn_tensor *const *input, tn_shape *out)
{
    const tn_shape *in = &input[0]->shape;
    int64_t begin[TN__MOST_KNOWN], size[TN__MOST_KNOWN];
    size_t counts[2];
    TN_TRY(check_slice_entries(input[0], input[1], input[2]));
    *out = tn__known_shape(input[2]);
    if (in->known)
        *out = tn__shape_of_rank(in->rank);
    else
        for (int i = 0; i < out->rank; i++)
            out->dims[i] = TN_NONE;
    if (!in->known || !entries_of(input[1], begin, &counts[0]) ||
        !entries_of(input[2], size, &counts[1]))
        return TN_OK;
    for (int i = 0; i < in->rank; i++)
        TN_TRY(slice_dim(i, in->dims[i], begin[i], size[i], &out->dims[i]));
    return TN_OK;
}

static tn_status slice_infer(tn__infer *infer)
{
    return slice_shape(infer->input, &infer->output[0].shape);
}

static tn_status slice_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    size_t size = tn__dtype_size((tn_dtype)x->dtype);
    tn_shape shape;
    TN_TRY(slice_shape(kernel->input, &shape));
    TN_TRY(tn__ensure_output(kernel, 0, (tn_dtype)x->dtype, &shape));
    int64_t from[TN_MAX_RANK], to[TN_MAX_RANK], offset = 0;
    tn__block block = { 0 };
    tn__strides(&x->shape, from);
    tn__strides(&shape, to);
    for (int i = 0; i < shape.rank; i++) {
        offset += tn__int_at(kernel->input[1], i) * from[i];
        tn__block_add(&block, shape.dims[i], to[i], from[i]);
    }
    tn__block_copy(&block, size, kernel->output[0]->data,
                   (const char *)x->data + offset * (int64_t)size);
    return TN_OK;
}

/* dx = dy with zeros round it: begin before, shape(x) - shape(y) - begin behind */
static void slice_gradient(tn__gradient *g)
{
    tn_dtype index = (tn_dtype)g->in[1]->dtype;
    tn_tensor *x = tn_cast(tn__shape_tensor(g->in[0]), index),
              *y = tn_cast(tn__shape_tensor(g->out[0]), index);
    tn_tensor *behind = tn_subtract(tn_subtract(x, y), g->in[1]);
    tn_tensor *paddings = tn_stack((tn_list){ 2, (tn_tensor *[]){ g->in[1], behind } }, 1);
    g->din[0] = TN__APPLY(tn__op_Pad, NULL, g->dout[0], paddings);
}

const tn__op tn__op_Slice = {
    .name = "Slice",
    .inputs = "input: T, begin: Index, size: Index",
    .outputs = "output: T",
    .types = "T: any; Index: int32, int64",
    .infer = slice_infer,
    .compute = slice_compute,
    .gradient = slice_gradient,
    .flags = TN__HALF,
};

tn_tensor *tn_slice(tn_tensor *x, tn_shape begin, tn_shape size)
{
    return TN__APPLY(tn__op_Slice, NULL, x, entries(&begin), entries(&size));
}
