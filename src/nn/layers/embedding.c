/* embedding.c - whole numbers become rows of a table that is learned */
#include "nn/layers/layers.h"
#include "ops/ops.h"

typedef struct {
    tn_embedding_options o;
    tn_variable *embeddings;
} embedding;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_INT, embedding, input_dim, NULL, "> 0"),
    TN__OPTION(TN_FIELD_INT, embedding, output_dim, NULL, "> 0"),
    TN__OPTION(TN_FIELD_INITIALIZER, embedding, embeddings_initializer, "uniform", NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, embedding, embeddings_regularizer, "none", NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, embedding, activity_regularizer, "none", NULL),
    TN__OPTION(TN_FIELD_CONSTRAINT, embedding, embeddings_constraint, "none", NULL),
    TN__OPTION(TN_FIELD_FLAG, embedding, mask_zero, "false", NULL),
    TN__ROW(TN_FIELD_VARIABLE, embedding, embeddings, NULL, NULL),
    TN__END_OF_FIELDS,
};

static void build(void *me, tn_list inputs)
{
    embedding *self = me;
    const tn_embedding_options *o = &self->o;
    (void)inputs;
    self->embeddings = tn__weight_new(TN_SHAPE(o->input_dim, o->output_dim), "embeddings",
                                      o->embeddings_initializer, o->embeddings_regularizer,
                                      o->embeddings_constraint);
}

/* Negative numbers count from the end, as keras.ops.take has them. */
static tn_tensor *call(void *me, tn_list inputs)
{
    const embedding *self = me;
    tn_tensor *x = tn_at(inputs, 0);
    if (x && x->dtype != TN_INT32 && x->dtype != TN_INT64)
        x = tn_cast(x, TN_INT32);
    if (!x)
        return NULL;
    tn_tensor *from_end = tn_add(x, tn__like(x, (double)self->o.input_dim));
    tn_tensor *rows =
        tn_gather(self->embeddings, tn_where(tn_less(x, tn__like(x, 0)), from_end, x), 0);
    return tn_cast(rows, tn__layer_dtype(tn__this_layer()));
}

/* 0 is padding, if the option says so. */
static tn_tensor *compute_mask(void *me, tn_list inputs)
{
    tn_tensor *x = tn_at(inputs, 0);
    return ((const embedding *)me)->o.mask_zero && x ? tn_not_equal(x, tn__like(x, 0)) : NULL;
}

/* Keras 1 and 2 say how long the input is, which nothing needs. */
static tn_status upgrade(void *config)
{
    static const tn__renamed old[] = {
        { "init", "embeddings_initializer" },
        { "W_regularizer", "embeddings_regularizer" },
        { "W_constraint", "embeddings_constraint" },
        { "input_length", NULL },
        { "dropout", NULL },
        { "weights", NULL },
        { NULL, NULL },
    };
    tn__rename_keys(config, old);
    return TN_OK;
}

static const tn_class_more more = { .reads_as_kept = true, .upgrade_config = upgrade };
TN__LAYER_CLASS(Embedding, tn_embedding_new, embedding, tn_embedding_options, .fields = fields,
                .inputs = 1, .build = build, .call = call, .compute_mask = compute_mask,
                .more = &more)
