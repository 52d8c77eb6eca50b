#!/usr/bin/env bash
# Runs each example program and checks its output. tests/docs/test_readme.py runs the programs of the README.
# tools/demo.sh runs run_commands with many commands; here it is interrupted.
set -euo pipefail
cd "$(dirname "$0")/../.."
examples=build/examples
work=$(mktemp -d "${TMPDIR:-/tmp}/lambda-executor-examples.XXXXXX")
runner=
# `jobs -p` may name a program that has already ended.
trap '[ -z "$runner" ] || kill -KILL "$runner" 2>/dev/null || true; rm -rf "$work"' EXIT

fail() { printf '%s\n' "$*" >&2; exit 1; }

expect() { # file, lines that it must contain...
  local file=$1 line
  shift
  for line in "$@"; do
    grep -qF -- "$line" "$file" || fail "$file lacks \"$line\": $(cat "$file")"
  done
}

echo 'minimal'
"$examples/minimal" >"$work/minimal"
expect "$work/minimal" 'my first task: running' 'my first task: succeeded hello, world'
status=0
LAMBDA_EXECUTOR_CONFIG='{"locall": {}}' "$examples/minimal" >"$work/out" 2>"$work/refused" || status=$?
[ "$status" -eq 1 ] || fail "minimal with a wrong option: exit status $status"
expect "$work/refused" 'locall: unknown option (did you mean `local`?)'

echo 'epoll_loop'
status=0
"$examples/epoll_loop" >"$work/loop" || status=$?
[ "$status" -eq 0 ] || fail "epoll_loop: exit status $status"
expect "$work/loop" 'tick: ' 'task-1 succeeded with return code 0: one' 'task-2 succeeded with return code 0: two' \
  'task-3 failed with return code 3: three'

# After one SIGINT run_commands submits no more and waits for running commands. After two it exits at once. The commands
# create a file when they run, and end when another file exists. A script's background program ignores SIGINT, but
# run_commands sets its own handler.
interrupt() { # name, SIGINTs
  local name=$1 times=$2 folder=$work/$1 status=0 tries=0
  mkdir "$folder"
  printf '%s\n' "echo \$\$ >$folder/pid; mv $folder/pid $folder/runs; until [ -e $folder/go ]; do sleep 0.05; done; echo done" 'echo never' >"$folder/commands"
  timeout --kill-after=5 60 "$examples/run_commands" --config '{"local": {}, "max_running_tasks": 1}' --tsv \
    "$folder/commands" >"$folder/table" 2>"$folder/progress" &
  runner=$!
  until [ -e "$folder/runs" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || fail "$name: the command did not start: $(cat "$folder/progress")"
    sleep 0.05
  done
  # The process id of the program, not of timeout, which would exit with its own status.
  local program
  program=$(cat "/proc/$runner/task/$runner/children")
  kill -INT ${program}
  tries=0
  until grep -q 'Ctrl-C again' "$folder/progress"; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || fail "$name: the first SIGINT had no effect"
    sleep 0.05
  done
  if [ "$times" -eq 2 ]; then kill -INT ${program}; else touch "$folder/go"; fi
  wait "$runner" || status=$?
  runner=
  # The process that adopted the command may not have reaped it yet.
  local shell
  shell=$(cat "$folder/runs")
  tries=0
  while [ -e "/proc/$shell/stat" ] && ! grep -q ') Z ' "/proc/$shell/stat"; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || fail "$name: the command still runs after run_commands has ended"
    sleep 0.05
  done
  [ "$status" -eq 130 ] || fail "$name: exit status $status: $(cat "$folder/progress")"
}

echo 'run_commands, interrupted once'
interrupt once 1
grep -E '^line-0001.*succeeded' "$work/once/table" >/dev/null || fail "run_commands did not wait for the running command: $(cat "$work/once/table")"
grep -E '^line-0002.*cancelled' "$work/once/table" >/dev/null || fail "the waiting command was not cancelled: $(cat "$work/once/table")"
echo 'run_commands, interrupted twice'
interrupt twice 2
grep -E '^line-0001.*running' "$work/twice/table" >/dev/null || fail "the command that still runs is not reported: $(cat "$work/twice/table")"

echo 'run_commands, bytes of all kinds'
run_json() { "$examples/run_commands" --config '{"local": {}}' --json >"$work/out" 2>"$work/refused"; }
status=0
printf 'echo a\0b; touch %s/nul\n' "$work" | run_json || status=$?
[ "$status" -eq 2 ] || fail "a NUL in a line: exit status $status"
expect "$work/refused" 'line 1: it contains a NUL byte'
[ ! -e "$work/nul" ] || fail 'a part of a line with a NUL was run'
printf '  \n: \377\355\240\200 \303\244\360\237\230\200\340\n' | run_json || fail "not UTF-8: $(cat "$work/refused")"
# Each byte that is not part of a character becomes U+FFFD; characters are unchanged.
expect "$work/out" "\"command\": \": $(printf '\357\277\275%.0s' 1 2 3 4) $(printf '\303\244\360\237\230\200\357\277\275')\"}"
[ "$(wc -l <"$work/out")" -eq 1 ] || fail "the blank line was not skipped: $(cat "$work/out")"

echo 'a missing function'
"${CARGO_TARGET_DIR:-target}/debug/lambda-executor-local" --handler builtin >"$work/local.env" 2>"$work/server" &
runner=$!
tries=0
until [ -s "$work/local.env" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 600 ] || fail "lambda-executor-local did not start: $(cat "$work/server")"
  sleep 0.05
done
for example in minimal epoll_loop run_commands; do
  status=0
  (
    . "$work/local.env"
    export LAMBDA_EXECUTOR_CONFIG=${LAMBDA_EXECUTOR_CONFIG//lambda-executor-local/no}
    echo true | timeout --kill-after=5 60 "$examples/$example" >"$work/out" 2>"$work/refused"
  ) || status=$?
  [ "$status" -eq 1 ] || [ "$status" -eq 2 ] || fail "$example: exit status $status"
  expect "$work/refused" 'function `no` was not found'
done
