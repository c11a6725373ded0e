/* simplify.h - nodes that give what they take, or what was there before. */
#ifndef TN_PLAN_SIMPLIFY_H
#define TN_PLAN_SIMPLIFY_H
#include "plan/compile.h"

/* The slot whose elements are those that the node would give to output 0, each exactly, or SIZE_MAX: there is none that is known.
 * infer: the node's, done; stand: by slot, what each is; operands: the slots of the node's inputs. */
size_t tn__simplify(const tn__program *program, const tn__infer *infer, tn_tensor *const *stand, const size_t *operands);
/* Takes out the steps that nothing asks for any more, when all were made and the fetches are known. */
tn_status tn__program_drop_unused(tn__program *program);

#endif
