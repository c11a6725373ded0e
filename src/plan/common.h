/* common.h - common subexpressions: a node that gives what an earlier step gives already is that step. */
#ifndef TN_PLAN_COMMON_H
#define TN_PLAN_COMMON_H
#include "plan/compile.h"

/* All zero: no steps yet. */
typedef struct {
    tn__ids step;    /* hash of op and operands to the last such step + 1 */
    tn__ids written; /* variable's slot + 1 to the number of steps when it was written last */
    size_t all_written;
    tn__ids constant; /* hash of a small constant to its slot */
} tn__common;

/* The slot of an equal constant, or SIZE_MAX after noting that `slot` has this one. stand: by slot. */
tn_status tn__common_constant(tn__common *common, tn_tensor *const *stand, const tn_tensor *value, size_t slot, size_t *found);

/* operands: the slots of the node's inputs. SIZE_MAX: no step gives the same. */
size_t tn__common_find(const tn__common *common, const tn__program *program, const tn__node *node, const size_t *operands);
/* After the program's last step was added. */
tn_status tn__common_add(tn__common *common, const tn__program *program);
void tn__common_free(tn__common *common);

#endif
