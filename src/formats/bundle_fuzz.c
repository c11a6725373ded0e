/* bundle_fuzz.c - any bytes as a checkpoint's index, behind its checksums, with the same bytes as
 * its data; and as a checkpoint of the first format, and as a state file. */
#include "formats/bundle.h"
#include "formats/checkpoint_state.h"

static void read_entry(tn__bundle *bundle, size_t index)
{
    const tn__bundle_entry *entry = tn__bundle_at(bundle, index);
    tn__bundle_texts texts;
    size_t found;
    if (!tn__bundle_find(bundle, entry->name, &found) || found != index)
        __builtin_trap();
    if (entry->dtype == TN__TF_STRING) {
        if (tn__bundle_read_texts(bundle, index, &texts) == TN_OK && texts.count != entry->count)
            __builtin_trap();
        tn__bundle_texts_free(&texts);
    } else if (tn__bundle_check(bundle, index) == TN_OK) {
        void *data = tn__alloc((size_t)entry->size);
        tn_status status = data ? tn__bundle_read(bundle, index, data) : TN_RESOURCE_EXHAUSTED;
        if (status == TN_UNIMPLEMENTED)
            __builtin_trap(); /* the check says so */
        tn__free(data);
    }
    tn__fail_clear();
}

static void read_all(tn__span index, const tn__span *shards, size_t count)
{
    tn__bundle *bundle;
    tn__bundle_limits limits = { .entries = 1000, .decoded = 1 << 22, .ignore_checksums = true };
    if (tn__bundle_open_bytes(index, shards, count, &limits, &bundle) == TN_OK)
        for (size_t i = 0; i < tn__bundle_count(bundle); i++)
            read_entry(bundle, i);
    tn__bundle_close(bundle);
    tn__fail_clear();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tn__span span = { data, size }, shards[] = { span, span };
    tn__arena arena = { .limit = 1 << 24 };
    tn__checkpoint_state state;
    read_all(span, shards, 2);
    read_all(span, NULL, 0);
    tn_status status = tn__checkpoint_state_read(span, &arena, &state);
    if (status == TN_INTERNAL)
        __builtin_trap();
    tn__fail_clear();
    tn__arena_free(&arena);
    return 0;
}
