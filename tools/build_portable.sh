#!/usr/bin/env bash
# Builds the shipped files into build/portable. They run on every Linux with glibc 2.26 or newer (Amazon Linux 2,
# Debian 10, Ubuntu 18.04), independent of this machine's glibc: zig compiles C code for that glibc and links against it.
#
#   tools/build_portable.sh [--native] [PACKAGE]...    default: all of these
#
#   lambda-executor            liblambda_executor.so, liblambda_executor.a
#   lambda-executor-local      lambda-executor-local
#   lambda-executor-function   lambda-executor-function, also copied to build/function
#
#   --native                   with this machine's glibc and linker, into build/native, for make install
#
# Needs cargo, and cargo-zigbuild and ziglang of tests/python/requirements-portable.txt in build/venvs/portable
# (tools/setup.sh creates it) or in the environment PORTABLE_VENV. --native needs only cargo and a C compiler.
set -euo pipefail
cd "$(dirname "$0")/.."

glibc=2.26
machine=x86_64-unknown-linux-gnu
profile=dist
venv=${PORTABLE_VENV:-build/venvs/portable}

fail() { printf 'build_portable: %s\n' "$*" >&2; exit 1; }

# Shipped files must not contain folder names of the build machine.
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
  # cargo-zigbuild looks for Python's ziglang on PATH.
  PATH=$(realpath "$venv")/bin:$PATH
  built=${CARGO_TARGET_DIR:-target}/$machine/$profile
  build() { cargo-zigbuild rustc --quiet --locked --profile "$profile" --target "$machine.$glibc" "$@"; }
fi

# rustc's static library exports all functions of the TLS library and of Rust's standard library, which may clash with
# the same names in a program. This makes one object that exports only the functions of the header, like the shared
# library. It omits unused code, debug lines, and LLVM's bitcode, which some linkers try to read.
seal_archive() { # static library, shared library, output
  local object exports
  object=$(mktemp "${TMPDIR:-/tmp}/lambda_executor.XXXXXX.o")
  mapfile -t exports < <(nm --dynamic --defined-only --format=posix "$2" | cut -d " " -f 1)
  ld -r --gc-sections --force-group-allocation "${exports[@]/#/--undefined=}" -o "$object" "$1"
  objcopy --strip-unneeded --remove-section=.llvmbc --remove-section=.llvmcmd --remove-section=.llvm_addrsig \
    "${exports[@]/#/--keep-global-symbol=}" "$object"
  rm -f "$3"
  # A fixed name of the member, so that the same sources give the same file.
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
      # Without the rlib that Cargo.toml adds for development: with it, neither gets link-time optimisation.
      build -p "$package" --lib --crate-type cdylib,staticlib
      put liblambda_executor.so "$folder"
      seal_archive "$built/liblambda_executor.a" "$folder/liblambda_executor.so" "$folder/liblambda_executor.a"
      printf '%s: %s bytes\n' "$folder/liblambda_executor.a" "$(stat -c %s "$folder/liblambda_executor.a")" ;;
    lambda-executor-local | lambda-executor-function)
      build -p "$package" --bin "$package"
      put "$package" "$folder"
      [ "$folder/$package" != build/portable/lambda-executor-function ] || put "$package" build/function ;;
    *) fail "unknown package '$package' (expected lambda-executor, lambda-executor-local or lambda-executor-function)" ;;
  esac
done
