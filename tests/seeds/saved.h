/* saved.h - what the programs of document 003 leave behind. */
#ifndef TN_TESTS_SEEDS_SAVED_H
#define TN_TESTS_SEEDS_SAVED_H
#include "seeds/seed.h"

/* Four variables; with names given, of these names below the scope. */
static inline void seed_check_variables(tn_model *model, const char *scope, const char *const names[4])
{
    tn_list variables = tn_variables(model);
    assert_int_equal(variables.count, 4);
    for (size_t i = 0; names && i < 4; i++)
        assert_string_equal(tn_name(variables.item[i]), tn_format("%s/%s", scope, names[i]));
}

/* The folder is a SavedModel that tenon reads, with variables of these names below the folder's, and 10 inputs become 10 probabilities. */
static inline void seed_check_saved(const char *folder, const char *const names[4])
{
    TN_SCOPE;
    assert_true(seed_exists(tn_format("%s/saved_model.pb", folder)));
    assert_true(seed_exists(tn_format("%s/variables/variables.index", folder)));
    tn_model *model = tn_load_model(folder);
    CHECK_NO_ERROR();
    seed_check_variables(model, folder, names);
    tn_tensor *y = tn_call(model, tn_random_normal(TN_SHAPE(3, 10)));
    assert_string_equal(tn_shape_text(y), "(3, 10)");
    CHECK_TENSOR(tn_reduce_sum(y, .axis = TN_AXES(1)), tn_ones(TN_SHAPE(3), TN_FLOAT32), 0, 1e-5);
}

/* Both models, made once more and as they were saved. */
static inline void seed_check_both(tn_model *(*build)(const char *model_name), const char *const names[4])
{
    static const char *const folders[] = { "model_0", "model_1" };
    for (size_t i = 0; i < 2; i++) {
        seed_check_variables(build(folders[i]), folders[i], names);
        seed_check_saved(folders[i], names);
    }
}

#endif
