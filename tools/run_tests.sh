#!/usr/bin/env bash
# Every check of the repository, one step after another, with one line of sums at the end. A step that fails does not
# keep the later ones from running, but without set-up and build there is nothing to run.
set -euo pipefail
cd "$(dirname "$0")/.."
logs=build/test-logs
rm -rf "$logs"
mkdir -p "$logs"

failed_steps=()
step() {
  printf '\n=== %s\n' "$1"
  if ! make --no-print-directory --keep-going "$1" </dev/null 2>&1 | tee "$logs/$1.log"; then
    failed_steps+=("$1")
    printf '=== %s FAILED\n' "$1"
    return 1
  fi
}

# Sums over the closing lines of cargo test ("test result: ok. 3 passed; 1 failed; ..."), pytest ("3 passed, 1 failed
# in 2.1s", either may lack) and the C tests ("3 passed, 1 failed").
count() {
  cat "$logs"/*.log | sed 's/\x1b\[[0-9;]*m//g' |
    grep -E '^(test result:|=* ?[0-9]+ (passed|failed|error|skipped|xfailed|deselected))' |
    grep -oE "[0-9]+ ($1)" | awk '{ sum += $1 } END { print sum + 0 }'
}

if step setup && step build; then
  for name in lint test-rust test-c test-python test-bindings test-airflow test-install test-docs test-image \
    test-airflow-live; do
    step "$name" || true
  done
fi

passed=$(count passed)
failed=$(count 'failed|errors?')
# A step can fail without a failed test (lint, a build): then the sum must not look green.
[ "${#failed_steps[@]}" -eq 0 ] || [ "$failed" -ne 0 ] || failed=${#failed_steps[@]}
printf '\n'
[ "${#failed_steps[@]}" -eq 0 ] || printf 'failed steps: %s (logs in %s)\n' "${failed_steps[*]}" "$logs"
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
