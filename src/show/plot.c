/* plot.c - a model as boxes and arrows, as Keras's plot_model() draws it; models inside as drawings in frames. */
#include "show/layout.h"
#include "show/metrics.h"
#include "show/view.h"
#include "tenon/show.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DEEPEST = 32, MOST_CELLS = 4 };
static const double NAME_SIZE = 14, CELL_SIZE = 12, HEAD_HEIGHT = 28, CELL_HEIGHT = 25, PADDING = 10, MARGIN = 16, FRAME = 14, WIDEST = 460;

typedef struct drawing drawing;

typedef struct {
    char *text;
    const char *fill, *ink;
    double width;
} cell;

/* What stands in one box of a layout. */
typedef struct {
    char *name, *class, *activation; /* class: in brackets behind the name; NULL: the name is the class */
    char *whole;                     /* what was cut, as a title; NULL: nothing */
    cell cell[MOST_CELLS];
    int cells;
    drawing *inside; /* of an expanded model */
} content;

struct drawing {
    const tn_plot_model_options *o;
    tn__layout layout;
    struct {
        content *item; /* one a box */
        size_t count, capacity;
    } content;
    size_t entries, exits; /* of a nested model: the first and the last boxes */
    size_t *box_of;        /* a view's item to its box */
    double left, top;      /* of the layout in the frame */
};

static bool sideways(const drawing *d)
{
    return strcmp(d->o->rankdir, "LR") == 0;
}

static void drawing_free(drawing *d)
{
    for (size_t i = 0; i < d->content.count; i++) {
        content *c = &d->content.item[i];
        tn__free(c->name);
        tn__free(c->class);
        tn__free(c->activation);
        tn__free(c->whole);
        for (int k = 0; k < c->cells; k++)
            tn__free(c->cell[k].text);
        if (c->inside)
            drawing_free(c->inside);
        tn__free(c->inside);
    }
    tn__free(d->content.item);
    tn__free(d->box_of);
    tn__layout_free(&d->layout);
}

/* --- texts -------------------------------------------------------------------------------------------------------------- */
static void add_value(tn__text *text, const tn__node *node, size_t index, bool output, bool dtype)
{
    if (dtype)
        tn__text_add(text, "%s", tn__dtype_name(output ? node->output[index].dtype : (tn_dtype)node->input[index]->dtype));
    else
        tn__shape_add(text, output ? &node->output[index].shape : &node->input[index]->shape);
}

/* The inputs or outputs of a layer's first call, as Python prints them: one, or a list. */
static char *values_text(const char *what, const tn__node *node, bool output, bool dtype)
{
    tn__text text = { 0 };
    size_t count = output ? node->output_count : node->input_count;
    tn__text_add(&text, count > 1 ? "%s: [" : "%s: ", what);
    for (size_t i = 0; i < count; i++) {
        tn__text_add(&text, i ? ", " : "");
        add_value(&text, node, i, output, dtype);
    }
    tn__text_add(&text, count > 1 ? "]" : "");
    return tn__text_take(&text);
}

static tn_status add_cell(content *c, char *text, const char *fill, const char *ink)
{
    if (!text)
        return tn__errors()->status;
    c->cell[c->cells++] = (cell){ text, fill, ink, 0 };
    return TN_OK;
}

static tn_status add_trainable(content *c, tn_layer *layer)
{
    tn__weight_list list = { 0 };
    tn_status status = tn__collect_weights(layer, TN__ALL_WEIGHTS, &list);
    bool any = list.count > 0;
    tn__weight_list_free(&list);
    if (status != TN_OK || !any)
        return status;
    return add_cell(c, tn__strdup(layer->trainable ? "Trainable" : "Non-trainable"), layer->trainable ? "#228b22" : "#b22222", "#fff");
}

static tn_status add_cells(const drawing *d, content *c, tn_layer *layer, const tn__node *node)
{
    bool input = layer && layer->of == &tn__class_InputLayer;
    if (d->o->show_shapes && !input)
        TN_TRY(add_cell(c, node ? values_text("Input shape", node, false, false) : tn__strdup("Input shape: ?"), "#fff", "#222"));
    if (d->o->show_shapes)
        TN_TRY(add_cell(c, node ? values_text("Output shape", node, true, false) : tn__strdup("Output shape: ?"), "#fff", "#222"));
    if (d->o->show_dtype)
        TN_TRY(add_cell(c, node ? values_text("Output dtype", node, true, true) : tn__strdup("Output dtype: ?"), "#fff", "#222"));
    return d->o->show_trainable && layer ? add_trainable(c, layer) : TN_OK;
}

static tn_status set_activation(content *c, const tn_layer *layer)
{
    const tn_field *field = tn__field_find(layer->of->fields, "activation");
    const char *text = field && field->kind == TN_FIELD_ACTIVATION ? *(const char *const *)((const char *)layer->self + field->offset) : "";
    if (text && !*text)
        return TN_OK;
    c->activation = tn__print("Activation: %s", text ? text : "linear");
    return c->activation ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

/* Cuts a text that would make its box too wide; the whole then is the box's title. */
static tn_status cut(content *c, char **text, double size, bool bold, double width)
{
    char *shorter = tn__drawn_cut(*text, size, bold, width);
    if (!shorter)
        return TN_RESOURCE_EXHAUSTED;
    if (strcmp(shorter, *text) == 0) {
        tn__free(shorter);
        return TN_OK;
    }
    char *whole = c->whole ? tn__print("%s\n%s", c->whole, *text) : tn__strdup(*text);
    tn__free(c->whole);
    c->whole = whole;
    tn__free(*text);
    *text = shorter;
    return whole ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status set_head(const drawing *d, content *c, const char *name, const char *class)
{
    c->name = tn__strdup(d->o->show_layer_names ? name : class);
    c->class = d->o->show_layer_names ? tn__print(" (%s)", class) : NULL;
    if (!c->name || (d->o->show_layer_names && !c->class))
        return TN_RESOURCE_EXHAUSTED;
    if (c->class)
        TN_TRY(cut(c, &c->class, NAME_SIZE, false, WIDEST / 2));
    return cut(c, &c->name, NAME_SIZE, true, WIDEST - (c->class ? tn__drawn_width(c->class, NAME_SIZE, false) : 0));
}

/* --- boxes of layers ---------------------------------------------------------------------------------------------------- */
static double head_width(const content *c)
{
    return tn__drawn_width(c->name, NAME_SIZE, true) + (c->class ? tn__drawn_width(c->class, NAME_SIZE, false) : 0);
}

/* The box's width is that of its widest row; its cells share it. */
static double box_width(content *c)
{
    double width = head_width(c) + 2 * PADDING, cells = 0;
    if (c->activation)
        width = fmax(width, tn__drawn_width(c->activation, CELL_SIZE, false) + 2 * PADDING);
    for (int i = 0; i < c->cells; i++) {
        c->cell[i].width = tn__drawn_width(c->cell[i].text, CELL_SIZE, false) + 2 * PADDING;
        cells += c->cell[i].width;
    }
    for (int i = 0; i < c->cells && cells < width; i++)
        c->cell[i].width += (width - cells) / c->cells;
    return ceil(fmax(width, cells));
}

static double box_height(const content *c)
{
    return HEAD_HEIGHT + (c->activation ? CELL_HEIGHT : 0) + (c->cells ? CELL_HEIGHT : 0);
}

static tn_status add_box(drawing *d, tn__box_kind kind, double width, double height)
{
    return sideways(d) ? tn__layout_add_box(&d->layout, kind, height, width) : tn__layout_add_box(&d->layout, kind, width, height);
}

/* The content is put into the drawing before it is filled, so that nothing is lost when that fails. */
static tn_status new_content(drawing *d, content **c)
{
    content empty = { 0 };
    TN_TRY(TN__PUSH(&d->content, empty));
    *c = &d->content.item[d->content.count - 1];
    return TN_OK;
}

static tn_status add_port(drawing *d, tn__box_kind kind)
{
    content *c;
    TN_TRY(new_content(d, &c));
    return add_box(d, kind, 0, 0);
}

static tn_status add_leaf(drawing *d, const char *name, const char *class, tn_layer *layer, const tn__node *node)
{
    content *c;
    TN_TRY(new_content(d, &c));
    TN_TRY(set_head(d, c, name, class));
    if (d->o->show_layer_activations && layer)
        TN_TRY(set_activation(c, layer));
    TN_TRY(add_cells(d, c, layer, node));
    for (int i = 0; i < c->cells; i++)
        TN_TRY(cut(c, &c->cell[i].text, CELL_SIZE, false, WIDEST));
    double width = box_width(c);
    return add_box(d, TN__BOX, width, box_height(c));
}

/* --- models in frames --------------------------------------------------------------------------------------------------- */
static tn_status draw_model(tn_context *context, drawing *d, tn_layer *model, int depth);

static bool is_expanded(const drawing *d, const tn_layer *layer, int depth)
{
    if (!layer || !d->o->expand_nested || depth >= DEEPEST)
        return false;
    return layer->of == &tn__class_Functional || (layer->of == &tn__class_Sequential && ((tn__sequential *)layer->self)->output);
}

/* The frame is wide enough for a line to pass beside its name. */
static tn_status add_frame(drawing *d, content *c, const drawing *inner)
{
    double label = NAME_SIZE + 8, width = sideways(d) ? inner->layout.height : inner->layout.width;
    double height = sideways(d) ? inner->layout.width : inner->layout.height, named = head_width(c) + 2 * FRAME;
    double wide = fmax(width + 2 * FRAME, sideways(d) ? named : 2 * named);
    c->inside->left = (wide - width) / 2;
    c->inside->top = FRAME + (sideways(d) ? label : label / 2);
    return add_box(d, TN__BOX, wide, height + c->inside->top + FRAME);
}

static tn_status add_nested(tn_context *context, drawing *d, tn_layer *model, int depth)
{
    content *c;
    TN_TRY(new_content(d, &c));
    size_t at = d->content.count - 1;
    TN_TRY(set_head(d, c, model->name, model->of->name));
    c->inside = tn__alloc_zeroed(1, sizeof *c->inside);
    if (!c->inside)
        return TN_RESOURCE_EXHAUSTED;
    c->inside->o = d->o;
    TN_TRY(draw_model(context, c->inside, model, depth + 1));
    return add_frame(d, &d->content.item[at], d->content.item[at].inside);
}

/* Where a frame's line enters or leaves, from the frame's middle; NAN: the box is none. */
static double port_place(const drawing *d, size_t box, bool entry, size_t index)
{
    const drawing *inner = d->content.item[box].inside;
    size_t count = inner ? entry ? inner->entries : inner->exits : 0;
    if (index >= count)
        return NAN;
    const tn__box *port = &inner->layout.box.item[entry ? index : inner->layout.box.count - count + index];
    return port->x + (sideways(d) ? inner->top : inner->left) - d->layout.box.item[box].width / 2;
}

/* --- links -------------------------------------------------------------------------------------------------------------- */
static tn_status link_input(drawing *d, const tn__view *view, const tn_tensor *x, size_t to, double in)
{
    const tn__view_call *source = tn__view_source(view, x);
    if (!source)
        return TN_OK;
    if (source->item == SIZE_MAX) /* a Sequential's own input, which is no box */
        return d->entries ? tn__layout_add_link(&d->layout, (tn__link){ 0, to, 0, in }) : TN_OK;
    size_t from = d->box_of[source->item];
    double out = port_place(d, from, false, (size_t)x->of.output.index);
    return tn__layout_add_link(&d->layout, (tn__link){ from, to, out, in });
}

static tn_status link_calls(drawing *d, const tn__view *view)
{
    for (size_t i = 0; i < view->call.count; i++) {
        const tn__view_call *call = &view->call.item[i];
        size_t to = call->item == SIZE_MAX ? SIZE_MAX : d->box_of[call->item];
        for (size_t k = 0; to != SIZE_MAX && k < call->node->input_count; k++)
            TN_TRY(link_input(d, view, call->node->input[k], to, port_place(d, to, true, k)));
    }
    return TN_OK;
}

/* A nested model's lines come in and go out at ports. */
static tn_status link_ports(drawing *d, const tn__view *view, tn_tensor *const *inputs, tn_tensor *const *outputs)
{
    for (size_t i = 0; i < d->entries; i++) {
        const tn__view_call *call = tn__view_source(view, inputs[i]);
        if (call && call->item != SIZE_MAX)
            TN_TRY(tn__layout_add_link(&d->layout, (tn__link){ i, d->box_of[call->item], 0, NAN }));
    }
    for (size_t i = 0; i < d->exits; i++)
        TN_TRY(link_input(d, view, outputs[i], d->layout.box.count - d->exits + i, 0));
    return TN_OK;
}

/* --- a drawing ---------------------------------------------------------------------------------------------------------- */
static tn_status add_item(tn_context *context, drawing *d, const tn__view *view, size_t at, int depth)
{
    const tn__view_item *item = &view->item.item[at];
    d->box_of[at] = d->content.count;
    if (is_expanded(d, item->layer, depth))
        return add_nested(context, d, item->layer, depth);
    return add_leaf(d, tn__view_name(item), tn__view_class(view, item), item->layer, view->call.item[item->first].node);
}

/* In the order in which they are called first, so that links go down wherever they can. */
static tn_status add_items(tn_context *context, drawing *d, const tn__view *view, int depth)
{
    d->box_of = tn__alloc((view->item.count + 1) * sizeof *d->box_of);
    if (!d->box_of)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < view->item.count; i++)
        d->box_of[i] = SIZE_MAX;
    for (size_t i = 0; i < view->call.count; i++) {
        size_t item = view->call.item[i].item;
        if (item != SIZE_MAX && d->box_of[item] == SIZE_MAX)
            TN_TRY(add_item(context, d, view, item, depth));
    }
    return TN_OK;
}

static void find_ends(tn_layer *model, tn_tensor *const **inputs, size_t *input_count, tn_tensor *const **outputs, size_t *output_count)
{
    tn__functional *f = model->of == &tn__class_Functional ? model->self : NULL;
    tn__sequential *s = f ? NULL : model->self;
    *inputs = f ? f->input : &s->input;
    *outputs = f ? f->output : &s->output;
    *input_count = f ? f->input_count : 1;
    *output_count = f ? f->output_count : 1;
}

static tn_status draw_view(tn_context *context, drawing *d, const tn__view *view, int depth)
{
    tn_tensor *const *inputs = NULL, *const *outputs = NULL;
    if (depth > 0)
        find_ends(view->model, &inputs, &d->entries, &outputs, &d->exits);
    for (size_t i = 0; i < d->entries; i++)
        TN_TRY(add_port(d, TN__ENTRY));
    TN_TRY(add_items(context, d, view, depth));
    for (size_t i = 0; i < d->exits; i++)
        TN_TRY(add_port(d, TN__EXIT));
    TN_TRY(link_calls(d, view));
    TN_TRY(link_ports(d, view, inputs, outputs));
    return tn__layout_run(&d->layout);
}

/* Of the program's own class a model is one box. */
static tn_status draw_model(tn_context *context, drawing *d, tn_layer *model, int depth)
{
    tn__view view;
    tn_status status = tn__view_open(context, model, &view);
    if (status == TN_OK && view.call.count > 0)
        status = draw_view(context, d, &view, depth);
    else if (status == TN_OK) {
        status = add_leaf(d, model->name, model->of->name, model, NULL);
        if (status == TN_OK)
            status = tn__layout_run(&d->layout);
    }
    tn__view_close(&view);
    return status;
}

/* --- on paper ----------------------------------------------------------------------------------------------------------- */
#define LINE "stroke=\"#222\" stroke-width=\"1.5\""

static tn__point turned(const drawing *d, double x, double y)
{
    return sideways(d) ? (tn__point){ y, x } : (tn__point){ x, y };
}

static void draw_head(tn__text *svg, const content *c, double x, double y, double width)
{
    tn__svg_rect(svg, x, y, width, HEAD_HEIGHT, "fill=\"#222\" stroke=\"#222\"");
    tn__svg_two_texts(svg, x + width / 2, y + HEAD_HEIGHT / 2 + NAME_SIZE * 0.36, NAME_SIZE, "fill=\"#fff\" text-anchor=\"middle\"",
                      c->name, c->class ? c->class : "");
}

static void draw_row(tn__text *svg, const char *text, double x, double y, double width, const char *fill, const char *ink)
{
    char attributes[64];
    snprintf(attributes, sizeof attributes, "fill=\"%s\" stroke=\"#222\"", fill);
    tn__svg_rect(svg, x, y, width, CELL_HEIGHT, attributes);
    snprintf(attributes, sizeof attributes, "fill=\"%s\" text-anchor=\"middle\"", ink);
    tn__svg_text(svg, x + width / 2, y + CELL_HEIGHT / 2 + CELL_SIZE * 0.36, CELL_SIZE, attributes, text);
}

static void draw_leaf(tn__text *svg, const content *c, double x, double y, double width)
{
    if (c->whole)
        tn__svg_group(svg, c->whole);
    draw_head(svg, c, x, y, width);
    y += HEAD_HEIGHT;
    if (c->activation) {
        draw_row(svg, c->activation, x, y, width, "#fff", "#222");
        y += CELL_HEIGHT;
    }
    for (int i = 0; i < c->cells; i++) {
        draw_row(svg, c->cell[i].text, x, y, c->cell[i].width, c->cell[i].fill, c->cell[i].ink);
        x += c->cell[i].width;
    }
    if (c->whole)
        tn__svg_group_end(svg);
}

static void draw_routes(tn__text *svg, const drawing *d, double left, double top)
{
    for (size_t i = 0; i < d->layout.route.count; i++) {
        const tn__route *route = &d->layout.route.item[i];
        tn__point points[5];
        size_t count = route->count < 5 ? route->count : 5;
        for (size_t k = 0; k < count; k++) {
            const tn__point *p = &d->layout.point.item[route->first + k];
            points[k] = turned(d, p->x, p->y);
            points[k].x += left;
            points[k].y += top;
        }
        tn__svg_line(svg, points, count, LINE);
        if (route->arrow)
            tn__svg_arrow(svg, points[count - 2], points[count - 1]);
        if (route->arrow_at_start)
            tn__svg_arrow(svg, points[1], points[0]);
    }
}

/* From a frame's border to its ports. */
static void draw_ports(tn__text *svg, const drawing *d, double left, double top, tn__point size)
{
    for (size_t i = 0; i < d->content.count; i++) {
        const tn__box *box = &d->layout.box.item[i];
        if (box->kind == TN__BOX)
            continue;
        bool entry = box->kind == TN__ENTRY;
        tn__point port = turned(d, box->x, box->y), ends[2];
        ends[0] = ends[1] = (tn__point){ left + d->left + port.x, top + d->top + port.y };
        if (sideways(d))
            ends[1].x = entry ? left : left + size.x;
        else
            ends[1].y = entry ? top : top + size.y;
        tn__svg_line(svg, ends, 2, LINE);
    }
}

static void draw(tn__text *svg, const drawing *d, double left, double top)
{
    draw_routes(svg, d, left, top);
    for (size_t i = 0; i < d->content.count; i++) {
        const tn__box *box = &d->layout.box.item[i];
        const content *c = &d->content.item[i];
        tn__point corner = turned(d, box->x, box->y), size = turned(d, box->width, box->height);
        corner.x += left;
        corner.y += top;
        if (c->inside) {
            tn__svg_rect(svg, corner.x, corner.y, size.x, size.y, "fill=\"#f4f6f8\" stroke=\"#778\" stroke-dasharray=\"5,3\"");
            draw_ports(svg, c->inside, corner.x, corner.y, size);
            draw(svg, c->inside, corner.x + c->inside->left, corner.y + c->inside->top);
            tn__svg_two_texts(svg, corner.x + 8, corner.y + NAME_SIZE + 3, NAME_SIZE, "fill=\"#334\"", c->name, c->class ? c->class : "");
        } else if (c->name) {
            draw_leaf(svg, c, corner.x, corner.y, size.x);
        }
    }
}

static tn_status write_drawing(const drawing *d, const char *title)
{
    tn__text svg = { 0 };
    tn__point size = turned(d, d->layout.width, d->layout.height);
    tn__svg_begin(&svg, size.x + 2 * MARGIN, size.y + 2 * MARGIN, title);
    draw(&svg, d, MARGIN, MARGIN);
    tn__svg_end(&svg);
    return tn__svg_write(&svg, d->o->to_file);
}

static tn_status check_options(const tn_plot_model_options *o)
{
    if (!o->to_file || !*o->to_file)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_plot_model: to_file must be a path, got %s", o->to_file ? "\"\"" : "NULL");
    if (!o->rankdir || (strcmp(o->rankdir, "TB") != 0 && strcmp(o->rankdir, "LR") != 0))
        return tn__fail(TN_INVALID_ARGUMENT, "tn_plot_model: rankdir must be \"TB\" or \"LR\", got \"%s\"",
                        o->rankdir ? o->rankdir : "NULL");
    if (!o->model->built)
        return tn__fail(TN_FAILED_PRECONDITION,
                        "This model has not yet been built. Build the model first by calling `build()` or by calling the "
                        "model on a batch of data.");
    return TN_OK;
}

tn_status tn_plot_model_with(const tn_plot_model_options *options)
{
    TN__ENTER_OPTIONS(context, options, context->error.status);
    if (!tn__check_layer(options->model, "tn_plot_model: model"))
        return context->error.status;
    TN_TRY(check_options(options));
    drawing d = { .o = options };
    tn_status status = draw_model(context, &d, options->model, 0);
    if (status == TN_OK)
        status = write_drawing(&d, options->model->name);
    drawing_free(&d);
    return status;
}
