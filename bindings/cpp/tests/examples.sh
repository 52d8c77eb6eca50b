#!/usr/bin/env bash
# Builds and runs the examples in a copy of their folder with the commands of its README: with CMake and with
# pkg-config. Then one whose command fails, and one with a wrong option. The argument is the prefix that the library is
# installed in.
set -euo pipefail
prefix=$(realpath "$1")
cd "$(dirname "$0")/../examples"
work=$(mktemp -d "${TMPDIR:-/tmp}/lambda-executor-cpp.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/examples"
cp -- * "$work/examples"
cd "$work/examples"
export HOME=$work
ln -s "$prefix" "$HOME/lambda-executor"
# Without the caller's variables, because the README must name all that are needed.
unset LD_LIBRARY_PATH PKG_CONFIG_PATH LAMBDA_EXECUTOR_CONFIG

fail() { printf '%s\n' "$*" >&2; exit 1; }

expect() { # file, lines that it must contain...
  local file=$1 line
  shift
  for line in "$@"; do
    grep -qxF -- "$line" "$file" || fail "$file lacks \"$line\": $(cat "$file")"
  done
}

blocks=$(grep -cx '```sh' README.md)
[ "$blocks" -eq 2 ] || fail "README.md has $blocks blocks of commands, expected one with CMake and one without"
for block in 1 2; do
  awk -v wanted="$block" '/^```$/ {inside = 0} inside && at == wanted; /^```sh$/ {inside = 1; at++}' README.md >commands
  timeout --kill-after=5 140 bash -euo pipefail commands >printed 2>&1 || fail "block $block: exit status $?: $(cat printed)"
  expect printed 'echo one: succeeded with return code 0' one 'echo two: succeeded with return code 0' two \
    'task-1 runs' 'task-1 succeeded with return code 0: one' 'task-2 succeeded with return code 0: two' \
    'task-3 failed with return code 3: three'
  grep -q '^tick: ' printed || fail "the timer was not served: $(cat printed)"
done

status=0
timeout --kill-after=5 100 build/task_pool >pool || status=$?
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
status=0
LAMBDA_EXECUTOR_CONFIG='{"locall": {}}' build/task_pool >pool 2>refused || status=$?
[ "$status" -eq 2 ] || fail "task_pool with a wrong option: exit status $status"
grep -qF 'locall: unknown option' refused || fail "$(cat refused)"

# The examples compile without warnings.
for source in *.cpp; do
  g++ -std=c++17 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fsyntax-only -I"$prefix/include" "$source"
done
