/* layer.h - what every layer has, and how a program makes its own. */
#ifndef TENON_LAYER_H
#define TENON_LAYER_H
#include "tenon/function.h"
#include "tenon/ops.h"
#include "tenon/variable.h"
TN_BEGIN
/* What every layer takes. */
#define TN_LAYER_OPTIONS \
    const char *name TN_DEFAULT(NULL);          /* NULL: "dense", "dense_1" …, gives way to others in a model */ \
    tn_flag trainable TN_DEFAULT(true); \
    const char *dtype TN_DEFAULT(NULL);         /* a dtype or policy, "mixed_bfloat16"; NULL: tn_dtype_policy() */ \
    tn_shape input_shape TN_DEFAULT({})         /* without the batch; builds at once in a Sequential */
#define TN_LAYER_DEFAULTS .trainable = true

/* Arguments are Keras's, in Keras's order. Strings for initializers, activations, regularizers and constraints are a name or a
 * constructor text: "relu", "random_normal(stddev=0.02)", "l2(1e-4)", "max_norm(2, axis=0)". Every layer computes in its dtype:
 * float inputs of another are cast. */

/* Dtype policies. "mixed_float16" and "mixed_bfloat16": a layer computes in the half type and keeps its weights in float32, which its
 * call reads as the half type (gradients reach them in float32). Any other is a dtype's name: both are of it. */
TN_API TN_USE tn_status tn_set_dtype_policy(const char *name); /* of this thread's new layers; "float32" at first */
TN_API const char *tn_dtype_policy(void);

/* Of layers without options of their own. Layers whose name is an op's end in _layer: Add, Subtract, Multiply, Maximum, Minimum, Reshape. */
typedef struct tn_layer_options { TN_OPTIONS_HEAD(tn_layer_options); TN_LAYER_OPTIONS; } tn_layer_options;

/* --- a class of one's own ---------------------------------------------------------------------------------------------
 * The instance is a struct of the program's; the library allocates it zeroed, copies TN_INIT over it, owns it, and gives it to the
 * three functions as self. Variables and layers made inside them belong to the layer; optimizers, metrics, losses and functions made
 * there live as long as it does, but those that a call after the first makes, which die with the call. */
typedef enum {
    TN_FIELD_INT = 1,     /* int64_t; INT64_MIN: None */
    TN_FIELD_FLOAT,       /* double; NAN: None */
    TN_FIELD_BOOL,        /* bool */
    TN_FIELD_STRING,      /* const char *; NULL: None */
    TN_FIELD_SHAPE,       /* tn_shape; not known: None */
    TN_FIELD_VARIABLE,    /* tn_variable *: not configuration, a name for files */
    TN_FIELD_LAYER,       /* tn_layer *: likewise */
    /* The library's own classes and ops have these too. */
    TN_FIELD_FLAG,        /* tn_flag */
    TN_FIELD_AXIS,        /* int */
    TN_FIELD_DTYPE,       /* tn_dtype; 0: None */
    TN_FIELD_INTS,        /* int64_t[n]: one number for each dimension; all zero: None */
    TN_FIELD_AXES,        /* tn_axes; count 0: None */
    TN_FIELD_TENSOR,      /* tn_tensor *; NULL: None */
    TN_FIELD_ACTIVATION,  /* const char *, a name or constructor text; NULL: None */
    TN_FIELD_INITIALIZER,
    TN_FIELD_REGULARIZER,
    TN_FIELD_CONSTRAINT,
    TN_FIELD_SCHEDULE,    /* of the field learning_rate, which gives its place to it in files and texts */
    TN_FIELD_OPTIMIZER,
    TN_FIELD_TEXTS,       /* const char *, several with "|" between them, in files a list; NULL: None */
    TN_FIELD_POINTER      /* something inside; never in files */
} tn_field_kind;
/* Declared fields are configuration (in get_config, files, the command line's text) or, for variables and layers, the names that
 * checkpoints track them by. The kind is read off the member's C type; a table written out in full may have fallback and range besides
 * TN_FIELD's kind, name and offset. A row is small, since there are so many. */
typedef struct {
    tn_field_kind kind : 16;
    unsigned count : 16;  /* TN_FIELD_INTS: how many */
    unsigned offset;
    const char *name;
    const char *fallback; /* the default as text, "0.99"; NULL: the value must be given */
    const char *range;    /* "> 0", ">= 0", "0..1", or the accepted words: "valid|same"; NULL: anything */
} tn_field;
extern const tn_field_kind tn_field_is_int64_t_or_double_or_bool_or_one_of_the_list_above; /* not there: for the compiler's message */
#define TN_FIELD(type, member) { .kind = _Generic(((type *)0)->member, int64_t: TN_FIELD_INT, double: TN_FIELD_FLOAT, \
    bool: TN_FIELD_BOOL, const char *: TN_FIELD_STRING, tn_shape: TN_FIELD_SHAPE, tn_variable *: TN_FIELD_VARIABLE, \
    tn_layer *: TN_FIELD_LAYER, default: tn_field_is_int64_t_or_double_or_bool_or_one_of_the_list_above), \
    .name = #member, .offset = offsetof(type, member) }
#define TN_FIELDS(...) (const tn_field[]){ __VA_ARGS__, { 0 } }
typedef struct tn_class {
    const char *name;               /* "CustomDense" */
    size_t size;                    /* of the instance */
    const tn_field *fields;         /* TN_FIELDS(…) or NULL */
    void (*init)(void *self);                       /* __init__, after TN_INIT; may be NULL */
    void (*build)(void *self, tn_list inputs);      /* once, before the first call; shapes are known, values are not */
    tn_body call;
    bool model;                     /* a tf.keras.Model rather than a Layer */
    bool traced;                    /* @tf.function on call */
    bool supports_masking;          /* an output has the mask of the input in the same place, unless compute_mask or call say otherwise */
    tn_tensor *(*compute_mask)(void *self, tn_list inputs); /* an output's mask, a tuple for several, NULL for none; reads tn_mask(tn_at(inputs, 0)) */
    const char *package;            /* "Custom" */
    /* The library's own classes, which are made of the same things, have these too. */
    const char *module;             /* "keras.layers"; NULL: registered as "package>name" */
    size_t options_size;            /* the instance begins with its options struct, of this many bytes */
    int inputs;                     /* how many inputs call wants; 0: one or more */
    const struct tn_class_more *more;
} tn_class;
typedef struct { size_t size; const void *value; } tn_init;
#define TN_INIT(type, ...) { sizeof(type), &(const type){ __VA_ARGS__ } }   /* compared with the class's size */
/* An instance of a class of the program's, as a layer or model. */
typedef struct tn_object_options {
    TN_OPTIONS_HEAD(tn_object_options);
    const tn_class *of TN_DEFAULT(NULL);
    tn_init init TN_DEFAULT({});
    TN_LAYER_OPTIONS;
} tn_object_options;
/* tn_new(&CustomDense, TN_INIT(custom_dense, .units = 128), .name = "custom_dense_1") */
TN_API tn_layer *tn_object_new(const tn_object_options *options);
TN_API void *tn_self(tn_layer *layer, const tn_class *of); /* the instance; NULL and an error when it is of another class */
/* Loading a file with layers of the class needs it, saving one does not. */
TN_API TN_USE tn_status tn_register_class(const tn_class *of);

/* Masks: which places of a tensor count, bool, of the leading dimensions of it (batch, time). A layer puts one on what it gives, for
 * the next; ops do not carry it on. tn_mask: x's, NULL (and no error) when it has none. tn_with_mask: the same tensor with this mask;
 * NULL: without one. */
TN_API tn_tensor *tn_mask(tn_tensor *x);
TN_API tn_tensor *tn_with_mask(tn_tensor *x, tn_tensor *mask);

/* self.add_loss of the layer whose build or call is running: a number that the model's training adds to its loss. */
TN_API TN_USE tn_status tn_add_loss(tn_tensor *loss);
/* layer.losses: what its last call added, then what its parts' calls did, then the penalties of all trainable weights that have a
 * regularizer, computed now. */
TN_API tn_list tn_losses(tn_layer *layer);

/* self.add_weight of the layer whose init, build or call is running. */
typedef struct tn_add_weight_options {
    TN_OPTIONS_HEAD(tn_add_weight_options);
    tn_shape shape TN_DEFAULT({});
    const char *initializer TN_DEFAULT("glorot_uniform");
    const char *name TN_DEFAULT(NULL);
    tn_flag trainable TN_DEFAULT(true);
    const char *regularizer TN_DEFAULT(NULL), *constraint TN_DEFAULT(NULL);
    tn_dtype dtype TN_DEFAULT(tn_dtype(0));     /* the layer's */
    tn_flag autocast TN_DEFAULT(true);          /* call reads it in what the layer computes in */
} tn_add_weight_options;
TN_API tn_variable *tn_add_weight_new(const tn_add_weight_options *options);

/* Example: a class of one's own, in a model.
 *
 *     typedef struct {
 *         double factor;
 *         tn_variable *offset;
 *     } scaled;
 *
 *     static void scaled_build(void *me, tn_list inputs)
 *     {
 *         scaled *self = me;
 *         self->offset = tn_add_weight(TN_SHAPE(tn_dim(tn_shape_of(tn_at(inputs, 0)), -1)), "ones", "offset");
 *     }
 *
 *     static tn_tensor *scaled_call(void *me, tn_list inputs)
 *     {
 *         scaled *self = me;
 *         return tn_add(tn_multiply(tn_at(inputs, 0), tn_scalar(self->factor)), self->offset);
 *     }
 *
 *     static const tn_class Scaled = {
 *         .name = "Scaled",
 *         .size = sizeof(scaled),
 *         .fields = TN_FIELDS(TN_FIELD(scaled, factor), TN_FIELD(scaled, offset)),
 *         .build = scaled_build,
 *         .call = scaled_call,
 *     };
 *
 *     int main(void)
 *     {
 *         tn_layer *layer = tn_new(&Scaled, TN_INIT(scaled, .factor = 3), .name = "s");
 *         tn_model *model = tn_sequential(TN_LAYERS(layer, tn_relu()));
 *         tn_print(tn_call(model, tn_ones(TN_SHAPE(1, 2), TN_FLOAT32))); // [[4. 4.]]
 *         printf("%s\n", tn_name(tn_variables(model).item[0]));          // s/offset
 *         return tn_report();
 *     }
 */
TN_API const char *tn_layer_dtype_policy(tn_layer *layer); /* "mixed_float16" */
TN_API tn_dtype tn_compute_dtype(tn_layer *layer);
TN_API tn_dtype tn_variable_dtype(tn_layer *layer);
TN_API const char *tn_layer_name(tn_layer *layer);      /* "dense_1"; of an automatic name, the one it has now */
TN_API const char *tn_layer_class_name(tn_layer *layer); /* "Dense" */
TN_API bool tn_is_trainable(tn_layer *layer);           /* of itself; its parts may differ */
/* The values of tn_variables(layer), in order: snapshots. */
TN_API tn_list tn_get_weights(tn_layer *layer);
/* Assigns them back. Count and shapes are checked before anything changes; dtypes are converted. */
TN_API TN_USE tn_status tn_set_weights(tn_layer *layer, tn_list weights);
TN_API tn_shape tn_input_shape(tn_layer *layer);        /* with the batch: (None, 10) */
/* layer.trainable = …, of all its parts too. A compiled model that has been trained goes on as it was traced: compile it again
 * afterwards (tn_fit warns). A BatchNormalization that is not trainable uses what it has learned also in training. */
TN_API void tn_set_trainable(tn_layer *layer, bool trainable);

#ifndef __cplusplus
#define tn_new(...) TN_OPTIONS(tn_object_new, tn_object_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_add_weight(...) TN_OPTIONS(tn_add_weight_new, tn_add_weight_options, (.initializer = "glorot_uniform", \
    .trainable = true, .autocast = true), __VA_ARGS__)
#endif
TN_END
#endif
