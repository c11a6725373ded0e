#!/usr/bin/env python3
"""The examples in the public headers: each is compiled, run, and prints what it says that it prints.

A comment that begins with "Example:" holds one, its code indented by four more than the text. Code without a main() is the body of one that
ends with `return tn_report();`; <stdio.h> and <tenon.h> are included. What stands behind `// ` at the end of its lines is what it prints, a
line for each. usage: header_examples_test.py WORK_FOLDER COMPILER [FLAG...]
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

INCLUDE = pathlib.Path(__file__).resolve().parent.parent / "include"
SUBJECTS = {"tensor", "ops", "variable", "function", "gradient", "layer", "layers", "models", "losses", "metrics", "optimizers", "training",
            "callbacks", "files", "status", "scopes"}


def examples():
    """(subject, code) of each example in the headers; the subject is the header's name, or what stands in brackets: Example [scopes]: …"""
    for header in sorted(INCLUDE.rglob("*.h")):
        for comment in re.findall(r"/\* Example.*?\*/", header.read_text(), re.S):
            subject = re.match(r"/\* Example(?: \[(\w+)\])?: .", comment)
            if not subject:
                sys.exit(f"{header}: an example begins with 'Example: what it shows', this one with {comment[:60]!r}")
            code = [line[7:] for line in comment.split("\n") if line.startswith(" *     ") or line == " *"]
            folder = header.parent.name if header.parent.name == "layers" else header.stem
            yield subject.group(1) or folder, "\n".join(code).strip("\n")


def program(code):
    head = "#include <stdio.h>\n#include <tenon.h>\n\n"
    if "int main(void)" in code:
        return head + code + "\n"
    return head + "int main(void)\n{\n" + "\n".join("    " + line for line in code.split("\n")) + "\n    return tn_report();\n}\n"


def attempt(work, name, code, command):
    folder = work / name
    folder.mkdir(parents=True)
    source = folder / "example.c"
    source.write_text(program(code))
    compiler, *flags = command
    built = subprocess.run([compiler, "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{INCLUDE}", "-o", folder / "example", source, *flags],
                           capture_output=True, text=True)
    if built.returncode:
        return f"{name} does not compile:\n{built.stderr}"
    ran = subprocess.run([folder / "example"], cwd=folder, capture_output=True, text=True, timeout=120)
    expected = re.findall(r"// (.*)$", code, re.M)
    if ran.returncode or ran.stderr or ran.stdout.splitlines() != expected:
        return f"{name}: exit {ran.returncode}, expected\n" + "\n".join(expected) + f"\ngot\n{ran.stdout}{ran.stderr}"
    return None


def main():
    work, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
    shutil.rmtree(work, ignore_errors=True)
    found = list(examples())
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(attempt, work, f"{subject}_{i}", code, command) for i, (subject, code) in enumerate(found)]
        failures = [job.result() for job in jobs if job.result()]
    for failure in failures:
        print(failure)
    missing = SUBJECTS - {subject for subject, _ in found}
    if missing:
        print("no example of", ", ".join(sorted(missing)))
    print(f"{len(found)} examples, {len(failures)} failures")
    sys.exit(bool(failures or missing))


if __name__ == "__main__":
    main()
