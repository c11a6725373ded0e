#!/bin/sh
# Builds every x_fuzz.c with clang's libFuzzer and runs each for some seconds from its seeds (tests/fuzz/x_fuzz). What it finds new stays
# in build/fuzz/corpus; `fuzz.sh merge` puts what is worth it among the seeds. usage: fuzz.sh SECONDS|merge [NAME]
set -eu
seconds=${1:-10}
only=${2:-}
cd "$(dirname "$0")/.."
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

# The seeds anew, smallest first, so that few and small ones cover what all together cover.
merge() {
    rm -rf "build/fuzz/merged/$1"
    mkdir -p "build/fuzz/merged/$1"
    run "$1" -merge=1 -max_len="$(largest "$1")" "build/fuzz/merged/$1" "tests/fuzz/$1" "build/fuzz/corpus/$1"
    rm -rf "tests/fuzz/$1"
    mv "build/fuzz/merged/$1" "tests/fuzz/$1"
    echo "$1: $(ls "tests/fuzz/$1" | wc -l) seeds, $(cat "tests/fuzz/$1"/* | wc -c) bytes"
}
largest() { # no input is longer: files of a model have some length whatever is in them
    case $1 in hdf5_fuzz | load_fuzz) echo 32768 ;; *) echo 8192 ;; esac
}

for fuzzer in build/fuzz/fuzz/*_fuzz; do
    name=$(basename "$fuzzer")
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    mkdir -p "build/fuzz/corpus/$name" "tests/fuzz/$name"
    [ "$seconds" != merge ] || { merge "$name"; continue; }
    run "$name" -max_total_time="$seconds" -print_final_stats=1 -max_len="$(largest "$name")" "build/fuzz/corpus/$name" "tests/fuzz/$name"
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log")
    reached=$(sed -n 's/^#.*DONE *cov: \([0-9]*\) ft: \([0-9]*\) corp: \([0-9]*\).*/\1 edges, \2 features, \3 inputs kept/p' "build/fuzz/$name.log")
    echo "$name: $executions executions, $reached"
done
