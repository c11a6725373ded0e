/* check.h - cmocka, and what our tests add to it. Every test file includes this first. */
#ifndef TN_TESTS_CHECK_H
#define TN_TESTS_CHECK_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <tenon.h>
#include "tenon/sys.h"
#include "base/status.h"

/* The action must succeed; prints the kept error when it does not. */
#define CHECK_OK(action) check_ok((action), #action, __FILE__, __LINE__)
void check_ok(tn_status status, const char *what, const char *file, int line);
/* An error of this kind must be kept, with this text in its message; it is taken. */
#define CHECK_ERROR(kind, text) check_error((kind), (text), __FILE__, __LINE__)
void check_error(tn_status kind, const char *text, const char *file, int line);
/* No error may be kept. */
#define CHECK_NO_ERROR() check_ok(tn_pending(), "no error is kept", __FILE__, __LINE__)

/* A file in a fresh temporary folder of this process, removed at exit; valid until 16 further calls. */
const char *temporary_path(const char *name);

/* Runs action(self) with the first, second, third … allocation refused (that one only, then also all later ones), until it
 * succeeds without a refusal. Every failure must be TN_RESOURCE_EXHAUSTED (or leave no error) and leak nothing. action gives
 * false, with the error kept, when it failed. Needs tests_begin(). */
void check_allocation_failures(bool (*action)(void *self), void *self);
/* The same for an action of very many allocations: about `most` of them, spread evenly and drawn with the seed. Half are refused
 * with all later ones. Each time after(self, whether it succeeded) looks at what became of it, with memory again. Prints and gives
 * how many were tried. */
size_t check_sampled_allocation_failures(bool (*action)(void *self), void (*after)(void *self, bool done), void *self, size_t most,
                                         uint32_t seed);
/* Installs the counting allocator; call it first in main. */
void tests_begin(void);
/* Leads jansson's allocations through it too. */
void tests_count_json(void);
size_t live_allocations(void);
size_t all_allocations(void); /* those that were freed since too */

#endif
