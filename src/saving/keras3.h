/* keras3.h - weights as Keras 3 lays them out, in ".weights.h5" files and inside ".keras" archives:
 * a group a part (see walk.h) with its own weights in "vars/0", "vars/1" … */
#ifndef TN_SAVING_KERAS3_H
#define TN_SAVING_KERAS3_H
#include "saving/loading.h"
#include "saving/saving.h"
#include "saving/trainer_state.h"

/* Whether a file is laid out like this. */
tn_status tn__keras3_is(tn__h5_object *root, bool *is);
/* Matches every weight; Keras 2.15's files (without names, with metrics) and those of 2.12 to 2.14
 * too. The loading is finished by the caller. */
tn_status tn__keras3_read(tn__loading *loading, tn__h5_object *root, tn_layer *model);

/* The optimizer's state of a compiled model; a file that has none is no error. report NULL: what
 * does not fit is a warning. */
tn_status tn__keras3_read_optimizer(tn_context *context, const tn__source *source,
                                    tn__h5_object *root, tn_layer *model, tn__state_report *report);

/* The whole tree, the optimizer's state included when it is asked for. */
tn_status tn__keras3_write(tn__saving *saving, tn__h5_node *root, tn_layer *model);

#endif
