/* snappy.h - reading Snappy's raw format, in which tables may have their blocks. */
#ifndef TN_FORMATS_SNAPPY_H
#define TN_FORMATS_SNAPPY_H
#include "base/span.h"

/* What the bytes say they decode to; refused when so few cannot give so many. */
tn_status tn__snappy_size(tn__span bytes, size_t *size);
/* Decodes exactly that many. TN_DATA_LOSS: damaged. */
tn_status tn__snappy_read(tn__span bytes, uint8_t *out, size_t size);

#endif
