/* curves.c - losses and metrics by epoch: a chart for each, training and validation in it. */
#include "show/metrics.h"
#include "show/svg.h"
#include "tenon/show.h"
#include "train/callback.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_TICKS = 8 };
static const double WIDTH = 460, HEIGHT = 320, LEFT = 62, RIGHT = 16, TOP = 64, BOTTOM = 40, SIZE = 12;

/* One chart; -1: the history has no such column. */
typedef struct {
    const tn_history *history;
    const char *name;
    int64_t training, validation; /* columns */
    double least, most;           /* of the axis */
    double step;                  /* between ticks */
    double x, y;                  /* upper left corner on the page */
} chart;

static double value_at(const chart *c, int64_t column, int64_t epoch)
{
    return c->history->value.item[(size_t)epoch * c->history->key.count + (size_t)column];
}

/* --- axes --------------------------------------------------------------------------------------------------------------- */
/* 1, 2 or 5 times a power of ten: the smallest that makes no more than so many steps of a span. */
static double step_for(double span, int most)
{
    double step = pow(10, floor(log10(span / most)));
    static const double factors[] = { 1, 2, 5, 10 };
    for (size_t i = 0; i < 4; i++)
        if (span / (step * factors[i]) <= most)
            return step * factors[i];
    return step * 10;
}

static void widen(const chart *c, int64_t column, double *least, double *most)
{
    for (int64_t i = 0; column >= 0 && i < c->history->epochs; i++) {
        double value = value_at(c, column, i);
        *least = isfinite(value) && value < *least ? value : *least;
        *most = isfinite(value) && value > *most ? value : *most;
    }
}

/* The values' range, rounded outwards to whole steps; some room round a single value. False: there is no finite value. */
static bool set_axis(chart *c)
{
    double least = INFINITY, most = -INFINITY;
    widen(c, c->training, &least, &most);
    widen(c, c->validation, &least, &most);
    if (least > most)
        return false;
    double room = fmax(fabs(most), 1e-12) * 1e-3, span = most / 2 - least / 2; /* halves, so that no difference is infinite */
    if (span < room) {
        least -= fmax(fabs(least) * 0.1, 1e-9);
        most += fmax(fabs(most) * 0.1, 1e-9);
    }
    c->step = step_for(fmin(most / 2 - least / 2, 1e300) * 2, MOST_TICKS - 2);
    c->least = floor(least / c->step) * c->step;
    c->most = ceil(most / c->step) * c->step;
    return true;
}

static tn__point place_of(const chart *c, double epoch, double value)
{
    double last = c->history->epochs > 1 ? (double)(c->history->epochs - 1) : 1;
    double across = c->history->epochs > 1 ? epoch / last : 0.5, up = (value - c->least) / (c->most - c->least);
    return (tn__point){ c->x + LEFT + across * (WIDTH - LEFT - RIGHT), c->y + HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM) };
}

/* A number of an axis, with as many digits as its step asks for, whatever the locale. */
static void tick_text(double value, double step, char *text, size_t size)
{
    if (fabs(value) < step / 2)
        value = 0;
    int digits = (int)fmax(0, ceil(-log10(step) - 1e-9));
    double most = fmax(fabs(value), step);
    if (most >= 1e6 || digits > 6)
        snprintf(text, size, "%.2e", value);
    else
        snprintf(text, size, "%.*f", digits, value);
    for (char *comma = strchr(text, ','); comma; comma = NULL)
        *comma = '.';
}

static void draw_values_axis(tn__text *svg, const chart *c)
{
    int ticks = (int)fmin(rint((c->most - c->least) / c->step), 2 * MOST_TICKS);
    for (int i = 0; i <= ticks; i++) {
        char text[64];
        double value = c->least + i * c->step;
        tn__point at = place_of(c, 0, value), line[2] = { { c->x + LEFT, at.y }, { c->x + WIDTH - RIGHT, at.y } };
        tick_text(value, c->step, text, sizeof text);
        tn__svg_line(svg, line, 2, "stroke=\"#ddd\"");
        tn__svg_text(svg, c->x + LEFT - 7, at.y + SIZE * 0.35, SIZE, "fill=\"#333\" text-anchor=\"end\"", text);
    }
}

/* Epochs count from 1, as fit prints them. */
static void draw_epochs_axis(tn__text *svg, const chart *c)
{
    int64_t epochs = c->history->epochs, step = epochs > 10 ? (int64_t)step_for((double)epochs, 10) : 1;
    double bottom = c->y + HEIGHT - BOTTOM;
    tn__point axis[3] = { { c->x + LEFT, c->y + TOP }, { c->x + LEFT, bottom }, { c->x + WIDTH - RIGHT, bottom } };
    tn__svg_line(svg, axis, 3, "stroke=\"#333\"");
    for (int64_t epoch = 1; epoch <= epochs; epoch += epoch == 1 && step > 1 ? step - 1 : step) {
        char text[32];
        double x = place_of(c, (double)(epoch - 1), c->least).x;
        tn__point mark[2] = { { x, bottom }, { x, bottom + 4 } };
        snprintf(text, sizeof text, "%lld", (long long)epoch);
        tn__svg_line(svg, mark, 2, "stroke=\"#333\"");
        tn__svg_text(svg, x, bottom + 17, SIZE, "fill=\"#333\" text-anchor=\"middle\"", text);
    }
    tn__svg_text(svg, c->x + (LEFT + WIDTH - RIGHT) / 2, c->y + HEIGHT - 7, SIZE, "fill=\"#333\" text-anchor=\"middle\"", "epoch");
}

/* --- lines -------------------------------------------------------------------------------------------------------------- */
typedef struct {
    const char *name, *line, *dot;
} style;
static const style training_style = { "training", "stroke=\"#1f5fa8\" stroke-width=\"2\"", "fill=\"#1f5fa8\"" },
                   validation_style = { "validation", "stroke=\"#d9600a\" stroke-width=\"2\" stroke-dasharray=\"6,3\"",
                                        "fill=\"#d9600a\"" };

static bool has_value(const chart *c, int64_t column, int64_t epoch)
{
    return epoch >= 0 && epoch < c->history->epochs && isfinite(value_at(c, column, epoch));
}

/* Epochs without a value (validation every few, NaN) are gaps that the line passes over; where a value stands alone, or values are few,
 * there is a dot. */
static tn_status draw_line(tn__text *svg, const chart *c, int64_t column, const style *s)
{
    tn__point *points = tn__alloc(((size_t)c->history->epochs + 1) * sizeof *points);
    size_t count = 0;
    if (!points)
        return TN_RESOURCE_EXHAUSTED;
    for (int64_t i = 0; i < c->history->epochs; i++)
        if (has_value(c, column, i))
            points[count++] = place_of(c, (double)i, value_at(c, column, i));
    if (count > 1)
        tn__svg_line(svg, points, count, s->line);
    for (size_t i = 0; i < count && count <= 30; i++)
        tn__svg_dot(svg, points[i], count > 1 ? 2.5 : 4, s->dot);
    tn__free(points);
    return TN_OK;
}

/* Gives where the next entry may begin. */
static double draw_legend(tn__text *svg, const chart *c, double left, const style *s)
{
    double y = c->y + 44;
    tn__point line[2] = { { left, y }, { left + 26, y } };
    tn__svg_line(svg, line, 2, s->line);
    tn__svg_text(svg, left + 31, y + SIZE * 0.35, SIZE, "fill=\"#333\"", s->name);
    return left + 31 + tn__drawn_width(s->name, SIZE, false) + 14;
}

static tn_status draw_head(tn__text *svg, const chart *c)
{
    char *name = tn__drawn_cut(c->name, SIZE + 2, true, WIDTH - LEFT - RIGHT);
    double left = c->x + LEFT;
    if (!name)
        return TN_RESOURCE_EXHAUSTED;
    tn__svg_text(svg, left, c->y + 27, SIZE + 2, "fill=\"#111\" font-weight=\"bold\"", name);
    tn__free(name);
    if (c->training >= 0)
        left = draw_legend(svg, c, left, &training_style);
    if (c->validation >= 0)
        draw_legend(svg, c, left, &validation_style);
    return TN_OK;
}

static tn_status draw_chart(tn__text *svg, chart *c)
{
    TN_TRY(draw_head(svg, c));
    if (!set_axis(c)) {
        tn__svg_text(svg, c->x + WIDTH / 2, c->y + HEIGHT / 2, SIZE, "fill=\"#333\" text-anchor=\"middle\"", "no finite values");
        return TN_OK;
    }
    draw_values_axis(svg, c);
    draw_epochs_axis(svg, c);
    if (c->training >= 0)
        TN_TRY(draw_line(svg, c, c->training, &training_style));
    return c->validation >= 0 ? draw_line(svg, c, c->validation, &validation_style) : TN_OK;
}

/* --- the page ----------------------------------------------------------------------------------------------------------- */
static int64_t column_of(const tn_history *history, const char *key)
{
    for (size_t i = 0; i < history->key.count; i++)
        if (strcmp(history->key.item[i], key) == 0)
            return (int64_t)i;
    return -1;
}

/* "val_loss" belongs to "loss"; without one it has a chart of its own. */
static bool find_chart(const tn_history *history, size_t column, chart *c)
{
    const char *key = history->key.item[column];
    bool validation = tn__starts_with(key, "val_");
    const char *name = validation ? key + 4 : key;
    char *other = tn__print("val_%s", name);
    *c = (chart){
        .history = history, .name = name, .training = column_of(history, name), .validation = other ? column_of(history, other) : -1
    };
    tn__free(other);
    return !validation || c->training < 0;
}

/* The loss is the first. */
static tn_status draw_charts(tn__text *svg, const tn_history *history, size_t columns)
{
    size_t number = 0, count = history->key.count;
    for (size_t i = 0; i < 2 * count; i++) {
        chart c;
        if (!find_chart(history, i % count, &c) || (strcmp(c.name, "loss") == 0) != (i < count))
            continue;
        c.x = (double)(number % columns) * WIDTH;
        c.y = (double)(number / columns) * HEIGHT;
        TN_TRY(draw_chart(svg, &c));
        number++;
    }
    return tn__errors()->status;
}

static tn_status write_history(const tn_history *history, const char *to_file)
{
    size_t charts = 0;
    chart ignored;
    tn__text svg = { 0 };
    for (size_t i = 0; i < history->key.count; i++)
        charts += find_chart(history, i, &ignored);
    size_t columns = charts > 1 ? 2 : 1, rows = (charts + columns - 1) / columns;
    tn__svg_begin(&svg, (double)columns * WIDTH, (double)rows * HEIGHT, "learning curves");
    tn_status status = draw_charts(&svg, history, columns);
    tn__svg_end(&svg);
    if (status == TN_OK)
        return tn__svg_write(&svg, to_file);
    tn__text_free(&svg);
    return status;
}

tn_status tn_plot_history(tn_history *history, const char *to_file)
{
    TN__ENTER(context, context->error.status);
    if (!tn__check(history, &tn__type_history, "tn_plot_history: history"))
        return context->error.status;
    if (!to_file || !*to_file)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_plot_history: to_file must be a path, got %s", to_file ? "\"\"" : "NULL");
    if (history->epochs == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_plot_history: the history has no epoch");
    return write_history(history, to_file);
}
