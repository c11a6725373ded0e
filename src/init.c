/* init.c - where the lower rooms reach up: what each upper room hung on a context. */
#include "core/context.h"

void tn__context_rooms_free(tn_context *context);

void tn__context_rooms_free(tn_context *context)
{
    (void)context;
}
