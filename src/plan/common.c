/* common.c - finding steps that were made already. A variable's reading is one of them until something may have written to it. */
#include "plan/common.h"
#include "core/field.h"
#include <string.h>

static uint64_t hash_of(const tn__op *op, const size_t *operands, size_t count)
{
    uint64_t hash = (uint64_t)(uintptr_t)op;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ operands[i]) * UINT64_C(0x100000001b3) + (hash >> 29);
    return hash | 1; /* 0 is no key */
}

static bool is_reading(const tn__op *op)
{
    return op == &tn__op_ReadVariableOp;
}

static bool can_repeat(const tn__node *node)
{
    return node->output_count > 0 && (is_reading(node->op) || !(node->op->flags & TN__STATEFUL));
}

static size_t last_written(const tn__common *c, size_t slot)
{
    size_t at = 0;
    tn__ids_get(&c->written, slot + 1, &at);
    return at > c->all_written ? at : c->all_written;
}

static bool same(const tn__program *p, const tn__step *s, const tn__node *node, const size_t *operands)
{
    if (s->node->op != node->op || s->node->input_count != node->input_count || s->node->output_count != node->output_count ||
        (node->input_count && memcmp(&p->operand.item[s->first_input], operands, node->input_count * sizeof *operands) != 0))
        return false;
    return !node->op->attrs || tn__fields_equal(node->op->attrs, s->node->attrs, node->attrs);
}

size_t tn__common_find(const tn__common *c, const tn__program *p, const tn__node *node, const size_t *operands)
{
    size_t number;
    if (!can_repeat(node) || !tn__ids_get(&c->step, hash_of(node->op, operands, node->input_count), &number))
        return SIZE_MAX;
    bool stale = is_reading(node->op) && last_written(c, operands[0]) >= number;
    return !stale && same(p, &p->step.item[number - 1], node, operands) ? number - 1 : SIZE_MAX;
}

/* What writes says in its signature which variables; but what runs graphs of its own may write to others too. */
static tn_status note_writing(tn__common *c, const tn__program *p, const tn__step *s)
{
    const tn__op *op = s->node->op;
    if (!(op->flags & TN__STATEFUL) || is_reading(op))
        return TN_OK;
    if (op->flags & TN__ANY_INPUTS)
        c->all_written = p->step.count;
    for (size_t i = 0; i < s->node->input_count; i++)
        TN_TRY(tn__ids_set(&c->written, p->operand.item[s->first_input + i] + 1, p->step.count));
    return TN_OK;
}

tn_status tn__common_add(tn__common *c, const tn__program *p)
{
    const tn__step *s = &p->step.item[p->step.count - 1];
    TN_TRY(note_writing(c, p, s));
    if (!can_repeat(s->node))
        return TN_OK;
    return tn__ids_set(&c->step, hash_of(s->node->op, &p->operand.item[s->first_input], s->node->input_count), p->step.count);
}

/* --- constants ---------------------------------------------------------------------------------------------------------- */
static bool is_small(const tn_tensor *x)
{
    return x->form == TN__VALUE && tn__dtype_size((tn_dtype)x->dtype) > 0 && tn__byte_count(x) <= TN__SMALL;
}

static bool equal_constants(const tn_tensor *a, const tn_tensor *b)
{
    return a->dtype == b->dtype && tn__shape_equal(&a->shape, &b->shape) && memcmp(a->data, b->data, tn__byte_count(a)) == 0;
}

tn_status tn__common_constant(tn__common *c, tn_tensor *const *stand, const tn_tensor *value, size_t slot, size_t *found)
{
    *found = SIZE_MAX;
    if (!is_small(value))
        return TN_OK;
    uint64_t hash = value->dtype;
    for (size_t i = 0; i < tn__byte_count(value); i++)
        hash = (hash ^ ((const unsigned char *)value->data)[i]) * UINT64_C(0x100000001b3);
    if (tn__ids_get(&c->constant, hash | 1, found) && equal_constants(stand[*found], value))
        return TN_OK;
    *found = SIZE_MAX;
    return tn__ids_set(&c->constant, hash | 1, slot);
}

void tn__common_free(tn__common *c)
{
    tn__ids_free(&c->constant);
    tn__ids_free(&c->step);
    tn__ids_free(&c->written);
}
