#!/usr/bin/env python3
"""Line coverage of the library per folder, out of what a build with --coverage left behind when it ran.

    python3 tools/coverage.py BUILD [--files FOLDER…] [--missed FILE…] [--least FOLDER=PERCENT…]

--files: each file of these folders too; --missed: the lines of these files that never ran; --least: exit status 1 when a folder has less.
"""
import collections
import json
import os
import subprocess
import sys

TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def reports(build):
    """What gcov says of each object of the library."""
    objects = os.path.join(build, "CMakeFiles/tenon_objects.dir/src")
    notes = [os.path.join(folder, name) for folder, _, names in os.walk(objects) for name in names if name.endswith(".gcda")]
    if not notes:
        sys.exit("coverage.py: nothing has run in %s" % build)
    for start in range(0, len(notes), 50):
        out = subprocess.run(["gcov", "--json-format", "--stdout"] + notes[start:start + 50], check=True, cwd=build, capture_output=True, text=True).stdout
        for line in out.splitlines():
            if line.strip():
                yield json.loads(line)


def lines_of(build):
    """How often each line of each source file ran."""
    counts = collections.defaultdict(dict)
    for report in reports(build):
        for file in report["files"]:
            path = os.path.relpath(os.path.join(report["current_working_directory"], file["file"]), TREE)
            if not path.startswith("src/"):
                continue
            for line in file["lines"]:
                number = line["line_number"]
                counts[path][number] = max(counts[path].get(number, 0), line["count"])
    return counts


def percent(counts):
    lines = [count for file in counts for count in file.values()]
    return len(lines), 100.0 * sum(count > 0 for count in lines) / len(lines) if lines else 100.0


def folder_of(path):
    """src/formats/hdf5/types.c counts for src/formats/hdf5 and for src/formats."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]


def missed(path, counts):
    source = open(os.path.join(TREE, path), encoding="utf-8").read().splitlines()
    for number in sorted(n for n, count in counts.items() if count == 0):
        print("%s:%d: %s" % (path, number, source[number - 1].strip()))


def words(name):
    """The arguments behind an option, up to the next one."""
    if name not in sys.argv:
        return []
    after = sys.argv[sys.argv.index(name) + 1:]
    return after[:next((i for i, word in enumerate(after) if word.startswith("--")), len(after))]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    counts = lines_of(os.path.abspath(sys.argv[1]))
    folders = collections.defaultdict(list)
    for path, lines in counts.items():
        for folder in folder_of(path):
            folders[folder].append(lines)
    for folder in sorted(folders):
        print("%-24s %6d lines  %5.1f %%" % ((folder,) + percent(folders[folder])))
    for path in sorted(counts):
        if os.path.dirname(path) in words("--files"):
            print("%-40s %6d lines  %5.1f %%" % ((path,) + percent([counts[path]])))
    for path in words("--missed"):
        missed(path, counts[path])
    low = [word for word in words("--least") if percent(folders[word.split("=")[0]])[1] < float(word.split("=")[1])]
    if low:
        sys.exit("coverage.py: less than it should be: %s" % " ".join(low))


if __name__ == "__main__":
    main()
