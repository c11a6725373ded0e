/* inspect_checkpoint.c - what a checkpoint of TensorFlow holds. */
#include "core/dtype.h"
#include "formats/bundle.h"
#include "formats/object_graph.h"
#include "saving/inspect.h"
#include <string.h>

/* "float32" where tensors have the type, "DT_STRING" of others. */
static const char *dtype_text(int dtype)
{
    bool known = dtype == TN_BOOL || tn__in(TN__NUMBERS, (tn_dtype)dtype);
    return known ? tn__dtype_name((tn_dtype)dtype) : tn__tf_dtype_name(dtype);
}

static tn_status add_entry(tn__inspection *i, tn__bundle *bundle, size_t index)
{
    const tn__bundle_entry *e = tn__bundle_at(bundle, index);
    uint64_t dims[TN__BUNDLE_RANK];
    if (strcmp(e->name, TN__OBJECT_GRAPH_KEY) == 0)
        return TN_OK;
    for (int k = 0; k < e->rank; k++)
        dims[k] = (uint64_t)e->shape[k];
    TN_TRY(tn__inspect_try(i, e->dtype == TN__TF_STRING ? TN_OK : tn__bundle_check(bundle, index)));
    return tn__inspect_add(i, e->name, dtype_text(e->dtype), e->rank, dims, e->count, e->size);
}

/* The index tells its prefix; a checkpoint of the first format is whole in itself. */
static tn_status open_bundle(const tn__source *source, tn__bundle **bundle)
{
    const tn__bundle_limits limits = { .decoded = source->decoded };
    if (!tn__ends_with(source->name, ".index"))
        return tn__bundle_open_bytes(source->bytes, NULL, 0, &limits, bundle);
    char *prefix = tn__strndup(source->name, strlen(source->name) - strlen(".index"));
    tn_status status = prefix ? tn__bundle_open(prefix, &limits, bundle) : TN_RESOURCE_EXHAUSTED;
    tn__free(prefix);
    return status;
}

tn_status tn__inspect_checkpoint(tn__inspection *i, const tn__source *source)
{
    tn__bundle *bundle;
    TN_TRY(tn__inspect_set(i, "format", "checkpoint"));
    TN_TRY(open_bundle(source, &bundle));
    tn_status status = TN_OK;
    i->found = true;
    for (size_t k = 0; k < tn__bundle_count(bundle) && status == TN_OK; k++)
        status = add_entry(i, bundle, k);
    tn__bundle_close(bundle);
    return status;
}
