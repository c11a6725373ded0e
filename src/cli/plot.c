/* plot.c - a drawing of a model. */
#include "cli/cli.h"
#include <stdio.h>
#include <string.h>

static int run(const cli_values *v)
{
    tn_plot_model_options o = {
        .size_ = sizeof o,
        .to_file = v->output ? v->output : "-",
        .show_shapes = !v->hide_shapes,
        .show_layer_names = !v->hide_names,
        .show_dtype = v->show_dtype,
        .show_layer_activations = v->show_activations,
        .show_trainable = v->show_trainable,
        .expand_nested = v->expand_nested,
        .rankdir = v->rankdir ? v->rankdir : "TB",
    };
    if (strcmp(o.rankdir, "TB") != 0 && strcmp(o.rankdir, "LR") != 0)
        return cli_usage("plot", "--rankdir takes TB or LR, not '%s'", o.rankdir);
    if (!cli_check_drawing("--output", v->output))
        return cli_finish();
    o.model = cli_load_model(v->operand[0], v->weights, false);
    if (o.model && tn_plot_model_with(&o) == TN_OK && strcmp(o.to_file, "-") != 0 && !v->quiet)
        fprintf(stderr, "saved %s\n", o.to_file);
    return cli_finish();
}

static const cli_option options[] = {
    CLI_VALUE("--output", output, "P.svg", "the drawing (standard output)"),
    CLI_FLAG("--expand-nested", expand_nested, "draw the layers of models within the model, in frames"),
    CLI_VALUE("--rankdir", rankdir, "TB|LR", "from top to bottom, or from left to right (TB)"),
    CLI_FLAG("--show-dtype", show_dtype, "the outputs' dtypes"),
    CLI_FLAG("--show-activations", show_activations, "the layers' activations"),
    CLI_FLAG("--show-trainable", show_trainable, "which layers with weights are trainable"),
    CLI_FLAG("--hide-shapes", hide_shapes, "no shapes of inputs and outputs"),
    CLI_FLAG("--hide-names", hide_names, "no names of layers, only their classes"),
    CLI_VALUE("--weights", weights, "FILE", "when MODEL is a .json"),
    CLI_COMMON,
};

const cli_command cli_plot = {
    .name = "plot",
    .operands = "MODEL",
    .summary = "Draw a model's layers and what goes into what, as SVG",
    .least = 1,
    .most = 1,
    .options = options,
    .run = run,
};
