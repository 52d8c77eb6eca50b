#!/usr/bin/env bash
# Builds what is shipped of one package, so that it runs on every Linux with glibc 2.26 or newer (Amazon Linux 2, Debian
# 10, Ubuntu 18.04), whatever this machine has: zig links against that glibc, and compiles the C code for it.
#
#   tools/build_portable.sh lambda-executor-function   build/function/lambda-executor-function
#   tools/build_portable.sh lambda-executor-local      build/local/lambda-executor-local
#   tools/build_portable.sh lambda-executor            build/library/liblambda_executor.so
#
# Needs cargo, and cargo-zigbuild and ziglang of tests/python/requirements-portable.txt in build/venvs/portable
# (tools/setup.sh makes it), or in the environment that PORTABLE_VENV names.
set -euo pipefail
cd "$(dirname "$0")/.."

glibc=2.26
machine=x86_64-unknown-linux-gnu
profile=dist
venv=${PORTABLE_VENV:-build/venvs/portable}

fail() { printf 'build_portable: %s\n' "$*" >&2; exit 1; }

# One artefact alone: beside an rlib, a cdylib would be built without link-time optimisation.
case ${1:-} in
  lambda-executor-function) what=(--bin "$1") artefact=$1 folder=build/function ;;
  lambda-executor-local) what=(--bin "$1") artefact=$1 folder=build/local ;;
  lambda-executor) what=(--lib --crate-type cdylib) artefact=liblambda_executor.so folder=build/library ;;
  *) fail "which package? lambda-executor-function, lambda-executor-local or lambda-executor, not '${1:-}'" ;;
esac

[ -x "$venv/bin/cargo-zigbuild" ] || fail "no cargo-zigbuild in $venv: run make setup"
# For cargo-zigbuild, which looks for Python's ziglang there.
PATH=$(realpath "$venv")/bin:$PATH
cargo-zigbuild rustc --quiet --locked --profile "$profile" --target "$machine.$glibc" -p "$1" "${what[@]}"
install -D -C "${CARGO_TARGET_DIR:-target}/$machine/$profile/$artefact" "$folder/$artefact"
printf '%s: %s bytes\n' "$folder/$artefact" "$(stat -c %s "$folder/$artefact")"
