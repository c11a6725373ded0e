/* summary.c - what a model is made of. */
#include "cli/cli.h"

static int run(const cli_values *v)
{
    tn_model *model = cli_load_model(v->operand[0], v->weights, true);
    if (model)
        tn_summary(model);
    return cli_finish();
}

static const cli_option options[] = {
    CLI_VALUE("--weights", weights, "FILE", "when MODEL is a .json"),
    CLI_COMMON,
};

const cli_command cli_summary = {
    .name = "summary",
    .operands = "MODEL",
    .summary = "Print a model's layers, shapes and parameters",
    .least = 1,
    .most = 1,
    .options = options,
    .run = run,
};
