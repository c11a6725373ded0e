/* testdata.h - what the tests of this room share. */
#ifndef TN_SAVING_TESTDATA_H
#define TN_SAVING_TESTDATA_H
#include "support/check.h"
#include "base/file.h"
#include "tenon/sys.h"
#include <math.h>
#include <stdlib.h>

#define TESTDATA "src/saving/testdata/"

static inline tn_tensor *wanted(const char *name)
{
    return tn_load_array(TESTDATA "outputs.npz", name);
}

/* The largest difference of two tensors of float32; infinite when their shapes differ. */
static inline double difference(tn_tensor *a, tn_tensor *b)
{
    tn_shape s = tn_shape_of(a), t = tn_shape_of(b);
    double most = 0;
    int64_t count = 1;
    if (tn_pending() != TN_OK || s.rank != t.rank)
        return INFINITY;
    for (int i = 0; i < s.rank; i++) {
        if (s.dims[i] != t.dims[i])
            return INFINITY;
        count *= s.dims[i];
    }
    const float *x = tn_data_float32(a), *y = tn_data_float32(b);
    for (int64_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)x[i] - (double)y[i]));
    return most;
}

/* Two models give the same for the same input, bit for bit. */
static inline void check_same_outputs(tn_model *a, tn_model *b, tn_tensor *x)
{
    tn_list y = tn_items(tn_call(a, x)), z = tn_items(tn_call(b, x));
    CHECK_NO_ERROR();
    assert_int_equal(y.count, z.count);
    for (size_t i = 0; i < y.count; i++)
        assert_true(difference(y.item[i], z.item[i]) == 0);
}

/* A model whose weights tell each other apart. */
static inline tn_model *spread(tn_model *model)
{
    tn_list weights = tn_variables(model);
    for (size_t k = 0; k < weights.count; k++) {
        tn_shape shape = tn_shape_of(weights.item[k]);
        int64_t count = 1;
        for (int i = 0; i < shape.rank; i++)
            count *= shape.dims[i];
        float *values = calloc((size_t)count + 1, sizeof *values);
        for (int64_t i = 0; i < count; i++)
            values[i] = cosf((float)i * 0.7f + (float)k);
        tn_assign(weights.item[k], tn_constant(TN_FLOAT32, shape, values));
        free(values);
    }
    CHECK_NO_ERROR();
    return model;
}

static inline tn_model *plain_model(void)
{
    return spread(tn_sequential(
        TN_LAYERS(tn_dense(3, .activation = "relu", .name = "hidden", .input_shape = TN_SHAPE(4)),
                  tn_dense(2, .name = "out")),
        .name = "plain"));
}

/* Warnings and output go here instead of to the terminal. */
typedef struct {
    char text[8000];
} sink_text;

static inline void add_to_sink(void *self, tn_sink_kind kind, const char *text, size_t size)
{
    sink_text *sink = self;
    size_t at = strlen(sink->text);
    (void)kind;
    snprintf(sink->text + at, sizeof sink->text - at, "%.*s", (int)size, text);
}

static inline sink_text *listen_to_sink(void)
{
    static sink_text sink;
    sink.text[0] = 0;
    tn_set_sink((tn_sink){ add_to_sink, &sink, false });
    return &sink;
}

static inline void stop_listening(void)
{
    tn_set_sink((tn_sink){ NULL, NULL, false });
}

/* The bytes of a file, freed by the test's end (read again each time). */
static inline tn__bytes bytes_of(const char *path)
{
    tn__file file;
    tn__bytes bytes = { 0 };
    CHECK_OK(tn__file_read(path, INT64_MAX, &file));
    CHECK_OK(tn__bytes_append(&bytes, file.span.data, file.span.size));
    tn__file_close(&file);
    return bytes;
}

static inline void write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

#endif
