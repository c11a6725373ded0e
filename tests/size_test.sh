#!/bin/sh
# The static library's file, stripped, stays under 2 MB. What is in it that a program keeps, code and data, is told too; the rest is names
# and relocations.
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
[ "$bytes" -lt "$limit" ] || { echo "the file is to be under $limit bytes"; exit 1; }
