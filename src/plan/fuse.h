/* fuse.h - element-wise steps that hang together become one, which goes over its arrays once, or a part of what they follow. */
#ifndef TN_PLAN_FUSE_H
#define TN_PLAN_FUSE_H
#include "plan/compile.h"

/* stand: by slot, what each is (dtype and shape); fetched slots are in the program. */
tn_status tn__program_fuse(tn__program *program, tn_tensor *const *stand);
/* Afterwards: biases, sums, rectifiers and their masks go into the product, convolution or gradient before them. */
tn_status tn__program_take_epilogues(tn__program *program, tn_tensor *const *stand);
/* Leaves a step without a node; and takes out those that are. */
void tn__step_leave(tn__step *step);
void tn__program_close_ranks(tn__program *program);

#endif
