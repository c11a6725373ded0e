/* field.h - field tables: what a configurable thing is made of (op attributes, layers, optimizers, losses, metrics, initializers,
 * callbacks). One table drives defaults, checks, get_config and from_config, the command line's text, summaries and documents. */
#ifndef TN_CORE_FIELD_H
#define TN_CORE_FIELD_H
#include "base/text.h"
#include "tenon/layer.h"

/* A table ends with a row whose name is NULL. */
#define TN__EACH_FIELD(field, fields) \
    for (const tn_field *field = (fields); field && field->name; field++)

/* Rows for the library's own tables: the kind, the struct and member, the default as text (NULL: required), and a range. */
#define TN__ROW(kind_, type, member, default_, range_) \
    { .kind = (kind_), .name = #member, .offset = offsetof(type, member), .fallback = (default_), .range = (range_), \
      .count = sizeof(((type *)0)->member) / sizeof(int64_t) }
/* The same for a member of the options struct that an instance begins with, its member `o`. */
#define TN__OPTION(kind_, type, member, default_, range_) \
    { .kind = (kind_), .name = #member, .offset = offsetof(type, o.member), .fallback = (default_), .range = (range_), \
      .count = sizeof(((type *)0)->o.member) / sizeof(int64_t) }
#define TN__END_OF_FIELDS { .name = NULL }

const tn_field *tn__field_find(const tn_field *fields, const char *name);
/* Bytes of a field's value; 0 for an unknown kind. */
size_t tn__field_size(const tn_field *field);

/* Writes the default of every field that has one. */
tn_status tn__fields_default(const tn_field *fields, void *object);
/* Axes that are the bare number of an options struct become what they mean. */
tn_status tn__fields_settle(const tn_field *fields, void *object, const char *owner);
/* Ranges and enumerations; owner: "Dense 'head'". Message: argument, expected, received. */
tn_status tn__fields_check(const tn_field *fields, const void *object, const char *owner);
/* After object was copied byte by byte: makes its texts its own and retains its tensors; undone by release. */
tn_status tn__fields_own(const tn_field *fields, void *object);
void tn__fields_release(const tn_field *fields, void *object);
bool tn__fields_equal(const tn_field *fields, const void *a, const void *b);

/* One value as Python writes it: "128", "0.001", "True", "None", "'relu'", "(3, 3)". */
void tn__field_print(const tn_field *field, const void *object, tn__text *text);
/* The other way round, from the command line's text: "128", "1e-3", "true", "none", "relu", "(3, 3)" or "3x3". The object must own
 * its texts (tn__fields_own). `owner` is for the message. */
tn_status tn__field_parse(const tn_field *field, void *object, const char *text, const char *owner);

#endif
