/* policy.c - the dtype policies there are, and the one that new layers get. */
#include "nn/policy.h"
#include "nn/layer.h"
#include "nn/object.h"
#include <string.h>

static const tn__policy policies[] = {
    { "float32", TN_FLOAT32, TN_FLOAT32 },
    { "mixed_float16", TN_FLOAT16, TN_FLOAT32 },
    { "mixed_bfloat16", TN_BFLOAT16, TN_FLOAT32 },
    { "float16", TN_FLOAT16, TN_FLOAT16 },
    { "bfloat16", TN_BFLOAT16, TN_BFLOAT16 },
    { "float64", TN_FLOAT64, TN_FLOAT64 },
    { "int32", TN_INT32, TN_INT32 },
    { "int64", TN_INT64, TN_INT64 },
    { "int", TN_INT64, TN_INT64 },
    { "int16", TN_INT16, TN_INT16 },
    { "uint8", TN_UINT8, TN_UINT8 },
    { "uint16", TN_UINT16, TN_UINT16 },
    { "uint32", TN_UINT32, TN_UINT32 },
    { "uint64", TN_UINT64, TN_UINT64 },
    { "bool", TN_BOOL, TN_BOOL },
};
enum { POLICIES = sizeof policies / sizeof *policies };

/* Dtypes of Keras that no tensor has here. */
static const char not_here[] = "complex64|complex128|string";

static bool begins_with(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

static bool is_quantized(const char *name)
{
    static const char *const modes[] = { "int8", "float8", "int4", "gptq", "awq" };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (begins_with(name, modes[i]))
            return true;
    return false;
}

/* "int8" alone is no policy to Keras: it takes the word for the first half of a quantized one. */
static tn_status fail_name(const char *name)
{
    if (is_quantized(name) && strstr(name, "_from_"))
        return tn__fail(TN_UNIMPLEMENTED, "dtype policy \"%s\": quantized layers are not there",
                        name);
    if (is_quantized(name))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Cannot convert `policy` into a valid pair (`mode`, `source_name`) to "
                        "instantiate `QuantizedDTypePolicy`. Received: policy=%s",
                        name);
    if (tn__among(not_here, name))
        return tn__fail(TN_UNIMPLEMENTED, "dtype policy \"%s\": there are no tensors of that dtype",
                        name);
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Cannot convert '%s' to a mixed precision DTypePolicy. Valid policies include "
                    "'mixed_float16', 'mixed_bfloat16', and the name of any float dtype such as "
                    "'float32'.",
                    name);
}

tn_status tn__policy_find(const tn_context *context, const char *name, const tn__policy **policy)
{
    *policy = context->policy ? context->policy : &policies[0];
    if (!name)
        return TN_OK;
    for (int i = 0; i < POLICIES; i++)
        if (strcmp(policies[i].name, name) == 0) {
            *policy = &policies[i];
            return TN_OK;
        }
    return fail_name(name);
}

/* --- what programs see ------------------------------------------------------------------------ */
tn_status tn_set_dtype_policy(const char *name)
{
    TN__ENTER(context, context->error.status);
    if (!name)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Invalid `policy` argument. Expected the string name of a policy (such as "
                        "'mixed_float16') or a `DTypePolicy` instance. Received: policy=None");
    return tn__policy_find(context, name, &context->policy);
}

const char *tn_dtype_policy(void)
{
    const tn__policy *policy;
    (void)!tn__policy_find(tn__context(), NULL, &policy);
    return policy->name;
}

/* --- of a layer ------------------------------------------------------------------------------- */
const char *tn_layer_dtype_policy(tn_layer *layer)
{
    return tn__check_layer(layer, "tn_layer_dtype_policy: layer") ? layer->policy->name
                                                                  : "<failed>";
}

tn_dtype tn_compute_dtype(tn_layer *layer)
{
    return tn__check_layer(layer, "tn_compute_dtype: layer") ? layer->policy->compute : (tn_dtype)0;
}

tn_dtype tn_variable_dtype(tn_layer *layer)
{
    return tn__check_layer(layer, "tn_variable_dtype: layer") ? layer->policy->variable
                                                              : (tn_dtype)0;
}
