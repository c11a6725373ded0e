/* writer.h - the tree that is to be written, as writer.c builds it and writer_file.c turns it into
 * bytes. */
#ifndef TN_FORMATS_HDF5_WRITER_H
#define TN_FORMATS_HDF5_WRITER_H
#include "formats/hdf5/internal.h"

/* Where a text is: object `index` of a global heap. */
typedef struct {
    uint32_t length, heap, index;
} tn__h5_text_place;

/* What a dataset or an attribute holds. */
typedef struct {
    tn__h5_type type;
    int rank;
    uint64_t dims[TN__H5_MAX_RANK];
    uint64_t count, size; /* elements; bytes in the file */
    const void *data;     /* borrowed ... */
    void *copy;           /* ... or owned: elements, or text places */
    tn__h5_produce produce;
    void *self;
} tn__h5_content;

typedef struct {
    char *name;
    tn__h5_content content;
} tn__h5_put_attribute;

struct tn__h5_node {
    tn__h5_tree *tree;
    tn__h5_node *parent; /* NULL: the root */
    char *name;
    bool is_group;
    tn__map children; /* of a group */
    struct {
        tn__h5_put_attribute *item;
        size_t count, capacity;
    } attributes;
    tn__h5_content content; /* of a dataset */
    /* while writing */
    uint64_t header, btree, heap; /* addresses */
    size_t layout_at;             /* where the address of the data has to be put */
    uint64_t data_at;
};

struct tn__h5_tree {
    struct {
        tn__h5_node **item; /* the root first, and each node behind its parent */
        size_t count, capacity;
    } nodes;
    struct {
        struct tn__h5_text_heap {
            tn__bytes objects;
            uint32_t count;
            uint64_t address; /* while writing */
        } * item;
        size_t count, capacity;
    } heaps;
};

/* writer_file.c: bytes of an attribute's header message, to know whether it fits. */
uint64_t tn__h5_attribute_size(const char *name, const tn__h5_content *content);

#endif
