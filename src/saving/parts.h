/* parts.h - what a model's file says beside its weights, read without making anything of it. */
#ifndef TN_SAVING_PARTS_H
#define TN_SAVING_PARTS_H
#include "saving/saved_folder.h"
#include "saving/source.h"
#include <jansson.h>

typedef struct {
    json_t *config;   /* the model's, as it stands in the file; NULL: the file holds no model */
    json_t *compiled; /* what it was compiled with, likewise */
    json_t *scopes;   /* of an archive of our own */
    char *version;    /* Keras's: "2.15.0"; NULL: it is not told */
    bool archive;     /* .keras, or an architecture in Keras 3's words: of classes with modules */
    bool own;         /* an .h5 that tenon wrote: scopes are in its weights' names */
} tn__parts;

/* A file that holds no model leaves everything empty. Free it whatever it gives. */
tn_status tn__parts_read(const tn__source *source, tn__parts *parts);
/* The same of a SavedModel: what Keras 2 keeps beside it; nothing where there are no layers. */
tn_status tn__parts_of_folder(const tn__saved_folder *folder, tn__parts *parts);
void tn__parts_free(tn__parts *parts);

#endif
