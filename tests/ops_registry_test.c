/* ops_registry_test.c - what every op in the registry owes, whatever it computes. */
#include "support/check.h"
#include "runtime/op.h"
#include "core/field.h"

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
    return cmocka_run_group_tests(tests, NULL, NULL);
}
