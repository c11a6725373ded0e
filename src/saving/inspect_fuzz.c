/* inspect_fuzz.c - any bytes as a file of which is told what it holds, to people and to programs.
 * What is told of is a whole report; what is not has a reason. */
#include "saving/fuzz.h"
#include "saving/inspect.h"

static void tell(json_t *report)
{
    tn__text text = { 0 };
    tn__inspect_text(report, &text);
    char *json = json_dumps(report, 0);
    if (!json || !json_is_string(json_object_get(report, "format")))
        __builtin_trap();
    free(json);
    tn__text_free(&text);
    json_decref(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin();
    json_t *report;
    if (size == 0)
        return 0;
    if (tn__inspect(NULL, (tn__span){ data, size }, 1 << 22, &report) == TN_OK)
        tell(report);
    else if (!tn_catch(TN_ANY_ERROR))
        __builtin_trap();
    return 0;
}
