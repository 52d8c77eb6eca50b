#!/usr/bin/env bash
# Builds the library with the export that panics into build/panic-injection, if it is older than the shipped one. One test
# target is among what is built so that the dependencies keep the features that `make build` gave them, and only the root
# package is compiled again. cargo gives both libraries the same place and takes either for the other, so the shipped one
# is put back by hand: in place, since cargo's two names for it are one file.
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
