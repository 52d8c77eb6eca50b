#!/bin/sh
# Installs the user's packages beside Airflow: install_requirements.sh AIRFLOW_VERSION REQUIREMENTS_FOLDER
# CONSTRAINTS_FOLDER.
#
# Airflow's own constraints do not apply here, since they exclude newer packages. Airflow's version stays the same.
set -eu
version=$1
requirements=$2/requirements.txt
constraints=$3/constraints.txt

fail() { printf 'install_requirements: %s\n' "$*" >&2; exit 1; }

[ -f "$requirements" ] || exit 0
set -- --requirement "$requirements"
[ ! -f "$constraints" ] || set -- "$@" --constraint "$constraints"
[ -z "$version" ] || set -- "$@" "apache-airflow==$version"
"$VIRTUAL_ENV/bin/python" -m pip install --no-cache-dir --disable-pip-version-check "$@" ||
  fail "could not install requirements.txt"
