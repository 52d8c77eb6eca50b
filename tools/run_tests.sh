#!/usr/bin/env bash
# Runs every check of the repository. Prints the time and CPU time of each step, and one line of totals at the end.
# After set-up and build, several steps run at the same time. Later steps run even if one fails, except after a failed set-up or build.
# The logs of all steps are in build/test-logs.
set -euo pipefail
cd "$(dirname "$0")/.."
logs=build/test-logs

# The longest first, so that none of them is left over at the end.
steps=(test-python test-rust test-c test-python-package test-image test-cpp lint test-docs test-go test-scenarios
  test-airflow test-airflow-live test-install)
# Steps at the same time. Each waits for servers and interpreters in part of its time.
at_once=3

# One compilation serves the tests and clippy, see the target lint-rust.
export RUSTC_WORKSPACE_WRAPPER=clippy-driver

step() {
  local status=ok wall user sys TIMEFORMAT='%0R %0U %0S'
  printf '=== %s started\n' "$1"
  # Bash makes background programs ignore SIGINT, and programs of the tests would inherit that.
  { time env --default-signal=INT,QUIT make --no-print-directory --keep-going "$1" >"$logs/$1.log" 2>&1 </dev/null ||
    status=FAILED; } 2>"$logs/$1.time"
  read -r wall user sys < <(tail -n 1 "$logs/$1.time")
  printf '%-20s %-6s %4s s %6s s\n' "$1" "$status" "$wall" "$((user + sys))" >>"$logs/steps"
  # One write, since other steps print at the same time.
  printf '%s\n=== %s %s\n' "$(cat "$logs/$1.log")" "$1" "$status"
  [ "$status" = ok ]
}

# For xargs, below.
if [ "${1:-}" = --step ]; then
  step "$2"
  exit
fi

rm -rf "$logs"
mkdir -p "$logs"

# Adds up the last lines of cargo test ("test result: ok. 3 passed; 1 failed; ..."), pytest ("3 passed, 1 failed in 2.1s",
# where either part may be missing) and the C tests ("3 passed, 1 failed").
count() {
  cat "$logs"/*.log | sed 's/\x1b\[[0-9;]*m//g' |
    grep -E '^(test result:|=* ?[0-9]+ (passed|failed|error|skipped|xfailed|deselected))' |
    grep -oE "[0-9]+ ($1)" | awk '{ sum += $1 } END { print sum + 0 }'
}

# The Python environments are made while cargo compiles; no test needs the one without the other.
if step setup-build; then
  step setup &
  setup=$!
  if step prefix && step panicking-library && wait "$setup"; then
    printf '%s\n' "${steps[@]}" | xargs -P "$at_once" -n 1 tools/run_tests.sh --step || true
  fi
  wait
fi

# What failed comes last, where everybody looks: C's "FAILED name", cargo's "thread ... panicked", pytest's "FAILED" and
# "E   ", Go's "--- FAIL".
for name in $(awk '$2 != "ok" { print $1 }' "$logs/steps"); do
  printf '\n=== what failed in %s\n' "$name"
  sed 's/\x1b\[[0-9;]*m//g' "$logs/$name.log" |
    grep -E -A 12 '^(FAILED|ERROR|E   |--- FAIL|error|thread .* panicked)|\.\.\. FAILED' | cut -c1-300 | tail -n 60 || true
done

passed=$(count passed)
failed=$(count 'failed|errors?')
failed_steps=$(awk '$2 != "ok" { print $1 }' "$logs/steps")
# A step can fail without a failed test (lint, a build). The total must then show a failure.
[ -z "$failed_steps" ] || [ "$failed" -ne 0 ] || failed=$(wc -w <<<"$failed_steps")
printf '\n%-20s %-6s %6s %8s\n' step '' time CPU
cat "$logs/steps"
printf '%-20s %-6s %4s s %6s s\n' together '' "$SECONDS" "$(awk '{ sum += $5 } END { print sum }' "$logs/steps")"
[ -z "$failed_steps" ] || printf 'failed steps: %s (logs in %s)\n' "${failed_steps//$'\n'/ }" "$logs"
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
