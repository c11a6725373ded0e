/* files.c - cases of kind "files": a model as Keras 2 or 3 saved it, in every format that is opened here. Each must give the recorded
 * outputs, give them again from every format it is saved in, and train on with the recorded losses. */
#include "conformance/conformance.h"
#include "nn/config.h"
#include "support/check.h"
#include <stdio.h>
#include <string.h>

typedef struct {
    golden_case *c;
    verdict *v;
    char folder[512];
    tn_tensor *input, *output; /* tuples for several */
    size_t outputs;
} file_case;

static const char *path_in(const file_case *f, const char *name)
{
    return tn_format("%s/%s", f->folder, name);
}

static tn_tensor *one_or_tuple(tn_tensor *const *items, size_t count)
{
    return count == 1 ? items[0] : tn_tuple_of(tn_list_of(count, items));
}

static bool load_io(file_case *f)
{
    const json_t *io = json_object_get(golden_json(f->c), "io"), *inputs = json_object_get(io, "inputs"), *outputs = json_object_get(io, "outputs");
    const char *path = path_in(f, tn__json_text(io, "file"));
    tn_tensor *items[16];
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(inputs) && i < 16; i++)
        items[count++] = tn_load_array(path, json_string_value(json_array_get(inputs, i)));
    f->input = no_error(f->v, "inputs") ? one_or_tuple(items, count) : NULL;
    for (count = 0; count < json_array_size(outputs) && count < 16; count++)
        items[count] = tn_load_array(path, tn__json_text(json_array_get(outputs, count), "key"));
    f->output = no_error(f->v, "outputs") ? one_or_tuple(items, count) : NULL;
    f->outputs = count;
    return f->input && f->output;
}

/* A model of classes that are not there yet is skipped; any other failure is one. */
static tn_model *loaded(file_case *f, tn_model *model, const char *what)
{
    if (model)
        return model;
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    const char *unknown = error ? strstr(error->message, "nobody knows: ") : NULL;
    if (!unknown && error)
        unknown = strstr(error->first_line, "Unknown layer: ");
    if (unknown)
        skip_case(f->v, "%.*s", (int)strcspn(unknown, "\n"), unknown);
    else
        fail_case(f->v, "%s: %s", what, error ? error->message : "no error, and no model");
    return NULL;
}

static bool check_outputs(file_case *f, tn_model *model, const char *what)
{
    tn_tensor *got = tn_predict(model, f->input, .verbose = 0);
    if (!no_error(f->v, what))
        return false;
    for (size_t i = 0; i < f->outputs; i++) {
        tn_tensor *want = f->outputs == 1 ? f->output : tn_item(f->output, i);
        if (!same(f->v, f->c, f->outputs == 1 ? got : tn_item(got, i), want, what))
            return false;
    }
    return true;
}

/* Every weight zero, so that a load that does nothing shows. */
static bool clear_weights(file_case *f, tn_model *model)
{
    tn_list variables = tn_variables(model);
    for (size_t i = 0; i < variables.count; i++)
        tn_assign(variables.item[i], tn_zeros(variables.item[i]->shape, (tn_dtype)variables.item[i]->dtype));
    return no_error(f->v, "clearing the weights");
}

static bool check_weights_file(file_case *f, tn_model *model, const char *path, const char *what)
{
    if (!clear_weights(f, model) || (tn_load_weights(model, path) != TN_OK && !no_error(f->v, what)))
        return false;
    return check_outputs(f, model, what);
}

/* The losses that Keras reported for the next batches. */
static bool check_training(file_case *f, const char *path, const char *what)
{
    const json_t *training = json_object_get(golden_json(f->c), "training"), *losses = json_object_get(training, "losses_reported_steps_3_5");
    if (!json_is_array(losses))
        return true;
    const char *data = path_in(f, tn__json_text(training, "file"));
    tn_tensor *x = tn_load_array(data, "X"), *y = tn_load_array(data, "Y");
    tn_model *model = loaded(f, tn_load_model(path), what);
    if (model && !tn_is_compiled(model))
        return skip_case(f->v, "compiled with what is not there yet");
    for (int64_t step = 3; step < 6 && model; step++) {
        tn_shape rows = { 1, x->shape.rank - 1, { 0 } }, labels = { 1, y->shape.rank - 1, { 0 } };
        memcpy(rows.dims, x->shape.dims + 1, sizeof(int64_t) * (size_t)rows.rank);
        memcpy(labels.dims, y->shape.dims + 1, sizeof(int64_t) * (size_t)labels.rank);
        tn_tensor *logs = tn_train_on_batch(model, tn_reshape(tn_rows(x, step, step + 1), rows), tn_reshape(tn_rows(y, step, step + 1), labels));
        tn_tensor *loss = tn_rows(logs, 0, 1);
        float wanted = (float)json_number_value(json_array_get(losses, (size_t)step - 3));
        if (!same(f->v, f->c, loss, tn_constant(TN_FLOAT32, TN_SHAPE(1), &wanted), tn_format("%s: loss of step %d", what, (int)step)))
            return false;
    }
    return model != NULL;
}

/* Saved by us in each format and opened again, the numbers stay, and training goes on from there. */
static bool check_saved_as(file_case *f, tn_model *model, const char *name, int keras)
{
    const char *path = temporary_path(name), *what = tn_format("saved as %s for Keras %d", name, keras);
    if (tn_save(model, path, .keras = keras) != TN_OK)
        return no_error(f->v, what);
    tn_model *again = loaded(f, tn_load_model(path), what);
    return again && check_outputs(f, again, what) && check_training(f, path, what);
}

static bool check_saved_again(file_case *f, tn_model *model)
{
    bool old = strcmp(tn__json_text(golden_json(f->c), "era"), "k2") == 0;
    if (!check_saved_as(f, model, "again.keras", 0) || !check_saved_as(f, model, "again.h5", 0) || !check_saved_as(f, model, "again.h5", 3) ||
        (old && !check_saved_as(f, model, "again.h5", 2)))
        return false;
    if (old && !check_saved_as(f, model, "again_folder", 0))
        return false;
    const char *weights = temporary_path("again.weights.h5");
    if (tn_save_weights(model, weights) != TN_OK)
        return no_error(f->v, "saving weights");
    const char *prefix = temporary_path("again");
    if (!check_weights_file(f, model, weights, "saved as again.weights.h5"))
        return false;
    if (tn_save_weights(model, prefix) != TN_OK)
        return no_error(f->v, "saving a checkpoint");
    return check_weights_file(f, model, prefix, "saved as a checkpoint");
}

/* TensorFlow's checkpoints: folders, whose file `checkpoint` says which. */
static bool check_checkpoints(file_case *f, const char *json)
{
    const json_t *files = json_object_get(golden_json(f->c), "files");
    static const char *const formats[] = { "tf_checkpoint", "tf_checkpoint_save_weights" };
    for (size_t i = 0; i < 2; i++) {
        const char *name = tn__json_text(files, formats[i]);
        tn_model *fresh = name ? loaded(f, tn_load_json(path_in(f, json)), "json") : NULL;
        const char *prefix = fresh ? tn_latest_checkpoint(path_in(f, name)) : NULL;
        if (name && !prefix)
            return fresh ? fail_case(f->v, "%s: no checkpoint is there", formats[i]) : false;
        if (name && !check_weights_file(f, fresh, prefix, formats[i]))
            return false;
    }
    return true;
}

/* SavedModels: Keras 2's, whose layers are made again, and exported functions. That of a graph of TensorFlow 1 is no model's. */
static bool check_saved_models(file_case *f)
{
    const json_t *files = json_object_get(golden_json(f->c), "files");
    static const char *const formats[] = { "savedmodel", "savedmodel_export" };
    for (size_t i = 0; i < 2 && tn__json_text(golden_json(f->c), "model"); i++) {
        const char *name = tn__json_text(files, formats[i]);
        tn_model *model = name ? loaded(f, tn_load_model(path_in(f, name)), formats[i]) : NULL;
        if (name && (!model || !check_outputs(f, model, formats[i])))
            return false;
        if (name && i == 0 && !check_training(f, path_in(f, name), formats[i]))
            return false;
    }
    return true;
}

static bool check_formats(file_case *f)
{
    const json_t *files = json_object_get(golden_json(f->c), "files");
    static const char *const models[] = { "keras_zip", "legacy_h5" }, *const weights[] = { "weights_h5", "legacy_weights_h5" };
    tn_model *model = NULL;
    for (size_t i = 0; i < 2; i++) {
        const char *name = tn__json_text(files, models[i]);
        if (!name)
            continue;
        model = loaded(f, tn_load_model(path_in(f, name)), models[i]);
        if (!model || !check_outputs(f, model, models[i]) || !check_training(f, path_in(f, name), models[i]))
            return false;
    }
    const char *json = tn__json_text(files, "json");
    if (json && !check_checkpoints(f, json))
        return false;
    if (!check_saved_models(f))
        return false;
    for (size_t i = 0; i < 2 && json; i++) {
        const char *name = tn__json_text(files, weights[i]);
        tn_model *fresh = name ? loaded(f, tn_load_json(path_in(f, json)), "json") : NULL;
        if (name && (!fresh || !check_weights_file(f, fresh, path_in(f, name), weights[i])))
            return false;
        model = model ? model : fresh;
    }
    return model ? check_saved_again(f, model) : skip_case(f->v, "no format of it is opened yet");
}

/* --- a graph of TensorFlow 1 ------------------------------------------------------------------------------------------------- */
/* "layer1/w:0" is the array "final__layer1__w:0". */
static tn_tensor *final_value(const file_case *f, const char *io, const char *name)
{
    char array[256] = "final__";
    size_t at = strlen(array);
    for (; *name && at < sizeof array - 2; name++) {
        array[at++] = *name == '/' ? '_' : *name;
        if (*name == '/')
            array[at++] = '_';
    }
    array[at] = '\0';
    return tn_load_array(path_in(f, io), array);
}

/* Every global variable, restored into a graph that begins with zeros. */
static bool check_graph(file_case *f, const char *io, const char *prefix, const char *what)
{
    const json_t *names = json_object_get(golden_json(f->c), "global_variables");
    tn_variable *variables[32];
    tn_tensor *wanted[32];
    size_t count = json_array_size(names);
    for (size_t i = 0; i < count && i < 32; i++)
        wanted[i] = final_value(f, io, json_string_value(json_array_get(names, i)));
    tn_tensor *x = tn_load_array(path_in(f, io), "X"), *logits = tn_load_array(path_in(f, io), "logits");
    if (!no_error(f->v, what) || count < 3 || count > 32)
        return fail_case(f->v, "%s: %zu variables", what, count);
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        variables[i] = tn_variable(tn_zeros_like(wanted[i]), .name = tn_format("%.*s", (int)strcspn(name, ":"), name));
    }
    tn_tensor *hidden = tn_tanh(tn_add(tn_matmul(x, variables[0]), variables[1])), *y = tn_matmul(hidden, variables[2]);
    tn_session *session = tn_session();
    if (tn_saver_restore(tn_saver(), session, prefix) != TN_OK)
        return no_error(f->v, what);
    for (size_t i = 0; i < count; i++)
        if (!same(f->v, f->c, tn_run(session, variables[i]), wanted[i], tn_format("%s: %s", what, tn_name(variables[i]))))
            return false;
    return same(f->v, f->c, tn_run(session, y), logits, tn_format("%s: logits", what));
}

static void replay_graph(file_case *f)
{
    const json_t *files = json_object_get(golden_json(f->c), "files");
    const char *io = tn__json_text(json_object_get(golden_json(f->c), "io"), "file");
    static const char *const formats[][2] = { { "saver_v1", "model.ckpt" }, { "saver_v2", "model.ckpt-5" } };
    for (size_t i = 0; i < 2; i++) {
        const char *folder = tn__json_text(files, formats[i][0]);
        if (!folder || !check_graph(f, io, tn_format("%s/%s", path_in(f, folder), formats[i][1]), formats[i][0]))
            return;
    }
}

void replay_files(golden_case *c, verdict *v)
{
    file_case f = { .c = c, .v = v };
    const char *name = tn__json_text(golden_json(c), "name"); /* "mlp.k2" */
    snprintf(f.folder, sizeof f.folder, "%s/files/%.*s", golden_folder(c), name ? (int)strcspn(name, ".") : 0, name ? name : "");
    if (!json_is_object(json_object_get(golden_json(c), "io"))) {
        skip_case(v, "no inputs and outputs are recorded");
        return;
    }
    if (json_is_array(json_object_get(golden_json(c), "global_variables")))
        replay_graph(&f);
    else if (load_io(&f))
        (void)!check_formats(&f);
}
