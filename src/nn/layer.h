/* layer.h - layers and models: what every one of them has. Its class says what is its own. */
#ifndef TN_NN_LAYER_H
#define TN_NN_LAYER_H
#include "function/frame.h"
#include "nn/policy.h"
#include "tenon/models.h"

/* The tail of every options struct (TN_LAYER_OPTIONS). */
typedef struct {
    TN_LAYER_OPTIONS;
} tn__layer_common;

/* What only the library's own classes need. */
typedef struct tn_class_more {
    const char *aliases;       /* what Keras calls the class besides, then and now: "Convolution2D|Conv2d"; NULL: nothing */
    int least_rank, most_rank; /* that every input must have; 0: any */
    bool takes_list;           /* Keras calls it with a list of inputs, even of one */
    bool reads_as_kept;        /* call reads weights in their own dtype, whatever it computes in: Keras's autocast=False */
    void (*destroy)(void *self);           /* what the instance holds beyond its fields */
    /* Configuration that the field table cannot say: added to, or taken from, the JSON object. */
    tn_status (*write_config)(tn_layer *layer, void *json);       /* json_t */
    /* A model from its config (Sequential, Functional): instead of tn__layer_new and the field table. */
    tn_status (*read_config)(tn_context *context, const void *json, tn_layer **layer);
    /* Old configs: renames and drops keys before the field table reads them. */
    tn_status (*upgrade_config)(void *json);
    /* Weights were read from a file: what the layer derives from them, Keras's finalize_state(). */
    tn_status (*finalize)(tn_layer *layer);
    tn_status (*adapt)(tn_layer *layer, tn_tensor *data); /* tn_adapt(); NULL: there is nothing to adapt */
    /* A layer's `layers`, where that is not all of its children. */
    size_t (*layers)(void *self, tn_layer *const **layers);
    /* symbolic input and output, built on demand */
    tn_status (*input_output)(tn_context *context, tn_layer *layer, tn_tensor **input, tn_tensor **output);
} tn_class_more;

typedef struct {
    tn_tensor *variable; /* retained */
    const char *field;   /* the class's field that points to it, or NULL */
} tn__weight;

struct tn_layer {
    tn__object object;
    const tn_class *of;
    void *self;             /* the instance, of->size bytes */
    char *name;
    char *scope;            /* the name scopes that were open when it was made */
    char *here;             /* the program's line that made it */
    const tn__policy *policy;
    size_t undeclared;      /* where in what TN_INIT gave the first bytes are that no field covers, plus 1; 0: there are none */
    bool automatic_name;    /* gives way to others */
    bool trainable, built;
    bool mask_lost;         /* it was told that a mask ends here */
    _Atomic bool closed;    /* its first call has returned; until then one thread at a time calls it */
    tn_layer *owner;        /* the layer it is part of; not retained. Of several the first */
    tn_shape *input_shape;  /* the option: without the batch; NULL: not given */
    tn_shape *build_shape;  /* of the first input when it was built, with the batch; NULL: not built by a call */
    tn_dtype *build_dtype;  /* of the same inputs; NULL: not built by a call */
    size_t build_count;     /* shapes behind build_shape, one an input; 0: one, which was given and not built */
    int64_t *seeds;         /* drawn for its initializers when it was made, one for each such field; NULL: there are none */
    int nodes;              /* calls on symbolic tensors so far: keras_history's node index */
    struct {
        tn__weight *item;
        size_t count, capacity;
    } weight;
    struct {
        tn_layer **item; /* retained */
        size_t count, capacity;
    } child;
    struct {
        void **item; /* what else its bodies made and may keep in self */
        size_t count, capacity;
    } kept;
    const char *activity_regularizer; /* the text of such a field of the instance, or NULL */
    struct tn__added_losses *losses; /* what its last call added; see losses.c. NULL: nothing ever */
    tn_function *traced;    /* a class with .traced: its call as a function */
    _Atomic(void *) trainer; /* compile's, see train/; NULL. A thread may ask for it while another makes it */
    void (*free_trainer)(void *trainer);
};
TN__HANDLE_SIZE(struct tn_layer);
extern const tn__type tn__type_layer;

/* What saving it loses: warns once for each of its parts whose TN_INIT set members that no field declares. */
void tn__warn_undeclared(const tn_layer *layer);

static inline bool tn__check_layer(const tn_layer *layer, const char *what)
{
    return tn__check(layer, &tn__type_layer, what);
}
/* What it computes in. */
static inline tn_dtype tn__layer_dtype(const tn_layer *layer)
{
    return layer->policy->compute;
}
/* "Dense 'head'" for messages, in memory of the innermost scope. */
const char *tn__layer_print(const tn_layer *layer);

/* The library's own `tn_dense_new(options)`: copies the options, checks them, runs init. Owned by the innermost memory scope. */
tn_layer *tn__layer_from_options(const tn_class *of, const void *options);
/* The same from parts: instance bytes (NULL: the fields' defaults) and the common tail. The caller owns the count. */
tn_status tn__layer_new(tn_context *context, const tn_class *of, const void *instance, const tn__layer_common *common, tn_layer **layer);
/* An instance of defaults, to be filled by a parser, and its layer. Frees the instance's texts; the caller owns the count. */
void *tn__instance_new(const tn_class *of);
void tn__instance_free(const tn_class *of, void *instance);

/* Makes `part` a part of `whole`: kept by it, named under it, taken from the layer whose body made it. */
tn_status tn__layer_add_child(tn_layer *whole, tn_layer *part);
/* Automatic names that are taken among these layers get the next free number; two explicit equal ones are left to the caller. */
tn_status tn__settle_names(tn_layer *const *layers, size_t count);

/* Builds a layer that is not built yet, for these inputs (values, or shapes only). */
tn_status tn__layer_build(tn_context *context, tn_layer *layer, tn_list inputs);
/* Builds it for an input of a shape, without data: what loading and Sequential need. */
tn_status tn__layer_build_for(tn_context *context, tn_layer *layer, tn_dtype dtype, const tn_shape *shape);
/* Checks the inputs of a call and builds, without calling. */
tn_status tn__layer_prepare(tn_context *context, tn_layer *layer, tn_list inputs);
/* Runs call on flat inputs in the mode of now. The result is retained for the caller. */
tn_status tn__layer_run(tn_context *context, tn_layer *layer, tn_list inputs, int training, tn_tensor **result);

/* The layer of a functional node and its place in that layer's calls; NULL for an op's node. */
tn_layer *tn__node_layer(const tn__node *node, int *node_index);
extern const tn__op tn__op_KerasLayer;
tn_status tn__layer_input_node(tn_context *context, tn_layer *layer, tn_dtype dtype, const tn_shape *shape, tn_tensor **input);

/* Keras's `weights`: own trainable, own others, then those of the parts in order, each once. Retained for the caller in *items. */
typedef enum { TN__ALL_WEIGHTS, TN__TRAINABLE_WEIGHTS, TN__OTHER_WEIGHTS } tn__which;
typedef struct {
    tn_tensor **item;
    size_t count, capacity;
    tn__ids seen;
} tn__weight_list;
tn_status tn__collect_weights(tn_layer *layer, tn__which which, tn__weight_list *list);
void tn__weight_list_free(tn__weight_list *list);

/* --- losses that calls add (losses.c) -------------------------------------------------------------------------------------- */
/* Counted: kept by the layer until its next outermost call. Any thread. */
tn_status tn__losses_add(tn_layer *layer, tn_tensor *loss);
/* Before an outermost call: forgets what the layer and its parts added. */
void tn__losses_clear(tn_layer *layer);
void tn__losses_free(tn_layer *layer);
/* What nodes from the first on assign to variables goes to the graph's collection "update_ops"; TensorFlow 1's. */
tn_status tn__collect_updates(tn_context *context, tn_graph *graph, size_t first);
/* Keras's activity_regularizer: the penalty of an output, divided by the batch, becomes a loss of the layer; and that of every float
 * output of a layer that has such a field. */
tn_status tn__penalize_output(tn_layer *layer, const char *text, tn_tensor *output);
tn_status tn__penalize_outputs(tn_layer *layer, tn_tensor *result);

/* --- seeds (seed.c) ------------------------------------------------------------------------------------------------------ */
/* A layer that draws random numbers (Dropout) makes itself a tn_seed_generator() in its init, a variable that is not among its
 * weights. tn__next_seed gives its value as the two int32 that the stateless ops take, and counts on, in any mode; NULL when it
 * fails. */
tn_tensor *tn__next_seed(tn_variable *generator);
/* The same for keras.random.*: of the generator, or the seed itself (TN__NO_SEED: none), or the thread's global generator. */
tn_tensor *tn__keras_seed(tn_context *context, int64_t seed, tn_variable *generator);
/* Keras draws the seed of an initializer that has none when the initializer is made, which for a layer's own is when the layer is
 * made, in the order of the constructor's arguments, and not when the weights are. tn__draw_seeds does it for a new layer;
 * tn__drawn_seed finds what was drawn for the text of one of its fields (by the text's address), INT64_MIN for any other text. */
tn_status tn__draw_seeds(tn_context *context, tn_layer *layer);
int64_t tn__drawn_seed(const tn_layer *layer, const char *text);

/* --- classes ------------------------------------------------------------------------------------------------------------ */
/* By name: the library's own ("Dense"), or a registered one ("Custom>CustomDense" or "CustomDense"); NULL: there is none. */
const tn_class *tn__class_find(const char *name);
/* snake or camel: the command line's "dense", "conv2d" too. */
const tn_class *tn__class_find_loosely(const char *name);
size_t tn__class_count(void);
const tn_class *tn__class_at(size_t index);

#endif
