#!/bin/sh
# Makes the Python environment of the bench's peers that tests/interop/venv.sh does not have: a second one beside that, outside the
# tree. Each package is installed by itself; one that cannot be had is named on stderr and left out, and asked for again the next time.
# The last line on stdout is the path of the environment's python.
#
#   TENON_BENCH_VENV  where it goes (default: ${XDG_CACHE_HOME:-~/.cache}/tenon/bench-venv)
set -u
unset PYTHONPATH PYTHONHOME
dir=${TENON_BENCH_VENV:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/tenon/bench-venv}
tree=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 1
case $dir/ in
    "$tree"/*) echo "bench/venv.sh: $dir is inside the source tree; set TENON_BENCH_VENV" >&2; exit 1 ;;
esac
python=$dir/bin/python
if ! "$python" -c '' 2>/dev/null; then
    mkdir -p -- "$(dirname -- "$dir")" && "${PYTHON:-python3}" -m venv "$dir" >&2 || exit 1
fi

# import name, then what to install
has() {
    "$python" -c "import $1" 2>/dev/null
}
add() {
    "$python" -m pip install --disable-pip-version-check --no-input --retries 2 -q "$@" >&2
}
peer() {
    has "$1" && return
    name=$1
    shift
    add "$@" && has "$name" || echo "bench/venv.sh: no $1: it is left out" >&2
}
peer numpy numpy==2.2.6
peer onnx onnx==1.23.2
peer onnxruntime onnxruntime==1.32.0
peer ai_edge_litert.interpreter ai-edge-litert==2.3.0
peer jax 'jax[cpu]==0.10.2'
# As it stands on PyPI it comes with several GB of libraries for graphics processors, without which it does not load.
peer torch torch==2.15.0
printf '%s\n' "$python"
