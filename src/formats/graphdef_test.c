/* graphdef_test.c - a graph of TensorFlow's with every kind of attribute is read, and written byte
 * for byte; the values of its tensors come out. */
#include "support/check.h"
#include "support/damage.h"
#include "base/file.h"
#include "formats/graphdef.h"
#include "formats/tensor_proto.h"

static tn__file load(tn__arena *arena, tn__graph_def *graph)
{
    tn__file file;
    CHECK_OK(tn__file_read("src/formats/testdata/graph_every.pb", 1 << 20, &file));
    *graph = (tn__graph_def){ 0 };
    CHECK_OK(tn__pb_read(&tn__pb_graph, file.span, arena, graph));
    return file;
}

static const tn__attr_value *attr(const tn__node_def *node, const char *name, int which)
{
    const tn__attr_value *value = tn__attr_find(&node->attr, name);
    assert_non_null(value);
    assert_int_equal(value->which, which);
    return value;
}

/* --- attributes ------------------------------------------------------------------------------- */
static void every_kind_of_attribute_is_read(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    tn__graph_def graph;
    tn__file file = load(&arena, &graph);
    const tn__node_def *node = &graph.node.item[0];
    assert_string_equal(node->name, "n");
    assert_string_equal(node->op, "Every");
    assert_string_equal(node->device, "/cpu:0");
    assert_int_equal(node->input.count, 3);
    assert_string_equal(node->input.item[2], "^c");
    assert_int_equal(attr(node, "s", TN__ATTR_S)->s.size, 7);
    assert_int_equal(attr(node, "i", TN__ATTR_I)->i, -5);
    assert_true(attr(node, "f", TN__ATTR_F)->f == 0);
    assert_false(attr(node, "b", TN__ATTR_B)->b);
    assert_int_equal(attr(node, "type", TN__ATTR_TYPE)->type, TN__TF_FLOAT);
    const tn__shape_def *shape = attr(node, "shape", TN__ATTR_SHAPE)->shape;
    assert_true(shape->dim.count == 2 && shape->dim.item[0].size == -1 &&
                shape->dim.item[1].size == 3);
    assert_true(attr(node, "unknown", TN__ATTR_SHAPE)->shape->unknown_rank);
    assert_string_equal(attr(node, "placeholder", TN__ATTR_PLACEHOLDER)->placeholder, "P");
    const tn__func_def *func = attr(node, "func", TN__ATTR_FUNC)->func;
    assert_string_equal(func->name, "f");
    assert_int_equal(tn__attr_find(&func->attr, "T")->type, TN__TF_INT32);
    assert_int_equal(attr(node, "none", TN__ATTR_LIST)->list->i.count, 0);
    const tn__attr_list *list = attr(node, "list", TN__ATTR_LIST)->list;
    assert_true(list->i.count == 3 && list->i.item[1] == -1 && list->i.item[2] == (int64_t)1 << 40);
    assert_true(list->f.count == 2 && list->f.item[0] == 0.5f);
    assert_true(list->b.count == 2 && list->b.item[0] && !list->b.item[1]);
    assert_true(list->s.count == 2 && list->s.item[0].data[0] == 'x' && list->s.item[1].size == 0);
    assert_true(list->type.count == 2 && list->type.item[1] == TN__TF_INT32);
    assert_true(list->shape.count == 1 && list->shape.item[0].dim.item[0].size == -1);
    assert_string_equal(list->func.item[0].name, "g");
    assert_null(tn__attr_find(&node->attr, "nothing"));
    tn__file_close(&file);
    tn__arena_free(&arena);
}

static void functions_are_read(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    tn__graph_def graph;
    tn__file file = load(&arena, &graph);
    const tn__function_library *library = graph.library;
    const tn__function_def *last = &library->function.item[library->function.count - 1];
    assert_non_null(strstr(last->signature->name, "twice"));
    assert_int_equal(last->signature->input_arg.count, 2);
    assert_string_equal(last->signature->input_arg.item[0].name, "x");
    assert_int_equal(last->signature->input_arg.item[1].type, TN__TF_BOOL);
    assert_int_equal(last->signature->output_arg.count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_non_null(tn__text_map_find(&last->ret, last->signature->output_arg.item[i].name));
    assert_null(tn__text_map_find(&last->ret, "nothing"));
    assert_true(last->signature->control_output.count == last->control_ret.count);
    assert_true(last->node_def.count > 3 && last->arg_attr.count == 2);
    bool branches = false;
    for (size_t i = 0; i < last->node_def.count; i++)
        branches |= tn__attr_find(&last->node_def.item[i].attr, "then_branch") != NULL;
    assert_true(branches);
    assert_string_equal(library->gradient.item[0].gradient_func, "g");
    assert_int_equal(graph.versions->producer, 1882);
    assert_int_equal(graph.versions->bad_consumers.item[1], 2);
    tn__file_close(&file);
    tn__arena_free(&arena);
}

/* No field is lost, since the file was written in the order in which fields are written here. */
static void it_is_written_byte_for_byte(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    tn__graph_def graph;
    tn__file file = load(&arena, &graph);
    tn__bytes bytes = { 0 };
    CHECK_OK(tn__pb_write(&tn__pb_graph, &graph, &bytes));
    assert_int_equal(bytes.size, file.span.size);
    assert_memory_equal(bytes.data, file.span.data, bytes.size);
    tn__bytes_free(&bytes);
    tn__file_close(&file);
    tn__arena_free(&arena);
}

static void attributes_are_added_by_name(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    tn__attrs attrs = { 0 };
    for (int i = 0; i < 10; i++) {
        tn__attr_value *value = tn__attr_add(&arena, &attrs, i % 2 ? "odd" : "even");
        *value = (tn__attr_value){ .which = TN__ATTR_I, .i = i };
    }
    assert_int_equal(tn__attr_find(&attrs, "odd")->i, 9);
    assert_int_equal(tn__attr_find(&attrs, "even")->i, 8);
    tn__arena_free(&arena);
}

/* --- tensors ---------------------------------------------------------------------------------- */
static void the_values_of_tensors_come_out(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    tn__graph_def graph;
    tn__file file = load(&arena, &graph);
    const tn__node_def *node = &graph.node.item[0];
    uint64_t count, size;
    float floats[4];
    int64_t sevens[6];
    const tn__tensor_def *tensor = attr(node, "tensor", TN__ATTR_TENSOR)->tensor;
    CHECK_OK(tn__tensor_proto_measure(tensor, &count, &size));
    assert_true(count == 4 && size == sizeof floats);
    tn__tensor_proto_copy(tensor, floats);
    for (int i = 0; i < 4; i++)
        assert_true(floats[i] == (float)(i + 1));
    tensor = attr(node, "fill", TN__ATTR_TENSOR)->tensor;
    CHECK_OK(tn__tensor_proto_measure(tensor, &count, &size));
    assert_true(count == 6 && size == sizeof sevens && tensor->int64_val.count == 1);
    tn__tensor_proto_copy(tensor, sevens);
    for (int i = 0; i < 6; i++)
        assert_int_equal(sevens[i], 7);
    tensor = attr(node, "texts", TN__ATTR_TENSOR)->tensor;
    CHECK_OK(tn__tensor_proto_measure(tensor, &count, &size));
    assert_true(count == 2 && size == 0);
    assert_memory_equal(tn__tensor_proto_text(tensor, 0).data, "ab", 2);
    assert_int_equal(tn__tensor_proto_text(tensor, 1).size, 0);
    tn__file_close(&file);
    tn__arena_free(&arena);
}

/* Two elements of every dtype from a list of one number: 3, or for complex ones 3 + 4i. */
static void every_dtype_has_its_list(void **state)
{
    (void)state;
    static const int dtypes[] = { TN__TF_FLOAT,    TN__TF_DOUBLE,      TN__TF_INT32,
                                  TN__TF_UINT8,    TN__TF_INT16,       TN__TF_INT8,
                                  TN__TF_INT64,    TN__TF_BOOL,        TN__TF_UINT16,
                                  TN__TF_UINT32,   TN__TF_UINT64,      TN__TF_HALF,
                                  TN__TF_QINT8,    TN__TF_COMPLEX64,   TN__TF_COMPLEX128,
                                  TN__TF_BFLOAT16, TN__TF_FLOAT8_E5M2, TN__TF_QUINT16 };
    tn__tensor_def t = { 0 };
    tn__dim_def dim = { .size = 2 };
    tn__shape_def shape = { .dim = { &dim, 1, 1 } };
    t.shape = &shape;
    t.half_val.item = t.int_val.item = (int32_t[]){ 3 }, t.half_val.count = t.int_val.count = 1;
    t.float_val.item = (float[]){ 3 }, t.float_val.count = 1;
    t.scomplex_val.item = (float[]){ 3, 4 }, t.scomplex_val.count = 2;
    t.double_val.item = (double[]){ 3 }, t.double_val.count = 1;
    t.dcomplex_val.item = (double[]){ 3, 4 }, t.dcomplex_val.count = 2;
    t.int64_val.item = (int64_t[]){ 3 }, t.int64_val.count = 1;
    t.bool_val.item = (bool[]){ true }, t.bool_val.count = 1;
    t.uint32_val.item = (uint32_t[]){ 3 }, t.uint32_val.count = 1;
    t.uint64_val.item = (uint64_t[]){ 3 }, t.uint64_val.count = 1;
    t.float8_val = (tn__span){ (const uint8_t *)"\3", 1 };
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        uint8_t out[32], expected[16] = { 3 };
        uint64_t count, size;
        t.dtype = dtypes[i];
        size_t width = tn__tf_dtype_size(t.dtype);
        if (t.dtype == TN__TF_FLOAT)
            memcpy(expected, &(float){ 3 }, 4);
        if (t.dtype == TN__TF_DOUBLE)
            memcpy(expected, &(double){ 3 }, 8);
        if (t.dtype == TN__TF_COMPLEX64)
            memcpy(expected, (float[]){ 3, 4 }, 8);
        if (t.dtype == TN__TF_COMPLEX128)
            memcpy(expected, (double[]){ 3, 4 }, 16);
        if (t.dtype == TN__TF_BOOL)
            expected[0] = 1;
        CHECK_OK(tn__tensor_proto_measure(&t, &count, &size));
        assert_true(count == 2 && size == 2 * width);
        tn__tensor_proto_copy(&t, out);
        assert_memory_equal(out, expected, width);
        assert_memory_equal(out + width, expected, width);
    }
}

static void tensors_that_contradict_themselves_are_refused(void **state)
{
    (void)state;
    uint64_t count, size;
    tn__dim_def dims[2] = { { .size = 2 }, { .size = 1 } };
    tn__shape_def shape = { .dim = { dims, 2, 2 } };
    tn__tensor_def t = { .dtype = TN__TF_FLOAT, .shape = &shape };
    float out[2] = { 1, 1 };
    CHECK_OK(tn__tensor_proto_measure(&t, &count, &size));
    tn__tensor_proto_copy(&t, out); /* no values at all */
    assert_true(out[0] == 0 && out[1] == 0);
    t.content = (tn__span){ (const uint8_t *)"123456789", 9 };
    assert_int_equal(tn__tensor_proto_measure(&t, &count, &size), TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, "TensorProto: expected 8 bytes of content, got 9");
    t.content.size = 0;
    t.float_val.item = (float[3]){ 0 }, t.float_val.count = 3;
    assert_int_equal(tn__tensor_proto_measure(&t, &count, &size), TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, "TensorProto: expected at most 2 values, got 3");
    static const int64_t bad[][2] = { { -1, 1 }, { INT64_MAX, 3 }, { INT64_MAX, 2 } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dims[0].size = bad[i][0], dims[1].size = bad[i][1];
        assert_int_equal(tn__tensor_proto_measure(&t, &count, &size), TN_DATA_LOSS);
        CHECK_ERROR(TN_DATA_LOSS, "its shape is none that a value can have");
    }
    t.dtype = TN__TF_VARIANT;
    assert_int_equal(tn__tensor_proto_measure(&t, &count, &size), TN_UNIMPLEMENTED);
    CHECK_ERROR(TN_UNIMPLEMENTED, "values of dtype DT_VARIANT cannot be read");
}

static void dtypes_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(tn__tf_dtype_name(TN__TF_BFLOAT16), "DT_BFLOAT16");
    assert_string_equal(tn__tf_dtype_name(TN__TF_REF + TN__TF_FLOAT), "DT_FLOAT_REF");
    assert_string_equal(tn__tf_dtype_name(-1), "an unknown dtype");
    assert_string_equal(tn__tf_dtype_name(99), "an unknown dtype");
    assert_string_equal(tn__tf_dtype_name(INT32_MAX), "an unknown dtype");
    assert_int_equal(tn__tf_dtype_size(TN__TF_COMPLEX128), 16);
    assert_int_equal(tn__tf_dtype_size(TN__TF_STRING), 0);
    assert_int_equal(tn__tf_dtype_size(-5), 0);
}

/* --- damage ----------------------------------------------------------------------------------- */
static tn_status read_graph(tn__span bytes)
{
    tn__arena arena = { 0 };
    tn__graph_def graph = { 0 };
    tn_status status = tn__pb_read(&tn__pb_graph, bytes, &arena, &graph);
    tn__arena_free(&arena);
    return status;
}

static void every_cut_and_change_is_survived(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    tn__graph_def graph;
    tn__file file = load(&arena, &graph);
    check_damage(file.span, read_graph, "protobuf: ");
    tn__file_close(&file);
    tn__arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_attribute_is_read),
        cmocka_unit_test(functions_are_read),
        cmocka_unit_test(it_is_written_byte_for_byte),
        cmocka_unit_test(attributes_are_added_by_name),
        cmocka_unit_test(the_values_of_tensors_come_out),
        cmocka_unit_test(every_dtype_has_its_list),
        cmocka_unit_test(tensors_that_contradict_themselves_are_refused),
        cmocka_unit_test(dtypes_have_their_names),
        cmocka_unit_test(every_cut_and_change_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
