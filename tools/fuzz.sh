#!/bin/sh
# Builds every x_fuzz.c with clang's libFuzzer and runs each for some seconds on its seeds. usage: fuzz.sh SECONDS [NAME]
set -eu
seconds=${1:-10}
only=${2:-}
cd "$(dirname "$0")/.."
cmake -S . -B build/fuzz -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DTENON_TESTS=OFF -DTENON_FUZZ=ON >build/fuzz.log 2>&1 ||
    { cat build/fuzz.log >&2; exit 1; }
cmake --build build/fuzz -j "$(nproc)" >>build/fuzz.log 2>&1 || { tail -n 40 build/fuzz.log >&2; exit 1; }
for fuzzer in build/fuzz/fuzz/*_fuzz; do
    name=$(basename "$fuzzer")
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    mkdir -p "build/fuzz/corpus/$name"
    "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 "build/fuzz/corpus/$name" 2>"build/fuzz/$name.log" ||
        { tail -n 60 "build/fuzz/$name.log" >&2; exit 1; }
    echo "$name: $(sed -n 's/^stat::number_of_executed_units: */executions /p' "build/fuzz/$name.log")"
done
