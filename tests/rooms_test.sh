#!/bin/sh
# Includes point down: a room of src/ may include itself, the rooms below it in this list, and the public headers; the command line
# only its own headers and the public ones. src/init.c, which fills the tables through which lower rooms reach up, may include
# everything, and so may tests, fuzzers and benchmarks. What another file has is declared in a header, never with an `extern` in a
# .c file, so that no dependency goes round this.
# With the argument - the lines to be judged, `./room/file.c:12:#include "room/x.h"`, come from standard input.
cd "$(dirname "$0")/../src" || exit 1
rooms="base kernels formats core runtime ops plan autodiff function session nn train show saving"

lines() {
    find . -name '*.[ch]' ! -name '*_test.c' ! -name '*_fuzz.c' ! -name '*_bench.c' ! -path ./init.c -exec \
        grep -nE '^[[:space:]]*(#[[:space:]]*include[[:space:]]*"|extern[[:space:]])' /dev/null {} +
}
judge() {
    awk -F: -v list="$rooms" '
        BEGIN { count = split(list, name, " "); for (i = 1; i <= count; i++) height[name[i]] = i }
        function complain(why) { print "src/" file ":" $2 ": " why; bad++ }
        {
            file = $1; sub(/^\.\//, "", file)
            room = file; sub(/\/.*/, "", room)
            text = $0; sub(/^[^:]*:[^:]*:/, "", text)
        }
        text ~ /^[[:space:]]*extern/ {
            if (file ~ /\.c$/) complain("belongs in a header: " text)
            next
        }
        {
            seen++
            split(text, part, "\""); target = part[2]
            other = target; sub(/\/.*/, "", other)
            if (target ~ /^tenon(\/|\.h$)/ || other == room) next
            if (other == "support" && file ~ /\.h$/) next # what tests share
            if (target !~ /\//) complain("\"" target "\" does not name its room")
            else if (room == "cli") complain("the command line uses public headers only, not \"" target "\"")
            else if (!(room in height)) complain("\"" room "\" is no room that tests/rooms_test.sh knows")
            else if (!(other in height)) complain("\"" target "\" is in no room that tests/rooms_test.sh knows")
            else if (height[other] > height[room]) complain(room " stands below " other ": \"" target "\"")
        }
        END {
            print seen + 0 " includes, " bad + 0 " faults"
            exit bad > 0 || !seen
        }'
}
if [ "$1" = - ]; then judge; else lines | judge; fi
