/* modes.h - the programs of document 004 run eagerly, and, in a process of its own, in the default graph of TensorFlow 1. */
#ifndef TN_TESTS_SEEDS_MODES_H
#define TN_TESTS_SEEDS_MODES_H
#include "seeds/seed.h"

static bool graph_mode;

/* The program's main, as the mode wants it. */
static int seed_in_mode(void)
{
    static char program[] = "seed", graph[] = "graph";
    char *arguments[] = { program, graph, NULL };
    return seed_main(graph_mode ? 2 : 1, arguments);
}

/* A session with the variables' first values. */
static inline tn_session *seed_session(void)
{
    tn_session *session = tn_session();
    CHECK_OK(tn_run_operation(session, tn_global_variables_initializer()));
    return session;
}

#endif
