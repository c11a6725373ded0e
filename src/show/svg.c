/* svg.c */
#include "show/svg.h"
#include "base/file.h"
#include "show/metrics.h"
#include <math.h>
#include <string.h>

static void add_number(tn__text *svg, double value)
{
    double bounded = isfinite(value) ? fmin(fmax(value, -1e9), 1e9) : 0;
    long long tenths = llround(bounded * 10);
    const char *sign = tenths < 0 ? "-" : "";
    tenths = tenths < 0 ? -tenths : tenths;
    tn__text_add(svg, tenths % 10 ? "%s%lld.%lld" : "%s%lld", sign, tenths / 10, tenths % 10);
}

static void add_attribute(tn__text *svg, const char *name, double value)
{
    tn__text_add(svg, " %s=\"", name);
    add_number(svg, value);
    tn__text_add(svg, "\"");
}

/* XML has no way to say most control characters, nor bytes that are no UTF-8. */
static bool can_be_said(unsigned character)
{
    return character >= 0x20 && character != 0x7f && character != 0xfffe && character != 0xffff;
}

static void add_escaped(tn__text *svg, const char *words)
{
    for (const char *at = words, *next = words, *end = words + strlen(words); at < end; at = next) {
        unsigned character = tn__next_character(&next, end);
        if (character == '&')
            tn__text_add(svg, "&amp;");
        else if (character == '<')
            tn__text_add(svg, "&lt;");
        else if (character == '>')
            tn__text_add(svg, "&gt;");
        else if (character == '"')
            tn__text_add(svg, "&quot;");
        else if (!can_be_said(character) || character == 0xfffd)
            tn__text_add(svg, "\xef\xbf\xbd");
        else
            tn__text_add_bytes(svg, at, (size_t)(next - at));
    }
}

void tn__svg_begin(tn__text *svg, double width, double height, const char *title)
{
    tn__text_add(svg, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\"");
    add_attribute(svg, "width", width);
    add_attribute(svg, "height", height);
    tn__text_add(svg, " viewBox=\"0 0 ");
    add_number(svg, width);
    tn__text_add(svg, " ");
    add_number(svg, height);
    tn__text_add(svg, "\" font-family=\"Helvetica, Arial, sans-serif\">\n<title>");
    add_escaped(svg, title);
    tn__text_add(svg, "</title>\n");
    tn__svg_rect(svg, 0, 0, width, height, "fill=\"#fff\"");
}

void tn__svg_end(tn__text *svg)
{
    tn__text_add(svg, "</svg>\n");
}

void tn__svg_rect(tn__text *svg, double x, double y, double width, double height, const char *attributes)
{
    tn__text_add(svg, "<rect");
    add_attribute(svg, "x", x);
    add_attribute(svg, "y", y);
    add_attribute(svg, "width", width);
    add_attribute(svg, "height", height);
    tn__text_add(svg, " %s/>\n", attributes);
}

static void add_points(tn__text *svg, const tn__point *points, size_t count)
{
    tn__text_add(svg, " points=\"");
    for (size_t i = 0; i < count; i++) {
        tn__text_add(svg, i ? " " : "");
        add_number(svg, points[i].x);
        tn__text_add(svg, ",");
        add_number(svg, points[i].y);
    }
    tn__text_add(svg, "\"");
}

void tn__svg_line(tn__text *svg, const tn__point *points, size_t count, const char *attributes)
{
    tn__text_add(svg, "<polyline");
    add_points(svg, points, count);
    tn__text_add(svg, " fill=\"none\" stroke-linejoin=\"round\" %s/>\n", attributes);
}

void tn__svg_arrow(tn__text *svg, tn__point from, tn__point tip)
{
    enum { LENGTH = 8, HALF = 4 };
    double x = tip.x - from.x, y = tip.y - from.y, length = hypot(x, y);
    x = length > 0 ? x / length : 0;
    y = length > 0 ? y / length : 1;
    tn__point base = { tip.x - LENGTH * x, tip.y - LENGTH * y };
    const tn__point corners[] = { tip, { base.x - HALF * y, base.y + HALF * x }, { base.x + HALF * y, base.y - HALF * x } };
    tn__text_add(svg, "<polygon");
    add_points(svg, corners, 3);
    tn__text_add(svg, " fill=\"#222\"/>\n");
}

void tn__svg_dot(tn__text *svg, tn__point at, double radius, const char *attributes)
{
    tn__text_add(svg, "<circle");
    add_attribute(svg, "cx", at.x);
    add_attribute(svg, "cy", at.y);
    add_attribute(svg, "r", radius);
    tn__text_add(svg, " %s/>\n", attributes);
}

void tn__svg_text(tn__text *svg, double x, double y, double size, const char *attributes, const char *words)
{
    tn__text_add(svg, "<text");
    add_attribute(svg, "x", x);
    add_attribute(svg, "y", y);
    add_attribute(svg, "font-size", size);
    tn__text_add(svg, " %s>", attributes);
    add_escaped(svg, words);
    tn__text_add(svg, "</text>\n");
}

void tn__svg_two_texts(tn__text *svg, double x, double y, double size, const char *attributes, const char *bold, const char *plain)
{
    tn__text_add(svg, "<text");
    add_attribute(svg, "x", x);
    add_attribute(svg, "y", y);
    add_attribute(svg, "font-size", size);
    tn__text_add(svg, " xml:space=\"preserve\" %s><tspan font-weight=\"bold\">", attributes);
    add_escaped(svg, bold);
    tn__text_add(svg, "</tspan>");
    add_escaped(svg, plain);
    tn__text_add(svg, "</text>\n");
}

void tn__svg_group(tn__text *svg, const char *title)
{
    tn__text_add(svg, "<g><title>");
    add_escaped(svg, title);
    tn__text_add(svg, "</title>\n");
}

void tn__svg_group_end(tn__text *svg)
{
    tn__text_add(svg, "</g>\n");
}

tn_status tn__svg_write(tn__text *svg, const char *path)
{
    size_t size = svg->bytes.size;
    char *text = tn__text_take(svg);
    if (!text)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = tn__file_write(path, true, text, size);
    tn__free(text);
    return status;
}
