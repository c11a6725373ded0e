/* object.h - small configurable things that fields name by text: initializers, activations, regularizers, constraints, losses, metrics,
 * optimizers, schedules. A text is a name ("relu", "GlorotUniform") or a constructor ("random_normal(stddev=0.02)"); in files it is
 * Keras's JSON object. All of them are a class descriptor beside the code, one line in objects.def, and an instance struct of fields. */
#ifndef TN_NN_OBJECT_H
#define TN_NN_OBJECT_H
#include "core/field.h"
#include "core/tensor.h"

typedef enum {
    TN__INITIALIZER,
    TN__ACTIVATION,
    TN__REGULARIZER,
    TN__CONSTRAINT,
    TN__LOSS,
    TN__METRIC,
    TN__OPTIMIZER,
    TN__SCHEDULE,
    TN__V1_OPTIMIZER, /* TensorFlow 1's: no text names one */
    TN__KINDS
} tn__object_kind;

typedef struct tn__object_class {
    tn__object_kind kind;
    const char *name;         /* Keras's class: "GlorotUniform"; of an activation its function: "relu" */
    const char *aliases;      /* besides the name and its snake case: "xavier_uniform|he" style; NULL: none */
    const tn_field *fields;   /* of the instance; NULL: none */
    size_t size;              /* of the instance; 0: none */
    const void *methods;      /* what the kind does: tn__initializer_methods … */
    const char *module;       /* NULL: the kind's own, "keras.initializers" */
    size_t options_size;      /* the instance begins with its public options struct, of this many bytes; 0: there is none */
    const char *keras2_name;  /* in Keras 2's files; NULL: the same; "": Keras 2 has none */
    const char *newer_fields; /* which files leave out while they are None: Keras did not always know them, "input_axes|output_axes" */
    bool only_keras2;         /* Keras 3 has none: a file of Keras 2 said it */
} tn__object_class;

/* One of these, with its values. */
typedef struct {
    const tn__object_class *of;
    void *self; /* of->size bytes that own their texts */
} tn__thing;

/* Every class, from objects.def; init.c lays the table, since losses and optimizers live in a higher room. */
extern const tn__object_class *const tn__objects[];
extern const size_t tn__objects_count;

const char *tn__kind_name(tn__object_kind kind);   /* "initializer" */
const char *tn__kind_module(tn__object_kind kind); /* "keras.initializers" */
size_t tn__object_class_count(void);
const tn__object_class *tn__object_class_at(size_t index);
/* By class name, snake case or alias; NULL: there is none. */
const tn__object_class *tn__object_class_find(tn__object_kind kind, const char *name);

/* Is the word one of "these|or|those"? NULL words: no. */
bool tn__among(const char *words, const char *word);
/* The kind of thing that a field's text names; false: it names none. */
bool tn__field_names_thing(const tn_field *field, tn__object_kind *kind);

/* Which field takes a schedule that is given for this one: of learning_rate the table's schedule; else the field itself. */
const tn_field *tn__schedule_field(const tn_field *fields, const tn_field *field);

/* From text; an unknown name is answered with all that there are. */
tn_status tn__thing_parse(tn__object_kind kind, const char *text, tn__thing *thing);
tn_status tn__thing_default(const tn__object_class *of, tn__thing *thing);
/* From a public options struct: its bytes, texts copied, checked. */
tn_status tn__thing_from_options(const tn__object_class *of, const void *options, tn__thing *thing);
void tn__thing_free(tn__thing *thing);
/* The shortest text that gives it again: "glorot_uniform", "random_normal(stddev=0.02)". The caller frees it; NULL and an error. */
char *tn__thing_text(const tn__thing *thing);

/* The seed of an initializer that draws: a field "seed"; NULL: it has none. */
int64_t *tn__thing_seed(const tn__thing *thing);
/* Where it keeps the field of this name; NULL: it has none. */
void *tn__thing_field(const tn__thing *thing, const char *name);

/* --- constructor text: name(value, key=value, …), nested parentheses and quotes kept whole -------------------------------- */
enum { TN__MAX_ARGUMENTS = 32 };
typedef struct {
    char *text;        /* what the others point into */
    const char *name;
    size_t count;
    struct {
        const char *key; /* NULL: by position */
        const char *value;
    } argument[TN__MAX_ARGUMENTS];
} tn__constructor;
tn_status tn__constructor_parse(const char *text, tn__constructor *constructor);
void tn__constructor_free(tn__constructor *constructor);
/* Writes the arguments into an instance that owns its texts: by position in the fields' order, or by name. Keys that are not fields
 * go to other(self, key, value), or, when that is NULL, are an error that lists the fields. */
tn_status tn__constructor_fill(const tn__constructor *constructor, const tn_field *fields, void *instance, const char *owner,
                               tn_status (*other)(void *self, const char *key, const char *value), void *self);
/* Cuts "a(1); b(2, c=(3; 4))" at the separators that stand outside parentheses and quotes, in place; gives the part and moves on;
 * NULL at the end. */
char *tn__next_part(char **text, char separator);

/* --- what the kinds do ---------------------------------------------------------------------------------------------------- */
typedef struct {
    /* The first value; retained for the caller. Eager, and a field "seed" is never None; or into the TensorFlow 1 graph that is open,
     * where without a seed it is INT64_MIN: what is drawn is then an op, a constant as it is. */
    tn_status (*make)(const void *self, tn_context *context, tn_dtype dtype, const tn_shape *shape, tn_tensor **value);
} tn__initializer_methods;
typedef struct {
    tn_tensor *(*apply)(const void *self, tn_tensor *x); /* in ops, owned by the innermost scope; NULL: failed */
} tn__activation_methods;
typedef struct {
    tn_tensor *(*penalty)(const void *self, tn_tensor *x); /* a number */
} tn__regularizer_methods;
typedef struct {
    tn_tensor *(*project)(const void *self, tn_tensor *w); /* what w becomes after an update */
} tn__constraint_methods;

/* The same from text, at once. NULL text: x itself, or no penalty. seed: of an initializer whose text gives none, as tn__drawn_seed
 * has it; INT64_MIN: drawn now. */
tn_status tn__initialize(tn_context *context, const char *text, int64_t seed, tn_dtype dtype, const tn_shape *shape, tn_tensor **value);
/* The same as ops of the TensorFlow 1 graph that is open, which draw in every run; a text without a seed has the graph's. */
tn_status tn__initialize_op(tn_context *context, const char *text, tn_dtype dtype, const tn_shape *shape, tn_tensor **value);
tn_tensor *tn__activate(const char *text, tn_tensor *x);
tn_tensor *tn__penalize(const char *text, tn_tensor *x);
tn_tensor *tn__constrain(const char *text, tn_tensor *w);

#endif
