/* ops_registry_test.c - what every op in the registry owes, whatever it computes. */
#include "support/check_op.h"
#include "core/field.h"
#include <ctype.h>
#include <stdlib.h>

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void every_signature_parses(void **state)
{
    (void)state;
    for (size_t i = 0; i < tn__op_count(); i++) {
        const tn__op *op = tn__op_at(i);
        if (!tn__op_signature(op))
            fail_msg("the signature of %s does not parse: \"%s\" -> \"%s\", types \"%s\"", op->name,
                     op->inputs ? op->inputs : "", op->outputs ? op->outputs : "",
                     op->types ? op->types : "");
    }
    CHECK_NO_ERROR();
}

static void every_op_has_a_gradient_or_a_reason_why_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < tn__op_count(); i++) {
        const tn__op *op = tn__op_at(i);
        if (op->expand)
            continue; /* a composite: its body's ops have them */
        if (op->gradient && op->no_gradient)
            fail_msg("%s has a gradient and a reason why it has none", op->name);
        if (!op->gradient && !op->no_gradient)
            fail_msg("%s has neither a gradient nor a reason why not", op->name);
        if (op->no_gradient && !starts_with(op->no_gradient, "not differentiable: ") &&
            !starts_with(op->no_gradient, "none: "))
            fail_msg("%s: a reason begins with \"not differentiable: \" or \"none: \", not \"%s\"",
                     op->name, op->no_gradient);
    }
}

static void every_name_is_there_once_and_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < tn__op_count(); i++)
        if (tn__op_find(tn__op_at(i)->name) != tn__op_at(i))
            fail_msg("%s is there twice", tn__op_at(i)->name);
    assert_null(tn__op_find("NoSuchOp"));
}

/* A leaf has its value from elsewhere; every other op computes, hands its input on, or is made of
 * others. */
static void every_op_can_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < tn__op_count(); i++) {
        const tn__op *op = tn__op_at(i);
        const tn__signature *s = tn__op_signature(op);
        bool leaf = s && s->inputs == 0;
        if (!leaf && !op->compute && !op->expand && !(op->flags & TN__VIEW))
            fail_msg("%s cannot be computed", op->name);
    }
}

/* Attributes come out of their table: defaults must parse, and lie inside. Composites are never
 * made from text. */
static void every_default_is_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < tn__op_count(); i++) {
        const tn__op *op = tn__op_at(i);
        if (!op->attrs || op->expand)
            continue;
        void *attrs = test_calloc(1, op->attrs_size);
        CHECK_OK(tn__fields_default(op->attrs, attrs));
        TN__EACH_FIELD(field, op->attrs)
        if (field->offset + tn__field_size(field) > op->attrs_size)
            fail_msg("%s: attribute %s lies outside of the attributes", op->name, field->name);
        tn__fields_release(op->attrs, attrs);
        test_free(attrs);
    }
}

/* --- a call of every op ----------------------------------------------------------------------- */
typedef struct {
    const char *name, *attrs, *inputs;
    const char *untried; /* why there is no call */
    const char *why;     /* is part of the check skipped? */
    unsigned constant, batched, skip, without;
    size_t outputs;
    double gradient_tolerance;
} sample;
#define IMPLICIT                                                                        \
    .skip = SKIP_TRACING | SKIP_DTYPES | SKIP_EMPTY | SKIP_GRADIENT,                    \
    .why = "the gradient is that of the distribution, not of the way to draw from it: " \
           "random_parameters_test.c"
#define RANDOM .skip = SKIP_TRACING | SKIP_DTYPES | SKIP_EMPTY, .why = "other numbers at every call"
#define OP(op, attrs_, inputs_, ...) \
    { .name = #op, .attrs = (attrs_), .inputs = (inputs_), __VA_ARGS__ },
#define UNTRIED(op, reason) { .name = #op, .untried = (reason) },
static const sample samples[] = {
#include "ops/ops.def"
};
#undef UNTRIED
#undef OP
enum { SAMPLE_COUNT = sizeof samples / sizeof *samples };

/* "d[2,3]0.5:2": one input; `seed` sets those of one range apart. */
static tn_tensor *read_input(const char **at, unsigned seed)
{
    static const struct {
        char letter;
        tn_dtype dtype;
    } dtypes[] = { { 'd', TN_FLOAT64 }, { 'f', TN_FLOAT32 }, { 'i', TN_INT32 },
                   { 'l', TN_INT64 },   { 'u', TN_UINT8 },   { 'b', TN_BOOL },
                   { 'w', TN_UINT64 } };
    tn_shape shape = TN_SCALAR;
    tn_dtype dtype = (tn_dtype)0;
    double values[64];
    size_t count = 0;
    char *end;
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (dtypes[i].letter == **at)
            dtype = dtypes[i].dtype;
    assert_true(dtype && (*at)[1] == '[');
    for (*at += 2; **at != ']'; *at = end + (*end == ','))
        shape.dims[shape.rank++] = strtol(*at, &end, 10);
    for (++*at; **at && **at != ' ' && **at != ':' && count < 64; *at = end + (*end == ','))
        values[count++] = strtod(*at, &end);
    bool range = **at == ':';
    double high = range ? strtod(*at + 1, &end) : 2;
    if (range)
        *at = end;
    *at += strspn(*at, " ");
    return range || count == 0
               ? tn_cast(check_numbers(shape, range ? values[0] : -2, high, seed), dtype)
               : check_tensor_of(dtype, shape, values, count);
}

static tn_list read_inputs(const char *text)
{
    tn_tensor *items[TN__MAX_ARGS];
    size_t count = 0;
    for (const char *at = text; *at; count++)
        items[count] = read_input(&at, (unsigned)count + 1);
    return tn_list_of(count, items);
}

/* "axis=1; keep_dims=true" over the defaults. */
static void read_attrs(const tn__op *op, void *attrs, const char *text)
{
    char words[256], *rest = words;
    snprintf(words, sizeof words, "%s", text);
    CHECK_OK(tn__fields_default(op->attrs, attrs));
    for (char *word; (word = strsep(&rest, ";"));) {
        word += strspn(word, " ");
        char *value = strchr(word, '=');
        if (!value)
            continue;
        *value++ = 0;
        const tn_field *field = tn__field_find(op->attrs, word);
        if (!field)
            fail_msg("%s has no attribute %s", op->name, word);
        CHECK_OK(tn__field_parse(field, attrs, value, op->name));
    }
}

/* A gradient that is not compared, or dtypes that are not tried, need a reason. */
static void check_skips(const tn__op *op, const sample *w)
{
    unsigned much = SKIP_DTYPES | SKIP_TRACING | (op->gradient ? SKIP_GRADIENT : 0);
    if (w->skip & much && !w->why)
        fail_msg("%s: something is not tried, and nothing says .why", op->name);
}

static void try_op(const tn__op *op, const sample *w)
{
    TN_SCOPE;
    void *attrs = test_calloc(1, op->attrs_size + 1);
    check_skips(op, w);
    read_attrs(op, attrs, w->attrs);
    CHECK_OP(.op = op, .attrs = attrs, .inputs = read_inputs(w->inputs), .constant = w->constant,
             .batched = w->batched, .skip = w->skip, .without = w->without, .outputs = w->outputs,
             .differentiable = op->gradient && !(w->skip & SKIP_GRADIENT),
             .gradient_tolerance = w->gradient_tolerance);
    tn__fields_release(op->attrs, attrs);
    test_free(attrs);
}

/* Values, shapes, gradients, tracing, dtypes, lack of memory: see check_op.h. A test for each op.
 */
static void the_op_passes_the_checker(void **state)
{
    const sample *w = *state;
    const tn__op *op = tn__op_find(w->name);
    assert_non_null(op);
    if (!w->untried)
        try_op(op, w);
}

static int every_op_passes_the_checker(void)
{
    struct CMUnitTest tests[SAMPLE_COUNT];
    for (size_t i = 0; i < SAMPLE_COUNT; i++)
        tests[i] = (struct CMUnitTest){ samples[i].name, the_op_passes_the_checker, NULL, NULL,
                                        (void *)(uintptr_t)&samples[i] };
    return _cmocka_run_group_tests("every op passes the checker", tests, SAMPLE_COUNT, NULL, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_signature_parses),
        cmocka_unit_test(every_op_has_a_gradient_or_a_reason_why_not),
        cmocka_unit_test(every_name_is_there_once_and_found),
        cmocka_unit_test(every_op_can_run),
        cmocka_unit_test(every_default_is_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) + every_op_passes_the_checker();
}
