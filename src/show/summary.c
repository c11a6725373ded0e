/* summary.c - the table that Keras's model.summary() prints, character by character (Keras draws it with a library of tables whose
 * rules for widths and line breaks are kept here). */
#include "base/log.h"
#include "show/metrics.h"
#include "show/view.h"
#include "tenon/show.h"
#include "train/trainer.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MOST_COLUMNS = 5, DEEPEST = 64, LONGEST = 4096 };
typedef enum { LEFT, RIGHT, CENTER } justify;

typedef struct {
    const tn_summary_options *o;
    tn__text text;
    bool connected;
    int columns, width[MOST_COLUMNS]; /* of text, between one space on either side */
    justify justify[MOST_COLUMNS];
    size_t rows;
} table;

/* --- widths ------------------------------------------------------------------------------------------------------------- */
/* As Python's shutil.get_terminal_size: COLUMNS, the terminal, or 80. */
static int terminal_columns(void)
{
    const char *said = getenv("COLUMNS");
    struct winsize size;
    if (said && atoi(said) > 0)
        return atoi(said);
    if (tn__output_is_terminal() && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

static int line_length(const table *t)
{
    int wanted = (t->connected ? 108 : 88) + (t->o->show_trainable ? 12 : 0), room = terminal_columns() - 4;
    if (t->o->line_length)
        return t->o->line_length < LONGEST ? t->o->line_length : LONGEST;
    return wanted < room ? wanted : room;
}

/* Keras gives each column a part of the line, frames and spaces come on top of that; the table then takes what is too much from all
 * columns alike, rounding half to even. */
static void reduce(table *t, int length)
{
    int excess = 3 * t->columns + 1 - length;
    for (int i = 0; i < t->columns; i++)
        excess += t->width[i];
    for (int i = 0; i < t->columns; i++) {
        int part = excess > 0 ? (int)rint((double)excess / (t->columns - i)) : 0;
        if (part > t->width[i] + 2)
            part = t->width[i] + 2;
        t->width[i] -= part;
        excess -= part;
    }
}

static tn_status set_widths(table *t)
{
    static const double plain[] = { 0.45, 0.80, 1.0 }, connected[] = { 0.3, 0.56, 0.74, 1.0 };
    int length = line_length(t), so_far = 0, parts = t->connected ? 4 : 3;
    t->columns = parts + (t->o->show_trainable ? 1 : 0);
    for (int i = 0; i < t->columns; i++) {
        double end = i == parts ? 1.0 : t->connected ? connected[i] : plain[i];
        if (t->o->show_trainable && i < parts)
            end *= 0.90;
        t->width[i] = (int)(end * length) - so_far;
        t->justify[i] = i == 2 ? RIGHT : i == parts ? CENTER : LEFT;
        if (t->width[i] < 4)
            return tn__fail(TN_INVALID_ARGUMENT, "Insufficient console width to print summary.\nline_length is %d", length);
        so_far += t->width[i];
    }
    reduce(t, length);
    for (int i = 0; i < t->columns; i++)
        if (t->width[i] < 1)
            return tn__fail(TN_INVALID_ARGUMENT, "Insufficient console width to print summary.\nline_length is %d", length);
    return TN_OK;
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */
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

static const char *skip(const char *at, bool spaces)
{
    while (*at && (*at == ' ') == spaces)
        at++;
    return at;
}

/* Where the line that begins at `from` ends: lines are filled with whole words; a word that is too long for any has one of its own. */
static const char *end_of_line(const char *from, int width)
{
    const char *end = from;
    int used = 0;
    while (*end) {
        const char *word = skip(skip(end, true), false), *next = skip(word, true);
        if (end > from && tn__columns(end, (size_t)(word - end)) > width - used)
            break;
        used += tn__columns(end, (size_t)(next - end));
        end = next;
    }
    return end;
}

/* At most `width` columns of a text; an ellipsis stands for what is cut off. */
static void add_cut(tn__text *text, const char *from, const char *end, int width)
{
    bool cut = tn__columns(from, (size_t)(end - from)) > width;
    int room = width - cut;
    for (const char *at = from, *next = from; at < end; at = next) {
        int columns = tn__columns_of(tn__next_character(&next, end));
        if (columns > room)
            break;
        room -= columns;
        tn__text_add_bytes(text, at, (size_t)(next - at));
    }
    if (cut) /* half of a wide character is a space */
        tn__text_add(text, "%*s…", room, "");
}

/* The next line of a cell, which moves behind it. */
static void add_cell(table *t, const char **cell, int column)
{
    int width = t->width[column];
    const char *from = *cell, *end = end_of_line(from, width);
    *cell = end;
    while (end > from && end[-1] == ' ')
        end--;
    int used = tn__columns(from, (size_t)(end - from)), pad = used < width ? width - used : 0;
    int before = t->justify[column] == RIGHT ? pad : t->justify[column] == CENTER ? pad / 2 : 0;
    tn__text_add(&t->text, " %*s", before, "");
    add_cut(&t->text, from, end, width);
    tn__text_add(&t->text, "%*s ", pad - before, "");
}

static int count_lines(const char *cell, int width)
{
    int lines = 1;
    for (cell = end_of_line(cell, width); *cell; cell = end_of_line(cell, width))
        lines++;
    return lines;
}

/* Cells of a head stand at its bottom, others at the top. */
static void add_row(table *t, const char *const *cells, bool head)
{
    const char *frame = head ? "┃" : "│", *at[MOST_COLUMNS];
    int lines[MOST_COLUMNS], tallest = 1;
    for (int c = 0; c < t->columns; c++) {
        at[c] = cells[c];
        lines[c] = count_lines(cells[c], t->width[c]);
        tallest = lines[c] > tallest ? lines[c] : tallest;
    }
    for (int i = 0; i < tallest; i++) {
        const char *empty = "";
        tn__text_add(&t->text, "%s", frame);
        for (int c = 0; c < t->columns; c++) {
            add_cell(t, head && i < tallest - lines[c] ? &empty : &at[c], c);
            tn__text_add(&t->text, "%s", frame);
        }
        tn__text_add(&t->text, "\n");
    }
}

/* --- what the cells say ------------------------------------------------------------------------------------------------- */
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

/* "(None, 3)", without Python's comma behind a single number. */
static void add_shape(tn__text *text, const tn_shape *shape)
{
    if (!shape->known) {
        tn__text_add(text, "?");
        return;
    }
    tn__text_add(text, "(");
    for (int i = 0; i < shape->rank; i++) {
        tn__text_add(text, i ? ", " : "");
        if (shape->dims[i] < 0)
            tn__text_add(text, "None");
        else
            tn__text_add(text, "%lld", (long long)shape->dims[i]);
    }
    tn__text_add(text, ")");
}

/* Several outputs are a list when a model gives them, a tuple when a layer does. */
static void add_outputs(tn__text *text, const tn_layer *layer, const tn__node *node)
{
    bool several = node->output_count > 1, list = layer && tn__is_model(layer);
    tn__text_add(text, !several ? "" : list ? "[" : "(");
    for (size_t i = 0; i < node->output_count; i++) {
        tn__text_add(text, i ? ", " : "");
        add_shape(text, &node->output[i].shape);
    }
    tn__text_add(text, !several ? "" : list ? "]" : ")");
}

/* What a layer that was built outside of any symbolic model gives: asked of it in a scratch graph, whose inputs have shapes only. */
static tn_status ask_output(tn_context *context, tn_layer *layer, tn_graph *scratch, tn__text *text)
{
    size_t count = layer->build_count ? layer->build_count : 1, made = 0;
    tn_tensor **inputs = tn__alloc_zeroed(count, sizeof *inputs), *result = NULL;
    tn_status status = inputs ? TN_OK : TN_RESOURCE_EXHAUSTED;
    for (; made < count && status == TN_OK; made++)
        status = tn__graph_input(context, scratch, tn__layer_dtype(layer), &layer->build_shape[made], NULL, &inputs[made]);
    if (status == TN_OK)
        status = tn__layer_run(context, layer, (tn_list){ count, inputs }, 0, &result);
    if (status == TN_OK && result->form == TN__SYMBOLIC)
        add_shape(text, &result->shape);
    for (size_t i = 0; inputs && i < made; i++)
        tn__release(inputs[i]);
    tn__free(inputs);
    tn__release(result);
    return status;
}

static void add_built_output(tn_context *context, tn_layer *layer, tn__text *text)
{
    tn_graph *scratch = layer->built && layer->of->build && layer->build_shape && !tn__is_model(layer) ? tn__graph_new() : NULL;
    tn_graph *outer = context->graph;
    if (!scratch)
        return;
    context->graph = scratch;
    size_t depth = tn__scope_begin("tn_summary");
    (void)!ask_output(context, layer, scratch, text);
    tn__scope_end(depth);
    context->graph = outer;
    tn__release(scratch);
    tn__fail_clear(); /* a layer that does not want to be asked has a "?" */
}

static void output_text(tn_context *context, const tn__view *view, const tn__view_item *item, tn__text *text)
{
    if (item->last != SIZE_MAX)
        add_outputs(text, item->layer, view->call.item[item->last].node);
    else
        add_built_output(context, item->layer, text);
    if (text->bytes.size == 0)
        tn__text_add(text, "?");
}

/* "a[0][0], b[0][0]": what goes into every call of the layer in this model. */
static void connections(const tn__view *view, const tn__view_item *item, tn__text *text)
{
    for (size_t at = item->first; at != SIZE_MAX; at = view->call.item[at].next) {
        const tn__node *node = view->call.item[at].node;
        for (size_t k = 0; k < node->input_count; k++) {
            const tn__view_call *from = tn__view_source(view, node->input[k]);
            if (from && from->item != SIZE_MAX)
                tn__text_add(text, "%s%s[%d][%d]", text->bytes.size ? ", " : "", tn__view_name(&view->item.item[from->item]), from->index,
                             node->input[k]->of.output.index);
        }
    }
    if (text->bytes.size == 0)
        tn__text_add(text, "-");
}

static tn_status parameters_text(const tn__view_item *item, tn__text *text, bool *weights)
{
    char number[32];
    total sum = { 0, 0 };
    if (item->layer)
        TN_TRY(count_weights(item->layer, TN__ALL_WEIGHTS, &sum));
    tn__with_commas(sum.count, number, sizeof number);
    bool built = !item->layer || item->layer->built || (!item->layer->of->build && !tn__is_model(item->layer));
    tn__text_add(text, "%s%s", number, built ? "" : " (unbuilt)");
    *weights = sum.count > 0;
    return TN_OK;
}

/* --- rows of layers ----------------------------------------------------------------------------------------------------- */
/* One row; outer: the model that the table is of, whose connections are told; NULL in a nested one. */
static tn_status add_item(table *t, tn_context *context, const tn__view *view, const tn__view_item *item, int level)
{
    tn__text name = { 0 }, shape = { 0 }, number = { 0 }, connected = { 0 };
    bool weights = false;
    if (level)
        tn__text_add(&name, "%*s└ ", 3 * level, "");
    tn__text_add(&name, "%s (%s)", tn__view_name(item), tn__view_class(view, item));
    output_text(context, view, item, &shape);
    if (level == 0)
        connections(view, item, &connected);
    tn_status status = parameters_text(item, &number, &weights);
    const char *trainable = !weights ? "-" : item->layer->trainable ? "Y" : "N";
    const char *cells[MOST_COLUMNS] = { tn__text_get(&name), tn__text_get(&shape), tn__text_get(&number) };
    cells[3] = !t->connected ? trainable : level ? "-" : tn__text_get(&connected);
    cells[4] = trainable;
    if (t->rows++ > 0)
        add_rule(t, "├", "─", "┼", "┤");
    add_row(t, cells, false);
    tn__text_free(&name);
    tn__text_free(&shape);
    tn__text_free(&number);
    tn__text_free(&connected);
    return status;
}

static tn_status add_items(table *t, tn_context *context, const tn__view *view, int level);

static tn_status add_nested(table *t, tn_context *context, tn_layer *model, int level)
{
    tn__view view;
    tn_status status = tn__view_open(context, model, &view);
    if (status == TN_OK)
        status = add_items(t, context, &view, level);
    tn__view_close(&view);
    return status;
}

static tn_status add_items(table *t, tn_context *context, const tn__view *view, int level)
{
    for (size_t i = 0; i < view->item.count; i++) {
        const tn__view_item *item = &view->item.item[i];
        TN_TRY(add_item(t, context, view, item, level));
        if (t->o->expand_nested && item->layer && tn__is_model(item->layer) && level < DEEPEST)
            TN_TRY(add_nested(t, context, item->layer, level + 1));
    }
    return TN_OK;
}

/* --- the whole ---------------------------------------------------------------------------------------------------------- */
static void add_total(table *t, const char *what, total sum)
{
    char number[32], size[32];
    tn__with_commas(sum.count, number, sizeof number);
    tn__size_text(sum.bytes, size, sizeof size);
    tn__text_add(&t->text, " %s params: %s (%s)\n", what, number, size);
}

static tn_status add_totals(table *t, tn_layer *model)
{
    total all, trainable, others, optimizer = { 0, 0 };
    TN_TRY(count_weights(model, TN__ALL_WEIGHTS, &all));
    TN_TRY(count_weights(model, TN__TRAINABLE_WEIGHTS, &trainable));
    TN_TRY(count_weights(model, TN__OTHER_WEIGHTS, &others));
    const tn__trainer *trainer = model->trainer;
    bool built = trainer && trainer->compiled && trainer->optimizer->built;
    tn_tensor **items;
    size_t count;
    if (built) {
        TN_TRY(tn__optimizer_variables(trainer->optimizer, &items, &count));
        optimizer = count_variables(items, count);
        tn__free(items);
    }
    add_total(t, "Total", (total){ all.count + optimizer.count, all.bytes + optimizer.bytes });
    add_total(t, "Trainable", trainable);
    add_total(t, "Non-trainable", others);
    if (built)
        add_total(t, "Optimizer", optimizer);
    return TN_OK;
}

static tn_status add_table(table *t, tn_context *context, const tn__view *view)
{
    const char *heads[MOST_COLUMNS] = { "Layer (type)", "Output Shape", "Param #", t->connected ? "Connected to" : "Trainable",
                                        "Trainable" };
    TN_TRY(set_widths(t));
    tn__text_add(&t->text, "Model: \"%s\"\n", view->model->name);
    add_rule(t, "┏", "━", "┳", "┓");
    add_row(t, heads, true);
    add_rule(t, "┡", "━", "╇", "┩");
    TN_TRY(add_items(t, context, view, 0));
    add_rule(t, "└", "─", "┴", "┘");
    return add_totals(t, view->model);
}

/* Names come from files: what would move a terminal's cursor is shown as "?". */
static void print(table *t)
{
    for (size_t i = 0; i < t->text.bytes.size; i++)
        if (t->text.bytes.data[i] < ' ' && t->text.bytes.data[i] != '\n')
            t->text.bytes.data[i] = '?';
    char *text = tn__text_take(&t->text);
    if (text)
        tn__output(text, strlen(text));
    tn__free(text);
}

void tn_summary_with(const tn_summary_options *options)
{
    TN__ENTER_OPTIONS(context, options, );
    if (!tn__check_layer(options->model, "tn_summary: model"))
        return;
    if (options->line_length < 0) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_summary: line_length must not be negative, got %d", options->line_length);
        return;
    }
    tn__view view;
    table t = { .o = options };
    tn_status status = tn__view_open(context, options->model, &view);
    t.connected = status == TN_OK && !tn__view_is_chain(&view);
    if (status == TN_OK)
        status = add_table(&t, context, &view);
    if (status == TN_OK)
        print(&t);
    tn__view_close(&view);
    tn__text_free(&t.text);
}
