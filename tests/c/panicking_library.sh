#!/usr/bin/env bash
# Builds the library with the export that panics into build/panic-injection, if it is older than the shipped one. The build
# includes one test target, so that the dependencies keep the features of `make build` and only the root package is
# compiled again. cargo uses the same path for both libraries and cannot distinguish them, so this script restores the
# shipped one: in place, since cargo's two names for it are one file.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}/debug")
folder=build/panic-injection
[ ! "$folder/liblambda_executor.so" -nt "$target/liblambda_executor.so" ] || exit 0
mkdir -p "$folder"
cp "$target/liblambda_executor.so" "$folder/shipped"
trap 'cp "$folder/shipped" "$target/liblambda_executor.so"; touch "$folder/liblambda_executor.so"' EXIT
cargo build --quiet --locked --workspace --lib --test header --features lambda-executor/panic-injection
cp "$target/liblambda_executor.so" "$folder/"
ln -sf liblambda_executor.so "$folder/liblambda_executor.so.1"
