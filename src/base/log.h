/* log.h - the one way text leaves the library. */
#ifndef TN_BASE_LOG_H
#define TN_BASE_LOG_H
#include "base/status.h"
#include "tenon/sys.h"

void tn__output(const char *text, size_t size);               /* what the program asked for */
void tn__warn(const char *format, ...) TN_PRINTF(1, 2);       /* one line, without its newline */
bool tn__output_is_terminal(void);

#endif
