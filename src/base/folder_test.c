#include "support/check.h"
#include "base/folder.h"
#include "base/memory.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = { "a", "inner", NULL };

static void put(const tn__folder *folder, const char *name)
{
    char *path = tn__folder_file(folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    tn__free(path);
}

/* Of the folder that everything stands in: the target, and what is left beside it. */
static size_t entries_of(const char *path)
{
    size_t count = 0;
    DIR *entries = opendir(path);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));)
        count += entry->d_name[0] != '.';
    closedir(entries);
    return count;
}

static void a_folder_replaces_the_old_one_as_a_whole(void **state)
{
    (void)state;
    tn__folder folder;
    char round[300], target[400];
    snprintf(round, sizeof round, "%s", temporary_path("round"));
    mkdir(round, 0777);
    snprintf(target, sizeof target, "%s/target/", round);
    CHECK_OK(tn__folder_begin(target, names, &folder));
    CHECK_OK(tn__folder_add(&folder, "inner"));
    put(&folder, "inner/b");
    put(&folder, "a");
    CHECK_OK(tn__folder_commit(&folder, true));
    assert_int_equal(entries_of(target), 2);
    CHECK_OK(tn__folder_begin(target, names, &folder));
    put(&folder, "a");
    CHECK_OK(tn__folder_commit(&folder, false));
    assert_int_equal(entries_of(target), 1);
    CHECK_OK(tn__folder_begin(target, names, &folder));
    CHECK_OK(tn__folder_add(&folder, "inner"));
    tn__folder_abort(&folder);
    assert_int_equal(entries_of(target), 1);
    assert_int_equal(entries_of(round), 1);
}

/* The links stay, and nothing is left beside them. */
static void links_are_followed(void **state)
{
    (void)state;
    tn__folder folder;
    char round[300], target[400], link[2][400];
    snprintf(round, sizeof round, "%s", temporary_path("links"));
    snprintf(target, sizeof target, "%s/target", round);
    snprintf(link[0], sizeof *link, "%s/link", round);
    snprintf(link[1], sizeof *link, "%s/other", round);
    mkdir(round, 0777);
    assert_int_equal(symlink("target", link[0]), 0);
    assert_int_equal(symlink(link[0], link[1]), 0);
    for (int i = 0; i < 3; i++) { /* what it names is not there at first */
        CHECK_OK(tn__folder_begin(link[i % 2], names, &folder));
        put(&folder, "a");
        CHECK_OK(tn__folder_commit(&folder, true));
        assert_int_equal(entries_of(target), 1);
        assert_int_equal(entries_of(round), 3);
    }
    struct stat info;
    for (int i = 0; i < 2; i++)
        assert_true(lstat(link[i], &info) == 0 && S_ISLNK(info.st_mode));
    assert_true(lstat(target, &info) == 0 && S_ISDIR(info.st_mode));
    unlink(link[0]);
    assert_int_equal(symlink("other", link[0]), 0);
    assert_int_not_equal(tn__folder_begin(link[0], names, &folder), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Unable to write '");
    assert_int_equal(entries_of(round), 3);
}

/* --- what was left ---------------------------------------------------------------------------- */
/* A folder with a file in it, and one in a folder in it. */
static void put_folder(const char *path)
{
    char name[600];
    assert_int_equal(mkdir(path, 0777), 0);
    snprintf(name, sizeof name, "%s/inner", path);
    assert_int_equal(mkdir(name, 0777), 0);
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, i ? "%s/inner/b" : "%s/a", path);
        FILE *file = fopen(name, "w");
        assert_non_null(file);
        fclose(file);
    }
}

static char place[300];

static const char *inside(const char *name)
{
    static char path[2][600];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof *path, "%s/%s", place, name);
    return path[turn];
}

static void begin_round(const char *name)
{
    snprintf(place, sizeof place, "%s", temporary_path(name));
    assert_int_equal(mkdir(place, 0777), 0);
}

static void leftovers_of_a_save_that_was_killed_go_with_the_next_one(void **state)
{
    (void)state;
    static const char *const others[] = { "target.0123abc.part", "target.0123abcg.part",
                                          "target.0123abcd.old", "other.0123abcd.part",
                                          "target.0123abcd.part.older" };
    tn__folder folder;
    begin_round("leftovers");
    put_folder(inside("target"));
    put_folder(inside("target.0123abcd.part"));
    put_folder(inside("target.89abcdef.part"));
    put_folder(inside("target.89abcdef.part.old"));
    fclose(fopen(inside("target.00000000.part"), "w")); /* a file's writer removes this one */
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        put_folder(inside(others[i]));
    CHECK_OK(tn__folder_begin(inside("target"), names, &folder));
    CHECK_OK(tn__folder_commit(&folder, false));
    assert_int_equal(entries_of(place), 7);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(entries_of(inside(others[i])), 2);
}

/* Killed between two renames, where names cannot be exchanged at once. */
static void an_old_folder_that_was_put_away_is_put_back(void **state)
{
    (void)state;
    tn__folder folder;
    begin_round("away");
    put_folder(inside("target.0123abcd.part.old"));
    put_folder(inside("target.0123abcd.part"));
    CHECK_OK(tn__folder_begin(inside("target"), names, &folder));
    assert_int_equal(entries_of(inside("target")), 2);
    assert_int_equal(entries_of(place), 2);
    tn__folder_abort(&folder);
    assert_int_equal(entries_of(inside("target")), 2);
    assert_int_equal(entries_of(place), 1);
}

/* Of two long names the same beginning may be left. */
static void what_was_put_away_of_another_long_name_stays(void **state)
{
    (void)state;
    tn__folder folder;
    char name[256] = { 0 }, left[256];
    memset(name, 'n', 250);
    begin_round("long_away");
    snprintf(left, sizeof left, "%.200s.0123abcd.part.old", name);
    put_folder(inside(left));
    CHECK_OK(tn__folder_begin(inside(name), names, &folder));
    CHECK_OK(tn__folder_commit(&folder, false));
    assert_int_equal(entries_of(inside(name)), 0);
    assert_int_equal(entries_of(inside(left)), 2);
}

static void two_writers_of_one_target_leave_each_other_alone(void **state)
{
    (void)state;
    tn__folder first, second;
    begin_round("two");
    CHECK_OK(tn__folder_begin(inside("target"), names, &first));
    put(&first, "a");
    CHECK_OK(tn__folder_begin(inside("target"), names, &second));
    assert_int_equal(entries_of(place), 2);
    CHECK_OK(tn__folder_commit(&first, false));
    assert_int_equal(entries_of(inside("target")), 1);
    CHECK_OK(tn__folder_commit(&second, false));
    assert_int_equal(entries_of(inside("target")), 0);
    assert_int_equal(entries_of(place), 1);
}

/* A long name has room for what is put behind it while it is written. */
static void names_may_be_as_long_as_the_system_allows(void **state)
{
    (void)state;
    tn__folder folder;
    char name[256] = { 0 }, target[600];
    memset(name, 'n', 255);
    char *slash = strrchr(strcpy(target, temporary_path("x")), '/');
    strcpy(slash + 1, name);
    CHECK_OK(tn__folder_begin(target, names, &folder));
    CHECK_OK(tn__folder_commit(&folder, false));
    assert_int_equal(entries_of(target), 0);
    strcat(strcpy(slash + 1, name), "n");
    CHECK_OK(tn__folder_begin(target, names, &folder));
    assert_int_equal(tn__folder_commit(&folder, false), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "File name too long");
}

static void what_is_something_else_is_refused(void **state)
{
    (void)state;
    tn__folder folder;
    char target[300];
    snprintf(target, sizeof target, "%s", temporary_path("file"));
    fclose(fopen(target, "w"));
    assert_int_not_equal(tn__folder_begin(target, names, &folder), TN_OK);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "it is not a folder");
    snprintf(target, sizeof target, "%s", temporary_path("other"));
    mkdir(target, 0777);
    CHECK_OK(tn__folder_begin(target, (const char *const[]){ NULL }, &folder));
    put(&folder, "a");
    CHECK_OK(tn__folder_commit(&folder, false));
    assert_int_not_equal(tn__folder_begin(target, (const char *const[]){ "b", NULL }, &folder),
                         TN_OK);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "has 'a' in it, which would be lost");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_replaces_the_old_one_as_a_whole),
        cmocka_unit_test(links_are_followed),
        cmocka_unit_test(leftovers_of_a_save_that_was_killed_go_with_the_next_one),
        cmocka_unit_test(an_old_folder_that_was_put_away_is_put_back),
        cmocka_unit_test(what_was_put_away_of_another_long_name_stays),
        cmocka_unit_test(two_writers_of_one_target_leave_each_other_alone),
        cmocka_unit_test(names_may_be_as_long_as_the_system_allows),
        cmocka_unit_test(what_is_something_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
