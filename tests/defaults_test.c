/* defaults_test.c - a default stands in three places: the macro that C programs call, the default
 * member value that C++ programs get, and the field table that files and texts are read by. */
#include "support/check.h"
#include "nn/layer.h"
#include "nn/object.h"

bool defaults_of_cpp(const char *name, void *options, size_t size);

enum { MOST = 1024 };
typedef struct {
    const char *kind, *name;
    size_t size;
    _Alignas(16) unsigned char c[MOST], cpp[MOST];
} row;

/* The macros end here instead of in the functions that they are for. */
static void keep(row *r, const void *options, size_t size)
{
    r->size = size;
    memcpy(r->c, options, size < MOST ? size : MOST);
}
#undef TN_OPTIONS_
#define TN_OPTIONS_(options, braces, function, type, defaults, ...)               \
    (__extension__({                                                              \
        TN_DEFAULTS_ON const type options = {                                     \
            .size_ = sizeof(type), TN_UNPACK defaults, .here_ = NULL, __VA_ARGS__ \
        };                                                                        \
        TN_DEFAULTS_OFF keep(r, &options, sizeof options);                        \
    }))

enum {
    ROWS = 0
#define ROW(kind, class_name, call, type) +1
#include "defaults.def"
#undef ROW
};
static row rows[ROWS];
static size_t row_count;

static void collect(void)
{
    row *r;
#define ROW(kind_, class_name, call, type)                         \
    r = &rows[row_count++];                                        \
    *r = (row){ .kind = #kind_, .name = #class_name };             \
    call();                                                        \
    assert_true(r->size <= MOST);                                  \
    if (!defaults_of_cpp(#kind_ "/" #class_name, r->cpp, r->size)) \
        fail_msg("%s: C++ gives it another size", #class_name);
#include "defaults.def"
#undef ROW
}

/* --- the field tables --------------------------------------------------------------------------
 */
static const char *text_of(const tn_field *field, const void *instance, char *text, size_t size)
{
    tn__text t = { 0 };
    tn__field_print(field, instance, &t);
    snprintf(text, size, "%s", tn__text_get(&t));
    tn__text_free(&t);
    return text;
}

static bool is_option(const tn_field *field, size_t options_size)
{
    bool configuration = field->kind != TN_FIELD_VARIABLE && field->kind != TN_FIELD_LAYER &&
                         field->kind != TN_FIELD_POINTER;
    return configuration && field->offset + tn__field_size(field) <= options_size;
}

/* Where nobody says a name or dtype, options have none and the table has Keras's. */
static bool is_unsaid(const tn_field *field)
{
    return strcmp(field->name, "name") == 0 || strcmp(field->name, "dtype") == 0;
}

static void compare(const row *r, const tn_field *fields, size_t options_size, const void *table)
{
    char c[256], cpp[256], own[256];
    if (r->size != options_size)
        fail_msg("%s: the options have %zu bytes, the class says %zu", r->name, r->size,
                 options_size);
    TN__EACH_FIELD(field, fields)
    {
        if (!is_option(field, options_size))
            continue;
        text_of(field, r->c, c, sizeof c);
        text_of(field, r->cpp, cpp, sizeof cpp);
        text_of(field, table, own, sizeof own);
        if (strcmp(c, cpp) != 0 || (field->fallback && !is_unsaid(field) && strcmp(c, own) != 0))
            fail_msg("%s, %s: C has %s, C++ %s, the field table %s", r->name, field->name, c, cpp,
                     own);
    }
}

static void check_layer_row(const row *r)
{
    const tn_class *of = tn__class_find(r->name);
    assert_non_null(of);
    void *instance = tn__instance_new(of);
    assert_non_null(instance);
    compare(r, of->fields, of->options_size, instance);
    tn__instance_free(of, instance);
    const tn__layer_common *tails[2] = {
        (const void *)(r->c + of->options_size - sizeof(tn__layer_common)),
        (const void *)(r->cpp + of->options_size - sizeof(tn__layer_common)),
    };
    for (int i = 0; i < 2; i++) {
        assert_true(tails[i]->trainable);
        assert_true(!tails[i]->name && !tails[i]->dtype && !tails[i]->input_shape.known);
    }
}

static tn__object_kind kind_of(const char *name)
{
    for (int kind = 0; kind < TN__KINDS; kind++)
        if (strcmp(tn__kind_name((tn__object_kind)kind), name) == 0)
            return (tn__object_kind)kind;
    fail_msg("no kind %s", name);
    return TN__KINDS;
}

static void check_object_row(const row *r)
{
    const tn__object_class *of = tn__object_class_find(kind_of(r->kind), r->name);
    assert_non_null(of);
    tn__thing thing;
    CHECK_OK(tn__thing_default(of, &thing));
    compare(r, of->fields, of->options_size, thing.self);
    tn__thing_free(&thing);
}

static void c_c_plus_plus_and_the_field_tables_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        if (strcmp(rows[i].kind, "layer") == 0)
            check_layer_row(&rows[i]);
        else
            check_object_row(&rows[i]);
    }
}

static bool has_row(const char *kind, const char *name)
{
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].kind, kind) == 0 && strcmp(rows[i].name, name) == 0)
            return true;
    return false;
}

/* "crossentropy" is a word of texts, no class of Keras's: nothing in C has the name. */
static bool is_word(const char *name)
{
    return name[0] >= 'a' && name[0] <= 'z';
}

static void everything_made_from_options_has_a_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < tn__class_count(); i++) {
        const tn_class *of = tn__class_at(i);
        if (of->options_size && !has_row("layer", of->name))
            fail_msg("layer %s has no row in defaults.def", of->name);
    }
    for (size_t i = 0; i < tn__object_class_count(); i++) {
        const tn__object_class *of = tn__object_class_at(i);
        const char *kind = tn__kind_name(of->kind);
        if (of->options_size && !is_word(of->name) && !has_row(kind, of->name))
            fail_msg("%s %s has no row in defaults.def", kind, of->name);
    }
}

int main(void)
{
    tests_begin();
    collect();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_c_plus_plus_and_the_field_tables_agree),
        cmocka_unit_test(everything_made_from_options_has_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
