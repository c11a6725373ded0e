#!/bin/sh
# Installs what building, testing or exchanging files with Keras needs and is not there: Debian packages, as root. Without root, or on
# another system, it names them and stops. usage: setup.sh build|test|neon|interop
set -eu
what=${1:-build}
missing=

want() { # a package, and the command that shows it is there
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
has_header() { printf '#include <%s>\n' "$1" | ${CC:-cc} -E -x c - ; }
has_cmocka() { printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n#include <cmocka.h>\n' | ${CC:-cc} -E -x c - ; }

want gcc command -v "${CC:-cc}"
want libc6-dev has_header stdio.h
want cmake command -v cmake
want make command -v make
want zlib1g-dev has_header zlib.h
want libjansson-dev has_header jansson.h
if [ "$what" = test ]; then
    want g++ command -v "${CXX:-c++}"
    want libcmocka-dev has_cmocka
    want python3 command -v python3
    want clang command -v clang
    want pkg-config command -v pkg-config
fi
if [ "$what" = test ] && [ "$(id -u)" = 0 ] && command -v dpkg >/dev/null 2>&1; then # tests do without where nobody may install it
    want libdnnl2 sh -c 'ls /usr/lib/*/libdnnl.so.[23]*'
fi
if [ "$what" = neon ]; then
    want gcc-aarch64-linux-gnu command -v aarch64-linux-gnu-gcc
    want g++-aarch64-linux-gnu command -v aarch64-linux-gnu-g++
    want qemu-user command -v qemu-aarch64
fi
if [ "$what" = interop ]; then
    want python3 command -v python3
    want python3-venv python3 -c 'import venv, ensurepip'
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "setup: installing$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    # shellcheck disable=SC2086 # a list of words
    apt-get install -y -qq --no-install-recommends $missing >&2
else
    echo "setup: these packages are missing:$missing" >&2
    echo "setup: install them (on Debian and Ubuntu, as root: apt-get install$missing) and try again" >&2
    exit 1
fi
