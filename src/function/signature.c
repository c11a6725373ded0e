/* signature.c - which trace of a function serves a call. */
#include "function/function.h"
#include "base/log.h"
#include "base/text.h"
#include <string.h>

/* --- specs
 * ----------------------------------------------------------------------------------------------------------------
 */
static tn__spec spec_of(const tn_tensor *x)
{
    tn__spec spec = { .form = x->form == TN__VARIABLE ? TN__VARIABLE : TN__VALUE,
                      .dtype = (tn_dtype)x->dtype,
                      .shape = x->shape };
    if (x->form == TN__VARIABLE)
        spec.id = x->id;
    if (x->form == TN__VALUE && x->weak) {
        spec.is_static = true;
        memcpy(spec.number, x->data, tn__dtype_size((tn_dtype)x->dtype));
        if (tn__in(TN__FLOATS, (tn_dtype)x->dtype))
            memcpy(spec.number, x->small + 16,
                   sizeof spec.number); /* tn__weak_number: all its digits */
    }
    return spec;
}

/* Alike in all but the shape. */
static bool spec_alike(const tn__spec *a, const tn__spec *b)
{
    return a->form == b->form && a->dtype == b->dtype && a->id == b->id &&
           a->is_static == b->is_static && memcmp(a->number, b->number, sizeof a->number) == 0;
}

/* Of a static one: floats keep all digits they were written with. */
static double number_of(const tn__spec *spec)
{
    double number;
    if (!tn__in(TN__FLOATS, spec->dtype))
        return tn__element_to_double(spec->dtype, spec->number);
    memcpy(&number, spec->number, sizeof number);
    return number;
}

/* "TensorSpec(shape=(2, 3), dtype=tf.float32, name=None)", in memory of the innermost scope. */
static const char *spec_print(const tn__spec *spec)
{
    const char *shape = spec->shape.known ? TN__SHAPE(spec->shape) : "<unknown>";
    const char *text = spec->is_static
                           ? tn__scope_print("Literal[%g]", number_of(spec))
                           : tn__scope_print("TensorSpec(shape=%s, dtype=tf.%s, name=None)", shape,
                                             tn__dtype_name(spec->dtype));
    return text ? text : "a tensor";
}

/* Is every tensor of the special shape one of the general shape? */
static bool shape_covers(const tn_shape *general, const tn_shape *special)
{
    if (!general->known || !special->known || general->rank != special->rank)
        return !general->known;
    for (int d = 0; d < general->rank; d++)
        if (general->dims[d] != TN_NONE && general->dims[d] != special->dims[d])
            return false;
    return true;
}

static bool spec_covers(const tn__spec *general, const tn__spec *special)
{
    return spec_alike(general, special) && shape_covers(&general->shape, &special->shape);
}

/* --- keys
 * -----------------------------------------------------------------------------------------------------------------
 */
static void add_nesting(tn__text *text, const tn_tensor *x)
{
    if (x->form != TN__TUPLE) {
        tn__text_add(text, ".");
        return;
    }
    tn__text_add(text, "(");
    for (size_t i = 0; i < x->of.tuple.count; i++)
        add_nesting(text, x->of.tuple.item[i]);
    tn__text_add(text, ")");
}

static tn_status nesting_of(tn_list inputs, char **nesting)
{
    bool any = false;
    *nesting = NULL;
    for (size_t i = 0; i < inputs.count; i++)
        any |= inputs.item[i]->form == TN__TUPLE;
    if (!any)
        return TN_OK;
    tn__text text = { 0 };
    for (size_t i = 0; i < inputs.count; i++)
        add_nesting(&text, inputs.item[i]);
    *nesting = tn__text_take(&text);
    return *nesting ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

/* Tuples among the placeholders stand for tuples among the inputs. */
tn_status tn__signature_take(tn_function *f, tn_list signature)
{
    size_t count = 0;
    for (size_t i = 0; i < signature.count; i++) {
        if (!tn__check_tensor(signature.item[i], "tn_function: input_signature"))
            return TN_INVALID_ARGUMENT;
        count += tn__flat_count(signature.item[i]);
    }
    TN_TRY(nesting_of(signature, &f->signature_nesting));
    f->signature = tn__alloc_zeroed(count + 1, sizeof *f->signature);
    tn_tensor **leaves = tn__alloc((count + 1) * sizeof *leaves), **at = leaves;
    for (size_t i = 0; at && i < signature.count; i++)
        at = tn__flatten(signature.item[i], at);
    for (size_t i = 0; f->signature && leaves && i < count; i++)
        f->signature[i] = (tn__spec){ .form = TN__VALUE,
                                      .dtype = (tn_dtype)leaves[i]->dtype,
                                      .shape = leaves[i]->shape };
    f->signature_count = count;
    tn__free(leaves);
    return f->signature && leaves ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

/* Of a key without tuples too; in memory of the innermost scope. */
static const char *nesting_text(const tn__key *key)
{
    if (key->nesting)
        return tn__scope_print("%s", key->nesting);
    char *text = tn__scope_alloc(key->count + 1);
    if (text)
        memset(text, '.', key->count), text[key->count] = '\0';
    return text;
}

static tn_status refuse_count(const tn_function *f, size_t wanted, size_t given)
{
    const char *const too_many = "too many positional arguments";
    const char *why = given > wanted
                          ? too_many
                          : tn__scope_print("missing a required argument: 'input %zu'", given);
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Binding inputs to tf.function failed due to `%s`.\n%s takes %zu input(s), the "
                    "call has %zu",
                    why ? why : too_many, f->name, wanted, given);
}

/* What is wrong with an input, in C's words. */
static const char *explain(const tn_function *f, size_t i, const tn__spec *given,
                           const tn__spec *wanted)
{
    const char *text =
        given->is_static && wanted->is_static
            ? tn__scope_print("input %zu of %s is the number %g, and the trace is for %g alone: a "
                              "tn_scalar counts by its value, tn_constant makes a tensor of it",
                              i, f->name, number_of(given), number_of(wanted))
            : tn__scope_print("input %zu of %s is %s %s, %s %s is expected", i, f->name,
                              tn__dtype_name(given->dtype), TN__SHAPE(given->shape),
                              tn__dtype_name(wanted->dtype), TN__SHAPE(wanted->shape));
    return text ? text : "";
}

static tn_status refuse_input(const tn_function *f, size_t i, const tn__spec *given,
                              const tn__spec *wanted)
{
    size_t depth = tn__scope_begin(NULL);
    tn_status status =
        tn__fail(TN_INVALID_ARGUMENT,
                 "Binding inputs to tf.function failed due to `Can not cast %s to %s`.\n%s",
                 spec_print(given), spec_print(wanted), explain(f, i, given, wanted));
    tn__scope_end(depth);
    return status;
}

/* Tuples among the inputs: as they nest, ".": a tensor, "(..)": a tuple of two. */
static tn_status check_nesting(const tn_function *f, const tn__key *wanted, const tn__key *key)
{
    const char *is = nesting_text(wanted), *given = nesting_text(key);
    if (!is || !given)
        return TN_RESOURCE_EXHAUSTED;
    if (strcmp(is, given) == 0)
        return TN_OK;
    return tn__fail(
        TN_INVALID_ARGUMENT,
        "Binding inputs to tf.function failed due to `Can not cast the inputs to tuple type.`.\n"
        "%s takes inputs that nest as %s, where . is a tensor or number and (..) a tuple of two, "
        "the call has %s",
        f->name, is, given);
}

/* Numbers and variables go in as what they hold. */
static tn_status apply_signature(const tn_function *f, tn__key *key)
{
    const tn__key all = { .count = f->signature_count, .nesting = f->signature_nesting };
    if (all.nesting || key->nesting)
        TN_TRY(check_nesting(f, &all, key));
    if (key->count != f->signature_count)
        return refuse_count(f, f->signature_count, key->count);
    for (size_t i = 0; i < key->count; i++) {
        const tn__spec *wanted = &f->signature[i];
        if (wanted->dtype != key->spec[i].dtype ||
            !shape_covers(&wanted->shape, &key->spec[i].shape))
            return refuse_input(f, i, &key->spec[i], wanted);
        key->spec[i] = *wanted;
    }
    return TN_OK;
}

/* The same for all batch sizes, where the function is traced for all. */
static void open_batches(tn__key *key)
{
    for (size_t i = 0; i < key->count; i++)
        if (!key->spec[i].is_static && key->spec[i].shape.known && key->spec[i].shape.rank > 0)
            key->spec[i].shape.dims[0] = TN_NONE;
}

tn_status tn__key_make(const tn_function *f, tn_list inputs, tn_tensor *const *leaves, size_t count,
                       int training, tn__key *key)
{
    key->count = count;
    key->training = training == 1;
    key->nesting = NULL;
    key->spec = count <= TN__FEW_INPUTS ? key->few : tn__alloc(count * sizeof *key->spec);
    if (!key->spec)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(nesting_of(inputs, &key->nesting));
    for (size_t i = 0; i < count; i++)
        key->spec[i] = spec_of(leaves[i]);
    if (f->signature)
        return apply_signature(f, key);
    if (f->any_batch)
        open_batches(key);
    return TN_OK;
}

void tn__key_free(tn__key *key)
{
    if (key->spec != key->few)
        tn__free(key->spec);
    tn__free(key->nesting);
    key->spec = NULL;
    key->nesting = NULL;
}

/* --- looking up
 * -----------------------------------------------------------------------------------------------------------
 */
static bool key_alike(const tn__key *a, const tn__key *b)
{
    if (a->count != b->count || a->training != b->training || !a->nesting != !b->nesting ||
        (a->nesting && strcmp(a->nesting, b->nesting) != 0))
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!spec_alike(&a->spec[i], &b->spec[i]))
            return false;
    return true;
}

static bool key_equal(const tn__key *a, const tn__key *b)
{
    if (!key_alike(a, b))
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!tn__shape_equal(&a->spec[i].shape, &b->spec[i].shape))
            return false;
    return true;
}

static bool key_covers(const tn__key *general, const tn__key *special)
{
    if (!key_alike(general, special))
        return false;
    for (size_t i = 0; i < general->count; i++)
        if (!shape_covers(&general->spec[i].shape, &special->spec[i].shape))
            return false;
    return true;
}

static tn__concrete *find(const tn_function *f, const tn__key *key)
{
    tn__concrete *best = NULL;
    for (size_t i = 0; i < f->concrete.count; i++)
        if (key_equal(&f->concrete.item[i]->key, key))
            return f->concrete.item[i];
    for (size_t i = 0; i < f->concrete.count; i++) {
        tn__concrete *c = f->concrete.item[i];
        if (key_covers(&c->key, key) && (!best || key_covers(&best->key, &c->key)))
            best = c;
    }
    return best;
}

tn__concrete *tn__concrete_find(tn_function *f, const tn__key *key)
{
    tn__concrete *latest = atomic_load_explicit(&f->state->used, memory_order_acquire);
    if (latest && key_equal(&latest->key, key)) /* a trace never changes, and stays */
        return latest;
    pthread_mutex_lock(&f->state->lock);
    tn__concrete *found = find(f, key);
    pthread_mutex_unlock(&f->state->lock);
    return found;
}

void tn__key_generalise(const tn_function *f, tn__key *key)
{
    for (size_t i = 0; i < f->concrete.count; i++) {
        const tn__key *other = &f->concrete.item[i]->key;
        bool alike = key_alike(other, key);
        for (size_t k = 0; alike && k < key->count; k++)
            key->spec[k].shape = tn__shape_either(&key->spec[k].shape, &other->spec[k].shape);
    }
}

tn_status tn__concrete_check(const tn_function *f, const tn__concrete *c, const tn__key *key)
{
    const tn__key *wanted = &c->key;
    if (wanted->nesting || key->nesting)
        TN_TRY(check_nesting(f, wanted, key));
    if (key->count != wanted->count)
        return refuse_count(f, wanted->count, key->count);
    for (size_t i = 0; i < key->count; i++)
        if (!spec_covers(&wanted->spec[i], &key->spec[i]))
            return refuse_input(f, i, &key->spec[i], &wanted->spec[i]);
    return TN_OK;
}

/* --- too many traces
 * ------------------------------------------------------------------------------------------------------
 */
enum { LOOKED_AT = 10, TOO_MANY = 5, MOST_WARNINGS = 2 };

/* Gives the number of traces among the last calls when they are too many. */
static size_t note_trace(tn__retracing *r)
{
    r->total++;
    r->calls[r->traces++] = 1;
    while (r->total - r->calls[0] > LOOKED_AT) {
        r->total -= r->calls[0];
        memmove(r->calls, r->calls + 1, --r->traces * sizeof *r->calls);
    }
    return r->traces >= TOO_MANY && r->warned < MOST_WARNINGS ? r->traces : 0;
}

static void note_call(tn__retracing *r)
{
    r->traces += r->traces == 0;
    r->calls[r->traces - 1]++;
    r->total++;
}

void tn__retracing_note(tn_function *f, bool traced)
{
    tn__retracing *r = &f->state->retracing;
    size_t many = 0, of = 0;
    if (f->library)
        return;
    pthread_mutex_lock(&f->state->lock);
    if (traced)
        many = note_trace(r);
    else
        note_call(r);
    of = r->total;
    r->warned += many > 0;
    pthread_mutex_unlock(&f->state->lock);
    if (many)
        tn__warn("%zu out of the last %zu calls to <function %s> triggered tf.function retracing. "
                 "Tracing is expensive and the excessive number "
                 "of tracings could be due to (1) creating @tf.function repeatedly in a loop, (2) "
                 "passing tensors with different shapes, (3) "
                 "passing Python objects instead of tensors. For (1), make the tn_function outside "
                 "of the loop. For (2), .reduce_retracing = true "
                 "avoids unnecessary retracing. For (3), a tn_scalar is traced once for each "
                 "value: tn_constant makes a tensor of it.",
                 many, of, f->name);
}
