/* checkpoint_state.h - the file `checkpoint` in a folder of checkpoints, which names the last one:
 * a CheckpointState in protobuf's text form. */
#ifndef TN_FORMATS_CHECKPOINT_STATE_H
#define TN_FORMATS_CHECKPOINT_STATE_H
#include "base/arena.h"
#include "base/span.h"

typedef struct {
    const char *model_checkpoint_path;
    TN__LIST_OF(const char *) all_model_checkpoint_paths; /* the oldest first, the last included */
    TN__LIST_OF(double) all_model_checkpoint_timestamps; /* seconds since 1970; one each, or none */
    double last_preserved_timestamp;                     /* 0: none */
} tn__checkpoint_state;

/* Fields that are not known are skipped. TN_DATA_LOSS: not in that form, and where. */
tn_status tn__checkpoint_state_read(tn__span text, tn__arena *arena, tn__checkpoint_state *state);
/* As TensorFlow writes it, line for line. */
tn_status tn__checkpoint_state_write(const tn__checkpoint_state *state, tn__bytes *text);

#endif
