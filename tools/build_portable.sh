#!/usr/bin/env bash
# Builds what is shipped, into build/portable: it runs on every Linux with glibc 2.26 or newer (Amazon Linux 2, Debian 10,
# Ubuntu 18.04), whatever this machine has. zig links against that glibc, and compiles the C code for it.
#
#   tools/build_portable.sh [--native] [PACKAGE]...    all of these where none is named:
#
#   lambda-executor            liblambda_executor.so, liblambda_executor.a
#   lambda-executor-local      lambda-executor-local
#   lambda-executor-function   lambda-executor-function, which is also put into build/function
#
#   --native                   for this machine's glibc and by its own linker, into build/native: what make install installs
#
# Needs cargo, and cargo-zigbuild and ziglang of tests/python/requirements-portable.txt in build/venvs/portable
# (tools/setup.sh makes it), or in the environment that PORTABLE_VENV names. --native needs cargo and a C compiler alone.
set -euo pipefail
cd "$(dirname "$0")/.."

glibc=2.26
machine=x86_64-unknown-linux-gnu
profile=dist
venv=${PORTABLE_VENV:-build/venvs/portable}

fail() { printf 'build_portable: %s\n' "$*" >&2; exit 1; }

# No text in what is shipped names folders of the machine that built it.
for place in "$PWD" "${CARGO_HOME:-$HOME/.cargo}/registry/src" "${RUSTUP_HOME:-$HOME/.rustup}"; do
  RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$place=/build"
done
export RUSTFLAGS

folder=build/portable
[ "${1:-}" != --native ] || { folder=build/native; shift; }
[ "$#" -gt 0 ] || set -- lambda-executor lambda-executor-local lambda-executor-function

if [ "$folder" = build/native ]; then
  built=${CARGO_TARGET_DIR:-target}/$profile
  build() { cargo rustc --quiet --locked --profile "$profile" "$@"; }
else
  [ -x "$venv/bin/cargo-zigbuild" ] || fail "no cargo-zigbuild in $venv: run make setup"
  # For cargo-zigbuild, which looks for Python's ziglang there.
  PATH=$(realpath "$venv")/bin:$PATH
  built=${CARGO_TARGET_DIR:-target}/$machine/$profile
  build() { cargo-zigbuild rustc --quiet --locked --profile "$profile" --target "$machine.$glibc" "$@"; }
fi

# The archive that rustc makes shows every function of the TLS library and of Rust's own to the program it is linked
# into, where they meet others of the same names. One object, with the functions of the header alone to be seen, as in
# the shared library; without what none of them needs, debug lines and LLVM's bitcode, which some linkers try to read.
seal_archive() { # archive, shared library, sealed archive
  local object exports
  object=$(mktemp "${TMPDIR:-/tmp}/lambda_executor.XXXXXX.o")
  mapfile -t exports < <(nm --dynamic --defined-only --format=posix "$2" | cut -d " " -f 1)
  ld -r --gc-sections --force-group-allocation "${exports[@]/#/--undefined=}" -o "$object" "$1"
  objcopy --strip-unneeded --remove-section=.llvmbc --remove-section=.llvmcmd --remove-section=.llvm_addrsig \
    "${exports[@]/#/--keep-global-symbol=}" "$object"
  rm -f "$3"
  # The member's name is no temporary one: the same sources give the same archive.
  mv "$object" "$folder/lambda_executor.o"
  ar rcD "$3" "$folder/lambda_executor.o"
  rm "$folder/lambda_executor.o"
}

put() { # file, folder
  install -D -C "$built/$1" "$2/$1"
  printf '%s: %s bytes\n' "$2/$1" "$(stat -c %s "$2/$1")"
}

for package in "$@"; do
  case $package in
    lambda-executor)
      # Beside an rlib, as Cargo.toml has them for development, neither would get link-time optimisation.
      build -p "$package" --lib --crate-type cdylib,staticlib
      put liblambda_executor.so "$folder"
      seal_archive "$built/liblambda_executor.a" "$folder/liblambda_executor.so" "$folder/liblambda_executor.a"
      printf '%s: %s bytes\n' "$folder/liblambda_executor.a" "$(stat -c %s "$folder/liblambda_executor.a")" ;;
    lambda-executor-local | lambda-executor-function)
      build -p "$package" --bin "$package"
      put "$package" "$folder"
      [ "$folder/$package" != build/portable/lambda-executor-function ] || put "$package" build/function ;;
    *) fail "which package? lambda-executor, lambda-executor-local or lambda-executor-function, not '$package'" ;;
  esac
done
