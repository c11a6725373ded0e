/* saver.h - TensorFlow 1's Saver. */
#ifndef TN_SAVING_SAVER_H
#define TN_SAVING_SAVER_H
#include "nn/layer.h"
#include "session/session.h"
#include "tenon/files.h"

struct tn_saver {
    tn__object object;
    struct {
        tn_tensor **item; /* retained */
        size_t count, capacity;
    } variable;
    struct {
        char **item; /* paths of the checkpoints that are there, the oldest first */
        size_t count, capacity;
    } kept;
    size_t max_to_keep;    /* 0: all */
    char *prefix, *rename; /* of names; NULL: none */
};
TN__HANDLE_SIZE(struct tn_saver);
extern const tn__type tn__type_saver;

#endif
