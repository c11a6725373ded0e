/* evaluate.c - loss and metrics of a model on data. */
#include "cli/cli.h"
#include <stdio.h>

static int run(const cli_values *v)
{
    tn_predict_options o = { .size_ = sizeof o, .batch_size = 32, .verbose = 0 };
    cli_data data;
    if (!v->data)
        return cli_usage("evaluate", "wants --data");
    if (!cli_integer("evaluate", "--batch-size", v->batch_size, 1, &o.batch_size))
        return CLI_USAGE;
    bool as_saved = !v->loss && !v->metrics;
    o.model = cli_load_model(v->operand[0], v->weights, as_saved);
    if (!o.model || !cli_load_data(o.model, v->data, v->target, "test", true, &data))
        return cli_finish();
    if (!(as_saved && tn_is_compiled(o.model)) && !cli_compile(o.model, data.y, v))
        return cli_finish();
    o.x = data.x;
    o.y = data.y;
    tn_tensor *result = tn_evaluate_with(&o);
    const float *value = result ? tn_data_float32(result) : NULL;
    for (size_t i = 0; value && tn_metrics_name(o.model, i); i++)
        printf("%s: %.6g\n", tn_metrics_name(o.model, i), (double)value[i]);
    return cli_finish();
}

static const cli_option options[] = {
    CLI_VALUE("--data", data, "FILE", ".npz with x and y (or x_test, y_test), or .csv"),
    CLI_VALUE("--target", target, "COLUMN", "of a .csv: the labels' name or number (the last)"),
    CLI_VALUE("--weights", weights, "FILE", "when MODEL is a .json"),
    CLI_VALUE("--loss", loss, "TEXT", "(what the model was compiled with, or what fits)"),
    CLI_VALUE("--metrics", metrics, "LIST", "separated by ','"),
    CLI_VALUE("--batch-size", batch_size, "N", "rows at a time (32)"),
    CLI_COMMON,
};

const cli_command cli_evaluate = {
    .name = "evaluate",
    .operands = "MODEL",
    .summary = "Print a model's loss and metrics on data",
    .least = 1,
    .most = 1,
    .options = options,
    .run = run,
};
