/* saved_folder.h - a SavedModel's folder, opened: what is in it, before anything is made of it. */
#ifndef TN_SAVING_SAVED_FOLDER_H
#define TN_SAVING_SAVED_FOLDER_H
#include "base/file.h"
#include "formats/bundle.h"
#include "formats/saved_model.h"
#include "saving/keras_metadata.h"
#include <jansson.h>

#define TN__SAVED_MODEL_FILE "saved_model.pb"
#define TN__VARIABLES_PREFIX "variables/variables"
#define TN__SERVING_DEFAULT "serving_default"

typedef struct {
    const char *path; /* borrowed */
    uint64_t limit;   /* bytes of each file, and of what it decodes to; 0: 2 GB of each */
    tn__arena arena;
    tn__file file, metadata_file;
    tn__saved_model saved;
    const tn__meta_graph_def *graph; /* the one for serving */
    tn__keras_metadata metadata;     /* of Keras 2; without nodes: none */
    tn__bundle *bundle;              /* NULL: there are no variables */
    json_t *root; /* Keras 2's metadata of the model, tuples and shapes as lists; NULL: none */
} tn__saved_folder;

/* A folder with such a file in it. */
bool tn__saved_folder_is(const char *path);
/* Close it whatever it gives. */
tn_status tn__saved_folder_open(const char *path, uint64_t limit, tn__saved_folder *folder);
void tn__saved_folder_close(tn__saved_folder *folder);

#endif
