/* strings.c - strings of fixed and of variable length, as owned texts. */
#include "formats/hdf5/internal.h"
#include <string.h>

/* Texts are put one behind the other; the pointers are set when the block no longer moves. */
typedef struct {
    tn__h5_strings *strings;
    tn__bytes texts;
    uint64_t room; /* bytes that may still come */
} string_builder;

static tn_status add_string(string_builder *builder, tn__h5_object *value, tn__span text)
{
    char label[TN__H5_LABEL];
    if (text.size > builder->room)
        return tn__fail(TN_DATA_LOSS, "HDF5 %s: its strings are longer than the file",
                        tn__h5_label(value, label));
    builder->room -= text.size;
    builder->strings->item[builder->strings->count++].size = text.size;
    TN_TRY(tn__bytes_append(&builder->texts, text.data, text.size));
    return tn__bytes_append(&builder->texts, "", 1);
}

static tn_status finish_strings(string_builder *builder)
{
    tn__h5_strings *strings = builder->strings;
    strings->memory = (char *)builder->texts.data;
    builder->texts = (tn__bytes){ 0 };
    const char *at = strings->memory;
    for (size_t i = 0; i < strings->count; i++) {
        strings->item[i].text = at;
        at += strings->item[i].size + 1;
    }
    return TN_OK;
}

/* Without its padding. NULs at the end are never part of a string for h5py, whatever the padding is
 * called. */
static tn__span trim(tn__span text, const tn__h5_type *type)
{
    const uint8_t *end =
        type->padding == TN__H5_TERMINATED ? memchr(text.data, 0, text.size) : NULL;
    if (end)
        text.size = (size_t)(end - text.data);
    while (type->padding == TN__H5_SPACE_PADDED && text.size > 0 && text.data[text.size - 1] == ' ')
        text.size--;
    while (text.size > 0 && text.data[text.size - 1] == 0)
        text.size--;
    return text;
}

/* A reference: length, which heap, which object in it. Like every other reader this one takes a NUL
 * as the end. */
static tn_status resolve(tn__h5_object *value, tn__span reference, tn__span *text)
{
    tn__reader reader = { reference, 0, false };
    tn__h5 *file = value->file;
    char label[TN__H5_LABEL];
    uint32_t length = tn__read_u32(&reader);
    uint64_t heap = tn__h5_read_offset(file, &reader);
    uint32_t index = tn__read_u32(&reader);
    *text = (tn__span){ NULL, 0 };
    if (length == 0 || heap == 0 || heap == TN__H5_NOWHERE)
        return TN_OK;
    TN_TRY(tn__h5_global_object(file, heap, index, text));
    if (length > text->size)
        return tn__h5_damage(heap, "%s: a string of %u bytes in an object of %zu",
                             tn__h5_label(value, label), length, text->size);
    const uint8_t *end = memchr(text->data, 0, length);
    text->size = end ? (size_t)(end - text->data) : length;
    return TN_OK;
}

static tn_status add_all(string_builder *builder, tn__h5_object *value, tn__span elements)
{
    const tn__h5_type *type = &value->info.type;
    for (uint64_t i = 0; i < value->info.count; i++) {
        tn__span text = { elements.data + i * type->size, type->size };
        if (type->class == TN__H5_TEXT)
            TN_TRY(resolve(value, text, &text));
        else
            text = trim(text, type);
        TN_TRY(add_string(builder, value, text));
    }
    return TN_OK;
}

static tn_status build_strings(tn__h5_object *value, size_t size, tn__h5_strings *strings)
{
    /* Texts in heaps do not count in the dataset's own size: all of them together fit into the
     * file, and with those of all other values into the budget. */
    tn__h5 *file = value->file;
    bool fixed = value->info.type.class == TN__H5_STRING, first = !fixed && !value->texts_counted;
    uint64_t room = fixed ? size : file->bytes.size;
    if (first && room > file->data_budget)
        room = file->data_budget;
    string_builder builder = { .strings = strings, .room = room };
    strings->item = tn__alloc_zeroed((size_t)value->info.count, sizeof *strings->item);
    uint8_t *elements = tn__alloc(size);
    tn_status status = strings->item && elements ? TN_OK : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK)
        status = tn__h5_load_elements(value, elements, size);
    if (status == TN_OK)
        status = add_all(&builder, value, (tn__span){ elements, size });
    if (status == TN_OK)
        status = finish_strings(&builder);
    if (status == TN_OK && first) {
        file->data_budget -= room - builder.room;
        value->texts_counted = true;
    }
    tn__bytes_free(&builder.texts);
    tn__free(elements);
    return status;
}

tn_status tn__h5_read_strings(tn__h5_object *value, tn__h5_strings *strings)
{
    char label[TN__H5_LABEL];
    size_t size;
    *strings = (tn__h5_strings){ 0 };
    TN_TRY(tn__h5_load_value(value));
    const tn__h5_type *type = &value->info.type;
    if (type->class != TN__H5_STRING && type->class != TN__H5_TEXT)
        return tn__fail(TN_INVALID_ARGUMENT, "HDF5 %s holds %s values, not strings",
                        tn__h5_label(value, label), tn__h5_class_name(type->class));
    if (type->refused)
        return tn__fail(TN_UNIMPLEMENTED, "HDF5 %s holds %s, which is not supported",
                        tn__h5_label(value, label), type->refused);
    TN_TRY(tn__h5_check_storage(value, sizeof *strings->item + 1, &size));
    tn_status status = build_strings(value, size, strings);
    if (status != TN_OK)
        tn__h5_strings_free(strings);
    return status;
}

void tn__h5_strings_free(tn__h5_strings *strings)
{
    tn__free(strings->item);
    tn__free(strings->memory);
    *strings = (tn__h5_strings){ 0 };
}
