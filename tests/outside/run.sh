#!/bin/sh
# Builds the project in this folder, which takes tenon in with add_subdirectory, against the shared and the static library, in C and in
# C++, and runs what comes out. usage: run.sh CMAKE BUILD_FOLDER CC CXX
set -eu
cmake=$1 build=$2 cc=$3 cxx=$4
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$build"
"$cmake" -S "$here" -B "$build" -DTENON_FOLDER="$here/../.." -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" \
    >"$build/log" 2>&1 || { cat "$build/log"; exit 1; }
"$cmake" --build "$build" -j 2 >>"$build/log" 2>&1 || { tail -n 40 "$build/log"; exit 1; }
cd "$build"
for program in c_with_tenon c_with_tenon_static cpp_with_tenon cpp_with_tenon_static; do
    said=$("./$program")
    echo "$program: $said"
    case $said in 'tenon '*' (2, '*' equal') ;; *) exit 1 ;; esac
done
