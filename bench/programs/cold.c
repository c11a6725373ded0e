/* cold.c - W1: a program that does nothing but predict once with a saved model, as a user would write it: cold MODEL [memory]. */
#include <stdio.h>
#include <string.h>
#include <tenon.h>

/* The most that the process ever held, in MB. */
static void print_peak_memory(void)
{
    char line[256];
    double kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmHWM:", 6) == 0)
            sscanf(line + 6, "%lf", &kilobytes);
    if (file)
        fclose(file);
    printf("%.6g\n", kilobytes / 1024);
}

int main(int argc, char **argv)
{
    TN_SCOPE;
    if (argc < 2)
        return 2;
    tn_model *model = tn_load_model(argv[1]);
    tn_tensor *y = tn_predict(model, tn_ones(TN_SHAPE(1, 64), TN_FLOAT32), .verbose = 0);
    const float *first = tn_data(y, TN_FLOAT32);
    if (!first || !(first[0] >= 0 && first[0] <= 1))
        return tn_report() ? 1 : 3;
    if (argc > 2)
        print_peak_memory();
    return tn_report();
}
