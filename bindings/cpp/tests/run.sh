#!/usr/bin/env bash
# Builds and runs the C++ tests against the installed library (build/prefix, or LAMBDA_EXECUTOR_PREFIX), a few of them
# under valgrind too, then compiles the header in every edition by every compiler at hand, and runs the examples.
# Arguments pick tests: bindings/cpp/tests/run.sh 0004 log. TEST_VALGRIND=0 leaves valgrind out.
set -euo pipefail
cd "$(dirname "$0")/../../.."

prefix=$(realpath -m "${LAMBDA_EXECUTOR_PREFIX:-build/prefix}")
out=build/tests/cpp
seconds=${TEST_SECONDS:-150}
passed=0 failed=0
mkdir -p "$out"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
[ -f "$prefix/include/lambda_executor.hpp" ] || { echo "$prefix: the library is not installed there (tools/install.sh)" >&2; exit 1; }
read -ra library <<<"$(pkg-config --cflags --libs lambda_executor)"
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)

report() { # name, exit status, log
  if [ "$2" -eq 0 ]; then
    passed=$((passed + 1))
    printf 'ok      %s\n' "$1"
  else
    failed=$((failed + 1))
    printf 'FAILED  %s (exit status %s)\n' "$1" "$2"
    tail -n 30 "$3" | sed 's/^/        /'
  fi
}

check() { # name, command...
  local name=$1 status=0
  shift
  timeout --kill-after=5 "$seconds" "$@" >"$out/log" 2>&1 </dev/null || status=$?
  report "$name" "$status" "$out/log"
}

wanted() {
  local pattern
  [ "${#picked[@]}" -gt 0 ] || return 0
  for pattern in "${picked[@]}"; do [[ $1 != *$pattern* ]] || return 0; done
  return 1
}

# What owns memory, and what several threads share.
under_valgrind() { [[ $1 =~ ^(0004|0008|0009|0011) ]] && [ "${TEST_VALGRIND:-1}" != 0 ]; }
memcheck=(valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect
  --errors-for-leak-kinds=definite,indirect --suppressions=tests/c/valgrind.supp)

build_and_run() { # name, flags and sources...
  local name=$1
  shift
  g++ -std=c++17 "${warnings[@]}" -g -pthread -o "$out/$name" "$@" "${library[@]}" >"$out/log" 2>&1 ||
    { report "$name (compile)" 1 "$out/log"; return; }
  check "$name" "$out/$name"
  ! under_valgrind "$name" || check "$name (valgrind)" "${memcheck[@]}" "$out/$name"
}

# The header by each compiler at hand, in each edition, and without exceptions.
header() {
  local compiler edition
  compile() { "$compiler" "$@" "${warnings[@]}" -fsyntax-only "${library[0]}"; }
  for compiler in g++ clang++ clang++-{14..21}; do
    command -v "$compiler" >/dev/null || continue
    echo "$compiler"
    for edition in 17 20 2b; do compile "-std=c++$edition" bindings/cpp/tests/0007-iteration.cpp; done
    compile -std=c++17 -fno-exceptions -DEXPECT_NO_EXCEPTIONS bindings/cpp/tests/0006-no-throw.cpp
  done
}

picked=("$@")
for source in bindings/cpp/tests/[0-9]*; do
  name=$(basename "$source" .cpp)
  wanted "$name" || continue
  if [ -d "$source" ]; then build_and_run "$name" "$source"/*.cpp; else build_and_run "$name" "$source"; fi
  [[ $name != *no-throw* ]] ||
    build_and_run "$name-compiled-so" -fno-exceptions -DEXPECT_NO_EXCEPTIONS "$source"
done
wanted header && { status=0; (set -e; header) >"$out/log" 2>&1 || status=$?; report header "$status" "$out/log"; }
wanted examples && check examples bindings/cpp/tests/examples.sh "$prefix"

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
