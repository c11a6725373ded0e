/* loading.h - which place of a file goes into which variable: found out for all of them first, then
 * done at once, so that a file that does not fit changes nothing. */
#ifndef TN_SAVING_LOADING_H
#define TN_SAVING_LOADING_H
#include "saving/place.h"
#include "saving/walk.h"
#include "tenon/files.h"

/* How Keras 1 and Theano laid a convolution's kernel out. */
typedef enum {
    TN__AS_IT_IS,
    TN__FROM_CHANNELS_FIRST, /* (out, in, rows, columns) */
    TN__FLIPPED = 4,         /* rows and columns backwards; may stand beside the other */
} tn__kernel_form;

typedef struct {
    tn_tensor *variable; /* not retained: the model's */
    tn__place place;
    tn__kernel_form form;
    tn_tensor *value; /* once it was read */
} tn__match;

typedef struct {
    const tn__source *source;
    bool fresh; /* the model was made from this very file: names are equal, nobody else sees it */
    bool skip_mismatch, by_name;
    const char *mend; /* the last line of a failure; NULL: what skip_mismatch does */
    tn_weight_reporter report;
    void *report_self;
    struct {
        tn__match *item;
        size_t count, capacity;
    } match;
    tn__text problems; /* a line each, "\n" before it */
    size_t problem_count;
} tn__loading;

/* The value at this place shall go into the variable. *fits is false when its shape is another:
 * that is told, and noted among the problems. */
tn_status tn__loading_match(tn__loading *loading, tn_tensor *variable, tn__place place,
                            tn__kernel_form form, bool *fits);
/* The same two are told to be left alone: their layer does not fit as a whole. */
tn_status tn__loading_refuse(tn__loading *loading, tn_tensor *variable, tn__place place);
/* A weight of the model that is not in the file, a weight of the file that is not in the model. */
tn_status tn__loading_missing(tn__loading *loading, tn_tensor *variable, const char *source);
tn_status tn__loading_unexpected(tn__loading *loading, tn__place place);

/* Fails with this first part and all problems behind it; with skip_mismatch it is a warning. NULL:
 * there was no memory for it. */
tn_status tn__loading_fail(tn__loading *loading, char *first);
/* Reads what was matched, and assigns it when all of it was read. */
tn_status tn__loading_finish(tn__loading *loading);
void tn__loading_free(tn__loading *loading);

#endif
