#!/bin/sh
# Every example program, as it is built, in a folder where the digits lie: it ends well and says what it should.
# usage: examples_test.sh BUILD
set -u
programs=$(cd "$1/examples" && pwd) || exit 1
digits=$(pwd)/examples/digits
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
mkdir -p "$work/examples/digits"
cp "$digits/digits.npz" "$digits/pretrained.h5" "$work"
cp "$digits/digits.npz" "$digits/pretrained.h5" "$work/examples/digits"
cd "$work" || exit 1

runs() { # PATTERN COMMAND…
    pattern=$1
    shift
    "$@" >out 2>err
    status=$?
    if [ $status -eq 0 ] && [ ! -s err ] && grep -qE -e "$pattern" out; then
        echo "ok: $(basename "$1")"
        return
    fi
    failed=$((failed + 1))
    echo "FAILED: $*: exit $status, wanted a line '$pattern' and nothing on standard error; got"
    head -n 20 out err
}

runs '^accuracy on held-back images (0\.9|1\.0)' "$programs/extend"
runs '^32 units, mine/weight$' "$programs/custom_layer"
runs '^epoch 3: loss [0-9.]*, accuracy 0\.[6-9]' "$programs/train_loop"
if [ -x "$programs/extend_from_cpp" ]; then runs '^\(2, 10\)$' "$programs/extend_from_cpp"; fi
cp extended_in_c.keras extended.keras
runs '^thread 7: (100\.0000|99\.9999).* \(status 0\)$' "$programs/predict_threads"
runs '^[0-9] -> [0-9]' "$programs/show_digits" extended.keras digits.npz
runs '^saved line-200$' "$programs/session"
for program in "$programs"/*; do # an example that nobody runs
    case $(basename "$program") in
    extend | custom_layer | train_loop | session | extend_from_cpp | predict_threads | show_digits | interop_*) ;;
    seeds) ;; # each in a test of its own
    *) failed=$((failed + 1)); echo "FAILED: $(basename "$program") is not run here" ;;
    esac
done
[ $failed -eq 0 ]
