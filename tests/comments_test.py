#!/usr/bin/env python3
"""Every public function and options struct has a comment.

An options struct: on the line above it. A function: at the end of its line, or above it among the declarations that it stands with, without
an empty line or a struct between (a comment tells of several ops); or the options struct that it takes has one.
"""
import pathlib
import re
import sys

HEADERS = pathlib.Path(__file__).resolve().parent.parent / "include"
NOT_READ = {"here.h"}  # generated: one macro for each function of the others


def paragraphs(text):
    """Lists of (line number, line); preprocessor lines do not count, and end no paragraph."""
    paragraph, in_comment, in_macro = [], False, False
    for number, line in enumerate(text.split("\n"), 1):
        macro, in_macro = in_macro or (line.startswith("#") and not in_comment), False
        if macro:
            in_macro = line.endswith("\\")
            continue
        if not line.strip() and not in_comment:
            yield paragraph
            paragraph = []
            continue
        paragraph.append((number, line))
        opened, closed = line.rfind("/*"), line.rfind("*/")
        in_comment = opened > closed or (in_comment and closed < 0)
    yield paragraph


def declarations(paragraph):
    """(line number, name, options struct that it takes, told of?) of each declaration."""
    text = "\n".join(line for _, line in paragraph)
    first = paragraph[0][0] if paragraph else 0
    for match in re.finditer(r"^(?:TN_API\b([^;{]*)[;{]|(?:typedef )?struct (\w+_options) \{)(.*)", text, re.M):
        above = text[:match.start()].rstrip()
        told = above.endswith("*/") if match.group(2) else "/*" in above[above.rfind("\n}") + 1:] or "/*" in match.group(3)
        name = match.group(2) or re.search(r"\b(tn_\w+)\s*\(", match.group(1)).group(1)
        takes = re.search(r"const (tn_\w+_options) \*", match.group(1) or "")
        yield first + text[:match.start()].count("\n"), name, takes and takes.group(1), told


def main():
    found, told_of = [], set()
    for header in sorted(HEADERS.rglob("*.h")):
        if header.name in NOT_READ:
            continue
        for paragraph in paragraphs(header.read_text()):
            for line, name, takes, told in declarations(paragraph):
                found.append((header.relative_to(HEADERS.parent), line, name, takes, told))
                if told:
                    told_of.add(name)
    bad = [f for f in found if not f[4] and f[3] not in told_of]
    for header, line, name, *_ in bad:
        print(f"{header}:{line}: {name} has no comment")
    print(f"{len(found)} declarations, {len(bad)} without a comment")
    sys.exit(bool(bad) or len(found) < 400)


if __name__ == "__main__":
    main()
