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
/* For a model whose weights are in the source: the limit that was asked for or the usual one, but
 * twice the source in any case, for weights of wider types than they are stored in. */
uint64_t tn__weight_room(const tn__source *source);
/* A loading of this load's source into a fresh model. */
tn__loading tn__load_weights(const tn__load *load, const tn__source *source);

#endif
