/* tensor_proto.h - the values of a TensorProto, which may stand in it in two ways: all bytes, or a
 * list of numbers whose last one fills the rest. */
#ifndef TN_FORMATS_TENSOR_PROTO_H
#define TN_FORMATS_TENSOR_PROTO_H
#include "formats/graphdef.h"

/* Its elements, and the bytes that they decode to (texts: 0); checks that dtype, shape and values
 * agree. The last value of a list may stand for any number of elements, so whoever allocates limits
 * *size. TN_UNIMPLEMENTED: variants and resources. */
tn_status tn__tensor_proto_measure(const tn__tensor_def *tensor, uint64_t *count, uint64_t *size);
/* The elements, row-major, in this machine's order, into room for *size bytes. Measured before. */
void tn__tensor_proto_copy(const tn__tensor_def *tensor, void *out);
/* The element of a tensor of texts; index < *count. Measured before. */
tn__span tn__tensor_proto_text(const tn__tensor_def *tensor, uint64_t index);

#endif
