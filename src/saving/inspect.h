/* inspect.h - what a file holds, as one JSON object (files.h lists its keys): found, then said as
 * text. */
#ifndef TN_SAVING_INSPECT_H
#define TN_SAVING_INSPECT_H
#include "base/span.h"
#include "base/text.h"
#include "formats/bundle.h"
#include "saving/source.h"
#include <jansson.h>

/* In *report, the caller's. Fails when nothing of the file can be read. data, limit: as for
 * tn__source_open(). */
tn_status tn__inspect(const char *path, tn__span data, uint64_t limit, json_t **report);
/* For people. What a name holds that would move a terminal's cursor is shown as "?". */
void tn__inspect_text(const json_t *report, tn__text *text);
/* The same for one name between two texts, and a list of numbers as a shape, "(3, 4)". */
void tn__inspect_words(tn__text *text, const char *before, const char *words, const char *after);
void tn__inspect_shape(tn__text *text, const json_t *shape);

/* --- between the files that find ----------------------------------------------------------------
 */
typedef struct {
    json_t *out; /* all keys are there from the beginning */
    json_t *layers, *variables, *state, *members, *problems; /* its lists */
    int64_t numbers, bytes, state_bytes;
    bool found; /* anything but the format */
} tn__inspection;

/* Says what cannot be read, when that is what failed, and goes on. */
tn_status tn__inspect_try(tn__inspection *i, tn_status status);
/* A variable or an array; dims are what the file says. */
tn_status tn__inspect_add(tn__inspection *i, const char *path, const char *dtype, int rank,
                          const uint64_t *dims, uint64_t count, uint64_t bytes);
tn_status tn__inspect_set(tn__inspection *i, const char *key, const char *value);

/* The variables of a checkpoint, and those whose data are not there; its object graph is none. */
tn_status tn__inspect_bundle(tn__inspection *i, tn__bundle *bundle);
/* A checkpoint's index, or one of the first format. */
tn_status tn__inspect_checkpoint(tn__inspection *i, const tn__source *source);
/* A model's config: its layers, and the classes that nobody knows. */
tn_status tn__inspect_config(tn__inspection *i, const json_t *config);
/* A SavedModel's folder (inspect_saved_model.c). */
tn_status tn__inspect_saved_model(tn__inspection *i, const char *path, uint64_t limit);

/* Arrays and tables (inspect_arrays.c). *taken is false when the bytes are none. */
tn_status tn__inspect_arrays(tn__inspection *i, const char *path, tn__span bytes, bool *taken);
/* The arrays of an .npz. */
tn_status tn__inspect_npz(tn__inspection *i, tn__span bytes, bool salvage);

#endif
