#!/bin/sh
# Builds the program from source: build_program.sh FOLDER. It runs in an image with Rust, on Debian or Amazon Linux.
set -eu
folder=$1

fail() { printf 'build_program: %s\n' "$*" >&2; exit 1; }

command -v cargo >/dev/null || fail "no cargo in this image: set RUST_IMAGE to one with Rust"
command -v cc >/dev/null || fail "no C compiler in this image: set RUST_IMAGE to one with a C compiler"
command -v bash >/dev/null || fail "no bash in this image: set RUST_IMAGE to one with bash"
if ! python3 -c 'import ensurepip' 2>/dev/null; then
  command -v apt-get >/dev/null || fail "no python3 with venv in this image: set RUST_IMAGE to one with it"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv
fi
python3 -m venv /tmp/portable
/tmp/portable/bin/pip install --quiet --no-cache-dir --disable-pip-version-check -r tests/python/requirements-portable.txt
PORTABLE_VENV=/tmp/portable bash tools/build_portable.sh lambda-executor-function
mkdir -p "$folder"
cp build/function/lambda-executor-function "$folder/"
