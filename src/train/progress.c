/* progress.c - Keras's progress bar: drawn in place on a terminal, one line an epoch elsewhere. */
#include "train/callback.h"
#include "base/log.h"
#include "base/text.h"
#include <math.h>
#include <string.h>
#include <time.h>

enum { BAR_WIDTH = 20 };

double tn__seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int tn__verbose(int asked)
{
    return asked >= 0 ? asked : tn__output_is_terminal() ? 1 : 2;
}

static void emit(tn__text *text)
{
    const char *whole = tn__text_get(text);
    tn__output(whole, strlen(whole));
    tn__text_free(text);
}

void tn__progress_epoch(tn__progress *p, int64_t epoch, int64_t epochs, int64_t steps)
{
    p->start = tn__seconds();
    p->target = steps;
    p->seen = 0;
    p->last_drawn = p->after_first = 0;
    p->last_width = 0;
    p->unit = p->unit ? p->unit : "step";
    if (p->verbose == 0 || epochs == 0)
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

static void add_time(tn__text *text, const tn__progress *p, double each)
{
    if (each >= 1 || each == 0)
        tn__text_add(text, " %.0fs/%s", each, p->unit);
    else if (each >= 1e-3)
        tn__text_add(text, " %.0fms/%s", each * 1e3, p->unit);
    else
        tn__text_add(text, " %.0fus/%s", each * 1e6, p->unit);
}

static void add_logs(tn__text *text, const tn_logs *logs)
{
    for (size_t i = 0; i < logs->count; i++)
        tn__text_add(text, fabs(logs->value[i]) > 1e-3 ? " - %s: %.4f" : " - %s: %.4e", logs->key[i], logs->value[i]);
}

static void add_eta(tn__text *text, double seconds)
{
    int64_t s = (int64_t)seconds;
    if (s > 3600)
        tn__text_add(text, " %lld:%02lld:%02lld", (long long)(s / 3600), (long long)(s % 3600 / 60), (long long)(s % 60));
    else if (s > 60)
        tn__text_add(text, " %lld:%02lld", (long long)(s / 60), (long long)(s % 60));
    else
        tn__text_add(text, " %llds", (long long)s);
}

static int digits(int64_t number)
{
    int count = 1;
    while (number >= 10) {
        number /= 10;
        count++;
    }
    return count;
}

/* "12/45 ━━━━━", and how many columns it takes. */
static size_t add_bar(tn__text *text, const tn__progress *p)
{
    if (p->target <= 0) {
        tn__text_add(text, "%7lld/Unknown", (long long)p->seen);
        return 15;
    }
    int width = digits(p->target), done = (int)(BAR_WIDTH * p->seen / p->target);
    tn__text_add(text, "\33[1m%*lld/%lld\33[0m ", width, (long long)p->seen, (long long)p->target);
    tn__text_add(text, "\33[32m");
    for (int i = 0; i < BAR_WIDTH; i++)
        tn__text_add(text, i == done ? "\33[0m\33[37m━" : "━");
    tn__text_add(text, "\33[0m");
    return (size_t)width * 2 + 2 + BAR_WIDTH;
}

static void draw(tn__progress *p, double now, const tn_logs *logs, bool end)
{
    tn__text text = { 0 }, info = { 0 };
    double each = step_time(p, now);
    tn__text_add(&text, "\r");
    size_t width = add_bar(&text, p);
    if (p->target > 0 && !end)
        add_eta(&info, each * (double)(p->target - p->seen));
    else
        tn__text_add(&info, " %.0fs", now - p->start);
    add_time(&info, p, each);
    add_logs(&info, logs);
    tn__text_add(&text, "%s", tn__text_get(&info));
    width += info.bytes.size;
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
    tn__text_add(&text, "%lld/%lld - %.0fs -", (long long)p->seen, (long long)(p->target > 0 ? p->target : p->seen), now - p->start);
    add_time(&text, p, step_time(p, now));
    add_logs(&text, logs);
    tn__text_add(&text, "\n");
    emit(&text);
}

void tn__progress_step(tn__progress *p, int64_t step, const tn_logs *logs, bool end)
{
    double now = tn__seconds();
    p->seen = step;
    if (step == 1 && p->after_first == 0)
        p->after_first = now;
    if (p->verbose == 1 && p->terminal && (end || now - p->last_drawn >= 0.05))
        draw(p, now, logs, end);
    else if (end && p->verbose > 0 && !(p->verbose == 1 && p->terminal))
        print_line(p, now, logs);
}
