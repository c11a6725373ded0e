/* summary.c - what a model is made of. */
#include "cli/cli.h"

static int run(const cli_values *v)
{
    int64_t length = 0;
    tn_summary_options o = { .size_ = sizeof o, .expand_nested = v->expand_nested, .show_trainable = v->show_trainable };
    if (!cli_integer("summary", "--line-length", v->line_length, 1, &length))
        return CLI_USAGE;
    o.line_length = length < 10000 ? (int)length : 10000;
    o.model = cli_load_model(v->operand[0], v->weights, true);
    if (o.model)
        tn_summary_with(&o);
    return cli_finish();
}

static const cli_option options[] = {
    CLI_FLAG("--expand-nested", expand_nested, "the layers of models within the model too"),
    CLI_FLAG("--show-trainable", show_trainable, "a column that says which layers are trainable: Y, N, - without weights"),
    CLI_VALUE("--line-length", line_length, "N", "columns of the table (as many as the terminal has)"),
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
