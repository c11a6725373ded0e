/* status.h - errors inside the library.
 *
 * Every function that can fail gives a tn_status and says what went wrong once, where it is known, with tn__fail(). The first
 * cause stays in the thread's error state until the program takes it. Works without memory: a message that cannot be allocated is
 * cut to the fixed part. */
#ifndef TN_BASE_STATUS_H
#define TN_BASE_STATUS_H
#include "tenon/status.h"

enum { TN__ERROR_FIXED = 1024 };
/* A function that is called when something went wrong: what leads to it is made small, and stands out of the way of what is fast. */
#define TN__COLD __attribute__((cold))

/* The head of a thread's context (core/context.c makes it and finds it). */
typedef struct {
    tn_status status;
    const char *here;      /* the program's line, "train.c:42", or NULL */
    const char *operation; /* what was being called, a constant text, or NULL */
    char *text;            /* fixed, or allocated when longer */
    char fixed[TN__ERROR_FIXED];
} tn__error_state;
tn__error_state *tn__errors(void);

/* Where it is called the compiler knows a way that is seldom gone: that stands apart, and the usual one is straight. */
#define TN__COLD __attribute__((cold))

/* Records an error and gives its status back: `return tn__fail(TN_DATA_LOSS, "...")`. The first line is the cause; further lines
 * say what was expected, what came, and how to mend it. */
tn_status tn__fail(tn_status status, const char *format, ...) TN_PRINTF(2, 3) TN__COLD;
/* Adds a line to the kept error: a caller's knowledge (which file, which layer). Nothing when there is none. */
void tn__fail_note(const char *format, ...) TN_PRINTF(1, 2) TN__COLD;
/* A line of the program for a message: where something was made, where that is known. */
static inline const char *tn__line(const char *here) { return here ? here : "an unknown line"; }
/* Out of memory: a size of 0 leaves it out of the message. */
tn_status tn__fail_memory(size_t size) TN__COLD;
/* Drops the kept error. */
void tn__fail_clear(void);

#endif
