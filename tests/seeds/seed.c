/* seed.c */
#include "seeds/seed.h"
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

void seed_folder(void)
{
    static bool there;
    char folder[4096];
    if (there)
        return;
    snprintf(folder, sizeof folder, "%s", temporary_path("x"));
    *strrchr(folder, '/') = 0;
    assert_int_equal(chdir(folder), 0);
    there = true;
}

static const char *read_whole(const char *path)
{
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

const char *seed_run(int (*program)(void))
{
    seed_folder();
    tn_set_random_seed(1);
    fflush(stdout);
    int console = dup(STDOUT_FILENO);
    assert_non_null(freopen("output", "w", stdout));
    int status = program();
    fflush(stdout);
    dup2(console, STDOUT_FILENO);
    close(console);
    assert_int_equal(status, EXIT_SUCCESS);
    return read_whole("output");
}

bool seed_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

/* The variable with another number in one place. */
static double loss_with(double (*loss)(void *self), void *self, tn_variable *variable, const float *values, int64_t count, int64_t i, float x)
{
    TN_SCOPE;
    float *changed = malloc((size_t)count * sizeof *changed);
    assert_non_null(changed);
    memcpy(changed, values, (size_t)count * sizeof *changed);
    changed[i] = x;
    assert_non_null(tn_assign(variable, tn_constant(TN_FLOAT32, tn_shape_of(variable), changed)));
    free(changed);
    return loss(self);
}

void seed_check_gradient(double (*loss)(void *self), void *self, tn_variable *variable, tn_tensor *gradient)
{
    assert_non_null(gradient);
    int64_t count = tn_to_int(tn_size(variable));
    tn_tensor *before = tn_read_value(variable);
    const float *values = tn_data_float32(before), *slopes = tn_data_float32(gradient);
    assert_non_null(slopes);
    for (int64_t i = 0; i < count; i++) {
        double up = loss_with(loss, self, variable, values, count, i, values[i] + 0.5F);
        double down = loss_with(loss, self, variable, values, count, i, values[i] - 0.5F);
        if (fabs(up - down - (double)slopes[i]) > 1e-3 * fmax(1, fabs(up - down)))
            fail_msg("%s: element %lld of the gradient is %g, differences give %g", tn_name(variable), (long long)i, (double)slopes[i], up - down);
    }
    assert_non_null(tn_assign(variable, before));
}
