/* data.c - models and arrays from files, matched to each other. */
#include "cli/cli.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

tn_model *cli_load_model(const char *path, const char *weights, bool compile)
{
    tn_load_options options = { .size_ = sizeof options, .path = path, .compile = compile };
    tn_model *model = ends_with(path, ".json") ? tn_load_json(path) : tn_load_model_with(&options);
    tn_load_weights_options w = { .size_ = sizeof w, .layer = model, .path = weights };
    if (model && weights && tn_load_weights_with(&w) != TN_OK)
        return NULL;
    return model;
}

/* --- .npz --------------------------------------------------------------------------------------------------------------- */
static tn_tensor *find_array(tn_named_list arrays, const char *name)
{
    for (size_t i = 0; i < arrays.count; i++)
        if (strcmp(arrays.name[i], name) == 0)
            return arrays.item[i];
    return NULL;
}

static tn_tensor *find_part(tn_named_list arrays, const char *letter, const char *part)
{
    char name[32];
    snprintf(name, sizeof name, "%s_%s", letter, part);
    return find_array(arrays, name);
}

static tn_tensor *one_or_tuple(tn_tensor *const *items, size_t count)
{
    return count == 1 ? items[0] : tn_tuple_of(tn_list_of(count, items));
}

static const char *quoted(const char *list, const char *name)
{
    return tn_format("%s%s'%s'", list, *list ? ", " : "", name);
}

static bool refuse_arrays(tn_list inputs, tn_named_list arrays, bool labels)
{
    const char *wanted = "", *got = "";
    for (size_t i = 0; i < inputs.count; i++)
        wanted = quoted(wanted, tn_name(inputs.item[i]));
    for (size_t i = 0; i < arrays.count; i++)
        got = quoted(got, arrays.name[i]);
    tn_fail(TN_INVALID_ARGUMENT, "the model takes %zu input(s)%s: %s; the .npz has %zu array(s): %s\nname the arrays after the inputs%s%s", inputs.count,
            labels ? " and needs labels" : "", wanted, arrays.count, *got ? got : "none", inputs.count == 1 ? ", or x" : "",
            labels ? ", and the labels y" : "");
    return false;
}

/* Names that mean nothing to the model: which array is taken for what. */
static void tell_order(tn_list inputs, tn_named_list arrays)
{
    const char *told = "";
    for (size_t i = 0; i < arrays.count; i++) {
        const char *as = i >= inputs.count ? "y" : inputs.count == 1 ? "x" : tn_name(inputs.item[i]);
        told = tn_format("%s%s'%s' as %s", told, *told ? ", " : "", arrays.name[i], as);
    }
    fprintf(stderr, "tenon: the .npz has no arrays x and y, or named after the inputs: taking %s\n", told);
}

/* By the inputs' names when every input has an array; the others are the labels, in order. Else in order, when there are as many as
 * inputs, or as inputs and outputs. */
static bool match_arrays(tn_list inputs, size_t labels, tn_named_list arrays, cli_data *data)
{
    tn_tensor *x[64], *y[64];
    size_t named = 0, rest = 0;
    if (arrays.count > 64 || inputs.count > 64) {
        tn_fail(TN_INVALID_ARGUMENT, "an .npz of %zu arrays", arrays.count);
        return false;
    }
    for (size_t i = 0; i < inputs.count; i++)
        if ((x[named] = find_array(arrays, tn_name(inputs.item[i]))))
            named++;
    bool by_name = named == inputs.count;
    if (by_name ? labels && arrays.count == named : arrays.count != inputs.count + labels)
        return refuse_arrays(inputs, arrays, labels > 0);
    if (!by_name)
        tell_order(inputs, arrays);
    for (size_t i = 0; i < arrays.count; i++) {
        bool used = false;
        for (size_t k = 0; k < named && by_name; k++)
            used |= x[k] == arrays.item[i];
        if (!by_name && i < inputs.count)
            x[i] = arrays.item[i];
        else if (!used)
            y[rest++] = arrays.item[i];
    }
    data->x = one_or_tuple(x, inputs.count);
    data->y = labels ? one_or_tuple(y, rest) : NULL;
    return data->x && (!labels || data->y);
}

static bool load_npz(tn_model *model, const char *path, const char *part, bool labels, cli_data *data)
{
    tn_named_list arrays = tn_load_arrays(path);
    tn_list inputs = tn_items(tn_model_input(model));
    if (!arrays.item || !inputs.item)
        return false;
    bool test = strcmp(part, "test") == 0 && find_part(arrays, "x", "test");
    data->x = test ? find_part(arrays, "x", "test") : find_part(arrays, "x", "train");
    data->y = test ? find_part(arrays, "y", "test") : find_part(arrays, "y", "train");
    if (!data->x) {
        data->x = find_array(arrays, "x");
        data->y = find_array(arrays, "y");
    }
    data->test_x = test ? NULL : find_part(arrays, "x", "test");
    data->test_y = test ? NULL : find_part(arrays, "y", "test");
    if (data->x && inputs.count == 1 && (data->y || !labels))
        return true;
    tn_list outputs = tn_items(tn_model_output(model));
    return outputs.item && match_arrays(inputs, labels ? outputs.count : 0, arrays, data);
}

/* --- .csv --------------------------------------------------------------------------------------------------------------- */
/* The column of a name in the file's first line, or of a number from 0, or from the end below 0; -1: there is none. */
static int64_t column_of(const char *path, const char *target, int64_t columns)
{
    char line[1 << 16], *end;
    long long number = strtoll(target, &end, 10);
    if (*target && !*end)
        return number < 0 ? number + columns : number < columns ? number : -1;
    FILE *file = fopen(path, "r");
    bool read = file && fgets(line, sizeof line, file);
    if (file)
        fclose(file);
    int64_t column = 0;
    for (char *at = line; read && *at; column++) {
        size_t length = strcspn(at, ",;\t\r\n");
        char *word = at, *last = at + length;
        while (word < last && (*word == '"' || *word == ' '))
            word++;
        while (last > word && (last[-1] == '"' || last[-1] == ' '))
            last--;
        if (strlen(target) == (size_t)(last - word) && strncmp(word, target, (size_t)(last - word)) == 0)
            return column;
        at += length;
        if (!strchr(",;\t", *at) || !*at)
            break;
        at++;
    }
    return -1;
}

/* The columns but one are the inputs, that one the labels. Without labels all columns are inputs, but for a target that is given. */
static bool load_csv(const char *path, const char *target, bool labels, cli_data *data)
{
    tn_tensor *table = tn_load_array(path, NULL);
    tn_shape shape = table ? tn_shape_of(table) : (tn_shape){ 0 };
    int64_t rows = shape.dims[0], columns = shape.rank == 2 ? shape.dims[1] : 1;
    if (!table)
        return false;
    if (rows == 0) {
        tn_fail(TN_INVALID_ARGUMENT, "'%s' has no rows of numbers", path);
        return false;
    }
    data->x = table;
    if (!labels && !target)
        return true;
    int64_t column = column_of(path, target ? target : "-1", columns);
    if (column < 0 || columns < 2) {
        tn_fail(TN_NOT_FOUND, "'%s' has no column '%s' beside others; it has %lld column(s)\n--target takes a name of the first line, or a number from 0",
                path, target ? target : "-1", (long long)columns);
        return false;
    }
    tn_tensor *left = tn_slice(table, TN_SHAPE(0, 0), TN_SHAPE(rows, column));
    tn_tensor *right = tn_slice(table, TN_SHAPE(0, column + 1), TN_SHAPE(rows, columns - column - 1));
    data->x = tn_concat(TN_LIST(left, right), 1);
    data->y = labels ? tn_slice(table, TN_SHAPE(0, column), TN_SHAPE(rows, 1)) : NULL;
    return data->x && (data->y || !labels);
}

bool cli_load_data(tn_model *model, const char *path, const char *target, const char *part, bool labels, cli_data *data)
{
    *data = (cli_data){ NULL, NULL, NULL, NULL };
    if (!model)
        return false;
    if (ends_with(path, ".npz"))
        return load_npz(model, path, part, labels, data);
    if (ends_with(path, ".csv") || !labels) {
        bool csv = ends_with(path, ".csv");
        if (csv)
            return load_csv(path, target, labels, data);
        data->x = tn_load_array(path, NULL);
        return data->x != NULL;
    }
    tn_fail(TN_INVALID_ARGUMENT, "'%s': data with labels comes as .npz or .csv", path);
    return false;
}
