/* fuse.h - element-wise steps that hang together become one, which goes over its arrays once, or a part of what they follow. */
#ifndef TN_PLAN_FUSE_H
#define TN_PLAN_FUSE_H
#include "plan/compile.h"

/* Who gives and who takes what: of a program whose steps stay where they are meanwhile. */
typedef struct {
    tn__program *p;
    tn_tensor *const *stand; /* by slot, what each is (dtype and shape); fetched slots are in the program */
    size_t *producer;        /* by slot: the step + 1; 0: none */
    size_t *uses;            /* by slot, fetches among them */
} tn__flow;

tn_status tn__program_fuse(tn__program *program, tn_tensor *const *stand);
/* Afterwards: biases, sums, rectifiers and their masks go into the product, convolution or gradient before them, and then sums over
 * axes into the chain, or the gradient of images, before them. */
tn_status tn__program_take_along(tn__program *program, tn_tensor *const *stand);
/* One step of these two; what is taken in leaves its step without a node. */
tn_status tn__take_epilogue(const tn__flow *flow, tn__step *step);
tn_status tn__take_sum(const tn__flow *flow, tn__step *step);

/* The step that gives a slot, or NULL. */
tn__step *tn__flow_giver(const tn__flow *flow, size_t slot);
/* An element-wise step of float32 whose operands a chain can read. */
bool tn__step_can_chain(const tn__program *program, tn_tensor *const *stand, const tn__step *step);
/* Leaves a step without a node; and takes out those that are. */
void tn__step_leave(tn__step *step);
void tn__program_close_ranks(tn__program *program);

#endif
