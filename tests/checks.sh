# Sourced by the scripts that run compiled tests: counts, reports and selects checks. The scripts set `out` (a folder for
# logs) and `picked` (parts of names; empty for all).
seconds=${TEST_SECONDS:-300}
passed=0 failed=0

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

# Ends the script: prints the totals for CI, and fails if a check failed or nothing was run.
conclude() {
  printf '%s passed, %s failed\n' "$passed" "$failed"
  [ $((passed + failed)) -gt 0 ] || { printf 'no test has this name: %s\n' "${picked[*]}" >&2; exit 1; }
  [ "$failed" -eq 0 ]
}
