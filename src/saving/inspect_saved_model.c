/* inspect_saved_model.c - what a SavedModel's folder holds: Keras 2's layers, where they are told,
 * and the variables. */
#include "saving/inspect.h"
#include "nn/config.h"
#include "saving/saved_folder.h"

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
    return folder->bundle ? tn__inspect_bundle(i, folder->bundle) : TN_OK;
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
