/* signature.c - the registry, and reading signatures: TensorFlow's OpDef notation, parsed once an op. */
#include "runtime/op.h"
#include <ctype.h>
#include <string.h>

/* Filled at first need, each entry once, and kept until the process ends: a cache of what the constants in tn__ops say. An op is found
 * by its address; where that place is taken, at the next free one. */
enum { PLACES = 2 * TN__MOST_OPS };
static _Atomic(tn__signature *) signatures[PLACES];

size_t tn__op_count(void)
{
    return tn__ops_count;
}

const tn__op *tn__op_at(size_t index)
{
    return tn__ops[index];
}

const tn__op *tn__op_find(const char *name)
{
    for (size_t i = 0; i < tn__ops_count; i++)
        if (strcmp(tn__ops[i]->name, name) == 0)
            return tn__ops[i];
    return NULL;
}

/* Reads a word of letters, digits and '_' or '*'; false when there is none or it is too long. */
static bool word(const char **at, char *out, size_t size)
{
    size_t n = 0;
    while (**at == ' ')
        (*at)++;
    while (isalnum((unsigned char)**at) || **at == '_') {
        if (n + 1 >= size)
            return false;
        out[n++] = *(*at)++;
    }
    out[n] = 0;
    while (**at == ' ')
        (*at)++;
    return n > 0;
}

static bool skip(const char **at, char c)
{
    while (**at == ' ')
        (*at)++;
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static tn__dtype_set set_of(const char *name)
{
    if (strcmp(name, "number") == 0)
        return TN__NUMBERS;
    if (strcmp(name, "floating") == 0)
        return TN__FLOATS;
    if (strcmp(name, "integer") == 0)
        return TN__INTS;
    if (strcmp(name, "any") == 0)
        return TN__NUMBERS | TN__BIT(TN_BOOL);
    tn_dtype dtype = tn__dtype_of_name(name);
    return dtype ? TN__BIT(dtype) : 0;
}

/* "T: number; Tidx: int32, int64" */
static bool parse_types(const tn__op *op, tn__signature *s)
{
    const char *at = op->types;
    while (at && *at) {
        char name[32];
        if (s->types == TN__MAX_TYPES || !word(&at, s->type[s->types].name, sizeof s->type[0].name) || !skip(&at, ':'))
            return false;
        tn__dtype_set set = 0;
        do {
            if (!word(&at, name, sizeof name) || set_of(name) == 0)
                return false;
            set |= set_of(name);
        } while (skip(&at, ','));
        s->type[s->types].set = set;
        s->type[s->types].attr = op->attrs ? tn__field_find(op->attrs, s->type[s->types].name) : NULL;
        s->types++;
        if (!skip(&at, ';') && *at)
            return false;
    }
    return true;
}

static bool settle_type(const tn__signature *s, const char *name, tn__arg *arg)
{
    arg->type = -1;
    for (size_t i = 0; i < s->types; i++)
        if (strcmp(s->type[i].name, name) == 0)
            arg->type = (int8_t)i;
    arg->dtype = (uint8_t)tn__dtype_of_name(name);
    return arg->type >= 0 || arg->dtype || strcmp(name, "any") == 0;
}

/* "a: T, values: N * T, resource: resource" */
static bool parse_args(const tn__signature *s, const char *text, tn__arg *args, size_t *count)
{
    while (text && *text) {
        char type[32];
        if (*count == TN__MAX_ARGS || !word(&text, args[*count].name, sizeof args->name) || !skip(&text, ':') ||
            !word(&text, type, sizeof type))
            return false;
        if (skip(&text, '*')) {
            args[*count].list = true;
            if (!word(&text, type, sizeof type))
                return false;
        }
        if (!settle_type(s, type, &args[*count]))
            return false;
        (*count)++;
        if (!skip(&text, ',') && *text)
            return false;
    }
    return true;
}

static bool all_alike(const tn__signature *s)
{
    bool alike = s->types == 1 && !s->type[0].attr && !s->lists && s->inputs > 0 && s->outputs > 0;
    for (size_t i = 0; i < s->inputs; i++)
        alike &= s->input[i].type == 0;
    for (size_t i = 0; i < s->outputs; i++)
        alike &= s->output[i].type == 0 && !s->output[i].list;
    return alike;
}

static tn__signature *parse(const tn__op *op)
{
    tn__signature *s = tn__alloc_zeroed(1, sizeof *s);
    if (!s)
        return NULL;
    if (!parse_types(op, s) || !parse_args(s, op->inputs, s->input, &s->inputs) ||
        !parse_args(s, op->outputs, s->output, &s->outputs)) {
        tn__free(s);
        tn__fail(TN_INTERNAL, "the signature of op %s is wrong", op->name);
        return NULL;
    }
    s->list = -1;
    for (size_t i = 0; i < s->inputs; i++) {
        if (s->input[i].list && s->lists++ == 0)
            s->list = (int)i;
        s->resources |= s->input[i].type < 0 && s->input[i].dtype == TN__RESOURCE;
    }
    s->alike = !op->expand && !(op->flags & TN__ANY_INPUTS) && all_alike(s);
    return s;
}

static tn__signature *parse_known(const tn__op *op)
{
    size_t at = 0;
    while (at < tn__ops_count && tn__ops[at] != op)
        at++;
    if (at == tn__ops_count) {
        tn__fail(TN_INTERNAL, "op %s is not in ops.def", op->name);
        return NULL;
    }
    tn__signature *made = parse(op);
    if (made)
        made->op = op;
    return made;
}

static size_t place_of(const tn__op *op)
{
    return (size_t)((uint64_t)(uintptr_t)op * UINT64_C(0x9e3779b97f4a7c15) >> 40) % PLACES;
}

/* NULL: not yet there; `at` is where it belongs. */
static tn__signature *find_signature(const tn__op *op, size_t *at)
{
    for (*at = place_of(op);; *at = (*at + 1) % PLACES) {
        tn__signature *known = atomic_load_explicit(&signatures[*at], memory_order_acquire);
        if (!known || known->op == op)
            return known;
    }
}

/* Another thread may be adding the same, or one that belongs in the same place. Apart, so that the usual way stays short. */
static __attribute__((noinline)) const tn__signature *find_or_add_signature(const tn__op *op)
{
    size_t at;
    tn__signature *made, *known = find_signature(op, &at);
    if (known || !(made = parse_known(op)))
        return known;
    while (!(known = find_signature(op, &at))) {
        tn__signature *none = NULL;
        if (atomic_compare_exchange_strong(&signatures[at], &none, made))
            return made;
    }
    tn__free(made);
    return known;
}

const tn__signature *tn__op_signature(const tn__op *op)
{
    const tn__signature *known = atomic_load_explicit(&signatures[place_of(op)], memory_order_acquire);
    return __builtin_expect(known && known->op == op, 1) ? known : find_or_add_signature(op);
}

bool tn__signature_takes(const tn__signature *s, size_t n)
{
    size_t single = s->inputs - s->lists;
    return s->lists ? n >= single && (n - single) % s->lists == 0 : n == s->inputs;
}

size_t tn__signature_arg(const tn__signature *s, size_t n, size_t i)
{
    if (s->list < 0 || i < (size_t)s->list)
        return i < s->inputs ? i : s->inputs - 1;
    size_t each = (n - (s->inputs - s->lists)) / s->lists; /* the others take one each */
    i -= (size_t)s->list;
    return (size_t)s->list + (i < each * s->lists ? i / each : i - each * s->lists + s->lists);
}

__attribute__((destructor)) static void free_signatures(void)
{
    for (size_t i = 0; i < PLACES; i++) {
        tn__free(atomic_load(&signatures[i]));
        atomic_store(&signatures[i], NULL);
    }
}
