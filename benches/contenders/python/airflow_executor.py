"""An executor of Airflow, driven as Airflow's scheduler drives it: queue_workload, then heartbeat after heartbeat.

benches/airflow_rounds.py is the loop. Blocked is the time inside heartbeat(). The results of Airflow's executor arrive
in the function's own results queue, and it reports no times of a task, so there are no latencies.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from measured import job, peak_mb

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / path) for path in ("benches", "tests/airflow", "bindings/python/src")]


def main() -> None:
    asked = job()
    import local_aws

    aws = local_aws.LocalAws(asked)
    with tempfile.TemporaryDirectory(prefix="bench-airflow-") as home:
        for name in [name for name in os.environ if name.startswith(("AIRFLOW", "AWS_"))]:
            del os.environ[name]
        os.environ |= aws.options() | {
            "AIRFLOW_HOME": home,
            "AIRFLOW__API_AUTH__JWT_SECRET": "not-a-secret" * 4,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            # What the process of a scheduler is marked with.
            "_AIRFLOW_PROCESS_CONTEXT": "server",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        # Airflow and its executors log to standard output, which is for the answer.
        answer_to = os.dup(1)
        os.dup2(2, 1)
        import signal

        import airflow_rounds

        signal.signal(signal.SIGALRM, airflow_rounds._cut_off)
        figures = airflow_rounds.measure(
            {"class": asked["class"], "tasks": asked["tasks"], "limit_s": asked["limit_s"], "aws": asked}
        )
        answer = {
            "done": figures["done"],
            "failed": figures["failed"],
            "cut": figures["cut"],
            "seconds": figures["wall_s"],
            "cpu_s": figures["cpu_s"],
            "blocked_s": figures["total_s"],
            "blocked_longest_ms": figures["longest_ms"],
            "peak_mb": peak_mb(),
            "requests": figures["requests"],
        }
        os.write(answer_to, (json.dumps(answer) + "\n").encode())
    # What is left of a run that was cut off is not waited for.
    os._exit(0)


if __name__ == "__main__":
    main()
