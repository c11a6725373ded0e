/* train.c - training from the command line: a new model, or what extend made. */
#include "cli/cli.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what fits the data ------------------------------------------------------------------------------------------------- */
static bool all_zero_or_one(tn_tensor *y)
{
    tn_tensor *floats = tn_cast(y, TN_FLOAT32);
    const float *value = tn_data_float32(floats);
    tn_shape shape = tn_shape_of(floats);
    int64_t count = 1;
    for (int i = 0; i < shape.rank; i++)
        count *= shape.dims[i];
    for (int64_t i = 0; value && i < count; i++)
        if (value[i] != 0 && value[i] != 1)
            return false;
    return value != NULL;
}

/* One number a row for an output of several: class numbers. As many as the output has, 0 and 1: classes. Else: numbers. */
static const char *loss_for(tn_model *model, tn_tensor *y)
{
    tn_list outputs = tn_items(tn_model_output(model)), labels = tn_items(y);
    if (!outputs.item || !labels.item)
        return NULL;
    if (outputs.count > 1)
        return "mse";
    tn_shape out = tn_shape_of(outputs.item[0]), shape = tn_shape_of(labels.item[0]);
    int64_t width = out.dims[out.rank - 1], label_width = shape.rank > 1 ? shape.dims[shape.rank - 1] : 1;
    if (width > 1 && label_width == 1)
        return "sparse_categorical_crossentropy";
    if (!all_zero_or_one(labels.item[0]))
        return "mse";
    return width == 1 ? "binary_crossentropy" : "categorical_crossentropy";
}

static bool split_metrics(const char *text, char *copy, size_t size, tn_compile_options *options)
{
    if (strlen(text) >= size) {
        tn_fail(TN_INVALID_ARGUMENT, "--metrics is too long");
        return false;
    }
    strcpy(copy, text);
    int count = 0, depth = 0;
    char *start = copy;
    for (char *at = copy;; at++) {
        depth += (*at == '(') - (*at == ')');
        if (*at && (*at != ',' || depth > 0))
            continue;
        bool end = *at == 0;
        *at = 0;
        while (*start == ' ')
            start++;
        if (count == 8) {
            tn_fail(TN_INVALID_ARGUMENT, "--metrics takes 8 at most");
            return false;
        }
        if (*start)
            options->metrics[count++] = start;
        if (end)
            return true;
        start = at + 1;
    }
}

bool cli_compile(tn_model *model, tn_tensor *y, const cli_values *v)
{
    char metrics[1024];
    tn_compile_options o = { .size_ = sizeof o, .model = model, .auto_scale_loss = true, .loss = v->loss ? v->loss : loss_for(model, y) };
    o.optimizer = tn_optimizer_of(v->optimizer ? v->optimizer : "adam");
    const char *names = v->metrics ? v->metrics : o.loss && strstr(o.loss, "crossentropy") ? "accuracy" : "";
    return o.optimizer && o.loss && split_metrics(names, metrics, sizeof metrics, &o) && tn_compile_with(&o) == TN_OK;
}

/* Ctrl-C ends the training after its batch; what was learned is saved. A second one ends the program. */
static void interrupted(int signal_number)
{
    tn_stop_training();
    signal(signal_number, SIG_DFL);
}

/* Progress would stand among a result that goes to standard output. */
static bool is_silent(const cli_values *v)
{
    return v->quiet || strcmp(v->output, "-") == 0 || (v->curves && strcmp(v->curves, "-") == 0);
}

tn_history *cli_train_model(const char *command, tn_model *model, const cli_data *data, const cli_values *v)
{
    tn_fit_options o = { .size_ = sizeof o, .model = model, .x = data->x, .y = data->y, .batch_size = 32, .epochs = 5,
                         .verbose = is_silent(v) ? 0 : -1, .shuffle = true, .validation_freq = 1, .seed = TN_NO_SEED };
    if (!cli_integer(command, "--epochs", v->epochs, 0, &o.epochs) || !cli_integer(command, "--batch-size", v->batch_size, 1, &o.batch_size) ||
        !cli_real(command, "--validation-split", v->validation_split, 0, 0.999, &o.validation_split))
        return NULL;
    if (data->test_x && data->test_y && !v->validation_split)
        o.validation_data = tn_tuple_of(TN_LIST(data->test_x, data->test_y));
    if (!cli_compile(model, data->y, v))
        return NULL;
    signal(SIGINT, interrupted);
    signal(SIGTERM, interrupted);
    signal(SIGPIPE, SIG_IGN); /* a reader of the progress that goes away (`| head`) takes nothing from the training */
    return tn_fit_with(&o);
}

static void told(const cli_values *v, const char *path)
{
    if (!v->quiet)
        fprintf(stderr, "saved %s\n", path);
}

int cli_save(tn_model *model, tn_history *history, const cli_values *v)
{
    tn_save_options save = { .size_ = sizeof save, .model = model, .path = v->output, .overwrite = true, .include_optimizer = true, .sync = true };
    if (tn_save_with(&save) != TN_OK)
        return cli_finish();
    told(v, v->output);
    if (v->curves && history && tn_history_epochs(history) > 0 && tn_plot_history(history, v->curves) == TN_OK)
        told(v, v->curves);
    return cli_finish();
}

/* --- where the result goes ---------------------------------------------------------------------------------------------- */
static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool check_target(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *folder = !slash ? "." : slash == path ? "/" : tn_format("%.*s", (int)(slash - path), path);
    struct stat target;
    if (stat(path, &target) == 0 && !S_ISREG(target.st_mode))
        tn_fail(TN_INVALID_ARGUMENT, "Unable to write '%s': it is %s", path, S_ISDIR(target.st_mode) ? "a folder" : "not a regular file");
    else if (access(folder, F_OK) != 0)
        tn_fail(TN_NOT_FOUND, "Unable to write '%s': there is no folder '%s'", path, folder);
    else if (access(folder, W_OK | X_OK) != 0)
        tn_fail(TN_PERMISSION_DENIED, "Unable to write '%s': %s", path, strerror(errno));
    return tn_pending() == TN_OK;
}

bool cli_check_drawing(const char *option, const char *path)
{
    if (!path || strcmp(path, "-") == 0)
        return true;
    if (!ends_with(path, ".svg"))
        tn_fail(TN_INVALID_ARGUMENT, "%s: a drawing's file ends in .svg, got '%s'", option, path);
    return tn_pending() == TN_OK && check_target(path);
}

bool cli_check_outputs(const cli_values *v)
{
    bool standard = strcmp(v->output, "-") == 0;
    if (!standard && !ends_with(v->output, ".keras") && !ends_with(v->output, ".h5"))
        tn_fail(TN_INVALID_ARGUMENT, "--output: a model's file ends in .keras or .h5, got '%s'", v->output);
    else if (standard && v->curves && strcmp(v->curves, "-") == 0)
        tn_fail(TN_INVALID_ARGUMENT, "--output and --curves cannot both be standard output");
    return tn_pending() == TN_OK && (standard || check_target(v->output)) && cli_check_drawing("--curves", v->curves);
}

/* --- the command -------------------------------------------------------------------------------------------------------- */
static int run(const cli_values *v)
{
    int64_t seed;
    if (!v->layers || !v->data || !v->output)
        return cli_usage("train", "wants %s", !v->layers ? "--layers" : !v->data ? "--data" : "--output");
    if (v->seed && !cli_integer("train", "--seed", v->seed, 0, &seed))
        return CLI_USAGE;
    if (v->seed)
        tn_set_random_seed(seed);
    tn_model *model = cli_check_outputs(v) ? tn_sequential_of(v->layers) : NULL;
    cli_data data;
    if (!model || !cli_load_data(model, v->data, v->target, "train", true, &data))
        return cli_finish();
    tn_history *history = cli_train_model("train", model, &data, v);
    if (!history)
        return tn_pending() == TN_OK ? CLI_USAGE : cli_finish();
    return cli_save(model, history, v);
}

static const cli_option options[] = {
    CLI_VALUE("--layers", layers, "LIST", "'input(8, 8, 1); flatten(); dense(128, relu); dense(10, softmax)'"),
    CLI_VALUE("--data", data, "FILE", ".npz with x and y (or x_train, y_train; arrays of other names are taken in order, which is told), or .csv"),
    CLI_VALUE("--target", target, "COLUMN", "of a .csv: the labels' name or number (the last)"),
    CLI_VALUE("--output", output, "FILE", "the trained model, .keras or .h5"),
    CLI_TRAINING,
    CLI_COMMON,
};

const cli_command cli_train = {
    .name = "train",
    .operands = "",
    .summary = "Make a model from layers, train it, save it",
    .options = options,
    .details = "Layers are written as in Keras, in snake case: arguments by position or by name. A wrong one is answered with what there is.\n"
               "x_test and y_test of an .npz are the validation data unless --validation-split is given.",
    .run = run,
};
