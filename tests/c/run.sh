#!/usr/bin/env bash
# Builds and runs the C tests, each plainly and under valgrind, then checks the header, the examples and a
# small demo. Arguments pick tests: tests/c/run.sh 0007 fork. TEST_VALGRIND=0 leaves valgrind out.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}/debug")
out=build/tests/c
picked=("$@")
mkdir -p "$out"
. tests/checks.sh
ln -sf liblambda_executor.so "$target/liblambda_executor.so.1"
export LAMBDA_EXECUTOR_LOCAL=$target/lambda-executor-local

# The library with the export that panics, beside the shipped one. One test target is among what is built so that the
# dependencies keep the features that `make build` gave them, and only the root package is compiled again. cargo gives both
# libraries the same place and takes either for the other, so the shipped one is put back by hand: in place, since cargo's
# two names for it are one file.
build_panicking_library() {
  local status=0
  [ build/panic-injection/liblambda_executor.so -nt "$target/liblambda_executor.so" ] && return 0
  mkdir -p build/panic-injection
  cp "$target/liblambda_executor.so" build/panic-injection/shipped
  trap 'cp build/panic-injection/shipped "$target/liblambda_executor.so"' EXIT
  cargo build --quiet --locked --workspace --lib --test header --features lambda-executor/panic-injection || status=1
  [ "$status" -ne 0 ] || cp "$target/liblambda_executor.so" build/panic-injection/
  cp build/panic-injection/shipped "$target/liblambda_executor.so"
  trap - EXIT
  [ "$status" -ne 0 ] || touch build/panic-injection/liblambda_executor.so
  ln -sf liblambda_executor.so build/panic-injection/liblambda_executor.so.1
  return "$status"
}

memcheck=(valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect
  --errors-for-leak-kinds=definite,indirect
  --child-silent-after-fork=yes --trace-children=no --suppressions=tests/c/valgrind.supp)
for source in tests/c/[0-9]*.c; do
  name=$(basename "$source" .c)
  wanted "$name" || continue
  library=$target
  if [[ $name == *panic* || $name == *grown* ]]; then
    build_panicking_library || { report "$name (library)" 1 /dev/null; continue; }
    library=$PWD/build/panic-injection
  fi
  cc -std=c99 -Wall -Wextra -Wpedantic -Werror -g -pthread -Iinclude -o "$out/$name" "$source" \
    -L"$library" -llambda_executor -Wl,-rpath,"$library" >"$out/log" 2>&1 || { report "$name (compile)" 1 "$out/log"; continue; }
  check "$name" "$out/$name"
  [ "${TEST_VALGRIND:-1}" = 0 ] || [[ $name == *proc* || $name == *outages* || $name == 0048-* ]] || check "$name (valgrind)" "${memcheck[@]}" "$out/$name"
done
wanted header && check header tests/c/header.sh
wanted examples && check examples tests/c/examples.sh
wanted demo && check "demo --small" tools/demo.sh --small

conclude
