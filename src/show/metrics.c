/* metrics.c */
#include "show/metrics.h"
#include <stdio.h>
#include <string.h>

enum { BROKEN = 0xfffd };

unsigned tn__next_character(const char **at, const char *end)
{
    const unsigned char *s = (const unsigned char *)*at;
    int more = s[0] < 0x80 ? 0 : s[0] < 0xc2 ? -1 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : s[0] < 0xf5 ? 3 : -1;
    unsigned character = more <= 0 ? s[0] : s[0] & (0x3fU >> more);
    bool valid = more >= 0 && end - *at > more;
    for (int i = 1; valid && i <= more; i++) {
        valid = (s[i] & 0xc0) == 0x80;
        character = character << 6 | (s[i] & 0x3fU);
    }
    static const unsigned least[] = { 0, 0x80, 0x800, 0x10000 };
    valid = valid && character >= least[more] && character <= 0x10ffff && (character < 0xd800 || character > 0xdfff);
    *at += valid ? more + 1 : 1;
    return valid ? character : BROKEN;
}

typedef struct {
    unsigned first, last;
} range;

static bool among(const range *ranges, size_t count, unsigned character)
{
    for (size_t i = 0; i < count; i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return false;
}

/* Unicode's combining marks and zero-width characters, and its East Asian wide ones, in whole blocks. */
static const range marks[] = { { 0x300, 0x36f },   { 0x483, 0x489 },   { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff },
                               { 0x200b, 0x200f }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f } };
static const range wide[] = { { 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf },  { 0xa960, 0xa97f }, { 0xac00, 0xd7a3 },
                              { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },  { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f },
                              { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1faff }, { 0x20000, 0x3fffd } };

int tn__columns_of(unsigned character)
{
    if (character < 0x300)
        return 1;
    if (among(marks, sizeof marks / sizeof *marks, character))
        return 0;
    return among(wide, sizeof wide / sizeof *wide, character) ? 2 : 1;
}

int tn__columns(const char *text, size_t size)
{
    int columns = 0;
    for (const char *at = text, *end = text + size; at < end;)
        columns += tn__columns_of(tn__next_character(&at, end));
    return columns;
}

/* --- numbers --------------------------------------------------------------------------------------------------------- */
void tn__with_commas(int64_t number, char *text, size_t size)
{
    char plain[32];
    int length = snprintf(plain, sizeof plain, "%lld", (long long)number);
    size_t n = 0;
    for (int i = 0; i < length && n + 2 < size; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[n++] = ',';
        text[n++] = plain[i];
    }
    text[n] = 0;
}

void tn__size_text(double bytes, char *text, size_t size)
{
    static const char *const units[] = { "B", "KB", "MB", "GB", "TB", "PB" };
    int unit = 0;
    for (; bytes >= 1024 && unit < 5; unit++)
        bytes /= 1024;
    snprintf(text, size, "%.2f %s", bytes, units[unit]);
}

/* --- drawn -------------------------------------------------------------------------------------------------------------- */
/* Advance widths of a common sans-serif in thousandths of its size, from ' ' to '~', rounded up to 50. */
static const unsigned short widths[95] = {
    300, 300, 400, 600, 600, 900, 700, 250, 350,  350, 400, 650, 300, 350, 300, 300, 600, 600, 600, 600, 600, 600, 600, 600,
    600, 600, 300, 300, 650, 650, 650, 600, 1050, 700, 700, 750, 750, 700, 650, 800, 750, 300, 550, 700, 600, 850, 750, 800,
    700, 800, 750, 700, 650, 750, 700, 950, 700,  700, 650, 350, 300, 350, 500, 600, 350, 600, 600, 550, 600, 600, 350, 600,
    600, 250, 250, 550, 250, 850, 600, 600, 600,  600, 400, 550, 350, 600, 550, 750, 550, 550, 550, 400, 300, 400, 650,
};
/* Viewers without that font take one that is up to a tenth wider; bold is wider by as much again. */
static const double OTHER_FONT = 1.08, BOLD = 1.07;

static double width_of(unsigned character, double size, bool bold)
{
    double width = character >= ' ' && character <= '~' ? widths[character - ' '] : 500 * tn__columns_of(character) + 150;
    return width / 1000 * size * OTHER_FONT * (bold ? BOLD : 1);
}

double tn__drawn_width(const char *text, double size, bool bold)
{
    double width = 0;
    for (const char *at = text, *end = text + strlen(text); at < end;)
        width += width_of(tn__next_character(&at, end), size, bold);
    return width;
}

char *tn__drawn_cut(const char *text, double size, bool bold, double width)
{
    if (tn__drawn_width(text, size, bold) <= width)
        return tn__strdup(text);
    const char *at = text, *cut = text, *end = text + strlen(text);
    for (double so_far = width_of(0x2026, size, bold); at < end && so_far <= width;
         so_far += width_of(tn__next_character(&at, end), size, bold))
        cut = at;
    return tn__print("%.*s…", (int)(cut - text), text);
}
