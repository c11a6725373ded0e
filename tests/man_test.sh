#!/bin/sh
# The manual page has every command and option that --help has, and no other; and it is well made, as far as there is a program that
# can say so.
#     man_test.sh TENON
tenon=$1
page=$(cd "$(dirname "$0")/../docs" && pwd)/tenon.1 || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export LC_ALL=C
bad=0 compared=0

# The options below a heading, "--epochs N" a line. Arguments: the heading's kind (SS or SH) and its beginning.
in_page() {
    awk -v kind=".$1" -v heading="$2" '
        /^\.S[SH] / { text = $0; sub(/^\.S[SH] /, "", text); inside = $1 == kind && (text == heading || index(text, heading " ") == 1) }
        inside && /^\.B \\-\\-/ { sub(/^\.B /, ""); gsub(/\\f[IR]/, ""); gsub(/\\-/, "-"); print }' "$page"
}
in_help() {
    "$tenon" "$1" --help | sed -n 's/^  \(--[a-z-]*\( [^ ][^ ]*\)\{0,1\}\)  *[^ ].*/\1/p'
}

"$tenon" --help | sed -n 's/^  \([a-z]*\)  *[^ ].*/\1/p' >"$work/commands"
sed -n 's/^\.SS tenon \([a-z]*\).*/\1/p' "$page" | sort >"$work/described"
sort "$work/commands" | diff - "$work/described" >"$work/difference" || {
    bad=1
    echo "commands that only --help (<) or the page (>) has:"
    cat "$work/difference"
}
while read -r command; do
    { in_page SS "tenon $command"; in_page SH "OPTIONS OF EVERY COMMAND"; } >"$work/page"
    case $command in train | extend) in_page SS "Options of train and extend" >>"$work/page" ;; esac
    in_help "$command" | sort >"$work/help"
    compared=$((compared + $(wc -l <"$work/help")))
    sort "$work/page" | diff "$work/help" - >"$work/difference" && continue
    bad=1
    echo "tenon $command: options that only --help (<) or the page (>) has:"
    cat "$work/difference"
done <"$work/commands"
if [ "$compared" -lt 50 ]; then
    bad=1
    echo "only $compared options found: this script does not understand --help"
fi

# Whatever complains about anything has a reason; a missing date and a long line have not.
if command -v mandoc >/dev/null 2>&1; then
    mandoc -Tlint -W warning "$page" | grep -v 'missing date' >"$work/warnings"
elif command -v groff >/dev/null 2>&1; then
    groff -man -ww -z "$page" >"$work/warnings" 2>&1
fi
[ ! -s "$work/warnings" ] || { bad=1; cat "$work/warnings"; }

echo "$compared options compared"
exit "$bad"
