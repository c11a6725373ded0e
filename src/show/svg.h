/* svg.h - writing SVG 1.1: a page that needs nothing besides itself, numbers in tenths of a pixel whatever the locale, every text
 * escaped. Fonts are the viewer's own. */
#ifndef TN_SHOW_SVG_H
#define TN_SHOW_SVG_H
#include "base/text.h"

typedef struct {
    double x, y;
} tn__point;

/* A white page; title: what a screen reader says. */
void tn__svg_begin(tn__text *svg, double width, double height, const char *title);
void tn__svg_end(tn__text *svg);
/* attributes: more of the element's, "fill=\"#222\"", a constant of the program. */
void tn__svg_rect(tn__text *svg, double x, double y, double width, double height, const char *attributes);
void tn__svg_line(tn__text *svg, const tn__point *points, size_t count, const char *attributes);
/* A filled triangle whose tip is at `tip`, coming from `from`. */
void tn__svg_arrow(tn__text *svg, tn__point from, tn__point tip);
void tn__svg_dot(tn__text *svg, tn__point at, double radius, const char *attributes);
/* y: the base line. */
void tn__svg_text(tn__text *svg, double x, double y, double size, const char *attributes, const char *words);
/* A bold text with a plain one behind it, anchored as `attributes` say. */
void tn__svg_two_texts(tn__text *svg, double x, double y, double size, const char *attributes, const char *bold, const char *plain);
/* What pointing at the elements up to tn__svg_group_end() tells. */
void tn__svg_group(tn__text *svg, const char *title);
void tn__svg_group_end(tn__text *svg);

/* Into a file; the text is freed, whether it succeeds or not. */
tn_status tn__svg_write(tn__text *svg, const char *path);

#endif
