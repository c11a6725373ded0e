/* map_test.c - functions of each element along the first axis, at once and traced, and their
 * gradients. */
#include "support/check_op.h"

static tn_tensor *number(double x)
{
    return tn_cast(tn_scalar(x), TN_FLOAT32);
}

static tn_tensor *three_rows(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6);
}

/* --- map --------------------------------------------------------------------------------------- */
/* tf.map_fn(lambda q: (q[0] * q[0] * w, tf.reduce_sum(q[0] * q[1])), (x, x + 1)) */
static tn_tensor *square_and_product(void *self, tn_list rows)
{
    tn_tensor *q = tn_at(rows, 0);
    return tn_tuple(tn_multiply(tn_multiply(q, q), self),
                    tn_reduce_sum(tn_multiply(q, tn_at(rows, 1))));
}

static tn_tensor *map_two(void *self, tn_list inputs)
{
    tn_tensor *x = tn_at(inputs, 0);
    return tn_map_fn(square_and_product, self, TN_LIST(x, tn_add(x, tn_scalar(1.0))));
}

static void every_element_is_mapped(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *w = tn_variable(number(2));
    tn_function *f = tn_function(map_two, w),
                *open = tn_function(map_two, w, .input_signature = TN_LIST(tn_input(TN_SHAPE(2))));
    for (int mode = 0; mode < 3; mode++) {
        tn_tensor *y = mode == 0 ? map_two(w, TN_LIST(three_rows()))
                                 : tn_call(mode == 1 ? f : open, three_rows());
        CHECK_TENSOR(tn_item(y, 0), VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 2, 8, 18, 32, 50, 72), 0, 0);
        CHECK_TENSOR(tn_item(y, 1), VALUES(TN_FLOAT32, TN_SHAPE(3), 8, 32, 72), 0, 0);
    }
    CHECK_NO_ERROR();
}

static tn_tensor *map_loss(void *self, tn_list inputs)
{
    tn_tensor *y = map_two(self, inputs), *first = tn_item(y, 0);
    tn_tensor *weights = VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 2, 3);
    return tn_add(tn_reduce_sum(tn_multiply(first, first)),
                  tn_reduce_sum(tn_multiply(tn_item(y, 1), weights)));
}

/* By x and w, and by x of that by w. */
static void gradients_go_through_the_elements(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *w = tn_variable(number(2));
    tn_function *f = tn_function(map_loss, w),
                *open = tn_function(map_loss, w, .input_signature = TN_LIST(tn_input(TN_SHAPE(2))));
    for (int mode = 0; mode < 3; mode++) {
        tn_tensor *x = three_rows();
        tn_tape *outer = tn_gradient_tape(), *tape = tn_gradient_tape(.persistent = true);
        tn_watch(outer, x);
        tn_watch(tape, x);
        tn_tensor *y = mode == 0 ? map_loss(w, TN_LIST(x)) : tn_call(mode == 1 ? f : open, x),
                  *dw = tn_gradient_of(tape, y, w);
        CHECK_VALUES(tn_gradient_of(tape, y, x), 1e-3, 19, 133, 446, 1042, 2033, 3495);
        CHECK_VALUES(dw, 1e-2, 9100);
        CHECK_VALUES(tn_gradient_of(outer, dw, x), 1e-3, 16, 128, 432, 1024, 2000, 3456);
    }
    CHECK_NO_ERROR();
}

/* --- scan ------------------------------------------------------------------------------------- */
static tn_tensor *half_and_next(void *self, tn_list both)
{
    (void)self;
    return tn_add(tn_multiply(tn_at(both, 0), tn_scalar(0.5)), tn_at(both, 1));
}

static tn_tensor *scan_on(void *self, tn_list inputs)
{
    return tn_scan(half_and_next, self, inputs);
}

static tn_tensor *scan_back(void *self, tn_list inputs)
{
    return tn_scan(half_and_next, self, inputs, .reverse = true);
}

/* tf.scan(lambda a, b: a * .5 + b, x), and with reverse=True */
static void a_scan_begins_with_the_first_element(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_function *on = tn_function(scan_on, NULL),
                *back =
                    tn_function(scan_back, NULL, .input_signature = TN_LIST(tn_input(TN_SHAPE(2))));
    tn_tensor *x = three_rows(), *one = VALUES(TN_FLOAT32, TN_SHAPE(1, 2), 7, 8);
    CHECK_VALUES(scan_on(NULL, TN_LIST(x)), 0, 1, 2, 3.5, 5, 6.75, 8.5);
    CHECK_VALUES(tn_call(on, x), 0, 1, 2, 3.5, 5, 6.75, 8.5);
    CHECK_VALUES(scan_back(NULL, TN_LIST(x)), 0, 3.75, 5.5, 5.5, 7, 5, 6);
    CHECK_VALUES(tn_call(back, x), 0, 3.75, 5.5, 5.5, 7, 5, 6);
    CHECK_TENSOR(scan_on(NULL, TN_LIST(one)), one, 0, 0);
    CHECK_TENSOR(tn_call(on, one), one, 0, 0);
    CHECK_TENSOR(tn_call(back, one), one, 0, 0);
    CHECK_NO_ERROR();
}

/* lambda a, b: (a[0] * w + b[0] * a[0] * b[1] / 100, a[1] + tf.reduce_sum(a[0] * b[1])) */
static tn_tensor *grow_and_sum(void *self, tn_list in)
{
    tn_tensor *a = tn_at(in, 0), *product = tn_multiply(tn_multiply(tn_at(in, 2), a), tn_at(in, 3));
    return tn_tuple(tn_add(tn_multiply(a, self), tn_divide(product, tn_scalar(100.0))),
                    tn_add(tn_at(in, 1), tn_reduce_sum(tn_multiply(a, tn_at(in, 3)))));
}

typedef struct {
    tn_variable *w;
    bool reverse;
} scan;

/* tf.scan(…, (x, x + 1), initializer=(a0, 1.), reverse=…) */
static tn_tensor *scan_two(void *self, tn_list inputs)
{
    const scan *s = self;
    tn_tensor *x = tn_at(inputs, 0), *more = tn_add(x, tn_scalar(1.0));
    return tn_scan(grow_and_sum, s->w, TN_LIST(x, more), TN_LIST(tn_at(inputs, 1), number(1)),
                   .reverse = s->reverse);
}

static tn_tensor *scan_loss(void *self, tn_list inputs)
{
    tn_tensor *y = scan_two(self, inputs), *first = tn_item(y, 0);
    tn_tensor *weights = VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 2, 3);
    return tn_add(tn_reduce_sum(tn_multiply(first, first)),
                  tn_reduce_sum(tn_multiply(tn_item(y, 1), weights)));
}

typedef struct {
    double first[6], second[3], dx[6], da[2], dw, dwx[6];
} numbers;
static const numbers onward = {
    { 1.0099999904632568, -2.059999942779541, 2.141200065612793, -4.5320000648498535,
      4.924759864807129, -10.967440605163574 },
    { -1.0, -7.2599992752075195, -26.136798858642578 },
    { 4.759274482727051, -2.517894744873047, 8.226995468139648, -2.671454429626465,
      8.743477821350098, -0.6728453636169434 },
    { 248.9156036376953, -125.46273803710938 },
    378.9305114746094,
    { 2.1435649394989014, 13.408811569213867, 7.306562900543213, 17.667055130004883,
      11.70411491394043, 16.855220794677734 },
};
static const numbers backward = {
    { 4.924759864807129, -10.967440605163574, 2.437999963760376, -5.324000358581543,
      1.149999976158142, -2.4200000762939453 },
    { -21.59600067138672, -10.5, -3.0 },
    { 3.1583938598632812, 0.5150656700134277, 5.6051483154296875, 4.247213363647461,
      6.908119201660156, 7.789681911468506 },
    { 199.43043518066406, -214.7002410888672 },
    441.04302978515625,
    { 3.8726770877838135, 8.348413467407227, 5.830451011657715, 21.86248016357422,
      6.4426655769348145, 33.53209686279297 },
};

static tn_tensor *of(const double *values, size_t count, tn_shape shape)
{
    return check_tensor_of(TN_FLOAT32, shape, values, count);
}

static void check_scan(scan *s, const numbers *want)
{
    TN_SCOPE;
    tn_function *f = tn_function(scan_two, s), *loss = tn_function(scan_loss, s);
    for (int traced = 0; traced < 2; traced++) {
        tn_tensor *x = three_rows(), *a = VALUES(TN_FLOAT32, TN_SHAPE(2), 0.5, -1);
        tn_tensor *y = traced ? tn_call(f, x, a) : scan_two(s, TN_LIST(x, a));
        CHECK_TENSOR(tn_item(y, 0), of(want->first, 6, TN_SHAPE(3, 2)), 1e-5, 0);
        CHECK_TENSOR(tn_item(y, 1), of(want->second, 3, TN_SHAPE(3)), 1e-5, 0);
        tn_tape *outer = tn_gradient_tape(), *tape = tn_gradient_tape(.persistent = true);
        tn_watch(outer, x);
        tn_watch(tape, x);
        tn_watch(tape, a);
        tn_tensor *sum = traced ? tn_call(loss, x, a) : scan_loss(s, TN_LIST(x, a)),
                  *dw = tn_gradient_of(tape, sum, s->w);
        CHECK_TENSOR(tn_gradient_of(tape, sum, x), of(want->dx, 6, TN_SHAPE(3, 2)), 1e-4, 1e-4);
        CHECK_TENSOR(tn_gradient_of(tape, sum, a), of(want->da, 2, TN_SHAPE(2)), 1e-4, 0);
        CHECK_TENSOR(dw, of(&want->dw, 1, TN_SCALAR), 1e-4, 0);
        CHECK_TENSOR(tn_gradient_of(outer, dw, x), of(want->dwx, 6, TN_SHAPE(3, 2)), 1e-4, 0);
    }
    CHECK_NO_ERROR();
}

static void a_scan_carries_several_tensors_and_has_gradients(void **state)
{
    (void)state;
    TN_SCOPE;
    scan s = { .w = tn_variable(number(2)) };
    check_scan(&s, &onward);
    s.reverse = true;
    check_scan(&s, &backward);
}

/* --- lengths and shapes ----------------------------------------------------------------------- */
static tn_tensor *known_rows(void *self, tn_list inputs)
{
    tn_tensor *y = tn_map_fn(half_and_next, NULL, TN_LIST(tn_at(inputs, 0), tn_at(inputs, 0)));
    *(tn_shape *)self = tn_shape_of(y);
    return y;
}

static tn_tensor *scan_from_zero(void *self, tn_list inputs)
{
    return tn_scan(half_and_next, self, inputs, TN_LIST(tn_zeros(TN_SHAPE(2), TN_FLOAT32)));
}

static tn_tensor *sum_of_row(void *self, tn_list inputs)
{
    (void)self;
    return tn_reduce_sum(tn_at(inputs, 0));
}

static tn_tensor *sums(void *self, tn_list inputs)
{
    return tn_map_fn(sum_of_row, self, inputs);
}

static void a_trace_knows_the_length_where_it_is_known(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_shape shape;
    CHECK_VALUES(tn_call(tn_function(known_rows, &shape), three_rows()), 0, 1.5, 3, 4.5, 6, 7.5, 9);
    assert_int_equal(shape.rank, 2);
    assert_int_equal(shape.dims[0], 3);
    assert_int_equal(shape.dims[1], 2);
}

/* As in TensorFlow's graphs. */
static void no_elements_give_no_rows(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *none = tn_zeros(TN_SHAPE(0, 2), TN_FLOAT32),
              *empty = tn_zeros(TN_SHAPE(0), TN_FLOAT32);
    CHECK_TENSOR(sums(NULL, TN_LIST(none)), empty, 0, 0);
    CHECK_TENSOR(
        tn_call(tn_function(sums, NULL, .input_signature = TN_LIST(tn_input(TN_SHAPE(2)))), none),
        empty, 0, 0);
    CHECK_TENSOR(scan_from_zero(NULL, TN_LIST(none)), none, 0, 0);
    CHECK_TENSOR(tn_call(tn_function(scan_from_zero, NULL), none), none, 0, 0);
    CHECK_NO_ERROR();
}

static tn_tensor *map_of_maps(void *self, tn_list inputs)
{
    return tn_map_fn(sums, self, inputs);
}

static void maps_stand_inside_each_other(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 2, 2), 1, 2, 3, 4, 5, 6, 7, 8);
    tn_function *f = tn_function(map_of_maps, NULL);
    CHECK_VALUES(map_of_maps(NULL, TN_LIST(x)), 0, 3, 7, 11, 15);
    CHECK_VALUES(tn_call(f, x), 0, 3, 7, 11, 15);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *y = tn_call(f, x);
    CHECK_VALUES(tn_gradient_of(tape, tn_multiply(y, y), x), 0, 6, 6, 14, 14, 22, 22, 30, 30);
    tn_variable *v = tn_variable(three_rows());
    CHECK_VALUES(sums(NULL, TN_LIST(v)), 0, 3, 7, 11);
    CHECK_NO_ERROR();
}

/* --- mistakes --------------------------------------------------------------------------------- */
static tn_tensor *count_to(void *self, tn_list inputs)
{
    (void)self;
    return tn_range(tn_scalar(0), tn_at(inputs, 0), tn_scalar(1));
}
static tn_tensor *counts(void *self, tn_list inputs)
{
    return tn_map_fn(count_to, self, inputs);
}
static tn_tensor *whole(void *self, tn_list inputs)
{
    (void)self;
    return tn_cast(tn_at(inputs, 0), TN_INT32);
}
static tn_tensor *both(void *self, tn_list inputs)
{
    (void)self;
    return tn_tuple(tn_at(inputs, 0), tn_at(inputs, 1));
}

static tn_tensor *same_for_each(void *self, tn_list inputs)
{
    (void)inputs;
    return tn_identity(self);
}
static tn_tensor *rows_of_second(void *self, tn_list inputs)
{
    (void)self;
    return tn_map_fn(same_for_each, tn_at(inputs, 1), TN_LIST(tn_at(inputs, 0)));
}

/* The trace that serves both calls does not know the rank. */
static void rows_of_a_rank_that_only_the_run_knows_must_fit(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *two = VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2);
    tn_function *f = tn_function(rows_of_second, NULL, .reduce_retracing = true);
    tn_call(f, two, tn_zeros(TN_SHAPE(1), TN_FLOAT32));
    tn_tensor *y = tn_call(f, two, tn_zeros(TN_SHAPE(1, 1, 1, 1, 1, 1, 1), TN_FLOAT32));
    assert_string_equal(tn_shape_text(y), "(2, 1, 1, 1, 1, 1, 1, 1)");
    CHECK_NO_ERROR();
    assert_null(tn_call(f, two, tn_zeros(TN_SHAPE(1, 1, 1, 1, 1, 1, 1, 1), TN_FLOAT32)));
    CHECK_ERROR(TN_UNIMPLEMENTED, "a loop that keeps a tensor of rank 8 of every round");
}

static void mistakes_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = three_rows();
    assert_null(tn_map_fn(NULL, NULL, TN_LIST(x)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_map_fn: fn is NULL");
    assert_null(tn_map_fn(sum_of_row, NULL, (tn_list){ 0, NULL }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "elems must be a Tensor or (possibly nested) sequence of "
                                     "Tensors. Got [], which does not contain any Tensors.");
    assert_null(tn_map_fn(sum_of_row, NULL, TN_LIST(number(1))));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Elements in elems must be 1+ dimensional Tensors, not scalars");
    assert_null(tn_map_fn(sum_of_row, NULL, TN_LIST(x, tn_zeros(TN_SHAPE(2, 2), TN_FLOAT32))));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Dimensions 3 and 2 are not compatible");
    assert_null(tn_map_fn(sum_of_row, NULL, TN_LIST(tn_tuple(x, x))));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "elems 0 is a tuple");
    assert_null(tn_map_fn(sum_of_row, NULL, TN_LIST(tn_input(TN_SHAPE(2)))));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a tensor of a functional model");
    tn_tensor *numbers = VALUES(TN_INT32, TN_SHAPE(2), 1, 2);
    assert_null(counts(NULL, TN_LIST(numbers)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Shapes of all inputs must match");
    assert_null(tn_call(tn_function(counts, NULL), numbers));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Incompatible shapes during merge: (1,) vs. (2,)");
    assert_null(tn_scan(whole, NULL, TN_LIST(x)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "TensorArray dtype is float32 but Op is trying to write dtype int32");
    assert_null(tn_scan(both, NULL, TN_LIST(x)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "The two structures don't have the same nested structure.");
    assert_null(scan_on(NULL, TN_LIST(tn_zeros(TN_SHAPE(0, 2), TN_FLOAT32))));
    CHECK_ERROR(TN_OUT_OF_RANGE, "Tried to read from index 0 but array size is: 0");
}

static bool map_at_once(void *self)
{
    TN_SCOPE;
    tn_tensor *y = map_loss(self, TN_LIST(three_rows()));
    return y && tn_to_double(y) > 0;
}
static bool gradient_of_scan(void *self)
{
    TN_SCOPE;
    tn_tape *tape = tn_gradient_tape();
    tn_function *f = tn_function(scan_loss, self);
    tn_tensor *y = f ? tn_call(f, three_rows(), VALUES(TN_FLOAT32, TN_SHAPE(2), 0.5, -1)) : NULL;
    return y && tn_gradient_of(tape, y, ((scan *)self)->w) != NULL;
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    TN_SCOPE;
    scan s = { .w = tn_variable(number(2)) };
    check_allocation_failures(map_at_once, s.w);
    check_allocation_failures(gradient_of_scan, &s);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_element_is_mapped),
        cmocka_unit_test(gradients_go_through_the_elements),
        cmocka_unit_test(a_scan_begins_with_the_first_element),
        cmocka_unit_test(a_scan_carries_several_tensors_and_has_gradients),
        cmocka_unit_test(a_trace_knows_the_length_where_it_is_known),
        cmocka_unit_test(no_elements_give_no_rows),
        cmocka_unit_test(maps_stand_inside_each_other),
        cmocka_unit_test(rows_of_a_rank_that_only_the_run_knows_must_fit),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
