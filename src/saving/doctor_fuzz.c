/* doctor_fuzz.c - any bytes as a model's file that is examined: what is told of is a whole report,
 * what is not has a reason. */
#include "saving/doctor.h"
#include "saving/fuzz.h"

static void examine(const tn__doctor_request *request)
{
    TN_SCOPE;
    json_t *report;
    tn__text text = { 0 };
    if (tn__doctor(tn__context(), request, &report) != TN_OK) {
        if (!tn_catch(TN_ANY_ERROR))
            __builtin_trap();
        return;
    }
    tn__doctor_text(report, &text);
    tn__text_free(&text);
    char *json = json_dumps(report, 0);
    if (!json || !json_is_integer(json_object_get(report, "open")) || tn_pending() != TN_OK)
        __builtin_trap();
    free(json);
    json_decref(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin();
    if (size > 0)
        examine(&(tn__doctor_request){ .data = { data, size }, .limit = 1 << 22 });
    return 0;
}
