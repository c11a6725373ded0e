/* diff_fuzz.c - any bytes beside themselves: what can be read differs in nothing, what cannot has a
 * reason. */
#include "saving/diff.h"
#include "saving/fuzz.h"

static void compare(const tn__diff_file *file)
{
    TN_SCOPE;
    json_t *report;
    tn__text text = { 0 };
    if (tn__diff(tn__context(), file, file, 0, &report) != TN_OK) {
        if (!tn_catch(TN_ANY_ERROR))
            __builtin_trap();
        return;
    }
    tn__diff_text(report, &text);
    tn__text_free(&text);
    if (json_integer_value(json_object_get(report, "differences")) != 0)
        __builtin_trap();
    json_decref(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin();
    if (size > 0)
        compare(&(tn__diff_file){ .data = { data, size }, .limit = 1 << 22 });
    return 0;
}
