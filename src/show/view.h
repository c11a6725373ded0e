/* view.h - a model as a person looks at it: its layers in Keras's order, and the calls of them that it is made of. */
#ifndef TN_SHOW_VIEW_H
#define TN_SHOW_VIEW_H
#include "nn/model.h"
#include "runtime/graph.h"

/* One call of a layer, or one op that stands directly in the model. */
typedef struct {
    const tn__node *node;
    size_t item; /* whose call it is; SIZE_MAX: of none, a Sequential's InputLayer */
    size_t next; /* the next call of the same item, as Keras numbers them; SIZE_MAX: there is none */
    int index;   /* that number */
} tn__view_call;

typedef struct {
    tn_layer *layer;      /* NULL: an op */
    char *name;           /* of an op: "AddV2", "AddV2_1" …; NULL: the layer's */
    size_t first, last;   /* calls; SIZE_MAX: there are none */
    size_t place, behind; /* where it stands: a layer among the layers, an op behind the last that it uses */
} tn__view_item;

/* All pointers are borrowed from the model. A model without a symbolic graph (of the program's own class, or not built) has no calls. */
typedef struct {
    tn_layer *model;
    struct {
        tn__view_item *item;
        size_t count, capacity;
    } item;
    struct {
        tn__view_call *item;
        size_t count, capacity;
    } call;        /* in an order in which they can run, the inputs' first */
    tn__ids index; /* a layer, or an op's node, to its item */
    tn__ids calls; /* a node to its call */
} tn__view;

tn_status tn__view_open(tn_context *context, tn_layer *model, tn__view *view);
void tn__view_close(tn__view *view); /* also after a failure */
const char *tn__view_name(const tn__view_item *item);
const char *tn__view_class(const tn__view *view, const tn__view_item *item);
/* The call whose output a call's input is; NULL: it is a constant, or comes from outside. */
const tn__view_call *tn__view_source(const tn__view *view, const tn_tensor *input);
/* Is it one chain, each layer called once on what the one before gave? */
bool tn__view_is_chain(const tn__view *view);

#endif
