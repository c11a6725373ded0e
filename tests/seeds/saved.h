/* saved.h - what the programs of document 003 leave behind. */
#ifndef TN_TESTS_SEEDS_SAVED_H
#define TN_TESTS_SEEDS_SAVED_H
#include "seeds/seed.h"

/* The folder is a SavedModel that tenon reads; its weights bear these names, and 10 inputs become 10 probabilities. */
static inline void seed_check_saved(const char *folder, size_t count, const char *const *names)
{
    TN_SCOPE;
    assert_true(seed_exists(tn_format("%s/saved_model.pb", folder)));
    assert_true(seed_exists(tn_format("%s/variables/variables.index", folder)));
    tn_model *model = tn_load_model(folder);
    CHECK_NO_ERROR();
    tn_list variables = tn_variables(model);
    assert_int_equal(variables.count, count);
    for (size_t i = 0; names && i < count; i++)
        assert_string_equal(tn_name(variables.item[i]), names[i]);
    tn_tensor *y = tn_call(model, tn_random_normal(TN_SHAPE(3, 10)));
    assert_string_equal(tn_shape_text(y), "(3, 10)");
    seed_check_equal(tn_reduce_sum(y, .axis = TN_AXES(1)), tn_ones(TN_SHAPE(3), TN_FLOAT32), 1e-5);
}

#endif
