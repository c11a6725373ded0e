/* check.c */
#include "support/check.h"
#include <ftw.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
/* With gcc 12 the search for leaks crashes at the end of a program that has opened oneDNN, over the library's thread-local memory. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "intercept_tls_get_addr=0";
}
#endif

void check_ok(tn_status status, const char *what, const char *file, int line)
{
    if (status == TN_OK && tn_pending() == TN_OK)
        return;
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    print_error("%s failed: %s\n", what, error ? error->message : "(status without an error)");
    _fail(file, line);
}

void check_error(tn_status kind, const char *text, const char *file, int line)
{
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    if (!error) {
        print_error("no error was recorded, expected: %s\n", text);
        _fail(file, line);
    }
    if (error->status != kind || !strstr(error->message, text)) {
        print_error("expected error %d with '%s', got %d: %s\n", (int)kind, text, (int)error->status, error->message);
        _fail(file, line);
    }
}

static char folder[64];

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *walk)
{
    (void)info, (void)flag, (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *temporary_path(const char *name)
{
    static char paths[16][256];
    static int next;
    if (!folder[0]) {
        const char *base = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/tenon_test_XXXXXX", base && strlen(base) < 30 ? base : "/tmp");
        if (!mkdtemp(folder))
            abort();
        atexit(remove_folder);
    }
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* --- the counting, refusing allocator -------------------------------------------------------------------------------- */
static struct {
    size_t live, calls, refuse_at; /* refuse_at: 0 never */
    bool refuse_on;                /* all later ones too */
    size_t refused;
} counter;

static void *counting_allocate(void *self, void *block, size_t size)
{
    (void)self;
    if (size == 0) {
        __atomic_sub_fetch(&counter.live, 1, __ATOMIC_RELAXED);
        free(block);
        return NULL;
    }
    size_t call = __atomic_add_fetch(&counter.calls, 1, __ATOMIC_RELAXED);
    if (counter.refuse_at && (call == counter.refuse_at || (counter.refuse_on && call > counter.refuse_at))) {
        counter.refused++;
        return NULL;
    }
    void *moved = realloc(block, size);
    if (moved && !block)
        __atomic_add_fetch(&counter.live, 1, __ATOMIC_RELAXED);
    return moved;
}

void tests_begin(void)
{
    tn_set_allocator((tn_allocator){ counting_allocate, NULL });
}

static void *json_allocate(size_t size)
{
    return counting_allocate(NULL, NULL, size ? size : 1);
}

static void json_free(void *block)
{
    if (block)
        counting_allocate(NULL, block, 0);
}

void tests_count_json(void)
{
    json_set_alloc_funcs(json_allocate, json_free);
}

size_t live_allocations(void)
{
    return counter.live;
}

size_t all_allocations(void)
{
    return __atomic_load_n(&counter.calls, __ATOMIC_RELAXED);
}

/* after: NULL, or what is to be checked when memory is there again. */
static bool fails_at(bool (*action)(void *), void (*after)(void *, bool), void *self, size_t at, bool on)
{
    size_t handles = tn_live_handles();
    size_t depth = tn_scope_depth();
    tn_scope_push();
    counter.calls = counter.refused = 0;
    counter.refuse_at = at;
    counter.refuse_on = on;
    bool done = action(self);
    counter.refuse_at = 0;
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    if (!done && counter.refused == 0)
        fail_msg("failed without a refused allocation: %s", error ? error->message : "no error");
    if (!done && (!error || error->status != TN_RESOURCE_EXHAUSTED))
        fail_msg("allocation %zu refused: expected out of memory, got: %s", at, error ? error->message : "no error");
    if (after)
        after(self, done);
    tn_scope_pop(depth);
    if (tn_live_handles() != handles)
        fail_msg("allocation %zu refused: %zu handles leaked", at, tn_live_handles() - handles);
    return counter.refused == 0;
}

size_t check_sampled_allocation_failures(bool (*action)(void *self), void (*after)(void *self, bool done), void *self, size_t most, uint32_t seed)
{
    fails_at(action, after, self, 0, false);
    fails_at(action, after, self, 0, false);
    size_t all = counter.calls, tried = 0;
    double apart = all > most ? (double)all / (double)most : 1;
    for (double start = 1; start <= (double)all; start += apart, tried++) {
        seed = seed * 1664525u + 1013904223u;
        size_t at = (size_t)(start + apart * (seed >> 8) / (1 << 24));
        fails_at(action, after, self, at, tried % 2);
    }
    print_message("%zu of %zu allocations refused\n", tried, all);
    return tried;
}

void check_allocation_failures(bool (*action)(void *self), void *self)
{
    fails_at(action, NULL, self, 0, false); /* warm: pools and tables that stay */
    for (size_t at = 1; !fails_at(action, NULL, self, at, false); at++)
        ;
    for (size_t at = 1; !fails_at(action, NULL, self, at, true); at += 1 + at / 16)
        ;
}
