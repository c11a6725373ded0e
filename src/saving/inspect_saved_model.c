/* inspect_saved_model.c - what a SavedModel's folder holds: Keras 2's layers, where they are told,
 * and the variables. */
#include "saving/inspect.h"
#include "core/dtype.h"
#include "formats/object_graph.h"
#include "nn/config.h"
#include "saving/saved_folder.h"
#include <string.h>

static tn_status add_variable(tn__inspection *i, const tn__bundle_entry *entry)
{
    uint64_t dims[TN__BUNDLE_RANK];
    bool known = tn__dtype_size((tn_dtype)entry->dtype) != 0;
    for (int k = 0; k < entry->rank; k++)
        dims[k] = (uint64_t)entry->shape[k];
    return tn__inspect_add(i, entry->name,
                           known ? tn__dtype_name((tn_dtype)entry->dtype)
                                 : tn__tf_dtype_name(entry->dtype),
                           entry->rank, dims, entry->count, entry->size);
}

static tn_status add_variables(tn__inspection *i, const tn__bundle *bundle)
{
    for (size_t k = 0; bundle && k < tn__bundle_count(bundle); k++) {
        const tn__bundle_entry *entry = tn__bundle_at(bundle, k);
        if (strcmp(entry->name, TN__OBJECT_GRAPH_KEY) != 0)
            TN_TRY(add_variable(i, entry));
    }
    return TN_OK;
}

static tn_status add_text(tn__inspection *i, const json_t *root, const char *key)
{
    const char *text = tn__json_text(root, key);
    return text ? tn__inspect_set(i, key, text) : TN_OK;
}

static tn_status add_opened(tn__inspection *i, const tn__saved_folder *folder)
{
    i->found = true;
    if (folder->root) {
        TN_TRY(tn__inspect_config(i, folder->root));
        TN_TRY(add_text(i, folder->root, "keras_version"));
        TN_TRY(add_text(i, folder->root, "backend"));
    }
    return add_variables(i, folder->bundle);
}

tn_status tn__inspect_saved_model(tn__inspection *i, const char *path, uint64_t limit)
{
    tn__saved_folder folder;
    TN_TRY(tn__inspect_set(i, "format", "saved_model"));
    tn_status status = tn__saved_folder_open(path, limit, &folder);
    if (status == TN_OK)
        status = add_opened(i, &folder);
    tn__saved_folder_close(&folder);
    return status;
}
