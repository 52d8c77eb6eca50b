"""Dollars, at the list prices of us-east-1 that src/metrics/prices.rs has, from AWS's pages of prices.

Left out: what is the same for all, that is the function's run time and the message that it sends for each result.
"""

from __future__ import annotations

#: For a million requests.
INVOKE_USD, SQS_USD = 0.20, 0.40
PAGES = ("https://aws.amazon.com/lambda/pricing/", "https://aws.amazon.com/sqs/pricing/")


def usd(calls: dict[str, int]) -> float:
    """What these calls cost. No receive of these runs is over 64 KiB, so each call is one request."""
    invokes = calls.get("Invoke", 0)
    return (invokes * INVOKE_USD + (sum(calls.values()) - invokes) * SQS_USD) / 1e6
