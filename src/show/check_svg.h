/* check_svg.h - for tests: a written SVG file is well-formed XML; counting what it has. */
#ifndef TN_SHOW_CHECK_SVG_H
#define TN_SHOW_CHECK_SVG_H
#include "support/check.h"
#include "base/file.h"
#include <ctype.h>

/* Between a '<' and its '>': a name, then attributes whose values stand in double quotes without '<' and '&'. */
static inline const char *check_tag(const char *at, int *depth)
{
    bool closing = *at == '/', quoted = false;
    *depth += closing ? -1 : *at != '?';
    assert_true(closing || *at == '?' || isalpha((unsigned char)*at));
    for (; *at && (quoted || *at != '>'); at++) {
        assert_true(!quoted || *at != '<');
        quoted ^= *at == '"';
        if (*at == '/' && at[1] == '>' && !quoted)
            --*depth;
    }
    assert_true(*at == '>');
    return at + 1;
}

/* The file's text, in memory of the innermost scope, after it was looked through. */
static inline const char *check_svg(const char *path)
{
    tn__file file;
    CHECK_OK(tn__file_read(path, 1 << 28, &file));
    const char *text = tn_format("%.*s", (int)file.span.size, (const char *)file.span.data), *at = text;
    tn__file_close(&file);
    int depth = 0;
    while (*at) {
        if (*at == '<') {
            at = check_tag(at + 1, &depth);
            assert_true(depth >= 0);
            continue;
        }
        assert_true(*at != '&' || strncmp(at, "&lt;", 4) == 0 || strncmp(at, "&gt;", 4) == 0 || strncmp(at, "&amp;", 5) == 0 ||
                    strncmp(at, "&quot;", 6) == 0);
        assert_true((unsigned char)*at >= ' ' || *at == '\n');
        at++;
    }
    assert_int_equal(depth, 0);
    assert_null(strstr(text, "nan"));
    return text;
}

static inline int count_of(const char *text, const char *what)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        count++;
    return count;
}

#endif
