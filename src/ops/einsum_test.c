/* einsum_test.c - numbers and messages are those of tf.einsum. */
#include "support/check_op.h"

static tn_tensor *einsum(void *self, tn_list inputs)
{
    return tn_einsum(self, inputs);
}

/* In every mode, with gradients of first and second order. */
static void every_kind_of_equation_has_its_gradients(void **state)
{
    (void)state;
    static const struct {
        const char *equation;
        tn_shape a, b; /* b unknown: there is none */
        unsigned batched;
    } rows[] = {
        { "ij,jk->ik", TN_SHAPE(2, 3), TN_SHAPE(3, 4), 1 },
        { "bij,bjk->kbi", TN_SHAPE(2, 3, 2), TN_SHAPE(2, 2, 3), 3 },
        { "ij->ji", TN_SHAPE(2, 3), { 0 }, 1 },
        { "ij->", TN_SHAPE(2, 3), { 0 }, 1 },
        { "ijk->j", TN_SHAPE(2, 3, 2), { 0 }, 1 },
        { "aii->ai", TN_SHAPE(2, 3, 3), { 0 }, 1 },
        { "aii->a", TN_SHAPE(2, 3, 3), { 0 }, 1 },
        { "ij,ij->", TN_SHAPE(2, 3), TN_SHAPE(2, 3), 3 },
        { "ij,k->ik", TN_SHAPE(2, 3), TN_SHAPE(4), 1 },
        { "...ij,jk->...ik", TN_SHAPE(2, 2, 3, 2), TN_SHAPE(2, 3), 1 },
        { "...i,...i->...", TN_SHAPE(2, 3, 4), TN_SHAPE(1, 4), 1 },
        { "i...,j...->...ij", TN_SHAPE(2, 3), TN_SHAPE(4, 1), 1 },
        { "i...j->i...", TN_SHAPE(2, 3, 4), { 0 }, 1 },
        { "abc,cd", TN_SHAPE(2, 3, 4), TN_SHAPE(4, 2), 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        TN_SCOPE;
        tn_tensor *a = check_numbers(rows[i].a, -1, 1, 1);
        tn_list inputs = TN_LIST(a);
        if (rows[i].b.known)
            inputs = TN_LIST(a, check_numbers(rows[i].b, -1, 1, 2));
        CHECK_OP(.body = einsum, .self = (void *)(uintptr_t)rows[i].equation, .inputs = inputs,
                 .batched = rows[i].batched, .differentiable = true);
    }
}

static void values_are_tensorflows(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6),
              *b = VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 1, -1, 2, 0, 0.5, 3),
              *v = VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2);
    CHECK_VALUES(tn_einsum("ij,jk->ki", TN_LIST(a, b)), 0, 6.5, 17, 8, 14);
    CHECK_VALUES(tn_einsum("ij,jk,kl->il", TN_LIST(a, b, a)), 0, 38.5, 53, 67.5, 73, 104, 135);
    CHECK_VALUES(tn_einsum("ba,ca", TN_LIST(a, a)), 0, 14, 32, 32, 77);
    CHECK_VALUES(tn_einsum("i j -> j", TN_LIST(a)), 0, 5, 7, 9);
    CHECK_VALUES(tn_einsum("a...,b", TN_LIST(a, v)), 0, 1, 2, 4, 8, 2, 4, 5, 10, 3, 6, 6, 12);
    tn_tensor *matrices =
        tn_einsum("...ij,...jk->...ik", TN_LIST(tn_ones(TN_SHAPE(2, 1, 2, 3), TN_FLOAT32),
                                                tn_ones(TN_SHAPE(4, 3, 2), TN_FLOAT32)));
    assert_string_equal(tn_shape_text(matrices), "(2, 4, 2, 2)");
    CHECK_VALUES(tn_einsum("ij,jk->ik", TN_LIST(tn_zeros(TN_SHAPE(2, 0), TN_FLOAT32),
                                                tn_zeros(TN_SHAPE(0, 1), TN_FLOAT32))),
                 0, 0, 0);
    CHECK_VALUES(tn_einsum("i,i->", TN_LIST(VALUES(TN_INT32, TN_SHAPE(2), 2147483647, 1),
                                            VALUES(TN_INT32, TN_SHAPE(2), 1, 1))),
                 0, -2147483648.0);
}

static void wrong_equations_are_refused_in_tensorflows_words(void **state)
{
    (void)state;
    TN_SCOPE;
    static const struct {
        const char *equation, *message;
    } one[] = {
        { "ijk->i", "Expected input 0 to have rank 3 but got: 2" },
        { "ij->iz", "Output subscripts contain the label z not present in the input subscripts." },
        { "ij,jk", "Got 1 inputs for equation \"ij,jk\", expecting 2" },
        { "i1->i", "Subscripts have incorrect format: i1->i" },
        { "i..j->i", "Subscripts have incorrect format: i..j->i" },
        { "ii->i", "Expected dimension 2 at axis 1 of the input shaped [2,3] but got dimension 3" },
        { "...i->i", "Output contains 1 broadcasting dimension(s) but no ellipsis (...) was found "
                     "in the output subscripts." },
        { "ij->i->j", "Expecting exactly one '->' in einsum equation: ij->i->j" },
    };
    tn_tensor *a = tn_ones(TN_SHAPE(2, 3), TN_FLOAT32), *b = tn_ones(TN_SHAPE(4, 5), TN_FLOAT32);
    for (size_t i = 0; i < sizeof one / sizeof *one; i++) {
        assert_null(tn_einsum(one[i].equation, TN_LIST(a)));
        CHECK_ERROR(TN_INVALID_ARGUMENT, one[i].message);
    }
    assert_null(tn_einsum("ij,jk->ik", TN_LIST(a, b)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Expected dimension 3 at axis 0 of the input shaped [4,5] but got dimension 4");
    assert_null(tn_einsum(NULL, TN_LIST(a)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Subscripts have incorrect format: NULL");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_equation_has_its_gradients),
        cmocka_unit_test(values_are_tensorflows),
        cmocka_unit_test(wrong_equations_are_refused_in_tensorflows_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
