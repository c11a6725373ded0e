/* damage.h - what a reader makes of bytes that are damaged. */
#ifndef TN_TESTS_DAMAGE_H
#define TN_TESTS_DAMAGE_H
#include "base/span.h"

/* The first `size` bytes in a block of their own, so that a sanitizer sees every byte that is read
 * behind the end; to be freed. */
uint8_t *copy_of(tn__span span, size_t size);

/* Every cut, and every byte set to a few values: each is read, or refused as TN_DATA_LOSS with this
 * text in its message. `read` frees what it has read. */
void check_damage(tn__span whole, tn_status (*read)(tn__span bytes), const char *text);

#endif
