/* json_file.c - an architecture to a file of its own. */
#include "base/file.h"
#include "core/context.h"
#include "tenon/files.h"
#include <string.h>

tn_status tn_save_json_with(const tn_to_json_options *options, const char *path)
{
    TN__ENTER_OPTIONS(context, options, context->error.status);
    if (!path)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_save_json: path is NULL");
    const char *json = tn_to_json_with(options);
    TN_TRY(context->error.status);
    return tn__file_write(path, true, json, strlen(json));
}
