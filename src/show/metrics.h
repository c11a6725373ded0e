/* metrics.h - how wide text is, in the columns of a terminal and as it is drawn; numbers for people. Text is UTF-8; a byte that is none
 * counts as one character, U+FFFD. */
#ifndef TN_SHOW_METRICS_H
#define TN_SHOW_METRICS_H
#include "base/text.h"

/* The character at *at, which moves behind it; `end` is never passed. */
unsigned tn__next_character(const char **at, const char *end);
/* 0 for marks that stand on the character before, 2 for East Asian wide ones and pictures, else 1. */
int tn__columns_of(unsigned character);
int tn__columns(const char *text, size_t size);
/* "1,234,567", and "1.91 KB" as Keras writes it. */
void tn__with_commas(int64_t number, char *text, size_t size);
void tn__size_text(double bytes, char *text, size_t size);
/* Drawn in a sans-serif of this size (pixels), whichever the viewer has: rather too wide than too narrow. */
double tn__drawn_width(const char *text, double size, bool bold);
/* The text, or its beginning and "…" when it is drawn wider than that; the caller frees it. NULL and an error. */
char *tn__drawn_cut(const char *text, double size, bool bold, double width);

#endif
