#!/bin/sh
# The libraries that tests of another processor's instructions are linked with: Debian's for arm64, unpacked in a folder. What is
# installed on this machine stays as it is. usage: arm64.sh FOLDER
set -eu
folder=$1
packages="zlib1g-dev libjansson-dev libcmocka-dev libcmocka0" # the first two are linked statically
[ ! -e "$folder/complete" ] || exit 0

for command in apt-get dpkg-deb; do
    command -v $command >/dev/null 2>&1 || {
        echo "arm64: $command is missing, which fetches arm64's $packages" >&2
        exit 1
    }
done
rm -rf "$folder"
mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial"
folder=$(cd "$folder" && pwd)
cat >"$folder/apt/conf" <<END
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "";
Dir::State "$folder/apt";
Dir::State::status "/dev/null";
Dir::Cache "$folder/apt";
END
cd "$folder/apt"
export APT_CONFIG="$folder/apt/conf"
apt-get update -qq >&2
# shellcheck disable=SC2086 # a list of words
apt-get download -qq $packages >&2
for package in *.deb; do
    dpkg-deb -x "$package" "$folder"
done
rm -rf "$folder/apt"
: >"$folder/complete"
