#!/bin/sh
# Builds every x_fuzz.c with clang's libFuzzer and runs each for some seconds, from the test data beside it and the seeds in
# tests/fuzz/x_fuzz. What it finds new stays in build/fuzz/corpus. Instead of the seconds, "merge" makes the seeds anew: few and small
# ones that reach every edge which all together reach. usage: fuzz.sh SECONDS|merge [NAME]
set -eu
seconds=${1:-10}
only=${2:-}
cd "$(dirname "$0")/.."
mkdir -p build
cmake -S . -B build/fuzz -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=-O1 -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
    -DTENON_TESTS=OFF -DTENON_FUZZ=ON >build/fuzz.log 2>&1 || { cat build/fuzz.log >&2; exit 1; }
cmake --build build/fuzz -j "$(nproc)" --target fuzzers >>build/fuzz.log 2>&1 || { tail -n 40 build/fuzz.log >&2; exit 1; }

# run NAME OPTION…: an input that takes 10 seconds or 2 GB is a finding like a crash.
run() {
    name=$1
    shift
    dictionary=
    [ -f "tests/fuzz/$name.dict" ] && dictionary="-dict=tests/fuzz/$name.dict"
    "build/fuzz/fuzz/$name" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="build/fuzz/$name-" $dictionary "$@" \
        >"build/fuzz/$name.log" 2>&1 || { tail -n 60 "build/fuzz/$name.log" >&2; exit 1; }
}

# Seeds have at most 8 KB, and what the test data reach already needs none.
merge() {
    small=build/fuzz/small merged=build/fuzz/merged
    rm -rf $small $merged
    mkdir -p $small $merged
    find "tests/fuzz/$1" -type f -size -17b -exec cp -t $small {} +
    find "build/fuzz/corpus/$1" -type f -size -17b -exec cp -t $small {} +
    find "$2" -type f ! -name '*.json' ! -name '*.py' -exec cp -t $merged {} +
    ls $merged >build/fuzz/known
    run "$1" -set_cover_merge=1 -use_counters=0 -max_len=32768 $merged $small
    while read -r known; do rm "$merged/$known"; done <build/fuzz/known
    rm -rf "tests/fuzz/$1"
    mv $merged "tests/fuzz/$1"
    echo "$1: $(ls "tests/fuzz/$1" | wc -l) seeds, $(cat "tests/fuzz/$1"/* | wc -c) bytes"
}

for source in $(find src -name '*_fuzz.c' | sort); do
    name=$(basename "$source" .c)
    beside=$(dirname "$source")/testdata
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    mkdir -p "build/fuzz/corpus/$name" "tests/fuzz/$name"
    [ "$seconds" != merge ] || { merge "$name" "$beside"; continue; }
    run "$name" -max_total_time="$seconds" -print_final_stats=1 -max_len=32768 "build/fuzz/corpus/$name" "tests/fuzz/$name" "$beside"
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log")
    reached=$(sed -n 's/^#.*DONE *cov: \([0-9]*\) ft: \([0-9]*\) corp: \([0-9]*\).*/\1 edges, \2 features, \3 inputs kept/p' "build/fuzz/$name.log")
    echo "$name: $executions executions, $reached"
done
