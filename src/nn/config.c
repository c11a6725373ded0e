/* config.c - what a field table and a JSON object say to each other. */
#include "nn/config.h"
#include <math.h>
#include <string.h>

tn_status tn__json_set(json_t *object, const char *key, json_t *value)
{
    return value && json_object_set_new(object, key, value) == 0 ? TN_OK : tn__fail_memory(0);
}

void tn__json_append(json_t *list, json_t *value)
{
    if (json_array_append_new(list, value) != 0)
        tn__fail_memory(0);
}

const char *tn__json_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

#define NUMBER_KEY "(number)"
static const struct {
    const char *word;
    double value;
} words[] = { { "Infinity", INFINITY }, { "-Infinity", -INFINITY }, { "NaN", NAN } };

json_t *tn__number_to_json(double value)
{
    if (isfinite(value))
        return json_real(value);
    return json_pack("{s:s}", NUMBER_KEY, words[isnan(value) ? 2 : value < 0].word);
}

const char *tn__number_word(const json_t *json)
{
    const char *word = json_object_size(json) == 1 ? tn__json_text(json, NUMBER_KEY) : NULL;
    for (size_t i = 0; word && i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].word;
    return NULL;
}

bool tn__number_from_json(const json_t *json, double *value)
{
    const char *word = tn__number_word(json);
    *value = json_number_value(json);
    for (size_t i = 0; word && i < sizeof words / sizeof *words; i++)
        if (words[i].word == word)
            *value = words[i].value;
    return word || json_is_number(json);
}

json_t *tn__shape_to_json(const tn_shape *shape)
{
    if (!shape->known)
        return json_null();
    json_t *list = json_array();
    for (int i = 0; i < shape->rank; i++)
        tn__json_append(list, shape->dims[i] < 0 ? json_null() : json_integer(shape->dims[i]));
    return list;
}

/* Tuples are {"class_name": "__tuple__", "items": […]} where lists and tuples differ. */
static const json_t *items_of(const json_t *json)
{
    const json_t *items = json_object_get(json, "items");
    return json_is_array(items) ? items : json;
}

bool tn__shape_from_json(const json_t *json, tn_shape *shape)
{
    json = items_of(json);
    *shape = TN__UNKNOWN_SHAPE;
    if (json_is_null(json))
        return true;
    if (!json_is_array(json) || json_array_size(json) > TN_MAX_RANK)
        return false;
    shape->known = 1;
    shape->rank = (int)json_array_size(json);
    for (int i = 0; i < shape->rank; i++) {
        const json_t *dim = json_array_get(json, (size_t)i);
        if (!json_is_integer(dim) && !json_is_null(dim))
            return false;
        shape->dims[i] = json_is_null(dim) ? TN_NONE : json_integer_value(dim);
        if (shape->dims[i] < TN_NONE)
            return false;
    }
    return true;
}

/* --- fields out --------------------------------------------------------------------------------------------------------- */
static json_t *ints_to_json(const int64_t *values, size_t count)
{
    bool given = false;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        given |= values[i] != 0;
        tn__json_append(list, json_integer(values[i]));
    }
    if (given)
        return list;
    json_decref(list);
    return json_null();
}

static json_t *axes_to_json(const tn_axes *axes)
{
    if (axes->count == 0)
        return json_null();
    if (axes->count == 1)
        return json_integer(axes->axis[0]);
    json_t *list = json_array();
    for (int i = 0; i < axes->count; i++)
        tn__json_append(list, json_integer(axes->axis[i]));
    return list;
}

/* A float32 as the shortest number that reads back as it: 0.3, not 0.30000001192092896. */
static json_t *float_to_json(const tn_tensor *x, int64_t at)
{
    char text[TN__NUMBER_TEXT];
    double value = tn__double_at(x, at);
    if (x->dtype == TN_FLOAT32 && isfinite(value)) {
        tn__number_text(value, true, text, sizeof text);
        tn__number_parse(text, strlen(text), &value);
    }
    return tn__number_to_json(value);
}

/* Nested lists, as numpy's tolist(). */
static json_t *elements_to_json(const tn_tensor *x, int axis, int64_t *at)
{
    if (axis == x->shape.rank) {
        bool whole = !tn__in(TN__FLOATS, (tn_dtype)x->dtype);
        json_t *number = whole ? json_integer(tn__int_at(x, *at)) : float_to_json(x, *at);
        (*at)++;
        return number;
    }
    json_t *list = json_array();
    for (int64_t i = 0; i < x->shape.dims[axis]; i++)
        tn__json_append(list, elements_to_json(x, axis + 1, at));
    return list;
}

static json_t *tensor_to_json(const tn_tensor *x)
{
    int64_t at = 0;
    return x ? elements_to_json(x, 0, &at) : json_null();
}

/* Keras writes an activation that was not given as "linear". */
static json_t *text_to_json(tn__object_kind kind, const char *text, tn__era era)
{
    tn__thing thing;
    if (!text)
        return kind == TN__ACTIVATION ? json_string("linear") : json_null();
    if (tn__thing_parse(kind, text, &thing) != TN_OK)
        return NULL;
    json_t *json = tn__thing_to_json(&thing, era);
    tn__thing_free(&thing);
    return json;
}

/* "a|b" */
static json_t *texts_to_json(const char *text)
{
    json_t *list = json_array();
    for (size_t length; text; text = text[length] ? text + length + 1 : NULL) {
        length = strcspn(text, "|");
        tn__json_append(list, json_stringn(text, length));
    }
    return list;
}

static json_t *field_to_json(const tn_field *field, const void *instance, tn__era era)
{
    const void *value = (const char *)instance + field->offset;
    tn__object_kind kind;
    if (tn__field_names_thing(field, &kind))
        return text_to_json(kind, *(const char *const *)value, era);
    switch (field->kind) {
    case TN_FIELD_INT:
        return *(const int64_t *)value == INT64_MIN ? json_null() : json_integer(*(const int64_t *)value);
    case TN_FIELD_FLOAT:
        return isnan(*(const double *)value) ? json_null() : tn__number_to_json(*(const double *)value);
    case TN_FIELD_BOOL:
        return json_boolean(*(const bool *)value);
    case TN_FIELD_FLAG:
        return json_boolean(*(const int *)value);
    case TN_FIELD_AXIS:
        return json_integer(*(const int *)value);
    case TN_FIELD_SHAPE:
        return tn__shape_to_json(value);
    case TN_FIELD_INTS:
        return ints_to_json(value, field->count);
    case TN_FIELD_AXES:
        return axes_to_json(value);
    case TN_FIELD_DTYPE:
        return *(const tn_dtype *)value ? json_string(tn__dtype_name(*(const tn_dtype *)value)) : json_null();
    case TN_FIELD_TENSOR:
        return tensor_to_json(*(tn_tensor *const *)value);
    case TN_FIELD_TEXTS:
        return texts_to_json(*(const char *const *)value);
    default:
        return *(const char *const *)value ? json_string(*(const char *const *)value) : json_null();
    }
}

static bool is_configuration(const tn_field *field)
{
    return field->kind != TN_FIELD_VARIABLE && field->kind != TN_FIELD_LAYER && field->kind != TN_FIELD_POINTER;
}

tn_status tn__fields_to_json(const tn_field *fields, const void *instance, tn__era era, json_t *config)
{
    TN__EACH_FIELD(field, fields) {
        if (!is_configuration(field))
            continue;
        json_t *value = field_to_json(field, instance, era);
        if (tn__errors()->status != TN_OK) {
            json_decref(value);
            return tn__errors()->status;
        }
        TN_TRY(tn__json_set(config, field->name, value));
    }
    return TN_OK;
}

/* --- fields in ---------------------------------------------------------------------------------------------------------- */
static bool ints_from_json(const tn_field *field, int64_t *place, const json_t *json)
{
    json = items_of(json);
    if (!json_is_integer(json) && !json_is_null(json) && (!json_is_array(json) || json_array_size(json) != field->count))
        return false;
    for (size_t i = 0; i < field->count; i++) {
        const json_t *item = json_is_array(json) ? json_array_get(json, i) : json;
        if (!json_is_integer(item) && !json_is_null(item))
            return false;
        place[i] = json_integer_value(item);
    }
    return true;
}

/* Numbers of a file that have no room are refused, as others that say something else. */
static bool int_from_json(int *place, const json_t *json)
{
    *place = (int)json_integer_value(json);
    return json_is_integer(json) && *place == json_integer_value(json);
}

/* A whole float is an integer too: old files write units as 64.0. INT64_MIN is None inside. */
static bool whole_from_json(int64_t *place, const json_t *json)
{
    double real = json_real_value(json);
    bool whole = json_is_real(json) && fabs(real) < 0x1p63 && real == floor(real);
    *place = json_is_null(json) ? INT64_MIN : whole ? (int64_t)real : json_integer_value(json);
    return json_is_null(json) || whole || (json_is_integer(json) && *place != INT64_MIN);
}

static bool axes_from_json(tn_axes *axes, const json_t *json)
{
    json = items_of(json);
    *axes = (tn_axes){ 0 };
    if (json_is_integer(json))
        return int_from_json(&axes->axis[axes->count++], json);
    if (!json_is_array(json) || json_array_size(json) > TN_MAX_RANK)
        return json_is_null(json);
    for (size_t i = 0; i < json_array_size(json); i++)
        if (!int_from_json(&axes->axis[axes->count++], json_array_get(json, i)))
            return false;
    return true;
}

/* Nested lists of numbers, {"class_name": "__numpy__" …}, or one number. */
static bool count_elements(const json_t *json, int axis, tn_shape *shape, int64_t *count)
{
    double ignored;
    if (tn__number_from_json(json, &ignored)) {
        (*count)++;
        return axis == shape->rank;
    }
    if (!json_is_array(json) || axis >= TN_MAX_RANK)
        return false;
    if (axis == shape->rank && *count > 0)
        return false; /* [1, [2]] */
    if (axis == shape->rank)
        shape->dims[shape->rank++] = (int64_t)json_array_size(json);
    bool good = shape->dims[axis] == (int64_t)json_array_size(json);
    for (size_t i = 0; good && i < json_array_size(json); i++)
        good = json_is_array(json_array_get(json, i)) || axis + 1 == shape->rank || *count == 0
                   ? count_elements(json_array_get(json, i), axis + 1, shape, count)
                   : false;
    return good;
}

static void write_elements(const json_t *json, double **at)
{
    double number;
    if (tn__number_from_json(json, &number))
        *(*at)++ = number;
    for (size_t i = 0; json_is_array(json) && i < json_array_size(json); i++)
        write_elements(json_array_get(json, i), at);
}

static bool tensor_from_json(tn_tensor **place, const json_t *json)
{
    const json_t *numpy = json_object_get(json_object_get(json, "config"), "value");
    json = items_of(numpy ? numpy : json);
    tn_shape shape = { 1, 0, { 0 } };
    int64_t count = 0;
    tn_tensor *x = NULL;
    if (json_is_null(json)) {
        tn__assign_object(place, NULL);
        return true;
    }
    if (!count_elements(json, 0, &shape, &count) || count != tn__shape_count(&shape) || tn__tensor_new(TN_FLOAT64, &shape, &x) != TN_OK)
        return false;
    double *at = x->data; /* as exact as the file; layers cast to what they compute in */
    write_elements(json, &at);
    tn__assign_object(place, x);
    tn__release(x);
    return true;
}

static bool set_text(char **place, const char *text)
{
    char *copy = tn__strdup(text);
    if (text && !copy)
        return false;
    tn__free(*place);
    *place = copy;
    return true;
}

static bool thing_text_from_json(tn__object_kind kind, char **place, const json_t *json)
{
    tn__thing thing;
    if (json_is_null(json))
        return set_text(place, NULL);
    if (tn__thing_from_json(kind, json, &thing) != TN_OK)
        return false;
    char *text = tn__thing_text(&thing);
    tn__thing_free(&thing);
    if (!text)
        return false;
    tn__free(*place);
    *place = text;
    if (kind == TN__ACTIVATION && strcmp(text, "linear") == 0)
        return set_text(place, NULL);
    return true;
}

static bool texts_from_json(char **place, const json_t *json)
{
    tn__text all = { 0 };
    json = items_of(json);
    bool good = json_is_array(json) || json_is_null(json);
    for (size_t i = 0; good && i < json_array_size(json); i++) {
        const char *one = json_string_value(json_array_get(json, i));
        good = one != NULL;
        tn__text_add(&all, "%s%s", i ? "|" : "", one ? one : "");
    }
    good = good && !all.failed && set_text(place, json_array_size(json) ? tn__text_get(&all) : NULL);
    tn__text_free(&all);
    return good;
}

static bool flag_from_json(const json_t *json, bool *flag)
{
    *flag = json_is_true(json) || (json_is_integer(json) && json_integer_value(json) != 0);
    return json_is_boolean(json) || json_is_integer(json);
}

/* NAN is None inside, so a file's NaN has no place there. */
static bool real_from_json(double *place, const json_t *json)
{
    bool number = tn__number_from_json(json, place) && !isnan(*place);
    *place = number ? *place : NAN;
    return number || json_is_null(json);
}

static bool dtype_from_json(tn_dtype *place, const json_t *json)
{
    const char *name = json_is_object(json) ? tn__json_text(json_object_get(json, "config"), "name") : json_string_value(json);
    *place = name ? tn__dtype_of_name(name) : (tn_dtype)0;
    return json_is_null(json) || *place;
}

static bool field_from_json(const tn_field *field, void *instance, const json_t *json)
{
    void *place = (char *)instance + field->offset;
    tn__object_kind kind;
    bool flag;
    if (tn__field_names_thing(field, &kind))
        return thing_text_from_json(kind, place, json);
    switch (field->kind) {
    case TN_FIELD_INT:
        return whole_from_json(place, json);
    case TN_FIELD_FLOAT:
        return real_from_json(place, json);
    case TN_FIELD_BOOL:
        return flag_from_json(json, place);
    case TN_FIELD_FLAG:
        if (!flag_from_json(json, &flag))
            return false;
        *(int *)place = flag;
        return true;
    case TN_FIELD_AXIS: {
        const json_t *one = json_is_array(json) && json_array_size(json) == 1 ? json_array_get(json, 0) : json;
        return int_from_json(place, one);
    }
    case TN_FIELD_SHAPE:
        return tn__shape_from_json(json, place);
    case TN_FIELD_INTS:
        return ints_from_json(field, place, json);
    case TN_FIELD_AXES:
        return axes_from_json(place, json);
    case TN_FIELD_DTYPE:
        return dtype_from_json(place, json);
    case TN_FIELD_TENSOR:
        return tensor_from_json(place, json);
    case TN_FIELD_TEXTS:
        return texts_from_json(place, json);
    default:
        return (json_is_null(json) || json_is_string(json)) && set_text(place, json_string_value(json));
    }
}

/* Keys that every layer's config may have and that are handled elsewhere, or that say nothing about the numbers. */
static bool is_known_key(const char *key)
{
    static const char *const known[] = { "name",        "trainable",    "dtype",       "batch_input_shape", "batch_shape", "build_input_shape",
                                         "input_shape", "synchronized", "autocast",    "sparse",            "ragged",      "optional",
                                         "layers",      "input_axes",   "output_axes", "is_legacy_optimizer" };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], key) == 0)
            return true;
    return false;
}

static bool says_nothing(const json_t *value)
{
    return json_is_null(value) || json_is_false(value) || (json_is_object(value) && json_object_size(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

static tn_status fail_key(const char *owner, const char *key, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    tn_status status = tn__fail(TN_UNIMPLEMENTED, "%s: the file says %s=%.200s, which this version does not know", owner, key, text ? text : "?");
    free(text);
    return status;
}

tn_status tn__fields_from_json(const tn_field *fields, void *instance, const json_t *config, const char *owner)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)config, key, value)
    {
        const tn_field *field = tn__field_find(fields, key);
        if (field && json_is_object(value) && !tn__number_word(value))
            field = tn__schedule_field(fields, field);
        if (field && is_configuration(field)) {
            if (field_from_json(field, instance, value))
                continue;
            if (tn__errors()->status != TN_OK)
                return tn__errors()->status;
            const char *word = tn__number_word(value);
            char *text = word ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
            tn_status status = tn__fail(TN_INVALID_ARGUMENT, "%s: the file's %s=%.200s is not what `%s` can be", owner, key,
                                        word ? word : text ? text : "?", key);
            free(text);
            return status;
        }
        if (!is_known_key(key) && !says_nothing(value))
            return fail_key(owner, key, value);
    }
    return tn__fields_check(fields, instance, owner);
}

/* --- things ------------------------------------------------------------------------------------------------------------- */
/* What the era's Keras calls it; NULL and an error when it has no such thing. */
static const char *name_in(const tn__object_class *of, tn__era era)
{
    const char *name = era == TN__KERAS_2 && of->keras2_name ? of->keras2_name : of->name;
    if (*name && !(era == TN__KERAS_3 && of->only_keras2))
        return name;
    tn__fail(TN_UNIMPLEMENTED, "%s %s cannot be written: Keras %d has no such function", tn__kind_name(of->kind), of->name, (int)era);
    return NULL;
}

static bool is_default(const tn__thing *thing, bool *same)
{
    tn__thing plain;
    if (tn__thing_default(thing->of, &plain) != TN_OK)
        return false;
    *same = tn__fields_equal(thing->of->fields, thing->self, plain.self);
    tn__thing_free(&plain);
    return true;
}

/* Files name an activation function and say nothing of its arguments: with arguments it is a layer's object. */
static json_t *activation_to_json(const tn__thing *thing, tn__era era)
{
    bool same, elsewhere = thing->of->only_keras2 && era == TN__KERAS_3;
    json_t *object;
    if (!is_default(thing, &same))
        return NULL;
    const char *name = elsewhere ? NULL : name_in(thing->of, era);
    if (!elsewhere && (same || !name))
        return name ? json_string(name) : NULL;
    if (tn__activation_to_object(thing, era, &object))
        return object;
    tn__fail(TN_UNIMPLEMENTED, "activation %s has arguments of its own, which Keras's files cannot say\na layer of its own (ReLU, Softmax …) can",
             thing->of->name);
    return NULL;
}

/* In files a schedule stands for the number that it replaces. */
static void place_schedule(const tn_field *fields, json_t *config)
{
    TN__EACH_FIELD(field, fields) {
        const tn_field *other = tn__schedule_field(fields, field);
        json_t *schedule = json_object_get(config, other->name);
        if (other == field)
            continue;
        if (json_is_object(schedule))
            tn__json_set(config, field->name, json_incref(schedule));
        json_object_del(config, other->name);
    }
}

static json_t *thing_config(const tn__thing *thing, tn__era era)
{
    json_t *config = json_object();
    if (!config || tn__fields_to_json(thing->of->fields, thing->self, era, config) != TN_OK) {
        json_decref(config);
        return NULL;
    }
    TN__EACH_FIELD(field, thing->of->fields)
        if (tn__among(thing->of->newer_fields, field->name) && json_is_null(json_object_get(config, field->name)))
            json_object_del(config, field->name);
    place_schedule(thing->of->fields, config);
    if (tn__errors()->status == TN_OK)
        return config;
    json_decref(config);
    return NULL;
}

json_t *tn__thing_to_json(const tn__thing *thing, tn__era era)
{
    const tn__object_class *of = thing->of;
    if (of->kind == TN__ACTIVATION)
        return activation_to_json(thing, era);
    const char *name = name_in(of, era);
    if (!name)
        return NULL;
    json_t *config = thing_config(thing, era);
    if (!config)
        return NULL;
    if (era == TN__KERAS_2 && of->kind != TN__SCHEDULE)
        return json_pack("{s:s, s:o}", "class_name", name, "config", config);
    return json_pack("{s:s, s:s, s:o, s:n}", "module", of->module ? of->module : tn__kind_module(of->kind), "class_name", name, "config", config,
                     "registered_name");
}

/* Keras 1 wrote {"name": "MaxNorm", "m": 2}: the arguments beside the class. */
static bool is_of_keras_1(const json_t *json)
{
    return json_is_string(json_object_get(json, "name")) && !json_object_get(json, "class_name");
}

static json_t *upgrade_keras_1(const json_t *json)
{
    json_t *config = json_deep_copy(json);
    json_t *most = json_object_get(config, "m");
    bool failed = !config || (most && json_object_set(config, "max_value", most) != 0);
    json_object_del(config, "m");
    json_object_del(config, "name");
    if (!failed)
        return json_pack("{s:O, s:o}", "class_name", json_object_get(json, "name"), "config", config);
    json_decref(config);
    return NULL;
}

static tn_status read_keras_1(tn__object_kind kind, const json_t *json, tn__thing *thing)
{
    json_t *upgraded = upgrade_keras_1(json);
    tn_status status = upgraded ? tn__thing_from_json(kind, upgraded, thing) : tn__fail_memory(0);
    json_decref(upgraded);
    return status;
}

/* "relu", {"class_name": "RandomNormal", "config": {…}}, or a function: {"class_name": "function", "config": "relu"}. */
tn_status tn__thing_from_json(tn__object_kind kind, const json_t *json, tn__thing *thing)
{
    *thing = (tn__thing){ NULL, NULL };
    if (is_of_keras_1(json))
        return read_keras_1(kind, json, thing);
    if (kind == TN__ACTIVATION && tn__is_activation_object(json))
        return tn__activation_from_object(json, thing);
    const json_t *config = json_object_get(json, "config");
    const char *name = json_is_string(json) ? json_string_value(json) : json_is_string(config) ? json_string_value(config)
                                                                                             : tn__json_text(json, "class_name");
    if (!name)
        return tn__fail(TN_INVALID_ARGUMENT, "the file's %s is neither a name nor an object with a class_name", tn__kind_name(kind));
    if (json_is_string(json))
        return tn__thing_parse(kind, name, thing);
    const tn__object_class *of = tn__object_class_find(kind, name);
    if (!of)
        return tn__thing_parse(kind, name, thing); /* fails with the list */
    tn_status status = tn__thing_default(of, thing);
    if (status == TN_OK && json_is_object(config))
        status = tn__fields_from_json(of->fields, thing->self, config, of->name);
    if (status != TN_OK)
        tn__thing_free(thing);
    return status;
}
