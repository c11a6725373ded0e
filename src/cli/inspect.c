/* inspect.c - what a file holds, whether or not a model can be made of it. */
#include "cli/cli.h"
#include <stdio.h>

static int run(const cli_values *v)
{
    tn_inspect_options o = { .size_ = sizeof o, .path = v->operand[0], .json = v->json };
    const char *text = tn_inspect_with(&o);
    if (tn_pending() == TN_OK)
        fputs(text, stdout);
    return cli_finish();
}

static const cli_option options[] = {
    CLI_FLAG("--json", json, "for programs: one JSON object"),
    CLI_COMMON,
};

const cli_command cli_inspect = {
    .name = "inspect",
    .operands = "FILE",
    .summary = "Tell what a file holds: a model, weights or arrays, also unknown or damaged ones",
    .least = 1,
    .most = 1,
    .options = options,
    .details = "FILE is .keras, .h5, .weights.h5, .json, .npy, .npz, .csv, a checkpoint of TensorFlow (what stands before .index, or\n"
               "its folder: the last one), a SavedModel's folder, or any other HDF5 file or zip archive: its content counts, not its name. Nothing is\n"
               "made of it and no code in it is run. Of a damaged file it tells what can be read, and where it stops.",
    .run = run,
};
