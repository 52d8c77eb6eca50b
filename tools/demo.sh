#!/usr/bin/env bash
# A demonstration on real input: commands on this repository's files. examples/c/run_commands runs each in a real function
# process, and each result is compared with that of the same command run directly by sh.
#
#   tools/demo.sh            over 200 commands
#   tools/demo.sh --small    about 25, for the tests
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

files_wanted=64
[ "${1:-}" != --small ] || files_wanted=6
runner=build/examples/run_commands
programs=${CARGO_TARGET_DIR:-target}/debug
[ -x "$runner" ] && [ -x "$programs/lambda-executor-function" ] || make --no-print-directory examples

work=$(mktemp -d "${TMPDIR:-/tmp}/lambda-executor-demo.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Text and binary files, without those that a build or this run may change.
list_files() {
  { git ls-files 2>/dev/null || find . -type f -not -path './target/*' -not -path './build/*' -printf '%P\n'; } |
    grep -v '^Cargo.lock$' | grep -E '^[A-Za-z0-9_./-]+$' | sed -n "1,${files_wanted}p"
}

write_commands() {
  list_files | while read -r file; do
    [ -s "$file" ] || continue
    printf '%s\n' "sha256sum $file" "wc -lwc $file" "gzip -c $file | sha256sum" \
      "tr -cs A-Za-z '\\n' < $file | sort | uniq -c | sort -rn -k1,1 -k2 | head -n 3"
  done
  # These fail on purpose, each in a different way.
  printf '%s\n' 'echo going to fail; exit 3' 'no-such-program-anywhere' 'echo last words; kill -9 $$' 'kill -TERM $$' \
    'cat /no/such/file' 'false'
  # The output of these must be unchanged.
  printf '%s\n' "printf 'no newline at the end'" "echo 'quotes \" and \\\\ and \$HOME'" "echo 'größer ☃'" 'true'
}

# "return code <tab> last line of output" of one command, in the library's form: -n for signal n. The braces keep bash's
# message about a killed child out of the output.
run_directly() {
  local command=$1 code=0
  { /bin/sh -c "$command" >"$work/output" 2>&1 </dev/null; } 2>/dev/null || code=$?
  [ "$code" -le 128 ] || code=$((128 - code))
  printf '%s\t%s\n' "$code" "$(tail -n 1 "$work/output" | sed 's/\\/\\\\/g; s/\t/\\t/g; s/\r/\\r/g')"
}

write_commands >"$work/commands"
total=$(wc -l <"$work/commands")
echo "demo: $total commands, each in a function process (Lambda and SQS of this machine)"
started=$(date +%s%N)
status=0
"$runner" --config '{"local": {"handler": "exec"}}' --tsv "$work/commands" >"$work/results.tsv" || status=$?
milliseconds=$((($(date +%s%N) - started) / 1000000))
[ "$status" -le 1 ] || { echo "demo: run_commands could not run them (exit status $status)" >&2; exit 1; }

echo "demo: running the same commands directly"
while IFS= read -r command; do run_directly "$command"; done <"$work/commands" >"$work/expected.tsv"
awk -F'\t' 'NR > 1 { printf "%s\t%s\t%s\n", $4, $6, $7 }' "$work/results.tsv" >"$work/actual.tsv"

# For a command without output the library returns a message instead, so only the return codes are compared.
summary=$(paste "$work/expected.tsv" "$work/actual.tsv" | awk -F'\t' '
  $1 != $3 || ($2 != "" && $2 != $4) {
    mismatches++
    printf "demo: MISMATCH %s\n  directly: %s, \"%s\"\n  by lambda: %s, \"%s\"\n", $5, $1, $2, $3, $4 > "/dev/stderr"
  }
  $1 == $3 && $1 != 0 { failed++ }
  END { printf "%d %d %d", NR, mismatches, failed }')
read -r compared mismatches failed <<<"$summary"
rows=$(wc -l <"$work/actual.tsv")

printf 'demo: %s tasks, %s mismatches, %s failed as expected, %s.%03d s\n' \
  "$rows" "$mismatches" "$failed" "$((milliseconds / 1000))" "$((milliseconds % 1000))"
[ "$rows" -eq "$total" ] || { echo "demo: $total commands but $rows results" >&2; exit 1; }
[ "$compared" -eq "$total" ] && [ "$mismatches" -eq 0 ] && [ "$failed" -ge 6 ]
