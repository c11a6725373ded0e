/* arrays.h - the arrays of .npz, .npy and .csv files, for those who have opened them. */
#ifndef TN_SAVING_ARRAYS_H
#define TN_SAVING_ARRAYS_H
#include "saving/source.h"
#include "tenon/files.h"

/* Every array of an .npz; the one of another file is called "". Memory of the innermost scope; item
 * NULL: it failed. */
tn_named_list tn__arrays_read(const tn__source *source);

#endif
