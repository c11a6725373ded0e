/* dump.h - a program as text. */
#ifndef TN_PLAN_DUMP_H
#define TN_PLAN_DUMP_H
#include "base/text.h"
#include "plan/compile.h"

/* A line for each step: what runs, what comes out and where it lies, what goes in, bytes that are moved and operations that are done;
 * where it was timed, what it took. */
void tn__program_print(const tn__program *program, tn__text *text);
/* To the output: with TN_PLAN_DUMP in the environment when the program is made, with TN_PLAN_PROFILE when it is gone. */
void tn__program_dump(const tn__program *program);

#endif
