/* stop_test.c - saves that are stopped: after every step, at any moment, by every call that fails.
 * What was saved before or what is being saved is there afterwards, whole, and nothing else in the
 * folder has changed.
 *
 * The linker leads the library's calls of the system's write, pwrite, fsync, rename, renameat2,
 * mkdir and remove to the functions below. */
#include "support/check.h"
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the steps of a save */
enum { STOPPED = 77, MOMENTS = 200 };
typedef enum { GO_ON, STOP_BEFORE, STOP_HALFWAY, STOP_AFTER, FAIL } step_end;

static struct {
    bool counting;
    int count, at;
    step_end end;
    bool one_by_one; /* names cannot be exchanged */
    char kinds[256]; /* one letter a step */
} steps;

/* Whether the step that begins is the chosen one. */
static bool chosen(char kind)
{
    if (!steps.counting)
        return false;
    if (steps.count < (int)sizeof steps.kinds - 1)
        steps.kinds[steps.count] = kind;
    steps.count++;
    if (steps.count == steps.at && steps.end == STOP_BEFORE)
        _exit(STOPPED);
    return steps.count == steps.at;
}

/* A system call's result, made by the rules above; `half` is what a call that is stopped halfway
 * does. */
#define STEP(kind, call, half)                               \
    do {                                                     \
        bool here = chosen(kind);                            \
        if (here && steps.end == FAIL)                       \
            return errno = (kind) == 'w' ? ENOSPC : EIO, -1; \
        if (here && steps.end == STOP_HALFWAY) {             \
            (void)!(half);                                   \
            _exit(STOPPED);                                  \
        }                                                    \
        __typeof__(call) result = (call);                    \
        if (here && steps.end == STOP_AFTER)                 \
            _exit(STOPPED);                                  \
        return result;                                       \
    } while (0)

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size)
{
    STEP('w', __real_write(fd, data, size), __real_write(fd, data, size / 2));
}

ssize_t __real_pwrite(int fd, const void *data, size_t size, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *data, size_t size, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    STEP('p', __real_pwrite(fd, data, size, offset), __real_pwrite(fd, data, size / 2, offset));
}

/* The disk itself is left out: no power is lost here, and waiting for it would take most of the
 * time. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    struct stat info;
    STEP(fstat(fd, &info) == 0 && S_ISDIR(info.st_mode) ? 'F' : 's', 0, 0);
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    STEP('r', __real_rename(from, to), 0);
}

int __real_renameat2(int from_in, const char *from, int to_in, const char *to, unsigned flags);
int __wrap_renameat2(int from_in, const char *from, int to_in, const char *to, unsigned flags);
int __wrap_renameat2(int from_in, const char *from, int to_in, const char *to, unsigned flags)
{
    if (steps.one_by_one)
        return errno = EINVAL, -1;
    STEP('x', __real_renameat2(from_in, from, to_in, to, flags), 0);
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
    STEP('m', __real_mkdir(path, mode), 0);
}

int __real_remove(const char *path);
int __wrap_remove(const char *path);
int __wrap_remove(const char *path)
{
    STEP('d', __real_remove(path), 0);
}

/* --- what is saved: everything in it is `value`, 1 or 2 */
static int64_t size_of(tn_tensor *x)
{
    tn_shape shape = tn_shape_of(x);
    int64_t size = 1;
    for (int i = 0; i < shape.rank; i++)
        size *= shape.dims[i];
    return size;
}

/* What all elements are; 0 when they are not the same, or not there. */
static int value_of(tn_list tensors)
{
    float value = 0;
    for (size_t i = 0; i < tensors.count; i++) {
        const float *data = tn_data_float32(tensors.item[i]);
        value = i == 0 && data ? data[0] : value;
        for (int64_t k = 0; k < size_of(tensors.item[i]); k++)
            if (!data || data[k] != value)
                return 0;
    }
    return (int)value;
}

static tn_tensor *filled(tn_shape shape, int value)
{
    return tn_fill(shape, tn_cast(tn_scalar((double)value), TN_FLOAT32));
}

static tn_model *model_of(int value)
{
    tn_model *model = tn_sequential(
        TN_LAYERS(tn_dense(700, .kernel_initializer = "zeros", .input_shape = TN_SHAPE(600)),
                  tn_dense(20)),
        .name = value == 1 ? "one" : "two");
    tn_list variables = tn_variables(model);
    for (size_t i = 0; i < variables.count; i++)
        tn_assign(variables.item[i], filled(tn_shape_of(variables.item[i]), value));
    CHECK_NO_ERROR();
    return model;
}

static tn_status save_model(int value, const char *path)
{
    return tn_save(model_of(value), path);
}

static int load_model(const char *path)
{
    tn_model *model = tn_load_model(path);
    return model ? value_of(tn_variables(model)) : 0;
}

static tn_status save_weights(int value, const char *path)
{
    return tn_save_weights(model_of(value), path);
}

static int load_weights(const char *path)
{
    tn_model *model = model_of(3);
    return tn_load_weights(model, path) == TN_OK ? value_of(tn_variables(model)) : 0;
}

static tn_status save_json(int value, const char *path)
{
    return tn_save_json_with(&(tn_to_json_options){ .size_ = sizeof(tn_to_json_options),
                                                    .model = model_of(value),
                                                    .keras = 3 },
                             path);
}

static int load_json(const char *path)
{
    tn_model *model = tn_load_json(path);
    return !model ? 0 : strcmp(tn_layer_name(model), "one") == 0 ? 1 : 2;
}

static tn_status save_array(int value, const char *path)
{
    return tn_save_array(filled(TN_SHAPE(300, 40), value), path);
}

static int load_array(const char *path)
{
    tn_tensor *x = tn_load_array(path, NULL);
    return x ? value_of(TN_LIST(x)) : 0;
}

static const struct form {
    const char *name;
    tn_status (*save)(int value, const char *path);
    int (*load)(const char *path);
} forms[] = {
    { "a.keras", save_model, load_model },
    { "a.h5", save_model, load_model },
    { "a.weights.h5", save_weights, load_weights },
    { "a.json", save_json, load_json },
    { "a.npy", save_array, load_array },
    { "a.csv", save_array, load_array },
};
enum { FORMS = sizeof forms / sizeof *forms };

/* --- a folder with a target and somebody else's file */
static char folder[300], target[400], bystander[400];

static void put_bystander(void)
{
    FILE *file = fopen(bystander, "w");
    assert_non_null(file);
    assert_true(fputs("somebody else's", file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void begin(const struct form *form, const char *label)
{
    snprintf(folder, sizeof folder, "%s", temporary_path(tn_format("%s_%s", label, form->name)));
    assert_int_equal(mkdir(folder, 0755), 0);
    snprintf(target, sizeof target, "%s/%s", folder, form->name);
    snprintf(bystander, sizeof bystander, "%s/b.keras", folder);
    put_bystander();
}

static int entries(void)
{
    DIR *open = opendir(folder);
    assert_non_null(open);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(open));)
        count += entry->d_name[0] != '.';
    closedir(open);
    return count;
}

/* The value in the target: the whole old file, or the whole new one. */
static int check_whole(const struct form *form)
{
    char text[32] = "";
    FILE *file = fopen(bystander, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_string_equal(text, "somebody else's");
    int value = form->load(target);
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    if (value != 1 && value != 2)
        fail_msg("%s is neither the old nor the new file: %s", form->name,
                 error ? error->message : "mixed values");
    return value;
}

/* Saves in a process of its own, which ends at the chosen step; gives the steps it took, or -1 when
 * it was stopped. */
static int save_in_child(const struct form *form, int value, int at, step_end end)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        TN_SCOPE;
        steps.count = 0;
        steps.at = at;
        steps.end = end;
        steps.counting = true;
        _exit(form->save(value, target) == TN_OK ? steps.count : 99);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 99);
    return WEXITSTATUS(status) == STOPPED ? -1 : WEXITSTATUS(status);
}

/* --- stopped at a step */
/* From `there`, the value in the target before; the next save clears up. */
static void stop_at_every_step(const struct form *form, step_end end, bool fresh)
{
    int at = 1, stopped_old = 0, stopped_new = 0;
    for (;; at++) {
        TN_SCOPE;
        if (fresh)
            unlink(target);
        else
            CHECK_OK(form->save(1, target));
        if (save_in_child(form, 2, at, end) >= 0)
            break;
        if (fresh && access(target, F_OK) != 0)
            stopped_old++;
        else if (check_whole(form) == 1)
            stopped_old++;
        else
            stopped_new++;
        CHECK_OK(form->save(1, target));
        assert_int_equal(check_whole(form), 1);
        assert_int_equal(entries(), 2);
    }
    /* at least a write, its sync, the rename and the folder's sync; the rename parts them */
    assert_true(at > 4);
    assert_true(stopped_old >= 2);
    assert_int_equal(stopped_new, end == STOP_AFTER ? 2 : 1);
}

static void a_save_that_stops_after_any_step_leaves_the_old_file_or_the_new_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        begin(&forms[i], "after");
        stop_at_every_step(&forms[i], STOP_AFTER, false);
        stop_at_every_step(&forms[i], STOP_AFTER, true);
    }
}

static void a_save_that_stops_halfway_through_a_write_leaves_the_old_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        begin(&forms[i], "halfway");
        stop_at_every_step(&forms[i], STOP_HALFWAY, false);
        stop_at_every_step(&forms[i], STOP_BEFORE, true);
    }
}

/* What a file system has not been asked to sync is lost with the power: the bytes come first, then
 * the name. */
static void the_bytes_are_on_the_disk_before_the_name_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        TN_SCOPE;
        begin(&forms[i], "order");
        steps.count = steps.at = 0;
        memset(steps.kinds, 0, sizeof steps.kinds);
        steps.counting = true;
        tn_status status = forms[i].save(1, target);
        steps.counting = false;
        CHECK_OK(status);
        size_t writes = strspn(steps.kinds, "wp");
        assert_true(writes >= 1);
        assert_string_equal(steps.kinds + writes, "srF");
    }
}

/* --- calls that fail */
static char heard[1000];

static void hear(void *self, tn_sink_kind kind, const char *text, size_t size)
{
    (void)self, (void)kind;
    snprintf(heard, sizeof heard, "%.*s", (int)size, text);
}

static tn_status save_failing(const struct form *form, int at)
{
    steps.count = 0;
    steps.at = at;
    steps.end = FAIL;
    steps.counting = true;
    tn_status status = form->save(2, target);
    steps.counting = false;
    return status;
}

static void a_call_that_fails_leaves_the_old_file_and_nothing_else(void **state)
{
    (void)state;
    tn_set_sink((tn_sink){ hear, NULL, false });
    for (size_t i = 0; i < FORMS; i++) {
        begin(&forms[i], "failing");
        CHECK_OK(forms[i].save(1, target));
        for (int at = 1;; at++) {
            TN_SCOPE;
            heard[0] = 0;
            if (save_failing(&forms[i], at) == TN_OK)
                break;
            assert_int_not_equal(steps.kinds[at - 1], 'F');
            CHECK_ERROR(steps.kinds[at - 1] == 'w' ? TN_RESOURCE_EXHAUSTED : TN_UNKNOWN, target);
            assert_int_equal(check_whole(&forms[i]), 1);
            assert_int_equal(entries(), 2);
        }
        /* only that the folder could not be synced is no failure any more: the new file is there,
         * and that is said */
        assert_int_equal(steps.kinds[steps.count - 1], 'F');
        assert_non_null(strstr(heard, "its folder could not be synced"));
        assert_int_equal(check_whole(&forms[i]), 2);
        assert_int_equal(entries(), 2);
    }
    tn_set_sink((tn_sink){ 0 });
}

/* --- killed at any moment */
static void save_for_ever(const struct form *form)
{
    for (int i = 0;; i++) {
        TN_SCOPE;
        if (form->save(1 + i % 2, target) != TN_OK)
            _exit(1);
    }
}

static void kill_while_saving(const struct form *form, uint32_t *random)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        save_for_ever(form);
    *random = *random * 1664525u + 1013904223u;
    usleep(*random >> 8 & 0x7fff); /* up to 33 ms: some saves long */
    int status;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void a_program_killed_at_any_moment_leaves_a_whole_file(void **state)
{
    (void)state;
    uint32_t random = 20;
    int values[3] = { 0 }, left = 0;
    for (size_t i = 0; i < FORMS; i++) {
        begin(&forms[i], "killed");
        CHECK_OK(forms[i].save(1, target));
        for (int moment = 0; moment < MOMENTS / FORMS + 1; moment++) {
            TN_SCOPE;
            kill_while_saving(&forms[i], &random);
            values[check_whole(&forms[i])]++;
            left += entries() > 2;
            assert_in_range(entries(), 2, 3);
        }
        CHECK_OK(forms[i].save(1, target));
        assert_int_equal(entries(), 2);
    }
    assert_true(values[1] > 0 && values[2] > 0);
    print_message("killed %d times, %d of them while a file was being written\n",
                  values[1] + values[2], left);
    assert_true(left > 0);
}

/* --- SavedModels, which are a folder */
static const struct form folder_form = { "a_model", save_model, load_model };

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return __real_remove(path);
}

static void remove_target(void)
{
    nftw(target, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* counts[v]: the stops after which the target was of value v, or (0) not there. */
static void stop_folder_at_every_step(step_end end, bool fresh, int counts[3])
{
    memset(counts, 0, 3 * sizeof *counts);
    for (int at = 1;; at++) {
        TN_SCOPE;
        if (fresh)
            remove_target();
        else
            CHECK_OK(save_model(1, target));
        if (save_in_child(&folder_form, 2, at, end) >= 0)
            break;
        counts[access(target, F_OK) == 0 ? check_whole(&folder_form) : 0]++;
        CHECK_OK(save_model(1, target));
        assert_int_equal(check_whole(&folder_form), 1);
        assert_int_equal(entries(), 2);
    }
    assert_true(counts[0] + counts[1] > 16); /* two folders, four files, the folder's own rename */
}

static void a_folder_that_stops_at_any_step_is_the_old_one_or_the_new_one(void **state)
{
    (void)state;
    int counts[3];
    begin(&folder_form, "folder");
    for (step_end end = STOP_BEFORE; end <= STOP_AFTER; end++) {
        stop_folder_at_every_step(end, false, counts);
        assert_int_equal(counts[0], 0);
        assert_int_equal(counts[2], end == STOP_AFTER ? 2 : 1); /* the rename, the sync after it */
        stop_folder_at_every_step(end, true, counts);
        assert_int_equal(counts[1], 0);
        assert_int_equal(counts[2], end == STOP_AFTER ? 2 : 1);
    }
}

/* Then one moment is left at which the old folder is away; the next save puts it back first. */
static void where_names_cannot_be_exchanged_a_folder_is_away_for_one_step(void **state)
{
    (void)state;
    int counts[3];
    begin(&folder_form, "one_by_one");
    steps.one_by_one = true;
    for (step_end end = STOP_BEFORE; end <= STOP_AFTER; end++) {
        stop_folder_at_every_step(end, false, counts);
        assert_int_equal(counts[0], 1);
        assert_int_equal(counts[2], end == STOP_AFTER ? 3 : 2);
    }
    steps.one_by_one = false;
}

static void the_files_of_a_folder_are_on_the_disk_before_its_name_is(void **state)
{
    (void)state;
    TN_SCOPE;
    begin(&folder_form, "folder_order");
    CHECK_OK(save_model(1, target));
    steps.count = steps.at = 0;
    memset(steps.kinds, 0, sizeof steps.kinds);
    steps.counting = true;
    tn_status status = save_model(2, target);
    steps.counting = false;
    CHECK_OK(status);
    const char *exchanged = strrchr(steps.kinds, 'x'), *last = strrchr(steps.kinds, 'w');
    assert_non_null(exchanged);
    assert_string_equal(exchanged, "xF");
    assert_string_equal(last, "wsrFxF"); /* the last file's; each of the others ends so too */
}

/* A folder within that cannot be synced is told of and is no failure, as a file's is. */
static void a_call_that_fails_leaves_the_old_folder_and_nothing_else(void **state)
{
    (void)state;
    int failed = 0;
    tn_set_sink((tn_sink){ hear, NULL, false });
    for (int one_by_one = 0; one_by_one < 2; one_by_one++) {
        begin(&folder_form, one_by_one ? "failing_steps" : "failing");
        steps.one_by_one = one_by_one;
        for (int at = 1;; at++) {
            TN_SCOPE;
            CHECK_OK(save_model(1, target));
            bool stays = save_failing(&folder_form, at) != TN_OK;
            if (steps.count < at)
                break;
            if (stays)
                CHECK_ERROR(steps.kinds[at - 1] == 'w' ? TN_RESOURCE_EXHAUSTED : TN_UNKNOWN,
                            target);
            assert_int_equal(check_whole(&folder_form), stays ? 1 : 2);
            assert_int_equal(entries(), 2);
            failed += stays;
        }
    }
    steps.one_by_one = false;
    tn_set_sink((tn_sink){ 0 });
    assert_true(failed > 20);
}

static void a_program_killed_at_any_moment_leaves_a_whole_folder(void **state)
{
    (void)state;
    uint32_t random = 22;
    int left = 0;
    begin(&folder_form, "folder_killed");
    CHECK_OK(save_model(1, target));
    for (int moment = 0; moment < MOMENTS; moment++) {
        TN_SCOPE;
        kill_while_saving(&folder_form, &random);
        check_whole(&folder_form);
        left += entries() > 2;
        assert_in_range(entries(), 2, 3);
    }
    CHECK_OK(save_model(1, target));
    assert_int_equal(entries(), 2);
    print_message("killed %d times, %d of them while a folder was being written\n", MOMENTS, left);
    assert_true(left > 0);
}

/* --- checkpoints, which are several files */
static tn_status save_step(int value, const char *path)
{
    tn_variable *v = tn_variable(filled(TN_SHAPE(300, 40), value), .name = "v");
    const char *saved = tn_saver_save(tn_saver(.var_list = TN_LIST(v)), NULL, path, value);
    return saved ? TN_OK : tn_pending();
}

/* Of the folder's last one. */
static int load_step(const char *path)
{
    (void)path;
    tn_variable *v = tn_variable(filled(TN_SHAPE(300, 40), 0), .name = "v");
    const char *last = tn_latest_checkpoint(folder);
    tn_status status = tn_saver_restore(tn_saver(.var_list = TN_LIST(v)), NULL, last);
    return status == TN_OK ? value_of(TN_LIST(v)) : 0;
}

static const struct form saver_form = { "saver", save_step, load_step },
                         checkpoint_form = { "weights", save_weights, load_weights };

static void a_saver_that_stops_at_any_step_leaves_the_last_checkpoint_whole(void **state)
{
    (void)state;
    begin(&saver_form, "steps");
    for (step_end end = STOP_BEFORE; end <= STOP_AFTER; end++) {
        int at = 1, stopped_new = 0;
        for (;; at++) {
            TN_SCOPE;
            CHECK_OK(save_step(1, target));
            if (save_in_child(&saver_form, 2, at, end) >= 0)
                break;
            stopped_new += check_whole(&saver_form) == 2;
        }
        assert_true(at > 10); /* three files, each written, synced, renamed, its folder synced */
        assert_int_equal(stopped_new, end == STOP_AFTER ? 2 : 1);
        assert_int_equal(check_whole(&saver_form), 2);
    }
}

static void a_saver_killed_at_any_moment_leaves_the_last_checkpoint_whole(void **state)
{
    (void)state;
    uint32_t random = 21;
    begin(&saver_form, "steps_killed");
    CHECK_OK(save_step(1, target));
    for (int moment = 0; moment < MOMENTS / FORMS; moment++) {
        TN_SCOPE;
        kill_while_saving(&saver_form, &random);
        check_whole(&saver_form);
    }
}

/* The state file names the new one before the old one is deleted. Only the second save is one of
 * steps. */
static tn_status save_and_drop(int value, const char *path)
{
    bool counting = steps.counting;
    tn_variable *v = tn_variable(filled(TN_SHAPE(300, 40), 1), .name = "v");
    tn_saver *saver = tn_saver(.var_list = TN_LIST(v), .max_to_keep = 1);
    steps.counting = false;
    const char *saved = tn_saver_save(saver, NULL, path, 1);
    tn_assign(v, filled(TN_SHAPE(300, 40), value));
    steps.counting = counting;
    if (saved && value == 2)
        saved = tn_saver_save(saver, NULL, path, 2);
    return saved ? TN_OK : tn_pending();
}

static const struct form dropping_form = { "saver", save_and_drop, load_step };

static void a_saver_that_keeps_one_has_one_whole_whenever_it_stops(void **state)
{
    (void)state;
    begin(&dropping_form, "keeps_one");
    for (step_end end = STOP_BEFORE; end <= STOP_AFTER; end++) {
        int stopped_new = 0;
        for (int at = 1;; at++) {
            TN_SCOPE;
            if (save_in_child(&dropping_form, 2, at, end) >= 0)
                break;
            stopped_new += check_whole(&dropping_form) == 2;
        }
        assert_int_equal(stopped_new, end == STOP_AFTER ? 4 : 3); /* and two files are deleted */
        assert_int_equal(check_whole(&dropping_form), 2);
        assert_int_equal(entries(), 4);
    }
}

/* What is there afterwards can be restored, also when only an old file could not be deleted. */
static void a_saver_whose_call_fails_has_one_whole(void **state)
{
    (void)state;
    tn_set_sink((tn_sink){ hear, NULL, false });
    begin(&dropping_form, "keeps_one_failing");
    int failed = 0, deleting = 0;
    for (int at = 1;; at++) {
        TN_SCOPE;
        heard[0] = 0;
        bool stays = save_failing(&dropping_form, at) != TN_OK;
        if (steps.count < at)
            break;
        if (stays)
            CHECK_ERROR(steps.kinds[at - 1] == 'w' ? TN_RESOURCE_EXHAUSTED : TN_UNKNOWN, folder);
        assert_int_equal(check_whole(&dropping_form), stays ? 1 : 2);
        failed += stays;
        deleting += strstr(heard, "could not be deleted") != NULL;
    }
    assert_true(failed > 6);
    assert_int_equal(deleting, 2);
    tn_set_sink((tn_sink){ 0 });
}

/* One prefix for all saves has one moment at which the old index stands beside the new data. */
static void weights_over_an_old_checkpoint_are_whole_or_refused(void **state)
{
    (void)state;
    begin(&checkpoint_form, "over");
    for (step_end end = STOP_BEFORE; end <= STOP_AFTER; end++) {
        int refused = 0;
        for (int at = 1;; at++) {
            TN_SCOPE;
            CHECK_OK(save_weights(1, target));
            if (save_in_child(&checkpoint_form, 2, at, end) >= 0)
                break;
            int value = load_weights(target);
            refused += value == 0;
            assert_true(value == 1 || value == 2 || tn_catch(TN_DATA_LOSS) != NULL);
        }
        assert_int_equal(refused, 1); /* between two renames */
    }
}

/* values[v]: the failed saves after which the weights are of value v, or refused. */
static void fail_at_every_step(const char *label, int values[3])
{
    memset(values, 0, 3 * sizeof *values);
    begin(&checkpoint_form, label);
    for (int at = 1;; at++) {
        TN_SCOPE;
        CHECK_OK(save_weights(1, target));
        bool failed = save_failing(&checkpoint_form, at) != TN_OK;
        if (steps.count < at)
            break;
        if (failed)
            CHECK_ERROR(steps.kinds[at - 1] == 'w' ? TN_RESOURCE_EXHAUSTED : TN_UNKNOWN, folder);
        int value = load_weights(target);
        assert_true(value > 0 || tn_catch(TN_DATA_LOSS) != NULL);
        assert_true(failed || value == 2);
        assert_int_equal(entries(), 4); /* data, index, state, and somebody else's */
        values[value] += failed;
    }
    assert_true(values[1] > 4);
    assert_int_equal(values[2], 3); /* the state file is not written, not synced, not renamed */
}

static void
weights_whose_save_fails_are_the_old_ones_until_only_the_state_file_is_left(void **state)
{
    (void)state;
    int values[3];
    tn_set_sink((tn_sink){ hear, NULL, false });
    fail_at_every_step("over_failing", values);
    assert_int_equal(values[0], 0);
    steps.one_by_one =
        true; /* then the old data do not come back when the index cannot be put there */
    fail_at_every_step("over_failing_steps", values);
    assert_int_equal(values[0], 1);
    steps.one_by_one = false;
    tn_set_sink((tn_sink){ 0 });
}

static void weights_killed_while_they_are_saved_are_whole_or_refused(void **state)
{
    (void)state;
    uint32_t random = 23;
    int whole = 0;
    begin(&checkpoint_form, "over_killed");
    for (int moment = 0; moment < MOMENTS / 2; moment++) {
        TN_SCOPE;
        CHECK_OK(save_weights(1, target));
        assert_int_equal(entries(), 4);
        kill_while_saving(&checkpoint_form, &random);
        int value = load_weights(target);
        whole += value != 0;
        assert_true(value == 1 || value == 2 || tn_catch(TN_DATA_LOSS) != NULL);
    }
    print_message("killed %d times, %d whole afterwards\n", MOMENTS / 2, whole);
    assert_true(whole > MOMENTS / 4);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_save_that_stops_after_any_step_leaves_the_old_file_or_the_new_one),
        cmocka_unit_test(a_save_that_stops_halfway_through_a_write_leaves_the_old_file),
        cmocka_unit_test(the_bytes_are_on_the_disk_before_the_name_is),
        cmocka_unit_test(a_call_that_fails_leaves_the_old_file_and_nothing_else),
        cmocka_unit_test(a_program_killed_at_any_moment_leaves_a_whole_file),
        cmocka_unit_test(a_folder_that_stops_at_any_step_is_the_old_one_or_the_new_one),
        cmocka_unit_test(where_names_cannot_be_exchanged_a_folder_is_away_for_one_step),
        cmocka_unit_test(the_files_of_a_folder_are_on_the_disk_before_its_name_is),
        cmocka_unit_test(a_call_that_fails_leaves_the_old_folder_and_nothing_else),
        cmocka_unit_test(a_program_killed_at_any_moment_leaves_a_whole_folder),
        cmocka_unit_test(a_saver_that_stops_at_any_step_leaves_the_last_checkpoint_whole),
        cmocka_unit_test(a_saver_killed_at_any_moment_leaves_the_last_checkpoint_whole),
        cmocka_unit_test(a_saver_that_keeps_one_has_one_whole_whenever_it_stops),
        cmocka_unit_test(a_saver_whose_call_fails_has_one_whole),
        cmocka_unit_test(weights_over_an_old_checkpoint_are_whole_or_refused),
        cmocka_unit_test(
            weights_whose_save_fails_are_the_old_ones_until_only_the_state_file_is_left),
        cmocka_unit_test(weights_killed_while_they_are_saved_are_whole_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
