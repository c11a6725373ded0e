/* cells.h - what every session has of its own: the values of graph variables, and how far random ops have come. */
#ifndef TN_CORE_CELLS_H
#define TN_CORE_CELLS_H
#include "core/variable.h"

typedef struct tn__cells tn__cells;
tn__cells *tn__cells_new(void); /* NULL and an error without memory */
void tn__cells_free(tn__cells *cells);
/* The variable that is meant: this one, or, when it is a graph's, the one that holds its value in the session that runs, without a
 * value at its first use. Not retained: it lives as long as the session. An error outside of sessions. */
tn_status tn__cell_of(tn_tensor *variable, tn_tensor **cell);
/* What the random op that `op` stands for (an address that is its own as long as the session) has drawn in this session; from now on
 * `blocks` more. */
tn_status tn__cells_draw(tn__cells *cells, const void *op, uint64_t blocks, uint64_t *drawn);

#endif
