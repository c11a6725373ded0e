#!/bin/sh
# The public headers as a careful user compiles them: each alone, then the examples, in C11, C17, C23, C++17 and C++20, with every
# compiler that is installed and every warning an error; and the mistakes of rejected.c, all of which must be refused.
# Prints only what went wrong, and two counts.
cd "$(dirname "$0")/.." || exit 1

# One trial, from the lines below: accept or refuse, then the compiler's words.
if [ "${1-}" = --trial ]; then
    what=${2%% *} words=${2#* }
    # shellcheck disable=SC2086 # words, and names of files with *
    said=$($words -Iinclude 2>&1)
    status=$?
    case $what$status in
    accept0) exit 0 ;;
    accept*) printf 'does not compile: %s\n%s\n' "$words" "$(printf '%s' "$said" | head -n 20)" ;;
    refuse0) echo "is not refused: $words" ;;
    *) exit 0 ;;
    esac
    exit 1
fi

installed() {
    for compiler in "$@"; do command -v "$compiler" >/dev/null 2>&1 && echo "$compiler"; done
}
# Of names of one standard the one that a compiler knows.
known() { # COMPILER LANGUAGE NAME…
    compiler=$1 language=$2
    shift 2
    for name in "$@"; do
        "$compiler" -std="$name" -E -x "$language" /dev/null >/dev/null 2>&1 && echo "$name" && return
    done
}
accept() { echo "accept $* -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"; }
refuse() { echo "refuse $* -Wall -Wextra -Werror -c -o /dev/null"; } # -c, since gcc looks at unused results only then

c_compilers=$(installed gcc clang) cxx_compilers=$(installed g++ clang++)
mistakes=$(sed -n 's/^#\(el\)\{0,1\}if CASE == \([0-9]*\) .*/\2/p' tests/rejected.c)
always=$(sed -n 's|^#\(el\)\{0,1\}if CASE == \([0-9]*\)  */\* always:.*|\2|p' tests/rejected.c)
if [ -z "$c_compilers" ] || [ -z "$mistakes" ]; then echo "no compiler, or no mistakes to try"; exit 1; fi

# A source for each header; one call of a compiler takes all of them, since starting it would take longer than its work.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
(cd include && find . -name '*.h') | while read -r header; do
    name=$(echo "${header#./}" | tr / _)
    echo "#include \"${header#./}\"" | tee "$work/$name.c" >"$work/$name.cpp"
done
trials() {
    for compiler in $c_compilers; do
        for standard in c11 c17 $(known "$compiler" c c23 c2x); do
            accept "$compiler -std=$standard -DCASE=0 $work/*.c examples/*.c tests/rejected.c"
        done
        for mistake in $mistakes; do refuse "$compiler -std=c11 -DCASE=$mistake tests/rejected.c"; done
        for mistake in $always; do
            echo "refuse $compiler -std=c11 -isystem include -DCASE=$mistake tests/rejected.c -c -o /dev/null"
        done
    done
    for compiler in $cxx_compilers; do
        for standard in c++17 c++20; do accept "$compiler -std=$standard $work/*.cpp examples/*.cpp"; done
    done
}
all=$(trials)
printf '%s\n' "$all" | tr '\n' '\0' | xargs -0 -n 1 -P "$(nproc 2>/dev/null || echo 2)" sh tests/headers_test.sh --trial
status=$?
echo "$(find "$work" -name '*.c' | wc -l) headers and the examples in $(printf '%s\n' "$all" | grep -c '^accept') dialects," \
    "$(printf '%s\n' "$all" | grep -c '^refuse') mistakes tried"
exit $status
