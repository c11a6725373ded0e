/* golden.h - a corpus of cases that the real TensorFlow and Keras recorded.
 *
 * A folder with an index.json and, for each kind of case, <kind>/<name>.json beside
 * <kind>/<name>.npz. An array stands in the JSON as {"$npz": key, "dtype": …, "shape": […]} and
 * lies in the .npz; further words are {"$tuple": […]}, {"$float": "nan"},
 * {"$strings": […]}. */
#ifndef TN_TESTS_GOLDEN_H
#define TN_TESTS_GOLDEN_H
#include "core/tensor.h"
#include <jansson.h>

typedef struct {
    char *folder;
    json_t *index;
} golden_corpus;
/* false, and a line on stderr, when the folder is none. */
bool golden_open(const char *folder, golden_corpus *corpus);
void golden_close(golden_corpus *corpus);
size_t golden_count(const golden_corpus *corpus);
/* One entry of the index: {"case": "layers/Dense_00", "kind": "layers", "group": "Dense",
 * "tolerance": {…}, …}. */
const json_t *golden_entry(const golden_corpus *corpus, size_t index);

typedef struct golden_case golden_case;
/* NULL, and a line on stderr, when its files cannot be read. */
golden_case *golden_case_open(const golden_corpus *corpus, const json_t *entry);
void golden_case_close(golden_case *c);
const json_t *golden_json(const golden_case *c);
const char *golden_folder(const golden_case *c); /* the corpus's */
/* Of |got - want| <= atol + rtol |want|. */
double golden_rtol(const golden_case *c);
double golden_atol(const golden_case *c);

/* An array, or a plain number as a scalar of the dtype (0: float32); owned by the innermost memory
 * scope. NULL: it is none. */
tn_tensor *golden_tensor(golden_case *c, const json_t *json, tn_dtype dtype);
/* Every array in a structure of lists, tuples and objects, in order. A null among them is a NULL
 * item. */
typedef struct {
    tn_tensor *item[64];
    size_t count;
} golden_leaves;
void golden_flatten(golden_case *c, const json_t *json, golden_leaves *leaves);

/* The first difference as text, or an empty one: dtype, shape, and elements with NaN equal to NaN
 * and infinities exact. */
void golden_difference(tn_tensor *got, tn_tensor *want, double rtol, double atol, char *text,
                       size_t size);

#endif
