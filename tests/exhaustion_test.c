/* exhaustion_test.c - the whole way, with each allocation in turn refused: a model is loaded,
 * extended, trained and saved over an older file, or folder of files. Whenever memory runs out,
 * that is said, nothing leaks, and what was there before is there as it was; of checkpoints, a
 * whole one. */
#include "support/check.h"
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>

#define TESTDATA "src/saving/testdata/"
enum { OUTPUTS = 6 };
static size_t most = 1500; /* refusals of each way */

/* --- the older files, looked at without the library */
typedef struct {
    struct {
        char path[500];
        unsigned char *bytes;
        size_t size;
    } item[8];
    size_t count;
} files;

typedef struct {
    const char *base;            /* what is loaded */
    char folder[300], path[400]; /* where it is saved */
    files old;
    bool known;
    float outputs[OUTPUTS]; /* of the model that is saved when there is memory */
} journey;

static unsigned char *bytes_of(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

static files *seen;

static int see(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)at;
    if (kind != FTW_F)
        return 0;
    assert_true(seen->count < sizeof seen->item / sizeof *seen->item);
    snprintf(seen->item[seen->count].path, sizeof seen->item->path, "%s", path);
    seen->item[seen->count].bytes = bytes_of(path, &seen->item[seen->count].size);
    seen->count++;
    return 0;
}

static int by_path(const void *left, const void *right)
{
    return strcmp(left, right); /* which begin with their paths */
}

static void see_files(const char *folder, files *found)
{
    seen = found;
    found->count = 0;
    assert_int_equal(nftw(folder, see, 8, FTW_PHYS), 0);
    qsort(found->item, found->count, sizeof *found->item, by_path);
}

static void free_files(files *found)
{
    for (size_t i = 0; i < found->count; i++)
        free(found->item[i].bytes);
}

static void check_untouched(const journey *j)
{
    files now;
    see_files(j->folder, &now);
    assert_int_equal(now.count, j->old.count);
    for (size_t i = 0; i < now.count; i++) {
        assert_string_equal(now.item[i].path, j->old.item[i].path);
        assert_int_equal(now.item[i].size, j->old.item[i].size);
        assert_memory_equal(now.item[i].bytes, j->old.item[i].bytes, now.item[i].size);
    }
    free_files(&now);
}

/* What was saved has the same files. */
static void put_old(const journey *j)
{
    for (size_t i = 0; i < j->old.count; i++) {
        FILE *file = fopen(j->old.item[i].path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(j->old.item[i].bytes, 1, j->old.item[i].size, file),
                         j->old.item[i].size);
        assert_int_equal(fclose(file), 0);
    }
}

/* --- the way */
static tn_model *extend(tn_model *base)
{
    tn_layer *head;
    {
        TN_WITH(tn_name_scope("new_layer_scope"));
        head = tn_dense(3, "softmax", .name = "new_dense");
    }
    tn_tensor *features = tn_layer_output(base, tn_get_layer(base, "hidden"));
    tn_set_trainable(base, false);
    return tn_model(tn_model_input(base), tn_call(head, features));
}

static bool train(tn_model *model)
{
    tn_tensor *x = tn_random_normal(TN_SHAPE(6, 4), .seed = 1),
              *y = tn_one_hot(tn_constant(TN_INT32, TN_SHAPE(6), (int[]){ 0, 1, 2, 0, 1, 2 }), 3);
    return tn_compile(model, tn_adam(0.01), "categorical_crossentropy", { "accuracy" }) == TN_OK &&
           tn_fit(model, x, y, .epochs = 1, .batch_size = 4, .verbose = 0);
}

static bool go_the_way(void *self)
{
    journey *j = self;
    tn_set_random_seed(3);
    tn_set_seed(3);
    tn_model *model = extend(tn_load_model(j->base));
    return train(model) && tn_save(model, j->path) == TN_OK;
}

/* A refusal that was got over must not show in the file either: what it gives is what the first one
 * gave. */
static void check_new(journey *j)
{
    float now[OUTPUTS];
    tn_tensor *x =
        tn_constant(TN_FLOAT32, TN_SHAPE(2, 4), (float[]){ 1, -2, 3, -4, 0.5f, 0.25f, -1, 0 });
    tn_model *model = tn_load_model(j->path);
    tn_tensor *y = tn_call(model, x);
    CHECK_NO_ERROR();
    memcpy(now, tn_data_float32(y), sizeof now);
    if (!j->known)
        memcpy(j->outputs, now, sizeof now);
    j->known = true;
    assert_memory_equal(now, j->outputs, sizeof now);
    assert_int_equal(tn_variables(model).count, 4);
    assert_non_null(tn_evaluate(model, x,
                                tn_one_hot(tn_constant(TN_INT32, TN_SHAPE(2), (int[]){ 0, 1 }), 3),
                                .verbose = 0));
    CHECK_NO_ERROR();
}

static void check_what_is_there(void *self, bool done)
{
    if (done)
        check_new(self);
    else
        check_untouched(self);
    if (done)
        put_old(self);
}

static void begin(journey *j, const char *base, const char *name)
{
    *j = (journey){ .base = base };
    snprintf(j->folder, sizeof j->folder, "%s", temporary_path(tn_format("to_%s", name)));
    snprintf(j->path, sizeof j->path, "%s/%s", j->folder, name);
    assert_int_equal(mkdir(j->folder, 0755), 0);
}

static void check_way(const char *base, const char *name)
{
    TN_SCOPE;
    journey j;
    begin(&j, base, name);
    CHECK_OK(tn_save(tn_load_model(TESTDATA "plain.keras"), j.path));
    see_files(j.folder, &j.old);
    size_t tried = check_sampled_allocation_failures(go_the_way, check_what_is_there, &j, most, 7);
    assert_true(tried >= most);
    free_files(&j.old);
}

static void memory_may_end_anywhere_on_the_way_to_an_archive(void **state)
{
    (void)state;
    check_way(TESTDATA "plain.keras", "m.keras");
}

static void memory_may_end_anywhere_on_the_way_to_h5(void **state)
{
    (void)state;
    check_way(TESTDATA "plain_k2.h5", "m.h5");
}

static void memory_may_end_anywhere_on_the_way_to_a_folder(void **state)
{
    (void)state;
    TN_SCOPE;
    char base[300];
    snprintf(base, sizeof base, "%s", temporary_path("base"));
    CHECK_OK(tn_save(tn_load_model(TESTDATA "plain.keras"), base));
    check_way(base, "m");
}

/* --- checkpoints: the last one is restored, and the next one saved */
static bool train_on(void *self)
{
    const journey *j = self;
    tn_model *model = extend(tn_load_model(j->base));
    return tn_load_weights(model, j->path) == TN_OK && train(model) &&
           tn_save_weights(model, j->path) == TN_OK;
}

/* The old one, or the new one: the state file beside them is written last. */
static void check_weights(void *self, bool done)
{
    const journey *j = self;
    (void)done;
    files now;
    CHECK_OK(tn_load_weights(extend(tn_load_model(j->base)), j->path));
    see_files(j->folder, &now);
    assert_int_equal(now.count, 3);
    free_files(&now);
}

static void memory_may_end_anywhere_on_the_way_to_weights(void **state)
{
    (void)state;
    TN_SCOPE;
    journey j;
    begin(&j, TESTDATA "plain.keras", "model_weights");
    CHECK_OK(tn_save_weights(extend(tn_load_model(j.base)), j.path));
    check_sampled_allocation_failures(train_on, check_weights, &j, most / 2, 8);
}

typedef struct {
    journey files;
    int step; /* of the last checkpoint, and its value */
} stepping;

/* v + 1, in a program of its own. */
static bool step_on(void *self)
{
    const stepping *s = self;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_variable *v = tn_variable(tn_zeros(TN_SHAPE(8), TN_FLOAT32), .name = "v");
    tn_saver *saver = tn_saver(.max_to_keep = 1);
    tn_session *session = tn_session();
    const char *last = tn_latest_checkpoint(s->files.folder);
    return tn_saver_restore(saver, session, last) == TN_OK &&
           tn_run(session, tn_assign_add(v, tn_ones(TN_SHAPE(8), TN_FLOAT32))) &&
           tn_saver_save(saver, session, s->files.path, (s->step + 1) % 3) != NULL;
}

/* The last checkpoint is whole, the one before or the new one. */
static void check_step(void *self, bool done)
{
    stepping *s = self;
    tn_variable *v = tn_variable(tn_zeros(TN_SHAPE(8), TN_FLOAT32), .name = "v");
    CHECK_OK(tn_saver_restore(tn_saver(.var_list = TN_LIST(v)), NULL,
                              tn_latest_checkpoint(s->files.folder)));
    float value = tn_data_float32(v)[0];
    for (int i = 0; i < 8; i++)
        assert_true(tn_data_float32(v)[i] == value);
    assert_true(value == (float)s->step + 1 || (!done && value == (float)s->step));
    s->step = (int)value;
}

static void memory_may_end_anywhere_on_the_way_of_a_session(void **state)
{
    (void)state;
    TN_SCOPE;
    stepping s = { .step = 0 };
    begin(&s.files, NULL, "line");
    {
        TN_WITH(tn_graph_as_default(tn_graph_new()));
        tn_variable(tn_zeros(TN_SHAPE(8), TN_FLOAT32), .name = "v");
        tn_session *session = tn_session();
        CHECK_OK(tn_run_operation(session, tn_global_variables_initializer()));
        assert_non_null(tn_saver_save(tn_saver(), session, s.files.path, 0));
    }
    check_sampled_allocation_failures(step_on, check_step, &s, most, 9);
}

/* exhaustion_test 200: fewer. */
int main(int count, char **argument)
{
    if (count > 1)
        most = (size_t)atol(argument[1]);
    tests_begin();
    tests_count_json();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_may_end_anywhere_on_the_way_to_an_archive),
        cmocka_unit_test(memory_may_end_anywhere_on_the_way_to_h5),
        cmocka_unit_test(memory_may_end_anywhere_on_the_way_to_a_folder),
        cmocka_unit_test(memory_may_end_anywhere_on_the_way_to_weights),
        cmocka_unit_test(memory_may_end_anywhere_on_the_way_of_a_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
