#!/usr/bin/env python3
"""Puts the C programs of examples/seeds/ into its README.md beside the Python ones that stand there; with --check, exits 1 when they differ.

A program's cell begins with <!-- NNN_exM.c --> and is the <pre> behind it. In C it takes at most one and a half times the lines, and ten.
"""
import html
import pathlib
import re
import sys

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "examples" / "seeds"
CELL = re.compile(r"(<!-- (\w+\.c) -->\n<pre lang=\"c\">\n).*?(</pre>)", re.S)
BOTH = re.compile(r"<pre lang=\"python\">\n(.*?)</pre>\n</td><td>\n<!-- (\w+\.c) -->\n<pre lang=\"c\">\n(.*?)</pre>", re.S)


def lines(text):
    return sum(1 for line in text.splitlines() if line.strip())


def main():
    readme = FOLDER / "README.md"
    old = readme.read_text()
    shown = CELL.findall(old)
    missing = sorted({path.name for path in FOLDER.glob("*.c")} - {name for _, name, _ in shown})
    if missing:
        sys.exit(f"{readme} does not show {', '.join(missing)}")
    new = CELL.sub(lambda cell: cell[1] + html.escape((FOLDER / cell[2]).read_text(), quote=False) + cell[3], old)
    both = BOTH.findall(new)
    long = [name for python, name, c in both if lines(c) > 1.5 * lines(python) + 10]
    if long or len(both) != len(shown):
        sys.exit(f"too long for their Python, or not beside it: {', '.join(long) or len(shown) - len(both)}")
    if "--check" in sys.argv[1:]:
        sys.exit(0 if new == old else f"{readme} is out of date: run tools/seeds_readme.py")
    readme.write_text(new)


main()
