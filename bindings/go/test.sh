#!/usr/bin/env bash
# Checks and tests the Go binding against the library in build/prefix, or in the prefix that LAMBDA_EXECUTOR_PREFIX names.
# Arguments go to `go test` of the binding: bindings/go/test.sh -run Drain. The load test has 5,000 tasks; for 100,000:
#
#   bindings/go/test.sh -short=false -run Load
#
# --lint runs the checks without the tests. --update writes config.go and stats.go anew from the schemas of the library.
set -euo pipefail
cd "$(dirname "$0")"

prefix=$(realpath -m "${LAMBDA_EXECUTOR_PREFIX:-../../build/prefix}")
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
pkg-config --exists lambda_executor lambda_executor-static || {
  printf 'no library in %s: tools/install.sh --from target/debug --prefix build/prefix\n' "$prefix" >&2
  exit 1
}
# Go's build cache ignores the installed header and the output of pkg-config: this makes both part of its key.
installed=$(cat "$prefix"/lib/pkgconfig/*.pc "$prefix/include/lambda_executor.h" | sha256sum)
export CGO_CPPFLAGS=-DLAMBDA_EXECUTOR_BUILD=0x${installed:0:16}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0

check() { # name, command...
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED  %s\n' "$name"
  fi
}

formatted() {
  local files
  files=$(gofmt -l .)
  [ -z "$files" ] || { printf 'gofmt would change\n%s\n' "$files"; return 1; }
}

# Never from the cache, which ignores a changed library. Counts tests and subtests; a failure without a failed test (a program that
# does not build, or crashes) counts as one.
tests() { # folder, arguments of go test
  local folder=$1 status=0 red
  shift
  env -C "$folder" go test -count=1 -race -v -timeout 30m "$@" >"$log" 2>&1 || status=$?
  passed=$((passed + $(grep -c '^ *--- PASS' "$log" || true)))
  red=$(grep -c '^ *--- FAIL' "$log" || true)
  if [ "$status" -ne 0 ]; then
    failed=$((failed + (red > 0 ? red : 1)))
    grep -vE '^ *(=== |--- PASS)' "$log"
  else
    grep -E '^(ok|--- [^P])|a second$' "$log" || true
  fi
}

if [ "${1:-}" = --update ]; then
  exec env UPDATE=1 go test -count=1 -run '^TestGenerated$' .
fi
errcheck=$(realpath -m ../../build/go/bin/errcheck)
[ -x "$errcheck" ] || {
  printf 'no errcheck in build/go/bin: tools/setup.sh installs it\n' >&2
  exit 1
}
check gofmt formatted
check 'go vet' go vet ./...
check 'go vet, static' go vet -tags static ./...
for example in examples/*/go.mod; do
  folder=${example%/go.mod}
  check "go vet, $folder" env -C "$folder" go vet ./...
done
for module in go.mod examples/*/go.mod; do
  check "errcheck, $(dirname "$module")" env -C "$(dirname "$module")" "$errcheck" -ignoretests ./...
done
if [ "${1:-}" = --lint ]; then
  exit "$((failed > 0))"
fi
tests . -short "$@" ./...
for example in examples/*/go.mod; do
  tests "${example%/go.mod}" ./...
done

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
