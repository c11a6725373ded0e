/* Computes what random_models.py recorded of Keras, of every model in a folder, and compares:
 * outputs, gradients in training, the losses of five steps and the weights after them. Saves the
 * trained models for Keras to open. Prints "SEED what differs" a model that does not agree; exits
 * with 1 when there is one. interop_random FOLDER */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon.h>

enum { STEPS = 5 };
static const char *folder;

typedef struct {
    int seed;
    char format[8];
    size_t heads;
    char loss[4][64];
    float loss_weight[4];
    tn_named_list arrays;
    tn_tensor *x, *y, *weight;
} recorded;

/* --- comparing
 * ------------------------------------------------------------------------------------------------------------
 */
static bool failed(const recorded *r, const char *what)
{
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    if (error)
        printf("%d %s: %.400s\n", r->seed, what,
               tn_format("%.*s", (int)strcspn(error->message, "\n"), error->message));
    return error;
}

static tn_tensor *array(const recorded *r, const char *name)
{
    for (size_t i = 0; i < r->arrays.count; i++)
        if (strcmp(r->arrays.name[i], name) == 0)
            return r->arrays.item[i];
    return NULL;
}

static const char *place(tn_shape shape, int64_t index)
{
    const char *text = "";
    for (int i = shape.rank - 1; i >= 0; i--) {
        text = tn_format("%lld%s%s", (long long)(index % shape.dims[i]), *text ? ", " : "", text);
        index /= shape.dims[i];
    }
    return text;
}

static bool same_shape(tn_shape a, tn_shape b)
{
    bool same = a.rank == b.rank;
    for (int i = 0; i < a.rank && same; i++)
        same = a.dims[i] == b.dims[i];
    return same;
}

/* The corpus's tolerances. An element near zero may be the sum of terms as large as the largest
 * elements are: the absolute part goes with those. */
static bool alike(const recorded *r, tn_tensor *got, tn_tensor *want, const char *what)
{
    if (failed(r, what))
        return false;
    if (!got || !want || !same_shape(tn_shape_of(got), tn_shape_of(want))) {
        printf("%d %s: %s, want %s\n", r->seed, what, got ? tn_shape_text(got) : "none",
               want ? tn_shape_text(want) : "none");
        return false;
    }
    tn_shape shape = tn_shape_of(want);
    const float *a = tn_data_float32(tn_cast(got, TN_FLOAT32)),
                *b = tn_data_float32(tn_cast(want, TN_FLOAT32));
    int64_t count = tn_to_int(tn_size(want));
    float largest = 1;
    if (failed(r, what))
        return false;
    for (int64_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(b[i]));
    for (int64_t i = 0; i < count; i++)
        if (!(fabsf(a[i] - b[i]) <= 1e-5f * largest + 1e-4f * fabsf(b[i]))) {
            printf("%d %s: [%s] is %.9g, want %.9g\n", r->seed, what, place(shape, i), a[i], b[i]);
            return false;
        }
    return true;
}

/* --- what was recorded
 * ----------------------------------------------------------------------------------------------------
 */
static tn_tensor *series(const recorded *r, const char *name)
{
    tn_tensor *items[16];
    size_t count = 0;
    while (count < 16 && (items[count] = array(r, tn_format("%s%zu", name, count))))
        count++;
    return count == 1 ? items[0] : tn_tuple_of(tn_list_of(count, items));
}

/* "17 keras mean_squared_error:1.0 huber:0.5" */
static bool read_line(recorded *r, char *line)
{
    char *rest = line, *word = strtok_r(line, " \n", &rest);
    *r = (recorded){ .seed = word ? atoi(word) : -1 };
    word = strtok_r(NULL, " \n", &rest);
    snprintf(r->format, sizeof r->format, "%s", word ? word : "");
    while ((word = strtok_r(NULL, " \n", &rest)) && r->heads < 4) {
        char *colon = strchr(word, ':');
        if (!colon)
            return false;
        r->loss_weight[r->heads] = strtof(colon + 1, NULL);
        snprintf(r->loss[r->heads++], sizeof r->loss[0], "%.*s", (int)(colon - word), word);
    }
    return r->heads > 0;
}

static bool read_arrays(recorded *r)
{
    r->arrays = tn_load_arrays(tn_format("%s/%d.npz", folder, r->seed));
    r->x = series(r, "in");
    r->y = series(r, "label");
    r->weight = array(r, "weight");
    return !failed(r, "its arrays");
}

static tn_model *load(const recorded *r)
{
    return tn_load_model(tn_format("%s/%d.%s", folder, r->seed, r->format));
}

/* --- the loss
 * -------------------------------------------------------------------------------------------------------------
 */
static tn_loss *plain_loss(const char *name)
{
    static const struct {
        const char *name;
        tn_loss *(*make)(const tn_loss_options *options);
    } losses[] = {
        { "mean_squared_error", tn_mean_squared_error_new },
        { "mean_absolute_error", tn_mean_absolute_error_new },
        { "mean_absolute_percentage_error", tn_mean_absolute_percentage_error_new },
        { "mean_squared_logarithmic_error", tn_mean_squared_logarithmic_error_new },
        { "log_cosh", tn_log_cosh_new },
        { "poisson", tn_poisson_new },
        { "kl_divergence", tn_kl_divergence_new },
        { "hinge", tn_hinge_new },
        { "squared_hinge", tn_squared_hinge_new },
    };
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        if (strcmp(losses[i].name, name) == 0)
            return losses[i].make(
                &(tn_loss_options){ .size_ = sizeof(tn_loss_options), TN_LOSS_DEFAULTS });
    return tn_fail(TN_INVALID_ARGUMENT, "no loss %s", name);
}

static tn_loss *loss_of(const char *name)
{
    if (strcmp(name, "huber") == 0)
        return tn_huber();
    if (strcmp(name, "cosine_similarity") == 0)
        return tn_cosine_similarity();
    if (strncmp(name, "binary_crossentropy", 19) == 0)
        return tn_binary_crossentropy(.from_logits = name[19] != 0);
    if (strcmp(name, "categorical_crossentropy_smooth") == 0)
        return tn_categorical_crossentropy(.from_logits = true, .label_smoothing = 0.1);
    if (strcmp(name, "categorical_crossentropy") == 0)
        return tn_categorical_crossentropy();
    if (strncmp(name, "sparse_categorical_crossentropy", 31) == 0)
        return tn_sparse_categorical_crossentropy(.from_logits = name[31] != 0);
    return plain_loss(name);
}

/* What Keras's compute_loss gives: the losses of all outputs, and what layers and regularizers add.
 */
static tn_tensor *total_loss(const recorded *r, tn_model *model, tn_tensor *outputs)
{
    tn_list y = tn_items(r->y), y_pred = tn_items(outputs), more = tn_losses(model);
    tn_tensor *sum = NULL;
    for (size_t i = 0; i < r->heads; i++) {
        tn_loss *loss = loss_of(r->loss[i]);
        tn_list inputs = r->weight ? TN_LIST(tn_at(y, i), tn_at(y_pred, i), r->weight)
                                   : TN_LIST(tn_at(y, i), tn_at(y_pred, i));
        tn_tensor *value =
            tn_multiply(tn_call_with(loss, inputs, .mask = tn_mask(tn_at(y_pred, i))),
                        tn_scalar(r->loss_weight[i]));
        sum = sum ? tn_add(sum, value) : value;
    }
    for (size_t i = 0; i < more.count; i++)
        sum = tn_add(sum, more.item[i]);
    return sum;
}

/* --- what is compared
 * -----------------------------------------------------------------------------------------------------
 */
static bool check_outputs(const recorded *r, tn_model *model, const char *name)
{
    tn_list outputs = tn_items(tn_predict(model, r->x));
    for (size_t i = 0; i < r->heads; i++)
        if (!alike(r, tn_at(outputs, i), array(r, tn_format("%s%zu", name, i)),
                   tn_format("%s %zu", name, i)))
            return false;
    return true;
}

/* Of float inputs, then of trainable weights. */
static tn_list sources(const recorded *r, tn_model *model)
{
    tn_tensor *floats[16];
    size_t count = 0;
    tn_list inputs = tn_items(r->x);
    for (size_t i = 0; i < inputs.count; i++)
        if (tn_dtype_of(inputs.item[i]) == TN_FLOAT32)
            floats[count++] = inputs.item[i];
    return tn_list_concat(tn_list_of(count, floats), tn_trainable_variables(model));
}

static const char *name_of(tn_tensor *source)
{
    return tn_is_variable(source) ? tn_variable_path(source) : "an input";
}

static bool check_gradients(const recorded *r)
{
    tn_model *model = load(r);
    tn_list from = sources(r, model);
    tn_tape *tape = tn_gradient_tape();
    for (size_t i = 0; i < from.count; i++)
        if (!tn_is_variable(from.item[i]))
            tn_watch(tape, from.item[i]);
    tn_tensor *outputs = tn_call_with(model, tn_items(r->x), .training = true);
    tn_list found = tn_gradient(tape, total_loss(r, model, outputs), from);
    if (failed(r, "gradients"))
        return false;
    for (size_t i = 0; i < from.count; i++) {
        tn_tensor *want = array(r, tn_format("gradient%zu", i));
        if ((found.item[i] || want) &&
            !alike(r, found.item[i], want,
                   tn_format("gradient %zu, of %s", i, name_of(from.item[i]))))
            return false;
    }
    return true;
}

static tn_tensor *losses_of(const recorded *r, tn_model *model)
{
    float losses[STEPS];
    for (int i = 0; i < STEPS; i++) {
        TN_SCOPE;
        losses[i] = (float)tn_to_double(
            tn_slice(tn_train_on_batch(model, r->x, r->y, .sample_weight = r->weight), TN_SHAPE(0),
                     TN_SHAPE(1)));
    }
    return tn_constant(TN_FLOAT32, TN_SHAPE(STEPS), losses);
}

static bool check_training(const recorded *r, tn_model *model)
{
    if (!alike(r, losses_of(r, model), array(r, "losses"), "losses of five steps"))
        return false;
    tn_list weights = tn_variables(model);
    for (size_t i = 0; i < weights.count; i++)
        if (!alike(r, tn_read_value(weights.item[i]), array(r, tn_format("after%zu", i)),
                   tn_format("after five steps %s", tn_variable_path(weights.item[i]))))
            return false;
    return check_outputs(r, model, "trained");
}

static bool save(const recorded *r, tn_model *model)
{
    tn_status status =
        tn_save(model, tn_format("%s/%d.tenon.keras", folder, r->seed), .sync = false);
    if (status == TN_OK && strcmp(r->format, "h5") == 0)
        status = tn_save(model, tn_format("%s/%d.tenon.h5", folder, r->seed), .sync = false);
    return !failed(r, "saving") && status == TN_OK;
}

static bool check(recorded *r)
{
    TN_SCOPE;
    if (!read_arrays(r))
        return false;
    tn_model *model = load(r);
    return !failed(r, "loading") && check_outputs(r, model, "out") && check_gradients(r) &&
           check_training(r, model) && save(r, model);
}

int main(int argc, char **argv)
{
    char line[512];
    bool all = true;
    if (argc != 2) {
        fprintf(stderr, "usage: interop_random FOLDER\n");
        return 2;
    }
    folder = argv[1];
    FILE *list = fopen(tn_format("%s/models.txt", folder), "r");
    if (!list) {
        fprintf(stderr, "interop_random: no models.txt in %s\n", folder);
        return 2;
    }
    while (fgets(line, sizeof line, list)) {
        recorded r;
        all &= read_line(&r, line) && check(&r);
        fflush(stdout);
    }
    fclose(list);
    return all ? tn_report() : 1;
}
