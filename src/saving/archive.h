/* archive.h - ".keras" archives: a zip with metadata.json, config.json and model.weights.h5, and
 * with tenon.json where there are name scopes to remember. */
#ifndef TN_SAVING_ARCHIVE_H
#define TN_SAVING_ARCHIVE_H
#include "formats/zip.h"
#include "saving/load.h"
#include "saving/saving.h"

/* The caller owns the model. */
tn_status tn__archive_load(tn__load *load, tn_layer **model);
/* The weights of an archive, ready for tn__keras3_read(); closes it with tn__archive_close(). */
typedef struct {
    tn__zip *zip;
    tn__source source; /* of the weights' member */
    tn__bytes decoded; /* when it was compressed */
    tn__h5 *file;
} tn__archive;
tn_status tn__archive_open(const tn__source *source, tn__archive *archive);
tn_status tn__archive_open_weights(const tn__source *source, tn__archive *archive);
/* When the weights were compressed the file is not needed any more, and there is no room for both: its
 * bytes are given back. No other member can be read after that. */
void tn__archive_drop_file(tn__archive *archive, tn__source *source);
void tn__archive_close(tn__archive *archive);
/* A JSON member; *json is NULL, and that is no error, when it is not there. */
tn_status tn__archive_json(tn__archive *archive, const char *member, json_t **json);

/* Everything that saving needs, made and checked before anything is written. */
typedef struct {
    char *metadata, *config, *scopes; /* scopes: NULL: none */
} tn__archive_texts;
tn_status tn__archive_prepare(tn__saving *saving, tn_layer *model, tn__archive_texts *texts);
void tn__archive_texts_free(tn__archive_texts *texts);
tn_status tn__archive_write(const tn__saving *saving, const tn__archive_texts *texts,
                            tn__writer *out);

#endif
