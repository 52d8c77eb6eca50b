#!/usr/bin/env bash
# Installs the files that were built in a folder: library, headers, pkg-config and CMake files, programs, man pages,
# licence, reference of the C API. With --uninstall it removes exactly these files.
#
#   tools/install.sh --from FOLDER --prefix PREFIX [--libdir DIR] [--includedir DIR] [--bindir DIR] [--mandir DIR]
#                    [--docdir DIR]
#   tools/install.sh --uninstall   --prefix PREFIX ...    with the same folders as for the installation
#
#   --without-static    do not install the static library
#   --relocatable       lambda_executor.pc uses paths relative to itself, for trees that will be moved
#   DESTDIR             environment variable: put in front of every path; no installed file contains it
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

fail() { printf 'install: %s\n' "$*" >&2; exit 1; }
usage() { sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"; }

from='' prefix='' libdir='' includedir='' bindir='' mandir='' docdir='' uninstall='' static=yes relocatable=''
while [ "$#" -gt 0 ]; do
  case $1 in
    --from | --prefix | --libdir | --includedir | --bindir | --mandir | --docdir)
      [ -n "${2:-}" ] || fail "$1: a folder is missing"
      # Installed files contain these paths: they must be absolute and valid for pkg-config and CMake.
      folder=$(realpath -ms -- "$2")
      case $1/$folder in
        --from/*) ;;
        *["#\$\"'\\"$'\t\n']*) fail "$1 $folder: the name of a folder must not contain # \$ \" ' \\, tabs or line ends" ;;
      esac
      printf -v "${1#--}" '%s' "$folder"
      shift 2 ;;
    --uninstall) uninstall=yes; shift ;;
    --without-static) static=''; shift ;;
    --relocatable) relocatable=yes; shift ;;
    --help | -h) usage; exit 0 ;;
    *) fail "$1: no such option; see --help" ;;
  esac
done
[ -n "$prefix" ] || fail "--prefix is missing"
[ -n "$from" ] || [ -n "$uninstall" ] || fail "--from is missing"
libdir=${libdir:-$prefix/lib} includedir=${includedir:-$prefix/include} bindir=${bindir:-$prefix/bin}
mandir=${mandir:-$prefix/share/man} docdir=${docdir:-$prefix/share/doc/lambda-executor}

version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
major=${version%%.*} minor=${version#*.} minor=${minor%%.*}
abi=$(sed -n 's/^#define LAMBDA_EXECUTOR_ABI_VERSION *\([0-9]*\)u .*/\1/p' "$root/include/lambda_executor.h")
soname=liblambda_executor.so.$abi
# ABI first: versions with the same ABI replace each other, others do not.
real=$soname.$version
# System libraries of the static library: `rustc --print native-static-libs` without those that C compilers add.
native_libs='-lgcc_eh -lrt -lpthread -lm -ldl'

# One line for each file: kind, source (for a link: its target), destination. Used to install and to uninstall.
files() {
  local file
  printf '%s\t%s\t%s\n' \
    data "$from/liblambda_executor.so" "$libdir/$real" \
    link "$real" "$libdir/$soname" \
    link "$soname" "$libdir/liblambda_executor.so" \
    template "$root/packaging/lambda_executor.pc.in" "$libdir/pkgconfig/lambda_executor.pc" \
    template "$root/packaging/LambdaExecutorConfig.cmake.in" "$libdir/cmake/LambdaExecutor/LambdaExecutorConfig.cmake" \
    template "$root/packaging/LambdaExecutorConfigVersion.cmake.in" \
    "$libdir/cmake/LambdaExecutor/LambdaExecutorConfigVersion.cmake" \
    program "$from/lambda-executor-local" "$bindir/lambda-executor-local" \
    program "$from/lambda-executor-function" "$bindir/lambda-executor-function" \
    data "$root/LICENSE" "$docdir/LICENSE"
  # --uninstall always includes these.
  if [ -n "$static$uninstall" ]; then
    printf '%s\t%s\t%s\n' \
      data "$from/liblambda_executor.a" "$libdir/liblambda_executor.a" \
      template "$root/packaging/lambda_executor-static.pc.in" "$libdir/pkgconfig/lambda_executor-static.pc"
  fi
  for file in "$root"/include/*.h*; do
    printf 'data\t%s\t%s\n' "$file" "$includedir/${file##*/}"
  done
  for file in "$root"/packaging/man/{,functions/}*.[1-8]; do
    printf 'data\t%s\t%s\n' "$file" "$mandir/man${file##*.}/${file##*/}"
  done
  # The page, and the page of the options that it refers to. Packages have all pages in this folder.
  for file in c-api.md configuration.md; do
    printf 'data\t%s\t%s\n' "$root/docs/$file" "$docdir/docs/$file"
  done
}

# A path for pkg-config and CMake, relative to the prefix if it is below.
below_prefix() { case $1 in "$prefix"/*) printf '%s' "\${prefix}${1#"$prefix"}" ;; *) printf '%s' "$1" ;; esac; }

fill_in() {
  local pc_prefix=$prefix libs=$native_libs
  [ -z "$relocatable" ] || pc_prefix="\${pcfiledir}/$(realpath -ms --relative-to="$libdir/pkgconfig" "$prefix")"
  case $1 in *.cmake.in) libs=$(sed 's/-l//g; s/ /;/g' <<<"$libs") ;; esac
  local text name value
  text=$(cat "$1")
  while IFS=$'\t' read -r name value; do
    # pkg-config splits values like a shell.
    case $1 in *.pc.in) [ "$name" = NATIVE_LIBS ] || value=${value// /'\ '} ;; esac
    text=${text//"@$name@"/"$value"}
  done <<<"PREFIX	$pc_prefix
LIBDIR	$(below_prefix "$libdir")
INCLUDEDIR	$(below_prefix "$includedir")
BINDIR	$(below_prefix "$bindir")
RELATIVE_INCLUDEDIR	$(realpath -ms --relative-to="$libdir" "$includedir")
VERSION	$version
MAJOR	$major
MINOR	$minor
SONAME	$soname
REAL	$real
URL	$(sed -n 's/^repository = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
NATIVE_LIBS	$libs"
  printf '%s\n' "$text"
}

put() { # kind, source, destination
  install -d -- "$(dirname -- "$3")"
  case $1 in
    program) install -C -m 755 -- "$2" "$3" ;;
    data) install -C -m 644 -- "$2" "$3" ;;
    link) ln -sfn -- "$2" "$3" ;;
    template) fill_in "$2" | install -m 644 -- /dev/stdin "$3" ;;
  esac
}

# If the loader uses its cache for this folder, changes have no effect before ldconfig runs.
refresh_loader() {
  local PATH=$PATH:/sbin:/usr/sbin
  [ -z "${DESTDIR:-}" ] || return 0
  ldconfig -N -X -v 2>/dev/null | awk -F: -v folder="$libdir" '$1 == folder { found = 1 } END { exit !found }' || return 0
  [ "$(id -u)" -ne 0 ] || { ldconfig; return; }
  printf 'install: now run ldconfig as root, so that programs find the library\n'
}

# Removes libraries of other versions, which files() does not list. Running programs keep theirs open.
remove_older() {
  local library
  for library in "${DESTDIR:-}$libdir/$soname".*; do
    [ "${1:-}" = "${library##*/}" ] || rm -f -- "$library"
  done
}

# The command that builds missing or outdated files.
how() { case ${from#"$root"/} in build/native | build/portable) printf 'make %s' "${from##*/}" ;; *) printf 'make build' ;; esac; }

if [ -n "$uninstall" ]; then
  remove_older
  files | while IFS=$'\t' read -r _ _ file; do rm -f -- "${DESTDIR:-}$file"; done
  for folder in "$libdir/cmake/LambdaExecutor" "$docdir/docs" "$docdir"; do
    rmdir -- "${DESTDIR:-}$folder" 2>/dev/null || true
  done
else
  # Check first, so that nothing is installed if a file is missing.
  files | while IFS=$'\t' read -r kind source _; do
    [ "$kind" = link ] || [ -f "$source" ] || fail "there is no $source; build it first ($(how))"
  done
  built=$("$from/lambda-executor-local" --version) || fail "$from/lambda-executor-local does not print its version"
  [ "$built" = "lambda-executor-local $version" ] ||
    fail "$from has version ${built##* }, but these sources are $version; build it again ($(how))"
  files | while IFS=$'\t' read -r kind source file; do put "$kind" "$source" "${DESTDIR:-}$file"; done
  remove_older "$real"
  printf 'install: lambda-executor %s is in %s; for pkg-config: PKG_CONFIG_PATH=%s\n' \
    "$version" "${DESTDIR:-}$prefix" "$libdir/pkgconfig"
fi
refresh_loader
