/* tensor_proto.c */
#include "formats/tensor_proto.h"
#include <string.h>

/* The list that a dtype's numbers are in: so many of them, in items of so many bytes, of which the
 * first `width` are the element's (numbers are little-endian here as there). Complex numbers are
 * pairs. */
typedef struct {
    const void *item;
    size_t count, step, width;
} values;

static values values_of(const tn__tensor_def *t)
{
#define VALUES(list, width)                                    \
    ((values){ (list).item, (list).count, sizeof *(list).item, \
               (width) ? (width) : sizeof *(list).item })
    size_t width = tn__tf_dtype_size(t->dtype);
    switch (t->dtype) {
    case TN__TF_FLOAT:
        return VALUES(t->float_val, 0);
    case TN__TF_DOUBLE:
        return VALUES(t->double_val, 0);
    case TN__TF_INT64:
        return VALUES(t->int64_val, 0);
    case TN__TF_BOOL:
        return VALUES(t->bool_val, 0);
    case TN__TF_UINT32:
        return VALUES(t->uint32_val, 0);
    case TN__TF_UINT64:
        return VALUES(t->uint64_val, 0);
    case TN__TF_HALF:
    case TN__TF_BFLOAT16:
        return VALUES(t->half_val, width);
    case TN__TF_COMPLEX64:
        return (values){ t->scomplex_val.item, t->scomplex_val.count / 2, 8, 8 };
    case TN__TF_COMPLEX128:
        return (values){ t->dcomplex_val.item, t->dcomplex_val.count / 2, 16, 16 };
    case TN__TF_STRING:
        return VALUES(t->string_val, 0);
    case TN__TF_FLOAT8_E5M2:
    case TN__TF_FLOAT8_E4M3FN:
    case TN__TF_FLOAT8_E4M3FNUZ:
    case TN__TF_FLOAT8_E4M3B11FNUZ:
    case TN__TF_FLOAT8_E5M2FNUZ:
    case TN__TF_FLOAT4_E2M1FN:
        return (values){ t->float8_val.data, t->float8_val.size, 1, 1 };
    default:
        return VALUES(t->int_val, width);
    }
#undef VALUES
}

static bool count_elements(const tn__shape_def *shape, uint64_t *count)
{
    *count = 1;
    if (!shape)
        return true;
    for (size_t i = 0; i < shape->dim.count; i++)
        if (shape->dim.item[i].size < 0 ||
            __builtin_mul_overflow(*count, (uint64_t)shape->dim.item[i].size, count))
            return false;
    return !shape->unknown_rank;
}

tn_status tn__tensor_proto_measure(const tn__tensor_def *tensor, uint64_t *count, uint64_t *size)
{
    size_t width = tn__tf_dtype_size(tensor->dtype);
    if (width == 0 && tensor->dtype != TN__TF_STRING)
        return tn__fail(TN_UNIMPLEMENTED, "TensorProto: values of dtype %s cannot be read",
                        tn__tf_dtype_name(tensor->dtype));
    if (!count_elements(tensor->shape, count) || __builtin_mul_overflow(*count, width, size))
        return tn__fail(TN_DATA_LOSS, "TensorProto: its shape is none that a value can have");
    if (tensor->content.size && tensor->content.size != *size)
        return tn__fail(TN_DATA_LOSS, "TensorProto: expected %llu bytes of content, got %zu",
                        (unsigned long long)*size, tensor->content.size);
    size_t given = values_of(tensor).count;
    if (!tensor->content.size && given > *count)
        return tn__fail(TN_DATA_LOSS, "TensorProto: expected at most %llu values, got %zu",
                        (unsigned long long)*count, given);
    return TN_OK;
}

void tn__tensor_proto_copy(const tn__tensor_def *tensor, void *out)
{
    uint64_t count = 0;
    values from = values_of(tensor);
    count_elements(tensor->shape, &count);
    if (tensor->content.size) {
        memcpy(out, tensor->content.data, tensor->content.size);
        return;
    }
    if (!from.count) { /* no value at all is 0 */
        memset(out, 0, (size_t)count * tn__tf_dtype_size(tensor->dtype));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        size_t given = i < from.count ? i : from.count - 1;
        memcpy((uint8_t *)out + i * from.width, (const uint8_t *)from.item + given * from.step,
               from.width);
    }
}

tn__span tn__tensor_proto_text(const tn__tensor_def *tensor, uint64_t index)
{
    size_t count = tensor->string_val.count;
    if (!count)
        return (tn__span){ NULL, 0 };
    return tensor->string_val.item[index < count ? index : count - 1];
}
