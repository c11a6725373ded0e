/* conformance.h - what the kinds of cases share. A kind is a function that replays one case, and
 * one line in conformance.c. */
#ifndef TN_TESTS_CONFORMANCE_H
#define TN_TESTS_CONFORMANCE_H
#include "support/golden.h"
#include "nn/object.h"

typedef enum { PASSED, FAILED, SKIPPED } outcome;
typedef struct {
    outcome outcome;
    char reason[512]; /* the first difference, or what is not there yet */
} verdict;

/* The first failure stays. Both give false, so that a check may return them. */
bool fail_case(verdict *v, const char *format, ...) TN_PRINTF(2, 3);
bool skip_case(verdict *v, const char *format, ...) TN_PRINTF(2, 3);
/* A kept error fails the case with its text. */
bool no_error(verdict *v, const char *what);
/* `what` is for the reason: "output, training=1". */
bool same(verdict *v, golden_case *c, tn_tensor *got, tn_tensor *want, const char *what);
bool same_json(verdict *v, golden_case *c, tn_tensor *got, const json_t *want, const char *what);

/* Values of configs: numbers to 1e-7; keys of `got` that are None may be missing in `want`. */
bool is_same_value(const json_t *got, const json_t *want);
/* Σ output · cotangent, over all pairs. */
tn_tensor *weighted_sum(tn_list outputs, const golden_leaves *cotangents);
/* A class or activation that a config names, at any depth, and nobody knows: the case is skipped.
 */
bool is_known(verdict *v, const json_t *config);
/* A thing from {"class_name": …, "config": …}; false when it failed or is not known. The caller
 * frees it. */
bool thing_of(verdict *v, tn__object_kind kind, const json_t *json, tn__thing *thing);

void replay_layer(golden_case *c, verdict *v);
void replay_activation(golden_case *c, verdict *v);
void replay_initializer(golden_case *c, verdict *v);
void replay_regularizer(golden_case *c, verdict *v);
void replay_constraint(golden_case *c, verdict *v);
void replay_loss(golden_case *c, verdict *v);
void replay_metric(golden_case *c, verdict *v);
void replay_optimizer(golden_case *c, verdict *v);
void replay_schedule(golden_case *c, verdict *v);
void replay_training(golden_case *c, verdict *v);
void replay_files(golden_case *c, verdict *v);
void replay_naming(golden_case *c, verdict *v);
void replay_op(golden_case *c, verdict *v);
void replay_random(golden_case *c, verdict *v);
void replay_random_program(golden_case *c, verdict *v);

#endif
