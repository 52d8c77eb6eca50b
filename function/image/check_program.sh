#!/bin/sh
# Starts the program once, so that the build fails on a base that cannot run it. Outside of Lambda the program reports an
# error that names AWS_LAMBDA_RUNTIME_API, and ends.
set -eu
program=/usr/local/bin/lambda-executor-function

chmod 755 "$program"
output=$(env -u AWS_LAMBDA_RUNTIME_API "$program" 2>&1 || true)
case $output in
  *AWS_LAMBDA_RUNTIME_API*) ;;
  *)
    printf 'check_program: this base cannot run the program, which needs x86_64 and glibc 2.26 or newer: %s\n' "$output" >&2
    exit 1
    ;;
esac
