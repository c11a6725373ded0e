/* loss.h - losses: a class descriptor with one function, and one reduction for all. */
#ifndef TN_TRAIN_LOSS_H
#define TN_TRAIN_LOSS_H
#include "nn/object.h"
#include "tenon/training.h"

/* The instance begins with the public options struct; TN__LOSS_ROWS are among its fields. */
typedef struct {
    /* Values per sample, before weights and reduction: (batch, …). y_true and y_pred are of the
     * loss's dtype. *mask begins as NULL; a loss that leaves values out says which ones count
     * (bool, of the values' shape). Owned by the innermost scope. */
    tn_tensor *(*call)(const void *self, tn_tensor *y_true, tn_tensor *y_pred, tn_tensor **mask);
    bool as_given; /* call gets the two in the shapes they came in; else made of one rank where
                      Keras does */
} tn__loss_methods;

/* What TN_LOSS_OPTIONS says; name_: Keras's default. Keras's files never name the dtype; Keras 2
 * and wrapped functions name `fn` besides the class, which says no more than that, and call the
 * usual reduction "auto". */
#define TN__REDUCTIONS "sum_over_batch_size|mean|sum|mean_with_sample_weight|none|auto"
#define TN__LOSS_ROWS(type, name_)                                                       \
    TN__OPTION(TN_FIELD_STRING, type, reduction, "sum_over_batch_size", TN__REDUCTIONS), \
        TN__OPTION(TN_FIELD_STRING, type, name, name_, NULL),                            \
        TN__OPTION(TN_FIELD_DTYPE, type, dtype, "none", NULL),                           \
        TN__ROW(TN_FIELD_STRING, type, fn, "none", NULL)
#define TN__LOSS_NEWER_FIELDS "dtype|fn"

struct tn_loss {
    tn__object object;
    tn__thing thing;
    const char *reduction; /* in the thing; NULL: none */
    tn_dtype dtype;
};
TN__HANDLE_SIZE(struct tn_loss);
extern const tn__type tn__type_loss;

/* From "mse", "categorical_crossentropy(from_logits=true)" …; "crossentropy" and "ce" are the one
 * that fits the shapes. The caller owns the count. */
tn_status tn__loss_parse(const char *text, tn_loss **loss);
tn_status tn__loss_from_thing(tn__thing *taken,
                              tn_loss **loss); /* takes the thing over, also when it fails */
tn_loss *tn__loss_from_options(const tn__object_class *of,
                               const void *options); /* owned by the innermost scope */
/* The number that training makes small: values, weighted, reduced, as Keras's Loss.__call__.
 * sample_weight and mask (of y_pred) may be NULL. Owned by the innermost scope; NULL and an error.
 */
tn_tensor *tn__loss_value(tn_loss *loss, tn_tensor *y_true, tn_tensor *y_pred,
                          tn_tensor *sample_weight);

/* --- pieces that metrics use too -------------------------------------------------------------- */
/* Keras's squeeze_or_expand_to_same_rank: where the ranks differ by a last dimension of 1, it goes
 * away, or, beside a vector when expand_rank_1 says so, it comes. */
void tn__same_rank(tn_tensor **a, tn_tensor **b, bool expand_rank_1);
/* A mask as weights, times sample_weight (may be NULL); a NULL mask gives sample_weight. spread:
 * what counts gets the weight of what does not, so that a mean over all is the mean over what
 * counts. */
tn_tensor *tn__masked_weight(tn_tensor *sample_weight, tn_tensor *mask, tn_dtype dtype,
                             bool spread);
tn_tensor *tn__to_dtype(tn_tensor *x, tn_dtype dtype);
/* y_pred as floats, y_true in its dtype; tn__pair: and both of one rank where Keras makes them so.
 * Both NULL when one is wrong. */
void tn__floats(tn_tensor **y_true, tn_tensor **y_pred);
void tn__pair(tn_tensor **y_true, tn_tensor **y_pred);
/* Is this output of one class a yes or no, or are the labels class numbers? As compile decides what
 * "accuracy" means. */
typedef enum { TN__BINARY, TN__SPARSE, TN__ONE_HOT } tn__labels;
tn__labels tn__labels_of(const tn_shape *y_true, const tn_shape *y_pred);
/* The same text but for its case, "accuracy" or "ACC". */
bool tn__is_word(const char *text, const char *word, const char *short_word);

#endif
