/* metric.c - what all metrics have in common: variables of their own, calls, names. */
#include "train/metric.h"
#include "function/frame.h"
#include "nn/naming.h"
#include "ops/ops.h"
#include <string.h>

static void forget_variables(tn_metric *metric)
{
    while (metric->variable.count)
        tn__release(metric->variable.item[--metric->variable.count]);
}

static void metric_destroy(void *object)
{
    tn_metric *metric = object;
    forget_variables(metric);
    tn__free(metric->variable.item);
    tn__thing_free(&metric->thing);
}

const tn__type tn__type_metric = { .name = "metric", .kind = 5, .destroy = metric_destroy };

static const tn__metric_methods *methods_of(const tn_metric *metric)
{
    return metric->thing.of->methods;
}

int tn__metric_direction(const tn_metric *metric)
{
    return methods_of(metric)->direction;
}

/* --- variables -------------------------------------------------------------------------------- */
/* Keras's name scope of a metric: its name, in which a / would open another one. */
static char *scope_of(const tn_metric *metric)
{
    char *scope = tn__strdup(metric->name);
    for (char *at = scope; at && *at; at++)
        if (*at == '/')
            *at = '>';
    return scope;
}

/* Goes round the running body, which would take the variable for its own. */
tn_variable *tn__metric_variable(tn_metric *metric, tn_shape shape, const char *name)
{
    tn_variable *variable = NULL;
    tn_tensor *zeros = tn__tensor_fill(metric->dtype, &shape, 0);
    char *scope = zeros ? scope_of(metric) : NULL;
    tn__variable_spec spec = {
        .value = zeros, .name = name, .scope = scope, .here = tn__context()->here
    };
    if (scope && tn__variable_new(&spec, &variable) == TN_OK &&
        (tn__variable_admit(tn__context(), variable) != TN_OK ||
         TN__PUSH(&metric->variable, variable) != TN_OK)) {
        tn__release(variable);
        variable = NULL;
    }
    tn__free(scope);
    tn__release(zeros);
    return variable;
}

/* All of the variables or none. */
static void build(tn_metric *metric, tn_tensor *y_pred)
{
    const tn__metric_methods *methods = methods_of(metric);
    (methods->build ? methods->build : tn__mean_build)(metric, y_pred);
    if (tn__failed(tn__context()))
        forget_variables(metric);
}

/* --- making ----------------------------------------------------------------------------------- */
/* Takes over the name, which may be NULL for lack of memory. */
static tn_status set_name(tn_metric *metric, char *name)
{
    char **place = tn__thing_field(&metric->thing, "name");
    if (!name)
        return TN_RESOURCE_EXHAUSTED;
    tn__free(*place);
    metric->name = *place = name;
    return TN_OK;
}

static char *name_of_class(const tn__object_class *of)
{
    const char *name = tn__field_find(of->fields, "name")->fallback;
    return strcmp(name, "none") == 0 ? tn__automatic_name(tn__context(), of->name)
                                     : tn__strdup(name);
}

static tn_status fill_metric(tn_metric *metric)
{
    const tn__thing *thing = &metric->thing;
    tn_dtype *dtype = tn__thing_field(thing, "dtype");
    metric->name = *(const char **)tn__thing_field(thing, "name");
    if (!metric->name)
        TN_TRY(set_name(metric, name_of_class(thing->of)));
    metric->dtype = *dtype = *dtype ? *dtype : TN_FLOAT32;
    if (!tn__in(TN__FLOATS, metric->dtype))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "%s: a metric is kept in a float dtype, got .dtype = %s", thing->of->name,
                        tn__dtype_name(metric->dtype));
    build(metric, NULL);
    return tn__errors()->status;
}

tn_status tn__metric_from_thing(tn__thing *taken, tn_metric **metric)
{
    *metric = tn__object_new(&tn__type_metric);
    if (!*metric) {
        tn__thing_free(taken);
        return TN_RESOURCE_EXHAUSTED;
    }
    (*metric)->thing = *taken;
    *taken = (tn__thing){ NULL, NULL };
    tn_status status = fill_metric(*metric);
    if (status != TN_OK) {
        tn__release(*metric);
        *metric = NULL;
    }
    return status;
}

tn_status tn__metric_parse(const char *text, tn_metric **metric)
{
    tn__thing thing;
    *metric = NULL;
    TN_TRY(tn__thing_parse(TN__METRIC, text, &thing));
    return tn__metric_from_thing(&thing, metric);
}

tn_metric *tn__metric_from_options(const tn__object_class *of, const void *options)
{
    const struct {
        TN_OPTIONS_HEAD(none);
    } *head = options;
    TN__ENTER_OPTIONS(context, head, NULL);
    tn__thing thing;
    tn_metric *metric;
    if (tn__thing_from_options(of, options, &thing) != TN_OK ||
        tn__metric_from_thing(&thing, &metric) != TN_OK)
        return NULL;
    return tn__own_made(context, metric);
}

tn_metric *tn_metric_from_text(const char *text)
{
    TN__ENTER(context, NULL);
    tn_metric *metric = NULL;
    if (!text)
        tn__fail(TN_INVALID_ARGUMENT, "tn_metric_from_text: text is NULL");
    else
        (void)!tn__metric_parse(text, &metric);
    return tn__own_made(context, metric);
}

/* --- what compile makes of a text ------------------------------------------------------------- */
static const char *accuracy_of(tn__labels labels)
{
    return labels == TN__BINARY   ? "binary_accuracy"
           : labels == TN__SPARSE ? "sparse_categorical_accuracy"
                                  : "categorical_accuracy";
}

static const char *crossentropy_of(tn__labels labels, const tn_loss *loss)
{
    const tn_flag *said = loss ? tn__thing_field(&loss->thing, "from_logits") : NULL;
    bool from_logits = said && *said;
    static const char *const texts[][2] = {
        [TN__BINARY] = { "binary_crossentropy", "binary_crossentropy(from_logits=true)" },
        [TN__SPARSE] = { "sparse_categorical_crossentropy",
                         "sparse_categorical_crossentropy(from_logits=true)" },
        [TN__ONE_HOT] = { "categorical_crossentropy",
                          "categorical_crossentropy(from_logits=true)" },
    };
    return texts[labels][from_logits];
}

tn_status tn__metric_for_output(const char *text, const tn_shape *y_true, const tn_shape *y_pred,
                                const tn_loss *loss, tn_metric **metric)
{
    tn__labels labels = tn__labels_of(y_true, y_pred);
    const char *meant = tn__is_word(text, "accuracy", "acc")      ? accuracy_of(labels)
                        : tn__is_word(text, "crossentropy", "ce") ? crossentropy_of(labels, loss)
                                                                  : text;
    TN_TRY(tn__metric_parse(meant, metric));
    tn_status status = strchr(text, '(') ? TN_OK : set_name(*metric, tn__strdup(text));
    if (status != TN_OK) {
        tn__release(*metric);
        *metric = NULL;
    }
    return status;
}

tn_status tn__mean_metric(const char *name, tn_metric **metric)
{
    tn__thing thing;
    *metric = NULL;
    TN_TRY(tn__thing_default(&tn__metric_Mean, &thing));
    TN_TRY(tn__metric_from_thing(&thing, metric));
    tn_status status = set_name(*metric, tn__strdup(name));
    if (status != TN_OK) {
        tn__release(*metric);
        *metric = NULL;
    }
    return status;
}

/* --- updates and results ---------------------------------------------------------------------- */
void tn__metric_update(tn_metric *metric, tn_tensor *y_true, tn_tensor *y_pred,
                       tn_tensor *sample_weight)
{
    const tn__metric_methods *methods = methods_of(metric);
    tn_tensor *own_mask = NULL;
    if (tn__failed(tn__context()))
        return;
    if (metric->variable.count == 0)
        build(metric, y_pred);
    if (metric->variable.count == 0)
        return;
    if (methods->one_input) {
        tn__mean_update(metric, y_pred, sample_weight, y_pred->mask);
    } else if (methods->values) {
        tn_tensor *values = methods->values(metric->thing.self, y_true, y_pred, &own_mask);
        tn__mean_update(metric, values,
                        tn__masked_weight(sample_weight, y_pred->mask, metric->dtype, false),
                        own_mask);
    } else {
        methods->update(metric, y_true, y_pred, sample_weight);
    }
}

static bool update_from(tn_metric *metric, tn_list inputs, tn_tensor *mask, const char *what)
{
    if (!tn__check(metric, &tn__type_metric, what))
        return false;
    size_t least = methods_of(metric)->one_input ? 1 : 2;
    if (inputs.count < least || inputs.count > least + 1) {
        tn__fail(TN_INVALID_ARGUMENT, "%s %s takes %s and maybe sample_weight, got %zu inputs",
                 what, metric->name, least == 1 ? "values" : "y_true, y_pred", inputs.count);
        return false;
    }
    if (!tn__check_tensors(inputs, "a metric's input"))
        return false;
    tn_tensor *y_pred = inputs.item[least - 1];
    if (mask && !(y_pred = tn_with_mask(y_pred, mask)))
        return false;
    tn__metric_update(metric, least == 1 ? NULL : inputs.item[0], y_pred,
                      inputs.count > least ? inputs.item[least] : NULL);
    return !tn__failed(tn__context());
}

static tn_tensor *result_of(tn_metric *metric)
{
    if (metric->variable.count == 0) {
        tn__fail(
            TN_FAILED_PRECONDITION,
            "metric %s has seen nothing yet, and its first batch shows how many results it has",
            metric->name);
        return NULL;
    }
    const tn__metric_methods *methods = methods_of(metric);
    return (methods->result ? methods->result : tn__mean_result)(metric);
}

tn_tensor *tn_metric_call(tn_metric *f, tn_list inputs, const tn_call_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    TN__EAGERLY(context);
    return update_from(f, inputs, options->mask, "tn_call: metric") ? result_of(f) : NULL;
}

void tn_update_state(tn_metric *metric, tn_list inputs)
{
    TN__ENTER(context, );
    TN__EAGERLY(context);
    (void)update_from(metric, inputs, NULL, "tn_update_state: metric");
}

tn_tensor *tn_metric_result(tn_metric *metric)
{
    TN__ENTER(context, NULL);
    TN__EAGERLY(context);
    return tn__check(metric, &tn__type_metric, "tn_metric_result: metric") ? result_of(metric)
                                                                           : NULL;
}

void tn_reset_state(tn_metric *metric)
{
    TN__ENTER(context, );
    TN__EAGERLY(context);
    if (!tn__check(metric, &tn__type_metric, "tn_reset_state: metric"))
        return;
    for (size_t i = 0; i < metric->variable.count && !tn__failed(context); i++) {
        tn_variable *variable = metric->variable.item[i];
        tn_assign(variable,
                  tn__own(tn__tensor_fill((tn_dtype)variable->dtype, &variable->shape, 0)));
    }
}

const char *tn_metric_name(tn_metric *metric)
{
    TN__ENTER(context, "<failed>");
    (void)context;
    return tn__check(metric, &tn__type_metric, "tn_metric_name: metric") ? metric->name
                                                                         : "<failed>";
}

tn_list tn_metric_variables(tn_metric *metric)
{
    tn_list none = { 0, NULL };
    TN__ENTER(context, none);
    (void)context;
    if (!tn__check(metric, &tn__type_metric, "tn_metric_variables: metric"))
        return none;
    for (size_t i = 0; i < metric->variable.count; i++)
        if (!tn__own_shared(metric->variable.item[i]))
            return none;
    return tn_list_of(metric->variable.count, metric->variable.item);
}
