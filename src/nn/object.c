/* object.c - from text to things and back. */
#include "nn/object.h"
#include "base/file.h"
#include "runtime/graph.h"
#include <ctype.h>
#include <string.h>


static const struct {
    const char *name, *module;
} kinds[TN__KINDS] = {
    [TN__INITIALIZER] = { "initializer", "keras.initializers" }, [TN__ACTIVATION] = { "activation", "keras.activations" },
    [TN__REGULARIZER] = { "regularizer", "keras.regularizers" }, [TN__CONSTRAINT] = { "constraint", "keras.constraints" },
    [TN__LOSS] = { "loss", "keras.losses" },                     [TN__METRIC] = { "metric", "keras.metrics" },
    [TN__OPTIMIZER] = { "optimizer", "keras.optimizers" },       [TN__SCHEDULE] = { "learning-rate schedule", "keras.optimizers.schedules" },
    [TN__V1_OPTIMIZER] = { "v1_optimizer", "tf.compat.v1.train" },
};

const char *tn__kind_name(tn__object_kind kind)
{
    return kinds[kind].name;
}

const char *tn__kind_module(tn__object_kind kind)
{
    return kinds[kind].module;
}

size_t tn__object_class_count(void)
{
    return tn__objects_count;
}

const tn__object_class *tn__object_class_at(size_t index)
{
    return tn__objects[index];
}

bool tn__among(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strncmp(at, word, length) == 0 && (at[length] == 0 || at[length] == '|'))
            return true;
    return false;
}

static bool is_snake_of(const char *name, const char *class_name)
{
    char snake[128];
    if (name[0] != (class_name[0] | 0x20)) /* its small letter: most names are seen to be others' at once */
        return false;
    tn__snake_case(class_name, snake, sizeof snake);
    return strcmp(snake, name) == 0;
}

const tn__object_class *tn__object_class_find(tn__object_kind kind, const char *name)
{
    for (size_t i = 0; i < tn__objects_count; i++) {
        const tn__object_class *of = tn__objects[i];
        if (of->kind == kind && (strcmp(of->name, name) == 0 || is_snake_of(name, of->name) || tn__among(of->aliases, name)))
            return of;
    }
    return NULL;
}

static tn_status fail_unknown(tn__object_kind kind, const char *name)
{
    tn__text known = { 0 };
    tn__nearest nearest = { .wanted = name };
    char snake[128], meant[96];
    for (size_t i = 0; i < tn__objects_count; i++) {
        if (tn__objects[i]->kind != kind)
            continue;
        tn__snake_case(tn__objects[i]->name, snake, sizeof snake);
        tn__nearest_try(&nearest, snake);
        tn__text_add(&known, "%s%s", known.bytes.size ? ", " : "", snake);
    }
    tn_status status = tn__fail(TN_INVALID_ARGUMENT, "Unknown %s: '%s'\n%sthere are: %s", kinds[kind].name, name,
                               tn__nearest_text(&nearest, meant), tn__text_get(&known));
    tn__text_free(&known);
    return status;
}

/* --- constructor text --------------------------------------------------------------------------------------------------- */
char *tn__next_part(char **text, char separator)
{
    char *start = *text, *at = start;
    int depth = 0;
    char quote = 0;
    if (!start)
        return NULL;
    for (; *at; at++) {
        if (quote)
            quote = *at == quote ? 0 : quote;
        else if (*at == '\'' || *at == '"')
            quote = *at;
        else if (strchr("([{", *at))
            depth++;
        else if (strchr(")]}", *at))
            depth--;
        else if (*at == separator && depth == 0)
            break;
    }
    *text = *at ? at + 1 : NULL;
    *at = 0;
    while (isspace((unsigned char)*start))
        start++;
    size_t length = strlen(start);
    while (length > 0 && isspace((unsigned char)start[length - 1]))
        start[--length] = 0;
    return start;
}

static tn_status add_argument(tn__constructor *c, char *part, const char *whole)
{
    if (!*part)
        return TN_OK;
    if (c->count == TN__MAX_ARGUMENTS)
        return tn__fail(TN_INVALID_ARGUMENT, "more than %d arguments in '%s'", TN__MAX_ARGUMENTS, whole);
    size_t key = strspn(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    char *equals = part + key + strspn(part + key, " ");
    c->argument[c->count].key = NULL;
    c->argument[c->count].value = part;
    if (key > 0 && *equals == '=') {
        part[key] = 0;
        c->argument[c->count].key = part;
        c->argument[c->count].value = equals + 1 + strspn(equals + 1, " ");
    }
    c->count++;
    return TN_OK;
}

tn_status tn__constructor_parse(const char *text, tn__constructor *c)
{
    *c = (tn__constructor){ .text = tn__strdup(text) };
    if (!c->text)
        return TN_RESOURCE_EXHAUSTED;
    char *name = c->text + strspn(c->text, " \t\n"), *open = strchr(name, '(');
    size_t length = strlen(name);
    while (length > 0 && isspace((unsigned char)name[length - 1]))
        name[--length] = 0;
    c->name = name;
    if (!open)
        return *name ? TN_OK : tn__fail(TN_INVALID_ARGUMENT, "a name is missing in '%s'", text);
    if (name[length - 1] != ')')
        return tn__fail(TN_INVALID_ARGUMENT, "'%s' has no closing parenthesis\nwritten like dense(10, activation=relu)", text);
    name[length - 1] = 0;
    *open = 0;
    for (char *end = open; end > name && isspace((unsigned char)end[-1]);)
        *--end = 0;
    for (char *rest = open + 1, *part; (part = tn__next_part(&rest, ','));)
        TN_TRY(add_argument(c, part, text));
    return *name ? TN_OK : tn__fail(TN_INVALID_ARGUMENT, "a name is missing in '%s'", text);
}

void tn__constructor_free(tn__constructor *c)
{
    tn__free(c->text);
    c->text = NULL;
}

static tn_status fail_argument(const tn_field *fields, const char *owner, const char *key)
{
    tn__text known = { 0 };
    TN__EACH_FIELD(field, fields)
        if (field->kind != TN_FIELD_VARIABLE && field->kind != TN_FIELD_LAYER && field->kind != TN_FIELD_POINTER)
            tn__text_add(&known, "%s%s", known.bytes.size ? ", " : "", field->name);
    tn_status status = key ? tn__fail(TN_INVALID_ARGUMENT, "%s has no argument '%s'\nit takes: %s", owner, key, tn__text_get(&known))
                           : tn__fail(TN_INVALID_ARGUMENT, "%s was given too many arguments\nit takes: %s", owner, tn__text_get(&known));
    tn__text_free(&known);
    return status;
}

const tn_field *tn__schedule_field(const tn_field *fields, const tn_field *field)
{
    if (strcmp(field->name, "learning_rate") == 0)
        TN__EACH_FIELD(other, fields)
            if (other->kind == TN_FIELD_SCHEDULE)
                return other;
    return field;
}

static bool names_schedule(const char *text)
{
    return strchr(text, '(') || tn__object_class_find(TN__SCHEDULE, text);
}

tn_status tn__constructor_fill(const tn__constructor *c, const tn_field *fields, void *instance, const char *owner,
                               tn_status (*other)(void *self, const char *key, const char *value), void *self)
{
    const tn_field *next = fields, *given[TN__MAX_ARGUMENTS];
    for (size_t i = 0; i < c->count; i++) {
        const char *key = c->argument[i].key;
        const tn_field *field = key ? tn__field_find(fields, key) : next;
        for (size_t k = 0; k < i; k++)
            if (field && field->name && given[k] == field)
                return tn__fail(TN_INVALID_ARGUMENT, "%s got multiple values for argument '%s'", owner, field->name);
        given[i] = field;
        if (!key && next && next->name)
            next++;
        if (field && field->name && names_schedule(c->argument[i].value))
            field = tn__schedule_field(fields, field);
        if (field && field->name) {
            TN_TRY(tn__field_parse(field, instance, c->argument[i].value, owner));
        } else if (key && other) {
            TN_TRY(other(self, key, c->argument[i].value));
        } else {
            return fail_argument(fields, owner, key);
        }
    }
    return TN_OK;
}

/* --- things ------------------------------------------------------------------------------------------------------------- */
tn_status tn__thing_default(const tn__object_class *of, tn__thing *thing)
{
    *thing = (tn__thing){ of, tn__alloc_zeroed(1, of->size) };
    if (!thing->self)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = tn__fields_default(of->fields, thing->self);
    if (status != TN_OK)
        tn__thing_free(thing);
    return status;
}

tn_status tn__thing_from_options(const tn__object_class *of, const void *options, tn__thing *thing)
{
    size_t size;
    *thing = (tn__thing){ of, NULL };
    memcpy(&size, options, sizeof size);
    if (size != of->options_size)
        return tn__fail(TN_INVALID_ARGUMENT, "%s: the options have %zu bytes, this library expects %zu: the program was compiled with other headers",
                        of->name, size, of->options_size);
    thing->self = tn__alloc_zeroed(1, of->size);
    if (!thing->self)
        return TN_RESOURCE_EXHAUSTED;
    memcpy(thing->self, options, size);
    tn_status status = tn__fields_own(of->fields, thing->self);
    if (status == TN_OK)
        status = tn__fields_settle(of->fields, thing->self, of->name);
    if (status == TN_OK)
        status = tn__fields_check(of->fields, thing->self, of->name);
    if (status != TN_OK)
        tn__thing_free(thing);
    return status;
}

void tn__thing_free(tn__thing *thing)
{
    if (thing->self)
        tn__fields_release(thing->of->fields, thing->self);
    tn__free(thing->self);
    *thing = (tn__thing){ NULL, NULL };
}

static tn_status fill_thing(tn__object_kind kind, const tn__constructor *c, tn__thing *thing)
{
    const tn__object_class *of = tn__object_class_find(kind, c->name);
    if (!of)
        return fail_unknown(kind, c->name);
    TN_TRY(tn__thing_default(of, thing));
    TN_TRY(tn__constructor_fill(c, of->fields, thing->self, of->name, NULL, NULL));
    return tn__fields_check(of->fields, thing->self, of->name);
}

tn_status tn__thing_parse(tn__object_kind kind, const char *text, tn__thing *thing)
{
    *thing = (tn__thing){ NULL, NULL };
    tn__constructor c;
    tn_status status = tn__constructor_parse(text, &c);
    if (status == TN_OK)
        status = fill_thing(kind, &c, thing);
    tn__constructor_free(&c);
    if (status != TN_OK)
        tn__thing_free(thing);
    return status;
}

char *tn__thing_text(const tn__thing *thing)
{
    tn__thing plain;
    char snake[128];
    if (tn__thing_default(thing->of, &plain) != TN_OK)
        return NULL;
    tn__snake_case(thing->of->name, snake, sizeof snake);
    tn__text text = { 0 };
    int shown = 0;
    tn__text_add(&text, "%s", snake);
    TN__EACH_FIELD(field, thing->of->fields) {
        tn__text own = { 0 }, usual = { 0 };
        tn__field_print(field, thing->self, &own);
        tn__field_print(field, plain.self, &usual);
        if (strcmp(tn__text_get(&own), tn__text_get(&usual)) != 0)
            tn__text_add(&text, "%s%s=%s", shown++ ? ", " : "(", field->name, tn__text_get(&own));
        text.failed |= own.failed || usual.failed;
        tn__text_free(&own);
        tn__text_free(&usual);
    }
    if (shown)
        tn__text_add(&text, ")");
    tn__thing_free(&plain);
    return tn__text_take(&text);
}

void *tn__thing_field(const tn__thing *thing, const char *name)
{
    const tn_field *field = tn__field_find(thing->of->fields, name);
    return field ? (char *)thing->self + field->offset : NULL;
}

int64_t *tn__thing_seed(const tn__thing *thing)
{
    const tn_field *field = tn__field_find(thing->of->fields, "seed");
    return field && field->kind == TN_FIELD_INT ? (int64_t *)(void *)((char *)thing->self + field->offset) : NULL;
}

bool tn__field_names_thing(const tn_field *field, tn__object_kind *kind)
{
    static const tn__object_kind kinds[] = { TN__ACTIVATION, TN__INITIALIZER, TN__REGULARIZER, TN__CONSTRAINT, TN__SCHEDULE, TN__OPTIMIZER };
    if (field->kind < TN_FIELD_ACTIVATION || field->kind > TN_FIELD_OPTIMIZER)
        return false;
    *kind = kinds[field->kind - TN_FIELD_ACTIVATION];
    return true;
}

/* --- at once ------------------------------------------------------------------------------------------------------------ */
/* A variable's first value is computed outside of tapes, and of traces too: `graph` is NULL, or TensorFlow 1's. */
static tn_status make_value(tn_context *context, tn_graph *graph, const tn__thing *thing, tn_dtype dtype, const tn_shape *shape, tn_tensor **value)
{
    const tn__initializer_methods *methods = thing->of->methods;
    tn_graph *outer = context->graph;
    context->graph = graph;
    context->tape_pause++;
    size_t depth = tn__scope_begin("initializer");
    tn_status status = methods->make(thing->self, context, dtype, shape, value);
    tn__scope_end(depth);
    context->tape_pause--;
    context->graph = outer;
    if (status == TN_OK)
        return TN_OK;
    tn__release(*value);
    *value = NULL;
    return status;
}

static void leave_zeros(void *owner, void *data)
{
    (void)data;
    tn__file_close(owner);
    tn__free(owner);
}

static tn_status borrow_zeros(tn_dtype dtype, const tn_shape *shape, size_t bytes, tn_tensor **value)
{
    tn__file *zeros = tn__alloc_zeroed(1, sizeof *zeros);
    if (!zeros)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = tn__file_zeros(bytes, zeros);
    if (status != TN_OK) {
        tn__free(zeros);
        return status;
    }
    return tn__tensor_borrow(dtype, shape, zeros->mapping, leave_zeros, zeros, value);
}

/* Of a weight whose value comes out of a file: what the initializer would make is not computed, its seed is drawn all the same. A large
 * one takes no memory until then. */
static tn_status make_blank(tn_dtype dtype, const tn_shape *shape, tn_tensor **value)
{
    enum { LARGE = 1 << 18 };
    size_t bytes;
    TN_TRY(tn__shape_bytes(shape, dtype, INT64_MAX, &bytes));
    if (bytes >= LARGE)
        return borrow_zeros(dtype, shape, bytes, value);
    *value = tn__tensor_fill(dtype, shape, 0);
    return *value ? TN_OK : tn__errors()->status;
}

tn_status tn__initialize(tn_context *context, const char *text, int64_t seed, tn_dtype dtype, const tn_shape *shape, tn_tensor **value)
{
    tn__thing thing;
    *value = NULL;
    TN_TRY(tn__thing_parse(TN__INITIALIZER, text ? text : "glorot_uniform", &thing));
    int64_t *own = tn__thing_seed(&thing);
    if (own && *own == TN__NO_SEED)
        *own = seed == TN__NO_SEED ? tn__random_default_seed(&context->random) : seed;
    tn_status status = context->weight_room ? make_blank(dtype, shape, value) : make_value(context, NULL, &thing, dtype, shape, value);
    tn__thing_free(&thing);
    return status;
}

tn_status tn__initialize_op(tn_context *context, const char *text, tn_dtype dtype, const tn_shape *shape, tn_tensor **value)
{
    tn__thing thing;
    *value = NULL;
    TN_TRY(tn__thing_parse(TN__INITIALIZER, text, &thing));
    tn_status status = make_value(context, tn__open_v1(context), &thing, dtype, shape, value);
    tn__thing_free(&thing);
    return status;
}

static tn_tensor *apply_thing(tn__object_kind kind, const char *text, tn_tensor *x)
{
    tn__thing thing;
    if (!x || tn__thing_parse(kind, text, &thing) != TN_OK)
        return NULL;
    /* The three kinds have one method of one form. */
    tn_tensor *y = ((const tn__activation_methods *)thing.of->methods)->apply(thing.self, x);
    tn__thing_free(&thing);
    return y;
}

tn_tensor *tn__activate(const char *text, tn_tensor *x)
{
    return text ? apply_thing(TN__ACTIVATION, text, x) : x;
}

tn_tensor *tn__penalize(const char *text, tn_tensor *x)
{
    return text ? apply_thing(TN__REGULARIZER, text, x) : NULL;
}

tn_tensor *tn__constrain(const char *text, tn_tensor *w)
{
    return text ? apply_thing(TN__CONSTRAINT, text, w) : w;
}
