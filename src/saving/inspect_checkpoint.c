/* inspect_checkpoint.c - what a checkpoint of TensorFlow holds. */
#include "saving/checkpoint.h"
#include "saving/inspect.h"
#include <string.h>

/* "float32" where tensors have the type, "DT_STRING" of others. */
static const char *dtype_text(int dtype)
{
    return tn__dtype_size((tn_dtype)dtype) ? tn__dtype_name((tn_dtype)dtype)
                                           : tn__tf_dtype_name(dtype);
}

static tn_status add_listed(tn__inspection *i, const tn__bundle_entry *e)
{
    uint64_t dims[TN__BUNDLE_RANK];
    if (strcmp(e->name, TN__OBJECT_GRAPH_KEY) == 0)
        return TN_OK;
    for (int k = 0; k < e->rank; k++)
        dims[k] = (uint64_t)e->shape[k];
    return tn__inspect_add(i, e->name, dtype_text(e->dtype), e->rank, dims, e->count, e->size);
}

static tn_status add_entry(tn__inspection *i, tn__bundle *bundle, size_t index)
{
    const tn__bundle_entry *e = tn__bundle_at(bundle, index);
    if (e->dtype != TN__TF_STRING)
        TN_TRY(tn__inspect_try(i, tn__bundle_check(bundle, index)));
    return add_listed(i, e);
}

tn_status tn__inspect_bundle(tn__inspection *i, tn__bundle *bundle)
{
    for (size_t k = 0; k < tn__bundle_count(bundle); k++)
        TN_TRY(add_entry(i, bundle, k));
    return TN_OK;
}

tn_status tn__inspect_checkpoint(tn__inspection *i, const tn__source *source)
{
    tn__bundle *bundle;
    TN_TRY(tn__inspect_set(i, "format", "checkpoint"));
    TN_TRY(tn__checkpoint_open(source, &bundle));
    i->found = true;
    tn_status status = tn__inspect_bundle(i, bundle);
    tn__bundle_close(bundle);
    return status;
}
