/* dump.h - a program as text. */
#ifndef TN_PLAN_DUMP_H
#define TN_PLAN_DUMP_H
#include "base/text.h"
#include "plan/compile.h"

/* A line for each step: what runs, what comes out and where it lies, what goes in, bytes that are moved and operations that are done. */
void tn__program_print(const tn__program *program, tn__text *text);
/* To the output, when the environment has TN_PLAN_DUMP. */
void tn__program_dump(const tn__program *program);

#endif
