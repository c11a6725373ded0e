/* replay.c - a fuzzer's seeds, and what it once found, run one by one as a test. usage:
 * FUZZER_replay FOLDER… */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A block of exactly its size, so that a sanitizer sees what is read behind its end. */
static int run(const char *folder, const char *name)
{
    char path[4096];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return 0;
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        return 1;
    }
    size_t size = (size_t)ftell(file), got = 0;
    uint8_t *data = malloc(size ? size : 1);
    rewind(file);
    if (data)
        got = fread(data, 1, size, file);
    fclose(file);
    if (data && got == size)
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    return !data || got != size;
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int count, char **arguments)
{
    int bad = 0, inputs = 0;
    for (int i = 1; i < count; i++) {
        struct dirent **entry;
        int entries = scandir(arguments[i], &entry, is_input, alphasort);
        if (entries < 0) {
            perror(arguments[i]);
            return 1;
        }
        for (int k = 0; k < entries; k++, inputs++) {
            bad += run(arguments[i], entry[k]->d_name);
            free(entry[k]);
        }
        free(entry);
    }
    printf("%d inputs\n", inputs);
    return bad || inputs == 0;
}
