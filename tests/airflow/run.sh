#!/usr/bin/env bash
# Runs the tests of Airflow's executor in every existing Airflow environment: build/venvs/airflow and
# build/venvs/airflow-VERSION.
set -euo pipefail
cd "$(dirname "$0")"
failed=0
for python in ../../build/venvs/airflow/bin/python ../../build/venvs/airflow-*/bin/python; do
  [ -x "$python" ] || continue
  "$python" -m pytest "$@" || failed=1
done
exit "$failed"
