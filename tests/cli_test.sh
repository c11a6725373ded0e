#!/bin/sh
# The program as a user types it: results, exit codes, one clear message for each mistake, no broken file left. usage: cli_test.sh TENON
set -u
tenon=$1
digits=examples/digits/digits.npz
base=examples/digits/pretrained.h5
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
passed=0 failed=0

# expect STATUS PATTERN COMMAND…: the exit status, and a line on either output that matches.
expect() {
    status=$1 pattern=$2
    shift 2
    "$@" >"$work/out" 2>"$work/err"
    got=$?
    if [ $got -eq "$status" ] && cat "$work/out" "$work/err" | grep -qE -e "$pattern"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $*"
        echo "  wanted exit $status and '$pattern', got exit $got and:"
        cat "$work/out" "$work/err" | head -n 8 | sed 's/^/    /'
    fi
}
same() { # two files are equal
    if cmp -s "$1" "$2"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $1 changed"; fi
}
no_debris() { # nothing but what is named is in the folder
    left=$(ls -A "$1" | grep -vxE "$2")
    if [ -z "$left" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: left in $1: $left"; fi
}

expect 0 '^usage: tenon COMMAND' "$tenon" --help
expect 0 '^tenon [0-9]' "$tenon" --version
expect 2 'wants a command' "$tenon"
expect 2 "no command 'sumary'" "$tenon" sumary
for command in summary inspect doctor diff plot predict evaluate train extend convert plan profile; do
    expect 0 "usage: tenon $command" "$tenon" $command --help
    expect 2 "unknown option '--nonsense'" "$tenon" $command --nonsense
done
expect 2 'wants MODEL' "$tenon" summary
expect 2 'too many operands' "$tenon" summary a b
expect 2 'wants --input' "$tenon" predict "$base"
expect 2 '--epochs takes a whole number' "$tenon" extend "$base" --add 'dense(3)' --data "$digits" --epochs many --output "$work/x.keras"

expect 1 "nowhere.keras.*No such file" "$tenon" summary "$work/nowhere.keras"
expect 1 'Unknown layer|nobody knows|there are:' "$tenon" extend "$base" --add 'danse(10)' --output "$work/x.keras"
expect 1 "no argument 'unit'" "$tenon" extend "$base" --add 'dense(unit=10)' --output "$work/x.keras"
expect 1 'units' "$tenon" extend "$base" --add 'dense(0)' --output "$work/x.keras"
expect 1 'leaves nothing' "$tenon" extend "$base" --drop-last 99 --add 'dense(3)' --output "$work/x.keras"
no_debris "$work" 'out|err'

expect 0 'Conv2D' "$tenon" summary "$base"
expect 0 'Conv2D.*float32 \(4, ' "$tenon" plan "$base" --batch-size 4
if grep -q ' Cast ' "$work/out"; then failed=$((failed + 1)); echo "FAILED: a Cast to its own type is a step"; fi
expect 0 'runs of .* us' "$tenon" profile "$base"
expect 1 "nowhere.keras.*No such file" "$tenon" plan "$work/nowhere.keras"
expect 2 'batch-size' "$tenon" profile "$base" --batch-size many
expect 0 'saved' "$tenon" extend "$base" --drop-last 1 --freeze --add 'dense(10, softmax)' --data "$digits" --epochs 3 --optimizer 'adam(3e-3)' --seed 1 --output "$work/m.keras"
expect 0 '^accuracy: 0\.9' "$tenon" evaluate "$work/m.keras" --data "$digits"
expect 0 '' "$tenon" predict "$work/m.keras" --input "$digits" --output "$work/p.npy"
expect 0 '^0|^[0-9.e-]+,' "$tenon" predict "$work/m.keras" --input "$digits"
expect 0 'saved' "$tenon" convert "$work/m.keras" "$work/m.h5"
expect 0 'saved' "$tenon" convert "$work/m.keras" "$work/m.json"
expect 0 'saved' "$tenon" convert "$work/m.keras" "$work/m.weights.h5"
expect 0 'saved' "$tenon" convert "$work/m.keras" "$work/m.ckpt"
expect 0 'TensorFlow checkpoint' "$tenon" inspect "$work/m.ckpt"
expect 0 'softmax|Dense' "$tenon" summary "$work/m.json" --weights "$work/m.ckpt"
expect 0 'softmax|Dense' "$tenon" summary "$work/m.json" --weights "$work/m.weights.h5"
"$tenon" predict "$work/m.h5" --input "$digits" --output "$work/q.npy" --quiet
same "$work/p.npy" "$work/q.npy"
"$tenon" predict "$work/m.json" --weights "$work/m.weights.h5" --input "$digits" --output "$work/q.npy" --quiet
same "$work/p.npy" "$work/q.npy"

printf 'a,b,kind\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n' >"$work/xor.csv"
expect 0 'saved' "$tenon" train --layers 'input(2); dense(8, tanh); dense(2, softmax)' --data "$work/xor.csv" --target kind --epochs 2 --seed 3 --output "$work/xor.keras"
expect 1 "no column 'colour'" "$tenon" train --layers 'input(2); dense(2)' --data "$work/xor.csv" --target colour --output "$work/y.keras"
expect 1 'incompatible|expected shape' "$tenon" predict "$work/xor.keras" --input "$digits"

cp "$work/m.keras" "$work/good.keras"
head -c 5000 "$work/m.keras" >"$work/short.keras"
expect 1 'short.keras|zip|truncated|damaged|end' "$tenon" summary "$work/short.keras"
head -c 20000 "$base" >"$work/short.h5"
expect 1 '.' "$tenon" summary "$work/short.h5"
printf 'not a model' >"$work/text.keras"
expect 1 '.' "$tenon" summary "$work/text.keras"

mkdir "$work/folder.keras" "$work/locked"
expect 1 'folder' "$tenon" convert "$work/m.keras" "$work/folder.keras"
mkfifo "$work/pipe.keras"
expect 1 'not a regular file' "$tenon" convert "$work/m.keras" "$work/pipe.keras"
cp "$work/m.keras" "$work/target.keras"
expect 1 'Unable to write|File too large|could not' sh -c "ulimit -f 8; trap '' XFSZ; exec '$tenon' convert '$work/m.h5' '$work/target.keras'"
same "$work/target.keras" "$work/good.keras"
if [ "$(id -u)" != 0 ]; then
    chmod a-w "$work/locked"
    expect 1 'ermission denied' "$tenon" convert "$work/m.keras" "$work/locked/m.keras"
fi
expect 1 'No such file|folder' "$tenon" convert "$work/m.keras" "$work/nofolder/m.keras"
no_debris "$work/locked" '-'
if ls -A "$work" | grep -qE '\.(keras|h5)\.'; then failed=$((failed + 1)); echo "FAILED: temporary files left"; ls -A "$work"; fi

# What a user types by mistake.
layers='input(8, 8, 1); flatten(); dense(10, softmax)'
expect 2 '--add wants a layer' "$tenon" extend "$base" --add ' ' --output "$work/x.keras"
expect 2 'wants --output' "$tenon" train --layers "$layers" --data "$digits"
expect 1 "multiple values for argument 'units'" "$tenon" extend "$base" --add 'dense(10, units=3)' --output "$work/x.keras"
expect 1 'no closing parenthesis' "$tenon" extend "$base" --add 'dense(10' --output "$work/x.keras"
expect 1 "Unknown activation: 'sofmax'" "$tenon" extend "$base" --add 'dense(10, sofmax)' --output "$work/x.keras"
expect 1 "Unknown loss: 'mxe'" "$tenon" extend "$base" --add 'dense(10)' --data "$digits" --loss mxe --output "$work/x.keras"
expect 1 "Unknown metric: 'acuracy'" "$tenon" extend "$base" --add 'dense(10)' --data "$digits" --metrics acuracy --output "$work/x.keras"
expect 1 "Unknown optimizer: 'adm'" "$tenon" extend "$base" --add 'dense(10)' --data "$digits" --optimizer adm --output "$work/x.keras"
expect 1 'used 2 times' "$tenon" extend "$base" --add 'dense(2, name=dense)' --output "$work/x.keras"
expect 1 'outputs are of 5 classes' "$tenon" evaluate "$base" --data "$digits"
expect 1 'expected shape=\(None, 64\)' "$tenon" train --layers 'input(64); dense(10, softmax)' --data "$digits" --output "$work/x.keras"
expect 1 'no .keras file' "$tenon" summary "$digits"
[ ! -e "$work/x.keras" ] || { failed=$((failed + 1)); echo "FAILED: a mistake left a model"; }

# Where the result cannot go is said before anything is trained.
mkdir "$work/taken.keras"
expect 1 'ends in .keras or .h5' "$tenon" train --layers "$layers" --data "$digits" --epochs 100000 --output "$work/x.txt"
expect 1 'there is no folder' "$tenon" train --layers "$layers" --data "$digits" --epochs 100000 --output "$work/nofolder/x.keras"
expect 1 'is a folder' "$tenon" train --layers "$layers" --data "$digits" --epochs 100000 --output "$work/taken.keras"
rmdir "$work/taken.keras"

# Tables.
printf '0,0,0\n0,1,1\n1,0,1\n1,1,0\n' >"$work/plain.csv"
printf '0,0\n0,1\n1,0\n1,1\n' >"$work/inputs.csv"
: >"$work/empty.csv"
printf 'a,b,kind\n' >"$work/header.csv"
xor='input(2); dense(8, tanh); dense(2, softmax)'
expect 0 'saved' "$tenon" train --layers "$xor" --data "$work/plain.csv" --epochs 1 --output "$work/y.keras"
expect 1 "no column '7'" "$tenon" train --layers "$xor" --data "$work/plain.csv" --target 7 --epochs 1 --output "$work/x.keras"
expect 1 'no rows' "$tenon" train --layers "$xor" --data "$work/empty.csv" --output "$work/x.keras"
expect 1 'no rows' "$tenon" train --layers "$xor" --data "$work/header.csv" --output "$work/x.keras"
"$tenon" predict "$work/xor.keras" --input "$work/inputs.csv" >"$work/p.csv"
"$tenon" predict "$work/xor.keras" --input "$work/xor.csv" --target kind >"$work/q.csv"
same "$work/p.csv" "$work/q.csv"
"$tenon" predict "$work/xor.keras" --input - <"$work/inputs.csv" >"$work/q.csv"
same "$work/p.csv" "$work/q.csv"

# Arrays of other names are taken in order, and the program says which for what.
python3 - "$digits" "$work/named.npz" <<'EOF'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as old, zipfile.ZipFile(sys.argv[2], "w") as new:
    for was, name in ("x_test", "images"), ("y_test", "labels"):
        new.writestr(name + ".npy", old.read(was + ".npy"))
EOF
taking="taking 'images' as x, 'labels' as y"
expect 0 "$taking" "$tenon" train --layers "$layers" --data "$work/named.npz" --epochs 1 --output "$work/x.keras"
expect 0 "$taking" "$tenon" evaluate "$work/x.keras" --data "$work/named.npz"
expect 1 'name the arrays after the inputs' "$tenon" predict "$work/x.keras" --input "$work/named.npz"
rm "$work/x.keras"

expect 2 "unknown option '--epoch', did you mean --epochs" "$tenon" train --epoch 3
expect 2 "unknown option '--epochs-of'" "$tenon" train --epochs-of 3

# Progress: two lines an epoch where it is no terminal, nothing with --quiet; a reader that goes away costs no model.
expect 0 '^45/45 - ' "$tenon" train --layers "$layers" --data "$digits" --epochs 2 --output "$work/x.keras"
[ "$(wc -l <"$work/out")" -eq 4 ] || { failed=$((failed + 1)); echo "FAILED: progress of two epochs:"; cat "$work/out"; }
rm -f "$work/x.keras"
"$tenon" train --layers "$layers" --data "$digits" --epochs 2 --output "$work/x.keras" --quiet >"$work/out" 2>"$work/err"
[ ! -s "$work/out" ] && [ ! -s "$work/err" ] || { failed=$((failed + 1)); echo "FAILED: --quiet printed"; cat "$work/out" "$work/err"; }
expect 0 'Dense' "$tenon" summary "$work/x.keras"
rm -f "$work/x.keras"
"$tenon" train --layers "$layers" --data "$digits" --epochs 9 --output "$work/x.keras" 2>/dev/null | head -n 1 >/dev/null
expect 0 'Dense' "$tenon" summary "$work/x.keras"
rm -f "$work/x.keras"
"$tenon" train --layers "$layers" --data "$digits" --epochs 1000000 --output "$work/x.keras" >"$work/out" 2>"$work/err" &
training=$!
for wait in 1 2 3 4 5 6 7 8 9 10; do grep -q '^Epoch 2' "$work/out" || sleep 1; done
kill -TERM $training 2>/dev/null
wait $training
expect 0 'Dense' "$tenon" summary "$work/x.keras"
rm -f "$work/x.keras"

# Looking: tables, files, drawings, curves.
printf '%s' '{"class_name": "Sequential", "config": {"name": "odd", "layers": [{"class_name": "Mystery", "config": {"name": "m"}},
    {"class_name": "Riddle", "config": {}}]}}' >"$work/odd.json"
expect 0 '^│ dense \(Dense\) .* Y  *│$' "$tenon" summary "$base" --show-trainable --expand-nested --line-length 100
expect 2 '--line-length takes a whole number' "$tenon" summary "$base" --line-length wide
expect 1 'Insufficient console width' "$tenon" summary "$base" --line-length 9
expect 0 '^keras_version: 2' "$tenon" inspect "$base"
expect 0 '^total: 4 arrays' "$tenon" inspect "$digits"
expect 0 '^unknown classes: Mystery, Riddle$' "$tenon" inspect "$work/odd.json"
expect 0 '"format": "keras"' "$tenon" inspect --json "$work/good.keras"
expect 0 '^damaged: ' "$tenon" inspect "$work/short.keras"
expect 0 '^    Dense dense$' "$tenon" inspect "$work/short.h5"
expect 1 'File format not supported' "$tenon" inspect "$work/text.keras"
expect 1 'No such file' "$tenon" inspect "$work/nowhere"
expect 2 'wants FILE' "$tenon" inspect
expect 2 '--json takes no value' "$tenon" inspect --json=yes "$base"

valid_json() { # what was printed is JSON
    if python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$work/out"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: no JSON"; fi
}

# What is wrong with a file, and a mended copy.
cp "$base" "$work/base.h5"
expect 0 '^nothing found$' "$tenon" doctor "$work/m.keras"
expect 0 '^  dense/kernel float32 \(2, 8\) of Dense .dense.$' "$tenon" doctor "$work/xor.keras"
expect 1 "^1. refused by Keras 3: Keras 3 does not open DepthwiseConv2D 'depthwise_conv2d': the key 'groups'$" "$tenon" doctor "$work/base.h5"
expect 1 '^   mend: tenon doctor .*base.h5 --fix OUT.keras' "$tenon" doctor "$work/base.h5"
expect 1 '"kind": "refused by Keras 3"' "$tenon" doctor --json "$work/base.h5"
valid_json
expect 0 "^mended: wrote the config in Keras 3's words$" "$tenon" doctor "$work/base.h5" --fix "$work/mended.keras"
same "$base" "$work/base.h5"
expect 0 '^nothing found$' "$tenon" doctor "$work/mended.keras"
expect 0 '"open": 0' "$tenon" doctor --json "$work/base.h5" --fix "$work/mended.keras"
valid_json
expect 0 'not mended: nothing was found' "$tenon" doctor "$work/mended.keras" --fix "$work/again.keras"
expect 1 'is the file that was examined' "$tenon" doctor "$work/base.h5" --fix "$work/base.h5"
expect 1 'there is no folder|No such file' "$tenon" doctor "$work/base.h5" --fix "$work/nofolder/mended.keras"
expect 1 '^[0-9]+. other shape: the variable .dense/kernel. is' "$tenon" doctor "$work/xor.keras" "$work/m.keras"
expect 1 '^not mended: ' "$tenon" doctor "$work/xor.keras" "$work/m.keras" --fix "$work/again.keras"
expect 0 '^nothing found$' "$tenon" doctor "$work/m.json" "$work/m.weights.h5"
expect 1 "unknown layer: nobody knows the class 'Mystery' of the layer 'm'" "$tenon" doctor "$work/odd.json"
expect 1 '^1. damaged: ' "$tenon" doctor "$work/short.keras"
expect 1 'File format not supported' "$tenon" doctor "$work/text.keras"
expect 1 'No such file' "$tenon" doctor "$work/nowhere"
expect 1 'No such file' "$tenon" doctor "$work/m.keras" "$work/nowhere"
expect 2 'wants MODEL' "$tenon" doctor
expect 2 'too many operands' "$tenon" doctor "$base" "$base" "$base"
expect 2 '--fix wants|wants a value|--fix' "$tenon" doctor "$base" --fix
[ ! -e "$work/again.keras" ] || { failed=$((failed + 1)); echo "FAILED: a copy of what was not mended"; }

# Two files side by side.
expect 0 '^14 variables are equal' "$tenon" diff "$work/xor.keras" "$work/xor.keras"
expect 0 'variables are equal' "$tenon" diff "$work/m.keras" "$work/m.weights.h5"
expect 0 'an architecture has no values' "$tenon" diff "$work/m.json" "$work/m.weights.h5"
expect 0 '^4 variables are equal' "$tenon" diff "$digits" "$digits"
expect 1 '^only in b: conv2d/kernel float32 \(3, 3, 1, 24\)$' "$tenon" diff "$work/xor.keras" "$base"
expect 1 '^dense/kernel: float32 \(2, 8\); largest difference ' "$tenon" diff "$work/xor.keras" "$work/y.keras"
"$tenon" convert "$work/xor.keras" "$work/xor.weights.h5" --quiet
"$tenon" convert "$work/y.keras" "$work/y.weights.h5" --quiet
expect 0 'variables are equal' "$tenon" diff "$work/xor.weights.h5" "$work/y.weights.h5" --tolerance 1e9
expect 1 '"largest": ' "$tenon" diff --json "$work/xor.keras" "$work/y.keras"
valid_json
expect 0 '"differences": 0' "$tenon" diff --json "$work/xor.keras" "$work/xor.keras"
valid_json
expect 1 "config: m: \"Mystery\" and nothing|config: m class_name" "$tenon" diff "$work/odd.json" "$work/m.json"
expect 1 'short.keras' "$tenon" diff "$work/m.keras" "$work/short.keras"
expect 1 'No such file' "$tenon" diff "$work/m.keras" "$work/nowhere"
expect 2 'wants A B' "$tenon" diff "$base"
expect 2 'too many operands' "$tenon" diff "$base" "$base" "$base"
expect 2 '--tolerance takes a number' "$tenon" diff "$base" "$base" --tolerance near
expect 2 '--tolerance takes a number' "$tenon" diff "$base" "$base" --tolerance -1
expect 0 'saved' "$tenon" plot "$base" --output "$work/p.svg" --show-dtype --show-activations --show-trainable --rankdir LR --expand-nested
expect 0 '<tspan font-weight="bold">dense</tspan> \(Dense\)' "$tenon" plot "$base"
expect 0 '<tspan font-weight="bold">Dense</tspan><' "$tenon" plot "$base" --hide-names --hide-shapes
"$tenon" plot "$base" --output "$work/q.svg" --quiet >"$work/out" 2>"$work/err"
[ ! -s "$work/out" ] && [ ! -s "$work/err" ] || { failed=$((failed + 1)); echo "FAILED: plot --quiet printed"; cat "$work/out" "$work/err"; }
"$tenon" plot "$base" | cmp -s - "$work/q.svg" || { failed=$((failed + 1)); echo "FAILED: plot to a file and to standard output differ"; }
expect 2 '--rankdir takes TB or LR' "$tenon" plot "$base" --rankdir DOWN
expect 1 'ends in .svg' "$tenon" plot "$base" --output "$work/x.png"
expect 1 'there is no folder' "$tenon" plot "$base" --output "$work/nofolder/x.svg"
expect 0 'saved .*c.svg' "$tenon" train --layers "$layers" --data "$digits" --epochs 2 --output "$work/x.keras" --curves "$work/c.svg"
grep -q '>validation<' "$work/c.svg" || { failed=$((failed + 1)); echo "FAILED: no validation among the curves"; }
rm -f "$work/x.keras"
expect 1 '--curves: a drawing' "$tenon" train --layers "$layers" --data "$digits" --epochs 100000 --output "$work/x.keras" --curves "$work/c.png"
expect 1 'there is no folder' "$tenon" train --layers "$layers" --data "$digits" --epochs 100000 --output "$work/x.keras" --curves "$work/no/c.svg"
expect 1 'cannot both be standard output' "$tenon" train --layers "$layers" --data "$digits" --output - --curves -
expect 2 '--curves wants --data' "$tenon" extend "$base" --add 'dense(3)' --output "$work/x.keras" --curves "$work/c.svg"
[ ! -e "$work/x.keras" ] || { failed=$((failed + 1)); echo "FAILED: a mistake left a model"; }

# A result that cannot be printed is told, whatever the command.
for arguments in --help --version 'summary --help' "summary $base" "inspect $base" "doctor $work/m.keras" "diff $base $base" "plot $base" "predict $base --input $digits"; do
    if [ -w /dev/full ]; then
        expect 1 'standard output.*No space left' sh -c "exec '$tenon' $arguments >/dev/full"
    fi
    (trap '' PIPE; sleep 0.1; "$tenon" $arguments 2>"$work/err"; echo $? >"$work/status") | true
    [ "$(cat "$work/status")" = 1 ] && grep -q 'standard output.*Broken pipe' "$work/err" ||
        { failed=$((failed + 1)); echo "FAILED: a closed pipe after $arguments:"; cat "$work/status" "$work/err"; }
done

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
