/* saving.c */
#include "saving/saving.h"
#include "saving/dataset.h"
#include "runtime/op.h"

tn_status tn__saving_begin(tn__saving *saving)
{
    return tn__h5_tree_new(&saving->tree);
}

void tn__saving_free(tn__saving *saving)
{
    tn__h5_tree_free(saving->tree);
    for (size_t i = 0; i < saving->value.count; i++)
        tn__release(saving->value.item[i]);
    tn__free(saving->value.item);
}

tn_status tn__saving_add(tn__saving *saving, tn__h5_node *group, const char *path,
                         tn_tensor *variable)
{
    tn_tensor *value;
    TN_TRY(tn__variable_read(variable, &value));
    if (saving->plain && value->dtype == TN_BFLOAT16) {
        tn_tensor *narrow = value;
        tn_status status = tn__cast_value(narrow, TN_FLOAT32, &value);
        tn__release(narrow);
        TN_TRY(status);
    }
    if (TN__PUSH(&saving->value, value) != TN_OK) {
        tn__release(value);
        return TN_RESOURCE_EXHAUSTED;
    }
    return tn__dataset_add(group, path, value);
}
