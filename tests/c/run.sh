#!/usr/bin/env bash
# Builds and runs the C tests, each directly and under valgrind, then checks the header, the examples and a small demo.
# Arguments select tests: tests/c/run.sh 0007 fork. TEST_VALGRIND selects what runs under valgrind: `some` (the default),
# `all`, or `none`.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}/debug")
out=build/tests/c
picked=("$@")
mkdir -p "$out"
. tests/checks.sh
ln -sf liblambda_executor.so "$target/liblambda_executor.so.1"
export LAMBDA_EXECUTOR_LOCAL=$target/lambda-executor-local

memcheck=(valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect
  --errors-for-leak-kinds=definite,indirect
  --child-silent-after-fork=yes --trace-children=no --suppressions=tests/c/valgrind.supp)

# Valgrind needs 10 s for each program, most of them for what `create` runs once. So by default only the tests that own
# memory in a way of their own run under it: arguments, events, errors, batches, threads, forks, callbacks, panics.
under_valgrind() {
  case $1 in
    # Valgrind has signals, descriptors and memory of its own; the outages are timed; 0048 leaves memory behind on purpose.
    *-proc-guest | *-outages | 0048-* | 0052-*) return 1 ;;
  esac
  case ${TEST_VALGRIND:-some} in
    all) return 0 ;;
    some) [[ $1 =~ ^00(02|04|08|09|14|15|16|17|25|30|33|40) ]] ;;
    *) return 1 ;;
  esac
}

for source in tests/c/[0-9]*.c; do
  name=$(basename "$source" .c)
  wanted "$name" || continue
  library=$target
  if [[ $name == *panic* || $name == *grown* ]]; then
    tests/c/panicking_library.sh || { report "$name (library)" 1 /dev/null; continue; }
    library=$PWD/build/panic-injection
  fi
  cc -std=c99 -Wall -Wextra -Wpedantic -Werror -g -pthread -Iinclude -o "$out/$name" "$source" \
    -L"$library" -llambda_executor -Wl,-rpath,"$library" >"$out/log" 2>&1 || { report "$name (compile)" 1 "$out/log"; continue; }
  check "$name" "$out/$name"
  ! under_valgrind "$name" || check "$name (valgrind)" "${memcheck[@]}" "$out/$name"
done
wanted header && check header tests/c/header.sh
wanted examples && check examples tests/c/examples.sh
wanted demo && check "demo --small" tools/demo.sh --small

conclude
