#!/usr/bin/env bash
# Builds the examples in a copy of their folder, as its README says: with CMake and with pkg-config. Runs both, and one
# that fails. The argument is the prefix that the library is installed in.
set -euo pipefail
prefix=$(realpath "$1")
cd "$(dirname "$0")/../examples"
work=$(mktemp -d "${TMPDIR:-/tmp}/lambda-executor-cpp.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp -- * "$work"
cd "$work"

fail() { printf '%s\n' "$*" >&2; exit 1; }

expect() { # file, lines that it must contain...
  local file=$1 line
  shift
  for line in "$@"; do
    grep -qxF -- "$line" "$file" || fail "$file lacks \"$line\": $(cat "$file")"
  done
}

# No help from the caller's variables: CMake and its programs find the library by themselves.
env -u LD_LIBRARY_PATH -u PKG_CONFIG_PATH cmake -S . -B build -DCMAKE_PREFIX_PATH="$prefix" >cmake.log 2>&1 || fail "$(cat cmake.log)"
env -u LD_LIBRARY_PATH cmake --build build >cmake.log 2>&1 || fail "$(cat cmake.log)"

status=0
env -u LD_LIBRARY_PATH timeout --kill-after=5 100 build/task_pool >pool || status=$?
[ "$status" -eq 1 ] || fail "task_pool: exit status $status, expected 1 since a command fails"
cat >expected <<'END'
echo one: succeeded with return code 0
one
sleep 0.2; echo two: succeeded with return code 0
two
echo three; exit 3: failed with return code 3
three
END
diff expected pool || fail 'task_pool printed something else'

env -u LD_LIBRARY_PATH timeout --kill-after=5 100 build/event_loop >loop || fail "event_loop: exit status $?"
expect loop 'task-1 runs' 'task-1 succeeded with return code 0: one' 'task-2 succeeded with return code 0: two' \
  'task-3 failed with return code 3: three'
grep -q '^tick: ' loop || fail "the timer was not served: $(cat loop)"

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
g++ -std=c++17 -pthread task_pool.cpp $(pkg-config --cflags --libs lambda_executor) -o task_pool
timeout --kill-after=5 100 ./task_pool 'echo "$((6 * 7))"' >pool || fail "task_pool: exit status $?"
expect pool 42
status=0
LAMBDA_EXECUTOR_CONFIG='{"locall": {}}' ./task_pool >out 2>refused || status=$?
[ "$status" -eq 2 ] || fail "task_pool with a wrong option: exit status $status"
grep -qF 'locall: unknown option' refused || fail "$(cat refused)"

# Any editor's warnings are ours to remove.
for source in *.cpp; do
  g++ -std=c++17 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fsyntax-only "$source" $(pkg-config --cflags lambda_executor)
done
