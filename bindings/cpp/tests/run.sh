#!/usr/bin/env bash
# Builds and runs the C++ tests against the installed library (build/prefix, or LAMBDA_EXECUTOR_PREFIX), a few of them
# under valgrind too, then compiles the header in every edition with every installed compiler, runs clang-tidy on it,
# checks what must not compile, and runs the examples. Arguments pick tests: bindings/cpp/tests/run.sh 0004 log.
# TEST_VALGRIND selects what runs under valgrind: `some` (the default), `all`, or `none`.
set -euo pipefail
cd "$(dirname "$0")/../../.."

prefix=$(realpath -m "${LAMBDA_EXECUTOR_PREFIX:-build/prefix}")
out=build/tests/cpp
picked=("$@")
mkdir -p "$out"
. tests/checks.sh
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
tests/bindings/check_prefix.sh "$prefix"
read -ra library <<<"$(pkg-config --cflags --libs lambda_executor)"
# It includes the other header too.
echo '#include <lambda_executor_future.hpp>' >"$out/header.cpp"
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)

# Tests of memory that is owned, and of several threads; `some` are those of events and of futures.
under_valgrind() {
  case ${TEST_VALGRIND:-some} in
    all) [[ $1 =~ ^(0004|0008|0009|0011|0013|0018|0021|0025) ]] ;;
    some) [[ $1 =~ ^(0004|0021) ]] ;;
    *) return 1 ;;
  esac
}
memcheck=(valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect
  --errors-for-leak-kinds=definite,indirect --suppressions=tests/c/valgrind.supp)

without_exceptions=(-fno-exceptions -DEXPECT_NO_EXCEPTIONS)

# The programs: a name, and the sources; after `|` those that are compiled without exceptions.
programs() {
  local source name
  for source in bindings/cpp/tests/[0-9]*; do
    name=$(basename "$source" .cpp)
    if [ -d "$source" ]; then
      printf '%s %s | %s\n' "$name" "$source/main.cpp" "$source/other.cpp"
    else
      printf '%s %s |\n' "$name" "$source"
    fi
    [[ $name != *no-throw* ]] || printf '%s-compiled-so | %s\n' "$name" "$source"
  done
}

build() { # name, sources...
  local name=$1 source options=() objects=() edition=c++17
  shift
  [[ $name != *-cpp20 ]] || edition=c++20
  rm -f "$out/$name"
  for source in "$@"; do
    [ "$source" != '|' ] || { options=("${without_exceptions[@]}"); continue; }
    objects+=("$out/$name-$(basename "$source" .cpp).o")
    g++ -std="$edition" "${warnings[@]}" -g -pthread "${options[@]}" "${library[0]}" -c -o "${objects[-1]}" "$source"
  done
  # The file without exceptions first: the linker takes from it the functions that both have.
  mapfile -t objects < <(printf '%s\n' "${objects[@]}" | tac)
  g++ -pthread -o "$out/$name" "${objects[@]}" "${library[@]:1}"
}

# The installed compilers, and the clang of zig, which brings a C++ library of its own.
zig="build/venvs/portable/bin/python -m ziglang c++"
export ZIG_GLOBAL_CACHE_DIR=$PWD/build/zig-cache ZIG_LOCAL_CACHE_DIR=$PWD/build/zig-cache
compilers() {
  local compiler
  for compiler in g++ g++-{13..16} clang++ clang++-{14..22}; do
    ! command -v "$compiler" >/dev/null || echo "$compiler"
  done
  ! $zig --version >/dev/null 2>&1 || echo "$zig"
}

# Not -fsyntax-only, which zig does not have. It passes itself options that it then does not use.
compile() { # compiler, arguments...
  local compiler=$1
  shift
  [ "$compiler" != "$zig" ] || set -- "$@" -Wno-unused-command-line-argument
  $compiler "${warnings[@]}" "${library[0]}" "$@" -c -o "$out/compiled.o"
}

# The header with each compiler, in each edition, and without exceptions. A warning fails it.
header() {
  local compiler edition options used=()
  while read -r compiler; do
    used+=("${compiler#*-m }")
    for options in "-std=c++17 0007-iteration" "-std=c++20 0007-iteration" "-std=c++2b 0007-iteration" \
      "-std=c++17 0006-no-throw ${without_exceptions[*]}"; do
      read -r edition source options <<<"$options"
      # shellcheck disable=SC2086 # words
      compile "$compiler" "$edition" $options "bindings/cpp/tests/$source.cpp" || return
    done
    # Warnings that only the header must be free of.
    compile "$compiler" -std=c++17 -Wswitch-enum -Weffc++ "$out/header.cpp" || return
  done < <(compilers)
  compilers=${used[*]}
}

# std::format of names and events, with each compiler whose C++ library has it. zig only compiles: to link, it would first
# compile its C++ library, for minutes.
formats() {
  local compiler library_of used=()
  printf '#include <version>\n#ifdef __cpp_lib_format\nit has std::format\n#endif\n' >"$out/version.cpp"
  while read -r compiler; do
    for library_of in '' -stdlib=libc++; do
      [[ -z $library_of || $compiler = clang* ]] || continue
      # shellcheck disable=SC2086 # words or none
      $compiler -std=c++20 $library_of -E "$out/version.cpp" 2>/dev/null | grep -q '^it has' || continue
      used+=("${compiler#*-m }$library_of")
      # shellcheck disable=SC2086 # words or none
      compile "$compiler" -std=c++20 $library_of -pthread bindings/cpp/tests/0024-standard-library.cpp || return
      [ "$compiler" != "$zig" ] || { used[-1]+=', compiled only'; continue; }
      # shellcheck disable=SC2086 # words or none
      $compiler $library_of -pthread -o "$out/formats" "$out/compiled.o" "${library[@]:1}" || return
      "$out/formats" || return
    done
  done < <(compilers)
  [ "${#used[@]}" -gt 0 ] || { echo 'no compiler here has std::format: tools/setup.sh installs zig, which has'; return 1; }
  compilers=${used[*]}
}

# A function without a side effect has [[nodiscard]].
nodiscard() {
  local tidy=build/venvs/boto/bin/clang-tidy
  [ -x "$tidy" ] || { echo "no $tidy: tools/setup.sh installs it"; return 1; }
  "$tidy" --quiet --checks=-*,modernize-use-nodiscard --warnings-as-errors=* --header-filter='lambda_executor[^/]*\.hpp$' \
    "$out/header.cpp" -- -std=c++17 "${library[0]}"
}

# Each case of refused.cpp but 0 must not compile, for the reason beside it; none compiles in an older edition.
refused() {
  local line=0 number reason said edition=c++20
  compile_case() { g++ -std="$edition" -DCASE="$1" -fsyntax-only "${library[0]}" bindings/cpp/tests/refused.cpp 2>&1; }
  compile_case 0 || return
  ! said=$(edition=c++14; compile_case 0) || { echo "C++14 compiles"; return 1; }
  grep -qF 'lambda_executor.hpp needs C++17: -std=c++17' <<<"$said" || { printf 'in C++14:\n%s\n' "$said"; return 1; }
  while IFS='|' read -r number reason; do
    ! said=$(compile_case "$number") || { echo "case $number compiles"; return 1; }
    grep -qF "$reason" <<<"$said" || { printf 'case %s lacks "%s":\n%s\n' "$number" "$reason" "$said"; return 1; }
    line=$((line + 1))
  done < <(sed -n 's/^#elif CASE == \([0-9]*\) \/\/ /\1|/p' bindings/cpp/tests/refused.cpp)
  [ "$line" -gt 0 ]
}

# Compiling takes most of the time: one compiler for each processor, then the tests one after another.
while read -ra program; do
  wanted "${program[0]}" || continue
  while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n || true; done
  (set -e; build "${program[@]}") >"$out/${program[0]}.log" 2>&1 &
done < <(programs)
wait

while read -r name _; do
  wanted "$name" || continue
  [ -x "$out/$name" ] || { report "$name (compile)" 1 "$out/$name.log"; continue; }
  check "$name" "$out/$name"
  ! under_valgrind "$name" || check "$name (valgrind)" "${memcheck[@]}" "$out/$name"
done < <(programs)
for part in header formats nodiscard refused; do
  wanted "$part" || continue
  status=0 compilers=''
  "$part" >"$out/log" 2>&1 || status=$?
  report "$part${compilers:+ by $compilers}" "$status" "$out/log"
done
! wanted examples || check examples bindings/cpp/tests/examples.sh "$prefix"

conclude
