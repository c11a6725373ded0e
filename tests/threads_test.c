/* threads_test.c - what threads may share: tensors, variables, functions, models, sessions. Worth most under the thread sanitizer. */
#include "support/check.h"
#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 8, ROUNDS = 40 };

/* Runs body(shared) in several threads at once; each gives the number of wrong results it saw. */
static size_t in_threads(void *(*body)(void *shared), void *shared)
{
    pthread_t thread[THREADS];
    size_t wrong = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, body, shared), 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(thread[i], &result);
        wrong += (size_t)(uintptr_t)result;
    }
    return wrong;
}

static void *add_to_shared(void *shared)
{
    uintptr_t wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        TN_SCOPE;
        tn_tensor *y = tn_add(tn_multiply(shared, tn_scalar(2.0)), shared);
        wrong += tn_to_double(tn_reduce_sum(y)) != 300;
    }
    return (void *)wrong;
}

static void threads_compute_on_one_tensor(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_ones(TN_SHAPE(10, 10), TN_FLOAT32);
    assert_int_equal(in_threads(add_to_shared, x), 0);
    CHECK_NO_ERROR();
}

/* How many of the 64 elements are not as the first: what is read of a variable is all from one assignment. */
static uintptr_t torn(tn_tensor *x)
{
    const float *values = tn_data_float32(x);
    uintptr_t others = values == NULL;
    for (int i = 1; values && i < 64; i++)
        others += values[i] != values[0];
    return others;
}

static void *read_or_assign(void *shared)
{
    static _Atomic int next;
    bool writes = atomic_fetch_add(&next, 1) % 2;
    uintptr_t wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        TN_SCOPE;
        if (writes) {
            wrong += tn_assign(shared, tn_multiply(tn_ones(TN_SHAPE(64), TN_FLOAT32), tn_scalar((double)i))) == NULL;
            continue;
        }
        wrong += torn(shared);
    }
    return (void *)wrong;
}

static void a_variable_is_read_whole_while_others_assign_it(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(tn_zeros(TN_SHAPE(64), TN_FLOAT32));
    assert_int_equal(in_threads(read_or_assign, v), 0);
    CHECK_NO_ERROR();
}

static void *add_to_variable(void *shared)
{
    uintptr_t wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        TN_SCOPE;
        tn_tensor *by = tn_ones(TN_SHAPE(64), TN_FLOAT32);
        wrong += (i % 2 ? tn_assign_sub(shared, tn_negative(by)) : tn_assign_add(shared, by)) == NULL;
        wrong += torn(shared);
    }
    return (void *)wrong;
}

static void nothing_that_threads_add_to_a_variable_is_lost(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(tn_zeros(TN_SHAPE(64), TN_FLOAT32));
    assert_int_equal(in_threads(add_to_variable, v), 0);
    CHECK_NO_ERROR();
    assert_int_equal(tn_data_float32(v)[0], THREADS * ROUNDS);
}

typedef struct {
    tn_variable *w;
    _Atomic int traced;
    tn_function *function;
} shared_function;

static tn_tensor *times_w(void *me, tn_list inputs)
{
    shared_function *self = me;
    self->traced++;
    return tn_matmul(tn_at(inputs, 0), self->w);
}

static void *call_function(void *shared)
{
    shared_function *s = shared;
    uintptr_t wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        TN_SCOPE;
        tn_tensor *y = tn_call(s->function, tn_ones(TN_SHAPE(1 + i % 4, 3), TN_FLOAT32));
        wrong += tn_to_double(tn_reduce_sum(y)) != 3.0 * (1 + i % 4);
    }
    return (void *)wrong;
}

static void a_function_is_traced_once_a_signature_whoever_calls_it(void **state)
{
    (void)state;
    TN_SCOPE;
    shared_function s = { .w = tn_variable(tn_ones(TN_SHAPE(3, 1), TN_FLOAT32)) };
    s.function = tn_function(times_w, &s);
    assert_int_equal(in_threads(call_function, &s), 0);
    CHECK_NO_ERROR();
    assert_int_equal(s.traced, 4);
    assert_int_equal(tn_trace_count(s.function), 4);
}

/* --- functions that make variables, concrete ones, and what they used -------------------------------------------------------- */
typedef struct {
    atomic_int bodies;
    tn_variable *v;
    tn_function *maker, *concrete, *relaxed, *eager;
} shared_functions;

static tn_tensor *makes_once(void *me, tn_list inputs)
{
    shared_functions *s = me;
    s->bodies++;
    if (!s->v)
        s->v = tn_variable(tn_ones(TN_SHAPE(1), TN_FLOAT32), .name = "v");
    return tn_multiply(tn_at(inputs, 0), s->v);
}

static tn_tensor *calls_others(void *me, tn_list inputs)
{
    shared_functions *s = me;
    return tn_add(tn_call(s->maker, tn_at(inputs, 0)), tn_call(s->concrete, tn_at(inputs, 0)));
}

static void *call_all(void *shared)
{
    shared_functions *s = shared;
    uintptr_t wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        TN_SCOPE;
        tn_tensor *x = tn_ones(TN_SHAPE(2), TN_FLOAT32), *y = tn_ones(TN_SHAPE(1 + i % 7), TN_FLOAT32);
        wrong += tn_to_double(tn_reduce_sum(tn_call(s->maker, x))) != 2;
        wrong += tn_to_double(tn_reduce_sum(tn_call(s->concrete, x))) != 2;
        wrong += tn_to_double(tn_reduce_sum(tn_call(s->relaxed, y))) != 1 + i % 7;
        wrong += tn_to_double(tn_reduce_sum(tn_call(s->eager, x))) != 4;
        wrong += tn_variables(s->maker).count != 1 || tn_variables(s->eager).count != 1;
    }
    wrong += tn_pending() != TN_OK;
    return (void *)wrong;
}

static void threads_share_functions_that_make_variables_and_what_they_used(void **state)
{
    (void)state;
    TN_SCOPE;
    shared_functions s = { .v = NULL };
    s.maker = tn_function(makes_once, &s);
    s.concrete = tn_get_concrete_function(tn_function(makes_once, &s), TN_LIST(tn_ones(TN_SHAPE(2), TN_FLOAT32)));
    s.relaxed = tn_function(makes_once, &s, .reduce_retracing = true);
    s.eager = tn_function(calls_others, &s, .eager = true);
    assert_int_equal(in_threads(call_all, &s), 0);
    CHECK_NO_ERROR();
    assert_int_equal(tn_trace_count(s.maker), 1); /* the concrete one's first trace has made the variable */
    assert_int_equal(tn_trace_count(s.relaxed), 2); /* one shape, then any */
}

static void *call_first(void *shared)
{
    shared_functions *s = shared;
    TN_SCOPE;
    double sum = tn_to_double(tn_reduce_sum(tn_call(s->maker, tn_ones(TN_SHAPE(3), TN_FLOAT32))));
    return (void *)(uintptr_t)(sum != 3 || tn_pending() != TN_OK);
}

static void a_variable_is_made_once_whoever_calls_first(void **state)
{
    (void)state;
    TN_SCOPE;
    shared_functions s = { .v = NULL };
    s.maker = tn_function(makes_once, &s);
    assert_int_equal(in_threads(call_first, &s), 0);
    CHECK_NO_ERROR();
    assert_int_equal(s.bodies, 2);
    assert_int_equal(tn_trace_count(s.maker), 2);
}

static void *call_model(void *shared)
{
    uintptr_t wrong = 0;
    for (int i = 0; i < ROUNDS / 4; i++) {
        TN_SCOPE;
        tn_tensor *y = tn_call((tn_model *)shared, tn_ones(TN_SHAPE(2, 4), TN_FLOAT32));
        wrong += !y || tn_dim(tn_shape_of(y), 1) != 3;
    }
    return (void *)wrong;
}

static void threads_share_a_model_from_its_first_call_on(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *deferred = tn_sequential(TN_LAYERS(tn_dense(5, "relu"), tn_dense(3)));
    assert_int_equal(in_threads(call_model, deferred), 0);
    CHECK_NO_ERROR();
    assert_int_equal(tn_variables(deferred).count, 4);
    tn_tensor *x = tn_input(TN_SHAPE(4));
    tn_model *functional = tn_model(x, tn_call(tn_dense(3), tn_call(deferred, tn_call(tn_dense(4), x))));
    assert_int_equal(in_threads(call_model, functional), 0);
    CHECK_NO_ERROR();
}

static void *predict(void *shared)
{
    uintptr_t wrong = 0;
    for (int i = 0; i < 4; i++) {
        TN_SCOPE;
        tn_tensor *y = tn_predict((tn_model *)shared, tn_ones(TN_SHAPE(5, 4), TN_FLOAT32), .batch_size = 2, .verbose = 0);
        wrong += !y || tn_dim(tn_shape_of(y), 0) != 5;
    }
    return (void *)wrong;
}

static tn_model *small_model(void)
{
    return tn_sequential(TN_LAYERS(tn_dense(5, "relu", .input_shape = TN_SHAPE(4)), tn_dense(3, "softmax")));
}

static void threads_predict_with_one_model(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = small_model();
    assert_int_equal(in_threads(predict, model), 0);
    CHECK_NO_ERROR();
}

static void *end_with_an_error(void *shared)
{
    (void)shared;
    tn_tensor *x = tn_zeros(TN_SHAPE(3), TN_FLOAT32);
    tn_variable *v = tn_variable(x, .name = "v");
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *y = tn_square(v);
    TN_WITH(tn_name_scope("left_open"));
    (void)tape;
    (void)y;
    tn_catch(TN_ANY_ERROR);
    return NULL;
}

static void a_thread_that_ends_frees_what_it_made(void **state)
{
    (void)state;
    size_t handles = tn_live_handles();
    assert_int_equal(in_threads(end_with_an_error, NULL), 0);
    assert_int_equal(tn_live_handles(), handles);
}

static void *release_it(void *handle)
{
    tn_release(1, handle);
    return NULL;
}

static void what_one_thread_made_another_may_release(void **state)
{
    (void)state;
    size_t handles = tn_live_handles();
    {
        TN_SCOPE;
        tn_tensor *x = tn_square(tn_ones(TN_SHAPE(100), TN_FLOAT32));
        for (int i = 0; i < THREADS; i++)
            tn_retain(1, x);
        assert_int_equal(in_threads(release_it, x), 0);
        assert_float_equal(tn_data_float32(x)[99], 1, 0);
    }
    assert_int_equal(tn_live_handles(), handles);
}

/* --- one session ----------------------------------------------------------------------------------------------------------- */
typedef struct {
    tn_session *session;
    tn_tensor *x, *doubled, *added;
    tn_variable *v;
    tn_operation *train;
} shared_session;

/* Every run is of its own feed. */
static uintptr_t run_once(const shared_session *s, int i)
{
    tn_feed feed = { s->x, tn_constant(TN_FLOAT32, TN_SCALAR, (float[]){ (float)i }) };
    uintptr_t wrong = tn_to_double(tn_run(s->session, s->doubled, .feed = { feed })) != 2 * i;
    if (i % 2)
        wrong += tn_run_operation(s->session, s->train, .feed = { feed }) != TN_OK;
    else
        wrong += tn_run(s->session, tn_tuple(s->doubled, s->added), .feed = { feed }) == NULL;
    return wrong + torn(tn_run(s->session, s->v));
}

static void *run_session(void *shared)
{
    uintptr_t wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        TN_SCOPE;
        wrong += run_once(shared, i);
    }
    return (void *)wrong;
}

/* In the graph that is the default. */
static shared_session begin_session(void)
{
    shared_session s = { .x = tn_placeholder(TN_FLOAT32, TN_SCALAR, "x"), .v = tn_variable(tn_zeros(TN_SHAPE(64), TN_FLOAT32), .name = "v") };
    s.doubled = tn_multiply(s.x, tn_scalar(2));
    s.added = tn_assign_add(s.v, tn_ones(TN_SHAPE(64), TN_FLOAT32));
    s.train = tn_minimize(tn_gradient_descent_optimizer(1.0), tn_negative(tn_reduce_sum(s.v))); /* adds 1 too */
    s.session = tn_session();
    CHECK_OK(tn_run_operation(s.session, tn_global_variables_initializer()));
    return s;
}

static shared_session begin_graph_and_session(void)
{
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    return begin_session();
}

static void a_session_runs_in_many_threads_and_loses_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    shared_session s = begin_graph_and_session();
    assert_int_equal(in_threads(run_session, &s), 0);
    CHECK_NO_ERROR();
    tn_tensor *sum = tn_run(s.session, s.v);
    assert_int_equal(tn_data_float32(sum)[0], THREADS * ROUNDS);
    assert_int_equal(tn_data_float32(sum)[63], THREADS * ROUNDS);
}

/* --- graphs and sessions of each thread's own ---------------------------------------------------------------------------------- */
static void *have_own_graphs(void *shared)
{
    (void)shared;
    uintptr_t wrong = 0;
    for (int i = 0; i < 4; i++) {
        TN_SCOPE;
        shared_session s = begin_graph_and_session();
        wrong += strcmp(tn_name(s.v), "v") != 0; /* as if there were no other graphs */
        for (int run = 0; run < 6; run++)
            wrong += run_once(&s, run);
        const float *sum = tn_data_float32(tn_run(s.session, s.v));
        wrong += !sum || sum[0] != 6;
    }
    return (void *)(wrong + (tn_pending() != TN_OK));
}

static void each_thread_may_have_a_graph_and_a_session_of_its_own(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_int_equal(in_threads(have_own_graphs, NULL), 0);
    CHECK_NO_ERROR();
}

/* --- saving while others work ---------------------------------------------------------------------------------------------------- */
typedef struct {
    atomic_int next;
    tn_model *model;
    shared_session s;
    tn_saver *saver;
    char path[3][300]; /* of a checkpoint, a SavedModel, an archive */
} shared_saving;

/* Values that no other thread changes: what is in the file is known. */
static uintptr_t save_and_look(shared_saving *shared, int kind)
{
    const char *path = shared->path[kind];
    tn_tensor *x = tn_ones(TN_SHAPE(2, 4), TN_FLOAT32), *want = tn_call(shared->model, x);
    tn_status saved = kind == 0 ? tn_save_weights(shared->model, path) : tn_save(shared->model, path),
              loaded = TN_OK;
    tn_model *other = kind == 0 ? small_model() : tn_load_model(path);
    if (kind == 0)
        loaded = tn_load_weights(other, path);
    tn_tensor *apart = tn_reduce_max(tn_abs(tn_subtract(tn_call(other, x), want)));
    return (saved != TN_OK) + (loaded != TN_OK) + (tn_to_double(apart) > 1e-6) + (tn_pending() != TN_OK);
}

static void *save_or_predict(void *me)
{
    shared_saving *shared = me;
    int turn = shared->next++;
    uintptr_t wrong = 0;
    for (int i = 0; i < 4; i++) {
        TN_SCOPE;
        wrong += turn < 3 ? save_and_look(shared, turn) : (uintptr_t)predict(shared->model);
    }
    return (void *)wrong;
}

static void a_model_is_saved_while_others_predict_with_it(void **state)
{
    (void)state;
    TN_SCOPE;
    shared_saving shared = { .next = 0 };
    static const char *const names[] = { "saved_weights", "saved_folder", "saved.keras" };
    for (int i = 0; i < 3; i++)
        snprintf(shared.path[i], sizeof *shared.path, "%s", temporary_path(names[i]));
    shared.model = small_model();
    assert_int_equal(in_threads(save_or_predict, &shared), 0);
    CHECK_NO_ERROR();
}

/* Each value that is saved is from between two runs. */
static uintptr_t save_session(shared_saving *shared, int step)
{
    const char *path = tn_saver_save(shared->saver, shared->s.session, shared->path[0], step);
    tn_variable *v = tn_variable(tn_zeros(TN_SHAPE(64), TN_FLOAT32), .name = "v");
    uintptr_t wrong = tn_saver_restore(tn_saver(.var_list = TN_LIST(v)), NULL, path) != TN_OK;
    return wrong + torn(v);
}

static void *save_or_run(void *me)
{
    shared_saving *shared = me;
    bool saves = shared->next++ == 0;
    uintptr_t wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        TN_SCOPE;
        wrong += saves ? save_session(shared, i) : run_once(&shared->s, i);
    }
    return (void *)(wrong + (tn_pending() != TN_OK));
}

static void a_session_is_saved_while_others_run_it(void **state)
{
    (void)state;
    TN_SCOPE;
    shared_saving shared = { .next = 0 };
    snprintf(shared.path[0], sizeof *shared.path, "%s", temporary_path("steps"));
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    shared.s = begin_session();
    shared.saver = tn_saver(.max_to_keep = 2);
    assert_int_equal(in_threads(save_or_run, &shared), 0);
    CHECK_NO_ERROR();
    tn_tensor *sum = tn_run(shared.s.session, shared.s.v);
    assert_int_equal(tn_data_float32(sum)[0], (THREADS - 1) * ROUNDS);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_compute_on_one_tensor),
        cmocka_unit_test(a_variable_is_read_whole_while_others_assign_it),
        cmocka_unit_test(nothing_that_threads_add_to_a_variable_is_lost),
        cmocka_unit_test(a_function_is_traced_once_a_signature_whoever_calls_it),
        cmocka_unit_test(threads_share_functions_that_make_variables_and_what_they_used),
        cmocka_unit_test(a_variable_is_made_once_whoever_calls_first),
        cmocka_unit_test(threads_share_a_model_from_its_first_call_on),
        cmocka_unit_test(threads_predict_with_one_model),
        cmocka_unit_test(a_thread_that_ends_frees_what_it_made),
        cmocka_unit_test(what_one_thread_made_another_may_release),
        cmocka_unit_test(a_session_runs_in_many_threads_and_loses_nothing),
        cmocka_unit_test(each_thread_may_have_a_graph_and_a_session_of_its_own),
        cmocka_unit_test(a_model_is_saved_while_others_predict_with_it),
        cmocka_unit_test(a_session_is_saved_while_others_run_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
