/* hdf5.h - our own bounded reader and writer of HDF5: bytes <-> groups, datasets and attributes.
 * Knows no tensor.
 *
 * Reads what h5py, Keras and PyTables write, old and new style: superblocks 0 to 3; object headers
 * 1 and 2; groups as symbol tables, compact or dense links, soft links; compact, contiguous and
 * chunked data under every chunk index; deflate, shuffle, fletcher32 and lzf; attributes in headers
 * and in heaps. What it does not read it calls by its name (TN_UNIMPLEMENTED): other filters,
 * virtual and external storage, external links, compound values.
 *
 * Files come from strangers. Every length is checked against the bytes that are there, every
 * checksum is verified, the work on structure is bounded by the size of the file, and what is
 * decoded by the limits below. Damage is TN_DATA_LOSS and says where.
 *
 * A file and all that belongs to it may be used by one thread at a time. */
#ifndef TN_FORMATS_HDF5_H
#define TN_FORMATS_HDF5_H
#include "base/file.h"
#include "base/span.h"

enum { TN__H5_MAX_RANK = 32, TN__H5_MAX_FILTERS = 32 };

/* What an element is. */
typedef enum {
    TN__H5_INTEGER,  /* 1 to 8 bytes */
    TN__H5_FLOAT,    /* IEEE, 2, 4 or 8 bytes */
    TN__H5_BFLOAT16, /* the upper half of a float */
    TN__H5_BOOL,     /* h5py's enumeration of FALSE and TRUE; read as one byte, 0 or 1 */
    TN__H5_ENUM,     /* any other enumeration; read as its integers */
    TN__H5_BITFIELD, /* read as unsigned integers; PyTables's bool */
    TN__H5_OPAQUE,   /* read as the bytes they are; how Keras stores bfloat16 */
    TN__H5_STRING,   /* of fixed size, padded */
    TN__H5_TEXT,     /* a string of variable length */
    TN__H5_COMPOUND, /* this and all below: class and size are told, reading is refused by name */
    TN__H5_ARRAY,
    TN__H5_REFERENCE,
    TN__H5_SEQUENCE,
    TN__H5_TIME,
    TN__H5_COMPLEX,
    TN__H5_OTHER,
} tn__h5_class;

typedef struct {
    tn__h5_class class;
    size_t size; /* bytes of an element: in the file for TN__H5_TEXT (a reference), else in the file
                    and in memory */
    bool is_signed;  /* integers and enumerations */
    bool big_endian; /* in the file */
    enum { TN__H5_TERMINATED, TN__H5_NUL_PADDED, TN__H5_SPACE_PADDED } padding; /* of strings */
    bool utf8;           /* of strings; else ASCII, as far as the file knows */
    const char *refused; /* what keeps it from being read, or NULL */
} tn__h5_type;

typedef enum {
    TN__H5_COMPACT,
    TN__H5_CONTIGUOUS,
    TN__H5_CHUNKED,
    TN__H5_VIRTUAL,
    TN__H5_EXTERNAL, /* reading is refused */
} tn__h5_layout;

/* What a dataset or an attribute holds. */
typedef struct {
    tn__h5_type type;
    bool is_null; /* a null dataspace (h5py.Empty): no elements and no shape */
    int rank;     /* 0: a scalar */
    uint64_t dims[TN__H5_MAX_RANK];
    uint64_t count;                  /* elements */
    tn__h5_layout layout;            /* attributes: compact */
    uint64_t chunk[TN__H5_MAX_RANK]; /* when chunked */
    int filter_count;
    uint16_t filters[TN__H5_MAX_FILTERS]; /* HDF5's registered numbers, in order of writing */
} tn__h5_info;

/* --- reading ---------------------------------------------------------------------------------- */

/* 0 stands for the default. */
typedef struct {
    uint64_t decoded; /* bytes that one value may decode to: 4 GB */
    uint64_t ratio; /* ... and decoded bytes for each byte that is stored for it: 1,100, beyond what
                       deflate can reach ... */
    uint64_t free;  /* ... on top of so many for nothing (fill values of data that was never
                       written): 256 KB */
    bool cut_off;          /* a file that is shorter than it says is read as far as it goes */
    bool ignore_checksums; /* of structure: for tests, which damage files behind their checksums */
} tn__h5_limits;

typedef struct tn__h5 tn__h5;
/* A group, a dataset, a committed type or an attribute of an open file, and owned by it. The same
 * thing is always the same pointer, so whoever walks a file can tell that he has been somewhere: a
 * group may contain itself. */
typedef struct tn__h5_object tn__h5_object;
typedef enum {
    TN__H5_GROUP,
    TN__H5_DATASET,
    TN__H5_NAMED_TYPE,
    TN__H5_ATTRIBUTE,
    TN__H5_UNKNOWN
} tn__h5_kind;

/* Opens what is in bytes, which stay where they are until tn__h5_close(). limits NULL: the
 * defaults. */
tn_status tn__h5_open(tn__span bytes, const tn__h5_limits *limits, tn__h5 **file);
/* Frees everything that came from the file. NULL is allowed. */
void tn__h5_close(tn__h5 *file);
tn__h5_object *tn__h5_root(tn__h5 *file);

/* The object at a path such as "model_weights/dense", from a group on, or from the root when it
 * starts with "/". Soft links are followed inside the file. *object is NULL, and that is no error,
 * when there is none. */
tn_status tn__h5_find(tn__h5_object *from, const char *path, tn__h5_object **object);
/* The same where it has to be there: TN_NOT_FOUND says what is missing. */
tn_status tn__h5_get(tn__h5_object *from, const char *path, tn__h5_object **object);
tn__h5_kind tn__h5_kind_of(const tn__h5_object *object);
/* The path it was first found at, from "/" on; an attribute's name. */
const char *tn__h5_path(const tn__h5_object *object);

typedef struct {
    const char **item;
    size_t count;
} tn__h5_names;
/* The links of a group as h5py lists them: in order of creation where the file tracks it, else by
 * name. The memory belongs to the file. */
tn_status tn__h5_list(tn__h5_object *group, const tn__h5_names **names);
/* The same for the attributes of an object. */
tn_status tn__h5_attributes(tn__h5_object *object, const tn__h5_names **names);
/* *attribute is NULL, and that is no error, when there is none of this name. */
tn_status tn__h5_attribute(tn__h5_object *object, const char *name, tn__h5_object **attribute);

/* The four below are for datasets and attributes alike. */
tn_status tn__h5_info_of(tn__h5_object *value, const tn__h5_info **info);
/* The bytes that tn__h5_read() gives, after all that can be checked beforehand was checked (limits,
 * storage, filters): so many may be allocated. */
tn_status tn__h5_measure(tn__h5_object *value, size_t *size);
/* Reads all elements in C order, little-endian, of the type's size and kind; fixed strings with
 * their padding. size: what tn__h5_measure() said. */
tn_status tn__h5_read(tn__h5_object *value, void *out, size_t size);
/* The elements where they stand in the file, when they stand there one after the other, as
 * tn__h5_read() would give them; else an empty span with data NULL. They may be unaligned. */
tn_status tn__h5_in_place(tn__h5_object *value, tn__span *elements);

/* Strings of a dataset or an attribute, in C order. Each ends with a NUL; size does not count it. A
 * fixed string loses its padding and nothing else (h5py's rule), so one that is padded with NULs
 * may have some inside. */
typedef struct {
    struct tn__h5_string {
        const char *text;
        size_t size;
    } * item;
    size_t count;
    char *memory; /* all the texts */
} tn__h5_strings;
tn_status tn__h5_read_strings(tn__h5_object *value, tn__h5_strings *strings);
void tn__h5_strings_free(tn__h5_strings *strings); /* all zero is empty */

/* --- writing ---------------------------------------------------------------------------------- */

/* A tree of groups, datasets and attributes in memory, written at once in the classic form
 * (superblock 0, symbol tables, contiguous data) that every HDF5 library and tool since 1.8 opens.
 * Data start at multiples of 64 bytes, so that a file can be mapped. The same tree gives the same
 * bytes. Nodes belong to the tree. */
typedef struct tn__h5_tree tn__h5_tree;
typedef struct tn__h5_node tn__h5_node;

/* Types to write: these, and any tn__h5_type whose class is one of them (little-endian is written).
 */
#define TN__H5_TYPE_INT(bytes) \
    ((tn__h5_type){ .class = TN__H5_INTEGER, .size = (bytes), .is_signed = true })
#define TN__H5_TYPE_UINT(bytes) ((tn__h5_type){ .class = TN__H5_INTEGER, .size = (bytes) })
#define TN__H5_TYPE_FLOAT(bytes) ((tn__h5_type){ .class = TN__H5_FLOAT, .size = (bytes) })
#define TN__H5_TYPE_BOOL ((tn__h5_type){ .class = TN__H5_BOOL, .size = 1 })
#define TN__H5_TYPE_OPAQUE(bytes) ((tn__h5_type){ .class = TN__H5_OPAQUE, .size = (bytes) })
/* numpy's 'S': the elements are given NUL-padded, one after the other. */
#define TN__H5_TYPE_STRING(bytes) \
    ((tn__h5_type){ .class = TN__H5_STRING, .size = (bytes), .padding = TN__H5_NUL_PADDED })
/* What h5py writes for str: variable length, UTF-8. The data are given as const char *const *. */
#define TN__H5_TYPE_TEXT ((tn__h5_type){ .class = TN__H5_TEXT, .size = 16, .utf8 = true })

tn_status tn__h5_tree_new(tn__h5_tree **tree);
void tn__h5_tree_free(tn__h5_tree *tree); /* NULL is allowed */
tn__h5_node *tn__h5_tree_root(tn__h5_tree *tree);
/* The node at a path below another; NULL, and that is no error, when there is none yet. */
tn_status tn__h5_node_find(tn__h5_node *from, const char *path, tn__h5_node **node);

/* A new group at a path; groups on the way are made, as h5py does. TN_ALREADY_EXISTS, in h5py's
 * words, when the name is taken; TN_INVALID_ARGUMENT when a dataset is in the way. node may be NULL
 * here and below. */
tn_status tn__h5_add_group(tn__h5_node *from, const char *path, tn__h5_node **node);
/* A new dataset. Numbers, bools, opaque bytes and fixed strings are borrowed: data stay where they
 * are until the tree is written or freed. Texts are copied. rank 0: a scalar; a dimension may be 0.
 */
tn_status tn__h5_add_dataset(tn__h5_node *from, const char *path, tn__h5_type type, int rank,
                             const uint64_t *dims, const void *data, tn__h5_node **node);
/* The same with data that are made when their turn comes: produce() writes exactly the bytes of all
 * elements. Not for texts. */
typedef tn_status (*tn__h5_produce)(void *self, tn__writer *writer);
tn_status tn__h5_add_produced(tn__h5_node *from, const char *path, tn__h5_type type, int rank,
                              const uint64_t *dims, tn__h5_produce produce, void *self,
                              tn__h5_node **node);
/* A new attribute of a group or dataset; the data are copied. Like h5py's default files, one
 * attribute holds at most 64 KB (texts count 16 bytes each, whatever their length): more is
 * TN_INVALID_ARGUMENT, and the caller splits it as Keras does. */
tn_status tn__h5_add_attribute(tn__h5_node *node, const char *name, tn__h5_type type, int rank,
                               const uint64_t *dims, const void *data);
/* The common case: one text. */
tn_status tn__h5_add_text(tn__h5_node *node, const char *name, const char *text);

/* Writes the whole file behind what the writer has already; addresses count from there. Only goes
 * forward. */
tn_status tn__h5_tree_write(tn__h5_tree *tree, tn__writer *writer);

#endif
