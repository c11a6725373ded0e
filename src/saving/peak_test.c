/* peak_test.c - how much memory loading takes: what the file decodes to, twice, and little more. */
#include "saving/testdata.h"
#include "formats/zip.h"
#include <malloc.h>

static _Atomic size_t now, most;

static void *count(void *self, void *block, size_t size)
{
    (void)self;
    size_t old = block ? malloc_usable_size(block) : 0;
    if (size == 0) {
        free(block);
        now -= old;
        return NULL;
    }
    void *moved = realloc(block, size);
    if (moved)
        now += malloc_usable_size(moved) - old;
    if (now > most)
        most = now;
    return moved;
}

enum { ROWS = 1024, COLUMNS = 2048, SLACK = 1 << 20 };
static const size_t WEIGHTS = sizeof(float) * COLUMNS * (ROWS + 1);

static tn_model *wide(void)
{
    return tn_sequential(TN_LAYERS(tn_dense(COLUMNS, .input_shape = TN_SHAPE(ROWS))),
                         .name = "wide");
}

static tn_model *trained(void)
{
    tn_model *model = wide();
    CHECK_OK(tn_compile(model, tn_adam(), "mse"));
    tn_train_on_batch(model, tn_ones(TN_SHAPE(1, ROWS), TN_FLOAT32),
                      tn_ones(TN_SHAPE(1, COLUMNS), TN_FLOAT32));
    CHECK_NO_ERROR();
    return model;
}

/* What was taken above what there was before, in bytes. */
static size_t measure(void (*action)(const char *path, tn_model *model), const char *path,
                      tn_model *model)
{
    size_t before = now;
    most = before;
    action(path, model);
    CHECK_NO_ERROR();
    return most - before;
}

static void load(const char *path, tn_model *model)
{
    TN_SCOPE;
    (void)model;
    assert_non_null(tn_load_model(path));
}

static void load_weights(const char *path, tn_model *model)
{
    TN_SCOPE;
    CHECK_OK(tn_load_weights(model, path));
}

static void check_peak(const char *what, size_t taken, size_t decoded)
{
    print_message("%s: %.2f times what it decodes to\n", what, (double)taken / (double)decoded);
    assert_true(taken >= decoded / 2); /* it was measured */
    if (taken > 2 * decoded + SLACK)
        fail_msg("%s: %zu bytes were taken for %zu", what, taken, decoded);
}

static void loading_takes_the_decoded_size_twice_and_no_more(void **state)
{
    (void)state;
    TN_SCOPE;
    static const char *const names[] = { "wide.keras", "wide.h5", "trained.keras", "trained.h5" };
    for (size_t i = 0; i < 4; i++) {
        TN_SCOPE;
        CHECK_OK(tn_save(i < 2 ? wide() : trained(), temporary_path(names[i])));
        const char *path = temporary_path(names[i]);
        check_peak(names[i], measure(load, path, NULL), i < 2 ? WEIGHTS : 3 * WEIGHTS);
    }
}

static void loading_weights_takes_no_more_either(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("w.weights.h5"), *old = temporary_path("w.h5");
    tn_model *model = wide();
    CHECK_OK(tn_save_weights(model, path));
    CHECK_OK(tn_save_weights(model, old));
    check_peak("w.weights.h5", measure(load_weights, path, model), WEIGHTS);
    check_peak("w.h5", measure(load_weights, old, model), WEIGHTS);
}

/* --- compressed
 * ----------------------------------------------------------------------------------------------------------
 */
static void compress(const char *from, const char *to)
{
    tn__bytes bytes = bytes_of(from);
    tn__zip *zip;
    tn__writer *out;
    tn__zip_writer *writer;
    CHECK_OK(tn__zip_open(tn__bytes_span(&bytes), NULL, &zip));
    CHECK_OK(tn__writer_open(to, false, &out));
    CHECK_OK(tn__zip_writer_open(out, &writer));
    for (size_t i = 0; i < tn__zip_count(zip); i++) {
        tn__bytes member;
        CHECK_OK(tn__zip_read(zip, i, &member));
        CHECK_OK(tn__zip_add(writer, tn__zip_member_at(zip, i)->name, TN__ZIP_DEFLATED, member.data,
                             member.size));
        tn__bytes_free(&member);
    }
    CHECK_OK(tn__zip_finish(writer));
    CHECK_OK(tn__writer_commit(out));
    tn__zip_close(zip);
    tn__bytes_free(&bytes);
}

/* The file goes before the weights come: random numbers hardly shrink. */
static void a_compressed_archive_takes_no_more(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *plain = temporary_path("plain.keras"), *packed = temporary_path("packed.keras");
    tn_model *model = wide();
    CHECK_OK(tn_save(model, plain));
    compress(plain, packed);
    check_peak("packed.keras", measure(load, packed, NULL), WEIGHTS);
    check_peak("packed.keras, weights", measure(load_weights, packed, model), WEIGHTS);
    check_same_outputs(model, tn_load_model(packed), tn_ones(TN_SHAPE(1, ROWS), TN_FLOAT32));
}

/* A mapped file takes nothing at all. */
static void a_mapped_file_stays_where_it_is(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("mapped.keras");
    CHECK_OK(tn_save(wide(), path));
    size_t before = now;
    tn_model *model = tn_load_model(path, .map = true);
    CHECK_NO_ERROR();
    assert_non_null(model);
    assert_true(now - before < SLACK);
}

int main(void)
{
    tn_set_allocator((tn_allocator){ count, NULL });
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loading_takes_the_decoded_size_twice_and_no_more),
        cmocka_unit_test(loading_weights_takes_no_more_either),
        cmocka_unit_test(a_compressed_archive_takes_no_more),
        cmocka_unit_test(a_mapped_file_stays_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
