/* config.h - get_config and from_config: field tables and JSON, in Keras 3's and Keras 2's words. */
#ifndef TN_NN_CONFIG_H
#define TN_NN_CONFIG_H
#include "nn/model.h"
#include "nn/object.h"
#include <jansson.h>

/* Which Keras is to read what is written. Reading takes both. */
typedef enum { TN__KERAS_2 = 2, TN__KERAS_3 = 3 } tn__era;

/* A layer as its file has it: {"module", "class_name", "config", "registered_name", "build_config"}; Keras 2: {"class_name",
 * "config"}. The caller owns the reference; NULL and an error. */
json_t *tn__layer_to_json(tn_layer *layer, tn__era era);
/* Makes the layer that a file's object describes, nested models included. Classes that are not known are collected: the error names
 * all of them. The caller owns the count. */
tn_status tn__layer_from_json(tn_context *context, const json_t *json, tn_layer **layer);
/* A model's config as Keras 1 or 2 wrote it, brought to today's meaning of words that stayed and mean something else: the activation
 * hard_sigmoid, and arguments whose default was another. Renamed arguments need no call, the classes see to them. version: the file's keras_version, "2.15.0"; NULL or another
 * major version than 1 and 2 changes nothing. */
tn_status tn__upgrade_config(json_t *json, const char *version);
/* Takes out of functional models' configs the ops that make nothing but masks, which Keras 3 writes; layers' handles carry masks here. */
tn_status tn__leave_out_masks(json_t *json);
/* Whether Keras 3 would take a config that was written for Keras 2 to mean something else. */
tn_status tn__is_ambiguous(const json_t *json, bool *is);
/* Every class that the config names and nobody knows, each once, ", " between; "" when there are none. The caller frees it. */
char *tn__unknown_classes(const json_t *json);

/* Fields of an instance into an object, and back; fields that are missing keep what they are. `owner` is for messages. Keys of the
 * object that are no fields are an error when they say something that would change the numbers. */
tn_status tn__fields_to_json(const tn_field *fields, const void *instance, tn__era era, json_t *config);
tn_status tn__fields_from_json(const tn_field *fields, void *instance, const json_t *config, const char *owner);

/* A thing as {"module", "class_name", "config", "registered_name"}, activations as their name; and back from all that Keras writes. */
json_t *tn__thing_to_json(const tn__thing *thing, tn__era era);
tn_status tn__thing_from_json(tn__object_kind kind, const json_t *json, tn__thing *thing);

/* --- activation_object.c: activations that are layers in files -------------------------------------------------------------- */
/* False: no layer has this function's arguments. *json NULL: it failed. */
bool tn__activation_to_object(const tn__thing *thing, tn__era era, json_t **json);
bool tn__is_activation_object(const json_t *json);
tn_status tn__activation_from_object(const json_t *json, tn__thing *thing);
/* The activation objects in a layer's config compute in the layer's dtype. Takes over the reference to it. */
void tn__activations_adopt_dtype(json_t *config, json_t *dtype);

/* The layers in a model's config; NULL: there are none. Keras 1 wrote a Sequential's config as the list of its layers. */
const json_t *tn__layers_of(const json_t *model);
json_t *tn__shape_to_json(const tn_shape *shape); /* [null, 8, 8, 1] */
bool tn__shape_from_json(const json_t *json, tn_shape *shape);
/* json_object_set_new with a status, whose value may be NULL (a failed allocation). */
tn_status tn__json_set(json_t *object, const char *key, json_t *value);
/* The same for a list. What is too long to be built with a status in between keeps the error, and is asked for it at the end. */
void tn__json_append(json_t *list, json_t *value);
const char *tn__json_text(const json_t *object, const char *key); /* NULL: there is none, or it is no text */
/* Any number, also infinite ones and NaN, which jansson has not and Keras writes: those are objects of one key, and what reads and writes
 * files (saving/json.h) has Python's words for them. NULL without memory, as jansson. */
json_t *tn__number_to_json(double value);
/* False: it is none. */
bool tn__number_from_json(const json_t *json, double *value);
/* The word of such an object: "Infinity", "-Infinity" or "NaN"; NULL: it is another value. */
const char *tn__number_word(const json_t *json);

#endif
