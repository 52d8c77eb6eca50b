#!/bin/sh
# Creates the virtual environment whose `python` commands use, and installs Airflow in it:
# install_airflow.sh VERSION EXTRAS CONSTRAINTS_FOLDER. Without a version, no Airflow.
#
# The base's own Python stays as it is: Lambda's runtime needs its packages, or it belongs to the distribution.
set -eu
version=$1
extras=$2
constraints=$3/constraints.txt

fail() { printf 'install_airflow: %s\n' "$*" >&2; exit 1; }

# Use the full path: once the environment exists, `python3` is the one in it.
base=$(command -v python3) ||
  fail "no python3 in this base: set BASE_IMAGE to one with it, or use Dockerfile.plain"
same_pip=pip==$("$base" -c 'import pip; print(pip.__version__)') ||
  fail "no pip in this base: set BASE_IMAGE to one with it"
# Debian has no ensurepip, so the base's own pip installs a copy of itself.
"$base" -m venv --without-pip "$VIRTUAL_ENV"
"$base" -m pip --python "$VIRTUAL_ENV/bin/python" install --quiet --no-cache-dir --disable-pip-version-check "$same_pip" ||
  fail "the base's $same_pip could not install a copy of itself: it must be 22.3 or newer and reach its packages"

[ -n "$version" ] || exit 0
# Install Airflow with the set of versions that it was released with; with others it may not start.
# https://airflow.apache.org/docs/apache-airflow/stable/installation/installing-from-pypi.html
python=$("$VIRTUAL_ENV/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ -f "$constraints" ] ||
  constraints=https://raw.githubusercontent.com/apache/airflow/constraints-$version/constraints-$python.txt
"$VIRTUAL_ENV/bin/python" -m pip install --no-cache-dir --disable-pip-version-check \
  "apache-airflow[$extras]==$version" --constraint "$constraints" ||
  fail "could not install Airflow $version for Python $python with the constraints $constraints"
