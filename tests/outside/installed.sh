#!/bin/sh
# Installs a build into a folder of its own, as a package's maker does, and uses it from there as other people's programs do: the program
# itself, C and C++ through pkg-config with the shared and the static library, a CMake project through find_package. Every place that
# tells the version tells the same. In the end it is uninstalled, and nothing is left.
# usage: installed.sh CMAKE TENON_BUILD WORK CC CXX VERSION
set -eu
cmake=$1 tenon_build=$2 work=$3 cc=$4 cxx=$5 version=$6
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$work"
mkdir -p "$work"
cd "$work"
log=$work/log
run() { "$@" >>"$log" 2>&1 || { tail -n 40 "$log"; echo "FAILED: $*"; exit 1; }; }
is() { [ "$2" = "$3" ] || { echo "$1: expected '$2', got '$3'"; exit 1; }; }
says() { # a program, what it is
    said=$("$1")
    echo "$2: $said"
    case $said in "tenon $version (2, "*' equal') ;; *) exit 1 ;; esac
}
make_tenon() { # TARGET LIBDIR; -o all: what stands in the build is installed as it is
    run make -C "$here/../.." -o all "$1" BUILD="$tenon_build" PREFIX=/usr/local LIBDIR="$2" DESTDIR="$work/stage"
}

make_tenon install lib/somewhere
make_tenon uninstall lib/somewhere
is "uninstalled" "" "$(find stage ! -type d)"
make_tenon install lib
root=$work/stage/usr/local

is "the program" "tenon $version" "$("$root/bin/tenon" --version)"
is "the manual's page" 1 "$(find "$root/share/man/man1" -name tenon.1 | wc -l)"
is "headers" "$(cd "$here/../../include" && find . -name '*.h' | sort)" "$(cd "$root/include" && find . -type f | sort)"
soname=$(readelf -d "$root/lib/libtenon.so" | sed -n 's/.*soname: \[\(.*\)\]/\1/p')
is "the soname" "libtenon.so.${version%.*}" "$soname"
is "the library's file" "libtenon.so.$version" "$(basename "$(readlink -f "$root/lib/$soname")")"

export PKG_CONFIG_PATH="$root/lib/pkgconfig"
is "pkg-config" "$version" "$(pkg-config --modversion tenon)"
# shellcheck disable=SC2046 # words of a command line
{
    run "$cc" -std=c11 -Wall -Wextra -Werror -o c_shared "$here/program.c" $(pkg-config --cflags --libs tenon) -Wl,-rpath,"$root/lib"
    run "$cxx" -std=c++17 -Wall -Wextra -Werror -o cpp_shared "$here/program.cpp" $(pkg-config --cflags --libs tenon) -Wl,-rpath,"$root/lib"
    run "$cc" -std=c11 -Wall -Wextra -Werror -static -o c_static "$here/program.c" $(pkg-config --static --cflags --libs tenon)
    run "$cxx" -std=c++17 -Wall -Wextra -Werror -static -o cpp_static "$here/program.cpp" $(pkg-config --static --cflags --libs tenon)
}
for program in c_shared cpp_shared c_static cpp_static; do says "./$program" "pkg-config, $program"; done
is "what a program of the shared library need not name" "" "$(readelf -d c_shared | grep -E 'NEEDED.*(libz|jansson)' || true)"

run "$cmake" -S "$here" -B project -DCMAKE_PREFIX_PATH="$root" -DTENON_VERSION="$version" -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx"
run "$cmake" --build project -j 2
for program in c_with_tenon c_with_tenon_static cpp_with_tenon cpp_with_tenon_static; do
    says "project/$program" "find_package, $program"
done

make_tenon uninstall lib
is "uninstalled" "" "$(find stage ! -type d)"
is "folders of tenon's own" "" "$(find stage -name tenon)"
