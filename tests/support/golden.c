/* golden.c */
#include "support/golden.h"
#include "formats/npz.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct golden_case {
    const golden_corpus *corpus;
    json_t *json;
    tn__file file; /* the .npz */
    tn__npz *npz;
    double rtol, atol;
};

/* --- the corpus ------------------------------------------------------------------------------- */
static json_t *load_json(const char *folder, const char *name)
{
    char path[1024];
    json_error_t error;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    json_t *json = json_load_file(path, JSON_DECODE_ANY, &error);
    if (!json)
        fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
    return json;
}

bool golden_open(const char *folder, golden_corpus *corpus)
{
    *corpus = (golden_corpus){ strdup(folder), load_json(folder, "index.json") };
    if (json_is_array(json_object_get(corpus->index, "cases")))
        return true;
    golden_close(corpus);
    return false;
}

void golden_close(golden_corpus *corpus)
{
    json_decref(corpus->index);
    free(corpus->folder);
    *corpus = (golden_corpus){ NULL, NULL };
}

size_t golden_count(const golden_corpus *corpus)
{
    return json_array_size(json_object_get(corpus->index, "cases"));
}

const json_t *golden_entry(const golden_corpus *corpus, size_t index)
{
    return json_array_get(json_object_get(corpus->index, "cases"), index);
}

/* --- a case ----------------------------------------------------------------------------------- */
static bool open_arrays(golden_case *c, const char *kind)
{
    char path[1024];
    const char *name = json_string_value(json_object_get(c->json, "npz"));
    if (!name)
        return true;
    snprintf(path, sizeof path, "%s/%s/%s", c->corpus->folder, kind, name);
    if (tn__file_read(path, UINT64_C(1) << 30, &c->file) == TN_OK &&
        tn__npz_open(c->file.span, NULL, &c->npz) == TN_OK)
        return true;
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    fprintf(stderr, "%s: %s\n", path, error ? error->message : "cannot be read");
    return false;
}

golden_case *golden_case_open(const golden_corpus *corpus, const json_t *entry)
{
    const char *name = json_string_value(json_object_get(entry, "case"));
    const json_t *tolerance = json_object_get(entry, "tolerance");
    golden_case *c = calloc(1, sizeof *c);
    char path[512];
    if (!c || !name)
        return c;
    snprintf(path, sizeof path, "%s.json", name);
    const char *era = strcmp(json_string_value(json_object_get(entry, "kind")), "files") == 0
                          ? strrchr(name, '.')
                          : NULL;
    if (era) /* "files/mlp.k3" is described by files/mlp/k3.json */
        path[era - name] = '/';
    c->corpus = corpus;
    c->json = load_json(corpus->folder, path);
    c->rtol = json_number_value(json_object_get(tolerance, "rtol"));
    c->atol = json_number_value(json_object_get(tolerance, "atol"));
    if (c->json && open_arrays(c, json_string_value(json_object_get(entry, "kind"))))
        return c;
    golden_case_close(c);
    return NULL;
}

void golden_case_close(golden_case *c)
{
    if (!c)
        return;
    tn__npz_close(c->npz);
    tn__file_close(&c->file);
    json_decref(c->json);
    free(c);
}

const json_t *golden_json(const golden_case *c)
{
    return c->json;
}

const char *golden_folder(const golden_case *c)
{
    return c->corpus->folder;
}

double golden_rtol(const golden_case *c)
{
    return c->rtol;
}

double golden_atol(const golden_case *c)
{
    return c->atol;
}

/* --- arrays ----------------------------------------------------------------------------------- */
static tn_tensor *read_array(golden_case *c, const char *key, tn_dtype dtype)
{
    size_t index;
    tn__npy array;
    tn__bytes store;
    tn_tensor *x = NULL;
    if (!c->npz || !tn__npz_find(c->npz, key, &index) ||
        tn__npz_read(c->npz, index, &array, &store) != TN_OK)
        return NULL;
    tn_shape shape = { 1, array.rank, { 0 } };
    for (int i = 0; i < array.rank && i < TN_MAX_RANK; i++)
        shape.dims[i] = (int64_t)array.shape[i];
    bool same = array.rank <= TN_MAX_RANK && (size_t)array.type.size == tn__dtype_size(dtype);
    if (same && tn__tensor_new(dtype, &shape, &x) == TN_OK)
        tn__npy_copy(&array, x->data);
    tn__bytes_free(&store);
    return tn__own(x);
}

static tn_tensor *scalar(tn_dtype dtype, double value)
{
    const tn_shape shape = { 1, 0, { 0 } };
    return tn__own(tn__tensor_fill(dtype, &shape, value));
}

static bool is_special(const json_t *json, double *value)
{
    const char *text = json_string_value(json_object_get(json, "$float"));
    if (text)
        *value = strtod(text, NULL);
    return text != NULL;
}

tn_tensor *golden_tensor(golden_case *c, const json_t *json, tn_dtype dtype)
{
    const char *key = json_string_value(json_object_get(json, "$npz"));
    double value;
    if (key)
        return read_array(c, key,
                          tn__dtype_of_name(json_string_value(json_object_get(json, "dtype"))));
    if (is_special(json, &value))
        return scalar(dtype ? dtype : TN_FLOAT32, value);
    return json_is_number(json) ? scalar(dtype ? dtype : TN_FLOAT32, json_number_value(json))
                                : NULL;
}

static void add_leaf(golden_leaves *leaves, tn_tensor *x)
{
    if (leaves->count < sizeof leaves->item / sizeof *leaves->item)
        leaves->item[leaves->count++] = x;
}

void golden_flatten(golden_case *c, const json_t *json, golden_leaves *leaves)
{
    const json_t *list = json_is_array(json) ? json : json_object_get(json, "$tuple");
    const char *key;
    json_t *value;
    if (json_is_null(json) || json_is_number(json) || json_object_get(json, "$npz") ||
        json_object_get(json, "$float")) {
        add_leaf(leaves, golden_tensor(c, json, (tn_dtype)0));
        return;
    }
    for (size_t i = 0; i < json_array_size(list); i++)
        golden_flatten(c, json_array_get(list, i), leaves);
    if (!list)
        json_object_foreach((json_t *)(uintptr_t)json, key, value) golden_flatten(c, value, leaves);
}

/* --- comparing -------------------------------------------------------------------------------- */
static bool is_close(double got, double want, double rtol, double atol)
{
    if (isnan(got) || isnan(want))
        return isnan(got) && isnan(want);
    if (isinf(got) || isinf(want))
        return got == want;
    return fabs(got - want) <= atol + rtol * fabs(want);
}

void golden_difference(tn_tensor *got, tn_tensor *want, double rtol, double atol, char *text,
                       size_t size)
{
    text[0] = 0;
    if (!got || !want) {
        if (got || want)
            snprintf(text, size, "got %s, want %s", got ? "a tensor" : "none",
                     want ? "a tensor" : "none");
        return;
    }
    tn_tensor *value = NULL;
    if (tn__value_of(got, "what was computed", &value) != TN_OK)
        return;
    tn__own(value);
    if (value->dtype != want->dtype || !tn__shape_equal(&value->shape, &want->shape)) {
        snprintf(text, size, "got %s, want %s", TN__TENSOR(value), TN__TENSOR(want));
        return;
    }
    for (int64_t i = 0; i < tn__count(want); i++)
        if (!is_close(tn__double_at(value, i), tn__double_at(want, i), rtol, atol)) {
            snprintf(text, size, "element %lld of %s is %.9g, want %.9g", (long long)i,
                     TN__SHAPE(want->shape), tn__double_at(value, i), tn__double_at(want, i));
            return;
        }
}
