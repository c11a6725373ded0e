/* object_graph_test.c - the object graph in a checkpoint of TensorFlow's is read, and written byte
 * for byte. */
#include "support/check.h"
#include "support/damage.h"
#include "formats/bundle.h"
#include "formats/object_graph.h"

/* The graph in the checkpoint, and its bytes. */
static tn__bundle *load(tn__arena *arena, tn__object_graph *graph, tn__bundle_texts *texts)
{
    tn__bundle *bundle;
    size_t index = 0;
    CHECK_OK(tn__bundle_open("src/formats/testdata/bundle_objects", NULL, &bundle));
    assert_true(tn__bundle_find(bundle, TN__OBJECT_GRAPH_KEY, &index));
    CHECK_OK(tn__bundle_read_texts(bundle, index, texts));
    CHECK_OK(tn__object_graph_read(texts->item[0], arena, graph));
    return bundle;
}

/* The node at a path of names below the root. */
static const tn__trackable *at(const tn__object_graph *graph, const char *const *path)
{
    int32_t node = 0;
    for (; *path; path++) {
        node = tn__object_graph_child(graph, node, *path);
        if (node < 0)
            fail_msg("%s is not there", *path);
    }
    return &graph->nodes.item[node];
}
#define AT(graph, ...) at(graph, (const char *const[]){ __VA_ARGS__, NULL })

static void objects_and_their_keys_are_found(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    tn__object_graph graph;
    tn__bundle_texts texts;
    tn__bundle *bundle = load(&arena, &graph, &texts);
    assert_int_equal(graph.nodes.count, 15);
    const tn__trackable *first = AT(&graph, "model", "first");
    assert_int_equal(first->attributes.count, 1);
    assert_string_equal(first->attributes.item[0].name, TN__VARIABLE_VALUE);
    assert_string_equal(first->attributes.item[0].full_name, "first");
    assert_string_equal(first->attributes.item[0].checkpoint_key,
                        "model/first" TN__VARIABLE_KEY_ENDING);
    assert_true(first->has_checkpoint_values->value);
    assert_string_equal(AT(&graph, "model", "rows", "1")->attributes.item[0].full_name, "text");
    assert_string_equal(AT(&graph, "model", "table", "a/b")->attributes.item[0].checkpoint_key,
                        "model/table/a.Sb" TN__VARIABLE_KEY_ENDING);
    const tn__trackable *optimizer = AT(&graph, "optimizer");
    assert_int_equal(optimizer->slot_variables.count, 1);
    const tn__slot_reference *slot = optimizer->slot_variables.item;
    assert_string_equal(slot->slot_name, "momentum");
    assert_ptr_equal(&graph.nodes.item[slot->original_node_id], first);
    assert_string_equal(graph.nodes.item[slot->slot_node_id].attributes.item[0].full_name,
                        "SGD/first/momentum");
    assert_int_equal(tn__object_graph_child(&graph, 0, "nothing"), -1);
    assert_int_equal(tn__object_graph_child(&graph, 99, "model"), -1);
    tn__bundle_texts_free(&texts);
    tn__bundle_close(bundle);
    tn__arena_free(&arena);
}

static void it_is_written_byte_for_byte(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    tn__object_graph graph;
    tn__bundle_texts texts;
    tn__bytes bytes = { 0 };
    tn__bundle *bundle = load(&arena, &graph, &texts);
    CHECK_OK(tn__object_graph_write(&graph, &bytes));
    assert_int_equal(bytes.size, texts.item[0].size);
    assert_memory_equal(bytes.data, texts.item[0].data, bytes.size);
    tn__bytes_free(&bytes);
    tn__bundle_texts_free(&texts);
    tn__bundle_close(bundle);
    tn__arena_free(&arena);
}

static void names_are_escaped_as_in_keys(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        { "", "" },        { "plain", "plain" }, { "a/b", "a.Sb" },
        { "c.d", "c..d" }, { "./.", "...S.." },  { "\xc3\xa9", "\xc3\xa9" },
    };
    tn__arena arena = { 0 };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_string_equal(tn__object_graph_escape(&arena, names[i][0]), names[i][1]);
    tn__arena_free(&arena);
}

static void nodes_that_are_not_there_are_refused(void **state)
{
    (void)state;
    for (int which = 0; which < 3; which++)
        for (int32_t id = -1; id <= 1; id++) {
            tn__object_reference child = { which == 0 ? id : 0, "child" };
            tn__slot_reference slot = { which == 1 ? id : 0, "slot", which == 2 ? id : 0 };
            tn__trackable node = { .children = { &child, 1, 1 },
                                   .slot_variables = { &slot, 1, 1 } };
            tn__object_graph graph = { .nodes = { &node, 1, 1 } };
            tn__bytes bytes = { 0 };
            tn__arena arena = { 0 };
            CHECK_OK(tn__object_graph_write(&graph, &bytes));
            tn_status status = tn__object_graph_read(tn__bytes_span(&bytes), &arena, &graph);
            assert_int_equal(status, id == 0 ? TN_OK : TN_DATA_LOSS);
            if (id != 0)
                CHECK_ERROR(TN_DATA_LOSS, "which is not there");
            tn__arena_free(&arena);
            tn__bytes_free(&bytes);
        }
}

static tn_status read_objects(tn__span bytes)
{
    tn__arena arena = { 0 };
    tn__object_graph graph;
    tn_status status = tn__object_graph_read(bytes, &arena, &graph);
    tn__arena_free(&arena);
    return status;
}

static void every_cut_and_change_is_survived(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    tn__object_graph graph;
    tn__bundle_texts texts;
    tn__bundle *bundle = load(&arena, &graph, &texts);
    check_damage(texts.item[0], read_objects, "");
    tn__bundle_texts_free(&texts);
    tn__bundle_close(bundle);
    tn__arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_and_their_keys_are_found),
        cmocka_unit_test(it_is_written_byte_for_byte),
        cmocka_unit_test(names_are_escaped_as_in_keys),
        cmocka_unit_test(nodes_that_are_not_there_are_refused),
        cmocka_unit_test(every_cut_and_change_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
