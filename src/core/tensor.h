/* tensor.h - what a tn_tensor is: a value, a variable, an output of a graph's node, or a tuple. */
#ifndef TN_CORE_TENSOR_H
#define TN_CORE_TENSOR_H
#include "core/context.h"
#include "core/shape.h"

typedef enum { TN__VALUE, TN__VARIABLE, TN__SYMBOLIC, TN__TUPLE } tn__form;

/* Elements that several tensors share. */
typedef struct tn__buffer {
    _Atomic uint32_t count;
    size_t size;
    void *data;
    void (*free_data)(void *owner, void *data); /* NULL: data is ours, and stands behind this in one block */
    void *owner;
} tn__buffer;

enum { TN__SMALL = 64 }; /* bytes of elements that stand in the header itself */

struct tn_tensor {
    tn__object object;
    uint8_t form, dtype;
    bool placed; /* the elements lie in a program's workspace and will be overwritten: they are copied, never shared */
    bool weak; /* made by tn_scalar: takes the dtype of the tensor beside it, and its value is part of a trace's signature */
    uint64_t id;        /* of the value: handles with one id are one tensor to graphs and tapes */
    tn_tensor *mask;    /* Keras's _keras_mask: which of its places count; retained, NULL: all; see nn/mask.h */
    tn_tensor *slices;  /* of a gradient: the rows that it is the sum of; retained, NULL: none; see ops/slices.h */
    tn_shape shape;
    void *data;         /* TN__VALUE: the elements, row-major; never written once another can see the tensor */
    tn__buffer *buffer; /* where data lies; NULL: in small */
    union {
        struct {
            struct tn__node *node; /* TN__SYMBOLIC, retained */
            int index;
        } output;
        struct tn__variable *variable; /* TN__VARIABLE, owned */
        struct {
            tn_tensor **item; /* TN__TUPLE, owned, items retained */
            size_t count;
            int depth; /* tuples within tuples: bounded, so that recursion over them is */
        } tuple;
    } of;
    _Alignas(16) unsigned char small[TN__SMALL];
};
TN__HANDLE_SIZE(struct tn_tensor);
extern const tn__type tn__type_tensor;

/* Elements uninitialised; the caller owns the count. Fails on an impossible shape or for lack of memory. */
tn_status tn__tensor_new(tn_dtype dtype, const tn_shape *shape, tn_tensor **tensor);
tn_status tn__tensor_copy(tn_dtype dtype, const tn_shape *shape, const void *data, tn_tensor **tensor);
/* The same elements in another shape (and dtype of the same size), shared. */
tn_status tn__tensor_view(tn_tensor *value, const tn_shape *shape, tn_tensor **view);
/* Another handle of the same value, variable's read or node's output, with the same id and neither mask nor slices. */
tn_status tn__tensor_alias(const tn_tensor *x, tn_tensor **alias);
/* Elements that lie in memory of somebody's own (a mapped file): free_data is called when the last tensor is gone, also when
 * this fails. */
tn_status tn__tensor_borrow(tn_dtype dtype, const tn_shape *shape, void *data,
                            void (*free_data)(void *owner, void *data), void *owner, tn_tensor **tensor);
/* A handle of a program's workspace, over elements there. */
tn_status tn__tensor_placed(tn_dtype dtype, const tn_shape *shape, void *data, tn_tensor **tensor);
tn_tensor *tn__tensor_int32(int64_t value);                      /* scalars and vectors; NULL and an error without memory */
tn_tensor *tn__tensor_ints(tn_dtype dtype, int64_t count, const int64_t *values);
tn_tensor *tn__tensor_fill(tn_dtype dtype, const tn_shape *shape, double value);
tn_tensor *tn__tuple_new(size_t count, tn_tensor *const *items);
/* Of a structure, a tensor or tuples of such, nested: how many tensors; and these in order, not retained: gives the next free place. */
size_t tn__flat_count(const tn_tensor *structure);
tn_tensor **tn__flatten(tn_tensor *structure, tn_tensor **leaves);

static inline int64_t tn__count(const tn_tensor *x) { return tn__shape_count(&x->shape); }
static inline size_t tn__byte_count(const tn_tensor *x)
{
    return (size_t)tn__shape_count(&x->shape) * tn__dtype_size((tn_dtype)x->dtype);
}
/* May be overwritten: nobody else holds the tensor or its elements. */
bool tn__tensor_unique(const tn_tensor *value);

/* Element i of a value, as double or integer. */
static inline double tn__double_at(const tn_tensor *x, int64_t i)
{
    size_t size = tn__dtype_size((tn_dtype)x->dtype);
    return tn__element_to_double((tn_dtype)x->dtype, (const char *)x->data + (size_t)i * size);
}
static inline int64_t tn__int_at(const tn_tensor *x, int64_t i)
{
    size_t size = tn__dtype_size((tn_dtype)x->dtype);
    return tn__element_to_int((tn_dtype)x->dtype, (const char *)x->data + (size_t)i * size);
}

/* A weak float keeps the number it was written as: a float64 beside it asks for more digits than its own float32 has. */
static inline double *tn__weak_number(tn_tensor *x) { return (double *)(void *)(x->small + 16); }

/* true for a live tensor of any form; else records the error. */
static inline bool tn__check_tensor(const tn_tensor *x, const char *what)
{
    return __builtin_expect(x && x->object.type == &tn__type_tensor, 1) || tn__check(x, &tn__type_tensor, what);
}
/* The same of every item. */
static inline bool tn__check_tensors(tn_list list, const char *what)
{
    for (size_t i = 0; i < list.count; i++)
        if (!tn__check_tensor(list.item[i], what))
            return false;
    return true;
}
/* "float32 (2, 3)" for messages. */
const char *tn__tensor_print(const tn_tensor *x, char text[TN__SHAPE_TEXT + 32]);
#define TN__TENSOR(x) tn__tensor_print((x), (char[TN__SHAPE_TEXT + 32]){ 0 })

/* The present value of a value or variable: a retained tensor. Symbolic tensors and tuples are an error naming `what`. */
tn_status tn__value_of(tn_tensor *x, const char *what, tn_tensor **value);

#endif
