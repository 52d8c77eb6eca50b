#!/usr/bin/env bash
# The header alone: compiles in every edition of C and C++ without a warning, twice in one file and in two files of one
# program; every name has the prefix; every item has a comment.
set -euo pipefail
cd "$(dirname "$0")/../.."
header=include/lambda_executor.h
work=$(mktemp -d "${TMPDIR:-/tmp}/lambda-executor-header.XXXXXX")
trap 'rm -rf "$work"' EXIT
warnings=(-Wall -Wextra -Wpedantic -Werror -Iinclude)

printf '#include <lambda_executor.h>\n#include <lambda_executor.h>\nint other(void);\nint main(void) { return other(); }\n' >"$work/one.c"
printf '#include <lambda_executor.h>\nint other(void);\nint other(void) { lambda_executor_task_t t; return (int)(sizeof t - sizeof t); }\n' >"$work/two.c"
cp "$work/one.c" "$work/one.cpp"
cp "$work/two.c" "$work/two.cpp"

for edition in c89 c99 c11 c17 c2x; do
  gcc -std=$edition "${warnings[@]}" -o "$work/program" "$work/one.c" "$work/two.c"
  "$work/program"
done
for edition in c++98 c++11 c++14 c++17 c++20; do
  g++ -std=$edition "${warnings[@]}" -o "$work/program" "$work/one.cpp" "$work/two.cpp"
  "$work/program"
done

# What is declared: macros, and with comments and strings gone, typedef names, struct tags and functions.
declared() {
  sed -n 's/^#define \([A-Za-z0-9_]*\).*/\1/p' "$header"
  gcc -E -P -Iinclude "$header" | sed -n '/lambda_executor/,$p' |
    grep -oE '(struct|enum|union) [A-Za-z_0-9]+|\} [A-Za-z_0-9]+;|[A-Za-z_0-9]+ *\(' | sed -E 's/^(struct|enum|union) //; s/[};( ]//g' | sort -u
}
bad=$(declared | grep -vE '^(lambda_executor|LAMBDA_EXECUTOR)(_|$)' | grep -vE '^(__.*|void|int32_t|size_t)$' || true)
[ -z "$bad" ] || { echo "names without the prefix: $bad"; exit 1; }

# Each #define of ours, typedef, field and function starts right after the end of a comment.
awk '
  /^#ifndef LAMBDA_EXECUTOR_H$|^#define LAMBDA_EXECUTOR_H$/ { next }
  { starts = 0 }
  /^#define / || /^typedef / || /^(const |lambda_executor_|void |uint32_t |int32_t |size_t )/ { starts = 1 }
  /^  [a-z].*;$/ && !/^   / && inside { starts = 1 }
  /^typedef struct .*\{$/ { inside = 1 }
  /^\}/ { inside = 0 }
  starts && previous !~ /\*\/$/ { printf "line %d has no comment: %s\n", NR, $0; missing = 1 }
  /[^ ]/ { previous = $0 }
  END { exit missing }' "$header"
