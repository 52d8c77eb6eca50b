#!/usr/bin/env bash
# Builds the Python wheel, with the library and its programs in it, into build/wheels.
#
#   tools/build_wheel.sh [--from FOLDER [--portable]] [--to FOLDER]
#
#   --from FOLDER   folder with liblambda_executor.so, lambda-executor-local and lambda-executor-function; default:
#                   build/portable, the output of tools/build_portable.sh
#   --portable      the files in FOLDER are portable, like those of build/portable
#   --to FOLDER     folder for the wheel; default: build/wheels
#
# A portable wheel has the platform tag manylinux_2_26, and is built only if auditwheel agrees. Other wheels have the tag
# linux: they are for machines like this one.
#
# Needs tests/python/requirements-bindings.txt in build/venvs/bindings (tools/setup.sh creates it) or in the environment
# BINDINGS_VENV; strip and readelf; and cargo with its packages, for the licences of linked code.
set -euo pipefail
cd "$(dirname "$0")/.."

glibc=2.26
machine=x86_64
from=build/portable
portable=yes
to=build/wheels
venv=${BINDINGS_VENV:-build/venvs/bindings}

fail() { printf 'build_wheel: %s\n' "$*" >&2; exit 1; }

while [ "$#" -gt 0 ]; do
  case $1 in
    --from) [ "$#" -gt 1 ] || fail "--from needs a folder"; from=$2; portable=; shift 2 ;;
    --portable) portable=yes; shift ;;
    --to) [ "$#" -gt 1 ] || fail "--to needs a folder"; to=$2; shift 2 ;;
    *) fail "$1: unknown; usage: tools/build_wheel.sh [--from FOLDER [--portable]] [--to FOLDER]" ;;
  esac
done

venv=$(realpath -m "$venv")
[ -x "$venv/bin/auditwheel" ] || fail "no auditwheel in $venv: run make setup"
[ "$(uname -s) $(uname -m)" = "Linux $machine" ] || fail "only for Linux on $machine, this is $(uname -s) on $(uname -m)"

work=$(mktemp -d "${TMPDIR:-/tmp}/lambda_executor.XXXXXX")
trap 'rm -rf "$work"' EXIT

for name in liblambda_executor.so lambda-executor-local lambda-executor-function; do
  [ -f "$from/$name" ] || fail "$from/$name is missing: run tools/build_portable.sh"
  if readelf --wide --sections "$from/$name" | grep '\.symtab' >/dev/null; then
    # The symbols of a debug build are larger than everything else.
    strip --strip-unneeded -o "$work/$name" "$from/$name"
  else
    cp "$from/$name" "$work/$name"
  fi
done

# Work on a copy: licence files are only found beside pyproject.toml.
mkdir "$work/project"
cp -rL bindings/python/{LICENSE,README.md,pyproject.toml,src,wheel_binaries.py} "$work/project/"
"$venv/bin/python" packaging/third_party_licenses.py >"$work/project/LICENSE-THIRD-PARTY"

# Without build isolation, to use the backend of the environment at its pinned version.
LAMBDA_EXECUTOR_WHEEL_BINARIES=$work LAMBDA_EXECUTOR_WHEEL_PLATFORM=linux_$machine \
  "$venv/bin/python" -m build --wheel --no-isolation --outdir "$work/wheel" "$work/project" >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; fail "the wheel was not built"; }
wheel=$(echo "$work"/wheel/*.whl)

if [ -n "$portable" ]; then
  "$venv/bin/auditwheel" show "$wheel" >"$work/audit" 2>&1 || { cat "$work/audit" >&2; fail "auditwheel rejects the wheel"; }
  # auditwheel wraps the sentence.
  found=$(tr '\n' ' ' <"$work/audit" | sed -n 's/.*following platform tag: *"manylinux_\([0-9]*\)_\([0-9]*\)_'$machine'".*/\1.\2/p')
  [ -n "$found" ] && [ "$(printf '%s\n%s\n' "$found" "$glibc" | sort -V | tail -n 1)" = "$glibc" ] ||
    { cat "$work/audit" >&2; fail "$from: auditwheel does not agree with manylinux_${glibc/./_}"; }
  name=$("$venv/bin/wheel" tags --remove --platform-tag "manylinux_${glibc/./_}_$machine" "$wheel" | tail -n 1)
  wheel=$work/wheel/$name
fi

mkdir -p "$to"
mv "$wheel" "$to/"
printf '%s: %s bytes\n' "$to/${wheel##*/}" "$(stat -c %s "$to/${wheel##*/}")"
