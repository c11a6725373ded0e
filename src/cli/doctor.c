/* doctor.c - what is wrong with a model's file, and a mended copy of it. */
#include "cli/cli.h"
#include <stdio.h>

static int run(const cli_values *v)
{
    tn_doctor_options o = {
        .size_ = sizeof o, .path = v->operand[0], .weights = v->operand[1], .fix = v->fix, .json = v->json
    };
    tn_findings found = tn_doctor_with(&o);
    if (found.text)
        fputs(found.text, stdout);
    int status = cli_finish();
    return status == CLI_OK && found.count ? CLI_FAILED : status;
}

static const cli_option options[] = {
    CLI_VALUE("--fix", fix, "OUT", "write a mended copy, where that is safe; MODEL itself stays as it is"),
    CLI_FLAG("--json", json, "for programs: one JSON object"),
    CLI_COMMON,
};

const cli_command cli_doctor = {
    .name = "doctor",
    .operands = "MODEL [WEIGHTS]",
    .summary = "Tell what is wrong with a model's file, by which rule, and how to mend it",
    .least = 1,
    .most = 2,
    .options = options,
    .details = "MODEL is .keras, .h5, .json or a SavedModel's folder; WEIGHTS another such file, weights alone, or a checkpoint of TensorFlow (what\n"
               "stands before .index, or its folder): they are examined instead of the model's own.\n"
               "Lists the variables with their names, shapes and layers, then what it found: names that clash, weights that do not fit, unknown\n"
               "layers, unusable optimizer state, and what today's Keras refuses.\n"
               "The exit status is 0 when nothing was found or all of it was mended, 1 when something was, 2 when the command was wrong.",
    .run = run,
};
