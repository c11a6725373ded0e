/* trainer_state.h - what a model was compiled with, and its optimizer's state: between the train
 * room and files. */
#ifndef TN_SAVING_TRAINER_STATE_H
#define TN_SAVING_TRAINER_STATE_H
#include "saving/place.h"
#include "saving/saving.h"

/* --- out -------------------------------------------------------------------------------------- */
/* Keras 3's compile_config, or .h5's training_config, whose optimizer is either Keras's own. */
typedef enum { TN__ARCHIVE, TN__H5_KERAS_2, TN__H5_KERAS_3 } tn__config_form;
/* *json is NULL, and that is no error, when the model was not compiled, or with something that
 * files cannot name (a function of the program's own), which is a warning. */
tn_status tn__trainer_config(tn_layer *model, tn__config_form form, json_t **json);
/* The variables of the optimizer in Keras 3's order: iteration, learning_rate, slots; for Keras 2
 * without the second. None when the model was not compiled. tn__free(*items); not retained. */
tn_status tn__trainer_variables(const tn_layer *model, tn__era era, tn_tensor ***items,
                                size_t *count);
/* The same of the optimizer in a LossScaleOptimizer, and its name; none when it is another. */
tn_status tn__trainer_inner_variables(const tn_layer *model, tn_tensor ***items, size_t *count,
                                      const char **name);
bool tn__trainer_has_optimizer(const tn_layer *model); /* whether it was compiled */
/* The optimizer that takes the steps; NULL: there is none. */
const tn_optimizer *tn__trainer_optimizer(const tn_layer *model);
/* The variable that is the learning rate of the optimizer that takes the steps; NULL: it goes by a
 * schedule, or there is no optimizer. */
tn_tensor *tn__trainer_rate(const tn_layer *model);
/* The optimizer's name: "adam". */
const char *tn__trainer_name(const tn_layer *model);

/* --- in --------------------------------------------------------------------------------------- */
/* Compiles a model as either generation's config says. What is not known here is a warning, and the
 * model stays uncompiled. */
tn_status tn__trainer_compile(tn_context *context, tn_layer *model, const json_t *config);
/* How a file's state fits the optimizer that takes it. */
typedef struct {
    size_t own, saved;  /* variables; saved 0: the file has none, and the rest is nothing */
    int64_t iterations; /* the optimizer's, once the state was read */
    bool fits;          /* it was taken whole */
    bool fresh;         /* it was saved without slots, as before the first step */
    bool idle;          /* with momenta that the optimizer does not use */
    char *unfit;        /* where a variable of another shape stands, tn__free(); NULL: nowhere */
} tn__state_report;
/* The state of the optimizer of a compiled model, in the order of a file. names: in .h5 files of
 * Keras 2, where they tell an older order; NULL: there are none. What does not fit is Keras's
 * warning, or in the report when there is one. */
tn_status tn__trainer_read(tn_context *context, tn_layer *model, const tn__source *source,
                           const tn__place *places, const char *const *names, size_t count,
                           tn__state_report *report);
/* The state as Keras up to 2.10 keeps it in checkpoints: a slot belongs to its variable. */
typedef struct {
    const tn_tensor *variable;
    const char *slot; /* "m" */
    tn__place place;
} tn__saved_slot;
typedef struct {
    tn__place iterations, product; /* product: of Nadam's momenta; nowhere: it is not there */
    const tn__saved_slot *item;
    size_t count;
} tn__saved_slots;
tn_status tn__trainer_read_slots(tn_context *context, tn_layer *model, const tn__source *source,
                                 const tn__saved_slots *saved, tn__state_report *report);
/* The number that the optimizer of a compiled model has under this name, "beta_1"; NAN: none. */
double tn__trainer_constant(const tn_layer *model, const char *name);
/* Keras's .keras files name only the optimizer that a LossScaleOptimizer was put round: puts it
 * round the compiled model's once more. */
tn_status tn__trainer_scale_losses(tn_layer *model);

#endif
