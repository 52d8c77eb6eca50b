#!/usr/bin/env bash
# Sets up the tools for building and testing.
# System packages are installed with apt-get if possible (Debian and Ubuntu, as root or with sudo without a password);
# otherwise the script names them and ends. Python packages: one virtual environment build/venvs/NAME for each
# tests/python/requirements-NAME.txt, created again only if that file has changed.
#
#   tools/setup.sh                for building and testing
#   tools/setup.sh --build-only   for building and the demo: no Python, no valgrind
#   tools/setup.sh --portable     for `make function`: Python for its build only
#   tools/setup.sh --airflow-versions   in addition to the first, for `make airflow-check`: other versions of Airflow, one
#                                 environment for each tests/airflow_live/requirements/NAME.txt
set -euo pipefail
cd "$(dirname "$0")/.."

what=${1:-all}

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Each line: a condition that holds if the tool is installed, and the Debian packages that have it.
has() { command -v "$1" >/dev/null 2>&1; }
missing_packages() {
  has cc && has gcc || echo gcc libc6-dev
  has make || echo make
  [ "$what" != --build-only ] || return 0
  has python3 || echo python3
  python3 -c 'import venv, ensurepip' >/dev/null 2>&1 || echo python3-venv
  [ "$what" != --portable ] || return 0
  has g++ || echo g++
  has nm && has readelf || echo binutils
  has pkg-config || echo pkg-config
  has valgrind || echo valgrind
  # For the bindings.
  has cmake || echo cmake
  has groff || echo groff-base
  # For the images of the function.
  has buildah || echo buildah
  has mmdebstrap || echo mmdebstrap
  # For Airflow's database.
  has initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || echo postgresql
}

install_packages() {
  local packages=("$@") as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    has sudo && sudo -n true 2>/dev/null && as_root=(sudo -n) ||
      fail "install these packages (names as in Debian and Ubuntu), then run this again: ${packages[*]}"
  fi
  has apt-get || fail "install these packages (names as in Debian and Ubuntu), then run this again: ${packages[*]}"
  say "installing ${packages[*]}"
  "${as_root[@]}" apt-get update -qq </dev/null
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" </dev/null >/dev/null
}

at_least() { # needed, version
  [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

check_rust() {
  local needed have
  needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
  has cargo && has rustc || fail "cargo and rustc $needed or newer are needed: see https://rustup.rs"
  have=$(rustc --version | cut -d ' ' -f 2)
  at_least "$needed" "${have%%-*}" ||
    fail "rustc $have is too old: $needed or newer is needed (rustup update)"
}

# Installs the distribution's Go only if it is new enough: an older one would hide a newer one. The version is checked in
# the module, since go 1.21 and newer may download the version that its go.mod requires.
set_up_go() {
  local needed have offered
  needed=$(sed -n 's/^go //p' bindings/go/go.mod)
  if ! has go && has apt-get; then
    offered=$(apt-cache policy golang-go | sed -n 's/^  Candidate: \([0-9]*:\)\{0,1\}\([0-9.]*\).*/\2/p')
    ! at_least "$needed" "$offered" || install_packages golang-go
  fi
  have=$(cd bindings/go && go env GOVERSION 2>/dev/null) || true
  at_least "$needed" "${have#go}" ||
    fail "everything except Go is set up: bindings/go needs $needed or newer, found ${have:-none}; get it from https://go.dev/dl"
}

# The checker of the Go code, in build/go/bin. It reads what the compiler writes, so a new Go needs it built again.
ERRCHECK=github.com/kisielk/errcheck@v1.10.0
set_up_errcheck() {
  local stamp
  stamp="$ERRCHECK $(cd bindings/go && go env GOVERSION)"
  [ -f build/go/.stamp ] && [ "$(cat build/go/.stamp)" = "$stamp" ] && return 0
  say "installing ${ERRCHECK##*/}"
  GOBIN=$PWD/build/go/bin go install "$ERRCHECK" </dev/null
  mkdir -p build/go
  printf '%s\n' "$stamp" >build/go/.stamp
}

# CPython's own tests of concurrent.futures, which LambdaPool must pass. Debian and Ubuntu have them in a package of their
# own, for their own interpreter.
set_up_python_tests() {
  local of
  ! python3 bindings/python/tests/interpreters.py >/dev/null 2>&1 || return 0
  [ -x /usr/bin/python3 ] || install_packages python3
  of=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  install_packages "libpython$of-testsuite"
  python3 bindings/python/tests/interpreters.py >/dev/null
}

make_environment() { # name, requirements
  local requirements=$2 folder=build/venvs/$1 stamp
  # The Python version is part of the stamp: a new Python needs a new environment.
  stamp=$(python3 --version; sha256sum <"$requirements")
  [ -f "$folder/.stamp" ] && [ "$(cat "$folder/.stamp")" = "$stamp" ] && return 0
  say "creating the Python environment $folder"
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" </dev/null
  printf '%s\n' "$stamp" >"$folder/.stamp"
}

check_rust
read -r -a packages <<<"$(missing_packages | tr '\n' ' ')"
[ "${#packages[@]}" -eq 0 ] || install_packages "${packages[@]}"
case $what in
  --build-only) exit 0 ;;
  --portable) make_environment portable tests/python/requirements-portable.txt; exit 0 ;;
  --airflow-versions)
    for requirements in tests/airflow_live/requirements/*.txt; do
      make_environment "$(basename "$requirements" .txt)" "$requirements"
    done
    exit 0 ;;
esac
for requirements in tests/python/requirements-*.txt; do
  name=${requirements##*/requirements-}
  make_environment "${name%.txt}" "$requirements"
done
set_up_python_tests
set_up_go
set_up_errcheck
