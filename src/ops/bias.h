/* bias.h - BiasAdd, for those who put it together with other ops. */
#ifndef TN_OPS_BIAS_H
#define TN_OPS_BIAS_H
#include <stdbool.h>

/* Of BiasAdd's attributes: channels come last, so the bias is broadcast as any vector is. */
bool tn__bias_is_last(const void *attrs);

#endif
