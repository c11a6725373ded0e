/* rows.c - what softmax and its kin do to a row. */
#include "kernels/isa/table.h"
#include "kernels/isa/math.h"
#include <math.h>

enum { BLOCK = 64 * LANES, ROW = 4096 };

/* The largest number; -inf where there is none that is one. */
float TN__ISA(tn__largest)(const float *x, int64_t count)
{
    enum { CHAINS = 4 }; /* each waits for itself alone */
    vector part[CHAINS];
    for (int k = 0; k < CHAINS; k++)
        part[k] = broadcast(-__builtin_inff());
    int64_t i = 0;
    for (; i + CHAINS * LANES <= count; i += CHAINS * LANES)
        UNROLL for (int k = 0; k < CHAINS; k++)
            part[k] = choose(load(x + i + k * LANES) > part[k], load(x + i + k * LANES), part[k]);
    vector most = part[0];
    for (int k = 1; k < CHAINS; k++)
        most = choose(part[k] > most, part[k], most);
    for (; i + LANES <= count; i += LANES)
        most = choose(load(x + i) > most, load(x + i), most);
    float largest = -__builtin_inff();
    for (int k = 0; k < LANES; k++)
        largest = most[k] > largest ? most[k] : largest;
    for (; i < count; i++)
        largest = x[i] > largest ? x[i] : largest;
    return largest;
}

INLINE double sum_of(vector x, int64_t count)
{
    double sum = 0;
    for (int k = 0; k < count; k++)
        sum += (double)x[k];
    return sum;
}

/* y = exp(x - most); gives the sum. */
double TN__ISA(tn__exponentials)(const float *x, int64_t count, float most, float *y)
{
    double total = 0;
    int64_t whole = count / LANES * LANES;
    for (int64_t begin = 0; begin < whole; begin += BLOCK) {
        vector sum = { 0 };
        for (int64_t i = begin; i < smaller(begin + BLOCK, whole); i += LANES) {
            vector e = exponential(load(x + i) - most);
            store(y + i, e);
            sum += e;
        }
        total += sum_of(sum, LANES);
    }
    if (whole == count)
        return total;
    vector e = exponential(load_part(x + whole, count - whole) - most);
    store_part(y + whole, e, count - whole);
    return total + sum_of(e, count - whole);
}

void TN__ISA(tn__divide_by)(float *y, int64_t count, float divisor)
{
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        store(y + i, load(y + i) / divisor);
    for (; i < count; i++)
        y[i] /= divisor;
}

/* --- short rows --------------------------------------------------------------------------------------------------------- */
/* Rows of no more than LANES numbers go LANES rows at a time, number i of all of them in one vector: in a vector of its own each row
 * would wait for its own chain of additions. */
typedef double doubles __attribute__((vector_size(8 * LANES)));
typedef struct {
    int64_t count, rows;
    _Alignas(64) float number[LANES][LANES];
} columns;

/* A row or two are sooner done one by one. */
INLINE bool are_short(int64_t count, int64_t rows)
{
    return count > 0 && count <= LANES && rows > 2;
}

static void take_columns(columns *c, const float *x, int64_t step)
{
    if (c->rows < LANES)
        memset(c->number, 0, sizeof c->number);
    for (int64_t r = 0; r < c->rows; r++, x += step)
        for (int64_t i = 0; i < c->count; i++)
            c->number[i][r] = x[i];
}

static void give_columns(const columns *c, float *y)
{
    for (int64_t r = 0; r < c->rows; r++)
        for (int64_t i = 0; i < c->count; i++)
            *y++ = c->number[i][r];
}

/* y = exp(x less the row's largest, which it gives). */
INLINE vector exponentials_of_columns(const columns *x, columns *y, vector *sum)
{
    vector most = broadcast(-__builtin_inff());
    for (int64_t i = 0; i < x->count; i++)
        most = choose(load(x->number[i]) > most, load(x->number[i]), most);
    doubles total = { 0 };
    for (int64_t i = 0; i < x->count; i++) {
        vector e = exponential(load(x->number[i]) - most);
        store(y->number[i], e);
        total += __builtin_convertvector(e, doubles);
    }
    *sum = __builtin_convertvector(total, vector);
    return most;
}

static void softmax_short(const float *x, int64_t count, int64_t rows, float *y)
{
    for (int64_t r = 0; r < rows; r += LANES) {
        columns c = { .count = count, .rows = smaller(rows - r, LANES) };
        vector sum;
        take_columns(&c, x + r * count, count);
        exponentials_of_columns(&c, &c, &sum);
        for (int64_t i = 0; i < count; i++)
            store(c.number[i], load(c.number[i]) / sum);
        give_columns(&c, y + r * count);
    }
}

static void cross_entropy_short(const tn__cross_entropy *c)
{
    for (int64_t r = 0; r < c->rows; r += LANES) {
        int64_t rows = smaller(c->rows - r, LANES);
        columns x = { .count = c->count, .rows = rows }, y = x, label = x;
        vector sum;
        take_columns(&x, c->x + r * c->x_step, c->x_step);
        take_columns(&label, c->label + r * c->label_step, c->label_step);
        vector most = exponentials_of_columns(&x, &y, &sum), log_sum = logarithm(sum);
        doubles total = { 0 };
        for (int64_t i = 0; i < c->count; i++) {
            vector of = load(label.number[i]);
            total += __builtin_convertvector(of * (log_sum - (load(x.number[i]) - most)), doubles);
            store(y.number[i], load(y.number[i]) / sum - of);
        }
        store_some(c->loss + r, __builtin_convertvector(total, vector), rows);
        give_columns(&y, c->y + r * c->count);
    }
}

/* --- rows of any length ------------------------------------------------------------------------------------------------- */
/* y = y / divisor - label; gives the sum of label (log_sum - (x - most)). */
static double cross_entropy_row(const float *x, const float *label, int64_t count, float most, float divisor, float log_sum, float *y)
{
    double total = 0;
    for (int64_t begin = 0; begin < count; begin += BLOCK) {
        vector sum = { 0 };
        for (int64_t i = begin, end = smaller(begin + BLOCK, count); i < end; i += LANES) {
            vector of = load_some(label + i, end - i), from_most = load_some(x + i, end - i) - most;
            sum += of * (log_sum - from_most);
            store_some(y + i, load_some(y + i, end - i) / divisor - of, end - i);
        }
        total += sum_of(sum, LANES);
    }
    return total;
}

void TN__ISA(tn__cross_entropy_rows)(const tn__cross_entropy *c)
{
    if (are_short(c->count, c->rows)) {
        cross_entropy_short(c);
        return;
    }
    for (int64_t r = 0; r < c->rows; r++) {
        const float *x = c->x + r * c->x_step;
        float *y = c->y + r * c->count, most = TN__ISA(tn__largest)(x, c->count);
        double sum = TN__ISA(tn__exponentials)(x, c->count, most, y);
        c->loss[r] = (float)cross_entropy_row(x, c->label + r * c->label_step, c->count, most, (float)sum, (float)log(sum), y);
    }
}

/* The quotients of a large result go past the caches where the vectors are wide; narrow ones take longer over exponentials than the
 * memory does. */
void TN__ISA(tn__softmax)(const float *x, int64_t count, int64_t rows, float *y)
{
    if (are_short(count, rows)) {
        softmax_short(x, count, rows, y);
        return;
    }
    bool past = LANES == 16 && count * rows >= LARGE && count % LANES == 0 && count <= ROW && on_a_vector(y);
    vector row[ROW / LANES];
    for (int64_t r = 0; r < rows; r++, x += count, y += count) {
        float *to = past ? (float *)row : y;
        float sum = (float)TN__ISA(tn__exponentials)(x, count, TN__ISA(tn__largest)(x, count), to);
        if (!past)
            TN__ISA(tn__divide_by)(y, count, sum);
        for (int64_t i = 0; past && i < count; i += LANES)
            stream(y + i, load(to + i) / sum);
    }
    streamed();
}
