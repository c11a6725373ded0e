#!/bin/sh
# Removes what CMake's list of installed files names, and the folders of tenon's own that are empty then. usage: uninstall.sh MANIFEST
set -eu
[ -f "$1" ] || { echo "uninstall: there is no $1: nothing was installed from here" >&2; exit 1; }
{ cat "$1"; echo; } | while read -r file; do
    [ -n "$file" ] || continue
    rm -f "${DESTDIR-}$file"
    folder=$(dirname "${DESTDIR-}$file")
    while case $folder in */tenon | */tenon/*) ;; *) false ;; esac && rmdir "$folder" 2>/dev/null; do folder=$(dirname "$folder"); done
done
