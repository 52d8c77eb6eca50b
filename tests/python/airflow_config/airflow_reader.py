"""Reads configurations with Airflow's own parser, the way its Lambda executor does. Runs in Airflow's environment.

in: {"environment": {"NAME": "value" or [bytes]}, "json": {"team": ...} or null}, one a line
out: {"options": {"name": value}}, or {"errors": {"name of an option, or file": "..."}}
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from airflow.configuration import (  # type: ignore[import-not-found]
    AirflowConfigParser,
    get_airflow_config,
    get_airflow_home,
)

SECTION = "aws_lambda_executor"
# Time limit of Airflow's parser for one case; it never ends for some.
SECONDS = 0.5


def set_environment(environment: dict[str, str | list[int]]) -> None:
    os.environ.clear()
    for name, value in environment.items():
        os.environb[os.fsencode(name)] = os.fsencode(value) if isinstance(value, str) else bytes(value)


def read(team: str | None) -> dict[str, Any]:
    parser = AirflowConfigParser()
    try:
        parser.read(get_airflow_config(get_airflow_home()))
    except Exception as error:  # with any error Airflow would not start
        return {"errors": {"file": repr(error)}}
    arguments = {"team_name": team} if team else {}
    # The executor treats an empty text like no text for all of these.
    readers: dict[str, Callable[[str], object]] = {
        "function_name": lambda name: parser.get(SECTION, name, **arguments),
        "queue_url": lambda name: parser.get(SECTION, name, **arguments),
        "dead_letter_queue_url": lambda name: parser.get(SECTION, name, **arguments),
        "function_qualifier": lambda name: parser.get(SECTION, name, fallback=None, **arguments) or None,
        "region_name": lambda name: parser.get(SECTION, name, fallback=None, **arguments) or None,
        "conn_id": lambda name: parser.get(SECTION, name, fallback="aws_default", **arguments) or None,
        "check_health_on_startup": lambda name: parser.getboolean(SECTION, name, fallback="True", **arguments),
        "max_invoke_attempts": lambda name: parser.getint(SECTION, name, fallback="3", **arguments),
        "end_wait_timeout": lambda name: parser.getint(SECTION, name, fallback="0", **arguments),
    }
    options: dict[str, object] = {}
    errors: dict[str, str] = {}
    for name, reader in readers.items():
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            options[name] = reader(name)
        except TimeoutError:
            errors[f"{name} without end"] = "Airflow would hang"
        except Exception as error:
            errors[name] = repr(error)[:500]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    return {"errors": errors} if errors else {"options": options}


def too_long(*_: object) -> None:
    raise TimeoutError("the parser did not end")


def main() -> None:
    signal.signal(signal.SIGALRM, too_long)
    for line in sys.stdin:
        case = json.loads(line)
        set_environment(case["environment"])
        print(json.dumps(read((case["json"] or {}).get("team"))), flush=True)


main()
