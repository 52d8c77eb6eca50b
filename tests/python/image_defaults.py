"""What function/Dockerfile sets in an image with Airflow."""

import servers


def preload() -> str:
    """Modules of the warm start, separated by commas."""
    text = (servers.ROOT / "function" / "Dockerfile").read_text()
    [line] = [line for line in text.splitlines() if line.startswith("ENV LAMBDA_EXECUTOR_PRELOAD=")]
    return line.partition(":+")[2].rstrip("}")
