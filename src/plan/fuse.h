/* fuse.h - element-wise steps that hang together become one, which goes over its arrays once. */
#ifndef TN_PLAN_FUSE_H
#define TN_PLAN_FUSE_H
#include "plan/compile.h"

/* stand: by slot, what each is (dtype and shape); fetched slots are in the program. */
tn_status tn__program_fuse(tn__program *program, tn_tensor *const *stand);

#endif
