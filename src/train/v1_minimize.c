/* v1_minimize.c - TensorFlow 1's way to train: gradients in a graph, and an operation that makes a
 * step. */
#include "core/variable.h"
#include "function/frame.h"
#include "function/variable_scope.h"
#include "runtime/graph_names.h"
#include "session/session.h"
#include "train/v1_optimizer.h"
#include <math.h>
#include <string.h>

/* --- what the optimizer's options say --------------------------------------------------------- */
static tn_tensor *rate_tensor(const tn_optimizer *o)
{
    return *(tn_tensor *const *)tn__thing_field(&o->thing, "learning_rate_tensor");
}

tn_status tn__v1_optimizer_check(const tn_optimizer *o)
{
    const double *rate = tn__thing_field(&o->thing, "learning_rate"),
                 *momentum = tn__thing_field(&o->thing, "momentum");
    const char *missing = isnan(*rate) && !rate_tensor(o) ? "learning_rate"
                          : momentum && isnan(*momentum)  ? "momentum"
                                                          : NULL;
    return !missing
               ? TN_OK
               : tn__fail(TN_INVALID_ARGUMENT,
                          "%sOptimizer.__init__() missing 1 required positional argument: '%s'",
                          o->thing.of->name, missing);
}

static const tn__v1_methods *methods_of(const tn_optimizer *o)
{
    return o->thing.of->methods;
}

static tn_tensor *rate_of(const tn_optimizer *o, tn_dtype dtype)
{
    tn_tensor *given = rate_tensor(o);
    const double *number = tn__thing_field(&o->thing, "learning_rate");
    return given ? tn_cast(given, dtype) : tn__own(tn__tensor_fill(dtype, &TN_SCALAR, *number));
}

/* --- one call --------------------------------------------------------------------------------- */
typedef struct {
    tn_context *context;
    tn_optimizer *optimizer;
    tn_graph *graph;
    tn_tensor **gradient, **variable; /* pairs, none NULL; of the innermost scope */
    size_t count;
    tn_variable *global_step;
    const char *name;
    tn_operation *done;
} training;

static training begin(tn_context *context, tn_optimizer *optimizer, tn_variable *global_step,
                      const char *name)
{
    return (training){ .context = context,
                       .optimizer = optimizer,
                       .graph = context->graph,
                       .global_step = global_step,
                       .name = name };
}

static bool check_place(const tn_context *context, const tn_optimizer *o, const char *what)
{
    if (context->graph && context->graph->v1)
        return true;
    if (context->graph)
        tn__fail(TN_FAILED_PRECONDITION,
                 "%s: in the body of a traced function there are no operations\n"
                 "tn_gradient_tape() or tn_gradients() and tn_apply_gradients() train there",
                 what);
    else if (tn__is_v1_optimizer(o))
        tn__fail(TN_FAILED_PRECONDITION,
                 "`loss` passed to Optimizer.compute_gradients should be a function when eager "
                 "execution is enabled.\n%s works in a graph (tn_disable_eager_execution(), "
                 "tn_graph_as_default); here train with a Keras optimizer, tn_gradient_tape() and "
                 "tn_apply_gradients()",
                 what);
    else
        tn__fail(TN_FAILED_PRECONDITION,
                 "`tape` is required when a `Tensor` loss is passed.\n%s works in a graph "
                 "(tn_disable_eager_execution(), tn_graph_as_default); here train with "
                 "tn_gradient_tape() and tn_apply_gradients()",
                 what);
    return false;
}

static bool check_optimizer(const tn_context *context, const tn_optimizer *o, const char *what)
{
    return tn__check(o, &tn__type_optimizer, what) && check_place(context, o, what);
}

static tn_status check_variables(tn_list variables)
{
    for (size_t i = 0; i < variables.count; i++)
        if (!variables.item || !tn_is_variable(variables.item[i]))
            return tn__fail(TN_INVALID_ARGUMENT, "Argument is not a variable: item %zu of var_list",
                            i);
    return TN_OK;
}

/* "['w', 'b']" */
static const char *names_of(tn_list variables)
{
    const char *names = "";
    for (size_t i = 0; i < variables.count && names; i++)
        names = tn__scope_print("%s%s'%s'", names, i ? ", " : "",
                                tn__variable_full_name(variables.item[i]));
    return names ? names : "";
}

/* --- gradients -------------------------------------------------------------------------------- */
/* The trainable variables that have a node: the graph's own, and eager ones that it reads. */
static tn_list trainable_in(const tn_graph *graph)
{
    size_t count = 0;
    tn_tensor **item = tn__scope_alloc((graph->node.count + 1) * sizeof *item);
    for (size_t i = 0; item && i < graph->node.count; i++) {
        tn_tensor *variable = tn__node_variable(graph->node.item[i]);
        if (variable && variable->of.variable->trainable)
            item[count++] = variable;
    }
    return (tn_list){ count, item };
}

static tn_status take_variables(const tn_graph *graph, tn_list given, tn_list *variables)
{
    *variables = given.count ? given : trainable_in(graph);
    if (!variables->item)
        return tn__errors()->status ? tn__errors()->status
                                    : tn__fail(TN_INVALID_ARGUMENT, "var_list is NULL");
    if (variables->count == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "No variables to optimize.");
    return check_variables(*variables);
}

static tn_status check_loss(const tn_tensor *loss, const char *what)
{
    if (!tn__check_tensor(loss, what))
        return TN_INVALID_ARGUMENT;
    if (loss->form == TN__TUPLE || tn__in(TN__FLOATS, (tn_dtype)loss->dtype))
        return TN_OK;
    return tn__fail(
        TN_INVALID_ARGUMENT,
        "Invalid type tf.%s for %s, expected: [tf.bfloat16, tf.float16, tf.float32, tf.float64].",
        tn__dtype_name((tn_dtype)loss->dtype), what);
}

static tn_list gradients_of(tn_optimizer *o, tn_tensor *loss, tn_list variables,
                            tn_tensor *grad_loss)
{
    tn_tensor *scaled = tn__is_v1_optimizer(o) ? loss : tn__optimizer_scale_loss(o, loss);
    tn_gradients_options options = { .size_ = sizeof options,
                                     .target = scaled,
                                     .sources = variables };
    if (grad_loss)
        options.grad_ys = (tn_list){ 1, &grad_loss };
    return tn_gradients_new(&options);
}

tn_list tn_compute_gradients_new(const tn_compute_gradients_options *options)
{
    tn_list none = { 0, NULL }, variables;
    TN__ENTER_OPTIONS(context, options, none);
    if (!check_optimizer(context, options->optimizer, "tn_compute_gradients") ||
        check_loss(options->loss, "tn_compute_gradients: loss") != TN_OK ||
        take_variables(context->graph, options->var_list, &variables) != TN_OK)
        return none;
    return gradients_of(options->optimizer, options->loss, variables, options->grad_loss);
}

/* --- slots ------------------------------------------------------------------------------------ */
static tn_status add_variable(const training *t, const char *name, bool absolute, tn_dtype dtype,
                              const tn_shape *shape, double first, tn__variables *list)
{
    tn__variable_spec spec = {
        .dtype = dtype, .shape = *shape, .name = name, .explicit_name = true
    };
    tn_tensor *initial = tn__tensor_fill(dtype, shape, first), *variable = NULL;
    if (!initial)
        return t->context->error.status;
    tn_status status =
        tn__graph_variable_make(t->context, t->graph, &spec, initial, absolute, &variable);
    tn__release(initial);
    if (status == TN_OK && (status = TN__PUSH(list, variable)) != TN_OK)
        tn__release(variable);
    return status;
}

/* The place of a graph's powers; SIZE_MAX: it has none yet. */
static size_t powers_of(const training *t)
{
    const tn__variables *power = &t->optimizer->power;
    for (size_t i = 0; i < power->count; i++)
        if (power->item[i]->of.variable->graph == t->graph)
            return i;
    return SIZE_MAX;
}

static size_t count_powers(const tn_optimizer *o, double *base)
{
    return methods_of(o)->powers ? methods_of(o)->powers(o->thing.self, base) : 0;
}

static tn_status make_powers(const training *t)
{
    double base[TN__V1_POWERS];
    size_t count = count_powers(t->optimizer, base);
    for (size_t i = 0; i < count && (i || powers_of(t) == SIZE_MAX); i++) {
        const char *name = tn__scope_print("beta%zu_power", i + 1);
        if (!name)
            return TN_RESOURCE_EXHAUSTED;
        TN_TRY(add_variable(t, name, false, TN_FLOAT32, &TN_SCALAR, base[i], &t->optimizer->power));
    }
    return TN_OK;
}

/* The place of a variable's slots in this graph; SIZE_MAX: it has none yet. */
static size_t target_of(const training *t, const tn_tensor *variable)
{
    const tn_optimizer *o = t->optimizer;
    for (size_t i = 0; i < o->target.count; i++)
        if (o->target.item[i]->id == variable->id &&
            o->slot.item[i * o->slots]->of.variable->graph == t->graph)
            return i;
    return SIZE_MAX;
}

/* "w/Adam"; inside a variable scope, as in TensorFlow, its path comes before the whole of it:
 * "s/s/w/Adam". */
static const char *slot_name(const training *t, const tn_tensor *variable)
{
    const tn__variable_scope *scope = t->context->variable_scope;
    const char *path = scope ? scope->name : "";
    return tn__scope_print("%s%s%s/%s", path, path[0] ? "/" : "", tn__variable_full_name(variable),
                           t->optimizer->name);
}

static tn_status make_slots_of(const training *t, tn_tensor *variable)
{
    tn_optimizer *o = t->optimizer;
    double first[TN__V1_SLOTS];
    if (!tn__shape_full(&variable->shape))
        return tn__fail(TN_INVALID_ARGUMENT, "%s: the shape of variable '%s' must be known, got %s",
                        o->name, tn__variable_full_name(variable), TN__SHAPE(variable->shape));
    const char *name = slot_name(t, variable);
    size_t before = o->slot.count, count = methods_of(o)->slots(o->thing.self, first);
    tn_status status = name ? TN_OK : TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count && status == TN_OK; i++)
        status = add_variable(t, name, true, (tn_dtype)variable->dtype, &variable->shape, first[i],
                              &o->slot);
    if (status == TN_OK && (status = TN__PUSH(&o->target, variable)) == TN_OK)
        tn__retain(variable);
    while (status != TN_OK && o->slot.count > before)
        tn__release(o->slot.item[--o->slot.count]);
    return status;
}

static tn_status make_slots(const training *t)
{
    tn_optimizer *o = t->optimizer;
    double first[TN__V1_SLOTS];
    TN_TRY(make_powers(t));
    o->slots = methods_of(o)->slots ? methods_of(o)->slots(o->thing.self, first) : 0;
    for (size_t i = 0; i < t->count && o->slots; i++)
        if (target_of(t, t->variable[i]) == SIZE_MAX)
            TN_TRY(make_slots_of(t, t->variable[i]));
    return TN_OK;
}

/* --- the update ------------------------------------------------------------------------------- */
/* What is made until leave() stands under this name scope. */
static tn_status enter(tn_context *context, const char *wanted, const char **outer, char **scope)
{
    *outer = context->name_scope;
    *scope = tn__graph_unique(context->graph, *outer, wanted);
    if (!*scope)
        return TN_RESOURCE_EXHAUSTED;
    context->name_scope = *scope;
    return TN_OK;
}

static void leave(tn_context *context, const char *outer, char *scope)
{
    context->name_scope = outer;
    tn__free(scope);
}

static void fill_step(const training *t, size_t i, tn__v1_step *step)
{
    const tn_optimizer *o = t->optimizer;
    tn_tensor *variable = t->variable[i];
    tn_dtype dtype = (tn_dtype)variable->dtype;
    size_t power = powers_of(t), target = o->slots ? target_of(t, variable) : 0;
    *step = (tn__v1_step){ .self = o->thing.self, .variable = variable, .rate = rate_of(o, dtype) };
    step->gradient = tn__gradient_cast(t->gradient[i], dtype);
    step->touched = tn__touched_rows(step->gradient);
    step->slot = o->slot.item ? o->slot.item + target * o->slots : NULL;
    for (size_t k = 0; k < TN__V1_POWERS && power != SIZE_MAX; k++)
        step->power[k] = tn_cast(o->power.item[power + k], dtype);
}

static void update_one(const training *t, size_t i)
{
    tn__v1_step step;
    const char *constraint = t->variable[i]->of.variable->constraint;
    fill_step(t, i, &step);
    methods_of(t->optimizer)->update(&step);
    if (constraint)
        tn_assign(t->variable[i], tn__constrain(constraint, tn_read_value(t->variable[i])));
}

static tn_status update_named(const training *t, size_t i)
{
    const char *outer, *name = tn__scope_print("update_%s", tn__variable_full_name(t->variable[i]));
    char *scope;
    if (!name)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(enter(t->context, name, &outer, &scope));
    size_t depth = tn__scope_begin("an update");
    update_one(t, i);
    tn__scope_end(depth);
    leave(t->context, outer, scope);
    return t->context->error.status;
}

static tn_status update_v1(const training *t)
{
    double base[TN__V1_POWERS];
    size_t count = count_powers(t->optimizer, base);
    for (size_t i = 0; i < t->count; i++)
        TN_TRY(update_named(t, i));
    for (size_t i = 0; i < count; i++) {
        tn_variable *power = t->optimizer->power.item[powers_of(t) + i];
        tn_assign(power, tn_multiply(power, tn_scalar(base[i])));
    }
    return t->context->error.status;
}

/* --- the operation ---------------------------------------------------------------------------- */
/* What was assigned since: all that an update does. */
static tn_status assignments_since(const tn_graph *graph, size_t first, tn__control *control)
{
    if (!(control->item = tn__scope_alloc((graph->node.count - first + 1) * sizeof *control->item)))
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = first; i < graph->node.count; i++)
        if ((graph->node.item[i]->op->flags & TN__STATEFUL) &&
            graph->node.item[i]->output_count == 0)
            control->item[control->count++] = graph->node.item[i];
    return TN_OK;
}

static tn_status count_up(const training *t, tn_operation *after, const char *name)
{
    tn_context *context = t->context;
    tn__node *node = (tn__node *)after;
    tn__control *outer = context->control, control = { outer, &node, 1 };
    tn_tensor *one = tn__own(tn__tensor_fill((tn_dtype)t->global_step->dtype, &TN_SCALAR, 1));
    if (!one)
        return context->error.status;
    context->control = &control;
    context->node_name = name;
    tn_status status = tn__dispatch(context, &tn__op_AssignAddVariableOp, NULL,
                                    (tn_tensor *[]){ t->global_step, one }, 2, NULL, 0);
    context->node_name = NULL;
    context->control = outer;
    return status;
}

/* The operation has the name of the scope that the update stands in. */
static tn_status finish(training *t, size_t first)
{
    tn__control control = { 0 };
    const char *name = tn__scope_print("%s/", t->context->name_scope);
    if (!name)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(assignments_since(t->graph, first, &control));
    tn_operation *updated = tn__group_of(t->context, &control, t->global_step ? "update" : name);
    if (!updated)
        return t->context->error.status;
    if (t->global_step)
        TN_TRY(count_up(t, updated, name));
    t->done = tn__retain(t->graph->node.item[t->graph->node.count - 1]);
    return TN_OK;
}

static tn_status update_and_finish(training *t, size_t first)
{
    tn_list gradients = { t->count, t->gradient }, variables = { t->count, t->variable };
    TN_TRY(tn__is_v1_optimizer(t->optimizer)
               ? update_v1(t)
               : tn__optimizer_apply(t->context, t->optimizer, gradients, variables));
    return finish(t, first);
}

static tn_status make_step(training *t)
{
    tn_context *context = t->context;
    const char *outer;
    char *scope;
    if (tn__is_v1_optimizer(t->optimizer))
        TN_TRY(make_slots(t));
    TN_TRY(enter(context, t->name ? t->name : t->optimizer->name, &outer, &scope));
    context->tape_pause++;
    size_t depth = tn__scope_begin("apply_gradients");
    tn_status status = update_and_finish(t, t->graph->node.count);
    tn__scope_end(depth);
    context->tape_pause--;
    leave(context, outer, scope);
    return status;
}

static tn_status take_pairs(training *t, tn_list gradients, tn_list variables)
{
    t->gradient = tn__scope_alloc((variables.count + 1) * sizeof *t->gradient);
    t->variable = tn__scope_alloc((variables.count + 1) * sizeof *t->variable);
    if (!t->gradient || !t->variable)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < variables.count; i++) {
        tn_tensor *g = gradients.item[i];
        if (!g)
            continue;
        if (!tn__check_tensor(g, "tn_apply_gradients_operation: a gradient"))
            return TN_INVALID_ARGUMENT;
        if (g->form == TN__TUPLE || !tn__shape_fits(&g->shape, &variables.item[i]->shape))
            return tn__fail(TN_INVALID_ARGUMENT,
                            "gradient %zu must have the shape of its variable '%s', %s, got %s", i,
                            tn__variable_full_name(variables.item[i]),
                            TN__SHAPE(variables.item[i]->shape), TN__TENSOR(g));
        t->gradient[t->count] = g;
        t->variable[t->count++] = variables.item[i];
    }
    return TN_OK;
}

static tn_status check_step(const training *t)
{
    if (!t->global_step || tn_is_variable(t->global_step))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "global_step is not a variable (%s)",
                    TN__TENSOR(t->global_step));
}

static tn_status apply(training *t, tn_list gradients, tn_list variables)
{
    if (variables.count == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "No variables provided.");
    if (gradients.count != variables.count || !gradients.item)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "tn_apply_gradients_operation: %zu gradients for %zu variables",
                        gradients.count, variables.count);
    TN_TRY(check_variables(variables));
    TN_TRY(check_step(t));
    TN_TRY(take_pairs(t, gradients, variables));
    if (t->count == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "No gradients provided for any variable: [%s].",
                        names_of(variables));
    return make_step(t);
}

/* In a memory scope, so that what the caller keeps is the operation alone. */
static tn_operation *apply_in_scope(training *t, tn_list gradients, tn_list variables)
{
    size_t depth = tn__scope_begin("apply_gradients");
    tn_status status = apply(t, gradients, variables);
    tn__scope_end(depth);
    return status == TN_OK ? tn__own(t->done) : NULL;
}

tn_operation *tn_apply_gradients_operation_new(const tn_apply_gradients_operation_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    if (!check_optimizer(context, options->optimizer, "tn_apply_gradients_operation"))
        return NULL;
    training t = begin(context, options->optimizer, options->global_step, options->name);
    return apply_in_scope(&t, options->gradients, options->variables);
}

static bool any_of(tn_list gradients)
{
    for (size_t i = 0; i < gradients.count; i++)
        if (gradients.item[i])
            return true;
    return false;
}

static tn_operation *minimize(training *t, const tn_minimize_options *o)
{
    tn_list variables;
    if (check_loss(o->loss, "tn_minimize: loss") != TN_OK || check_step(t) != TN_OK ||
        take_variables(t->graph, o->var_list, &variables) != TN_OK)
        return NULL;
    tn_list gradients = gradients_of(t->optimizer, o->loss, variables, o->grad_loss);
    if (!gradients.item)
        return NULL;
    if (any_of(gradients))
        return apply_in_scope(t, gradients, variables);
    tn__fail(TN_INVALID_ARGUMENT,
             "No gradients provided for any variable, check your graph for ops that do not support "
             "gradients, between "
             "variables [%s] and loss %s.",
             names_of(variables), TN__TENSOR(o->loss));
    return NULL;
}

tn_operation *tn_minimize_new(const tn_minimize_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    if (!check_optimizer(context, options->optimizer, "tn_minimize"))
        return NULL;
    training t = begin(context, options->optimizer, options->global_step, options->name);
    return minimize(&t, options);
}
