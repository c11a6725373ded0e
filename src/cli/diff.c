/* diff.c - two models or weight files side by side. */
#include "cli/cli.h"
#include <math.h>
#include <stdio.h>

static int run(const cli_values *v)
{
    tn_diff_options o = { .size_ = sizeof o, .a = v->operand[0], .b = v->operand[1], .json = v->json };
    if (!cli_real("diff", "--tolerance", v->tolerance, 0, INFINITY, &o.tolerance))
        return CLI_USAGE;
    tn_findings found = tn_diff_with(&o);
    if (found.text)
        fputs(found.text, stdout);
    int status = cli_finish();
    return status == CLI_OK && found.count ? CLI_FAILED : status;
}

static const cli_option options[] = {
    CLI_VALUE("--tolerance", tolerance, "T", "values so far apart are equal (0)"),
    CLI_FLAG("--json", json, "for programs: one JSON object"),
    CLI_COMMON,
};

const cli_command cli_diff = {
    .name = "diff",
    .operands = "A B",
    .summary = "Tell how two models or weight files differ: variables, shapes, values, configs",
    .least = 2,
    .most = 2,
    .options = options,
    .details = "A and B are .keras, .h5, .weights.h5, .json, .npz, .npy or .csv, a SavedModel's folder, or a checkpoint of TensorFlow: what stands\n"
               "before .index, or its folder (the last one); each in its own format. Models are compared by the full names of their variables,\n"
               "weights beside a model as that model, others by the names in the files. The exit status is 0 when they are equal, 1 when they\n"
               "differ or could not be compared, 2 when the command was wrong.",
    .run = run,
};
