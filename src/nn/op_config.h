/* op_config.h - ops that stand directly in a functional model, in Keras 3's words. */
#ifndef TN_NN_OP_CONFIG_H
#define TN_NN_OP_CONFIG_H
#include "nn/config.h"

/* Whether an entry of a functional model's layers is an op of keras.ops; in an .h5, which names no
 * modules, one of those that are known here. */
bool tn__is_keras_op(const json_t *entry);
/* The same, known or not: an .h5 says of ops no "trainable" either. */
bool tn__may_be_keras_op(const json_t *entry);
bool tn__knows_keras_op(const json_t *entry);

/* Makes the call that one of its inbound nodes says, of the tensors in the node's args in their
 * order. The caller owns the count. */
tn_status tn__call_keras_op(const json_t *entry, const json_t *node, tn_tensor *const *tensors,
                            size_t count, tn_tensor **result);

/* A node as such an entry, with its one inbound node; `tensor` writes an input. The caller owns the
 * reference; NULL and an error when Keras has no op like it. */
typedef json_t *tn__write_tensor(const void *self, const tn_tensor *x);
json_t *tn__keras_op_to_json(const tn__node *node, const char *name, tn__write_tensor *tensor,
                             const void *self);

#endif
