/* dump.c - programs as text, one line a step. %n is a slot, @n its place in the arena; * marks what allocates what it gives. */
#include "plan/dump.h"
#include "base/log.h"
#include "ops/ops.h"
#include <string.h>

static const char *const functions[TN__FUNCTIONS] = {
    [TN__DO_COPY] = "Copy", [TN__DO_ADD] = "Add", [TN__DO_SUBTRACT] = "Sub", [TN__DO_MULTIPLY] = "Mul", [TN__DO_DIVIDE] = "Div",
    [TN__DO_MAXIMUM] = "Maximum", [TN__DO_MINIMUM] = "Minimum", [TN__DO_SQUARED_DIFFERENCE] = "SquaredDifference",
    [TN__DO_NEGATIVE] = "Neg", [TN__DO_ABS] = "Abs", [TN__DO_SQUARE] = "Square", [TN__DO_SQRT] = "Sqrt", [TN__DO_RSQRT] = "Rsqrt",
    [TN__DO_RECIPROCAL] = "Reciprocal", [TN__DO_EXP] = "Exp", [TN__DO_LOG] = "Log", [TN__DO_TANH] = "Tanh", [TN__DO_SIGMOID] = "Sigmoid",
    [TN__DO_RELU] = "Relu", [TN__DO_RELU_GRAD] = "ReluGrad", [TN__DO_TANH_GRAD] = "TanhGrad", [TN__DO_SIGMOID_GRAD] = "SigmoidGrad",
};

typedef struct {
    tn_dtype dtype;
    tn_shape shape;
} kind;

/* Of output i of a step. */
static kind output_kind(const tn__step *s, size_t i)
{
    if (s->fused)
        return (kind){ TN_FLOAT32, *tn__fused_shape(s->fused, i) };
    tn__infer infer = { .output = s->output };
    return (kind){ infer.output[i].dtype, infer.output[i].shape };
}

static double bytes_of(const kind *k)
{
    return tn__shape_full(&k->shape) ? (double)tn__shape_count(&k->shape) * (double)tn__dtype_size(k->dtype) : 0;
}

/* Of any slot: a constant's, a feed's, or what a step gives. */
static kind slot_kind(const tn__program *p, size_t slot)
{
    if (p->constant[slot])
        return (kind){ (tn_dtype)p->constant[slot]->dtype, p->constant[slot]->shape };
    if (slot < p->feeds)
        return (kind){ p->feed_dtype[slot], p->feed_shape[slot] };
    for (size_t i = 0; i < p->step.count; i++)
        for (size_t k = 0; k < tn__step_outputs(&p->step.item[i]); k++)
            if (tn__step_output(&p->step.item[i], k) == slot)
                return output_kind(&p->step.item[i], k);
    return (kind){ 0 };
}

static double moved_by(const tn__program *p, const tn__step *s)
{
    double bytes = 0;
    for (size_t i = 0; i < tn__step_inputs(s); i++) {
        kind in = slot_kind(p, p->operand.item[s->first_input + i]);
        bytes += bytes_of(&in);
    }
    for (size_t i = 0; i < tn__step_outputs(s); i++) {
        kind out = output_kind(s, i);
        bytes += bytes_of(&out);
    }
    return s->way == TN__NOTHING ? 0 : bytes;
}

/* Multiplications and additions; of other ops as many as numbers come out. */
static double operations_of(const tn__program *p, const tn__step *s)
{
    kind out = tn__step_outputs(s) ? output_kind(s, 0) : (kind){ 0 };
    double count = tn__shape_full(&out.shape) ? (double)tn__shape_count(&out.shape) : 0;
    double after = s->fused ? count * s->fused->chain.steps : 0;
    if (s->way == TN__CHAIN)
        return after;
    if (s->way == TN__NOTHING || tn__step_outputs(s) == 0)
        return 0;
    if (count == 0 || (s->node->op != &tn__op_MatMul && s->node->op != &tn__op_Conv2D))
        return count;
    kind b = slot_kind(p, p->operand.item[s->first_input + 1]);
    double columns = (double)out.shape.dims[out.shape.rank - 1];
    return columns > 0 && tn__shape_full(&b.shape) ? 2 * count * (double)tn__shape_count(&b.shape) / columns + after : 0;
}

static void add_scaled(tn__text *text, double value, double unit, const char *name)
{
    static const char *const prefixes[] = { "", "K", "M", "G" };
    int i = 0;
    for (; value >= unit && i < 3; i++)
        value /= unit;
    tn__text_add(text, " %8.1f %s%s", value, prefixes[i], name);
}

static void add_name(tn__text *text, const tn__step *s)
{
    if (!s->fused) {
        tn__text_add(text, "%s%s", s->node->op->name, s->way == TN__NOTHING ? " (a view)" : s->way == TN__GENERAL ? " *" : "");
        return;
    }
    if (s->way == TN__PRODUCT)
        tn__text_add(text, "%s and", s->node->op->name);
    else
        tn__text_add(text, "chain of %d:", s->fused->chain.steps);
    for (int i = 0; i < s->fused->chain.steps; i++)
        tn__text_add(text, " %s", functions[s->fused->chain.step[i].function]);
    if (s->fused->sum.kind != TN__SUM_NOTHING)
        tn__text_add(text, " and %s of each %s", s->fused->sum.mean ? "mean" : "sum",
                     s->fused->sum.kind == TN__SUM_EACH_ROW ? "row" : "column");
}

static void add_step(tn__text *text, const tn__program *p, size_t number)
{
    const tn__step *s = &p->step.item[number];
    tn__text_add(text, "%4zu ", number);
    add_name(text, s);
    for (size_t i = 0; i < tn__step_outputs(s); i++) {
        kind out = output_kind(s, i);
        size_t slot = tn__step_output(s, i);
        tn__text_add(text, "  %%%zu %s %s", slot, tn__dtype_name(out.dtype), TN__SHAPE(out.shape));
        if (p->place[slot].placed)
            tn__text_add(text, " @%zu", p->place[slot].offset);
    }
    tn__text_add(text, "  <-");
    for (size_t i = 0; i < tn__step_inputs(s); i++)
        tn__text_add(text, " %%%zu", p->operand.item[s->first_input + i]);
    add_scaled(text, moved_by(p, s), 1024, "B");
    add_scaled(text, operations_of(p, s), 1000, "op");
    if (p->runs)
        tn__text_add(text, " %10.2f us", p->seconds[number] / (double)p->runs * 1e6);
    tn__text_add(text, "\n");
}

static void add_total(tn__text *text, const tn__program *p)
{
    double seconds = 0;
    for (size_t i = 0; i < p->step.count; i++)
        seconds += p->seconds[i];
    tn__text_add(text, "; %zu runs of %.2f us", p->runs, seconds / (double)p->runs * 1e6);
}

void tn__program_print(const tn__program *p, tn__text *text)
{
    double operations = 0, bytes = 0;
    for (size_t i = 0; i < p->step.count; i++) {
        operations += operations_of(p, &p->step.item[i]);
        bytes += moved_by(p, &p->step.item[i]);
    }
    tn__text_add(text, "program: %zu steps; arena", p->step.count);
    add_scaled(text, (double)p->arena, 1024, "B");
    tn__text_add(text, "; moved");
    add_scaled(text, bytes, 1024, "B");
    tn__text_add(text, "; done");
    add_scaled(text, operations, 1000, "op");
    if (p->runs)
        add_total(text, p);
    tn__text_add(text, "\n");
    for (size_t i = 0; i < p->step.count; i++)
        add_step(text, p, i);
}

void tn__program_dump(const tn__program *p)
{
    tn__text text = { 0 };
    tn__program_print(p, &text);
    const char *all = tn__text_get(&text);
    tn__output(all, strlen(all));
    tn__text_free(&text);
}
