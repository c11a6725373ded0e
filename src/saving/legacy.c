/* legacy.c - what reading and writing ".h5" files share. */
#include "saving/legacy.h"
#include <string.h>

enum { LONGEST = 64512 }; /* bytes of an attribute, as Keras has it */

tn_status tn__legacy_layers(tn_layer *model, tn_layer *const **layers, size_t *count)
{
    static tn_layer *const none = NULL;
    *layers = &none;
    *count = 0;
    if (model->child.count == 0)
        return TN_OK;
    *count = tn__model_layers(model, layers);
    return TN_OK;
}

tn_status tn__legacy_order(tn_layer *layer, tn__weight_list *weights)
{
    *weights = (tn__weight_list){ 0 };
    TN_TRY(tn__collect_weights(layer, TN__TRAINABLE_WEIGHTS, weights));
    return tn__collect_weights(layer, TN__OTHER_WEIGHTS, weights);
}

/* --- lists of names in attributes ------------------------------------------------------------- */
static tn_status add_piece(tn__h5_object *attribute, tn__names_list *list)
{
    tn__h5_strings strings = { 0 };
    const tn__h5_info *info;
    TN_TRY(tn__h5_info_of(attribute, &info));
    if (info->count == 0) /* an empty list has no type that means anything */
        return TN_OK;
    tn_status status = tn__h5_read_strings(attribute, &strings);
    for (size_t i = 0; i < strings.count && status == TN_OK; i++) {
        char *copy = tn__strdup(strings.item[i].text);
        status = copy ? TN__PUSH(list, copy) : TN_RESOURCE_EXHAUSTED;
        if (status != TN_OK)
            tn__free(copy);
    }
    tn__h5_strings_free(&strings);
    return status;
}

tn_status tn__legacy_list(tn__h5_object *group, const char *attribute, tn__names_list *list)
{
    tn__h5_object *piece;
    TN_TRY(tn__h5_attribute(group, attribute, &piece));
    if (piece)
        return add_piece(piece, list);
    for (size_t number = 0;; number++) {
        char name[64];
        snprintf(name, sizeof name, "%s%zu", attribute, number);
        TN_TRY(tn__h5_attribute(group, name, &piece));
        if (!piece)
            return TN_OK;
        TN_TRY(add_piece(piece, list));
    }
}

void tn__legacy_list_free(tn__names_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        tn__free(list->item[i]);
    tn__free(list->item);
    *list = (tn__names_list){ 0 };
}

static tn_status write_piece(tn__h5_node *group, const char *attribute, char *const *names,
                             size_t count, size_t width)
{
    uint64_t dims[1] = { count };
    if (count == 0) /* what numpy makes of an empty list */
        return tn__h5_add_attribute(group, attribute, TN__H5_TYPE_FLOAT(8), 1, dims, "");
    char *bytes = tn__alloc_zeroed(count, width);
    if (!bytes)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count; i++)
        memcpy(bytes + i * width, names[i], strlen(names[i]));
    tn_status status =
        tn__h5_add_attribute(group, attribute, TN__H5_TYPE_STRING(width), 1, dims, bytes);
    tn__free(bytes);
    return status;
}

/* Pieces of equal length, the first ones longer by one where that does not come out even. */
static tn_status write_pieces(tn__h5_node *group, const char *attribute, char *const *names,
                              size_t count, size_t width, size_t pieces)
{
    for (size_t i = 0; i < pieces; i++) {
        char name[64];
        size_t length = count / pieces + (i < count % pieces);
        snprintf(name, sizeof name, "%s%zu", attribute, i);
        TN_TRY(write_piece(group, name, names, length, width));
        names += length;
    }
    return TN_OK;
}

tn_status tn__legacy_add_list(tn__h5_node *group, const char *attribute, char *const *names,
                              size_t count)
{
    size_t width = 1, pieces = 1;
    for (size_t i = 0; i < count; i++)
        width = strlen(names[i]) > width ? strlen(names[i]) : width;
    if (width > LONGEST)
        return tn__fail(TN_INVALID_ARGUMENT, "a name of %zu bytes does not fit into an .h5 file",
                        width);
    while (((count + pieces - 1) / pieces) * width > LONGEST)
        pieces++;
    return pieces == 1 ? write_piece(group, attribute, names, count, width)
                       : write_pieces(group, attribute, names, count, width, pieces);
}
