/* rows.c - what softmax and its kin do to a row. */
#include "kernels/isa/table.h"
#include "kernels/isa/math.h"

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

/* y = y / divisor - label; gives the sum of label (log_sum - (x - most)). */
double TN__ISA(tn__cross_entropy)(const float *x, const float *label, int64_t count, float most, float divisor, float log_sum, float *y)
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

/* The quotients of a large result go past the caches where the vectors are wide; narrow ones take longer over exponentials than the
 * memory does. */
void TN__ISA(tn__softmax)(const float *x, int64_t count, int64_t rows, float *y)
{
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
