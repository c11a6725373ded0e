#!/bin/sh
# The shared library exports what the public headers declare with TN_API, all of it and nothing else.
#     exports_test.sh LIBRARY [COMPILER]
library=$1 compiler=${2:-cc}
headers=$(cd "$(dirname "$0")/../include" && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

# One declaration a line, from what the preprocessor makes of all headers; here.h comes last, since its macros bear their names.
for header in "$headers"/tenon/*.h; do
    case $header in */here.h) ;; *) echo "#include \"$header\"" ;; esac
done >"$work/all.c"
echo "#include \"$headers/tenon/here.h\"" >>"$work/all.c"
"$compiler" -E -P -I"$headers" -DTN_BUILDING "$work/all.c" | tr '\n' ' ' | tr ';{}' '\n' |
    grep 'visibility *("default")' >"$work/declarations"
sed -n 's/__attribute__ *(([^()]*\(([^()]*)\)\{0,1\}))//g; s/^[^(]*[ *]\(tn_[a-z0-9_]*\) *(.*/\1/p' "$work/declarations" |
    sort -u >"$work/declared"
nm -D --defined-only "$library" | sed -n 's/^[0-9a-f]* [A-Zu] \([^@]*\).*/\1/p' | sort -u >"$work/exported" || exit 1

bad=0
complain() { # what, file of names
    [ -s "$2" ] || return
    bad=1
    echo "$1:"
    sed 's/^/    /' "$2"
}
grep -v '^tn_[a-z]' "$work/exported" | grep -v '^__odr_asan' >"$work/foreign"
comm -13 "$work/declared" "$work/exported" | grep '^tn_[a-z]' >"$work/undeclared"
comm -23 "$work/declared" "$work/exported" >"$work/undefined"
complain "exported, but not by a name that begins with tn_" "$work/foreign"
complain "exported, but no public header declares it" "$work/undeclared"
complain "declared in a public header, but not defined" "$work/undefined"
lines=$(sort -u "$work/declarations" | wc -l) names=$(wc -l <"$work/declared")
if [ "$names" -lt 100 ] || [ "$names" -ne "$lines" ]; then
    bad=1
    echo "read $names names from $lines declarations: this script does not understand them all"
fi
echo "$names functions declared, $(wc -l <"$work/exported") symbols exported, $(wc -l <"$work/undefined") missing"
exit "$bad"
