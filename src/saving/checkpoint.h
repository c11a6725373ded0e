/* checkpoint.h - variables in TensorFlow's checkpoints: PREFIX.index, PREFIX.data-00000-of-00001,
 * and the file `checkpoint` of a folder, which names the last one. */
#ifndef TN_SAVING_CHECKPOINT_H
#define TN_SAVING_CHECKPOINT_H
#include "formats/checkpoint_state.h"
#include "formats/object_graph.h"
#include "saving/loading.h"
#include "saving/trainer_state.h"

/* --- values on their way out ------------------------------------------------------------------ */
typedef struct {
    const char *key;
    tn_tensor *value; /* retained: a snapshot */
} tn__checkpoint_value;
typedef struct {
    TN__LIST_OF(tn__checkpoint_value) value;
    tn__arena arena; /* of the list and its keys */
} tn__checkpoint;
/* Adds a variable's present value; the key is copied. */
tn_status tn__checkpoint_add(tn__checkpoint *checkpoint, const char *key, tn_tensor *variable);
void tn__checkpoint_free(tn__checkpoint *checkpoint);
/* Writes them in order of their keys, with the text of an object graph (data NULL: without one). */
tn_status tn__checkpoint_write(tn__checkpoint *checkpoint, const char *prefix, tn__span graph);

/* --- the file `checkpoint` -------------------------------------------------------------------- */
/* Writes that this is the last one in its folder; all: those that are kept, the oldest first and
 * this one last. Paths below the folder are written as seen from there. */
tn_status tn__checkpoint_note(const char *prefix, const char *const *all, size_t count);
/* The path of the last one, of the caller's; NULL, and no error, when nothing is noted or it is not
 * there. */
tn_status tn__checkpoint_latest(const char *folder, char **prefix);
/* What was meant by a folder with a file `checkpoint` in it, or by that file: the last one; by the
 * data of a checkpoint: their prefix. Of the caller's; NULL, and no error, for any other path.
 * Fails when the last one is gone, or half of a checkpoint is. */
tn_status tn__checkpoint_find(const char *path, char **prefix);
/* PREFIX.index is there. NULL: no memory. */
bool tn__checkpoint_is(const char *prefix);
/* Such a prefix, and no file by itself; NULL is none. */
bool tn__checkpoint_is_prefix(const char *path);
/* The checkpoint that a table is: its index, which tells its prefix, or one of the first format,
 * which is whole in itself. */
tn_status tn__checkpoint_open(const tn__source *source, tn__bundle **bundle);

/* --- names ------------------------------------------------------------------------------------ */
/* What is done to full names on the way to keys: see tn_load_weights_options. NULL: nothing. */
typedef struct {
    const char *prefix, *rename;
} tn__checkpoint_names;
tn_status tn__checkpoint_check_names(const tn__checkpoint_names *names, const char *what);
/* A variable's key. */
const char *tn__checkpoint_key(tn__arena *arena, const tn__checkpoint_names *names,
                               const tn_tensor *variable);
/* The object graph of a checkpoint of TensorFlow 2; no nodes: there is none. */
tn_status tn__checkpoint_graph(tn__bundle *bundle, tn__arena *arena, tn__object_graph *graph);
/* The entry of a node's value; false: it has none, or it is not in the file. */
bool tn__checkpoint_value_of(const tn__bundle *bundle, const tn__trackable *node, size_t *entry);
/* Full names to entries, counted from 1: the keys of a checkpoint of TensorFlow 1, what the graph
 * says of others. */
tn_status tn__checkpoint_index(const tn__bundle *bundle, const tn__object_graph *graph,
                               tn__map *map);

/* --- models ----------------------------------------------------------------------------------- */
/* As Keras 2's save_weights; era: whose optimizer it is, the two keep other variables under one
 * name. */
tn_status tn__checkpoint_save(tn_layer *model, const char *prefix, bool optimizer, tn__era era);
/* Weights, and the state of a compiled model's optimizer. What the bundle is: TensorFlow 2's, by
 * its objects; TensorFlow 1's, or by_name, prefix or rename asked for: by names. scopes: the model
 * is made from the same file, and its layers get the name scopes that the file's names show. */
tn_status tn__checkpoint_load(tn_context *context, tn__loading *loading, tn__bundle *bundle,
                              const tn__checkpoint_names *names, tn_layer *model, bool scopes);
/* The optimizer's state alone, of a compiled model whose weights the bundle has. report: as for
 * tn__trainer_read(). */
tn_status tn__checkpoint_load_optimizer(tn_context *context, tn__loading *loading,
                                        tn__bundle *bundle, tn_layer *model,
                                        tn__state_report *report);

#endif
