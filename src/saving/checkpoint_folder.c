/* checkpoint_folder.c - which files are a checkpoint, and which of a folder is the last one. */
#include "saving/checkpoint.h"
#include <stdio.h>
#include <string.h>

/* Bytes before the last part of a path, without the '/' between. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);
}

static char *state_path(const char *folder, size_t length)
{
    if (length == 0)
        return tn__strdup("checkpoint");
    return tn__print("%.*s%scheckpoint", (int)length, folder, folder[length - 1] == '/' ? "" : "/");
}

static bool is_file(char *path)
{
    bool is = path && tn__path_kind_of(path) == TN__PATH_FILE;
    tn__free(path);
    return is;
}

bool tn__checkpoint_is(const char *prefix)
{
    return is_file(tn__print("%s.index", prefix));
}

bool tn__checkpoint_is_prefix(const char *path)
{
    return path && tn__path_kind_of(path) != TN__PATH_FILE && tn__checkpoint_is(path);
}

/* --- out -------------------------------------------------------------------------------------- */
/* A relative path as seen from the folder of another one. */
static const char *seen_from(tn__arena *arena, const char *path, const char *folder, size_t length)
{
    if (length == 0 || path[0] == '/')
        return path;
    if (strncmp(path, folder, length) == 0 && path[length] == '/')
        return path + length + strspn(path + length, "/");
    for (size_t i = 0; path && i < length; i++)
        if (folder[i] != '/' && (i == 0 || folder[i - 1] == '/'))
            path = tn__arena_print(arena, "../%s", path);
    return path;
}

static tn_status fill_state(tn__arena *arena, const char *prefix, const char *const *all,
                            size_t count, tn__checkpoint_state *state)
{
    size_t length = prefix[0] == '/' ? 0 : folder_length(prefix);
    state->model_checkpoint_path = seen_from(arena, prefix, prefix, length);
    for (size_t i = 0; i < count; i++) {
        const char **path = TN__ARENA_ADD(arena, &state->all_model_checkpoint_paths);
        if (!path || !(*path = seen_from(arena, all[i], prefix, length)))
            return TN_RESOURCE_EXHAUSTED;
    }
    return state->model_checkpoint_path ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

tn_status tn__checkpoint_note(const char *prefix, const char *const *all, size_t count)
{
    tn__arena arena = { 0 };
    tn__checkpoint_state state = { 0 };
    tn__bytes text = { 0 };
    char *path = state_path(prefix, folder_length(prefix));
    tn_status status =
        path ? fill_state(&arena, prefix, all, count, &state) : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK)
        status = tn__checkpoint_state_write(&state, &text);
    if (status == TN_OK)
        status = tn__file_write(path, true, text.data, text.size);
    tn__bytes_free(&text);
    tn__free(path);
    tn__arena_free(&arena);
    return status;
}

/* --- in --------------------------------------------------------------------------------------- */
enum { LONGEST = 16 << 20 }; /* bytes of the file, which is one line a checkpoint */

static char *from_here(const char *folder, const char *path)
{
    size_t length = strlen(folder);
    if (path[0] == '/' || length == 0)
        return tn__strdup(path);
    return tn__print("%s%s%s", folder, folder[length - 1] == '/' ? "" : "/", path);
}

/* Of either format. */
static bool is_there(const char *prefix)
{
    return tn__checkpoint_is(prefix) || tn__path_kind_of(prefix) == TN__PATH_FILE;
}

static tn_status read_state(const char *folder, tn__span text, char **prefix)
{
    tn__arena arena = { .limit = 16 * (size_t)LONGEST };
    tn__checkpoint_state state = { 0 };
    tn_status status = tn__checkpoint_state_read(text, &arena, &state);
    if (status == TN_OK && state.model_checkpoint_path && *state.model_checkpoint_path) {
        *prefix = from_here(folder, state.model_checkpoint_path);
        status = *prefix ? TN_OK : TN_RESOURCE_EXHAUSTED;
    }
    tn__arena_free(&arena);
    if (*prefix && !is_there(*prefix)) {
        tn__free(*prefix);
        *prefix = NULL;
    }
    return status;
}

tn_status tn__checkpoint_latest(const char *folder, char **prefix)
{
    *prefix = NULL;
    char *path = state_path(folder, strlen(folder));
    if (!path)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = TN_OK;
    tn__file file;
    if (tn__path_kind_of(path) == TN__PATH_FILE) {
        status = tn__file_read(path, LONGEST, &file);
        if (status == TN_OK) {
            status = read_state(folder, file.span, prefix);
            tn__file_close(&file);
        }
        if (status != TN_OK)
            tn__fail_note("while reading '%s'", path);
    }
    tn__free(path);
    return status;
}

/* Of the file `checkpoint` itself its folder, of a folder with such a file the folder. The
 * caller's; *folder NULL: it is neither. */
static tn_status state_folder(const char *path, char **folder)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    tn__path_kind kind = tn__path_kind_of(path);
    *folder = NULL;
    if (kind == TN__PATH_FILE && strcmp(name, "checkpoint") == 0) {
        size_t length = folder_length(path);
        *folder = length ? tn__strndup(path, length) : tn__strdup(".");
        return *folder ? TN_OK : TN_RESOURCE_EXHAUSTED;
    }
    if (kind != TN__PATH_FOLDER || !is_file(state_path(path, strlen(path))))
        return TN_OK;
    *folder = tn__strdup(path);
    return *folder ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status find_last(const char *path, const char *folder, char **prefix)
{
    TN_TRY(tn__checkpoint_latest(folder, prefix));
    if (*prefix)
        return TN_OK;
    return tn__fail(TN_NOT_FOUND,
                    "Could not find checkpoint or SavedModel at %s.\nthe file `checkpoint` in '%s' "
                    "names the last one, which is not there; one that is there can be named by its "
                    "path without .index",
                    path, folder);
}

/* Bytes before ".data-00000-of-00001"; 0: the path ends otherwise. */
static size_t data_prefix(const char *path)
{
    const char *end = strrchr(path, '/');
    for (const char *at = end ? end : path; (at = strstr(at, ".data-")); at++)
        end = at;
    unsigned shard, shards;
    int size = 0;
    bool is = end && sscanf(end, ".data-%5u-of-%5u%n", &shard, &shards, &size) == 2 && size > 0;
    return is && !end[size] ? (size_t)(end - path) : 0;
}

static tn_status fail_half(const char *prefix, const char *there)
{
    return tn__fail(TN_NOT_FOUND,
                    "Unable to open '%s.index': No such file or directory\na checkpoint is two "
                    "files, of which '%s' is only the one with the data",
                    prefix, there);
}

static tn_status find_by_data(const char *path, char **prefix)
{
    size_t length = tn__path_kind_of(path) == TN__PATH_FILE ? data_prefix(path) : 0;
    if (length == 0)
        return TN_OK;
    *prefix = tn__strndup(path, length);
    if (!*prefix)
        return TN_RESOURCE_EXHAUSTED;
    return tn__checkpoint_is(*prefix) ? TN_OK : fail_half(*prefix, path);
}

/* A prefix of which the index is gone. */
static tn_status check_whole(const char *path)
{
    char *data = tn__print("%s.data-00000-of-00001", path);
    tn_status status = data ? TN_OK : TN_RESOURCE_EXHAUSTED;
    if (data && tn__path_kind_of(path) == TN__PATH_NONE && tn__path_kind_of(data) == TN__PATH_FILE)
        status = fail_half(path, data);
    tn__free(data);
    return status;
}

tn_status tn__checkpoint_find(const char *path, char **prefix)
{
    char *folder = NULL;
    *prefix = NULL;
    if (!path || tn__checkpoint_is_prefix(path))
        return TN_OK;
    TN_TRY(check_whole(path));
    tn_status status = state_folder(path, &folder);
    if (status == TN_OK)
        status = folder ? find_last(path, folder, prefix) : find_by_data(path, prefix);
    tn__free(folder);
    if (status != TN_OK) {
        tn__free(*prefix);
        *prefix = NULL;
    }
    return status;
}

const char *tn_latest_checkpoint(const char *folder)
{
    TN__ENTER(context, NULL);
    (void)context;
    char *prefix = NULL;
    if (!folder)
        tn__fail(TN_INVALID_ARGUMENT, "tn_latest_checkpoint: folder is NULL");
    else if (tn__checkpoint_latest(folder, &prefix) != TN_OK || !prefix)
        return NULL;
    const char *result = prefix ? tn__scope_strdup(prefix) : NULL;
    tn__free(prefix);
    return result;
}
