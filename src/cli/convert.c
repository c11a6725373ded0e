/* convert.c - a model from one format to another. */
#include "cli/cli.h"
#include <stdio.h>
#include <string.h>

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static tn_status write_json(tn_model *model, const char *path, int keras)
{
    tn_to_json_options o = { .size_ = sizeof o, .model = model, .keras = keras ? keras : 3 };
    return tn_save_json_with(&o, path);
}

static tn_status convert(tn_model *model, const char *path, int keras)
{
    tn_save_options o = { .size_ = sizeof o, .model = model, .path = path, .overwrite = true, .include_optimizer = true, .sync = true,
                          .keras = keras };
    if (ends_with(path, ".json"))
        return write_json(model, path, keras);
    return ends_with(path, ".weights.h5") || ends_with(path, ".ckpt") ? tn_save_weights_with(&o) : tn_save_with(&o);
}

static int run(const cli_values *v)
{
    int64_t keras = 0;
    if (!cli_integer("convert", "--keras", v->keras, 2, &keras))
        return CLI_USAGE;
    if (keras > 3)
        return cli_usage("convert", "--keras takes 2 or 3, not '%s'", v->keras);
    tn_model *model = cli_load_model(v->operand[0], v->weights, true);
    if (model && convert(model, v->operand[1], (int)keras) == TN_OK && !v->quiet)
        fprintf(stderr, "saved %s\n", v->operand[1]);
    return cli_finish();
}

static const cli_option options[] = {
    CLI_VALUE("--weights", weights, "FILE", "when IN is a .json"),
    CLI_VALUE("--keras", keras, "2|3", "who is to read an .h5 or a .json; an .h5 without it is read by both, and trained on by Keras 2"),
    CLI_COMMON,
};

const cli_command cli_convert = {
    .name = "convert",
    .operands = "IN OUT",
    .summary = "Write a model in another format: .keras, .h5, .weights.h5, .json, .ckpt, or a SavedModel's folder",
    .least = 2,
    .most = 2,
    .options = options,
    .run = run,
};
