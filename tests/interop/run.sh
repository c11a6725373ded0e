#!/bin/sh
# Files between tenon and the real Keras 2 and 3: what tenon writes they open, with the same numbers; what they would train from it,
# they train alike. usage: run.sh BUILD
set -eu
build=$1
export PYTHONDONTWRITEBYTECODE=1 # nothing beside the sources
here=$(dirname "$0")
python=$(sh "$here/venv.sh" | tail -n 1)
work=build/interop
digits=examples/digits/digits.npz
base=examples/digits/pretrained.h5
rm -rf "$work"
mkdir -p "$work"

"$build/tenon" extend "$base" --drop-last 1 --freeze --scope new_layer_scope --add 'dense(10, softmax, name=new_dense)' --seed 7 \
    --output "$work/untrained.keras" --quiet
"$build/tenon" extend "$base" --drop-last 1 --freeze --scope new_layer_scope --add 'dense(10, softmax, name=new_dense)' --seed 7 \
    --data "$digits" --epochs 2 --output "$work/extended.keras" --quiet
for name in untrained extended; do
    "$build/tenon" convert "$work/$name.keras" "$work/$name.h5" --quiet
    "$build/tenon" convert "$work/$name.keras" "$work/$name.weights.h5" --quiet
    "$build/tenon" predict "$work/$name.keras" --input "$digits" --output "$work/$name.npy" --quiet
done
"$build/examples/interop_finetune" "$work/untrained.keras" "$digits" 11 >"$work/losses.txt"

mkdir "$work/saved"
"$build/examples/interop_saved" "$work/saved"

TF_CPP_MIN_LOG_LEVEL=3 "$python" "$here/check_saved.py" "$work/saved"

mkdir "$work/saved_models"
"$build/examples/interop_saved_models" "$work/saved_models"
TF_CPP_MIN_LOG_LEVEL=3 "$python" "$here/check_saved_models.py" "$work/saved_models" "$build/tenon"

TF_CPP_MIN_LOG_LEVEL=3 "$python" "$here/check_keras3.py" "$work" "$digits"
TF_CPP_MIN_LOG_LEVEL=3 TF_USE_LEGACY_KERAS=1 "$python" "$here/check_keras2.py" "$work" "$digits"

TF_CPP_MIN_LOG_LEVEL=3 "$python" "$here/check_ops.py" "$build/tenon" "$work/ops"

# The programs of examples/seeds/.
TF_USE_LEGACY_KERAS=1 "$python" "$here/check_seeds.py" "$build/examples/seeds" "$build/tenon" "$work/seeds"
TF_CPP_MIN_LOG_LEVEL=3 "$python" "$here/check_checkpoints.py" "$build/examples/interop_checkpoints" "$work/checkpoints"
# Names of scopes, variables and ops of TensorFlow 1 graphs.
"$python" "$here/scopes.py" "$build/examples/interop_scopes" "$work/scopes"

# Random models, in two processes.
mkdir "$work/random"
"$python" "$here/random_models.py" "$build/examples/interop_random" --folder "$work/random/0" --part 0/2 &
"$python" "$here/random_models.py" "$build/examples/interop_random" --folder "$work/random/1" --part 1/2 || { wait $! || :; exit 1; }
wait $!

mkdir "$work/mixed"
"$build/examples/interop_mixed" "$work/mixed"
TF_CPP_MIN_LOG_LEVEL=3 "$python" "$here/check_mixed.py" "$work/mixed"
"$build/examples/interop_mixed" "$work/mixed" continue
TF_CPP_MIN_LOG_LEVEL=3 "$python" "$here/check_mixed.py" "$work/mixed" continued

# HDF5 by itself: what we write h5py reads, and of hundreds of files that h5py writes we read the same as h5py.
"$python" "$here/check_hdf5.py" "$build/tests/formats_hdf5_writer_test"
mkdir "$work/hdf5"
"$python" "$here/hdf5_matrix.py" "$work/hdf5"
"$build/tests/formats_hdf5_hdf5_test" "$work/hdf5" >"$work/hdf5.log" 2>&1 || { tail -n 20 "$work/hdf5.log"; exit 1; }
echo "all of them read as h5py reads them"

# The corpus of recorded models, where there is one: beside the tree, or given.
corpus=${TENON_GOLDEN:-../shared/golden}
if [ -d "$corpus/files" ]; then
    "$python" "$here/check_files.py" "$build/tenon" "$corpus" "$work/files"
fi
