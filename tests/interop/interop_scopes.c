/* Interprets the programs of scopes.py, from standard input, each in a graph of its own: a line of output for a line of input.
 * interop_scopes <PROGRAMS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon.h>

enum { MOST = 256 };
typedef struct {
    char name[MOST][32];
    void *item[MOST];
    int count;
} table;

typedef struct {
    table tensors, scopes;
    tn_guard guard[MOST]; /* what is entered */
    int depth;
} machine;

static void keep(table *t, const char *name, void *item)
{
    if (!item || t->count == MOST)
        return;
    snprintf(t->name[t->count], sizeof t->name[0], "%s", name);
    t->item[t->count++] = item;
}

static void *find(const table *t, const char *name)
{
    for (int i = 0; i < t->count; i++)
        if (strcmp(t->name[i], name) == 0)
            return t->item[i];
    return NULL;
}

static tn_tensor *tensor(const machine *m, const char *id)
{
    tn_tensor *x = find(&m->tensors, id);
    return x ? x : m->tensors.item[0];
}

static tn_reuse reuse_of(const char *word)
{
    return strcmp(word, "true") == 0 ? TN_REUSE : strcmp(word, "auto") == 0 ? TN_AUTO_REUSE : TN_NO_REUSE;
}

static const char *given(const char *name)
{
    return strcmp(name, "-") == 0 ? NULL : name;
}

/* --- scopes ------------------------------------------------------------------------------------------------------------- */
static tn_scope *scope_of(machine *m, char word[5][64])
{
    if (strcmp(word[0], "name_scope") == 0)
        return tn_name_scope(word[1]);
    if (strcmp(word[0], "again") == 0 && reuse_of(word[2]) == TN_NO_REUSE)
        return find(&m->scopes, word[1]);
    if (strcmp(word[0], "again") == 0)
        return tn_variable_scope(.scope = find(&m->scopes, word[1]), .reuse = reuse_of(word[2]));
    bool named = strcmp(word[0], "variable_scope") == 0;
    tn_scope *scope = named ? tn_variable_scope(word[1], .reuse = reuse_of(word[2]), .strict_tf1 = true)
                            : tn_variable_scope(.default_name = word[1], .strict_tf1 = true);
    keep(&m->scopes, word[named ? 3 : 2], scope);
    return scope;
}

static bool enters(const char *word)
{
    return strcmp(word, "name_scope") == 0 || strcmp(word, "variable_scope") == 0 || strcmp(word, "default_scope") == 0 ||
           strcmp(word, "again") == 0;
}

/* --- tensors ------------------------------------------------------------------------------------------------------------ */
typedef struct {
    const char *name;
    tn_tensor *(*one)(tn_tensor *a);
    tn_tensor *(*two)(tn_tensor *a, tn_tensor *b);
} operation;

static tn_tensor *reduce_sum(tn_tensor *a) { return tn_reduce_sum(a); }
static tn_tensor *reduce_mean(tn_tensor *a) { return tn_reduce_mean(a); }
static tn_tensor *reduce_max(tn_tensor *a) { return tn_reduce_max(a); }
static tn_tensor *softmax(tn_tensor *a) { return tn_nn_softmax(a, -1); }
static tn_tensor *reshaped(tn_tensor *a) { return tn_reshape(a, TN_SHAPE(4, 1)); }
static tn_tensor *transposed(tn_tensor *a) { return tn_transpose(a, TN_AXES(1, 0)); }
static tn_tensor *to_double(tn_tensor *a) { return tn_cast(a, TN_FLOAT64); }
static tn_tensor *expanded(tn_tensor *a) { return tn_expand_dims(a, 0); }
static tn_tensor *matmul(tn_tensor *a, tn_tensor *b) { return tn_matmul(a, b); }
static tn_tensor *concat(tn_tensor *a, tn_tensor *b) { return tn_concat(TN_LIST(a, b), 0); }
static tn_tensor *leaky(tn_tensor *a) { return tn_nn_leaky_relu(a); }
static tn_tensor *log_softmax(tn_tensor *a) { return tn_nn_log_softmax(a, -1); }
static tn_tensor *tiled(tn_tensor *a) { return tn_tile(a, TN_SHAPE(2, 1)); }
static tn_tensor *largest(tn_tensor *a) { return tn_argmax(a, 1); }
static tn_tensor *summed_up(tn_tensor *a) { return tn_cumsum(a); }
static tn_tensor *reduce_prod(tn_tensor *a) { return tn_reduce_prod(a); }
static tn_tensor *reduce_min(tn_tensor *a) { return tn_reduce_min(a); }
static tn_tensor *reversed(tn_tensor *a) { return tn_reverse(a, TN_AXES(0)); }
static tn_tensor *squeezed(tn_tensor *a) { return tn_squeeze(a, (tn_axes){ .count = 0 }); }
static tn_tensor *added(tn_tensor *a, tn_tensor *b) { return tn_add_n(TN_LIST(a, b)); }
static tn_tensor *chosen(tn_tensor *a, tn_tensor *b) { return tn_where(tn_greater(a, b), a, b); }
static tn_tensor *stacked(tn_tensor *a, tn_tensor *b) { return tn_stack(TN_LIST(a, b), 0); }

static tn_tensor *apply(const char *kind, tn_tensor *a, tn_tensor *b)
{
    static const operation operations[] = {
        { "add", NULL, tn_add },
        { "subtract", NULL, tn_subtract },
        { "multiply", NULL, tn_multiply },
        { "divide", NULL, tn_divide },
        { "maximum", NULL, tn_maximum },
        { "pow", NULL, tn_pow },
        { "greater", NULL, tn_greater },
        { "matmul", NULL, matmul },
        { "concat", NULL, concat },
        { "stack", NULL, stacked },
        { "minimum", NULL, tn_minimum },
        { "squared_difference", NULL, tn_squared_difference },
        { "floordiv", NULL, tn_floordiv },
        { "floormod", NULL, tn_floormod },
        { "less", NULL, tn_less },
        { "equal", NULL, tn_equal },
        { "not_equal", NULL, tn_not_equal },
        { "add_n", NULL, added },
        { "where", NULL, chosen },
        { "identity", tn_identity, NULL },
        { "ones_like", tn_ones_like, NULL },
        { "floor", tn_floor, NULL },
        { "round", tn_round, NULL },
        { "sign", tn_sign, NULL },
        { "log", tn_log, NULL },
        { "rsqrt", tn_rsqrt, NULL },
        { "elu", tn_nn_elu, NULL },
        { "selu", tn_nn_selu, NULL },
        { "relu6", tn_nn_relu6, NULL },
        { "leaky_relu", leaky, NULL },
        { "softplus", tn_softplus, NULL },
        { "log_softmax", log_softmax, NULL },
        { "tile", tiled, NULL },
        { "argmax", largest, NULL },
        { "cumsum", summed_up, NULL },
        { "reduce_prod", reduce_prod, NULL },
        { "reduce_min", reduce_min, NULL },
        { "l2_loss", tn_nn_l2_loss, NULL },
        { "reverse", reversed, NULL },
        { "squeeze", squeezed, NULL },
        { "gradient_stop", tn_stop_gradient, NULL },
        { "square", tn_square, NULL },
        { "relu", tn_nn_relu, NULL },
        { "negative", tn_negative, NULL },
        { "exp", tn_exp, NULL },
        { "tanh", tn_tanh, NULL },
        { "sigmoid", tn_sigmoid, NULL },
        { "sqrt", tn_sqrt, NULL },
        { "abs", tn_abs, NULL },
        { "zeros_like", tn_zeros_like, NULL },
        { "reduce_sum", reduce_sum, NULL },
        { "reduce_mean", reduce_mean, NULL },
        { "reduce_max", reduce_max, NULL },
        { "softmax", softmax, NULL },
        { "reshape", reshaped, NULL },
        { "transpose", transposed, NULL },
        { "cast", to_double, NULL },
        { "expand_dims", expanded, NULL },
    };
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].name, kind) == 0)
            return operations[i].one ? operations[i].one(a) : operations[i].two(a, b);
    fprintf(stderr, "no operation %s\n", kind);
    exit(2);
}

static tn_tensor *made(const machine *m, char word[5][64])
{
    int64_t size = atoi(word[3]);
    if (strcmp(word[0], "get") == 0)
        return tn_get_variable(word[2], TN_SHAPE(size, size));
    if (strcmp(word[0], "variable") == 0)
        return tn_variable(tn_constant(TN_FLOAT32, TN_SHAPE(2, 2), (float[4]){ 0 }), .name = given(word[2]));
    if (strcmp(word[0], "placeholder") == 0)
        return tn_placeholder(TN_FLOAT32, TN_SHAPE(2, 2), given(word[2]));
    return apply(word[2], tensor(m, word[3]), tensor(m, word[4]));
}

/* --- lines -------------------------------------------------------------------------------------------------------------- */
static void print_collection(const char *name, const char *scope)
{
    tn_list list = tn_get_collection(name, given(scope));
    for (size_t i = 0; i < list.count; i++)
        printf("%s ", tn_name(list.item[i]));
    puts(".");
}

static void print_result(tn_tensor *x)
{
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    if (error)
        printf("error %s\n", error->first_line);
    else
        puts(x ? tn_name(x) : "ok");
}

static void run(machine *m, char word[5][64])
{
    tn_tensor *x = NULL;
    if (strcmp(word[0], "collection") == 0) {
        print_collection(word[1], word[2]);
        return;
    }
    if (enters(word[0]))
        m->guard[m->depth++] = tn_enter(scope_of(m, word), TN_HERE);
    else if (strcmp(word[0], "end") == 0)
        tn_leave(&m->guard[--m->depth]);
    else if (strcmp(word[0], "reuse") == 0)
        tn_reuse_variables(tn_get_variable_scope());
    else
        keep(&m->tensors, word[1], x = made(m, word));
    print_result(x);
}

/* Gives whether another program follows. */
static bool run_program(void)
{
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    static machine m;
    memset(&m, 0, sizeof m);
    puts("program");
    for (char line[256]; fgets(line, sizeof line, stdin);) {
        char word[5][64] = { { 0 } };
        sscanf(line, "%63s %63s %63s %63s %63s", word[0], word[1], word[2], word[3], word[4]);
        if (strcmp(word[0], "program") == 0)
            return true;
        run(&m, word);
    }
    return false;
}

int main(void)
{
    char line[256];
    bool more = fgets(line, sizeof line, stdin) != NULL;
    while (more)
        more = run_program();
    return tn_report();
}
