/* The graphs of objects that Keras 2 (tf_keras 2.21) makes of the same models. */
#include "saving/testdata.h"
#include "saving/trackable.h"
#include "base/text.h"

/* "0: layer-0=1 root=0" a node, children in order; a variable's key behind ">". */
static char *drawn(tn_model *model, bool optimizer)
{
    tn__tracker t;
    tn__object_graph graph;
    tn__text text = { 0 };
    CHECK_OK(tn__tracker_model(model, optimizer, &t));
    CHECK_OK(tn__tracker_graph(&t, &graph));
    for (size_t i = 0; i < graph.nodes.count; i++) {
        const tn__trackable *node = &graph.nodes.item[i];
        tn__text_add(&text, "%zu:%s", i, node->has_checkpoint_values->value ? "" : " -");
        for (size_t k = 0; k < node->children.count; k++)
            tn__text_add(&text, " %s=%d", node->children.item[k].local_name,
                         (int)node->children.item[k].node_id);
        for (size_t k = 0; k < node->attributes.count; k++)
            tn__text_add(&text, " %s > %s", node->attributes.item[k].full_name,
                         node->attributes.item[k].checkpoint_key);
        tn__text_add(&text, "\n");
    }
    tn__tracker_free(&t);
    return tn__text_take(&text);
}

static void check_drawn(tn_model *model, const char *wanted)
{
    char *text = drawn(model, false);
    CHECK_NO_ERROR();
    assert_string_equal(text, wanted);
    tn__free(text);
}

#define VALUE "/.ATTRIBUTES/VARIABLE_VALUE\n"

static void a_sequential_counts_layers_and_those_with_weights(void **state)
{
    (void)state;
    TN_SCOPE;
    check_drawn(tn_sequential(TN_LAYERS(tn_dense(4, .input_shape = TN_SHAPE(3), .name = "a"),
                                        tn_dropout(0.5), tn_dense(2, .name = "b"))),
                "0: layer_with_weights-0=1 layer-0=1 layer-1=2 layer_with_weights-1=3 layer-2=3\n"
                "1: kernel=4 bias=5\n"
                "2: -\n"
                "3: kernel=6 bias=7\n"
                "4: a/kernel > layer_with_weights-0/kernel" VALUE
                "5: a/bias > layer_with_weights-0/bias" VALUE
                "6: b/kernel > layer_with_weights-1/kernel" VALUE
                "7: b/bias > layer_with_weights-1/bias" VALUE);
}

static void a_functional_model_counts_its_inputs_and_nests_models(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_input(TN_SHAPE(3), .name = "x");
    tn_model *inner = tn_sequential(TN_LAYERS(tn_dense(2, .name = "d", .use_bias = false)));
    tn_tensor *y = tn_call(inner, tn_call(tn_dense(3, .name = "a", .use_bias = false), x));
    check_drawn(tn_model(x, y),
                "0: layer-0=1 layer_with_weights-0=2 layer-1=2 layer_with_weights-1=3 layer-2=3\n"
                "1: -\n"
                "2: kernel=4\n"
                "3: layer_with_weights-0=5 layer-0=5\n"
                "4: a/kernel > layer_with_weights-0/kernel" VALUE "5: kernel=6\n"
                "6: d/kernel > layer_with_weights-1/layer_with_weights-0/kernel" VALUE);
}

/* --- classes of one's own --------------------------------------------------------------------- */
typedef struct {
    tn_layer *d;
    tn_variable *w, *k, *again;
} own;

static void own_init(void *me)
{
    own *self = me;
    self->d = tn_dense(1, .name = "dense", .use_bias = false);
    self->w = tn_variable(tn_ones(TN_SHAPE(1, 1), TN_FLOAT32), .name = "weights");
    self->k = tn_add_weight(TN_SHAPE(1), .name = "kernel");
    self->again = tn_add_weight(TN_SHAPE(1), .name = "bias.of/it");
    tn_add_weight(TN_SHAPE(1), .name = "twice");
    tn_add_weight(TN_SHAPE(1), .name = "twice");
}

static tn_tensor *own_call(void *me, tn_list inputs)
{
    own *self = me;
    return tn_matmul(tn_call(self->d, tn_at(inputs, 0)), self->w);
}

static const tn_class Own = { .name = "Own",
                              .size = sizeof(own),
                              .fields = TN_FIELDS(TN_FIELD(own, d), TN_FIELD(own, w),
                                                  TN_FIELD(own, k), TN_FIELD(own, again)),
                              .init = own_init,
                              .call = own_call,
                              .model = true };

static void a_field_is_a_name_and_so_is_that_of_add_weight(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_new(&Own, .name = "own");
    tn_call(model, tn_ones(TN_SHAPE(1, 1), TN_FLOAT32));
    check_drawn(model, "0: d=1 w=2 kernel=3 k=3 bias.of/it=4 again=4 twice_3=5 twice_4=6\n"
                       "1: kernel=7\n"
                       "2: weights > w" VALUE "3: kernel > kernel" VALUE
                       "4: bias.of/it > bias..of.Sit" VALUE "5: twice > twice_3" VALUE
                       "6: twice > twice_4" VALUE "7: dense/kernel > d/kernel" VALUE);
}

/* --- the optimizer ---------------------------------------------------------------------------- */
static void an_optimizer_has_its_state_once_it_has_trained(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(
        TN_LAYERS(tn_dense(1, .input_shape = TN_SHAPE(2), .name = "d", .use_bias = false)),
        .name = "m");
    CHECK_OK(tn_compile(model, tn_adam(1e-3), "mse"));
    tn_train_on_batch(model, tn_ones(TN_SHAPE(1, 2), TN_FLOAT32),
                      tn_ones(TN_SHAPE(1, 1), TN_FLOAT32));
    char *text = drawn(model, true);
    CHECK_NO_ERROR();
    assert_string_equal(text, "0: layer_with_weights-0=1 layer-0=1 optimizer=2\n"
                              "1: kernel=3\n"
                              "2: _variables=4 _iterations=5 _learning_rate=6\n"
                              "3: d/kernel > layer_with_weights-0/kernel" VALUE "4: 0=5 1=7 2=8\n"
                              "5: iteration > optimizer/_iterations" VALUE
                              "6: learning_rate > optimizer/_learning_rate" VALUE
                              "7: m_d_kernel_momentum > optimizer/_variables/1" VALUE
                              "8: m_d_kernel_velocity > optimizer/_variables/2" VALUE);
    tn__free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sequential_counts_layers_and_those_with_weights),
        cmocka_unit_test(a_functional_model_counts_its_inputs_and_nests_models),
        cmocka_unit_test(a_field_is_a_name_and_so_is_that_of_add_weight),
        cmocka_unit_test(an_optimizer_has_its_state_once_it_has_trained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
