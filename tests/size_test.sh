#!/bin/sh
# What the library is made of: the code and data of the static library stay under 2 MB. The file itself is larger, by what the linker
# needs to put it together (names, relocations, an entry for each member) and no program keeps.
#     size_test.sh STATIC_LIBRARY
limit=2000000
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export LC_ALL=C
cp "$1" "$work/libtenon.a" && strip --strip-unneeded "$work/libtenon.a" || exit 1
bytes=$(wc -c <"$work/libtenon.a")
held=$(size -t "$work/libtenon.a" | awk '/TOTALS/ { print $1 + $2 }')
[ "${held:-0}" -gt 0 ] || { echo "size says nothing of $1"; exit 1; }
echo "libtenon.a, stripped: $bytes bytes; code and data in it: $held bytes"
[ "$held" -lt "$limit" ] || { echo "code and data are to be under $limit bytes"; exit 1; }
