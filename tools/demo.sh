#!/bin/sh
# The main job on real data: a model that Keras 2 trained on the digits 0 to 4 learns all ten. usage: demo.sh BUILD
set -eu
build=$1
demo=build/demo
tenon=$build/tenon
digits=examples/digits/digits.npz
base=examples/digits/pretrained.h5
rm -rf "$demo"
mkdir -p "$demo"

say() { printf '\n--- %s\n' "$*"; }
show() {
    printf '$ %s\n' "$*"
    "$@"
}

say "a model that Keras 2 trained on the digits 0 to 4 (today's Keras refuses to open it)"
show "$tenon" summary "$base"

say "its last layer replaced by one for ten digits, not trained yet: accuracy on images it has not seen"
show "$tenon" extend "$base" --drop-last 1 --freeze --scope new_layer_scope --add 'dense(10, softmax, name=new_dense)' \
    --output "$demo/untrained.keras" --seed 0
show "$tenon" evaluate "$demo/untrained.keras" --data "$digits"

say "the same, trained on all ten"
show "$tenon" extend "$base" --drop-last 1 --freeze --scope new_layer_scope --add 'dense(10, softmax, name=new_dense)' \
    --data "$digits" --epochs 5 --optimizer 'adam(3e-3)' --seed 0 --output "$demo/extended.keras"
show "$tenon" evaluate "$demo/extended.keras" --data "$digits" | tee "$demo/after.txt"
accuracy=$(sed -n 's/^accuracy: //p' "$demo/after.txt")
awk "BEGIN { exit !($accuracy >= 0.93) }" || { echo "demo: the accuracy after training is only $accuracy" >&2; exit 1; }

say "loaded again: some of the images, and what it takes them for"
show "$tenon" predict "$demo/extended.keras" --input "$digits" --output "$demo/predicted.npy"
show "$build/examples/show_digits" "$demo/extended.keras" "$digits"

say "and the same job as a C program, examples/extend.c"
cp "$digits" "$base" "$demo"
program=$(cd "$build" && pwd)/examples/extend
(cd "$demo" && show "$program")

say "saved: $demo/extended.keras and $demo/extended_in_c.keras; Keras 3 opens both (make interop tries it)"
