#!/usr/bin/env python3
"""docs/adding_*.md, done: the code of a page is put into a scratch copy of the tree, built on top of the library, and its test run.

In a page, a line "`PATH`, a new file:" or "`PATH`, below `TEXT`:" says where the block of code behind it goes: below the first line with TEXT.
Compiled anew are the new files and what includes a list that has grown; the rest comes from the built library. The page's own test is run,
and what every op owes (tests/ops_registry_test.c) and what C and C++ have as defaults (tests/defaults_test.c) is checked with the addition.
usage: pages_test.py PAGE WORK_FOLDER LIBRARIES CC CXX [FLAG...], LIBRARIES being the test support and the static library, with a comma.
"""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
STEP = re.compile(r"^`([^`\n]+)`, (?:a new file|below `([^`\n]+)`):\n\n```c\n(.*?)^```$", re.M | re.S)


def run(*words, cwd):
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\nin {cwd} fails:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")


def apply(tree, path, below, code):
    target = tree / path
    if not below:
        if target.exists():
            sys.exit(f"{path} is there already: the page needs another example")
        target.write_text(code)
        return
    lines = target.read_text().split("\n")
    at = next((i for i, line in enumerate(lines) if below in line), None)
    if at is None:
        sys.exit(f"{path} has no line with '{below}'")
    lines[at + 1:at + 1] = code.rstrip("\n").split("\n")
    target.write_text("\n".join(lines))


def changed_sources(tree, steps):
    """New files that are no tests, and sources of the library that include a list with a new line."""
    lists = [path.split("src/")[1] for path, below, _ in steps if below and path.startswith("src/") and path.endswith(".def")]
    for path, below, _ in steps:
        if not below and path.endswith(".c") and not path.endswith("_test.c"):
            yield tree / path
    for source in (tree / "src").rglob("*.c"):
        if not source.name.endswith("_test.c") and any(f'#include "{name}"' in source.read_text() for name in lists):
            yield source


def main():
    page, work = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    libraries, cc, cxx, flags = sys.argv[3].split(","), sys.argv[4], sys.argv[5], sys.argv[6:]
    steps = STEP.findall(page.read_text())
    blocks = len(re.findall(r"^```c$", page.read_text(), re.M))
    if not steps or len(steps) != blocks:
        sys.exit(f"{page.name}: {blocks} blocks of code, of which {len(steps)} say where they go")
    shutil.rmtree(work, ignore_errors=True)
    tree = work / "tree"
    for folder in ("include", "src", "tests", "tools"):
        shutil.copytree(ROOT / folder, tree / folder)
    for step in steps:
        apply(tree, *step)
    run(sys.executable, "tools/make_here.py", cwd=tree)

    options = ["-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-Iinclude", "-Isrc", "-Itests", *flags]
    objects = []
    for source in changed_sources(tree, steps):
        objects.append(source.with_suffix(".o"))
        run(cc, "-std=gnu17", "-DTN_BUILDING", *options, "-c", source, "-o", objects[-1], cwd=tree)
    run(cxx, "-std=c++17", *options, "-c", "tests/defaults.cpp", "-o", "tests/defaults.o", cwd=tree)
    tests = [path for path, below, _ in steps if not below and path.endswith("_test.c")]
    for test, extra in [(test, []) for test in tests] + [("tests/ops_registry_test.c", []), ("tests/defaults_test.c", ["tests/defaults.o"])]:
        program = tree / (pathlib.Path(test).stem + ".out")
        run(cc, "-std=gnu17", *options, test, *extra, *objects, *libraries, "-lcmocka", "-ljansson", "-lz", "-lm", "-pthread", "-o", program, cwd=tree)
        run(program, cwd=tree)
    print(f"{page.name}: {len(steps)} blocks put in place, {len(objects)} sources built, {len(tests) + 2} tests run")


if __name__ == "__main__":
    main()
