/* seed.h - what the tests of examples/seeds/ share. Each includes its program with `main` renamed, runs it in a folder of its own, and
 * looks at what it printed, made and wrote. */
#ifndef TN_TESTS_SEED_H
#define TN_TESTS_SEED_H
#include "support/check_op.h"
#include <sys/stat.h>

/* Seeds, and runs the program in the test's folder. It must end with EXIT_SUCCESS; gives what it printed on standard output. */
const char *seed_run(int (*program)(void));
/* The folder becomes the present one; called by seed_run() too. */
void seed_folder(void);
bool seed_exists(const char *path);
/* loss(self) as a number, whose slope by element i of the variable is compared with `gradient`: central differences with h = 0.5, which are
 * exact for what is quadratic in each element. Every element is tried. */
void seed_check_gradient(double (*loss)(void *self), void *self, tn_variable *variable, tn_tensor *gradient);

#endif
