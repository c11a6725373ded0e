/* cells.c - a session's values of graph variables, and its places in streams of random numbers. Any thread. */
#include "core/cells.h"
#include <pthread.h>

struct tn__cells {
    pthread_mutex_t lock;
    tn__ids place; /* id of the graph's variable to the index of its cell */
    struct {
        tn_tensor **item; /* retained */
        size_t count, capacity;
    } cell;
    tn__ids drawn; /* address of a random op to the blocks that it has drawn */
};

tn__cells *tn__cells_new(void)
{
    tn__cells *cells = tn__alloc_zeroed(1, sizeof *cells);
    if (cells)
        pthread_mutex_init(&cells->lock, NULL);
    return cells;
}

void tn__cells_free(tn__cells *cells)
{
    if (!cells)
        return;
    for (size_t i = 0; i < cells->cell.count; i++)
        tn__release(cells->cell.item[i]);
    tn__free(cells->cell.item);
    tn__ids_free(&cells->place);
    tn__ids_free(&cells->drawn);
    pthread_mutex_destroy(&cells->lock);
    tn__free(cells);
}

static tn_status make_cell(tn__cells *cells, const tn_tensor *variable, size_t *at)
{
    const tn__variable *v = variable->of.variable;
    tn__variable_spec spec = { .dtype = (tn_dtype)variable->dtype, .shape = variable->shape, .name = v->name, .scope = v->scope,
                               .here = v->here, .trainable = v->trainable, .explicit_name = v->explicit_name };
    tn_tensor *cell;
    TN_TRY(TN__RESERVE(&cells->cell, 1));
    TN_TRY(tn__variable_new(&spec, &cell));
    *at = cells->cell.count;
    cells->cell.item[cells->cell.count++] = cell;
    return tn__ids_set(&cells->place, variable->id, *at);
}

static tn_status find_cell(tn__cells *cells, const tn_tensor *variable, tn_tensor **cell)
{
    size_t at;
    tn_status status = TN_OK;
    pthread_mutex_lock(&cells->lock);
    if (!tn__ids_get(&cells->place, variable->id, &at))
        status = make_cell(cells, variable, &at);
    if (status == TN_OK)
        *cell = cells->cell.item[at];
    pthread_mutex_unlock(&cells->lock);
    return status;
}

tn_status tn__cells_draw(tn__cells *cells, const void *op, uint64_t blocks, uint64_t *drawn)
{
    size_t before = 0;
    pthread_mutex_lock(&cells->lock);
    (void)tn__ids_get(&cells->drawn, (uint64_t)(uintptr_t)op, &before);
    tn_status status = tn__ids_set(&cells->drawn, (uint64_t)(uintptr_t)op, before + (size_t)blocks);
    pthread_mutex_unlock(&cells->lock);
    *drawn = before;
    return status;
}

tn_status tn__cell_of(tn_tensor *variable, tn_tensor **cell)
{
    const tn__variable *v = variable->of.variable;
    *cell = variable;
    if (!v->of_graph)
        return TN_OK;
    tn_context *context = tn__context();
    if (context->cells)
        return find_cell(context->cells, variable, cell);
    return tn__fail(TN_FAILED_PRECONDITION,
                    "'%s' is a variable of a graph and has values in sessions only\nmade at %s\ntn_run(session, variable) gives its value there, once tn_run_operation(session, tn_global_variables_initializer()) has run",
                    tn__variable_full_name(variable), v->here ? v->here : "an unknown line");
}
