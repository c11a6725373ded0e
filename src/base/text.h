/* text.h - building text. A failed append makes the builder failed; it is asked once, at the end.
 */
#ifndef TN_BASE_TEXT_H
#define TN_BASE_TEXT_H
#include "base/span.h"
#include <stdarg.h>

typedef struct {
    tn__bytes bytes;
    bool failed;
} tn__text;
void tn__text_add(tn__text *text, const char *format, ...) TN_PRINTF(2, 3);
void tn__text_add_v(tn__text *text, const char *format, va_list arguments) TN_PRINTF(2, 0);
void tn__text_add_bytes(tn__text *text, const char *data, size_t size);
/* What was built, NUL-terminated, as long as the builder; "" when it failed. */
const char *tn__text_get(tn__text *text);
/* The same as an allocation of the caller's, NULL and an error when it failed. The builder is empty
 * afterwards. */
char *tn__text_take(tn__text *text);
void tn__text_free(tn__text *text);
/* Allocated "...", or NULL and an error. */
char *tn__print(const char *format, ...) TN_PRINTF(1, 2);

/* "outer/inner", or inner alone when outer is "": names in scopes, layers in models, places in files. As
 * tn__print(). */
char *tn__join_names(const char *outer, const char *inner);

/* CamelCase to snake_case exactly as Keras does it (its classes' automatic names): "Conv2D" gives
 * "conv2d", "PReLU" "p_re_lu". Letters outside ASCII are kept as they are. At most size-1
 * characters are written. */
void tn__snake_case(const char *camel, char *snake, size_t size);
/* The nearest of several words to one that is none of them, tried one after the other, for messages. */
typedef struct {
    const char *wanted;
    char best[64]; /* "" while none is near: one typing mistake, or one for each four letters */
    size_t mistakes;
} tn__nearest;
void tn__nearest_try(tn__nearest *nearest, const char *word);
/* "did you mean 'relu'? ", or "" */
const char *tn__nearest_text(const tn__nearest *nearest, char text[96]);
/* As strcmp(), but numbers in names count as numbers, and what a path's part begins with comes
 * first: "vars/2" before "vars/10", "dense/b" before "dense_1/a". */
int tn__compare_paths(const char *a, const char *b);
bool tn__starts_with(const char *text, const char *start);
bool tn__ends_with(const char *text, const char *end);

/* Numbers, the same in every locale. */
enum { TN__NUMBER_TEXT = 32 }; /* room for any number's text */
/* The shortest decimal text that reads back as the same double (or float, when single), as Python's
 * repr: "0.001", "1e-07", "1.0", "-0.0", "nan", "-inf". */
void tn__number_text(double value, bool single, char *text, size_t size);
/* Reads what Python's float() reads (without its underscores): spaces around, a sign, digits with a
 * point, an exponent, or "nan", "inf", "infinity" in any case; correctly rounded. False when the
 * text is anything else. */
bool tn__number_parse(const char *text, size_t size, double *value);

#endif
