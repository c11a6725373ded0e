/* cli.h - what the commands share. The program stands on the public headers only. */
#ifndef TN_CLI_CLI_H
#define TN_CLI_CLI_H
#include <tenon.h>

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_MOST_OPERANDS = 4 };

/* Everything that some command takes; what was not given is NULL, false or the default. */
typedef struct {
    const char *operand[CLI_MOST_OPERANDS];
    int operands;
    const char *weights, *input, *output, *data, *target, *layers, *add, *scope, *name;
    const char *optimizer, *loss, *metrics;
    const char *epochs, *batch_size, *validation_split, *seed, *drop_last, *keras, *curves, *line_length, *rankdir, *tolerance, *fix;
    bool freeze, quiet, help, json, expand_nested, show_trainable, hide_shapes, hide_names, show_dtype, show_activations;
} cli_values;

typedef struct {
    const char *name;      /* "--data" */
    const char *argument;  /* "FILE"; NULL: a flag */
    const char *help;
    size_t offset;         /* in cli_values */
} cli_option;

typedef struct {
    const char *name, *operands, *summary; /* "extend", "BASE", one line */
    int least, most;       /* operands */
    const cli_option *options; /* ends with a NULL name */
    const char *details;   /* below the options in --help; NULL: none */
    int (*run)(const cli_values *values);
} cli_command;

#define CLI_VALUE(name, member, argument, help) { name, argument, help, offsetof(cli_values, member) }
#define CLI_FLAG(name, member, help) { name, NULL, help, offsetof(cli_values, member) }
#define CLI_COMMON \
    CLI_FLAG("--quiet", quiet, "no progress, no remarks, no warnings"), CLI_FLAG("--help", help, "this text"), { NULL, NULL, NULL, 0 }
#define CLI_TRAINING \
    CLI_VALUE("--epochs", epochs, "N", "how often to go over the data (5)"), \
        CLI_VALUE("--batch-size", batch_size, "N", "rows a step (32)"), \
        CLI_VALUE("--optimizer", optimizer, "TEXT", "\"adam\", \"sgd(0.01, momentum=0.9)\" … (adam)"), \
        CLI_VALUE("--loss", loss, "TEXT", "(what fits the model's output and the labels)"), \
        CLI_VALUE("--metrics", metrics, "LIST", "separated by ',' (accuracy for classes)"), \
        CLI_VALUE("--validation-split", validation_split, "PART", "hold back this part of the rows, the last ones (0)"), \
        CLI_VALUE("--seed", seed, "N", "for initial weights, dropout and shuffling, as keras.utils.set_random_seed"), \
        CLI_VALUE("--curves", curves, "P.svg", "draw losses and metrics by epoch")

extern const cli_command cli_summary, cli_inspect, cli_doctor, cli_diff, cli_plot, cli_predict, cli_evaluate, cli_train, cli_extend, cli_convert, cli_plan,
    cli_profile;

/* Prints "tenon COMMAND: …" and the way to the help on stderr; gives CLI_USAGE. */
int cli_usage(const char *command, const char *format, ...) TN_PRINTF(2, 3);
/* The kept error on stderr, CLI_FAILED; CLI_OK when there is none. */
int cli_finish(void);

/* A number or its default; false, with a usage message, when the text is no such number. */
bool cli_integer(const char *command, const char *option, const char *text, int64_t least, int64_t *value);
bool cli_real(const char *command, const char *option, const char *text, double least, double most, double *value);

/* A model from a file, or an architecture from a .json with its weights. compile: with what it was compiled with. */
tn_model *cli_load_model(const char *path, const char *weights, bool compile);

/* Data for a model: inputs and, where they are there, labels; tuples for several. `part` is "train" or "test": x_train, x_test … are
 * taken where the file has them. The second pair is the file's test part (NULL: it has none). */
typedef struct {
    tn_tensor *x, *y, *test_x, *test_y;
} cli_data;
bool cli_load_data(tn_model *model, const char *path, const char *target, const char *part, bool labels, cli_data *data);

/* compile and fit as the options say; prints what it ends with unless quiet. NULL: an error is kept, or the usage was told. */
tn_history *cli_train_model(const char *command, tn_model *model, const cli_data *data, const cli_values *values);
/* Before anything long: false, with an error kept, when the results (--output, --curves) could not be saved there. */
bool cli_check_outputs(const cli_values *values);
/* A drawing's file, likewise. */
bool cli_check_drawing(const char *option, const char *path);
/* Saves the model to --output, then the curves (history NULL: there are none), and says so; the exit status. */
int cli_save(tn_model *model, tn_history *history, const cli_values *values);
/* Losses and metrics for a model that has none: by --loss, --metrics, or by its output and the labels. */
bool cli_compile(tn_model *model, tn_tensor *y, const cli_values *values);

#endif
