/* layout.h - a layered drawing of boxes and links: each box stands below everything that leads to it, lines go from row to row and never
 * through a box. Rows go down; whoever wants them to go right swaps x and y.
 *
 * Boxes are added in an order in which they can run; a link to an earlier box (a shared layer's second call) is drawn upwards. All links
 * that leave a box at one place share their line as far as they go together. */
#ifndef TN_SHOW_LAYOUT_H
#define TN_SHOW_LAYOUT_H
#include "show/svg.h"

typedef enum { TN__BOX, TN__ENTRY, TN__EXIT } tn__box_kind; /* an entry stands above all others, an exit below */

typedef struct {
    tn__box_kind kind;
    double width, height;
    double x, y; /* found: the upper left corner */
} tn__box;

typedef struct {
    size_t from, to;
    double out, in; /* where it leaves and arrives, from the box's middle; NAN: where there is room, and with an arrow */
} tn__link;

/* A line that was found: points [first, first + count), with arrows at its ends or not. */
typedef struct {
    size_t first, count;
    bool arrow, arrow_at_start;
} tn__route;

/* All zero is empty. */
typedef struct {
    struct {
        tn__box *item;
        size_t count, capacity;
    } box;
    struct {
        tn__link *item;
        size_t count, capacity;
    } link;
    struct {
        tn__route *item;
        size_t count, capacity;
    } route;
    struct {
        tn__point *item;
        size_t count, capacity;
    } point;
    double width, height; /* found */
} tn__layout;

tn_status tn__layout_add_box(tn__layout *layout, tn__box_kind kind, double width, double height);
tn_status tn__layout_add_link(tn__layout *layout, tn__link link);
/* TN_RESOURCE_EXHAUSTED also when the links cross more rows than could be looked at. */
tn_status tn__layout_run(tn__layout *layout);
void tn__layout_free(tn__layout *layout);

#endif
