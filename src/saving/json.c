/* json.c - JSON out. */
#include "saving/json.h"
#include "base/text.h"
#include "nn/config.h"
#include <string.h>

/* A real of jansson is never infinite, nor NaN. */
static void add_real(tn__text *text, double value)
{
    char number[TN__NUMBER_TEXT];
    tn__number_text(value, false, number, sizeof number);
    tn__text_add(text, "%s", number);
}

/* One character of UTF-8 (jansson lets no other in), and where the next begins. */
static unsigned next_character(const unsigned char **at)
{
    unsigned first = *(*at)++;
    int more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    unsigned character = more == 0 ? first : first & (0x3fU >> more);
    while (more-- > 0)
        character = character << 6 | (*(*at)++ & 0x3fU);
    return character;
}

static void add_escaped(tn__text *text, unsigned character)
{
    static const char named[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
    const char *found = character && character < 0x80 ? strchr(named, (int)character) : NULL;
    if (found)
        tn__text_add(text, "\\%c", letters[found - named]);
    else if (character >= 0x20 && character < 0x7f)
        tn__text_add(text, "%c", (int)character);
    else if (character < 0x10000)
        tn__text_add(text, "\\u%04x", character);
    else
        tn__text_add(text, "\\u%04x\\u%04x", 0xd800 + ((character - 0x10000) >> 10),
                     0xdc00 + (character & 0x3ff));
}

static void add_string(tn__text *text, const char *string, size_t size)
{
    const unsigned char *at = (const unsigned char *)string, *end = at + size;
    tn__text_add(text, "\"");
    while (at < end)
        add_escaped(text, next_character(&at));
    tn__text_add(text, "\"");
}

static void add_value(tn__text *text, const json_t *json);

static void add_array(tn__text *text, const json_t *json)
{
    tn__text_add(text, "[");
    for (size_t i = 0; i < json_array_size(json); i++) {
        tn__text_add(text, i ? ", " : "");
        add_value(text, json_array_get(json, i));
    }
    tn__text_add(text, "]");
}

static void add_object(tn__text *text, const json_t *json)
{
    const char *key;
    json_t *value;
    bool first = true;
    tn__text_add(text, "{");
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        tn__text_add(text, first ? "" : ", ");
        add_string(text, key, strlen(key));
        tn__text_add(text, ": ");
        add_value(text, value);
        first = false;
    }
    tn__text_add(text, "}");
}

static void add_value(tn__text *text, const json_t *json)
{
    const char *word = tn__number_word(json);
    if (word) {
        tn__text_add(text, "%s", word);
        return;
    }
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        add_object(text, json);
        break;
    case JSON_ARRAY:
        add_array(text, json);
        break;
    case JSON_STRING:
        add_string(text, json_string_value(json), json_string_length(json));
        break;
    case JSON_INTEGER:
        tn__text_add(text, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        break;
    case JSON_REAL:
        add_real(text, json_real_value(json));
        break;
    default:
        tn__text_add(text, "%s",
                     json_is_true(json)    ? "true"
                     : json_is_false(json) ? "false"
                                           : "null");
    }
}

char *tn__json_dump(const json_t *json)
{
    tn__text text = { 0 };
    add_value(&text, json);
    return tn__text_take(&text);
}

json_t *tn__json_shown(const char *text)
{
    json_t *json = json_string(text);
    return json ? json : json_string("?");
}
