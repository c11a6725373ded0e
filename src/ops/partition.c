/* partition.c - rows that are dealt out and put together again, and sequences turned round:
 * DynamicPartition, DynamicStitch, ReverseSequence. */
#include "ops/array.h"
#include <string.h>

/* Does a shape begin with this one? Unknown dimensions may. */
static bool begins_with(const tn_shape *shape, const tn_shape *begin)
{
    tn_shape head = *shape;
    if (!shape->known || !begin->known)
        return true;
    head.rank = begin->rank;
    return begin->rank <= shape->rank && tn__shape_fits(&head, begin);
}

/* (first, what is behind the first `rank` dimensions…) */
static tn_shape with_rows(int64_t first, const tn_shape *shape, int rank)
{
    tn_shape rows = { 1, 1, { first } };
    for (int i = rank; i < shape->rank; i++)
        rows.dims[rows.rank++] = shape->dims[i];
    return rows;
}

/* --- DynamicPartition ------------------------------------------------------------------------- */
typedef struct {
    int64_t num_partitions;
} partition_attrs;
static const tn_field partition_fields[] = {
    TN__ROW(TN_FIELD_INT, partition_attrs, num_partitions, NULL, ">=1"),
    TN__END_OF_FIELDS,
};

static size_t count_partitions(const void *attrs, size_t inputs)
{
    int64_t count = ((const partition_attrs *)attrs)->num_partitions;
    (void)inputs;
    return count > 0 ? (size_t)count : 0;
}

static tn_status check_partitions(const tn_shape *data, const tn_shape *partitions)
{
    if (begins_with(data, partitions) && !(partitions->rank == 0 && data->rank == TN_MAX_RANK))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "data.shape must start with partitions.shape, got data.shape = %s, "
                    "partitions.shape = %s",
                    TN__BRACKETS(*data), TN__BRACKETS(*partitions));
}

static tn_status partition_infer(tn__infer *infer)
{
    const tn_shape *data = &infer->input[0]->shape, *partitions = &infer->input[1]->shape;
    TN_TRY(check_partitions(data, partitions));
    for (size_t i = 0; i < infer->output_count; i++)
        if (data->known && partitions->known)
            infer->output[i].shape = with_rows(TN_NONE, data, partitions->rank);
    return TN_OK;
}

/* How many rows each gets; the table is the caller's to free. */
static tn_status count_rows(const tn_tensor *partitions, size_t count, int64_t **rows)
{
    *rows = tn__alloc_zeroed(count, sizeof **rows);
    if (!*rows)
        return TN_RESOURCE_EXHAUSTED;
    for (int64_t i = 0; i < tn__count(partitions); i++) {
        int64_t part = tn__int_at(partitions, i);
        if (part < 0 || (size_t)part >= count)
            return tn__fail(TN_INVALID_ARGUMENT, "partitions[%lld] = %lld is not in [0, %zu)",
                            (long long)i, (long long)part, count);
        (*rows)[part]++;
    }
    return TN_OK;
}

static tn_status deal(tn__kernel *kernel, int64_t *rows)
{
    const tn_tensor *data = kernel->input[0], *partitions = kernel->input[1];
    for (size_t i = 0; i < kernel->output_count; i++) {
        tn_shape shape = with_rows(rows[i], &data->shape, partitions->shape.rank);
        TN_TRY(tn__ensure_output(kernel, i, (tn_dtype)data->dtype, &shape));
        rows[i] = 0; /* from here on, how many it has */
    }
    int64_t count = tn__count(partitions);
    size_t bytes = count ? tn__byte_count(data) / (size_t)count : 0;
    for (int64_t i = 0; i < count && bytes; i++) {
        int64_t part = tn__int_at(partitions, i);
        memcpy((char *)kernel->output[part]->data + (size_t)rows[part]++ * bytes,
               (const char *)data->data + (size_t)i * bytes, bytes);
    }
    return TN_OK;
}

static tn_status partition_compute(tn__kernel *kernel)
{
    int64_t *rows;
    TN_TRY(check_partitions(&kernel->input[0]->shape, &kernel->input[1]->shape));
    tn_status status = count_rows(kernel->input[1], kernel->output_count, &rows);
    if (status == TN_OK)
        status = deal(kernel, rows);
    tn__free(rows);
    return status;
}

/* each row's number is dealt out as the rows are, and says where its part of dy belongs */
static void partition_gradient(tn__gradient *g)
{
    size_t parts = g->out_count;
    tn_tensor **inputs = tn__scope_alloc(2 * parts * sizeof *inputs), *partitions = g->in[1];
    tn_tensor *numbers = tn_range(tn__int(0), tn_size(partitions), tn__int(1));
    numbers = TN__APPLY(tn__op_Reshape, NULL, numbers, tn__shape_tensor(partitions));
    tn_list dealt = tn__apply_list(&tn__op_DynamicPartition, g->attrs,
                                   (tn_tensor *[]){ numbers, partitions }, 2, parts);
    for (size_t i = 0; inputs && dealt.item && i < parts; i++) {
        inputs[i] = dealt.item[i];
        inputs[parts + i] = tn__dout(g, i);
    }
    if (inputs && dealt.item)
        g->din[0] = TN__APPLY(tn__op_Reshape, NULL,
                              tn__apply(&tn__op_DynamicStitch, NULL, inputs, 2 * parts),
                              tn__shape_tensor(g->in[0]));
}

const tn__op tn__op_DynamicPartition = {
    .name = "DynamicPartition",
    .inputs = "data: T, partitions: int32",
    .outputs = "outputs: num_partitions * T",
    .types = "T: any",
    .attrs = partition_fields,
    .attrs_size = sizeof(partition_attrs),
    .count_outputs = count_partitions,
    .infer = partition_infer,
    .compute = partition_compute,
    .gradient = partition_gradient,
    .flags = TN__HALF,
};

enum { MOST_PARTITIONS = 1 << 20 };

tn_list tn_dynamic_partition(tn_tensor *data, tn_tensor *partitions, int64_t num_partitions)
{
    const tn_list none = { 0, NULL };
    const partition_attrs attrs = { num_partitions };
    TN__ENTER(context, none);
    (void)context;
    if (num_partitions < 1 || num_partitions > MOST_PARTITIONS) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "Value for attr 'num_partitions' of %lld must be at least minimum 1\n"
                 "tn_dynamic_partition: at most %d",
                 (long long)num_partitions, MOST_PARTITIONS);
        return none;
    }
    return tn__apply_list(&tn__op_DynamicPartition, &attrs, (tn_tensor *[]){ data, partitions }, 2,
                          (size_t)num_partitions);
}

/* --- DynamicStitch ---------------------------------------------------------------------------- */
/* data[i] is (indices[i]…, rest…), with one rest for all. */
static tn_status check_stitch(tn_tensor *const *input, size_t parts, tn_shape *rest)
{
    size_t first = parts;
    *rest = TN__UNKNOWN_SHAPE;
    for (size_t i = 0; i < parts; i++) {
        const tn_shape *indices = &input[i]->shape, *data = &input[parts + i]->shape;
        if (!begins_with(data, indices))
            return tn__fail(TN_INVALID_ARGUMENT,
                            "data[%zu].shape = %s does not start with indices[%zu].shape = %s", i,
                            TN__BRACKETS(*data), i, TN__BRACKETS(*indices));
        if (!data->known || !indices->known)
            continue;
        tn_shape own = with_rows(TN_NONE, data, indices->rank);
        if (first < parts && !tn__shape_fits(rest, &own))
            return tn__fail(
                TN_INVALID_ARGUMENT,
                "Need data[0].shape[%d:] = data[%zu].shape[%d:], got data[0].shape = %s, "
                "data[%zu].shape = %s, indices[0].shape = %s, indices[%zu].shape = %s",
                input[first]->shape.rank, i, indices->rank,
                TN__BRACKETS(input[parts + first]->shape), i, TN__BRACKETS(*data),
                TN__BRACKETS(input[first]->shape), i, TN__BRACKETS(*indices));
        if (first == parts)
            first = i, *rest = own;
    }
    return TN_OK;
}

static tn_status stitch_infer(tn__infer *infer)
{
    return check_stitch(infer->input, infer->input_count / 2, &infer->output[0].shape);
}

static int64_t greatest_index(const tn__kernel *kernel, size_t parts)
{
    int64_t most = -1;
    for (size_t i = 0; i < parts; i++)
        for (int64_t k = 0; k < tn__count(kernel->input[i]); k++)
            if (tn__int_at(kernel->input[i], k) > most)
                most = tn__int_at(kernel->input[i], k);
    return most;
}

/* Later ones replace earlier ones; what no index names is 0. */
static tn_status stitch_compute(tn__kernel *kernel)
{
    size_t parts = kernel->input_count / 2;
    tn_shape shape;
    TN_TRY(check_stitch(kernel->input, parts, &shape));
    shape.dims[0] = greatest_index(kernel, parts) + 1;
    TN_TRY(tn__ensure_output(kernel, 0, (tn_dtype)kernel->input[parts]->dtype, &shape));
    tn_tensor *y = kernel->output[0];
    size_t bytes = (size_t)tn__count_of(&shape, 1, shape.rank) * tn__dtype_size((tn_dtype)y->dtype);
    if (tn__byte_count(y))
        memset(y->data, 0, tn__byte_count(y));
    for (size_t i = 0; i < parts; i++)
        for (int64_t k = 0; k < tn__count(kernel->input[i]); k++) {
            int64_t at = tn__int_at(kernel->input[i], k);
            if (at < 0)
                return tn__fail(TN_INVALID_ARGUMENT,
                                "indices[%lld] is out of range\nDynamicStitch: it "
                                "is %lld",
                                (long long)k, (long long)at);
            if (bytes)
                memcpy((char *)y->data + (size_t)at * bytes,
                       (const char *)kernel->input[parts + i]->data + (size_t)k * bytes, bytes);
        }
    return TN_OK;
}

/* each row of data gets dy where its index says, as in TensorFlow also when a later row replaced it
 */
static void stitch_gradient(tn__gradient *g)
{
    size_t parts = g->in_count / 2;
    for (size_t i = 0; i < parts; i++)
        if (g->wanted[parts + i])
            g->din[parts + i] = tn_gather(g->dout[0], g->in[i], 0);
}

const tn__op tn__op_DynamicStitch = {
    .name = "DynamicStitch",
    .inputs = "indices: N * int32, data: N * T",
    .outputs = "merged: T",
    .types = "T: any",
    .infer = stitch_infer,
    .compute = stitch_compute,
    .gradient = stitch_gradient,
    .flags = TN__HALF,
};

tn_tensor *tn_dynamic_stitch(tn_list indices, tn_list data)
{
    tn_list both = tn_list_concat(indices, data);
    if (both.item && indices.count == data.count && indices.count > 0)
        return tn__apply(&tn__op_DynamicStitch, NULL, both.item, both.count);
    if (both.item)
        tn__fail(
            TN_INVALID_ARGUMENT,
            "List argument 'data' to 'dynamic_stitch' Op with length %zu must match length %zu "
            "of argument 'indices'.",
            data.count, indices.count);
    return NULL;
}

/* --- ReverseSequence -------------------------------------------------------------------------- */
typedef struct {
    int64_t seq_dim, batch_dim;
} sequence_attrs;
static const tn_field sequence_fields[] = {
    TN__ROW(TN_FIELD_INT, sequence_attrs, seq_dim, NULL, NULL),
    TN__ROW(TN_FIELD_INT, sequence_attrs, batch_dim, "0", NULL),
    TN__END_OF_FIELDS,
};

static tn_status check_sequence(const sequence_attrs *a, const tn_shape *x, const tn_shape *lengths)
{
    if (lengths->known && lengths->rank != 1)
        return tn__fail(TN_INVALID_ARGUMENT, "seq_lengths must be 1-dim, not %d", lengths->rank);
    if (a->batch_dim == a->seq_dim)
        return tn__fail(TN_INVALID_ARGUMENT, "batch_dim == seq_dim == %lld", (long long)a->seq_dim);
    if (!x->known)
        return TN_OK;
    if (a->seq_dim < 0 || a->seq_dim >= x->rank)
        return tn__fail(TN_INVALID_ARGUMENT, "seq_dim must be < input rank ( %lld vs. %d)",
                        (long long)a->seq_dim, x->rank);
    if (a->batch_dim < 0 || a->batch_dim >= x->rank)
        return tn__fail(TN_INVALID_ARGUMENT, "batch_dim must be < input rank ( %lld vs. %d)",
                        (long long)a->batch_dim, x->rank);
    int64_t batch = x->dims[a->batch_dim], count = lengths->known ? lengths->dims[0] : TN_NONE;
    if (batch >= 0 && count >= 0 && batch != count)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Length of seq_lengths != input.dims(%lld), (%lld vs. %lld)",
                        (long long)a->batch_dim, (long long)count, (long long)batch);
    return TN_OK;
}

static tn_status sequence_infer(tn__infer *infer)
{
    TN_TRY(check_sequence(infer->attrs, &infer->input[0]->shape, &infer->input[1]->shape));
    return tn__infer_same(infer);
}

/* Places [begin, begin + count) of the sequence of one batch entry, from there on or, reversed,
 * from the end of them. */
static void copy_part(const sequence_attrs *a, const tn_tensor *x, tn_tensor *y, int64_t entry,
                      int64_t begin, int64_t count, bool reversed)
{
    int64_t stride[TN_MAX_RANK], to, from;
    tn__block block = { 0 };
    tn__strides(&x->shape, stride);
    to = from = entry * stride[a->batch_dim] + begin * stride[a->seq_dim];
    for (int i = 0; i < x->shape.rank; i++) {
        int64_t step = stride[i], dim = i == a->batch_dim ? 1 : x->shape.dims[i];
        if (i == a->seq_dim)
            tn__block_add(&block, count, step, reversed ? -step : step);
        else
            tn__block_add(&block, dim, step, step);
    }
    if (reversed)
        from += (count - 1) * stride[a->seq_dim];
    int64_t size = (int64_t)tn__dtype_size((tn_dtype)x->dtype);
    if (count > 0 && tn__count(x) > 0)
        tn__block_copy(&block, (size_t)size, (char *)y->data + to * size,
                       (const char *)x->data + from * size);
}

static tn_status sequence_compute(tn__kernel *kernel)
{
    const sequence_attrs *a = kernel->attrs;
    const tn_tensor *x = kernel->input[0], *lengths = kernel->input[1];
    int64_t most = x->shape.dims[a->seq_dim];
    for (int64_t i = 0; i < tn__count(lengths); i++) {
        int64_t length = tn__int_at(lengths, i);
        if (length < 0)
            return tn__fail(TN_INVALID_ARGUMENT, "seq_lens(%lld) < 0", (long long)i);
        if (length > most)
            return tn__fail(TN_INVALID_ARGUMENT, "seq_lens(%lld) > input.dims(%lld)", (long long)i,
                            (long long)a->seq_dim);
        copy_part(a, x, kernel->output[0], i, 0, length, true);
        copy_part(a, x, kernel->output[0], i, length, most - length, false);
    }
    return TN_OK;
}

/* turned round once more */
static void sequence_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_ReverseSequence, g->attrs, g->dout[0], g->in[1]);
}

const tn__op tn__op_ReverseSequence = {
    .name = "ReverseSequence",
    .inputs = "input: T, seq_lengths: Tlen",
    .outputs = "output: T",
    .types = "T: any; Tlen: int32, int64",
    .attrs = sequence_fields,
    .attrs_size = sizeof(sequence_attrs),
    .infer = sequence_infer,
    .compute = sequence_compute,
    .gradient = sequence_gradient,
    .flags = TN__HALF,
};

tn_tensor *tn_reverse_sequence_with(const tn_reverse_sequence_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    const sequence_attrs attrs = { o->seq_axis, o->batch_axis };
    return TN__APPLY(tn__op_ReverseSequence, &attrs, o->input, o->seq_lengths);
}
