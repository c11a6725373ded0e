/* diff.c - two models or weight files side by side: as models, by full names, when both can be
 * made; else as the arrays that stand in the files. */
#include "saving/diff.h"
#include "nn/config.h"
#include "nn/naming.h"
#include "saving/checkpoint.h"
#include "saving/findings.h"
#include "saving/json.h"
#include "saving/parts.h"
#include "saving/trainer_state.h"
#include "train/loss.h"
#include <math.h>
#include <string.h>

typedef struct {
    const tn__diff_file *file;
    char *last;                /* of a folder of checkpoints the last one */
    const char *path;          /* that, or the file's; NULL: data */
    json_t *config, *compiled; /* in the words of the file, or in Keras 3's of the model */
    tn_model *model;           /* the innermost scope's; NULL: it was not made */
    bool is_model, is_checkpoint, has_values;
    tn__named set;
} side;

typedef struct {
    tn_context *context;
    side a, b;
    double tolerance;
    json_t *out, *variables, *configs, *notes;
    size_t differences;
    size_t common; /* names */
    bool by_names; /* by others than those of the files */
} comparison;

static const char AS_IT_STANDS[] = "as it stands in the files";

/* --- the two files ---------------------------------------------------------------------------- */
static tn_status note(comparison *c, const char *format, ...) TN_PRINTF(2, 3);
static tn_status note(comparison *c, const char *format, ...)
{
    tn__text text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    tn__text_add_v(&text, format, arguments);
    va_end(arguments);
    json_t *line = json_string(tn__text_get(&text));
    tn__text_free(&text);
    if (!line)
        line = json_string("what a file says is no UTF-8");
    return line && json_array_append_new(c->notes, line) == 0 ? TN_OK : tn__fail_memory(0);
}

static void take_parts(side *s, tn__parts *parts)
{
    s->config = json_incref(parts->config);
    s->compiled = json_incref(parts->compiled);
    tn__parts_free(parts);
}

static tn_status read_file(side *s)
{
    tn__source source;
    tn__parts parts;
    TN_TRY(tn__source_open(s->path, s->file->data, false, s->file->limit, &source));
    s->has_values = tn__source_format(&source) != TN__FORMAT_JSON;
    s->is_checkpoint = tn__source_format(&source) == TN__FORMAT_TABLE;
    tn_status status = tn__parts_read(&source, &parts);
    s->is_model = parts.config != NULL;
    take_parts(s, &parts);
    if (status != TN_OK)
        tn__fail_note("while reading '%s'", source.name);
    tn__source_close(&source);
    return status;
}

/* Of a SavedModel a model is made also where it has no layers. */
static tn_status read_folder(side *s)
{
    tn__saved_folder folder;
    tn__parts parts = { 0 };
    tn_status status = tn__saved_folder_open(s->path, s->file->limit, &folder);
    if (status == TN_OK)
        status = tn__parts_of_folder(&folder, &parts);
    if (status != TN_OK)
        tn__fail_note("while reading '%s'", s->path);
    take_parts(s, &parts);
    tn__saved_folder_close(&folder);
    s->is_model = true;
    return status;
}

static tn_status read_side(side *s)
{
    s->has_values = true;
    s->path = s->file->path;
    if (s->file->data.data)
        return read_file(s);
    TN_TRY(tn__checkpoint_find(s->path, &s->last));
    s->path = s->last ? s->last : s->path;
    s->is_checkpoint = tn__checkpoint_is_prefix(s->path);
    if (s->is_checkpoint)
        return TN_OK;
    return tn__saved_folder_is(s->path) ? read_folder(s) : read_file(s);
}

static tn_model *make(const side *s)
{
    if (!s->has_values) {
        char *text = tn__json_dump(s->config);
        tn_model *model = text ? tn_model_from_json(text) : NULL;
        tn__free(text);
        return model;
    }
    return tn_load_model_with(&(tn_load_options){ .size_ = sizeof(tn_load_options),
                                                  .compile = true,
                                                  .path = s->path,
                                                  .limit = s->file->limit,
                                                  .data = s->file->data.data,
                                                  .size = s->file->data.size });
}

/* Layers that the file gives no name are called the same in both. */
static tn_model *load(const comparison *c, const side *s)
{
    struct tn__names *before = tn__names_begin(c->context);
    tn_model *model = make(s);
    tn__names_end(c->context, before);
    return model;
}

/* Why a model could not be made is a note: something is compared all the same. */
static tn_status give_up(comparison *c, const side *s, const char *how)
{
    const tn__error_state *error = tn__errors();
    if (error->status == TN_RESOURCE_EXHAUSTED)
        return error->status;
    char *line = tn__print("%.*s", (int)strcspn(error->text, "\n"), error->text);
    tn__fail_clear();
    tn_status status = line
                           ? note(c, "compared %s: %s: %s", how, s->path ? s->path : "memory", line)
                           : TN_RESOURCE_EXHAUSTED;
    tn__free(line);
    return status;
}

/* Weights alone become a model with the other file's architecture. */
static tn_status load_with(comparison *c, side *weights, const side *other)
{
    const tn__diff_file *f = weights->file;
    weights->model = load(c, other);
    const tn_load_weights_options o = { .size_ = sizeof o,
                                        .layer = weights->model,
                                        .path = weights->path,
                                        .limit = f->limit,
                                        .data = f->data.data,
                                        .size = f->data.size };
    if (weights->model && tn_load_weights_with(&o) == TN_OK)
        return TN_OK;
    weights->model = NULL;
    return give_up(c, weights, weights->is_checkpoint ? "by names" : AS_IT_STANDS);
}

static tn_status load_models(comparison *c)
{
    side *sides[] = { &c->a, &c->b };
    for (int i = 0; i < 2; i++) {
        if (sides[i]->is_model && !(sides[i]->model = load(c, sides[i])))
            TN_TRY(give_up(c, sides[i], AS_IT_STANDS));
    }
    for (int i = 0; i < 2; i++) {
        side *one = sides[i], *other = sides[1 - i];
        if (!one->is_model && other->model)
            TN_TRY(load_with(c, one, other));
    }
    return TN_OK;
}

static tn_status list_side(side *s)
{
    tn__named_close(&s->set);
    if (s->model)
        return tn__named_of_model(s->model, &s->set);
    return tn__named_open(s->path, s->file->data, s->file->limit, &s->set);
}

static tn_status list_both(comparison *c)
{
    TN_TRY(list_side(&c->a));
    return list_side(&c->b);
}

/* How many names of one are names of the other; `full` chooses each one's. */
static tn_status count_common(const comparison *c, const bool full[2], size_t *count)
{
    tn__map names = { 0 };
    const tn__named *a = &c->a.set, *b = &c->b.set;
    tn_status status = TN_OK;
    *count = 0;
    for (size_t i = 0; i < a->count && status == TN_OK; i++)
        status = tn__map_set(&names, tn__named_name(&a->item[i], full[0]), &a->item[i]);
    for (size_t i = 0; i < b->count && status == TN_OK; i++)
        *count += tn__map_get(&names, tn__named_name(&b->item[i], full[1])) != NULL;
    tn__map_free(&names);
    return status;
}

/* Each set by those of its two names that bring most of them together. */
static tn_status bring_together(comparison *c)
{
    bool best[2] = { false, false };
    TN_TRY(count_common(c, best, &c->common));
    for (int way = 1; way < 4; way++) {
        const bool full[2] = { way & 1, way & 2 };
        size_t count;
        TN_TRY(count_common(c, full, &count));
        if (count <= c->common)
            continue;
        c->common = count;
        memcpy(best, full, sizeof best);
    }
    c->by_names = best[0] || best[1];
    if (c->by_names)
        TN_TRY(note(c, "the two have other names for the same variables: they are compared by the "
                       "full names, where those are told"));
    if (best[0])
        TN_TRY(tn__named_by_full_names(&c->a.set));
    return best[1] ? tn__named_by_full_names(&c->b.set) : TN_OK;
}

/* A model stands also beside a checkpoint that does not fit it, when there is a name in common. */
static tn_status list_variables(comparison *c)
{
    side *a = &c->a, *b = &c->b;
    bool mixed = (a->model && b->is_checkpoint) || (b->model && a->is_checkpoint);
    if (!mixed && (!a->model || !b->model))
        a->model = b->model = NULL;
    TN_TRY(list_both(c));
    TN_TRY(bring_together(c));
    if ((a->model && b->model) || !mixed || c->common > 0)
        return TN_OK;
    a->model = b->model = NULL;
    return list_both(c);
}

/* --- variables -------------------------------------------------------------------------------- */
/* *largest: of all places; infinite where only one of the two is a number. */
static bool are_equal(const tn_tensor *a, const tn_tensor *b, double tolerance, double *largest)
{
    bool equal = true;
    *largest = 0;
    for (int64_t i = 0; i < tn__count(a); i++) {
        double x = tn__double_at(a, i), y = tn__double_at(b, i);
        if (x == y || (isnan(x) && isnan(y)))
            continue;
        double difference = fabs(x - y);
        *largest = isnan(difference) ? INFINITY : fmax(*largest, difference);
        equal &= difference <= tolerance;
    }
    return equal;
}

static tn_status compare_values(const comparison *c, const tn__named_array *a,
                                const tn__named_array *b, bool *equal, double *largest)
{
    tn_tensor *x = NULL, *y = NULL;
    tn_status status = tn__named_value(&c->a.set, a, &x);
    if (status == TN_OK)
        status = tn__named_value(&c->b.set, b, &y);
    if (status == TN_OK)
        *equal = are_equal(x, y, c->tolerance, largest);
    tn__release(x);
    tn__release(y);
    return status;
}

static json_t *side_json(const tn__named_array *array)
{
    if (!array)
        return json_null();
    return json_pack("{s:o, s:s}", "shape", tn__shape_to_json(&array->shape), "dtype",
                     array->dtype ? tn__dtype_name(array->dtype) : "no numbers");
}

static tn_status add_entry(comparison *c, const char *name, const tn__named_array *a,
                           const tn__named_array *b, json_t *largest, bool equal)
{
    json_t *entry = json_pack("{s:o, s:o, s:o, s:o, s:b}", "name", tn__json_shown(name), "a",
                              side_json(a), "b", side_json(b), "largest", largest, "equal", equal);
    c->differences += !equal;
    return entry && json_array_append_new(c->variables, entry) == 0 ? TN_OK : tn__fail_memory(0);
}

static tn_status add_pair(comparison *c, const tn__named_array *a, const tn__named_array *b)
{
    bool alike = a->dtype == b->dtype && tn__shape_equal(&a->shape, &b->shape);
    bool values = c->a.has_values && c->b.has_values && a->dtype && b->dtype &&
                  tn__shape_equal(&a->shape, &b->shape),
         same = true;
    double largest = 0;
    if (values)
        TN_TRY(compare_values(c, a, b, &same, &largest));
    if (c->a.has_values && c->b.has_values && alike && !a->dtype)
        TN_TRY(note(c, "'%s' holds no numbers and is not compared", a->name));
    json_t *number = !values             ? json_null()
                     : isfinite(largest) ? json_real(largest)
                                         : json_string("infinite");
    return add_entry(c, a->name, a, b, number, alike && same);
}

static tn_status compare_variables(comparison *c)
{
    const tn__named *a = &c->a.set, *b = &c->b.set;
    for (size_t i = 0; i < a->count; i++) {
        const tn__named_array *one = &a->item[i], *other = tn__named_find(b, one->name);
        TN_TRY(other ? add_pair(c, one, other)
                     : add_entry(c, one->name, one, NULL, json_null(), false));
    }
    for (size_t i = 0; i < b->count; i++)
        if (!tn__named_find(a, b->item[i].name))
            TN_TRY(add_entry(c, b->item[i].name, NULL, &b->item[i], json_null(), false));
    return TN_OK;
}

/* --- configs ---------------------------------------------------------------------------------- */
/* "mse" and "mean_squared_error" are one loss; an optimizer's name is a label, which each
 * generation of Keras writes in its own way. */
static tn_status settle_words(json_t *compiled)
{
    const char *loss = tn__json_text(compiled, "loss");
    tn_loss *parsed = NULL;
    json_object_del(json_object_get(json_object_get(compiled, "optimizer"), "config"), "name");
    tn_status status = loss ? tn__loss_parse(loss, &parsed) : TN_OK;
    if (status == TN_OK && parsed)
        status = tn__json_set(compiled, "loss", json_string(parsed->thing.of->name));
    tn__release(parsed);
    return status;
}

/* Models of two generations of Keras say the same in other words: both in Keras 3's. */
static tn_status reword(side *s)
{
    json_t *config = tn__layer_to_json(s->model, TN__KERAS_3), *compiled = NULL;
    if (!config)
        return tn__errors()->status;
    json_decref(s->config);
    s->config = config;
    TN_TRY(tn__trainer_config(s->model, TN__ARCHIVE, &compiled));
    json_decref(s->compiled);
    s->compiled = compiled;
    return settle_words(compiled);
}

static tn_status reword_both(comparison *c)
{
    side *sides[] = { &c->a, &c->b };
    for (int i = 0; i < 2; i++) {
        tn_status status = reword(sides[i]);
        if (status == TN_RESOURCE_EXHAUSTED)
            return status;
        if (status != TN_OK)
            TN_TRY(give_up(c, sides[i], AS_IT_STANDS));
    }
    return TN_OK;
}

static tn_status compare_configs(comparison *c)
{
    if (!c->a.config || !c->b.config)
        return TN_OK;
    if (c->a.model && c->b.model)
        TN_TRY(reword_both(c));
    TN_TRY(tn__diff_configs(c->a.config, c->b.config, c->configs));
    if (c->a.has_values && c->b.has_values)
        TN_TRY(tn__diff_compiled(c->a.compiled, c->b.compiled, c->configs));
    c->differences += json_array_size(c->configs);
    return TN_OK;
}

/* --- the report ------------------------------------------------------------------------------- */
static tn_status begin(comparison *c)
{
    const char *a = c->a.file->path ? c->a.file->path : "memory";
    const char *b = c->b.file->path ? c->b.file->path : "memory";
    c->out = json_pack("{s:o, s:o, s:f, s:n, s:[], s:[], s:[], s:n}", "a", tn__json_shown(a), "b",
                       tn__json_shown(b), "tolerance", c->tolerance, "compared", "variables",
                       "configs", "notes", "differences");
    c->variables = json_object_get(c->out, "variables");
    c->configs = json_object_get(c->out, "configs");
    c->notes = json_object_get(c->out, "notes");
    return c->out ? TN_OK : tn__fail_memory(0);
}

static const char *way(const comparison *c)
{
    bool names = c->by_names || c->a.model || c->b.model;
    return c->a.model && c->b.model ? "models" : names ? "names" : "arrays";
}

/* ".weights.h5" numbers its weights, ".h5" names them. */
static tn_status finish(comparison *c)
{
    if (c->common == 0 && c->a.set.count && c->b.set.count)
        TN_TRY(note(c, "the two have no name in common; files of two formats call the same weights "
                       "differently: make both whole models, which are compared by full names"));
    if (!c->a.has_values || !c->b.has_values)
        TN_TRY(note(
            c, "an architecture has no values: names, shapes, dtypes and configs are compared"));
    TN_TRY(tn__json_set(c->out, "compared", json_string(way(c))));
    return tn__json_set(c->out, "differences", json_integer((json_int_t)c->differences));
}

static tn_status compare_files(comparison *c)
{
    TN_TRY(begin(c));
    TN_TRY(read_side(&c->a));
    TN_TRY(read_side(&c->b));
    TN_TRY(load_models(c));
    TN_TRY(list_variables(c));
    TN_TRY(compare_variables(c));
    TN_TRY(compare_configs(c));
    return finish(c);
}

static void side_free(side *s)
{
    json_decref(s->config);
    json_decref(s->compiled);
    tn__free(s->last);
    tn__named_close(&s->set);
}

tn_status tn__diff(tn_context *context, const tn__diff_file *a, const tn__diff_file *b,
                   double tolerance, json_t **report)
{
    comparison c = { .context = context, .a.file = a, .b.file = b, .tolerance = tolerance };
    size_t depth = tn__scope_begin("diff");
    tn_status status = compare_files(&c);
    side_free(&c.a);
    side_free(&c.b);
    tn__scope_end(depth);
    if (status == TN_OK)
        *report = c.out;
    else
        json_decref(c.out);
    return status;
}

tn_findings tn_diff_with(const tn_diff_options *o)
{
    const tn_findings none = { NULL, 0 };
    TN__ENTER_OPTIONS(context, o, none);
    json_t *report;
    if (!o->a || !o->b || !(o->tolerance >= 0)) {
        tn__fail(TN_INVALID_ARGUMENT, !o->a || !o->b ? "tn_diff: two paths are needed, got NULL"
                                                     : "tn_diff: tolerance must be 0 or more");
        return none;
    }
    const tn__diff_file a = { .path = o->a }, b = { .path = o->b };
    if (tn__diff(context, &a, &b, o->tolerance, &report) != TN_OK)
        return none;
    return tn__findings(report, "differences", o->json, tn__diff_text);
}
