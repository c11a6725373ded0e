/* scopes.h - full names in files: the name scopes under which layers were made, which Keras has no
 * place for. In ".keras" they stand in a member of our own, in ".h5" they are part of the weights'
 * names. */
#ifndef TN_SAVING_SCOPES_H
#define TN_SAVING_SCOPES_H
#include "saving/walk.h"
#include <jansson.h>

/* {"tenon": version, "layers": {path: scope}, "variables": {path: scope}}; *json is NULL, and that
 * is no error, when there is no scope to remember. */
tn_status tn__scopes_to_json(tn_layer *model, json_t **json);
/* Gives the layers of a loaded model their scopes, below the one that is open now. */
tn_status tn__scopes_from_json(tn_context *context, tn_layer *model, const json_t *json);

/* The names of one group's weights in ".h5": full names; where two of them are equal, because full
 * names leave models out, Keras's paths instead. A list of `count`, tn__names_release() frees it.
 */
tn_status tn__h5_weight_names(tn_tensor *const *weights, size_t count, char ***names);
void tn__names_release(char **names, size_t count);
/* The other way round: weights of a loaded model get the scopes that their names in the file show
 * (which a ":0" may end). */
tn_status tn__scopes_from_names(tn_context *context, tn_tensor *const *weights, size_t count,
                                const char *const *names);

#endif
