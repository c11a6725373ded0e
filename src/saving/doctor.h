/* doctor.h - what is wrong with a model's file, as one JSON object (files.h lists its keys): found,
 * said as text, mended in a copy. */
#ifndef TN_SAVING_DOCTOR_H
#define TN_SAVING_DOCTOR_H
#include "nn/model.h"
#include "saving/parts.h"

typedef struct {
    const char *path; /* the model's; NULL: data */
    tn__span data;
    uint64_t limit;      /* as for tn__source_open() */
    const char *weights; /* NULL: the model's own */
    const char *fix;     /* NULL: nothing is mended */
} tn__doctor_request;
/* In *report, the caller's. Fails when nothing of the file can be read. */
tn_status tn__doctor(tn_context *context, const tn__doctor_request *request, json_t **report);
void tn__doctor_text(const json_t *report, tn__text *text);

/* --- between the files that find -------------------------------------------------------------- */
typedef enum {
    TN__DAMAGED,
    TN__UNKNOWN_LAYER,
    TN__EQUAL_LAYERS,
    TN__NAMES_IN_CASE,
    TN__EQUAL_VARIABLES,
    TN__EQUAL_H5_KEYS,
    TN__NOT_MADE,
    TN__REFUSED_BY_KERAS,
    TN__MISREAD_BY_KERAS,
    TN__OTHER_SHAPE,
    TN__NOT_FILLED,
    TN__NOT_TAKEN,
    TN__SLOTS_MISSING,
    TN__SLOTS_UNUSED,
} tn__trouble;

typedef struct {
    tn_context *context;
    const tn__doctor_request *request;
    tn__source source;       /* the file, until all of it was examined; or … */
    tn__saved_folder folder; /* … a SavedModel's; of a checkpoint both are empty */
    tn__parts parts;
    json_t *inspection; /* what inspect.c tells of the file */
    json_t *config;     /* of the file, but equal names of layers are settled */
    tn_layer *model;    /* made of it; NULL: it could not be */
    bool loaded;        /* its weights are the file's */
    json_t *out, *variables, *findings, *notes; /* the report and its lists */
} tn__examination;

/* One finding; the subject is a name in the model or the file. Its rule and the way to mend it go
 * with the kind. mendable: in this case, when it is at all. */
tn_status tn__doctor_find(tn__examination *e, tn__trouble kind, bool mendable, const char *subject,
                          const char *format, ...) TN_PRINTF(5, 6);
tn_status tn__doctor_note(tn__examination *e, const char *format, ...) TN_PRINTF(2, 3);
/* When that is what failed, its first line becomes a finding. */
tn_status tn__doctor_try(tn__examination *e, tn__trouble kind, const char *subject,
                         tn_status status);

/* Layers' names in the config; settles equal ones where that is safe (doctor_names.c). */
tn_status tn__doctor_layer_names(tn__examination *e);
/* Names of the model's variables, and their keys in .h5. */
tn_status tn__doctor_variable_names(tn__examination *e);
/* Gives layers of the model other names until no two clash; what it did goes into `done`. */
tn_status tn__doctor_rename(tn__examination *e, json_t *done);
/* What today's Keras does not open (doctor_keras.c). */
tn_status tn__doctor_keras(tn__examination *e);
/* The weights into the model, and the optimizer's state; or, of a model that cannot be made, those
 * of the layers that can (doctor_weights.c, doctor_layers.c). */
tn_status tn__doctor_weights(tn__examination *e);
/* The model of a SavedModel's folder, with its weights; NULL when it cannot be made. */
tn_status tn__doctor_load(tn__examination *e, const char *folder);
tn_status tn__doctor_optimizer(tn__examination *e);
tn_status tn__doctor_known_layers(tn__examination *e);
/* A mended copy, or why there is none, as "fix" of the report (doctor_fix.c). */
tn_status tn__doctor_fix(tn__examination *e);

#endif
