/* walk.h - the parts of a model in the order, and under the paths, in which Keras's own saving
 * meets them: "layers/dense", "layers/dense_1" (classes in snake case, counted in each list),
 * "layers/sequential/layers/dense", and for layers that a class keeps in its fields the fields'
 * names. A part that is met twice has its first path. */
#ifndef TN_SAVING_WALK_H
#define TN_SAVING_WALK_H
#include "nn/model.h"

typedef struct {
    char *path;      /* "" for the model itself */
    tn_layer *layer; /* not retained */
    tn_tensor **own; /* its own weights, the trainable ones first; not retained */
    size_t count;
} tn__part;

typedef struct {
    tn__part *item; /* the model itself first */
    size_t count, capacity;
    tn__ids seen;
} tn__walk;

tn_status tn__walk_model(tn_layer *model, tn__walk *walk); /* free it whatever it gives */
void tn__walk_free(tn__walk *walk);

/* "dense", then "dense_1", "dense_2": how Keras's saving tells things of one class apart. `used`
 * keeps count. The caller frees it; NULL and an error. */
char *tn__counted_name(tn__map *used, const char *class_name);

#endif
