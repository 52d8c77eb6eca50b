"""Functions for Airflow's tasks in the local Lambda: our function program, or the handler that Airflow publishes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import image_defaults
import leftovers
import published_handler

HANDLERS = ("ours", "airflow")

# The file `hold` contains the path of a file that the command creates. The first invocation whose command ends while
# both files exist continues until `hold` is removed.
HOLD = """
if [ -e "$LIVE_SCRATCH/hold" ] && [ -e "$(cat "$LIVE_SCRATCH/hold")" ] && mkdir "$LIVE_SCRATCH/held" 2>/dev/null; then
  echo $$ > "$LIVE_SCRATCH/held/by"
  while [ -e "$LIVE_SCRATCH/hold" ]; do sleep 0.1; done
fi
"""


def options(handler: str, folder: Path, environment: Mapping[str, str], venv: Path) -> dict[str, Any]:
    """Options of the local server. The function's home and temporary folder are below `folder`.

    The command `python -m airflow.sdk...` runs in the virtual environment `venv`, as in the function's image.
    """
    home, temporary = folder / "home", folder / "tmp"
    for made in (home, temporary):
        made.mkdir(parents=True, exist_ok=True)
    env = {
        **environment,
        **leftovers.KEEPS_ENVIRONMENT,
        "PATH": f"{venv / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "AIRFLOW_HOME": str(folder / "airflow"),
        "PYTHONUNBUFFERED": "1",
    }
    chosen: dict[str, Any] = {"handler": "exec"}
    if handler == "ours":
        env |= {"POST_COMMAND": HOLD, "LAMBDA_EXECUTOR_POST_COMMAND_TIMEOUT_MS": "120000"}
        env["LAMBDA_EXECUTOR_PRELOAD"] = image_defaults.preload()
    else:
        # Airflow's handler has no such hook, so a script `python` runs the real one and then the hook.
        chosen = published_handler.options(published_handler.find(), home)
        python = folder / "bin" / "python"
        python.parent.mkdir(exist_ok=True)
        python.write_text(f'#!/bin/sh\n{venv / "bin" / "python"} "$@"\ncode=$?\n{HOLD}\nexit $code\n')
        python.chmod(0o755)
        env |= {**chosen["env"], "PATH": f"{python.parent}:{env['PATH']}"}
    return {**chosen, "env": env, "handler_output": str(folder / "function.log"), "retry_base_ms": 100}
