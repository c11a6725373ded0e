/* extend.c - a model that somebody trained, with new layers at its end. */
#include "cli/cli.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the new layers begin: the model's output, or that of the layer before the dropped ones. */
static tn_tensor *cut(tn_model *base, int64_t drop)
{
    tn_layer_list layers = tn_layers(base);
    if (drop == 0 || !layers.item)
        return tn_model_output(base);
    if (drop >= (int64_t)layers.count) {
        tn_fail(TN_INVALID_ARGUMENT, "--drop-last %lld leaves nothing: the model has %zu layers", (long long)drop, layers.count);
        return NULL;
    }
    return tn_layer_output(base, layers.item[layers.count - 1 - (size_t)drop]);
}

/* "a(1); b(2)", each called on what the one before gave. */
static tn_tensor *add_layers(tn_tensor *output, const char *text)
{
    char *copy = strdup(text), *start = copy;
    int depth = 0;
    for (char *at = copy; copy && output;) {
        depth += strchr("([", *at) && *at ? 1 : strchr(")]", *at) && *at ? -1 : 0;
        if (*at && (*at != ';' || depth > 0)) {
            at++;
            continue;
        }
        bool end = *at == 0;
        *at++ = 0;
        if (start[strspn(start, " ")]) {
            tn_layer *layer = tn_layer_of(start);
            tn_call_options call = { .size_ = sizeof call, .training = -1 };
            output = layer ? tn_layer_call(layer, (tn_list){ 1, &output }, &call) : NULL;
        }
        start = at;
        if (end)
            break;
    }
    free(copy);
    return output;
}

static tn_model *extended(const cli_values *v, int64_t drop)
{
    tn_model *base = cli_load_model(v->operand[0], v->weights, false);
    if (!base)
        return NULL;
    if (v->freeze)
        tn_set_trainable(base, false);
    tn_tensor *output = cut(base, drop);
    TN_WITH(tn_name_scope(v->scope ? v->scope : ""));
    output = add_layers(output, v->add);
    tn_model_options o = { .size_ = sizeof o, .inputs = tn_model_input(base), .outputs = output, .name = v->name };
    return output ? tn_model_new(&o) : NULL;
}

static int run(const cli_values *v)
{
    int64_t seed, drop = 0;
    if (!v->add || !v->output)
        return cli_usage("extend", "wants %s", !v->add ? "--add" : "--output");
    if (v->curves && !v->data)
        return cli_usage("extend", "--curves wants --data: without it nothing is trained");
    if (!v->add[strspn(v->add, " ;")])
        return cli_usage("extend", "--add wants a layer, as in --add 'dense(10, softmax)'");
    if (!cli_integer("extend", "--drop-last", v->drop_last, 0, &drop) || (v->seed && !cli_integer("extend", "--seed", v->seed, 0, &seed)))
        return CLI_USAGE;
    if (v->seed)
        tn_set_random_seed(seed);
    tn_model *model = cli_check_outputs(v) ? extended(v, drop) : NULL;
    cli_data data;
    if (!model)
        return cli_finish();
    if (v->data && !cli_load_data(model, v->data, v->target, "train", true, &data))
        return cli_finish();
    tn_history *history = v->data ? cli_train_model("extend", model, &data, v) : NULL;
    if (v->data && !history)
        return tn_pending() == TN_OK ? CLI_USAGE : cli_finish();
    return cli_save(model, history, v);
}

static const cli_option options[] = {
    CLI_VALUE("--add", add, "LAYERS", "'dense(10, softmax, name=new_dense)'; several are separated by ';'"),
    CLI_VALUE("--drop-last", drop_last, "N", "leave out the base's last N layers (0)"),
    CLI_FLAG("--freeze", freeze, "the base's weights stay as they are"),
    CLI_VALUE("--scope", scope, "NAME", "name scope of the new layers' variables"),
    CLI_VALUE("--name", name, "NAME", "the new model's"),
    CLI_VALUE("--weights", weights, "FILE", "the base's weights, when BASE is a .json"),
    CLI_VALUE("--data", data, "FILE", ".npz with x and y (or x_train, y_train; arrays of other names are taken in order, which is told), or .csv; without it nothing is trained"),
    CLI_VALUE("--target", target, "COLUMN", "of a .csv: the labels' name or number (the last)"),
    CLI_VALUE("--output", output, "FILE", "the extended model, .keras or .h5"),
    CLI_TRAINING,
    CLI_COMMON,
};

const cli_command cli_extend = {
    .name = "extend",
    .operands = "BASE",
    .summary = "Join new layers to a model, train what is not frozen, save it",
    .least = 1,
    .most = 1,
    .options = options,
    .details = "BASE is a model of Keras 1, 2 or 3 (.keras, .h5), or a .json with --weights.\n"
               "x_test and y_test of an .npz are the validation data unless --validation-split is given.",
    .run = run,
};
