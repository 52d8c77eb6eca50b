#!/usr/bin/env bash
# Checks the header alone: it compiles in every edition of C and C++ without a warning, twice in one file and in two files
# of one program, and every name has the prefix. tests/header.rs checks that every item has a comment.
set -euo pipefail
cd "$(dirname "$0")/../.."
header=include/lambda_executor.h
work=$(mktemp -d "${TMPDIR:-/tmp}/lambda-executor-header.XXXXXX")
trap 'rm -rf "$work"' EXIT
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Werror -Iinclude)

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

# The initialisers, and the macro for string literals, in C99 and C++11.
cat >"$work/init.c" <<'END'
#include <lambda_executor.h>
int main(void) {
  lambda_executor_task_t task = LAMBDA_EXECUTOR_TASK_INIT;
  lambda_executor_counts_t counts = LAMBDA_EXECUTOR_COUNTS_INIT;
  lambda_executor_str_t literal = LAMBDA_EXECUTOR_STR("ab\0c");
  task.key = LAMBDA_EXECUTOR_STR("key");
  task.queue = lambda_executor_str("queue");
  return !(task.struct_size == sizeof task && counts.struct_size == sizeof counts && literal.len == 4 &&
           task.key.len == 3 && task.queue.len == LAMBDA_EXECUTOR_NUL && task.attempt_id.ptr == NULL);
}
END
cp "$work/init.c" "$work/init.cpp"
gcc -std=c99 "${warnings[@]}" -o "$work/program" "$work/init.c" && "$work/program"
g++ -std=c++11 "${warnings[@]}" -o "$work/program" "$work/init.cpp" && "$work/program"

# An ignored status is a warning.
printf '#include <lambda_executor.h>\nvoid f(void);\nvoid f(void) { lambda_executor_create(0, 0, 0, 0); }\n' >"$work/ignored.c"
if gcc -std=c99 "${warnings[@]}" -c -o "$work/ignored.o" "$work/ignored.c" 2>/dev/null; then
  echo "the status of lambda_executor_create can be ignored"
  exit 1
fi

# All declared names: macros, and (without comments and strings) typedef names, struct tags and functions.
declared() {
  sed -n 's/^#define \([A-Za-z0-9_]*\).*/\1/p' "$header"
  gcc -E -P -Iinclude "$header" | sed -n '/lambda_executor/,$p' |
    grep -oE '(struct|enum|union) [A-Za-z_0-9]+|\} [A-Za-z_0-9]+;|[A-Za-z_0-9]+ *\(' | sed -E 's/^(struct|enum|union) //; s/[};( ]//g' | sort -u
}
bad=$(declared | grep -vE '^(lambda_executor|LAMBDA_EXECUTOR)(_|$)' | grep -vE '^(__.*|void|int32_t|size_t|visibility|warn_unused_result)$' || true)
[ -z "$bad" ] || { echo "names without the prefix: $bad"; exit 1; }
