/* legacy.h - ".h5" files as Keras 1 to 3 write them: a group a layer (of the model itself; what is
 * inside a nested model lies in that model's group), its weights' names in order in an attribute.
 */
#ifndef TN_SAVING_LEGACY_H
#define TN_SAVING_LEGACY_H
#include "saving/loading.h"
#include "saving/saving.h"
#include "saving/trainer_state.h"

/* The group that lists layers: the file itself when it holds weights only, "model_weights" of a
 * whole model; NULL: the file is something else. */
tn_status tn__legacy_weights(tn__h5_object *root, tn__h5_object **group);
/* Matches every weight: by the order of the layers, or by their names. Keras's first lines. The
 * loading is finished by the caller. */
tn_status tn__legacy_read(tn__loading *loading, tn__h5_object *group, tn_layer *model);
/* The scopes that a file of our own has in its weights' names. */
tn_status tn__legacy_read_scopes(tn_context *context, tn__h5_object *group, tn_layer *model);

/* The optimizer's state of a compiled model; a file that has none is no error. report NULL: what
 * does not fit is a warning. */
tn_status tn__legacy_read_optimizer(tn_context *context, const tn__source *source,
                                    tn__h5_object *root, tn_layer *model, tn__state_report *report);

/* Weights alone. Two equal names in one group are h5py's error, with both owners. */
tn_status tn__legacy_write_weights(tn__saving *saving, tn__h5_node *group, tn_layer *model);
/* A whole model, for Keras 2 in words that Keras 3 reads too, or for Keras 3 alone. */
tn_status tn__legacy_write_model(tn__saving *saving, tn_layer *model);

/* One line for each layer of a model's config that Keras 3 takes to mean something else in an .h5.
 */
tn_status tn__legacy_warn(const json_t *model, tn__era era);

/* --- between the two files -------------------------------------------------------------------- */
/* An attribute that lists names, in pieces ("layer_names0", "layer_names1") when it is long. */
typedef struct {
    char **item;
    size_t count, capacity;
} tn__names_list;
tn_status tn__legacy_list(tn__h5_object *group, const char *attribute, tn__names_list *list);
void tn__legacy_list_free(tn__names_list *list);
tn_status tn__legacy_add_list(tn__h5_node *group, const char *attribute, char *const *names,
                              size_t count);

/* The layers that have groups, in order, and one layer's weights in the order of the file: the
 * trainable ones of it and all its parts, then the others. */
tn_status tn__legacy_layers(tn_layer *model, tn_layer *const **layers, size_t *count);
tn_status tn__legacy_order(tn_layer *layer, tn__weight_list *weights);
/* The group of the model's own weights. */
#define TN__TOP_LEVEL "top_level_model_weights"
/* The optimizer's state. Where Keras 3 finds the first group it builds its optimizer for no
 * variables at all and then refuses to train, also from its own files; so a file for it has the
 * second. */
#define TN__OPTIMIZER_GROUP "optimizer_weights"
#define TN__OWN_OPTIMIZER_GROUP "tenon_optimizer_weights"
/* An attribute of the files that tenon writes. */
#define TN__OWN_MARK "tenon_version"

#endif
