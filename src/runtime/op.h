/* op.h - the description of an op: a constant beside its code, and one line in ops/ops.def. */
#ifndef TN_RUNTIME_OP_H
#define TN_RUNTIME_OP_H
#include "core/field.h"
#include "core/tensor.h"
#include "core/variable.h"
#include "kernels/kernels.h"

typedef struct tn__op tn__op;

/* --- shape inference ---------------------------------------------------------------------------------------------------- */
/* Filled in by the caller: inputs (of any form, none NULL, variables already read), attributes, and outputs with their dtypes.
 * The rule sets the outputs' shapes, which begin unknown, and checks what the signature cannot. */
typedef struct {
    const tn__op *op;
    const void *attrs;
    tn_tensor *const *input;
    size_t input_count, output_count;
    struct {
        tn_dtype dtype;
        tn_shape shape;
    } *output;
    bool lean; /* for the kernel, as there */
} tn__infer;

/* --- computing ---------------------------------------------------------------------------------------------------------- */
/* Inputs are values of full shapes. Outputs are allocated when inference gave a full shape, else the kernel makes them with
 * tn__kernel_output(). The caller owns the outputs' counts. */
typedef struct {
    tn_context *context;
    const tn__op *op;
    const void *attrs;
    tn_tensor *const *input;
    size_t input_count, output_count;
    tn_tensor **output;
    bool lean; /* nobody wants the outputs that op->count_kept counts: they stay NULL */
} tn__kernel;
tn_status tn__kernel_output(tn__kernel *kernel, size_t index, tn_dtype dtype, const tn_shape *shape);

/* --- gradients ---------------------------------------------------------------------------------------------------------- */
/* A rule is written in ops. dout[i] is NULL where output i does not matter, never for all; it sets din[i] for each input that a
 * gradient flows to (NULL: none). What it makes lives in a memory scope round it. */
typedef struct {
    const tn__op *op;
    const void *attrs;
    tn_tensor *const *in;
    tn_tensor *const *out;
    size_t in_count, out_count;
    tn_tensor *const *dout;
    tn_tensor **din;
    const bool *wanted; /* is din[i] asked for? costly parts may look */
} tn__gradient;

/* --- the description ---------------------------------------------------------------------------------------------------- */
enum {
    TN__STATEFUL = 1,  /* never dropped, merged or folded: reads or writes something */
    TN__VIEW = 2,      /* the output is input 0's elements in the inferred shape; no compute */
    TN__HALF = 4,      /* compute takes every dtype itself; else float16 and bfloat16 are computed in float32, whole numbers other than
                          int32, int64 and uint8 in int64 */
    TN__COMMUTES = 8,  /* f(a, b) = f(b, a) */
    TN__SHAPE_ONLY = 16,   /* looks at its inputs' shapes, not at their elements */
    TN__ANY_INPUTS = 64,   /* any number of inputs of any types, variables as they are; inference sets the outputs' dtypes */
    TN__MAKES_OUTPUTS = 32 /* compute makes its outputs itself, even when their shapes are known */
};

struct tn__op {
    const char *name;    /* TensorFlow's raw op: "MatMul" */
    const char *label;   /* what its nodes are named where Python's function names them otherwise: "truediv"; NULL: as the op */
    /* As in TensorFlow's OpDef: "a: T, b: T", "values: N * T, axis: Tidx", "resource: resource, value: dtype". Lists stand together,
     * of one length; a type that starts with a capital or is an attribute's name is a type attribute, all inputs of which agree.
     * "any": each its own, and inference settles the outputs'. */
    const char *inputs, *outputs;
    const char *types;   /* "T: float, double; Tidx: int32, int64"; names as OpDefs spell them; "number", "float*" for the sets */
    const tn_field *attrs; /* the rest, fields of attrs_size bytes; NULL: none */
    size_t attrs_size;
    size_t (*count_outputs)(const void *attrs, size_t inputs); /* NULL: as `outputs` says */
    size_t (*count_kept)(const void *attrs); /* how many of the last outputs are for the gradient alone; NULL: none */
    tn_status (*infer)(tn__infer *infer);
    tn_status (*compute)(tn__kernel *kernel);
    /* A composite (a layer): in a functional model it is a node, else it runs its body in the mode of now. Outputs are retained. */
    tn_status (*expand)(tn_context *context, const void *attrs, tn_tensor *const *inputs, size_t input_count, tn_tensor **outputs,
                        size_t output_count);
    void (*gradient)(tn__gradient *gradient); /* NULL only with a reason: */
    const char *no_gradient; /* "not differentiable: integers", or "none: …" where zero is the answer */
    unsigned flags;
    tn__function function; /* the same for float32, as a part of a chain; 0: there is none */
    const void *family; /* what the family's shared code needs to know of this op: its loops, say */
};

/* --- the registry, and signatures read once ----------------------------------------------------------------------------- */
enum { TN__MAX_ARGS = 24, TN__MAX_TYPES = 6 };
typedef struct {
    char name[32];
    int8_t type;      /* index into types, or -1: `dtype` (0: any) */
    uint8_t dtype;
    bool list;        /* as many as there are left over, in equal parts when several are lists */
} tn__arg;
typedef struct {
    tn__arg input[TN__MAX_ARGS], output[TN__MAX_ARGS];
    size_t inputs, outputs;
    int list;         /* which input is the first list, or -1 */
    size_t lists;     /* how many are: they stand together */
    struct {
        char name[16];
        tn__dtype_set set;
        const tn_field *attr; /* the type is an attribute, not read off an input */
    } type[TN__MAX_TYPES];
    size_t types;
    bool resources;   /* some input is a variable itself */
    bool alike;       /* all inputs and outputs are of one type that the inputs settle, and none is a list */
    const tn__op *op;
} tn__signature;
/* NULL and an error when the text is wrong (a fault of ours, found by the tests) or there is no memory. */
const tn__signature *tn__op_signature(const tn__op *op);
/* Every op, in the order of ops/ops.def: a table in init.c. */
enum { TN__MOST_OPS = 2048 };
extern const tn__op *const tn__ops[];
extern const size_t tn__ops_count;
size_t tn__op_count(void);
const tn__op *tn__op_at(size_t index);
const tn__op *tn__op_find(const char *name); /* NULL: there is none */
/* Can a call have n inputs? And the index of the argument that input i of n belongs to. */
bool tn__signature_takes(const tn__signature *signature, size_t n);
size_t tn__signature_arg(const tn__signature *signature, size_t n, size_t i);

/* What the runtime itself makes nodes of or runs; it stands in ops/state.c and ops/cast.c. */
/* Placeholder and PlaceholderWithDefault: what is fed. */
typedef struct {
    tn_dtype dtype;
    tn_shape shape;
} tn__placeholder_attrs;
extern const tn__op tn__op_Placeholder, tn__op_Const, tn__op_VarHandleOp, tn__op_ReadVariableOp;
tn_status tn__cast_value(tn_tensor *x, tn_dtype dtype, tn_tensor **result); /* retained for the caller */
tn_status tn__dispatch_cast(tn_context *context, tn_tensor *x, tn_dtype dtype, tn_tensor **result); /* as an op; likewise */

#endif
