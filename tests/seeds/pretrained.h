/* pretrained.h - the file that the programs of document 000 load. */
#ifndef TN_TESTS_SEEDS_PRETRAINED_H
#define TN_TESTS_SEEDS_PRETRAINED_H
#include "seeds/seed.h"

#define SEED_PRETRAINED "path/to/pretrained_model.h5"

/* A Sequential with an automatic name, inputs of 8, four variables. */
static inline void seed_pretrained(void)
{
    seed_folder();
    if (seed_exists(SEED_PRETRAINED))
        return;
    mkdir("path", 0755);
    mkdir("path/to", 0755);
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(12, .activation = "tanh", .input_shape = TN_SHAPE(8)), tn_dense(5)));
    CHECK_OK(tn_save(model, SEED_PRETRAINED));
    tn_clear_session();
}

#endif
