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

# What there is to build: a name, and the flags and sources that the compiler gets.
programs() {
  local source name
  for source in bindings/cpp/tests/[0-9]*; do
    name=$(basename "$source" .cpp)
    if [ -d "$source" ]; then
      printf '%s %s\n' "$name" "$(echo "$source"/*.cpp)"
    else
      printf '%s %s\n' "$name" "$source"
    fi
    [[ $name != *no-throw* ]] || printf '%s-compiled-so -fno-exceptions -DEXPECT_NO_EXCEPTIONS %s\n' "$name" "$source"
  done
}

build() { # name, flags and sources...
  local name=$1
  shift
  rm -f "$out/$name"
  g++ -std=c++17 "${warnings[@]}" -g -pthread -o "$out/$name" "$@" "${library[@]}" >"$out/$name.log" 2>&1 || true
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
# The compiler is what takes the time: one for each processor, and then the tests one after another.
while read -ra program; do
  wanted "${program[0]}" || continue
  while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
  build "${program[@]}" &
done < <(programs)
wait

while read -r name _; do
  wanted "$name" || continue
  [ -x "$out/$name" ] || { report "$name (compile)" 1 "$out/$name.log"; continue; }
  check "$name" "$out/$name"
  ! under_valgrind "$name" || check "$name (valgrind)" "${memcheck[@]}" "$out/$name"
done < <(programs)
if wanted header; then
  status=0
  (set -e; header) >"$out/log" 2>&1 || status=$?
  report header "$status" "$out/log"
fi
wanted examples && check examples bindings/cpp/tests/examples.sh "$prefix"

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
