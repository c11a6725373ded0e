/* predict.c - outputs for inputs. */
#include "cli/cli.h"
#include <stdio.h>
#include <string.h>

static bool is_npz(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, ".npz") == 0;
}

/* Rows of numbers, as a .csv has them. */
static tn_status print_rows(tn_tensor *output)
{
    tn_tensor *numbers = tn_cast(output, TN_FLOAT32);
    const float *value = tn_data_float32(numbers);
    tn_shape shape = tn_shape_of(numbers);
    int64_t rows = shape.rank ? shape.dims[0] : 1, width = 1;
    for (int i = 1; i < shape.rank; i++)
        width *= shape.dims[i];
    for (int64_t i = 0; value && i < rows; i++)
        for (int64_t k = 0; k < width; k++)
            printf("%.9g%c", (double)value[i * width + k], k + 1 < width ? ',' : '\n');
    return tn_pending();
}

/* One output to the file its name asks for, several to an .npz as output_0, output_1 … */
static tn_status save_outputs(tn_tensor *outputs, const char *path)
{
    tn_list items = tn_items(outputs);
    if (!items.item)
        return tn_pending();
    if (strcmp(path, "-") == 0 && items.count == 1)
        return print_rows(items.item[0]);
    if (!is_npz(path) && items.count == 1)
        return tn_save_array(items.item[0], path);
    if (!is_npz(path)) {
        tn_fail(TN_INVALID_ARGUMENT, "the model has %zu outputs: they go into an .npz, not '%s'", items.count, path);
        return TN_INVALID_ARGUMENT;
    }
    const char *names[64];
    for (size_t i = 0; i < items.count && i < 64; i++)
        names[i] = tn_format("output_%zu", i);
    return tn_save_arrays((tn_named_list){ items.count < 64 ? items.count : 64, names, items.item }, path);
}

static int run(const cli_values *v)
{
    tn_predict_options o = { .size_ = sizeof o, .batch_size = 32, .verbose = 0 };
    cli_data data;
    if (!v->input)
        return cli_usage("predict", "wants --input");
    if (!cli_integer("predict", "--batch-size", v->batch_size, 1, &o.batch_size))
        return CLI_USAGE;
    o.model = cli_load_model(v->operand[0], v->weights, false);
    if (!o.model || !cli_load_data(o.model, v->input, v->target, "test", false, &data))
        return cli_finish();
    o.x = data.x;
    tn_tensor *outputs = tn_predict_with(&o);
    const char *path = v->output ? v->output : "-";
    if (outputs && save_outputs(outputs, path) == TN_OK && strcmp(path, "-") != 0 && !v->quiet)
        fprintf(stderr, "saved %s\n", path);
    return cli_finish();
}

static const cli_option options[] = {
    CLI_VALUE("--input", input, "FILE", ".npy, .npz (arrays by the inputs' names, or in order; x_test, x) or .csv"),
    CLI_VALUE("--target", target, "COLUMN", "of a .csv: the labels' name or number, which is left out (none)"),
    CLI_VALUE("--output", output, "FILE", ".npy, .csv, or .npz for several outputs (standard output, as .csv)"),
    CLI_VALUE("--weights", weights, "FILE", "when MODEL is a .json"),
    CLI_VALUE("--batch-size", batch_size, "N", "rows at a time (32)"),
    CLI_COMMON,
};

const cli_command cli_predict = {
    .name = "predict",
    .operands = "MODEL",
    .summary = "Compute a model's outputs",
    .least = 1,
    .most = 1,
    .options = options,
    .run = run,
};
