/* progress.c - Keras's progress bar: drawn in place on a terminal, one line an epoch elsewhere. */
#include "train/callback.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include <math.h>
#include <string.h>

enum { BAR_WIDTH = 20 };
static const double redraw_every = 0.05; /* seconds */

static void emit(tn__text *text)
{
    const char *whole = tn__text_get(text);
    tn__output(whole, strlen(whole));
    tn__text_free(text);
}

tn__progress tn__progress_for(int verbose)
{
    bool terminal = verbose != 0 && tn__output_is_terminal();
    return (tn__progress){ .verbose = verbose >= 0 ? verbose
                                      : terminal   ? 1
                                                   : 2,
                           .terminal = terminal };
}

static void forget_keys(tn__progress *p)
{
    for (size_t i = 0; i < p->shown.count; i++)
        tn__free(p->shown.item[i]);
    p->shown.count = 0;
}

void tn__progress_free(tn__progress *p)
{
    forget_keys(p);
    tn__free(p->shown.item);
    *p = (tn__progress){ 0 };
}

void tn__progress_epoch(tn__progress *p, int64_t epoch, int64_t epochs, int64_t steps)
{
    if (p->verbose == 0)
        return;
    p->start = tn__seconds();
    p->target = steps;
    p->seen = 0;
    p->last_drawn = p->after_first = 0;
    p->last_width = 0;
    forget_keys(p);
    if (epochs <= 1)
        return;
    tn__text text = { 0 };
    tn__text_add(&text, "Epoch %lld/%lld\n", (long long)epoch + 1, (long long)epochs);
    emit(&text);
}

/* The first step is slower (it traces), so the others' mean tells what a step takes. */
static double step_time(const tn__progress *p, double now)
{
    if (p->seen > 1 && p->after_first > 0)
        return (now - p->after_first) / (double)(p->seen - 1);
    return p->seen > 0 ? (now - p->start) / (double)p->seen : 0;
}

static void add_time(tn__text *text, double each)
{
    if (each >= 1 || each == 0)
        tn__text_add(text, " %.0fs/step", each);
    else if (each >= 1e-3)
        tn__text_add(text, " %.0fms/step", each * 1e3);
    else
        tn__text_add(text, " %.0fus/step", each * 1e6);
}

/* Keys stay in the order in which they came first: those of a batch, then what the end of the epoch
 * adds. */
static void note_keys(tn__progress *p, const tn_logs *logs)
{
    for (size_t i = 0; logs && i < logs->count; i++) {
        size_t at = 0;
        while (at < p->shown.count && strcmp(p->shown.item[at], logs->key[i]) != 0)
            at++;
        if (at < p->shown.count)
            continue;
        char *copy = tn__strdup(logs->key[i]);
        if (!copy || TN__PUSH(&p->shown, copy) != TN_OK) {
            tn__free(copy);
            return;
        }
    }
}

/* Small numbers in powers of ten; in a line, as in Keras, negative ones too. */
static void add_logs(tn__text *text, const tn__progress *p, const tn_logs *logs)
{
    for (size_t i = 0; i < p->shown.count; i++) {
        double value = tn_log_value(logs, p->shown.item[i]);
        bool plain = (p->verbose == 1 ? fabs(value) : value) > 1e-3;
        tn__text_add(text, " - %s: ", p->shown.item[i]);
        tn__text_add(text, isnan(value) ? "nan" : plain ? "%.4f" : "%.4e", value);
    }
}

static void add_eta(tn__text *text, double left)
{
    long long s = (long long)left;
    if (s > 3600)
        tn__text_add(text, "%lld:%02lld:%02lld", s / 3600, s % 3600 / 60, s % 60);
    else if (s > 60)
        tn__text_add(text, "%lld:%02lld", s / 60, s % 60);
    else
        tn__text_add(text, "%llds", s);
}

static int digits(int64_t number)
{
    int count = 1;
    for (; number >= 10; number /= 10)
        count++;
    return count;
}

static void add_line(tn__text *text, int length)
{
    for (int i = 0; i < length; i++)
        tn__text_add(text, "━");
}

/* "12/45 ━━━━━", and how many columns it takes. */
static size_t add_bar(tn__text *text, const tn__progress *p)
{
    if (p->target <= 0) {
        tn__text_add(text, "%7lld/Unknown", (long long)p->seen);
        return (size_t)(digits(p->seen) > 7 ? digits(p->seen) : 7) + 8;
    }
    int width = digits(p->target), done = (int)(BAR_WIDTH * p->seen / p->target);
    done = done < BAR_WIDTH ? done : BAR_WIDTH;
    tn__text_add(text, "\33[1m%*lld/%lld\33[0m ", width, (long long)p->seen, (long long)p->target);
    if (done > 0) {
        tn__text_add(text, "\33[32m");
        add_line(text, done);
        tn__text_add(text, "\33[0m");
    }
    tn__text_add(text, "\33[37m");
    add_line(text, BAR_WIDTH - done);
    tn__text_add(text, "\33[0m");
    return (size_t)width * 2 + 2 + BAR_WIDTH;
}

static void draw(tn__progress *p, double now, const tn_logs *logs, bool end)
{
    tn__text text = { 0 }, info = { 0 };
    double each = step_time(p, now);
    tn__text_add(&text, "\r");
    size_t width = add_bar(&text, p);
    tn__text_add(&info, " \33[1m");
    if (p->target > 0 && !end)
        add_eta(&info, each * (double)(p->target - p->seen));
    else
        tn__text_add(&info, "%.0fs", now - p->start);
    tn__text_add(&info, "\33[0m");
    add_time(&info, each);
    add_logs(&info, p, logs);
    tn__text_add(&text, "%s", tn__text_get(&info));
    width += info.bytes.size - (sizeof "\33[1m\33[0m" - 1);
    tn__text_free(&info);
    for (size_t i = width; i < p->last_width; i++)
        tn__text_add(&text, " ");
    tn__text_add(&text, end ? "\n" : "");
    p->last_width = width;
    p->last_drawn = now;
    emit(&text);
}

static void print_line(const tn__progress *p, double now, const tn_logs *logs)
{
    tn__text text = { 0 };
    int64_t target = p->target > 0 ? p->target : p->seen;
    tn__text_add(&text, "%*lld/%lld - %.0fs -", digits(target), (long long)p->seen,
                 (long long)target, now - p->start);
    add_time(&text, step_time(p, now));
    add_logs(&text, p, logs);
    tn__text_add(&text, "\n");
    emit(&text);
}

void tn__progress_step(tn__progress *p, int64_t step, const tn_logs *logs, bool end)
{
    if (p->verbose == 0)
        return;
    bool bar = p->verbose == 1 && p->terminal;
    if (!bar && !end)
        return;
    double now = tn__seconds();
    p->seen = step;
    note_keys(p, logs);
    if (bar && (end || now - p->last_drawn >= redraw_every))
        draw(p, now, logs, end);
    else if (!bar)
        print_line(p, now, logs);
    if (step == 1 && p->after_first == 0)
        p->after_first = now;
}
