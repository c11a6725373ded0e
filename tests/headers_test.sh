#!/bin/sh
# The public headers as a careful user compiles them: each alone, then the examples, in C11, C17, C++17 and C++20, with every
# compiler that is installed and every warning an error; and the mistakes of rejected.c, all of which must be refused.
# Prints only what went wrong, and two counts.
cd "$(dirname "$0")/.." || exit 1
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
compiled=0 refused=0 bad=0

installed() {
    for compiler in "$@"; do command -v "$compiler" >/dev/null 2>&1 && echo "$compiler"; done
}
compiles() {
    compiled=$((compiled + 1))
    "$@" -fsyntax-only -Iinclude 2>"$work/messages" && return
    bad=$((bad + 1))
    echo "does not compile: $*"
    head -20 "$work/messages"
}
# -c, since gcc looks at unused results only then.
is_refused() {
    refused=$((refused + 1))
    "$@" -c -o "$work/rejected.o" -Iinclude tests/rejected.c 2>/dev/null || return
    bad=$((bad + 1))
    echo "is not refused: $* tests/rejected.c"
}

c_compilers=$(installed gcc clang) cxx_compilers=$(installed g++ clang++)
headers="include/tenon.h $(echo include/tenon/*.h include/tenon/*/*.h)"
mistakes=$(sed -n 's/^#\(el\)\{0,1\}if CASE == \([0-9]*\) .*/\2/p' tests/rejected.c)
[ -n "$c_compilers" ] && [ -n "$mistakes" ] || { echo "no compiler, or no mistakes to try"; exit 1; }

for compiler in $c_compilers; do
    for standard in c11 c17; do
        for header in $headers; do
            compiles "$compiler" -std=$standard $warnings -include "$header" -x c /dev/null
        done
        for example in examples/*.c; do
            compiles "$compiler" -std=$standard $warnings "$example"
        done
        compiles "$compiler" -std=$standard $warnings -DCASE=0 tests/rejected.c
    done
    for mistake in $mistakes; do
        is_refused "$compiler" -std=c11 -Wall -Wextra -Werror -DCASE="$mistake"
    done
done
for compiler in $cxx_compilers; do
    for standard in c++17 c++20; do
        for header in $headers; do
            compiles "$compiler" -std=$standard $warnings -include "$header" -x c++ /dev/null
        done
        for example in examples/*.cpp; do
            compiles "$compiler" -std=$standard $warnings "$example"
        done
    done
done
echo "$compiled compilations and $refused mistakes tried, $bad failures"
[ "$bad" -eq 0 ]
