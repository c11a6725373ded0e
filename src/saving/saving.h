/* saving.h - what is being saved: the tree that will be written, and the values that lie in it. */
#ifndef TN_SAVING_SAVING_H
#define TN_SAVING_SAVING_H
#include "formats/hdf5/hdf5.h"
#include "nn/config.h"
#include "saving/walk.h"
#include "tenon/files.h"

typedef struct {
    tn__h5_tree *tree;
    struct {
        tn_tensor **item; /* retained: snapshots whose elements the tree borrows */
        size_t count, capacity;
    } value;
    bool include_optimizer;
    bool plain;    /* bfloat16 as float32: Keras reads it from no .h5, not even its own */
    tn__era era; /* of .h5: who is to read it */
    bool either; /* it may become Keras 3 when Keras 2 has no words for the model */
} tn__saving;

tn_status tn__saving_begin(tn__saving *saving); /* free it whatever it gives */
void tn__saving_free(tn__saving *saving);
/* Adds a variable's present value as a dataset. */
tn_status tn__saving_add(tn__saving *saving, tn__h5_node *group, const char *path,
                         tn_tensor *variable);

/* The version of Keras that files say they are of. */
#define TN__KERAS_3_VERSION "3.15.1"
#define TN__KERAS_2_VERSION "2.15.0"

#endif
