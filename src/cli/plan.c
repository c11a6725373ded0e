/* plan.c - the program that predicting runs: its steps, and what each takes. */
#include "cli/cli.h"
#include <stdlib.h>
#include <time.h>

/* Zeros of the shape that the model takes, or the rows of --input. */
static tn_tensor *inputs_for(tn_model *model, const cli_values *v, int64_t rows)
{
    cli_data data;
    if (v->input)
        return cli_load_data(model, v->input, v->target, "test", false, &data) ? tn_rows(data.x, 0, rows) : NULL;
    tn_shape shape = tn_input_shape(model);
    for (int i = 1; i < shape.rank; i++)
        if (shape.dims[i] < 0) {
            tn_fail(TN_INVALID_ARGUMENT, "the model leaves dimension %d of its input open: --input says what it is", i);
            return NULL;
        }
    if (shape.rank > 0)
        shape.dims[0] = rows;
    return tn_zeros(shape, TN_FLOAT32);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Programs print themselves where the environment asks for it: when they are made, or with what they took when they are gone. */
static int run_with(const cli_values *v, const char *command, const char *variable, double seconds)
{
    TN_SCOPE;
    tn_predict_options o = { .size_ = sizeof o, .batch_size = 32, .verbose = 0 };
    if (!cli_integer(command, "--batch-size", v->batch_size, 1, &o.batch_size))
        return CLI_USAGE;
    o.model = cli_load_model(v->operand[0], v->weights, false);
    o.x = o.model ? inputs_for(o.model, v, o.batch_size) : NULL;
    setenv(variable, "1", 1);
    double begin = now();
    do {
        TN_SCOPE;
        tn_predict_with(&o);
    } while (tn_pending() == TN_OK && now() - begin < seconds);
    return cli_finish();
}

static int run_plan(const cli_values *v)
{
    return run_with(v, "plan", "TN_PLAN_DUMP", 0);
}

static int run_profile(const cli_values *v)
{
    return run_with(v, "profile", "TN_PLAN_PROFILE", 1);
}

static const cli_option options[] = {
    CLI_VALUE("--batch-size", batch_size, "N", "rows at a time (32)"),
    CLI_VALUE("--input", input, "FILE", "rows to predict, as tenon predict takes them (zeros)"),
    CLI_VALUE("--weights", weights, "FILE", "when MODEL is a .json"),
    CLI_COMMON,
};

static const char details[] =
    "A line for each step: the op, or a chain of element-wise ones; what it gives (%slot, type, shape, @place in the arena); what it takes;\n"
    "the bytes that it moves and the operations that it does. A step marked with * allocates what it gives.\n";

const cli_command cli_plan = {
    .name = "plan",
    .operands = "MODEL",
    .summary = "Print the program that predicting with a model runs",
    .least = 1,
    .most = 1,
    .options = options,
    .details = details,
    .run = run_plan,
};

const cli_command cli_profile = {
    .name = "profile",
    .operands = "MODEL",
    .summary = "Predict for a second and print what each step of the program took",
    .least = 1,
    .most = 1,
    .options = options,
    .details = details,
    .run = run_profile,
};
