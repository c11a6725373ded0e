/* load.h - one model being loaded: what its formats share. */
#ifndef TN_SAVING_LOAD_H
#define TN_SAVING_LOAD_H
#include "saving/loading.h"
#include <jansson.h>

typedef struct {
    tn_context *context;
    const tn_load_options *options;
    tn__source source;
} tn__load;

/* The model of a config, built where the config says for what; all unknown classes at once, in the
 * words that Keras has for each of the two formats. version: of the Keras that wrote it, "2.15.0",
 * whose meaning of words the model keeps; NULL: today's. room: bytes that its weights may take; 0:
 * any number. The caller owns the count. */
tn_status tn__load_config(tn_context *context, json_t *json, const char *version, bool archive,
                          uint64_t room, tn_layer **model);
/* One layer or model as its config says, built where that says for what; classes are known and
 * words are today's. */
tn_status tn__load_layer(tn_context *context, const json_t *json, tn_layer **layer);
/* An attribute of an HDF5 file: a text (no string when it is not there), or the JSON in it (NULL,
 * and that is no error, when it is not there). */
tn_status tn__read_text(tn__h5_object *root, const char *name, tn__h5_strings *text);
tn_status tn__read_json(tn__h5_object *root, const char *name, json_t **json);
/* A file's weights, whatever its format, into the options' layer, which is built. */
tn_status tn__load_into(tn__loading *loading, tn__source *source, const tn_load_weights_options *o);
/* For a model whose weights are in the source: the limit that was asked for or the usual one, but
 * twice the source in any case, for weights of wider types than they are stored in. */
uint64_t tn__weight_room(const tn__source *source);
/* A loading of this load's source into a fresh model. */
tn__loading tn__load_weights(const tn__load *load, const tn__source *source);

#endif
