/* internal.h - what the files of the HDF5 reader share. Included by nobody else. */
#ifndef TN_FORMATS_HDF5_INTERNAL_H
#define TN_FORMATS_HDF5_INTERNAL_H
#include "formats/hdf5/hdf5.h"
#include "base/map.h"

#define TN__H5_NOWHERE UINT64_MAX /* HDF5's undefined address, of whatever width */

/* Object header messages, by their numbers in the file. */
enum {
    TN__H5_M_DATASPACE = 0x01,
    TN__H5_M_LINK_INFO = 0x02,
    TN__H5_M_DATATYPE = 0x03,
    TN__H5_M_FILL_OLD = 0x04,
    TN__H5_M_FILL = 0x05,
    TN__H5_M_LINK = 0x06,
    TN__H5_M_EXTERNAL_FILES = 0x07,
    TN__H5_M_LAYOUT = 0x08,
    TN__H5_M_FILTERS = 0x0B,
    TN__H5_M_ATTRIBUTE = 0x0C,
    TN__H5_M_CONTINUATION = 0x10,
    TN__H5_M_SYMBOL_TABLE = 0x11,
    TN__H5_M_ATTRIBUTE_INFO = 0x15,
    TN__H5_M_KNOWN = 0x18,
};

/* A message stands in the file: nothing is copied. */
typedef struct {
    const uint8_t *data;
    uint16_t size, type;
    uint16_t order; /* of creation, for attributes */
    uint8_t flags;  /* 0x02: what stands here only tells where the message is */
    bool ordered;
} tn__h5_message;
typedef struct {
    tn__h5_message *item;
    size_t count, capacity;
} tn__h5_messages;

typedef enum {
    TN__H5_LINK_HARD,
    TN__H5_LINK_SOFT,
    TN__H5_LINK_EXTERNAL,
    TN__H5_LINK_OTHER
} tn__h5_link_kind;
typedef struct {
    char *name;
    size_t name_size;
    tn__h5_link_kind kind;
    bool ordered;
    uint64_t order;   /* of creation */
    uint64_t address; /* hard */
    char *target;     /* soft: a path; external: "path' in file 'name" for the message */
} tn__h5_link;
typedef struct {
    tn__h5_link *item; /* in the order tn__h5_list() gives */
    size_t count, capacity;
    tn__h5_link **by_name;
} tn__h5_links;

typedef struct {
    int count;
    struct {
        uint16_t id;
        uint32_t element; /* its first parameter: shuffle's element size */
    } item[TN__H5_MAX_FILTERS];
} tn__h5_pipeline;

/* How the chunks are found; the first is version 1's, the others have the numbers of layout
 * messages 4 and 5. */
typedef enum {
    TN__H5_INDEX_BTREE1 = 0,
    TN__H5_INDEX_SINGLE = 1,
    TN__H5_INDEX_IMPLICIT = 2,
    TN__H5_INDEX_FIXED = 3,
    TN__H5_INDEX_EXTENSIBLE = 4,
    TN__H5_INDEX_BTREE2 = 5,
} tn__h5_index;

/* Where the elements of a value are. */
typedef struct {
    tn__span here;    /* compact, and attributes */
    uint64_t address; /* contiguous: data; chunked: the index */
    tn__span fill;    /* one element, or empty: zeros */
    tn__h5_index index;
    bool raw_edges; /* chunks that reach over the edge are stored without filters */
    uint64_t chunk_bytes;
    uint64_t
        single_size; /* of a single filtered chunk, with the mask of filters that were left out */
    uint32_t single_mask;
    bool single_filtered;
    tn__h5_pipeline pipeline;
} tn__h5_storage;

struct tn__h5_object {
    tn__h5 *file;
    tn__h5_object *owner; /* of an attribute */
    char *path;           /* or an attribute's name */
    uint64_t address;     /* of the header */
    tn__h5_kind kind;
    tn__h5_messages messages;
    bool links_known, attributes_known, value_known;
    bool counted, texts_counted; /* in the file's data_budget */
    tn__h5_links links;
    tn__h5_names link_names, attribute_names;
    struct {
        tn__h5_object **item;
        size_t count, capacity;
    } attributes;
    uint64_t attribute_order;
    bool attribute_ordered;
    tn__h5_info info;
    uint64_t max_dims[TN__H5_MAX_RANK]; /* UINT64_MAX: without an end */
    tn__h5_storage storage;
};

/* One object of a global heap. */
typedef struct {
    uint32_t index;
    tn__span data;
} tn__h5_heap_item;
typedef struct {
    tn__h5_heap_item *item; /* by index */
    size_t count, capacity;
} tn__h5_collection;

struct tn__h5 {
    tn__span bytes; /* from the superblock on: addresses count from there */
    tn__h5_limits limits;
    int offset_size, length_size;
    /* How many bytes of structure may still be read, and of values: overlaps use them up. */
    uint64_t budget, data_budget;
    tn__h5_object *root;
    tn__ids by_address; /* header address + 1 -> place in objects */
    struct {
        tn__h5_object **item;
        size_t count, capacity;
    } objects;
    tn__ids collection_at; /* address + 1 -> place in collections */
    struct {
        tn__h5_collection *item;
        size_t count, capacity;
    } collections;
};

/* --- reader.c: the file, its objects, and access to its bytes --------------------------------- */

/* TN_DATA_LOSS: what is wrong with the structure at this address. */
tn_status tn__h5_damage(uint64_t address, const char *format, ...) TN_PRINTF(2, 3);
/* Each structure is read once and remembered, names are counted once more: a sound file stays far
 * below. */
static inline uint64_t tn__h5_fresh_budget(const tn__h5 *file)
{
    return 3 * (uint64_t)file->bytes.size + 65536;
}
/* Takes bytes of structure off the budget. */
tn_status tn__h5_charge(tn__h5 *file, uint64_t address, uint64_t size);
/* The bytes at an address, charged; damage when the file does not have them. what: "B-tree node".
 */
tn_status tn__h5_part(tn__h5 *file, uint64_t address, uint64_t size, const char *what,
                      tn__span *part);
/* The same, for a structure that starts with a signature and a version; *reader stands behind them.
 */
tn_status tn__h5_block(tn__h5 *file, uint64_t address, uint64_t size, const char *what,
                       const char *signature, int version, tn__reader *reader);
/* The last four bytes of the block are the checksum of the others. */
tn_status tn__h5_check(const tn__h5 *file, tn__span block, uint64_t address, const char *what);
uint64_t tn__h5_read_offset(const tn__h5 *file,
                            tn__reader *reader); /* TN__H5_NOWHERE when undefined */
uint64_t tn__h5_read_length(const tn__h5 *file, tn__reader *reader);
/* Where in the file bytes stand, for messages. */
static inline uint64_t tn__h5_place(const tn__h5 *file, const uint8_t *data)
{
    return data ? (uint64_t)(data - file->bytes.data) : 0;
}
/* The object whose header is at an address, opened once. path NULL: not known. */
tn_status tn__h5_object_at(tn__h5 *file, uint64_t address, const char *path,
                           tn__h5_object **object);
/* "dataset '/x'", "attribute 'n' of '/x'", for messages. */
enum { TN__H5_LABEL = 256 };
const char *tn__h5_label(const tn__h5_object *object, char label[TN__H5_LABEL]);

/* --- header.c: object headers ----------------------------------------------------------------- */
tn_status tn__h5_read_header(tn__h5 *file, uint64_t address, tn__h5_messages *messages);
/* The first message of a type, or NULL. */
const tn__h5_message *tn__h5_message_of(const tn__h5_object *object, int type);
/* The bytes of a message, wherever they are: shared ones are looked up. */
tn_status tn__h5_message_data(tn__h5 *file, const tn__h5_message *message, tn__span *data);
/* The same for bytes that are a reference to a shared message of this type. */
tn_status tn__h5_shared(tn__h5 *file, tn__span reference, int type, tn__span *data);

/* --- types.c: datatypes and dataspaces -------------------------------------------------------- */
tn_status tn__h5_parse_type(tn__h5 *file, tn__span data, tn__h5_type *type);
/* Fills the info's shape, and max_dims. */
tn_status tn__h5_parse_space(tn__h5 *file, tn__span data, tn__h5_info *info, uint64_t *max_dims);
const char *tn__h5_class_name(tn__h5_class class);
/* A floating-point format as files describe it; every place is a bit's number from the least one.
 */
typedef struct {
    tn__h5_class class;
    uint32_t size, precision, sign, exponent, exponent_size, mantissa, mantissa_size, bias;
} tn__h5_float;
enum { TN__H5_FLOATS = 4 };
extern const tn__h5_float tn__h5_floats[TN__H5_FLOATS];

/* --- heap.c: global heaps; fractal_heap.c ----------------------------------------------------- */
tn_status tn__h5_global_object(tn__h5 *file, uint64_t address, uint32_t index, tn__span *data);

typedef struct {
    tn__h5 *file;
    uint64_t address, huge_tree, root, start_size, max_direct_size, max_managed_size;
    int id_size, offset_bytes, length_bytes, width, max_direct_rows, root_rows;
    bool checked_blocks; /* direct blocks have checksums */
    struct {
        struct tn__h5_huge {
            uint64_t id, address, size;
        } * item;
        size_t count, capacity;
    } huge;
    bool huge_known;
    tn__ids seen; /* address + 1 of blocks whose checksum was verified */
} tn__h5_fractal;
tn_status tn__h5_fractal_open(tn__h5 *file, uint64_t address, tn__h5_fractal *heap);
tn_status tn__h5_fractal_get(tn__h5_fractal *heap, tn__span id, tn__span *data);
void tn__h5_fractal_close(tn__h5_fractal *heap);

/* --- btree2.c: version 2 B-trees; gives the records of a type in order ------------------------ */
typedef tn_status (*tn__h5_record)(void *self, tn__span record);
tn_status tn__h5_btree2(tn__h5 *file, uint64_t address, int type, tn__h5_record each, void *self);

/* --- group.c ---------------------------------------------------------------------------------- */
tn_status tn__h5_load_links(tn__h5_object *group);
void tn__h5_links_free(tn__h5_links *links);

/* --- attribute.c ------------------------------------------------------------------------------ */
tn_status tn__h5_load_attributes(tn__h5_object *object);

/* --- dataset.c: info, storage and elements of a value ----------------------------------------- */
tn_status tn__h5_load_value(tn__h5_object *value);
/* The elements as the file has them. */
tn_status tn__h5_load_elements(tn__h5_object *value, void *out, size_t size);
/* After tn__h5_load_value: how many bytes that is, within the limits. beside: what the caller needs
 * for each element on top. */
tn_status tn__h5_check_storage(tn__h5_object *value, size_t beside, size_t *size);

/* --- layout.c: the messages that say where data are ------------------------------------------- */
tn_status tn__h5_parse_layout(tn__h5_object *dataset, tn__span data);
tn_status tn__h5_parse_fill(tn__h5_object *dataset);
tn_status tn__h5_parse_filters(tn__h5 *file, tn__span data, tn__h5_pipeline *pipeline);

/* --- chunk_index.c: all chunks of a dataset, in any order ------------------------------------- */
typedef struct {
    uint64_t at[TN__H5_MAX_RANK]; /* which chunk of the grid */
    uint64_t address, size;
    uint32_t mask; /* filters that were left out */
} tn__h5_chunk;
typedef tn_status (*tn__h5_chunk_sink)(void *self, const tn__h5_chunk *chunk);
tn_status tn__h5_chunks(tn__h5_object *dataset, tn__h5_chunk_sink sink, void *self);
/* chunk_array.c: fixed and extensible arrays */
typedef struct {
    tn__h5_object *dataset;
    tn__h5_chunk_sink sink;
    void *self;
} tn__h5_chunk_walk;
tn_status tn__h5_fixed_array(const tn__h5_chunk_walk *walk);
tn_status tn__h5_extensible_array(const tn__h5_chunk_walk *walk);
/* The chunk with a number in the array of all chunks; slowest: the dimension that may grow, or 0.
 */
tn_status tn__h5_chunk_numbered(const tn__h5_chunk_walk *walk, uint64_t number, int slowest,
                                uint64_t address, uint64_t size, uint32_t mask);

/* --- chunk.c: measuring and reading chunked data ---------------------------------------------- */
tn_status tn__h5_measure_chunks(tn__h5_object *dataset, uint64_t *stored);
tn_status tn__h5_read_chunks(tn__h5_object *dataset, uint8_t *out);

/* --- filters.c -------------------------------------------------------------------------------- */
const char *tn__h5_filter_name(int id);
bool tn__h5_filter_known(int id);
/* Two buffers that the stages of a pipeline use in turn. */
typedef struct {
    tn__bytes buffer[2];
} tn__h5_scratch;
/* Undoes the filters that mask does not leave out. *out stands in the scratch or is `in` itself,
 * and has `expected` bytes. */
tn_status tn__h5_unfilter(const tn__h5_pipeline *pipeline, uint32_t mask, tn__span in,
                          size_t expected, tn__h5_scratch *scratch, tn__span *out);

/* --- checksum.c ------------------------------------------------------------------------------- */
uint32_t tn__h5_lookup3(tn__span data);
uint32_t tn__h5_fletcher32(tn__span data);

#endif
