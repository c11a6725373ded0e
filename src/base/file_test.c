/* file_test.c - reading, mapping, and saving that never leaves half a file. */
#include "support/check.h"
#include "base/file.h"
#include "base/text.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- what the tests look at ------------------------------------------------------------------ */
/* A folder of the test's own, so that debris shows. */
static const char *make_folder(const char *name)
{
    const char *folder = temporary_path(name);
    assert_int_equal(mkdir(folder, 0755), 0);
    return folder;
}

static const char *inside(const char *folder, const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int entries(const char *folder)
{
    DIR *open = opendir(folder);
    assert_non_null(open);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(open));)
        count += entry->d_name[0] != '.';
    closedir(open);
    return count;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void check_content(const char *path, const char *expected)
{
    tn__file file;
    CHECK_OK(tn__file_read(path, 1 << 20, &file));
    assert_int_equal(file.span.size, strlen(expected));
    assert_memory_equal(file.span.data, expected, file.span.size);
    tn__file_close(&file);
}

static tn_status save(const char *path, const char *text)
{
    tn__writer *writer;
    TN_TRY(tn__writer_open(path, true, &writer));
    tn_status status = tn__write(writer, text, strlen(text));
    if (status == TN_OK)
        return tn__writer_commit(writer);
    tn__writer_abort(writer);
    return status;
}

static mode_t mode_of(const char *path)
{
    struct stat info;
    assert_int_equal(lstat(path, &info), 0);
    return info.st_mode & 07777;
}

/* --- reading --------------------------------------------------------------------------------- */
static void a_file_is_read_and_mapped_whole(void **state)
{
    (void)state;
    const char *path = temporary_path("whole");
    put(path, "hello");
    tn__file read, mapped;
    CHECK_OK(tn__file_read(path, 5, &read));
    CHECK_OK(tn__file_map(path, &mapped));
    assert_int_equal(read.span.size, 5);
    assert_int_equal(mapped.span.size, 5);
    assert_memory_equal(read.span.data, mapped.span.data, 5);
    assert_null(read.mapping);
    assert_non_null(mapped.mapping);
    tn__file_close(&read);
    tn__file_close(&mapped);
    tn__file_close(&mapped); /* closing twice does nothing */
}

static void an_empty_file_is_read_and_mapped(void **state)
{
    (void)state;
    const char *path = temporary_path("empty");
    put(path, "");
    tn__file file;
    CHECK_OK(tn__file_read(path, 0, &file));
    assert_int_equal(file.span.size, 0);
    tn__file_close(&file);
    CHECK_OK(tn__file_map(path, &file));
    assert_int_equal(file.span.size, 0);
    tn__file_close(&file);
}

static void a_file_over_the_limit_is_refused(void **state)
{
    (void)state;
    const char *path = temporary_path("long");
    put(path, "123456");
    tn__file file;
    assert_int_equal(tn__file_read(path, 5, &file), TN_RESOURCE_EXHAUSTED);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "longer than the limit of 5 bytes");
    assert_int_equal(tn__file_read("/dev/zero", 1000, &file), TN_RESOURCE_EXHAUSTED);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "longer than the limit of 1000 bytes");
}

static void what_cannot_be_read_says_why(void **state)
{
    (void)state;
    tn__file file;
    assert_int_equal(tn__file_read(temporary_path("nowhere"), 9, &file), TN_NOT_FOUND);
    CHECK_ERROR(TN_NOT_FOUND, "No such file");
    const char *folder = make_folder("a_folder");
    assert_int_equal(tn__file_read(folder, 9, &file), TN_FAILED_PRECONDITION);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "it is a folder");
    assert_int_equal(tn__file_map("/dev/null", &file), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "not a regular file");
    assert_int_equal(tn__file_map("-", &file), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "not a regular file");
    assert_null(file.span.data);
}

static void a_pipe_is_read_to_its_end(void **state)
{
    (void)state;
    const char *path = temporary_path("pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    pid_t child = fork();
    if (child == 0) {
        FILE *pipe = fopen(path, "w");
        for (int i = 0; pipe && i < 30000; i++)
            fprintf(pipe, "%9d\n", i);
        _exit(pipe && fclose(pipe) == 0 ? 0 : 1);
    }
    tn__file file;
    CHECK_OK(tn__file_read(path, 1 << 20, &file));
    assert_int_equal(file.span.size, 300000);
    assert_memory_equal(file.span.data + 299990, "    29999\n", 10);
    tn__file_close(&file);
    waitpid(child, NULL, 0);
}

static void kinds_of_paths_are_told_apart(void **state)
{
    (void)state;
    const char *path = temporary_path("kind");
    put(path, "");
    assert_int_equal(tn__path_kind_of(path), TN__PATH_FILE);
    assert_int_equal(tn__path_kind_of("/"), TN__PATH_FOLDER);
    assert_int_equal(tn__path_kind_of("/dev/null"), TN__PATH_OTHER);
    assert_int_equal(tn__path_kind_of(temporary_path("nothing")), TN__PATH_NONE);
}

/* --- saving ---------------------------------------------------------------------------------- */
static void the_target_is_untouched_until_commit(void **state)
{
    (void)state;
    const char *folder = make_folder("untouched"), *path = inside(folder, "file");
    put(path, "old");
    tn__writer *writer;
    CHECK_OK(tn__writer_open(path, true, &writer));
    CHECK_OK(tn__write(writer, "new and longer", 14));
    assert_int_equal(tn__writer_size(writer), 14);
    check_content(path, "old");
    assert_int_equal(entries(folder), 2);
    CHECK_OK(tn__writer_commit(writer));
    check_content(path, "new and longer");
    assert_int_equal(entries(folder), 1);
}

static void abort_leaves_the_old_file_and_no_debris(void **state)
{
    (void)state;
    const char *folder = make_folder("aborted"), *path = inside(folder, "file");
    put(path, "old");
    tn__writer *writer;
    CHECK_OK(tn__writer_open(path, false, &writer));
    CHECK_OK(tn__write(writer, "new", 3));
    tn__writer_abort(writer);
    tn__writer_abort(NULL);
    check_content(path, "old");
    assert_int_equal(entries(folder), 1);
}

/* --- what was left --------------------------------------------------------------------------- */
static void leftovers_of_a_save_that_was_killed_go_with_the_next_one(void **state)
{
    (void)state;
    char path[512];
    const char *folder = make_folder("leftovers");
    snprintf(path, sizeof path, "%s", inside(folder, "model"));
    put(inside(folder, "model.0123abcd.part"), "half");
    put(inside(folder, "model.89abcdef.part"), "another half");
    static const char *const others[] = { "model.0123abcd.part2", "model.0123abc.part",
                                          "model.0123abcg.part",  "model.0123ABCD.part",
                                          "models.0123abcd.part", "model.weights.0123abcd.part" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        put(inside(folder, others[i]), "not ours");
    assert_int_equal(mkdir(inside(folder, "model.00000000.part"), 0700), 0);
    CHECK_OK(save(path, "new"));
    check_content(path, "new");
    assert_int_equal(entries(folder), 8);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        check_content(inside(folder, others[i]), "not ours");
}

static void leftovers_of_long_names_go_too(void **state)
{
    (void)state;
    char name[256] = { 0 }, left[256];
    memset(name, 'n', 250);
    const char *folder = make_folder("long_leftovers");
    snprintf(left, sizeof left, "%.200s.0123abcd.part", name);
    put(inside(folder, left), "half");
    CHECK_OK(save(inside(folder, name), "new"));
    assert_int_equal(entries(folder), 1);
}

static void two_writers_of_one_target_leave_each_other_alone(void **state)
{
    (void)state;
    const char *folder = make_folder("two_writers"), *path = inside(folder, "model");
    tn__writer *first, *second;
    CHECK_OK(tn__writer_open(path, true, &first));
    CHECK_OK(tn__write(first, "first", 5));
    CHECK_OK(tn__writer_open(path, true, &second));
    CHECK_OK(tn__write(second, "second", 6));
    assert_int_equal(entries(folder), 2);
    CHECK_OK(tn__writer_commit(first));
    check_content(path, "first");
    CHECK_OK(tn__writer_commit(second));
    check_content(path, "second");
    assert_int_equal(entries(folder), 1);
}

/* --- files that belong together ----------------------------------------------------------------
 */
static void a_placed_file_stays_when_it_is_committed(void **state)
{
    (void)state;
    const char *folder = make_folder("placed"), *path = inside(folder, "model");
    for (int old = 0; old < 2; old++) {
        tn__writer *writer;
        CHECK_OK(tn__writer_open(path, true, &writer));
        CHECK_OK(tn__write(writer, "new", 3));
        CHECK_OK(tn__writer_place(writer));
        check_content(path, "new");
        CHECK_OK(tn__writer_commit(writer));
        check_content(path, "new");
        assert_int_equal(entries(folder), 1);
        put(path, "old");
    }
}

static void a_placed_file_that_is_aborted_gives_way_to_what_was_there(void **state)
{
    (void)state;
    const char *folder = make_folder("taken_back"), *path = inside(folder, "model");
    for (int old = 0; old < 2; old++) {
        tn__writer *writer;
        CHECK_OK(tn__writer_open(path, true, &writer));
        CHECK_OK(tn__write(writer, "new", 3));
        CHECK_OK(tn__writer_place(writer));
        tn__writer_abort(writer);
        assert_int_equal(entries(folder), old);
        if (old)
            check_content(path, "old");
        put(path, "old");
    }
}

static void the_old_files_permissions_are_kept(void **state)
{
    (void)state;
    const char *path = temporary_path("permissions");
    put(path, "old");
    assert_int_equal(chmod(path, 0641), 0);
    CHECK_OK(save(path, "new"));
    assert_int_equal(mode_of(path), 0641);
    check_content(path, "new");
}

static void a_new_file_follows_the_processs_mask(void **state)
{
    (void)state;
    mode_t mask = umask(0027);
    const char *path = temporary_path("masked");
    CHECK_OK(save(path, "new"));
    assert_int_equal(mode_of(path), 0640);
    umask(mask);
}

static void check_link_kept(const char *link, const char *target)
{
    CHECK_OK(save(link, "through the link"));
    char text[256];
    assert_true(readlink(link, text, sizeof text) > 0);
    check_content(target, "through the link");
}

static void a_symbolic_link_is_followed(void **state)
{
    (void)state;
    const char *folder = make_folder("links");
    put(inside(folder, "target"), "old");
    assert_int_equal(symlink("target", inside(folder, "link")), 0);
    check_link_kept(inside(folder, "link"), inside(folder, "target"));
    assert_int_equal(symlink(inside(folder, "link"), inside(folder, "second")), 0);
    check_link_kept(inside(folder, "second"), inside(folder, "target"));
    assert_int_equal(entries(folder), 3);
}

static void a_link_to_a_file_that_is_not_there_makes_that_file(void **state)
{
    (void)state;
    const char *folder = make_folder("dangling");
    assert_int_equal(symlink("later", inside(folder, "link")), 0);
    check_link_kept(inside(folder, "link"), inside(folder, "later"));
    assert_int_equal(symlink("circle", inside(folder, "circle")), 0);
    assert_int_equal(save(inside(folder, "circle"), "x"), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "symbolic links");
}

static void a_target_that_is_no_file_is_refused(void **state)
{
    (void)state;
    const char *folder = make_folder("refused");
    assert_int_equal(save(folder, "x"), TN_FAILED_PRECONDITION);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "it is a folder");
    assert_int_equal(mkfifo(inside(folder, "fifo"), 0600), 0);
    assert_int_equal(save(inside(folder, "fifo"), "x"), TN_FAILED_PRECONDITION);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "not a regular file");
    assert_int_equal(save("/dev/null", "x"), TN_FAILED_PRECONDITION);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "not a regular file");
    assert_int_equal(entries(folder), 1);
}

static void a_missing_folder_is_named(void **state)
{
    (void)state;
    assert_int_equal(save(inside(temporary_path("missing"), "file"), "x"), TN_NOT_FOUND);
    CHECK_ERROR(TN_NOT_FOUND, "missing/'");
    put(temporary_path("a_file"), "");
    assert_int_equal(save(inside(temporary_path("a_file"), "file"), "x"), TN_FAILED_PRECONDITION);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "Not a directory");
}

static void the_longest_allowed_name_is_written(void **state)
{
    (void)state;
    const char *folder = make_folder("long_names");
    char name[256] = { 0 };
    memset(name, 'n', 255);
    CHECK_OK(save(inside(folder, name), "x"));
    check_content(inside(folder, name), "x");
    assert_int_equal(entries(folder), 1);
}

/* Runs save(path) as a user who owns nothing; gives its status. */
static int save_as_nobody(const char *path)
{
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(99);
        _exit(save(path, "new"));
    }
    int result = 0;
    waitpid(child, &result, 0);
    return WIFEXITED(result) ? WEXITSTATUS(result) : 98;
}

static void protected_files_and_folders_are_refused(void **state)
{
    (void)state;
    const char *folder = make_folder("protected"), *path = inside(folder, "file");
    assert_int_equal(chmod(temporary_path("."), 0755), 0);
    put(path, "old");
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(chmod(folder, 0555), 0); /* the file may be written, but not beside it */
    int status = save_as_nobody(path);
    if (status == 99)
        skip();
    assert_int_equal(status, TN_PERMISSION_DENIED);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(chmod(path, 0444), 0); /* could be replaced, but is protected */
    assert_int_equal(save_as_nobody(path), TN_PERMISSION_DENIED);
    check_content(path, "old");
    assert_int_equal(entries(folder), 1);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(save_as_nobody(path), TN_OK);
    check_content(path, "new");
    assert_int_equal(mode_of(path), 0666);
}

static tn_status save_blocks(const char *path, size_t size, int count)
{
    tn__writer *writer;
    TN_TRY(tn__writer_open(path, true, &writer));
    uint8_t *block = calloc(1, size);
    assert_non_null(block);
    tn_status status = TN_OK;
    for (int i = 0; i < count && status == TN_OK; i++)
        status = tn__write(writer, block, size);
    free(block);
    if (status == TN_OK)
        return tn__writer_commit(writer);
    tn__writer_abort(writer);
    return status;
}

static void a_full_disk_leaves_the_old_file_and_no_debris(void **state)
{
    (void)state;
    const char *folder = make_folder("full"), *path = inside(folder, "file");
    put(path, "old");
    struct rlimit limit, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = (struct rlimit){ 100000, limit.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    tn_status large = save_blocks(path, 3 << 20, 1), pieces = TN_OK, at_commit = TN_OK;
    const tn_error *error = tn_catch(TN_RESOURCE_EXHAUSTED);
    bool named = error && strstr(error->message, "full/file");
    pieces = save_blocks(path, 1000, 3000);
    tn_catch(TN_ANY_ERROR);
    at_commit = save_blocks(path, 1000, 300);
    tn_catch(TN_ANY_ERROR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_true(named);
    assert_int_equal(large, TN_RESOURCE_EXHAUSTED);
    assert_int_equal(pieces, TN_RESOURCE_EXHAUSTED);
    assert_int_equal(at_commit, TN_RESOURCE_EXHAUSTED);
    check_content(path, "old");
    assert_int_equal(entries(folder), 1);
}

static void a_writer_that_failed_is_never_committed(void **state)
{
    (void)state;
    const char *folder = make_folder("failed"), *path = inside(folder, "file");
    struct rlimit limit, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = (struct rlimit){ 1000, limit.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    tn__writer *writer;
    CHECK_OK(tn__writer_open(path, false, &writer));
    char *block = calloc(1, 2 << 20);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    tn_status status = tn__write(writer, block, 2 << 20);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_DFL);
    free(block);
    assert_int_equal(status, TN_RESOURCE_EXHAUSTED);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "File too large");
    assert_int_equal(tn__write(writer, "x", 1), TN_FAILED_PRECONDITION); /* there is room again */
    CHECK_ERROR(TN_FAILED_PRECONDITION, "an earlier write failed");
    assert_int_equal(tn__writer_commit(writer), TN_FAILED_PRECONDITION);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "an earlier write failed");
    assert_int_equal(entries(folder), 0);
}

/* --- going back ------------------------------------------------------------------------------ */
static void write_mixed(tn__writer *writer)
{
    char *block = calloc(1, 3 << 20);
    assert_non_null(block);
    memset(block, '.', 3 << 20);
    CHECK_OK(tn__write(writer, "head", 4));
    CHECK_OK(tn__write(writer, NULL, 0));
    CHECK_OK(tn__write_at(writer, 1, "EA", 2)); /* still in the buffer */
    CHECK_OK(tn__write(writer, block, 3 << 20));
    CHECK_OK(tn__write(writer, "tail", 4));
    CHECK_OK(tn__write_at(writer, 0, "H", 1)); /* left the buffer long ago */
    uint64_t end = tn__writer_size(writer);
    assert_int_equal(end, (3 << 20) + 8);
    char text[8];
    CHECK_OK(tn__writer_read_at(writer, end - 6, text, 6));
    assert_memory_equal(text, "..tail", 6);
    CHECK_OK(tn__write(writer, "more", 4));
    CHECK_OK(tn__write_at(writer, end - 1, "L-M", 3)); /* on both sides of what was flushed */
    CHECK_OK(tn__writer_read_at(writer, end - 2, text, 6));
    assert_memory_equal(text, "iL-Mre", 6);
    assert_int_equal(tn__write_at(writer, end, "12345", 5), TN_INTERNAL);
    CHECK_ERROR(TN_INTERNAL, "were written");
    assert_int_equal(tn__writer_read_at(writer, UINT64_MAX, text, 1), TN_INTERNAL);
    CHECK_ERROR(TN_INTERNAL, "were written");
    free(block);
}

static void check_mixed(tn__span written)
{
    assert_int_equal(written.size, (3 << 20) + 12);
    assert_memory_equal(written.data, "HEAd....", 8);
    assert_memory_equal(written.data + written.size - 10, "..taiL-Mre", 10);
}

static void a_file_writer_goes_back(void **state)
{
    (void)state;
    const char *path = temporary_path("mixed");
    tn__writer *writer;
    CHECK_OK(tn__writer_open(path, false, &writer));
    assert_true(tn__writer_goes_back(writer));
    write_mixed(writer);
    CHECK_OK(tn__writer_commit(writer));
    tn__file file;
    CHECK_OK(tn__file_map(path, &file));
    check_mixed(file.span);
    tn__file_close(&file);
}

static void a_memory_writer_hands_its_bytes_over(void **state)
{
    (void)state;
    tn__bytes bytes = { 0 };
    tn__writer *writer;
    CHECK_OK(tn__writer_to_memory(&bytes, &writer));
    assert_true(tn__writer_goes_back(writer));
    write_mixed(writer);
    assert_null(bytes.data); /* not before commit */
    CHECK_OK(tn__writer_commit(writer));
    check_mixed(tn__bytes_span(&bytes));
    tn__bytes_free(&bytes);
    CHECK_OK(tn__writer_to_memory(&bytes, &writer));
    CHECK_OK(tn__write(writer, "x", 1));
    tn__writer_abort(writer);
    assert_null(bytes.data);
}

static void standard_output_is_written_forward_only(void **state)
{
    (void)state;
    const char *path = temporary_path("output");
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_non_null(freopen(path, "w", stdout));
    tn__writer *writer;
    tn_status opened = tn__writer_open("-", true, &writer);
    tn_status wrote = tn__write(writer, "to stdout", 9);
    bool back = tn__writer_goes_back(writer);
    tn_status patched = tn__write_at(writer, 0, "T", 1);
    const tn_error *error = tn_catch(TN_INVALID_ARGUMENT);
    tn_status committed = tn__writer_commit(writer);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    CHECK_OK(opened);
    CHECK_OK(wrote);
    assert_false(back);
    assert_int_equal(patched, TN_INVALID_ARGUMENT);
    assert_non_null(error);
    CHECK_OK(committed);
    check_content(path, "to stdout");
}

/* --- a writer over functions ----------------------------------------------------------------- */
typedef struct {
    size_t written;
    int commits, aborts;
    bool refuse;
} counted;

static tn_status count_write(void *self, const void *data, size_t size)
{
    counted *c = self;
    assert_non_null(data);
    if (c->refuse)
        return tn__fail(TN_DATA_LOSS, "refused");
    c->written += size;
    return TN_OK;
}

static tn_status count_commit(void *self)
{
    ((counted *)self)->commits++;
    return TN_OK;
}

static void count_abort(void *self)
{
    ((counted *)self)->aborts++;
}

static const tn__writer_calls count_calls = { count_write, NULL, NULL, count_commit, count_abort };

static void a_writer_over_functions_ends_exactly_once(void **state)
{
    (void)state;
    counted c = { 0 };
    tn__writer *writer;
    CHECK_OK(tn__writer_over(&count_calls, &c, &writer));
    CHECK_OK(tn__write(writer, "abc", 3));
    assert_false(tn__writer_goes_back(writer));
    assert_int_equal(tn__writer_size(writer), 3);
    CHECK_OK(tn__writer_commit(writer));
    assert_int_equal(c.written, 3);
    assert_int_equal(c.commits, 1);
    assert_int_equal(c.aborts, 0);
    CHECK_OK(tn__writer_over(&count_calls, &c, &writer));
    c.refuse = true;
    assert_int_equal(tn__write(writer, "abc", 3), TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, "refused");
    assert_int_equal(tn__writer_commit(writer), TN_FAILED_PRECONDITION);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "earlier write");
    assert_int_equal(c.commits, 1);
    assert_int_equal(c.aborts, 1);
}

/* --- without memory -------------------------------------------------------------------------- */
static bool save_and_read(void *self)
{
    const char *path = self;
    tn__file file = { 0 };
    bool done = save_blocks(path, 400, 10) == TN_OK && tn__file_read(path, 4000, &file) == TN_OK;
    tn__file_close(&file);
    tn__bytes bytes = { 0 };
    tn__writer *writer;
    if (!done || tn__writer_to_memory(&bytes, &writer) != TN_OK)
        return false;
    done = tn__write(writer, path, 4) == TN_OK;
    if (done)
        done = tn__writer_commit(writer) == TN_OK;
    else
        tn__writer_abort(writer);
    tn__bytes_free(&bytes);
    return done;
}

static void saving_survives_refused_allocations(void **state)
{
    (void)state;
    const char *folder = make_folder("refusals");
    char path[512];
    snprintf(path, sizeof path, "%s", inside(folder, "file"));
    check_allocation_failures(save_and_read, path);
    size_t before = live_allocations();
    check_allocation_failures(save_and_read, path);
    assert_int_equal(live_allocations(), before);
    assert_int_equal(entries(folder), 1);
}

static void zeros_are_all_zero_and_may_be_none(void **state)
{
    (void)state;
    tn__file file;
    const size_t size = 3 << 20;
    CHECK_OK(tn__file_zeros(size, &file));
    assert_int_equal(file.span.size, size);
    for (size_t i = 0; i < size; i += 1021)
        assert_int_equal(file.span.data[i], 0);
    tn__file_close(&file);
    CHECK_OK(tn__file_zeros(0, &file));
    assert_int_equal(file.span.size, 0);
    tn__file_close(&file);
    assert_int_equal(tn__file_zeros(SIZE_MAX / 2, &file), TN_RESOURCE_EXHAUSTED);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeros_are_all_zero_and_may_be_none),
        cmocka_unit_test(a_file_is_read_and_mapped_whole),
        cmocka_unit_test(an_empty_file_is_read_and_mapped),
        cmocka_unit_test(a_file_over_the_limit_is_refused),
        cmocka_unit_test(what_cannot_be_read_says_why),
        cmocka_unit_test(a_pipe_is_read_to_its_end),
        cmocka_unit_test(kinds_of_paths_are_told_apart),
        cmocka_unit_test(the_target_is_untouched_until_commit),
        cmocka_unit_test(abort_leaves_the_old_file_and_no_debris),
        cmocka_unit_test(leftovers_of_a_save_that_was_killed_go_with_the_next_one),
        cmocka_unit_test(leftovers_of_long_names_go_too),
        cmocka_unit_test(two_writers_of_one_target_leave_each_other_alone),
        cmocka_unit_test(a_placed_file_stays_when_it_is_committed),
        cmocka_unit_test(a_placed_file_that_is_aborted_gives_way_to_what_was_there),
        cmocka_unit_test(the_old_files_permissions_are_kept),
        cmocka_unit_test(a_new_file_follows_the_processs_mask),
        cmocka_unit_test(a_symbolic_link_is_followed),
        cmocka_unit_test(a_link_to_a_file_that_is_not_there_makes_that_file),
        cmocka_unit_test(a_target_that_is_no_file_is_refused),
        cmocka_unit_test(a_missing_folder_is_named),
        cmocka_unit_test(the_longest_allowed_name_is_written),
        cmocka_unit_test(protected_files_and_folders_are_refused),
        cmocka_unit_test(a_full_disk_leaves_the_old_file_and_no_debris),
        cmocka_unit_test(a_writer_that_failed_is_never_committed),
        cmocka_unit_test(a_file_writer_goes_back),
        cmocka_unit_test(a_memory_writer_hands_its_bytes_over),
        cmocka_unit_test(standard_output_is_written_forward_only),
        cmocka_unit_test(a_writer_over_functions_ends_exactly_once),
        cmocka_unit_test(saving_survives_refused_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
