/* source.h - the bytes that are loaded from, and what they are. */
#ifndef TN_SAVING_SOURCE_H
#define TN_SAVING_SOURCE_H
#include "base/file.h"
#include "core/tensor.h"

/* A file's bytes, mapped or read, kept by every tensor that lies in them. */
typedef struct tn__mapping tn__mapping;

typedef struct {
    tn__span bytes;
    const char *name;     /* for messages: the path, or "memory"; borrowed */
    uint64_t decoded;     /* what the bytes may decode to; 0: the formats' own limits */
    tn__file file;        /* when it was read */
    tn__mapping *mapping; /* when it was mapped, or is shared */
} tn__source;

/* From a path ("-": standard input), or from memory when data is given, which must outlive the
 * source. A folder is refused, a SavedModel by its name. */
tn_status tn__source_open(const char *path, tn__span data, bool map, uint64_t limit,
                          tn__source *source);
/* Weights that stand in what was read are used there, as those of a mapped file are: for the load of a whole model, whose weights are
 * most of the file. Does nothing for what was mapped or given. */
tn_status tn__source_share(tn__source *source);
void tn__source_close(tn__source *source); /* all zero is nothing */
/* Gives the bytes back early; the name stays. */
void tn__source_drop(tn__source *source);

/* A table is the index of a checkpoint, or a checkpoint of the first format. */
typedef enum {
    TN__FORMAT_OTHER,
    TN__FORMAT_ZIP,
    TN__FORMAT_HDF5,
    TN__FORMAT_JSON,
    TN__FORMAT_TABLE
} tn__format;
tn__format tn__source_format(const tn__source *source);

/* Elements that lie in the source as a tensor that keeps the mapping; *tensor is NULL, and that is
 * no error, when the source is neither mapped nor shared, or they are not aligned for the type. */
tn_status tn__source_borrow(const tn__source *source, tn_dtype dtype, const tn_shape *shape,
                            tn__span elements, tn_tensor **tensor);

#endif
