/* summary.c - the table that Keras's model.summary() prints. */
#include "base/log.h"
#include "train/trainer.h"
#include <stdio.h>
#include <string.h>

enum { MOST_COLUMNS = 4, MOST_LINES = 32, CELL = 64 };

/* Text widths of the columns, between one space on either side. */
static const int plain_widths[] = { 31, 22, 13 }, connected_widths[] = { 19, 17, 10, 17 };

typedef struct {
    tn__text text;
    const int *width;
    int columns;
} table;

/* Columns that a UTF-8 text takes: every character of ours takes one. */
static int columns_of(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static void add_rule(table *t, const char *left, const char *line, const char *cross, const char *right)
{
    tn__text_add(&t->text, "%s", left);
    for (int c = 0; c < t->columns; c++) {
        for (int i = 0; i < t->width[c] + 2; i++)
            tn__text_add(&t->text, "%s", line);
        tn__text_add(&t->text, "%s", c + 1 < t->columns ? cross : right);
    }
    tn__text_add(&t->text, "\n");
}

/* The lines of one cell, cut where a word ends; a word that is too long for the column ends in an ellipsis. */
typedef struct {
    char line[MOST_LINES][4 * CELL];
    int count;
} lines;

static void add_line(lines *l, const char *text, size_t bytes, int width)
{
    if (l->count == MOST_LINES)
        return;
    char *to = l->line[l->count++];
    if ((int)bytes <= width)
        snprintf(to, sizeof l->line[0], "%.*s", (int)bytes, text);
    else
        snprintf(to, sizeof l->line[0], "%.*s…", width - 1, text);
}

static void wrap(const char *text, int width, lines *l)
{
    l->count = 0;
    while (*text) {
        size_t length = strlen(text), take = length;
        if (columns_of(text) > width) {
            take = 0;
            for (size_t i = 0; i < length && (int)i <= width; i++)
                if (text[i] == ' ' && i > 0)
                    take = i;
            if (take == 0)
                take = strcspn(text + 1, " ") + 1;
        }
        add_line(l, text, take, width);
        text += take;
        text += strspn(text, " ");
    }
    if (l->count == 0)
        add_line(l, "", 0, width);
}

static void add_row(table *t, const char *const *cells)
{
    lines wrapped[MOST_COLUMNS];
    int tallest = 1;
    for (int c = 0; c < t->columns; c++) {
        wrap(cells[c], t->width[c], &wrapped[c]);
        if (wrapped[c].count > tallest)
            tallest = wrapped[c].count;
    }
    for (int i = 0; i < tallest; i++) {
        tn__text_add(&t->text, "│");
        for (int c = 0; c < t->columns; c++) {
            const char *line = i < wrapped[c].count ? wrapped[c].line[i] : "";
            int pad = t->width[c] - columns_of(line);
            tn__text_add(&t->text, " %*s%s%*s │", c == 2 ? pad : 0, "", line, c == 2 ? 0 : pad, "");
        }
        tn__text_add(&t->text, "\n");
    }
}

/* --- what the cells say ------------------------------------------------------------------------------------------------- */
static void with_commas(int64_t number, char *text, size_t size)
{
    char plain[32];
    int length = snprintf(plain, sizeof plain, "%lld", (long long)number);
    size_t n = 0;
    for (int i = 0; i < length && n + 2 < size; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[n++] = ',';
        text[n++] = plain[i];
    }
    text[n] = 0;
}

static void size_text(double bytes, char *text, size_t size)
{
    static const char *const units[] = { "B", "KB", "MB", "GB", "TB" };
    int unit = 0;
    for (; bytes >= 1024 && unit < 4; unit++)
        bytes /= 1024;
    snprintf(text, size, "%.2f %s", bytes, units[unit]);
}

typedef struct {
    int64_t count;
    double bytes;
} total;

static total count_variables(tn_tensor *const *items, size_t count)
{
    total sum = { 0, 0 };
    for (size_t i = 0; i < count; i++) {
        int64_t elements = tn__shape_full(&items[i]->shape) ? tn__shape_count(&items[i]->shape) : 0;
        sum.count += elements;
        sum.bytes += (double)elements * (double)tn__dtype_size((tn_dtype)items[i]->dtype);
    }
    return sum;
}

static tn_status count_weights(tn_layer *layer, tn__which which, total *sum)
{
    tn__weight_list list = { 0 };
    tn_status status = tn__collect_weights(layer, which, &list);
    *sum = count_variables(list.item, list.count);
    tn__weight_list_free(&list);
    return status;
}

/* The nodes of the model's symbolic graph; NULL outputs when it has none. */
static const tn__node *node_of(const tn_tensor *x)
{
    return x->of.output.node;
}

/* The layer's first node on the way from the model's outputs to its inputs. */
static const tn__node *find_node(const tn_tensor *x, const tn_layer *layer, int depth)
{
    const tn__node *node = x->form == TN__SYMBOLIC ? node_of(x) : NULL, *found = NULL;
    if (!node || depth > 4096)
        return NULL;
    for (size_t i = 0; i < node->input_count && !found; i++)
        found = find_node(node->input[i], layer, depth + 1);
    return found ? found : tn__node_layer(node, NULL) == layer ? node : NULL;
}

static const tn__node *node_in_model(const tn_layer *model, const tn_layer *layer)
{
    if (model->of == &tn__class_Functional) {
        const tn__functional *f = model->self;
        for (size_t i = 0; i < f->input_count; i++)
            if (tn__node_layer(node_of(f->input[i]), NULL) == layer)
                return node_of(f->input[i]);
        for (size_t i = 0; i < f->node_count; i++)
            if (tn__node_layer(f->node[i], NULL) == layer)
                return f->node[i];
        return NULL;
    }
    const tn__sequential *s = model->of == &tn__class_Sequential ? model->self : NULL;
    return s && s->output ? find_node(s->output, layer, 0) : NULL;
}

static void output_text(const tn__node *node, tn__text *text)
{
    if (!node)
        tn__text_add(text, "?");
    if (node && node->output_count > 1)
        tn__text_add(text, "[");
    for (size_t i = 0; node && i < node->output_count; i++) {
        tn__text_add(text, "%s", i ? ", " : "");
        tn__shape_add(text, &node->output[i].shape);
    }
    if (node && node->output_count > 1)
        tn__text_add(text, "]");
}

/* "a[0][0], b[0][0]": what goes into every call of the layer in this model. */
static void connections(const tn_layer *model, const tn_layer *layer, tn__text *text)
{
    const tn__functional *f = model->self;
    for (size_t i = 0; i < f->node_count; i++) {
        if (tn__node_layer(f->node[i], NULL) != layer)
            continue;
        for (size_t k = 0; k < f->node[i]->input_count; k++) {
            int index = 0;
            const tn_tensor *x = f->node[i]->input[k];
            const tn_layer *from = x->form == TN__SYMBOLIC ? tn__node_layer(node_of(x), &index) : NULL;
            if (from)
                tn__text_add(text, "%s%s[%d][%d]", text->bytes.size ? ", " : "", from->name, index, x->of.output.index);
        }
    }
    if (text->bytes.size == 0)
        tn__text_add(text, "-");
}

static tn_status add_layer(table *t, const tn_layer *model, tn_layer *layer)
{
    char number[32], parameters[64];
    total sum;
    TN_TRY(count_weights(layer, TN__ALL_WEIGHTS, &sum));
    with_commas(sum.count, number, sizeof number);
    snprintf(parameters, sizeof parameters, layer->built ? "%s" : "%s (unbuilt)", number);
    tn__text name = { 0 }, shape = { 0 }, connected = { 0 };
    tn__text_add(&name, "%s (%s)", layer->name, layer->of->name);
    output_text(node_in_model(model, layer), &shape);
    if (t->columns > 3)
        connections(model, layer, &connected);
    add_row(t, (const char *const[]){ tn__text_get(&name), tn__text_get(&shape), parameters, tn__text_get(&connected) });
    tn__text_free(&name);
    tn__text_free(&shape);
    tn__text_free(&connected);
    return TN_OK;
}

static void add_total(table *t, const char *what, total sum)
{
    char number[32], size[32];
    with_commas(sum.count, number, sizeof number);
    size_text(sum.bytes, size, sizeof size);
    tn__text_add(&t->text, " %s params: %s (%s)\n", what, number, size);
}

static tn_status add_totals(table *t, tn_layer *model)
{
    total all, trainable, others, optimizer = { 0, 0 };
    TN_TRY(count_weights(model, TN__ALL_WEIGHTS, &all));
    TN_TRY(count_weights(model, TN__TRAINABLE_WEIGHTS, &trainable));
    TN_TRY(count_weights(model, TN__OTHER_WEIGHTS, &others));
    const tn__trainer *trainer = model->trainer;
    tn_tensor **items;
    size_t count;
    if (trainer && trainer->compiled && trainer->optimizer->built) {
        TN_TRY(tn__optimizer_variables(trainer->optimizer, &items, &count));
        optimizer = count_variables(items, count);
        tn__free(items);
    }
    add_total(t, "Total", (total){ all.count + optimizer.count, all.bytes + optimizer.bytes });
    add_total(t, "Trainable", trainable);
    add_total(t, "Non-trainable", others);
    if (optimizer.count)
        add_total(t, "Optimizer", optimizer);
    return TN_OK;
}

/* A model that is one chain needs no column of connections. */
static bool is_chain(const tn_layer *model)
{
    if (model->of != &tn__class_Functional)
        return true;
    const tn__functional *f = model->self;
    bool chain = f->input_count == 1 && f->output_count == 1 && f->node_count + 1 == model->child.count;
    for (size_t i = 0; i < f->node_count && chain; i++)
        chain = f->node[i]->input_count == 1 && (i == 0 || node_of(f->node[i]->input[0]) == f->node[i - 1]);
    return chain;
}

static tn_status add_table(table *t, tn_layer *model)
{
    static const char *const heads[] = { "Layer (type)", "Output Shape", "Param #", "Connected to" };
    tn__text_add(&t->text, "Model: \"%s\"\n", model->name);
    add_rule(t, "┏", "━", "┳", "┓");
    tn__text_add(&t->text, "┃");
    for (int c = 0; c < t->columns; c++) {
        int pad = t->width[c] - columns_of(heads[c]);
        tn__text_add(&t->text, " %*s%s%*s ┃", c == 2 ? pad : 0, "", heads[c], c == 2 ? 0 : pad, "");
    }
    tn__text_add(&t->text, "\n");
    add_rule(t, "┡", "━", "╇", "┩");
    for (size_t i = 0; i < model->child.count; i++) {
        if (i > 0)
            add_rule(t, "├", "─", "┼", "┤");
        TN_TRY(add_layer(t, model, model->child.item[i]));
    }
    add_rule(t, "└", "─", "┴", "┘");
    return add_totals(t, model);
}

void tn_summary(tn_model *model)
{
    TN__ENTER(context, );
    if (!tn__check_layer(model, "tn_summary: model"))
        return;
    bool chain = is_chain(model);
    table t = { .width = chain ? plain_widths : connected_widths, .columns = chain ? 3 : 4 };
    size_t depth = tn__scope_begin("tn_summary");
    if (add_table(&t, model) == TN_OK) {
        const char *text = tn__text_get(&t.text);
        tn__output(text, strlen(text));
    }
    tn__scope_end(depth);
    tn__text_free(&t.text);
    (void)context;
}
