#!/bin/sh
# Makes the Python environment of the interop tests, or brings it up to date:
# the packages of requirements.txt in a virtual environment outside the tree.
#
#   py=$(tests/interop/venv.sh) || exit 1
#   "$py" some_script.py
#
# The last line on stdout is the path of the environment's python; everything
# else goes to stderr. Exit status 1 and one message when it cannot be made.
#
#   TENON_VENV  where it goes (default: ${XDG_CACHE_HOME:-~/.cache}/tenon/venv)
#   PYTHON      the python to make it with (default: python3)

set -u
unset PYTHONPATH PYTHONHOME

say() { printf 'venv.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 1
tree=$(CDPATH='' cd -- "$here/../.." && pwd -P) || exit 1
list=$here/requirements.txt
[ -r "$list" ] || die "cannot read $list"

if [ -n "${TENON_VENV:-}" ]; then
    dir=$TENON_VENV
elif [ -n "${XDG_CACHE_HOME:-}" ]; then
    dir=$XDG_CACHE_HOME/tenon/venv
elif [ -n "${HOME:-}" ]; then
    dir=$HOME/.cache/tenon/venv
else
    die "neither TENON_VENV, XDG_CACHE_HOME nor HOME is set"
fi

# An absolute path without symbolic links in front of the last name, so that
# "inside the tree" can be told by comparing text.
parent=$(dirname -- "$dir")
mkdir -p -- "$parent" || die "cannot make the directory $parent"
parent=$(CDPATH='' cd -- "$parent" && pwd -P) || die "cannot enter $parent"
dir=${parent%/}/$(basename -- "$dir")
case $dir/ in
    "$tree"/*) die "$dir is inside the source tree; set TENON_VENV to a place outside" ;;
esac

python=$dir/bin/python
stamp=$dir/tenon-stamp
sum=$(cksum <"$list") || exit 1

ready() {
    [ -r "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && "$python" -c '' 2>/dev/null
}

# Only a directory that is a virtual environment may be emptied.
check_dir() {
    if [ -e "$dir" ] && [ ! -e "$dir/pyvenv.cfg" ] && [ -n "$(ls -A -- "$dir" 2>&1)" ]; then
        die "$dir is there and is not a virtual environment; remove it or set TENON_VENV"
    fi
}

if ready; then
    say "up to date: $dir"
    printf '%s\n' "$python"
    exit 0
fi

# One at a time; the second one to come finds it made. (While the first one is
# emptying it the directory proves nothing, hence the look at the lock.)
[ -e "$dir.lock" ] || check_dir
if command -v flock >/dev/null 2>&1; then
    exec 9>"$dir.lock" || die "cannot write $dir.lock"
    flock -n 9 || { say "waiting for another venv.sh to finish"; flock 9; }
    if ready; then
        say "up to date: $dir"
        printf '%s\n' "$python"
        exit 0
    fi
fi
check_dir

base=${PYTHON:-python3}
command -v "$base" >/dev/null 2>&1 ||
    die "there is no $base; on Debian: apt-get install python3 python3-venv"
"$base" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' ||
    die "$base is $("$base" --version 2>&1); 3.11, 3.12 or 3.13 is needed (PYTHON=... names another one)"
"$base" -c 'import venv, ensurepip' 2>/dev/null ||
    die "$base has no venv module; on Debian: apt-get install python3-venv"

log=$dir.log
say "making $dir with $("$base" --version 2>&1)"
"$base" -m venv --clear "$dir" >"$log" 2>&1 ||
    die "cannot make a virtual environment in $dir: $(tail -n 1 "$log") (log: $log)"

say "installing the packages of requirements.txt: a few hundred MB to fetch the first time, 1.8 GB on disk"
if ! "$python" -m pip install --disable-pip-version-check --no-input --retries 2 \
        --no-deps -r "$list" >"$log" 2>&1; then
    why=$(grep '^ERROR:' "$log" | tail -n 1)
    die "cannot install the packages of tests/interop/requirements.txt; is the Python package index in reach? ${why:-no message from pip} (log: $log)"
fi

say "trying the imports"
"$python" -c '
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py, keras, numpy, sklearn, tensorflow, tf_keras
' >>"$log" 2>&1 || die "the packages are installed but do not load: $(tail -n 1 "$log") (log: $log)"

printf '%s\n' "$sum" >"$stamp" || die "cannot write $stamp"
rm -f -- "$log"
say "ready: $dir"
printf '%s\n' "$python"
