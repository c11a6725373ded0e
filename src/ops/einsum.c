/* einsum.c - products and sums along named dimensions: Einsum, and what is said best in it. */
#include "ops/array.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* --- equations -------------------------------------------------------------------------------- */
/* "bij,...jk->b...ik", read. A label is a letter; the dimensions that "..." stands for are labels
 * of their own, counted from the last: ELLIPSIS + 0, + 1 …, which broadcast. */
enum {
    ELLIPSIS = 128,
    LABELS = ELLIPSIS + TN_MAX_RANK,
    MOST_LABELS = 2 * TN_MAX_RANK, /* in a term */
    MOST_TEXT = MOST_LABELS + 4,
    MOST_WORDS = 256 /* of a public equation */
};
typedef struct {
    int count;
    unsigned char label[MOST_LABELS];
    int ellipsis; /* where "..." stands, or -1 */
} term;
typedef struct {
    size_t inputs;
    term in[2], out;
} equation;

static tn_status wrong_format(const char *text)
{
    return tn__fail(TN_INVALID_ARGUMENT, "Subscripts have incorrect format: %s", text);
}

/* Letters and one "..." up to the end of a term. */
static tn_status read_term(const char **at, const char *text, term *t)
{
    *t = (term){ .ellipsis = -1 };
    for (; **at && **at != ',' && **at != '-'; (*at)++) {
        if (**at == ' ')
            continue;
        bool dots = strncmp(*at, "...", 3) == 0;
        if ((dots && t->ellipsis >= 0) || (!dots && !isalpha((unsigned char)**at)) ||
            t->count == MOST_LABELS)
            return wrong_format(text);
        if (dots) {
            t->ellipsis = t->count;
            *at += 2;
        } else {
            t->label[t->count++] = (unsigned char)**at;
        }
    }
    return TN_OK;
}

static tn_status read_equation(const char *text, equation *e)
{
    const char *arrow = text ? strstr(text, "->") : NULL, *at = text;
    *e = (equation){ 0 };
    if (!arrow || strstr(arrow + 2, "->"))
        return tn__fail(TN_INVALID_ARGUMENT, "Expecting exactly one '->' in einsum equation: %s",
                        text ? text : "");
    int terms = 1;
    for (const char *comma = text; comma < arrow; comma++)
        terms += *comma == ',';
    if (terms > 2)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Expecting 1 or 2 input subscripts in equation '%s' but got: %d", text,
                        terms);
    do {
        TN_TRY(read_term(&at, text, &e->in[e->inputs++]));
    } while (*at == ',' && at++);
    if (at != arrow)
        return wrong_format(text);
    at += 2;
    TN_TRY(read_term(&at, text, &e->out));
    return *at ? wrong_format(text) : TN_OK;
}

/* Puts labels in the place of "...", which stands for `dims` dimensions. */
static tn_status spread_ellipsis(term *t, int dims)
{
    if (t->ellipsis < 0)
        return TN_OK;
    if (dims < 0 || dims > TN_MAX_RANK || t->count + dims > MOST_LABELS)
        return tn__fail(TN_UNIMPLEMENTED, "Einsum: more than %d dimensions", TN_MAX_RANK);
    memmove(t->label + t->ellipsis + dims, t->label + t->ellipsis,
            (size_t)(t->count - t->ellipsis));
    for (int i = 0; i < dims; i++)
        t->label[t->ellipsis + i] = (unsigned char)(ELLIPSIS + dims - 1 - i);
    t->count += dims;
    t->ellipsis = -1;
    return TN_OK;
}

/* With every "..." spread; only for inputs of known rank. */
static tn_status settle_equation(const char *text, tn_tensor *const *input, size_t inputs,
                                 equation *e)
{
    int broadcast = 0;
    TN_TRY(read_equation(text, e));
    if (e->inputs != inputs)
        return tn__fail(TN_INVALID_ARGUMENT, "Got %zu inputs for equation \"%s\", expecting %zu",
                        inputs, text, e->inputs);
    for (size_t i = 0; i < inputs; i++) {
        term *t = &e->in[i];
        int rank = input[i]->shape.rank, dims = rank - t->count;
        if (t->ellipsis >= 0 ? dims < 0 : dims != 0)
            return tn__fail(TN_INVALID_ARGUMENT, "Expected input %zu to have rank %s%d but got: %d",
                            i, t->ellipsis >= 0 ? "at least " : "", t->count, rank);
        if (t->ellipsis >= 0 && dims > broadcast)
            broadcast = dims;
        TN_TRY(spread_ellipsis(t, dims));
    }
    if (broadcast && e->out.ellipsis < 0)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Output contains %d broadcasting dimension(s) but no ellipsis (...) was "
                        "found in the output subscripts.",
                        broadcast);
    return spread_ellipsis(&e->out, broadcast);
}

/* --- sizes ------------------------------------------------------------------------------------ */
/* The size of each label, TN_NONE where it is not known yet, 0 in `seen` where no input has it. */
typedef struct {
    int64_t dim[LABELS];
    bool seen[LABELS];
} sizes;

static tn_status add_size(sizes *s, unsigned label, int64_t dim, int axis, const tn_shape *shape)
{
    int64_t *known = &s->dim[label];
    if (!s->seen[label] || *known < 0 || (label >= ELLIPSIS && *known == 1))
        *known = s->seen[label] && dim < 0 ? *known : dim;
    else if (dim >= 0 && dim != *known && !(label >= ELLIPSIS && dim == 1))
        return tn__fail(
            TN_INVALID_ARGUMENT,
            "Expected dimension %lld at axis %d of the input shaped %s but got dimension %lld",
            (long long)*known, axis, TN__BRACKETS(*shape), (long long)dim);
    s->seen[label] = true;
    return TN_OK;
}

static tn_status sizes_of(const equation *e, tn_tensor *const *input, sizes *s)
{
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < e->inputs; i++)
        for (int k = 0; k < e->in[i].count; k++)
            TN_TRY(add_size(s, e->in[i].label[k], input[i]->shape.dims[k], k, &input[i]->shape));
    return TN_OK;
}

typedef struct {
    const char *equation;
} einsum_attrs;
static const tn_field einsum_fields[] = {
    TN__ROW(TN_FIELD_STRING, einsum_attrs, equation, NULL, NULL),
    TN__END_OF_FIELDS,
};

static tn_status einsum_infer(tn__infer *infer)
{
    const char *text = ((const einsum_attrs *)infer->attrs)->equation;
    tn_shape *out = &infer->output[0].shape;
    equation e;
    sizes s;
    TN_TRY(read_equation(text, &e));
    for (size_t i = 0; i < infer->input_count; i++)
        if (!infer->input[i]->shape.known)
            return TN_OK;
    TN_TRY(settle_equation(text, infer->input, infer->input_count, &e));
    TN_TRY(sizes_of(&e, infer->input, &s));
    if (e.out.count > TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "Einsum: more than %d dimensions", TN_MAX_RANK);
    *out = (tn_shape){ 1, e.out.count, { 0 } };
    for (int i = 0; i < e.out.count; i++) {
        if (!s.seen[e.out.label[i]])
            return tn__fail(
                TN_INVALID_ARGUMENT,
                "Output subscripts contain the label %c not present in the input subscripts.",
                e.out.label[i]);
        out->dims[i] = s.dim[e.out.label[i]];
    }
    return TN_OK;
}

/* --- computing -------------------------------------------------------------------------------- */
/* One loop a label: its size, and the elements to its next place in the output and in each input. A
 * label that stands twice in a term walks along the diagonal. */
typedef struct {
    int loops;
    int64_t dim[2 * MOST_LABELS], out[2 * MOST_LABELS], in[2][2 * MOST_LABELS];
} nest;

static int64_t stride_in(const term *t, const tn_shape *shape, unsigned label)
{
    int64_t stride[TN_MAX_RANK], sum = 0;
    tn__strides(shape, stride);
    for (int i = 0; i < t->count; i++)
        if (t->label[i] == label && !(label >= ELLIPSIS && shape->dims[i] == 1))
            sum += stride[i];
    return sum;
}

static void add_loop(nest *n, const tn__kernel *kernel, const equation *e, const sizes *s,
                     unsigned label)
{
    int at = n->loops++;
    n->dim[at] = s->dim[label];
    n->out[at] = stride_in(&e->out, &kernel->output[0]->shape, label);
    for (size_t i = 0; i < 2; i++)
        n->in[i][at] = i < e->inputs ? stride_in(&e->in[i], &kernel->input[i]->shape, label) : 0;
}

static bool has(const term *t, int count, unsigned label)
{
    return memchr(t->label, (int)label, (size_t)count) != NULL;
}

/* The output's labels but its last, those that are summed, and the output's last innermost, where
 * elements lie side by side. */
static nest plan_nest(const tn__kernel *kernel, const equation *e, const sizes *s)
{
    nest n = { 0 };
    int last = e->out.count - 1;
    for (int i = 0; i < last; i++)
        if (!has(&e->out, i, e->out.label[i]) && e->out.label[i] != e->out.label[last])
            add_loop(&n, kernel, e, s, e->out.label[i]);
    for (unsigned label = 0; label < LABELS; label++)
        if (s->seen[label] && !has(&e->out, e->out.count, label))
            add_loop(&n, kernel, e, s, label);
    if (last >= 0)
        add_loop(&n, kernel, e, s, e->out.label[last]);
    return n;
}

#define RUN_NEST(T, A)                                                                     \
    static void run_##T(const nest *n, int loop, const T *a, const T *b, T *out)           \
    {                                                                                      \
        int64_t dim = loop < n->loops ? n->dim[loop] : 1;                                  \
        int64_t so = n->out[loop], sa = n->in[0][loop], sb = n->in[1][loop];               \
        if (loop + 1 < n->loops) {                                                         \
            for (int64_t i = 0; i < dim; i++)                                              \
                run_##T(n, loop + 1, a + i * sa, b ? b + i * sb : NULL, out + i * so);     \
        } else if (so == 0) {                                                              \
            A sum = (A)*out;                                                               \
            for (int64_t i = 0; i < dim; i++)                                              \
                sum = (A)(sum + (A)a[i * sa] * (b ? (A)b[i * sb] : 1));                    \
            *out = (T)sum;                                                                 \
        } else if (b && so == 1 && sb == 1 && sa == 0) {                                   \
            for (int64_t i = 0; i < dim; i++)                                              \
                out[i] = (T)((A)out[i] + (A)a[0] * (A)b[i]);                               \
        } else {                                                                           \
            for (int64_t i = 0; i < dim; i++)                                              \
                out[i * so] = (T)((A)out[i * so] + (A)a[i * sa] * (b ? (A)b[i * sb] : 1)); \
        }                                                                                  \
    }
RUN_NEST(float, float)
RUN_NEST(double, double)
RUN_NEST(uint8_t, uint32_t)
RUN_NEST(int32_t, uint32_t)
RUN_NEST(int64_t, uint64_t)

static tn_status einsum_compute(tn__kernel *kernel)
{
    equation e;
    sizes s;
    tn_tensor *out = kernel->output[0];
    TN_TRY(settle_equation(((const einsum_attrs *)kernel->attrs)->equation, kernel->input,
                           kernel->input_count, &e));
    TN_TRY(sizes_of(&e, kernel->input, &s));
    nest n = plan_nest(kernel, &e, &s);
    const void *a = kernel->input[0]->data,
               *b = kernel->input_count > 1 ? kernel->input[1]->data : NULL;
    if (tn__count(out) == 0)
        return TN_OK;
    memset(out->data, 0, tn__byte_count(out));
    for (size_t i = 0; i < kernel->input_count; i++)
        if (tn__count(kernel->input[i]) == 0)
            return TN_OK;
    switch (out->dtype) {
    case TN_FLOAT32:
        run_float(&n, 0, a, b, out->data);
        break;
    case TN_FLOAT64:
        run_double(&n, 0, a, b, out->data);
        break;
    case TN_UINT8:
        run_uint8_t(&n, 0, a, b, out->data);
        break;
    case TN_INT32:
        run_int32_t(&n, 0, a, b, out->data);
        break;
    default:
        run_int64_t(&n, 0, a, b, out->data);
    }
    return TN_OK;
}

/* --- gradients -------------------------------------------------------------------------------- */
/* A term as text, the labels of "..." as that. */
static void write_term(char *to, const term *t)
{
    bool dots = false;
    for (int i = 0; i < t->count; i++)
        if (t->label[i] < ELLIPSIS) {
            *to++ = (char)t->label[i];
        } else if (!dots) {
            to = stpcpy(to, "...");
            dots = true;
        }
    *to = 0;
}

static tn_tensor *einsum_of(tn_tensor *a, const term *left, tn_tensor *b, const term *right,
                            const term *out)
{
    char text[3 * MOST_TEXT + 4], parts[3][MOST_TEXT] = { "" };
    write_term(parts[0], left);
    if (b)
        write_term(parts[1], right);
    write_term(parts[2], out);
    snprintf(text, sizeof text, "%s%s%s->%s", parts[0], b ? "," : "", parts[1], parts[2]);
    return tn__apply(&tn__op_Einsum, &(einsum_attrs){ text }, (tn_tensor *[]){ a, b }, b ? 2 : 1);
}

/* What the gradient of one input goes through: first "..." and the labels that are left in y or the
 * other input, then every letter of the input, each once. */
typedef struct {
    term kept, all;
    int dots; /* dimensions of "..." in y */
} stages;

static stages stages_of(const term *t, const term *y, const term *other)
{
    stages s = { { .ellipsis = -1 }, { .ellipsis = -1 }, 0 };
    for (int i = 0; i < y->count; i++)
        if (y->label[i] >= ELLIPSIS) {
            s.kept.label[s.kept.count++] = s.all.label[s.all.count++] = y->label[i];
            s.dots++;
        }
    for (int i = 0; i < t->count; i++) {
        unsigned char label = t->label[i];
        if (label >= ELLIPSIS || has(t, i, label))
            continue;
        s.all.label[s.all.count++] = label;
        if (has(y, y->count, label) || (other && has(other, other->count, label)))
            s.kept.label[s.kept.count++] = label;
    }
    return s;
}

/* dx repeated along what was summed away, in the sizes that x (t) has there. */
static tn_tensor *put_back(tn_tensor *dx, const stages *s, const term *t, tn_tensor *x)
{
    tn_tensor *shape = tn__shape_tensor(x), *sizes[MOST_LABELS + 1];
    size_t count = 0;
    if (s->all.count == s->kept.count || !dx)
        return dx;
    sizes[count++] = tn__vector_part(tn__shape_tensor(dx), 0, s->dots);
    for (int i = s->dots; i < s->all.count; i++) {
        unsigned char label = s->all.label[i];
        int64_t at = (const unsigned char *)memchr(t->label, label, (size_t)t->count) - t->label;
        sizes[count++] = tn__vector_part(shape, at, at + 1);
        if (!has(&s->kept, s->kept.count, label))
            dx = tn_expand_dims(dx, i);
    }
    return TN__APPLY(tn__op_BroadcastTo, NULL, dx, tn__vector_join(count, sizes));
}

static bool same_term(const term *a, const term *b)
{
    return a->count == b->count && memcmp(a->label, b->label, (size_t)a->count) == 0;
}

/* dx = the einsum of dy and the other input that gives x's labels; what was summed away is
 * repeated, what was broadcast is summed, a diagonal goes back to its place. */
static tn_tensor *input_gradient(tn__gradient *g, const equation *e, size_t i)
{
    const term *t = &e->in[i], *other = e->inputs > 1 ? &e->in[1 - i] : NULL;
    tn_tensor *x = g->in[i], *y = e->inputs > 1 ? g->in[1 - i] : NULL;
    stages s = stages_of(t, &e->out, other);
    term own = { .ellipsis = -1 }; /* x's own dimensions in the order of s.all */
    for (int k = 0; k < s.all.count; k++)
        if (has(t, t->count, s.all.label[k]))
            own.label[own.count++] = s.all.label[k];
    tn_tensor *dx = put_back(einsum_of(g->dout[0], &e->out, y, other, &s.kept), &s, t, x);
    if (s.dots)
        dx = tn__sum_to(dx, same_term(t, &own) ? x : einsum_of(x, t, NULL, NULL, &own), dx);
    return same_term(t, &own) ? dx : einsum_of(dx, &own, NULL, NULL, t);
}

static void einsum_gradient(tn__gradient *g)
{
    equation e;
    for (size_t i = 0; i < g->in_count; i++)
        if (!g->in[i]->shape.known) {
            tn__fail(TN_UNIMPLEMENTED, "Einsum: the gradient needs known ranks");
            return;
        }
    if (settle_equation(((const einsum_attrs *)g->attrs)->equation, g->in, g->in_count, &e) !=
        TN_OK)
        return;
    for (size_t i = 0; i < g->in_count; i++)
        if (g->wanted[i])
            g->din[i] = input_gradient(g, &e, i);
}

const tn__op tn__op_Einsum = {
    .name = "Einsum",
    .inputs = "inputs: N * T",
    .outputs = "output: T",
    .types = "T: number",
    .attrs = einsum_fields,
    .attrs_size = sizeof(einsum_attrs),
    .infer = einsum_infer,
    .compute = einsum_compute,
    .gradient = einsum_gradient,
};

/* --- public ----------------------------------------------------------------------------------- */
/* Letters, "..." first, of the terms that `text` has up to its arrow or end. */
typedef struct {
    int times[ELLIPSIS];
    bool dots;
} letters;

static void count_letters(const char *text, const char *end, letters *l)
{
    for (; text < end; text++) {
        l->times[(unsigned char)*text & 127] += isalpha((unsigned char)*text) != 0;
        l->dots |= *text == '.';
    }
}

/* Without an arrow: the letters that stand once, sorted, as in NumPy. */
static void write_implicit(const letters *l, char *to)
{
    if (l->dots)
        to = stpcpy(to, "...");
    for (int i = 'A'; i <= 'z'; i++)
        if (isalpha(i) && l->times[i] == 1)
            *to++ = (char)i;
    *to = 0;
}

/* Between two inputs and the rest: the letters of `left` and `right` that somebody still asks for.
 */
static void write_between(const letters *both, const letters *rest, char *to)
{
    if (both->dots)
        to = stpcpy(to, "...");
    for (int i = 'A'; i <= 'z'; i++)
        if (isalpha(i) && both->times[i] && rest->times[i])
            *to++ = (char)i;
    *to = 0;
}

static tn_tensor *refuse(const char *format, const char *equation)
{
    tn__fail(TN_INVALID_ARGUMENT, format, equation);
    return NULL;
}

/* inputs "ab,bc" -> "ac", from left to right, two at a time. */
static tn_tensor *contract(char *inputs, const char *output, tn_list list)
{
    char text[3 * MOST_WORDS], left[MOST_WORDS], *rest = inputs;
    const char *first = strsep(&rest, ",");
    tn_tensor *x = list.item[0];
    snprintf(left, sizeof left, "%s", first);
    if (list.count == 1) {
        snprintf(text, sizeof text, "%s->%s", left, output);
        return tn__apply(&tn__op_Einsum, &(einsum_attrs){ text }, &x, 1);
    }
    for (size_t i = 1; i < list.count && x; i++) {
        const char *right = strsep(&rest, ",");
        char between[MOST_WORDS];
        letters both = { { 0 }, false }, others = { { 0 }, false };
        count_letters(left, left + strlen(left), &both);
        count_letters(right, right + strlen(right), &both);
        count_letters(output, output + strlen(output), &others);
        if (rest)
            count_letters(rest, rest + strlen(rest), &others);
        write_between(&both, &others, between);
        snprintf(text, sizeof text, "%s,%s->%s", left, right, rest ? between : output);
        x = tn__apply(&tn__op_Einsum, &(einsum_attrs){ text }, (tn_tensor *[]){ x, list.item[i] },
                      2);
        snprintf(left, sizeof left, "%s", between);
    }
    return x;
}

tn_tensor *tn_einsum(const char *equation, tn_list inputs)
{
    TN__ENTER(context, NULL);
    (void)context;
    char words[MOST_WORDS], output[MOST_WORDS];
    letters l = { { 0 }, false };
    if (!equation || strlen(equation) >= MOST_WORDS)
        return refuse("Subscripts have incorrect format: %s", equation ? equation : "NULL");
    if (!inputs.item)
        return refuse("tn_einsum: the list of inputs of \"%s\" is NULL", equation);
    const char *arrow = strstr(equation, "->");
    snprintf(words, sizeof words, "%s", equation);
    words[strcspn(words, "-")] = 0;
    count_letters(words, words + strlen(words), &l);
    if (arrow)
        snprintf(output, sizeof output, "%s", arrow + 2);
    else
        write_implicit(&l, output);
    size_t terms = 1;
    for (const char *at = words; *at; at++)
        terms += *at == ',';
    if (terms == inputs.count)
        return contract(words, output, inputs);
    tn__fail(TN_INVALID_ARGUMENT, "Got %zu inputs for equation \"%s\", expecting %zu", inputs.count,
             equation, terms);
    return NULL;
}
