/* files.c - W1 and W9: from the start of a process to its first prediction, and a model of 400 MB to disk and back. */
#include "bench.h"
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* --- W1 --------------------------------------------------------------------------------------- */
typedef struct {
    const char *program, *model;
} start;

static void run_program(char *const *arguments)
{
    int status = -1;
    pid_t child;
    if (posix_spawn(&child, arguments[0], NULL, NULL, arguments, environ) != 0 || waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "bench: %s failed (%d)\n", arguments[0], status);
        exit(1);
    }
}

static void run_cold(void *self)
{
    const start *s = self;
    run_program((char *[]){ (char *)s->program, (char *)s->model, NULL });
}

static double cold_memory(const start *s)
{
    char command[8192];
    double megabytes = 0;
    snprintf(command, sizeof command, "'%s' '%s' memory", s->program, s->model);
    FILE *output = popen(command, "r");
    if (!output || fscanf(output, "%lf", &megabytes) != 1)
        fprintf(stderr, "bench: %s told of no memory\n", s->program);
    if (output)
        pclose(output);
    return megabytes;
}

/* A program that stands beside this one; false: there is none. */
static bool program_beside(const char *name, char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    path[length > 0 ? length : 0] = 0;
    char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    snprintf(path + folder, size - folder, "%s", name);
    return access(path, X_OK) == 0;
}

static void bench_start(const char *peer, start *s)
{
    bench_run_as(peer, &(bench_case){ "W1_cold_predict", "ms", run_cold, s, 1 });
    double memory = cold_memory(s), again = cold_memory(s);
    bench_print_as(peer, "W1_cold_predict_rss", "rss_MB", memory < again ? memory : again, memory, 2);
}

static void bench_cold(const char *folder)
{
    TN_SCOPE;
    char program[4096], model[4096];
    start s = { program, model };
    snprintf(model, sizeof model, "%s/cold.keras", folder);
    tn_must(tn_save(tn_sequential(TN_LAYERS(tn_dense(128, "relu", .input_shape = TN_SHAPE(64)), tn_dense(10, "softmax"))), model));
    if (program_beside("bench_cold", program, sizeof program))
        bench_start("tenon", &s);
    if (program_beside("bench_cold_static", program, sizeof program))
        bench_start("tenon, linked statically", &s);
    s = (start){ "/bin/true", "" };
    if (access(s.program, X_OK) == 0)
        bench_run_as("floor: /bin/true", &(bench_case){ "W1_cold_predict", "ms", run_cold, &s, 1 });
    unlink(model);
}

/* --- W9 --------------------------------------------------------------------------------------- */
enum { LAYERS = 25, WIDTH = 2048 };
typedef struct {
    tn_model *model;
    char path[4096];
    bool sync, map;
} big;

static tn_model *big_model(void)
{
    tn_layer *layers[LAYERS];
    layers[0] = tn_dense(WIDTH, .input_shape = TN_SHAPE(WIDTH));
    for (int i = 1; i < LAYERS; i++)
        layers[i] = tn_dense(WIDTH);
    return tn_sequential(tn_layer_list_of(LAYERS, layers));
}

/* Over the one of before, as a program that trains saves again and again. */
static void save(void *self)
{
    const big *b = self;
    tn_must(tn_save(b->model, b->path, .sync = b->sync));
}

static void load(void *self)
{
    TN_SCOPE;
    const big *b = self;
    tn_list weights = tn_get_weights(tn_load_model(b->path, .map = b->map));
    for (size_t i = 0; i < weights.count; i++)
        tn_reduce_sum(weights.item[i]);
    tn_must(tn_pending());
}

static void bench_big(const char *folder)
{
    TN_SCOPE;
    big b = { .model = big_model() };
    snprintf(b.path, sizeof b.path, "%s/big.keras", folder);
    bench_run(&(bench_case){ "W9_save_400MB", "ms", save, &b, 1 });
    b.sync = true;
    bench_run(&(bench_case){ "W9_save_400MB_sync", "ms", save, &b, 1 });
    if (bench_wanted("W9_load") && access(b.path, F_OK) != 0)
        save(&b);
    bench_run(&(bench_case){ "W9_load_400MB", "ms", load, &b, 1 });
    b.map = true;
    bench_run(&(bench_case){ "W9_load_400MB_mapped", "ms", load, &b, 1 });
    unlink(b.path);
}

/* Neither asks for threads: in the whole table they stand once. */
void bench_files(void)
{
    if (bench_threads() > 1 && !bench_named("W1_cold_predict") && !bench_named("W9"))
        return;
    const char *parent = getenv("TMPDIR");
    char folder[2048];
    snprintf(folder, sizeof folder, "%s/tenon-bench-XXXXXX", parent && strlen(parent) < 1000 ? parent : "/tmp");
    if (!(bench_wanted("W1_cold_predict") || bench_wanted("W9")) || !mkdtemp(folder))
        return;
    if (bench_wanted("W1_cold_predict"))
        bench_cold(folder);
    if (bench_wanted("W9"))
        bench_big(folder);
    rmdir(folder);
}
