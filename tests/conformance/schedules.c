/* schedules.c - cases of learning-rate schedules: the rate after each number of steps. */
#include "conformance/conformance.h"
#include "tenon/ops.h"
#include "train/schedules.h"

void replay_schedule(golden_case *c, verdict *v)
{
    const json_t *json = golden_json(c), *steps = json_object_get(json, "steps");
    float rates[256];
    size_t count = json_array_size(steps);
    tn__thing thing;
    if (!thing_of(v, TN__SCHEDULE, json_object_get(json, "config"), &thing))
        return;
    if (tn__schedule_check(&thing) == TN_OK && count <= sizeof rates / sizeof *rates) {
        for (size_t i = 0; i < count; i++) {
            int64_t step = json_integer_value(json_array_get(steps, i));
            tn_tensor *rate = tn__schedule_rate(&thing, tn_constant(TN_INT64, TN_SCALAR, &step));
            rates[i] = rate ? (float)tn__double_at(rate, 0) : 0;
        }
        if (no_error(v, "its rates"))
            same_json(v, c, tn_constant(TN_FLOAT32, TN_SHAPE((int64_t)count), rates),
                      json_object_get(json, "values"), "rates");
    }
    no_error(v, "its arguments");
    tn__thing_free(&thing);
}
