/* init.c - the one place where lower rooms are told of upper ones. */
#include "autodiff/tape.h"
#include "core/hooks.h"
#include "nn/naming.h"
#include "nn/object.h"
#include "plan/program.h"
#include "session/session.h"
#include "tenon/files.h"

static tn_status save_model(tn_layer *model, const char *path, bool weights_only)
{
    return weights_only ? tn_save_weights(model, path) : tn_save(model, path);
}

const tn__hook_table tn__hooks = {
    .record = tn__tape_record,
    .watched = tn__tape_watches,
    .free_programs = tn__programs_free,
    .full_name = tn__full_name,
    .initialize = tn__initialize,
    .initialize_op = tn__initialize_op,
    .penalize = tn__penalize,
    .begin = tn__session_begin_thread,
    .free_rooms = tn__names_free,
    .save_model = save_model,
};

#define UNTRIED(name, reason) OP(name)
#define OP(name, ...) extern const tn__op tn__op_##name;
#include "ops/ops.def"
#undef OP
const tn__op *const tn__ops[] = {
#define OP(name, ...) &tn__op_##name,
#include "ops/ops.def"
#undef OP
};
#undef UNTRIED
const size_t tn__ops_count = sizeof tn__ops / sizeof *tn__ops;
_Static_assert(sizeof tn__ops / sizeof *tn__ops <= TN__MOST_OPS, "signature.c has no room for so many ops");

#define OBJECT(kind, name) extern const tn__object_class tn__##kind##_##name;
#include "nn/objects.def"
#undef OBJECT
const tn__object_class *const tn__objects[] = {
#define OBJECT(kind, name) &tn__##kind##_##name,
#include "nn/objects.def"
#undef OBJECT
};
const size_t tn__objects_count = sizeof tn__objects / sizeof *tn__objects;
