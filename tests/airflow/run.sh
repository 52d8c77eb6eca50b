#!/usr/bin/env bash
# The tests of Airflow's executor, in every Airflow environment that is there: build/venvs/airflow, and build/venvs/
# airflow-VERSION where somebody has made them.
set -euo pipefail
cd "$(dirname "$0")"
failed=0
for python in ../../build/venvs/airflow/bin/python ../../build/venvs/airflow-*/bin/python; do
  [ -x "$python" ] || continue
  "$python" -m pytest "$@" || failed=1
done
exit "$failed"
