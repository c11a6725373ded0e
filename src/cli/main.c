/* main.c - tenon COMMAND …: finding the command, reading its options, helping. */
#include "cli/cli.h"
#include <tenon/sys.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_command *const commands[] = { &cli_summary, &cli_inspect, &cli_doctor, &cli_diff, &cli_plot, &cli_predict,
                                              &cli_evaluate, &cli_train, &cli_extend, &cli_convert, &cli_plan, &cli_profile };
enum { COMMANDS = sizeof commands / sizeof *commands };

int cli_usage(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "tenon%s%s: ", command ? " " : "", command ? command : "");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\nTry 'tenon%s%s --help'.\n", command ? " " : "", command ? command : "");
    va_end(arguments);
    return CLI_USAGE;
}

int cli_finish(void)
{
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    if (!error)
        return CLI_OK;
    fprintf(stderr, "tenon: %s\n", error->message);
    return CLI_FAILED;
}

bool cli_integer(const char *command, const char *option, const char *text, int64_t least, int64_t *value)
{
    char *end;
    if (!text)
        return true;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (*text && !*end && errno == 0 && number >= least) {
        *value = number;
        return true;
    }
    cli_usage(command, "%s takes a whole number of %lld or more, not '%s'", option, (long long)least, text);
    return false;
}

bool cli_real(const char *command, const char *option, const char *text, double least, double most, double *value)
{
    char *end;
    if (!text)
        return true;
    double number = strtod(text, &end);
    if (*text && !*end && number >= least && number <= most) {
        *value = number;
        return true;
    }
    cli_usage(command, "%s takes a number from %g to %g, not '%s'", option, least, most, text);
    return false;
}

/* --- help --------------------------------------------------------------------------------------------------------------- */
static int print_help(void)
{
    printf("Loads models trained in Keras, extends and trains them, and saves them so that Keras opens them again.\n\n"
           "usage: tenon COMMAND [OPTIONS] …\n\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %-9s %s\n", commands[i]->name, commands[i]->summary);
    printf("\n'tenon COMMAND --help' tells the rest. --version prints the version. Results go to standard output, messages to\n"
           "standard error; the exit status is 0, 1 when something failed, 2 when the command was not understood.\n");
    return CLI_OK;
}

static int print_command_help(const cli_command *command)
{
    printf("%s\n\nusage: tenon %s%s%s [OPTIONS]\n\n", command->summary, command->name, *command->operands ? " " : "", command->operands);
    for (const cli_option *o = command->options; o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
        printf("  %-24s %s\n", left, o->help);
    }
    if (command->details)
        printf("\n%s\n", command->details);
    return CLI_OK;
}

/* --- options ------------------------------------------------------------------------------------------------------------ */
static const cli_option *find_option(const cli_command *command, const char *text, size_t length)
{
    for (const cli_option *o = command->options; o->name; o++)
        if (strlen(o->name) == length && strncmp(o->name, text, length) == 0)
            return o;
    return NULL;
}

/* "--epoch" for --epochs, "--epochss": one begins like the other. */
static int unknown_option(const cli_command *command, const char *text, size_t length)
{
    for (const cli_option *o = command->options; o->name; o++) {
        size_t shared = strlen(o->name) < length ? strlen(o->name) : length;
        if (shared > 4 && strncmp(o->name, text, shared) == 0)
            return cli_usage(command->name, "unknown option '%.*s', did you mean %s?", (int)length, text, o->name);
    }
    return cli_usage(command->name, "unknown option '%.*s'", (int)length, text);
}

/* One "--name", "--name value" or "--name=value"; *at moves over a value that stands by itself. */
static int read_option(const cli_command *command, char **argv, int argc, int *at, cli_values *values)
{
    const char *text = argv[*at], *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text);
    const cli_option *option = find_option(command, text, length);
    if (!option)
        return unknown_option(command, text, length);
    char *place = (char *)values + option->offset;
    if (!option->argument && equals)
        return cli_usage(command->name, "%s takes no value", option->name);
    if (!option->argument) {
        *(bool *)place = true;
        return CLI_OK;
    }
    const char *value = equals ? equals + 1 : *at + 1 < argc ? argv[++*at] : NULL;
    if (!value)
        return cli_usage(command->name, "%s wants its %s", option->name, option->argument);
    memcpy(place, &value, sizeof value);
    return CLI_OK;
}

static int read_arguments(const cli_command *command, char **argv, int argc, cli_values *values)
{
    bool operands_only = false;
    for (int i = 0; i < argc; i++) {
        if (!operands_only && strcmp(argv[i], "--") == 0) {
            operands_only = true;
        } else if (!operands_only && strncmp(argv[i], "--", 2) == 0) {
            int status = read_option(command, argv, argc, &i, values);
            if (status != CLI_OK)
                return status;
        } else if (!operands_only && argv[i][0] == '-' && argv[i][1]) {
            return cli_usage(command->name, "unknown option '%s'", argv[i]);
        } else if (values->operands == command->most) {
            return cli_usage(command->name, "too many operands: '%s'", argv[i]);
        } else {
            values->operand[values->operands++] = argv[i];
        }
    }
    if (!values->help && values->operands < command->least)
        return cli_usage(command->name, "wants %s", command->operands);
    return CLI_OK;
}

/* Where the library's text goes: as it would by itself, but warnings are left out when nobody wants them, and why a text could not be
 * written is kept. */
typedef struct {
    bool quiet;
    int failure; /* errno */
} printer;

static void print_text(void *self, tn_sink_kind kind, const char *text, size_t size)
{
    printer *p = self;
    FILE *file = kind == TN_SINK_OUTPUT ? stdout : stderr;
    if (kind == TN_SINK_WARNING && p->quiet)
        return;
    errno = 0;
    if ((fwrite(text, 1, size, file) != size || fflush(file) != 0) && kind == TN_SINK_OUTPUT && !p->failure)
        p->failure = errno;
}

/* What was printed must have arrived. A reader that goes away takes nothing from a command whose result is a file. */
static int finish_output(int status, int failure, bool result_is_a_file)
{
    errno = 0;
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    failure = failure ? failure : errno;
    if (status != CLI_OK || !lost || (result_is_a_file && failure == EPIPE))
        return status;
    fprintf(stderr, "tenon: standard output: %s\n", failure ? strerror(failure) : "could not be written");
    return CLI_FAILED;
}

static int run_command(const cli_command *command, char **argv, int argc)
{
    cli_values values = { .operands = 0 };
    int status = read_arguments(command, argv, argc, &values);
    if (status != CLI_OK)
        return status;
    if (values.help)
        return finish_output(print_command_help(command), 0, false);
    printer to = { .quiet = values.quiet };
    tn_set_sink((tn_sink){ .write = print_text, .self = &to, .terminal = isatty(STDOUT_FILENO) == 1 });
    status = command->run(&values);
    tn_set_sink((tn_sink){ .write = NULL });
    return finish_output(status, to.failure, values.output && strcmp(values.output, "-") != 0);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return cli_usage(NULL, "wants a command");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return finish_output(print_help(), 0, false);
    if (strcmp(argv[1], "--version") == 0) {
        printf("tenon %s\n", tn_version());
        return finish_output(CLI_OK, 0, false);
    }
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, argv[1]) == 0)
            return run_command(commands[i], argv + 2, argc - 2);
    return cli_usage(NULL, "there is no command '%s'", argv[1]);
}
