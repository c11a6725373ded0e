/* exhaustion_test.c - the whole way, with each allocation in turn refused: a model is loaded,
 * extended, trained and saved over an older file. Whenever memory runs out, that is said, nothing
 * leaks, and the older file is there as it was. */
#include "support/check.h"
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#define TESTDATA "src/saving/testdata/"
enum { MOST = 1500, OUTPUTS = 6 };

/* --- the older file, looked at without the library
 * ------------------------------------------------------------------------ */
typedef struct {
    const char *base;            /* what is loaded */
    char folder[300], path[400]; /* where it is saved */
    unsigned char *old;
    size_t size;
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

static void check_untouched(const journey *j)
{
    size_t size;
    unsigned char *now = bytes_of(j->path, &size);
    assert_int_equal(size, j->size);
    assert_memory_equal(now, j->old, size);
    free(now);
    DIR *open = opendir(j->folder);
    assert_non_null(open);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(open));)
        count += entry->d_name[0] != '.';
    closedir(open);
    assert_int_equal(count, 1);
}

static void put_old(const journey *j)
{
    FILE *file = fopen(j->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(j->old, 1, j->size, file), j->size);
    assert_int_equal(fclose(file), 0);
}

/* --- the way
 * ---------------------------------------------------------------------------------------------------------------
 */
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

static void check_way(const char *base, const char *name)
{
    journey j = { .base = base };
    snprintf(j.folder, sizeof j.folder, "%s", temporary_path(tn_format("to_%s", name)));
    snprintf(j.path, sizeof j.path, "%s/%s", j.folder, name);
    assert_int_equal(mkdir(j.folder, 0755), 0);
    j.old = bytes_of(TESTDATA "plain.keras", &j.size);
    put_old(&j);
    size_t tried = check_sampled_allocation_failures(go_the_way, check_what_is_there, &j, MOST, 7);
    assert_true(tried >= MOST);
    free(j.old);
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

int main(void)
{
    tests_begin();
    tests_count_json();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_may_end_anywhere_on_the_way_to_an_archive),
        cmocka_unit_test(memory_may_end_anywhere_on_the_way_to_h5),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
