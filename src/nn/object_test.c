/* object_test.c - constructor text, and things made of it. */
#include "nn/object.h"
#include "support/check.h"

/* "name|key=value|value" of a text. */
static void parses(const char *text, const char *expected)
{
    tn__constructor c;
    tn__text got = { 0 };
    CHECK_OK(tn__constructor_parse(text, &c));
    tn__text_add(&got, "%s", c.name);
    for (size_t i = 0; i < c.count; i++)
        tn__text_add(&got, "|%s%s%s", c.argument[i].key ? c.argument[i].key : "",
                     c.argument[i].key ? "=" : "", c.argument[i].value);
    assert_string_equal(tn__text_get(&got), expected);
    tn__text_free(&got);
    tn__constructor_free(&c);
}

static void refuses(const char *text, const char *message)
{
    tn__constructor c;
    assert_int_equal(tn__constructor_parse(text, &c), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, message);
    tn__constructor_free(&c);
}

static void a_constructor_is_a_name_and_arguments(void **state)
{
    (void)state;
    parses("relu", "relu");
    parses("  relu  ", "relu");
    parses("relu()", "relu");
    parses("relu ()", "relu");
    parses("dense(10, relu, name=new_dense)", "dense|10|relu|name=new_dense");
    parses("dense( 10 ,relu, name = x )", "dense|10|relu|name=x");
    parses("conv2d(16, (3, 3), kernel_initializer=random_normal(mean=0, stddev=0.1))",
           "conv2d|16|(3, 3)|kernel_initializer=random_normal(mean=0, stddev=0.1)");
    parses("f('a, b', \"c)\", k='=')", "f|'a, b'|\"c)\"|k='='");
    parses("f([1, 2], {3, 4})", "f|[1, 2]|{3, 4}");
    parses("f(1, , 2,)", "f|1|2");
    parses("f(a>=b)", "f|a>=b");
}

static void a_text_that_does_not_close_or_has_no_name_is_refused(void **state)
{
    (void)state;
    refuses("", "a name is missing in ''");
    refuses("   ", "a name is missing in '   '");
    refuses("(3)", "a name is missing in '(3)'");
    refuses("dense(", "'dense(' has no closing parenthesis");
    refuses("dense(10", "'dense(10' has no closing parenthesis");
    refuses("(", "'(' has no closing parenthesis");
    refuses("f(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)",
            "more than 32 arguments");
}

static void parts_are_cut_outside_parentheses_and_quotes(void **state)
{
    (void)state;
    char text[] = " a(1; 2) ;; b(';') ; c)(;d", *rest = text;
    const char *const expected[] = { "a(1; 2)", "", "b(';')", "c)(", "d" };
    for (int i = 0; i < 5; i++)
        assert_string_equal(tn__next_part(&rest, ';'), expected[i]);
    assert_null(tn__next_part(&rest, ';'));
}

static void thing_is(tn__object_kind kind, const char *text, const char *shortest)
{
    tn__thing thing;
    CHECK_OK(tn__thing_parse(kind, text, &thing));
    char *again = tn__thing_text(&thing);
    assert_string_equal(again, shortest);
    tn__free(again);
    tn__thing_free(&thing);
}

static void a_thing_has_a_shortest_text(void **state)
{
    (void)state;
    thing_is(TN__INITIALIZER, "GlorotUniform", "glorot_uniform");
    thing_is(TN__INITIALIZER, "random_normal(0, 0.02)", "random_normal(stddev=0.02)");
    thing_is(TN__INITIALIZER, "random_normal(stddev=0.05)", "random_normal");
    thing_is(TN__INITIALIZER, "random_normal(seed=3)", "random_normal(seed=3)");
    thing_is(TN__REGULARIZER, "l2(1e-4)", "l2(l2=0.0001)");
    thing_is(TN__CONSTRAINT, "max_norm(3, axis=0)", "max_norm(max_value=3.0)");
    thing_is(TN__ACTIVATION, "relu", "relu");
    tn__thing thing;
    CHECK_OK(tn__thing_parse(TN__INITIALIZER, "random_normal(seed=3)", &thing));
    assert_int_equal(*tn__thing_seed(&thing), 3);
    tn__thing_free(&thing);
}

static void thing_fails(tn__object_kind kind, const char *text, const char *message)
{
    tn__thing thing;
    assert_int_not_equal(tn__thing_parse(kind, text, &thing), TN_OK);
    assert_null(thing.self);
    CHECK_ERROR(TN_INVALID_ARGUMENT, message);
}

static void a_wrong_thing_is_answered_with_what_there_is(void **state)
{
    (void)state;
    thing_fails(TN__INITIALIZER, "glorot", "Unknown initializer: 'glorot'\nthere are: ");
    thing_fails(TN__ACTIVATION, "glorot_uniform", "Unknown activation: 'glorot_uniform'");
    thing_fails(TN__INITIALIZER, "random_normal(std=1)",
                "RandomNormal has no argument 'std'\nit takes: mean, stddev, seed");
    thing_fails(TN__INITIALIZER, "random_normal(0, 1, 2, 3)",
                "RandomNormal was given too many arguments");
    thing_fails(TN__INITIALIZER, "random_normal(0, mean=1)",
                "RandomNormal got multiple values for argument 'mean'");
    thing_fails(TN__INITIALIZER, "random_normal(mean=zero)",
                "Expected a number. Received: mean=zero");
}

static void every_class_is_found_by_both_its_names(void **state)
{
    (void)state;
    char snake[128];
    for (size_t i = 0; i < tn__object_class_count(); i++) {
        const tn__object_class *of = tn__object_class_at(i);
        tn__snake_case(of->name, snake, sizeof snake);
        assert_ptr_equal(tn__object_class_find(of->kind, of->name), of);
        assert_ptr_equal(tn__object_class_find(of->kind, snake), of);
    }
    assert_true(tn__among("a|bc|d", "bc"));
    assert_false(tn__among("a|bc|d", "b"));
    assert_false(tn__among(NULL, "b"));
}

static bool make_things(void *unused)
{
    (void)unused;
    tn__thing thing;
    if (tn__thing_parse(TN__INITIALIZER, "random_normal(mean=1, stddev=0.02, seed=4)", &thing) !=
        TN_OK)
        return false;
    char *text = tn__thing_text(&thing);
    bool done = text != NULL;
    tn__free(text);
    tn__thing_free(&thing);
    return done;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(make_things, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constructor_is_a_name_and_arguments),
        cmocka_unit_test(a_text_that_does_not_close_or_has_no_name_is_refused),
        cmocka_unit_test(parts_are_cut_outside_parentheses_and_quotes),
        cmocka_unit_test(a_thing_has_a_shortest_text),
        cmocka_unit_test(a_wrong_thing_is_answered_with_what_there_is),
        cmocka_unit_test(every_class_is_found_by_both_its_names),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
