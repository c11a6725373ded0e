/* layout.c - rows by the longest path, order in a row by the means of what a box is linked to, places by least squares. */
#include "show/layout.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double BESIDE = 24, BETWEEN = 34, STEEPNESS = 0.12, MOST_BETWEEN = 160, LOOP = 14, SPREAD = 22, APART = 60;
enum { SWEEPS = 12, MOVES = 40, MOST_NODES = 2000000 };

/* A box, or the place where a line passes a row. */
typedef struct {
    size_t box;        /* SIZE_MAX: a line's */
    size_t row, place; /* place: in the row */
    double width, height, middle, wish, weight;
    size_t up, down; /* of `ends`: where its links to the row above and below begin */
} node;

/* A link between neighbouring rows. */
typedef struct {
    size_t upper, lower;
    double out, in;  /* from the middles; NAN until they are spread */
    bool into, from; /* an arrow points at the lower end, at the upper end */
    size_t bundle;   /* those of one bundle leave at one place */
} segment;

typedef struct {
    tn__layout *l;
    struct {
        node *item;
        size_t count, capacity;
    } node;
    struct {
        segment *item;
        size_t count, capacity;
    } segment;
    size_t rows, *row_start, *row; /* nodes row by row, in order; row_start has one more */
    size_t *best;
    size_t *above, *below; /* segments by their lower and by their upper node */
    double *row_top, *row_bottom;
    size_t *tree; /* for counting crossings */
} plan;

tn_status tn__layout_add_box(tn__layout *layout, tn__box_kind kind, double width, double height)
{
    tn__box box = { kind, width, height, 0, 0 };
    return TN__PUSH(&layout->box, box);
}

tn_status tn__layout_add_link(tn__layout *layout, tn__link link)
{
    return TN__PUSH(&layout->link, link);
}

void tn__layout_free(tn__layout *l)
{
    tn__free(l->box.item);
    tn__free(l->link.item);
    tn__free(l->route.item);
    tn__free(l->point.item);
    *l = (tn__layout){ 0 };
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */
static size_t upper_of(const tn__link *link)
{
    return link->from < link->to ? link->from : link->to;
}

static size_t lower_of(const tn__link *link)
{
    return link->from < link->to ? link->to : link->from;
}

static int compare(double a, double b)
{
    bool none_a = isnan(a), none_b = isnan(b);
    if (none_a || none_b)
        return none_a - none_b;
    return (a > b) - (a < b);
}

/* By the box they leave, the place there, and the box they reach: what shares a line stands together. */
static int by_upper(const void *a, const void *b)
{
    const tn__link *x = a, *y = b;
    size_t upper = upper_of(x), other = upper_of(y);
    if (upper != other)
        return upper < other ? -1 : 1;
    bool back = x->from > x->to, other_back = y->from > y->to;
    if (back != other_back)
        return back - other_back;
    int place = compare(x->out, y->out);
    size_t lower = lower_of(x), other_lower = lower_of(y);
    if (place == 0 && lower != other_lower)
        return lower < other_lower ? -1 : 1;
    return place ? place : compare(x->in, y->in);
}

static void drop_repeated(tn__layout *l)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->link.count; i++)
        if (kept == 0 || by_upper(&l->link.item[kept - 1], &l->link.item[i]) != 0)
            l->link.item[kept++] = l->link.item[i];
    l->link.count = kept;
}

static int by_lower(const void *a, const void *b)
{
    size_t x = lower_of(a), y = lower_of(b);
    return (x > y) - (x < y);
}

static void sort_links(tn__layout *l, int (*by)(const void *, const void *))
{
    if (l->link.count > 0) /* else there is no array at all */
        qsort(l->link.item, l->link.count, sizeof *l->link.item, by);
}

/* A box stands right above the highest of what it leads to when nothing leads to it. */
static void pull_sources(tn__layout *l, node *nodes, const bool *reached)
{
    sort_links(l, by_upper);
    for (size_t i = l->link.count; i > 0;) {
        size_t upper = upper_of(&l->link.item[i - 1]), highest = SIZE_MAX;
        for (; i > 0 && upper_of(&l->link.item[i - 1]) == upper; i--) {
            size_t lower = lower_of(&l->link.item[i - 1]);
            if (lower != upper && nodes[lower].row < highest)
                highest = nodes[lower].row;
        }
        if (!reached[upper] && l->box.item[upper].kind == TN__BOX && highest != SIZE_MAX)
            nodes[upper].row = highest - 1;
    }
}

static tn_status settle_rows(plan *p)
{
    tn__layout *l = p->l;
    node *nodes = p->node.item;
    bool *reached = tn__alloc_zeroed(l->box.count + 1, sizeof *reached);
    if (!reached)
        return TN_RESOURCE_EXHAUSTED;
    sort_links(l, by_lower);
    for (size_t i = 0; i < l->link.count; i++) {
        size_t upper = upper_of(&l->link.item[i]), lower = lower_of(&l->link.item[i]);
        if (upper != lower && nodes[upper].row + 1 > nodes[lower].row)
            nodes[lower].row = nodes[upper].row + 1;
        reached[lower] |= upper != lower;
    }
    pull_sources(l, nodes, reached);
    tn__free(reached);
    for (size_t i = 0; i < l->box.count; i++)
        if (nodes[i].row + 1 > p->rows)
            p->rows = nodes[i].row + 1;
    for (size_t i = 0; i < l->box.count; i++)
        if (l->box.item[i].kind == TN__EXIT)
            nodes[i].row = p->rows - 1;
    return TN_OK;
}

static tn_status add_nodes(plan *p)
{
    for (size_t i = 0; i < p->l->box.count; i++) {
        const tn__box *box = &p->l->box.item[i];
        node one = { .box = i, .width = box->width, .height = box->height, .weight = 1 };
        TN_TRY(TN__PUSH(&p->node, one));
    }
    return settle_rows(p);
}

/* --- links through rows ------------------------------------------------------------------------------------------------- */
static tn_status add_passing(plan *p, size_t row)
{
    node one = { .box = SIZE_MAX, .row = row, .weight = 4 };
    if (p->node.count > MOST_NODES)
        return tn__fail(TN_RESOURCE_EXHAUSTED, "the links of this model cross more than %d rows in all", MOST_NODES);
    return TN__PUSH(&p->node, one);
}

/* Links [first, end) leave one box at one place in one direction: they share a line down to where each turns off. */
static tn_status add_bundle(plan *p, size_t first, size_t end, size_t bundle)
{
    const tn__link *links = p->l->link.item;
    size_t upper = upper_of(&links[first]), top = p->node.item[upper].row, deepest = top, passing = p->node.count;
    bool back = links[first].from > links[first].to;
    double out = back ? NAN : links[first].out;
    for (size_t i = first; i < end; i++)
        if (p->node.item[lower_of(&links[i])].row > deepest)
            deepest = p->node.item[lower_of(&links[i])].row;
    for (size_t row = top + 1; row < deepest; row++) {
        segment s = {
            row == top + 1 ? upper : p->node.count - 1, p->node.count, row == top + 1 ? out : 0, 0, false, back && row == top + 1, bundle
        };
        TN_TRY(add_passing(p, row));
        TN_TRY(TN__PUSH(&p->segment, s));
    }
    for (size_t i = first; i < end; i++) {
        size_t lower = lower_of(&links[i]), above = p->node.item[lower].row - 1;
        bool direct = above == top;
        double in = back ? NAN : links[i].in;
        segment s = {
            direct ? upper : passing + (above - top - 1), lower, direct ? out : 0, in, !back && isnan(in), back && direct, bundle
        };
        TN_TRY(TN__PUSH(&p->segment, s));
    }
    return TN_OK;
}

static tn_status add_segments(plan *p)
{
    tn__layout *l = p->l;
    size_t bundle = 0;
    for (size_t i = 0, end; i < l->link.count; i = end, bundle++) {
        const tn__link *link = &l->link.item[i];
        for (end = i + 1; end < l->link.count; end++) {
            const tn__link *other = &l->link.item[end];
            if (link->from >= link->to || other->from != link->from || other->from >= other->to || compare(other->out, link->out) != 0)
                break;
        }
        if (link->from != link->to)
            TN_TRY(add_bundle(p, i, end, bundle));
    }
    return TN_OK;
}

/* Segments by their upper and lower nodes: counted, then dealt out. */
static tn_status index_segments(plan *p)
{
    size_t count = p->segment.count;
    p->above = tn__alloc((count + 1) * sizeof *p->above);
    p->below = tn__alloc((count + 1) * sizeof *p->below);
    if (!p->above || !p->below)
        return TN_RESOURCE_EXHAUSTED;
    node last = { 0 };
    TN_TRY(TN__PUSH(&p->node, last)); /* its `up` and `down` are the ends of the one before */
    node *nodes = p->node.item;
    p->node.count--;
    for (size_t i = 0; i < count; i++) {
        nodes[p->segment.item[i].lower + 1].up++;
        nodes[p->segment.item[i].upper + 1].down++;
    }
    for (size_t i = 0; i < p->node.count; i++) {
        nodes[i + 1].up += nodes[i].up;
        nodes[i + 1].down += nodes[i].down;
    }
    for (size_t i = count; i-- > 0;) { /* from the ends, which are put right by going down to the beginnings */
        p->above[--nodes[p->segment.item[i].lower + 1].up] = i;
        p->below[--nodes[p->segment.item[i].upper + 1].down] = i;
    }
    for (size_t i = 0; i < p->node.count; i++) { /* every entry now is the beginning of the node before */
        nodes[i].up = nodes[i + 1].up;
        nodes[i].down = nodes[i + 1].down;
    }
    nodes[p->node.count].up = nodes[p->node.count].down = count;
    return TN_OK;
}

/* --- order -------------------------------------------------------------------------------------------------------------- */
static tn_status fill_rows(plan *p)
{
    size_t count = p->node.count;
    p->row_start = tn__alloc_zeroed(p->rows + 2, sizeof *p->row_start);
    p->row = tn__alloc((count + 1) * sizeof *p->row);
    p->best = tn__alloc((count + 1) * sizeof *p->best);
    p->tree = tn__alloc((count + 2) * sizeof *p->tree);
    if (!p->row_start || !p->row || !p->best || !p->tree)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count; i++)
        p->row_start[p->node.item[i].row + 1]++;
    for (size_t r = 0; r < p->rows; r++)
        p->row_start[r + 1] += p->row_start[r];
    for (size_t i = count; i-- > 0;)
        p->row[--p->row_start[p->node.item[i].row + 1]] = i;
    memmove(p->row_start, p->row_start + 1, p->rows * sizeof *p->row_start);
    p->row_start[p->rows] = count;
    for (size_t i = 0; i < count; i++)
        p->node.item[p->row[i]].place = i - p->row_start[p->node.item[p->row[i]].row];
    return TN_OK;
}

static size_t links_of(const plan *p, const node *n, bool up, const size_t **list)
{
    *list = (up ? p->above : p->below) + (up ? n->up : n->down);
    return up ? n[1].up - n->up : n[1].down - n->down;
}

/* Where the nodes at the other end of a node's links stand, in the mean; what has none stays where it is. */
static double mean_place(const plan *p, const node *n, bool up)
{
    const size_t *list;
    size_t count = links_of(p, n, up, &list);
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        const segment *s = &p->segment.item[list[i]];
        sum += (double)p->node.item[up ? s->upper : s->lower].place;
    }
    return count ? sum / (double)count : (double)n->place;
}

static int by_wish(const void *a, const void *b)
{
    const node *x = *(const node *const *)a, *y = *(const node *const *)b;
    if (x->wish != y->wish)
        return x->wish < y->wish ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static void order_row(plan *p, size_t r, bool up, const node **scratch)
{
    size_t start = p->row_start[r], count = p->row_start[r + 1] - start;
    for (size_t i = 0; i < count; i++) {
        node *n = &p->node.item[p->row[start + i]];
        n->wish = mean_place(p, n, up);
        scratch[i] = n;
    }
    qsort(scratch, count, sizeof *scratch, by_wish);
    for (size_t i = 0; i < count; i++) {
        p->row[start + i] = (size_t)(scratch[i] - p->node.item);
        p->node.item[p->row[start + i]].place = i;
    }
}

static void order_lowers(const plan *p, const node *n, size_t *places, size_t *count)
{
    const size_t *list;
    size_t links = links_of(p, n, false, &list), first = *count;
    for (size_t i = 0; i < links; i++) {
        size_t place = p->node.item[p->segment.item[list[i]].lower].place, at = (*count)++;
        for (; at > first && places[at - 1] > place; at--)
            places[at] = places[at - 1];
        places[at] = place;
    }
}

/* Pairs of links between two rows that cross: for each, how many of those to its left end to its right. */
static size_t crossings_below(plan *p, size_t r, size_t *places)
{
    size_t count = 0, crossings = 0, width = r + 1 < p->rows ? p->row_start[r + 2] - p->row_start[r + 1] : 0;
    memset(p->tree, 0, (width + 1) * sizeof *p->tree);
    for (size_t i = p->row_start[r]; i < p->row_start[r + 1]; i++)
        order_lowers(p, &p->node.item[p->row[i]], places, &count);
    for (size_t i = 0; i < count; i++) {
        size_t not_right = 0;
        for (size_t at = places[i] + 1; at > 0; at -= at & -at)
            not_right += p->tree[at];
        crossings += i - not_right;
        for (size_t at = places[i] + 1; at <= width; at += at & -at)
            p->tree[at]++;
    }
    return crossings;
}

static size_t count_crossings(plan *p, size_t *places)
{
    size_t crossings = 0;
    for (size_t r = 0; r + 1 < p->rows; r++)
        crossings += crossings_below(p, r, places);
    return crossings;
}

static void take_best(plan *p)
{
    memcpy(p->row, p->best, p->node.count * sizeof *p->row);
    for (size_t r = 0; r < p->rows; r++)
        for (size_t i = p->row_start[r]; i < p->row_start[r + 1]; i++)
            p->node.item[p->row[i]].place = i - p->row_start[r];
}

static tn_status settle_order(plan *p)
{
    const node **scratch = tn__alloc((p->node.count + 1) * sizeof *scratch);
    size_t *places = tn__alloc((p->segment.count + 1) * sizeof *places), fewest = SIZE_MAX;
    for (int sweep = 0; scratch && places && sweep < SWEEPS && fewest > 0; sweep++) {
        for (size_t r = 1; r < p->rows && sweep % 2 == 0; r++)
            order_row(p, r, true, scratch);
        for (size_t r = p->rows - 1; r-- > 0 && sweep % 2 == 1;)
            order_row(p, r, false, scratch);
        size_t crossings = count_crossings(p, places);
        if (crossings < fewest)
            memcpy(p->best, p->row, p->node.count * sizeof *p->row);
        fewest = crossings < fewest ? crossings : fewest;
    }
    tn_status status = scratch && places ? TN_OK : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK)
        take_best(p);
    tn__free(scratch);
    tn__free(places);
    return status;
}

/* --- where lines meet boxes --------------------------------------------------------------------------------------------- */
/* Spread over the box's side in the order of their other ends. */
static void spread_tops(plan *p, const node *n)
{
    const size_t *list;
    size_t count = links_of(p, n, true, &list);
    double step = count > 1 ? fmin(SPREAD, (n->width - 20) / (double)(count - 1)) : 0;
    for (size_t i = 0; i < count; i++) {
        segment *s = &p->segment.item[list[i]];
        size_t before = 0;
        for (size_t k = 0; k < count && count < 1000; k++) {
            size_t place = p->node.item[p->segment.item[list[k]].upper].place, own = p->node.item[s->upper].place;
            before += place < own || (place == own && k < i);
        }
        if (isnan(s->in))
            s->in = n->box == SIZE_MAX ? 0 : step * ((double)(count < 1000 ? before : i) - (double)(count - 1) / 2);
    }
}

/* Those of one bundle leave together; bundles are few: a shared layer's upward links. */
static void spread_bottoms(plan *p, const node *n)
{
    const size_t *list;
    size_t count = links_of(p, n, false, &list), bundles = 0, number = 0;
    for (size_t i = 0; i < count; i++)
        bundles += i == 0 || p->segment.item[list[i]].bundle != p->segment.item[list[i - 1]].bundle;
    double step = bundles > 1 ? fmin(APART, (n->width - 20) / (double)(bundles - 1)) : 0;
    for (size_t i = 0; i < count; i++) {
        segment *s = &p->segment.item[list[i]];
        number += i > 0 && s->bundle != p->segment.item[list[i - 1]].bundle;
        if (isnan(s->out))
            s->out = step * ((double)number - (double)(bundles - 1) / 2);
    }
}

/* --- places ------------------------------------------------------------------------------------------------------------- */
/* The weighted mean of where a node's links would have it. */
static bool wish_of(const plan *p, const node *n, bool up, double *sum, double *weight)
{
    const size_t *list;
    size_t count = links_of(p, n, up, &list);
    for (size_t i = 0; i < count; i++) {
        const segment *s = &p->segment.item[list[i]];
        const node *other = &p->node.item[up ? s->upper : s->lower];
        double passing = other->box == SIZE_MAX && n->box == SIZE_MAX ? 8 : 1;
        *sum += passing * (other->middle + (up ? s->out - s->in : s->in - s->out));
        *weight += passing;
    }
    return count > 0;
}

typedef struct {
    double sum, weight; /* of wishes, less the widths before */
    size_t count;
} block;

/* The nearest places to the wishes that keep order and distance: blocks of touching nodes, joined while one would overtake the next. */
static void place_row(plan *p, size_t r, block *blocks)
{
    size_t count = 0, at = p->row_start[r];
    double offset = 0, before = 0;
    for (size_t i = p->row_start[r]; i < p->row_start[r + 1]; i++) {
        const node *n = &p->node.item[p->row[i]];
        offset += i > p->row_start[r] ? (before + n->width) / 2 + BESIDE : 0;
        before = n->width;
        blocks[count++] = (block){ n->weight * (n->wish - offset), n->weight, 1 };
        for (; count > 1 && blocks[count - 2].sum * blocks[count - 1].weight > blocks[count - 1].sum * blocks[count - 2].weight; count--) {
            blocks[count - 2].sum += blocks[count - 1].sum;
            blocks[count - 2].weight += blocks[count - 1].weight;
            blocks[count - 2].count += blocks[count - 1].count;
        }
    }
    offset = 0;
    for (size_t b = 0; b < count; b++)
        for (size_t i = 0; i < blocks[b].count; i++, at++) {
            node *n = &p->node.item[p->row[at]];
            offset += at > p->row_start[r] ? (before + n->width) / 2 + BESIDE : 0;
            before = n->width;
            n->middle = blocks[b].sum / blocks[b].weight + offset;
        }
}

typedef enum { FROM_ABOVE = 1, FROM_BELOW = 2 } side;

static void move_row(plan *p, size_t r, int sides, block *blocks)
{
    for (size_t i = p->row_start[r]; i < p->row_start[r + 1]; i++) {
        node *n = &p->node.item[p->row[i]];
        double sum = 0, weight = 0;
        bool any = (sides & FROM_ABOVE) && wish_of(p, n, true, &sum, &weight);
        any |= (sides & FROM_BELOW) && wish_of(p, n, false, &sum, &weight);
        n->wish = any ? sum / weight : n->middle;
    }
    place_row(p, r, blocks);
}

static tn_status settle_places(plan *p)
{
    block *blocks = tn__alloc((p->node.count + 1) * sizeof *blocks);
    if (!blocks)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < p->node.count; i++) {
        spread_tops(p, &p->node.item[i]);
        spread_bottoms(p, &p->node.item[i]);
    }
    for (size_t r = 0; r < p->rows; r++)
        move_row(p, r, FROM_ABOVE, blocks);
    for (int sweep = 0; sweep < MOVES; sweep++) {
        int sides = sweep < SWEEPS ? (sweep % 2 ? FROM_ABOVE : FROM_BELOW) : FROM_ABOVE | FROM_BELOW;
        for (size_t i = 0; i < p->rows; i++)
            move_row(p, sweep % 2 ? i : p->rows - 1 - i, sides, blocks);
    }
    tn__free(blocks);
    return TN_OK;
}

/* The space below a row grows with how far its lines go sideways. */
static double space_below(const plan *p, size_t r)
{
    double far = 0;
    for (size_t i = p->row_start[r]; i < p->row_start[r + 1]; i++) {
        const size_t *list;
        const node *n = &p->node.item[p->row[i]];
        size_t count = links_of(p, n, false, &list);
        for (size_t k = 0; k < count; k++) {
            const segment *s = &p->segment.item[list[k]];
            far = fmax(far, fabs(n->middle + s->out - p->node.item[s->lower].middle - s->in));
        }
    }
    return fmin(BETWEEN + STEEPNESS * far, MOST_BETWEEN);
}

static tn_status settle_heights(plan *p)
{
    p->row_top = tn__alloc_zeroed(p->rows + 1, sizeof *p->row_top);
    p->row_bottom = tn__alloc_zeroed(p->rows + 1, sizeof *p->row_bottom);
    if (!p->row_top || !p->row_bottom)
        return TN_RESOURCE_EXHAUSTED;
    double y = 0;
    for (size_t r = 0; r < p->rows; r++) {
        double tallest = 0;
        for (size_t i = p->row_start[r]; i < p->row_start[r + 1]; i++)
            tallest = fmax(tallest, p->node.item[p->row[i]].height);
        p->row_top[r] = y;
        p->row_bottom[r] = p->l->height = y + tallest;
        y = p->row_bottom[r] + space_below(p, r);
    }
    return TN_OK;
}

/* --- lines -------------------------------------------------------------------------------------------------------------- */
static tn_status add_point(tn__layout *l, double x, double y)
{
    tn__point point = { x, y };
    return TN__PUSH(&l->point, point);
}

static tn_status add_route(const plan *p, const segment *s)
{
    tn__layout *l = p->l;
    const node *upper = &p->node.item[s->upper], *lower = &p->node.item[s->lower];
    double start = upper->middle + s->out, end = lower->middle + s->in;
    tn__route route = { l->point.count, 0, s->into, s->from };
    if (upper->box != SIZE_MAX && p->row_top[upper->row] + upper->height < p->row_bottom[upper->row])
        TN_TRY(add_point(l, start, p->row_top[upper->row] + upper->height));
    TN_TRY(add_point(l, start, p->row_bottom[upper->row]));
    TN_TRY(add_point(l, end, p->row_top[lower->row]));
    if (lower->box == SIZE_MAX)
        TN_TRY(add_point(l, end, p->row_bottom[lower->row]));
    route.count = l->point.count - route.first;
    return TN__PUSH(&l->route, route);
}

/* A layer that is called on its own output. */
static tn_status add_loop(tn__layout *l, size_t at)
{
    const tn__box *box = &l->box.item[at];
    double right = box->x + box->width, low = box->y + box->height * 0.7, high = box->y + box->height * 0.3;
    tn__route route = { l->point.count, 4, true, false };
    TN_TRY(add_point(l, right, low));
    TN_TRY(add_point(l, right + LOOP, low));
    TN_TRY(add_point(l, right + LOOP, high));
    TN_TRY(add_point(l, right, high));
    return TN__PUSH(&l->route, route);
}

static tn_status add_routes(plan *p)
{
    tn__layout *l = p->l;
    for (size_t i = 0; i < l->box.count; i++) {
        l->box.item[i].x = p->node.item[i].middle - l->box.item[i].width / 2;
        l->box.item[i].y = p->row_top[p->node.item[i].row];
    }
    for (size_t i = 0; i < p->segment.count; i++)
        TN_TRY(add_route(p, &p->segment.item[i]));
    for (size_t i = 0; i < l->link.count; i++)
        if (l->link.item[i].from == l->link.item[i].to)
            TN_TRY(add_loop(l, l->link.item[i].from));
    return TN_OK;
}

/* So that the leftmost thing is at 0. */
static void shift(tn__layout *l)
{
    double left = INFINITY, right = -INFINITY;
    for (size_t i = 0; i < l->box.count; i++) {
        left = fmin(left, l->box.item[i].x);
        right = fmax(right, l->box.item[i].x + l->box.item[i].width);
    }
    for (size_t i = 0; i < l->point.count; i++) {
        left = fmin(left, l->point.item[i].x);
        right = fmax(right, l->point.item[i].x);
    }
    for (size_t i = 0; i < l->box.count; i++)
        l->box.item[i].x -= left;
    for (size_t i = 0; i < l->point.count; i++)
        l->point.item[i].x -= left;
    l->width = right - left;
}

static tn_status run(plan *p)
{
    TN_TRY(add_nodes(p));
    drop_repeated(p->l);
    TN_TRY(add_segments(p));
    TN_TRY(index_segments(p));
    TN_TRY(fill_rows(p));
    TN_TRY(settle_order(p));
    TN_TRY(settle_places(p));
    TN_TRY(settle_heights(p));
    TN_TRY(add_routes(p));
    shift(p->l);
    return TN_OK;
}

tn_status tn__layout_run(tn__layout *layout)
{
    plan p = { .l = layout };
    tn_status status = layout->box.count ? run(&p) : TN_OK;
    tn__free(p.node.item);
    tn__free(p.segment.item);
    tn__free(p.row_start);
    tn__free(p.row);
    tn__free(p.best);
    tn__free(p.above);
    tn__free(p.below);
    tn__free(p.row_top);
    tn__free(p.row_bottom);
    tn__free(p.tree);
    return status;
}
