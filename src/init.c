/* init.c - the one place where lower rooms are told of upper ones. */
#include "autodiff/tape.h"
#include "core/hooks.h"
#include "nn/naming.h"

const tn__hook_table tn__hooks = {
    .record = tn__tape_record,
    .watched = tn__tape_watches,
    .full_name = tn__full_name,
    .free_rooms = tn__names_free,
};
